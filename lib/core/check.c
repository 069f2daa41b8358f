#include "check.h"
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define LOW_DISK (UINT64_C(500) << 20)
#define NO_DISK (UINT64_C(50) << 20)

void gv_check_add(gavat_op *op, const char *check, const char *outcome, const char *figure, const char *advice)
{
    const char *pairs[][2] = {{"store", gv_areas[op->kind->area].name}, {"check", check}, {"result", outcome}, {"figure", figure},
                              {"advice", advice}};
    gv_text json = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        gv_text_addf(&json, "%s\"%s\":", i ? "," : "{", pairs[i][0]);
        gv_text_add_json(&json, pairs[i][1], strlen(pairs[i][1]));
    }
    gv_text_addc(&json, '}');
    gv_result *result = gv_op_result(op);
    if (!result || !gv_result_add_json(result, &json))
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&json);
    op->staged.number += strcmp(outcome, "fail") == 0;
}

void gv_check_disk(gavat_op *op, const char *folder, const char *advice)
{
    struct statvfs disk;
    char figure[60];
    if (statvfs(folder, &disk)) {
        gv_check_add(op, "disk space", "fail", "unknown", "the folder cannot be looked at: check that it exists");
        return;
    }
    uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    snprintf(figure, sizeof figure, "%llu MiB free", (unsigned long long)(left >> 20));
    gv_check_add(op, "disk space", left < NO_DISK ? "fail" : left < LOW_DISK ? "warn" : "ok", figure, left < LOW_DISK ? advice : "");
}
