#include "sender.h"
#include "../base/clock.h"
#include "../events/records.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define BATCH_BYTES ((size_t)1 << 20)
#define PATIENCE UINT64_C(60000000000)  /* a store that is away for longer stops the run */
#define PAUSE_MS 500

bool gv_sender_stop(gv_sender *sender, gavat_status status, uint32_t flags, const char *format, ...)
{
    va_list args;
    if (sender->status != GAVAT_OK)
        return false;           /* the first reason is the one */
    va_start(args, format);
    vsnprintf(sender->why, sizeof sender->why, format, args);
    va_end(args);
    sender->status = status;
    sender->flags = flags;
    return false;
}

bool gv_sender_no_memory(gv_sender *sender)
{
    return gv_sender_stop(sender, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "no memory to go on");
}

bool gv_sender_journal_said(gv_sender *sender, gavat_status status)
{
    return status == GAVAT_OK || gv_sender_stop(sender, status, 0, "%s", sender->journal->why);
}

static void pause_for(unsigned milliseconds)
{
    struct timespec span = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nanosleep(&span, NULL);
}

static bool wanted(gv_sender *sender)
{
    if (!gv_reading_wanted(sender->reading))
        return gv_sender_stop(sender, GAVAT_ECANCELED, 0, "cancelled: go on with resume");
    return !atomic_load(&sender->client->closing) || gv_sender_stop(sender, GAVAT_ECLOSED, 0, "the client is closing: go on with resume");
}

gavat_op *gv_sender_ask(gv_sender *sender)
{
    while (wanted(sender)) {
        gavat_op *op = gavat_op_new_held(sender->client);
        if (op)
            return op;
        pause_for(10);
    }
    return NULL;
}

bool gv_sender_again(gv_sender *sender, const gavat_op *op, uint64_t *since)
{
    const gavat_error *error = gavat_op_error(op);
    uint64_t now = gv_clock_steady();
    if (error->status == GAVAT_OK)
        return false;
    if (!(error->flags & GAVAT_ERROR_RETRY) || (*since && now - *since > PATIENCE))
        return gv_sender_stop(sender, error->status, error->flags & GAVAT_ERROR_RETRY, "%s; what has landed is known: go on with resume", error->message);
    if (!*since) {
        *since = now;
        gv_log(sender->client, GAVAT_LOG_WARN, "migrate", "waits for the store: %s", error->message);
    }
    pause_for(PAUSE_MS);
    return wanted(sender);
}

gavat_status gv_sender_start(gv_sender *sender)
{
    gavat_status status = gv_journal_keys(sender->journal, &sender->mine, &sender->others);
    for (size_t i = 0; status == GAVAT_OK && i < GV_FLIGHTS; i++) {
        sender->flights[i].places = gv_alloc(GV_FLIGHT_RECORDS * sizeof(gv_place));
        if (!sender->flights[i].places)
            status = GAVAT_ENOMEM;
    }
    return status;
}

/* Who is in the batch, in bytes; sender->identities. False: no memory. */
static bool identify(gv_sender *sender, const gv_flight *flight)
{
    gv_text_clear(&sender->identities);
    for (size_t i = 0; i < flight->batch->count; i++) {
        const gv_batch_record *record = flight->batch->entries[i].record;
        const gv_record_kind *kind = record->kind;
        gv_identity identity = {.kind = kind, .owner = gv_field_text(record->record, kind->owner)};
        identity.time = *(const gavat_time *)gv_field_at(record->record, kind->time);
        if (kind->uid)
            snprintf(identity.uid, sizeof identity.uid, "%s", gv_field_text(record->record, kind->uid));
        gv_identity_put(&sender->identities, &identity);
    }
    return !sender->identities.failed;
}

static bool submit(gv_sender *sender, gv_flight *flight)
{
    if (!flight->count || flight->op)
        return true;
    if (!identify(sender, flight))
        return gv_sender_no_memory(sender);
    gavat_status status = gv_journal_intend(sender->journal, (gv_slice){sender->identities.data, sender->identities.length}, &flight->journal);
    if (!gv_sender_journal_said(sender, status))
        return false;
    flight->op = gv_sender_ask(sender);
    if (!flight->op)
        return false;
    gavat_import_batch(flight->op, flight->batch);
    return true;
}

