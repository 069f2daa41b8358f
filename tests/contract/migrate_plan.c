/* What the migration reads out of the legacy files: the sample folder against its manifest, and files made for one question each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "migrate.h"

static int begin(void **state)
{
    static const char *const off[] = {"MONGODB_URI", "off", "REDIS_URL", "off", NULL};
    make_folder(legacy);
    *state = open_client("off", off);
    return 0;
}

static int end(void **state)
{
    close_client(*state);
    drop_folder(legacy);
    return 0;
}

static gavat_op *plan_of(gavat *g, const char *directory, const char *zone, const char *only)
{
    gavat_migration migration = gavat_migration_init();
    migration.directory = directory;
    migration.zone = zone;
    migration.only = only;
    gavat_op *op = held(g);
    gavat_plan_migration(op, &migration);
    gavat_op_wait(op);
    return op;
}

/* The record of a source; NULL: there is none. */
static const char *source_of(const gavat_op *op, const char *source, const char *table)
{
    char found[300], found_table[60];
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const char *json = gavat_op_json(op, i, NULL);
        gavat_json_copy(json, "source", found, sizeof found);
        gavat_json_copy(json, "table", found_table, sizeof found_table);
        if (strcmp(found, source) == 0 && (!table || strcmp(table, found_table) == 0))
            return json;
    }
    return NULL;
}

static void expect_counts(const gavat_op *op, const char *source, const char *table, int records, int rejected)
{
    char text[24];
    const char *json = source_of(op, source, table);
    if (!json)
        fail_msg("%s is not in the plan", source);
    gavat_json_copy(json, "records", text, sizeof text);
    if (atoi(text) != records)
        fail_msg("%s", json);
    gavat_json_copy(json, "rejected", text, sizeof text);
    if (atoi(text) != rejected)
        fail_msg("%s", json);
}

static void expect_oddity(const gavat_op *op, const char *source, const char *words)
{
    const char *json = source_of(op, source, NULL);
    if (!json || !strstr(json, words))
        fail_msg("%s: no \"%s\" in %s", source, words, json ? json : "nothing");
}

static void expect_rejected(const gavat_op *op, const char *sentence)
{
    const char *why;
    for (size_t i = 0; (why = gavat_op_rejected(op, i, NULL)) != NULL; i++)
        if (strcmp(why, sentence) == 0)
            return;
    fail_msg("nobody says \"%s\"", sentence);
}

