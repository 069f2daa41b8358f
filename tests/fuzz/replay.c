/* replay: feeds each file named, and each file in each folder named, to the fuzz target that it is linked with. For
 * builds without libFuzzer, so that the seeds and every input that once broke something run with the other tests. It is
 * one TAP case. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fed;

static bool complain(const char *path)
{
    perror(path);
    return false;
}

static bool feed_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(path);
    /* Exactly as large as the input, so that the sanitizers see a byte read behind it. */
    uint8_t *data = malloc(size ? size : 1);
    bool whole = data && fread(data, 1, size, file) == size;
    fclose(file);
    if (whole) {
        LLVMFuzzerTestOneInput(data, size);
        fed++;
    }
    free(data);
    return whole || complain(path);
}

static bool feed(const char *path);

static bool feed_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return complain(path);
    bool fine = true;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t size = strlen(path) + strlen(name) + 2;
        char *inner = malloc(size);
        if (!inner) {
            fine = false;
        } else if (name[0] != '.') {
            snprintf(inner, size, "%s/%s", path, name);
            fine = feed(inner) && fine;
        }
        free(inner);
        free(entries[i]);
    }
    free(entries);
    return fine;
}

static bool feed(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return complain(path);
    if (S_ISDIR(about.st_mode))
        return feed_folder(path);
    return feed_file(path, (size_t)about.st_size);
}

int main(int argc, char **argv)
{
    bool fine = true;
    puts("1..1");
    fflush(stdout);
    for (int i = 1; i < argc; i++)
        fine = feed(argv[i]) && fine;
    fine = fine && fed > 0;
    printf("%s 1 - %zu inputs\n", fine ? "ok" : "not ok", fed);
    return fine ? 0 : 1;
}
