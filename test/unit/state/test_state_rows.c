/* test_state_rows.c - fields of rows <-> columns for every type, NULLs, constants and dictionaries; strings of all lengths set
 * again and again; the barrier's dirty bits; budgets; definitions that are refused. */
#include "flow/state/sb.h"
#include "flow/state/shape.h"
#include "support/keyed.h"
#include "support/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL_TYPES                                                                                                          \
    "ROW<a BOOLEAN, b TINYINT, c SMALLINT NOT NULL, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(10, 2), i DECIMAL(38, 5), "  \
    "j STRING, k BYTES NOT NULL, l DATE, m TIMESTAMP(3), n TIMESTAMP(9), o ARRAY<STRING>, p MAP<STRING, INT>, "                \
    "q ROW<x INT, y ARRAY<ROW<z STRING NOT NULL>>>, r ARRAY<INT NOT NULL> NOT NULL> NOT NULL"

struct world {
    struct keyed keyed;
    struct state_def def;
    struct state_table *table;
    struct batch *keys;
    uint64_t hashes[BATCH_ROWS];
    void *rows[BATCH_ROWS];
};

static const uint32_t col = 0;

static struct world *world_open(const char *value, size_t limit)
{
    struct world *w = calloc(1, sizeof *w);

    keyed_init(&w->keyed, "hashmap", 0, 128, 128);
    w->keyed.mem.limit = limit;
    w->def = (struct state_def){.name = "test", .key = keyed_type(&w->keyed, "ROW<k BIGINT NOT NULL> NOT NULL"),
        .value = keyed_type(&w->keyed, value)};
    w->keys = batch_create(w->def.key, BATCH_ROWS, &w->keyed.mem);
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    return w;
}

static void world_close(struct world *w)
{
    state_close(w->table);
    batch_free(w->keys);
    keyed_release(&w->keyed);
    free(w);
}

static enum status resolve(struct world *w, int64_t first, uint32_t n, enum state_intent intent)
{
    struct state_keys keys;

    batch_clear(w->keys);
    for (uint32_t i = 0; i < n; i++) ((int64_t *)w->keys->cols[0].data)[i] = first + i;
    w->keys->count = n;
    batch_hash(w->keys, &col, 1, w->hashes);
    keys = state_keys_of(w->keys, &col, 1, w->hashes);
    return state_resolve(w->table, 0, &keys, intent, w->rows, NULL);
}

static void load_and_compare(struct world *w, const struct batch *from, const uint16_t *sel, uint32_t n)
{
    struct batch *back = batch_create(w->def.value, BATCH_ROWS, &w->keyed.mem);
    struct buf expected, got;

    buf_init(&expected, &w->keyed.mem);
    buf_init(&got, &w->keyed.mem);
    for (uint32_t f = 0; f < back->col_count; f++) {
        state_rows_load(w->table, (const void *const *)w->rows, n, f, &back->cols[f], 0, &back->heap, back->mem);
    }
    back->count = n;
    for (uint32_t i = 0; i < n; i++) {
        batch_print_row(from, sel ? sel[i] : i, &expected);
        batch_print_row(back, i, &got);
        assert_string_equal(buf_text(&got), buf_text(&expected));
        buf_clear(&expected);
        buf_clear(&got);
    }
    buf_release(&expected);
    buf_release(&got);
    batch_free(back);
}

static struct batch *samples(struct world *w)
{
    return rows_batch(w->def.value, &w->keyed.mem,
        "true | 1 | -7 | 12 | 9000000000 | 1.5 | -2.25 | 12.34 | 1234567890123456789.5 | short | bytes | 2001-02-03 | "
        "2001-02-03 04:05:06.789 | 2001-02-03 04:05:06.123456789 | [a, \"a string of more than twelve\", null] | {k=1, l=null} | "
        "(1, [(one), (two)]) | [1, 2, 3]\n"
        "null | null | 7 | null | null | null | null | null | null | null | x | null | null | null | null | null | null | []\n"
        "false | -1 | 0 | 0 | -1 | 0 | 0.1 | -0.01 | -1 | \"this one does not fit into the reference\" | "
        "\"neither do these bytes fit into it\" | 1969-12-31 | 1969-12-31 23:59:59.999 | 1969-12-31 23:59:59.999999999 | [] | {} | "
        "(null, null) | [-1]\n");
}

