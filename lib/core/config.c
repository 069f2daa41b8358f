#include "config.h"
#include "../base/dotenv.h"
#include "../base/files.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "../base/url.h"
#include <errno.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)1 << 20)
#define NAME_SHOWN 80           /* characters of a name that a message shows */

/* What one name of a setting was given; all zero: nothing. */
typedef struct given {
    char *text;
    char *shown;                /* redacted; NULL: the same as text */
    char *source;
    int64_t number;
} given;

struct gavat_config {
    given values[GV_SETTING_COUNT][2];  /* by the key, by the alias */
    char **ignored;
    size_t ignored_count, ignored_room;
    gavat_status status;        /* of the first error */
    char *error;                /* NULL: none, or memory was out */
};

/* Where a value is from: a call, the environment, or a line of a file. */
typedef struct origin {
    enum { FROM_CALL, FROM_ENVIRONMENT, FROM_FILE } kind;
    const char *path;
    size_t line;
} origin;

static void forget(given *value)
{
    gv_free(value->text);
    gv_free(value->shown);
    gv_free(value->source);
    *value = (given){0};
}

gavat_config *gavat_config_new(void)
{
    return gv_alloc_zero(sizeof(gavat_config));
}

void gavat_config_free(gavat_config *cfg)
{
    if (!cfg)
        return;
    for (int i = 0; i < GV_SETTING_COUNT; i++) {
        forget(&cfg->values[i][0]);
        forget(&cfg->values[i][1]);
    }
    for (size_t i = 0; i < cfg->ignored_count; i++)
        gv_free(cfg->ignored[i]);
    gv_free(cfg->ignored);
    gv_free(cfg->error);
    gv_free(cfg);
}

/* Makes sentence the error unless there is one already. One that failed or is empty becomes ENOMEM without a
 * sentence of its own. Takes sentence over. */
static gavat_status keep_error(gavat_config *cfg, gavat_status status, gv_text *sentence)
{
    if (sentence->failed)
        status = GAVAT_ENOMEM;
    if (cfg->status == GAVAT_OK) {
        cfg->error = sentence->length ? gv_text_take(sentence, NULL) : NULL;
        cfg->status = status = cfg->error ? status : GAVAT_ENOMEM;
    }
    gv_text_free(sentence);
    return status;
}

static gavat_status out_of_memory(gavat_config *cfg)
{
    gv_text none = {0};
    return keep_error(cfg, GAVAT_ENOMEM, &none);
}

gavat_status gv_config_fail(gavat_config *cfg, gavat_status status, const char *format, ...)
{
    if (!cfg || status == GAVAT_OK)
        return status;
    gv_text sentence = {0};
    va_list args;
    va_start(args, format);
    gv_text_addv(&sentence, format, args);
    va_end(args);
    return keep_error(cfg, status, &sentence);
}

static void add_origin(gv_text *out, const origin *from)
{
    if (from->kind == FROM_ENVIRONMENT)
        gv_text_adds(out, "environment: ");
    if (from->kind != FROM_FILE)
        return;
    gv_setting_add_path(out, from->path);
    if (from->line)
        gv_text_addf(out, ":%zu", from->line);
    gv_text_adds(out, ": ");
}

static gavat_status refuse_name(gavat_config *cfg, const char *name, const origin *from)
{
    const char *nearest = gv_setting_suggest(gv_slice_of(name));
    gv_text sentence = {0};
    add_origin(&sentence, from);
    gv_setting_add_plain(&sentence, name, NAME_SHOWN);
    gv_text_adds(&sentence, *name ? " is not a setting" : "an empty name is not a setting");
    if (nearest)
        gv_text_addf(&sentence, "; did you mean %s?", nearest);
    else
        gv_text_adds(&sentence, "; the settings reference and `gavatctl config show` list all of them");
    return keep_error(cfg, GAVAT_EINVAL, &sentence);
}

