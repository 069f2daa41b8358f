#include "../../lib/base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void check_text(const char *got, const char *expect)
{
    if (expect)
        assert_string_equal(got ? got : "(missing)", expect);
    else
        assert_null(got);
}

typedef struct row {
    const char *text, *scheme, *user, *password, *hosts, *path, *query;
} row;

static const row rows[] = {
    {"postgresql://app:pw@h1:5432,h2:5433,h3/db?target_session_attrs=read-write", "postgresql", "app", "pw",
     "h1:5432 h2:5433 h3:0",
     "db", "target_session_attrs=read-write"},
    {"postgres://[2001:db8::1]:5432,[::1]/db", "postgres", NULL, NULL, "2001:db8::1:5432 ::1:0", "db", NULL},
    {"redis://[fe80::1%25eth0]:6379", "redis", NULL, NULL, "fe80::1%eth0:6379", "", NULL},
    {"redis://[::ffff:10.0.0.1]", "redis", NULL, NULL, "::ffff:10.0.0.1:0", "", NULL},
    {"PostgreSQL+AsyncPG://gavat:secret@localhost:5432/gavatcore", "postgresql+asyncpg", "gavat", "secret",
     "localhost:5432",
     "gavatcore", NULL},
    {"postgresql://a%40b:p%3A%2F%3f%23%25@h/d%20b", "postgresql", "a@b", "p:/?#%", "h:0", "d%20b", NULL},
    {"postgresql://u:p@ss@w:rd@host/db", "postgresql", "u", "p@ss@w:rd", "host:0", "db", NULL},
    {"postgresql://u:p ss#x@host/db", "postgresql", "u", "p ss#x", "host:0", "db", NULL},
    {"postgresql://u@/db?host=%2Fvar%2Frun", "postgresql", "u", NULL, "", "db", "host=%2Fvar%2Frun"},
    {"postgresql://%2Fvar%2Frun:5433/db", "postgresql", NULL, NULL, "/var/run:5433", "db", NULL},
    {"postgresql:///db", "postgresql", NULL, NULL, "", "db", NULL},
    {"postgresql://h?x=1", "postgresql", NULL, NULL, "h:0", "", "x=1"},
    {"postgresql://h/?", "postgresql", NULL, NULL, "h:0", "", ""},
    {"sqlite:///./a.db", "sqlite", NULL, NULL, "", "./a.db", NULL},
    {"sqlite:////a.db", "sqlite", NULL, NULL, "", "/a.db", NULL},
    {"sqlite:///100%.db", "sqlite", NULL, NULL, "", "100%.db", NULL},
    {"sqlite+aiosqlite:///data/a b.db?mode=ro", "sqlite+aiosqlite", NULL, NULL, "", "data/a b.db", "mode=ro"},
    {"sqlite://", "sqlite", NULL, NULL, "", "", NULL},
    {"memory:", "memory", NULL, NULL, "", "", NULL},
    {"memory:x/y?z", "memory", NULL, NULL, "", "x/y", "z"},
    {"file:/abs", "file", NULL, NULL, "", "/abs", NULL},
    {"file://./data/profiles", "file", NULL, NULL, ".:0", "data/profiles", NULL},
    {"redis://:hunter2@localhost:6379/0", "redis", NULL, "hunter2", "localhost:6379", "0", NULL},
    {"redis://user:@host", "redis", "user", "", "host:0", "", NULL},
    {"redis://user@host", "redis", "user", NULL, "host:0", "", NULL},
    {"redis://@host", "redis", NULL, NULL, "host:0", "", NULL},
    {"redis+sentinel://u:p@s1:26379,s2:26379,s3/mymaster", "redis+sentinel", "u", "p", "s1:26379 s2:26379 s3:0",
     "mymaster", NULL},
    {"redis+cluster://h1:1,h2:65535", "redis+cluster", NULL, NULL, "h1:1 h2:65535", "", NULL},
    {"mongodb+srv://u:p%2Fw@cluster.example.com/db?tls=true", "mongodb+srv", "u", "p/w", "cluster.example.com:0", "db",
     "tls=true"},
    {"redis://m\xc3\xbc\xc5\x9f.example/0", "redis", NULL, NULL, "m\xc3\xbc\xc5\x9f.example:0", "0", NULL},
};

