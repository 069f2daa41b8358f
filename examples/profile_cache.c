/* All profiles in memory, kept fresh: read once, then the changes as they come, whoever makes them. Each name on stdin is looked up
 * there, without asking the store. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gavatcore.h>

#define PLACES 4096

struct profile {
    struct profile *next;
    char *json;
    char name[];
};

struct cache {
    gavat *g;
    pthread_mutex_t lock;
    pthread_cond_t change;
    int loaded;
    struct profile *places[PLACES];
};

static struct profile **find(struct cache *cache, const char *name)
{
    unsigned hash = 5381;
    for (const char *at = name; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    struct profile **place = &cache->places[hash % PLACES];
    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}

static void forget(struct profile **place)
{
    struct profile *gone = *place;
    *place = gone->next;
    free(gone->json);
    free(gone);
}

/* One record of a page or of a watch. */
static void take(struct cache *cache, const gavat_profile *record)
{
    struct profile **place = find(cache, record->username);
    if (*place)
        forget(place);
    if (record->flags & GAVAT_PROFILE_DELETED)
        return;
    struct profile *profile = malloc(sizeof *profile + strlen(record->username) + 1);
    char *json = strdup(record->json);
    if (!profile || !json)
        abort();
    strcpy(profile->name, record->username);
    profile->json = json;
    profile->next = *place;
    *place = profile;
}

static void take_all(struct cache *cache, const gavat_op *op)
{
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < gavat_op_count(op); i++)
        take(cache, gavat_op_profile(op, i));
    pthread_mutex_unlock(&cache->lock);
}

static void clear(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->loaded = 0;                              /* lookups wait */
    for (size_t i = 0; i < PLACES; i++)
        while (cache->places[i])
            forget(&cache->places[i]);
    pthread_mutex_unlock(&cache->lock);
}

static gavat_status load(struct cache *cache)
{
    gavat_profile_filter filter = gavat_profile_filter_init();
    gavat_op *page = NULL;
    gavat_status status;
    clear(cache);
    filter.limit = 1000;
    do {
        gavat_op *op = gavat_op_new_held(cache->g);
        filter.cursor = gavat_op_cursor(page);
        gavat_get_profiles(op, &filter);
        gavat_op_unref(page);
        page = op;
        status = gavat_op_wait(page);
        take_all(cache, page);
    } while (gavat_op_cursor(page));
    gavat_op_unref(page);
    return status;
}

static void tell_loaded(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->loaded = 1;
    pthread_cond_broadcast(&cache->change);
    pthread_mutex_unlock(&cache->lock);
}

/* Runs until the client is closed. The place to go on from is asked for before all is read: what changes meanwhile comes again. */
static void *follow(void *arg)
{
    struct cache *cache = arg;
    gavat_op *last = NULL;                          /* it holds the token */
    for (;;) {
        gavat_op *op = gavat_op_new_held(cache->g);
        if (!last)
            gavat_op_set_timeout(op, 1);            /* no waiting: only where the changes begin */
        gavat_watch_profiles(op, gavat_op_cursor(last));
        gavat_status status = gavat_op_wait(op);
        if (status == GAVAT_OK) {
            take_all(cache, op);
            if (!last && (status = load(cache)) == GAVAT_OK)
                tell_loaded(cache);
        }
        if (status == GAVAT_OK) {
            gavat_op_unref(last);
            last = op;
            continue;
        }
        int closed = status == GAVAT_ECLOSED || status == GAVAT_ECANCELED || status == GAVAT_EBUSY;
        if (!closed)
            fprintf(stderr, "%s\n", gavat_op_error(op)->message);
        if (status == GAVAT_ENOTFOUND) {            /* the token is too old: all anew */
            gavat_op_unref(last);
            last = NULL;
        }
        gavat_op_unref(op);
        if (closed)
            break;
        sleep(1);
    }
    gavat_op_unref(last);
    tell_loaded(cache);
    return NULL;
}

static void answer(struct cache *cache, const char *name)
{
    char shown[200];
    pthread_mutex_lock(&cache->lock);
    while (!cache->loaded)
        pthread_cond_wait(&cache->change, &cache->lock);
    const struct profile *profile = *find(cache, name);
    if (!profile)
        printf("%s: no such profile\n", name);
    else if (gavat_json_copy(profile->json, "display_name", shown, sizeof shown) >= 0)
        printf("%s: %s\n", name, shown);
    else
        printf("%s: no display_name\n", name);
    pthread_mutex_unlock(&cache->lock);
    fflush(stdout);
}

int main(void)
{
    static struct cache cache = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    char line[512];
    pthread_t follower;
    gavat_config *cfg = gavat_config_new();
    gavat_config_load_env(cfg);
    if (gavat_new(&cache.g, NULL, cfg) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        return 2;
    }
    gavat_config_free(cfg);
    gavat_open(gavat_op_new(cache.g, NULL, NULL));
    if (pthread_create(&follower, NULL, follow, &cache) != 0)
        return 1;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(&cache, line);
    }
    gavat_status status = gavat_close_wait(cache.g, 5000);
    pthread_join(follower, NULL);
    gavat_unref(cache.g);
    clear(&cache);
    return status != GAVAT_OK;
}
