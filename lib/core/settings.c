#include "settings.h"
#include "../base/arena.h"
#include "../base/clock.h"
#include "../base/url.h"
#include "../base/utf8.h"

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND INT64_C(1000)
#define HOUR (SECOND * 3600)

#define NAME_ROOM 63            /* longer names are never suggested */
#define NEAR 3                  /* letters that a suggestion may be away */
#define VALUE_SHOWN 80          /* characters that a message shows */
#define PATH_SHOWN 1024

const gv_setting gv_settings[GV_SETTING_COUNT] = {
    [GV_SET_EVENTS_URL] = {
        "POSTGRES_URL", "DATABASE_URL", GV_SETTING_URL, "sqlite:///./data/gavatcore.db", 0, 0, NULL,
        "The store of events, sales, messages and sessions. DATABASE_URL counts where POSTGRES_URL is not given."},
    [GV_SET_PROFILES_URL] = {
        "MONGODB_URI", NULL, GV_SETTING_URL, "file://./data/profiles", 0, 0, NULL,
        "The store of profiles: a folder of JSON files, or MongoDB (mongodb://, mongodb+srv://)."},
    [GV_SET_STATE_URL] = {
        "REDIS_URL", NULL, GV_SETTING_URL, "sqlite:///./data/state.db", 0, 0, NULL,
        "The store of conversation states, cooldowns, counters, lists and limits: a file, memory: or Redis (redis://)."},
    [GV_SET_PROFILE_DEFAULTS] = {
        "GAVAT_PROFILE_DEFAULTS", NULL, GV_SETTING_TEXT, "", 0, 0, NULL,
        "A JSON file with the fields that every profile has unless it says otherwise. They are merged under what is read, "
        "and never written."},
    [GV_SET_MONGODB_DB] = {
        "MONGODB_DB", NULL, GV_SETTING_TEXT, "", 0, 0, NULL,
        "The database of the profiles on MongoDB. Without it, the one that MONGODB_URI names, else gavatcore."},
    [GV_SET_MONGODB_WORKERS] = {
        "GAVAT_MONGODB_WORKERS", NULL, GV_SETTING_INTEGER, "2", 1, 16, NULL,
        "Threads that get and put profiles on MongoDB, each with a connection of its own. More of them help when the server is far away."},
    [GV_SET_TEXT_LOG_DIR] = {
        "GAVAT_TEXT_LOG_DIR", NULL, GV_SETTING_TEXT, "", 0, 0, NULL,
        "The folder in which each event is also written as a line of the user's own text log. "
        "Without it there is no text log."},
    [GV_SET_TIME_ZONE] = {
        "GAVAT_TIME_ZONE", NULL, GV_SETTING_TEXT, "", 0, 0, NULL,
        "The time zone of the times in text logs, by its tzdata name, such as Europe/Istanbul. "
        "Without it, the system's zone."},
    [GV_SET_TIMEOUT] = {
        "GAVAT_TIMEOUT", NULL, GV_SETTING_DURATION, "10s", 1, 24 * HOUR, NULL,
        "The deadline of an operation that is given none of its own: queue, connecting and work together."},
    [GV_SET_MAX_OPS] = {
        "GAVAT_MAX_OPS", NULL, GV_SETTING_INTEGER, "65536", 16, 10000000, NULL,
        "How many operations may be alive in a client at once. Beyond it new ones are refused until some have ended."},
    [GV_SET_MAX_BYTES] = {
        "GAVAT_MAX_BYTES", NULL, GV_SETTING_BYTES, "64MiB", MIB, 64 * GIB, NULL,
        "How much memory the operations of a client may hold at once, arguments and results. "
        "Raise it for large batches and pages."},
    [GV_SET_MAX_RECORD] = {
        "GAVAT_MAX_RECORD", NULL, GV_SETTING_BYTES, "1MiB", KIB, 64 * MIB, NULL,
        "The longest text or JSON of one record. Longer ones are refused in the call."},
    [GV_SET_PAGE_BYTES] = {
        "GAVAT_PAGE_BYTES", NULL, GV_SETTING_BYTES, "1MiB", 4 * KIB, 256 * MIB, NULL,
        "Where a page of results ends, however few records it has by then; the next page goes on from there."},
    [GV_SET_SEARCH_INDEX] = {
        "GAVAT_EVENTS_SEARCH_INDEX", NULL, GV_SETTING_CHOICE, "on", 0, 0, "on|off",
        "Whether an index for keyword search is kept. Off makes writes cheaper, and a search reads every "
        "event it may find."},
    [GV_SET_SEARCH_LAG] = {
        "GAVAT_EVENTS_SEARCH_LAG", NULL, GV_SETTING_INTEGER, "100000", 1000, 10000000, NULL,
        "How many rows the search index may be behind before writers wait for it. "
        "A search reads those rows one by one."},
    [GV_SET_READERS] = {
        "GAVAT_EVENTS_READERS", NULL, GV_SETTING_INTEGER, "2", 1, 16, NULL,
        "Reader threads of the SQLite store of events. More of them help when many searches run at once."},
    [GV_SET_SPOOL] = {
        "GAVAT_EVENTS_SPOOL", NULL, GV_SETTING_TEXT, "./data/spool.db", 0, 0, NULL,
        "The file in which writes of the events area wait while PostgreSQL is away, or off. Made when it is needed; "
        "events on SQLite need none."},
    [GV_SET_SPOOL_BYTES] = {
        "GAVAT_EVENTS_SPOOL_MAX_BYTES", NULL, GV_SETTING_BYTES, "1GiB", MIB, 1024 * GIB, NULL,
        "How much the spool holds. When that much waits, further writes are refused; nothing that waits is dropped."},
    [GV_SET_SPOOL_AGE] = {
        "GAVAT_EVENTS_SPOOL_MAX_AGE", NULL, GV_SETTING_DURATION, "168h", SECOND, 365 * 24 * HOUR, NULL,
        "How long the oldest write may have waited in the spool before further ones are refused. "
        "Nothing that waits is dropped."},
    [GV_SET_ACK] = {
        "GAVAT_EVENTS_ACK", NULL, GV_SETTING_CHOICE, "commit", 0, 0, "commit|spool",
        "Where a write of the events area is acknowledged: when PostgreSQL has committed it, or always when it is on the "
        "local disk, in the spool, from where it is forwarded."},
    [GV_SET_PG_CONNECTIONS] = {
        "GAVAT_POSTGRES_CONNECTIONS", NULL, GV_SETTING_INTEGER, "4", 1, 16, NULL,
        "How many connections to PostgreSQL there are at most. From four on two of them write, else one; the others read. "
        "They are opened when they are needed."},
    [GV_SET_PG_PARTITIONS] = {
        "GAVAT_POSTGRES_PARTITIONS", NULL, GV_SETTING_INTEGER, "12", 0, 120, NULL,
        "How many months ahead the partitions of events, sales and messages are made. With 0 new tables in PostgreSQL are plain ones. "
        "Tables that are there stay as they are."},
    [GV_SET_SQLITE_SYNCHRONOUS] = {
        "GAVAT_SQLITE_SYNCHRONOUS", NULL, GV_SETTING_CHOICE, "full", 0, 0, "full|normal",
        "Whether a SQLite commit waits for the disk. With normal, a power failure can lose the last commits; "
        "the file stays whole."},
    [GV_SET_SQLITE_CACHE] = {
        "GAVAT_SQLITE_CACHE", NULL, GV_SETTING_BYTES, "64MiB", MIB, 4 * GIB, NULL,
        "The page cache of each SQLite connection that writes. "
        "Raise it when the indexes outgrow it and writes slow down."},
    [GV_SET_MIGRATIONS] = {
        "GAVAT_MIGRATIONS", NULL, GV_SETTING_TEXT, "./data/migrations.db", 0, 0, NULL,
        "The file in which migrations keep what they have written and replaced, for resuming, verifying and rolling back."},
    [GV_SET_WITHOUT_STATE] = {
        "GAVAT_WITHOUT_STATE", NULL, GV_SETTING_CHOICE, "closed", 0, 0, "closed|open",
        "What permits, limits and cooldowns decide while the state store cannot be asked: closed refuses, open allows. "
        "The operation itself still says that it failed."},
    [GV_SET_DM_STATE_TTL] = {
        "GAVAT_DM_STATE_TTL", NULL, GV_SETTING_DURATION, "24h", SECOND, 365 * 24 * HOUR, NULL,
        "How long a conversation is kept after its last change; then it begins anew, also out of a pause."},
    [GV_SET_DM_COOLDOWN] = {
        "GAVAT_DM_COOLDOWN", NULL, GV_SETTING_DURATION, "5m", 0, 30 * 24 * HOUR, NULL,
        "The time between two permits for automatic messages of one conversation. 0s: none."},
    [GV_SET_DM_WINDOW] = {
        "GAVAT_DM_WINDOW", NULL, GV_SETTING_DURATION, "1h", 1, 30 * 24 * HOUR, NULL,
        "The time in which GAVAT_DM_WINDOW_MESSAGES permits are given at most."},
    [GV_SET_DM_WINDOW_MESSAGES] = {
        "GAVAT_DM_WINDOW_MESSAGES", NULL, GV_SETTING_INTEGER, "3", 1, 1000, NULL,
        "How many permits for automatic messages a conversation gets within GAVAT_DM_WINDOW."},
    [GV_SET_DM_MENU_AFTER] = {
        "GAVAT_DM_MENU_AFTER", NULL, GV_SETTING_INTEGER, "3", 0, 1000000000, NULL,
        "After how many automatic messages a permit comes with the advice to send the menu, once."},
    [GV_SET_DM_MANUAL_TIMEOUT] = {
        "GAVAT_DM_MANUAL_TIMEOUT", NULL, GV_SETTING_DURATION, "24h", SECOND, 365 * 24 * HOUR, NULL,
        "After how long a silence of the person who took a conversation over the bot goes on by itself."},
    [GV_SET_DM_GRACE] = {
        "GAVAT_DM_GRACE", NULL, GV_SETTING_DURATION, "30s", 0, 24 * HOUR, NULL,
        "How long a permit waits for the id of its message. An outgoing message that is seen meanwhile counts as "
        "the bot's own. 0s: register ids before sending."},
    [GV_SET_DM_MAX_FOLLOWUPS] = {
        "GAVAT_DM_MAX_FOLLOWUPS", NULL, GV_SETTING_INTEGER, "3", 0, 1000000, NULL,
        "How many follow-ups a conversation gets, until a person takes it over or it begins anew."},
    [GV_SET_DM_FOLLOWUP_INITIAL] = {
        "GAVAT_DM_FOLLOWUP_INITIAL", NULL, GV_SETTING_DURATION, "1h", 0, 365 * 24 * HOUR, NULL,
        "A follow-up is due after this time since the bot's last message, while the user has never answered."},
    [GV_SET_DM_FOLLOWUP_ACTIVE] = {
        "GAVAT_DM_FOLLOWUP_ACTIVE", NULL, GV_SETTING_DURATION, "6h", 0, 365 * 24 * HOUR, NULL,
        "A follow-up of an active conversation is due after this time of silence."},
    [GV_SET_DM_FOLLOWUP_ENGAGED] = {
        "GAVAT_DM_FOLLOWUP_ENGAGED", NULL, GV_SETTING_DURATION, "4h", 0, 365 * 24 * HOUR, NULL,
        "A follow-up of a conversation that a person has taken over is due after this time since the person's "
        "message, and GAVAT_DM_FOLLOWUP_ENGAGED_USER."},
    [GV_SET_DM_FOLLOWUP_ENGAGED_USER] = {
        "GAVAT_DM_FOLLOWUP_ENGAGED_USER", NULL, GV_SETTING_DURATION, "6h", 0, 365 * 24 * HOUR, NULL,
        "The same, since the user's message; both must have passed."},
    [GV_SET_DM_FOLLOWUP_MANUAL] = {
        "GAVAT_DM_FOLLOWUP_MANUAL", NULL, GV_SETTING_DURATION, "12h", 0, 365 * 24 * HOUR, NULL,
        "A follow-up of a conversation between a person and the user is due after this time of silence."},
};

