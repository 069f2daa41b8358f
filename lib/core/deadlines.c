#include "deadlines.h"

#define TICK UINT64_C(1000000)
#define BITS 6
#define SPAN(level) (UINT64_C(1) << (BITS * (level)))

void gv_deadlines_init(gv_deadlines *wheel, uint64_t now)
{
    wheel->tick = now / TICK;
    gv_list_init(&wheel->undated);
    for (unsigned level = 0; level < GV_WHEEL_LEVELS; level++) {
        wheel->used[level] = 0;
        for (unsigned slot = 0; slot < GV_WHEEL_SLOTS; slot++)
            gv_list_init(&wheel->slots[level][slot]);
    }
}

/* earliest: the first tick that is still to be taken. */
static void place(gv_deadlines *wheel, gv_deadline *entry, uint64_t earliest)
{
    uint64_t tick = entry->due / TICK + (entry->due % TICK != 0);
    if (tick < earliest)
        tick = earliest;
    unsigned level = 0;
    while (level < GV_WHEEL_LEVELS - 1 && tick - wheel->tick >= SPAN(level + 1))
        level++;
    if (tick - wheel->tick >= SPAN(GV_WHEEL_LEVELS))        /* past the last level: looked at again when its slot comes round */
        tick = wheel->tick + SPAN(GV_WHEEL_LEVELS) - 1;
    unsigned slot = (unsigned)(tick >> (BITS * level)) % GV_WHEEL_SLOTS;
    gv_list_append(&wheel->slots[level][slot], &entry->link);
    wheel->used[level] |= UINT64_C(1) << slot;
}

void gv_deadlines_add(gv_deadlines *wheel, gv_deadline *entry)
{
    if (entry->due)
        place(wheel, entry, wheel->tick + 1);
    else
        gv_list_append(&wheel->undated, &entry->link);
}

static uint64_t rotate(uint64_t bits, unsigned by)
{
    by %= 64;
    return by ? bits >> by | bits << (64 - by) : bits;
}

/* The next tick at which a slot is to be taken or spread over the level below; UINT64_MAX: none. */
static uint64_t next_tick(const gv_deadlines *wheel)
{
    uint64_t best = UINT64_MAX;
    for (unsigned level = 0; level < GV_WHEEL_LEVELS; level++) {
        if (!wheel->used[level])
            continue;
        uint64_t after = (wheel->tick >> (BITS * level)) + 1;
        uint64_t distance = (uint64_t)__builtin_ctzll(rotate(wheel->used[level], (unsigned)(after % 64)));
        uint64_t tick = (after + distance) << (BITS * level);
        if (tick < best)
            best = tick;
    }
    return best;
}

static void spread(gv_deadlines *wheel, unsigned level)
{
    unsigned slot = (unsigned)(wheel->tick >> (BITS * level)) % GV_WHEEL_SLOTS;
    gv_list entries;
    gv_list_init(&entries);
    gv_list_move(&entries, &wheel->slots[level][slot]);
    wheel->used[level] &= ~(UINT64_C(1) << slot);
    gv_link *link;
    while ((link = gv_list_take(&entries)))
        place(wheel, GV_CONTAINER(link, gv_deadline, link), wheel->tick);
}

void gv_deadlines_take(gv_deadlines *wheel, uint64_t now, gv_list *due)
{
    uint64_t last = now / TICK;
    while (wheel->tick < last) {
        uint64_t tick = next_tick(wheel);
        if (tick > last) {
            wheel->tick = last;
            return;
        }
        wheel->tick = tick;
        for (unsigned level = GV_WHEEL_LEVELS - 1; level > 0; level--)
            if (tick % SPAN(level) == 0)
                spread(wheel, level);
        unsigned slot = (unsigned)tick % GV_WHEEL_SLOTS;
        gv_list_move(due, &wheel->slots[0][slot]);
        wheel->used[0] &= ~(UINT64_C(1) << slot);
    }
}

void gv_deadlines_take_all(gv_deadlines *wheel, gv_list *all)
{
    gv_list_move(all, &wheel->undated);
    for (unsigned level = 0; level < GV_WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < GV_WHEEL_SLOTS; slot++)
            gv_list_move(all, &wheel->slots[level][slot]);
}

uint64_t gv_deadlines_next(const gv_deadlines *wheel)
{
    uint64_t tick = next_tick(wheel);
    return tick == UINT64_MAX ? tick : tick * TICK;
}
