# shellcheck shell=sh
# prepare.sh: what a script does first, read with `.`: the packages it needs, and no settings of the caller's.
# Used by the scripts that read this file.
# shellcheck disable=SC2034
build_packages='gcc libc6-dev meson ninja-build pkg-config libuv1-dev libsqlite3-dev libutf8proc-dev'

# Asks apt-get only for what is missing and says what; on a system without it, says what is wanted and goes on.
install_packages()
{
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
            'install ok installed') ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This is no Debian. What is needed is there under these names:$missing" >&2
        return 0
    fi
    sudo=
    if [ "$(id -u)" != 0 ]; then
        sudo=sudo
        if ! command -v sudo >/dev/null; then
            echo "These packages are missing; as root: apt-get install$missing" >&2
            return 1
        fi
    fi
    echo "Installing by apt-get:$missing"
    apt_log=$(mktemp)
    # The word splitting is meant: one word a package.
    # shellcheck disable=SC2086
    if ! { $sudo env DEBIAN_FRONTEND=noninteractive apt-get update &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
        </dev/null >"$apt_log" 2>&1; then
        tail -n 20 "$apt_log" >&2
        rm -f "$apt_log"
        echo "apt-get failed; the packages are:$missing" >&2
        return 1
    fi
    rm -f "$apt_log"
}

# The settings of the library in the environment: stores, and whatever begins with GAVAT_.
forget_settings()
{
    for setting in POSTGRES_URL DATABASE_URL MONGODB_URI MONGODB_DB REDIS_URL $(env | sed -n 's/^\(GAVAT_[A-Z_]*\)=.*/\1/p'); do
        unset "$setting"
    done
}