bool gv_setting_find(gv_slice name, gv_setting_id *id, bool *alias)
{
    for (int i = 0; i < GV_SETTING_COUNT; i++) {
        const gv_setting *setting = &gv_settings[i];
        bool other = setting->alias && gv_slice_is(name, setting->alias);
        if (!other && !gv_slice_is(name, setting->key))
            continue;
        *id = (gv_setting_id)i;
        *alias = other;
        return true;
    }
    return false;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Levenshtein's distance, case apart; NEAR + 1 when the lengths alone are too far from each other. */
static size_t distance(gv_slice a, gv_slice b)
{
    size_t row[NAME_ROOM + 1];
    if (b.length > NAME_ROOM || a.length > b.length + NEAR || b.length > a.length + NEAR)
        return NEAR + 1;
    for (size_t j = 0; j <= b.length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            size_t change = diagonal + (upper(a.data[i - 1]) != upper(b.data[j - 1]));
            size_t skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < skip ? change : skip;
        }
    }
    return row[b.length];
}

const char *gv_setting_suggest(gv_slice name)
{
    const char *nearest = NULL;
    size_t best = NEAR + 1;
    for (int i = 0; i < GV_SETTING_COUNT; i++) {
        const char *names[2] = {gv_settings[i].key, gv_settings[i].alias};
        for (int j = 0; j < 2 && names[j]; j++) {
            size_t away = distance(name, gv_slice_of(names[j]));
            if (away >= best)
                continue;
            best = away;
            nearest = names[j];
        }
    }
    return nearest;
}

