#!/bin/sh
# The reference that is made from the code is up to date, and the manual pages are clean.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
lib=$TEST_BUILD_DIR/lib

is_fresh()
{
    page=$1
    shift
    sh docs/make_settings.sh "$@" "$GAVATCTL" >"$tap_dir/page" && diff -u "$page" "$tap_dir/page"
}

# Every setting is a row of the page: what the script could not read would be left out silently.
has_every_setting()
{
    settings=$(env -i "$GAVATCTL" config show -c /dev/null -o jsonl | wc -l)
    [ "$settings" -gt 0 ] && [ "$(grep -cE '^\| `[A-Z_]+` \|' docs/settings.md)" = "$settings" ] &&
        [ "$(grep -c '^\.TP' docs/man/gavatcore-settings.5)" = "$settings" ]
}

# Without a word from the formatter, all warnings on.
is_clean()
{
    if command -v groff >/dev/null; then
        groff -man -ww -z "$1" 2>"$tap_dir/said"
    else
        mandoc -T lint -W error "$1" >"$tap_dir/said"
    fi
    status=$?
    cat "$tap_dir/said"
    [ "$status" = 0 ] && [ ! -s "$tap_dir/said" ]
}

names_every_command()
{
    "$GAVATCTL" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$tap_dir/groups"
    [ -s "$tap_dir/groups" ] || return 1
    while read -r group; do
        grep -qx "\.SS \"$group\"" "$1" || { echo "$group"; return 1; }
    done <"$tap_dir/groups"
}

is_of_this_version()
{
    "$GAVATCTL" --version
    grep -q "^\.TH .* \"gavatcore $("$GAVATCTL" --version | sed 's/.* //')\"" "$1"
}

example_runs()
{
    sed -n '/^\.EX/,/^\.EE/p' docs/man/gavatcore.3 | sed '/^\.E[XE]/d; s/\\e/\\/g; s/\\-/-/g; s/\\(aq/'"'"'/g' >"$tap_dir/example.c"
    # Not with C11 alone: the example is to be built as the page says.
    ${CC:-cc} -Wall -Wextra -Werror -Iinclude "$tap_dir/example.c" -o "$tap_dir/example" -L"$lib" -Wl,-rpath,"$lib" -lgavatcore &&
        cd "$tap_dir" && env -i ./example | grep '"message":"hello"'
}

# "help --man" is the build's: people are not told of it.
man_is_hidden()
{
    ! "$GAVATCTL" help --help | grep -e --man && ! "$GAVATCTL" completion bash | grep -e --man &&
        ! "$GAVATCTL" completion fish | grep -e 'l man'
}

is_in_the_index()
{
    for page in docs/[a-z]*.md docs/internals/*.md; do
        grep -qF "(${page#docs/})" docs/README.md || { echo "$page"; return 1; }
    done
}

"$GAVATCTL" help --man >"$tap_dir/gavatctl.1"
check "docs/settings.md is what docs/make_settings.sh prints" is_fresh docs/settings.md
check "gavatcore-settings(5) is what docs/make_settings.sh prints" is_fresh docs/man/gavatcore-settings.5 --man
check "both hold every setting" has_every_setting
for page in "$tap_dir/gavatctl.1" docs/man/gavatcore.3 docs/man/gavatcore-settings.5; do
    name=$(basename "$page")
    if command -v groff >/dev/null || command -v mandoc >/dev/null; then
        check "$name is clean" is_clean "$page"
    else
        skip "$name is clean" "neither groff nor mandoc is here"
    fi
    check "$name is of this version" is_of_this_version "$page"
done
check "gavatctl.1 names every command" names_every_command "$tap_dir/gavatctl.1"
check "the example of gavatcore.3 builds and runs" example_runs
check "help --man is for the build alone" man_is_hidden
check "docs/README.md lists every page" is_in_the_index
finish
