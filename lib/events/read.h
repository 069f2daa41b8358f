/* read.h: a record out of a JSON object: one type of JSON value for each type of field, nothing guessed. What the
 * values may be is checked afterwards, in incoming.c, as for a record that came as a struct. */
#ifndef GV_EVENTS_READ_H
#define GV_EVENTS_READ_H
#include "records.h"

/* Fills in->own, texts into in->scratch. False: refused. in->kind is set, object has passed gv_json_check. */
bool gv_read_object(gv_incoming *in, gv_slice object);

/* incoming.c. Always false. */
bool gv_incoming_refuse(gv_incoming *in, gavat_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
