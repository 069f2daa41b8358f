#!/bin/sh
# gavatctl export and import: what one writes the other takes, and the next export is byte for byte the same.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"

# The copies: on the server where there is one, else in a file.
copy=sqlite:///copy.db schema=cli_$$ server=
for url in ${TEST_EVENTS_URLS:-}; do
    case $url in
    *"#"*) ;;
    postgresql:*) server=$(echo "$url" | sed "s/{name}/$schema/") ;;
    esac
done
if [ -n "$server" ] && has psql && psql -q "$server" -c "CREATE SCHEMA $schema" >/dev/null 2>&1; then
    copy=$server
    trap 'psql -q "$server" -c "DROP SCHEMA $schema CASCADE" >/dev/null 2>&1; rm -rf "$home"' EXIT
fi

# Records of every form
awkward='a "quoted", comma and\na second line\twith ş and 💎 '
run events log 42 login 'plain' --at 2026-01-01T00:00:01Z
run events log 42 note "$(printf '%b' "$awkward")" --context '{"a": [1, {"b": null}], "n": 1.50}' --level ERROR --at 2026-01-01T00:00:01Z
run events log 43 note "$(printf 'ends with CR\r')" --username '' --at 2026-01-01T00:00:02Z
run events log 7 leer --at 2026-01-01T00:00:03Z
uid=$("$GAVATCTL" sales log 42 vip 149.90 --product 'Aylık, "üyelik"' --notes "$(printf 'x\r\ny')" --at 2026-01-01T00:00:01Z)
run sales status "$uid" completed
run sales log 43 vip 0.10 --at 2026-01-01T00:00:01Z
run messages log bot dm --target 42 --content "$(printf '%b' "$awkward")" --response-ms 120 --at 2026-01-01T00:00:01Z
run messages log bot dm --failed 'no answer' --extra '{"x": 1}' --at 2026-01-01T00:00:01Z
for user in 1 2 3; do
    run sessions set $user --bot-type b --extra "{\"n\": $user}"
done
run sessions close 2
if has sqlite3; then
    sqlite3 data/gavatcore.db "INSERT INTO event_logs (user_id, event_type, message) VALUES ('9', 'old', 'no uid'), ('9', 'old', 'no uid');
        UPDATE event_logs SET timestamp = '2026-01-01 00:00:02' WHERE user_id = '9';
        UPDATE user_sessions SET last_activity = '2026-01-01 00:00:05.000000'"
fi
run profiles put a '{"type": "bot", "created_at": "2026-01-01T00:00:00", "deep": {"z": [1.0, 2e5]}, "ş": "💎"}'
run profiles put 'b c' '{"n": 1234567890123456789}'

for kind in events sales messages sessions; do
    run export $kind $kind.jsonl
    check "$kind go into a file" 'code_is 0 && silent out && err_has "exported" && [ -s $kind.jsonl ] && ! grep -q "\"id\":" $kind.jsonl'
    run --events "$copy" import $kind $kind.jsonl
    check "and are taken elsewhere" 'code_is 0 && err_has "imported" && [ ! -e $kind.jsonl.rejects.jsonl ]'
    run -q --events "$copy" export $kind -
    check "exported there they are the same, byte for byte" 'code_is 0 && cmp -s out $kind.jsonl'
    run -q --events "$copy" import $kind $kind.jsonl
    run -q --events "$copy" export $kind -
    check "also after a second import" 'cmp -s out $kind.jsonl'
    run -q export $kind $kind.csv
    check "$kind go into CSV by the name of the file" 'code_is 0 && [ "$(head -c 3 $kind.csv)" != "{\"u" ] && [ "$(wc -l <$kind.csv)" -ge 3 ]'
    run -q --events sqlite:///csv.db import $kind $kind.csv
    check "CSV is taken" 'code_is 0 && silent err'
    run -q --events sqlite:///csv.db export $kind - -o csv
    check "and comes out the same" 'cmp -s out $kind.csv'
done
run -q export profiles profiles.jsonl
check "profiles go into a file, without what a store gives anew" 'code_is 0 && ! grep -q "revision\|updated_at" profiles.jsonl && [ "$(wc -l <profiles.jsonl)" = 2 ]'
run -q --profiles file://./copied import profiles profiles.jsonl
run -q --profiles file://./copied export profiles -
check "and are the same elsewhere" 'code_is 0 && cmp -s out profiles.jsonl'
run state set 42 name "$(printf '%b' "$awkward")"
run state set 42 soon value --expire 1h
run state set --global all '{"a": 1}'
run cooldown set 42 dm 5m
run counter add 42 hits 7 --expire 1d
for i in 1 2 3; do
    run list push 42 recent "item $i"
