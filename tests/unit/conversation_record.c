#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../lib/conversation/ids.h"
#include "../../lib/conversation/permits.h"
#include "../../lib/conversation/record.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define SECOND INT64_C(1000000)
#define NOW INT64_C(1795440000000000)

static char why[GV_DM_WHY];
static gv_arena arena;

static int free_arena(void **state)
{
    (void)state;
    gv_arena_free(&arena);
    return 0;
}

static gavat_status read(gv_dm *c, const char *value)
{
    return gv_dm_read(c, gv_slice_of(value), &arena, why);
}

static void expect_written(const gv_dm *c, const char *wanted)
{
    gv_text out = {0};
    gv_dm_write(c, &out);
    assert_string_equal(gv_text_get(&out), wanted);
    gv_text_free(&out);
}

/* Values that the Python bots have left in Redis. */
static const char *const originals[] = {
    "{\"last_bot_message\": 0, \"user_responded\": false, \"conversation_active\": true, \"last_user_message\": 1795440282.0, "
    "\"phase\": \"initial_contact\", \"manual_intervention_time\": 0, \"followup_count\": 0, \"last_manual_check\": 0, "
    "\"auto_message_count\": 0, \"menu_sent\": false, \"manual_mode_active\": false, \"last_manual_message\": 0, "
    "\"auto_messages_paused\": false}",
    "{\"last_bot_message\": 1795441322.000001, \"user_responded\": true, \"conversation_active\": true, "
    "\"last_user_message\": 1795441382.250001, \"phase\": \"initial_contact\", \"manual_intervention_time\": 0, \"followup_count\": 0, "
    "\"last_manual_check\": 0, \"auto_message_count\": 1, \"menu_sent\": false, \"manual_mode_active\": false, "
    "\"last_manual_message\": 0, \"auto_messages_paused\": false}",
    "{\"last_bot_message\": 1795442504.250001, \"user_responded\": false, \"conversation_active\": true, "
    "\"last_user_message\": 1795442472.750001, \"phase\": \"manual_engaged\", \"manual_intervention_time\": 1795442503.250001, "
    "\"followup_count\": 0, \"last_manual_check\": 0, \"auto_message_count\": 0, \"menu_sent\": false, \"manual_mode_active\": true, "
    "\"last_manual_message\": 1795442503.250001, \"auto_messages_paused\": true}",
};

static void what_the_python_bots_wrote_comes_back_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(originals); i++) {
        gv_dm c;
        assert_int_equal(read(&c, originals[i]), GAVAT_OK);
        expect_written(&c, originals[i]);
    }
}

static void every_field_has_its_value(void **state)
{
    (void)state;
    gv_dm c;
    assert_int_equal(read(&c, originals[2]), GAVAT_OK);
    assert_int_equal(c.is.last_bot_message, INT64_C(1795442504250001));
    assert_int_equal(c.is.last_user_message, INT64_C(1795442472750001));
    assert_int_equal(c.is.manual_intervention_time, INT64_C(1795442503250001));
    assert_int_equal(c.is.last_manual_message, INT64_C(1795442503250001));
    assert_int_equal(c.is.last_manual_check, 0);
    assert_string_equal(c.is.phase, GV_DM_ENGAGED);
    assert_true(c.is.manual_mode_active == 1 && c.is.auto_messages_paused == 1 && c.is.conversation_active == 1);
    assert_true(c.is.user_responded == 0 && c.is.menu_sent == 0 && !c.held);
    assert_true(c.is.followup_count == 0 && c.is.auto_message_count == 0);
    assert_int_equal(read(&c, "{\"followup_count\": 2, \"auto_message_count\": 31, \"menu_sent\": true}"), GAVAT_OK);
    assert_true(c.is.followup_count == 2 && c.is.auto_message_count == 31 && c.is.menu_sent == 1);
}

static const char initial[] =
    "{\"last_bot_message\": 0, \"user_responded\": false, \"conversation_active\": false, \"last_user_message\": 0, "
    "\"phase\": \"initial_contact\", \"manual_intervention_time\": 0, \"followup_count\": 0, \"last_manual_check\": 0, "
    "\"auto_message_count\": 0, \"menu_sent\": false, \"manual_mode_active\": false, \"last_manual_message\": 0, "
    "\"auto_messages_paused\": false";

static void expect_initial_and(const char *value, const char *rest)
{
    char wanted[1000];
    gv_dm c;
    snprintf(wanted, sizeof wanted, "%s%s}", initial, rest);
    assert_int_equal(read(&c, value), GAVAT_OK);
    expect_written(&c, wanted);
}

