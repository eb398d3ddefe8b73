/* test_stateful_table.c - every operator that keeps state, in every kind it has, under state that is never there when it is
 * asked for: the backend `pending` refuses each request once. Rows, watermarks and the clock come from a seed; what comes
 * out must be the same lines in the same order as from the backend `hashmap` with batches of one row.
 *
 * The table (support/stateful.h) is complete or this test fails: it goes through the registered operators and knows no
 * third kind besides those of the table and those that are named here as having no state; through every assigner, trigger,
 * evictor, aggregate and kind of state, too. */
#include "support/stateful.h"

#include "columns/function/agg.h"
#include "ground/base/prng.h"
#include "support/op_driver.h"

#include <thalweg/window.h>

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 90, SEEDS = 3, TEXT_MAX = 1 << 20 };

static char expected[TEXT_MAX], got[TEXT_MAX];

/* --- playing a case ------------------------------------------------------------------------------------------------------- */
static void rows_push(struct op_driver *d, uint32_t input, struct prng *r, int64_t time, bool is_ahead)
{
    static const char *const keys[] = {"a", "b", "a key that is too long to lie in its reference", "d", "e"};
    char rows[2048] = "";
    size_t at = 0;

    for (uint32_t i = 0, n = 1 + (uint32_t)prng_below(r, 9); i < n; i++)
        at += (size_t)snprintf(rows + at, sizeof rows - at, "@%lld %s | %d\n",
                               (long long)(time + (int64_t)prng_below(r, 16) - 8), keys[prng_below(r, COUNT_OF(keys))],
                               (int)prng_below(r, 60) + (is_ahead ? (int)time : 0));
    op_push(d, input, rows);
}

/* The port of a line: what stands in front of ": +I[", nothing for the main output. */
static size_t port_size(const char *line) { return strcspn(line, ":[\n"); }

static int line_compare(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    bool is_side[2] = {x[port_size(x)] == ':', y[port_size(y)] == ':'};
    int order = is_side[0] && is_side[1] ? strncmp(x, y, port_size(x)) : is_side[0] - is_side[1];

    return order != 0 ? order : x < y ? -1 : 1;
}

static void lines_sort(char *text, int (*compare)(const void *a, const void *b))
{
    static char copy[TEXT_MAX], *lines[TEXT_MAX / 8];
    size_t n = 0;

    strcpy(copy, text);
    for (char *at = copy; *at != 0; at = strchr(at, '\n') + 1) {
        assert_true(n < COUNT_OF(lines));
        lines[n++] = at;
    }
    qsort(lines, n, sizeof *lines, compare);
    for (size_t i = 0; i < n; i++) {
        size_t size = strcspn(lines[i], "\n") + 1;
        memcpy(text, lines[i], size);
        text += size;
    }
}

/* Lines of one port keep their order; how those of two ports meet is for nobody to say. */
static void by_port(char *text) { lines_sort(text, line_compare); }

/* one_in: every so manieth step another instance goes on, from a checkpoint; 0 = never. */
static void play(struct op_driver *d, bool two, bool is_ahead, uint64_t seed, uint32_t one_in, char *text)
{
    struct prng r, restarts;
    int64_t time = 100, watermark = 0, now = 1000;
    size_t size = 0;

    prng_init(&r, seed);
    prng_init(&restarts, seed + one_in);
    op_set_time(d, now);
    for (int step = 0; step < STEPS; step++) {
        uint64_t what = prng_below(&r, 10);
        if (what < 6) rows_push(d, two && prng_below(&r, 2) ? 1 : 0, &r, time, is_ahead);
        else if (what < 8 && time - 4 > watermark) op_push_watermark(d, watermark = time - 4);
        else op_set_time(d, now += (int64_t)prng_below(&r, 9));
        if (one_in > 0 && prng_below(&restarts, one_in) == 0) op_restart(d);
        time += (int64_t)prng_below(&r, 6) + (prng_below(&r, 15) == 0 ? 40 : 0);
        size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s", op_output(d));
        assert_true(size < TEXT_MAX - 1);
    }
    op_push_end(d);
    op_set_time(d, now + 1000);
    size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s", op_output(d));
    assert_true(size < TEXT_MAX - 1);
}

