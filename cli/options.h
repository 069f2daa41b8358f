/* options.h: the command table and a parsed call. One table drives parsing, help, suggestions and completion: a
 * command is one row in the file of its group, a group one line in commands.c. Rows are static; a call lives from
 * ctl_parse to the end of the program. */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H
#include "buffer.h"
#include <gavatcore.h>
#include <stdbool.h>

typedef enum ctl_kind {
    CTL_TEXT,    /* any text; "-" reads stdin */
    CTL_JSON,    /* a JSON object; "-" reads stdin */
    CTL_FLAG,    /* an option without a value */
    CTL_SWITCH,  /* "--active" or "--active=yes", "--active=no" */
    CTL_INTEGER, /* within least .. most */
    CTL_TIME,
    CTL_DURATION,
    CTL_RATE,   /* "3/1h": so many in so long */
    CTL_CHOICE, /* one of choices */
    CTL_WORD,   /* a text in which "-" is just that */
    CTL_FILE
} ctl_kind;

/* An option, or an argument (name "USER", no letter). Arrays of them end with an empty one. An option's name takes a
 * value in every command or in none: that lets options stand before the command's words. */
typedef struct ctl_option {
    const char *name;
    char letter;
    bool optional; /* of an argument; those come last */
    bool repeats;  /* of an argument; those come last too, and all of them together may stand again and again */
    bool required; /* of an option */
    ctl_kind kind;
    const char *value;   /* "TIME": the value's name in help */
    const char *instead; /* of the first argument: the option that stands in its place; NULL: none */
    const char *choices; /* "a|b|c": of CTL_CHOICE all there are, else what completion offers */
    int64_t least, most; /* of CTL_INTEGER */
    const char *help; /* of an option NULL: help and completion do not name it */
} ctl_option;

typedef struct ctl_call ctl_call;
struct ctl_session;

typedef struct ctl_command {
    const char *name; /* "": the group itself is the command */
    const char *summary;
    const char *about;                     /* further sentences of its help; NULL: none */
    const char *examples;                  /* lines without the leading blanks */
    const ctl_option *arguments, *options; /* NULL: none */
    const char *columns;                   /* "id,uid": of its records, in CSV and tables; NULL: it prints no records */
    const char *shown;                     /* the columns of the table, where they are fewer; NULL: the same */
    const char *const *settings;           /* that it sets whatever the person's are: names and values, NULL at the end */
    int (*run)(const ctl_call *call);      /* gives the exit code; NULL ends an array of commands */
    /* Where run is ctl_run_op: the one op that the command is, and what it prints once that went well (NULL: nothing);
     * answer gives the exit code. */
    void (*submit)(gavat_op *op, const ctl_call *call);
    int (*answer)(struct ctl_session *session, const gavat_op *op);
} ctl_command;

/* The stores that a group's commands use; the others are off for the call, so that one that is away does no harm. */
enum { CTL_EVENTS = 1, CTL_PROFILES = 2, CTL_STATE = 4, CTL_STORES = CTL_EVENTS | CTL_PROFILES | CTL_STATE };

typedef struct ctl_group {
    const char *name, *summary;
    const ctl_command *commands;
    unsigned stores; /* CTL_EVENTS, … */
} ctl_group;

extern const ctl_group *const ctl_groups[]; /* ends with NULL */
extern const ctl_option ctl_common[];       /* options of every command */

typedef enum ctl_format { CTL_TABLE, CTL_ARRAY, CTL_LINES, CTL_CSV } ctl_format;

#define CTL_MOST_VALUES 64
#define CTL_MOST_ARGUMENTS 256
struct ctl_call {
    const ctl_group *group;     /* NULL: no words were given */
    const ctl_command *command; /* NULL: a group without its command */
    struct {
        const ctl_option *option;
        const char *text;
    } values[CTL_MOST_VALUES];
    size_t value_count;
    const char *arguments[CTL_MOST_ARGUMENTS];
    size_t argument_count;
    bool help, version, quiet, verbose, yes, colour;
    bool format_given; /* -o stands there */
    ctl_format format;
};

/* 0, or the exit code after an error has been told. Checks words, kinds and ranges, then reads stdin for a "-". */
int ctl_parse(ctl_call *call, int argc, const char *const *argv);
int ctl_read_dashes(ctl_call *call);

/* call.c: what was given; NULL, false or fallback when it was not. The last one wins. */
const char *ctl_get_argument(const ctl_call *call, size_t i); /* NULL also where an option stands in its place */
const char *ctl_get_text(const ctl_call *call, const char *name);
bool ctl_get_flag(const ctl_call *call, const char *name);
int32_t ctl_get_switch(const ctl_call *call, const char *name); /* 1: yes, -1: no, 0: not given */
int64_t ctl_get_integer(const ctl_call *call, const char *name, int64_t fallback);
int64_t ctl_get_argument_integer(const ctl_call *call, size_t i, int64_t fallback);
gavat_time ctl_get_time(const ctl_call *call, const char *name);  /* 0: not given */
int64_t ctl_get_duration(const ctl_call *call, const char *name); /* milliseconds; 0: not given */
int64_t ctl_get_argument_duration(const ctl_call *call, size_t i);

/* Tells what is wrong and where help is; gives 2. */
int ctl_usage(const ctl_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Looking into the table. */
const ctl_group *ctl_find_group(const char *name);
const ctl_command *ctl_find_command(const ctl_group *group,
                                    const char *name); /* "": only where the group is the command */
const ctl_option *ctl_find_option(const ctl_option *options, const char *name, size_t length, char letter);
bool ctl_has_choice(const char *choices, const char *word);
bool ctl_takes_word(const ctl_option *option); /* the word behind it is its value */
void ctl_add_repeated(ctl_buffer *out, const ctl_option *arguments); /* the end of a usage: "…" or " [A B]…" */

/* help.c: help of the level that call is on, to stdout; the nearest of the names offered so far. */
int ctl_print_help(const ctl_call *call);
typedef struct ctl_nearest {
    const char *wanted, *name; /* name NULL: nothing near */
    size_t distance;
} ctl_nearest;
void ctl_offer(ctl_nearest *nearest, const char *name);
#endif
