#include "options.h"
#include "value.h"
#include <string.h>

const char *ctl_get_argument(const ctl_call *call, size_t i)
{
    return i < call->argument_count ? call->arguments[i] : NULL;
}

const char *ctl_get_text(const ctl_call *call, const char *name)
{
    for (size_t i = call->value_count; i-- > 0;)
        if (strcmp(call->values[i].option->name, name) == 0)
            return call->values[i].text;
    return NULL;
}

bool ctl_get_flag(const ctl_call *call, const char *name)
{
    return ctl_get_text(call, name) != NULL;
}

int32_t ctl_get_switch(const ctl_call *call, const char *name)
{
    const char *text = ctl_get_text(call, name);
    return !text ? 0 : *text == 'y' ? 1 : -1;
}

static int64_t read_integer(const char *text, int64_t fallback)
{
    int64_t number = fallback;
    if (text)
        ctl_parse_integer(text, INT64_MIN, INT64_MAX, &number);
    return number;
}

static int64_t read_duration(const char *text)
{
    int64_t length = 0;
    if (text)
        ctl_parse_duration(text, &length);
    return length;
}

int64_t ctl_get_integer(const ctl_call *call, const char *name, int64_t fallback)
{
    return read_integer(ctl_get_text(call, name), fallback);
}

int64_t ctl_get_argument_integer(const ctl_call *call, size_t i, int64_t fallback)
{
    return read_integer(ctl_get_argument(call, i), fallback);
}

gavat_time ctl_get_time(const ctl_call *call, const char *name)
{
    const char *text = ctl_get_text(call, name);
    gavat_time time = 0;
    if (text)
        ctl_parse_time(text, &time);
    return time;
}

int64_t ctl_get_duration(const ctl_call *call, const char *name)
{
    return read_duration(ctl_get_text(call, name));
}

int64_t ctl_get_argument_duration(const ctl_call *call, size_t i)
{
    return read_duration(ctl_get_argument(call, i));
}
