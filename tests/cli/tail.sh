#!/bin/sh
# gavatctl events tail: the newest, those that come, from a cursor, and how it ends.
# shellcheck source=tests/cli/drive.sh
. "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}/tests/cli/drive.sh"

waits() {
    n=0
    until eval "$1"; do
        n=$((n + 1))
        [ "$n" -lt 100 ] || return 1
        sleep 0.1
    done
}

messages() { sed 's/.*"message":"\([^"]*\)".*/\1/' "$1" | tr '\n' ' '; }

run events tail
check "an empty store has no newest event" 'code_is 0 && silent out'
for i in 1 2 3 4 5; do
    run events log "u$((i % 2))" note "m$i" --at "2026-01-01T00:00:0$((9 - i))Z"
done
run events tail -n 2
check "the newest by their times, oldest first" 'code_is 0 && [ "$(messages out)" = "m2 m1 " ]'
run events tail --since 2026-01-01T00:00:07Z
check "those since a time" 'code_is 0 && [ "$(messages out)" = "m2 m1 " ]'
run events tail -n 9 --user u0
check "of one user" '[ "$(messages out)" = "m4 m2 " ]'

"$GAVATCTL" events tail -n 1 -f -o jsonl >tailed 2>tail.err </dev/null &
tail=$!
check "it begins with the newest" 'waits "[ -s tailed ]" && [ "$(messages tailed)" = "m1 " ]'
run events log u1 note new
run events log u1 note old --at 2026-01-01T00:00:00Z
check "and goes on with those that are stored" 'waits "grep -q old tailed" && [ "$(messages tailed)" = "m1 new old " ]'
kill -INT $tail
wait $tail
# shellcheck disable=SC2034
code=$?
check "Ctrl-C ends it with 130 and tells how to go on" 'code_is 130 && grep -q "events tail -f --from" tail.err'
cursor=$(sed -n 's/.*--from //p' tail.err)
run events log u1 note later
run events log u2 note last
run -q events tail --from "$cursor"
check "a cursor goes on where it ended, and the call ends with what is there" 'code_is 0 && [ "$(messages out)" = "later last " ]'
run -q events tail --from "$cursor" --user u2 -o csv
check "with a filter, as CSV" 'code_is 0 && lines_are 2 && out_has ",last,"'
run events tail --from "$cursor" --events sqlite:///other.db
check "the cursor of another store is told" 'code_is 1 && err_has "another store" && silent out'
run events tail --from nonsense
check "one that is none is refused" 'code_is 2 && silent out'
run events tail --from "$cursor" --since 1h
check "where to begin is said once" 'code_is 2 && err_has "take one"'
run events tail -n 5 --since 1h
check "the newest are counted from now" 'code_is 2'
finish
