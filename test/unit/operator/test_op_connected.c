/* test_op_connected.c - operators that pass rows on or connect streams without state: union, key_by, batch, co_map,
 * co_flat_map, side outputs, sinks and sources of the user, custom partitioning. */
#include "flow/operator/user_partition.h"
#include "flow/source/watermark.h"
#include "flow/task/job_shared.h"
#include "support/op_driver.h"
#include "support/rows.h"

#include <thalweg/context.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const uint32_t sizes[] = {0, 1, 3};

struct word {
    struct tw_str word;
    int32_t n;
};
TW_ROW(word, TW_FIELD(word, word, "STRING NOT NULL"), TW_FIELD(word, n, "INT NOT NULL"));
struct number {
    int64_t n;
};
TW_ROW(number, TW_FIELD(number, n, "BIGINT NOT NULL"));

#define WORDS "ROW<word STRING, n INT>"

/* --- union ------------------------------------------------------------------------------------------------------------ */
static void union_passes_batches(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("union"),
                                                                  .in = "ROW<word STRING NOT NULL, n INT>",
                                                                  .in2 = WORDS,
                                                                  .batch_rows = sizes[i],
                                                                  .watermarks = true});
        op_push(d, 0, "@1 a | 1\n-D b | 2");
        op_push(d, 1, "c | null");
        op_push_watermark(d, 7);
        assert_string_equal(op_output(d), "+I[a, 1]@1\n-D[b, 2]\n+I[c, null]\nW@7\n");
        assert_true(op_driver_output(d, 0)->children[0]->nullable);
        op_driver_free(d);
    }
}

static void union_refuses_different_rows(void **state)
{
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("union"), .in = WORDS, .in2 = "ROW<word STRING, n BIGINT>"});

    (void)state;
    assert_string_equal(op_driver_error(d),
                        "a union needs streams of equal rows, but these are ROW<`word` STRING, `n` INT> and "
                        "ROW<`word` STRING, `n` BIGINT>");
    op_driver_free(d);
}

/* --- key_by -------------------------------------------------------------------------------------------------------------- */
struct initial {
    struct tw_str initial;
    int64_t length;
};
TW_ROW(initial, TW_FIELD(initial, initial, "STRING NOT NULL"), TW_FIELD(initial, length, "BIGINT NOT NULL"));

static enum tw_status key_of_word(struct tw_context *cx, const void *in, void *key)
{
    const struct word *w = in;
    struct initial *k = key;
    char *self = tw_self(cx);

    self[0] = (char)(w->word.data[0] & ~32);
    k->initial = (struct tw_str){self, 1};
    k->length = (int64_t)w->word.size;
    return TW_OK;
}
TW_FUNCTION(by_initial) = {.in = &word_row, .key = &initial_row, .self_size = 1, .select_key = key_of_word};

static void key_by_appends_the_key(void **state)
{
    struct function_config c = {{.name = "by_initial", .fn = &by_initial}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("key_by"),
                                                                  .config = &c,
                                                                  .in = "ROW<x DOUBLE, word STRING, n INT>",
                                                                  .batch_rows = sizes[i]});
        op_push(d, 0, "@1 1.5 | alpha | 1\n-U null | beta | 2\n@3 2.5 | comprehensive words | 3\n0.0 | d | 4");
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[1.5, alpha, 1, A, 5]@1\n-U[null, beta, 2, B, 4]\n"
                                          "+I[2.5, comprehensive words, 3, C, 19]@3\n+I[0.0, d, 4, D, 1]\n");
        op_driver_free(d);
    }
}

static void key_by_refuses_a_name_that_is_taken(void **state)
{
    struct function_config c = {{.name = "by_initial", .fn = &by_initial}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("key_by"), .config = &c, .in = "ROW<word STRING, n INT, length INT>"});

    (void)state;
    assert_string_equal(
        op_driver_error(d),
        "function 'by_initial': its key 'length' is already a column of the stream (give the key's field "
        "another name, or use tw_key_by with the column)");
    op_driver_free(d);
}

