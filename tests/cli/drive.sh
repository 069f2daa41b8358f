# shellcheck shell=sh
# What drives gavatctl as a person or a script does, and prints TAP: read it with `.`, then run, feed, check and skip, and
# finish at the end. GAVATCTL is the program; every test has a fresh folder, where it stands, and settings of its own. Checks
# that need a tool which is not there are skipped by name.
: "${GAVATCTL:?set GAVATCTL to the program}"
case $GAVATCTL in
/*) ;;
*) GAVATCTL=$(pwd)/$GAVATCTL ;;
esac

home=$(mktemp -d) || exit 1
trap 'rm -rf "$home"' EXIT
cd "$home" || exit 1
for name in $(env | sed -n 's/^\(GAVAT_[A-Z_]*\)=.*/\1/p') \
    POSTGRES_URL DATABASE_URL MONGODB_URI MONGODB_DB REDIS_URL NO_COLOR; do
    unset "$name"
done
HOME=$home XDG_CONFIG_HOME=$home/xdg LC_ALL=C.UTF-8 TERM=xterm
export HOME XDG_CONFIG_HOME LC_ALL TERM

number=0 failures=0 code=0

# run ARGUMENTS…: stdout in ./out, stderr in ./err, the exit code in $code.
# feed TEXT ARGUMENTS…: the same with TEXT on stdin.
run() {
    "$GAVATCTL" "$@" >out 2>err </dev/null
    code=$?
}

feed() {
    text=$1
    shift
    printf '%b' "$text" | "$GAVATCTL" "$@" >out 2>err
    code=$?
}

# check NAME CONDITION: the condition is shell text.
check() {
    number=$((number + 1))
    if eval "$2"; then
        echo "ok $number - $1"
        return
    fi
    failures=$((failures + 1))
    echo "not ok $number - $1"
    echo "# wanted: $2"
    echo "# exit code $code"
    head -n 5 out | sed 's/^/# out: /'
    head -n 5 err | sed 's/^/# err: /'
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

code_is() { [ "$code" -eq "$1" ]; }
out_has() { grep -qF -e "$1" out; }
err_has() { grep -qF -e "$1" err; }
out_like() { grep -qE -e "$1" out; }
out_is() { [ "$(cat out)" = "$1" ]; }
lines_are() { [ "$(wc -l <out)" -eq "$1" ]; }
silent() { [ ! -s "$1" ]; }
has() { command -v "$1" >/dev/null 2>&1; }

finish() {
    echo "1..$number"
    [ "$failures" -eq 0 ]
    exit
}
