/* refused.c - takes what tw_error says apart: file, line, text. */
#include "support/refused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void refused_expect(struct tw_env *env, const char *file, int line, const char *text)
{
    size_t size = strlen(file);
    char *rest;

    tw_quiet(env, true);
    assert_int_equal(tw_execute(env, "wrong"), 1);
    const char *told = tw_error(env);
    if (line > 0) {
        assert_int_equal(strncmp(told, file, size), 0);
        assert_int_equal(told[size], ':');
        assert_in_range(strtol(told + size + 1, &rest, 10), line, line + 3);
        assert_int_equal(strncmp(rest, ": ", 2), 0);
        told = rest + 2;
    }
    assert_string_equal(told, text);
    assert_null(tw_job_result(env)); /* nothing ran */
    tw_env_free(env);
}
