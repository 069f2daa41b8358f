/* The migration of the legacy files into the stores: what lands, what is proven, what is kept, what is done once only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "migrate.h"

#include <sqlite3.h>

typedef struct counts {
    long records, rejected, landed, present;
} counts;

static long number(const char *json, const char *key)
{
    char text[24] = "";
    gavat_json_copy(json, key, text, sizeof text);
    return atol(text);
}

static counts count(const gavat_op *op)
{
    counts all = {0};
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const char *json = gavat_op_json(op, i, NULL);
        all.records += number(json, "records");
        all.rejected += number(json, "rejected");
        all.landed += number(json, "landed");
        all.present += number(json, "present");
    }
    return all;
}

static gavat_migration wish(void)
{
    gavat_migration migration = gavat_migration_init();
    migration.directory = legacy;
    migration.zone = "Europe/Istanbul";
    return migration;
}

static counts run(gavat *g, const gavat_migration *migration)
{
    gavat_op *op = held(g);
    RUN(op, run_migration, migration);
    counts all = count(op);
    assert_int_equal(all.landed, gavat_op_number(op));
    gavat_op_unref(op);
    return all;
}

/* How many faults a verification finds; the first of them in why. */
static int64_t faults(gavat *g, char why[400])
{
    gavat_op *op = held(g);
    RUN(op, verify_migration, NULL);
    const char *first = gavat_op_rejected(op, 0, NULL);
    snprintf(why, 400, "%s", first ? first : "");
    int64_t found = gavat_op_number(op);
    gavat_op_unref(op);
    return found;
}

static void expect_clean(gavat *g)
{
    char why[400];
    if (faults(g, why))
        fail_msg("%s", why);
}

/* The case's client, its journal and the legacy files all below the case's folder. */
static gavat *begin(void **state)
{
    fresh *f = *state;
    static char journal[300];
    static const char *settings[10];
    size_t count = 0;
    while (f->settings[count])
        settings[count] = f->settings[count], count++;
    settings[count++] = "GAVAT_MIGRATIONS";
    settings[count++] = journal;
    settings[count] = NULL;
    snprintf(legacy, sizeof legacy, "%s/legacy", f->folder);
    snprintf(journal, sizeof journal, "%s/migrations.db", f->folder);
    assert_int_equal(mkdir(legacy, 0755), 0);
    return reopen(state, settings);
}

static void every_record_of_the_samples_lands_and_is_proven(void **state)
{
    gavat *g = begin(state);
    copy_samples();
    gavat_migration migration = wish();
    counts first = run(g, &migration);
    assert_int_equal(first.landed, first.records);
    assert_int_equal(first.present, 0);
    assert_true(first.records > 850);
    expect_clean(g);
    counts second = run(g, &migration);
    assert_int_equal(second.landed, 0);
    assert_int_equal(second.present, first.records);
    expect_clean(g);
}

static void what_lands_reads_as_the_files_say(void **state)
{
    gavat *g = begin(state);
    put_legacy("logs/botalfa.log", "[2025-05-25T10:00:00] [WARNING] Mesaj alındı\nikinci satır\n[2025-05-25T10:00:01] [INFO] son\n");
    put_legacy("data/profiles/p.json", "{\"username\": \"x\", \"type\": \"bot\", \"n\": 12345678901234567, \"created_at\": {\"$date\": \"2025-05-25T10:00:00Z\"}}");
    put_legacy("dm_conversation_state.json", "{\"botalfa:7\": {\"phase\": \"manual_engaged\", \"menu_sent\": true}}");
    gavat_migration migration = wish();
    counts all = run(g, &migration);
    assert_int_equal(all.landed, 4);
    gavat_op *op = held(g);
    RUN(op, get_events, NULL);
    const gavat_event *event = gavat_op_event(op, 1);
    assert_non_null(event);
    assert_string_equal(event->user_id, "botalfa");
    assert_string_equal(event->type, "log");
    assert_string_equal(event->level, "WARNING");
    assert_string_equal(event->message, "Mesaj alındı\nikinci satır");
    char time[28];
    gavat_format_time(event->timestamp, time);
    assert_string_equal(time, "2025-05-25T07:00:00.000000Z");
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_profile, "p");
    char text[40];
    gavat_json_copy(gavat_op_json(op, 0, NULL), "n", text, sizeof text);
    assert_string_equal(text, "12345678901234567");
    gavat_json_copy(gavat_op_json(op, 0, NULL), "created_at", text, sizeof text);
    assert_string_equal(text, "2025-05-25T10:00:00.000000Z");
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_conversation, "botalfa", "7");
    assert_string_equal(gavat_op_conversation(op, 0)->phase, "manual_engaged");
    assert_int_equal(gavat_op_conversation(op, 0)->menu_sent, 1);
    gavat_op_unref(op);
}