/* Answers how often state was pending. */
static uint32_t run(const struct stateful_case *c, const char *backend, uint32_t batch_rows, uint64_t seed, uint32_t one_in,
                    char *text)
{
    const struct op_type *type = op_find(c->op);
    bool two = type->input_count == 2;
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = type,
                                                              .config = c->config,
                                                              .in = STATEFUL_INPUT,
                                                              .in2 = two ? STATEFUL_INPUT : NULL,
                                                              .keys = c->unkeyed ? NULL : "k",
                                                              .keys2 = c->second_keyed ? "k" : NULL,
                                                              .batch_rows = batch_rows,
                                                              .backend = backend,
                                                              .checkpoints = one_in > 0});

    text[0] = 0;
    play(d, two, c->is_ahead, seed, one_in, text);
    if (op_driver_error(d)[0]) fail_msg("%s, %s: %s", c->op, c->kind, op_driver_error(d));
    by_port(text);
    uint32_t pending = op_pending_count(d);
    op_driver_free(d);
    return pending;
}

/* Where the first line begins that differs. */
static size_t line_differing(void)
{
    size_t line = 0;

    for (size_t i = 0; expected[i] == got[i]; i++)
        if (got[i] == '\n') line = i + 1;
    return line;
}

static void same_expect(const struct stateful_case *c, const char *backend, uint32_t batch_rows, uint64_t seed)
{
    if (strcmp(expected, got) == 0) return;
    size_t line = line_differing();
    fail_msg("%s, %s: on %s with batches of %u, seed %u, '%.90s' came instead of '%.90s'", c->op, c->kind, backend,
             batch_rows, (unsigned)seed, got + line, expected + line);
}

static void case_check(const struct stateful_case *c)
{
    static const uint32_t sizes[] = {1, 3, 0};
    uint32_t pending = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            bool is_first = i == 0 || c->is_swept;
            assert_int_equal(run(c, "hashmap", sizes[i], seed, 0, is_first ? expected : got), 0);
            if (!is_first) same_expect(c, "hashmap", sizes[i], seed);
            if (c->silent != (expected[0] == 0)) fail_msg("%s, %s: %s", c->op, c->kind, c->silent ? expected : "no rows");
            pending += run(c, "pending", sizes[i], seed, 0, got);
            same_expect(c, "pending", sizes[i], seed);
        }
    }
    if (c->nothing_asked != (pending == 0)) fail_msg("%s, %s: pending %u times", c->op, c->kind, pending);
}

static void every_case(struct stateful_list list)
{
    for (uint32_t i = 0; i < list.count; i++) case_check(&list.cases[i]);
}

static int whole_line_compare(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int order = strncmp(x, y, MIN(strcspn(x, "\n"), strcspn(y, "\n")));

    return order != 0 ? order : (strcspn(x, "\n") > strcspn(y, "\n")) - (strcspn(x, "\n") < strcspn(y, "\n"));
}

/* Whatever an instance knows goes through its checkpoint, or the rows are others. In which order keys give theirs when a time has come
 * is not among that. */
static bool restarts_check(const struct stateful_case *c)
{
    static const uint32_t one_in[] = {1, 7};

    const struct op_type *type = op_find(c->op);

    if (c->is_swept) return true; /* what has expired need not be saved */
    if (type->takes_no_checkpoints != NULL && type->takes_no_checkpoints(c->config) != NULL) return true;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(c, "hashmap", 0, seed, 0, expected);
        lines_sort(expected, whole_line_compare);
        for (uint32_t i = 0; i < COUNT_OF(one_in); i++) {
            run(c, "hashmap", i == 0 ? 0 : 3, seed, one_in[i], got);
            lines_sort(got, whole_line_compare);
            if (strcmp(expected, got) == 0) continue;
            print_error("%s, %s: when every %u. step is a restart, seed %u, '%.160s' comes instead of '%.160s'\n", c->op, c->kind,
                        one_in[i], (unsigned)seed, got + line_differing(), expected + line_differing());
            return false;
        }
    }
    return true;
}

