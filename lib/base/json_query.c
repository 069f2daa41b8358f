#include "json_query.h"

#include <stdio.h>

#include "json_number.h"
#include "json_scan.h"

static const char *const operators[] = {
    [GV_JSON_EQUAL] = "=", [GV_JSON_NOT_EQUAL] = "!=", [GV_JSON_LESS] = "<", [GV_JSON_LESS_EQUAL] = "<=",
    [GV_JSON_GREATER] = ">", [GV_JSON_GREATER_EQUAL] = ">=",
};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

/* --- Reading --- */

/* A raw key that begins as an operator does. */
static bool looks_like_operator(gv_slice key)
{
    return key.length > 2 && strchr("=!<>", key.data[1]);
}

static bool has_operators(gv_slice value)
{
    gv_slice key, item;
    if (gv_json_type_of(value) != GV_JSON_OBJECT)
        return false;
    for (gv_json_walk walk = gv_json_enter(value); gv_json_next(&walk, &key, &item);) {
        if (looks_like_operator(key))
            return true;
    }
    return false;
}

static size_t count_conditions(gv_slice where)
{
    gv_slice key, item, inner, value;
    size_t count = 0;
    for (gv_json_walk walk = gv_json_enter(where); gv_json_next(&walk, &key, &item);) {
        if (!has_operators(item)) {
            count++;
            continue;
        }
        for (gv_json_walk inside = gv_json_enter(item); gv_json_next(&inside, &inner, &value);)
            count++;
    }
    return count;
}

static bool read_operator(gv_slice key, gv_json_condition *condition, char why[GV_JSON_WHY])
{
    gv_slice name = {key.data + 1, key.length - 2};
    for (unsigned i = 0; i < OPERATORS; i++) {
        if (!gv_slice_is(name, operators[i]))
            continue;
        condition->is = (gv_json_operator)i;
        gv_json_type type = gv_json_type_of(condition->value);
        return i <= GV_JSON_NOT_EQUAL || type == GV_JSON_NUMBER || type == GV_JSON_STRING ||
            gv_json_path_refuse(condition->path, "is compared with what is neither a number nor a text: <, <=, > and "
                                ">= take nothing else", why);
    }
    return gv_json_path_refuse(condition->path, "has an operator that is none of =, !=, <, <=, > and >=", why);
}

static bool check_where(gv_slice where, char why[GV_JSON_WHY])
{
    size_t at = 0;
    const char *wrong = gv_json_check(where, GV_JSON_DEPTH, 0, &at);
    if (wrong)
        snprintf(why, GV_JSON_WHY, "where is not JSON at byte %zu: %s", at, wrong);
    else if (gv_json_type_of(where) != GV_JSON_OBJECT)
        snprintf(why, GV_JSON_WHY, "where must be a JSON object of paths and conditions such as {\"gpt.temperature\": "
                 "{\">=\": 0.5}}");
    else if (count_conditions(where) > GV_JSON_QUERY_MOST)
        snprintf(why, GV_JSON_WHY, "where has more than %d conditions", GV_JSON_QUERY_MOST);
    else
        return true;
    return false;
}

bool gv_json_read_query(gv_arena *arena, gv_slice where, gv_json_query *query, char why[GV_JSON_WHY])
{
    gv_slice key, item, name;
    size_t count = 0;
    why[0] = '\0';
    *query = (gv_json_query){NULL, 0};
    if (!where.data)
        return true;
    if (!check_where(where, why))
        return false;
    gv_json_condition *list = gv_arena_alloc(arena, GV_JSON_QUERY_MOST * sizeof *list);
    if (!list)
        return false;
    for (gv_json_walk walk = gv_json_enter(where); gv_json_next(&walk, &key, &item);) {
        gv_json_condition condition = {.value = item, .is = GV_JSON_EQUAL};
        if (!gv_json_path_key(arena, key, &condition.path) ||
            !gv_json_path_check(condition.path, GV_JSON_QUERY_PARTS, why))
            return false;
        if (!has_operators(item)) {
            list[count++] = condition;
            continue;
        }
        for (gv_json_walk inside = gv_json_enter(item); gv_json_next(&inside, &name, &condition.value);) {
            if (!read_operator(name, &condition, why))
                return false;
            list[count++] = condition;
        }
    }
    *query = (gv_json_query){list, count};
    return true;
}

/* --- Matching --- */

