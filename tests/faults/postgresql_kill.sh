#!/bin/sh
# The server is killed and started again while records are being written: each acknowledged one is there, none is there twice.
#     postgresql_kill.sh LOAD
set -u
load=$(realpath "$1")
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
. tests/harness/postgresql.sh
rounds=5
[ "${TEST_SCALE-}" != full ] || rounds=50

ask()
{
    PGPASSWORD=$password "$programs/psql" -qAt -h 127.0.0.1 -p "$port" -U gavat -d postgres "$@" </dev/null
}

# Killed outright, so that its children are left to find it out; the next one starts when they have gone.
kill_and_start()
{
    kill -KILL "$postgresql_pid"
    wait "$postgresql_pid" 2>/dev/null
    tries=0
    until launch_postgresql || [ $((tries += 1)) -gt 50 ]; do
        sleep 0.1
    done
}

run_rounds()
{
    "$load" "$postgresql_url" "$tap_dir/ledger" "$tap_dir/stop" >"$tap_dir/said" 2>&1 &
    writer=$!
    for round in $(seq "$rounds"); do
        sleep "0.$((round * 37 % 90 + 10))"
        kill_and_start
        [ -n "$postgresql_pid" ] || break
    done
    sleep 0.5
    touch "$tap_dir/stop"
    wait "$writer"
    code=$?
}

writer_ends_well()
{
    cat "$tap_dir/said"
    [ "$code" = 0 ] && [ -s "$tap_dir/ledger" ]
}

# What is stored and what was acknowledged, as sorted lines of kind and uid, are the same, no line twice.
ledger_is_what_is_stored()
{
    ask -c "SELECT 'e ' || uid FROM event_logs UNION ALL SELECT 's ' || uid FROM sale_logs UNION ALL SELECT 'm ' || uid FROM message_records" |
        LC_ALL=C sort >"$tap_dir/stored"
    LC_ALL=C sort "$tap_dir/ledger" >"$tap_dir/acknowledged"
    [ -z "$(uniq -d "$tap_dir/stored")" ] && cmp "$tap_dir/stored" "$tap_dir/acknowledged"
}

if [ ! -x "$load" ] || ! trap 'stop_postgresql; rm -rf "$tap_dir"' EXIT || ! start_postgresql; then
    skip "the server is killed $rounds times under load" "there is no PostgreSQL server here"
    finish
fi
postgresql_url=$(echo "$postgresql_url" | sed 's/?.*//')
start=$(date +%s)
run_rounds
check "the writer outlives a server that is killed $rounds times" writer_ends_well
check "each acknowledged record is there once, none twice" ledger_is_what_is_stored
echo "# $(cat "$tap_dir/said"), $(($(date +%s) - start)) s"
finish
