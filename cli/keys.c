#include "keys.h"

const ctl_option ctl_global_option[] = {CTL_OPTION_GLOBAL, {0}};

const char *ctl_user(const ctl_call *call)
{
    return ctl_get_argument(call, 0);
}

const char *ctl_key(const ctl_call *call)
{
    return ctl_get_argument(call, 1);
}

void ctl_tell_key(const ctl_call *call, const char *format, ...)
{
    ctl_buffer text = {0};
    const char *user = ctl_user(call);
    va_list list;
    va_start(list, format);
    ctl_add_list(&text, format, list);
    va_end(list);
    ctl_note(call, "%s%s %s%s%s: %s", user ? "" : "global ", call->group->name, ctl_key(call), user ? " of " : "",
             user ? user : "", text.data);
    ctl_free(&text);
}

int ctl_answer_records(ctl_session *session, const gavat_op *op)
{
    return ctl_session_print(session, op, NULL, false);
}

int ctl_answer_number(ctl_session *session, const gavat_op *op)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)gavat_op_number(op));
    return ctl_output_bare(session->call, "value", number, number);
}

int ctl_answer_decision(ctl_session *session, const gavat_op *op, bool print)
{
    const gavat_decision *decision = gavat_op_decision(op);
    int code = print ? ctl_session_print(session, op, NULL, true) : 0;
    if (code || decision->allowed)
        return code;
    long long seconds = (decision->retry_after_ms + 999) / 1000;
    if (decision->retry_after_ms > 0)
        ctl_tell_key(session->call, "refused (%s), free in %llds", gavat_reason_name(decision->reason), seconds);
    else
        ctl_tell_key(session->call, "refused (%s)", gavat_reason_name(decision->reason));
    return 1;
}
