/* json_change.h: changes to members of a JSON document that leave every other byte of it as it is. First what to
 * change is read (json_patch.c), then it is applied to any number of documents, on any thread. A document is JSON text
 * in any layout; new members go behind the others of their object, laid out as those are.
 * Paths are dotted, "gpt.models.0". What they mean is what $set and $unset of MongoDB mean:
 * - missing parents become objects, also for a part that is a number;
 * - in an array a part is the place, without leading zeros; past the end the array is filled up with null;
 * - nothing can be set inside a text, number, boolean or null: that is refused, as is a name in an array;
 * - unset takes a member away (all, where its key comes more than once); of an array it makes the item null; what is
 *   not there, or would lie inside a text or number, is left as it is;
 * - of a key that comes more than once the last one counts, as for every reader. */
#ifndef GV_BASE_JSON_CHANGE_H
#define GV_BASE_JSON_CHANGE_H
#include "json_path.h"

typedef enum gv_json_deed {
    GV_JSON_INTO,               /* only the changes inside */
    GV_JSON_SET,
    GV_JSON_UNSET,
    GV_JSON_DEFAULT             /* set where it is missing; inside an object that is there, the changes inside */
} gv_json_deed;

typedef struct gv_json_change gv_json_change;
typedef struct gv_json_changes {        /* of one object or array; sorted by key, each key once */
    const gv_json_change *list;
    size_t count;
} gv_json_changes;

struct gv_json_change {
    gv_slice key;               /* plain: without quotes and escapes */
    gv_slice value;             /* JSON; of SET and DEFAULT */
    gv_json_changes inside;
    size_t order;               /* new members come by it */
    gv_json_deed deed;
    bool adds;                  /* it, or one inside, is a SET */
};

/* --- What to change; borrows the texts given, the rest is in the arena. False: why has a sentence, or is "" when
 * memory is out. --- */

/* set: an object of path -> value (data NULL: none). unset: paths. Refused: not an object, more than GV_JSON_DEPTH
 * parts, an empty part, one that begins with '$', a path given twice or one inside another. Values may be anything. */
bool gv_json_read_patch(gv_arena *arena, gv_slice set, const gv_slice *unset, size_t unset_count,
                        gv_json_changes *changes, char why[GV_JSON_WHY]);
/* An object of defaults: what a document lacks of it is added, objects are merged, the document's values win. defaults
 * has passed gv_json_check with GV_JSON_DEPTH. */
bool gv_json_read_defaults(gv_arena *arena, gv_slice defaults, gv_json_changes *changes, char why[GV_JSON_WHY]);

/* --- Applying them --- */

/* Adds the changed document to out. document has passed gv_json_check, with any flags. False: why has a sentence, or
 * is "" when memory is out or out is at its limit; what was added is to be dropped. Depth and size of the result are
 * the caller's to check. */
bool gv_json_apply(gv_text *out, gv_slice document, gv_json_changes changes, char why[GV_JSON_WHY]);

typedef struct gv_json_member_value {
    const char *key;            /* plain; a '.' or '$' is a letter like others */
    gv_slice value;             /* data NULL: take the member away */
} gv_json_member_value;
/* Members of the document itself set or taken away; up to 16, each key once. A document that is no object becomes
 * one. As gv_json_apply; memory is the only reason to fail: out->failed. */
void gv_json_set_members(gv_text *out, gv_slice document, const gv_json_member_value *members, size_t count);
#endif
