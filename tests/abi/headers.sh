#!/bin/sh
# Each public header compiles alone, as C99, C11 and C++17, without a word, and brings in neither libuv nor a driver.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh

compiles()
{
    language=$1 standard=$2 header=$3
    compiler=${CC:-cc}
    [ "$language" = c ] || compiler=${CXX:-c++}
    echo "#include <$header>" | $compiler -x "$language" -std="$standard" -Wall -Wextra -Wpedantic -Werror \
        -Iinclude -fsyntax-only -
}

# The files that the preprocessor read must be ours or the C library's.
includes_no_driver()
{
    echo "#include <$1>" | ${CC:-cc} -std=c11 -Iinclude -M -x c - >"$tap_dir/read" || return 1
    ! grep -E '/(uv|sqlite3|libpq-fe|pg_config|mongoc|bson|hiredis|cJSON|utf8proc)[^ ]*\.h|/uv/' "$tap_dir/read"
}

# gavatcore.h is the umbrella: it must hold every other one.
is_in_umbrella()
{
    [ "$1" = gavatcore.h ] || grep -qx "#include \"$1\"" include/gavatcore.h
}

# What meson installs, as it stands in include/meson.build.
is_installed()
{
    grep -q "'$1'" include/meson.build
}

for path in include/gavatcore.h include/gavatcore/*.h; do
    header=${path#include/}
    check "$header compiles as C99" compiles c c99 "$header"
    check "$header compiles as C11" compiles c c11 "$header"
    check "$header compiles as C++17" compiles c++ c++17 "$header"
    check "$header includes no driver" includes_no_driver "$header"
    check "$header is part of gavatcore.h" is_in_umbrella "$header"
    check "$header is installed" is_installed "$header"
done
finish
