/* document.h: a profile as text: what the library keeps in it, how it is given to callers, and how it is made anew. Text in, text out;
 * no document is parsed into values and printed again, so digits, key order and unknown fields stay. Any thread. */
#ifndef GV_PROFILES_DOCUMENT_H
#define GV_PROFILES_DOCUMENT_H
#include "requests.h"
#include "../base/json_change.h"

#define GV_DOCUMENT_PAIRS 48

typedef struct gv_document {    /* looked through once; slices point into text */
    gv_slice text;              /* the object */
    gv_json_pair pairs[GV_DOCUMENT_PAIRS];      /* its members; of more than that none is to be found here */
    size_t count;
    gv_slice username, created_at, updated_at, revised_at;      /* raw values, of duplicates the last; data NULL: not there */
    gavat_time created, updated;        /* 0: not there, or not a time */
    int64_t counted;            /* the revision member, whoever wrote the document last; 0: none */
    int64_t revision;           /* the same while revised_at says that the last writer was one of ours; else 0 */
    bool extended;              /* may hold extended JSON */
} gv_document;

/* NULL, or why text is not a document: a static phrase, and *at where. NaN and lone surrogates are let through. */
const char *gv_document_read(gv_slice text, gv_document *document, size_t *at);

/* As callers get it: username as given, times RFC 3339, the revision that counts, without revised_at, extended JSON as what it stands
 * for. Adds to out. */
void gv_document_view(gv_text *out, const gv_document *document, const char *username);
/* The same, made already, as a record of a result; NULL: no memory. */
gavat_profile *gv_document_record(gv_arena *arena, const gv_document *document, const char *username, const gv_text *view);

/* The revision behind the stored one: after a foreign writer one that no caller can have seen. stored NULL: the first. */
int64_t gv_document_next_revision(const gv_document *stored, gavat_time now);
int64_t gv_next_revision(int64_t revision, int64_t counted, gavat_time now);  /* the same by the two members of a stored one */

/* The document to be stored for a put of json (checked), in Python's form. stored NULL: there is none. Adds to out. */
void gv_document_make(gv_text *out, gv_slice json, const char *username, const gv_document *stored, gavat_time now);

/* The stored document with changes; every byte of it stays but those, updated_at, revision and revised_at. Adds to out. False: why has a
 * sentence, or is "" when memory is out or out is at its limit. */
bool gv_document_patch(gv_text *out, const gv_document *stored, gv_json_changes changes, gavat_time now, char why[GV_JSON_WHY]);

/* The field, kept by the library, that a dotted path would change; NULL: none. */
const char *gv_document_kept(gv_slice path);
#endif
