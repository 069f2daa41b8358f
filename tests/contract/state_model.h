/* state_model.h: keys, lists and their expiry as a plain array, beside which random operations are played, and the clock that both see.
 * cmocka's header and client.h come before this one. */
#ifndef GAVATCORE_TEST_STATE_MODEL_H
#define GAVATCORE_TEST_STATE_MODEL_H
#include <stdatomic.h>

#define KEYS 200                /* at once */
#define ITEMS 12

typedef struct entry {
    char user[16], key[24];     /* user "": global */
    char value[40];
    char items[ITEMS + 1][40];
    int item_count;
    bool list;
    gavat_time expires;         /* 0: never */
    int64_t span;
} entry;

typedef struct model {
    entry entries[KEYS];
    size_t count;
    gavat_time last_expiry;     /* of what has expired: whether the store has removed it by now nobody knows */
} model;

static _Atomic gavat_time now_is;

static inline gavat_time now(void)
{
    return atomic_load(&now_is);
}

static inline gavat_time tell_time(void *user)
{
    (void)user;
    return now();
}

static inline int64_t left_of(const entry *e)   /* microseconds; 0: never ends */
{
    int64_t left = e->expires ? e->expires - now() : 0;
    return left > e->span ? e->span : left;
}

static inline void forget(model *m, entry *e)
{
    *e = m->entries[--m->count];
}

static inline void drop_expired(model *m)
{
    for (size_t i = 0; i < m->count;)
        if (m->entries[i].expires && m->entries[i].expires <= now()) {
            if (m->entries[i].expires > m->last_expiry)
                m->last_expiry = m->entries[i].expires;
            forget(m, &m->entries[i]);
        } else {
            i++;
        }
}

static inline entry *find(model *m, const char *user, const char *key)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->entries[i].user, user ? user : "") == 0 && strcmp(m->entries[i].key, key) == 0)
            return &m->entries[i];
    return NULL;
}

static inline entry *make(model *m, const char *user, const char *key)
{
    entry *e = find(m, user, key);
    if (!e) {
        assert_true(m->count < KEYS);
        e = &m->entries[m->count++];
    }
    memset(e, 0, sizeof *e);
    snprintf(e->user, sizeof e->user, "%s", user ? user : "");
    snprintf(e->key, sizeof e->key, "%s", key);
    return e;
}

static inline void set_span(entry *e, int64_t ms)
{
    e->expires = ms ? now() + ms * 1000 : 0;
    e->span = ms * 1000;
}

static inline void put(model *m, const char *user, const char *key, const char *value, int64_t ms)
{
    entry *e = make(m, user, key);
    snprintf(e->value, sizeof e->value, "%s", value);
    set_span(e, ms);
}

/* A step that writes settles what was stored too far away. */
static inline void settle_expiry(entry *e)
{
    if (e && e->expires && e->expires - now() > e->span)
        e->expires = now() + e->span;
}
#endif
