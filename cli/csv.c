#include "csv.h"
#include <string.h>

/* Fields that are no texts, of all kinds of records. */
typedef enum field_type { TEXT, NUMBER, WORD, JSON } field_type;
static field_type type_of(const char *name)
{
    static const struct {
        const char *name;
        field_type type;
    } known[] = {{"amount", NUMBER},     {"response_time_ms", NUMBER}, {"success", WORD},
                 {"is_active", WORD},    {"context", JSON},            {"extra_data", JSON}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].type;
    return TEXT;
}

static bool is_open(const char *text, size_t length, bool open)
{
    for (size_t i = 0; i < length; i++)
        open ^= text[i] == '"';
    return open;
}

/* A record may go on over line ends that stand in quotes. */
static ctl_line read_record(ctl_csv *csv)
{
    const char *text = NULL;
    size_t length = 0;
    bool open = false;
    ctl_clear(&csv->record);
    do {
        ctl_line got = ctl_lines_next(csv->lines, &text, &length);
        if (got == CTL_LINE_END && open)
            break; /* the quote was never closed: the cell says so */
        if (got != CTL_LINE)
            return got;
        if (open)
            ctl_add_text(&csv->record, "\n");
        else
            csv->number = csv->lines->number;
        ctl_add(&csv->record, text, length);
        open = is_open(text, length, open);
        if (csv->record.length > CTL_MOST_LINE)
            return CTL_LINE_LONG;
    } while (open);
    if (!open && csv->record.length && csv->record.data[csv->record.length - 1] == '\r')
        csv->record.data[--csv->record.length] = '\0';
    return CTL_LINE;
}

/* The cell at *at, which moves behind its comma; NULL: it is a bad one. *more: another cell follows. */
static const char *take_cell(ctl_csv *csv, size_t *at, bool *more)
{
    const char *data = csv->record.data ? csv->record.data : "";
    size_t end = csv->record.length, i = *at;
    ctl_clear(&csv->cell);
    ctl_add_text(&csv->cell, "");
    if (i < end && data[i] == '"') {
        for (i++; i < end && (data[i] != '"' || (i + 1 < end && data[i + 1] == '"')); i++) {
            i += data[i] == '"';
            ctl_add(&csv->cell, data + i, 1);
        }
        if (i++ == end)
            return "a quote is not closed";
    } else {
        for (; i < end && data[i] != ','; i++)
            ctl_add(&csv->cell, data + i, 1);
    }
    if (i < end && data[i] != ',')
        return "text stands behind a closing quote";
    *more = i < end;
    *at = i + 1;
    return NULL;
}

ctl_line ctl_csv_start(ctl_csv *csv, ctl_lines *lines)
{
    *csv = (ctl_csv){.lines = lines};
    lines->raw = true;
    ctl_line got = read_record(csv);
    size_t at = 0;
    for (bool more = got == CTL_LINE; more; csv->columns++) {
        if (take_cell(csv, &at, &more))
            return CTL_LINE_LONG;
        ctl_add(&csv->names, csv->cell.data ? csv->cell.data : "", csv->cell.length);
        ctl_add(&csv->names, "", 1);
    }
    return got;
}

void ctl_csv_free(ctl_csv *csv)
{
    ctl_free(&csv->names);
    ctl_free(&csv->record);
    ctl_free(&csv->cell);
    ctl_free(&csv->json);
}

static void add_member(ctl_csv *csv, const char *name)
{
    const char *value = csv->cell.data;
    if (!csv->cell.length)
        return;
    ctl_add_text(&csv->json, csv->json.length > 1 ? "," : "");
    ctl_add_json(&csv->json, name, strlen(name));
    ctl_add_text(&csv->json, ":");
    if (type_of(name) == TEXT)
        ctl_add_json(&csv->json, value, csv->cell.length);
    else
        ctl_add(&csv->json, value, csv->cell.length);
}

ctl_line ctl_csv_next(ctl_csv *csv, const char **json, size_t *length, const char **why)
{
    *json = *why = NULL;
    ctl_line got = read_record(csv);
    if (got != CTL_LINE)
        return got;
    const char *name = csv->names.data;
    size_t at = 0, cells = 0;
    bool more = true;
    ctl_clear(&csv->json);
    ctl_add_text(&csv->json, "{");
    for (; more && !*why && cells < csv->columns; cells++) {
        *why = take_cell(csv, &at, &more);
        if (!*why)
            add_member(csv, name);
        name += strlen(name) + 1;
    }
    if (!*why && (more || cells < csv->columns))
        *why = more ? "it has more cells than the first line" : "it has fewer cells than the first line";
    if (*why)
        return got;
    ctl_add_text(&csv->json, "}");
    *json = csv->json.data;
    *length = csv->json.length;
    return got;
}
