/* What the text log mirror writes. */
#include "textlog_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "../../lib/events/textlog/textlog.h"

#define NOON "2025-05-25T09:00:00"      /* in Istanbul */

static void a_line_is_as_the_originals(void **state)
{
    (void)state;
    gavat *g = start();
    assert_int_equal(log_line(g, "botalfa", NOON, NULL, "Mesaj alındı"), GAVAT_OK);
    assert_int_equal(log_line(g, "botalfa", "2015-01-25T09:00:01.999999", "WARNING", "iki"), GAVAT_OK);
    assert_int_equal(log_line(g, "botalfa", NOON, "ERROR", NULL), GAVAT_OK);
    check_file(in_folder("logs/botalfa.log"), "[2025-05-25T12:00:00] [INFO] Mesaj alındı\n"
                                              "[2015-01-25T11:00:01] [WARNING] iki\n"
                                              "[2025-05-25T12:00:00] [ERROR] \n");
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_events(op, NULL);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), 3);
    gavat_op_unref(op);
    stop(g);
}

static void a_message_cannot_forge_a_record(void **state)
{
    (void)state;
    gavat *g = start();
    static const char message[] = "bir\n[2025-05-25T12:00:00] [ERROR] iki\r[üç]\r\n[dört]\n  beş";
    assert_int_equal(log_line(g, "u", NOON, NULL, message), GAVAT_OK);
    assert_int_equal(log_line(g, "u", NOON, "A] b\n[x", "[kendi]"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] bir\n"
                                        " [2025-05-25T12:00:00] [ERROR] iki\r [üç]\r\n [dört]\n  beş\n"
                                        "[2025-05-25T12:00:00] [A_ b__x] [kendi]\n");
    stop(g);
}

static void check_name(const char *user, const char *expected)
{
    char name[GV_TEXT_LOG_NAME];
    gv_text_log_name(user, name);
    assert_string_equal(name, expected);
}

static void names_of_files_stay_inside_the_folder(void **state)
{
    (void)state;
    check_name("botalfa", "botalfa");
    check_name("@bot@alfa", "botalfa");
    check_name("ışık ş", "ışık ş");
    check_name("../x", "%2E.%2Fx");
    check_name("@.x.y", "%2Ex.y");
    check_name("a/b%c", "a%2Fb%25c");
    check_name("", "%");
    check_name("@", "%");
    check_name("\xff\xc5", "\xff\xc5");
}

static void long_names_are_cut_at_a_character(void **state)
{
    (void)state;
    char user[512] = "", name[GV_TEXT_LOG_NAME], other[GV_TEXT_LOG_NAME];
    memset(user, 'a', 200);
    check_name(user, user);
    strcpy(user + 179, "şşşşşşşşşşşşşşşşşşşş");
    gv_text_log_name(user, name);
    assert_int_equal(strlen(name), 179 + 17);
    assert_int_equal(name[179], '~');
    strcat(user, "x");
    gv_text_log_name(user, other);
    assert_memory_equal(name, other, 180);
    assert_string_not_equal(name, other);
}

static void the_name_leads_to_the_file(void **state)
{
    (void)state;
    gavat *g = start();
    assert_int_equal(log_line(g, "@../a", NOON, NULL, "bir"), GAVAT_OK);
    assert_int_equal(log_line(g, "../a", NOON, NULL, "iki"), GAVAT_OK);
    check_file(in_folder("logs/%%2E.%%2Fa.log"), "[2025-05-25T12:00:00] [INFO] bir\n"
                                                 "[2025-05-25T12:00:00] [INFO] iki\n");
    stop(g);
}

enum { USERS = 300, ROUNDS = 20 };

