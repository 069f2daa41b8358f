/* dotenv.h: files of KEY=VALUE lines, as the original's config_db.env. Blank lines and lines that begin with # are
 * skipped; "export " before a key is accepted; blanks around '=' and at the ends are dropped; a value may stand in
 * '…' (as it is) or "…" (\n \t \\ \" \$ understood); behind a bare value " #" begins a comment. No expansion. A quote
 * ends in its line; any other backslash stands for itself. Keys: letters, digits, '_', '-', '.', no digit, '-' or '.'
 * in front. CRLF and a BOM at the start are accepted. */
#ifndef GV_BASE_DOTENV_H
#define GV_BASE_DOTENV_H
#include "text.h"

/* Called for each setting; texts end in NUL and last for the call. False stops. */
typedef bool (*gv_dotenv_fn)(const char *key, const char *value, size_t line, void *user);

/* NULL when all lines were read; else what is wrong, a static phrase, in line *line. A stop by fn is no error. */
const char *gv_dotenv_read(gv_slice text, gv_dotenv_fn fn, void *user, size_t *line);
#endif
