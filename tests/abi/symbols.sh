#!/bin/sh
# What the shared library exports is exactly tests/abi/symbols.txt, and exactly what the public headers declare.
# usage: symbols.sh LIBRARY
set -u
library=$(realpath "$1")
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
LC_ALL=C
export LC_ALL

# The version node of gavatcore.map is a symbol too, of type A.
exported()
{
    nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

declared()
{
    echo '#include <gavatcore.h>' | ${CC:-cc} -E -P -Iinclude -x c - |
        tr '\n' ' ' | grep -oE 'visibility\("default"\)\)\)[^;]*;' |
        grep -oE 'gavat_[a-z_]+ ?\(' | tr -d ' (' | sort
}

has_soname()
{
    wanted=libgavatcore.so.$(sed -n "s/^soversion = '\(.*\)'/\1/p" meson.build)
    readelf -d "$library" | grep -F "SONAME" | grep -F "[$wanted]"
}

exported >"$tap_dir/exported"
declared >"$tap_dir/declared"
check "the exported symbols are those of symbols.txt" diff -u tests/abi/symbols.txt "$tap_dir/exported"
check "the headers declare what symbols.txt lists" diff -u tests/abi/symbols.txt "$tap_dir/declared"
check "the soname is the one of meson.build" has_soname
finish