static void check_row(const row *expect)
{
    gv_arena arena = {0};
    gv_url url;
    gv_text hosts = {0};
    const char *why = gv_url_parse(&arena, expect->text, &url);
    if (why)
        fail_msg("%s: %s", expect->text, why);
    for (size_t i = 0; i < url.host_count; i++)
        gv_text_addf(&hosts, "%s%s:%u", i ? " " : "", url.hosts[i].name, (unsigned)url.hosts[i].port);
    check_text(url.scheme, expect->scheme);
    check_text(url.user, expect->user);
    check_text(url.password, expect->password);
    assert_string_equal(gv_text_get(&hosts), expect->hosts);
    check_text(url.path, expect->path);
    check_text(url.query, expect->query);
    gv_text_free(&hosts);
    gv_arena_free(&arena);
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

static void what_is_not_a_url_is_refused_without_being_quoted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "a.db", "://h", ":memory:", "1redis://h", "re_dis://h", "re dis://h", "/abs/a.db", "host=h password=Kq7Kq7",
        "redis://Kq7Kq7:0", "redis://h:65536", "redis://h:-1", "redis://h:", "redis://h:6379x",
        "redis://h:99999999999999999999",
        "redis://u:Kq7Kq7/x@h", "redis://:6379", "redis://h1,,h2", "redis://h1,", "redis://,h1", "redis://::1:6379",
        "redis://[::1", "redis://[::1]x", "redis://[::1]:", "redis://[localhost]", "redis://[]", "redis://[%3A]",
        "redis://[::1%eth0]",
        "redis://[::g]", "redis://u:Kq7Kq7%@h", "redis://u:Kq7Kq7%4@h", "redis://u:%zzKq7Kq7@h",
        "redis://u:Kq7Kq7%00@h", "redis://h%00",
        "redis://u:Kq7Kq7@h o", "redis://u:Kq7Kq7\n@h", "redis://h\x7f", "redis://h?x=%", "redis://h?x=%00",
        "redis://a]b", "redis://h[1]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        gv_arena arena = {0};
        gv_url url;
        const char *why = gv_url_parse(&arena, texts[i], &url);
        if (!why)
            fail_msg("'%s' was read", texts[i]);
        assert_null(strstr(why, "Kq7"));
        assert_null(url.scheme);
        assert_null(url.password);
        gv_arena_free(&arena);
    }
    gv_url url;
    gv_arena arena = {0};
    assert_non_null(gv_url_parse(&arena, NULL, &url));
}

static void the_bounds_are_4096_bytes_and_32_hosts(void **state)
{
    (void)state;
    gv_arena arena = {0};
    gv_url url;
    gv_text text = {0};
    gv_text_adds(&text, "sqlite:///");
    while (text.length < 4096)
        gv_text_addc(&text, 'a');
    assert_null(gv_url_parse(&arena, gv_text_get(&text), &url));
    gv_text_addc(&text, 'a');
    assert_non_null(gv_url_parse(&arena, gv_text_get(&text), &url));
    gv_text_clear(&text);
    gv_text_adds(&text, "redis://h");
    for (int i = 1; i < GV_URL_HOSTS; i++)
        gv_text_adds(&text, ",h");
    assert_null(gv_url_parse(&arena, gv_text_get(&text), &url));
    assert_int_equal(url.host_count, GV_URL_HOSTS);
    gv_text_adds(&text, ",h");
    assert_non_null(gv_url_parse(&arena, gv_text_get(&text), &url));
    gv_text_free(&text);
    gv_arena_free(&arena);
}

