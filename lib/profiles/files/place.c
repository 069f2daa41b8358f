#include "files.h"
#include "../../base/file_name.h"
#include "../../base/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define ROOM_KEPT (4u << 20)    /* bytes: what a larger file took is given back before the next one */

void gv_place_free(gv_place *place)
{
    gv_text_free(&place->path);
    gv_text_free(&place->own);
    gv_text_free(&place->text);
    gv_text_free(&place->merged);
    gv_text_free(&place->view);
}

const char *gv_place_path(gv_place *place, const char *username)
{
    gv_text *path = &place->path;
    gv_text_clear(path);
    gv_text_adds(path, place->self->folder);
    gv_text_addc(path, '/');
    gv_file_name_encode(path, gv_slice_of(username));
    gv_text_adds(path, ".json");
    return path->failed ? NULL : gv_text_get(path);
}

static const char *put_path(gv_text *path, const gv_place *place, const char *file)
{
    gv_text_clear(path);
    gv_text_addf(path, "%s/%s", place->self->folder, file);
    return path->failed ? NULL : gv_text_get(path);
}

const char *gv_place_file(gv_place *place, const char *file)
{
    return put_path(&place->path, place, file);
}

const char *gv_place_own(gv_place *place, const char *name)
{
    return put_path(&place->own, place, name);
}

#define PIECE 16384

/* A name that is no file of text must not hold the thread up: a pipe is opened without waiting, and reads as empty. A read that gives
 * less than it could is taken for the last one, unless all is asked for: a document that was cut there is none. *cut: it was. */
static int read_file(gv_place *place, bool all, bool *cut)
{
    int fd;
    char piece[PIECE];
    size_t length = 0;
    if (place->text.room > ROOM_KEPT)
        gv_text_free(&place->text);
    gv_text_clear(&place->text);
    int error = gv_file_open(gv_text_get(&place->path), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd);
    if (error)
        return error;
    gv_cache_opened(place->cache, fd);
    if (!all)
        error = gv_file_read(fd, piece, sizeof piece, &length);
    gv_text_add(&place->text, piece, length);
    *cut = !all && length < sizeof piece;
    if (!error && !*cut)
        error = gv_file_read_end(fd, GV_FILES_MOST - length, &place->text);
    gv_file_close(fd);
    return place->text.failed ? -ENOMEM : error;
}

/* NULL: place->text is a document; else what is wrong, or *error. */
static const char *read_document(gv_place *place, bool all, gv_document *document, int *error, size_t *at)
{
    bool cut;
    *error = read_file(place, all, &cut);
    if (*error)
        return "";
    const char *wrong = gv_document_read((gv_slice){gv_text_get(&place->text), place->text.length}, document, at);
    return wrong && cut ? read_document(place, true, document, error, at) : wrong;
}

gv_found gv_place_load(gv_place *place, gv_loaded *loaded)
{
    size_t at;
    int error = -ENOMEM;
    const char *wrong = place->path.failed ? "" : read_document(place, false, &loaded->document, &error, &at);
    loaded->error = error;
    if (error == -ENOENT)
        return GV_FOUND_NONE;
    if (error == -EISDIR || error == -EFBIG) {
        snprintf(loaded->why, sizeof loaded->why, error == -EISDIR ? "it is a folder" : "it is larger than %u bytes", GV_FILES_MOST);
        return GV_FOUND_DAMAGED;
    }
    if (error)
        return GV_FOUND_FAILED;
    if (!wrong)
        return GV_FOUND;
    if (at)
        snprintf(loaded->why, sizeof loaded->why, "at byte %zu: %s", at, wrong);
    else
        snprintf(loaded->why, sizeof loaded->why, "%s", wrong);
    return GV_FOUND_DAMAGED;
}

bool gv_place_view(gv_place *place, const gv_document *document, const char *username)
{
    char why[GV_JSON_WHY];
    const gv_json_changes defaults = place->self->defaults.changes;
    gv_text_clear(&place->view);
    if (!defaults.count) {
        gv_document_view(&place->view, document, username);
        return !place->view.failed;
    }
    gv_document merged = *document;
    gv_text_clear(&place->merged);
    if (!gv_json_apply(&place->merged, document->text, defaults, why))
        return false;
    merged.text.data = gv_text_get(&place->merged);
    merged.text.length = place->merged.length;
    merged.count = SIZE_MAX;    /* its members lie elsewhere now */
    gv_document_view(&place->view, &merged, username);
    return !place->view.failed;
}

bool gv_files_folder_is_there(const gv_files *self)
{
    struct stat found;
    return stat(self->folder, &found) == 0 && S_ISDIR(found.st_mode);
}

static gavat_status status_of(int error)
{
    switch (-error) {
    case ENOMEM: return GAVAT_ENOMEM;
    case ENOENT:
    case ENOTDIR:
    case ESTALE: return GAVAT_EUNAVAIL;
    case ENAMETOOLONG: return GAVAT_EREJECTED;
    default: return GAVAT_EIO;
    }
}

const char *gv_files_advice(int error)
{
    switch (-error) {
    case ENOMEM: return "no memory";
    case ENOENT:
    case ENOTDIR:
    case ESTALE: return "the folder is not there: run gavatctl init, or set MONGODB_URI to another one";
    case ENOSPC:
    case EDQUOT: return "the disk is full: make room on it";
    case EROFS: return "its file system is mounted read-only";
    case EACCES:
    case EPERM: return "this user may not: check the owner and mode of the folder and its files";
    case EMFILE:
    case ENFILE: return "too many open files: raise the limit (ulimit -n)";
    case ENAMETOOLONG: return "the name is too long for its file system";
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP: return "its file system has no locks: put the folder on a local disk";
    default: return "check its disk, and the system's log";
    }
}

void gv_said_error(gv_said *said, const gv_files *self, int error, const char *what, const char *username)
{
    const char *name = gv_errno_name(-error);
    gavat_status status = status_of(error);
    bool again = status == GAVAT_ENOMEM || status == GAVAT_EUNAVAIL || error == -EMFILE || error == -ENFILE || error == -ENOSPC;
    gv_said_fail(said, status, "profiles: %s %.200s in %.300s failed (%s): %s", what, username, self->folder, name, gv_files_advice(error));
    said->native = name;
    said->flags = again ? GAVAT_ERROR_RETRY : 0;
}

void gv_said_fail(gv_said *said, gavat_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(said->why, sizeof said->why, format, args);
    va_end(args);
    said->status = status;
    said->native = "";
    said->flags = 0;
}

void gv_said_to(const gv_said *said, gavat_op *op)
{
    gv_op_fail(op, said->status, said->flags, said->native, "%s", said->why);
    op->staged.number = said->number;
}
