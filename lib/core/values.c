/* values.c: the public functions of base.h: version, names, uids, times, JSON texts. */
#include "../base/clock.h"
#include "../base/json.h"
#include "../base/uuid.h"
#include "../../include/gavatcore/base.h"

const char *gavat_version(void)
{
    return "0.1.0";
}

uint32_t gavat_version_number(void)
{
    return GAVAT_VERSION_NUMBER;
}

const char *gavat_status_name(gavat_status status)
{
    static const char *const names[] = {"OK", "EINVAL", "ENOMEM", "EBUSY", "ETIMEDOUT", "ECANCELED", "ECLOSED", "ENOTFOUND",
                                        "ECONFLICT", "EUNAVAIL", "EREJECTED", "ECORRUPT", "EIO", "ESCHEMA", "EDEADLK", "ENOTSUP"};
    if (status == GAVAT_PENDING)
        return "PENDING";
    if (status > 0 || status < -(int32_t)(sizeof names / sizeof *names) + 1)
        return "?";
    return names[-status];
}

void gavat_make_uid(char out[37])
{
    gv_uuid_make(gv_clock_wall(), out);
}

void gavat_format_time(gavat_time time, char out[28])
{
    gv_time_to_rfc(time, out);
}

const char *gavat_json_find(const char *json, const char *path, size_t *length)
{
    gv_slice value = {NULL, 0};
    if (json && path)
        value = gv_json_at(gv_slice_of(json), path);
    if (length)
        *length = value.length;
    return value.data;
}

int64_t gavat_json_copy(const char *json, const char *path, char *out, size_t room)
{
    if (room)
        out[0] = '\0';
    gv_slice value = {NULL, 0};
    if (json && path)
        value = gv_json_at(gv_slice_of(json), path);
    if (!value.data)
        return -1;
    size_t length = value.length, kept = room ? room - 1 : 0;
    if (gv_json_type_of(value) == GV_JSON_STRING)
        length = gv_json_unescape(value, out, kept);
    else
        memcpy(out, value.data, length < kept ? length : kept);
    if (room)
        out[length < kept ? length : kept] = '\0';
    return (int64_t)length;
}
