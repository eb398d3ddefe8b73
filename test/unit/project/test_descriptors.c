/* test_descriptors.c - everything that registers itself says who it is: each name once, in order, with a doc text, and
 * every option with a doc text of its own; a list of choices holds the default. */
#include "columns/function/agg.h"
#include "flow/connector/connector.h"
#include "flow/format/format.h"
#include "flow/operator/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { DOC_MIN = 8 };

/* Names come sorted by the registry, so equal ones would be neighbours. */
static void descriptor_check(const char *name, const char *doc, const char *previous)
{
    assert_non_null(name);
    assert_true(name[0] != 0);
    if (doc == NULL || strlen(doc) < DOC_MIN) {
        fail_msg("%s has no doc text", name);
    }
    if (previous != NULL && strcmp(previous, name) == 0) {
        fail_msg("%s is registered twice", name);
    }
}

static void options_check_docs(const char *owner, const struct option_def *options)
{
    for (; options != NULL && options->key != NULL; options++) {
        if (options->doc == NULL || strlen(options->doc) < DOC_MIN) {
            fail_msg("option %s of %s has no doc text", options->key, owner);
        }
        if (options->kind == OPT_ENUM) {
            assert_non_null(options->choices);
            assert_true(options->required || options->fallback == NULL ||
                        strstr(options->choices, options->fallback) != NULL);
        }
    }
}

static void operators_have_docs(void **state)
{
    (void)state;
    assert_non_null(op_types[0]);
    for (size_t i = 0; op_types[i] != NULL; i++) {
        descriptor_check(op_types[i]->name, op_types[i]->doc, i > 0 ? op_types[i - 1]->name : NULL);
        for (const struct config_field *f = op_types[i]->config_fields; f != NULL && f->name != NULL; f++) {
            assert_true(f->offset < op_types[i]->config_size);
        }
    }
}

static void connectors_have_docs(void **state)
{
    (void)state;
    assert_non_null(conn_types[0]);
    for (size_t i = 0; conn_types[i] != NULL; i++) {
        descriptor_check(conn_types[i]->name, conn_types[i]->doc, i > 0 ? conn_types[i - 1]->name : NULL);
        options_check_docs(conn_types[i]->name, conn_types[i]->options);
        assert_true(conn_types[i]->source != NULL || conn_types[i]->sink != NULL || conn_types[i]->lookup != NULL);
    }
}

static void formats_have_docs(void **state)
{
    (void)state;
    assert_non_null(fmt_types[0]);
    for (size_t i = 0; fmt_types[i] != NULL; i++) {
        descriptor_check(fmt_types[i]->name, fmt_types[i]->doc, i > 0 ? fmt_types[i - 1]->name : NULL);
        options_check_docs(fmt_types[i]->name, fmt_types[i]->options);
    }
}

static void aggregates_have_docs(void **state)
{
    (void)state;
    assert_non_null(agg_types[0]);
    for (size_t i = 0; agg_types[i] != NULL; i++) {
        descriptor_check(agg_types[i]->name, agg_types[i]->doc, i > 0 ? agg_types[i - 1]->name : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_have_docs),
        cmocka_unit_test(connectors_have_docs),
        cmocka_unit_test(formats_have_docs),
        cmocka_unit_test(aggregates_have_docs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