/* --- batch --------------------------------------------------------------------------------------------------------------- */
static enum tw_status doubled(struct tw_context *cx, const struct tw_batch *in)
{
    uint32_t rows = tw_batch_rows(in), out = 0;
    const int32_t *n = tw_batch_values(in, 1);
    struct tw_str *words = tw_batch_out(cx, 0);
    int32_t *twice = tw_batch_out(cx, 1);

    for (uint32_t i = 0; i < rows; i++) {
        if (n[i] < 0) continue;
        words[out] = tw_batch_str(in, 0, i);
        twice[out++] = 2 * n[i];
    }
    tw_batch_emit(cx, out);
    return TW_OK;
}
TW_FUNCTION(twice) = {.in = &word_row, .out = &word_row, .batch = doubled};

static void batch_sees_columns(void **state)
{
    struct function_config c = {{.name = "twice", .fn = &twice}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("batch"), .config = &c, .in = "ROW<n INT, word STRING>"});

    (void)state;
    op_push(d, 0, "@5 1 | a\n+U @4 2 | a word of some length");
    assert_string_equal(op_output(d), "+I[a, 2]@5\n+U[a word of some length, 4]@4\n");
    op_push(d, 0, "@5 1 | a\n@6 -2 | b\n@7 -3 | c");
    assert_string_equal(op_output(d), "+I[a, 2]@7\n");
    op_push(d, 0, "1 | null");
    assert_string_equal(
        op_driver_error(d),
        "NULL in column 'word', but row type 'word' has no place for it (give the row type a null mask with "
        "TW_NULLS, and look at tw_batch_validity)");
    op_driver_free(d);
}

static enum tw_status odd_rows(struct tw_context *cx, const struct tw_batch *in)
{
    uint16_t rows[2048];
    uint32_t count = 0;
    const int32_t *n = tw_batch_values(in, 1);

    for (uint32_t i = 0; i < tw_batch_rows(in); i++)
        if (n[i] % 2) rows[count++] = (uint16_t)i;
    tw_batch_select(cx, rows, count);
    return TW_OK;
}
TW_FUNCTION(odd) = {.in = &word_row, .batch = odd_rows};

static void batch_may_select_rows(void **state)
{
    struct function_config c = {{.name = "odd", .fn = &odd}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("batch"), .config = &c, .in = "ROW<n INT, word STRING, z INT>"});

    (void)state;
    op_push(d, 0, "@5 1 | a | null\n2 | b | 1\n-D 3 | c | 2");
    assert_string_equal(op_output(d), "+I[1, a, null]@5\n-D[3, c, 2]\n");
    op_driver_free(d);
}

static enum tw_status wrong_call(struct tw_context *cx, const struct tw_batch *in)
{
    tw_batch_emit(cx, tw_batch_rows(in));
    return TW_OK;
}
TW_FUNCTION(wrong_batch) = {.in = &word_row, .batch = wrong_call};

static void misuse_of_a_batch_is_told(void **state)
{
    struct function_config c = {{.name = "wrong_batch", .fn = &wrong_batch}};
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("batch"), .config = &c, .in = WORDS});

    (void)state;
    op_push(d, 0, "a | 1");
    assert_string_equal(op_driver_error(d),
                        "tw_batch_emit: a function with a row type .out emits columns, one without selects rows");
    op_driver_free(d);
}

/* --- two streams ------------------------------------------------------------------------------------------------------------ */
static enum tw_status from_word(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct word *)out = *(const struct word *)in;
    return TW_OK;
}
static enum tw_status from_number(struct tw_context *cx, const void *in, void *out)
{
    (void)cx;
    *(struct word *)out = (struct word){TW_STR("number"), (int32_t)((const struct number *)in)->n};
    return TW_OK;
}
TW_FUNCTION(either) = {.in = &word_row, .in2 = &number_row, .out = &word_row, .map = from_word, .map2 = from_number};