static void equal_records_stay_as_many_as_they_are(void **state)
{
    gavat *g = begin(state);
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] x\n[2025-01-01T00:00:01] [INFO] y\n[2025-01-01T00:00:00] [INFO] x\n"
                             "[2025-01-01T00:00:00] [INFO] x\n");
    gavat_migration migration = wish();
    assert_int_equal(run(g, &migration).landed, 4);
    expect_clean(g);
}

static void a_log_may_be_rotated_and_grow_in_between(void **state)
{
    gavat *g = begin(state);
    char from[600], to[600];
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] x\n[2025-01-01T00:00:00] [INFO] x\n[2025-01-01T00:00:01] [INFO] y\n");
    gavat_migration migration = wish();
    assert_int_equal(run(g, &migration).landed, 3);
    snprintf(from, sizeof from, "%s/logs/u.log", legacy);
    snprintf(to, sizeof to, "%s/logs/u.log.1748160000.bak", legacy);
    assert_int_equal(rename(from, to), 0);
    put_legacy("logs/u.log", "[2025-01-01T00:00:01] [INFO] y\n[2025-01-01T00:00:02] [INFO] z\n");
    counts all = run(g, &migration);
    assert_int_equal(all.landed, 2);            /* another y, and z */
    assert_int_equal(all.present, 3);
    expect_clean(g);
}

static void the_same_in_another_store_lands_there_too(void **state)
{
    gavat *g = begin(state);
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] x\n");
    put_legacy("data/profiles/p.json", "{\"a\": 1}");
    gavat_migration migration = wish();
    migration.only = "profiles";
    assert_int_equal(run(g, &migration).landed, 1);
    migration.only = "logs";
    assert_int_equal(run(g, &migration).landed, 1);
    migration.only = NULL;
    counts all = run(g, &migration);
    assert_int_equal(all.landed, 0);
    assert_int_equal(all.present, 2);
}

