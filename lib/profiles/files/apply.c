/* apply.c: one op on documents by name. Writes, on the writer's thread, hold the lock, and are durable once the folder was synced. */
#include "files.h"
#include "../../base/clock.h"
#include "../../base/files.h"
#include "../../base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_MEMORY "no memory for the profile"

static const char *const not_there = "there is no profile of this name";

/* place->view into the hidden file beside its place, with the mode of the file that it replaces (0: none), down to the disk. */
static int write_new(gv_place *place, const char *path, mode_t mode)
{
    int fd;
    int error = gv_file_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666, &fd);
    if (error)
        return error;
    if (mode && fchmod(fd, mode & 07777) < 0)
        error = -errno;
    if (!error)
        error = gv_file_write_all(fd, gv_text_get(&place->view), place->view.length, NULL);
    if (!error)
        error = gv_file_sync(fd);
    gv_file_close(fd);
    return error;
}

/* What cannot be read is kept under a name that no scan takes for a profile. */
static int move_aside(gv_place *place, gavat_time now, const char *why)
{
    gv_text aside = {0};
    struct stat found;
    char time[28];
    do {
        gv_time_to_rfc(now++, time);
        gv_text_clear(&aside);
        gv_text_addf(&aside, "%s.damaged-%s", gv_text_get(&place->path), time);
    } while (!aside.failed && lstat(gv_text_get(&aside), &found) == 0);
    int error = aside.failed ? -ENOMEM : gv_file_rename(gv_text_get(&place->path), gv_text_get(&aside));
    if (!error)
        gv_log(place->self->store->client, GAVAT_LOG_WARN, "profiles", "%s could not be read (%s): it was put aside as %s",
               gv_text_get(&place->path), why, gv_text_get(&aside));
    gv_text_free(&aside);
    return error;
}

/* place->view becomes the file at place->path. damaged: why what is there is put aside first; NULL: it is not. */
static bool replace(gv_place *place, const char *username, const char *damaged, gavat_time now, gv_said *said)
{
    struct stat found;
    const char *path = gv_text_get(&place->path), *own = gv_place_own(place, GV_FILES_NEW);
    if (!own || place->view.failed) {
        gv_said_error(said, place->self, -ENOMEM, "writing", username);
        return false;
    }
    mode_t mode = !damaged && stat(path, &found) == 0 ? found.st_mode : 0;
    int error = write_new(place, own, mode);
    bool aside = !error && damaged;
    if (aside)
        error = move_aside(place, now, damaged);
    if (!error)
        error = gv_file_rename(own, path);
    if (!error)
        return true;
    gv_file_unlink(own);
    gv_said_error(said, place->self, error, "writing", username);
    return false;
}

/* Whether the stored revision is the one that is asked for. */
static bool revision_fits(gv_found found, const gv_loaded *loaded, int64_t wanted, gv_said *said)
{
    if (wanted == GV_ANY_REVISION)
        return true;
    if (found == GV_FOUND_DAMAGED) {
        gv_said_fail(said, GAVAT_ECORRUPT, "the stored profile cannot be read (%s): put it without a revision, which sets it aside",
                     loaded->why);
        return false;
    }
    int64_t stored = found == GV_FOUND_NONE ? -1 : loaded->document.revision;
    if (wanted == stored)
        return true;
    if (found == GV_FOUND_NONE)
        gv_said_fail(said, GAVAT_ECONFLICT, "there is no profile of this name: it was deleted, or never written; nothing was written");
    else
        gv_said_fail(said, GAVAT_ECONFLICT, "the stored revision is %lld, not %lld: someone else wrote; read it again, then decide. "
                     "Nothing was written", (long long)stored, (long long)wanted);
    said->number = stored;
    return false;
}

static bool put(gv_place *place, const char *username, gv_slice json, int64_t revision, gv_said *said)
{
    gv_loaded loaded = {.error = 0};
    gavat_time now = gv_now(place->self->store->client);
    gv_place_path(place, username);
    gv_found found = gv_place_load(place, &loaded);
    if (found == GV_FOUND_FAILED) {
        gv_said_error(said, place->self, loaded.error, "reading", username);
        return false;
    }
    if (!revision_fits(found, &loaded, revision, said))
        return false;
    const gv_document *stored = found == GV_FOUND_NONE ? NULL : &loaded.document;  /* of a damaged one: nothing but that there is one */
    gv_text_clear(&place->view);
    gv_document_make(&place->view, json, username, stored, now);
    int64_t next = gv_document_next_revision(stored, now);
    if (!replace(place, username, found == GV_FOUND_DAMAGED ? loaded.why : NULL, now, said))
        return false;
    said->number = next;
    return true;
}

static bool fail_absent(gv_place *place, const char *username, gv_said *said)
{
    if (gv_files_folder_is_there(place->self))
        gv_said_fail(said, GAVAT_ENOTFOUND, "%s", not_there);
    else
        gv_said_error(said, place->self, -ENOENT, "looking for", username);
    return false;
}

