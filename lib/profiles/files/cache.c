#include "cache.h"
#include "../../base/clock.h"
#include "../../base/memory.h"

static gv_cache_slot *slot_of(gv_cache *cache, const char *username, uint32_t *mark)
{
    uint64_t hash = gv_slice_hash(gv_slice_of(username));
    *mark = (uint32_t)(hash >> 16) | 1;
    return &cache->slots[(hash ^ hash >> 32) % GV_CACHE_SLOTS];
}

static size_t bytes_of(const gv_cached *kept)
{
    return sizeof *kept + strlen(kept->record.username) + kept->record.json_length + 2;
}

static void drop(gv_cache *cache, gv_cache_slot *slot)
{
    if (!slot->kept)
        return;
    cache->bytes -= bytes_of(slot->kept);
    gv_free(slot->kept);
    slot->kept = NULL;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && same_time(a->st_mtim, b->st_mtim)
           && same_time(a->st_ctim, b->st_ctim);
}

static bool is_quiet(const struct stat *file)
{
    int64_t since = (gv_clock_wall() - GV_CACHE_QUIET) / 1000000;
    return S_ISREG(file->st_mode) && file->st_size <= GV_CACHE_MOST && file->st_ctim.tv_sec < since && file->st_mtim.tv_sec < since;
}

const gavat_profile *gv_cache_find(gv_cache *cache, const char *username, const char *path)
{
    if (!cache)
        return NULL;
    uint32_t mark;
    gv_cache_slot *slot = slot_of(cache, username, &mark);
    cache->quiet = false;
    cache->again = slot->asked == mark;
    slot->asked = mark;
    if (!slot->kept || slot->held != mark || strcmp(slot->kept->record.username, username) != 0)
        return NULL;
    if (path && stat(path, &cache->file) == 0 && same_file(&slot->kept->file, &cache->file))
        return &slot->kept->record;
    drop(cache, slot);
    return NULL;
}

void gv_cache_opened(gv_cache *cache, int fd)
{
    if (cache && cache->again)
        cache->quiet = fstat(fd, &cache->file) == 0 && is_quiet(&cache->file);
}

void gv_cache_keep(gv_cache *cache, const gavat_profile *profile)
{
    if (!cache || !cache->quiet)
        return;
    size_t name = strlen(profile->username) + 1;
    gv_cached *kept = gv_alloc(sizeof *kept + name + profile->json_length + 1);
    if (!kept)
        return;
    kept->file = cache->file;
    kept->record = *profile;
    kept->record.username = memcpy(kept->text, profile->username, name);
    kept->record.json = memcpy(kept->text + name, profile->json, profile->json_length + 1);
    uint32_t mark;
    gv_cache_slot *slot = slot_of(cache, profile->username, &mark);
    drop(cache, slot);
    if (cache->bytes + bytes_of(kept) > GV_CACHE_BYTES)
        gv_cache_free(cache);
    cache->bytes += bytes_of(kept);
    slot->kept = kept;
    slot->held = mark;
}

void gv_cache_free(gv_cache *cache)
{
    for (size_t i = 0; i < GV_CACHE_SLOTS; i++)
        drop(cache, &cache->slots[i]);
}
