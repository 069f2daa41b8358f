#!/bin/sh
# gavatctl by the contract of its page: words, options, forms, exit codes, and the commands of the events area.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"
uid='^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'

# Help and version
run
check "without words it prints help" 'code_is 0 && out_has "Usage: gavatctl" && silent err'
run --help
check "--help lists the groups" 'code_is 0 && out_has "events" && out_has "doctor" && out_has "Exit codes"'
groups_help() {
    for group in init doctor events textlog sales messages sessions schema bench config completion; do
        "$GAVATCTL" "$group" --help 2>err </dev/null | grep -q "^Usage: gavatctl $group" || return 1
    done
}
check "every group has help" groups_help
commands_help() {
    for command in 'events log' 'events import' 'events list' 'events search' 'events stats' 'events export' \
        'events prune' 'textlog tail' 'textlog search' 'textlog stats' 'sales log' 'sales list' 'sales status' \
        'sales stats' 'messages log' 'messages list' 'messages stats' 'sessions set' 'sessions get' 'sessions list' \
        'sessions close' 'sessions expire' 'schema status' 'schema upgrade' 'schema sql' 'config show' \
        'config check'; do
        # shellcheck disable=SC2086
        "$GAVATCTL" $command -h >out 2>err </dev/null || return 1
        grep -q "^Usage: gavatctl $command" out && grep -q '^Examples:' out || return 1
    done
}
check "every command has help with examples" commands_help
run help events list
cp out helped
run events list --help
check "help GROUP COMMAND is GROUP COMMAND --help" 'code_is 0 && cmp -s out helped'
run events log --help
check "--help needs no arguments" 'code_is 0 && out_has "MESSAGE"'
run help nonsense
check "help of what is not there is an error" 'code_is 2 && silent out'
run --version
check "--version" 'code_is 0 && out_like "^gavatctl [0-9]+\.[0-9]+\.[0-9]+"'
run events list -V
check "-V on every level" 'code_is 0 && out_like "^gavatctl [0-9]"'

# Wrong usage
run evnts list
check "an unknown group is refused with a suggestion" \
    'code_is 2 && silent out && err_has "did you mean \"gavatctl events\"?"'
run events lsit
check "an unknown command is refused with a suggestion" 'code_is 2 && err_has "did you mean \"gavatctl events list\"?"'
run list events
check "words in the wrong order are put right" 'code_is 2 && err_has "gavatctl events list"'
run events list --limt 3
check "an unknown option is refused with a suggestion" 'code_is 2 && err_has "did you mean \"--limit\"?"'
run sales list --level INFO
check "an option of another command is refused" 'code_is 2 && err_has "--level"'
run events list -z
check "an unknown letter is refused" 'code_is 2 && err_has "\"-z\""'
run events log 42
check "a missing argument is named" 'code_is 2 && err_has "TYPE is missing" && err_has "gavatctl events log --help"'
run sessions get 42 43
check "an argument too many is named" 'code_is 2 && err_has "\"43\""'
run events list --limit
check "a missing value is named" 'code_is 2 && err_has "--limit needs N"'
bad_integers() {
    for value in 0 -1 x 1e3 '' ' 5' 5x 99999999999999999999; do
        run events list --limit="$value"
        code_is 2 && silent out || return 1
    done
}
check "integers are read strictly" bad_integers
bad_times() {
    for value in yesterday 2026-13-01 2026-02-30 2026-01-01T25:00:00Z 2026-01-01T00:00:00+3 5 1969-12-31 ''; do
        run events list --since "$value"
        code_is 2 || return 1
    done
}
check "times are read strictly" bad_times
run events list --timeout soon
check "durations are read strictly" 'code_is 2 && err_has "a duration such as"'
run events list -o xml
check "an unknown format is refused" 'code_is 2 && err_has "table, json, jsonl, csv"'
run events list --all=yes
check "a flag takes no value" 'code_is 2 && err_has "takes no value"'
run events list --since 1h --until 2h
check "since must lie before until" 'code_is 2'
run events prune
check "a required option is named" 'code_is 2 && err_has "--before"'
feed 'x' events log - -
check "stdin can be read only once" 'code_is 2'
run events lsit
check "a usage error is two lines" '[ "$(wc -l <err)" -eq 2 ]'

