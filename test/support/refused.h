/* refused.h - graphs with a mistake: what tw_execute says, and which line of the test it blames. */
#pragma once
#include <thalweg/thalweg.h>

/* Executes and frees env: it must be refused with `text` at that line of that file, or up to three behind, before anything
 * runs. The line of a call in a macro's argument is that of the call or of the macro's end, as the compiler has it; a case
 * takes three lines at most, and no other call of its environment is as near. Line 0: the mistake is of no call. */
void refused_expect(struct tw_env *env, const char *file, int line, const char *text);

#define REFUSED(text, ...)                                                                                             \
    do {                                                                                                               \
        struct tw_env *env = tw_env_create();                                                                          \
        __VA_ARGS__;                                                                                                   \
        refused_expect(env, __FILE__, __LINE__, text);                                                                 \
    } while (0)
#define REFUSED_EVERYWHERE(text, ...)                                                                                  \
    do {                                                                                                               \
        struct tw_env *env = tw_env_create();                                                                          \
        __VA_ARGS__;                                                                                                   \
        refused_expect(env, __FILE__, 0, text);                                                                        \
    } while (0)