static gavat_status refuse_value(gavat_config *cfg, const char *name, const origin *from, const gv_text *problem)
{
    gv_text sentence = {0};
    add_origin(&sentence, from);
    gv_text_addf(&sentence, "%s: %s", name, gv_text_get(problem));
    return keep_error(cfg, GAVAT_EINVAL, &sentence);
}

static char *make_source(const origin *from)
{
    gv_text source = {0};
    if (from->kind == FROM_FILE)
        gv_text_addf(&source, "file %s:%zu", from->path, from->line);
    else
        gv_text_adds(&source, from->kind == FROM_ENVIRONMENT ? "environment" : "set");
    return gv_text_take(&source, NULL);
}

static char *make_shown(const char *url)
{
    gv_text shown = {0};
    gv_url_redact(&shown, url);
    gv_text_adds(&shown, "");
    return gv_text_take(&shown, NULL);
}

/* Puts value in the place of *old, which stays as it is when memory is out. */
static gavat_status store(gavat_config *cfg, given *old, gv_setting_type type, const char *text, int64_t number,
                          const origin *from)
{
    given value = {gv_copy_text(text), NULL, make_source(from), number};
    bool whole = value.text && value.source;
    if (whole && type == GV_SETTING_URL) {
        value.shown = make_shown(text);
        whole = value.shown != NULL;
    }
    if (!whole) {
        forget(&value);
        return out_of_memory(cfg);
    }
    forget(old);
    *old = value;
    return GAVAT_OK;
}

/* Takes value, which may be NULL or live in cfg itself, for the setting of that name. */
static gavat_status take(gavat_config *cfg, const char *name, const char *value, const origin *from)
{
    gv_setting_id id;
    bool alias;
    if (!gv_setting_find(gv_slice_of(name), &id, &alias))
        return refuse_name(cfg, name, from);
    gv_setting_type type = gv_settings[id].type;
    given *old = &cfg->values[id][alias];
    if (!value || (!*value && from->kind != FROM_CALL && type != GV_SETTING_TEXT)) {
        forget(old);
        return GAVAT_OK;
    }
    int64_t number = 0;
    gv_text problem = {0};
    gavat_status status = gv_setting_parse(id, value, &number, &problem);
    if (status == GAVAT_OK)
        status = store(cfg, old, type, value, number, from);
    else if (status == GAVAT_ENOMEM)
        status = out_of_memory(cfg);
    else
        status = refuse_value(cfg, name, from, &problem);
    gv_text_free(&problem);
    return status;
}

gavat_status gavat_config_set(gavat_config *cfg, const char *key, const char *value)
{
    origin from = {FROM_CALL, NULL, 0};
    if (!cfg)
        return GAVAT_EINVAL;
    if (!key)
        return gv_config_fail(cfg, GAVAT_EINVAL, "gavat_config_set: key is NULL; give the name of a setting");
    return take(cfg, key, value, &from);
}

/* Names that are settings, and those that only pretend to be. */
static bool is_ours(gv_slice name)
{
    gv_setting_id id;
    bool alias;
    return (name.length >= 6 && memcmp(name.data, "GAVAT_", 6) == 0) || gv_setting_find(name, &id, &alias);
}

/* One NAME=VALUE of the environment. */
static gavat_status take_variable(gavat_config *cfg, const char *variable)
{
    origin from = {FROM_ENVIRONMENT, NULL, 0};
    const char *equals = strchr(variable, '=');
    gv_slice slice = {variable, equals ? (size_t)(equals - variable) : 0};
    if (!is_ours(slice))
        return GAVAT_OK;
    char *name = gv_copy_bytes(slice.data, slice.length);
    if (!name)
        return out_of_memory(cfg);
    gavat_status status = take(cfg, name, equals + 1, &from);
    gv_free(name);
    return status;
}

