/* What is read back from text logs: ours, and those of the original. */
#include "textlog_bench.h"

static gavat_op *get_log(gavat *g, const char *user, const char *keyword, uint32_t limit)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log(op, user, keyword, limit);
    (void)gavat_op_wait(op);
    return op;
}

static void check_entry(const gavat_op *op, size_t i, const char *json)
{
    assert_string_equal(gavat_op_json(op, i, NULL), json);
}

static void check_count(gavat *g, const char *user, size_t count)
{
    gavat_op *op = get_log(g, user, NULL, 100000);
    assert_int_equal(gavat_op_status(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), count);
    gavat_op_unref(op);
}

static void the_samples_hold_what_their_list_says(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    check_count(g, "12345", 50);        /* ten, and forty that were put aside */
    check_count(g, "bom", 3);
    check_count(g, "botalfa", 300);
    check_count(g, "@botbeta", 50);
    check_count(g, "crlf", 3);
    check_count(g, "cut", 1);
    check_count(g, "empty", 0);
    check_count(g, "forged", 3);
    check_count(g, "latin5", 3);
    check_count(g, "noeol", 2);
    check_count(g, "nul", 2);
    check_count(g, "ışık ş", 20);
    stop(g);
}

static void odd_bytes_come_through(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    gavat_op *op = get_log(g, "bom", NULL, 0);
    check_entry(op, 0, "{\"timestamp\":\"2025-05-25T10:00:00\",\"level\":\"INFO\",\"message\":\"ilk\"}");
    gavat_op_unref(op);
    op = get_log(g, "crlf", NULL, 0);
    check_entry(op, 2, "{\"timestamp\":\"2025-05-25T10:00:00\",\"level\":\"INFO\",\"message\":\"ilk\"}");
    gavat_op_unref(op);
    op = get_log(g, "latin5", NULL, 0);
    check_entry(op, 1, "{\"timestamp\":\"2025-05-25T10:00:01\",\"level\":\"ERROR\",\"message\":"
                       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdi\xef\xbf\xbd\xef\xbf\xbd\"}");
    gavat_op_unref(op);
    op = get_log(g, "nul", NULL, 0);
    check_entry(op, 1, "{\"timestamp\":\"2025-05-25T10:00:01\",\"level\":\"INFO\",\"message\":\"a\\u0000b\"}");
    gavat_op_unref(op);
    op = get_log(g, "cut", NULL, 0);
    check_entry(op, 0, "{\"timestamp\":\"2025-05-25T10:00:00\",\"level\":\"INFO\","
                       "\"message\":\"ilk\\n[2025-05-25T10:0\"}");
    gavat_op_unref(op);
    stop(g);
}

static void lines_of_other_programs_are_kept(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    gavat_op *op = get_log(g, "foreign", NULL, 0);
    assert_int_equal(gavat_op_count(op), 6);
    check_entry(op, 0, "{\"timestamp\":null,\"level\":null,"
                       "\"message\":\"2025-05-25 10:00:00,123 - INFO - baska bicim\"}");
    check_entry(op, 1, "{\"timestamp\":null,\"level\":null,\"message\":\"Traceback (most recent call last):\"}");
    check_entry(op, 2, "{\"timestamp\":null,\"level\":null,\"message\":\"  File \\\"x\\\"\"}");
    check_entry(op, 3, "{\"timestamp\":\"2025-05-25T10:00:00\",\"level\":\"INFO\",\"message\":\"ilk\\n"
                       "[2025-05-25T10:00:02.123456] [INFO] mikro\\n[2025-05-25T10:00:03+03:00] [WARNING] dilim\"}");
    assert_string_equal(value(op, 4, "timestamp"), "2025-13-40T99:99:99");
    assert_string_equal(value(op, 5, "message"), "\n[2025-05-25 10:00:06] [INFO] bosluklu");
    gavat_op_unref(op);
    op = get_log(g, "foreign", NULL, 5);
    assert_int_equal(gavat_op_count(op), 5);
    assert_string_equal(value(op, 0, "message"), "Traceback (most recent call last):");
    gavat_op_unref(op);
    stop(g);
}