static void many_events_keep_their_order_in_each_file(void **state)
{
    (void)state;
    gavat *g = start();
    char user[32], message[32];
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < USERS; k++) {
            (void)snprintf(user, sizeof user, "user%d", k);
            (void)snprintf(message, sizeof message, "%d", i);
            gavat_event event = event_of(user, NOON, NULL, message);
            gavat_log_event(gavat_op_new_wait(g, NULL, NULL, 10000), &event);
        }
    gavat_op *op = gavat_op_new_held(g);
    gavat_flush(op);
    assert_int_equal(finish(op), GAVAT_OK);
    gv_text expected = {0};
    for (int i = 0; i < ROUNDS; i++)
        gv_text_addf(&expected, "[2025-05-25T12:00:00] [INFO] %d\n", i);
    for (int k = 0; k < USERS; k++)
        check_file(in_folder("logs/user%d.log", k), gv_text_get(&expected));
    gv_text_free(&expected);
    stop(g);
}

static void two_clients_share_a_file(void **state)
{
    (void)state;
    gavat *g[2] = {start(), start_with(settings("other.db"))};
    for (int i = 0; i < 2000; i++) {
        gavat_event event = event_of("u", NOON, NULL, "aynı satır");
        gavat_log_event(gavat_op_new_wait(g[i % 2], NULL, NULL, 10000), &event);
    }
    stop(g[0]);
    stop(g[1]);
    gv_text text = {0};
    assert_int_equal(gv_file_read_all(in_folder("logs/u.log"), 1 << 24, &text), 0);
    static const char line[] = "[2025-05-25T12:00:00] [INFO] aynı satır\n";
    assert_int_equal(text.length, 2000 * (sizeof line - 1));
    for (size_t i = 0; i < 2000; i++)
        assert_memory_equal(text.data + i * (sizeof line - 1), line, sizeof line - 1);
    gv_text_free(&text);
}

static gavat_time fixed_clock(void *user)
{
    (void)user;
    return INT64_C(1764000000999999);
}

static void put_long_file(const char *path, size_t length)
{
    char *data = malloc(length);
    assert_non_null(data);
    memset(data, 'x', length);
    data[length - 1] = '\n';
    put_file(path, data, length);
    free(data);
}

static void a_file_of_five_megabytes_is_put_aside(void **state)
{
    (void)state;
    put_long_file(in_folder("logs/u.log"), GV_TEXT_LOG_ROTATE - 1);
    put_file(in_folder("logs/u.log.1764000000.bak"), "eski\n", 5);
    gavat *g = start();
    gavat_set_clock(g, fixed_clock, NULL);
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    assert_true(size_of(in_folder("logs/u.log")) > GV_TEXT_LOG_ROTATE);
    assert_int_equal(log_line(g, "u", NOON, NULL, "iki"), GAVAT_OK);
    assert_int_equal(log_line(g, "u", NOON, NULL, "üç"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] iki\n[2025-05-25T12:00:00] [INFO] üç\n");
    check_file(in_folder("logs/u.log.1764000000.bak"), "eski\n");
    assert_int_equal(size_of(in_folder("logs/u.log.1764000001.bak")), GV_TEXT_LOG_ROTATE - 1 + 33);
    stop(g);
}

static int refuse_rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}

static void a_file_that_cannot_be_put_aside_goes_on(void **state)
{
    (void)state;
    char reason[512];
    put_long_file(in_folder("logs/u.log"), GV_TEXT_LOG_ROTATE);
    gavat *g = start();
    gavat_set_clock(g, fixed_clock, NULL);
    gv_file_hook.rename = refuse_rename;
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    assert_int_equal(size_of(in_folder("logs/u.log")), GV_TEXT_LOG_ROTATE + 33);
    assert_int_equal(size_of(in_folder("logs/u.log.1764000000.bak")), -1);
    assert_int_equal(health_of(g, reason), GAVAT_HEALTH_DEGRADED);
    assert_non_null(strstr(reason, "EPERM"));
    stop(g);
}

