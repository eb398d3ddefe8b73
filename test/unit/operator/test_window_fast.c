/* test_window_fast.c - the fast ways of the window engine beside its general one, on random rows: sessions that have an
 * accumulator and no lateness, triggers whose states lie beside the contents and whose rows go in rounds, count windows whose
 * rows are folded as they lie in state or that have accumulators in a ring. Folds depend on the order of rows, batches are of
 * one row and of many, state is pending; the lines are the same. */
#include <thalweg/thalweg.h>

#include "ground/base/prng.h"
#include "support/op_driver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct op_type op_window, op_window_columns;

enum { TEXT_MAX = 1 << 20, LINES_MAX = 1 << 16, GAP = 10 };

/* --- running ------------------------------------------------------------------------------------------------------ */
struct play {
    const struct op_type *type;
    const struct window_config *config;
    const char *in;
    uint64_t seed;
    uint32_t keys, rows, jump; /* rows of a push at most; how far time goes on after one */
    bool null_keys, no_late;
};

/* Rows wander around a time that grows; watermarks lag behind it or catch up. */
static void push_all(struct op_driver *d, const struct play *p, char *text)
{
    struct prng r;
    int64_t time = 100, watermark = 0;
    size_t size = 0;

    prng_init(&r, p->seed);
    for (int step = 0; step < 50; step++) {
        char rows[8192];
        size_t at = 0;
        rows[0] = 0;
        for (uint64_t i = 0; i <= prng_below(&r, p->rows); i++) {
            uint64_t key = prng_below(&r, p->keys);
            int64_t t = time + (int64_t)prng_below(&r, 60) - 30;
            at += (size_t)snprintf(rows + at, sizeof rows - at, "@%lld ", (long long)t);
            at += (size_t)(p->null_keys && key == 0
                               ? snprintf(rows + at, sizeof rows - at, "null")
                               : snprintf(rows + at, sizeof rows - at, "%llu", (unsigned long long)key));
            at += (size_t)snprintf(rows + at, sizeof rows - at, " | %d\n", (int)prng_below(&r, 100));
        }
        op_push(d, 0, rows);
        int64_t next = time - (int64_t)prng_below(&r, 40);
        if (prng_below(&r, 2) == 0 && next > watermark) op_push_watermark(d, watermark = next);
        time += (int64_t)prng_below(&r, p->jump);
        size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s--\n", op_output(d));
    }
    op_push_end(d);
    size += (size_t)snprintf(text + size, TEXT_MAX - size, "%s", op_output(d));
    assert_true(size < TEXT_MAX - 1);
    assert_string_equal(op_driver_error(d), "");
}

static void run(const struct play *p, uint32_t batch_rows, const char *backend, char *text)
{
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = p->type,
                                                              .config = p->config,
                                                              .in = p->in,
                                                              .keys = "k",
                                                              .unused_port = p->no_late ? "late" : NULL,
                                                              .batch_rows = batch_rows,
                                                              .backend = backend});

    assert_string_equal(op_driver_error(d), "");
    text[0] = 0;
    push_all(d, p, text);
    if (strcmp(backend, "pending") == 0) assert_true(op_pending_count(d) > 0);
    op_driver_free(d);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Lines between two steps in the order of their text: which key comes first at one time is not said. */
static void sort_steps(char *text, char *out)
{
    static char *lines[LINES_MAX];
    size_t n = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strcmp(line, "--") != 0) {
            assert_true(n < LINES_MAX);
            lines[n++] = line;
            continue;
        }
        qsort(lines, n, sizeof *lines, by_text);
        for (size_t i = 0; i < n; i++) out += sprintf(out, "%s\n", lines[i]);
        out += sprintf(out, "--\n");
        n = 0;
    }
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++) out += sprintf(out, "%s\n", lines[i]);
    *out = 0;
}

static char text[TEXT_MAX], first[TEXT_MAX], expected[TEXT_MAX], sorted[TEXT_MAX];

/* Says where they differ. */
static void same_text(const char *a, const char *b)
{
    const char *line = a;

    if (strcmp(a, b) == 0) return;
    for (; *a != 0 && *a == *b; a++, b++)
        if (*a == '\n') line = a + 1;
    fail_msg("\"%.60s\" instead of \"%.60s\", which goes on as %.60s", line, b - (a - line), b);
}

