/* scanner.c: the thread that looks through the folder: pages, searches, totals, a user's profile by its id. One document in memory at a
 * time, besides what the page holds. */
#include "names.h"
#include "../match.h"
#include "../stats.h"
#include "../../core/check.h"
#include <errno.h>
#include <stdio.h>

#define REJECTED_MOST 1000      /* are named; a page ends there */

typedef struct scan {
    gv_place place;
    gv_names names;             /* kept between two ops */
    gv_match match;

    /* Of the op at hand. */
    gavat_op *op;
    gv_loaded loaded;
    const gv_name *name;
    gv_arena scratch;
    bool page;
    size_t rejected, seen;
    int error;
} scan;

/* What cannot be read is named and skipped. False: no memory. */
static bool reject(scan *s, const char *why)
{
    char sentence[512];
    gv_result *result = gv_op_result(s->op);
    snprintf(sentence, sizeof sentence, "%.250s.json: %s", s->name->text, why);
    return s->rejected++ >= REJECTED_MOST || (result && gv_result_reject(result, s->seen, sentence));
}

/* The next document, as callers get it, in place.view. False: that was the last, or s->error. Files that were deleted since the
 * folder was read are passed over. */
static bool next_document(scan *s)
{
    while (!s->error && gv_op_wanted(s->op) && (!s->page || s->rejected < REJECTED_MOST)) {
        s->name = gv_names_next(&s->names, &s->place, &s->error);
        if (!s->name)
            return false;
        s->seen++;
        gv_found found = GV_FOUND_DAMAGED;
        if (!s->name->bad) {
            gv_place_path(&s->place, s->name->text);
            found = gv_place_load(&s->place, &s->loaded);
        }
        if (found == GV_FOUND)
            return gv_place_view(&s->place, &s->loaded.document, s->name->text) || (s->error = -ENOMEM, false);
        int failed = s->loaded.error;
        if (found == GV_FOUND_FAILED && (failed == -ENOMEM || failed == -EMFILE || failed == -ENFILE))
            s->error = failed;
        else if (found == GV_FOUND_FAILED && !reject(s, gv_files_advice(failed)))
            s->error = -ENOMEM;
        else if (found == GV_FOUND_DAMAGED && !reject(s, s->name->bad ? s->name->bad : s->loaded.why))
            s->error = -ENOMEM;
    }
    return false;
}

static gv_slice view_of(const scan *s)
{
    return (gv_slice){gv_text_get(&s->place.view), s->place.view.length};
}

/* The document at hand becomes a record. */
static void keep(scan *s)
{
    gv_result *result = gv_op_result(s->op);
    gavat_profile *profile = result ? gv_document_record(&result->arena, &s->loaded.document, s->name->text, &s->place.view) : NULL;
    if (!profile || !gv_result_add(result, profile))
        s->error = -ENOMEM;
    else
        result->shape = &gv_profile_shape;
}

static void get_page(scan *s)
{
    const gv_profile_query *query = s->op->request;
    size_t count = 0;
    gv_result *result = gv_op_result(s->op);
    char why[GV_JSON_WHY];
    s->match.query = query;
    if (!result || !gv_json_read_query(&s->scratch, query->where, &s->match.where, why)) {
        s->error = -ENOMEM;
        return;
    }
    s->error = gv_names_seek(&s->names, &s->place, query->after);
    while (count < query->limit && (!count || result->arena.bytes < query->max_bytes) && next_document(s)) {
        if (!gv_match_query(&s->match, view_of(s)))
            continue;
        keep(s);
        count++;
    }
    bool more = s->names.at < s->names.count || s->names.more;
    if (s->error || !s->name || !more)
        return;
    result->cursor = gv_profile_cursor(&result->arena, s->name->text);
    if (!result->cursor)
        s->error = -ENOMEM;
}

