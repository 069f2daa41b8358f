/* checks.c: lines of the doctor. */
#include "requests.h"

void gv_add_check(gavat_op *op, const char *check, const char *outcome, const char *figure, const char *advice)
{
    const char *pairs[][2] = {{"store", "events"}, {"check", check}, {"result", outcome}, {"figure", figure}, {"advice", advice}};
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
