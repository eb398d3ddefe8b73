/* sys_linux_cpu.c - does this processor have what the build uses?
 *
 * The build is for x86-64-v3; on an older processor it would end with "illegal instruction", which says nothing. This file
 * alone is compiled for any x86-64 (cmake/engine.cmake) and asked before all others. One bit of each family is looked at:
 * a processor that has these has the rest of the level. Whether the kernel saves the wide registers is part of "avx2". */
#include "ground/sys/sys_linux_internal.h"

#include <string.h>
#include <unistd.h>

static const char *cpu_lacks(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return "AVX2";
    if (!__builtin_cpu_supports("fma")) return "FMA";
    if (!__builtin_cpu_supports("bmi")) return "BMI1";
    if (!__builtin_cpu_supports("bmi2")) return "BMI2";
    return NULL;
}

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored;
}

void sys_linux_cpu_check(void)
{
    const char *missing = cpu_lacks();

    if (missing == NULL) return;
    say("thalweg: this processor has no ");
    say(missing);
    say(", which this build needs (x86-64-v3: Intel since Haswell, AMD since Excavator); run it on such a processor, or give "
        "the virtual machine the host's processor model\n");
    _exit(1);
}
