/* sha256.h: FIPS 180-4. Any thread; nothing is allocated. */
#ifndef GV_BASE_SHA256_H
#define GV_BASE_SHA256_H
#include "text.h"

#define GV_SHA256_TEXT 64
void gv_sha256(gv_slice data, unsigned char digest[32]);
void gv_sha256_text(gv_slice data, char out[GV_SHA256_TEXT + 1]);       /* lower-case hexadecimal */
#endif
