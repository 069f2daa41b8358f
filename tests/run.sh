#!/bin/sh
# Build and run all tests; the last line is "N passed, N failed", the exit code 1 when any failed.
#   sh tests/run.sh                            everything, the long counts at a tenth; then ASan + UBSan, then TSan
#   sh tests/run.sh --full                     everything at full counts
#   sh tests/run.sh --filter NAME              only the tests with NAME in their name
#   sh tests/run.sh --sanitize address|thread  only that build
#   sh tests/run.sh --coverage                 one build with gcov, and the line coverage of lib
# On Debian it installs what is missing by apt-get and says what. All it makes is below build/.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/harness/prepare.sh
. tests/harness/postgresql.sh
. tests/harness/pgbouncer.sh
. tests/harness/mongodb.sh
. tests/harness/redis.sh

usage()
{
    sed -n '2,8s/^# \{0,1\}//p' tests/run.sh
    exit "$1"
}

TEST_SCALE=tenth
patience=1
builds='test asan tsan'
filter=
while [ $# -gt 0 ]; do
    case $1 in
        --full) TEST_SCALE=full patience=15 ;;
        --coverage) builds=coverage ;;
        --sanitize)
            shift
            case ${1-} in
                address) builds=asan ;;
                thread) builds=tsan ;;
                *) usage 2 >&2 ;;
            esac
            ;;
        --filter)
            shift
            filter=${1-}
            [ -n "$filter" ] || usage 2 >&2
            [ "$builds" != 'test asan tsan' ] || builds='test'
            ;;
        -h | --help) usage 0 ;;
        *) usage 2 >&2 ;;
    esac
    shift
done
export TEST_SCALE          # not GAVAT_…: an unknown setting would be refused
# The tests say themselves where their stores are.
forget_settings

# build NAME OPTION…: configure build/NAME once and compile it; what the compiler says is shown when it fails.
build()
{
    folder=build/$1
    shift
    echo "== building $folder"
    mkdir -p build
    rm -f "$folder"/meson-logs/testlog*
    if { [ -f "$folder/build.ninja" ] || timeout 300 meson setup "$folder" -Dtests=enabled "$@"; } >"$folder.log" 2>&1 &&
        timeout 1800 ninja -C "$folder" >>"$folder.log" 2>&1; then
        return 0
    fi
    tail -n 60 "$folder.log"
    return 1
}

# run_tests NAME MULTIPLIER SUITE…: the tests of build/NAME; without a suite all of them. results.py counts, not the exit code.
run_tests()
{
    folder=build/$1
    multiplier=$(($2 * patience))
    shift 2
    suites=
    for suite in "$@"; do
        suites="$suites --suite $suite"
    done
    # Word splitting is meant: one word a suite, a test.
    # shellcheck disable=SC2086
    {
        names=
        if [ -n "$filter" ]; then
            names=$(meson test -C "$folder" --no-rebuild --list $suites | sed 's|.* / ||' | grep -F -- "$filter" | sort -u)
            [ -n "$names" ] || return 0
        fi
        echo "== running the tests of $folder"
        $runner meson test -C "$folder" --no-rebuild --timeout-multiplier "$multiplier" $suites $names </dev/null
    }
}

test_packages='g++ libcmocka-dev zlib1g-dev sqlite3 shellcheck libpq-dev postgresql pgbouncer
    libmongoc-dev python3-pip libcurl4 libssl3 libhiredis-dev redis-server'
[ "$builds" != coverage ] || test_packages="$test_packages gcovr"
trap 'let_servers_go; stop_pgbouncer; stop_postgresql; stop_mongodb; stop_redis' EXIT
trap 'exit 1' HUP INT TERM
hold_servers_back
# shellcheck disable=SC2086
install_packages $build_packages $test_packages || exit 1
let_servers_go

# Each case of the events area runs on every one of these stores.
if start_postgresql; then
    export TEST_EVENTS_URLS="sqlite:///{folder}/events.db $postgresql_url $postgresql_url#plain $postgresql_url#adopted"
    ! start_pgbouncer || TEST_EVENTS_URLS="$TEST_EVENTS_URLS $pgbouncer_url#pooled"
else
    echo "There is no PostgreSQL server here: its tests are left out."
fi

# As of profiles: a single server, and a replica set.
if start_mongodb && start_mongodb_set; then
    export TEST_PROFILES_URLS="file://{folder}/profiles $mongodb_url $mongodb_set_url"
else
    echo "There is no MongoDB server here (see build/mongod.log): its tests are left out."
fi

# As of state.
if start_redis; then
    export TEST_STATE_URLS="sqlite:///{folder}/state.db memory: $redis_url"
else
    echo "There is no Redis server here: its tests are left out."
fi

# gcc's TSan wants addresses where it expects them; newer kernels scatter them further.
runner=
for name in $builds; do
    case $name in
        test) build test -Dwerror=true && run_tests test 1 ;;
        asan)
            build asan -Db_sanitize=address,undefined -Db_lundef=false -Ddefault_library=static -Dexamples=false &&
                run_tests asan 3 unit contract faults fuzz cli
            ;;
        tsan)
            setarch -R true 2>/dev/null && runner='setarch -R'
            build tsan -Db_sanitize=thread -Db_lundef=false -Ddefault_library=static -Dexamples=false &&
                run_tests tsan 3 unit contract
            runner=
            ;;
        coverage)
            [ ! -d build/coverage ] || find build/coverage -name '*.gcda' -delete
            build coverage -Db_coverage=true -Doptimization=0 -Ddefault_library=both &&
                run_tests coverage 2 unit contract faults fuzz cli
            ;;
    esac
done

if [ "$builds" = coverage ]; then
    gcovr --root . --filter 'lib/' --exclude-unreachable-branches build/coverage || exit 1
fi
folders=
for name in $builds; do
    folders="$folders build/$name"
done
# shellcheck disable=SC2086
python3 tests/harness/results.py $folders
