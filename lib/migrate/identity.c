/* identity.c: identities packed one behind the other, and sorted sets of their keys. */
#include "identity.h"
#include <stdlib.h>

static const gv_record_kind *const kinds[] = {&gv_events_kind, &gv_sales_kind, &gv_messages_kind, &gv_sessions_kind};

static void put_number(gv_text *out, uint64_t number)
{
    char bytes[8];
    memcpy(bytes, &number, sizeof bytes);
    gv_text_add(out, bytes, sizeof bytes);
}

/* The kind's place, time, uid and owner; the last two end with NUL. */
void gv_identity_put(gv_text *out, const gv_identity *identity)
{
    size_t place = 0;
    while (kinds[place] != identity->kind)
        place++;
    gv_text_addc(out, (char)('0' + place));
    put_number(out, (uint64_t)identity->time);
    gv_text_add(out, identity->uid, strlen(identity->uid) + 1);
    gv_text_add(out, identity->owner, strlen(identity->owner) + 1);
}

/* A text with its NUL; NULL: there is none. */
static const char *take_text(gv_slice *in)
{
    const char *text = in->data, *end = in->length ? memchr(in->data, '\0', in->length) : NULL;
    if (!end)
        return NULL;
    in->length -= (size_t)(end - text) + 1;
    in->data = end + 1;
    return text;
}

bool gv_identity_take(gv_slice *in, gv_identity *identity)
{
    if (in->length < 1 + 8 + 2 || (unsigned char)(in->data[0] - '0') > 3)
        return false;
    identity->kind = kinds[in->data[0] - '0'];
    memcpy(&identity->time, in->data + 1, 8);
    in->data += 9;
    in->length -= 9;
    const char *uid = take_text(in);
    identity->owner = take_text(in);
    if (!uid || !identity->owner || strlen(uid) >= sizeof identity->uid)
        return false;
    memcpy(identity->uid, uid, strlen(uid) + 1);
    return true;
}

uint64_t gv_identity_key(const char *uid)
{
    uint64_t key = 0;
    for (const char *at = strlen(uid) == 36 ? uid + 19 : ""; *at; at++)
        if (*at != '-')
            key = key << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return key;
}

bool gv_keys_add(gv_keys *keys, uint64_t key)
{
    if (keys->count == keys->room) {
        size_t room = keys->room ? keys->room * 2 : 1024, bytes;
        uint64_t *list = gv_multiply_size(room, sizeof *list, &bytes) ? gv_resize(keys->list, bytes) : NULL;
        if (!list)
            return false;
        keys->list = list;
        keys->room = room;
    }
    keys->list[keys->count++] = key;
    return true;
}

bool gv_keys_add_all(gv_keys *keys, gv_slice identities)
{
    gv_identity identity;
    while (gv_identity_take(&identities, &identity))
        if (*identity.uid && !gv_keys_add(keys, gv_identity_key(identity.uid)))
            return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

void gv_keys_sort(gv_keys *keys)
{
    if (keys->count)
        qsort(keys->list, keys->count, sizeof *keys->list, compare);
}

bool gv_keys_have(const gv_keys *keys, uint64_t key)
{
    return keys->count && bsearch(&key, keys->list, keys->count, sizeof key, compare);
}

void gv_keys_free(gv_keys *keys)
{
    gv_free(keys->list);
    memset(keys, 0, sizeof *keys);
}
