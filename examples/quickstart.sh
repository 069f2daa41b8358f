#!/bin/sh
# From a fresh Debian 12 to events on the screen, without any server: installs what building needs (says what; sudo when not
# root), builds in build/, loads the sample records of examples/data into a SQLite file, shows what gavatctl makes of them.
set -eu
cd "$(dirname "$0")/.."
build=${QUICKSTART_BUILD:-build}
. tests/harness/prepare.sh

# shellcheck disable=SC2086
install_packages $build_packages

echo "Building in $build/main …"
mkdir -p "$build"
{
    [ -f "$build/main/build.ninja" ] || meson setup "$build/main" --buildtype=release -Dtests=disabled
    ninja -C "$build/main"
} >"$build/main.log" 2>&1 || {
    tail -n 40 "$build/main.log" >&2
    exit 1
}

# The settings of this run: one store, a folder of its own, nothing from the caller's environment.
forget_settings
rm -rf "$build/quickstart"
mkdir "$build/quickstart"
POSTGRES_URL=sqlite:///$build/quickstart/gavatcore.db
export POSTGRES_URL
gavatctl=$build/main/cli/gavatctl

show()
{
    printf '\n$ gavatctl %s\n' "$*"
    "$gavatctl" -o table "$@"
}

echo "Loading examples/data into $POSTGRES_URL …"
"$build/main/examples/load_samples" examples/data

show events list --limit 8
show events search ışık --limit 5
show sales stats
show messages stats
show sessions list --active --limit 8

cat <<EOF

All of it is in one file, $build/quickstart/gavatcore.db. To go on:

  export POSTGRES_URL=$POSTGRES_URL PATH="\$PWD/$build/main/cli:\$PATH"
  gavatctl events stats --by type
  gavatctl events list --type error --since 2026-01-20 --limit 5
  gavatctl events log 1001 dm_received "Merhaba" --username ayse
  gavatctl sales list --status pending -o csv
  gavatctl doctor
  gavatctl --help
EOF
