#include "raw_postgresql.h"
#include "figures.h"
#include "../../lib/base/clock.h"
#include "../../lib/base/uuid.h"
#include "../../lib/events/postgresql/postgresql.h"
#include <pthread.h>
#include <stdio.h>

#define SEARCHES 9

static void need(PGconn *pg, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good)
        fprintf(stderr, "bench: %s\n", PQerrorMessage(pg));
    bench_need(good, "the raw loop failed");
    PQclear(result);
}

static void prepare(raw_lane *lane, const char *name, bool many)
{
    gv_text sql = {0};
    gv_pg_add_insert_sql(&sql, &gv_events_kind, many, lane->folded);
    need(lane->pg, PQprepare(lane->pg, name, gv_text_get(&sql), 0, NULL));
    gv_text_free(&sql);
}

void raw_open(raw *self, const char *url, bool folded)
{
    memset(self, 0, sizeof *self);
    sample_init(&self->sample, 1);
    for (unsigned i = 0; i < RAW_LANES; i++) {
        raw_lane *lane = &self->lanes[i];
        lane->pg = PQconnectdb(url);
        lane->folded = folded;
        sample_init(&lane->sample, 1 + i);
        bench_need(PQstatus(lane->pg) == CONNECTION_OK, "the raw loop cannot connect");
        prepare(lane, "many", true);
        prepare(lane, "one", false);
        need(lane->pg, PQprepare(lane->pg, "page", "SELECT id, user_id, username, event_type, message, context, level, timestamp, uid "
                                 "FROM event_logs WHERE user_id = $1 ORDER BY timestamp DESC, uid DESC NULLS LAST LIMIT 100", 0, NULL));
    }
}

void raw_close(raw *self)
{
    for (unsigned i = 0; i < RAW_LANES; i++) {
        PQfinish(self->lanes[i].pg);
        sample_free(&self->lanes[i].sample);
    }
    sample_free(&self->sample);
}

static void send_params(raw_lane *lane, const char *name, const gv_pg_params *params)
{
    const char *values[GV_PG_PARAMS];
    int lengths[GV_PG_PARAMS];
    gv_pg_resolve(params, values, lengths);
    need(lane->pg, PQexecPrepared(lane->pg, name, params->count, values, lengths, params->formats, 1));
}

static void *write_lane(void *user)
{
    raw_lane *lane = user;
    static _Thread_local gavat_event events[RAW_BATCH];
    static _Thread_local gv_pg_item items[RAW_BATCH];
    static _Thread_local char uids[RAW_BATCH][GV_UUID_ROOM];
    for (size_t done = 0; done < lane->count;) {
        size_t rows = lane->count - done < lane->batch ? lane->count - done : lane->batch;
        gv_pg_params params = {0};
        for (size_t i = 0; i < rows; i++) {
            events[i] = gavat_event_init();
            sample_next(&lane->sample, &events[i]);
            events[i].timestamp = gv_uuid_make(gv_clock_wall(), uids[i]);
            events[i].uid = uids[i];
            items[i] = (gv_pg_item){NULL, 0, &gv_events_kind, &events[i]};
        }
        if (rows == 1)
            gv_pg_add_record(&params, &gv_events_kind, &events[0], lane->folded);
        else
            gv_pg_add_records(&params, &gv_events_kind, items, rows, lane->folded);
        send_params(lane, rows == 1 ? "one" : "many", &params);
        gv_pg_params_free(&params);
        done += rows;
    }
    return NULL;
}

void raw_write(raw *self, size_t count, size_t batch, unsigned lanes)
{
    pthread_t threads[RAW_LANES];
    for (unsigned i = 0; i < lanes; i++) {
        self->lanes[i].count = count / lanes;
        self->lanes[i].batch = batch;
        bench_need(!pthread_create(&threads[i], NULL, write_lane, &self->lanes[i]), "no thread");
    }
    for (unsigned i = 0; i < lanes; i++)
        pthread_join(threads[i], NULL);
}

static void send_page(raw *self, raw_lane *lane)
{
    const char *user = sample_user(&self->sample);
    int length = (int)strlen(user), binary = 1;
    bench_need(PQsendQueryPrepared(lane->pg, "page", 1, &user, &length, &binary, 1) && PQpipelineSync(lane->pg), "the raw loop cannot send");
}

static void take_page(raw_lane *lane)
{
    PGresult *result = PQgetResult(lane->pg);
    size_t bytes = 0;
    for (int row = 0; row < PQntuples(result); row++)
        bytes += (size_t)PQgetlength(result, row, 4);
    bench_need(bytes || !PQntuples(result), "a page without texts");
    need(lane->pg, result);
    PQclear(PQgetResult(lane->pg));
    PQclear(PQgetResult(lane->pg));     /* the sync */
}

void raw_read_pages(raw *self, size_t count, size_t flight)
{
    size_t sent = 0;
    for (unsigned i = 0; i < RAW_LANES; i++) {
        PQenterPipelineMode(self->lanes[i].pg);
        for (size_t k = 0; k < flight && sent < count; k++, sent++)
            send_page(self, &self->lanes[i]);
    }
    for (size_t done = 0; done < count; done++) {
        raw_lane *lane = &self->lanes[done % RAW_LANES];
        take_page(lane);
        if (sent < count) {
            send_page(self, lane);
            sent++;
        }
    }
    for (unsigned i = 0; i < RAW_LANES; i++)
        PQexitPipelineMode(self->lanes[i].pg);
}

double raw_search(raw *self, const char *folded, size_t *found)
{
    double times[SEARCHES];
    char pattern[100];
    const char *value = pattern;
    snprintf(pattern, sizeof pattern, "%%%s%%", folded);
    for (size_t i = 0; i < SEARCHES; i++) {
        double start = bench_now();
        PGresult *result = PQexecParams(self->lanes[0].pg, "SELECT id, user_id, username, event_type, message, context, level, timestamp, uid "
                                        "FROM event_logs WHERE folded LIKE $1 ORDER BY timestamp DESC, uid DESC NULLS LAST LIMIT 100", 1, NULL,
                                        &value, NULL, NULL, 1);
        *found = (size_t)PQntuples(result);
        need(self->lanes[0].pg, result);
        times[i] = (bench_now() - start) * 1e3;
    }
    return bench_median(times, SEARCHES);
}