static void every_restart(struct stateful_list list)
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < list.count; i++) wrong += !restarts_check(&list.cases[i]);
    assert_int_equal(wrong, 0);
}
static void functions_go_on_from_checkpoints(void **state)
{
    (void)state;
    every_restart(stateful_functions());
}
static void windows_go_on_from_checkpoints(void **state)
{
    (void)state;
    every_restart(stateful_windows());
}
/* Nothing stays in memory longer than a batch: all that an operator knows between two is in the map behind. Walks have an order of
 * their own. */
static bool behind_check(const struct stateful_case *c)
{
    static const uint32_t sizes[] = {0, 3, 1}, one_in[] = {0, 0, 7};
    const struct op_type *type = op_find(c->op);
    bool restarts = type->takes_no_checkpoints == NULL || type->takes_no_checkpoints(c->config) == NULL;

    if (c->is_swept) return true;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(c, "hashmap", 0, seed, 0, expected);
        lines_sort(expected, whole_line_compare);
        for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
            run(c, "rocksdb", sizes[i], seed, restarts ? one_in[i] : 0, got);
            lines_sort(got, whole_line_compare);
            if (strcmp(expected, got) == 0) continue;
            print_error("%s, %s: on rocksdb, batches of %u, seed %u, '%.160s' comes instead of '%.160s'\n", c->op, c->kind, sizes[i],
                        (unsigned)seed, got + line_differing(), expected + line_differing());
            return false;
        }
    }
    return true;
}

static void every_behind(struct stateful_list list)
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < list.count; i++) wrong += !behind_check(&list.cases[i]);
    assert_int_equal(wrong, 0);
}
static void functions_keep_state_on_disk(void **state)
{
    (void)state;
    every_behind(stateful_functions());
}
static void windows_keep_state_on_disk(void **state)
{
    (void)state;
    every_behind(stateful_windows());
}
static void functions_cope(void **state)
{
    (void)state;
    every_case(stateful_functions());
}
static void windows_cope(void **state)
{
    (void)state;
    every_case(stateful_windows());
}

/* --- the table is complete -------------------------------------------------------------------------------------------------- */
static const struct stateful_case *case_next(uint32_t *i)
{
    struct stateful_list a = stateful_functions(), b = stateful_windows();
    uint32_t at = (*i)++;

    return at < a.count ? &a.cases[at] : at - a.count < b.count ? &b.cases[at - a.count] : NULL;
}

static bool is_in_table(const char *op)
{
    uint32_t i = 0;

    for (const struct stateful_case *c; (c = case_next(&i)) != NULL;)
        if (strcmp(c->op, op) == 0) return true;
    return false;
}

/* Operators that have no state of a backend, and why; who adds one decides here. */
static const struct {
    const char *op, *why;
} stateless[] = {
    {"async", "requests are held in memory of its own"},
    {"async_calc", "requests are held in memory of its own"},
    {"async_sink", "entries are held in memory of its own"},
    {"committer", "committables are held in memory of its own"},
    {"batch", "its function may declare no state"},
    {"calc", "row by row"},
    {"drop_update_before", "row by row"},
    {"harness_input", "the test's end of a stream"},
    {"harness_output", "the test's end of a stream"},
    {"key_by", "hashes rows"},
    {"ledger", "the simulator's end of a stream: pages of rows lie in its committables"},
    {"local_groups", "parts of one batch"},
    {"lookup_join", "its table is held in memory of its own"},
    {"async_lookup_join", "requests and cache are held in memory of its own"},
    {"over_partition", "rows are held in memory of its own"},
    {"project", "row by row"},
    {"rank_sift", "rows of one batch"},
    {"rank_sorted", "rows are held in memory of its own, or in files"},
    {"sink", "the connector's"},
    {"sort_rows", "rows are held in memory of its own, or in files"},
    {"sort_merge_join", "rows are held in memory of its own, or in files"},
    {"sink_function", "its function may declare no state"},
    {"sink_stamp", "row by row"},
    {"source", "the connector's"},
    {"source_function", "without input: lists of the operator, in memory"},
    {"union", "passes on"},
    {"unnest", "row by row"},
    {"watermarks", "a clock per input"},
    {"from_stream", "row by row"},
    {"to_stream", "row by row"},
    {"where", "row by row"},
    {"window_bounds", "row by row"},
    {"window_tvf", "row by row"},
};

