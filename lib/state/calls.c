#include "calls.h"
#include "../base/utf8.h"
#include "../core/client.h"
#include "../core/request.h"
#include <inttypes.h>
#include <stdio.h>

#define USER_MOST 100           /* characters, as in the columns of the other areas */
#define CONVERSATION_MOST 204   /* "dm:" and two ids with a ':' between them */
#define NAME_MOST 100
#define LIMIT 100
#define LIMIT_MOST 100000
#define ARGUMENTS_AT(size) (((size) + 15) & ~(size_t)15)

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t bytes = strlen(end);
    return length >= bytes && memcmp(text + length - bytes, end, bytes) == 0;
}

/* How many characters; SIZE_MAX: refused. */
static size_t check_text(gavat_op *op, const char *what, const char *text)
{
    size_t length = strlen(text), characters = length > op->client->most_record ? 0 : gv_utf8_count(text, length);
    if (length > op->client->most_record)
        gv_op_refuse(op, GAVAT_EINVAL, "%s has %zu bytes; at most %zu are allowed (GAVAT_MAX_RECORD)", what, length, op->client->most_record);
    else if (characters == SIZE_MAX)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is not valid UTF-8", what);
    else
        return characters;
    return SIZE_MAX;
}

bool gv_state_check_user(gavat_op *op, const char *user, bool writes)
{
    static const char *const ends[] = {":cooldown", ":counter", ":list", ":limit"};
    if (!user)
        return true;
    size_t characters = check_text(op, "user", user), length = strlen(user);
    size_t most = strncmp(user, "dm:", 3) == 0 ? CONVERSATION_MOST : USER_MOST;
    if (characters == SIZE_MAX)
        return false;
    if (!*user) {
        gv_op_refuse(op, GAVAT_EINVAL, "user is empty; NULL means the global keys");
        return false;
    }
    if (writes && characters > most) {
        gv_op_refuse(op, GAVAT_EINVAL, "user is longer than %zu characters", most);
        return false;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_in(user, length, ends[i])) {
            gv_op_refuse(op, GAVAT_EINVAL, "user must not end in \"%s\": its keys would be those of another one", ends[i]);
            return false;
        }
    return true;
}

