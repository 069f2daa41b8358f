/* records.h: the four kinds of records of the events area, each described once by a table of fields. Checking, copying, binding to SQL,
 * reading rows, printing and reading JSON all walk that table. */
#ifndef GV_EVENTS_RECORDS_H
#define GV_EVENTS_RECORDS_H
#include "../../include/gavatcore/events.h"
#include "../base/decimal.h"
#include "../core/batch.h"
#include "../core/op.h"

typedef enum gv_field_type {
    GV_FIELD_ID,                /* int64_t: the store's integer; out only */
    GV_FIELD_UID,               /* const char *: canonical UUID text */
    GV_FIELD_TEXT,              /* const char * */
    GV_FIELD_JSON,              /* const char *: stored in Python's form; what is not JSON in old rows is read as it is */
    GV_FIELD_MONEY,             /* const char *: decimal text */
    GV_FIELD_TIME,              /* gavat_time */
    GV_FIELD_INTEGER,           /* int64_t, 1 … 2147483647; -1 is 0, and 0 not given */
    GV_FIELD_FLAG               /* int32_t: 1, -1, 0 not given */
} gv_field_type;

enum {
    GV_FIELD_REQUIRED = 1,      /* given, and not "" */
    GV_FIELD_OUT = 2,           /* never written from a record */
    GV_FIELD_KEPT = 4           /* written from JSON, as an export says it, never from a struct, which a program may hand back as it came */
};

typedef struct gv_field {
    const char *name;           /* column, and key in JSON */
    gv_field_type type;
    uint16_t offset;            /* in the public struct */
    uint16_t most;              /* characters of a TEXT; 0: bounded by GAVAT_MAX_RECORD only */
    uint8_t flags;
    const char *fallback;       /* what is written when it is not given: "INFO", "{}"; NULL: SQL NULL */
} gv_field;

#define GV_FIELDS_MOST 20
typedef struct gv_record_kind {
    gv_shape shape;             /* first: gv_result.shape points at it */
    const char *table;
    const gv_field *fields;     /* in the order of the columns, uid last */
    size_t count;
    size_t size;                /* of the public struct */
    const gv_field *owner;      /* user_id, or bot_username: first part of the identity */
    const gv_field *time;       /* second part; of sessions last_activity */
    const gv_field *uid;        /* third part; NULL: sessions */
} gv_record_kind;

extern const gv_record_kind gv_events_kind, gv_sales_kind, gv_messages_kind, gv_sessions_kind;

static inline void *gv_field_at(const void *record, const gv_field *field)
{
    return (char *)(uintptr_t)record + field->offset;
}
static inline const char *gv_field_text(const void *record, const gv_field *field)      /* UID, TEXT, JSON, MONEY */
{
    return *(const char *const *)gv_field_at(record, field);
}

/* A record on its way in: copied from the caller's by its stamped size (0: refused), uid and time fixed, every field checked, defaults
 * filled in, JSON rewritten. `own` is the struct; its texts are the caller's, or in `scratch`. */
typedef struct gv_incoming {
    const gv_record_kind *kind;
    union {
        gavat_event event;
        gavat_sale sale;
        gavat_message message;
        gavat_session session;
    } own;
    char uid[37];
    gv_arena scratch;
    gavat_status status;        /* of the failure */
    char why[256];
} gv_incoming;

/* False: in->status and in->why say why not. any_json: JSON fields may hold any JSON value, as old rows do; else only objects.
 * Frees nothing: gv_incoming_free always. */
bool gv_incoming_take(gv_incoming *in, gavat *g, const gv_record_kind *kind, const void *record, bool any_json);
/* The same from one JSON object, keys as the columns; id and updated_at are ignored, an unknown key is refused. */
bool gv_incoming_read(gv_incoming *in, gavat *g, const gv_record_kind *kind, gv_slice object);
/* The same of one that had passed before, and was kept as gv_record_print gave it: its times may be ahead of a clock that was set back. */
bool gv_incoming_restore(gv_incoming *in, gavat *g, const gv_record_kind *kind, gv_slice object);
void gv_incoming_free(gv_incoming *in);

/* The struct with all its texts behind it, in one piece of memory. */
size_t gv_record_measure(const gv_record_kind *kind, const void *record);
void gv_record_copy(const gv_record_kind *kind, void *memory, const void *record);      /* memory: that many bytes, aligned */

/* What gv_batch_entry.record points at: both are in the batch's arena. */
typedef struct gv_batch_record {
    const gv_record_kind *kind;
    void *record;
} gv_batch_record;

/* An amount as a store has it: the number, and its exact text, which counts as long as it says what the number says: another program may
 * have changed that since. The text itself, or in `text`; NULL: the number is none. */
const char *gv_money_text(double number, const char *exact, char text[GV_DECIMAL_ROOM]);

/* As a JSON object, uid behind id and the other fields in order; not given: null. shape.print of each kind comes here. */
void gv_record_print(const gv_record_kind *kind, const void *record, gv_text *out);
#endif
