#!/bin/sh
# gavatctl's commands of the state area: state, cooldown, counter, list, limit, on the store of SQLite, where what one call did
# is there for the next.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"

# comes_true COMMAND…: what time brings; waited for, 10 s at most.
comes_true() {
    tries=0
    while ! "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

# Help
commands='state set|state get|state delete|state list|state clear|cooldown set|cooldown check|cooldown try|cooldown clear
counter add|counter get|counter reset|list push|list range|limit try'
commands_help() {
    echo "$commands" | tr '|' '\n' >names
    while read -r group command; do
        "$GAVATCTL" "$group" "$command" -h >out 2>err </dev/null || return 1
        grep -q "^Usage: gavatctl $group $command USER|--global" out && grep -q '^Examples:' out || return 1
    done <names
    [ "$(wc -l <names)" -eq 15 ]
}
check "every command has help with examples" commands_help
run --help
check "the help names the groups" 'code_is 0 && out_like "^  cooldown " && out_like "^  counter " && out_like "^  limit "'
run help --man
check "the manual page has them" 'out_like "SS .limit." && out_has "gavatctl list range" && out_like "USER.*global"'
run completion bash
check "completion has them" 'out_has "cooldown" && out_has "--if-absent"'

# Keys
run state set 42 lang tr
check "state set prints nothing" 'code_is 0 && silent out && err_has "state lang of 42: set"'
check "and makes the store" '[ -s data/state.db ]'
run state get 42 lang
check "another call finds it" 'code_is 0 && out_is tr && silent err'
run state get 42 lang -o json
check "-o json gives the record" \
    'code_is 0 && out_like "\"user\": ?\"42\"" && out_like "\"key\": ?\"lang\"" && out_like "\"value\": ?\"tr\"" && out_like "\"expire_ms\": ?0"'
run state get 42 lang -o csv
check "-o csv too" 'code_is 0 && out_is "user,key,value,expire_ms
42,lang,tr,0"'
run -q state set 42 lang en
check "-q says nothing" 'code_is 0 && silent out && silent err'
run state get 42 lang
check "set replaces" 'out_is en'
value='{"adım": 2, "big": 9007199254740993, "x": 1.0}'
run state set 42 menu "$value" --expire 1h
run state get 42 menu
check "a value is kept as it is, JSON too" 'out_is "$value"'
run state get 42 menu -o jsonl
check "how long it lives is told" 'out_like "\"expire_ms\": ?35[0-9]{5}[,}]"'
feed 'iki\nsatır\n' state set 42 text -
run state get 42 text
check "- reads the value from stdin" 'out_is "iki
satır"'
run state set 42 empty ''
check "an empty value is one" 'code_is 0'
run state get 42 empty
check "and comes back" 'code_is 0 && lines_are 1 && [ "$(wc -c <out)" -eq 1 ]'
run state set 42 minus -5
run state get 42 minus
check "a negative number is a value" 'out_is -5'
run state set 42 dashes -- --x
run state get 42 dashes
check "after -- anything is" 'out_is "--x"'
run state get 42 nothing
check "a key that is not there" 'code_is 1 && silent out && err_has "\"gavatctl state list USER\" shows"'
run state get 4 lang
check "of another user neither, though his id begins alike" 'code_is 1 && silent out'
run state set 42 short x --expire 200ms
gone() { ! "$GAVATCTL" state get 42 short >out 2>err; }
check "what has expired is not there" 'comes_true gone && grep -q "^gavatctl: " err'

# One step only where
run state set 42 lang de --if tr
check "set --if refuses another value" 'code_is 1 && silent out && err_has "\"gavatctl state get USER KEY\" prints"'
run state get 42 lang
check "and changes nothing" 'out_is en'
run state set 42 lang de --if en
check "set --if of what is there" 'code_is 0'
run state get 42 lang
check "stores it" 'out_is de'
run state set 42 lang fr --if-absent
check "set --if-absent refuses what is there" 'code_is 1'
run state set 42 fresh fr --if-absent
check "and makes what is not" 'code_is 0'
run state set 42 lang x --if a --if-absent
check "both at once are refused" 'code_is 2 && err_has "--if-absent"'

# Of nobody
run state set --global paused yes
check "--global stands in place of USER" 'code_is 0 && err_has "global state paused: set"'
run state get paused --global
check "anywhere among the words" 'code_is 0 && out_is yes'
run state get --global paused -o json
check "and the record has no user" 'code_is 0 && out_like "\"user\": ?null"'
run state get paused paused
check "a user of that name is somebody else" 'code_is 1'
run state set --global 42 lang tr
check "USER and --global together are one too many" 'code_is 2 && err_has "\"tr\" is one argument too many" && err_has USER'
run state get --global
check "what is missing then is named" 'code_is 2 && err_has "KEY is missing"'
run state list --global
check "state list --global" 'code_is 0 && lines_are 1 && out_has paused'

# What is refused
run state set 42 a:b c
check "a colon in a key is refused" 'code_is 2 && silent out && err_has "gavatctl state set --help"'
run state set 'dm:bot:7' step 1
check "in a user id it is not" 'code_is 0'
run state set '' key value
check "an empty user id is refused" 'code_is 2'
run state set 42 lang tr --expire soon
check "an expiry is read strictly" 'code_is 2 && err_has "a duration such as"'
run state set 42 lang
check "a missing value is named" 'code_is 2 && err_has "VALUE is missing"'
run state gte 42 lang
check "a wrong command is put right" 'code_is 2 && err_has "gavatctl state get"'

# Cooldowns
run cooldown check 42 dm
check "a cooldown that does not run" 'code_is 0 && out_is 0'
run cooldown try 42 dm 5m
check "cooldown try takes it" 'code_is 0 && silent out && silent err'
run cooldown try 42 dm 5m
check "once" 'code_is 1 && silent out && err_has "cooldown dm of 42: refused (cooldown), free in 300s"'
run -q cooldown try 42 dm 5m
check "-q says it by the exit code alone" 'code_is 1 && silent out && silent err'
run cooldown try 42 dm 5m -o json
check "-o json gives the decision" \
    'code_is 1 && out_like "\"allowed\": ?false" && out_like "\"reason\": ?\"cooldown\"" && out_like "\"retry_after_ms\": ?[1-9]"'
run cooldown check 42 dm
check "cooldown check prints the seconds left" 'code_is 0 && lines_are 1 && out_like "^(299|300)$"'
run cooldown check 42 dm -o json
check "or the milliseconds" 'code_is 0 && out_like "\"remaining_ms\": ?(299|300)[0-9]{3}}"'
run cooldown check 43 dm
check "of this user only" 'out_is 0'
run cooldown set 42 dm 10s
run cooldown check 42 dm
check "cooldown set replaces one that runs" 'out_like "^([89]|10)$"'
run cooldown clear 42 dm
check "cooldown clear ends it" 'code_is 0 && err_has ended'
run cooldown clear 42 dm
check "twice is harmless" 'code_is 0 && err_has "none was running"'
run cooldown set 42 dm 200ms
free() { "$GAVATCTL" -q cooldown try 42 dm 200ms; }
check "it ends by itself" 'comes_true free'
run cooldown set 42 dm 0s
check "no time is no cooldown" 'code_is 2 && err_has "DURATION takes a duration"'
run cooldown set --global broadcast 1h
run cooldown check --global broadcast
check "cooldown --global" 'code_is 0 && out_like "^(3599|3600)$"'

# Counters
run counter get 42 visits
check "a counter that is not there is 0" 'code_is 0 && out_is 0'
run counter add 42 visits
check "counter add prints the new value" 'code_is 0 && out_is 1 && silent err'
run counter add 42 visits 10
check "and adds to what the last call left" 'out_is 11'
run counter add 42 visits -12
check "a negative number is an argument" 'code_is 0 && out_is -1'
run counter get 42 visits -o json
check "counter get -o json" 'code_is 0 && out_like "\"value\": ?-1}"'
run counter add 42 visits 9223372036854775807
run counter add 42 visits 9223372036854775807
check "an overflow is refused" 'code_is 2 && silent out'
run counter add 42 visits 1.5
check "half of one is refused" 'code_is 2 && err_has "N takes a whole number"'
run counter reset 42 visits
check "counter reset prints what it was" 'code_is 0 && out_is 9223372036854775806'
run counter get 42 visits
check "and it is gone" 'out_is 0'
run counter add 42 lang
check "a key that holds no number is another key" 'code_is 0 && out_is 1'
run counter add --global joins 5 --expire 1d
run state list --global
check "a counter expires as it was told" 'out_like "\"key\": ?\"counter:joins\".*\"expire_ms\": ?8[0-9]{7}"'

# Lists
run list range 42 last
check "a list that is not there has no items" 'code_is 0 && silent out'
for item in bir iki üç dört; do
    run list push 42 last $item
done
check "list push prints the length" 'code_is 0 && out_is 4'
items() { sed 's/.*"value": *"\([^"]*\)".*/\1/' out | tr '\n' ' '; }
run list range 42 last
check "list range has the newest first" 'code_is 0 && [ "$(items)" = "dört üç iki bir " ]'
run list range 42 last 0 1
check "places from the newest, both ends count" '[ "$(items)" = "dört üç " ]'
run list range 42 last -2 -1
check "negative places from the oldest" '[ "$(items)" = "iki bir " ]'
run list range 42 last -1
check "START alone goes to the end" '[ "$(items)" = "bir " ]'
run list push 42 last beş --max 3
check "list push --max drops the oldest" 'out_is 3'
run list range 42 last -o csv
check "list range -o csv" 'out_is "value
beş
dört
üç"'
feed '{"a": 1}' list push 42 last - --max 1
run list range 42 last -o json
check "- reads the item from stdin" 'code_is 0 && out_has "{\\\"a\\\": 1}"'
run list push 42 last x --max 0
check "no item at all is refused" 'code_is 2 && err_has "--max takes a whole number"'
run list range 42 last newest
check "a place is a number" 'code_is 2 && err_has START'
run list push --global news hello
run list range --global news 0 0
check "list --global" 'code_is 0 && [ "$(items)" = "hello " ]'
run list events
check "words in the wrong order are put right here too" 'code_is 2 && err_has "gavatctl events list"'

# Limits
run limit try 42 search --rate 3/1h -o json
check "limit try prints the decision" \
    'code_is 0 && out_like "\"allowed\": ?true" && out_like "\"remaining\": ?2" && out_like "\"retry_after_ms\": ?0"'
run limit try 42 search --rate 3/1h
run limit try 42 search --rate 3/1h
check "three are allowed" 'code_is 0 && out_like "\"remaining\": ?0"'
run limit try 42 search --rate 3/1h
check "the fourth is not" \
    'code_is 1 && out_like "\"allowed\": ?false" && out_like "\"retry_after_ms\": ?1[0-9]{6}" && err_has "limit search of 42: refused"'
run limit try 42 search --rate 3/1h -o table
check "as a table" 'code_is 1 && out_like "^allowed +remaining +retry_after_ms" && out_like "^false +0 +[0-9]+"'
run limit try 43 search --rate 3/1h
check "of this user only" 'code_is 0'
run limit try 43 other --rate 10/m --burst 1
run limit try 43 other --rate 10/m --burst 1
check "--burst bounds what goes at once" 'code_is 1 && out_like "\"retry_after_ms\": ?[1-6][0-9]{3}}"'
bad_rates() {
    for rate in 3 3/ /1h 0/1h -1/1h 3/0s 3/soon 3/1h/1h 99999999999/1s 3/-1s ''; do
        run limit try 42 search --rate "$rate"
        code_is 2 && silent out && err_has "a rate such as" || return 1
    done
}
check "rates are read strictly" bad_rates
run limit try 42 search
check "a rate is required" 'code_is 2 && err_has "--rate N/DURATION is missing"'
run limit try --global all --rate 1/1h
check "limit --global" 'code_is 0'

# List and clear
run state list 42
check "state list shows all keys of the user, and no others" \
    'code_is 0 && out_has "\"lang\"" && out_has "\"counter:lang\"" && out_has "\"list:last\"" && out_has "\"limit:search\"" && ! out_has paused'
run state list 42 -o table
check "as a table" 'code_is 0 && out_like "^key +value +expire_ms" && out_like "^lang +de +0"'
run state list nobody
check "of a user who has none" 'code_is 0 && silent out'
run state clear 42
check "state clear refuses without a terminal and --yes" 'code_is 2 && err_has "--yes"'
run state get 42 lang
check "and deletes nothing" 'code_is 0'
if has script; then
    printf 'n\n' | script -qec "'$GAVATCTL' state clear 42; echo code \$?" /dev/null >out 2>err
    check "on a terminal it asks, and no is no" 'out_like "Delete [0-9]+ keys of 42 from sqlite:.*\[y/N\]" && out_has "code 1"'
    run state set 42 evil "$(printf 'a\033[31mb')"
    script -qec "'$GAVATCTL' state get 42 evil" /dev/null >out 2>err </dev/null
    check "control bytes of a value do no harm on a terminal" 'out_has "a\\x1b[31mb"'
else
    skip "on a terminal it asks, and no is no" "no script(1)"
    skip "control bytes of a value do no harm on a terminal" "no script(1)"
fi
run state delete 42 lang
check "state delete" 'code_is 0 && silent out && err_has deleted'
run state delete 42 lang
check "of what is not there" 'code_is 1'
run state clear 42 --yes -o json
check "state clear --yes counts" 'code_is 0 && out_like "\"deleted\": ?[1-9]"'
run state list 42
check "all of it is gone" 'code_is 0 && silent out'
run state get 'dm:bot:7' step
check "what belongs to others is not" 'code_is 0 && out_is 1'
run state clear --global -y
check "state clear --global" 'code_is 0 && err_has "deleted"'

# Stores
run --state sqlite:///other.db state set 1 a b
check "--state names another store" 'code_is 0 && [ -s other.db ]'
run --state memory: state set 1 a b
check "memory: is one" 'code_is 0'
run --state memory: state get 1 a
check "that ends with the call" 'code_is 1'
: >plain
run --state sqlite:///plain/x.db state get 1 a
check "a store out of reach" 'code_is 3 && silent out && err_has "gavatctl doctor"'
run --events sqlite:///plain/x.db state set 1 a b
check "of another area does no harm" 'code_is 0'
REDIS_URL=sqlite:///named.db "$GAVATCTL" counter add 1 a >out 2>err
code=$?
check "REDIS_URL names it too" 'code_is 0 && out_is 1 && [ -s named.db ]'
run --state off state get 1 a
check "a store that is off is told" '! code_is 0 && silent out && ! silent err'

# Callers at once
many() {
    i=0
    while [ $i -lt 12 ]; do
        i=$((i + 1))
        "$GAVATCTL" -q counter add 9 many >/dev/null 2>>errors &
        "$GAVATCTL" -q cooldown try 9 once 1h 2>/dev/null && echo won >>winners &
        "$GAVATCTL" -q limit try 9 few --rate 3/1h >/dev/null 2>&1 && echo allowed >>permits &
    done
    wait
}
: >winners
: >permits
many
run counter get 9 many
check "a dozen processes lose no add" 'out_is 12'
check "one of them gets the cooldown" '[ "$(wc -l <winners)" -eq 1 ]'
check "three get a permit" '[ "$(wc -l <permits)" -eq 3 ]'

finish