/* The fast way says the same whatever the batches, byte by byte, and what the general one says. */
static void same(struct play fast, struct play general, bool any_order)
{
    static const uint32_t sizes[] = {0, 1, 3};

    run(&general, 0, "hashmap", text);
    assert_true(strlen(text) > 400);
    if (any_order)
        sort_steps(text, expected);
    else
        strcpy(expected, text);
    for (uint32_t i = 0; i < 6; i++) {
        run(&fast, sizes[i / 2], i % 2 ? "pending" : "hashmap", text);
        if (i == 0) strcpy(first, text);
        same_text(text, first);
        if (any_order) sort_steps(text, sorted);
        same_text(any_order ? sorted : text, expected);
    }
}

/* --- folds in which order counts ---------------------------------------------------------------------------------- */
struct pair {
    struct tw_str k;
    int64_t v;
};
TW_ROW(pair, TW_FIELD(pair, k, "STRING NOT NULL"), TW_FIELD(pair, v, "BIGINT NOT NULL"));
struct number {
    int64_t k, v;
};
TW_ROW(number, TW_FIELD(number, k, "BIGINT NOT NULL"), TW_FIELD(number, v, "BIGINT NOT NULL"));
struct small {
    int64_t k;
    int32_t v;
};
TW_ROW(small, TW_FIELD(small, k, "BIGINT NOT NULL"), TW_FIELD(small, v, "INT NOT NULL"));
struct sum {
    int64_t v, rows;
};
TW_ROW(sum, TW_FIELD(sum, v, "BIGINT NOT NULL"), TW_FIELD(sum, rows, "BIGINT NOT NULL"));

static int64_t next_of(int64_t v, int64_t more) { return (v * 31 + more) % 1000003; }

static enum tw_status pair_reduce(struct tw_context *cx, const void *left, const void *right, void *out)
{
    const struct pair *a = left, *b = right;

    (void)cx;
    *(struct pair *)out = (struct pair){.k = b->k, .v = next_of(a->v, b->v)};
    return TW_OK;
}
static enum tw_status sum_create(struct tw_context *cx, void *acc)
{
    (void)cx;
    ((struct sum *)acc)->v = 7;
    return TW_OK;
}
static void sum_add(struct sum *s, int64_t v)
{
    s->v = next_of(s->v, v);
    s->rows++;
}
static enum tw_status number_add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    sum_add(acc, ((const struct number *)in)->v);
    return TW_OK;
}
static enum tw_status small_add(struct tw_context *cx, void *acc, const void *in)
{
    (void)cx;
    sum_add(acc, ((const struct small *)in)->v);
    return TW_OK;
}
static enum tw_status sum_merge(struct tw_context *cx, void *acc, const void *other)
{
    struct sum *a = acc;
    const struct sum *b = other;

    (void)cx;
    a->v = next_of(a->v, b->v);
    a->rows += b->rows;
    return TW_OK;
}
static enum tw_status number_result(struct tw_context *cx, const void *acc, void *out)
{
    const struct sum *s = acc;

    (void)cx; /* the key is filled in by its name */
    ((struct number *)out)->v = s->v * 1000 + s->rows;
    return TW_OK;
}
struct only {
    int64_t v;
};
TW_ROW(only, TW_FIELD(only, v, "BIGINT NOT NULL"));

static enum tw_status value_gap(struct tw_context *cx, const void *in, int64_t *gap)
{
    (void)cx;
    *gap = 3 + ((const struct only *)in)->v % 20;
    return TW_OK;
}
static enum tw_status fixed_assign(struct tw_context *cx, const void *in, int64_t time_ms, struct tw_window *out,
                                   uint32_t max, uint32_t *n)
{
    (void)cx, (void)in, (void)max;
    out[(*n)++] = (struct tw_window){time_ms, time_ms + GAP};
    return TW_OK;
}
static enum tw_status value_assign(struct tw_context *cx, const void *in, int64_t time_ms, struct tw_window *out,
                                   uint32_t max, uint32_t *n)
{
    int64_t gap;
    (void)max;
    enum tw_status st = value_gap(cx, in, &gap);

    out[(*n)++] = (struct tw_window){time_ms, time_ms + gap};
    return st;
}
static const struct tw_function pairs = {.in = &pair_row, .reduce = pair_reduce};
static const struct tw_function numbers = {.in = &number_row,
                                           .acc = &sum_row,
                                           .out = &number_row,
                                           .create = sum_create,
                                           .add = number_add,
                                           .merge = sum_merge,
                                           .result = number_result};
static const struct tw_function smalls = {.in = &small_row,
                                          .acc = &sum_row,
                                          .out = &number_row,
                                          .create = sum_create,
                                          .add = small_add,
                                          .merge = sum_merge,
                                          .result = number_result};
