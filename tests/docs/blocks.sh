#!/bin/sh
# What the pages show is so: their commands run and print what stands below them, their C compiles, their programs run.
#
# The ```sh blocks of a page run one after the other in one shell, in an empty folder; one marked ```sh skip does not, and a comment
# before it, <!-- not run: … -->, says why. A ```text block
# behind one is all that it prints, stdout and stderr, with … for what differs each time. A ```c block is the inside of a
# function, or, where it has functions of its own, a file; with main it is built and run.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
source_dir=$PWD
lib=$TEST_BUILD_DIR/lib

# split PAGE FOLDER: FOLDER/page.sh, its outputs N.want, and its C, N.c.
split()
{
    awk -v out="$2" '
        function close_block() { if (kind == "sh") print "} >" out "/" n ".got 2>&1" >script; if (file) close(file); file = ""; kind = "" }
        BEGIN { script = out "/page.sh"; print "set -eu" >script }
        kind && /^```/ { last = kind; close_block(); next }
        kind == "sh" { print >script }
        file { print >file }
        kind { next }
        /^```sh$/ { kind = "sh"; n++; print "{" >script; next }
        /^```text$/ && last == "sh" { kind = "text"; file = out "/" n ".want"; next }
        /^```c$/ { kind = "c"; file = out "/" ++c ".c"; next }
        /^```/ { kind = "other"; next }
        NF { last = "" }' "$1"
}

skips_say_why()
{
    awk '/^```sh skip$/ && before !~ /^<!-- not run: .* -->$/ { print FILENAME ":" FNR; bad = 1 } { before = $0 } END { exit bad }' "$1"
}

commands_run()
{
    mkdir "$1/home" && cd "$1/home" || return 1
    env -i PATH="$(dirname "$GAVATCTL"):$PATH" HOME="$1/home" LC_ALL=C.UTF-8 sh "$1/page.sh" ||
        { cat "$1"/*.got; return 1; }
}

# as_said WANT GOT: line by line, … standing for anything in its line.
as_said()
{
    sed 's/[][\.*^$()+?{|}]/\\&/g; s/…/.*/g' "$1" >"$1.patterns"
    # libmongoc, once it is linked, warns where a killed process of the same number has left its counters behind.
    sed -i '/mongoc: Falling back to malloc for counters/d' "$2"
    [ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] || { diff "$1" "$2"; return 1; }
    while IFS= read -r pattern <&3 && IFS= read -r line <&4; do
        printf '%s\n' "$line" | grep -qxE -- "$pattern" || { printf 'said: %s\ngot:  %s\n' "$pattern" "$line"; return 1; }
    done 3<"$1.patterns" 4<"$2"
}

prints_what_it_says()
{
    for want in "$1"/*.want; do
        as_said "$want" "${want%.want}.got" || return 1
    done
}

compiles()
{
    {
        printf '#include <stdio.h>\n#include <gavatcore.h>\n'
        if grep -q '^static ' "$1"; then
            cat "$1"
        else
            printf 'int example(gavat *g, struct uv_loop_s *loop, gavat_done_fn on_logged, gavat_done_fn on_found, gavat_done_fn on_permit, void *me)\n{\n{\n'
            cat "$1"
            printf '}\nreturn 0;\n}\n'
        fi
    } >"$1.whole.c"
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -Wno-unused -Wno-unused-parameter -Iinclude -fsyntax-only -x c "$1.whole.c"
}

runs()
{
    mkdir "$1.home" && cd "$1.home" || return 1
    # libuv is for those with a loop of their own, and its header wants more than plain C11.
    # shellcheck disable=SC2046
    ${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -I"$source_dir/include" "$1" -o "$1.out" -L"$lib" -Wl,-rpath,"$lib" -lgavatcore \
        $(pkg-config --libs libuv) -pthread && env -i LC_ALL=C "$1.out"
}

for page in *.md docs/*.md; do
    folder=$tap_dir/$(echo "${page%.md}" | tr / -)
    mkdir "$folder"
    if grep -q '^```sh skip$' "$page"; then
        check "$page says why it skips" skips_say_why "$page"
    fi
    split "$page" "$folder"
    if grep -q '^{$' "$folder/page.sh"; then
        check "the commands of $page run" commands_run "$folder"
    fi
    if [ -e "$folder/1.want" ] || ls "$folder"/*.want >/dev/null 2>&1; then
        check "they print what $page says" prints_what_it_says "$folder"
    fi
    for block in "$folder"/[0-9]*.c; do
        [ -e "$block" ] || continue
        name="C block $(basename "$block" .c) of $page"
        if grep -q '^int main' "$block"; then
            check "$name builds and runs" runs "$block"
        else
            check "$name compiles" compiles "$block"
        fi
    done
done
finish
