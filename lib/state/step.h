/* step.h: the atomic step over several keys of one user, which rules are made of: cooldowns, counters, limits, conversations. A rule
 * is pure: it looks at the values, says what is to be written and stages the answer. The backend reads the keys, asks the rule and writes
 * what it wants in one atomic step; where the store finds that somebody else was there meanwhile, it asks again with fresh values.
 *
 * user: the part between "gavatcore:user:" and the key, NULL or "": global. keys: the part behind it, "x" or "cooldown:a". Both have
 * been checked by the caller (gv_state_check_user, gv_state_check_name). */
#ifndef GV_STATE_STEP_H
#define GV_STATE_STEP_H
#include "../core/op.h"

#define GV_STEP_KEYS 8          /* most keys of a rule */

typedef struct gv_step_key {
    const char *key;
    const char *value;          /* ended by NUL; NULL: not there, or expired */
    size_t length;
    int64_t expire_ms;          /* left to live, rounded up; 0: never ends */
    bool write;                 /* the rule's, as all below: store `put` */
    bool keep_expiry;           /* what is there keeps the expiry it has (none when it was not there); else put_expire_ms counts */
    const char *put;            /* NULL: delete. Lives as long as the step: in its arena, arguments or values */
    size_t put_length;
    int64_t put_expire_ms;      /* from now; 0: never */
} gv_step_key;

typedef struct gv_step {
    const void *arguments;      /* as they were given, aligned as malloc does */
    gavat_time now;             /* of the store's clock */
    gv_step_key *keys;          /* in the rule's order */
    size_t count;
    gv_arena *arena;            /* gone when the step is */
    gavat_op *op;               /* stage on it: number, gv_op_decide, gv_op_result, gv_op_fail */
} gv_step;

typedef struct gv_step_words {
    void (*add)(void *to, const char *data, size_t length);
    void *to;
} gv_step_words;

/* The writing half of a rule in Lua, for a store that runs it where the keys are, in one trip (lib/state/redis/scripts.c tells its
 * functions). It writes just what `decide` would have written, or leaves it to `decide`: then it returns the values as they are.
 * `decide` makes the answer either way. */
void gv_step_add_number(const gv_step_words *words, int64_t number);

typedef struct gv_step_script {
    const char *source;         /* static; its own arguments begin at A[N + 2] */
    bool (*fits)(const void *arguments);        /* NULL: always */
    void (*ask)(const void *arguments, const gv_step_words *words);     /* adds them; NULL: there are none */
} gv_step_script;

typedef struct gv_step_rule {
    const char *name;
    const char *const *keys;    /* NULL: given with each step */
    size_t count;               /* of keys */
    /* Any thread, perhaps more than once for one op: nothing is staged then. True: store what it wrote, the op succeeds. False: it
     * has staged a failure (gv_op_fail) and nothing is stored. Writes nothing when the op's kind is no GV_WRITE. */
    bool (*decide)(gv_step *step);
    const gv_step_script *script;       /* NULL: none */
} gv_step_rule;

/* The op was begun by the caller (gv_op_begin with its kind, of the area GV_STATE); this submits it. arguments are copied. */
void gv_state_step(gavat_op *op, const gv_step_rule *rule, const char *user, const void *arguments, size_t size);
/* The same in two parts: with keys of one's own (each is prefix and keys[i]; keys NULL: the rule's), and arguments written in place: zeroed
 * memory of `size` bytes, to be filled before gv_op_submit(op). NULL: refused already. */
void *gv_state_step_begin(gavat_op *op, const gv_step_rule *rule, const char *user, const char *prefix, const char *const *keys, size_t size);

/* A walk over one key of all users whose user part begins with a prefix, in pages: by user, or those due, by due time and user. It goes on in
 * slices, other ops between them; values that change meanwhile are seen before or after. */
typedef struct gv_walk_item {
    const char *user;
    const char *value;          /* ended by NUL */
    size_t length;
    int64_t expire_ms;
} gv_walk_item;

typedef struct gv_walk_rule {
    const char *name;
    const char *key;
    /* When the item is due; 0: not at all. NULL: all of them, by user. Pure. */
    gavat_time (*due)(const void *arguments, gavat_time now, const gv_walk_item *item);
    /* Add the record of an item of the page to the op's result; what it needs of the item is copied. True also when it adds
     * nothing, say for a value that cannot be read. False: no memory. */
    bool (*add)(gavat_op *op, const void *arguments, gavat_time now, const gv_walk_item *item);
} gv_walk_rule;

/* The op was begun by the caller; this submits it. prefix: "dm:" or "dm:BOT:". limit 0: 100, at most 100000; a page also ends at
 * GAVAT_PAGE_BYTES. cursor: of the page before, NULL: none; a strange one is refused. */
void gv_state_walk(gavat_op *op, const gv_walk_rule *rule, const char *prefix, uint32_t limit, const char *cursor, const void *arguments,
                   size_t size);

/* For callers of their own kinds. False: the op is refused, EINVAL. */
bool gv_state_check_user(gavat_op *op, const char *user, bool writes);
/* A key, action or name; what: "key", "action" … in the sentence. */
bool gv_state_check_name(gavat_op *op, const char *what, const char *name, bool writes);
#endif