static int compare_texts(gv_slice a, gv_slice b)
{
    const char *one = a.data + 1, *two = b.data + 1;
    uint32_t x, y;
    for (;;) {
        bool more = gv_json_next_code(&one, a.data + a.length, &x);
        if (gv_json_next_code(&two, b.data + b.length, &y) != more)
            return more ? 1 : -1;
        if (!more)
            return 0;
        if (x != y)
            return x < y ? -1 : 1;
    }
}

/* As deep as wanted, which is bounded by GV_JSON_DEPTH. */
static bool equal(gv_slice value, gv_slice wanted)
{
    gv_json_type type = gv_json_type_of(value);
    int order;
    if (type != gv_json_type_of(wanted))
        return false;
    if (type == GV_JSON_NUMBER)
        return gv_json_number_compare(value, wanted, &order) && order == 0;
    if (type == GV_JSON_STRING)
        return compare_texts(value, wanted) == 0;
    gv_slice key, key2, item, item2;
    gv_json_walk walk = gv_json_enter(value), walk2 = gv_json_enter(wanted);
    for (;;) {
        bool more = gv_json_next(&walk, &key, &item);
        if (gv_json_next(&walk2, &key2, &item2) != more)
            return false;
        if (!more)
            return true;
        if ((walk.object && compare_texts(key, key2) != 0) || !equal(item, item2))
            return false;
    }
}

static bool in_range(gv_slice value, const gv_json_condition *condition)
{
    gv_json_type type = gv_json_type_of(value);
    int order = 0;
    if (type != gv_json_type_of(condition->value))
        return false;
    if (type == GV_JSON_STRING)
        order = compare_texts(value, condition->value);
    else if (type != GV_JSON_NUMBER || !gv_json_number_compare(value, condition->value, &order))
        return false;
    switch (condition->is) {
    case GV_JSON_LESS: return order < 0;
    case GV_JSON_LESS_EQUAL: return order <= 0;
    case GV_JSON_GREATER: return order > 0;
    default: return order >= 0;
    }
}

static bool holds(gv_slice value, const gv_json_condition *condition)
{
    if (condition->is <= GV_JSON_NOT_EQUAL)
        return equal(value, condition->value);
    return in_range(value, condition);
}

/* At the end of the path; value.data NULL: it led nowhere. */
static bool holds_here(gv_slice value, const gv_json_condition *condition)
{
    gv_slice key, item;
    if (!value.data)
        return condition->is <= GV_JSON_NOT_EQUAL && gv_json_type_of(condition->value) == GV_JSON_NULL;
    if (holds(value, condition))
        return true;
    if (gv_json_type_of(value) != GV_JSON_ARRAY)
        return false;
    for (gv_json_walk walk = gv_json_enter(value); gv_json_next(&walk, &key, &item);) {
        if (holds(item, condition))
            return true;
    }
    return false;
}

static bool found(gv_slice value, size_t skip, const gv_json_condition *condition);

/* Through the item at that place, and through each object in the array. */
static bool found_in_array(gv_slice array, size_t skip, gv_slice part, const gv_json_condition *condition)
{
    gv_slice key, item;
    size_t wanted, place = 0;
    bool by_place = gv_json_path_place(part, &wanted);
    for (gv_json_walk walk = gv_json_enter(array); gv_json_next(&walk, &key, &item); place++) {
        if (by_place && place == wanted && found(item, skip + part.length + 1, condition))
            return true;
        if (gv_json_type_of(item) == GV_JSON_OBJECT && found(item, skip, condition))
            return true;
    }
    return false;
}

/* Whether anything that the rest of the path leads to from value is equal, or in the range. As deep as the path. */
static bool found(gv_slice value, size_t skip, const gv_json_condition *condition)
{
    if (skip > condition->path.length)
        return holds_here(value, condition);
    gv_slice part = gv_json_path_part(condition->path, skip);
    gv_json_type type = gv_json_type_of(value);
    if (type == GV_JSON_ARRAY)
        return found_in_array(value, skip, part, condition);
    gv_slice member = {NULL, 0};
    if (type == GV_JSON_OBJECT)
        member = gv_json_member(value, part.data, part.length);
    if (!member.data)
        return holds_here(member, condition);
    return found(member, skip + part.length + 1, condition);
}

bool gv_json_match(gv_slice document, gv_json_query query)
{
    for (size_t i = 0; i < query.count; i++) {
        const gv_json_condition *condition = &query.list[i];
        if (found(document, 0, condition) == (condition->is == GV_JSON_NOT_EQUAL))
            return false;
    }
    return true;
}
