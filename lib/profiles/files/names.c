#include "names.h"
#include "../../base/clock.h"
#include "../../base/file_name.h"
#include "../../base/memory.h"
#include "../../base/utf8.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define QUIET INT64_C(2000000)  /* microseconds: a folder that was changed so lately may change again within one tick of its clock */

static int compare(const void *left, const void *right)
{
    const gv_name *const *a = left, *const *b = right;
    return strcmp((*a)->text, (*b)->text);
}

static void drop_from(gv_names *names, size_t from)
{
    for (size_t i = from; i < names->count; i++)
        gv_free(names->list[i]);
    names->count = from;
}

void gv_names_free(gv_names *names)
{
    drop_from(names, 0);
    gv_free(names->list);
    gv_free(names->after);
    memset(names, 0, sizeof *names);
}

/* Only the first of them are kept. */
static void cut(gv_names *names)
{
    if (names->count)
        qsort(names->list, names->count, sizeof *names->list, compare);
    if (names->count <= GV_NAMES_MOST)
        return;
    drop_from(names, GV_NAMES_MOST);
    names->more = true;
}

static int add(gv_names *names, const char *text, size_t length, const char *bad)
{
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 256;
        gv_name **larger = gv_resize(names->list, room * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        names->list = larger;
        names->room = room;
    }
    gv_name *name = gv_alloc(sizeof *name + length + 1);
    if (!name)
        return -ENOMEM;
    name->bad = bad;
    memcpy(name->text, text, length);
    name->text[length] = '\0';
    names->list[names->count++] = name;
    if (names->count == 2 * GV_NAMES_MOST)
        cut(names);
    return 0;
}

/* The long name that a file says it has, in place->view. NULL: it is the one; else what is wrong. */
static const char *read_long_name(gv_place *place, const char *file, gv_slice stem)
{
    gv_loaded loaded;
    static const char *const wrong = "its name stands for a long username, and its document holds another one";
    gv_text *name = &place->view, *check = &place->own;
    if (!gv_place_file(place, file) || gv_place_load(place, &loaded) != GV_FOUND)
        return "its name stands for a long username, and it cannot be read";
    char plain[1024];
    size_t length = gv_json_unescape(loaded.document.username, plain, sizeof plain);
    gv_text_clear(name);
    gv_text_clear(check);
    gv_text_add(name, plain, length < sizeof plain ? length : sizeof plain);
    gv_file_name_encode(check, (gv_slice){gv_text_get(name), name->length});
    bool same = check->length == stem.length && memcmp(gv_text_get(check), stem.data, stem.length) == 0;
    return same ? NULL : wrong;
}

const char *gv_names_read(gv_place *place, const char *file, gv_slice stem)
{
    gv_text *name = &place->view;
    const char *bad = NULL;
    gv_text_clear(name);
    switch (gv_file_name_decode(name, stem)) {
    case GV_FILE_NAME_TEXT: break;
    case GV_FILE_NAME_LONG: bad = read_long_name(place, file, stem); break;
    case GV_FILE_NAME_NONE: bad = "it is hidden, or its name is too long: give it the name of a profile"; break;
    }
    if (bad)
        return bad;
    if (!gv_utf8_valid(gv_text_get(name), name->length))
        return "its name is not UTF-8: rename it";
    return memchr(gv_text_get(name), '\0', name->length) ? "its name stands for one with a NUL: rename it" : NULL;
}

/* One entry of the folder. Other files than ours are not looked at. */
static int take(gv_names *names, gv_place *place, const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), tail = sizeof ".json" - 1;
    if (length < tail || strcmp(entry->d_name + length - tail, ".json") != 0 || entry->d_type == DT_DIR)
        return 0;
    gv_slice stem = {entry->d_name, length - tail};
    const char *bad = gv_names_read(place, entry->d_name, stem);
    if (place->view.failed)
        return -ENOMEM;
    const char *text = bad ? stem.data : gv_text_get(&place->view);
    size_t bytes = bad ? stem.length : place->view.length;
    char *copy = gv_copy_bytes(text, bytes);
    if (!copy)
        return -ENOMEM;
    int error = !names->after || strcmp(copy, names->after) > 0 ? add(names, copy, bytes, bad) : 0;
    gv_free(copy);
    return error;
}

static int read_folder(gv_names *names, gv_place *place)
{
    int error = 0;
    struct stat found;
    DIR *folder = opendir(place->self->folder);
    if (!folder)
        return -errno;
    if (fstat(dirfd(folder), &found) == 0) {
        names->device = found.st_dev;
        names->inode = found.st_ino;
        names->changed = found.st_mtim;
        int64_t changed = (int64_t)found.st_mtim.tv_sec * 1000000 + found.st_mtim.tv_nsec / 1000, now = gv_clock_wall();
        names->keep = changed < now - QUIET;
    }
    errno = 0;
    for (const struct dirent *entry; !error && (entry = readdir(folder)) != NULL; errno = 0)
        error = take(names, place, entry);
    if (!error && errno)
        error = -errno;
    closedir(folder);
    return error;
}

static int fill(gv_names *names, gv_place *place, const char *after)
{
    char *copy = after ? gv_copy_text(after) : NULL;
    if (after && !copy)
        return -ENOMEM;
    drop_from(names, 0);
    gv_free(names->after);
    names->after = copy;
    names->at = 0;
    names->more = names->keep = false;
    int error = read_folder(names, place);
    cut(names);
    if (error)
        names->keep = false;
    return error;
}

/* Whether what is kept is what a new look would find. */
static bool is_fresh(const gv_names *names, const gv_place *place)
{
    struct stat found;
    return names->keep && stat(place->self->folder, &found) == 0 && found.st_dev == names->device && found.st_ino == names->inode
           && found.st_mtim.tv_sec == names->changed.tv_sec && found.st_mtim.tv_nsec == names->changed.tv_nsec;
}

int gv_names_seek(gv_names *names, gv_place *place, const char *after)
{
    bool within = names->after ? after && strcmp(after, names->after) >= 0 : true;
    if (!within || !is_fresh(names, place))
        return fill(names, place, after);
    size_t low = 0, high = after ? names->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->list[middle]->text, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->count && names->more)
        return fill(names, place, after);
    names->at = low;
    return 0;
}

const gv_name *gv_names_next(gv_names *names, gv_place *place, int *error)
{
    *error = 0;
    if (names->at == names->count && names->more && names->count) {
        char *last = gv_copy_text(names->list[names->count - 1]->text);
        *error = last ? fill(names, place, last) : -ENOMEM;
        gv_free(last);
    }
    return !*error && names->at < names->count ? names->list[names->at++] : NULL;
}
