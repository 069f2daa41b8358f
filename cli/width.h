/* width.h: how texts look on a terminal: their width in cells, and a form in which they can do no harm there. */
#ifndef CTL_WIDTH_H
#define CTL_WIDTH_H
#include "buffer.h"

/* The first code point of text and its length in bytes; -1 with *size 1 where there is no valid UTF-8. length > 0. */
int32_t ctl_decode(const char *text, size_t length, size_t *size);

/* Adds text with control characters, direction overrides and bad bytes escaped: \n, \x1b, \u202e. A backslash stays
 * as it is. */
void ctl_add_shown(ctl_buffer *out, const char *text, size_t length);

/* Cells that text takes. What a reader sees as one sign (base and marks, a flag, a joined emoji) takes at most two. */
size_t ctl_width(const char *text, size_t length);

/* The longest part of text that takes at most cells, in bytes; its width in *width. Never splits a sign. */
size_t ctl_fit(const char *text, size_t length, size_t cells, size_t *width);
#endif
