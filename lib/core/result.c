/* result.c: what an op gives back, while its store builds it. */
#include "op.h"
#include "../base/memory.h"
#include "client.h"

static void print_json(const void *record, gv_text *out)
{
    const gv_slice *json = record;
    gv_text_add(out, json->data, json->length);
}

const gv_shape gv_json_shape = {"json", print_json};

/* In its own arena: it and what it holds are one block of memory most often. */
gv_result *gv_result_new(void)
{
    gv_arena arena = {0};
    gv_result *result = gv_arena_alloc(&arena, sizeof *result);
    if (result)
        result->arena = arena;
    return result;
}

gv_result *gv_op_result(gavat_op *op)
{
    if (!op->staged.result)
        op->staged.result = gv_result_new();
    return op->staged.result;
}

void gv_result_free(gv_result *result)
{
    if (!result)
        return;
    if (result->room)
        gv_free(result->records);
    gv_free(result->rejected);
    gv_arena arena = result->arena;
    gv_arena_free(&arena);
}

void gv_op_drop_result(gavat_op *op)
{
    gv_result_free(op->staged.result);
    op->staged.result = NULL;
}

/* Room for one more in an array that doubles. False: no memory, the array is as it was. */
static bool make_room(void **array, size_t size, size_t count, size_t *room)
{
    if (count < *room)
        return true;
    size_t wanted = *room ? *room * 2 : 16, bytes;
    if (!gv_multiply_size(wanted, size, &bytes))
        return false;
    void *larger = gv_resize(*array, bytes);
    if (!larger)
        return false;
    *array = larger;
    *room = wanted;
    return true;
}

bool gv_result_add(gv_result *result, void *record)
{
    if (!result->count) {
        result->only = record;
        result->records = &result->only;
        result->count = 1;
        return true;
    }
    void *array = result->room ? result->records : NULL;
    if (!make_room(&array, sizeof *result->records, result->count, &result->room))
        return false;
    result->records = array;
    if (result->count == 1)
        result->records[0] = result->only;
    result->records[result->count++] = record;
    return true;
}

bool gv_result_add_json(gv_result *result, const gv_text *text)
{
    if (text->failed)
        return false;
    gv_slice *record = gv_arena_alloc(&result->arena, sizeof *record);
    if (!record)
        return false;
    record->length = text->length;
    record->data = gv_arena_copy(&result->arena, gv_text_get(text), text->length);
    result->shape = &gv_json_shape;
    return record->data && gv_result_add(result, record);
}

bool gv_result_reject(gv_result *result, uint64_t index, const char *why)
{
    void *array = result->rejected;
    if (!make_room(&array, sizeof *result->rejected, result->rejected_count, &result->rejected_room))
        return false;
    result->rejected = array;
    const char *copy = gv_arena_copy_text(&result->arena, why);
    if (!copy)
        return false;
    result->rejected[result->rejected_count].index = index;
    result->rejected[result->rejected_count++].why = copy;
    return true;
}

bool gv_result_set_text(gv_result *result, const char *text, size_t length)
{
    result->text = gv_arena_copy(&result->arena, text, length);
    result->text_length = result->text ? length : 0;
    return result->text != NULL;
}

void gv_result_charge(gavat *g, gv_result *result)
{
    size_t bytes = result->arena.bytes + result->room * sizeof *result->records
                   + result->rejected_room * sizeof *result->rejected;
    if (bytes == result->charged)
        return;
    atomic_fetch_add(&g->bytes, bytes - result->charged);
    result->charged = bytes;
}

void gv_op_charge(gavat_op *op)
{
    if (op->staged.result)
        gv_result_charge(op->client, op->staged.result);
}

bool gv_op_fits(gavat_op *op)
{
    const gavat *g = op->client;
    if (atomic_load(&g->bytes) <= g->most_bytes)
        return true;
    gv_op_fail(op, GAVAT_EBUSY, GAVAT_ERROR_RETRY, "", "the byte bound (GAVAT_MAX_BYTES, %zu) is reached by results that are still "
               "held: let some go, then try again", g->most_bytes);
    return false;
}
