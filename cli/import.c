#include "import.h"
#include "commands.h"
#include "lines.h"
#include "output.h"
#include "progress.h"
#include "rejects.h"
#include "session.h"
#include "stop.h"
#include "tell.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES ((size_t)256 << 10)
#define MOST_FLIGHTS 4
#define MOST_TRIES 3
#define RETRY_MS 1000
#define ROOM_MS 60000

const ctl_option ctl_import_arguments[] = {
    {.name = "FILE", .kind = CTL_FILE, .help = "JSON lines; - reads stdin"},
    {0},
};

const ctl_option ctl_import_options[] = {
    {.name = "rejects", .kind = CTL_FILE, .value = "FILE", .help = "where rejected lines go (FILE.rejects.jsonl)"},
    {0},
};

/* A batch and the lines it came from, until its outcome is known. */
typedef struct flight {
    ctl_import *import;
    gavat_batch *batch; /* NULL: this place is free */
    ctl_buffer lines;
    struct {
        uint64_t number;
        size_t from, length;
    } *index;
    size_t count, room;
    int tries;
    gavat_op *ended; /* guarded by the import's lock */
} flight;

struct ctl_import {
    const ctl_call *call;
    const ctl_import_kind *kind;
    const char *path;
    ctl_session session;
    ctl_lines lines;
    uint64_t number; /* of the record at hand: its line */
    ctl_rejects rejects;
    ctl_progress progress;
    flight flights[MOST_FLIGHTS];
    flight *filling;
    pthread_mutex_t lock;
    pthread_cond_t change;
    uint64_t read, stored;
    int code; /* not 0: stop, with this exit code */
};

/* Loop's thread. */
static void on_ended(gavat_op *op, void *user)
{
    flight *f = user;
    pthread_mutex_lock(&f->import->lock);
    f->ended = gavat_op_ref(op);
    pthread_cond_signal(&f->import->change);
    pthread_mutex_unlock(&f->import->lock);
}

static void empty(flight *f)
{
    gavat_batch_free(f->batch);
    f->batch = NULL;
    f->count = 0;
    f->tries = 0;
    ctl_clear(&f->lines);
}

static void reject(flight *f, uint64_t number, const char *reason)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->index[i].number == number) {
            ctl_rejects_add(&f->import->rejects, number, reason, f->lines.data + f->index[i].from, f->index[i].length);
            return;
        }
    ctl_rejects_add(&f->import->rejects, number, reason, NULL, 0);
}

static void give_up(flight *f, const gavat_error *error)
{
    ctl_import *im = f->import;
    const char *reason = *error->message ? error->message : gavat_status_name(error->status);
    ctl_progress_clear(&im->progress);
    if (!im->code)
        im->code = ctl_fail(im->call, error);
    for (size_t i = 0; i < f->count; i++)
        reject(f, f->index[i].number, reason);
    empty(f);
}

static void submit(flight *f)
{
    static const gavat_error no_room = {.status = GAVAT_EBUSY,
                                        .backend = "",
                                        .native = "",
                                        .message = "the library had no room for a batch within a minute"};
    gavat_op *op = gavat_op_new_wait(f->import->session.client, on_ended, f, ROOM_MS);
    if (!op) {
        give_up(f, &no_room);
        return;
    }
    f->tries++;
    gavat_import_batch(op, f->batch);
}

static void settle(flight *f, gavat_op *op)
{
    ctl_import *im = f->import;
    const gavat_error *error = gavat_op_error(op);
    uint64_t number = 0;
    const char *reason = NULL;
    if (gavat_op_status(op) == GAVAT_OK) {
        im->stored += (uint64_t)gavat_op_number(op);
        for (size_t i = 0; (reason = gavat_op_rejected(op, i, &number)) != NULL; i++)
            reject(f, number, reason);
        empty(f);
    } else if (error->flags & GAVAT_ERROR_RETRY && f->tries < MOST_TRIES && !ctl_stopped() && !im->code) {
        ctl_pause(RETRY_MS);
        submit(f);
    } else {
        give_up(f, error);
    }
    gavat_op_unref(op);
}

