/* Any text is read line by line, and the settings that were read, written in quotes, are read again the same. */
#include "../../lib/base/dotenv.h"

#include "../../lib/base/memory.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct run {
    gv_text log;        /* key NUL value NUL … */
    gv_text again;      /* the same settings as a file */
    size_t line, count, stop;
} run;

static void add_quoted(gv_text *out, const char *value)
{
    gv_text_addc(out, '"');
    for (; *value; value++) {
        if (*value == '\n') {
            gv_text_adds(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"' || *value == '$')
            gv_text_addc(out, '\\');
        gv_text_addc(out, *value);
    }
    gv_text_addc(out, '"');
}

static bool note(const char *key, const char *value, size_t line, void *user)
{
    run *mine = user;
    assert(key[0] && !strpbrk(key, " \t\r\n=#'\"") && (key[0] < '0' || key[0] > '9'));
    assert(line > mine->line);
    mine->line = line;
    gv_text_add(&mine->log, key, strlen(key) + 1);
    gv_text_add(&mine->log, value, strlen(value) + 1);
    gv_text_adds(&mine->again, "export ");
    gv_text_adds(&mine->again, key);
    gv_text_adds(&mine->again, " = ");
    add_quoted(&mine->again, value);
    gv_text_adds(&mine->again, " # read\r\n");
    return ++mine->count != mine->stop;
}

static void drop(run *mine)
{
    gv_text_free(&mine->log);
    gv_text_free(&mine->again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run first = {0}, second = {0}, stopped = {.stop = 1};
    size_t line = 0, lines = 1;
    char *copy = gv_copy_bytes((const char *)data, size);
    assert(copy);
    gv_slice text = {copy, size};
    for (size_t i = 0; i < size; i++)
        lines += copy[i] == '\n';
    const char *why = gv_dotenv_read(text, note, &first, &line);
    assert(!why || (line > first.line && line <= lines));
    assert(first.line <= lines);

    gv_slice again = {gv_text_get(&first.again), first.again.length};
    assert(!gv_dotenv_read(again, note, &second, &line));
    assert(first.log.length == second.log.length);
    assert(first.log.length == 0 || memcmp(first.log.data, second.log.data, first.log.length) == 0);

    why = gv_dotenv_read(text, note, &stopped, &line);
    assert(stopped.count == (first.count > 0) && (stopped.count == 0 || !why));
    drop(&first);
    drop(&second);
    drop(&stopped);
    gv_free(copy);
    return 0;
}
