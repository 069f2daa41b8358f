/* backend.c: the door: settings, opening and closing, and which op goes where. */
#include "postgresql.h"
#include "../../base/clock.h"
#include "../../base/url.h"
#include <stdio.h>

#define TICK 100                /* milliseconds */
#define GRACE UINT64_C(1500000000)      /* nanoseconds past the deadline: then a connection that says nothing is given up */

static const char *const schemes[] = {"postgresql", "postgres", "postgresql+asyncpg", NULL};

/* --- settings --- */

/* What the URL gives, in the store's arena. */
static bool keep_options(gv_pg *self, const PQconninfoOption *options)
{
    size_t count = 0;
    while (options[count].keyword)
        count++;
    self->options = gv_arena_alloc(&self->store->arena, (count + 1) * sizeof *self->options);
    for (size_t given = 0; self->options && options->keyword; options++) {
        if (!options->val || !*options->val)
            continue;
        gv_pg_option *kept = &self->options[given++];
        kept->value = gv_arena_copy_text(&self->store->arena, options->val);
        kept->key = gv_arena_copy_text(&self->store->arena, options->keyword);
        if (!kept->value || !kept->key)
            return false;
    }
    return self->options;
}

static gavat_status prepare(void *own, gv_store *store, gavat_config *cfg)
{
    gv_pg *self = own;
    const gavat_config *settings = store->client->config;
    const char *key = gv_settings[gv_areas[GV_EVENTS].setting].key, *rest = strstr(store->url, "://");
    self->store = store;
    char *url = rest ? gv_arena_printf(&store->arena, "postgresql%s", rest) : NULL, *wrong = NULL;
    PQconninfoOption *options = url ? PQconninfoParse(url, &wrong) : NULL;
    bool bad = rest && url && !options && wrong;
    PQfreemem(wrong);           /* libpq's sentence may quote the URL */
    bool kept = options && keep_options(self, options);
    PQconninfoFree(options);
    if (bad || !rest)
        return gv_config_fail(cfg, GAVAT_EINVAL, "%s is not a URL that libpq takes: write "
                              "postgresql://user:password@host:5432/database?sslmode=require", key);
    if (!kept)
        return gv_config_fail(cfg, GAVAT_ENOMEM, "no memory for the options of %s", key);
    self->connection_count = (unsigned)gv_config_number(settings, GV_SET_PG_CONNECTIONS);
    self->lanes = self->connection_count >= 2 * GV_PG_LANES ? GV_PG_LANES : 1;
    self->search_index = gv_config_number(settings, GV_SET_SEARCH_INDEX) == 0;
    self->unnamed = true;       /* until it is known */
    self->months = (unsigned)gv_config_number(settings, GV_SET_PG_PARTITIONS);
    for (unsigned i = 0; i < self->connection_count; i++) {
        gv_pg_connection *connection = &self->connections[i];
        connection->self = self;
        connection->number = i;
        connection->timeout_ms = UINT64_MAX;
        gv_list_init(&connection->rounds);
        gv_list_init(&connection->lane);
    }
    gv_list *lists[] = {&self->writes, &self->parked, &self->reads, &self->later, &self->tails};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        gv_list_init(lists[i]);
    return GAVAT_OK;
}

void *gv_pg_job_new(gv_pg *self, size_t size, gavat_op *op)
{
    gv_pg_job *job = gv_alloc_zero(size);
    if (job) {
        job->self = self;
        job->due = op ? gv_pg_due(op) : 0;
        job->sequence = op ? op->sequence : UINT64_MAX;
    } else if (op) {
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "events: no memory to ask the store");
        gv_op_finish(op);
    }
    return job;
}

void gv_pg_finish(gavat_op *op)
{
    gv_pg *self = op->client->stores[GV_EVENTS].self;   /* op may be gone with the next line */
    if (!gv_pg_record_refused(op))
        gv_op_finish(op);
    gv_pg_hand_out(self);
}

uint64_t gv_pg_due(const gavat_op *op)
{
    return op->deadline.due ? op->deadline.due + GRACE : 0;
}

/* --- a turn --- */

static void fail_list(gv_list *ops, const gv_pg_failure *failure)
{
    gv_link *link;
    while ((link = gv_list_take(ops))) {
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        gv_pg_failure away = *failure;
        away.lost = true;
        if (gv_pg_spool_instead(op, &away, false))
            continue;
        if (op->kind->place == GV_CHECK_EVENTS)
            gv_pg_say_down(op, failure);
        else if (atomic_load(&op->claim) != GV_CLAIM_WITHDRAWN)
            gv_pg_fail(op, failure, 0, "connecting to");
        gv_op_finish(op);
    }
}

