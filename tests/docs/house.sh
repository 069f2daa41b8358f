#!/bin/sh
# The rules of the house that a machine can see: sizes, direction of the dependencies, who may include a driver.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
# The tables that a generator prints are nobody's to read.
sources=$(find include lib cli examples tests -name '*.[ch]' ! -name fold_table.c)

# none_of PATTERN FILE…: no line matches.
none_of()
{
    pattern=$1
    shift
    ! grep -nE -- "$pattern" "$@"
}

files_are_short()
{
    # shellcheck disable=SC2086
    wc -l $sources | awk '$2 != "total" && $1 > 600 { print; long = 1 } END { exit long }'
}

# A function begins at a brace in the first column and ends at the next one.
functions_are_short()
{
    # shellcheck disable=SC2086
    awk '/^{/ { begin = FNR } /^}/ && begin { if (FNR - begin > 71) { print FILENAME ":" begin ": " FNR - begin - 1 " lines"; long = 1 } begin = 0 }
        END { exit long }' $sources
}

# Word splitting is meant: one word a file.
# shellcheck disable=SC2046,SC2086
{
    check "no tab and no blank at the end of a line" none_of "	| $" $sources
    check "files have at most 600 lines" files_are_short
    check "functions have at most 70 lines" functions_are_short
    check "base knows nothing of the rest" none_of '#include "\.\./(core|events|sqlite|\.\.)' lib/base/*.[ch]
    check "core knows no area but in its table of backends" none_of '#include "\.\./(events|sqlite)/' \
        $(find lib/core -name '*.[ch]' ! -name backends.c)
    check "sqlite3.h is included for SQLite only" none_of '#include [<"]sqlite3\.h' \
        $(find include lib cli -name '*.[ch]' ! -path 'lib/sqlite/*' ! -path 'lib/*/sqlite/*')
    check "libpq-fe.h is included for PostgreSQL only" none_of '#include [<"]libpq' \
        $(find include lib cli -name '*.[ch]' ! -path 'lib/*/postgresql/*')
    check "mongoc.h is included for MongoDB only" none_of '#include [<"](mongoc|bson)' \
        $(find include lib cli -name '*.[ch]' ! -path 'lib/*/mongodb/*')
    check "gavatctl uses the public headers alone" none_of '#include "(\.\./)?lib/|gv_[a-z]' $(find cli -name '*.[ch]')
}
finish
