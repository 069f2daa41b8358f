#include "sample.h"
#include "figures.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const words[] = {
    "merhaba", "abone", "haber", "telefon", "mesaj", "alındı", "gönderildi", "kampanya", "ödeme", "bekliyor",
    "teşekkürler", "sipariş", "kargo", "bugün", "yarın", "lütfen", "görüşürüz", "nasılsın", "iyiyim", "günaydın",
    "akşam", "fiyat", "indirim", "üyelik", "başarılı", "başarısız", "bağlantı", "yeniden", "denenecek", "kullanıcı",
    "cevap", "verdi", "bekleme", "süresi", "doldu", "sohbet", "başladı", "bitti", "menü", "seçenek", "gösterildi",
    "İstanbul", "Ankara", "İzmir", "ışık", "şimdi", "çok", "güzel", "değil", "evet", "hayır", "tamam", "özel",
    "içerik", "yayın", "saat", "dakika", "önce", "sonra", "yeni", "user", "started", "dialog", "payment", "received",
    "reply", "sent", "auto", "menu", "shown", "cooldown", "active", "follow", "up", "scheduled", "message",
    "delivered", "failed", "retry", "after", "timeout", "the", "group", "channel", "joined", "left", "invite", "link",
    "opened", "photo", "voice", "video", "sticker", "premium", "plan", "renewed", "expired", "welcome", "back",
    "thanks",
};
static const char *const types[] = {
    "dm_received", "dm_received", "dm_received", "dm_sent", "dm_sent", "auto_reply", "menu_shown", "payment_received",
    "session_started", "followup_scheduled", "group_message", "error",
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* xorshift64*: the same everywhere. */
static uint64_t draw(sample *self, uint64_t below)
{
    self->state ^= self->state >> 12;
    self->state ^= self->state << 25;
    self->state ^= self->state >> 27;
    return (self->state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % below;
}

static void write_message(sample *self, char *out, size_t room)
{
    size_t wanted = 40 + draw(self, 70), length = 0;
    while (length < wanted)
        length += (size_t)snprintf(out + length, room - length, "%s%s", length ? " " : "",
                                   words[draw(self, COUNT(words))]);
    if (draw(self, 4) == 0)
        snprintf(out + length, room - length, " #%u", (unsigned)draw(self, 1000000));
}

void sample_init(sample *self, uint64_t seed)
{
    self->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    self->messages = malloc(SAMPLE_TEXTS * sizeof *self->messages);
    self->contexts = malloc(SAMPLE_TEXTS * sizeof *self->contexts);
    self->users = malloc(SAMPLE_USERS * sizeof *self->users);
    self->names = malloc(SAMPLE_USERS * sizeof *self->names);
    bench_need(self->messages && self->contexts && self->users && self->names, "no memory for the samples");
    for (size_t i = 0; i < SAMPLE_TEXTS; i++) {
        write_message(self, self->messages[i], sizeof *self->messages);
        snprintf(self->contexts[i], sizeof *self->contexts, "{\"chat_id\": %u, \"lang\": \"%s\", \"latency_ms\": %u}",
                 (unsigned)draw(self, 1000000000), draw(self, 3) ? "tr" : "en", (unsigned)draw(self, 2000));
    }
    snprintf(self->messages[SAMPLE_TEXTS / 3], sizeof *self->messages,
             "özel kampanya kodu Zümrüdüanka bugün geçerli, teşekkürler");
    for (unsigned i = 0; i < SAMPLE_USERS; i++) {
        snprintf(self->users[i], sizeof *self->users, "%u", 100000000 + i * 7919);
        snprintf(self->names[i], sizeof *self->names, "%s_%u", i % 2 ? "ayse" : "mehmet", i);
    }
}

void sample_free(sample *self)
{
    free(self->messages);
    free(self->contexts);
    free(self->users);
    free(self->names);
}

/* The square of an even draw: a tenth of the users write a third of all. */
static size_t draw_user(sample *self)
{
    uint64_t even = draw(self, 1 << 20);
    return (size_t)((even * even >> 20) * SAMPLE_USERS >> 20);
}

const char *sample_user(sample *self)
{
    return self->users[draw_user(self)];
}

void sample_next(sample *self, gavat_event *event)
{
    size_t text = draw(self, SAMPLE_TEXTS), user = draw_user(self);
    uint64_t level = draw(self, 20);
    event->user_id = self->users[user];
    event->username = self->names[user];
    event->type = types[draw(self, COUNT(types))];
    event->message = self->messages[text];
    event->context = self->contexts[text];
    event->level = level ? level == 1 ? "WARNING" : "INFO" : "ERROR";
}
