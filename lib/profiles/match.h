/* match.h: whether a document, as callers get it, is one that a query asks for. Any thread. */
#ifndef GV_PROFILES_MATCH_H
#define GV_PROFILES_MATCH_H
#include "requests.h"
#include "../base/json_query.h"

typedef struct gv_match {       /* one query's, or one user_id's; reused for many documents */
    const gv_profile_query *query;
    gv_json_query where;        /* of the query */
    gv_text text, folded;       /* scratch; failed: memory is out, and no answer counts */
} gv_match;

bool gv_match_query(gv_match *match, gv_slice document);
/* user_id stored as text or as a number. */
bool gv_match_user_id(gv_match *match, gv_slice document, const char *user_id);
void gv_match_free(gv_match *match);
#endif
