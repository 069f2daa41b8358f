/* import.c: keys as they were exported, all or none of a batch. What is there under their names goes; what has expired meanwhile is not
 * stored. */
#include "sqlite.h"
#include "../../core/batch.h"
#include "../../core/client.h"

static int put(gv_state_sqlite *self, const gv_state_entry *entry, gavat_time now)
{
    int64_t gone, span = entry->expires ? entry->expires - now : 0;
    if (entry->expires && span <= 0)
        return gv_state_remove(self, entry->user, entry->key, now, &gone);
    if (!entry->items)
        return gv_state_store(self, entry->user, entry->key, entry->value, entry->expires, span);
    return gv_state_put_list(self, entry, span);
}

int gv_state_import(gv_state_sqlite *self, gavat_op *op)
{
    gavat_time now = gv_now(self->store->client);
    int code = gv_writer_unit(&self->writing);
    if (code != SQLITE_OK)
        return code;
    for (size_t i = 0; i < op->batch->count && code == SQLITE_OK; i++)
        code = put(self, op->batch->entries[i].record, now);
    code = gv_writer_end_unit(&self->writing, code);
    op->staged.number = code == SQLITE_OK ? (int64_t)op->batch->count : 0;
    return code;
}
