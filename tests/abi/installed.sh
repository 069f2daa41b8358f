#!/bin/sh
# A library installed under a prefix of its own serves programs that know it by pkg-config alone: every example is built against
# it, shared and static, and run on the sample records.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh
data=$PWD/examples/data
prefix=$tap_dir/prefix

install_library()
{
    # A caller's flags are for the library under test, not for this copy.
    env -u CFLAGS -u LDFLAGS meson setup "$tap_dir/build" . --prefix "$prefix" --buildtype=plain -Dc_args=-O1 \
        -Dtests=disabled -Dexamples=false &&
        meson compile -C "$tap_dir/build" &&
        meson install -C "$tap_dir/build" --no-rebuild --quiet
}

# Only headers, libraries, gavatctl, the .pc file and manual pages come out of an installation.
installs_what_it_should()
{
    (cd "$prefix" && find . -type f -o -type l) | sed -E 's|^\./||; s|lib/[a-z0-9_]+-linux-[a-z0-9]+/|lib/|; s|lib64/|lib/|' |
        LC_ALL=C sort >"$tap_dir/files"
    {
        (cd include && find . -name '*.h') | sed 's|^\.|include|'
        echo bin/gavatctl
        echo lib/libgavatcore.a
        echo lib/libgavatcore.so
        echo lib/libgavatcore.so.0.1
        echo lib/libgavatcore.so.0.1.0
        echo lib/pkgconfig/gavatcore.pc
        echo share/man/man1/gavatctl.1
        echo share/man/man3/gavatcore.3
        echo share/man/man5/gavatcore-settings.5
    } | LC_ALL=C sort | diff -u - "$tap_dir/files"
}

requires_nothing_public()
{
    [ -z "$(pkg-config --print-requires gavatcore)" ] && pkg-config --print-requires-private gavatcore | grep -q libuv &&
        [ "$(pkg-config --libs gavatcore | sed 's/ *$//')" = "-L$libdir -lgavatcore" ]
}

version_agrees()
{
    version=$(pkg-config --modversion gavatcore)
    number=$(sed -n 's/^#define GAVAT_VERSION_NUMBER 0x\([0-9a-f]*\)u.*/\1/p' include/gavatcore/base.h)
    [ "$(echo "$version" | awk -F. '{ printf "%02x%02x%02x", $1, $2, $3 }')" = "$number" ] &&
        "$prefix/bin/gavatctl" --version | grep -F "$version"
}

build()
{
    source=$(echo examples/"$1".c*)
    program=$tap_dir/$1-$2
    compiler="${CC:-cc} -std=c11"
    packages=gavatcore
    case $source in
        *.cpp) compiler="${CXX:-c++} -std=c++17" ;;
    esac
    if grep -q '<uv.h>' "$source"; then
        packages="gavatcore libuv"
    fi
    # Word splitting is meant below: a word a package, a flag, a library.
    # shellcheck disable=SC2086
    if [ "$2" = static ]; then
        # The archive itself in place of -lgavatcore; what it needs comes from pkg-config.
        libs=$(pkg-config --static --libs $packages | sed "s|-lgavatcore|$libdir/libgavatcore.a|")
    else
        libs="$(pkg-config --libs $packages)"
    fi
    # shellcheck disable=SC2046,SC2086
    $compiler -Wall -Wextra -Werror $(pkg-config --cflags $packages) "$source" -o "$program" $libs -pthread
}

links_as_it_says()
{
    readelf -d "$tap_dir/$1-$2" >"$tap_dir/dynamic" || return 1
    case $2 in
        shared) grep 'NEEDED.*libgavatcore\.so' "$tap_dir/dynamic" ;;
        static) ! grep 'NEEDED.*libgavatcore\.so' "$tap_dir/dynamic" ;;
    esac
}

# Ask the cache on the pipe until it answers so.
until_it_says()
{
    for _ in $(seq 100); do
        echo ayse >&3
        sleep 0.1
        if grep -qx "ayse: $1" out; then
            return 0
        fi
    done
    cat out
    return 1
}

# What gavatctl writes beside it is seen.
keeps_fresh()
{
    gavatctl=$prefix/bin/gavatctl
    "$gavatctl" -q profiles put ayse '{"display_name": "Ayşe"}' && mkfifo questions || return 1
    "$1" <questions >out &
    exec 3>questions
    until_it_says Ayşe && "$gavatctl" -q profiles set ayse display_name Yeni && until_it_says Yeni &&
        "$gavatctl" -q profiles delete ayse --yes && until_it_says "no such profile"
    said=$?
    exec 3>&-
    wait $! && [ "$said" = 0 ]
}

# Each program starts from an empty folder; page has something to page through once import was there.
run()
{
    folder=$tap_dir/run-$1-$2
    mkdir -p "$folder" && cd "$folder" || return 1
    program=$tap_dir/$1-$2
    case $1 in
        import) "$program" <"$data/events.jsonl" ;;
        page) "$tap_dir/import-$2" <"$data/events.jsonl" && "$program" >out &&
            [ "$(wc -l <out)" -ge "$(wc -l <"$data/events.jsonl")" ] ;;
        load_samples) "$program" "$data" ;;
        state_cooldown)
            printf '42 /lang en\n42 hi\n42 again\n7 selam\n' | "$program" >out && cat out &&
                grep -qx '42: Hello! You are number 1 today.' out && grep -qE '^42: silent for another (300|2[89][0-9]) s$' out &&
                grep -qx '7: Merhaba! You are number 2 today.' out && echo '7 hala' | "$program" | grep '^7: silent' ;;
        profile_cache) keeps_fresh "$program" ;;
        echo_bot)
            printf '42 merhaba\n42 orada misin\n7 selam\n> 7 Buyrun\n/pause 42\n42 hey\n' | "$program" >out && cat out &&
                printf '%s\n' 'to 42: you said: merhaba' '42: no answer (cooldown)' 'to 7: you said: selam' \
                    '7: a person has taken over, the phase is manual_engaged' '42: no answer (paused)' | diff - out &&
                printf '1 a\n1 b\n1 c\n1 d\n1 e\n/resume 42\n42 hey\n' |
                GAVAT_DM_COOLDOWN=0 GAVAT_DM_WINDOW_MESSAGES=9 "$program" >out && cat out &&
                [ "$(sed 's/you said: //' out | tr '\n' ' ')" = \
                    "to 1: a to 1: b to 1: c to 1: d to 1: Menu: 1. help  2. a person, please to 1: e to 42: hey " ] ;;
        *) "$program" ;;
    esac
}

check "the library installs under a prefix" install_library
[ "$tap_failed" = 0 ] || finish
pc=$(find "$prefix" -name gavatcore.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir gavatcore)
LD_LIBRARY_PATH=$libdir
export LD_LIBRARY_PATH
check "nothing else is installed" installs_what_it_should
check "a shared link needs the library alone" requires_nothing_public
check "header, pkg-config and gavatctl tell one version" version_agrees
for source in examples/*.c examples/*.cpp; do
    name=$(basename "$source")
    name=${name%.*}
    for how in shared static; do
        check "$name builds by pkg-config, $how" build "$name" $how
        check "$name is linked $how" links_as_it_says "$name" $how
        check "$name runs, $how" run "$name" $how
    done
done
finish