static void the_newest_come_last(void **state)
{
    (void)state;
    gavat *g = start();
    char message[32];
    for (int i = 0; i < 30; i++) {
        (void)snprintf(message, sizeof message, "satır %d\nsürüyor", i);
        assert_int_equal(log_line(g, "u", "2025-05-25T09:00:00", NULL, message), GAVAT_OK);
    }
    put_file(in_folder("logs/u.log.20.bak"), "[2020-01-02T00:00:00] [INFO] eski iki\n", 38);
    put_file(in_folder("logs/u.log.3.bak"), "[2020-01-01T00:00:00] [INFO] eski bir\n", 38);
    put_file(in_folder("logs/u.log.x.bak"), "[2020-01-01T00:00:00] [INFO] yabancı\n", 38);
    put_file(in_folder("logs/u2.log.3.bak"), "[2020-01-01T00:00:00] [INFO] başka\n", 37);
    gavat_op *op = get_log(g, "u", NULL, 3);
    assert_int_equal(gavat_op_count(op), 3);
    assert_string_equal(value(op, 0, "message"), "satır 27\nsürüyor");
    assert_string_equal(value(op, 2, "message"), "satır 29\nsürüyor");
    gavat_op_unref(op);
    op = get_log(g, "u", NULL, 31);
    assert_int_equal(gavat_op_count(op), 31);
    assert_string_equal(value(op, 0, "message"), "eski iki");
    assert_string_equal(value(op, 1, "message"), "satır 0\nsürüyor");
    gavat_op_unref(op);
    op = get_log(g, "u", NULL, 0);
    assert_int_equal(gavat_op_count(op), 32);
    assert_string_equal(value(op, 0, "message"), "eski bir");
    gavat_op_unref(op);
    stop(g);
}

static void a_keyword_is_folded_and_literal(void **state)
{
    (void)state;
    gavat *g = start();
    static const char *const messages[] = {"İSTANBUL", "ıstanbul'da", "istambul", "%100", "1000", "a_b", "axb", NULL};
    for (size_t i = 0; messages[i]; i++)
        assert_int_equal(log_line(g, "u", "2025-05-25T09:00:00", "ISTANBUL", messages[i]), GAVAT_OK);
    static const struct {
        const char *keyword;
        size_t count;
    } cases[] = {{"istanbul", 2}, {"İstanbuL", 2}, {"%", 1}, {"_", 1}, {"100", 2}, {"yok", 0}, {"", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gavat_op *op = get_log(g, "u", cases[i].keyword, 0);
        assert_int_equal(gavat_op_status(op), GAVAT_OK);
        assert_int_equal(gavat_op_count(op), cases[i].count);
        gavat_op_unref(op);
    }
    gavat_op *op = get_log(g, "u", "istanbul", 1);
    assert_string_equal(value(op, 0, "message"), "ıstanbul'da");
    gavat_op_unref(op);
    stop(g);
}

/* Entries of growing lengths, so that the ends of blocks fall everywhere, also into headers. */
static void entries_are_whole_wherever_blocks_end(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char filling[1000];
    gv_text text = {0};
    memset(filling, 'z', sizeof filling);
    for (int i = 0; i < COUNT; i++)
        gv_text_addf(&text, "[2025-05-25T10:00:00] [L%d] %d:%.*s\nson\n", i % 7, i, i % 251, filling);
    put_file(in_folder("logs/u.log"), gv_text_get(&text), text.length);
    gavat *g = start();
    gavat_op *op = get_log(g, "u", NULL, 100000);
    assert_int_equal(gavat_op_count(op), COUNT);
    for (int i = 0; i < COUNT; i++) {
        char expected[400];
        (void)snprintf(expected, sizeof expected, "%d:%.*s\nson", i, i % 251, filling);
        assert_string_equal(value(op, (size_t)i, "message"), expected);
        (void)snprintf(expected, sizeof expected, "L%d", i % 7);
        assert_string_equal(value(op, (size_t)i, "level"), expected);
    }
    gavat_op_unref(op);
    gv_text_free(&text);
    stop(g);
}

static void a_long_message_is_cut_at_the_bound_of_records(void **state)
{
    (void)state;
    gv_text text = {0};
    gv_text_adds(&text, "[2025-05-25T10:00:00] [INFO] x");
    for (int i = 0; i < 1500000; i++)
        gv_text_adds(&text, "ş");
    gv_text_adds(&text, "\n[2025-05-25T10:00:01] [INFO] son\n");
    put_file(in_folder("logs/u.log"), gv_text_get(&text), text.length);
    gv_text_free(&text);
    gavat *g = start();
    gavat_op *op = get_log(g, "u", NULL, 0);
    assert_int_equal(gavat_op_count(op), 2);
    size_t length;
    const char *message = gavat_json_find(gavat_op_json(op, 0, NULL), "message", &length);
    assert_int_equal(length, 1048576 - 1 + 2);  /* the last character would have gone over the bound; two quotes */
    assert_memory_equal(message + length - 3, "ş\"", 3);
    assert_string_equal(value(op, 1, "message"), "son");
    gavat_op_unref(op);
    stop(g);
}

static void check_stats(gavat *g, const char *user, const char *json)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log_stats(op, user);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), 1);
    check_entry(op, 0, json);
    gavat_op_unref(op);
}