static void add_cut(gv_text *out, gv_slice text, size_t most)
{
    for (size_t at = 0, count = 0; at < text.length; count++) {
        if (count == most) {
            gv_text_adds(out, "…");
            return;
        }
        uint32_t code = 0;
        size_t bytes = gv_utf8_decode(text.data + at, text.length - at, &code);
        bool odd = bytes == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
        gv_text_add(out, odd ? "?" : text.data + at, odd ? 1 : bytes);
        at += bytes ? bytes : 1;
    }
}

void gv_setting_add_plain(gv_text *out, const char *text, size_t most)
{
    gv_text redacted = {0};
    gv_url_redact(&redacted, text);
    if (redacted.failed)
        out->failed = true;
    else
        add_cut(out, (gv_slice){gv_text_get(&redacted), redacted.length}, most);
    gv_text_free(&redacted);
}

void gv_setting_add_path(gv_text *out, const char *path)
{
    if (strstr(path, "://"))
        gv_setting_add_plain(out, path, PATH_SHOWN);
    else
        add_cut(out, gv_slice_of(path), PATH_SHOWN);
}

typedef struct unit {
    const char *name;
    int64_t size;
} unit;
static const unit byte_units[] = {{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"", 1}};
static const unit duration_units[] = {{"h", HOUR}, {"m", 60 * SECOND}, {"s", SECOND}, {"ms", 1}};
static const unit no_units[] = {{"", 1}};

