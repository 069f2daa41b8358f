/* totals.c: statistics as JSON records, whichever store counted. */
#include "totals.h"
#include "../base/clock.h"
#include "../base/memory.h"

static void add_string(gv_text *out, const char *text)
{
    if (text)
        gv_text_add_json(out, text, strlen(text));
    else
        gv_text_adds(out, "null");
}

static void add_time(gv_text *out, const char *key, gavat_time time)
{
    char rfc[28];
    gv_text_addf(out, ",\"%s\":", key);
    if (time == GV_NO_TIME) {
        gv_text_adds(out, "null");
        return;
    }
    gv_time_to_rfc(time, rfc);
    gv_text_addf(out, "\"%s\"", rfc);
}

/* Ends a record; false: no memory. */
static bool add_record(gavat_op *op, gv_text *json)
{
    gv_result *result = gv_op_result(op);
    bool added = result && gv_result_add_json(result, json);
    gv_text_free(json);
    return added;
}

/* --- events --- */

bool gv_add_event_group(gavat_op *op, const char *by, const gv_event_group *group)
{
    static const char *const keys[][2] = {{"type", "event_type"}, {"user", "user_id"}};
    const char *key = by;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i][0], by) == 0)
            key = keys[i][1];
    gv_text json = {0};
    gv_text_addf(&json, "{\"%s\":", key);
    add_string(&json, group->name);
    gv_text_addf(&json, ",\"count\":%lld", (long long)group->count);
    add_time(&json, "first", group->first);
    add_time(&json, "last", group->last);
    gv_text_addc(&json, '}');
    return add_record(op, &json);
}

bool gv_add_event_total(gavat_op *op, int64_t total, int64_t users, gavat_time first, gavat_time last)
{
    gv_text json = {0};
    gv_text_addf(&json, "{\"total\":%lld,\"users\":%lld", (long long)total, (long long)users);
    add_time(&json, "first", first);
    add_time(&json, "last", last);
    gv_text_addc(&json, '}');
    return add_record(op, &json);
}

/* --- sums by name --- */

static bool same_name(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool add_sum(gv_sums *sums, const char *name, int64_t count, gv_decimal amount)
{
    size_t i = 0;
    while (i < sums->count && !same_name(sums->items[i].name, name))
        i++;
    if (i == sums->count) {
        gv_sum *items = gv_resize(sums->items, (i + 1) * sizeof *items);
        if (!items)
            return false;
        sums->items = items;
        gv_sum fresh = {gv_copy_text(name), 0, 0};
        if (name && !fresh.name)
            return false;
        items[sums->count++] = fresh;
    }
    sums->items[i].count += count;
    sums->items[i].amount += amount;
    return true;
}

static void free_sums(gv_sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        gv_free(sums->items[i].name);
    gv_free(sums->items);
}

static void add_sums(gv_text *json, const char *key, const gv_sums *sums, bool money)
{
    char amount[GV_DECIMAL_ROOM];
    gv_text_addf(json, ",\"%s\":{", key);
    for (size_t i = 0; i < sums->count; i++) {
        const gv_sum *sum = &sums->items[i];
        gv_text_adds(json, i ? "," : "");
        add_string(json, sum->name ? sum->name : "");
        if (!money) {
            gv_text_addf(json, ":%lld", (long long)sum->count);
            continue;
        }
        gv_decimal_print(sum->amount, amount);
        gv_text_addf(json, ":{\"count\":%lld,\"amount\":%s}", (long long)sum->count, amount);
    }
    gv_text_addc(json, '}');
}

/* --- sales --- */

static gv_currency *currency_of(gv_sale_totals *totals, const char *name)
{
    for (size_t i = 0; i < totals->count; i++)
        if (same_name(totals->all[i].total.name, name))
            return &totals->all[i];
    gv_currency *larger = gv_resize(totals->all, (totals->count + 1) * sizeof *larger);
    if (!larger)
        return NULL;
    totals->all = larger;
    gv_currency *fresh = &larger[totals->count];
    memset(fresh, 0, sizeof *fresh);
    fresh->total.name = gv_copy_text(name);
    if (name && !fresh->total.name)
        return NULL;
    totals->count++;
    return fresh;
}

bool gv_count_sales(gv_sale_totals *totals, const char *currency, const char *status, const char *type, const char *money, int64_t times)
{
    gv_decimal amount;
    amount = money && gv_decimal_parse(gv_slice_of(money), &amount) ? amount * times : 0;
    gv_currency *of = currency_of(totals, currency);
    if (!of || !add_sum(&of->by_status, status, times, amount) || !add_sum(&of->by_type, type, times, amount))
        return false;
    of->total.count += times;
    of->total.amount += amount;
    return true;
}

static bool add_currency(gavat_op *op, const gv_currency *currency)
{
    gv_text json = {0};
    char amount[GV_DECIMAL_ROOM];
    gv_decimal_print(currency->total.amount, amount);
    gv_text_adds(&json, "{\"currency\":");
    add_string(&json, currency->total.name);
    gv_text_addf(&json, ",\"count\":%lld,\"amount\":%s", (long long)currency->total.count, amount);
    add_sums(&json, "by_status", &currency->by_status, true);
    add_sums(&json, "by_type", &currency->by_type, true);
    gv_text_addc(&json, '}');
    return add_record(op, &json);
}

bool gv_add_sale_totals(gavat_op *op, const gv_sale_totals *totals)
{
    for (size_t i = 0; i < totals->count; i++)
        if (!add_currency(op, &totals->all[i]))
            return false;
    return true;
}

void gv_free_sale_totals(gv_sale_totals *totals)
{
    for (size_t i = 0; i < totals->count; i++) {
        free_sums(&totals->all[i].by_status);
        free_sums(&totals->all[i].by_type);
        gv_free(totals->all[i].total.name);
    }
    gv_free(totals->all);
    memset(totals, 0, sizeof *totals);
}

/* --- messages --- */

bool gv_count_messages(gv_message_totals *totals, const char *type, const char *target, int32_t success, int64_t count, int64_t timed)
{
    totals->total += count;
    totals->successful += success > 0 ? count : 0;
    totals->failed += success < 0 ? count : 0;
    totals->timed += timed;
    return add_sum(&totals->by_type, type, count, 0) && add_sum(&totals->by_target, target, count, 0);
}

int64_t gv_rank_of(int64_t count, int part)
{
    int64_t rank = (count * part + 99) / 100;
    return rank > 0 ? rank - 1 : 0;
}

bool gv_add_message_totals(gavat_op *op, const gv_message_totals *totals, const int64_t times[2])
{
    gv_text json = {0};
    gv_text_addf(&json, "{\"total\":%lld,\"successful\":%lld,\"failed\":%lld", (long long)totals->total, (long long)totals->successful,
                 (long long)totals->failed);
    add_sums(&json, "by_type", &totals->by_type, false);
    add_sums(&json, "by_target_type", &totals->by_target, false);
    for (int i = 0; i < 2; i++) {
        gv_text_addf(&json, ",\"response_time_p%d\":", i ? 95 : 50);
        if (totals->timed)
            gv_text_addf(&json, "%lld", (long long)times[i]);
        else
            gv_text_adds(&json, "null");
    }
    gv_text_addc(&json, '}');
    return add_record(op, &json);
}

void gv_free_message_totals(gv_message_totals *totals)
{
    free_sums(&totals->by_type);
    free_sums(&totals->by_target);
    memset(totals, 0, sizeof *totals);
}