void gv_pg_fail_all(gv_pg *self, const gv_pg_failure *failure)
{
    gv_link *link;
    for (unsigned i = 0; i < self->connection_count; i++) {
        gv_pg_connection *connection = &self->connections[i];
        fail_list(&connection->lane, failure);
        if (connection->job && !connection->job->on)
            connection->job->drop(connection->job, failure);
    }
    fail_list(&self->writes, failure);
    fail_list(&self->parked, failure);
    gv_list_move(&self->reads, &self->later);
    while ((link = gv_list_take(&self->reads))) {
        gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, link);
        job->drop(job, failure);
    }
}

static void run_opening(gv_pg *self)
{
    gv_pg_job *job = self->opening;
    gv_pg_want(&self->connections[0]);
    if (self->opening != job || !job || job->on || self->connections[0].state != GV_PG_READY)
        return;
    job->on = &self->connections[0];
    job->begin(job);
}

static void hand_out(gv_pg *self)
{
    for (unsigned i = 0; i < self->connection_count; i++)
        if (self->connections[i].doomed)
            gv_pg_lose(&self->connections[i], NULL);
    if (self->broken)
        gv_pg_fail_all(self, &self->why);
    if (self->opening) {
        run_opening(self);
        return;
    }
    gv_pg_run(self);
    gv_pg_run_tails(self);
    if (self->fold_due && !self->folding && gv_clock_steady() >= self->fold_at)
        gv_pg_start_folding(self);
    if (self->months && !self->months_busy && !self->unfit && !self->broken && gv_clock_steady() >= self->months_at)
        gv_pg_start_months(self);
}

static void on_timer(uv_timer_t *timer);

static void on_turn(uv_prepare_t *turn)
{
    gv_pg *self = turn->data;
    for (unsigned i = 0; self->due && !self->closing && i < 1000; i++) {
        self->due = false;
        hand_out(self);
    }
    uv_prepare_stop(turn);
    if (!self->closing && !uv_is_active((uv_handle_t *)&self->timer))
        uv_timer_start(&self->timer, on_timer, self->due ? 0 : TICK, TICK);
}

void gv_pg_hand_out(gv_pg *self)
{
    if (!self->started || self->closing)
        return;
    self->due = true;
    uv_prepare_start(&self->turn, on_turn);
}

/* --- the clock --- */

static void sweep(gv_list *ops)
{
    gv_link *next;
    for (gv_link *link = gv_list_first(ops); link && link != &ops->head; link = next) {
        next = link->next;
        gavat_op *op = GV_CONTAINER(link, gavat_op, link);
        if (atomic_load(&op->claim) != GV_CLAIM_WITHDRAWN)
            continue;
        gv_list_remove(link);
        gv_op_finish(op);
    }
}

/* The oldest that somebody waits for should have been answered: the library's own slices before it have no deadline, long work of a
 * caller may take as long as it likes. */
static bool overdue(const gv_pg_connection *connection, uint64_t now)
{
    for (gv_link *link = gv_list_first(&connection->rounds); link && link != &connection->rounds.head; link = link->next) {
        const gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, round.link);
        if (job->due || job->sequence != UINT64_MAX)
            return job->due && now > job->due;
    }
    return false;
}

static void drop_unwanted(gv_pg *self)
{
    gv_pg_failure late = {.state = "57014", .text = "nobody waits for it any more"};
    for (unsigned i = 0; i < self->connection_count; i++) {
        gv_pg_job *job = self->connections[i].job;
        if (job && !job->on && !job->wanted(job))
            job->drop(job, self->down_since ? &self->why : &late);
    }
    gv_link *next;
    for (gv_link *link = gv_list_first(&self->reads); link && link != &self->reads.head; link = next) {
        next = link->next;
        gv_pg_job *job = GV_CONTAINER(link, gv_pg_job, link);
        if (job->wanted(job))
            continue;
        gv_list_remove(link);
        job->drop(job, self->down_since ? &self->why : &late);
    }
    if (self->opening && !self->opening->on && !self->opening->wanted(self->opening))
        self->opening->drop(self->opening, self->down_since ? &self->why : &late);
}