static void co_map_has_a_callback_for_either(void **state)
{
    struct function_config c = {{.name = "either", .fn = &either}};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("co_map"),
                                                                  .config = &c,
                                                                  .in = WORDS,
                                                                  .in2 = "ROW<a STRING, n BIGINT>",
                                                                  .batch_rows = sizes[i]});
        op_push(d, 0, "@1 a | 1\n@2 b | 2");
        op_push(d, 1, "-D @3 q | 3\n@4 q | 4");
        op_push(d, 0, "c | 5");
        assert_string_equal(op_output(d), "+I[a, 1]@1\n+I[b, 2]@2\n-D[number, 3]@3\n+I[number, 4]@4\n+I[c, 5]\n");
        op_driver_free(d);
    }
}

static enum tw_status to_sides(struct tw_context *cx, const void *in)
{
    const struct word *w = in;
    struct number n = {w->n};

    if (w->n % 2) tw_side_output(cx, 0, w);
    if (w->n % 3 == 0) tw_side_output(cx, 2, &n);
    tw_collect_at(cx, &n, 100 + w->n);
    return TW_OK;
}
static enum tw_status nothing(struct tw_context *cx, const void *in)
{
    (void)cx;
    (void)in;
    return TW_OK;
}
TW_FUNCTION(sides) = {.in = &word_row,
                      .in2 = &number_row,
                      .out = &number_row,
                      .sides = {&word_row, NULL, &number_row},
                      .side_names = {"odd", NULL, "thirds"},
                      .flat_map = to_sides,
                      .flat_map2 = nothing,
                      .process = to_sides,
                      .process2 = nothing};

static void side_outputs_have_ports_of_their_own(void **state)
{
    struct function_config c = {{.name = "sides", .fn = &sides}};
    static const char *const operators[] = {"co_flat_map", "co_process", "broadcast_process"};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
        for (uint32_t k = 0; k < COUNT_OF(operators); k++) {
            struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find(operators[k]),
                                                                      .config = &c,
                                                                      .in = WORDS,
                                                                      .in2 = "ROW<n BIGINT>",
                                                                      .batch_rows = sizes[i]});
            op_push(d, 0, "@1 a | 1");
            op_push(d, 0, "@2 b | 2");
            op_push(d, 1, "5");
            op_push(d, 0, "@3 c | 3");
            assert_string_equal(op_output(d),
                                "+I[1]@101\nodd: +I[a, 1]@1\n+I[2]@102\n+I[3]@103\nodd: +I[c, 3]@3\nthirds: +I[3]@3\n");
            op_driver_free(d);
        }
    }
}

/* --- source and sink ---------------------------------------------------------------------------------------------------------- */
struct ticker {
    int64_t next, calls;
};
static enum tw_status tick(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    struct ticker *t = tw_self(cx);
    struct number *to = rows;

    if (++t->calls % 3 == 2) return TW_OK; /* nothing now */
    for (; *count < max && *count < 2 && t->next < 5; ++*count) to[*count].n = t->next++;
    *end = t->next == 5;
    return TW_OK;
}
TW_FUNCTION(ticks) = {.out = &number_row, .self_size = sizeof(struct ticker), .source = tick};

static void source_function_is_polled(void **state)
{
    struct source_function_config c = {.function = {.name = "ticks", .fn = &ticks}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("source_function"), .config = &c, .watermarks = true});

    (void)state;
    op_set_time(d, 1000);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[0]\n+I[1]\n");
    assert_int_equal(op_next_wake(d), 1001);
    op_set_time(d, 1001);
    op_poll(d);
    assert_string_equal(op_output(d), "+I[2]\n+I[3]\n+I[4]\nW@max\n");
    op_driver_free(d);
}