static void statistics_are_of_all_files(void **state)
{
    (void)state;
    copy_samples();
    gavat *g = start();
    check_stats(g, "12345", "{\"user\":\"12345\",\"files\":2,\"bytes\":3355,\"lines\":50,"
                            "\"first\":\"2025-05-25T10:18:40\",\"last\":\"2025-05-25T10:38:24\","
                            "\"by_level\":{\"DEBUG\":13,\"ERROR\":15,\"INFO\":12,\"WARNING\":10}}");
    check_stats(g, "foreign", "{\"user\":\"foreign\",\"files\":1,\"bytes\":356,\"lines\":6,"
                              "\"first\":\"2025-05-25T10:00:00\",\"last\":\"2025-05-25T10:00:05\","
                              "\"by_level\":{\"INFO\":3}}");
    check_stats(g, "empty", "{\"user\":\"empty\",\"files\":1,\"bytes\":0,\"lines\":0,"
                            "\"first\":null,\"last\":null,\"by_level\":{}}");
    stop(g);
}

static void check_refused(gavat_op *op, gavat_status status, const char *part)
{
    assert_int_equal(gavat_op_wait(op), status);
    assert_non_null(strstr(gavat_op_error(op)->message, part));
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    gavat *g = start();
    check_refused(get_log(g, "nobody", NULL, 0), GAVAT_ENOTFOUND, "nobody");
    check_refused(get_log(g, NULL, NULL, 0), GAVAT_EINVAL, "user");
    check_refused(get_log(g, "", NULL, 0), GAVAT_EINVAL, "user");
    check_refused(get_log(g, "u", NULL, 100001), GAVAT_EINVAL, "100000");
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log_stats(op, "nobody");
    check_refused(op, GAVAT_ENOTFOUND, "nobody");
    stop(g);
}

static void without_the_setting_it_says_which(void **state)
{
    (void)state;
    gavat_config *cfg = settings("events.db");
    assert_int_equal(gavat_config_set(cfg, "GAVAT_TEXT_LOG_DIR", NULL), GAVAT_OK);
    gavat *g = start_with(cfg);
    check_refused(get_log(g, "u", NULL, 0), GAVAT_EINVAL, "GAVAT_TEXT_LOG_DIR");
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log_stats(op, "u");
    check_refused(op, GAVAT_EINVAL, "GAVAT_TEXT_LOG_DIR");
    assert_int_equal(log_line(g, "u", NULL, NULL, "bir"), GAVAT_OK);
    assert_int_equal(size_of(in_folder("logs")), -1);
    stop(g);
}

static void an_answer_stays_within_the_byte_bound(void **state)
{
    (void)state;
    gv_text text = {0};
    for (int i = 0; i < 50000; i++)
        gv_text_addf(&text, "[2025-05-25T10:00:00] [INFO] satır %d\n", i);
    put_file(in_folder("logs/u.log"), gv_text_get(&text), text.length);
    gv_text_free(&text);
    gavat_config *cfg = settings("events.db");
    assert_int_equal(gavat_config_set(cfg, "GAVAT_MAX_BYTES", "1MiB"), GAVAT_OK);
    gavat *g = start_with(cfg);
    check_refused(get_log(g, "u", NULL, 50000), GAVAT_EBUSY, "GAVAT_MAX_BYTES");
    gavat_op *op = get_log(g, "u", NULL, 1000);
    assert_int_equal(gavat_op_count(op), 1000);
    gavat_op_unref(op);
    stop(g);
}

