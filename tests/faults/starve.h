/* starve.h: memory that runs out: every allocation of the library and of SQLite failing in turn, once or it and all after it, while a
 * scenario runs. Nothing may leak then, and nothing may hang. libuv keeps its own allocator. cmocka's header comes before this one. */
#ifndef GAVATCORE_TEST_STARVE_H
#define GAVATCORE_TEST_STARVE_H
#include <gavatcore.h>
#include <stdbool.h>

void starve_install(void);                      /* once, before the library and SQLite are used */

typedef struct stage stage;                     /* what a scenario works on: each test program has its own */
typedef struct starve_area {
    stage *(*begin)(void);                      /* before memory runs out */
    void (*end)(stage *s);                      /* with memory back: the client works again, nothing acknowledged is missing; all freed */
} starve_area;
void starve_all(const starve_area *area, void (*scenario)(stage *s));
#define STARVE(name, area, scenario)        /* a case */                     \
    static void name(void **state)                                           \
    {                                                                        \
        (void)state;                                                         \
        starve_all(&area, scenario);                                         \
    }

/* A client with these settings (key, value, …, NULL), opened; NULL: no memory. Closing takes NULL. */
gavat *starve_open(const char *const *settings);
void starve_close(gavat *g);

/* Wait for the op and give it back. Out of memory is said in few ways, and nothing else is wrong here: another failure fails the case. */
gavat_status starve_finish(gavat_op *op);
void starve_print(const gavat_op *op);          /* all of its records, as JSON */
gavat_status starve_read(gavat_op *op);         /* wait, print and give back */
#define TRY(g, name, ...)                                                    \
    do {                                                                     \
        gavat_op *own_op = gavat_op_new_held(g);                             \
        gavat_##name(own_op, __VA_ARGS__);                                   \
        starve_finish(own_op);                                               \
    } while (0)
#endif