/* A bound of the table, in the largest unit that leaves no rest. The last unit of each list is 1. */
static void add_amount(gv_text *out, gv_setting_type type, int64_t amount)
{
    const unit *units = type == GV_SETTING_BYTES ? byte_units : type == GV_SETTING_DURATION ? duration_units : no_units;
    while (amount % units->size != 0)
        units++;
    gv_text_addf(out, "%lld%s", (long long)(amount / units->size), units->name);
}

static void add_choices(gv_text *out, const char *choices)
{
    for (; *choices; choices++)
        gv_text_add(out, *choices == '|' ? " or " : choices, *choices == '|' ? 4 : 1);
}

/* What may be written instead, for people. */
static void add_advice(gv_text *out, const gv_setting *setting)
{
    static const char *const examples[] = {
        [GV_SETTING_INTEGER] = "a whole number",
        [GV_SETTING_BYTES] = "4096, 64KiB, 1MiB or 2GiB",
        [GV_SETTING_DURATION] = "10s, 1m30s or 250ms",
    };
    gv_text_addf(out, "; write %s (", examples[setting->type]);
    gv_setting_add_allowed(out, setting);
    gv_text_addc(out, ')');
}

void gv_setting_add_allowed(gv_text *out, const gv_setting *setting)
{
    switch (setting->type) {
    case GV_SETTING_TEXT:
        gv_text_adds(out, "text");
        break;
    case GV_SETTING_URL:
        gv_text_adds(out, "a store URL, or " GV_STORE_OFF);
        break;
    case GV_SETTING_CHOICE:
        add_choices(out, setting->choices);
        break;
    default:
        add_amount(out, setting->type, setting->least);
        gv_text_adds(out, " to ");
        add_amount(out, setting->type, setting->most);
    }
}

static void add_quoted(gv_text *out, const char *value)
{
    gv_text_addc(out, '"');
    gv_setting_add_plain(out, value, VALUE_SHOWN);
    gv_text_addc(out, '"');
}

/* Digits at *at; past int64 it stays at INT64_MAX, which is out of every range. False: no digit. */
static bool read_digits(const char **at, int64_t *number)
{
    const char *start = *at;
    for (*number = 0; **at >= '0' && **at <= '9'; ++*at) {
        if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, **at - '0', number))
            *number = INT64_MAX;
        if (*number == INT64_MAX)
            break;
    }
    while (**at >= '0' && **at <= '9')
        ++*at;
    return *at != start;
}

static bool read_integer(const char *value, int64_t *number)
{
    bool negative = value[0] == '-';
    const char *at = value + negative;
    if (!read_digits(&at, number) || *at)
        return false;
    if (negative)
        *number = -*number;
    return true;
}

