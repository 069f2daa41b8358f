/* State and cooldown: a bot greets each user in his language, at most once in five minutes, counts whom it spoke to and keeps the last
 * words. Each line of stdin is "USER TEXT"; "USER /lang tr" sets the language for a day. What it knows lives on in the store. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <gavatcore.h>

/* Wait, say what went wrong (a key that is not there is no fault), and give the status. The op is still to be read and unref'd. */
static gavat_status finish(gavat_op *op)
{
    gavat_status status = gavat_op_wait(op);
    if (status != GAVAT_OK && status != GAVAT_ENOTFOUND)
        fprintf(stderr, "%s: %s\n", gavat_status_name(status), gavat_op_error(op)->message);
    return status;
}

static int set_language(gavat *g, const char *user, const char *language)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_set_state(op, user, "lang", language, GAVAT_SECONDS(86400));
    gavat_status status = finish(op);
    gavat_op_unref(op);
    return status == GAVAT_OK;
}

static const char *greeting(gavat *g, const char *user)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_get_state(op, user, "lang");
    int turkish = finish(op) != GAVAT_OK || strcmp(gavat_op_text(op, NULL), "tr") == 0;     /* also when nothing is set */
    gavat_op_unref(op);
    return turkish ? "Merhaba" : "Hello";
}

/* One step: of two bots on the same store, one gets it. Not allowed too when the store cannot be asked. */
static int may_speak(gavat *g, const char *user)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_try_cooldown(op, user, "greet", GAVAT_SECONDS(300));
    finish(op);
    const gavat_decision *decision = gavat_op_decision(op);
    int allowed = decision->allowed;
    if (!allowed && decision->reason == GAVAT_REASON_COOLDOWN)
        printf("%s: silent for another %lld s\n", user, (long long)(decision->retry_after_ms + 999) / 1000);
    gavat_op_unref(op);
    return allowed;
}

static int64_t count(gavat *g, const char *name)
{
    gavat_op *op = gavat_op_new_held(g);
    gavat_add_counter(op, NULL, name, 1, GAVAT_SECONDS(86400));     /* user NULL: global */
    int64_t value = finish(op) == GAVAT_OK ? gavat_op_number(op) : -1;
    gavat_op_unref(op);
    return value;
}

/* Nobody waits for this one: the close at the end does. */
static void remember(gavat *g, const char *user, const char *text)
{
    gavat_push_list(gavat_op_new(g, NULL, NULL), user, "last", text, 10);
}

static int hear(gavat *g, const char *user, const char *text)
{
    if (strncmp(text, "/lang ", 6) == 0)
        return set_language(g, user, text + 6);
    remember(g, user, text);
    if (may_speak(g, user))
        printf("%s: %s! You are number %lld today.\n", user, greeting(g, user), (long long)count(g, "greeted"));
    return 1;
}

int main(void)
{
    gavat *g;
    gavat_config *cfg = gavat_config_new();
    gavat_config_set(cfg, "POSTGRES_URL", "off");       /* of three stores this program needs one */
    gavat_config_set(cfg, "MONGODB_URI", "off");
    if (gavat_config_load_env(cfg) != GAVAT_OK || gavat_new(&g, NULL, cfg) != GAVAT_OK) {
        fprintf(stderr, "%s\n", gavat_config_error(cfg));
        gavat_config_free(cfg);
        return 2;
    }
    gavat_config_free(cfg);
    gavat_op *open = gavat_op_new_held(g);
    gavat_open(open);
    int good = finish(open) == GAVAT_OK;
    gavat_op_unref(open);

    char *line = NULL;
    size_t room = 0;
    while (good && getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        char *text = strchr(line, ' ');
        if (text) {
            *text++ = '\0';
            good = hear(g, line, text);
        }
    }
    free(line);
    if (gavat_close_wait(g, 10000) != GAVAT_OK)
        good = 0;
    gavat_unref(g);
    return good ? 0 : 1;
}