static void what_is_missing_is_as_in_the_beginning(void **state)
{
    (void)state;
    gv_dm c = gv_dm_initial();
    char wanted[1000];
    snprintf(wanted, sizeof wanted, "%s}", initial);
    expect_written(&c, wanted);
    expect_initial_and("{}", "");
    expect_initial_and(" {\n} ", "");
    expect_initial_and("{\"phase\": null, \"menu_sent\": null, \"last_bot_message\": null, \"followup_count\": null}", "");
    assert_int_equal(read(&c, "{\"last_bot_message\": 1748160006.5, \"user_responded\": false, \"conversation_active\": true, "
                          "\"last_user_message\": 1748160006, \"phase\": \"manual_engaged\", \"manual_intervention_time\": 0, "
                          "\"followup_count\": 1, \"last_manual_check\": 0, \"auto_message_count\": 2, \"menu_sent\": true}"), GAVAT_OK);
    assert_int_equal(c.is.last_user_message, INT64_C(1748160006000000));        /* an integer second; an older state */
    assert_true(!c.is.manual_mode_active && !c.is.auto_messages_paused && !c.is.last_manual_message && c.is.menu_sent);
}

static void fields_that_are_not_ours_are_kept_as_they_came(void **state)
{
    (void)state;
    expect_initial_and("{\"vip\":{\"a\" : [1,2.50,NaN]},\"phase\":\"initial_contact\",\"not\": \"\\u015f\\ud83d ş\", \"vip\": 3}",
                       ", \"vip\": {\"a\" : [1,2.50,NaN]}, \"not\": \"\\u015f\\ud83d ş\", \"vip\": 3");
    expect_initial_and("{\"ph\\u0061se\": \"initial_contact\", \"\": 0, \"Phase\": 1, \"phase \": 2}",
                       ", \"\": 0, \"Phase\": 1, \"phase \": 2");
    expect_initial_and("{\"menu_sent\": true, \"menu_sent\": false}", "");
}

