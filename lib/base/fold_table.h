/* fold_table.h: the shape of the generated table: a code point's block, its place in the block, and from there its
 * sequence: a byte with the length and as many bytes of UTF-8. Sequence 0: the code point folds to itself. Read-only,
 * any thread. */
#ifndef GV_BASE_FOLD_TABLE_H
#define GV_BASE_FOLD_TABLE_H
#include <stdint.h>

enum { GV_FOLD_SHIFT = 6, GV_FOLD_BLOCK = 1 << GV_FOLD_SHIFT };

extern const uint32_t gv_fold_limit;            /* code points from here on fold to themselves */
extern const uint8_t gv_fold_blocks[];
extern const uint16_t gv_fold_places[][GV_FOLD_BLOCK];
extern const uint8_t gv_fold_bytes[];
#endif
