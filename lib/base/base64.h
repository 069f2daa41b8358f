/* base64.h: base64url without padding (RFC 4648 section 5), of cursors. */
#ifndef GV_BASE_BASE64_H
#define GV_BASE_BASE64_H
#include <stdbool.h>
#include <stddef.h>

/* out: room for 4 bytes for each 3 begun, and a NUL. */
void gv_base64_encode(const unsigned char *data, size_t length, char *out);
/* out: as long as text. False: not what encode makes. */
bool gv_base64_decode(const char *text, char *out, size_t *length);
#endif
