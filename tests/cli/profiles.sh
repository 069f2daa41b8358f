#!/bin/sh
# gavatctl profiles by the contract of its page: every command, names of all kinds, conflicts, damaged files, both ends of a pipe.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"
store=data/profiles
MONGODB_URI=file://./$store
export MONGODB_URI

# Help and wrong usage
commands_help() {
    for command in put get delete import; do
        "$GAVATCTL" profiles "$command" -h >out 2>err </dev/null || return 1
        grep -q "^Usage: gavatctl profiles $command" out && grep -q '^Examples:' out || return 1
    done
}
check "every command has help with examples" commands_help
run profiles put bot1
check "a missing document is named" 'code_is 2 && err_has "JSON is missing"'
run profiles put bot1 '{}' --if-revision two
check "a revision is a number" 'code_is 2 && err_has "--if-revision takes"'
# Put, get, conflicts
run profiles put bot1 '{"type": "bot", "n": 9007199254740993, "deep": {"list": [1, {"a": "İ"}]}, "x": 1.50}'
check "put tells the revision" 'code_is 0 && silent out && err_has "profile bot1: revision 1"'
check "the file is where the Python system has it" '[ -s $store/bot1.json ]'
run profiles put bot1 '{"type": "bot", "n": 9007199254740993, "deep": {"list": [1, {"a": "İ"}]}, "x": 1.50}' -o json
check "put prints a record when asked" 'code_is 0 && out_like "^\{\"username\":\"bot1\",\"revision\":2\}"'
run profiles get bot1
check "get prints the document as a line" 'code_is 0 && lines_are 1 && out_has 9007199254740993 && out_has 1.50 &&
    out_like "\"revision\": ?2[,}]"'
run profiles get bot1 -o json
check "-o json is set out in lines" 'code_is 0 && out_has "  \"n\": 9007199254740993" && out_has "      1,"'
run profiles get bot1 -o table
check "a table has a row for each field" 'code_is 0 && out_like "^field +value" && out_like "^n +9007199254740993"'
run profiles get bot1 -o csv
check "CSV has the columns of a list" 'code_is 0 && lines_are 2 && out_like "^username,type,display_name" && out_like "^bot1,bot,"'
run profiles get bot1 deep.list.1.a
check "a path gives a text bare" 'code_is 0 && out_is İ'
run profiles get bot1 deep.list.1.a -o json
check "and with quotes where JSON is asked for" 'code_is 0 && out_is "\"İ\""'
run profiles get bot1 deep.none
check "a path that is not there" 'code_is 1 && silent out && err_has "bot1 has no deep.none" && err_has "gavatctl profiles get bot1"'
run profiles get nobody
check "a profile that is not there" 'code_is 1 && silent out'
run profiles put bot1 '{"by": "A"}' --if-revision 2
check "put at the right revision" 'code_is 0 && err_has "revision 3"'
run profiles put bot1 '{"by": "B"}' --if-revision 2
check "put at an old revision is refused" 'code_is 1 && silent out && err_has "gavatctl profiles get bot1"'
run profiles get bot1 by
check "and changes nothing" 'out_is A'
run profiles put bot1 '{"by": "C"}' --if-revision -1
check "-1: only if there is none" 'code_is 1'
run profiles put bot2 '{"by": "C"}' --if-revision -1
check "where there is none, it is made" 'code_is 0 && err_has "bot2: revision 1"'
feed '{"from": "stdin"}\n' profiles put bot2 -
check "- reads the document from stdin" 'code_is 0'
run profiles get bot2 from
check "and it is there" 'out_is stdin'
run profiles put bad 'no json'
check "what is no JSON is refused" 'code_is 2 && silent out && err_has "JSON" && [ ! -e $store/bad.json ]'
run profiles put bad '[1]'
check "what is no object is refused" 'code_is 2 && err_has "object"'
run profiles put bad '{"a": {"$b": 1}}'
check "a key that begins with a dollar is refused with its place" 'code_is 2 && err_has "a.\$b: "'

# Names of all kinds
names() {
    for name in ŞenBot şenbot '@et' 'bo şluk' nokta.li '💎emoji😀' '../x' 'a/b' '.hidden' '100%' '-- drop'; do
        "$GAVATCTL" -q profiles put -- "$name" "{\"display_name\": \"of $name\"}" 2>err </dev/null || return 1
        got=$("$GAVATCTL" profiles get -- "$name" display_name 2>err </dev/null) || return 1
        [ "$got" = "of $name" ] || return 1
        got=$("$GAVATCTL" profiles get -- "$name" username 2>err </dev/null)
        [ "$got" = "$name" ] || return 1
    done
}
check "any name is a profile of its own" names
check "none leaves the folder" '[ ! -e data/x.json ] && [ ! -e x.json ] && [ -z "$(find data -mindepth 2 -type d)" ]'
check "simple names are file names" '[ -e "$store/ŞenBot.json" ] && [ -e "$store/@et.json" ] && [ -e "$store/bo şluk.json" ] &&
    [ -e "$store/💎emoji😀.json" ]'
run profiles put '' '{}'
check "an empty name is refused" 'code_is 2'


# Delete
run profiles put p '{}'
run profiles delete p
check "delete refuses without a terminal and --yes" 'code_is 2 && err_has "--yes" && [ -e $store/p.json ]'
run profiles delete p --yes
check "delete --yes" 'code_is 0 && silent out && err_has "deleted" && [ ! -e $store/p.json ]'
run profiles delete p -y
check "delete of what is not there" 'code_is 1'
if has script; then
    printf 'n\n' | script -qec "'$GAVATCTL' profiles delete bot2; echo code \$?" /dev/null >out 2>err
    check "on a terminal it asks, and no is no" 'out_has "[y/N]" && out_has "code 1" && [ -e $store/bot2.json ]'
else
    skip "on a terminal it asks" "no script(1)"
fi

# Import
cat >lines.jsonl <<'P'
{"username": "line1", "type": "bot", "n": 9007199254740993}
{"username": "Çağrı 💎", "type": "user"}

not json
{"type": "nameless"}
{"username": "line1", "type": "bot", "again": true}
{"username": "nan", "x": NaN}
P
run profiles import lines.jsonl
check "import takes JSON lines; bad ones do not stop it" 'code_is 4 && silent out && err_has "imported 3 profiles" && err_has "rejected 3"'
check "rejects have line, reason and record" '[ "$(wc -l <lines.jsonl.rejects.jsonl)" -eq 3 ] &&
    grep -q "^{\"line\":4,\"reason\":\".*\",\"record\":\"not json\"}$" lines.jsonl.rejects.jsonl &&
    grep -q "^{\"line\":5,\"reason\":\"username .*,\"record\":{\"type\": \"nameless\"}}$" lines.jsonl.rejects.jsonl'
run profiles get line1 again
check "of two lines with one name the later counts" 'code_is 0 && out_is true'
feed '{"username": "in", "type": "x"}\n' profiles import - -o json
check "- imports from stdin, and a record of the summary" 'code_is 0 && out_like "\"stored\": ?1"'
run profiles import missing.jsonl
check "a missing file is named" 'code_is 1 && err_has "missing.jsonl"'

finish