done
run limit try 42 send --rate 3/1h
run dm apply bot 42 user_responded
run -q export state state.jsonl
check "all that the state area keeps goes into a file" 'code_is 0 && [ "$(wc -l <state.jsonl)" -ge 8 ] && grep -q "\"key\":\"cooldown:dm\"" state.jsonl &&
    grep -q "\"key\":\"list:recent\",\"value\":\"\[" state.jsonl'
run -q --state sqlite:///state2.db import state state.jsonl
check "and is taken" 'code_is 0 && silent err'
run -q --state sqlite:///state2.db export state -
check "to the microsecond of its expiries" 'code_is 0 && cmp -s out state.jsonl'
run --state sqlite:///state2.db list push 42 recent 'item 4'
run --state sqlite:///state2.db list range 42 recent
check "a list goes on as a list" 'lines_are 4 && head -n 1 out | grep -q "item 4" && tail -n 1 out | grep -q "item 1"'
run -q --state sqlite:///state2.db import state state.jsonl
run -q --state sqlite:///state2.db export state -
check "an import puts all back as it was" 'cmp -s out state.jsonl'
run -q --state memory: import state state.jsonl
check "also into memory" 'code_is 0'
feed '{"user":"1","key":"gone","value":"x","expires_at":"2020-01-01T00:00:00Z"}\n{"key":"list:l","value":"x"}\n{"user":"","key":"k","value":"v"}\n{"user":"1","key":"k"}\n{"user":"1","key":"left","value":"v","expire_ms":60000}\n' --state sqlite:///state3.db import state -
check "what is no key is rejected, what has expired is not there" 'code_is 4 && err_has "rejected 3"'
run --state sqlite:///state3.db state list 1
check "what is left to live counts too" 'lines_are 1 && out_has left'

"$GAVATCTL" -q export events - | "$GAVATCTL" -q --events sqlite:///piped.db import events - >out 2>err
"$GAVATCTL" -q --events sqlite:///piped.db export events - >out 2>err
check "through a pipe" 'cmp -s out events.jsonl'

# Faults
run export profiles p.csv
check "profiles are no CSV" 'code_is 2 && err_has "not flat"'
run import profiles p.csv
check "nor taken from it" 'code_is 2 && err_has "not flat"'
run export events x -o table
check "a table is no export" 'code_is 2 && [ ! -e x ]'
run export nothing x
check "a kind that there is not" 'code_is 2 && err_has "events"'
run import events missing.jsonl
check "a file that is not there" 'code_is 1 && err_has "missing.jsonl"'
printf 'user_id,event_type,timestamp\n1,a,2026-01-01T00:00:00Z\n2,b\n3,"c\n"x,2026-01-01T00:00:00Z\n4,d,yesterday\n"5","e",2026-01-01T00:00:00Z\r\n' >bad.csv
run --events sqlite:///bad.db import events bad.csv
check "bad lines of CSV are rejected by number, the others stored" 'code_is 4 && err_has "imported 2 events" && err_has "rejected 3" &&
    grep -q "\"line\":3,\"reason\":\"it has fewer" bad.csv.rejects.jsonl && grep -q "\"line\":4,\"reason\":\"text stands behind" bad.csv.rejects.jsonl &&
    grep -q "\"line\":6,\"reason\":\"timestamp" bad.csv.rejects.jsonl'
run --profiles file:///dev/null/x export events -
check "a store that is not asked for need not be there" 'code_is 0'

# In constant memory: far more than the program may have
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "{\"user_id\":\"u%d\",\"event_type\":\"t\",\"message\":\"%01000d\",\"timestamp\":\"2026-01-02T%02d:%02d:%02d.%06dZ\"}\n",
    i % 100, i, i / 3600 % 24, i / 60 % 60, i % 60, i }' >large.jsonl
# A build with a sanitizer wants all the addresses there are.
# shellcheck disable=SC3045
if (ulimit -v 700000 && exec "$GAVATCTL" --version) >/dev/null 2>&1; then
    (
        # shellcheck disable=SC3045
        ulimit -v 700000
        "$GAVATCTL" -q --events sqlite:///large.db import events large.jsonl && "$GAVATCTL" -q --events sqlite:///large.db export events large.out
    ) >out 2>err </dev/null
    code=$?
    check "60 MB pass in constant memory" 'code_is 0 && [ "$(wc -l <large.out)" = 60000 ]'
else
    skip "60 MB pass in constant memory" "this build does not start within 700 MB of addresses"
fi
finish
