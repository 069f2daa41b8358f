# shellcheck shell=sh
# postgresql.sh: a PostgreSQL server for the tests, read with `.`: on loopback, as an unprivileged user, with a folder of its own that goes
# with it. Its URL is in postgresql_url, with {name} for the schema of a case.
postgresql_pid=
postgresql_folder=
postgresql_url=
# What is stored need not outlive the machine; the tests of crashes kill the process, not the machine.
postgresql_settings='-c fsync=off -c full_page_writes=off'
policy_made=
sudo=

# Debian's packages make a cluster and start it when they are installed: neither is wanted. Before install_packages.
hold_servers_back()
{
    case $(dpkg-query -W -f '${Status} ' postgresql pgbouncer redis-server 2>/dev/null) in
        'install ok installed install ok installed install ok installed ') return 0 ;;
    esac
    command -v apt-get >/dev/null || return 0
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
    [ ! -e /usr/sbin/policy-rc.d ] || return 0
    printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
    $sudo chmod 755 /usr/sbin/policy-rc.d
    policy_made=yes
}

# After install_packages.
let_servers_go()
{
    [ -z "$policy_made" ] || $sudo rm -f /usr/sbin/policy-rc.d
    policy_made=
}

# The newest server that is installed, by the folder of its programs.
find_postgresql()
{
    for folder in /usr/lib/postgresql/*/bin; do
        [ ! -x "$folder/initdb" ] || echo "$folder"
    done | sort -t/ -k5 -n | tail -n 1
}

# run_unprivileged COMMAND…: postgres and initdb refuse root. Replaces the (sub)shell.
run_unprivileged()
{
    cd "$postgresql_folder" || exit 1
    [ "$(id -u)" != 0 ] || set -- setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    exec "$@"
}

# At a port of its own; false: that one was taken.
launch_postgresql()
{
    # Word splitting is meant: one word an option.
    # shellcheck disable=SC2086
    (run_unprivileged "$programs/postgres" -D "$postgresql_folder/data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=200 $postgresql_settings) </dev/null >>"$postgresql_folder/log" 2>&1 &
    postgresql_pid=$!
    for _ in $(seq 300); do
        kill -0 "$postgresql_pid" 2>/dev/null || break
        ! "$programs/pg_isready" -q -h 127.0.0.1 -p "$port" || return 0
        sleep 0.1
    done
    stop_postgresql_server
    return 1
}

stop_postgresql_server()
{
    [ -n "$postgresql_pid" ] || return 0
    kill -INT "$postgresql_pid" 2>/dev/null
    wait "$postgresql_pid" 2>/dev/null
    postgresql_pid=
}

# False: there is none, and no URL.
start_postgresql()
{
    programs=$(find_postgresql)
    [ -n "$programs" ] || return 1
    postgresql_folder=$(mktemp -d "${TMPDIR:-/tmp}/gavat-postgresql-XXXXXX") || return 1
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "$password" >"$postgresql_folder/password"
    [ "$(id -u)" != 0 ] || chown -R postgres "$postgresql_folder"
    if ! (run_unprivileged "$programs/initdb" -D "$postgresql_folder/data" -U gavat -E UTF8 --locale=C --no-sync -A scram-sha-256 \
        --pwfile="$postgresql_folder/password") </dev/null >"$postgresql_folder/log" 2>&1; then
        tail -n 20 "$postgresql_folder/log" >&2
        return 1
    fi
    for attempt in 1 2 3 4 5; do
        port=$((20000 + ($(od -An -N2 -tu2 /dev/urandom) + attempt) % 12000))
        ! launch_postgresql || break
    done
    if [ -z "$postgresql_pid" ]; then
        tail -n 20 "$postgresql_folder/log" >&2
        return 1
    fi
    PGPASSWORD=$password "$programs/psql" -q -h 127.0.0.1 -p "$port" -U gavat -d postgres -c 'CREATE EXTENSION pg_trgm' </dev/null || return 1
    # Used by the scripts that read this file.
    # shellcheck disable=SC2034
    postgresql_url="postgresql://gavat:$password@127.0.0.1:$port/postgres?options=-csearch_path%3D{name}%2Cpublic"
}

stop_postgresql()
{
    stop_postgresql_server
    [ -z "$postgresql_folder" ] || rm -rf "$postgresql_folder"
    postgresql_folder=
}