static bool fail_damaged(gv_place *place, const char *username, const gv_loaded *loaded, gv_said *said)
{
    gv_said_fail(said, GAVAT_ECORRUPT, "%.200s.json in %.300s cannot be read: %s", username, place->self->folder, loaded->why);
    return false;
}

/* Without white space: that is how callers' documents are measured, near enough. */
static size_t compact_length(gv_slice document)
{
    gv_text compact = {0};
    gv_json_to_compact(&compact, document);
    size_t length = compact.failed ? 0 : compact.length;
    gv_text_free(&compact);
    return length;
}

/* What a patch may make of a document. Older ones of other writers may be larger and deeper already. */
static const char *patched_fault(const gv_place *place, const gv_document *stored)
{
    const gv_text *made = &place->view;
    gv_slice text = {gv_text_get(made), made->length};
    const unsigned flags = GV_JSON_NAN | GV_JSON_SURROGATES;
    const size_t most = place->self->store->client->most_record;
    if (made->length > most && made->length > stored->text.length && compact_length(text) > most)
        return "the profile would become larger than GAVAT_MAX_RECORD";
    if (gv_json_check(text, GV_JSON_DEPTH, flags, NULL) && !gv_json_check(stored->text, GV_JSON_DEPTH, flags, NULL))
        return "the profile would be nested deeper than 100";
    return NULL;
}

/* The text around the object, a line's end say, stays too. */
static bool make_patched(gv_place *place, const gv_document *stored, gv_json_changes changes, gavat_time now, char why[GV_JSON_WHY])
{
    const char *text = gv_text_get(&place->text), *object = stored->text.data, *behind = object + stored->text.length;
    gv_text_clear(&place->view);
    gv_text_add(&place->view, text, (size_t)(object - text));
    bool good = gv_document_patch(&place->view, stored, changes, now, why);
    gv_text_add(&place->view, behind, (size_t)(text + place->text.length - behind));
    return good;
}

static bool patch(gv_place *place, const gv_profile_request *request, gv_said *said)
{
    gv_loaded loaded;
    gv_arena arena = {0};
    gv_json_changes changes;
    char why[GV_JSON_WHY] = "";
    const char *username = request->username;
    gavat_time now = gv_now(place->self->store->client);
    gv_place_path(place, username);
    gv_found found = gv_place_load(place, &loaded);
    if (found == GV_FOUND_NONE)
        return fail_absent(place, username, said);
    if (found == GV_FOUND_DAMAGED)
        return fail_damaged(place, username, &loaded, said);
    if (found == GV_FOUND_FAILED) {
        gv_said_error(said, place->self, loaded.error, "reading", username);
        return false;
    }
    bool made = gv_json_read_patch(&arena, request->json, request->unset, request->unset_count, &changes, why)
                && make_patched(place, &loaded.document, changes, now, why);
    const char *wrong = made ? patched_fault(place, &loaded.document) : why;
    gv_arena_free(&arena);
    if (wrong && *wrong)
        gv_said_fail(said, GAVAT_EINVAL, "%s: nothing was changed", wrong);
    else if (wrong)
        gv_said_error(said, place->self, -ENOMEM, "changing", username);
    int64_t next = gv_document_next_revision(&loaded.document, now);
    if (wrong || !replace(place, username, NULL, now, said))
        return false;
    said->number = next;
    return true;
}

static bool drop(gv_place *place, const char *username, gv_said *said)
{
    const char *path = gv_place_path(place, username);
    int error = path ? gv_file_unlink(path) : -ENOMEM;
    if (error == -ENOENT)
        return fail_absent(place, username, said);
    if (error)
        gv_said_error(said, place->self, error, "deleting", username);
    return error == 0;
}

/* The profile joins the op's result; NULL: no memory. */
static bool give(gv_place *place, const char *username, gavat_op *op, gavat_profile *profile, gv_said *said)
{
    gv_result *result = gv_op_result(op);
    if (!profile || !gv_result_add(result, profile)) {
        gv_said_error(said, place->self, -ENOMEM, "reading", username);
        return false;
    }
    result->shape = &gv_profile_shape;
    return true;
}

static gavat_profile *copy_profile(gv_arena *arena, const gavat_profile *kept)
{
    gavat_profile *profile = gv_arena_alloc(arena, sizeof *profile);
    if (!profile)
        return NULL;
    *profile = *kept;
    profile->username = gv_arena_copy_text(arena, kept->username);
    profile->json = gv_arena_copy(arena, kept->json, kept->json_length);
    return profile->username && profile->json ? profile : NULL;
}

static bool find(gv_place *place, const char *username, gavat_op *op, gv_said *said)
{
    gv_loaded loaded;
    const char *path = gv_place_path(place, username);
    gv_result *result = gv_op_result(op);
    const gavat_profile *kept = gv_cache_find(place->cache, username, path);
    if (kept && result)
        return give(place, username, op, copy_profile(&result->arena, kept), said);
    gv_found found = gv_place_load(place, &loaded);
    if (found == GV_FOUND_NONE)
        return fail_absent(place, username, said);
    if (found == GV_FOUND_FAILED)
        gv_said_error(said, place->self, loaded.error, "reading", username);
    else if (found == GV_FOUND_DAMAGED)
        fail_damaged(place, username, &loaded, said);
    if (found != GV_FOUND)
        return false;
    bool viewed = result && gv_place_view(place, &loaded.document, username);
    gavat_profile *profile = viewed ? gv_document_record(&result->arena, &loaded.document, username, &place->view) : NULL;
    if (profile)
        gv_cache_keep(place->cache, profile);
    return give(place, username, op, profile, said);
}

