#!/bin/sh
# Measure the library beside a raw loop of the driver, in the same run: lines "bench NAME ours=… raw=… ratio=… want …".
#   sh tests/bench/run.sh AREA             AREA: core, sqlite, state, files; with 1,000,000 rows
#   sh tests/bench/run.sh AREA --quick     with 100,000 rows, in less than 40 s
# The optimised build is below build/bench. The files measured lie in a fresh folder in TMPDIR (else build/), which must
# be on a disk: a folder in memory knows no durable commit. Figures are the medians of turns in which ours and the raw
# loop alternate; they want a machine at rest.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/prepare.sh

usage()
{
    sed -n '2,7s/^# \{0,1\}//p' tests/bench/run.sh
    exit "$1"
}

area=
rows=1000000
for word in "$@"; do
    case $word in
        core | sqlite | state | files) area=$word ;;
        --quick) rows=100000 ;;
        -h | --help) usage 0 ;;
        *) usage 2 >&2 ;;
    esac
done
[ -n "$area" ] || usage 2 >&2

forget_settings
# shellcheck disable=SC2086
install_packages $build_packages libcmocka-dev || exit 1
mkdir -p build
if ! { [ -f build/bench/build.ninja ] || meson setup build/bench -Dbuildtype=release -Dtests=enabled; } >build/bench.log 2>&1 ||
    ! timeout 1800 ninja -C build/bench "tests/bench/bench-$area" >>build/bench.log 2>&1; then
    tail -n 40 build/bench.log >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-$PWD/build}/gavat-bench.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
case $area in
    core) build/bench/tests/bench/bench-core "$rows" ;;
    *) "build/bench/tests/bench/bench-$area" "$folder" "$rows" ;;
esac
