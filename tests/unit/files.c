#include "../../lib/base/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gv-files-XXXXXX";
static gv_file_calls system_calls;

static int enter_folder(void **state)
{
    (void)state;
    system_calls = gv_file_hook;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static int restore_calls(void **state)
{
    (void)state;
    gv_file_hook = system_calls;
    return 0;
}

static void write_file(const char *path, const char *data, size_t length)
{
    int fd;
    assert_int_equal(gv_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd), 0);
    assert_int_equal(gv_file_write_all(fd, data, length, NULL), 0);
    assert_int_equal(gv_file_sync(fd), 0);
    gv_file_close(fd);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    gv_text out = {0};
    write_file("a", "one\0two", 7);
    gv_text_adds(&out, "before ");
    assert_int_equal(gv_file_read_all("a", 7, &out), 0);
    assert_int_equal(out.length, 14);
    assert_memory_equal(out.data, "before one\0two", 15);
    gv_text_free(&out);
}

static void an_empty_file_adds_nothing(void **state)
{
    (void)state;
    gv_text out = {0};
    write_file("empty", "", 0);
    assert_int_equal(gv_file_read_all("empty", 0, &out), 0);
    assert_int_equal(out.length, 0);
    gv_text_free(&out);
}

static void a_file_of_many_pieces_comes_whole(void **state)
{
    (void)state;
    size_t length = 1000003;
    char *data = malloc(length);
    gv_text out = {0};
    assert_non_null(data);
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * 31 % 251);
    write_file("big", data, length);
    assert_int_equal(gv_file_read_all("big", length, &out), 0);
    assert_int_equal(out.length, length);
    assert_memory_equal(out.data, data, length);
    free(data);
    gv_text_free(&out);
}

static void past_the_limit_nothing_is_added(void **state)
{
    (void)state;
    static char data[40000];
    gv_text out = {0};
    memset(data, 'x', sizeof data);
    write_file("long", data, sizeof data);
    gv_text_adds(&out, "kept");
    assert_int_equal(gv_file_read_all("long", sizeof data - 1, &out), -EFBIG);
    assert_string_equal(gv_text_get(&out), "kept");
    assert_int_equal(gv_file_read_all("long", 0, &out), -EFBIG);
    assert_string_equal(gv_text_get(&out), "kept");
    assert_int_equal(gv_file_read_all("long", SIZE_MAX, &out), 0);
    assert_int_equal(out.length, sizeof data + 4);
    gv_text_free(&out);
}

static void a_full_buffer_is_no_memory(void **state)
{
    (void)state;
    gv_text out = {.limit = 3};
    write_file("four", "1234", 4);
    assert_int_equal(gv_file_read_all("four", 100, &out), -ENOMEM);
    gv_text_free(&out);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    gv_text out = {0};
    int fd = 42;
    assert_int_equal(gv_file_read_all("missing", 10, &out), -ENOENT);
    assert_int_equal(gv_file_read_all(".", 10, &out), -EISDIR);
    assert_int_equal(gv_file_open("missing/a", O_RDONLY, 0, &fd), -ENOENT);
    assert_int_equal(fd, 42);
    assert_int_equal(gv_file_sync(-1), -EBADF);
    assert_int_equal(gv_file_write_all(-1, "x", 1, NULL), -EBADF);
    assert_int_equal(gv_file_write_all(-1, "x", 0, NULL), 0);
    gv_text_free(&out);
}