static void query_values_are_decoded_and_the_last_one_counts(void **state)
{
    (void)state;
    gv_arena arena = {0};
    gv_url url;
    assert_null(gv_url_parse(&arena, "postgresql://h/d?a=1&b=x%20y%26+z&c&d=&a=2&e%3Df=3&=4&a%62=5&&g=h=i", &url));
    static const char *const wants[][2] = {
        {"a", "2"}, {"b", "x y&+z"}, {"c", ""}, {"d", ""}, {"e=f", "3"}, {"", "4"}, {"ab", "5"}, {"g", "h=i"},
        {"x", NULL}, {"A", NULL},
        {"aa", NULL}, {"e", NULL},
    };
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
        check_text(gv_url_query(&arena, &url, wants[i][0]), wants[i][1]);
    assert_null(gv_url_parse(&arena, "postgresql://h/d", &url));
    assert_null(gv_url_query(&arena, &url, "a"));
    gv_arena_free(&arena);
}

static int allocations_left;

static void *resize_some(void *old, size_t size)
{
    return allocations_left-- > 0 ? realloc(old, size) : NULL;
}

static void no_memory_is_said_and_leaves_an_empty_url(void **state)
{
    (void)state;
    gv_memory before = gv_memory_hook;
    const char *why = "";
    for (int room = 0; why && room < 50; room++) {
        gv_arena arena = {0};
        gv_url url;
        allocations_left = room;
        gv_memory_hook.resize = resize_some;
        why = gv_url_parse(&arena, "redis://u:p@h1,h2/path?query", &url);
        gv_memory_hook = before;
        if (why) {
            assert_string_equal(why, "memory is out");
            assert_null(url.scheme);
            assert_int_equal(url.host_count, 0);
        }
        gv_arena_free(&arena);
    }
    assert_null(why);
}

static void check_shown(const char *text, const char *expect)
{
    gv_text out = {0};
    gv_text_adds(&out, ">");
    gv_url_redact(&out, text);
    assert_string_equal(gv_text_get(&out) + 1, expect);
    assert_int_equal(gv_text_get(&out)[0], '>');
    gv_text_free(&out);
}

static void passwords_of_urls_are_starred(void **state)
{
    (void)state;
    static const char *const shown[][2] = {
        {"postgresql://u:pw@h1:1,h2/db?sslmode=require", "postgresql://u:***@h1:1,h2/db?sslmode=require"},
        {"redis://:pw@h/0", "redis://:***@h/0"}, {"redis://u:@h/0", "redis://u:***@h/0"},
        {"redis://u@h/0", "redis://u@h/0"},
        {"redis://h:6379/0", "redis://h:6379/0"}, {"postgresql://u:p@ss@w@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:p%40s:s@[::1]:5/db", "postgresql://u:***@[::1]:5/db"},
        {"sqlite:///./a.db", "sqlite:///./a.db"},
        {"sqlite:///./me@home/a.db", "sqlite:///./me@home/a.db"}, {"memory:", "memory:"}, {"", ""},
        {"mongodb://u:p@h1,v:q@h2/db", "mongodb://u:***@h2/db"},
        {"postgresql://h/d?password=pw&x=1", "postgresql://h/d?password=***&x=1"},
        {"postgresql://h/d?x=1&sslpassword=pw", "postgresql://h/d?x=1&sslpassword=***"},
        {"x://h?secret=a&token=b&key=c&keys=d", "x://h?secret=***&token=***&key=***&keys=d"},
        {"x://h?PassWord=pw", "x://h?PassWord=***"}, {"x://h?p%61ssw%6Frd=pw", "x://h?p%61ssw%6Frd=***"},
        {"x://h?a=b;password=pw&c=d", "x://h?a=b;password=***&c=d"},
        {"x://h?password=a=b&c=d", "x://h?password=***&c=d"},
        {"x://u:p@h?token=t", "x://u:***@h?token=***"}, {"x://h?monkey=1&password", "x://h?monkey=1&password"},
        {"mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:pw&w=1",
         "mongodb://h/?authMechanismProperties=***&w=1"},
        {"mongodb://h/?tlsCertificateKeyFilePassword=pw", "mongodb://h/?tlsCertificateKeyFilePassword=***"},
    };
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        check_shown(shown[i][0], shown[i][1]);
    check_shown(NULL, "");
}

