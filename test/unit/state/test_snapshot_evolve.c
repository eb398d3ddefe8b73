/* test_snapshot_evolve.c - rows of a saved state become those of a state with other columns: what may change, what the rows are then,
 * what is refused and how; and key groups that are split. */
#include "flow/state/snapshot_evolve.h"
#include "flow/state/shape.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { GROUPS = 8, KEYS = 3 };

static struct world {
    struct keyed keyed;
    struct snapshots saved;
    struct state_def then, now;
    struct state_table *table;
    struct err err;
    struct buf text;
} w;

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    keyed_init(&w.keyed, "hashmap", 0, GROUPS, GROUPS);
    buf_init(&w.text, &w.keyed.mem);
    w.then = w.now = (struct state_def){.name = "s", .version = 1, .upgrade = STATE_UPGRADE_COLUMNS,
        .key = keyed_type(&w.keyed, "ROW<k BIGINT NOT NULL> NOT NULL"), .value = keyed_type(&w.keyed, "ROW<a INT, b STRING> NOT NULL")};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    w.keyed.host.restore = NULL;
    state_close(w.table);
    if (w.saved.restore.count > 0) snapshots_release(&w.saved);
    buf_release(&w.text);
    keyed_release(&w.keyed);
    return 0;
}

/* Keys 0..n-1; value column c of key d is number d + c, of a MULTISET the first one alone. */
static void fill(struct state_table *t, uint32_t n)
{
    static const uint32_t col = 0;
    const struct state_def *d = t->def;
    struct batch *keys = batch_create(d->key, 64, &w.keyed.mem), *values = batch_create(d->value, 64, &w.keyed.mem);
    struct state_probe probe;
    uint64_t hashes[64];
    void *rows[64];

    for (uint32_t i = 0; i < n; i++) {
        keyed_fill(keys, 0, i, i);
        for (uint32_t c = 0; c < values->col_count; c++) keyed_fill(values, c, i, d->shape == STATE_MULTISET && c == 0 ? 1 : i + c);
    }
    keys->count = values->count = n;
    if (d->shape == STATE_MULTISET)
        for (uint32_t i = 0; i < n; i++) keyed_fill(keys, 0, i, 0);
    batch_hash(keys, &col, 1, hashes);
    struct state_keys k = state_keys_of(keys, &col, 1, hashes);
    assert_int_equal(state_resolve(t, 0, &k, STATE_INSERT, rows, NULL), S_OK);
    if (d->shape == STATE_MAP) {
        for (uint32_t c = 0; c < values->col_count; c++) state_rows_store(t, 0, rows, n, c, &values->cols[c], NULL);
    } else {
        assert_int_equal(state_probe_init(&probe, d->value, &w.keyed.mem, NULL), S_OK);
        state_probe_fill(&probe, values, NULL, NULL, n);
        void *elements[64];
        assert_int_equal(state_multiset_change(t, 0, rows, &probe, NULL, elements), S_OK);
        state_probe_release(&probe);
    }
    state_done(t);
    batch_free(keys);
    batch_free(values);
}

static enum status change(void)
{
    assert_int_equal(state_open(&w.keyed.host, &w.then, &w.table, &w.err), S_OK);
    fill(w.table, KEYS);
    snapshots_init(&w.saved, 1, GROUPS);
    snapshots_save(&w.saved, 0, &w.keyed.host, 1 << 20);
    state_close(w.table);
    w.table = NULL;
    w.keyed.host.restore = &w.saved.restore;
    return state_open(&w.keyed.host, &w.now, &w.table, &w.err);
}

