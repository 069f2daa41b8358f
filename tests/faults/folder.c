#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file_name.h"
#include "client.h"
#include "folder.h"
#include <dirent.h>

gavat *folder_open(const char *folder, const char *most_ops)
{
    gavat *g = NULL;
    char url[300];
    gavat_config *cfg = gavat_config_new();
    snprintf(url, sizeof url, "file://%s", folder);
    gavat_config_set(cfg, "POSTGRES_URL", "off");
    gavat_config_set(cfg, "REDIS_URL", "off");
    gavat_config_set(cfg, "MONGODB_URI", url);
    gavat_config_set(cfg, "GAVAT_MAX_OPS", most_ops);
    if (gavat_new(&g, NULL, cfg) != GAVAT_OK)
        fail_msg("%s", gavat_config_error(cfg));
    gavat_config_free(cfg);
    gavat_op *op = held(g);
    gavat_open(op);
    expect_status(op, GAVAT_OK, __FILE__, __LINE__);
    gavat_op_unref(op);
    return g;
}

bool folder_read(const char *folder, const char *username, gv_text *text)
{
    gv_text path = {0};
    gv_text_addf(&path, "%s/", folder);
    gv_file_name_encode(&path, gv_slice_of(username));
    gv_text_adds(&path, ".json");
    FILE *file = fopen(gv_text_get(&path), "r");
    gv_text_clear(text);
    if (file) {
        char piece[4096];
        for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
            gv_text_add(text, piece, got);
        fclose(file);
    }
    gv_slice document = {gv_text_get(text), text->length};
    const char *wrong = file ? gv_json_check(document, GV_JSON_DEPTH, 0, NULL) : NULL;
    if (wrong)
        fail_msg("%s: %s", gv_text_get(&path), wrong);
    gv_text_free(&path);
    return file != NULL;
}

void folder_check(const char *folder, bool at_rest)
{
    size_t others = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        bool json = length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
        if (entry->d_name[0] != '.' && !json)
            fail_msg("%s was left behind", entry->d_name);
        others += entry->d_name[0] == '.';
    }
    closedir(dir);
    assert_true(others <= (at_rest ? 3 : 4));           /* ".", "..", the lock */
}