gavat_status gavat_config_load_env(gavat_config *cfg)
{
    gavat_status first = GAVAT_OK;
    if (!cfg)
        return GAVAT_EINVAL;
    for (char **variable = environ; variable && *variable; variable++) {
        gavat_status status = take_variable(cfg, *variable);
        if (first == GAVAT_OK)
            first = status;
    }
    return first;
}

static gavat_status ignore(gavat_config *cfg, const char *name)
{
    if (cfg->ignored_count == cfg->ignored_room) {
        size_t room = cfg->ignored_room ? cfg->ignored_room : 8, size;
        if (!gv_multiply_size(room, 2 * sizeof *cfg->ignored, &size))
            return out_of_memory(cfg);
        char **grown = gv_resize(cfg->ignored, size);
        if (!grown)
            return out_of_memory(cfg);
        cfg->ignored = grown;
        cfg->ignored_room = room * 2;
    }
    char *copy = gv_copy_text(name);
    if (!copy)
        return out_of_memory(cfg);
    cfg->ignored[cfg->ignored_count++] = copy;
    return GAVAT_OK;
}

typedef struct file_load {
    gavat_config *cfg;
    const char *path;
    gavat_status first;         /* error of this load */
} file_load;

static bool take_line(const char *key, const char *value, size_t line, void *user)
{
    file_load *load = user;
    origin from = {FROM_FILE, load->path, line};
    gavat_status status =
        is_ours(gv_slice_of(key)) ? take(load->cfg, key, value, &from) : ignore(load->cfg, key);
    if (load->first == GAVAT_OK)
        load->first = status;
    return status != GAVAT_ENOMEM;
}

static gavat_status refuse_file(gavat_config *cfg, const char *path, int number)
{
    static const struct {
        int number;
        const char *advice;
    } known[] = {
        {-ENOENT, "there is no such file; create it or name another one"},
        {-EACCES, "this user may not read it; change its permissions or name another one"},
        {-EISDIR, "it is a folder; name a file in it"},
        {-EFBIG, "it is larger than 1 MiB; a settings file is KEY=VALUE lines"},
    };
    if (number == -ENOMEM)
        return out_of_memory(cfg);
    gv_text sentence = {0};
    gv_text_adds(&sentence, "cannot read the settings file \"");
    gv_setting_add_path(&sentence, path);
    gv_text_adds(&sentence, "\": ");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].number != number)
            continue;
        gv_text_adds(&sentence, known[i].advice);
        return keep_error(cfg, GAVAT_EIO, &sentence);
    }
    gv_text_addf(&sentence, "the system says %s (%d); check the path and the disk", gv_errno_name(-number), -number);
    return keep_error(cfg, GAVAT_EIO, &sentence);
}

static gavat_status refuse_line(gavat_config *cfg, const char *path, size_t line, const char *phrase)
{
    origin from = {FROM_FILE, path, line};
    gv_text sentence = {0};
    if (strcmp(phrase, GV_MEMORY_IS_OUT) == 0)
        return out_of_memory(cfg);
    add_origin(&sentence, &from);
    gv_text_adds(&sentence, phrase);
    return keep_error(cfg, GAVAT_EINVAL, &sentence);
}

/* Takes the lines of a file that has been read. A NUL would end a value early without anyone noticing, so none may be
 * in it. */
static gavat_status take_lines(gavat_config *cfg, const char *path, gv_slice text)
{
    size_t line = 1;
    const char *nul = text.length ? memchr(text.data, 0, text.length) : NULL;
    if (nul) {
        for (const char *at = text.data; at < nul; at++)
            line += *at == '\n';
        return refuse_line(cfg, path, line, "there is a NUL byte here; write the file as plain text in UTF-8");
    }
    file_load load = {cfg, path, GAVAT_OK};
    const char *phrase = gv_dotenv_read(text, take_line, &load, &line);
    if (!phrase)
        return load.first;
    gavat_status status = refuse_line(cfg, path, line, phrase);
    return load.first == GAVAT_OK ? status : load.first;
}

