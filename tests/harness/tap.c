/* tap.c: every test program speaks TAP, also one that replaces its environment, where cmocka looks for CMOCKA_MESSAGE_OUTPUT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

__attribute__((constructor)) static void speak_tap(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
}