# Stores
run init
check "init makes the stores, and says so" 'code_is 0 && [ -s data/gavatcore.db ] && [ -d data/profiles ] &&
    out_has "{\"store\":\"events\",\"step\":\"table event_logs\",\"result\":\"done\"}" &&
    out_has "{\"store\":\"profiles\",\"step\":\"folder\",\"result\":\"done\"}" &&
    out_has "{\"store\":\"state\",\"step\":\"table gavat_state\",\"result\":\"done\"}"'
run init
check "init twice is harmless, and says how the stores are" 'code_is 0 && [ "$(grep -c "up to date" out)" -eq 3 ]'
run schema status -o jsonl
check "schema status names the store" 'code_is 0 && out_has "\"store\"" && out_has "events"'
run schema upgrade --dry-run
check "schema upgrade --dry-run" 'code_is 0'
run schema upgrade
check "schema upgrade" 'code_is 0'
run schema sql
check "schema sql prints statements" \
    'code_is 0 && grep -qi "create table" out && out_has event_logs && out_has sale_logs'
run doctor -o jsonl
check "doctor finds nothing wrong" \
    'code_is 0 && out_has "\"check\"" && out_has "\"result\"" && ! out_like "\"result\": ?\"fail\""'
run doctor -o table
check "doctor has a table" 'code_is 0 && out_like "^store +check +result +figure +advice"'

# Events
run events list
check "an empty list prints nothing" 'code_is 0 && silent out && silent err'
run events list -o json
check "an empty list is an empty array" 'code_is 0 && out_is "[]"'
run events list -o table
check "an empty table says so on stderr" 'code_is 0 && silent out && err_has "no records"'
run events list -o csv
check "an empty list has a CSV header" 'code_is 0 && lines_are 1 && out_has "id,uid,user_id"'
run events log 42 login 'signed in' --username ayşe --level WARNING --context '{"n": 9007199254740993}' \
    --at 2026-01-31T09:00:00.5Z
check "log prints the uid alone" 'code_is 0 && lines_are 1 && out_like "'"$uid"'" && silent err'
run events log 42 login -o json
check "log prints a record when asked" 'code_is 0 && out_like "^\{\"uid\":\"[0-9a-f-]{36}\"\}"'
run events list
check "piped output is one object a line" 'code_is 0 && lines_are 2 && [ "$(grep -c "^{.*}$" out)" -eq 2 ]'
run events list --level WARNING
check "every field comes back" 'lines_are 1 && out_like "\"username\": ?\"ayşe\"" && out_has "signed in" &&
    out_has "2026-01-31T09:00:00.500000Z" && out_like "\"event_type\": ?\"login\""'
check "integers keep their digits" 'out_has 9007199254740993'
run events list --level WARNING -o table
check "a table has headers and nested objects as text" \
    'out_like "^timestamp +level +user_id" && out_has "n=9007199254740993"'
feed 'from stdin\n' events log 7 note -
run events list --user 7
check "- reads the message from stdin" 'lines_are 1 && out_like "\"message\": ?\"from stdin\""'
feed '{"from": "stdin"}' events log 7 note second --context - --at 2026-01-01
check "- reads an option from stdin" 'code_is 0'
run events list --user 7 --until 2026-01-02
check "times without zone are UTC" 'lines_are 1 && out_has "2026-01-01T00:00:00.000000Z" && out_has stdin'
run events log 42 x --context 'no json'
check "a context that is no JSON is refused" 'code_is 2 && silent out'
run events log 42 x --uid nonsense
check "a uid that is none is refused" 'code_is 2 && silent out'
same=01890a5d-ac96-774b-bcce-b302099a8057
run events log 8 once --uid $same
run events log 8 once --uid $same
check "log prints the given uid" 'code_is 0 && out_is "$same"'
run events list --user 8
check "the same uid is stored once" 'lines_are 1'
i=0
while [ $i -lt 5 ]; do
    i=$((i + 1))
    run events log 9 step "step $i" --at "2026-02-01 10:0$i"
done
run --limit 2 events --user 9 list
check "options may stand before the words; newest come first" 'code_is 0 && lines_are 2 &&
    [ "$(sed -n 1p out | grep -c "step 5")" -eq 1 ] && [ "$(sed -n 2p out | grep -c "step 4")" -eq 1 ]'
