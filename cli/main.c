/* main.c: gavatctl: take the words apart, then help, version or the command. */
#include "options.h"
#include "output.h"
#include "stop.h"
#include "tell.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A closed stdin, stdout or stderr would be given to the next file that is opened, and the data written into it. */
static void hold_descriptors(void)
{
    int file = 0;
    while (file >= 0 && file <= STDERR_FILENO)
        file = open("/dev/null", O_RDWR);
    if (file > STDERR_FILENO)
        close(file);
}

static int run(ctl_call *call, int argc, char **argv)
{
    int code = ctl_parse(call, argc, (const char *const *)argv);
    if (code)
        return code;
    if (call->version) {
        printf("gavatctl %s\n", gavat_version());
        return 0;
    }
    if (call->help || !call->command)
        return ctl_print_help(call);
    if (!ctl_stop_start()) {
        ctl_error("cannot start a thread: the system is out of resources");
        return 1;
    }
    code = ctl_read_dashes(call);
    return code ? code : call->command->run(call);
}

int main(int argc, char **argv)
{
    static ctl_call call;
    hold_descriptors();
    return ctl_finish_stdout(run(&call, argc, argv));
}
