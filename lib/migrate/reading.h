/* reading.h: the legacy files of the original system, read source by source into records of the stores. A reader finds records and says
 * what is wrong with the others; what becomes of a record (counted, written, compared) is the business of whoever reads: `take`.
 *
 * A record's uid is made of where it comes from and what it says: a version 8 UUID (RFC 9562, section 5.8) whose first 48 bits are
 * its time in milliseconds, then GV_MIGRATED, then a hash of its stream, its content and which of several equal ones it is. So the same record
 * has the same uid however often it is read, also when its file was rotated or grew in between.
 *
 * All of it runs on one thread of its own, and blocks. */
#ifndef GV_MIGRATE_READING_H
#define GV_MIGRATE_READING_H
#include "../base/zone.h"
#include "../core/client.h"
#include "../../include/gavatcore/migrate.h"

#define GV_MIGRATED 0x6d1u      /* the 12 bits behind the version: the uid was made here */
#define GV_SOURCE_WHY 320       /* room for why a record is refused */

typedef enum gv_source_kind {   /* the words of gavat_migration.only, in the order in which they are read */
    GV_SOURCE_LOGS, GV_SOURCE_ANALYTICS, GV_SOURCE_CHARACTERS, GV_SOURCE_MESSAGES, GV_SOURCE_PERSONAS, GV_SOURCE_PROFILES,
    GV_SOURCE_STATES, GV_SOURCE_COOLDOWNS, GV_SOURCE_DATABASE, GV_SOURCE_KINDS,
    GV_SOURCE_UNKNOWN = GV_SOURCE_KINDS         /* is not read, but named */
} gv_source_kind;
extern const char *const gv_source_names[GV_SOURCE_KINDS + 1];
/* Sources whose records may take the place of something. */
#define GV_SOURCES_OF_THINGS \
    (1u << GV_SOURCE_PERSONAS | 1u << GV_SOURCE_PROFILES | 1u << GV_SOURCE_STATES | 1u << GV_SOURCE_COOLDOWNS | 1u << GV_SOURCE_DATABASE)

typedef enum gv_oddity {
    GV_ODD_MARK, GV_ODD_LATIN5, GV_ODD_CONTINUED, GV_ODD_CARRIAGE, GV_ODD_TWICE, GV_ODD_SKIPPED, GV_ODD_KEY_TWICE, GV_ODD_OTHER_NAME,
    GV_ODD_EXPIRED, GV_ODD_ROUNDED, GV_ODD_CURRENCY, GV_ODD_WRAPPED, GV_ODD_EMPTY, GV_ODD_MERGED, GV_ODD_ITSELF,
    GV_ODDITIES
} gv_oddity;

typedef struct gv_source {      /* a file, or a table of a database */
    const char *path;           /* relative to the directory */
    const char *stream;         /* of logs: the user; equal for a log and its rotated files */
    const char *table;          /* of a database; else NULL */
    gv_source_kind kind;
    int64_t age;                /* of a rotated log: when; INT64_MAX: the live one */
    uint64_t records, rejected;
    uint64_t odd[GV_ODDITIES];
    uint64_t landed, present;   /* of a run */
    bool absent;                /* the database has no such table */
} gv_source;

typedef struct gv_found {       /* a record, while `take` has it */
    gv_source *source;
    uint64_t line;              /* of a file; of an array or object which item, of a table the row's id */
    const char *kind;           /* as gavat_batch_add_json wants it: "event" … */
    gv_slice json;
    const char *uid;            /* "": the kind has none */
} gv_found;

bool gv_found_is_new(const gv_found *found);    /* it takes the place of nothing: an event, a sale, a message */

typedef struct gv_seen gv_seen;         /* seen.c: which of several equal records this is */

typedef struct gv_reading gv_reading;
struct gv_reading {
    gavat *client;
    gavat_op *op;               /* that asked; NULL: nobody is told */
    const char *directory;
    const gv_zone *zone;        /* of times without one */
    unsigned only;              /* 1 << gv_source_kind, of those to be read */
    size_t most_record;         /* bytes */
    bool (*take)(gv_reading *reading, const gv_found *found);   /* false: enough, or `failed` is set */
    bool (*reject)(gv_reading *reading, gv_source *source, uint64_t line, const char *why);
    void *user;
    int failed;                 /* negative errno of what stopped it; 0: nothing */