static void every_operator_is_in_the_table_or_stateless(void **state)
{
    uint32_t known = 0;

    (void)state;
    for (size_t i = 0; op_types[i] != NULL; i++) {
        const struct op_type *type = op_types[i];
        bool listed = false;
        for (size_t s = 0; s < COUNT_OF(stateless); s++) listed |= strcmp(stateless[s].op, type->name) == 0;
        if (listed == is_in_table(type->name))
            fail_msg("operator '%s' is %s", type->name,
                     listed ? "in the table and said to have no state"
                            : "new: give it cases in test/support/stateful_*.c, or say here why it has no state");
        if (listed && (type->flags & (OP_NEEDS_KEY | OP_STATE)) != 0)
            fail_msg("operator '%s' has a state host, and is said to have no state", type->name);
        known += listed;
    }
    assert_int_equal(known, COUNT_OF(stateless)); /* none is left that is gone */
}

static bool is_window(const struct stateful_case *c) { return op_find(c->op)->config_size == sizeof(struct window_config); }

static void every_kind_of_window_is_in_the_table(void **state)
{
    uint32_t assigners = 0, triggers = 0, evictors = 0, i = 0;

    (void)state;
    for (const struct stateful_case *c; (c = case_next(&i)) != NULL;) {
        const struct window_config *w = c->config;
        if (!is_window(c)) continue;
        assigners |= 1u << w->assigner;
        triggers |= 1u << w->trigger;
        evictors |= 1u << w->evictor;
    }
    assert_int_equal(assigners, (2u << TW_CUSTOM_WINDOWS) - 1);
    assert_int_equal(triggers, (2u << TW_TRIGGER_CUSTOM) - 1);
    assert_int_equal(evictors, (2u << TW_EVICT_DELTA) - 1);
}

static bool has_aggregate(const struct stateful_case *c, const char *name)
{
    const struct window_config *w = c->config;
    size_t size = strlen(name);

    for (uint32_t i = 0; is_window(c) && i < w->aggregates.count; i++)
        if (strncmp(w->aggregates.items[i], name, size) == 0 && w->aggregates.items[i][size] == '(') return true;
    return false;
}

static void every_aggregate_is_in_the_table(void **state)
{
    (void)state;
    for (size_t a = 0; agg_types[a] != NULL; a++) {
        bool found = false;
        uint32_t i = 0;
        if (agg_types[a]->add == NULL) continue; /* keeps values, which window_columns refuses */
        for (const struct stateful_case *c; (c = case_next(&i)) != NULL;) found |= has_aggregate(c, agg_types[a]->name);
        if (!found) fail_msg("aggregate '%s' is in no case of window_columns", agg_types[a]->name);
    }
}

static void every_kind_of_state_is_in_the_table(void **state)
{
    uint32_t kinds = 0, i = 0;

    (void)state;
    for (const struct stateful_case *c; (c = case_next(&i)) != NULL;)
        for (uint32_t f = 0; f < COUNT_OF(c->functions); f++)
            for (uint32_t s = 0; c->functions[f] && s < TW_STATES_MAX && c->functions[f]->states[s]; s++)
                kinds |= 1u << c->functions[f]->states[s]->kind;
    assert_int_equal(kinds, (2u << TW_OPERATOR_UNION) - (1u << TW_VALUE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_keep_state_on_disk), cmocka_unit_test(windows_keep_state_on_disk),
        cmocka_unit_test(functions_cope),
        cmocka_unit_test(windows_cope),
        cmocka_unit_test(functions_go_on_from_checkpoints),
        cmocka_unit_test(windows_go_on_from_checkpoints),
        cmocka_unit_test(every_operator_is_in_the_table_or_stateless),
        cmocka_unit_test(every_kind_of_window_is_in_the_table),
        cmocka_unit_test(every_aggregate_is_in_the_table),
        cmocka_unit_test(every_kind_of_state_is_in_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
