#!/bin/sh
# Measure the library beside a raw loop of the driver, in the same run: lines "bench NAME ours=… raw=… ratio=… want …".
#   sh tests/bench/run.sh AREA             AREA: core, sqlite, state, files, postgresql; with 1,000,000 rows
#   sh tests/bench/run.sh AREA --quick     with 100,000 rows, in less than 40 s
# The optimised build is below build/bench. The files measured lie in a fresh folder in TMPDIR (else build/), which must
# be on a disk: a folder in memory knows no durable commit. Figures are the medians of turns in which ours and the raw
# loop alternate; they want a machine at rest.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/prepare.sh
. tests/harness/postgresql.sh

usage()
{
    sed -n '2,7s/^# \{0,1\}//p' tests/bench/run.sh
    exit "$1"
}

area=
rows=1000000
for word in "$@"; do
    case $word in
        core | sqlite | state | files | postgresql) area=$word ;;
        --quick) rows=100000 ;;
        -h | --help) usage 0 ;;
        *) usage 2 >&2 ;;
    esac
done
[ -n "$area" ] || usage 2 >&2

forget_settings
packages=libcmocka-dev
if [ "$area" = postgresql ]; then
    packages="$packages libpq-dev postgresql"
    trap 'let_servers_go' EXIT
    hold_servers_back
fi
# shellcheck disable=SC2086
install_packages $build_packages $packages || exit 1
let_servers_go
mkdir -p build
if ! { [ -f build/bench/build.ninja ] || meson setup build/bench -Dbuildtype=release -Dtests=enabled; } >build/bench.log 2>&1 ||
    ! timeout 1800 ninja -C build/bench "tests/bench/bench-$area" >>build/bench.log 2>&1; then
    tail -n 40 build/bench.log >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-$PWD/build}/gavat-bench.XXXXXX") || exit 1
trap 'stop_postgresql; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
case $area in
    core) build/bench/tests/bench/bench-core "$rows" ;;
    postgresql)
        # As durable as Debian's own, with memory as on a small server.
        postgresql_settings='-c shared_buffers=512MB -c max_wal_size=4GB'
        TMPDIR=$folder
        chmod 711 "$folder"
        start_postgresql || exit 1
        build/bench/tests/bench/bench-postgresql "${postgresql_url%%\?*}" "$rows"
        ;;
    *) "build/bench/tests/bench/bench-$area" "$folder" "$rows" ;;
esac