static void what_others_remove_is_made_anew(void **state)
{
    (void)state;
    gavat *g = start();
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    assert_int_equal(rename(in_folder("logs/u.log"), in_folder("logs/u.log.7.bak")), 0);
    assert_int_equal(log_line(g, "u", NOON, NULL, "iki"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] iki\n");
    assert_int_equal(rename(in_folder("logs"), in_folder("logs.old")), 0);
    assert_int_equal(log_line(g, "u", NOON, NULL, "üç"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] üç\n");
    stop(g);
}

static void a_line_begins_on_a_line_of_its_own(void **state)
{
    (void)state;
    put_file(in_folder("logs/u.log"), "yarım", 6);
    gavat *g = start();
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "yarım\n[2025-05-25T12:00:00] [INFO] bir\n");
    stop(g);
}

static atomic_int broken;       /* writes to text logs: 1 half of them, 2 nothing */

static ssize_t break_off(int fd, const void *data, size_t length)
{
    int how = atomic_load(&broken);
    if (how == 1) {
        atomic_store(&broken, 2);
        return write(fd, data, length / 2);
    }
    if (how == 2)
        errno = ENOSPC;
    return how == 2 ? -1 : write(fd, data, length);
}

static void a_full_disk_loses_lines_but_no_event(void **state)
{
    (void)state;
    char reason[512] = "";
    gavat *g = start();
    gv_file_hook.write = break_off;
    atomic_store(&broken, 1);
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    assert_int_equal(health_of(g, reason), GAVAT_HEALTH_DEGRADED);
    assert_non_null(strstr(reason, "ENOSPC"));
    assert_non_null(strstr(reason, "u.log"));
    atomic_store(&broken, 0);
    assert_int_equal(log_line(g, "u", NOON, NULL, "iki"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:0\n[2025-05-25T12:00:00] [INFO] iki\n");
    usleep(1100000);
    assert_int_equal(log_line(g, "u", NOON, NULL, "üç"), GAVAT_OK);
    assert_int_equal(health_of(g, reason), GAVAT_HEALTH_UP);
    assert_string_equal(reason, "");
    stop(g);
}

static void a_folder_that_cannot_be_made_is_no_hindrance(void **state)
{
    (void)state;
    char reason[512] = "";
    put_file(in_folder("logs"), "", 0);
    gavat *g = start();
    assert_int_equal(health_of(g, reason), GAVAT_HEALTH_DEGRADED);
    assert_non_null(strstr(reason, "ENOTDIR"));
    assert_int_equal(log_line(g, "u", NOON, NULL, "bir"), GAVAT_OK);
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_events(op, NULL);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), 1);
    gavat_op_unref(op);
    stop(g);
}

static void a_store_that_is_away_still_gets_its_line(void **state)
{
    (void)state;
    put_file(in_folder("file"), "", 0);
    gavat *g = start_with(settings("file/events.db"));
    gavat_event event = event_of("u", NOON, NULL, "bir");
    gavat_op *op = gavat_op_new_held(g);
    gavat_log_event(op, &event);
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    assert_non_null(strstr(gavat_op_error(op)->message, "the line was kept in the text log"));
    gavat_op_unref(op);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] bir\n");
    op = gavat_op_new_held(g);
    gavat_get_events(op, NULL);
    assert_int_not_equal(gavat_op_wait(op), GAVAT_OK);
    assert_null(strstr(gavat_op_error(op)->message, "text log"));
    gavat_op_unref(op);
    stop(g);
}

static atomic_bool held, entered;

static ssize_t write_when_let(int fd, const void *data, size_t length)
{
    atomic_store(&entered, true);
    while (atomic_load(&held))
        usleep(1000);
    return write(fd, data, length);
}

