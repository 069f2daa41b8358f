/* folder.c: events that another program has written have no folded text yet, or one that a library with another table of folding made: it is
 * filled in, a slice at a time, in pauses. A search looks at those rows itself until then. Several processes may do it at once. */
#include "postgresql.h"
#include "../../base/clock.h"

#define SLICE 500
#define PAUSE UINT64_C(60000000000)     /* nanoseconds between two looks when there was nothing to do */

typedef struct gv_pg_folder {
    gv_pg_job job;
    bool writing;
    size_t count;
    int64_t ids[SLICE];
    gv_text folded[SLICE];
} gv_pg_folder;

static void finish(gv_pg_folder *folder, uint64_t pause)
{
    gv_pg *self = folder->job.self;
    for (size_t i = 0; i < SLICE; i++)
        gv_text_free(&folder->folded[i]);
    gv_free(folder);
    self->folding = false;
    self->fold_due = pause == 0;
    self->fold_at = gv_clock_steady() + pause;
    gv_pg_hand_out(self);
}

static bool is_wanted(const gv_pg_job *job)
{
    return !job->self->closing;
}

static void drop(gv_pg_job *job, const gv_pg_failure *failure)
{
    (void)failure;
    finish((gv_pg_folder *)job, PAUSE);
}

static void begin(gv_pg_job *job)
{
    gv_pg_folder *folder = (gv_pg_folder *)job;
    gv_pg_params params = {0};
    gv_text sql = {0};
    if (!folder->writing) {
        gv_text_adds(&sql, "SELECT id, message, event_type FROM event_logs WHERE ");
        gv_pg_add_stale_sql(&sql);
        gv_text_adds(&sql, " ORDER BY id LIMIT 500");
    } else {
        gv_pg_begin_array(&params, 20, folder->count);
        for (size_t i = 0; i < folder->count; i++)
            gv_pg_put_int8(&params, folder->ids[i]);
        gv_pg_begin_array(&params, 25, folder->count);
        for (size_t i = 0; i < folder->count; i++)
            gv_pg_put_text(&params, (gv_slice){gv_text_get(&folder->folded[i]), folder->folded[i].length});
        params.failed |= params.arrays.failed;
        gv_text_adds(&sql, "UPDATE event_logs AS e SET folded = u.text FROM unnest($1::int8[], $2::text[]) AS u (number, text) "
                     "WHERE id = u.number AND ");
        gv_pg_add_stale_sql(&sql);
    }
    params.failed |= sql.failed;
    gv_pg_send(job, gv_text_get(&sql), &params, folder->writing);
    gv_text_free(&sql);
    gv_pg_sync(job);
    gv_pg_params_free(&params);
}

static void take(gv_pg_job *job, int tag, const PGresult *result)
{
    gv_pg_folder *folder = (gv_pg_folder *)job;
    if (tag != 0)
        return;
    folder->count = 0;
    for (int row = 0; row < PQntuples(result) && row < SLICE; row++) {
        gv_text *folded = &folder->folded[folder->count];
        gv_text_clear(folded);
        gv_pg_fold_record(folded, gv_pg_string(result, row, 1), gv_pg_string(result, row, 2));
        folder->ids[folder->count] = gv_pg_integer(result, row, 0);
        folder->count += !folded->failed;
    }
}

static void ended(gv_pg_job *job, const gv_pg_failure *failure)
{
    gv_pg_folder *folder = (gv_pg_folder *)job;
    if (failure || (!folder->writing && !folder->count)) {
        finish(folder, PAUSE);
        return;
    }
    if (folder->writing) {
        finish(folder, folder->count == SLICE ? 0 : PAUSE);
        return;
    }
    folder->writing = true;
    begin(job);
}

void gv_pg_start_folding(gv_pg *self)
{
    gv_pg_folder *folder = gv_pg_job_new(self, sizeof *folder, NULL);
    self->fold_due = false;
    if (!folder)
        return;
    self->folding = true;
    folder->job.begin = begin;
    folder->job.result = take;
    folder->job.ended = ended;
    folder->job.wanted = is_wanted;
    folder->job.drop = drop;
    folder->job.heavy = true;
    gv_pg_queue_read(self, &folder->job);
}