run events list --user=9 --since '2026-02-01 10:02' --until '2026-02-01 10:04:00'
check "since counts, until does not" 'lines_are 2 && out_has "step 3" && out_has "step 2"'
run events log 10 ödeme 'ÖDEME başarısız 100%_'
run events search 'odeme BAŞARISIZ'
check "search folds letters" 'code_is 0 && lines_are 1'
run events search '100%_'
check "search takes the keyword literally" 'lines_are 1'
run events search '%'
check "a percent sign is no wildcard" 'lines_are 1'
run events stats -o json
check "stats is one object" 'code_is 0 && out_like "\"total\": ?[0-9]+" && [ "$(head -c 1 out)" = "{" ]'
run events stats --by type --user 9
check "stats by type" 'code_is 0 && lines_are 1 && out_like "\"event_type\": ?\"step\"" && out_like "\"count\": ?5"'
run events stats --by week
check "stats by something else is refused" 'code_is 2'

# Forms
run events log 11 csv 'say "hi", then
go' --at 2026-03-01
run events list --user 11 -o csv
check "CSV quotes as RFC 4180 says" 'lines_are 3 && out_has "\"say \"\"hi\"\", then"'
feed 'red \033[31m bell \007 end' events log 12 control -
run events list --user 12 -o table
check "control bytes are escaped in tables" \
    'code_is 0 && lines_are 2 && out_has "\\x1b[31m" && ! grep -q "$(printf "\033")" out'
run events list --user 9 -o json
if has python3; then
    check "json is one valid array" 'python3 -c "import json, sys; sys.exit(len(json.load(open(\"out\"))) != 5)"'
    run events list --user 11 -o csv
    check "another program reads the CSV" 'python3 -c "
