#!/bin/sh
# Every shell script is clean under shellcheck and readable by a plain POSIX shell.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh

for script in .ci/run $(find tests examples docs -name '*.sh' | sort); do
    if command -v shellcheck >/dev/null; then
        check "$script is clean" shellcheck "$script"
    else
        skip "$script is clean" "shellcheck is not here"
    fi
done
finish
