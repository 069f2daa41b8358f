/* player.h: who plays random operations on a store and on the model beside it, and its reads: every answer is compared,
 * in order. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_PLAYER_H
#define GAVATCORE_TEST_PLAYER_H
#include "client.h"
#include "model.h"

#define PENDING 32
#define NOW (T0 + 10 * DAY)
#define SPAN 400                /* seconds within which all times lie: many are equal */

typedef struct player {
    gavat *g;
    void **state;               /* of the case: its store */
    uint64_t random;
    model m;
    gavat_op *pending[PENDING];
    gavat_status wanted[PENDING];
    size_t pending_count;
    const model_row **selected;
    size_t room;
} player;

/* What fields are made of. */
extern const char *const player_users[8];
extern const char *const player_bots[3];
extern const char *const player_types[4];
extern const char *const player_levels[3];
extern const char *const player_names[2];
extern const char *const player_statuses[4];
extern const char *const player_currencies[2];
extern const char *const player_words[12];
extern const char *const player_keywords[21];

#define PICK(p, list) player_##list[below(&(p)->random, sizeof player_##list / sizeof *player_##list)]

bool chance(player *p, size_t one_in);
gavat_time random_time(player *p);
void settle(player *p);                         /* look at the answers of all writes under way */

/* One read with a random filter, compared with the model. */
void read_pages(player *p, model_kind kind, const char *keyword);
void read_session(player *p);
void total_sales(player *p);
void total_messages(player *p);
void total_events(player *p);
#endif