static void every_type(void **state)
{
    struct world *w = world_open(ALL_TYPES, 0);
    struct batch *b = samples(w);
    static const uint16_t sels[4][3] = {{0, 1, 2}, {2, 1, 0}, {1, 1, 1}, {0, 2, 2}};

    (void)state;
    for (uint32_t round = 0; round < 4; round++) { /* the same rows are written again with other values */
        assert_int_equal(resolve(w, 0, 3, STATE_INSERT), S_OK);
        for (uint32_t f = 0; f < b->col_count; f++) {
            state_rows_store(w->table, 0, w->rows, 3, f, &b->cols[f], round ? sels[round] : NULL);
        }
        load_and_compare(w, b, round ? sels[round] : NULL, 3);
        state_done(w->table);
    }
    batch_free(b);
    world_close(w);
}

static void constants_and_missing_rows(void **state)
{
    struct world *w = world_open("ROW<a BIGINT, s STRING> NOT NULL", 0);
    struct batch *b = rows_batch(w->def.value, &w->keyed.mem, "5 | \"a constant that is far away\"\n"), *back;

    (void)state;
    assert_int_equal(resolve(w, 0, 4, STATE_INSERT), S_OK);
    for (uint32_t f = 0; f < 2; f++) {
        vector_make_const(&b->cols[f]);
        state_rows_store(w->table, 0, w->rows, 4, f, &b->cols[f], NULL);
    }
    w->rows[2] = NULL; /* an outer join has no row here */
    back = batch_create(w->def.value, 8, &w->keyed.mem);
    for (uint32_t f = 0; f < 2; f++) {
        state_rows_load(w->table, (const void *const *)w->rows, 4, f, &back->cols[f], 1, &back->heap, back->mem);
        for (uint32_t i = 0; i < 4; i++) assert_int_equal(vector_is_null(&back->cols[f], i + 1), i == 2);
    }
    assert_int_equal(((int64_t *)back->cols[0].data)[4], 5);
    batch_free(back);
    batch_free(b);
    state_done(w->table);
    world_close(w);
}

/* Strings grow and shrink through all size classes; memory comes back. */
static void strings(void **state)
{
    struct world *w = world_open("ROW<s STRING NOT NULL> NOT NULL", 0);
    enum { N = 200, LONGEST = 9000 };
    char *text = malloc(LONGEST);
    uint32_t sizes[N] = {0};
    struct prng random;
    size_t steady = 0;

    (void)state;
    prng_init(&random, 3);
    for (uint32_t i = 0; i < LONGEST; i++) text[i] = (char)('a' + i % 26);
    for (uint32_t round = 0; round < 60; round++) {
        assert_int_equal(resolve(w, 0, N, STATE_INSERT), S_OK);
        for (uint32_t i = 0; i < N; i++) {
            struct state_text *field = w->rows[i];
            struct str s = state_text_get(w->table, field);
            uint32_t shift = i % 26;
            assert_int_equal(s.size, sizes[i]);
            assert_memory_equal(s.data, text + shift, s.size);
            sizes[i] = (uint32_t)prng_below(&random, prng_below(&random, 20) == 0 ? LONGEST - 26 : 200);
            state_text_set(w->table, 0, field, (struct str){text + shift, sizes[i]});
            if (i % 7 == 0 && sizes[i] > 0) { /* a view of the field itself */
                sizes[i] = (sizes[i] + 1) / 2;
                s = state_text_get(w->table, field);
                state_text_set(w->table, 0, field, (struct str){s.data, sizes[i]});
            }
        }
        state_done(w->table);
        if (round == 20) steady = w->keyed.mem.used;
    }
    assert_true(w->keyed.mem.used < steady * 2);
    free(text);
    world_close(w);
}

/* ---- the barrier */

