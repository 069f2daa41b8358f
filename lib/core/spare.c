#include "spare.h"
#include "../base/memory.h"

#define LENGTH 64               /* of a list */
#define KEPT_LISTS 8            /* by trim */

void gv_spares_init(gv_spares *spares)
{
    pthread_mutex_init(&spares->lock, NULL);
}

#ifndef GV_ARENA_PLAIN
/* Neighbouring threads lie a stack and a page apart: their numbers differ in these bits. */
static gv_spare_place *own_place(gv_spares *spares)
{
    return &spares->places[((uintptr_t)pthread_self() >> 12) % GV_SPARE_PLACES];
}

static void share(gv_spares *spares, gv_spare *list)
{
    pthread_mutex_lock(&spares->lock);
    list->next_list = atomic_load_explicit(&spares->lists, memory_order_relaxed);
    atomic_store_explicit(&spares->lists, list, memory_order_relaxed);
    atomic_fetch_add_explicit(&spares->list_count, 1, memory_order_relaxed);
    pthread_mutex_unlock(&spares->lock);
}
#endif

static gv_spare *take_list(gv_spares *spares)
{
    if (!atomic_load_explicit(&spares->lists, memory_order_relaxed))
        return NULL;
    pthread_mutex_lock(&spares->lock);
    gv_spare *list = atomic_load_explicit(&spares->lists, memory_order_relaxed);
    if (list) {
        atomic_store_explicit(&spares->lists, list->next_list, memory_order_relaxed);
        atomic_fetch_sub_explicit(&spares->list_count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&spares->lock);
    return list;
}

static void free_list(gv_spare *list)
{
    while (list) {
        gv_spare *next = list->next;
        gv_free(list);
        list = next;
    }
}

void *gv_spares_take(gv_spares *spares, size_t touched)
{
#ifdef GV_ARENA_PLAIN
    (void)spares;
    (void)touched;
    return NULL;
#else
    gv_spare_place *place = own_place(spares);
    gv_spare *list = atomic_exchange(&place->list, NULL), *none = NULL;
    if (!list)
        list = take_list(spares);
    if (list && list->next && !atomic_compare_exchange_strong(&place->list, &none, list->next))
        share(spares, list->next);      /* another thread of the same place was faster */
    if (list)
        gv_prefetch(list->next, touched);
    return list;
#endif
}

void gv_spares_give(gv_spares *spares, void *memory)
{
#ifdef GV_ARENA_PLAIN
    (void)spares;
    gv_free(memory);
#else
    gv_spare_place *place = own_place(spares);
    gv_spare *spare = memory, *list = atomic_exchange(&place->list, NULL), *none = NULL;
    if (list && list->count >= LENGTH) {
        share(spares, list);
        list = NULL;
    }
    spare->next = list;
    spare->count = list ? list->count + 1 : 1;
    if (!atomic_compare_exchange_strong(&place->list, &none, spare))
        share(spares, spare);
#endif
}

bool gv_spares_many(gv_spares *spares)
{
    return atomic_load_explicit(&spares->list_count, memory_order_relaxed) > KEPT_LISTS;
}

void gv_spares_trim(gv_spares *spares)
{
    while (gv_spares_many(spares))
        free_list(take_list(spares));
}

void gv_spares_free(gv_spares *spares)
{
    gv_spare *list;
    while ((list = take_list(spares)))
        free_list(list);
    for (unsigned i = 0; i < GV_SPARE_PLACES; i++)
        free_list(atomic_load(&spares->places[i].list));
    pthread_mutex_destroy(&spares->lock);
}