/* Takes in the outcome of one batch; waits for it when there is none yet. False: nothing is under way. */
static bool collect(ctl_import *im)
{
    flight *ended = NULL;
    bool flying = true;
    pthread_mutex_lock(&im->lock);
    while (!ended && flying) {
        flying = false;
        for (size_t i = 0; i < MOST_FLIGHTS; i++) {
            flight *f = &im->flights[i];
            flying = flying || (f->batch && f != im->filling);
            ended = f->ended ? f : ended;
        }
        if (!ended && flying)
            pthread_cond_wait(&im->change, &im->lock);
    }
    gavat_op *op = ended ? ended->ended : NULL;
    if (ended)
        ended->ended = NULL;
    pthread_mutex_unlock(&im->lock);
    if (ended)
        settle(ended, op);
    return ended != NULL;
}

static flight *take_place(ctl_import *im)
{
    for (;;) {
        for (size_t i = 0; i < MOST_FLIGHTS; i++)
            if (!im->flights[i].batch) {
                im->flights[i].batch = gavat_batch_new(im->session.client);
                return &im->flights[i];
            }
        if (!collect(im))
            return NULL;
    }
}

static void send_off(ctl_import *im)
{
    flight *f = im->filling;
    im->filling = NULL;
    if (f && f->count)
        submit(f);
    else if (f)
        empty(f);
}

static void keep_line(flight *f, uint64_t number, const char *text, size_t length)
{
    if (f->count == f->room) {
        f->room = f->room ? f->room * 2 : 64;
        f->index = ctl_resize(f->index, f->room, sizeof *f->index);
    }
    f->index[f->count].number = number;
    f->index[f->count].from = f->lines.length;
    f->index[f->count++].length = length;
    ctl_add(&f->lines, text, length);
}

static bool is_blank(const char *text, size_t length)
{
    while (length && (*text == ' ' || *text == '\t'))
        text++, length--;
    return length == 0;
}

static bool goes_on(const ctl_import *im)
{
    return !im->code && !im->rejects.fault && !ctl_stopped();
}

static void add_record(ctl_import *im, const char *text, size_t length)
{
    im->read++;
    if (!im->filling && !(im->filling = take_place(im))) {
        ctl_error("out of memory");
        im->code = 1;
        return;
    }
    flight *f = im->filling;
    gavat_batch_set_index(f->batch, im->number);
    gavat_status status = gavat_batch_add_json(f->batch, im->kind->name, text, length);
    if (status == GAVAT_OK) {
        keep_line(f, im->number, text, length);
        if (gavat_batch_bytes(f->batch) >= BATCH_BYTES)
            send_off(im);
    } else if (status == GAVAT_EINVAL) {
        ctl_rejects_add(&im->rejects, im->number, gavat_batch_error(f->batch), text, length);
    } else {
        ctl_error("line %llu: %s", (unsigned long long)im->number, gavat_status_name(status));
        im->code = ctl_exit_code(status);
    }
}

bool ctl_import_add(ctl_import *im, const char *json, size_t length)
{
    im->number++;
    add_record(im, json, length);
    return goes_on(im);
}

bool ctl_import_refuse(ctl_import *im, const char *reason)
{
    im->number++;
    im->read++;
    ctl_rejects_add(&im->rejects, im->number, reason, NULL, 0);
    return goes_on(im);
}

void ctl_import_show(ctl_import *im, uint64_t at, uint64_t whole)
{
    ctl_progress_show(&im->progress, im->stored, at, whole);
}

void ctl_import_number(ctl_import *im, uint64_t line)
{
    im->number = line - 1;
}

ctl_lines *ctl_import_lines(ctl_import *im)
{
    return &im->lines;
}

const ctl_call *ctl_import_call(const ctl_import *im)
{
    return im->call;
}

