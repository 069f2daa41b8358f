/* Fuzz target: texts as stems of file names. Whatever the text is, its stem fits a file name and stands for it alone. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/file_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(truth) ((truth) ? (void)0 : broken(#truth))

static void broken(const char *promise)
{
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static gv_slice slice_of(const gv_text *text)
{
    return (gv_slice){gv_text_get(text), text->length};
}

static bool same(gv_slice a, gv_slice b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gv_slice text = {(const char *)data, size};
    gv_text stem = {0}, back = {0}, again = {0};
    gv_file_name_encode(&stem, text);
    EXPECT(!stem.failed && stem.length > 0 && stem.length <= GV_FILE_NAME_MOST);
    EXPECT(stem.data[0] != '.' && !strchr(stem.data, '/') && strlen(stem.data) == stem.length);
    gv_file_name kind = gv_file_name_decode(&back, slice_of(&stem));
    EXPECT(kind == GV_FILE_NAME_TEXT || (kind == GV_FILE_NAME_LONG && size > 80));
    EXPECT(kind == GV_FILE_NAME_TEXT ? same(slice_of(&back), text) : back.length == 0);
    gv_text_clear(&back);
    /* The text as a stem that somebody else wrote. */
    kind = gv_file_name_decode(&back, text);
    if (kind == GV_FILE_NAME_TEXT) {
        gv_file_name_encode(&again, slice_of(&back));
        EXPECT(same(slice_of(&again), text));
    }
    gv_text_free(&stem);
    gv_text_free(&back);
    gv_text_free(&again);
    return 0;
}