static void the_samples_hold_what_their_manifest_says(void **state)
{
    copy_samples();
    gavat_op *op = plan_of(*state, legacy, "Europe/Istanbul", NULL);
    assert_int_equal(gavat_op_status(op), GAVAT_OK);
    static const struct {
        const char *source;
        int records, rejected;
    } expected[] = {
        {"logs/12345.log.1748160000.bak", 40, 0}, {"logs/12345.log", 10, 0}, {"logs/sessions/a1.session.log", 15, 0},
        {"logs/bom.log", 3, 0}, {"logs/botalfa.log", 300, 0}, {"logs/botbeta.log", 50, 0}, {"logs/crlf.log", 3, 0}, {"logs/cut.log", 1, 1},
        {"logs/empty.log", 0, 0}, {"logs/foreign.log", 2, 4}, {"logs/forged.log", 3, 0}, {"logs/latin5.log", 3, 0}, {"logs/long.log", 1, 1},
        {"logs/noeol.log", 2, 0}, {"logs/nul.log", 1, 1}, {"logs/ışık ş.log", 20, 0}, {"data/analytics/2025-05-25.json", 60, 0},
        {"data/analytics/2025-05-26.json", 60, 0}, {"data/analytics/2025-05-27.json", 1, 2}, {"data/analytics/2025-05-28.json", 0, 1},
        {"data/analytics/2025-05-29.json", 0, 0}, {"data/analytics/2025-05-30.json", 1, 2}, {"logs/characters/bozuk_events.jsonl", 1, 3},
        {"logs/characters/karakter1_events.jsonl", 37, 0}, {"logs/characters/karakter2_events.jsonl", 43, 0}, {"data/message_logs.json", 20, 0},
        {"data/profiles/p00.json", 1, 0}, {"data/profiles/P00.json", 1, 0}, {"data/profiles/.gizli.json", 1, 0}, {"data/profiles/bom.json", 1, 0},
        {"data/profiles/bos.json", 0, 1}, {"data/profiles/cift.json", 1, 0}, {"data/profiles/dizi.json", 0, 1}, {"data/profiles/kesik.json", 0, 1},
        {"data/profiles/nan.json", 0, 1}, {"data/profiles/p09.json", 1, 0}, {"data/profiles/notlar.txt", 0, 0},
        {"data/profiles/yasakli.json.banned", 0, 0}, {"dm_conversation_state.json", 25, 0},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_counts(op, expected[i].source, NULL, expected[i].records, expected[i].rejected);
    expect_counts(op, "gavatcore.db", "events", 77, 13);
    expect_counts(op, "gavatcore.db", "sales", 19, 21);
    expect_counts(op, "gavatcore.db", "messages", 70, 0);
    assert_null(source_of(op, "gavatcore.db", "event_logs"));
    gavat_op_unref(op);
}

static void what_is_odd_or_refused_is_said_with_its_place(void **state)
{
    copy_samples();
    gavat_op *op = plan_of(*state, legacy, NULL, NULL);
    expect_oddity(op, "logs/bom.log", "byte order mark");
    expect_oddity(op, "logs/latin5.log", "1 converted from ISO-8859-9");
    expect_oddity(op, "logs/botalfa.log", "20 lines without a header");
    expect_oddity(op, "logs/crlf.log", "3 records with line ends of Windows");
    expect_oddity(op, "data/profiles/cift.json", "a key twice");
    expect_oddity(op, "data/profiles/p04.json", "another username");
    expect_oddity(op, "gavatcore.db", "details that are no object");
    expect_rejected(op, "logs/cut.log line 2: cut inside its header");
    expect_rejected(op, "logs/foreign.log line 1: no header stands before it");
    expect_rejected(op, "logs/foreign.log line 7: there is no such time: 2025-13-40T99:99:99");
    expect_rejected(op, "logs/long.log line 1: longer than 1048576 bytes (GAVAT_MAX_RECORD)");
    expect_rejected(op, "logs/nul.log line 2: it holds a NUL byte");
    expect_rejected(op, "data/analytics/2025-05-27.json line 2: it is cut");
    expect_rejected(op, "data/analytics/2025-05-28.json: it is no array");
    expect_rejected(op, "logs/characters/bozuk_events.jsonl line 3: it is not JSON");
    expect_rejected(op, "data/profiles/nan.json: it holds NaN, Infinity or half a surrogate pair, which are no JSON");
    expect_rejected(op, "cooldowns.json line 4: it does not end at a number of seconds since 1970");
    expect_rejected(op, "gavatcore.db events row 6: its time is none: dün");
    expect_rejected(op, "gavatcore.db sales row 3: its amount is no decimal number");
    gavat_op_unref(op);
}

static void nothing_is_written(void **state)
{
    char command[1400], before[80] = "", after[80] = "";
    copy_samples();
    snprintf(command, sizeof command, "cd '%s' && { find . | sort; find . -type f -exec cat {} +; } | cksum", legacy);
    for (int i = 0; i < 2; i++) {
        FILE *out = popen(command, "r");
        assert_non_null(fgets(i ? after : before, sizeof before, out));
        pclose(out);
        if (!i)
            gavat_op_unref(plan_of(*state, legacy, NULL, NULL));
    }
    assert_string_equal(before, after);
}

static void local_times_at_the_edges_of_summer_time_are_said(void **state)
{
    put_legacy("logs/u.log", "[2024-03-31T02:30:00] [INFO] there is no such time\n"
                      "[2024-10-27T02:30:00] [INFO] there are two of it\n"
                      "[2024-10-27T04:30:00] [INFO] plain\n");
    gavat_op *op = plan_of(*state, legacy, "Europe/Berlin", NULL);
    expect_counts(op, "logs/u.log", NULL, 3, 0);
    expect_oddity(op, "logs/u.log", "1 local times that came twice");
    expect_oddity(op, "logs/u.log", "1 local times that the clock skipped");
    gavat_op_unref(op);
}

static void text_that_is_no_one_encoding_is_refused(void **state)
{
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] \xfe\xfd \xf0\n"
                      "[2025-01-01T00:00:01] [INFO] ş and \xfe\n"
                      "[2025-01-01T00:00:02] [INFO] \x80\n");
    gavat_op *op = plan_of(*state, legacy, NULL, NULL);
    expect_counts(op, "logs/u.log", NULL, 1, 2);
    expect_rejected(op, "logs/u.log line 2: it is part UTF-8, part not");
    expect_rejected(op, "logs/u.log line 3: it is neither UTF-8 nor ISO-8859-9");
    gavat_op_unref(op);
}

static void a_header_may_lie_across_blocks(void **state)
{
    size_t room = 300000, length = 0;
    char *text = malloc(room);
    int records = 0;
    while (length < room - 400) {
        length += (size_t)snprintf(text + length, room - length, "[2025-01-01T00:00:00] [INFO] %0*d\r\n", 1 + records % 97, records);
        records++;
    }
    put_legacy_bytes("logs/u.log", text, length);
    free(text);
    gavat_op *op = plan_of(*state, legacy, NULL, NULL);
    expect_counts(op, "logs/u.log", NULL, records, 0);
    gavat_op_unref(op);
}