/* Beside the library, on the file. */
static void change(const char *url, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(url + strlen("sqlite:///"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void one_changed_byte_one_row_less_and_one_row_more_are_found(void **state)
{
    gavat *g = begin(state);
    char why[400];
    const char *url = ((fresh *)*state)->url;
    if (strncmp(url, "sqlite:", 7) != 0)
        skip();
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] bir\n[2025-01-01T00:00:01] [INFO] iki\n[2025-01-01T00:00:02] [INFO] üç\n");
    gavat_migration migration = wish();
    run(g, &migration);
    change(url, "UPDATE event_logs SET message = 'ikj' WHERE message = 'iki'");
    assert_int_equal(faults(g, why), 1);
    assert_string_equal(why, "logs/u.log line 2: what is stored differs");
    change(url, "UPDATE event_logs SET message = 'iki' WHERE message = 'ikj'");
    expect_clean(g);
    change(url, "CREATE TABLE kept AS SELECT * FROM event_logs WHERE message = 'bir'; DELETE FROM event_logs WHERE message = 'bir'");
    assert_int_equal(faults(g, why), 1);
    assert_string_equal(why, "logs/u.log line 1: it is not in the store");
    change(url, "INSERT INTO event_logs SELECT * FROM kept");
    expect_clean(g);
    change(url, "INSERT INTO event_logs (user_id, event_type, level, message, timestamp, context, uid) SELECT 'v', event_type, level, message, "
                "timestamp, context, uid FROM event_logs WHERE message = 'bir'");
    assert_int_equal(faults(g, why), 2);        /* the two rows of one uid: one is not what the file says, and one is too many */
    change(url, "UPDATE event_logs SET uid = '01949e6a-0000-86d1-8000-000000000001' WHERE user_id = 'v'");
    assert_int_equal(faults(g, why), 1);
    assert_string_equal(why, "the store: a event of a migration that no file holds: 01949e6a-0000-86d1-8000-000000000001");
}

static void what_is_replaced_is_kept_in_the_backup(void **state)
{
    gavat *g = begin(state);
    char path[600], line[1000];
    DO(g, GAVAT_OK, put_profile, "p", "{\"old\": \"yes\"}");
    DO(g, GAVAT_OK, set_state, "dm:b:u", "conversation_state", "{\"phase\": \"old\"}", 0);
    put_legacy("data/profiles/p.json", "{\"new\": 1}");
    put_legacy("data/profiles/q.json", "{\"new\": 2}");
    put_legacy("dm_conversation_state.json", "{\"b:u\": {\"phase\": \"initial_contact\"}}");
    gavat_migration migration = wish();
    snprintf(path, sizeof path, "%s/backup", legacy);
    migration.backup = path;
    assert_int_equal(run(g, &migration).landed, 3);
    char name[700];
    snprintf(name, sizeof name, "%s/profiles.jsonl", path);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_non_null(strstr(line, "\"old\":"));
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
    snprintf(line, sizeof line, "cd '%s' && for f in profiles state sessions; do grep -q $(sha256sum <$f.jsonl | cut -d' ' -f1) MANIFEST.json || exit 1; "
             "done; grep -q old state.jsonl", path);
    assert_int_equal(system(line), 0);
    expect_clean(g);
    put_legacy("data/profiles/p.json", "{\"new\": 3}");
    DO(g, GAVAT_EIO, run_migration, &migration);        /* the folder is there already */
    gavat_op *op = held(g);
    RUN(op, get_profile, "p");
    gavat_json_copy(gavat_op_json(op, 0, NULL), "new", line, sizeof line);
    assert_string_equal(line, "1");
    gavat_op_unref(op);
}

static void it_stops_at_so_many_errors_and_goes_on(void **state)
{
    gavat *g = begin(state);
    put_legacy("logs/u.log", "bad\nbad\n[2025-01-01T00:00:00] [INFO] x\n");
    gavat_migration migration = wish();
    migration.max_errors = 2;
    DO(g, GAVAT_EREJECTED, run_migration, &migration);
    migration.max_errors = 0;
    DO(g, GAVAT_ECONFLICT, run_migration, &migration);
    migration.resume = 1;
    counts all = run(g, &migration);
    assert_int_equal(all.landed, 1);
    assert_int_equal(all.rejected, 2);
    DO(g, GAVAT_ENOTFOUND, run_migration, &migration);  /* nothing to be resumed any more */
    gavat_op *op = held(g);
    gavat_get_migrations(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 1);
    assert_non_null(strstr(gavat_op_json(op, 0, NULL), "\"state\":\"done\""));
    gavat_op_unref(op);
}

static void rejected_records_are_all_in_their_file(void **state)
{
    gavat *g = begin(state);
    char path[600], line[300];
    char text[4096] = "";
    for (int i = 0; i < 150; i++)
        strcat(text, "bad\n");
    put_legacy("logs/u.log", text);
    snprintf(path, sizeof path, "%s/rejects.jsonl", legacy);
    gavat_migration migration = wish();
    migration.rejects = path;
    assert_int_equal(run(g, &migration).rejected, 150);
    FILE *file = fopen(path, "r");
    int lines = 0;
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(number(line, "line"), ++lines);
        assert_non_null(strstr(line, "no header stands before it"));
    }
    fclose(file);
    assert_int_equal(lines, 150);
}

static void the_store_itself_is_no_source(void **state)
{
    gavat *g = begin(state);
    char command[1200], text[40];
    const char *url = ((fresh *)*state)->url;
    if (strncmp(url, "sqlite:", 7) != 0)
        skip();
    gavat_event event = gavat_event_init();
    event.user_id = "u", event.type = "t";
    DO(g, GAVAT_OK, log_event, &event);
    snprintf(command, sizeof command, "ln '%s' '%s/gavatcore.db'", url + strlen("sqlite:///"), legacy);
    assert_int_equal(system(command), 0);
    gavat_migration migration = wish();
    assert_int_equal(run(g, &migration).landed, 0);
    gavat_op *op = held(g);
    RUN(op, get_event_stats, NULL, NULL);
    gavat_json_copy(gavat_op_json(op, 0, NULL), "total", text, sizeof text);
    assert_string_equal(text, "1");
    gavat_op_unref(op);
}

static void a_dry_run_writes_nothing(void **state)
{
    gavat *g = begin(state);
    put_legacy("logs/u.log", "[2025-01-01T00:00:00] [INFO] x\n");
    gavat_migration migration = wish();
    migration.dry_run = 1;
    gavat_op *op = held(g);
    RUN(op, run_migration, &migration);
    assert_int_equal(gavat_op_number(op), 1);
    gavat_op_unref(op);
    op = held(g);
    RUN(op, get_events, NULL);
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
    op = held(g);
    gavat_get_migrations(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    assert_int_equal(gavat_op_count(op), 0);
    gavat_op_unref(op);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_record_of_the_samples_lands_and_is_proven),
        cmocka_unit_test(what_lands_reads_as_the_files_say),
        cmocka_unit_test(equal_records_stay_as_many_as_they_are),
        cmocka_unit_test(a_log_may_be_rotated_and_grow_in_between),
        cmocka_unit_test(the_same_in_another_store_lands_there_too),
        cmocka_unit_test(one_changed_byte_one_row_less_and_one_row_more_are_found),
        cmocka_unit_test(what_is_replaced_is_kept_in_the_backup),
        cmocka_unit_test(it_stops_at_so_many_errors_and_goes_on),
        cmocka_unit_test(rejected_records_are_all_in_their_file),
        cmocka_unit_test(the_store_itself_is_no_source),
        cmocka_unit_test(a_dry_run_writes_nothing),
    };
    return run_on_all("migrate", cases, sizeof cases / sizeof *cases);
}