/* Nothing to look after: the timer may rest. */
static bool is_idle(const gv_pg *self)
{
    bool waiting = self->opening || self->barrier || self->broken || self->down_since || self->fold_due || !gv_list_empty(&self->writes)
                   || !gv_list_empty(&self->parked) || !gv_list_empty(&self->reads) || !gv_list_empty(&self->later)
                   || !gv_list_empty(&self->tails);
    for (unsigned i = 0; i < self->connection_count && !waiting; i++) {
        const gv_pg_connection *at = &self->connections[i];
        waiting = at->state == GV_PG_RESOLVING || at->state == GV_PG_CONNECTING || at->round_count || at->job || !gv_list_empty(&at->lane);
    }
    return !waiting;
}

static void on_timer(uv_timer_t *timer)
{
    gv_pg *self = timer->data;
    uint64_t now = gv_clock_steady();
    for (unsigned i = 0; i < self->connection_count; i++) {
        gv_pg_connection *connection = &self->connections[i];
        gv_pg_failure failure = {.state = "08006", .text = "the server did not answer in time"};
        if (gv_pg_connecting_late(connection, now))
            gv_pg_give_up(connection);
        else if (connection->state == GV_PG_READY && overdue(connection, now))
            gv_pg_lose(connection, &failure);
        sweep(&connection->lane);
    }
    sweep(&self->writes);
    sweep(&self->parked);
    gv_pg_wake_later(self, now);
    gv_pg_sweep_tails(self);
    gv_pg_spool_late(self, now);
    drop_unwanted(self);
    if (self->down_since)
        gv_pg_want(&self->connections[0]);
    if (is_idle(self))
        uv_timer_stop(timer);
    gv_pg_hand_out(self);
}

/* --- the door --- */

static void open_store(void *own, gavat_op *op)
{
    gv_pg *self = own;
    uv_loop_t *loop = self->store->client->loop;
    uv_prepare_init(loop, &self->turn);
    uv_timer_init(loop, &self->timer);
    self->turn.data = self->timer.data = self;
    self->handles = 2;
    self->started = true;
    gv_pg_start_schema(self, op);
    gv_pg_hand_out(self);
}

static bool is_administrative(const gavat_op *op)
{
    return op->kind->place == GV_SCHEMA_EVENTS || op->kind->place == GV_UPGRADE_EVENTS || op->kind->place == GV_CHECK_EVENTS;
}

/* What is forwarded is a question to the server: it is tried at once, and the answer is that of this try. */
static void try_now(gv_pg *self)
{
    if (!self->down_since)
        return;
    self->broken = false;
    self->connections[0].retry_at = 0;
}

static void submit(void *own, gavat_op *op)
{
    gv_pg *self = own;
    if (self->closing || !self->started) {
        gv_op_fail(op, GAVAT_ECLOSED, 0, "", "the store is closed: nothing was done");
        gv_op_finish(op);
        return;
    }
    if (self->unfit && !is_administrative(op)) {
        gv_op_fail(op, GAVAT_ESCHEMA, 0, "", "events: the tables in %s are of a newer library, or not of the shape known here: see gavatctl "
                   "schema status", self->store->shown);
        gv_op_finish(op);
        return;
    }
    if (gv_spool_keeps(op) && (gv_spool_is_first(op->client) || gv_pg_is_away(self))) {
        gv_pg_spool_waiting(self);      /* what came before it */
        gv_spool_pass(op, false);
        return;
    }
    if (op->kind->place == GV_FORWARD)
        try_now(self);
    gv_pg_enqueue(self, op);
    gv_pg_hand_out(self);
}

void gv_pg_handle_closed(gv_pg *self)
{
    if (--self->handles || !self->closing)
        return;
    gv_store_closed(self->store);
}

static void on_handle_closed(uv_handle_t *handle)
{
    gv_pg_handle_closed(handle->data);
}

static void close_store(void *own)
{
    gv_pg *self = own;
    gv_pg_failure failure = {.lost = true, .text = "the client is being closed"};
    self->closing = true;
    for (unsigned i = 0; i < self->connection_count; i++)
        gv_pg_close_connection(&self->connections[i]);
    gv_pg_fail_all(self, &failure);
    gv_pg_end_tails(self, &failure);
    if (self->opening)
        self->opening->drop(self->opening, &failure);
    if (self->started) {
        uv_close((uv_handle_t *)&self->turn, on_handle_closed);
        uv_close((uv_handle_t *)&self->timer, on_handle_closed);
        return;
    }
    self->handles = 1;
    gv_pg_handle_closed(self);
}

const gv_backend gv_postgresql_events = {
    .name = "postgresql",
    .area = GV_EVENTS,
    .schemes = schemes,
    .size = sizeof(gv_pg),
    .spooled = true,
    .prepare = prepare,
    .open = open_store,
    .submit = submit,
    .close = close_store,
};
