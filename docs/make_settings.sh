#!/bin/sh
# Prints the reference of the settings out of the table in the library, through gavatctl:
#   sh docs/make_settings.sh GAVATCTL >docs/settings.md
#   sh docs/make_settings.sh --man GAVATCTL >docs/man/gavatcore-settings.5
# tests/docs fails when one of the two files is not what this prints.
set -eu
form=page
if [ "$1" = --man ]; then
    form='man'
    shift
fi

# key, default, allowed and help of each setting, with tabs between them. Nothing of the caller's own settings gets in.
settings()
{
    env -i "$1" config show -c /dev/null -o jsonl |
        sed -E 's/^\{"key":"(.*)","value":".*","source":".*","default":"(.*)","allowed":"(.*)","help":"(.*)"\}$/\1\t\2\t\3\t\4/; s/\\"/"/g'
}

print_page()
{
    cat <<'EOF'
# Settings

This page is made by `docs/make_settings.sh` out of the table in the code; `gavatctl config show` prints the same with
the values in force.

A setting is a name with a text. Where the same name is given more than once, an option of `gavatctl` beats the
environment, the environment beats the settings file, and that beats the default. In a program the later of
`gavat_config_load_file`, `gavat_config_load_env` and `gavat_config_set` wins, so call them in that order. An empty
value means "not given".

`gavatctl` reads the file that `-c` names, else the first of `./config_db.env`, `$XDG_CONFIG_HOME/gavatcore/config.env`
(without that variable `~/.config/gavatcore/config.env`) and `/etc/gavatcore/config.env` that exists. A file holds lines
`KEY=VALUE`. Blank lines and lines that begin with `#` are skipped, `export ` may stand before a key, a value may stand
in `'…'` or `"…"`, and nothing is expanded. A name that begins with `GAVAT_` and is not in the table is an error; other
names are let be, and `gavatctl config check` lists those of the file.

Durations are written `250ms`, `10s`, `1m30s`, `24h`; a bare number is seconds. Bytes are written `4096`, `64KiB`,
`1MiB`, `2GiB`.

| setting | default | allowed | what it does |
|---|---|---|---|
EOF
    settings "$1" | awk -F'\t' '{ printf "| `%s` | %s | %s | %s |\n", $1, $2 == "" ? "none" : "`" $2 "`", $3, $4 }'
    cat <<'EOF'

A store URL of the events area is `sqlite:///folder/file.db` (below the working directory) or
`sqlite:////folder/file.db` (from the root); `sqlite+aiosqlite:` means the same. The path is made absolute in
`gavat_new`, so a program may change its folder later.
EOF
}

print_man()
{
    version=$(env -i "$1" --version)
    cat <<EOF
.\\" Made by docs/make_settings.sh out of the table in the code.
.TH GAVATCORE-SETTINGS 5 "" "gavatcore ${version#* }" "gavatcore"
EOF
    cat <<'EOF'
.nh
.ad l
.SH NAME
gavatcore\-settings \- settings of libgavatcore and gavatctl
.SH DESCRIPTION
A setting is a name with a text. It is given by an option of
.BR gavatctl (1),
by the environment, or by a settings file, and the first of these that has it counts; else its default holds.
An empty value means \(dqnot given\(dq.
.PP
A settings file holds lines KEY=VALUE. Blank lines and lines that begin with # are skipped, export may stand before a key, a value may
stand in single or double quotes, and nothing is expanded. A name that begins with GAVAT_ and is not below is an error; other names are let be.
.PP
Durations are written 250ms, 10s, 1m30s or 24h; a bare number is seconds. Bytes are written 4096, 64KiB, 1MiB or 2GiB.
.SH SETTINGS
EOF
    settings "$1" | awk -F'\t' '
        { for (i = 1; i <= 4; i++) { gsub(/\\/, "\\e", $i); gsub(/-/, "\\-", $i); gsub(/\047/, "\\(aq", $i) }
          printf ".TP\n.B %s\n%s\n.br\nAllowed: %s. Default: %s.\n", $1, $4, $3, $2 == "" ? "none" : $2 }'
    cat <<'EOF'
.SH FILES
gavatctl reads the file that \-\-config names, else the first of these that exists:
.PP
.nf
.RS 4
\&./config_db.env
$XDG_CONFIG_HOME/gavatcore/config.env
/etc/gavatcore/config.env
.RE
.fi
.SH "SEE ALSO"
.BR gavatctl (1),
.BR gavatcore (3)
EOF
}

print_$form "$1"