static void a_source_function_makes_times_and_watermarks(void **state)
{
    struct source_function_config c = {
        .function = {.name = "ticks", .fn = &ticks},
        .watermark = {.kind = WATERMARK_BOUNDED, .out_of_orderness_ms = 1, .every_rows = 2, .time_field = "n"}};
    static const uint32_t sizes_of_source[] = {0, 1, 3};

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sizes_of_source); i++) {
        struct op_driver *d = op_driver_create(&(struct op_setup){
            .type = op_find("source_function"), .config = &c, .watermarks = true, .batch_rows = sizes_of_source[i]});
        op_poll(d);
        while (op_next_wake(d) != INT64_MAX) {
            op_set_time(d, op_next_wake(d));
            op_poll(d);
        }
        assert_string_equal(op_driver_error(d), "");
        assert_string_equal(op_output(d), "+I[0]@0\n+I[1]@1\nW@-1\n+I[2]@2\n+I[3]@3\nW@1\n+I[4]@4\nW@max\n");
        op_driver_free(d);
    }
    c.watermark.time_field = "m";
    struct op_driver *d = op_driver_create(&(struct op_setup){.type = op_find("source_function"), .config = &c});
    assert_string_equal(op_driver_error(d), "field 'm' is not in stream 'ticks' (has: n)");
    op_driver_free(d);
}

struct ledger {
    struct buf text;
    uint32_t flushes;
};
static enum tw_status ledger_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct ledger *l = *(struct ledger *const *)tw_config(cx).data;
    const struct word *w = in;

    buf_printf(&l->text, "%d:%.*s=%d@%lld ", kind, (int)w->word.size, w->word.data, w->n, (long long)tw_time(cx));
    return w->n == 13 ? tw_fail(cx, "thirteen") : TW_OK;
}
static enum tw_status ledger_flush(struct tw_context *cx)
{
    (*(struct ledger *const *)tw_config(cx).data)->flushes++;
    return TW_OK;
}
TW_FUNCTION(ledger_sink) = {.in = &word_row, .sink = ledger_row, .flush = ledger_flush};

static void sink_function_gets_rows_and_flushes(void **state)
{
    struct mem mem;
    struct ledger l = {0}, *at = &l;

    (void)state;
    mem_init(&mem, "test", 0);
    buf_init(&l.text, &mem);
    struct function_config c = {{.name = "ledger_sink", .fn = &ledger_sink, .config = {(const char *)&at, sizeof at}}};
    struct op_driver *d = op_driver_create(
        &(struct op_setup){.type = op_find("sink_function"), .config = &c, .in = WORDS});
    op_push(d, 0, "@1 a | 1\n-D @2 b | 2");
    assert_int_equal(l.flushes, 0);
    op_idle(d);
    assert_int_equal(l.flushes, 1);
    op_push_end(d);
    assert_int_equal(l.flushes, 2);
    op_push(d, 0, "@3 c | 13");
    assert_string_equal(buf_text(&l.text), "0:a=1@1 3:b=2@2 0:c=13@3 ");
    assert_string_equal(op_driver_error(d), "row +I[c, 13]: thirteen");
    op_driver_free(d);
    buf_release(&l.text);
    mem_release(&mem);
}

/* --- partitioning, accumulators -------------------------------------------------------------------------------------------------- */
static enum tw_status by_length(struct tw_context *cx, const void *in, uint32_t partitions, uint32_t *partition)
{
    (void)cx;
    *partition = (uint32_t)((const struct word *)in)->word.size % (partitions + 1);
    return TW_OK;
}
TW_FUNCTION(lengths) = {.in = &word_row, .partition = by_length};

static void partition_custom_chooses_targets(void **state)
{
    struct mem mem;
    struct err err = {0};
    struct function_ref f = {.name = "lengths", .fn = &lengths};
    struct user_partition *p;
    uint32_t targets[3];
    static const uint16_t sel[] = {0, 2};

    (void)state;
    mem_init(&mem, "test", 0);
    struct arena arena;
    arena_init(&arena, &mem, 0);
    struct op_cx op = {.name = "test", .parallelism = 1, .batch_rows = 16, .mem = &mem, .err = &err};
    const struct type *rows = rows_type(&arena, WORDS);
    assert_int_equal(user_partition_create(&op, &f, rows, &p), S_OK);
    struct batch *b = rows_batch(rows, &mem, "aa | 1\nb | 2\na word that is long | 3");
    assert_int_equal(user_partition_run(p, b, 5, targets), S_OK);
    assert_int_equal(targets[0], 2);
    assert_int_equal(targets[1], 1);
    assert_int_equal(targets[2], 1);
    b->sel = sel;
    b->sel_count = 2;
    assert_int_equal(user_partition_run(p, b, 20, targets), S_OK);
    assert_int_equal(targets[1], 19);
    assert_int_equal(user_partition_run(p, b, 2, targets), E_USER);
    assert_string_equal(err.text, "row +I[aa, 1]: function 'lengths' chose partition 2 of 2");
    user_partition_free(p);
    batch_free(b);
    arena_release(&arena);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
}

