/* list.h: an intrusive doubly linked list. A link is zero while it is in no list. Not thread-safe: the owner's lock. */
#ifndef GV_BASE_LIST_H
#define GV_BASE_LIST_H
#include <stdbool.h>
#include <stddef.h>

typedef struct gv_link {
    struct gv_link *next, *previous;
} gv_link;
typedef struct gv_list {        /* a ring through the head */
    gv_link head;
} gv_list;

#define GV_CONTAINER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void gv_list_init(gv_list *list)
{
    list->head.next = list->head.previous = &list->head;
}
static inline bool gv_list_empty(const gv_list *list)
{
    return list->head.next == &list->head;
}
static inline void gv_list_append(gv_list *list, gv_link *link)
{
    link->previous = list->head.previous;
    link->next = &list->head;
    list->head.previous->next = link;
    list->head.previous = link;
}
static inline void gv_list_remove(gv_link *link)        /* harmless when it is in no list */
{
    if (!link->next)
        return;
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = NULL;
}
static inline gv_link *gv_list_first(const gv_list *list)       /* NULL: empty */
{
    return gv_list_empty(list) ? NULL : list->head.next;
}
static inline gv_link *gv_list_take(gv_list *list)      /* the first one, removed; NULL: empty */
{
    gv_link *link = gv_list_first(list);
    if (link)
        gv_list_remove(link);
    return link;
}
static inline void gv_list_move(gv_list *to, gv_list *from)     /* all of from behind to; from is empty then */
{
    if (gv_list_empty(from))
        return;
    from->head.next->previous = to->head.previous;
    to->head.previous->next = from->head.next;
    from->head.previous->next = &to->head;
    to->head.previous = from->head.previous;
    gv_list_init(from);
}
#endif