static void an_array_that_is_cut_gives_what_is_whole(void **state)
{
    static const char whole[] = "[{\"timestamp\":\"2025-01-01T00:00:00\",\"user\":\"u\\\"]},\",\"action\":\"a\",\"details\":{\"x\":[1,\"}\"]}},"
                                "{\"timestamp\":\"2025-01-01T00:00:01\",\"user\":7,\"action\":\"b\"}]";
    for (size_t length = 0; length < sizeof whole; length++) {
        put_legacy_bytes("data/analytics/d.json", whole, length);
        gavat_op *op = plan_of(*state, legacy, NULL, NULL);
        const char *second = strstr(whole, "{\"timestamp\":\"2025-01-01T00:00:01");
        int records = (length >= (size_t)(second - whole) - 1) + (length >= sizeof whole - 2);
        int cut = length > 1 && length != (size_t)(second - whole) && length != (size_t)(second - whole) - 1 && length < sizeof whole - 2;
        int rejected = (length > 0 && length < sizeof whole - 1) + cut;
        expect_counts(op, "data/analytics/d.json", NULL, records, rejected);
        gavat_op_unref(op);
    }
}

static void a_persona_fills_in_its_profile(void **state)
{
    put_legacy("data/profiles/a.json", "{\"x\": 1}");
    put_legacy("data/personas/a.json", "{\"x\": 2, \"y\": 3}");
    put_legacy("data/personas/b.json", "{\"y\": 3}");
    gavat_op *op = plan_of(*state, legacy, NULL, NULL);
    expect_counts(op, "data/profiles/a.json", NULL, 1, 0);
    expect_oddity(op, "data/profiles/a.json", "merged with the persona");
    expect_counts(op, "data/personas/a.json", NULL, 0, 0);
    expect_counts(op, "data/personas/b.json", NULL, 1, 0);
    gavat_op_unref(op);
}

static void the_original_s_database_is_read_as_it_is(void **state)
{
    char command[1200];
    snprintf(command, sizeof command, "cp '%s/tests/data/original/gavatcore.db' '%s/gavatcore.db'", getenv("TEST_SOURCE_DIR"), legacy);
    assert_int_equal(system(command), 0);
    gavat_op *op = plan_of(*state, legacy, NULL, "database");
    char text[24];
    int total = 0;
    static const char *const tables[] = {"event_logs", "sale_logs", "message_records", "user_sessions"};
    static const int rows[] = {600, 80, 195, 34};
    for (size_t i = 0; i < 4; i++) {
        const char *json = source_of(op, "gavatcore.db", tables[i]);
        assert_non_null(json);
        gavat_json_copy(json, "records", text, sizeof text);
        total = atoi(text);
        gavat_json_copy(json, "rejected", text, sizeof text);
        assert_int_equal(total + atoi(text), rows[i]);
    }
    gavat_op_unref(op);
}

static void wrong_wishes_are_refused(void **state)
{
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] x\n");
    gavat_migration migration = gavat_migration_init();
    REFUSE(*state, "directory", plan_migration, &migration);
    migration.directory = legacy;
    migration.zone = "Europe/Atlantis";
    REFUSE(*state, "time zone", plan_migration, &migration);
    migration.zone = NULL;
    migration.only = "logs,nothing";
    REFUSE(*state, "nothing", plan_migration, &migration);
    migration.only = "profiles";
    gavat_op *op = held(*state);
    RUN(op, plan_migration, &migration);
    assert_int_equal(gavat_op_number(op), 0);
    gavat_op_unref(op);
    migration.only = NULL;
    migration.directory = "/nowhere/at/all";
    DO(*state, GAVAT_EIO, plan_migration, &migration);
    migration.size = 0;
    REFUSE(*state, "gavat_migration_init", plan_migration, &migration);
}

static void it_stops_at_so_many_errors(void **state)
{
    put_legacy("logs/u.log", "x\ny\nz\n[2025-01-01T00:00:00] [INFO] x\n");
    gavat_migration migration = gavat_migration_init();
    migration.directory = legacy;
    migration.max_errors = 2;
    gavat_op *op = held(*state);
    RUN(op, plan_migration, &migration);
    assert_int_equal(gavat_op_number(op), 0);
    assert_non_null(gavat_op_rejected(op, 1, NULL));
    assert_null(gavat_op_rejected(op, 2, NULL));
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(the_samples_hold_what_their_manifest_says, begin, end),
        cmocka_unit_test_setup_teardown(what_is_odd_or_refused_is_said_with_its_place, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_written, begin, end),
        cmocka_unit_test_setup_teardown(local_times_at_the_edges_of_summer_time_are_said, begin, end),
        cmocka_unit_test_setup_teardown(text_that_is_no_one_encoding_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_header_may_lie_across_blocks, begin, end),
        cmocka_unit_test_setup_teardown(an_array_that_is_cut_gives_what_is_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_persona_fills_in_its_profile, begin, end),
        cmocka_unit_test_setup_teardown(the_original_s_database_is_read_as_it_is, begin, end),
        cmocka_unit_test_setup_teardown(wrong_wishes_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(it_stops_at_so_many_errors, begin, end),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
