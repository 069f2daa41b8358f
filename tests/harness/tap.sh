# shellcheck shell=sh
# tap.sh: TAP from a shell test. Read it with `.`, then `check NAME COMMAND…` for each case (in a subshell, so a function may cd),
# `skip NAME WHY`, and `finish` at the end. $tap_dir is a folder of the test's own, gone afterwards.
tap_cases=0
tap_failed=0
tap_dir=$(mktemp -d)
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 143' HUP INT TERM

check()
{
    tap_name=$1
    shift
    tap_cases=$((tap_cases + 1))
    if ("$@") >"$tap_dir/.case" 2>&1 </dev/null; then
        echo "ok $tap_cases - $tap_name"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_cases - $tap_name"
        sed 's/^/# /' "$tap_dir/.case"
    fi
}

skip()
{
    tap_cases=$((tap_cases + 1))
    echo "ok $tap_cases - $1 # SKIP $2"
}

finish()
{
    echo "1..$tap_cases"
    [ "$tap_failed" = 0 ]
    exit
}