static void count_landed(gv_sender *sender, gv_flight *flight)
{
    for (size_t i = 0; i < flight->count; i++)
        if (flight->places[i].source) {
            flight->places[i].source->landed++;
            sender->landed++;
        }
}

/* The store's refusals, each by its place. */
static bool take_rejected(gv_sender *sender, gv_flight *flight)
{
    const char *why;
    uint64_t index;
    for (size_t i = 0; (why = gavat_op_rejected(flight->op, i, &index)) != NULL; i++) {
        gv_place *place = index < flight->count ? &flight->places[index] : NULL;
        if (!place || !place->source)
            continue;
        gv_source *source = place->source;
        place->source = NULL;
        source->records--;
        if (!gv_found_reject(sender->reading, source, place->line, "%s", why))
            return false;
    }
    return true;
}

static void drop(gv_flight *flight)
{
    gavat_op_unref(flight->op);
    gavat_batch_free(flight->batch);
    flight->op = NULL;
    flight->batch = NULL;
    flight->count = 0;
}

/* Waits for its end. True also for one that is not under way. */
static bool settle(gv_sender *sender, gv_flight *flight)
{
    uint64_t since = 0;
    if (!flight->op)
        return true;
    gavat_op_wait(flight->op);
    while (gv_sender_again(sender, flight->op, &since)) {
        gavat_op_unref(flight->op);
        flight->op = gv_sender_ask(sender);
        if (!flight->op)
            return false;
        gavat_import_batch(flight->op, flight->batch);
        gavat_op_wait(flight->op);
    }
    if (sender->status != GAVAT_OK)
        return false;
    if (since)
        gv_log(sender->client, GAVAT_LOG_WARN, "migrate", "the store is back: goes on");
    bool whole = !gavat_op_rejected(flight->op, 0, NULL);      /* else it stays a batch that is sent anew when the run is resumed */
    bool go_on = take_rejected(sender, flight);
    count_landed(sender, flight);
    gavat_status status = whole ? gv_journal_landed(sender->journal, flight->journal) : GAVAT_OK;
    gv_sender_journal_said(sender, status);
    drop(flight);
    return go_on && sender->status == GAVAT_OK;
}

static bool is_known(gv_sender *sender, const gv_found *found)
{
    uint64_t key = gv_identity_key(found->uid);
    if (!key)
        return false;
    if (gv_keys_have(&sender->mine, key)) {
        found->source->landed++;
        sender->landed++;
        return true;
    }
    if (!gv_keys_have(&sender->others, key))
        return false;
    found->source->present++;
    sender->present++;
    return true;
}

bool gv_sender_take(gv_sender *sender, const gv_found *found)
{
    if (is_known(sender, found))
        return true;
    gv_flight *flight = &sender->flights[sender->next];
    if (!flight->batch)
        flight->batch = gavat_batch_new(sender->client);
    gavat_batch_set_index(flight->batch, flight->count);
    gavat_status status = gavat_batch_add_json(flight->batch, found->kind, found->json.data, found->json.length);
    if (status == GAVAT_ENOMEM)
        return gv_sender_no_memory(sender);
    if (status != GAVAT_OK) {
        found->source->records--;
        return gv_found_reject(sender->reading, found->source, found->line, "%s", gavat_batch_error(flight->batch));
    }
    flight->places[flight->count++] = (gv_place){found->source, found->line};
    if (flight->count < GV_FLIGHT_RECORDS && gavat_batch_bytes(flight->batch) < BATCH_BYTES)
        return true;
    if (!submit(sender, flight))
        return false;
    sender->next = (sender->next + 1) % GV_FLIGHTS;
    return settle(sender, &sender->flights[sender->next]);
}

bool gv_sender_flush(gv_sender *sender)
{
    bool good = submit(sender, &sender->flights[sender->next]);
    for (unsigned i = 1; i <= GV_FLIGHTS; i++)
        good = settle(sender, &sender->flights[(sender->next + i) % GV_FLIGHTS]) && good;
    return good;
}

void gv_sender_end(gv_sender *sender)
{
    for (size_t i = 0; i < GV_FLIGHTS; i++) {
        if (sender->flights[i].op)
            gavat_op_wait(sender->flights[i].op);       /* it may land yet: the journal holds it as not known */
        drop(&sender->flights[i]);
        gv_free(sender->flights[i].places);
    }
    gv_keys_free(&sender->mine);
    gv_keys_free(&sender->others);
    gv_text_free(&sender->identities);
}
