/* fold.h: folding for search: case and marks do not count, {I, İ, ı, i} are one letter, ş = s, ß = ss. One generated
 * table (fold_table.c, made by tests/fold/make_fold_table.c from utf8proc: casefold, marks dropped, ı -> i), the same
 * on every platform. The index of folded text carries gv_fold_version, a sum over the table, and is rebuilt when it
 * differs. Folding folded UTF-8 changes nothing more. Hangul syllables and emoji stay whole, NUL is a byte like
 * others; bytes that are not UTF-8 fold to themselves. Any thread. */
#ifndef GV_BASE_FOLD_H
#define GV_BASE_FOLD_H
#include "text.h"

extern const unsigned gv_fold_version;
#define GV_FOLD_GROWTH 2        /* folded text is at most this many times as long in bytes (checked by the generator) */

/* Writes at most length * GV_FOLD_GROWTH bytes to out, which must not overlap data; returns how many. */
size_t gv_fold(const char *data, size_t length, char *out);
void gv_fold_add(gv_text *out, gv_slice text);

/* True when text, folded, contains needle, which is folded already. Scratch grows as needed and is kept by the caller
 * for the next call. An empty needle is in everything. false also when memory is out: then scratch->failed is set. */
bool gv_fold_contains(gv_slice text, gv_slice needle, gv_text *scratch);
#endif