/* Its rows by key, "0: 1, a | ". */
static const char *rows_text(void)
{
    struct state_cursor c = {0};
    void *rows[64];
    uint32_t n;
    struct batch *keys = batch_create(w.now.key, 64, &w.keyed.mem), *values = batch_create(w.now.value, 64, &w.keyed.mem);

    buf_clear(&w.text);
    assert_int_equal(state_each(w.table, 0, &c, keys, NULL, rows, &n), S_OK);
    for (uint32_t f = 0; f < values->col_count; f++)
        state_rows_load(w.table, (const void *const *)rows, n, f, &values->cols[f], 0, &values->heap, values->mem);
    for (int64_t key = 0; key < KEYS; key++)
        for (uint32_t i = 0; i < n; i++) {
            if (VECTOR_VALUES(&keys->cols[0], int64_t)[i] != 3 * key - 100) continue;
            for (uint32_t f = 0; f < values->col_count; f++) {
                if (f > 0) buf_append_text(&w.text, ", ");
                vector_print(&values->cols[f], i, &w.text);
            }
            buf_append_text(&w.text, " | ");
        }
    state_done(w.table);
    batch_free(keys);
    batch_free(values);
    return buf_text(&w.text);
}

static const struct type *row(const char *text) { return keyed_type(&w.keyed, text); }

static void becomes(uint8_t upgrade, const char *then, const char *now, const char *rows)
{
    w.then.value = row(then);
    w.now.value = row(now);
    w.now.upgrade = upgrade;
    enum status st = change();
    assert_string_equal(w.err.text, "");
    assert_int_equal(st, S_OK);
    assert_string_equal(rows_text(), rows);
}

/* rows NULL, and the text of the error. */
static void refuses(uint8_t upgrade, const char *then, const char *now, const char *text, const char *hint)
{
    w.then.value = row(then);
    w.now.value = row(now);
    w.now.upgrade = upgrade;
    assert_int_equal(change(), E_CONFIG);
    assert_string_equal(w.err.text, text);
    if (strstr(w.err.hint, hint) == NULL) assert_string_equal(w.err.hint, hint);
    assert_null(w.table);
}

#define IN_STATE "operator 'test': state `s`: "

/* ---- what may be */

/* Columns are numbers: of key d the first has d, the second d + 1; an INT is that number, a BIGINT 3 times it less 100, 0 is NULL. */
static void columns_are_found_by_name(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_COLUMNS, "ROW<a INT, b BIGINT> NOT NULL", "ROW<b BIGINT, a INT> NOT NULL", "-97, <NULL> | -94, 1 | -91, 2 | ");
}

static void columns_may_go(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_PARTS, "ROW<a INT, b BIGINT> NOT NULL", "ROW<b BIGINT> NOT NULL", "-97 | -94 | -91 | ");
}

static void columns_that_come_are_null(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_COLUMNS, "ROW<a INT> NOT NULL", "ROW<x STRING, a INT, y ROW<z INT>> NOT NULL",
        "<NULL>, <NULL>, <NULL> | <NULL>, 1, <NULL> | <NULL>, 2, <NULL> | ");
}

static void fields_that_come_are_zero(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_FIELDS, "ROW<a INT> NOT NULL",
        "ROW<a INT, n BIGINT NOT NULL, s STRING NOT NULL, d DECIMAL(4, 2) NOT NULL, l ARRAY<INT> NOT NULL, b BOOLEAN NOT NULL> NOT NULL",
        "<NULL>, 0, , 0.00, [], false | 1, 0, , 0.00, [], false | 2, 0, , 0.00, [], false | ");
}

static void types_may_become_wider(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_COLUMNS, "ROW<a INT, b SMALLINT, c TINYINT, d FLOAT, e DECIMAL(5, 2)> NOT NULL",
        "ROW<a BIGINT, b INT, c DECIMAL(7, 1), d DOUBLE, e DECIMAL(25, 4)> NOT NULL",
        "<NULL>, 1, 2.0, 1.5, -0.8800 | 1, 2, 3.0, 2.0, -0.8500 | 2, 3, 4.0, 2.5, -0.8200 | ");
}

static void what_was_never_null_may_be(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_NEVER, "ROW<a INT NOT NULL> NOT NULL", "ROW<a INT> NOT NULL", "0 | 1 | 2 | ");
}

static void lists_become_wider_inside(void **state)
{
    (void)state;
    becomes(STATE_UPGRADE_COLUMNS, "ROW<b ARRAY<INT NOT NULL>> NOT NULL", "ROW<b ARRAY<BIGINT>> NOT NULL", "<NULL> | [2, 3] | [3, 4, 5] | ");
}

