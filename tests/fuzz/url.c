/* Any text is a URL or is refused, and what gv_url_redact shows does not depend on the password. */
#include "../../lib/base/url.h"

#include "../../lib/base/memory.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *redact(const char *text)
{
    gv_text out = {0};
    gv_url_redact(&out, text);
    assert(!out.failed);
    gv_text_addc(&out, '\n');       /* never empty: gv_text_take gives a block */
    return gv_text_take(&out, NULL);
}

/* The same URL with another password. */
static char *replace(const char *text, size_t from, size_t to, const char *password)
{
    gv_text out = {0};
    gv_text_add(&out, text, from);
    gv_text_adds(&out, password);
    gv_text_adds(&out, text + to);
    return gv_text_take(&out, NULL);
}

static void check_password(const char *text, const gv_url *url)
{
    const char *authority = strstr(text, "://");
    assert(authority);
    authority += 3;
    size_t length = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', length), *colon = memchr(authority, ':', length);
    assert(at && colon && colon < at);
    size_t from = (size_t)(colon + 1 - text), to = (size_t)(at - text);

    static const char *const others[] = {"", "Zq9Zq9Zq9", "a:b@c%41***"};
    char *shown = redact(text);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char *other = replace(text, from, to, others[i]);
        if (strlen(other) <= 4096) {
            char *shown_other = redact(other);
            assert(strcmp(shown, shown_other) == 0);
            gv_free(shown_other);
        }
        if (i == 0 && strlen(url->password) >= 4 && !strchr(url->password, '*')) {
            /* a host may have the same text as the password: then it is not the leak */
            char *rest = redact(other);
            assert(strstr(rest, url->password) || !strstr(shown, url->password));
            gv_free(rest);
        }
        gv_free(other);
    }
    gv_free(shown);
}

static void check_url(gv_arena *arena, const char *text, const gv_url *url)
{
    assert(strlen(text) <= 4096 && url->scheme && url->scheme[0] && url->path);
    assert(url->host_count <= GV_URL_HOSTS);
    assert(!url->user || url->user[0]);
    for (size_t i = 0; i < url->host_count; i++)
        assert(url->hosts[i].name && url->hosts[i].name[0]);
    for (const char *c = url->scheme; *c; c++)
        assert(*c < 'A' || *c > 'Z');
    if (url->password)
        check_password(text, url);
    const char *mode = gv_url_query(arena, url, "sslmode");
    assert(!mode || url->query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gv_arena arena = {0};
    gv_url url;
    char *text = gv_copy_bytes((const char *)data, size);
    assert(text);
    const char *why = gv_url_parse(&arena, text, &url);
    if (!why)
        check_url(&arena, text, &url);
    else
        assert(!url.scheme && !url.password && url.host_count == 0);

    const char *last = strrchr(text, '@');
    char *shown = redact(text);
    /* of what stood before the '@' only words up to "://" may be left, and stars */
    if (why && last && !strchr(text, '*')) {
        const char *stars = strstr(shown, "***");
        assert(stars);
        size_t before = (size_t)(stars - shown);
        assert(strncmp(shown, text, before) == 0);
        assert(before == 0 || (before >= 3 && memcmp(stars - 3, "://", 3) == 0) || stars[3] == '\n');
    }
    gv_free(shown);
    gv_arena_free(&arena);
    gv_free(text);
    return 0;
}
