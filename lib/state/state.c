/* state.c: the public calls for keys. */
#include "calls.h"
#include "../core/client.h"
#include "../core/request.h"

void gavat_set_state(gavat_op *op, const char *user, const char *key, const char *value, int64_t expire_ms)
{
    if (!gv_state_begin(op, GV_SET_STATE, user, "key", key) || !gv_state_check_value(op, "value", value)
        || !gv_state_check_span(op, "expire_ms", expire_ms, false))
        return;
    const gv_state_request asked = {.verb = GV_STATE_PUT, .user = user, .value = value, .expire_ms = expire_ms};
    gv_state_submit(op, &asked, "", key);
}

static void submit_key(gavat_op *op, gv_state_place place, gv_state_verb verb, const char *user, const char *key)
{
    if (!gv_state_begin(op, place, user, "key", key))
        return;
    const gv_state_request asked = {.verb = verb, .user = user};
    gv_state_submit(op, &asked, "", key);
}

void gavat_get_state(gavat_op *op, const char *user, const char *key)
{
    submit_key(op, GV_GET_STATE, GV_STATE_READ, user, key);
}

void gavat_delete_state(gavat_op *op, const char *user, const char *key)
{
    submit_key(op, GV_DELETE_STATE, GV_STATE_REMOVE, user, key);
}

static void submit_user(gavat_op *op, gv_state_place place, gv_state_verb verb, const char *user)
{
    if (!gv_state_begin(op, place, user, NULL, NULL))
        return;
    const gv_state_request asked = {.verb = verb, .user = user};
    gv_state_submit(op, &asked, "", NULL);
}

void gavat_list_state(gavat_op *op, const char *user)
{
    submit_user(op, GV_LIST_STATE, GV_STATE_ALL, user);
}

void gavat_clear_state(gavat_op *op, const char *user)
{
    submit_user(op, GV_CLEAR_STATE, GV_STATE_CLEAR, user);
}

void gavat_scan_state(gavat_op *op, uint32_t limit, const char *cursor)
{
    if (!gv_op_begin(op, &gv_state_ops[GV_SCAN_STATE]))
        return;
    gv_state_request *request = gv_op_request(op, gv_call_sum(sizeof *request, gv_call_room(cursor)));
    if (!request)
        return;
    request->verb = GV_STATE_SCAN;
    request->limit = gv_state_limit(limit);
    if (cursor && !gv_state_read_cursor(cursor, (char *)(request + 1), &request->after_user, &request->after_key))
        gv_op_refuse(op, GAVAT_EINVAL, "this cursor is not one that gavat_scan_state gave");
    else
        gv_op_submit(op);
}

typedef struct compare {        /* the two texts behind it, each with its NUL */
    bool some_expected, some_value;
    size_t expected_length, value_length;
    int64_t expire_ms;
} compare;

/* What is there, for the caller to read. False: no memory. */
static bool tell(gv_step *step)
{
    const gv_step_request *request = step->op->request;
    const gv_step_key *key = &step->keys[0];
    return !key->value || gv_state_give_one(step->op, request->user, key->key, key->value, key->length, key->expire_ms);
}

static bool decide_compare(gv_step *step)
{
    const compare *asked = step->arguments;
    const char *expected = (const char *)(asked + 1);
    gv_step_key *key = &step->keys[0];
    bool equal = asked->some_expected ? key->value && key->length == asked->expected_length
                                        && memcmp(key->value, expected, key->length) == 0
                                      : !key->value;
    if (!equal && !tell(step)) {
        gv_op_fail(step->op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for what is there");
        return false;
    }
    if (!equal) {
        gv_op_fail(step->op, GAVAT_ECONFLICT, 0, "", "state: what is there is not what was expected: read it again, then decide");
        return false;
    }
    key->write = asked->some_value || key->value;
    key->put = asked->some_value ? expected + asked->expected_length + 1 : NULL;
    key->put_length = asked->value_length;
    key->put_expire_ms = asked->expire_ms;
    return true;
}

static void add_compare(const void *arguments, const gv_step_words *words)
{
    const compare *asked = arguments;
    const char *expected = (const char *)(asked + 1);
    gv_step_add_number(words, asked->some_expected);
    words->add(words->to, expected, asked->expected_length);
    gv_step_add_number(words, asked->some_value);
    words->add(words->to, expected + asked->expected_length + 1, asked->value_length);
    gv_step_add_number(words, asked->expire_ms);
}

static const gv_step_script compare_script = {
    "local s = look()\n"
    "if s.err or s.late or s[3] ~= (A[3] == '1' and A[4]) then return s end\n"
    "if A[5] == '1' then put(1, A[6], tonumber(A[7])) elseif s[3] then drop(1) end\n"
    "s[1] = 1\n"
    "return s", NULL, add_compare};

void gavat_compare_and_set_state(gavat_op *op, const char *user, const char *key, const char *expected, const char *value,
                                 int64_t expire_ms)
{
    static const gv_step_rule rule = {"compare_and_set", NULL, 1, decide_compare, &compare_script};
    if (!gv_state_begin(op, GV_COMPARE_STATE, user, "key", key) || (expected && !gv_state_check_value(op, "expected", expected))
        || (value && !gv_state_check_value(op, "value", value)) || !gv_state_check_span(op, "expire_ms", expire_ms, false))
        return;
    const char *expected_text = expected ? expected : "", *value_text = value ? value : "";
    size_t size = gv_call_sum(sizeof(compare), gv_call_sum(gv_call_room(expected_text), gv_call_room(value_text)));
    compare *asked = gv_state_step_begin(op, &rule, user, "", &key, size);
    if (!asked)
        return;
    char *at = (char *)(asked + 1);
    asked->some_expected = expected;
    asked->some_value = value;
    asked->expected_length = strlen(expected_text);
    asked->value_length = strlen(value_text);
    asked->expire_ms = expire_ms;
    gv_call_put(&at, expected_text);
    gv_call_put(&at, value_text);
    gv_op_submit(op);
}