static void an_event_that_nobody_waits_for_gets_no_line(void **state)
{
    (void)state;
    gavat *g = start();
    gv_file_hook.write = write_when_let;
    atomic_store(&held, true);
    gavat_op *ops[2] = {gavat_op_new_held(g), gavat_op_new_held(g)};
    for (int i = 0; i < 2; i++) {
        gavat_event event = event_of("u", NOON, NULL, i ? "geç" : "bir");
        gavat_op_set_timeout(ops[i], i ? 20 : 0);
        gavat_log_event(ops[i], &event);
        while (!atomic_load(&entered))
            usleep(1000);
    }
    assert_int_equal(finish(ops[1]), GAVAT_ETIMEDOUT);
    atomic_store(&held, false);
    assert_int_equal(finish(ops[0]), GAVAT_OK);
    assert_int_equal(log_line(g, "u", NOON, NULL, "iki"), GAVAT_OK);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] bir\n[2025-05-25T12:00:00] [INFO] iki\n");
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_events(op, NULL);
    assert_int_equal(gavat_op_wait(op), GAVAT_OK);
    assert_int_equal(gavat_op_count(op), 2);
    gavat_op_unref(op);
    stop(g);
}

static void commits_are_mirrored_and_imports_are_not(void **state)
{
    (void)state;
    gavat *g = start();
    gavat_batch *batches[2] = {gavat_batch_new(g), gavat_batch_new(g)};
    for (int i = 0; i < 2; i++) {
        gavat_event event = event_of("u", NOON, NULL, i ? "commit" : "import");
        gavat_sale sale = gavat_sale_init();
        sale.user_id = "u";
        sale.product_type = "vip";
        sale.amount = "1";
        assert_int_equal(gavat_batch_add_sale(batches[i], &sale), GAVAT_OK);
        assert_int_equal(gavat_batch_add_event(batches[i], &event), GAVAT_OK);
    }
    gavat_op *op = gavat_op_new_held(g);
    gavat_import_batch(op, batches[0]);
    assert_int_equal(finish(op), GAVAT_OK);
    op = gavat_op_new_held(g);
    gavat_commit_batch(op, batches[1]);
    assert_int_equal(finish(op), GAVAT_OK);
    gavat_batch_free(batches[0]);
    gavat_batch_free(batches[1]);
    check_file(in_folder("logs/u.log"), "[2025-05-25T12:00:00] [INFO] commit\n");
    stop(g);
}

static void a_zone_that_nobody_knows_is_refused(void **state)
{
    (void)state;
    gavat *g = NULL;
    gavat_config *cfg = settings("events.db");
    assert_int_equal(gavat_config_set(cfg, "GAVAT_TIME_ZONE", "Europe/Atlantis"), GAVAT_OK);
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_EINVAL);
    assert_null(g);
    assert_non_null(strstr(gavat_config_error(cfg), "GAVAT_TIME_ZONE"));
    assert_non_null(strstr(gavat_config_error(cfg), "Europe/Atlantis"));
    gavat_config_free(cfg);
}

static void a_client_that_was_never_opened_closes(void **state)
{
    (void)state;
    gavat *g = NULL;
    gavat_config *cfg = settings("events.db");
    assert_int_equal(gavat_new(&g, NULL, cfg), GAVAT_OK);
    gavat_config_free(cfg);
    stop(g);
    assert_int_equal(size_of(in_folder("logs")), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_line_is_as_the_originals),
        CASE(a_message_cannot_forge_a_record),
        CASE(names_of_files_stay_inside_the_folder),
        CASE(long_names_are_cut_at_a_character),
        CASE(the_name_leads_to_the_file),
        CASE(many_events_keep_their_order_in_each_file),
        CASE(two_clients_share_a_file),
        CASE(a_file_of_five_megabytes_is_put_aside),
        CASE(a_file_that_cannot_be_put_aside_goes_on),
        CASE(what_others_remove_is_made_anew),
        CASE(a_line_begins_on_a_line_of_its_own),
        CASE(a_full_disk_loses_lines_but_no_event),
        CASE(a_folder_that_cannot_be_made_is_no_hindrance),
        CASE(a_store_that_is_away_still_gets_its_line),
        CASE(an_event_that_nobody_waits_for_gets_no_line),
        CASE(commits_are_mirrored_and_imports_are_not),
        CASE(a_zone_that_nobody_knows_is_refused),
        CASE(a_client_that_was_never_opened_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
