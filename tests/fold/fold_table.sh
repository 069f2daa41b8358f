#!/bin/sh
# lib/base/fold_table.c is what the generator makes of the utf8proc it was made with.
# usage: fold_table.sh GENERATOR
set -u
generator=$(realpath "$1")
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh

"$generator" >"$tap_dir/table.c"
made_with=$(sed -n '1s/.*from \(utf8proc .*\): a change.*/\1/p' lib/base/fold_table.c)
present=$(sed -n '1s/.*from \(utf8proc .*\): a change.*/\1/p' "$tap_dir/table.c")
if [ -n "$made_with" ] && [ -n "$present" ] && [ "$made_with" != "$present" ]; then
    skip "the table is what the generator makes" "made with $made_with, here is $present"
else
    check "the table is what the generator makes" diff -q lib/base/fold_table.c "$tap_dir/table.c"
fi
finish
