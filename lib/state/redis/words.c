/* words.c: commands as they are written down, and the names of keys. */
#include "redis.h"
#include <inttypes.h>
#include <stdio.h>

#define PLAIN "gavatcore:user:"
#define GLOBAL "gavatcore:global:"
#define TAGGED_GLOBAL "gavatcore:{global}:"
#define INDEX "gavatcore:index:user:"

static void begin(gv_redis_words *words, size_t length)
{
    char head[24], *at = head + sizeof head;
    words->count++;
    *--at = '\n';
    *--at = '\r';
    do
        *--at = (char)('0' + length % 10);
    while (length /= 10);
    *--at = '$';
    gv_text_add(words->text, at, (size_t)(head + sizeof head - at));
}

static void end(gv_redis_words *words)
{
    gv_text_add(words->text, "\r\n", 2);
}

void gv_redis_add(gv_redis_words *words, const char *data, size_t length)
{
    begin(words, length);
    gv_text_add(words->text, data, length);
    end(words);
}

void gv_redis_adds(gv_redis_words *words, const char *text)
{
    gv_redis_add(words, text, strlen(text));
}

void gv_redis_add_number(gv_redis_words *words, int64_t number)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, number);
    gv_redis_add(words, text, (size_t)length);
}

/* PREFIX [{]USER[}]: KEY, as one word. */
static void add_name(gv_redis_words *words, const char *prefix, const char *user, const char *colon, const char *key)
{
    bool tagged = words->self->tagged;
    size_t before = strlen(prefix), name = strlen(user), between = strlen(colon), after = strlen(key);
    begin(words, before + name + (tagged ? 2 : 0) + between + after);
    gv_text_add(words->text, prefix, before);
    if (tagged)
        gv_text_addc(words->text, '{');
    gv_text_add(words->text, user, name);
    if (tagged)
        gv_text_addc(words->text, '}');
    gv_text_add(words->text, colon, between);
    gv_text_add(words->text, key, after);
    end(words);
}

void gv_redis_add_key(gv_redis_words *words, const char *user, const char *key)
{
    const char *global = words->self->tagged ? TAGGED_GLOBAL : GLOBAL;
    size_t before = strlen(global), after = strlen(key);
    if (*user) {
        add_name(words, PLAIN, user, ":", key);
        return;
    }
    begin(words, before + after);
    gv_text_add(words->text, global, before);
    gv_text_add(words->text, key, after);
    end(words);
}

void gv_redis_add_prefix(gv_redis_words *words, const char *user)
{
    gv_redis_add_key(words, user, "");
}

void gv_redis_add_index(gv_redis_words *words, const char *user)
{
    if (*user)
        add_name(words, INDEX, user, "", "");
    else
        gv_redis_adds(words, words->self->tagged ? "gavatcore:index:{global}" : "gavatcore:index:global");
}

static bool begins(gv_slice text, const char *with)
{
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.data, with, length) == 0;
}

static bool ends(const char *text, size_t length, const char *with)
{
    size_t bytes = strlen(with);
    return length >= bytes && memcmp(text + length - bytes, with, bytes) == 0;
}

/* Where KEY begins in "USER:KEY": behind the last ':', but "cooldown:a" is one. NULL: there is none. */
static char *find_part(char *text, size_t length)
{
    static const char *const kinds[] = {"cooldown", "counter", "list", "limit"};
    char *colon = memrchr(text, ':', length);
    if (!colon)
        return NULL;
    size_t before = (size_t)(colon - text);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t bytes = strlen(kinds[i]);
        if (ends(text, before, kinds[i]) && before > bytes && text[before - bytes - 1] == ':')
            return text + before - bytes;
    }
    return colon + 1;
}

bool gv_redis_split(const gv_redis *self, gv_slice key, char *memory, const char **user, const char **part)
{
    const char *global = self->tagged ? TAGGED_GLOBAL : GLOBAL;
    if (memchr(key.data, '\0', key.length))
        return false;
    if (begins(key, global)) {
        size_t before = strlen(global), rest = key.length - before;
        memcpy(memory, key.data + before, rest);
        memory[rest] = '\0';
        *part = memory;
        *user = memory + rest;
        return rest > 0;
    }
    if (!begins(key, PLAIN))
        return false;
    size_t rest = key.length - strlen(PLAIN);
    memcpy(memory, key.data + strlen(PLAIN), rest);
    memory[rest] = '\0';
    char *found = find_part(memory, rest);
    if (!found || !*found || found <= memory + 1)
        return false;
    found[-1] = '\0';
    *user = memory;
    *part = found;
    if (!self->tagged)
        return true;
    size_t length = strlen(memory);
    if (length < 3 || memory[0] != '{' || memory[length - 1] != '}')
        return false;
    memory[length - 1] = '\0';
    *user = memory + 1;
    return true;
}

void gv_redis_add_script(gv_redis_words *words, const gv_redis_call *call, const char *source, const char *user, const char *const *keys,
                         size_t count)
{
    const gv_redis_script *script = gv_redis_find_script(words->self, source);
    bool whole = call->whole || !script || !*script->sha;
    gv_redis_adds(words, whole ? "EVAL" : "EVALSHA");
    if (whole)
        gv_redis_add_source(words, source);
    else
        gv_redis_add(words, script->sha, 40);
    gv_redis_add_number(words, (int64_t)count + 1);
    gv_redis_add_index(words, user);
    for (size_t i = 0; i < count; i++)
        gv_redis_add_key(words, user, keys[i]);
    gv_redis_add_number(words, (int64_t)gv_redis_clock(words->self));
    for (size_t i = 0; i < count; i++)
        gv_redis_adds(words, keys[i]);
}