static enum tw_status count_all(struct tw_context *cx, const void *in, bool *keep)
{
    const struct word *w = in;

    tw_counter_add(cx, "rows", 1);
    tw_counter_add(cx, "sum", w->n);
    tw_average_add(cx, "mean", w->n);
    tw_double_add(cx, "half", w->n / 2.0);
    tw_histogram_add(cx, "values", w->n % 2);
    tw_min_add(cx, "least", w->n);
    tw_max_add(cx, "greatest", -w->n);
    tw_double_min_add(cx, "least half", w->n / -2.0);
    tw_double_max_add(cx, "greatest half", w->n / -2.0);
    *keep = true;
    return TW_OK;
}
TW_FUNCTION(counting) = {.in = &word_row, .filter = count_all};

static void accumulators_reach_the_job(void **state)
{
    struct function_config c = {{.name = "counting", .fn = &counting}};
    struct sys *sys = sys_linux_create_quiet();
    struct options none = {0};
    struct job_shared *job = job_shared_create(sys, "test", &none);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct op_driver *d = op_driver_create(
            &(struct op_setup){.type = op_find("filter"), .config = &c, .in = WORDS, .batch_rows = 1});
        op_driver_cx(d)->job = job;
        op_push(d, 0, "a | 1\nb | 2\nc | 5");
        op_driver_free(d);
    }
    const struct accumulators *a = job_accumulators(job);
    assert_int_equal(accumulators_find(a, "rows")->count, 6);
    assert_int_equal(accumulators_find(a, "sum")->count, 16);
    assert_true(accumulator_double(accumulators_find(a, "mean")) == 16.0 / 6.0);
    assert_true(accumulator_double(accumulators_find(a, "half")) == 8.0);
    const struct accumulator *h = accumulators_find(a, "values");
    assert_int_equal(h->entry_count, 2);
    assert_int_equal(h->entries[0].value, 0);
    assert_int_equal(h->entries[0].count, 2);
    assert_int_equal(h->entries[1].count, 4);
    assert_int_equal(accumulators_find(a, "least")->count, 1);
    assert_int_equal(accumulators_find(a, "greatest")->count, -1);
    assert_true(accumulator_double(accumulators_find(a, "greatest")) == -1.0);
    assert_true(accumulator_double(accumulators_find(a, "least half")) == -2.5);
    assert_true(accumulator_double(accumulators_find(a, "greatest half")) == -0.5);
    assert_null(accumulators_find(a, "none"));
    job_shared_free(job);
    sys_linux_free(sys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(union_passes_batches),
        cmocka_unit_test(union_refuses_different_rows),
        cmocka_unit_test(key_by_appends_the_key),
        cmocka_unit_test(key_by_refuses_a_name_that_is_taken),
        cmocka_unit_test(batch_sees_columns),
        cmocka_unit_test(batch_may_select_rows),
        cmocka_unit_test(misuse_of_a_batch_is_told),
        cmocka_unit_test(co_map_has_a_callback_for_either),
        cmocka_unit_test(side_outputs_have_ports_of_their_own),
        cmocka_unit_test(source_function_is_polled),
        cmocka_unit_test(a_source_function_makes_times_and_watermarks),
        cmocka_unit_test(sink_function_gets_rows_and_flushes),
        cmocka_unit_test(partition_custom_chooses_targets),
        cmocka_unit_test(accumulators_reach_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