static bool is_word(const char *text, const char *word)
{
    while (*text && lower(*text) == lower(*word))
        text++, word++;
    return !*text && !*word;
}

static bool read_bytes(const char *value, int64_t *number)
{
    static const unit units[] = {{"", 1},      {"k", KIB},   {"m", MIB},  {"g", GIB},
                                 {"kib", KIB}, {"mib", MIB}, {"gib", GIB}};
    const char *at = value;
    if (!read_digits(&at, number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!is_word(at, units[i].name))
            continue;
        if (__builtin_mul_overflow(*number, units[i].size, number))
            *number = INT64_MAX;
        return true;
    }
    return false;
}

static gavat_status parse_number(const gv_setting *setting, const char *value, int64_t *number, gv_text *problem)
{
    bool read;
    const char *noun;
    if (setting->type == GV_SETTING_INTEGER) {
        read = read_integer(value, number);
        noun = "a whole number";
    } else if (setting->type == GV_SETTING_BYTES) {
        read = read_bytes(value, number);
        noun = "a number of bytes";
    } else {
        read = gv_duration_parse(gv_slice_of(value), SECOND, number);
        noun = "a duration";
    }
    if (read && *number >= setting->least && *number <= setting->most)
        return GAVAT_OK;
    add_quoted(problem, value);
    if (read)
        gv_text_adds(problem, " is out of range");
    else
        gv_text_addf(problem, " is not %s", noun);
    add_advice(problem, setting);
    return GAVAT_EINVAL;
}

static gavat_status parse_choice(const gv_setting *setting, const char *value, int64_t *number, gv_text *problem)
{
    size_t length = strlen(value);
    const char *word = setting->choices;
    for (*number = 0;; ++*number) {
        size_t end = strcspn(word, "|");
        if (end == length && memcmp(word, value, length) == 0)
            return GAVAT_OK;
        if (!word[end])
            break;
        word += end + 1;
    }
    add_quoted(problem, value);
    gv_text_adds(problem, " is not a choice; write ");
    add_choices(problem, setting->choices);
    return GAVAT_EINVAL;
}

/* Nothing of the value goes into the problem: it may hold a password in a place where redacting does not look. */
static gavat_status parse_url(const gv_setting *setting, const char *value, gv_text *problem)
{
    gv_arena arena = {0};
    gv_url url;
    if (strcmp(value, GV_STORE_OFF) == 0)
        return GAVAT_OK;
    const char *phrase = gv_url_parse(&arena, value, &url);
    gv_arena_free(&arena);
    if (!phrase)
        return GAVAT_OK;
    if (strcmp(phrase, GV_MEMORY_IS_OUT) == 0)
        return GAVAT_ENOMEM;
    gv_text_addf(problem, "this is not a store URL: %s; write one such as %s", phrase, setting->fallback);
    return GAVAT_EINVAL;
}

/* The shape of a tzdata name. It becomes part of a file name, so nothing in it may lead out of tzdata's folder. */
static gavat_status parse_zone(const char *value, gv_text *problem)
{
    bool good = value[0] != '/';
    for (const char *at = value; *at && good; at++) {
        char c = lower(*at);
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("_+-/", c);
    }
    if (good)
        return GAVAT_OK;
    add_quoted(problem, value);
    gv_text_adds(problem, " is not the name of a time zone; write a name of tzdata such as Europe/Istanbul or UTC");
    return GAVAT_EINVAL;
}

gavat_status gv_setting_parse(gv_setting_id id, const char *value, int64_t *number, gv_text *problem)
{
    const gv_setting *setting = &gv_settings[id];
    size_t length = strlen(value);
    gavat_status status = GAVAT_EINVAL;
    *number = 0;
    if (length > GV_SETTING_ROOM)
        gv_text_addf(problem, "the value has %zu bytes; write at most %d", length, GV_SETTING_ROOM);
    else if (!gv_utf8_valid(value, length))
        gv_text_adds(problem, "the value is not UTF-8; write it in UTF-8");
    else if (setting->type == GV_SETTING_URL)
        status = parse_url(setting, value, problem);
    else if (setting->type == GV_SETTING_CHOICE)
        status = parse_choice(setting, value, number, problem);
    else if (setting->type != GV_SETTING_TEXT)
        status = parse_number(setting, value, number, problem);
    else
        status = id == GV_SET_TIME_ZONE ? parse_zone(value, problem) : GAVAT_OK;
    return problem->failed ? GAVAT_ENOMEM : status;
}
