#!/usr/bin/env bash
# run.sh [SECONDS [TARGET …]]: builds the fuzz targets, proves that each finds a planted crash, then runs them two at a
# time for SECONDS (60) each. A finding is kept in .build-fuzz/findings/, and the exit status is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
# Target, its seeds, and how long an input may be.
all="FuzzONNX:onnx:12288 FuzzZIP:zip:4096 FuzzHDF5:hdf5:24576 FuzzKeras:keras:32768 FuzzPyTorch:pytorch:16384
FuzzNPY:npy:2048 FuzzHTTP1:http1:1024 FuzzHTTP2:http2:1024 FuzzInfer:infer:1024 FuzzGRPC:grpc:1024
FuzzConfiguration:configuration:4096"
side_by_side=2
planted_seconds=300
planted_length=2048
export FOLDSERVE_FUZZ=1
# Swift's lazy globals look like leaks; what grows is caught by the limit on memory.
export ASAN_OPTIONS=detect_leaks=0
findings=.build-fuzz/findings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$findings"

targets=
for entry in $all; do
    if [ $# = 0 ]; then targets+=" $entry"; fi
    for name in "$@"; do if [ "${entry%%:*}" = "$name" ]; then targets+=" $entry"; fi; done
done
[ -n "$targets" ] || { echo "no target is named $*" >&2; exit 64; }

run() { # TARGET CORPUS LENGTH SEEDS SECONDS LOG OPTION …: the exit status is the fuzzer's
    local words=()
    if [ -e "$work/seeds/$2.dict" ]; then words=(-dict="$work/seeds/$2.dict"); fi
    .build-fuzz/release/"$1" -max_total_time="$5" -max_len="$3" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$prefix$1-" "${words[@]}" "${@:7}" "$4" >"$6" 2>&1
}

planted() { # TARGET CORPUS
    mkdir "$work/$1"
    cp "$work/seeds/planted/$2"/* "$work/$1" 2>/dev/null || true
    if FOLDSERVE_PLANTED_CRASH=1 prefix="$work/" run "$1" "$2" "$planted_length" "$work/$1" "$planted_seconds" "$work/$1.planted" -len_control=0 ||
        ! grep -q "the planted crash" "$work/$1.planted"; then
        echo "$1 does not find the planted crash" >&2
        tail -20 "$work/$1.planted" >&2
        return 1
    fi
    echo "$1 finds the planted crash"
}

fuzz() { # TARGET CORPUS LENGTH
    local status=0
    prefix="$findings/" run "$1" "$2" "$3" "$work/seeds/$2" "$seconds" "$work/$1.log" || status=1
    echo "$1: $(grep -E "^#[0-9]+" "$work/$1.log" | tail -1)"
    if [ $status != 0 ]; then grep -vE "^#[0-9]+|^INFO" "$work/$1.log" | tail -60 >&2; fi
    return $status
}

each() { # FUNCTION: for every target, so many at a time
    local status=0 running=0 entry
    for entry in $targets; do
        # shellcheck disable=SC2086
        "$1" ${entry//:/ } &
        running=$((running + 1))
        if [ $running = $side_by_side ]; then
            wait -n || status=1
            running=$((running - 1))
        fi
    done
    while [ $running -gt 0 ]; do
        wait -n || status=1
        running=$((running - 1))
    done
    return $status
}

# The fuzzer's own flag loses coverage beside the address sanitizer: ask for it by name.
swift build -c release --scratch-path .build-fuzz --sanitize=fuzzer --sanitize=address \
    -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table >"$work/build" 2>&1 || {
    cat "$work/build" >&2
    exit 1
}

python3 Tests/Fuzz/seeds.py "$work/seeds"
each planted
each fuzz
