/* buffer.h: a text that grows, and memory for the program. Out of memory ends the program: nothing useful can be
 * done then, and a record is either acknowledged or not. One thread at a time. */
#ifndef CTL_BUFFER_H
#define CTL_BUFFER_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ctl_buffer {
    char *data; /* ends in NUL once something was added; NULL before */
    size_t length, room;
} ctl_buffer;

void *ctl_alloc(size_t size);                              /* zeroed */
void *ctl_resize(void *memory, size_t count, size_t size); /* checks count * size */

void ctl_add(ctl_buffer *out, const char *data, size_t length);
void ctl_add_text(ctl_buffer *out, const char *text);
void ctl_add_repeat(ctl_buffer *out, char byte, size_t count);
void ctl_add_format(ctl_buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ctl_add_list(ctl_buffer *out, const char *format, va_list list) __attribute__((format(printf, 2, 0)));

/* data as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void ctl_add_json(ctl_buffer *out, const char *data, size_t length);

void ctl_clear(ctl_buffer *out); /* empties it, keeps the memory */
void ctl_free(ctl_buffer *out);
#endif
