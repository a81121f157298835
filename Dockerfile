# The build: a static Swift standard library, so that the image below needs no Swift.
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libnghttp2-dev libssl-dev zlib1g-dev binutils
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
# Packed relocations (glibc 2.36 and later, linked by lld) keep half a megabyte out of the file, and nobody looks names up in
# it: without a table of them it is 1.3 MB smaller.
RUN swift build -c release --static-swift-stdlib --product foldserve \
        -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-export-dynamic && \
    strip -o /foldserve "$(swift build -c release --static-swift-stdlib --show-bin-path)/foldserve"

FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends libnghttp2-14 libssl3 libstdc++6 zlib1g && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /foldserve /usr/local/bin/foldserve
COPY config/foldserve.json /etc/foldserve/foldserve.json
COPY models /models
WORKDIR /
# Nobody: the server writes no file.
USER 65534:65534
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["foldserve", "health", "--config", "/etc/foldserve/foldserve.json"]
ENTRYPOINT ["foldserve"]
CMD ["serve", "--config", "/etc/foldserve/foldserve.json"]