static bool get(gv_place *place, const char *username, gavat_op *op, gv_said *said)
{
    place->cache = gv_gets_cache(place->self, username);
    bool done = find(place, username, op, said);
    place->cache = NULL;
    return done;
}

/* --- many --- */

typedef struct many {
    gv_place *place;
    gavat_op *op;
    bool changed;
    gv_said said;               /* of the last one */
} many;

/* False: the op ends here, failed or no longer wanted. */
static bool apply_item(many *m, const gv_profile_item *item, uint64_t index)
{
    gavat_op *op = m->op;
    unsigned place = op->kind->place;
    gv_said none = {.status = GAVAT_OK};
    m->said = none;
    bool read = place == GV_GET_NAMED_PROFILES, done = false;
    if (item->refused)
        gv_said_fail(&m->said, GAVAT_EINVAL, "%s", item->refused);
    else if (read)
        done = get(m->place, item->username, op, &m->said);
    else if (place == GV_DELETE_PROFILES)
        done = drop(m->place, item->username, &m->said);
    else
        done = put(m->place, item->username, item->json, GV_ANY_REVISION, &m->said);
    op->staged.number += done;
    m->changed = m->changed || (done && !read);
    if (done && read && op->staged.result->arena.bytes > op->client->most_bytes) {
        gv_said_fail(&m->said, GAVAT_EBUSY, "the profiles would take more than the byte bound (GAVAT_MAX_BYTES): ask for fewer at once");
        return false;
    }
    if (done)
        return gv_op_wanted(op);
    gavat_status status = m->said.status;
    if (status == GAVAT_ENOMEM || status == GAVAT_EUNAVAIL || (status == GAVAT_EIO && !read))
        return false;
    gv_result *result = gv_op_result(op);
    if (result && gv_result_reject(result, index, m->said.why))
        return gv_op_wanted(op);
    gv_said_fail(&m->said, GAVAT_ENOMEM, NO_MEMORY);
    return false;
}

/* What was done before the store failed stays done: the caller cannot know how far that is. */
static void end_many(many *m)
{
    gavat_op *op = m->op;
    int64_t done = op->staged.number;
    gavat_status status = m->said.status;
    bool failed = status == GAVAT_ENOMEM || status == GAVAT_EUNAVAIL || status == GAVAT_EBUSY || (status == GAVAT_EIO && op->kind->flags & GV_WRITE);
    if (!failed) {
        gv_op_succeed(op, m->changed ? GAVAT_REACHED_STORE : GAVAT_REACHED_NONE);
        return;
    }
    if (m->changed)
        m->said.flags |= GAVAT_ERROR_MAYBE_APPLIED;
    gv_said_to(&m->said, op);
    op->staged.number = done;
}

static bool apply_many(gv_place *place, gavat_op *op)
{
    many m = {.place = place, .op = op};
    bool more = true;
    if (op->kind->place == GV_IMPORT_PROFILES) {
        const gavat_batch *batch = op->batch;
        for (size_t i = 0; i < batch->count && more; i++)
            more = apply_item(&m, batch->entries[i].record, batch->entries[i].index);
    } else {
        const gv_many_request *request = op->request;
        for (size_t i = 0; i < request->count && more; i++)
            more = apply_item(&m, &request->items[i], i);
    }
    end_many(&m);
    return m.changed;
}

static bool apply_one(gv_place *place, gavat_op *op)
{
    const gv_profile_request *request = op->request;
    gv_said said = {.status = GAVAT_OK};
    bool done, read = op->kind->place == GV_GET_PROFILE;
    if (read)
        done = get(place, request->username, op, &said);
    else if (op->kind->place == GV_DELETE_PROFILE)
        done = drop(place, request->username, &said);
    else if (op->kind->place == GV_PATCH_PROFILE)
        done = patch(place, request, &said);
    else
        done = put(place, request->username, request->json, request->revision, &said);
    if (!done) {
        gv_said_to(&said, op);
        return false;
    }
    op->staged.number = said.number;
    gv_op_succeed(op, read ? GAVAT_REACHED_NONE : GAVAT_REACHED_STORE);
    return !read;
}

bool gv_files_apply(gv_place *place, gavat_op *op)
{
    switch (op->kind->place) {
    case GV_PUT_PROFILES:
    case GV_DELETE_PROFILES:
    case GV_IMPORT_PROFILES:
    case GV_GET_NAMED_PROFILES:
        return apply_many(place, op);
    case GV_SCHEMA_PROFILES:
        gv_files_describe(place->self, op);
        return false;
    case GV_UPGRADE_PROFILES:
        gv_files_upgrade(place->self, op);
        return false;
    default:
        return apply_one(place, op);
    }
}
