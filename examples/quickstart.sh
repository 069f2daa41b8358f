#!/bin/sh
# From a fresh Debian 12 to the whole system on the screen, without any server: installs what building needs (says what; sudo
# when not root), builds in build/, loads the sample records of examples/data, shows what gavatctl makes of them.
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

# The settings of this run: three stores, a folder of their own, nothing from the caller's environment.
forget_settings
rm -rf "$build/quickstart"
mkdir "$build/quickstart"
POSTGRES_URL=sqlite:///$build/quickstart/gavatcore.db
MONGODB_URI=file://$build/quickstart/profiles
REDIS_URL=sqlite:///$build/quickstart/state.db
export POSTGRES_URL MONGODB_URI REDIS_URL
gavatctl=$build/main/cli/gavatctl

show()
{
    printf '\n$ gavatctl %s\n' "$*"
    "$gavatctl" -o table "$@"
}

echo "Loading examples/data into $build/quickstart …"
"$build/main/examples/load_samples" examples/data

# Events, sales, messages, sessions: what happened.
show events list --limit 8
show events search ışık --limit 5
show sales stats
show messages stats
show sessions list --active --limit 8

# Profiles: what a bot is.
show profiles list --type bot
show profiles get gece_kuşu gpt.temperature

# Conversations, in the state store: a message comes in, the bot may answer once, and says that it did.
show dm apply gece_kuşu 103812 user_responded
show dm permit gece_kuşu 103812
show dm apply gece_kuşu 103812 bot_sent
show -q dm permit gece_kuşu 103812 || echo "(no: the cooldown of 5 minutes runs)"

cat <<EOF

All of it is in one folder, $build/quickstart: gavatcore.db, state.db and profiles/. To go on:

  export POSTGRES_URL=$POSTGRES_URL MONGODB_URI=$MONGODB_URI REDIS_URL=$REDIS_URL
  export PATH="\$PWD/$build/main/cli:\$PATH"
  gavatctl events stats --by type
  gavatctl events log 1001 dm_received "Merhaba" --username ayse
  gavatctl sales list --status pending -o csv
  gavatctl profiles set gece_kuşu gpt.temperature 0.5 reply_mode manual
  gavatctl profiles search şen -o json
  gavatctl state set 1001 lang tr --expire 1h
  gavatctl cooldown try 1001 welcome 5m
  gavatctl dm list --bot gece_kuşu
  gavatctl doctor
  gavatctl --help
EOF