static const struct tw_function gaps = {.in = &only_row, .session_gap = value_gap},
                                fixed = {.in = &only_row, .assign = fixed_assign},
                                by_value = {.in = &only_row, .assign = value_assign};
#define FN(f)                                                                                                          \
    {                                                                                                                  \
        .name = #f, .fn = &f                                                                                           \
    }
static const char *const strings_in = "ROW<k STRING NOT NULL, v BIGINT NOT NULL>",
                         *const numbers_in = "ROW<k BIGINT NOT NULL, v BIGINT NOT NULL>";

/* --- sessions ----------------------------------------------------------------------------------------------------- */
/* The general way: custom windows that merge and are what sessions are. */
static void same_sessions(struct play p, struct window_config c)
{
    struct window_config general = c;
    struct play g = p;

    general.assigner = TW_CUSTOM_WINDOWS;
    general.merging = true;
    general.assign = c.assign.fn != NULL ? (struct function_ref)FN(by_value) : (struct function_ref)FN(fixed);
    p.config = &c;
    g.config = &general;
    same(p, g, true);
}

static void sessions_of_callbacks(void **state)
{
    struct window_config reduced = {.function = FN(pairs), .assigner = TW_SESSION, .gap_ms = GAP};
    struct window_config folded = {.function = FN(numbers), .assigner = TW_SESSION, .gap_ms = GAP};
    struct window_config dynamic = {.function = FN(numbers), .assigner = TW_SESSION, .assign = FN(gaps)};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct play p = {.type = &op_window,
                         .in = strings_in,
                         .seed = seed,
                         .keys = 2 + (uint32_t)seed % 5,
                         .rows = 30,
                         .jump = 100};
        same_sessions(p, reduced);
        p.in = numbers_in;
        folded.trigger_purging = seed % 2;
        same_sessions(p, folded);
        same_sessions(p, dynamic);
    }
}

static void sessions_of_columns(void **state)
{
    static const char *const columns[] = {"count(*) AS n", "sum(v) AS s", "min(v) AS a", "max(v) AS z"};
    struct window_config c = {.assigner = TW_SESSION, .gap_ms = GAP, .aggregates = {columns, 4}};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct play p = {.type = &op_window_columns,
                         .in = "ROW<k BIGINT, v BIGINT NOT NULL>",
                         .seed = seed,
                         .keys = 4,
                         .rows = 100,
                         .jump = 40,
                         .null_keys = true};
        same_sessions(p, c);
    }
}

/* More keys are due than one batch of timers holds: ends come in order all the same, of one end the lesser key first. */
static void many_keys_at_once(void **state)
{
    static const char *const count[] = {"count(*) AS n"};
    struct window_config c = {.assigner = TW_SESSION, .gap_ms = GAP, .aggregates = {count, 1}};
    struct prng r;

    (void)state;
    for (uint32_t times = 1; times <= 3; times++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = &op_window_columns, .config = &c, .in = numbers_in, .keys = "k", .unused_port = "late"});
        uint32_t fired = 0, pushed = 0;
        prng_init(&r, times);
        for (int key = 0; key < 7000; key++) {
            char row[64];
            int64_t time = times == 3 ? (int64_t)prng_below(&r, 5000) : 100 * (int64_t)prng_below(&r, times);
            for (uint32_t more = 0; more < 2; more++, pushed++, time += times == 2 ? 400 : 15) {
                snprintf(row, sizeof row, "@%lld %d | 1\n", (long long)time, (int)((key * 31LL) % 7001));
                op_push(d, 0, row);
            }
        }
        op_push_end(d);
        long long end_before = -1, key_before = -1;
        for (const char *at = op_output(d); (at = strstr(at, "+I[")) != NULL; at++, fired++) {
            long long key = strtoll(at + 3, NULL, 10), end = strtoll(strstr(at, "]@") + 2, NULL, 10);
            assert_true(end > end_before || (end == end_before && key > key_before));
            assert_true(strncmp(strstr(at, "]@") - 3, ", 1", 3) == 0);
            end_before = end;
            key_before = key;
        }
        assert_int_equal(fired, pushed);
        op_driver_free(d);
    }
}

/* --- triggers ----------------------------------------------------------------------------------------------------- */
static const struct tw_state seen = {.name = "seen", .kind = TW_VALUE, .value = "BIGINT"},
                             unused = {.name = "unused", .kind = TW_LIST, .value = "BIGINT"};

