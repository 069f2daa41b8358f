#!/bin/sh
# One migration, killed outright at random moments and resumed, ends with exactly the rows, documents and keys of an unbroken one.
#     migrate_kill.sh GAVATCTL
set -u
gavatctl=$(realpath "$1")
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/prepare.sh
. tests/harness/tap.sh
forget_settings
kills=10 lines=60000 longest=300         # milliseconds
[ "${TEST_SCALE-}" != full ] || kills=100 lines=400000 longest=1500

# The samples, and logs long enough to be killed in.
make_legacy()
{
    cp -r tests/data/legacy "$tap_dir/legacy"
    awk -v lines="$lines" 'BEGIN {
        for (i = 0; i < lines; i++)
            printf "[2025-05-%02dT%02d:%02d:%02d] [INFO] message %d\n", i / 86400 % 28 + 1, i / 3600 % 24, i / 60 % 60, i % 60, int(i / 3)
    }' >"$tap_dir/legacy/logs/long.log"
}

# In a folder of its own, with the embedded stores below it.
migrate()
{
    mkdir -p "$tap_dir/$1"
    (cd "$tap_dir/$1" && shift && exec "$gavatctl" migrate "$@" -q -o jsonl) >"$tap_dir/said" 2>&1
}

# A delay that differs from round to round, the same for the same seed.
killed_runs()
{
    seed=${TEST_SEED:-1}
    resume=
    killed=0
    for round in $(seq "$kills"); do
        seed=$(((seed * 1103515245 + 12345) % 2147483648))
        # shellcheck disable=SC2086
        (cd "$tap_dir/killed" && exec "$gavatctl" migrate run ../legacy $resume -q -o jsonl) >"$tap_dir/said" 2>&1 &
        run=$!
        sleep "$(printf '%d.%03d' $((seed / 65536 % longest / 1000)) $((seed / 65536 % longest % 1000)))"
        if kill -KILL "$run" 2>/dev/null; then
            killed=$((killed + 1))
        fi
        wait "$run" 2>/dev/null
        state=$(cd "$tap_dir/killed" && "$gavatctl" migrate status -o jsonl 2>/dev/null | head -n 1)
        case $state in
            *'"state":"running"'* | *'"state":"stopped"'*) resume=--resume ;;
            *'"state":"done"'*) break ;;
        esac
    done
    echo "killed $killed times in $round runs" | tee "$tap_dir/kills"
}

# What a store holds, without what differs from run to run.
dump()
{
    (
        cd "$tap_dir/$1" || exit 1
        for kind in events sales messages; do
            "$gavatctl" "$kind" list --all -o jsonl 2>/dev/null || "$gavatctl" "$kind" list --limit 100000 -o jsonl
        done | sed -E 's/"id":[0-9]+,//; s/"updated_at":"[^"]*"//' | LC_ALL=C sort
        "$gavatctl" profiles list -o jsonl | sed -E 's/"(created_at|updated_at)": ?"[^"]*"//g; s/"revision": ?[0-9]+//'
    )
}

the_killed_one_ends()
{
    killed_runs
    case $state in
        *'"state":"done"'*) [ "$killed" -gt 2 ] && return 0 ;;
    esac
    # shellcheck disable=SC2086
    migrate killed run ../legacy $resume
    code=$?
    tail -n 3 "$tap_dir/said"
    [ "$killed" -gt 2 ] && { [ "$code" = 0 ] || [ "$code" = 4 ]; }
}

the_unbroken_one_ends()
{
    migrate whole run ../legacy
    code=$?
    [ "$code" = 0 ] || [ "$code" = 4 ]
}

both_hold_the_same()
{
    dump whole >"$tap_dir/whole.dump"
    dump killed >"$tap_dir/killed.dump"
    [ "$(wc -l <"$tap_dir/whole.dump")" -gt "$lines" ] && cmp "$tap_dir/whole.dump" "$tap_dir/killed.dump"
}

it_is_proven()
{
    migrate killed verify
}

make_legacy
mkdir -p "$tap_dir/killed"
echo "# the seed is ${TEST_SEED:-1}"
check "a migration that is killed $kills times comes to its end" the_killed_one_ends
check "one that is not killed does too" the_unbroken_one_ends
check "both have left the same" both_hold_the_same
check "verify finds nothing wrong" it_is_proven
echo "# $(cat "$tap_dir/kills")"
finish