static bool get_by_id(scan *s)
{
    const gv_profile_request *request = s->op->request;
    s->error = gv_names_seek(&s->names, &s->place, NULL);
    while (next_document(s)) {
        if (!gv_match_user_id(&s->match, view_of(s), request->username))
            continue;
        keep(s);
        return true;
    }
    return false;
}

static void count_all(scan *s)
{
    gv_profile_stats stats = {.types = NULL};
    s->error = gv_names_seek(&s->names, &s->place, NULL);
    while (next_document(s))
        if (!gv_profile_stats_add(&stats, view_of(s)))
            s->error = -ENOMEM;
    gv_result *result = gv_op_result(s->op);
    if (!s->error && (!result || !gv_profile_stats_print(&stats, result)))
        s->error = -ENOMEM;
    s->op->staged.number = stats.count;
    gv_profile_stats_free(&stats);
}

#define NAMED_MOST 5            /* damaged files that the doctor names */

/* What gavatctl doctor says of the profiles. */
static void check_all(scan *s)
{
    size_t count = 0;
    char figure[400] = "none";
    gavat_op *op = s->op;
    if (!gv_files_check_folder(s->place.self, op))
        return;
    s->error = gv_names_seek(&s->names, &s->place, NULL);
    while (next_document(s))
        count++;
    if (s->error)
        return;
    gv_result *result = gv_op_result(op);
    for (size_t i = 0; result && i < s->rejected && i <= NAMED_MOST; i++) {
        size_t used = i ? strlen(figure) : 0;
        if (i < NAMED_MOST)
            snprintf(figure + used, sizeof figure - used, "%s%.*s", i ? ", " : "", 60, result->rejected[i].why);
        else if (i == NAMED_MOST)
            snprintf(figure + used, sizeof figure - used, ", and %zu more", s->rejected - NAMED_MOST);
    }
    if (result)
        result->rejected_count = 0;
    gv_check_add(op, "unreadable files", s->rejected ? "warn" : "ok", figure,
                 s->rejected ? "mend or move them: until then they are left out; a put sets such a file aside" : "");
    snprintf(figure, sizeof figure, "%zu", count);
    gv_check_add(op, "profiles", "ok", figure, "");
    gv_check_disk(op, s->place.self->folder, "free some space on it");
}

static void serve(scan *s, gavat_op *op)
{
    s->op = op;
    s->name = NULL;
    s->rejected = s->seen = 0;
    s->error = 0;
    s->page = op->kind->place == GV_GET_PROFILES || op->kind->place == GV_SEARCH_PROFILES;
    bool found = true;
    switch (op->kind->place) {
    case GV_GET_PROFILE_BY_ID: found = get_by_id(s); break;
    case GV_PROFILE_STATS: count_all(s); break;
    case GV_CHECK_PROFILES: check_all(s); break;
    default: get_page(s);
    }
    gv_arena_free(&s->scratch);
    if (s->match.text.failed || s->match.folded.failed)
        s->error = -ENOMEM;
    if (s->error) {
        gv_said said;
        gv_said_error(&said, s->place.self, s->error, "reading", "the profiles");
        gv_op_drop_result(op);
        gv_said_to(&said, op);
    } else if (!found) {
        gv_op_fail(op, GAVAT_ENOTFOUND, 0, "", "no profile has this user_id%s", s->rejected ? "; some could not be read" : "");
    } else if (op->staged.error.status == GAVAT_OK) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    }
}

void gv_files_scan(gv_worker *worker)
{
    scan s = {.place.self = worker->self};
    gv_list ops;
    gv_link *link;
    gv_list_init(&ops);
    while (gv_worker_wait(worker, UINT32_MAX) || !gv_worker_stopping(worker)) {
        if (!gv_worker_take(worker, &ops, 1) || !(link = gv_list_take(&ops)))
            continue;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (gv_op_take(op))
            serve(&s, op);
        gv_op_finish(op);
    }
    gv_place_free(&s.place);
    gv_names_free(&s.names);
    gv_match_free(&s.match);
}