/* Fires after some rows, purges sometimes, forgets sometimes: nothing that a second state would not see. */
static enum tw_status moody_on_element(struct tw_context *cx, const void *in, int64_t time_ms,
                                       const struct tw_window *w, enum tw_trigger_result *r)
{
    int64_t v = ((const struct number *)in)->v, n = tw_value_long(cx, &seen, 100) + 1;

    (void)time_ms, (void)w;
    if (v % 7 == 0) {
        tw_state_clear(cx, &seen);
        *r = v % 2 ? TW_PURGE : TW_CONTINUE;
        return TW_OK;
    }
    tw_value_set_long(cx, &seen, n);
    if (n % 3 == 0) *r = v % 2 ? TW_FIRE : TW_FIRE_AND_PURGE;
    return TW_OK;
}
static enum tw_status moody_clear(struct tw_context *cx, const struct tw_window *w)
{
    (void)w;
    tw_state_clear(cx, &seen);
    return TW_OK;
}
static const struct tw_function beside = {
    .in = &number_row, .on_element = moody_on_element, .clear = moody_clear, .states = {&seen}};
static const struct tw_function apart = {
    .in = &number_row, .on_element = moody_on_element, .clear = moody_clear, .states = {&seen, &unused}};

/* The fold as a window function: rows are kept, and each firing adds them up. */
static enum tw_status add_up(struct tw_context *cx, const struct tw_window *w, struct tw_elements *elements)
{
    struct sum s = {.v = 7};
    struct number out = {0};

    (void)w;
    for (const struct number *in; (in = tw_next(elements)) != NULL; out.k = in->k) sum_add(&s, in->v);
    out.v = s.v * 1000 + s.rows;
    tw_collect(cx, &out);
    return TW_OK;
}
static const struct tw_function kept = {.in = &number_row, .out = &number_row, .window = add_up};

static void triggers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct window_config c = {.function = FN(numbers),
                                  .assigner = seed % 2 ? TW_GLOBAL : TW_TUMBLING,
                                  .size_ms = 50,
                                  .trigger = TW_TRIGGER_CUSTOM,
                                  .trigger_function = FN(beside)};
        struct window_config tables = c, rows = c;
        struct play p = {.type = &op_window,
                         .config = &c,
                         .in = numbers_in,
                         .seed = seed,
                         .keys = 3 + (uint32_t)seed % 20,
                         .rows = 200,
                         .jump = 30,
                         .no_late = true};
        struct play t = p, k = p;
        tables.trigger_function = (struct function_ref)FN(apart);
        rows.function = (struct function_ref)FN(kept);
        t.config = &tables;
        k.config = &rows;
        same(p, t, false);
        same(p, k, false);
    }
}

/* --- count windows ------------------------------------------------------------------------------------------------ */
static void sliding_counts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct window_config c = {.function = FN(numbers),
                                  .assigner = TW_COUNT,
                                  .count = 1,
                                  .trigger = TW_TRIGGER_COUNT,
                                  .trigger_count = 1 + (int64_t)seed % 4,
                                  .evictor = TW_EVICT_COUNT,
                                  .evictor_count = 1 + (int64_t)(seed * 7) % 30};
        struct window_config other = c;
        struct play p = {
            .type = &op_window, .config = &c, .in = numbers_in, .seed = seed, .keys = 3, .rows = 200, .jump = 30};
        struct play o = p;
        other.function = (struct function_ref)FN(smalls);
        o.config = &other;
        o.in = "ROW<k BIGINT NOT NULL, v INT NOT NULL>";
        same(p, o, false);
    }
}

/* Accumulators in a ring beside rows that are kept: a trigger that is spelled out is not the default. */
static void rings_of_counts(void **state)
{
    static const int64_t windows[] = {1, 2, 3, 10, 32};

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        int64_t slide = 1 + (int64_t)seed % 4;
        struct window_config c = {.function = FN(numbers),
                                  .assigner = TW_COUNT,
                                  .count = slide * windows[seed % 5],
                                  .count_slide = slide,
                                  .trigger_count = slide,
                                  .evictor = TW_EVICT_COUNT,
                                  .evictor_count = slide * windows[seed % 5]};
        struct window_config other = c;
        struct play p = {
            .type = &op_window, .config = &c, .in = numbers_in, .seed = seed, .keys = 3, .rows = 200, .jump = 30};
        struct play o = p;
        other.trigger = TW_TRIGGER_COUNT;
        o.config = &other;
        same(p, o, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_callbacks), cmocka_unit_test(sessions_of_columns),
        cmocka_unit_test(many_keys_at_once),     cmocka_unit_test(triggers),
        cmocka_unit_test(sliding_counts),        cmocka_unit_test(rings_of_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
