/* page.h: lists: one op a page, followed by its cursor until there are enough. */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H
#include "output.h"
#include "session.h"

/* What is asked for, a page at a time, and who takes it. get submits the op for at most limit records behind cursor
 * (NULL: from the start); take gives false when it wants no more. */
typedef void (*ctl_page_fn)(gavat_op *op, void *query, uint32_t limit, const char *cursor);
typedef struct ctl_pager {
    ctl_page_fn get;
    void *query;
    bool (*take)(const gavat_op *op, void *user);
    void *user;
} ctl_pager;

/* A filter out of the options --since --until --user --username --type --level --status --bot, as far as the command
 * has them. */
gavat_filter ctl_make_filter(const ctl_call *call);

/* The whole command: session, pages as they come, --limit or --all. The exit code. */
int ctl_list(const ctl_call *call, ctl_page_fn get, void *query);

/* The pages alone, at most limit records (0: all); *more: there were more behind them. */
int ctl_pages(ctl_session *session, const ctl_pager *pager, uint64_t limit, bool *more);

/* export.c: the whole command for records of a kind: "events". total (NULL: not known beforehand) submits the op whose
 * record says in "total" how many there are. */
int ctl_export(const ctl_call *call, const char *noun, ctl_page_fn get, void *query,
               void (*total)(gavat_op *op, void *query));

/* The same in parts: where to, in which form, and what becomes of each page. */
typedef struct ctl_export_plan {
    const char *path, *noun, *columns;
    ctl_format format;
    ctl_page_fn get;
    void *query;
    void (*total)(gavat_op *op, void *query);
    void (*print)(ctl_output *out, const gavat_op *op, void *user); /* op NULL: that was the last page */
    void *user;
} ctl_export_plan;
int ctl_export_run(const ctl_call *call, const ctl_export_plan *plan);
#endif
