/* seen.c: counting equal records by their hash, in bounded memory: past a million different ones it begins anew, so that equal records
 * further apart than that would be taken for one. */
#include "reading.h"

#define SLOTS ((size_t)1 << 21)
#define MOST ((size_t)1 << 20)

struct gv_seen {
    uint64_t *hashes;           /* SLOTS; 0: free */
    uint32_t *counts;
    size_t used;
};

gv_seen *gv_seen_new(void)
{
    return gv_alloc_zero(sizeof(gv_seen));
}

void gv_seen_free(gv_seen *seen)
{
    if (!seen)
        return;
    gv_free(seen->hashes);
    gv_free(seen->counts);
    gv_free(seen);
}

void gv_seen_clear(gv_seen *seen)
{
    if (seen->used)
        memset(seen->hashes, 0, SLOTS * sizeof *seen->hashes);
    seen->used = 0;
}

bool gv_seen_count(gv_seen *seen, uint64_t hash, uint32_t *before)
{
    if (!seen->hashes)
        seen->hashes = gv_alloc_zero(SLOTS * sizeof *seen->hashes);
    if (!seen->counts)
        seen->counts = gv_alloc(SLOTS * sizeof *seen->counts);
    if (!seen->hashes || !seen->counts)
        return false;
    if (seen->used == MOST)
        gv_seen_clear(seen);
    hash |= !hash;
    size_t at = (size_t)hash & (SLOTS - 1);
    while (seen->hashes[at] && seen->hashes[at] != hash)
        at = (at + 1) & (SLOTS - 1);
    if (!seen->hashes[at]) {
        seen->hashes[at] = hash;
        seen->counts[at] = 0;
        seen->used++;
    }
    *before = seen->counts[at]++;
    return true;
}