/* Rows that differ in what is dropped alone are one afterwards, with the counts of both. */
static void rows_that_are_equal_now_are_counted_together(void **state)
{
    void *head;
    struct state_scan scan = {0};
    static const uint32_t col = 0;
    uint64_t hash;

    (void)state;
    w.then.shape = w.now.shape = STATE_MULTISET;
    w.then.value = row("ROW<a INT, b BIGINT> NOT NULL");
    w.now.value = row("ROW<a INT> NOT NULL");
    assert_int_equal(change(), S_OK);
    struct batch *key = batch_create(w.now.key, 1, &w.keyed.mem);
    keyed_fill(key, 0, 0, 0);
    key->count = 1;
    batch_hash(key, &col, 1, &hash);
    head = state_get(w.table, 0, key, &col, 0, hash, STATE_READ, NULL);
    assert_non_null(head);
    const void *only = state_head_next(w.table, 0, head, &scan);
    assert_int_equal(state_element_of(w.table, only)->count, KEYS);
    assert_null(state_head_next(w.table, 0, head, &scan));
    batch_free(key);
}

/* ---- what may not */

static void narrower_types_are_refused(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_FIELDS, "ROW<a BIGINT> NOT NULL", "ROW<a INT> NOT NULL",
        IN_STATE "value column `a` is of type BIGINT in the snapshot and of type INT now", "Columns may become wider");
}

static void other_types_are_refused(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_FIELDS, "ROW<a INT, b STRING> NOT NULL", "ROW<a INT, b INT> NOT NULL",
        IN_STATE "value column `b` is of type STRING in the snapshot and of type INT now", "add a column of another name");
}

static void fewer_digits_in_front_are_refused(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_COLUMNS, "ROW<a DECIMAL(10, 2)> NOT NULL", "ROW<a DECIMAL(12, 5)> NOT NULL",
        IN_STATE "value column `a` is of type DECIMAL(10, 2) in the snapshot and of type DECIMAL(12, 5) now", "more digits");
}

static void what_may_be_null_stays_so(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_COLUMNS, "ROW<a INT> NOT NULL", "ROW<a INT NOT NULL> NOT NULL",
        IN_STATE "value column `a` is of type INT in the snapshot and of type INT NOT NULL now", "keep the column nullable");
}

static void also_inside_of_a_list(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_COLUMNS, "ROW<a ARRAY<INT>> NOT NULL", "ROW<a ARRAY<INT NOT NULL>> NOT NULL",
        IN_STATE "value column `a` is of type ARRAY<INT> in the snapshot and of type ARRAY<INT NOT NULL> now", "Columns may become wider");
}

static void columns_that_cannot_be_null_do_not_come(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_COLUMNS, "ROW<a INT> NOT NULL", "ROW<a INT, b INT NOT NULL> NOT NULL",
        IN_STATE "value column `b` INT NOT NULL is not in the snapshot", "make the column nullable");
}

static void results_that_saw_nothing_do_not_come(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_PARTS, "ROW<a INT> NOT NULL", "ROW<a INT, b INT> NOT NULL", IN_STATE "value column `b` INT is not in the snapshot",
        "It has seen none of the rows so far");
}

static void rows_that_never_change_lose_no_column(void **state)
{
    (void)state;
    refuses(STATE_UPGRADE_NEVER, "ROW<a INT, b INT> NOT NULL", "ROW<a INT> NOT NULL",
        IN_STATE "value column `b` INT is in the snapshot and not there any more", "another uid and -n");
}

static void keys_stay(void **state)
{
    (void)state;
    w.now.key = row("ROW<k DECIMAL(20, 0) NOT NULL> NOT NULL");
    refuses(STATE_UPGRADE_FIELDS, "ROW<a INT> NOT NULL", "ROW<a INT> NOT NULL",
        IN_STATE "key column `k` is of type BIGINT NOT NULL in the snapshot and of type DECIMAL(20, 0) NOT NULL now", "Keys cannot change");
}

/* ---- what is told of it */

