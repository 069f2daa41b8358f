# shellcheck shell=sh
# pgbouncer.sh: a pooler in transaction mode before the server of postgresql.sh, read with `.` after it. It takes no options at the login, so
# what holds a case is a database, not a schema: its URL, in pgbouncer_url, has {name} in that place.
# What postgresql.sh has set:
# shellcheck disable=SC2154
pgbouncer_pid=
pgbouncer_url=

# After start_postgresql. False: there is none, and no URL.
start_pgbouncer()
{
    pooler=$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null) && [ -n "$postgresql_pid" ] || return 1
    PGPASSWORD=$password "$programs/psql" -q -h 127.0.0.1 -p "$port" -U gavat -d postgres -c 'CREATE DATABASE gavat_template' </dev/null &&
        PGPASSWORD=$password "$programs/psql" -q -h 127.0.0.1 -p "$port" -U gavat -d gavat_template -c 'CREATE EXTENSION pg_trgm' </dev/null ||
        return 1
    echo "\"gavat\" \"$password\"" >"$postgresql_folder/pgbouncer.users"
    for attempt in 1 2 3 4 5; do
        pgbouncer_port=$((10000 + ($(od -An -N2 -tu2 /dev/urandom) + attempt) % 9000))
        cat >"$postgresql_folder/pgbouncer.ini" <<END
[databases]
* = host=127.0.0.1 port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pgbouncer_port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $postgresql_folder/pgbouncer.users
pool_mode = transaction
max_client_conn = 500
default_pool_size = 3
max_db_connections = 3
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits
END
        [ "$(id -u)" != 0 ] || chown postgres "$postgresql_folder"/pgbouncer.*
        (run_unprivileged "$pooler" pgbouncer.ini) </dev/null >>"$postgresql_folder/pgbouncer.log" 2>&1 &
        pgbouncer_pid=$!
        for _ in $(seq 50); do
            kill -0 "$pgbouncer_pid" 2>/dev/null || break
            if "$programs/pg_isready" -q -h 127.0.0.1 -p "$pgbouncer_port"; then
                # Used by the scripts that read this file.
                # shellcheck disable=SC2034
                pgbouncer_url="postgresql://gavat:$password@127.0.0.1:$pgbouncer_port/{name}"
                return 0
            fi
            sleep 0.1
        done
        stop_pgbouncer
    done
    tail -n 20 "$postgresql_folder/pgbouncer.log" >&2
    return 1
}

stop_pgbouncer()
{
    [ -n "$pgbouncer_pid" ] || return 0
    kill -TERM "$pgbouncer_pid" 2>/dev/null
    wait "$pgbouncer_pid" 2>/dev/null
    pgbouncer_pid=
}
