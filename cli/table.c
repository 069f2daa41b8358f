#include "table.h"
#include "width.h"
#include <string.h>

#define GAP 2
#define LEAST_WIDTH 6
#define TIME_LENGTH 27 /* of "2026-11-23T15:37:00.123456Z" */

void ctl_table_begin(ctl_table *table, size_t columns, bool colour, size_t screen)
{
    *table = (ctl_table){.columns = columns, .colour = colour, .screen = screen};
}

void ctl_table_cell(ctl_table *table, const char *shown, size_t length, bool number)
{
    size_t column = table->rows % table->columns; /* rows counts cells until it is printed */
    size_t width = ctl_width(shown, length);
    if (width > table->widths[column])
        table->widths[column] = width;
    if (length && !number) {
        table->left[column] = true;
        table->loose[column] = table->loose[column] || length != TIME_LENGTH || shown[length - 1] != 'Z';
    }
    ctl_add(&table->cells, shown, length);
    ctl_add(&table->cells, "", 1);
    table->rows++;
}

/* Takes cells off the widest of the loose columns, or of all, until a line fits. Gives what is still too much. */
static size_t shrink(const ctl_table *table, size_t *widths, size_t over, bool all)
{
    while (over) {
        size_t widest = table->columns;
        for (size_t i = 0; i < table->columns; i++)
            if ((all || table->loose[i]) && widths[i] > LEAST_WIDTH)
                widest = widest == table->columns || widths[i] > widths[widest] ? i : widest;
        if (widest == table->columns)
            break;
        widths[widest]--;
        over--;
    }
    return over;
}

static void fit_screen(const ctl_table *table, size_t *widths)
{
    size_t total = GAP * (table->columns - 1);
    for (size_t i = 0; i < table->columns; i++)
        total += widths[i];
    if (!table->screen || total <= table->screen)
        return;
    size_t over = shrink(table, widths, total - table->screen, false);
    shrink(table, widths, over, true);
}

static const char *pick_colour(const char *text, bool header)
{
    static const struct {
        const char *word, *code;
    } colours[] = {{"ok", "\x1b[32m"}, {"warn", "\x1b[33m"}, {"fail", "\x1b[31m"}};
    if (header)
        return "\x1b[1m";
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (strcmp(text, colours[i].word) == 0)
            return colours[i].code;
    return NULL;
}

static void add_cell(const ctl_table *table, ctl_buffer *line, const char *text, size_t room, size_t column,
                     bool header)
{
    size_t length = strlen(text), width = ctl_width(text, length);
    bool cut = width > room;
    if (cut)
        length = ctl_fit(text, length, room - 1, &width);
    size_t blanks = room - width - cut;
    const char *colour = table->colour ? pick_colour(text, header) : NULL;
    if (!table->left[column])
        ctl_add_repeat(line, ' ', blanks);
    if (colour)
        ctl_add_text(line, colour);
    ctl_add(line, text, length);
    if (cut)
        ctl_add_text(line, "\xE2\x80\xA6");
    if (colour)
        ctl_add_text(line, "\x1b[0m");
    if (table->left[column] && column + 1 < table->columns)
        ctl_add_repeat(line, ' ', blanks);
}

static void end_line(ctl_buffer *line, FILE *file)
{
    while (line->length && line->data[line->length - 1] == ' ')
        line->length--;
    ctl_add(line, "\n", 1);
    fwrite(line->data, 1, line->length, file);
    ctl_clear(line);
}

void ctl_table_print(ctl_table *table, const char *const *names, FILE *file)
{
    ctl_buffer line = {0};
    size_t widths[CTL_MOST_COLUMNS];
    const char *cell = table->cells.data;
    for (size_t i = 0; i < table->columns; i++) {
        size_t width = strlen(names[i]);
        if (width > table->widths[i])
            table->widths[i] = width;
        widths[i] = table->widths[i];
    }
    fit_screen(table, widths);
    for (size_t i = 0; i < table->columns && !table->headed; i++) {
        add_cell(table, &line, names[i], widths[i], i, true);
        if (i + 1 < table->columns)
            ctl_add_repeat(&line, ' ', GAP);
        else
            end_line(&line, file);
    }
    table->headed = true;
    for (size_t i = 0; i < table->rows; i++, cell += strlen(cell) + 1) {
        size_t column = i % table->columns;
        add_cell(table, &line, cell, widths[column], column, false);
        if (column + 1 < table->columns)
            ctl_add_repeat(&line, ' ', GAP);
        else
            end_line(&line, file);
    }
    table->rows = 0;
    ctl_clear(&table->cells);
    ctl_free(&line);
}

void ctl_table_free(ctl_table *table)
{
    ctl_free(&table->cells);
}