import csv
rows = list(csv.DictReader(open(\"out\", newline=\"\")))
assert len(rows) == 1 and rows[0][\"message\"] == \"say \\\"hi\\\", then\\ngo\" and rows[0][\"user_id\"] == \"11\""'
    run events log 13 İĞÜŞÖÇ 'a' --context '{"end": 1}'
    run events log 13 😀 'b' --context '{"end": 2}'
    run events log 13 é 'c' --context '{"end": 3}'
    run events log 13 👨‍👩‍👧 'd' --context '{"end": 4}'
    run events list --user 13 -o table
    cat >columns.py <<'P'
import unicodedata
places = set()
for line in open("out", encoding="utf-8").read().split("\n")[1:-1]:
    cells, before, joined = 0, line[: line.index("end=")], False
    for c in before:
        if c == "\u200d":
            joined = True
        elif not unicodedata.combining(c):
            wide = 2 if unicodedata.east_asian_width(c) in "WF" else 1
            cells += 0 if joined else wide
            joined = False
    places.add(cells)
assert len(places) == 1, places
P
    check "Turkish letters, emoji and marks line up" 'lines_are 5 && python3 columns.py'
else
    skip "json is one valid array" "no python3"
    skip "another program reads the CSV" "no python3"
    skip "Turkish letters, emoji and marks line up" "no python3"
fi

# Import and export
cat >good.jsonl <<'P'
{"uid": "01890a5d-ac96-774b-8cce-b302099a8001", "user_id": "20", "event_type": "a", "timestamp": "2026-04-01T00:00:00Z"}
{"uid": "01890a5d-ac96-774b-8cce-b302099a8002", "user_id": "20", "event_type": "b", "timestamp": "2026-04-01T00:00:01Z"}
P
run events import good.jsonl
check "import stores and sums up" \
    'code_is 0 && silent out && err_has "imported 2 events" && [ ! -e good.jsonl.rejects.jsonl ]'
run -q events import good.jsonl
check "-q imports without a word" 'code_is 0 && silent out && silent err'
run events list --user 20
check "an import twice is stored once" 'lines_are 2'
printf '\357\273\277{"user_id": "21", "event_type": "a"}\r\n\nnot json\n{"event_type": "no user"}\n' >bad.jsonl
printf '[1]\n{"user_id": "21", "event_type": "z"}' >>bad.jsonl
run events import bad.jsonl
check "bad lines do not stop an import" 'code_is 4 && err_has "bad.jsonl.rejects.jsonl" && err_has "rejected 3"'
check "rejects have line, reason and record" '[ "$(wc -l <bad.jsonl.rejects.jsonl)" -eq 3 ] &&
    grep -q "^{\"line\":3,\"reason\":\".*\",\"record\":\"not json\"}$" bad.jsonl.rejects.jsonl &&
    grep -q "^{\"line\":4,.*\"record\":{\"event_type\": \"no user\"}}$" bad.jsonl.rejects.jsonl'
run events list --user 21
check "the good lines landed, the one without a newline too" 'lines_are 2'
feed 'oops\n{"user_id": "22", "event_type": "a"}\n' events import -
check "stdin has its rejects beside it" 'code_is 4 && [ "$(wc -l <import.rejects.jsonl)" -eq 1 ]'
run events import bad.jsonl --rejects elsewhere.jsonl -o json
check "--rejects FILE, and a record of the summary" 'code_is 4 && [ -s elsewhere.jsonl ] && out_like "\"rejected\": ?3"'
{ head -c 5000000 /dev/zero | tr '\0' x; echo; echo '{"user_id": "23", "event_type": "after"}'; } >long.jsonl
run events import long.jsonl
check "an over-long line is rejected alone" \
    'code_is 4 && [ "$(wc -l <long.jsonl.rejects.jsonl)" -eq 1 ] && err_has "imported 1 event"'
run events import missing.jsonl
check "a missing file is named" 'code_is 1 && err_has "missing.jsonl"'
run events export all.jsonl
check "export writes a file and sums up" \
    'code_is 0 && silent out && err_has "exported" && [ -s all.jsonl ] && [ ! -e all.jsonl.part ]'
"$GAVATCTL" -q events export - 2>err | "$GAVATCTL" --events sqlite:///copy.db -q events import - >out 2>>err
code=$?
check "an export can be imported elsewhere" 'code_is 0 && silent out && silent err'
run --events sqlite:///copy.db events export -
check "and is the same there" \
    'code_is 0 && [ "$(sed "s/\"id\": *[0-9]*//" out)" = "$(sed "s/\"id\": *[0-9]*//" all.jsonl)" ]'
run events export - -o csv --user 20
check "export as CSV" 'code_is 0 && lines_are 3 && out_has "id,uid,user_id"'
run events export x -o table
check "a table cannot be exported" 'code_is 2 && [ ! -e x ]'
run events export no/such/folder/x
check "a folder that is not there is told" 'code_is 1 && err_has "no/such/folder/x"'

i=0
while [ $i -lt 2500 ]; do
    i=$((i + 1))
    echo '{"user_id": "24", "event_type": "page", "message": "'$i'"}'
done >many.jsonl
run -q events import many.jsonl
run events list --user 24 --all
check "--all goes on over the pages, each record once" 'lines_are 2500 && [ "$(sort -u out | wc -l)" -eq 2500 ]'
run events list --user 24 --limit 1200 -o json
check "--limit goes over pages too" '[ "$(grep -c "\"page\"" out)" -eq 1200 ]'

# Destructive
run events prune --before 2026-02-15
check "prune refuses without a terminal and --yes" 'code_is 2 && err_has "--yes"'
run events list --user 9
check "and deletes nothing" 'lines_are 5'
run events prune --before 2026-02-15 --dry-run -o json
check "prune --dry-run counts" 'code_is 0 && out_like "\"would_delete\": ?[1-9]"'
run events prune --before 2026-02-15 --yes
check "prune --yes deletes" 'code_is 0 && err_has "deleted"'
run events list --user 9
check "what is older is gone" 'silent out'
run events list --user 20
check "what is newer stays" 'lines_are 2'

# Text log
run textlog tail 42
check "a text log that is not set up is a wrong setting" 'code_is 2 && err_has GAVAT_TEXT_LOG_DIR'
GAVAT_TEXT_LOG_DIR=logs GAVAT_TIME_ZONE=UTC
export GAVAT_TEXT_LOG_DIR GAVAT_TIME_ZONE
run events log 30 note 'birinci satır'
run events log 30 note 'İKİNCİ satır' --level ERROR
run textlog tail 30 -n 1
check "textlog tail" 'code_is 0 && lines_are 1 && out_has "İKİNCİ"'
run textlog search 30 ikinci
check "textlog search folds" 'code_is 0 && lines_are 1 && out_like "\"level\": ?\"ERROR\""'
run textlog stats 30 -o json
check "textlog stats" 'code_is 0 && out_like "\"lines\": ?2" && out_has "by_level"'
unset GAVAT_TEXT_LOG_DIR GAVAT_TIME_ZONE

# Sales
run sales log 42 vip 149.90 --bot shop --notes 'ilk' --currency TRY
check "sales log prints the uid" 'code_is 0 && out_like "'"$uid"'"'
sale=$(cat out)
run sales log 42 vip 0.10
run sales log 42 coin 0.20 --currency EUR
run sales log 42 vip 12,50
check "an amount with a comma is refused" 'code_is 2 && silent out'
run sales list --status pending
check "sales list" 'code_is 0 && lines_are 3 && out_like "\"amount\": ?149\.90?[,}]"'
run sales status "$sale" completed --notes ödendi
check "sales status" 'code_is 0 && silent out'
run sales status "$sale" pending
check "a step that is not allowed is told" 'code_is 1 && err_has "hint:"'
run sales status "$sale" paid
check "an unknown status is refused" 'code_is 2 && err_has "pending, completed, failed, refunded"'
run sales status 999999 completed
check "a sale that is not there" 'code_is 1 && err_has "gavatctl sales list"'
run sales stats
check "sums are exact, by currency" 'code_is 0 && lines_are 2 && out_like "\"amount\": ?\"?150(\.00?)?\"?[,}]"'

# Messages
run messages log shop dm --target-type user --target 42 --content 'selam' --response-ms 120
check "messages log prints the uid" 'code_is 0 && out_like "'"$uid"'"'
run messages log shop dm --target 42 --failed 'blocked'
run messages list --result failed
check "messages list" 'code_is 0 && lines_are 1 && out_has blocked && out_like "\"success\": ?false"'
run messages stats --bot shop --since 24h -o json
check "messages stats" 'code_is 0 && out_like "\"total\": ?2" && out_like "\"failed\": ?1" && out_has response_time_p95'

# Sessions
run sessions set 42 --bot-type vip --extra '{"lang": "tr"}'
check "sessions set" 'code_is 0 && silent out'
run sessions set 42 --extra '{"seen": 1}'
run sessions get 42 -o json
check "extra data is merged" \
    'code_is 0 && out_like "\"lang\": ?\"tr\"" && out_like "\"seen\": ?1" && [ "$(head -c 1 out)" = "{" ]'
run sessions get nobody
check "a session that is not there" 'code_is 1 && silent out && err_has "hint:"'
run sessions list --active --bot-type vip
check "sessions list" 'code_is 0 && lines_are 1'
run sessions close 42
check "sessions close" 'code_is 0 && silent out'
run sessions list --active
check "a closed session is not active" 'code_is 0 && silent out'
run sessions list --active=no
check "--active=no lists the others" 'code_is 0 && lines_are 1'
run sessions list --active=maybe
check "a switch takes yes or no" 'code_is 2 && err_has "--active takes yes or no, not \"maybe\""'
run sessions close nobody
check "closing a session that is not there" 'code_is 1'
run sessions expire --idle 30d -o json
check "sessions expire counts" 'code_is 0 && out_like "\"expired\": ?0"'

# Settings
printf 'GAVAT_TIMEOUT=7s\nOTHER_NAME=hush-hush\n' >config_db.env
run config show -o csv
check "settings from ./config_db.env, with file and line" \
    'code_is 0 && out_like "^GAVAT_TIMEOUT,7s,.*config_db.env:1,10s"'
GAVAT_TIMEOUT=8s "$GAVATCTL" config show -o csv >out 2>err
code=$?
check "the environment beats the file" 'out_like "^GAVAT_TIMEOUT,8s,environment"'
GAVAT_TIMEOUT=8s "$GAVATCTL" config show -o csv --timeout 9s >out 2>err
code=$?
check "an option beats the environment" 'out_like "^GAVAT_TIMEOUT,9(s|000ms),option --timeout"'
run config show -o csv
check "a default is called one" 'out_like "^POSTGRES_URL,sqlite:///./data/gavatcore.db,default"'
run config check
check "check lists names that are not ours, without their values" \
    'code_is 0 && out_like "OTHER_NAME.*ignored" && ! out_has hush'
echo 'GAVAT_TIMEOUT=6s' >other.env
run config show -c other.env -o csv
check "-c FILE replaces it" 'out_like "^GAVAT_TIMEOUT,6s,.*other.env:1"'
rm config_db.env
mkdir -p xdg/gavatcore && echo 'GAVAT_TIMEOUT=5s' >xdg/gavatcore/config.env
run config show -o csv
check "then XDG_CONFIG_HOME counts" 'out_like "^GAVAT_TIMEOUT,5s,"'
rm -r xdg
run config show -c none.env
check "a settings file that is not there is an error" 'code_is 2 && err_has none.env'
GAVAT_TIMOUT=1s "$GAVATCTL" events list >out 2>err
code=$?
check "an unknown GAVAT_ name is an error" 'code_is 2 && err_has GAVAT_TIMOUT && silent out'
run events list --events 'nonsense://u:hunter2@h/x'
check "a bad URL is refused and keeps its password" 'code_is 2 && ! err_has hunter2'
POSTGRES_URL='postgresql://u:hunter2@localhost/x' "$GAVATCTL" config show >out 2>err
code=$?
check "a password is never shown" '! out_has hunter2 && ! err_has hunter2'

: >plain
run events list --events sqlite:///plain/x.db
check "a store out of reach" 'code_is 3 && silent out && err_has "gavatctl doctor"'

# Ends of all kinds
{ "$GAVATCTL" events list --all 2>err; echo $? >status; } | head -n 1 >out
check "a reader that goes away is no error" 'lines_are 1 && silent err && [ "$(cat status)" -eq 0 ]'
"$GAVATCTL" events list 2>err >&-
code=$?
check "a closed stdout ends quietly" 'code_is 0 && silent err'
if [ -e /dev/full ]; then
    "$GAVATCTL" events list >/dev/full 2>err
    code=$?
    check "a full disk is told" 'code_is 1 && err_has "cannot write"'
else
    skip "a full disk is told" "no /dev/full"
fi
mkfifo pipe
sleep 20 >pipe &
holder=$!
"$GAVATCTL" events import - <pipe >out 2>err &
import=$!
sleep 1
kill -INT $import
wait $import
code=$?
kill $holder 2>/dev/null
check "Ctrl-C ends an import with 130" 'code_is 130 && err_has "stopped"'
if has script; then
    script -qec "'$GAVATCTL' events list --user 20" /dev/null >out 2>err </dev/null
    check "a terminal gets a table with a bold header" 'out_has "timestamp" && grep -q "$(printf "\033\\[1m")" out'
    NO_COLOR=1 script -qec "'$GAVATCTL' events list --user 20" /dev/null >out 2>err </dev/null
    check "NO_COLOR is heard" 'out_has "timestamp" && ! grep -q "$(printf "\033\\[1m")" out'
    script -qec "stty cols 60; '$GAVATCTL' events list --user 12" /dev/null >out 2>err </dev/null
    check "long cells are cut to the terminal" 'out_has "…"'
    printf 'n\n' | script -qec "'$GAVATCTL' events prune --before 1s; echo code \$?" /dev/null >out 2>err
    check "on a terminal prune asks, and no is no" 'out_has "[y/N]" && out_has "code 1"'
else
    for name in "a terminal gets a table" "NO_COLOR is heard" "long cells are cut" "on a terminal prune asks"; do
        skip "$name" "no script(1)"
    done
fi

# Completion and load
run completion bash
cp out bash.sh
if has bash; then
    check "the bash script parses" 'code_is 0 && bash -n bash.sh'
    bash -c 'source ./bash.sh
COMP_WORDS=(gavatctl -o json events stats --by "") COMP_CWORD=6; _gavatctl; echo "${COMPREPLY[*]}"
COMP_WORDS=(gavatctl sales st) COMP_CWORD=2; _gavatctl; echo "${COMPREPLY[*]}"
COMP_WORDS=(gavatctl ses) COMP_CWORD=1; _gavatctl; echo "${COMPREPLY[*]}"' >out 2>err
    check "bash completes values, commands and groups" 'out_is "type level user hour day
status stats
sessions"'
else
    skip "the bash script parses" "no bash"
    skip "bash completes values, commands and groups" "no bash"
fi
run completion zsh
cp out zsh.sh
if has zsh; then
    check "the zsh script parses" 'code_is 0 && zsh -n zsh.sh'
else
    check "the zsh script is there" 'code_is 0 && out_has "#compdef gavatctl"'
fi
run completion fish
cp out fish.sh
if has fish; then
    check "the fish script parses" 'code_is 0 && fish --no-execute fish.sh'
else
    check "the fish script is there" 'code_is 0 && out_has "complete -c gavatctl"'
fi
run completion tcsh
check "another shell is refused" 'code_is 2 && err_has "bash, zsh, fish"'
run bench --ops 10
check "bench refuses without a terminal and --yes" 'code_is 2 && err_has "--yes"'
run bench --ops 200 --concurrency 8 --yes -q -o json
check "bench measures" 'code_is 0 && out_like "\"ops\": ?200" && out_has p99_ms && silent err'
run bench --ops 50 --read -q
check "bench --read needs no --yes" 'code_is 0 && out_like "\"mode\": ?\"read\""'

finish
