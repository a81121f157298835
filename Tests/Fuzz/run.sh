#!/usr/bin/env bash
# run.sh [SECONDS]: builds the fuzz targets, proves that each finds a planted crash, then runs them side by side for
# SECONDS (60). A finding is kept in .build-fuzz/findings/, and the exit status is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
export FOLDSERVE_FUZZ=1
# Swift's lazy globals look like leaks; what grows is caught by the limit on memory.
export ASAN_OPTIONS=detect_leaks=0
findings=.build-fuzz/findings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$findings"

# The fuzzer's own flag loses coverage beside the address sanitizer: ask for it by name.
build() {
    swift build -c release --scratch-path .build-fuzz --sanitize=fuzzer --sanitize=address \
        -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table >"$work/build" 2>&1 || {
        cat "$work/build" >&2
        exit 1
    }
}

fuzz() { # TARGET CORPUS LENGTH
    .build-fuzz/release/"$1" -max_total_time="$seconds" -max_len="$3" -timeout=10 -rss_limit_mb=2048 \
        -malloc_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$findings/$1-" "$work/seeds/$2" \
        >"$work/$1.log" 2>&1
}

python3 Tests/Fuzz/seeds.py "$work/seeds"
FOLDSERVE_PLANTED_CRASH=1 build
# One seed, so that the crash is a matter of mutation and coverage.
mkdir "$work/FuzzNPY" "$work/FuzzONNX"
cp "$work/seeds/onnx/PRelu_1_1" "$work/FuzzONNX"
for target in FuzzNPY FuzzONNX; do
    if .build-fuzz/release/"$target" -max_total_time=300 -max_len=2048 -artifact_prefix="$work/" "$work/$target" \
        >"$work/log" 2>&1 ||
        ! grep -q "the planted crash" "$work/log"; then
        echo "$target does not find the planted crash" >&2
        exit 1
    fi
    echo "$target finds the planted crash"
done

build
fuzz FuzzNPY npy 2048 &
npy=$!
fuzz FuzzONNX onnx 12288 &
onnx=$!
status=0
wait $npy || status=1
wait $onnx || status=1
for target in FuzzNPY FuzzONNX; do
    echo "$target: $(grep -E "^#[0-9]+" "$work/$target.log" | tail -1)"
    if [ $status != 0 ]; then grep -vE "^#[0-9]+|^INFO" "$work/$target.log" | tail -60 >&2; fi
done
exit $status