static void files_are_closed_on_exec(void **state)
{
    (void)state;
    int fd;
    assert_int_equal(gv_file_open("exec", O_WRONLY | O_CREAT, 0600, &fd), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    gv_file_close(fd);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void files_are_renamed_and_removed(void **state)
{
    (void)state;
    gv_text out = {0};
    write_file("from", "new", 3);
    write_file("to", "old", 3);
    assert_int_equal(gv_file_rename("from", "to"), 0);
    assert_int_equal(gv_file_read_all("to", 3, &out), 0);
    assert_string_equal(gv_text_get(&out), "new");
    assert_int_equal(gv_file_rename("from", "to"), -ENOENT);
    assert_int_equal(gv_file_unlink("to"), 0);
    assert_int_equal(gv_file_unlink("to"), -ENOENT);
    gv_text_free(&out);
}

static void parents_are_made_and_may_be_there(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(gv_file_make_parents("p/q//r/file.db"), 0);
    assert_int_equal(stat("p/q/r", &found), 0);
    assert_true(S_ISDIR(found.st_mode));
    assert_int_equal(stat("p/q/r/file.db", &found), -1);
    assert_int_equal(gv_file_make_parents("p/q/r/file.db"), 0);
    assert_int_equal(gv_file_make_parents("./p/../s/file.db"), 0);
    assert_int_equal(stat("s", &found), 0);
    assert_int_equal(gv_file_make_parents("file.db"), 0);
    assert_int_equal(gv_file_make_parents("/file.db"), 0);
    assert_int_equal(gv_file_make_parents("/tmp/file.db"), 0);
    assert_int_equal(gv_file_make_parents(""), 0);
}

static void a_file_in_the_way_of_a_folder_is_said(void **state)
{
    (void)state;
    write_file("plain", "x", 1);
    assert_int_equal(gv_file_make_parents("plain/file.db"), -ENOTDIR);
    assert_int_equal(gv_file_make_parents("plain/under/file.db"), -ENOTDIR);
}

static void check_absolute(const char *path, const char *behind)
{
    gv_text out = {0}, expect = {0};
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    gv_text_addf(&expect, "%s/%s", here, behind);
    assert_int_equal(gv_file_make_absolute(path, &out), 0);
    assert_string_equal(gv_text_get(&out), gv_text_get(&expect));
    gv_text_free(&out);
    gv_text_free(&expect);
}

static void paths_become_absolute(void **state)
{
    (void)state;
    check_absolute("a.db", "a.db");
    check_absolute("./data/a.db", "data/a.db");
    check_absolute(".//.///a.db", "a.db");
    check_absolute("../a.db", "../a.db");
    check_absolute(".hidden", ".hidden");
    gv_text out = {0};
    assert_int_equal(gv_file_make_absolute("/var/./a.db", &out), 0);
    assert_string_equal(gv_text_get(&out), "/var/./a.db");
    assert_int_equal(gv_file_make_absolute("", &out), -EINVAL);
    gv_text_clear(&out);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(gv_file_make_absolute("a.db", &out), 0);
    assert_string_equal(gv_text_get(&out), "/a.db");
    assert_int_equal(chdir(folder), 0);
    gv_text_free(&out);
}

/* Calls that are interrupted every second time and otherwise do little. */
static int turns;

static bool interrupt(void)
{
    errno = EINTR;
    return ++turns % 2 == 1;
}

static int open_late(const char *path, int flags, mode_t mode)
{
    return interrupt() ? -1 : system_calls.open(path, flags, mode);
}

static ssize_t read_late(int fd, void *data, size_t length)
{
    return interrupt() ? -1 : system_calls.read(fd, data, length < 3 ? length : 3);
}

static ssize_t write_late(int fd, const void *data, size_t length)
{
    return interrupt() ? -1 : system_calls.write(fd, data, length < 3 ? length : 3);
}

static int sync_late(int fd)
{
    return interrupt() ? -1 : system_calls.sync(fd);
}

static int rename_late(const char *from, const char *to)
{
    return interrupt() ? -1 : system_calls.rename(from, to);
}

static int unlink_late(const char *path)
{
    return interrupt() ? -1 : system_calls.unlink(path);
}

static int mkdir_late(const char *path, mode_t mode)
{
    return interrupt() ? -1 : system_calls.mkdir(path, mode);
}

static void interrupted_and_short_calls_are_continued(void **state)
{
    (void)state;
    gv_file_calls late = {open_late, read_late, write_late, sync_late, rename_late, unlink_late, mkdir_late,
        system_calls.close};
    gv_text out = {0};
    gv_file_hook = late;
    turns = 0;
    assert_int_equal(gv_file_make_parents("late/folder/file"), 0);
    write_file("late/folder/file", "0123456789", 10);
    assert_int_equal(gv_file_rename("late/folder/file", "late/folder/other"), 0);
    assert_int_equal(gv_file_read_all("late/folder/other", 10, &out), 0);
    assert_string_equal(gv_text_get(&out), "0123456789");
    assert_int_equal(gv_file_unlink("late/folder/other"), 0);
    assert_true(turns > 20);
    gv_text_free(&out);
}

static ssize_t write_nothing(int fd, const void *data, size_t length)
{
    (void)fd;
    (void)data;
    (void)length;
    return 0;
}

static ssize_t write_until_full(int fd, const void *data, size_t length)
{
    if (turns++ > 0) {
        errno = ENOSPC;
        return -1;
    }
    return system_calls.write(fd, data, length / 2);
}

static void a_full_disk_and_a_write_of_nothing_are_faults(void **state)
{
    (void)state;
    int fd;
    assert_int_equal(gv_file_open("full", O_WRONLY | O_CREAT, 0600, &fd), 0);
    turns = 0;
    gv_file_hook.write = write_until_full;
    assert_int_equal(gv_file_write_all(fd, "0123456789", 10, NULL), -ENOSPC);
    gv_file_hook.write = write_nothing;
    assert_int_equal(gv_file_write_all(fd, "0123456789", 10, NULL), -EIO);
    gv_file_close(fd);
}

static ssize_t read_then_fail(int fd, void *data, size_t length)
{
    if (turns++ > 0) {
        errno = EIO;
        return -1;
    }
    return system_calls.read(fd, data, length / 2);
}

static int closed;

static int count_close(int fd)
{
    closed++;
    return system_calls.close(fd);
}

static void a_read_that_breaks_off_adds_nothing_and_closes_the_file(void **state)
{
    (void)state;
    gv_text out = {0};
    write_file("breaks", "0123456789", 10);
    gv_text_adds(&out, "kept");
    turns = closed = 0;
    gv_file_hook.read = read_then_fail;
    gv_file_hook.close = count_close;
    assert_int_equal(gv_file_read_all("breaks", 100, &out), -EIO);
    assert_string_equal(gv_text_get(&out), "kept");
    assert_int_equal(closed, 1);
    gv_text_free(&out);
}

static int mkdir_refused(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    errno = EROFS;
    return -1;
}

static void a_refused_folder_is_fine_when_it_is_there(void **state)
{
    (void)state;
    assert_int_equal(gv_file_make_parents("there/file"), 0);
    gv_file_hook.mkdir = mkdir_refused;
    assert_int_equal(gv_file_make_parents("there/file"), 0);
    assert_int_equal(gv_file_make_parents("there/not/file"), -EROFS);
}

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(gv_errno_name(ENOSPC), "ENOSPC");
    assert_string_equal(gv_errno_name(EAGAIN), "EAGAIN");
    assert_string_equal(gv_errno_name(EROFS), "EROFS");
    assert_string_equal(gv_errno_name(E2BIG), "E2BIG");
    assert_string_equal(gv_errno_name(EXDEV), "EXDEV");
    assert_string_equal(gv_errno_name(0), "");
    assert_string_equal(gv_errno_name(-1), "");
    assert_string_equal(gv_errno_name(99999), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_empty_file_adds_nothing),
        cmocka_unit_test(a_file_of_many_pieces_comes_whole),
        cmocka_unit_test(past_the_limit_nothing_is_added),
        cmocka_unit_test(a_full_buffer_is_no_memory),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(files_are_closed_on_exec),
        cmocka_unit_test(files_are_renamed_and_removed),
        cmocka_unit_test(parents_are_made_and_may_be_there),
        cmocka_unit_test(a_file_in_the_way_of_a_folder_is_said),
        cmocka_unit_test(paths_become_absolute),
        cmocka_unit_test_teardown(interrupted_and_short_calls_are_continued, restore_calls),
        cmocka_unit_test_teardown(a_full_disk_and_a_write_of_nothing_are_faults, restore_calls),
        cmocka_unit_test_teardown(a_read_that_breaks_off_adds_nothing_and_closes_the_file, restore_calls),
        cmocka_unit_test_teardown(a_refused_folder_is_fine_when_it_is_there, restore_calls),
        cmocka_unit_test(errors_have_names),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
