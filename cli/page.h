/* page.h: lists: one op a page, followed by its cursor until there are enough. */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H
#include "output.h"
#include "session.h"

/* Submits the op for one page of what is asked for: at most limit records behind cursor (NULL: from the start). */
typedef void (*ctl_page_fn)(gavat_op *op, void *query, uint32_t limit, const char *cursor);

/* A filter out of the options --since --until --user --username --type --level --status --bot, as far as the command
 * has them. */
gavat_filter ctl_make_filter(const ctl_call *call);

/* The whole command: session, pages as they come, --limit or --all. The exit code. */
int ctl_list(const ctl_call *call, ctl_page_fn get, void *query);

/* The pages alone, at most limit records (0: all). seen (may be NULL) is told how many there are so far. */
typedef void (*ctl_seen_fn)(uint64_t count, void *user);
int ctl_pages(ctl_session *session, ctl_output *out, ctl_page_fn get, void *query, uint64_t limit, ctl_seen_fn seen,
              void *user);
#endif