gavat_status gavat_config_load_file(gavat_config *cfg, const char *path)
{
    if (!cfg)
        return GAVAT_EINVAL;
    if (!path)
        return gv_config_fail(cfg, GAVAT_EINVAL, "gavat_config_load_file: path is NULL; give the name of a file");
    gv_text text = {0};
    int number = gv_file_read_all(path, FILE_LIMIT, &text);
    gavat_status status;
    if (number != 0)
        status = refuse_file(cfg, path, number);
    else
        status = take_lines(cfg, path, (gv_slice){gv_text_get(&text), text.length});
    gv_text_free(&text);
    return status;
}

/* What counts for a setting; NULL: the default. */
static const given *in_force(const gavat_config *cfg, gv_setting_id id)
{
    for (int i = 0; cfg && i < 2; i++) {
        if (cfg->values[id][i].text)
            return &cfg->values[id][i];
    }
    return NULL;
}

const char *gv_config_source(const gavat_config *cfg, gv_setting_id id)
{
    const given *value = in_force(cfg, id);
    return value ? value->source : "default";
}

const char *gv_config_text(const gavat_config *cfg, gv_setting_id id)
{
    const given *value = in_force(cfg, id);
    return value ? value->text : gv_settings[id].fallback;
}

int64_t gv_config_number(const gavat_config *cfg, gv_setting_id id)
{
    const given *value = in_force(cfg, id);
    if (value)
        return value->number;
    int64_t number = 0;
    gv_text problem = {0};
    if (gv_settings[id].type != GV_SETTING_TEXT && gv_settings[id].type != GV_SETTING_URL)
        gv_setting_parse(id, gv_settings[id].fallback, &number, &problem);
    gv_text_free(&problem);
    return number;
}

const char *gv_config_shown(const gavat_config *cfg, gv_setting_id id)
{
    const given *value = in_force(cfg, id);
    return value && value->shown ? value->shown : gv_config_text(cfg, id);
}

const char *gavat_config_get(const gavat_config *cfg, const char *key)
{
    gv_setting_id id;
    bool alias;
    if (!key || !gv_setting_find(gv_slice_of(key), &id, &alias))
        return NULL;
    return gv_config_shown(cfg, id);
}

const char *gavat_config_error(const gavat_config *cfg)
{
    if (!cfg || cfg->status == GAVAT_OK)
        return "";
    return cfg->error ? cfg->error : "there is no memory left; free some and start again";
}

gavat_status gv_config_status(const gavat_config *cfg)
{
    return cfg ? cfg->status : GAVAT_OK;
}

const char *gv_config_ignored(const gavat_config *cfg, size_t i)
{
    return cfg && i < cfg->ignored_count ? cfg->ignored[i] : NULL;
}

static bool copy_text(char **to, const char *from)
{
    *to = gv_copy_text(from);
    return *to || !from;
}

static bool copy_into(gavat_config *to, const gavat_config *from)
{
    for (int i = 0; i < GV_SETTING_COUNT * 2; i++) {
        given *value = &to->values[i / 2][i % 2];
        const given *old = &from->values[i / 2][i % 2];
        value->number = old->number;
        if (!copy_text(&value->text, old->text) || !copy_text(&value->shown, old->shown) ||
            !copy_text(&value->source, old->source))
            return false;
    }
    for (size_t i = 0; i < from->ignored_count; i++) {
        if (ignore(to, from->ignored[i]) != GAVAT_OK)
            return false;
    }
    to->status = from->status;
    return copy_text(&to->error, from->error);
}

gavat_config *gv_config_copy(const gavat_config *cfg)
{
    gavat_config *copy = gavat_config_new();
    if (copy && cfg && !copy_into(copy, cfg)) {
        gavat_config_free(copy);
        return NULL;
    }
    return copy;
}