    gv_arena arena;             /* sources and their names */
    gv_source *sources;
    size_t count, room;
    gv_seen *seen;
    gv_text path, json, scratch;        /* of the record at hand */
    gv_text identity;
};

/* --- reading.c --- */

int gv_reading_start(gv_reading *reading, const gavat_migration *wanted, char why[GV_SOURCE_WHY]);     /* finds the sources; 0 or -errno */
/* Every source in its order; 0, or what stopped it. */
int gv_reading_run(gv_reading *reading);
void gv_reading_end(gv_reading *reading);
bool gv_reading_wanted(gv_reading *reading);    /* false: its caller has gone */
void gv_reading_odd(gv_source *source, gv_oddity what);
void gv_source_describe(const gv_source *source, gv_text *out, bool ran);       /* as one JSON object */

/* For readers. A record: begin, its members, end. Values of `text` are bytes of UTF-8. False of end and reject: stop. */
void gv_found_begin(gv_reading *reading);
void gv_found_text(gv_reading *reading, const char *key, gv_slice text);
void gv_found_json(gv_reading *reading, const char *key, gv_slice value);
/* Details of any kind: an object as it is; another value, and text that is no JSON, inside one as "details"; null and nothing not at all. */
void gv_found_details(gv_reading *reading, gv_source *source, const char *key, gv_slice details);
void gv_found_time(gv_reading *reading, const char *key, gavat_time time);
/* identity: what makes it this record; .data NULL: kinds without a uid. */
bool gv_found_end(gv_reading *reading, gv_source *source, uint64_t line, const char *kind, gavat_time time, gv_slice identity);
/* The two parts of it, for a record whose JSON is made by others, whole in reading->json. False: no memory; stop. */
bool gv_found_make_uid(gv_reading *reading, const gv_source *source, const char *kind, gavat_time time, gv_slice identity, char uid[37]);
bool gv_found_send(gv_reading *reading, gv_source *source, uint64_t line, const char *kind, const char *uid);
bool gv_found_reject(gv_reading *reading, gv_source *source, uint64_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A time as the original wrote it: without a zone it is local. False: it is none. */
bool gv_reading_time(gv_reading *reading, gv_source *source, gv_slice text, gavat_time *time);
/* A file, as a whole, as UTF-8 without its byte order mark. False: it was rejected, and *go_on says whether to read on. */
bool gv_reading_load(gv_reading *reading, gv_source *source, gv_text *out, bool *go_on);
const char *gv_reading_path(gv_reading *reading, const gv_source *source);      /* whole; valid until the next one; NULL: no memory */

/* --- folder.c --- */
int gv_folder_find(gv_reading *reading);

/* --- seen.c --- */
gv_seen *gv_seen_new(void);                     /* NULL: no memory */
void gv_seen_free(gv_seen *seen);
void gv_seen_clear(gv_seen *seen);
/* How many equal ones came before in this stream, among the last million different ones. False: no memory. */
bool gv_seen_count(gv_seen *seen, uint64_t hash, uint32_t *before);

/* --- the readers: false: stop --- */
bool gv_read_log(gv_reading *reading, gv_source *source);               /* logs.c */
bool gv_read_analytics(gv_reading *reading, gv_source *source);         /* records.c */
bool gv_read_characters(gv_reading *reading, gv_source *source);
bool gv_read_messages(gv_reading *reading, gv_source *source);
bool gv_read_document(gv_reading *reading, gv_source *source);          /* documents.c */
bool gv_read_states(gv_reading *reading, gv_source *source);            /* states.c */
bool gv_read_cooldowns(gv_reading *reading, gv_source *source);
extern const char *const gv_database_tables[];                          /* database.c; NULL at the end */
bool gv_read_database(gv_reading *reading, gv_source *source);

/* --- encoding.c: text in place as UTF-8: ISO-8859-9 is converted (*converted), where nothing in it is UTF-8 beyond ASCII. NULL, or why it
 * cannot be told what it is; "" for no memory. --- */
const char *gv_text_to_utf8(gv_text *text, bool *converted);
#endif
