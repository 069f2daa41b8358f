/* json_query.h: conditions on JSON documents:
 *     {"reply_mode": "hybrid", "gpt.temperature": {">=": 0.5, "<": 1}, "tags": "vip", "owner": {"!=": null}}
 * All must hold. They mean what the same find() of MongoDB means:
 * - a value, or {"=": value}: equal. Numbers by what they are worth, whatever their digits look like; objects with the
 *   same keys in the same order; null also where the path leads nowhere;
 * - {"!=": value}: everything that is not equal, also where the path leads nowhere;
 * - <, <=, >, >=: numbers with numbers, texts with texts (by their characters' numbers), nothing else;
 * - an array matches when it is equal as a whole, or one of its items matches; a path goes on through an array by a
 *   place, and through each object in it. */
#ifndef GV_BASE_JSON_QUERY_H
#define GV_BASE_JSON_QUERY_H
#include "json_path.h"

#define GV_JSON_QUERY_MOST 100          /* conditions */
#define GV_JSON_QUERY_PARTS 20          /* of a path */

typedef enum gv_json_operator {
    GV_JSON_EQUAL, GV_JSON_NOT_EQUAL, GV_JSON_LESS, GV_JSON_LESS_EQUAL, GV_JSON_GREATER, GV_JSON_GREATER_EQUAL
} gv_json_operator;

typedef struct gv_json_condition {
    gv_slice path, value;       /* value: raw JSON */
    gv_json_operator is;
} gv_json_condition;

typedef struct gv_json_query {
    const gv_json_condition *list;
    size_t count;
} gv_json_query;

/* Borrows where, the rest is in the arena. where.data NULL: no conditions. False: why has a sentence with the path, or
 * is "" when memory is out. */
bool gv_json_read_query(gv_arena *arena, gv_slice where, gv_json_query *query, char why[GV_JSON_WHY]);

/* document has passed gv_json_check, with any flags. Any thread, nothing is allocated. */
bool gv_json_match(gv_slice document, gv_json_query query);
#endif
