#!/bin/sh
# examples/quickstart.sh does what it says: builds, loads every sample record, shows the tables.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
QUICKSTART_BUILD=$tap_dir/build
export QUICKSTART_BUILD

runs()
{
    sh examples/quickstart.sh >"$tap_dir/out" 2>"$tap_dir/err" || { cat "$tap_dir/out" "$tap_dir/err"; return 1; }
}

stored_all_of()
{
    lines=$(wc -l <"examples/data/$1.jsonl")
    grep -E "^$1 +$lines stored, 0 refused$" "$tap_dir/out" || { grep "^$1" "$tap_dir/out"; return 1; }
}

# What stands below the line that names the command, up to the next one.
shows()
{
    sed -n "/^\$ gavatctl $1/,/^\$ gavatctl/p" "$tap_dir/out" >"$tap_dir/table"
    cat "$tap_dir/table"
    grep -q "$2" "$tap_dir/table"
}

# The commands that it ends with, as they stand there.
suggestions_work()
{
    PATH=$QUICKSTART_BUILD/main/cli:$PATH
    POSTGRES_URL=sqlite:///$QUICKSTART_BUILD/quickstart/gavatcore.db
    MONGODB_URI=file://$QUICKSTART_BUILD/quickstart/profiles
    REDIS_URL=sqlite:///$QUICKSTART_BUILD/quickstart/state.db
    export PATH POSTGRES_URL MONGODB_URI REDIS_URL
    sed -n 's/^  gavatctl/gavatctl/p' "$tap_dir/out" >"$tap_dir/suggestions"
    [ -s "$tap_dir/suggestions" ] && sh -e -x "$tap_dir/suggestions"
}

check "it runs to its end" runs
check "nothing goes to stderr" test ! -s "$tap_dir/err"
for kind in events sales messages sessions profiles; do
    check "it loads all $kind" stored_all_of $kind
done
check "the newest events are shown" shows "events list" "İyi geceler"
check "the search finds IŞIK in other letters" shows "events search" "Işık"
check "sales are summed exactly" shows "sales stats" "TRY"
check "messages are counted" shows "messages stats" "$(wc -l <examples/data/messages.jsonl)"
check "active sessions are listed" shows "sessions list" "client"
check "bots are listed" shows "profiles list" "Gece Kuşu 🦉"
check "a part of a profile is shown" shows "profiles get" "^0.2$"
check "the bot may answer once" shows "dm permit" "^true "
check "and not again at once" shows "-q dm permit" "^false  *cooldown"
check "the commands to go on with work" suggestions_work
finish
