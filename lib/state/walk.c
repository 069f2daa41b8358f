#include "walk.h"
#include "../base/memory.h"
#include <stdlib.h>

/* Below 0: a comes first. */
static int compare(gavat_time a_due, const char *a_user, const gv_walk_found *b)
{
    if (a_due != b->due)
        return a_due < b->due ? -1 : 1;
    return strcmp(a_user, b->item.user);
}

static bool is_before(const gv_walk_found *a, const gv_walk_found *b)
{
    return compare(a->due, a->item.user, b) < 0;
}

static gv_walk_found *copy(const gv_walk_item *item, gavat_time due)
{
    size_t user = strlen(item->user) + 1, bytes;
    if (!gv_add_size(sizeof(gv_walk_found) + user, item->length, &bytes) || !gv_add_size(bytes, 1, &bytes))
        return NULL;
    gv_walk_found *found = gv_alloc(bytes);
    if (!found)
        return NULL;
    char *at = (char *)(found + 1), *value = at + user;
    memcpy(at, item->user, user);
    memcpy(value, item->value, item->length);
    value[item->length] = '\0';
    found->item = (gv_walk_item){at, value, item->length, item->expire_ms};
    found->due = due;
    found->bytes = bytes;
    return found;
}

static bool make_room(gv_walk_page *page)
{
    if (page->count < page->room)
        return true;
    size_t room = page->room ? page->room * 2 : 64, bytes;
    gv_walk_found **heap = gv_multiply_size(room, sizeof *heap, &bytes) ? gv_resize(page->heap, bytes) : NULL;
    if (!heap)
        return false;
    page->heap = heap;
    page->room = room;
    return true;
}

static void swap(gv_walk_page *page, size_t a, size_t b)
{
    gv_walk_found *kept = page->heap[a];
    page->heap[a] = page->heap[b];
    page->heap[b] = kept;
}

static void push(gv_walk_page *page, gv_walk_found *found)
{
    size_t at = page->count++;
    page->bytes += found->bytes;
    page->heap[at] = found;
    for (; at && is_before(page->heap[(at - 1) / 2], page->heap[at]); at = (at - 1) / 2)
        swap(page, at, (at - 1) / 2);
}

/* The last one of all. */
static gv_walk_found *pop(gv_walk_page *page)
{
    gv_walk_found *top = page->heap[0];
    page->heap[0] = page->heap[--page->count];
    page->bytes -= top->bytes;
    for (size_t at = 0;;) {
        size_t last = at, left = 2 * at + 1, right = left + 1;
        if (left < page->count && is_before(page->heap[last], page->heap[left]))
            last = left;
        if (right < page->count && is_before(page->heap[last], page->heap[right]))
            last = right;
        if (last == at)
            return top;
        swap(page, at, last);
        at = last;
    }
}

static bool is_wanted(const gv_walk_page *page, const gv_walk_item *item, gavat_time due)
{
    const gv_walk_request *request = page->request;
    if (request->after_user && (due < request->after_due
                                || (due == request->after_due && strcmp(item->user, request->after_user) <= 0)))
        return false;
    return !page->cut || compare(due, item->user, page->cut) < 0;
}

bool gv_walk_offer(gv_walk_page *page, const gv_walk_item *item, gavat_time due)
{
    if (!is_wanted(page, item, due))
        return true;
    gv_walk_found *found = make_room(page) ? copy(item, due) : NULL;
    if (!found)
        return false;
    push(page, found);
    while (page->count > page->request->limit || (page->count > 1 && page->bytes > page->request->max_bytes)) {
        gv_free(page->cut);
        page->cut = pop(page);
    }
    return true;
}

bool gv_walk_full(const gv_walk_page *page)
{
    return page->cut && !page->request->rule->due;
}

static int order(const void *a, const void *b)
{
    const gv_walk_found *one = *(gv_walk_found *const *)a, *two = *(gv_walk_found *const *)b;
    return compare(one->due, one->item.user, two);
}

bool gv_walk_give(gv_walk_page *page, gavat_op *op, gavat_time now)
{
    bool good = true;
    if (page->count)
        qsort(page->heap, page->count, sizeof *page->heap, order);
    for (size_t i = 0; i < page->count && good; i++)
        good = page->request->rule->add(op, page->request->arguments, now, &page->heap[i]->item);
    const gv_walk_found *last = page->count ? page->heap[page->count - 1] : NULL;
    if (good && page->cut && last)
        good = gv_walk_set_cursor(op, last->item.user, last->due);
    gv_walk_free(page);
    return good;
}

void gv_walk_free(gv_walk_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        gv_free(page->heap[i]);
    gv_free(page->heap);
    gv_free(page->cut);
    *page = (gv_walk_page){.request = page->request};
}