void ctl_import_fail(ctl_import *im, int code)
{
    if (!im->code)
        im->code = code;
}

static void read_lines(ctl_import *im)
{
    const char *text = NULL;
    size_t length = 0;
    ctl_line got = CTL_LINE;
    while (goes_on(im) && (got = ctl_lines_next(&im->lines, &text, &length)) <= CTL_LINE_LONG) {
        im->number = im->lines.number;
        if (got == CTL_LINE_LONG) {
            im->read++;
            ctl_rejects_add(&im->rejects, im->number, "the line is longer than 4 MiB", NULL, 0);
        } else if (!is_blank(text, length)) {
            add_record(im, text, length);
        }
        ctl_import_show(im, im->lines.bytes, im->lines.size);
    }
    if (!im->code && got == CTL_LINE_FAULT && !ctl_stopped()) {
        ctl_error("cannot read %s: %s", im->path, strerror(errno));
        im->code = 1;
    }
}

static void read_all(ctl_import *im)
{
    if (!im->kind->read || !im->kind->read(im, im->path))
        read_lines(im);
    if (im->rejects.fault)
        im->code = 1;
    send_off(im);
    while (collect(im))
        ctl_import_show(im, im->lines.bytes, im->lines.size);
}

static int print_summary(ctl_import *im)
{
    ctl_buffer more = {0}, json = {0};
    unsigned long long rejected = im->rejects.count;
    if (rejected)
        ctl_add_format(&more, ", rejected %llu: see %s", rejected, im->rejects.path);
    ctl_progress_end(&im->progress, im->stored, rejected ? more.data : "");
    if (rejected && im->call->quiet)
        ctl_error("rejected %llu of %llu: see %s", rejected, (unsigned long long)im->read, im->rejects.path);
    if (im->code || ctl_stopped())
        ctl_error("stopped after %s %llu of %s", im->lines.number ? "line" : "record", (unsigned long long)im->number,
                  im->path);
    ctl_add_format(&json,
                   "{\"read\":%llu,\"stored\":%llu,\"rejected\":%llu,\"rejects_file\":", (unsigned long long)im->read,
                   (unsigned long long)im->stored, rejected);
    if (rejected)
        ctl_add_json(&json, im->rejects.path, strlen(im->rejects.path));
    else
        ctl_add_text(&json, "null");
    ctl_add_text(&json, "}");
    int code = ctl_output_result(im->call, im->call->command->columns, json.data);
    ctl_free(&more);
    ctl_free(&json);
    return code;
}

static int run(ctl_import *im)
{
    const char *path = im->path;
    if (!ctl_lines_open(&im->lines, path)) {
        ctl_error("cannot read %s: %s", path, strerror(errno));
        return 1;
    }
    int code = ctl_session_start(&im->session, im->call, CTL_OPEN);
    if (code)
        return code;
    ctl_rejects_start(&im->rejects, ctl_get_text(im->call, "rejects"), path);
    ctl_progress_start(&im->progress, im->call, "imported", im->kind->noun);
    for (size_t i = 0; i < MOST_FLIGHTS; i++)
        im->flights[i].import = im;
    read_all(im);
    int printed = print_summary(im);
    bool rejected = im->rejects.count > 0;
    if (!ctl_rejects_end(&im->rejects) && !im->code)
        im->code = 1;
    for (size_t i = 0; i < MOST_FLIGHTS; i++) {
        ctl_free(&im->flights[i].lines);
        free(im->flights[i].index);
    }
    return im->code ? im->code : rejected ? 4 : printed;
}

int ctl_import_run(const ctl_call *call, const ctl_import_kind *kind)
{
    ctl_import *im = ctl_alloc(sizeof *im);
    im->call = call;
    im->kind = kind;
    im->session.call = call;
    im->path = ctl_get_argument(call, kind->argument);
    im->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    im->change = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    int code = run(im);
    code = ctl_session_end(&im->session, code);
    ctl_lines_close(&im->lines);
    free(im);
    return code;
}
