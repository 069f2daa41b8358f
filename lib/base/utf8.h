/* utf8.h: RFC 3629 UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef GV_BASE_UTF8_H
#define GV_BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One code point at data (length > 0): its bytes, 1 to 4; 0: not UTF-8 here. */
size_t gv_utf8_decode(const char *data, size_t length, uint32_t *code);
/* Bytes written; 0: a surrogate or past U+10FFFF. */
size_t gv_utf8_encode(uint32_t code, char out[4]);
bool gv_utf8_valid(const char *data, size_t length);
/* Code points; SIZE_MAX: not UTF-8. */
size_t gv_utf8_count(const char *data, size_t length);
#endif
