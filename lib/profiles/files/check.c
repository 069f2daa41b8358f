/* check.c: what gavatctl doctor, init and schema hear of the folder. There is one form of it, and it is made when it is not there. */
#include "files.h"
#include "../../base/files.h"
#include "../../core/check.h"
#include <unistd.h>

static void say(gavat_op *op, const char *json)
{
    gv_text text = {0};
    gv_text_adds(&text, json);
    gv_result *result = gv_op_result(op);
    if (result && gv_result_add_json(result, &text))
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    else
        gv_op_fail(op, GAVAT_ENOMEM, GAVAT_ERROR_RETRY, "", "no memory for the answer");
    gv_text_free(&text);
}

void gv_files_describe(gv_files *self, gavat_op *op)
{
    if (gv_files_folder_is_there(self))
        say(op, "{\"store\":\"profiles\",\"version\":1,\"wanted\":1,\"steps\":[],\"state\":\"up to date\"}");
    else
        say(op, "{\"store\":\"profiles\",\"version\":0,\"wanted\":1,\"steps\":[\"folder\"],\"state\":\"to be upgraded\"}");
}

void gv_files_say_made(gavat_op *op, bool dry)
{
    say(op, dry ? "{\"store\":\"profiles\",\"step\":\"folder\",\"result\":\"would do\"}"
                : "{\"store\":\"profiles\",\"step\":\"folder\",\"result\":\"done\"}");
}

void gv_files_upgrade(gv_files *self, gavat_op *op)
{
    const gv_upgrade_request *request = op->request;
    bool there = gv_files_folder_is_there(self), dry = request->dry_run != 0;
    int error = there || dry ? 0 : gv_files_make_folder(self);
    if (error) {
        gv_said said;
        said.number = 0;
        gv_said_error(&said, self, error, "making", "the folder");
        gv_said_to(&said, op);
    } else if (there) {
        gv_op_succeed(op, GAVAT_REACHED_NONE);
    } else {
        gv_files_say_made(op, dry);
    }
}

bool gv_files_check_folder(gv_files *self, gavat_op *op)
{
    bool there = gv_files_folder_is_there(self), writable = access(self->folder, R_OK | W_OK | X_OK) == 0;
    gv_op_succeed(op, GAVAT_REACHED_NONE);
    if (!there)
        gv_check_add(op, "folder", "fail", self->folder, "it is not there: run gavatctl init, or set MONGODB_URI to another one");
    else
        gv_check_add(op, "folder", writable ? "ok" : "fail", self->folder,
                     writable ? "" : "it cannot be read and written by this user: check its owner and mode");
    return there;
}