static void dirty_bits(void **state)
{
    struct world *w = world_open("ROW<a BIGINT NOT NULL> NOT NULL", 0);

    (void)state;
    assert_int_equal(resolve(w, 0, 1000, STATE_INSERT), S_OK);
    state_done(w->table);
    assert_int_equal(state_dirty_count(w->table, false), 1000);
    state_freeze(w->table);
    assert_int_equal(state_dirty_count(w->table, false), 0);
    assert_int_equal(state_dirty_count(w->table, true), 1000);
    assert_int_equal(resolve(w, 500, 100, STATE_READ), S_OK); /* reading does not count, nor does reserving */
    assert_int_equal(resolve(w, 500, 100, STATE_RESERVE), S_OK);
    state_done(w->table);
    assert_int_equal(state_dirty_count(w->table, false), 0);
    assert_int_equal(resolve(w, 990, 20, STATE_INSERT), S_OK);
    state_done(w->table);
    assert_int_equal(resolve(w, 0, 5, STATE_UPDATE), S_OK);
    state_done(w->table);
    assert_int_equal(resolve(w, 700, 9, STATE_RESERVE), S_OK);
    state_write(w->table, 3);
    state_done(w->table);
    assert_int_equal(state_dirty_count(w->table, false), 26);
    assert_int_equal(state_dirty_count(w->table, true), 1000);
    state_thaw(w->table);
    assert_int_equal(state_dirty_count(w->table, true), 0);
    assert_int_equal(state_dirty_count(w->table, false), 26);
    state_freeze(w->table);
    assert_int_equal(state_dirty_count(w->table, true), 26);
    state_thaw(w->table);
    world_close(w);
}

/* ---- budget and definitions */

static void budget(void **state)
{
    struct world *w = world_open("ROW<a BIGINT NOT NULL> NOT NULL", 8 << 20);
    enum status st = S_OK;
    int64_t key = 0;

    (void)state;
    for (; st == S_OK && key < 10000000; key += st == S_OK ? BATCH_ROWS : 0) {
        st = resolve(w, key, BATCH_ROWS, STATE_INSERT);
        if (st == S_OK) state_done(w->table);
    }
    assert_int_equal(st, E_BUDGET);
    assert_non_null(strstr(w->keyed.err.text, "`test`"));
    assert_in_range(key, 100000, 500000); /* most of it was used */
    assert_int_equal(state_count(w->table, 0), key); /* nothing of the refused batch is there */
    assert_true(w->keyed.mem.used <= w->keyed.mem.limit + (w->keyed.mem.limit >> 4)); /* pages and indexes come in pieces */
    assert_int_equal(resolve(w, 0, BATCH_ROWS, STATE_UPDATE), S_OK); /* what is there can be changed still */
    state_done(w->table);
    world_close(w);
}

static void refuse(struct keyed *k, struct state_def def, enum status expected, const char *text)
{
    struct state_table *t = NULL;
    struct err e = {0};

    assert_int_equal(state_open(&k->host, &def, &t, &e), expected);
    if (!strstr(e.text, text)) fail_msg("`%s` does not say `%s`", e.text, text);
}

static void definitions_that_are_refused(void **state)
{
    struct keyed k;
    const struct type *row;

    (void)state;
    keyed_init(&k, "hashmap", 0, 1, 1);
    row = keyed_type(&k, "ROW<k BIGINT> NOT NULL");
    refuse(&k, (struct state_def){.key = row, .value = row}, E_GRAPH, "no name");
    refuse(&k, (struct state_def){.name = "s", .key = row->children[0], .value = row}, E_GRAPH, "`s`");
    refuse(&k, (struct state_def){.name = "s", .key = row, .value = row, .shape = STATE_ORDERED}, E_GRAPH, "sort key");
    refuse(&k, (struct state_def){.name = "s", .key = row, .value = row, .shape = STATE_LOG, .map_key = row}, E_GRAPH, "map key");
    refuse(&k, (struct state_def){.name = "s", .key = row, .value = keyed_type(&k, "ROW<a ARRAY<INT>> NOT NULL"), .shape = STATE_PACKED}, E_GRAPH,
        "PACKED");
    refuse(&k, (struct state_def){.name = "s", .key = row, .value = row, .ttl = {.ms = 0, .update = STATE_TTL_ON_READ_AND_WRITE}},
        E_CONFIG, "time to live");
    keyed_release(&k);
}

static void backends_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(sb_find("hashmap"), &sb_hashmap);
    assert_ptr_equal(sb_find("pending"), &sb_pending);
    assert_true(sb_pending.test_only && !sb_hashmap.test_only);
    assert_null(sb_find("heap"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type), cmocka_unit_test(constants_and_missing_rows), cmocka_unit_test(strings),
        cmocka_unit_test(dirty_bits), cmocka_unit_test(budget), cmocka_unit_test(definitions_that_are_refused),
        cmocka_unit_test(backends_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
