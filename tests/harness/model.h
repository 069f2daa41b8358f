/* model.h: what a store of events must answer, in the plainest way: arrays, looked through from end to end. It knows
 * none of the library's code. Texts are short, and folding knows ASCII and the Turkish letters only: random_events.c
 * uses no others. */
#ifndef GAVATCORE_TEST_MODEL_H
#define GAVATCORE_TEST_MODEL_H
#include <gavatcore.h>
#include <stdbool.h>

typedef enum model_kind { MODEL_EVENTS, MODEL_SALES, MODEL_MESSAGES, MODEL_SESSIONS, MODEL_KINDS } model_kind;

typedef struct model_row {      /* "": not given */
    char user[12];              /* user_id; of messages target_id */
    char bot[12];
    char uid[37];
    gavat_time time;            /* of sessions last_activity */
    char type[16], level[12], username[12], text[100];
    char status[12], currency[8], notes[12];
    int64_t cents;
    int32_t flag;               /* success, is_active */
    int64_t ms;
    int keys[8], values[8], key_count;  /* extra_data of sessions: {"k<key>": value, …} in this order */
    uint64_t place;             /* in order of insertion */
} model_row;

typedef struct model_table {
    model_row *rows;
    size_t count, room;
} model_table;

typedef struct model {
    model_table tables[MODEL_KINDS];
    uint64_t places;
} model;

void model_free(model *m);

/* An event, sale or message; false: it was there already, and stays as it was. */
bool model_add(model *m, model_kind kind, const model_row *row);
/* Create or merge. */
void model_set_session(model *m, const model_row *row);
model_row *model_session(model *m, const char *user);                           /* NULL: none */
gavat_status model_update_sale(model *m, const char *uid, const char *status, const char *notes);
size_t model_expire(model *m, gavat_time before);
size_t model_prune(model *m, gavat_time before);

/* Pointers to the rows that the filter selects, newest first; keyword NULL: no search. out: room for all rows. */
size_t model_select(const model *m, model_kind kind, const gavat_filter *filter, const char *keyword,
                    const model_row **out);
#endif
