#include "json_path.h"

#include <stdio.h>

bool gv_json_path_refuse(gv_slice path, const char *what, char why[GV_JSON_WHY])
{
    size_t length = path.length < 100 ? path.length : 100;
    while (length > 0 && length < path.length && ((unsigned char)path.data[length] & 0xc0) == 0x80)
        length--;
    snprintf(why, GV_JSON_WHY, "the path \"%.*s%s\" %s", (int)length, path.length ? path.data : "",
             length < path.length ? "\342\200\246" : "", what);
    return false;
}

bool gv_json_path_check(gv_slice path, unsigned most_parts, char why[GV_JSON_WHY])
{
    const char *at = path.data, *end = at + path.length;
    char what[40];
    if (path.length == 0)
        return gv_json_path_refuse(path, "is empty", why);
    for (unsigned parts = 1;; parts++) {
        const char *dot = at < end ? memchr(at, '.', (size_t)(end - at)) : NULL;
        if (at == end || dot == at)
            return gv_json_path_refuse(path, "has an empty part", why);
        if (*at == '$')
            return gv_json_path_refuse(path, "has a part that begins with '$'", why);
        if (parts > most_parts) {
            snprintf(what, sizeof what, "has more than %u parts", most_parts);
            return gv_json_path_refuse(path, what, why);
        }
        if (!dot)
            break;
        at = dot + 1;
    }
    return !memchr(path.data, '\0', path.length) || gv_json_path_refuse(path, "has a NUL in it", why);
}

gv_slice gv_json_path_part(gv_slice path, size_t skip)
{
    const char *at = path.data + skip, *dot = memchr(at, '.', path.length - skip);
    return (gv_slice){at, dot ? (size_t)(dot - at) : path.length - skip};
}

bool gv_json_path_place(gv_slice part, size_t *place)
{
    *place = 0;
    if (part.length == 0 || (part.length > 1 && part.data[0] == '0'))
        return false;
    for (size_t i = 0; i < part.length; i++) {
        if (part.data[i] < '0' || part.data[i] > '9' || __builtin_mul_overflow(*place, (size_t)10, place) ||
            __builtin_add_overflow(*place, (size_t)(part.data[i] - '0'), place))
            return false;
    }
    return true;
}

bool gv_json_path_key(gv_arena *arena, gv_slice raw, gv_slice *key)
{
    if (!memchr(raw.data, '\\', raw.length)) {
        *key = (gv_slice){raw.data + 1, raw.length - 2};
        return true;
    }
    char *text = gv_arena_alloc(arena, raw.length * 2);         /* a lone surrogate takes 3 bytes for 6 */
    if (text)
        *key = (gv_slice){text, gv_json_unescape(raw, text, raw.length * 2)};
    return text != NULL;
}