bool gv_state_check_name(gavat_op *op, const char *what, const char *name, bool writes)
{
    if (!name || !*name) {
        gv_op_refuse(op, GAVAT_EINVAL, "%s is required and must not be empty", what);
        return false;
    }
    size_t characters = check_text(op, what, name);
    if (characters == SIZE_MAX)
        return false;
    if (strchr(name, ':'))
        gv_op_refuse(op, GAVAT_EINVAL, "%s must not hold a ':'", what);
    else if (writes && characters > NAME_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is longer than %d characters", what, NAME_MOST);
    else
        return true;
    return false;
}

/* Whether a call makes keys; those that only read or take away accept longer names, of other writers. */
static bool makes_keys(gv_state_place place)
{
    switch (place) {
    case GV_SET_STATE: case GV_COMPARE_STATE: case GV_SET_COOLDOWN: case GV_TRY_COOLDOWN: case GV_ADD_COUNTER: case GV_PUSH_LIST:
    case GV_TRY_LIMIT:
        return true;
    default:
        return false;
    }
}

bool gv_state_begin(gavat_op *op, gv_state_place place, const char *user, const char *what, const char *name)
{
    bool makes = makes_keys(place);
    return gv_op_begin(op, &gv_state_ops[place]) && gv_state_check_user(op, user, makes)
           && (!what || gv_state_check_name(op, what, name, makes));
}

bool gv_state_check_value(gavat_op *op, const char *what, const char *value)
{
    if (value)
        return check_text(op, what, value) != SIZE_MAX;
    gv_op_refuse(op, GAVAT_EINVAL, "%s is NULL: give a text, \"\" for an empty one", what);
    return false;
}

bool gv_state_check_span(gavat_op *op, const char *what, int64_t span_ms, bool required)
{
    if (span_ms < 0 || (required && !span_ms))
        gv_op_refuse(op, GAVAT_EINVAL, "%s must %s", what, required ? "be above 0" : "not be negative; 0 means never");
    else if (span_ms > GV_STATE_SPAN_MOST)
        gv_op_refuse(op, GAVAT_EINVAL, "%s is longer than 100 years", what);
    else
        return true;
    return false;
}

uint32_t gv_state_limit(uint32_t limit)
{
    if (!limit)
        return LIMIT;
    return limit < LIMIT_MOST ? limit : LIMIT_MOST;
}

static const char *put_key(char **at, const char *prefix, const char *name)
{
    char *key = *at;
    size_t bytes = strlen(prefix);
    memcpy(key, prefix, bytes);
    *at += bytes;
    gv_call_put(at, name);
    return key;
}

void gv_state_submit(gavat_op *op, const gv_state_request *asked, const char *prefix, const char *name)
{
    const char *user = asked->user ? asked->user : "";
    size_t size = gv_call_sum(sizeof *asked, gv_call_room(user));
    size = gv_call_sum(gv_call_sum(size, gv_call_room(asked->value)), name ? strlen(prefix) + gv_call_room(name) : 0);
    gv_state_request *request = gv_op_request(op, size);
    if (!request)
        return;
    char *at = (char *)(request + 1);
    *request = *asked;
    request->user = gv_call_put(&at, user);
    request->key = name ? put_key(&at, prefix, name) : NULL;
    request->length = asked->value ? strlen(asked->value) : 0;
    request->value = gv_call_put(&at, asked->value);
    gv_op_submit(op);
}

/* keys NULL: the rule's own, which live for ever. */
void *gv_state_step_begin(gavat_op *op, const gv_step_rule *rule, const char *user, const char *prefix, const char *const *keys, size_t size)
{
    size_t head = ARGUMENTS_AT(sizeof(gv_step_request)), room = gv_call_sum(gv_call_sum(head, ARGUMENTS_AT(size)), gv_call_room(user) + 1);
    for (size_t i = 0; keys && i < rule->count; i++)
        room = gv_call_sum(room, strlen(prefix) + gv_call_room(keys[i]));
    gv_step_request *request = gv_op_request(op, room);
    if (!request)
        return NULL;
    char *arguments = (char *)request + head, *at = arguments + ARGUMENTS_AT(size);
    request->verb = GV_STATE_STEP;
    request->rule = rule;
    request->arguments = arguments;
    request->user = gv_call_put(&at, user ? user : "");
    for (size_t i = 0; i < rule->count; i++)
        request->keys[i] = keys ? put_key(&at, prefix, keys[i]) : rule->keys[i];
    return arguments;
}

static void submit_step(gavat_op *op, void *own, const void *arguments, size_t size)
{
    if (!own)
        return;
    if (size)
        memcpy(own, arguments, size);
    gv_op_submit(op);
}

void gv_state_step(gavat_op *op, const gv_step_rule *rule, const char *user, const void *arguments, size_t size)
{
    submit_step(op, gv_state_step_begin(op, rule, user, "", NULL, size), arguments, size);
}

void gv_state_step_on(gavat_op *op, const gv_step_rule *rule, const char *user, const char *prefix, const char *name, const void *arguments,
                      size_t size)
{
    submit_step(op, gv_state_step_begin(op, rule, user, prefix, &name, size), arguments, size);
}

void gv_step_add_number(const gv_step_words *words, int64_t number)
{
    char text[24];
    words->add(words->to, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

void gv_state_walk(gavat_op *op, const gv_walk_rule *rule, const char *prefix, uint32_t limit, const char *cursor, const void *arguments,
                   size_t size)
{
    size_t head = ARGUMENTS_AT(sizeof(gv_walk_request)), room = gv_call_sum(gv_call_sum(head, ARGUMENTS_AT(size)), gv_call_room(prefix));
    gv_walk_request *request = gv_op_request(op, gv_call_sum(room, gv_call_room(cursor)));
    if (!request)
        return;
    char *own = (char *)request + head, *at = own + ARGUMENTS_AT(size);
    request->verb = GV_STATE_WALK;
    request->limit = gv_state_limit(limit);
    request->max_bytes = op->client->page_bytes;
    request->rule = rule;
    request->prefix = gv_call_put(&at, prefix);
    request->arguments = own;
    if (size)
        memcpy(own, arguments, size);
    if (cursor && !gv_walk_read_cursor(cursor, at, &request->after_user, &request->after_due))
        gv_op_refuse(op, GAVAT_EINVAL, "this cursor is not one that a page of these gave");
    else
        gv_op_submit(op);
}
