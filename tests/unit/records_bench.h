/* records_bench.h: what the tests of records share: a client that is no more than its clock and a bound, records that
 * are just enough, and checks of what comes in. Include it behind cmocka.h. */
#ifndef GV_TESTS_RECORDS_BENCH_H
#define GV_TESTS_RECORDS_BENCH_H
#include "../../lib/base/clock.h"
#include "../../lib/base/json.h"
#include "../../lib/base/memory.h"
#include "../../lib/base/uuid.h"
#include "../../lib/core/client.h"
#include "../../lib/events/records.h"
#include "../../lib/events/requests.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1795448220123456)           /* 2026-11-23T15:37:00.123456Z */
#define DAY (INT64_C(86400) * 1000000)
#define V7 "0193a5c2-7f10-7abc-8def-0123456789ab"
#define V4 "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
#define MOST ((size_t)4096)

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};
static gavat client;            /* no more of it than a check asks for: its clock and a bound */
static gv_incoming in;

static inline gavat_time tell_time(void *user)
{
    (void)user;
    return NOW;
}

static inline int begin(void **state)
{
    (void)state;
    client.most_record = MOST;
    atomic_store(&client.clock, tell_time);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    gv_incoming_free(&in);
    return 0;
}

static inline gavat_event an_event(void)
{
    gavat_event event = gavat_event_init();
    event.user_id = "42";
    event.type = "login";
    return event;
}

static inline gavat_sale a_sale(void)
{
    gavat_sale sale = gavat_sale_init();
    sale.user_id = "42";
    sale.product_type = "vip";
    sale.amount = "149.90";
    return sale;
}

static inline gavat_message a_message(void)
{
    gavat_message message = gavat_message_init();
    message.bot_username = "lara";
    message.message_type = "dm";
    return message;
}

static inline void take(const gv_record_kind *kind, const void *record)
{
    gv_incoming_free(&in);
    if (!gv_incoming_take(&in, &client, kind, record, false))
        fail_msg("refused: %s", in.why);
}

static inline void refuse_take(const gv_record_kind *kind, const void *record, const char *why)
{
    gv_incoming_free(&in);
    assert_false(gv_incoming_take(&in, &client, kind, record, false));
    assert_string_equal(in.why, why);
    assert_int_equal(in.status, GAVAT_EINVAL);
}

static inline void read_json(const gv_record_kind *kind, const char *json)
{
    gv_incoming_free(&in);
    assert_null(gv_json_check(gv_slice_of(json), GV_JSON_DEPTH + 1, 0, NULL));
    if (!gv_incoming_read(&in, &client, kind, gv_slice_of(json)))
        fail_msg("refused: %s", in.why);
}

static inline void refuse_json(const gv_record_kind *kind, const char *json, const char *why)
{
    gv_incoming_free(&in);
    assert_null(gv_json_check(gv_slice_of(json), GV_JSON_DEPTH + 1, 0, NULL));
    assert_false(gv_incoming_read(&in, &client, kind, gv_slice_of(json)));
    assert_string_equal(in.why, why);
    assert_int_equal(in.status, GAVAT_EINVAL);
}
#endif
