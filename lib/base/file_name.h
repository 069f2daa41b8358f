/* file_name.h: any text as the stem of a file name, so that no two texts share a file and every file that some other
 * program named stands for one text. A text is its stem as it is (blanks, '@', dots, Turkish letters), but for
 *     '/' %2F, NUL %00, a leading '.' %2E, the empty text %
 *     '%' %25, only where it would read as one of these: "100%" and "bot%41" are their own stems, "a%2F" is "a%252F"
 * That way the stems of up to 250 bytes and the texts that have one are paired one to one, whoever named the file.
 * A text whose stem would be longer has a long stem: its beginning, "%~" and the SHA-256 of the text. A name of 100
 * characters takes up to 400 bytes, so no spelling of it fits a file name: the text must be in the file, and the stem
 * of what is found there must be this one. Any thread. */
#ifndef GV_BASE_FILE_NAME_H
#define GV_BASE_FILE_NAME_H
#include "text.h"

#define GV_FILE_NAME_MOST 250   /* bytes of a stem: 255 less ".json". Temporary names must not be made from stems */

/* Adds the stem of text to out. */
void gv_file_name_encode(gv_text *out, gv_slice text);

typedef enum gv_file_name {
    GV_FILE_NAME_NONE = 0,      /* no stem of ours: empty, longer than 250 bytes, with '/' or NUL, or begins with '.' */
    GV_FILE_NAME_TEXT,          /* out has the text */
    GV_FILE_NAME_LONG           /* a long stem: the text is in the file; its gv_file_name_encode must equal the stem */
} gv_file_name;
/* What the stem of a file stands for; out is added to for GV_FILE_NAME_TEXT only. The text may be anything, also no
 * UTF-8. */
gv_file_name gv_file_name_decode(gv_text *out, gv_slice stem);
#endif