static void what_may_hold_a_password_is_hidden_in_other_text(void **state)
{
    (void)state;
    static const char *const shown[][2] = {
        {"redis://u:p/w@h/0", "redis://***@h/0"}, {"redis://user:12/34@h/0", "redis://***@h/0"},
        {"redis://u:12?34@h/0", "redis://***@h/0"}, {"redis:///u:pw@h/0", "redis://***@h/0"},
        {"u:pw@h/db", "***@h/db"}, {"u:p://w@h", "***@h"}, {"redis:u:pw@h", "***@h"},
        {"cannot reach redis://u:p w@h:1: refused", "cannot reach redis://***@h:1: refused"},
        {"failed: redis://u:pw@h: refused", "failed: redis://***@h: refused"},
        {"a://u:pw@h and b://v:px@i", "a://***@i"}, {"u@h redis://v:pw", "***@h redis://v:***"},
        {"redis://user:secret", "redis://user:***"}, {"host=h password=pw dbname=d", "host=h password=***"},
        {"pgsql:host=h;password=pw", "pgsql:host=h;password=***"}, {"password = pw x://u:pw@h", "password =***"},
        {"no password here", "no password here"}, {"a@b", "***@b"}, {"a.db", "a.db"},
    };
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        check_shown(shown[i][0], shown[i][1]);
}

/* Every password must give the same text, so not one byte of it gets through. */
static void what_is_shown_does_not_depend_on_the_password(void **state)
{
    (void)state;
    static const char *const passwords[] = {"", "x", "a:b", "a@b", "%41%40", "p ss", "***", "@", "@@", ":", "://",
        "a,b:1", "[::1]", "&x=1"};
    static const char *const frames[][3] = {
        {"redis://u:", "@h:1/0", "redis://u:***@h:1/0"},
        {"postgresql://:", "@h1,h2/d?a=b", "postgresql://:***@h1,h2/d?a=b"},
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        for (size_t j = 0; j < sizeof passwords / sizeof passwords[0]; j++) {
            gv_text text = {0};
            gv_text_addf(&text, "%s%s%s", frames[i][0], passwords[j], frames[i][1]);
            if (strcmp(passwords[j], "://") != 0)       /* its '/' ends the authority: the next case */
                check_shown(gv_text_get(&text), frames[i][2]);
            gv_text_free(&text);
        }
    }
}

/* Any byte at any place of the password, alone or with an '@', '/', '?', '%' or ':' behind it. */
static void no_byte_of_any_password_gets_through(void **state)
{
    (void)state;
    static const char *const around[] = {"", "@", "/", "?", "%", ":", "://", "#", "&", "=", "?password=x&", " "};
    for (int byte = 1; byte < 256; byte++) {
        for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
            gv_text text = {0}, out = {0};
            gv_text_addf(&text, "redis://user:Q7%c%sQ7Q7%s%cQ7@host:1/0", byte, around[i], around[i], byte);
            gv_url_redact(&out, gv_text_get(&text));
            assert_false(out.failed);
            if (strstr(gv_text_get(&out), "Q7"))
                fail_msg("byte %d with '%s': %s", byte, around[i], gv_text_get(&out));
            assert_non_null(strstr(gv_text_get(&out), "@host"));
            gv_text_free(&text);
            gv_text_free(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_not_a_url_is_refused_without_being_quoted),
        cmocka_unit_test(the_bounds_are_4096_bytes_and_32_hosts),
        cmocka_unit_test(query_values_are_decoded_and_the_last_one_counts),
        cmocka_unit_test(no_memory_is_said_and_leaves_an_empty_url),
        cmocka_unit_test(passwords_of_urls_are_starred),
        cmocka_unit_test(what_may_hold_a_password_is_hidden_in_other_text),
        cmocka_unit_test(what_is_shown_does_not_depend_on_the_password),
        cmocka_unit_test(no_byte_of_any_password_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
