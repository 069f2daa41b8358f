#include "model.h"
#include <stdlib.h>
#include <string.h>

void model_free(model *m)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        free(m->tables[kind].rows);
    memset(m, 0, sizeof *m);
}

static const char *owner_of(model_kind kind, const model_row *row)
{
    return kind == MODEL_MESSAGES ? row->bot : row->user;
}

static model_row *append(model *m, model_kind kind, const model_row *row)
{
    model_table *table = &m->tables[kind];
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 256;
        table->rows = realloc(table->rows, table->room * sizeof *table->rows);
        if (!table->rows)
            abort();
    }
    model_row *added = &table->rows[table->count++];
    *added = *row;
    added->place = ++m->places;
    return added;
}

bool model_add(model *m, model_kind kind, const model_row *row)
{
    const model_table *table = &m->tables[kind];
    for (size_t i = 0; i < table->count; i++) {
        const model_row *other = &table->rows[i];
        if (other->time == row->time && strcmp(other->uid, row->uid) == 0
            && strcmp(owner_of(kind, other), owner_of(kind, row)) == 0)
            return false;
    }
    append(m, kind, row);
    return true;
}

model_row *model_session(model *m, const char *user)
{
    model_table *table = &m->tables[MODEL_SESSIONS];
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].user, user) == 0)
            return &table->rows[i];
    return NULL;
}

static void set_key(model_row *row, int key, int value)
{
    int i = 0;
    while (i < row->key_count && row->keys[i] != key)
        i++;
    if (i == row->key_count)
        row->keys[row->key_count++] = key;
    row->values[i] = value;
}

void model_set_session(model *m, const model_row *row)
{
    model_row *there = model_session(m, row->user);
    if (!there) {
        there = append(m, MODEL_SESSIONS, row);
    } else {
        there->time = row->time;
        if (*row->username)
            memcpy(there->username, row->username, sizeof there->username);
        if (*row->type)
            memcpy(there->type, row->type, sizeof there->type);
        for (int i = 0; i < row->key_count; i++)
            set_key(there, row->keys[i], row->values[i]);
    }
    there->flag = 1;
}

static bool is_step(const char *from, const char *to)
{
    static const char *const steps[] = {"pending completed", "pending failed", "failed pending", "completed refunded"};
    size_t length = strlen(from);
    if (strcmp(from, to) == 0)
        return true;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strncmp(steps[i], from, length) == 0 && steps[i][length] == ' ' && strcmp(steps[i] + length + 1, to) == 0)
            return true;
    return false;
}

gavat_status model_update_sale(model *m, const char *uid, const char *status, const char *notes)
{
    model_row *found = NULL;
    model_table *table = &m->tables[MODEL_SALES];
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].uid, uid) != 0)
            continue;
        if (found)
            return GAVAT_ECONFLICT;     /* which of them? */
        found = &table->rows[i];
    }
    if (!found)
        return GAVAT_ENOTFOUND;
    if (!is_step(found->status, status))
        return GAVAT_ECONFLICT;
    strcpy(found->status, status);
    if (notes)
        strcpy(found->notes, notes);
    return GAVAT_OK;
}

size_t model_expire(model *m, gavat_time before)
{
    size_t count = 0;
    model_table *table = &m->tables[MODEL_SESSIONS];
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].flag < 0 || table->rows[i].time >= before)
            continue;
        table->rows[i].flag = -1;
        count++;
    }
    return count;
}

size_t model_prune(model *m, gavat_time before)
{
    size_t kept = 0;
    model_table *table = &m->tables[MODEL_EVENTS];
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].time >= before)
            table->rows[kept++] = table->rows[i];
    size_t gone = table->count - kept;
    table->count = kept;
    return gone;
}

static void fold(const char *text, char *out)
{
    static const char *const pairs[][2] = {{"Ç", "c"}, {"ç", "c"}, {"Ğ", "g"}, {"ğ", "g"}, {"İ", "i"}, {"ı", "i"},
                                           {"Ö", "o"}, {"ö", "o"},
                                           {"Ş", "s"}, {"ş", "s"}, {"Ü", "u"}, {"ü", "u"}};
    while (*text) {
        size_t i = 0;
        while (i < sizeof pairs / sizeof *pairs && strncmp(text, pairs[i][0], 2) != 0)
            i++;
        if (i < sizeof pairs / sizeof *pairs) {
            *out++ = *pairs[i][1];
            text += 2;
        } else {
            *out++ = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
            text++;
        }
    }
    *out = '\0';
}

static bool contains(const char *text, const char *keyword)
{
    char folded[200], wanted[200];
    fold(text, folded);
    fold(keyword, wanted);
    return strstr(folded, wanted) != NULL;
}

static bool equals(const char *wanted, const char *value)
{
    return !wanted || strcmp(wanted, value) == 0;
}

static bool is_selected(const model_row *row, const gavat_filter *filter)
{
    int32_t flag = filter->success ? filter->success : filter->is_active;
    return equals(filter->user_id, row->user) && equals(filter->username, row->username) && equals(filter->type,
        row->type)
           && equals(filter->level, row->level) && equals(filter->status, row->status) && equals(filter->bot_username,
               row->bot)
           && (!flag || flag == row->flag) && (!filter->since || row->time >= filter->since)
           && (!filter->until || row->time < filter->until);
}

static int newest_first(const void *a, const void *b)
{
    const model_row *x = *(const model_row *const *)a, *y = *(const model_row *const *)b;
    if (x->time != y->time)
        return x->time < y->time ? 1 : -1;
    int uids = strcmp(y->uid, x->uid);
    if (uids)
        return uids;
    return x->place < y->place ? 1 : -1;
}

size_t model_select(const model *m, model_kind kind, const gavat_filter *filter, const char *keyword,
                    const model_row **out)
{
    size_t count = 0;
    const model_table *table = &m->tables[kind];
    for (size_t i = 0; i < table->count; i++) {
        const model_row *row = &table->rows[i];
        if (is_selected(row, filter) && (!keyword || contains(row->text, keyword) || contains(row->type, keyword)))
            out[count++] = row;
    }
    qsort(out, count, sizeof *out, newest_first);
    return count;
}
