/* log.c: log lines come from any thread and are written on the loop's. */
#include "../base/memory.h"
#include "client.h"
#include <stdio.h>

void gavat_set_log(gavat *g, int32_t level, gavat_log_fn fn, void *user)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->log_fn = fn;
    g->log_user = user;
    pthread_mutex_unlock(&g->lock);
    atomic_store(&g->log_level, level);
}

static void write_line(gavat *g, int32_t level, const char *area, const char *text)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    if (level > atomic_load(&g->log_level))
        return;
    pthread_mutex_lock(&g->lock);
    gavat_log_fn fn = g->log_fn;
    void *user = g->log_user;
    pthread_mutex_unlock(&g->lock);
    if (fn)
        fn(level, area, text, user);
    else
        fprintf(stderr, "gavatcore: %s: %s: %s\n", levels[level], area, text);
}

void gv_log(gavat *g, int32_t level, const char *area, const char *format, ...)
{
    if (level > atomic_load(&g->log_level))
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t size = length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    text[size] = '\0';
    gv_log_line *line = gv_alloc(sizeof *line + size + 1);
    if (line) {
        line->link.next = line->link.previous = NULL;
        line->level = level;
        line->area = area;
        memcpy(line->text, text, size + 1);
    }
    pthread_mutex_lock(&g->lock);
    if (line && g->log_count < GV_LOG_LINES && !g->handles_closed) {
        gv_list_append(&g->logs, &line->link);
        g->log_count++;
        line = NULL;
    } else {
        g->logs_dropped++;
    }
    gv_wake_locked(g);
    pthread_mutex_unlock(&g->lock);
    gv_free(line);
}

void gv_logs_write(gavat *g)
{
    gv_list lines;
    gv_list_init(&lines);
    pthread_mutex_lock(&g->lock);
    gv_list_move(&lines, &g->logs);     /* lines that the program's function brings about are for the next turn */
    unsigned dropped = g->logs_dropped;
    g->log_count = g->logs_dropped = 0;
    pthread_mutex_unlock(&g->lock);
    gv_link *link;
    while ((link = gv_list_take(&lines))) {
        gv_log_line *line = GV_CONTAINER(link, gv_log_line, link);
        write_line(g, line->level, line->area, line->text);
        gv_free(line);
    }
    if (!dropped)
        return;
    char text[64];
    snprintf(text, sizeof text, "%u log lines were dropped: too many at once", dropped);
    write_line(g, GAVAT_LOG_WARN, "log", text);
}
