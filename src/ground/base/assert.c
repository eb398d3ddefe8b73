/* assert.c - what a broken assertion does: says where, shows the stack, ends the process. */
#include "ground/base/base.h"

#include "ground/sys/sys_memory.h"

#include <stdio.h>

_Noreturn void assert_failed(const char *expression, const char *file, int line)
{
    char text[512];

    snprintf(text, sizeof text, "%s:%d: assertion failed: %s\n", file, line, expression);
    sys_panic(text);
}
