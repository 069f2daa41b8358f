/* profiles_files.c: profiles in and out: folders of *.json files, which are profile stores themselves and are opened as
 * such, and JSON lines. */
#include "import.h"
#include "page.h"
#include "profiles.h"
#include "progress.h"
#include "tell.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The store in a folder. */
static int open_folder(ctl_session *session, const ctl_call *call, const char *folder)
{
    ctl_buffer url = {0};
    ctl_add_format(&url, "file://%s%s", *folder == '/' ? "" : "./", folder);
    const char *changes[] = {"MONGODB_URI", url.data, NULL};
    int code = ctl_session_beside(session, call, changes);
    session->changes = NULL;
    ctl_free(&url);
    return code;
}

/* The documents as they are: NaN is no JSON and gets its place among the rejects. */
static bool import_page(const gavat_op *op, void *user)
{
    ctl_import *import = user;
    const char *reason = NULL;
    uint64_t place = 0;
    bool good = true;
    for (size_t i = 0; good && i < gavat_op_count(op); i++) {
        const gavat_profile *profile = gavat_op_profile(op, i);
        good = ctl_import_add(import, profile->json, profile->json_length);
    }
    for (size_t i = 0; good && (reason = gavat_op_rejected(op, i, &place)) != NULL; i++)
        good = ctl_import_refuse(import, reason);
    ctl_import_show(import, 0, 0);
    return good;
}

static bool read_folder(ctl_import *import, const char *path)
{
    ctl_session session;
    bool more = false;
    if (!is_folder(path))
        return false;
    const ctl_call *call = ctl_import_call(import);
    ctl_profile_query query = {gavat_profile_filter_init(), NULL};
    ctl_pager pager = {ctl_get_profile_page, &query, import_page, import};
    int code = open_folder(&session, call, path);
    if (!code)
        code = ctl_pages(&session, &pager, 0, &more);
    ctl_import_fail(import, ctl_session_end(&session, code));
    return true;
}

int ctl_profiles_import(const ctl_call *call)
{
    static const ctl_import_kind kind = {.name = "profile", .noun = "profiles", .read = read_folder};
    return ctl_import_run(call, &kind);
}

typedef struct copy {
    const ctl_call *call;
    ctl_session from, to;
    ctl_progress progress;
    uint64_t count;
    bool skipped;
    int code; /* not 0: stop, with this exit code */
} copy;

static void skip(copy *c, const char *reason)
{
    ctl_progress_clear(&c->progress);
    ctl_error("skipped: %s", reason);
    c->skipped = true;
}

static void skip_rejected(copy *c, const gavat_op *op)
{
    const char *reason = NULL;
    uint64_t place = 0;
    for (size_t i = 0; (reason = gavat_op_rejected(op, i, &place)) != NULL; i++)
        skip(c, reason);
}

static bool add_profile(copy *c, gavat_batch *batch, const gavat_profile *profile)
{
    gavat_status status = gavat_batch_add_json(batch, "profile", profile->json, profile->json_length);
    if (status == GAVAT_OK)
        return true;
    ctl_buffer reason = {0};
    ctl_add_format(&reason, "%s: %s", profile->username, gavat_batch_error(batch));
    skip(c, reason.data);
    ctl_free(&reason);
    if (status != GAVAT_EINVAL)
        c->code = ctl_exit_code(status);
    return false;
}

/* A page from one store into the other. */
static bool copy_page(const gavat_op *op, void *user)
{
    copy *c = user;
    gavat_batch *batch = gavat_batch_new(c->to.client);
    gavat_op *put = ctl_session_op(&c->to);
    size_t added = 0;
    for (size_t i = 0; i < gavat_op_count(op) && !c->code; i++)
        added += add_profile(c, batch, gavat_op_profile(op, i));
    skip_rejected(c, op);
    if (added && !c->code) {
        gavat_import_batch(put, batch);
        c->code = ctl_session_wait(&c->to, put);
        c->count += c->code ? 0 : (uint64_t)gavat_op_number(put);
        skip_rejected(c, put);
    }
    gavat_op_unref(put);
    gavat_batch_free(batch);
    ctl_progress_show(&c->progress, c->count, 0, 0);
    return !c->code;
}

static int copy_all(copy *c, const char *folder)
{
    bool more = false;
    ctl_profile_query query = ctl_make_profile_query(c->call);
    ctl_pager pager = {ctl_get_profile_page, &query, copy_page, c};
    int code = ctl_session_start(&c->from, c->call, CTL_OPEN);
    if (!code) {
        code = open_folder(&c->to, c->call, folder);
        if (!code)
            code = ctl_pages(&c->from, &pager, 0, &more);
        code = ctl_session_end(&c->to, code ? code : c->code);
    }
    return ctl_session_end(&c->from, code);
}

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    bool empty = true;
    while (folder && (entry = readdir(folder)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    if (folder)
        closedir(folder);
    return empty;
}

/* A folder that was not completed, as far as it is ours: rmdir refuses one that holds anything else. */
static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    while (folder && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* What must hold before any work: path is free, and part is made. */
static int make_folder(const char *path, const char *part)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        ctl_error("%s is a file", path);
        ctl_hint("name a new folder, or write JSON lines: gavatctl profiles export - > %s", path);
        return 1;
    }
    if (!is_empty(path)) {
        ctl_error("%s holds files already", path);
        ctl_hint("export into a new folder");
        return 1;
    }
    if (mkdir(part, 0777) == 0)
        return 0;
    ctl_error("cannot make %s: %s", part, strerror(errno));
    if (errno == EEXIST)
        ctl_hint("another export is at work there, or was cut off: then remove it");
    return 1;
}

/* The name appears when all is there: only in place of nothing, or of an empty folder. */
static int export_folder(const ctl_call *call, const char *path)
{
    copy c = {.call = call};
    ctl_buffer part = {0};
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    ctl_add_format(&part, "%.*s.part", (int)length, path);
    int code = make_folder(path, part.data);
    if (code) {
        ctl_free(&part);
        return code;
    }
    ctl_progress_start(&c.progress, call, "exported", "profiles");
    code = copy_all(&c, part.data);
    ctl_progress_clear(&c.progress);
    if (!code && rename(part.data, path) != 0) {
        ctl_error("cannot name %s %s: %s", part.data, path, strerror(errno));
        code = 1;
    }
    if (code)
        remove_folder(part.data);
    else
        ctl_progress_end(&c.progress, c.count, "");
    ctl_free(&part);
    return code ? code : c.skipped ? 4 : 0;
}

int ctl_profiles_export(const ctl_call *call)
{
    const char *path = ctl_get_argument(call, 0);
    ctl_profile_query query = ctl_make_profile_query(call);
    if (strcmp(path, "-") == 0)
        return ctl_export(call, "profiles", ctl_get_profile_page, &query, NULL);
    if (call->format_given)
        return ctl_usage(call, "a folder holds NAME.json files: -o goes with -");
    return export_folder(call, path);
}
