#include "progress.h"
#include "buffer.h"
#include "tell.h"
#include "value.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 20

void ctl_progress_start(ctl_progress *progress, const ctl_call *call, const char *doing, const char *noun)
{
    int64_t now = ctl_ticks();
    *progress = (ctl_progress){
        .call = call, .doing = doing, .noun = noun, .terminal = isatty(STDERR_FILENO), .began = now, .shown = now};
}

static uint64_t rate_of(uint64_t done, int64_t micros)
{
    return micros > 0 ? (uint64_t)((double)done * 1e6 / (double)micros) : 0;
}

static void add_left(ctl_buffer *out, uint64_t at, uint64_t whole, int64_t micros)
{
    if (!at || at >= whole)
        return;
    uint64_t seconds = (uint64_t)((double)micros / 1e6 * (double)(whole - at) / (double)at + 0.5);
    if (seconds >= 3600)
        ctl_add_format(out, ", %llu h %02llu min left", (unsigned long long)(seconds / 3600),
                       (unsigned long long)(seconds / 60 % 60));
    else if (seconds >= 60)
        ctl_add_format(out, ", %llu min %02llu s left", (unsigned long long)(seconds / 60),
                       (unsigned long long)(seconds % 60));
    else
        ctl_add_format(out, ", %llu s left", (unsigned long long)seconds);
}

static void write_text(const ctl_buffer *text)
{
    if (fwrite(text->data, 1, text->length, stderr) == text->length)
        fflush(stderr);
}

void ctl_progress_show(ctl_progress *progress, uint64_t done, uint64_t at, uint64_t whole)
{
    int64_t now = ctl_ticks(), micros = now - progress->began;
    if (progress->call->quiet || now - progress->shown < (progress->terminal ? 100000 : 5000000))
        return;
    progress->shown = now;
    ctl_buffer line = {0};
    uint64_t share = whole ? (uint64_t)((double)(at < whole ? at : whole) * 100 / (double)whole) : 0;
    if (progress->terminal) {
        ctl_add_text(&line, "\r");
        if (whole) {
            size_t filled = (size_t)(share * BAR / 100);
            ctl_add_format(&line, "%3llu%% [", (unsigned long long)share);
            ctl_add_repeat(&line, '#', filled);
            ctl_add_repeat(&line, '.', BAR - filled);
            ctl_add_text(&line, "] ");
        }
    }
    ctl_add_format(&line, "%s %llu %s", progress->doing, (unsigned long long)done, progress->noun);
    if (whole && !progress->terminal)
        ctl_add_format(&line, " (%llu %%)", (unsigned long long)share);
    ctl_add_format(&line, ", %llu a second", (unsigned long long)rate_of(done, micros));
    if (whole)
        add_left(&line, at, whole, micros);
    ctl_add_text(&line, progress->terminal ? "\x1b[K" : "\n");
    write_text(&line);
    progress->drawn = progress->terminal;
    ctl_free(&line);
}

void ctl_progress_clear(ctl_progress *progress)
{
    if (!progress->drawn)
        return;
    ctl_buffer line = {0};
    ctl_add_text(&line, "\r\x1b[K");
    write_text(&line);
    ctl_free(&line);
    progress->drawn = false;
}

void ctl_progress_end(ctl_progress *progress, uint64_t done, const char *more)
{
    int64_t micros = ctl_ticks() - progress->began;
    ctl_progress_clear(progress);
    ctl_buffer line = {0};
    ctl_add_format(&line, "%s %llu ", progress->doing, (unsigned long long)done);
    ctl_add(&line, progress->noun, strlen(progress->noun) - (done == 1));
    ctl_add_format(&line, " in %lld.%lld s", (long long)(micros / 1000000), (long long)(micros / 100000 % 10));
    if (micros >= 100000)
        ctl_add_format(&line, ", %llu a second", (unsigned long long)rate_of(done, micros));
    ctl_note(progress->call, "%s%s", line.data, more);
    ctl_free(&line);
}