static ssize_t read_slowly(int fd, void *data, size_t length)
{
    usleep(5000);
    return read(fd, data, length);
}

/* Forty megabytes: some seconds, when each block takes its time. */
static void put_large_file(void)
{
    static char line[1000] = "[2025-05-25T10:00:00] [INFO] ";
    memset(line + 29, 'x', sizeof line - 30);
    line[sizeof line - 1] = '\n';
    put_file(in_folder("logs/u.log"), line, sizeof line);
    FILE *file = fopen(in_folder("logs/u.log"), "ab");
    assert_non_null(file);
    for (int i = 1; i < 40000; i++)
        assert_int_equal(fwrite(line, sizeof line, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static void a_long_reading_holds_up_no_event(void **state)
{
    (void)state;
    put_large_file();
    gavat *g = start();
    gv_file_hook.read = read_slowly;
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log(op, "u", "yok", 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(log_line(g, "v", "2025-05-25T09:00:00", NULL, "bir"), GAVAT_OK);
    assert_int_equal(gavat_op_status(op), GAVAT_PENDING);
    gavat_op_cancel(op);
    assert_int_equal(gavat_op_wait(op), GAVAT_ECANCELED);
    gavat_op_unref(op);
    uint64_t before = gv_clock_steady();
    op = get_log(g, "v", NULL, 0);
    assert_int_equal(gavat_op_count(op), 10);
    gavat_op_unref(op);
    assert_true(gv_clock_steady() - before < UINT64_C(1000000000));     /* the first reading has stopped */
    stop(g);
}

static void close_ends_a_reading(void **state)
{
    (void)state;
    put_large_file();
    gavat *g = start();
    gv_file_hook.read = read_slowly;
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_text_log_stats(op, "u");
    assert_int_equal(gavat_close_wait(g, 500), GAVAT_ETIMEDOUT);
    assert_int_equal(gavat_op_wait(op), GAVAT_ECLOSED);
    gavat_op_unref(op);
    gavat_unref(g);
}

static void the_doctor_looks_at_the_folder(void **state)
{
    (void)state;
    gavat *g = start();
    for (int round = 0; round < 2; round++) {
        gavat_op *op = gavat_op_new_held(g);
        gavat_check_stores(op);
        assert_int_equal(gavat_op_wait(op), GAVAT_OK);
        size_t found = 0;
        for (size_t i = 0; i < gavat_op_count(op); i++) {
            if (strcmp(value(op, i, "store"), "textlog") != 0)
                continue;
            found++;
            assert_string_equal(value(op, i, "check"), "folder");
            assert_string_equal(value(op, i, "result"), round ? "fail" : "ok");
            assert_string_equal(value(op, i, "figure"), in_folder("logs"));
            assert_true(round == 0 || strstr(value(op, i, "advice"), "GAVAT_TEXT_LOG_DIR"));
        }
        assert_int_equal(found, 1);
        assert_int_equal(gavat_op_number(op), round);
        gavat_op_unref(op);
        assert_int_equal(rename(in_folder("logs"), in_folder("logs%d", round)), 0);
        put_file(in_folder("logs"), "", 0);
    }
    stop(g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_samples_hold_what_their_list_says),
        CASE(odd_bytes_come_through),
        CASE(lines_of_other_programs_are_kept),
        CASE(the_newest_come_last),
        CASE(a_keyword_is_folded_and_literal),
        CASE(entries_are_whole_wherever_blocks_end),
        CASE(a_long_message_is_cut_at_the_bound_of_records),
        CASE(statistics_are_of_all_files),
        CASE(what_cannot_be_read_is_said),
        CASE(without_the_setting_it_says_which),
        CASE(an_answer_stays_within_the_byte_bound),
        CASE(a_long_reading_holds_up_no_event),
        CASE(close_ends_a_reading),
        CASE(the_doctor_looks_at_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
