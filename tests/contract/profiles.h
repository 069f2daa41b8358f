/* profiles.h: what the cases of the profiles area share. cmocka's header and client.h come before this one. */
#ifndef GAVATCORE_TEST_PROFILES_H
#define GAVATCORE_TEST_PROFILES_H
#include <string.h>

/* An op that has ended, however. */
static inline gavat_op *get_profile(gavat *g, const char *name)
{
    gavat_op *op = held(g);
    gavat_get_profile(op, name);
    gavat_op_wait(op);
    return op;
}

/* Must go well; gives the new revision. */
static inline int64_t put_profile(gavat *g, const char *name, const char *json)
{
    gavat_op *op = held(g);
    RUN(op, put_profile, name, json);
    int64_t revision = gavat_op_number(op);
    assert_true(gavat_op_reached(op) >= GAVAT_REACHED_STORE);
    gavat_op_unref(op);
    return revision;
}

/* One value of a profile, as plain text. */
static inline void expect_field(gavat *g, const char *name, const char *path, const char *wanted, const char *file, int line)
{
    gavat_op *op = get_profile(g, name);
    expect_status(op, GAVAT_OK, file, line);
    expect_json(op, 0, path, wanted, file, line);
    gavat_op_unref(op);
}
#define assert_field(g, name, path, wanted) expect_field(g, name, path, wanted, __FILE__, __LINE__)

/* --- on files --- */

/* Of a file in the store's folder; valid until the next call. */
static inline char *path_of(void **state, const char *file)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/profiles/%s", ((fresh *)*state)->folder, file);
    return path;
}

static inline void put_file(void **state, const char *file, const char *text)
{
    save_file(path_of(state, file), text, strlen(text));
}

/* The usernames of the op's records, in order, a '|' between. */
static inline void expect_names(const gavat_op *op, const char *wanted, const char *file, int line)
{
    char got[4000] = "";
    for (size_t i = 0; i < gavat_op_count(op); i++) {
        const gavat_profile *profile = gavat_op_profile(op, i);
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s", i ? "|" : "", profile ? profile->username : "NULL");
    }
    if (strcmp(got, wanted) != 0) {
        print_error("%s:%d: \"%s\" instead of \"%s\"\n", file, line, got, wanted);
        fail();
    }
}
#define assert_names(op, wanted) expect_names(op, wanted, __FILE__, __LINE__)
#endif