static void a_pause_is_written_in_a_field_of_its_own(void **state)
{
    (void)state;
    gv_dm c;
    static const struct { const char *flags; bool held; } cases[] = {
        {"\"auto_messages_paused\": true", true},       /* no person is in it: it was `pause` */
        {"\"auto_messages_paused\": true, \"manual_mode_active\": true", false},
        {"\"auto_messages_paused\": true, \"manual_mode_active\": true, \"paused_until_resume\": true", true},
        {"\"manual_mode_active\": true, \"paused_until_resume\": true", false},         /* another program has ended it */
        {"\"auto_messages_paused\": true, \"manual_mode_active\": true, \"paused_until_resume\": 1", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char value[200];
        gv_text out = {0};
        snprintf(value, sizeof value, "{%s}", cases[i].flags);
        assert_int_equal(read(&c, value), GAVAT_OK);
        assert_int_equal(c.held, cases[i].held);
        gv_dm_write(&c, &out);
        assert_int_equal(strstr(gv_text_get(&out), ", \"paused_until_resume\": true}") != NULL, cases[i].held);
        assert_ptr_equal(strstr(gv_text_get(&out), "paused_until_resume\": 1"), NULL);
        gv_text_free(&out);
    }
}

static void an_unknown_phase_is_kept(void **state)
{
    (void)state;
    gv_dm c;
    char long_phase[200];
    assert_int_equal(read(&c, "{\"phase\": \"v\\u0131p \\\"x\\\"\"}"), GAVAT_OK);
    assert_string_equal(c.is.phase, "vıp \"x\"");
    gv_text out = {0};
    gv_dm_write(&c, &out);
    assert_non_null(strstr(gv_text_get(&out), "\"phase\": \"vıp \\\"x\\\"\""));
    gv_text_free(&out);
    snprintf(long_phase, sizeof long_phase, "{\"phase\": \"%0101d\"}", 1);
    assert_int_equal(read(&c, long_phase), GAVAT_ECORRUPT);
}

static void what_is_damaged_is_said(void **state)
{
    (void)state;
    static const struct { const char *value, *why; } cases[] = {
        {"", ""}, {"123", "it is no object"}, {"[]", "it is no object"}, {"\"x\"", "it is no object"}, {"null", "it is no object"},
        {"{\"phase\": ", ""}, {"{'phase': 1}", "a key must be in quotes"}, {"{\"phase\": \"\xff\"}", ""},
        {"{\"phase\": 1}", "phase"}, {"{\"phase\": \"\"}", "phase"}, {"{\"phase\": \"a\\u0000b\"}", "phase"},
        {"{\"last_bot_message\": \"1795440282.0\"}", "last_bot_message"}, {"{\"last_bot_message\": -1}", "last_bot_message"},
        {"{\"last_user_message\": NaN}", "last_user_message"}, {"{\"last_user_message\": Infinity}", "last_user_message"},
        {"{\"last_manual_check\": [1]}", "last_manual_check"}, {"{\"followup_count\": true}", "followup_count"},
        {"{\"followup_count\": -3}", "followup_count"}, {"{\"auto_message_count\": {}}", "auto_message_count"},
        {"{\"menu_sent\": 1}", "menu_sent"}, {"{\"menu_sent\": \"true\"}", "menu_sent"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_dm c;
        why[0] = '\0';
        assert_int_equal(read(&c, cases[i].value), GAVAT_ECORRUPT);
        assert_true(*why && strstr(why, cases[i].why));
    }
}

static void numbers_are_read_to_the_microsecond(void **state)
{
    (void)state;
    static const struct { const char *text; int scale; int64_t number; } cases[] = {
        {"0", 6, 0}, {"0.0", 6, 0}, {"-0", 6, 0}, {"-0.0", 6, 0}, {"1", 6, SECOND}, {"1.5", 6, 1500000}, {"0.000001", 6, 1},
        {"1795440282.123456", 6, INT64_C(1795440282123456)}, {"1795440282.1234564", 6, INT64_C(1795440282123456)},
        {"1795440282.1234565", 6, INT64_C(1795440282123457)}, {"1795440282.99999999", 6, INT64_C(1795440283000000)},
        {"1.795440282e9", 6, INT64_C(1795440282000000)}, {"1795440282E+0", 6, INT64_C(1795440282000000)}, {"17954402820e-1", 6, INT64_C(1795440282000000)},
        {"5e-07", 6, 1}, {"4e-07", 6, 0}, {"5e-08", 6, 0}, {"1e-999999999", 6, 0}, {"1e999999999", 6, 1000}, {"0e999999999", 6, 0},
        {"0.00000000000000000000000000001", 6, 0}, {"999999999999999999999999999999", 6, 1000}, {"12345678901234567890123.5", 0, 1000},
        {"3", 0, 3}, {"3.0", 0, 3}, {"2.5", 0, 3}, {"9223372036854775807", 0, 1000}, {"1000", 0, 1000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t number = -1, most = cases[i].number == 1000 ? 1000 : INT64_MAX;
        assert_true(gv_dm_read_number(gv_slice_of(cases[i].text), cases[i].scale, most, &number));
        assert_int_equal(number, cases[i].number);
    }
    static const char *const wrong[] = {"", "-1", "-0.5", "NaN", "Infinity", "-Infinity", "true", "null", "\"1\"", "[1]", "1x"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int64_t number;
        assert_false(gv_dm_read_number(gv_slice_of(wrong[i]), 6, INT64_MAX, &number));
    }
    int64_t count;
    assert_true(gv_dm_read_number(gv_slice_of("9223372036854775807"), 0, INT64_MAX, &count));
    assert_true(count == INT64_MAX);
}

static void times_are_written_as_python_does(void **state)
{
    (void)state;
    static const struct { gavat_time time; const char *text; } cases[] = {
        {0, "0"}, {-5, "0"}, {1, "0.000001"}, {SECOND, "1.0"}, {INT64_C(1795440282000000), "1795440282.0"},
        {INT64_C(1795440282250000), "1795440282.25"}, {INT64_C(1795440282250001), "1795440282.250001"},
        {INT64_C(1795440280000000), "1795440280.0"}, {INT64_C(1795440282100000), "1795440282.1"},
        {INT64_C(253402300799999999), "253402300799.999999"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_text out = {0};
        int64_t back;
        gv_dm_write_time(&out, cases[i].time);
        assert_string_equal(gv_text_get(&out), cases[i].text);
        assert_true(gv_dm_read_number(gv_slice_of(gv_text_get(&out)), 6, INT64_MAX, &back));
        assert_int_equal(back, cases[i].time > 0 ? cases[i].time : 0);
        gv_text_free(&out);
    }
}

static void a_record_is_printed_with_its_bot_and_user_first(void **state)
{
    (void)state;
    gv_dm c;
    assert_int_equal(read(&c, originals[2]), GAVAT_OK);
    c.is.bot = "şen";
    c.is.user = "a:\"b\"";
    gv_text out = {0};
    gv_dm_print(&c.is, &out);
    assert_string_equal(gv_text_get(&out),
        "{\"bot\":\"şen\",\"user\":\"a:\\\"b\\\"\",\"last_bot_message\":\"2026-11-23T14:01:44.250001Z\",\"user_responded\":false,"
        "\"conversation_active\":true,\"last_user_message\":\"2026-11-23T14:01:12.750001Z\",\"phase\":\"manual_engaged\","
        "\"manual_intervention_time\":\"2026-11-23T14:01:43.250001Z\",\"followup_count\":0,\"last_manual_check\":null,"
        "\"auto_message_count\":0,\"menu_sent\":false,\"manual_mode_active\":true,"
        "\"last_manual_message\":\"2026-11-23T14:01:43.250001Z\",\"auto_messages_paused\":true}");
    gv_text_free(&out);
}

static gavat_status read_permits(gv_dm_permits *permits, const char *value)
{
    return gv_dm_permits_read(permits, gv_slice_of(value), &arena, NOW, 3600 * SECOND, 30 * SECOND);
}

static void expect_permits(const char *value, const char *wanted)
{
    gv_dm_permits permits;
    gv_text out = {0};
    assert_int_equal(read_permits(&permits, value), GAVAT_OK);
    gv_dm_permits_write(&permits, &out);
    assert_string_equal(gv_text_get(&out), wanted);
    gv_text_free(&out);
}

static void permits_are_read_without_what_no_longer_counts(void **state)
{
    (void)state;
    expect_permits(NULL, "{\"given\": [], \"waiting\": []}");
    expect_permits("{}", "{\"given\": [], \"waiting\": []}");
    expect_permits("{\"given\": [1795436399.0, 1795436400.0, 1795436400.000001, 1795440000], \"waiting\": [1795439970.0, 1795439970.000001]}",
                   "{\"given\": [1795436400.000001, 1795440000.0], \"waiting\": [1795439970.000001]}");
    /* The last one counts for the cooldown. */
    expect_permits("{\"given\": [1795436398.0, 1795436399.0]}", "{\"given\": [1795436399.0], \"waiting\": []}");
    /* A clock that went wrong. */
    expect_permits("{\"given\": [1795439000.0, 1999999999.0, 1795439500.0]}",
                   "{\"given\": [1795439000.0, 1795440000.0, 1795440000.0], \"waiting\": []}");
}

static void a_permit_joins_the_others(void **state)
{
    (void)state;
    gv_dm_permits permits;
    gv_text out = {0};
    assert_int_equal(read_permits(&permits, "{\"given\": [1795439000.0], \"waiting\": [1795439990.0]}"), GAVAT_OK);
    gv_dm_times_add(&permits.given, NOW);
    gv_dm_times_drop_first(&permits.waiting);
    gv_dm_times_drop_first(&permits.waiting);
    gv_dm_times_add(&permits.waiting, NOW);
    gv_dm_permits_write(&permits, &out);
    assert_string_equal(gv_text_get(&out), "{\"given\": [1795439000.0, 1795440000.0], \"waiting\": [1795440000.0]}");
    gv_text_free(&out);
}

static void the_log_of_permits_is_bounded(void **state)
{
    (void)state;
    gv_text value = {0};
    gv_dm_permits permits;
    gv_text_adds(&value, "{\"given\": [1");
    for (int i = 0; i < 3000; i++)
        gv_text_addf(&value, ", %d.5", 1795437000 + i);
    gv_text_adds(&value, "]}");
    assert_int_equal(read_permits(&permits, gv_text_get(&value)), GAVAT_OK);
    assert_int_equal(permits.given.count, GV_DM_PERMITS_MOST);
    assert_int_equal(permits.given.at[GV_DM_PERMITS_MOST - 1], INT64_C(1795439999500000));
    gv_dm_times_add(&permits.given, NOW);
    gv_text_clear(&value);
    gv_dm_permits_write(&permits, &value);
    assert_int_equal(read_permits(&permits, gv_text_get(&value)), GAVAT_OK);
    assert_int_equal(permits.given.count, GV_DM_PERMITS_MOST);
    assert_int_equal(permits.given.at[GV_DM_PERMITS_MOST - 1], NOW);
    gv_text_free(&value);
}

static void a_damaged_log_of_permits_is_no_empty_one(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "[]", "{", "{\"given\": 1}", "{\"given\": [\"1\"]}", "{\"given\": [-1]}", "{\"waiting\": {}}",
                                        "{\"given\": [[1]]}", "{\"given\": [NaN]}", "{\"waiting\": [null]}"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_dm_permits permits;
        assert_int_equal(read_permits(&permits, cases[i]), GAVAT_ECORRUPT);
    }
}

static void expect_whose(const char *ids, const char *id, gv_dm_whose whose)
{
    gv_dm_whose got;
    assert_true(gv_dm_ids_find(gv_slice_of(ids), id, NOW, &got));
    assert_int_equal(got, whose);
}

static void ids_are_known_for_a_day(void **state)
{
    (void)state;
    const char ids[] = "{\"own\": {\"1\": 1795353600.0, \"2\": 1795353600.000001, \"\\u0131:\\\"\": 1795440000.0}, "
                       "\"others\": {\"3\": 1795440001.0, \"4\": 5}}";
    expect_whose(NULL, "1", GV_DM_NOBODY);
    expect_whose("{}", "1", GV_DM_NOBODY);
    expect_whose(ids, "1", GV_DM_NOBODY);
    expect_whose(ids, "2", GV_DM_OWN);
    expect_whose(ids, "ı:\"", GV_DM_OWN);
    expect_whose(ids, "3", GV_DM_OTHERS);
    expect_whose(ids, "4", GV_DM_NOBODY);
    expect_whose(ids, "5", GV_DM_NOBODY);
    gv_text out = {0};
    gv_dm_ids_write(&out, gv_slice_of(ids), "3", NOW, GV_DM_OWN);
    assert_string_equal(gv_text_get(&out), "{\"own\": {\"2\": 1795353600.000001, \"\\u0131:\\\"\": 1795440000.0, \"3\": 1795440000.0}, \"others\": {}}");
    gv_text_clear(&out);
    gv_dm_ids_write(&out, gv_slice_of(NULL), "a\"b", NOW, GV_DM_OTHERS);
    assert_string_equal(gv_text_get(&out), "{\"own\": {}, \"others\": {\"a\\\"b\": 1795440000.0}}");
    gv_text_free(&out);
}

static void the_ids_are_bounded_and_the_oldest_go(void **state)
{
    (void)state;
    gv_text ids = {0}, next = {0};
    for (int i = 0; i < 1200; i++) {
        char id[20];
        snprintf(id, sizeof id, "%d", i);
        gv_slice value = {ids.length ? gv_text_get(&ids) : NULL, ids.length};
        gv_dm_ids_write(&next, value, id, NOW + i, i % 2 ? GV_DM_OWN : GV_DM_OTHERS);
        gv_text swap = ids;
        ids = next;
        next = swap;
        gv_text_clear(&next);
    }
    expect_whose(gv_text_get(&ids), "199", GV_DM_NOBODY);
    expect_whose(gv_text_get(&ids), "198", GV_DM_NOBODY);
    expect_whose(gv_text_get(&ids), "200", GV_DM_OTHERS);
    expect_whose(gv_text_get(&ids), "201", GV_DM_OWN);
    expect_whose(gv_text_get(&ids), "1199", GV_DM_OWN);
    gv_text_free(&ids);
    gv_text_free(&next);
}

static void damaged_ids_are_no_unknown_ones(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "[]", "{", "{\"own\": []}", "{\"others\": 1}", "{\"own\": {\"1\": 2}"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        gv_dm_whose whose;
        assert_false(gv_dm_ids_find(gv_slice_of(cases[i]), "1", NOW, &whose));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_teardown(what_the_python_bots_wrote_comes_back_byte_for_byte, free_arena),
        cmocka_unit_test_teardown(every_field_has_its_value, free_arena),
        cmocka_unit_test_teardown(what_is_missing_is_as_in_the_beginning, free_arena),
        cmocka_unit_test_teardown(fields_that_are_not_ours_are_kept_as_they_came, free_arena),
        cmocka_unit_test_teardown(a_pause_is_written_in_a_field_of_its_own, free_arena),
        cmocka_unit_test_teardown(an_unknown_phase_is_kept, free_arena),
        cmocka_unit_test_teardown(what_is_damaged_is_said, free_arena),
        cmocka_unit_test(numbers_are_read_to_the_microsecond),
        cmocka_unit_test(times_are_written_as_python_does),
        cmocka_unit_test_teardown(a_record_is_printed_with_its_bot_and_user_first, free_arena),
        cmocka_unit_test_teardown(permits_are_read_without_what_no_longer_counts, free_arena),
        cmocka_unit_test_teardown(a_permit_joins_the_others, free_arena),
        cmocka_unit_test_teardown(the_log_of_permits_is_bounded, free_arena),
        cmocka_unit_test_teardown(a_damaged_log_of_permits_is_no_empty_one, free_arena),
        cmocka_unit_test(ids_are_known_for_a_day),
        cmocka_unit_test(the_ids_are_bounded_and_the_oldest_go),
        cmocka_unit_test(damaged_ids_are_no_unknown_ones),
    };
    return cmocka_run_group_tests_name("conversation_record", cases, NULL, NULL);
}
