#!/usr/bin/env bash
# sanitized_server.sh [SECONDS [address|thread …]]: builds the server with each sanitizer (both) in .build-SANITIZER, and
# runs clients of every kind against it for SECONDS (60): see client_mix.py. The exit status is 0 when answers were right,
# the servers ended well on SIGTERM, and no sanitizer had anything to say. PYTHON (python3) has what Tests/requirements.txt
# names. By hand, for two more builds take longer than the other tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- address thread
# Swift's lazy globals look like leaks.
export ASAN_OPTIONS=detect_leaks=0
export TSAN_OPTIONS=exitcode=66

status=0
for sanitizer in "$@"; do
    case $sanitizer in
    address) symbol=__asan_init ;;
    thread) symbol=__tsan_init ;;
    *)
        echo "no sanitizer is named $sanitizer" >&2
        exit 64
        ;;
    esac
    # Without optimization nothing that a sanitizer could see is put together; the kernels would take too long.
    swift build -Xcc -O2 --scratch-path ".build-$sanitizer" --sanitize="$sanitizer" --product foldserve
    export FOLDSERVE="$PWD/.build-$sanitizer/debug/foldserve"
    # Not -q: it would end before nm has written all.
    nm "$FOLDSERVE" | grep " $symbol\$" >/dev/null || {
        echo "$FOLDSERVE has no $sanitizer sanitizer" >&2
        exit 70
    }
    if "${PYTHON:-python3}" Tests/Fuzz/client_mix.py "$seconds"; then
        echo "$sanitizer: nothing found"
    else
        echo "$sanitizer: failed" >&2
        status=1
    fi
done
exit $status
