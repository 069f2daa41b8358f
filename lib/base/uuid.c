#include "uuid.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STEP_BACK INT64_C(10000000)     /* microseconds that the clock may be behind the last uid */
#define POOL_BYTES 512

static _Atomic int64_t last_time;

/* Random bytes of this thread, used from the end. A child of fork() drops them: it would make its parent's uids
 * again. */
typedef struct pool {
    size_t left;
    unsigned char bytes[POOL_BYTES];
} pool;
static _Thread_local pool thread_pool;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static bool fork_watched;

static void forget_pool(void)
{
    thread_pool.left = 0;
}

static void watch_forks(void)
{
    fork_watched = pthread_atfork(NULL, NULL, forget_pool) == 0;
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* Only for a system that refuses getrandom, in a sandbox say: a uid must still be made. Uniqueness then rests on the
 * time and on clocks, process and thread mixed together; the numbers can be guessed. */
static void fill_without_system(unsigned char *out, size_t length)
{
    static _Atomic uint64_t count;
    uint64_t state = gv_clock_steady() ^ mix((uint64_t)gv_clock_wall()) ^ mix((uint64_t)getpid() << 32) ^
                     mix((uint64_t)(uintptr_t)&thread_pool);
    for (size_t at = 0; at < length; at++) {
        if (at % sizeof state == 0)
            state = mix(state + mix(atomic_fetch_add(&count, 1) + 1));
        out[at] = (unsigned char)(state >> (at % sizeof state * 8));
    }
}

static void fill(unsigned char *out, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = getrandom(out + done, length - done, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fill_without_system(out + done, length - done);
            return;
        }
        done += (size_t)got;
    }
}

static uint64_t random_bits(void)
{
    uint64_t bits;
    if (thread_pool.left < sizeof bits) {
        pthread_once(&fork_once, watch_forks);
        size_t size = fork_watched ? POOL_BYTES : sizeof bits;
        fill(thread_pool.bytes, size);
        thread_pool.left = size;
    }
    thread_pool.left -= sizeof bits;
    unsigned char *from = thread_pool.bytes + thread_pool.left;
    memcpy(&bits, from, sizeof bits);
    memset(from, 0, sizeof bits);
    return bits;
}

static int64_t next_time(int64_t now)
{
    int64_t next, last = atomic_load(&last_time);
    do {
        next = now > last || last - now > STEP_BACK ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&last_time, &last, next));
    return next;
}

/* The low `digits` hex digits of value. */
static void put_hex(char *out, size_t digits, uint64_t value)
{
    while (digits > 0) {
        out[--digits] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

int64_t gv_uuid_make(int64_t now, char out[GV_UUID_ROOM])
{
    if (now < 0)
        now = 0;
    if (now > GV_TIME_MAX)
        now = GV_TIME_MAX;
    int64_t time = next_time(now);
    uint64_t milliseconds = (uint64_t)time / 1000, fraction = (uint64_t)time % 1000 * 4096 / 1000;
    uint64_t bits = random_bits();

    put_hex(out, 8, milliseconds >> 16);
    put_hex(out + 9, 4, milliseconds);
    put_hex(out + 14, 4, 0x7000 | fraction);
    put_hex(out + 19, 4, 0x8000 | (bits >> 48 & 0x3fff));
    put_hex(out + 24, 12, bits);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[36] = '\0';
    return time;
}

static bool is_hyphen_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool gv_uuid_parse(const char *text, char out[GV_UUID_ROOM])
{
    char read[GV_UUID_ROOM];
    if (!text)
        return false;
    for (size_t i = 0; i < GV_UUID_ROOM - 1; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (is_hyphen_place(i) ? c != '-' : !hex)       /* a text that ends early fails here, at its NUL */
            return false;
        read[i] = c;
    }
    if (text[GV_UUID_ROOM - 1] != '\0')
        return false;
    read[GV_UUID_ROOM - 1] = '\0';
    memcpy(out, read, sizeof read);
    return true;
}

static uint64_t get_hex(const char *text, size_t digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value << 4 | (uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
    return value;
}

bool gv_uuid_time(const char *uid, int64_t *time)
{
    char read[GV_UUID_ROOM];
    if (!gv_uuid_parse(uid, read) || read[14] != '7' || get_hex(read + 19, 1) >> 2 != 2)
        return false;
    uint64_t milliseconds = get_hex(read, 8) << 16 | get_hex(read + 9, 4);
    uint64_t micros = (get_hex(read + 15, 3) * 1000 + 4095) / 4096;      /* rounded up: the fraction was rounded down */
    if (micros > 999)                                                    /* other makers use all values up to 4095 */
        micros = 999;
    *time = (int64_t)(milliseconds * 1000 + micros);
    return true;
}