static void changes_are_told(void **state)
{
    struct state_table then = {.def = &w.then}, now = {.def = &w.now};
    struct state_schema before, after;
    struct schema_evolution ev;

    (void)state;
    w.then.value = row("ROW<a INT, b BIGINT, c INT> NOT NULL");
    w.now.value = row("ROW<a BIGINT, d STRING, c INT> NOT NULL");
    schema_of_table(&then, &w.keyed.arena, &before);
    schema_of_table(&now, &w.keyed.arena, &after);
    assert_int_equal(schema_evolve(&before, &after, &w.keyed.arena, &ev, &w.err), S_OK);
    assert_false(ev.is_same);
    assert_int_equal(ev.dropped, 1);
    evolution_print(&before, &ev, &w.text);
    assert_string_equal(buf_text(&w.text), "`a` INT -> BIGINT; `d` STRING added, NULL in rows so far; `b` dropped");
}

/* ---- key groups are split */

/* Keys 0..59, saved by two subtasks of 8 key groups, come to `n` subtasks of `groups`, each to one. */
static void split(uint32_t groups, uint32_t n)
{
    struct state_table *t;
    uint64_t found = 0;

    snapshots_init(&w.saved, 2, GROUPS);
    for (uint32_t i = 0; i < 2; i++) {
        struct keyed half;
        keyed_init(&half, "hashmap", i * GROUPS / 2, GROUPS / 2, GROUPS);
        assert_int_equal(state_open(&half.host, &w.then, &t, &w.err), S_OK);
        for (uint32_t d = 0; d < 60; d++) {
            static const uint32_t col = 0;
            struct batch *key = batch_create(w.then.key, 1, &half.mem);
            uint64_t hash;
            keyed_fill(key, 0, 0, d);
            key->count = 1;
            batch_hash(key, &col, 1, &hash);
            if (state_key_group(hash, GROUPS) / (GROUPS / 2) == i) assert_non_null(state_get(t, 0, key, &col, 0, hash, STATE_INSERT, NULL));
            state_done(t);
            batch_free(key);
        }
        snapshots_save(&w.saved, i, &half.host, 200);
        state_close(t);
        keyed_release(&half);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct keyed part;
        uint32_t first = (i * groups + n - 1) / n, end = ((i + 1) * groups + n - 1) / n;
        keyed_init(&part, "hashmap", first, end - first, groups);
        part.host.restore = &w.saved.restore;
        assert_int_equal(state_open(&part.host, &w.then, &t, &w.err), S_OK);
        found += state_count(t, 0);
        struct state_cursor c = {0};
        struct batch *keys = batch_create(w.then.key, 64, &part.mem);
        uint64_t hashes[64];
        static const uint32_t col = 0;
        void *rows[64];
        uint32_t count;
        assert_int_equal(state_each(t, 0, &c, keys, NULL, rows, &count), S_OK);
        batch_hash(keys, &col, 1, hashes);
        for (uint32_t k = 0; k < count; k++) assert_in_range(state_key_group(hashes[k], groups), first, end - 1);
        state_done(t);
        batch_free(keys);
        state_close(t);
        part.host.restore = NULL;
        keyed_release(&part);
    }
    assert_int_equal(found, 60);
    snapshots_release(&w.saved);
    w.saved.restore.count = 0;
}

static void key_groups_are_split(void **state)
{
    (void)state;
    split(16, 1);
    split(16, 3);
    split(24, 5);
    split(11, 4); /* parts of two old groups may be one new one */
    split(128, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(columns_are_found_by_name),
        T(columns_may_go),
        T(columns_that_come_are_null),
        T(fields_that_come_are_zero),
        T(types_may_become_wider),
        T(what_was_never_null_may_be),
        T(lists_become_wider_inside),
        T(rows_that_are_equal_now_are_counted_together),
        T(narrower_types_are_refused),
        T(other_types_are_refused),
        T(fewer_digits_in_front_are_refused),
        T(what_may_be_null_stays_so),
        T(also_inside_of_a_list),
        T(columns_that_cannot_be_null_do_not_come),
        T(results_that_saw_nothing_do_not_come),
        T(rows_that_never_change_lose_no_column),
        T(keys_stay),
        T(changes_are_told),
        T(key_groups_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
