/* ids.h: the message ids that were seen in a conversation, in a key of ours beside its state: by id, in order of arrival, with the time
 * in epoch seconds. Pure; any thread.
 *
 *     conversation_messages  {"own": {"481": 1795440283.0, ...}, "others": {"482": 1795440300.5}} */
#ifndef GV_CONVERSATION_IDS_H
#define GV_CONVERSATION_IDS_H
#include "../base/text.h"
#include "../../include/gavatcore/conversation.h"

#define GV_DM_IDS_MOST 500              /* of own and of others': the newest are kept */
#define GV_DM_IDS_KEPT_MS (INT64_C(24) * 3600 * 1000)

typedef enum gv_dm_whose { GV_DM_NOBODY, GV_DM_OWN, GV_DM_OTHERS } gv_dm_whose;

/* value.data NULL: none. False: damaged. */
bool gv_dm_ids_find(gv_slice value, const char *id, gavat_time now, gv_dm_whose *whose);
/* value, which gv_dm_ids_find has accepted, with id added as OWN or OTHERS and without what is too old. */
void gv_dm_ids_write(gv_text *out, gv_slice value, const char *id, gavat_time now, gv_dm_whose whose);
#endif
