# shellcheck shell=sh
# redis.sh: a Redis server for the tests, read with `.`: on loopback, as an unprivileged user, with a folder of its own that goes with it.
# Its URL is in redis_url, with {database} for the database of a case.
redis_pid=
redis_folder=
redis_url=

run_redis_unprivileged()
{
    cd "$redis_folder" || exit 1
    [ "$(id -u)" != 0 ] || set -- setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    exec "$@"
}

# At this port; false: it was taken.
launch_redis()
{
    (run_redis_unprivileged redis-server "$redis_folder/redis.conf" --port "$1") </dev/null >>"$redis_folder/log" 2>&1 &
    redis_pid=$!
    for _ in $(seq 100); do
        kill -0 "$redis_pid" 2>/dev/null || break
        case $(REDISCLI_AUTH=$redis_password redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null) in
            PONG) return 0 ;;
        esac
        sleep 0.1
    done
    stop_redis_server
    return 1
}

stop_redis_server()
{
    [ -n "$redis_pid" ] || return 0
    kill "$redis_pid" 2>/dev/null
    wait "$redis_pid" 2>/dev/null
    redis_pid=
}

# False: there is none, and no URL.
start_redis()
{
    command -v redis-server >/dev/null && command -v redis-cli >/dev/null || return 1
    redis_folder=$(mktemp -d "${TMPDIR:-/tmp}/gavat-redis-XXXXXX") || return 1
    redis_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    cat >"$redis_folder/redis.conf" <<END
bind 127.0.0.1
databases 4096
requirepass $redis_password
save ""
appendonly no
daemonize no
dir $redis_folder
END
    [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$redis_folder"
    for attempt in 1 2 3 4 5; do
        redis_port=$((20000 + ($(od -An -N2 -tu2 /dev/urandom) + attempt) % 12000))
        ! launch_redis "$redis_port" || break
    done
    if [ -z "$redis_pid" ]; then
        tail -n 20 "$redis_folder/log" >&2
        return 1
    fi
    # Used by the scripts that read this file.
    # shellcheck disable=SC2034
    redis_url="redis://:$redis_password@127.0.0.1:$redis_port/{database}"
}

stop_redis()
{
    stop_redis_server
    [ -z "$redis_folder" ] || rm -rf "$redis_folder"
    redis_folder=
}
