#!/bin/sh
# What the pages point to is there, and so are the options they name. Their commands and their C: blocks.sh.
set -u
cd "${TEST_SOURCE_DIR:-$(dirname "$0")/../..}" || exit 1
. tests/harness/tap.sh

links_lead_somewhere()
{
    grep -oE '\]\([^)#]+' "$1" | sed 's/^](//' | grep -vE '^[a-z]+:' | while read -r link; do
        [ -e "$(dirname "$1")/$link" ] || { echo "$1: $link"; exit 1; }
    done
}

options_are_known()
{
    grep -hE '^ *sh tests/run.sh' README.md CONTRIBUTING.md | grep -oE -- '--[a-z]+' | while read -r option; do
        grep -q -- "$option)" tests/run.sh || { echo "tests/run.sh $option"; exit 1; }
    done
}

version_is_in_changelog()
{
    grep -q "^## $(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)" CHANGELOG.md
}

for page in *.md $(find docs -name '*.md'); do
    check "the links of $page lead somewhere" links_lead_somewhere "$page"
done
check "the options of tests/run.sh on the pages are there" options_are_known
check "the version has its place in CHANGELOG.md" version_is_in_changelog
finish
