#!/bin/sh
# gavatctl profiles by the contract of its page: every command, names of all kinds, conflicts, damaged files, both ends of a pipe.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"
samples=${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/data
case $samples in
/*) ;;
*) samples=$OLDPWD/$samples ;;
esac
store=data/profiles

# Help and wrong usage
commands_help() {
    for command in put get set unset delete list search stats watch import export; do
        "$GAVATCTL" profiles "$command" -h >out 2>err </dev/null || return 1
        grep -q "^Usage: gavatctl profiles $command" out && grep -q '^Examples:' out || return 1
    done
}
check "every command has help with examples" commands_help
run profiles --help
check "the group lists its commands" 'code_is 0 && out_has watch && out_has "until Ctrl-C"'
run profiles set --help
check "arguments that repeat are shown so" 'out_has "profiles set NAME PATH VALUE [PATH VALUE]…"'
run profiles unset --help
check "one that repeats too" 'out_has "profiles unset NAME PATH…"'
run profiles put bot1
check "a missing document is named" 'code_is 2 && err_has "JSON is missing"'
run profiles set bot1 a 1 b
check "a path without its value is named" 'code_is 2 && err_has "VALUE is missing"'
run profiles unset bot1
check "a missing path is named" 'code_is 2 && err_has "PATH is missing"'
run profiles get
check "get wants a name or a user id" 'code_is 2 && err_has "NAME or --user-id"'
run profiles get bot1 --user-id 5
check "but not both" 'code_is 2 && err_has "in place of NAME"'
run profiles put bot1 '{}' --if-revision two
check "a revision is a number" 'code_is 2 && err_has "--if-revision takes"'
run profiles lsit
check "a word that is nearly a command is put right" 'code_is 2 && err_has "did you mean \"gavatctl profiles list\"?"'

# Put, get, conflicts
run profiles list
check "a folder without profiles is an empty list" 'code_is 0 && silent out && silent err'
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
check "a profile that is not there" 'code_is 1 && silent out && err_has "gavatctl profiles list"'
run profiles put bot1 '{"by": "A"}' --if-revision 2
check "put at the right revision" 'code_is 0 && err_has "revision 3"'
run profiles put bot1 '{"by": "B"}' --if-revision 2
check "put at an old revision is refused" 'code_is 1 && silent out && err_has "stored revision is 3" && err_has "hint:"'
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

# Set and unset
run profiles put p '{"type": "bot", "gpt": {"models": ["a", "b"], "temperature": 1}, "keep": 1.10}'
run profiles set p reply_mode manual gpt.temperature 0.7 gpt.models.1 '"42"' active true phone 05321234567 n 5 none null
check "set changes several parts at once" 'code_is 0 && silent out && err_has "profile p: revision 2"'
run profiles get p
check "JSON is JSON, the rest is text" 'out_like "\"reply_mode\": ?\"manual\"" && out_like "\"temperature\": ?0.7" &&
    out_like "\"models\": ?\[\"a\", ?\"42\"\]" && out_like "\"active\": ?true" && out_like "\"phone\": ?\"05321234567\"" &&
    out_like "\"n\": ?5" && out_like "\"none\": ?null" && out_like "\"keep\": ?1.10"'
feed 'two\nlines\n' profiles set p note -
check "- reads a value from stdin" 'code_is 0'
run profiles get p note
check "lines stay" 'out_is "two
lines"'
run profiles set p n 1 note.deeper 2
check "a path through a text is refused" 'code_is 2 && silent out'
run profiles get p n
check "and nothing of it is done" 'out_is 5'
run profiles unset p gpt.temperature note
check "unset takes parts out" 'code_is 0'
run profiles get p gpt
check "the rest stays" 'out_like "^\{\"models\": ?\[\"a\", ?\"42\"\]\}$"'
run profiles set nobody a 1
check "set of what is not there" 'code_is 1 && err_has "gavatctl profiles list"'
run profiles set p revision 7
check "what the library keeps cannot be set" 'code_is 2 && err_has revision'

# Delete
run profiles put p '{}'
run profiles delete p
check "delete refuses without a terminal and --yes" 'code_is 2 && err_has "--yes" && [ -e $store/p.json ]'
run profiles delete p --yes
check "delete --yes" 'code_is 0 && silent out && err_has "deleted" && [ ! -e $store/p.json ]'
run profiles delete p -y
check "delete of what is not there" 'code_is 1 && err_has "gavatctl profiles list"'
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

# By user id
run -q profiles put five '{"user_id": 5019}'
run -q profiles put six '{"user_id": "5020"}'
run profiles get --user-id 5019
check "get --user-id finds a number" 'code_is 0 && out_like "\"username\": ?\"five\""'
run profiles get --user-id 5020
check "and a text" 'code_is 0 && out_like "\"username\": ?\"six\""'
run profiles get --user-id 1
check "or tells that there is none" 'code_is 1 && silent out'

# Lists
rm -rf "$store"
put() {
    "$GAVATCTL" -q profiles put "$@" >out 2>err </dev/null
}
put ayşe '{"type": "bot", "is_active": true, "autospam": true, "display_name": "IŞIK Ayşe", "gpt": {"t": 0.5}}'
put bora '{"type": "bot", "is_active": true, "autospam": false, "display_name": "Bora 💎", "gpt": {"t": 1}}'
put cem '{"type": "user", "is_active": false, "telegram_handle": "@isikli"}'
names_are() { [ "$(sed -n 's/.*"username": *"\([^"]*\)".*/\1/p' out | tr '\n' ' ')" = "$1" ]; }
run profiles list
check "list is by username" 'code_is 0 && silent err && names_are "ayşe bora cem "'
run profiles list --type bot --active
check "--type and --active" 'code_is 0 && names_are "ayşe bora "'
run profiles list --active=no
check "--active=no" 'code_is 0 && names_are "cem "'
run profiles list --autospam
check "--autospam" 'code_is 0 && names_are "ayşe "'
run profiles list --where '{"gpt.t": {">": 0.5}}'
check "--where with a bound" 'code_is 0 && names_are "bora "'
run profiles list --where '{"type": "user", "is_active": false}'
check "--where with values" 'code_is 0 && names_are "cem "'
feed '{"type": "user"}' profiles list --where -
check "--where - reads stdin" 'code_is 0 && names_are "cem "'
run profiles list --where 'type=bot'
check "a filter that is no JSON is refused" 'code_is 2 && silent out'
run profiles list --active=perhaps
check "a switch takes yes or no" 'code_is 2 && err_has "yes or no"'
run profiles list --limit 2
check "--limit" 'code_is 0 && names_are "ayşe bora "'
run profiles list -o table
check "a table has its columns" 'out_like "^username +type +display_name +is_active +autospam +revision +updated_at" &&
    out_like "^bora +bot +Bora 💎 +true +false +1 "'
run profiles list -o csv
check "CSV has the user id too" 'lines_are 4 && out_like "^username,type,display_name,is_active,autospam,user_id,revision,updated_at$"'
run profiles list -o json
check "an array of documents" 'out_like "^\[" && out_has "IŞIK Ayşe"'
run profiles search ışık
check "search folds letters, over name and handle" 'code_is 0 && names_are "ayşe cem "'
run profiles search isik --type user
check "filters go with it" 'code_is 0 && names_are "cem "'
run profiles search '%'
check "a percent sign is no wildcard" 'code_is 0 && silent out'
run profiles stats -o csv
check "stats by type" 'code_is 0 && lines_are 3 && out_like "^bot,2,2,1$" && out_like "^user,1,0,0$"'
i=0
while [ $i -lt 1200 ]; do
    i=$((i + 1))
    echo '{"username": "many'$i'", "type": "many"}'
done >many.jsonl
run -q profiles import many.jsonl
check "-q imports without a word" 'code_is 0 && silent out && silent err'
run profiles list --type many --all
check "--all goes on over the pages" 'code_is 0 && lines_are 1200 && [ "$(sort -u out | wc -l)" -eq 1200 ]'

# Damaged files
printf '{"type": "bot", "disp' >"$store/torn.json"
: >"$store/empty.json"
run profiles list --type bot
check "damaged files are named, the others come" 'code_is 4 && names_are "ayşe bora " && err_has torn && err_has empty'
run profiles get torn
check "get says what ails it" 'code_is 1 && silent out && err_has "torn.json" && err_has "cannot be read"'
run profiles stats
check "stats counts the others" 'code_is 4 && out_like "\"type\": ?\"bot\"" && err_has torn'
run profiles put torn '{"type": "bot"}' --if-revision 1
check "a revision does not pass over it" 'code_is 1 && [ "$(cat "$store/torn.json")" = "{\"type\": \"bot\", \"disp" ]'
run profiles put torn '{"type": "bot"}'
check "put replaces it and keeps what was there" 'code_is 0 && [ "$(cat "$store"/torn.json.damaged-*)" = "{\"type\": \"bot\", \"disp" ]'
rm "$store/empty.json"

# Folders in and out
cp -r "$samples/original/profiles" old
files=$(find old -name '*.json' | wc -l)
printf '{"broken"' >old/broken.json
run --profiles file://fresh profiles import old/
check "import takes a folder" 'code_is 4 && silent out && err_has "imported '"$files"' profiles" && err_has "old.rejects.jsonl"'
check "the broken one is named" '[ "$(wc -l <old.rejects.jsonl)" -eq 1 ] && grep -q broken old.rejects.jsonl'
run --profiles file://fresh profiles list --all
check "all the others are there" 'code_is 0 && lines_are "$files"'
check "the folder it came from stays as it was" '[ "$(find old -name "*.json" | wc -l)" -eq $((files + 1)) ]'
run --profiles file://fresh profiles export out/of/here
check "an export where no folder can be made is told" 'code_is 1 && err_has "out/of/here"'
run --profiles file://fresh profiles export there
check "export writes a folder" 'code_is 0 && silent out && err_has "exported '"$files"' profiles" && [ ! -e there.part ] &&
    [ "$(find there -name "*.json" | wc -l)" -eq "$files" ]'
same_profiles() {
    for folder in fresh there; do
        "$GAVATCTL" --profiles "file://$folder" profiles list --all 2>err |
            sed 's/"updated_at": *"[^"]*"//; s/"revision": *[0-9]*//' >"$folder.list"
    done
    [ -s fresh.list ] && cmp fresh.list there.list
}
check "the same profiles are in it" same_profiles
run --profiles file://fresh profiles export there
check "a folder that holds files is refused" 'code_is 1 && err_has "there holds files already" && err_has "new folder"'
mkdir no only
run --profiles file://no profiles export none
check "a store without profiles is an empty folder" 'code_is 0 && [ -d none ] && [ -z "$(ls none)" ]'
printf '{"x": NaN}' >only/nan.json
run --profiles file://only profiles export taken
check "what cannot be written anew is named" 'code_is 4 && err_has "skipped: nan: " && [ -d taken ] && [ -z "$(ls taken)" ]'
run profiles export many.jsonl
check "so is a file" 'code_is 1 && err_has "many.jsonl is a file"'
run profiles export x -o csv
check "a form goes with stdout alone" 'code_is 2 && [ ! -e x ]'
"$GAVATCTL" -q --profiles file://fresh profiles export - 2>err | "$GAVATCTL" -q --profiles file://copy profiles import - >out 2>>err
code=$?
check "an export can be imported elsewhere" 'code_is 0 && silent out && silent err'
run --profiles file://copy profiles list --all
check "with every profile" 'lines_are "$files"'
run profiles export - -o csv --type bot
check "export as CSV, filtered" 'code_is 0 && lines_are 4 && out_has "username,type"'

# Defaults
echo '{"reply_mode": "manualplus", "gpt": {"t": 9, "m": "x"}}' >defaults.json
export GAVAT_PROFILE_DEFAULTS=defaults.json
run profiles get ayşe
check "defaults are merged under what is read" 'code_is 0 && out_has manualplus && out_like "\"t\": ?0.5" && out_like "\"m\": ?\"x\""'
run profiles export - --autospam
check "but they do not go out with an export" 'code_is 0 && out_has ayşe && ! out_has manualplus'
run profiles export kept --autospam
check "nor into a folder" 'code_is 0 && [ -s kept/ayşe.json ] && ! grep -q manualplus kept/ayşe.json'
unset GAVAT_PROFILE_DEFAULTS

# Watch
rm -rf "$store"
put w1 '{"type": "bot", "n": 1}'
"$GAVATCTL" profiles watch >watched 2>watch.err </dev/null &
watch=$!
waits() {
    n=0
    until eval "$1"; do
        n=$((n + 1))
        [ "$n" -lt 100 ] || return 1
        sleep 0.1
    done
}
# Until it hears of something it may not have begun.
hears() {
    n=0
    while [ ! -s watched ] && [ "$n" -lt 100 ]; do
        n=$((n + 1))
        "$GAVATCTL" -q profiles set w1 n "$n" >out 2>err </dev/null
        sleep 0.1
    done
    [ -s watched ]
}
check "watch tells of a change" 'hears && grep -q "\"username\":\"w1\",\"change\":\"put\"" watched'
put 'Yeni 💎' '{"type": "user"}'
check "of a new profile" 'waits "grep -q \"Yeni 💎\" watched"'
run -q profiles delete 'Yeni 💎' -y
check "and of a deletion" 'waits "grep -q \"\\\"change\\\":\\\"delete\\\",\\\"revision\\\":null\" watched"'
kill -INT $watch
wait $watch
code=$?
check "Ctrl-C ends it with 130 and tells how to go on" 'code_is 130 && grep -q "gavatctl profiles watch --from" watch.err'
token=$(sed -n 's/.*"token":"\([^"]*\)".*/\1/p' watched | tail -n 1)
put later '{"type": "bot"}'
run profiles watch --from "$token" --limit 3
check "a token of another run begins anew: a reset, then every profile" 'code_is 0 && lines_are 3 && err_has "not known any more" &&
    [ "$(sed -n 1p out)" = "{\"username\":null,\"change\":\"reset\",\"revision\":null,\"token\":null,\"profile\":null}" ] &&
    out_has "\"username\":\"later\",\"change\":\"put\"" && out_has "\"username\":\"w1\""'
run profiles watch --from nonsense
check "a token that is none is refused" 'code_is 2 && silent out'
run profiles watch -o csv
check "a watch prints JSON lines only" 'code_is 2 && err_has "-o jsonl"'
finish
