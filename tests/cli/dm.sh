#!/bin/sh
# gavatctl dm by the contract of its page, on the store of SQLite.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"

# Help and wrong usage
commands_help() {
    for command in show apply permit sent outgoing due list; do
        "$GAVATCTL" dm "$command" -h >out 2>err </dev/null || return 1
        grep -q "^Usage: gavatctl dm $command" out && grep -q '^Examples:' out || return 1
    done
}
check "every command has help with examples" commands_help
run dm apply -h
check "the transitions are in the help" 'code_is 0 && out_has "user_responded" && out_has "reset"'
run dm show bot
check "a missing user is named" 'code_is 2 && err_has "USER is missing"'
run dm apply bot 42 sleep
check "another transition is refused with those there are" 'code_is 2 && err_has "user_responded" && err_has "resume"'
run dm show a:b 42
check "a bot with a colon is refused" 'code_is 2 && silent out && err_has "bot must not hold a"'

# States
run dm show bot 42
check "those who never talked have the initial state" \
    'code_is 0 && lines_are 1 && out_has "\"phase\":\"initial_contact\"" && out_has "\"last_user_message\":null"'
run dm list
check "looking at them makes nothing" 'code_is 0 && silent out'
run dm apply bot 42 user_responded
check "apply prints the state after it" 'code_is 0 && lines_are 1 && out_has "\"phase\":\"active_conversation\"" && out_has "\"user_responded\":true"'
run dm show bot 42 -o json
check "another call finds it" 'code_is 0 && out_has "\"bot\":\"bot\"" && out_has "active_conversation"'
run dm show bot 42 -o csv
check "CSV has every field" 'code_is 0 && lines_are 2 && out_like "^bot,user,phase,last_bot_message,.*last_manual_check$" && out_like "^bot,42,active"'
run dm show bot 42 -o table
check "a table has the main ones" 'code_is 0 && out_like "^bot +user +phase" && out_like "^bot +42 +active_conversation"'
run state get dm:bot:42 conversation_state
check "it lies where the Python bots have theirs" 'code_is 0 && out_has "\"phase\": \"active_conversation\", \"manual_intervention_time\": 0"'
run state set dm:bot:43 conversation_state '{"phase": "manual_engaged", "last_user_message": 5}'
run dm show bot 43
check "what they have stored is read" 'code_is 0 && out_has "1970-01-01T00:00:05.000000Z"'

# Permits
run dm permit bot 42
check "a permit is given" 'code_is 0 && lines_are 1 && out_has "\"allowed\":true" && out_has "\"advice\":\"send\"" && silent err'
run dm permit bot 42
check "and the next one refused, which is exit code 1" 'code_is 1 && out_has "\"allowed\":false,\"reason\":\"cooldown\"" && err_has "42 of bot: refused (cooldown)"'
run dm permit bot 42 -q -o csv
check "in other forms too" 'code_is 1 && lines_are 2 && out_like "^false,cooldown,wait,0,[0-9]+$" && silent err'
GAVAT_DM_COOLDOWN=0 run dm permit bot 42
check "a setting counts" 'code_is 0 && out_has "\"allowed\":true"'
run dm apply bot 42 pause
run dm permit bot 42
check "a pause refuses for as long as nobody ends it" 'code_is 1 && out_has "\"reason\":\"paused\"" && out_has "\"retry_after_ms\":-1"'
run dm apply bot 42 resume -o table
check "resume ends it" 'code_is 0 && out_like "false *$"'

# Whose message
run dm sent bot 7 481
check "sent prints nothing" 'code_is 0 && silent out && err_has "message 481"'
run dm outgoing bot 7 481
check "what was registered is own" 'code_is 0 && out_is own && silent err'
run dm outgoing bot 7 482
check "what was not is a person'\''s" 'code_is 0 && out_is person && err_has "manual_engaged"'
run dm outgoing bot 7 482 -o json
check "a record where it is asked for" 'code_is 0 && out_has "{\"whose\":\"person\"}"'
run dm show bot 7
check "the conversation is theirs" 'code_is 0 && out_has "\"manual_mode_active\":true" && out_has "\"auto_messages_paused\":true"'

# Lists
run dm apply other 1 bot_sent
run dm list
check "all conversations, by bot and user" 'code_is 0 && lines_are 4 && out_like "\"bot\":\"other\"" &&
    [ "$(sed -n "s/.*\"user\":\"\([^\"]*\)\".*/\1/p" out | tr "\n" " ")" = "42 43 7 1 " ]'
run dm list --bot bot --limit 2
check "those of one bot, so many" 'code_is 0 && lines_are 2'
run dm list --bot bot --all -o csv
check "or all of them" 'code_is 0 && lines_are 4'
run dm list --bot nobody
check "none is no error" 'code_is 0 && silent out && silent err'
run dm due
check "what is due" 'code_is 0 && lines_are 1 && out_has "\"user\":\"43\""'
GAVAT_DM_FOLLOWUP_INITIAL=0 run dm due --bot other
check "due by the settings" 'code_is 0 && lines_are 1 && out_has "\"user\":\"1\""'
GAVAT_DM_FOLLOWUP_INITIAL=0 run dm apply other 1 followup_sent
check "a follow-up counts" 'code_is 0 && out_has "\"followup_count\":1"'

# Damaged
run state set dm:bot:9 conversation_state '{"phase": 1}'
run dm show bot 9
check "a damaged state is said, with what to do" 'code_is 1 && silent out && err_has "dm:bot:9" && err_has "reset"'
run dm list --bot bot
check "and does not hide the others" 'code_is 4 && lines_are 3 && err_has "dm:bot:9"'
run dm apply bot 9 reset
check "reset begins anew" 'code_is 0 && out_has "initial_contact"'
run dm list --bot bot
check "and all is well" 'code_is 0 && lines_are 3 && silent err'

finish
