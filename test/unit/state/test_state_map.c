/* test_state_map.c - tables of shape MAP against a naive model: every form of key, every intent, namespaces, growth, walks,
 * deletions, strings, the barrier's dirty bits, budget. Randomised with fixed seeds. */
#include "flow/state/state.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NAMESPACES = 4, KEYS_MAX = 6000, NOTE_MAX = 40 };

/* The model: what key number d holds in a namespace. */
struct entry {
    bool is_there, note_null;
    int64_t sum;
    char note[NOTE_MAX];
};

struct world {
    struct keyed keyed;
    struct state_def def;
    struct state_table *table;
    struct batch *in, *keys;
    struct prng random;
    uint32_t cols[8], col_count, key_count;
    struct entry (*model)[KEYS_MAX];
    uint64_t hashes[BATCH_ROWS];
    uint32_t numbers[BATCH_ROWS];
    void *rows[BATCH_ROWS];
    struct apart apart;
    struct entry (*before)[KEYS_MAX]; /* the model when that began */
};

/* Value row: id BIGINT, sum BIGINT, note STRING (nullable). */
static void world_open(struct world *w, const char *backend, const char *key, uint32_t key_count, uint64_t seed, uint32_t groups)
{
    const struct type *key_type;

    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, backend, 0, groups, groups);
    w->keyed.host.cache_bytes = seed % 3 * 98304; /* some stay in memory, or nothing does */
    prng_init(&w->random, seed);
    w->model = calloc(NAMESPACES, sizeof *w->model);
    w->before = calloc(NAMESPACES, sizeof *w->before);
    key_type = keyed_type(&w->keyed, key);
    w->key_count = key_count;
    w->col_count = key_type->child_count;
    for (uint32_t k = 0; k < w->col_count; k++) w->cols[k] = k;
    w->def = (struct state_def){.name = "test", .shape = STATE_MAP, .namespaced = true, .key = key_type,
        .value = keyed_type(&w->keyed, "ROW<id BIGINT NOT NULL, total BIGINT NOT NULL, note STRING> NOT NULL")};
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    w->in = batch_create(key_type, BATCH_ROWS, &w->keyed.mem);
    w->keys = batch_create(key_type, BATCH_ROWS, &w->keyed.mem);
}

static void world_close(struct world *w)
{
    batch_free(w->in);
    batch_free(w->keys);
    apart_drop(&w->apart);
    state_close(w->table);
    free(w->model);
    free(w->before);
    keyed_release(&w->keyed);
}

static enum status resolve(struct world *w, int64_t ns, const struct state_keys *keys, enum state_intent intent, uint64_t *created)
{
    enum status st = state_resolve(w->table, ns, keys, intent, w->rows, created);

    if (st == S_PENDING) {
        st = state_resolve(w->table, ns, keys, intent, w->rows, NULL);
        if (st == S_OK) st = state_resolve(w->table, ns, keys, intent, w->rows, created); /* as if another table had been pending */
    }
    return st;
}

/* n random keys, a few of them hot. */
static struct state_keys keys_random(struct world *w, uint32_t n)
{
    batch_clear(w->in);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bound = prng_below(&w->random, 4) == 0 ? 3 : w->key_count;
        w->numbers[i] = (uint32_t)prng_below(&w->random, bound);
        keyed_key(w->in, w->cols, w->col_count, i, w->numbers[i]);
    }
    w->in->count = n;
    batch_hash(w->in, w->cols, w->col_count, w->hashes);
    return state_keys_of(w->in, w->cols, w->col_count, w->hashes);
}

static void note_set(struct world *w, int64_t ns, struct entry *m, void *row)
{
    const struct state_layout *l = &w->table->value;
    struct state_text *note = state_text_at(row, l->fields[2].offset);
    uint32_t size = (uint32_t)prng_below(&w->random, NOTE_MAX);

    m->note_null = prng_below(&w->random, 5) == 0;
    if (m->note_null) {
        state_set_null(l, row, 2);
        return;
    }
    state_set_valid(l, row, 2);
    for (uint32_t i = 0; i < size; i++) m->note[i] = (char)('a' + prng_below(&w->random, 26));
    m->note[size] = 0;
    state_text_set(w->table, ns, note, (struct str){m->note, size});
}

static void row_check(struct world *w, const struct entry *m, uint32_t d, const void *row)
{
    const struct state_layout *l = &w->table->value;
    struct str note;

    assert_int_equal(*state_word((void *)row, l->fields[0].offset), d);
    assert_int_equal(*state_word((void *)row, l->fields[1].offset), m->sum);
    assert_int_equal(state_is_null(l, row, 2), m->note_null);
    if (m->note_null) return;
    note = state_text_get(w->table, state_text_at((void *)row, l->fields[2].offset));
    assert_int_equal(note.size, strlen(m->note));
    assert_memory_equal(note.data, m->note, note.size);
}

static void row_write(struct world *w, int64_t ns, struct entry *m, uint32_t d, void *row)
{
    const struct state_layout *l = &w->table->value;
    int64_t add = (int64_t)prng_below(&w->random, 1000);

    *state_word(row, l->fields[0].offset) = d;
    *state_word(row, l->fields[1].offset) += add;
    m->sum += add;
    if (prng_below(&w->random, 3) == 0) note_set(w, ns, m, row);
}

static void batch_read(struct world *w, int64_t ns, enum state_intent intent)
{
    uint32_t n = (uint32_t)prng_below(&w->random, BATCH_ROWS) + 1;
    struct state_keys keys = keys_random(w, n);

    assert_int_equal(resolve(w, ns, &keys, intent, NULL), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct entry *m = &w->model[ns][w->numbers[i]];
        assert_int_equal(w->rows[i] != NULL, m->is_there);
        assert_int_equal(state_is_set(w->table, i), m->is_there);
        if (!m->is_there) continue;
        row_check(w, m, w->numbers[i], w->rows[i]);
        if (intent == STATE_UPDATE) row_write(w, ns, m, w->numbers[i], w->rows[i]);
    }
    state_done(w->table);
}

static void batch_insert(struct world *w, int64_t ns, bool prune)
{
    uint32_t n = (uint32_t)prng_below(&w->random, BATCH_ROWS) + 1;
    struct state_keys keys = keys_random(w, n);
    uint64_t created[BATCH_ROWS / 64], keep[BATCH_ROWS / 64] = {0};
    void *rows[BATCH_ROWS];

    assert_int_equal(resolve(w, ns, &keys, STATE_INSERT, created), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct entry *m = &w->model[ns][w->numbers[i]];
        bool first = true;
        for (uint32_t j = 0; j < i && first; j++) first = w->numbers[j] != w->numbers[i];
        assert_non_null(w->rows[i]);
        if (first) assert_int_equal(bit_get(created, i), !m->is_there);
        else assert_false(bit_get(created, i));
        rows[i] = w->rows[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        struct entry *m = &w->model[ns][w->numbers[i]];
        if (prune && !m->is_there && w->numbers[i] % 2) continue;
        if (m->is_there) row_check(w, m, w->numbers[i], rows[i]);
        else *m = (struct entry){.is_there = true};
        row_write(w, ns, m, w->numbers[i], rows[i]);
        bit_set(keep, i);
    }
    if (prune) state_prune_created(w->table, keep);
    state_done(w->table);
}

/* Per-row style: reserved rows become real when written, go away when not; erased ones may be written again. */
static void batch_reserve(struct world *w, int64_t ns)
{
    uint32_t n = (uint32_t)prng_below(&w->random, BATCH_ROWS) + 1;
    struct state_keys keys = keys_random(w, n);

    assert_int_equal(resolve(w, ns, &keys, STATE_RESERVE, NULL), S_OK);
    apart_step(&w->apart); /* in the midst of a batch */
    for (uint32_t i = 0; i < n; i++) {
        struct entry *m = &w->model[ns][w->numbers[i]];
        assert_int_equal(state_is_set(w->table, i), m->is_there);
        if (m->is_there) row_check(w, m, w->numbers[i], w->rows[i]);
        switch (prng_below(&w->random, 4)) {
        case 0:
            if (!m->is_there) *m = (struct entry){.is_there = true};
            row_write(w, ns, m, w->numbers[i], w->rows[i]);
            state_write(w->table, i);
            break;
        case 1:
            state_erase(w->table, i);
            m->is_there = false;
            break;
        default: break;
        }
    }
    state_done(w->table);
}

static void batch_remove(struct world *w, int64_t ns, bool by_key)
{
    uint32_t n = (uint32_t)prng_below(&w->random, BATCH_ROWS / 4) + 1;
    struct state_keys keys = keys_random(w, n);
    uint64_t which[BATCH_ROWS / 64] = {0};

    if (by_key) {
        enum status st = state_delete(w->table, ns, &keys);
        if (st == S_PENDING) st = state_delete(w->table, ns, &keys);
        assert_int_equal(st, S_OK);
        for (uint32_t i = 0; i < n; i++) w->model[ns][w->numbers[i]].is_there = false;
    } else {
        assert_int_equal(resolve(w, ns, &keys, STATE_UPDATE, NULL), S_OK);
        for (uint32_t i = 0; i < n; i++) {
            if (prng_below(&w->random, 2)) bit_set(which, i);
        }
        state_remove(w->table, which);
        for (uint32_t i = 0; i < n; i++) {
            if (bit_get(which, i)) w->model[ns][w->numbers[i]].is_there = false;
        }
    }
    /* a later resolve of the same batch sees it, and what is inserted then is new */
    assert_int_equal(resolve(w, ns, &keys, STATE_READ, NULL), S_OK);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(w->rows[i] != NULL, w->model[ns][w->numbers[i]].is_there);
    state_done(w->table);
}

static uint64_t model_count(const struct world *w, int64_t ns)
{
    uint64_t count = 0;

    for (uint32_t d = 0; d < w->key_count; d++) count += w->model[ns][d].is_there;
    return count;
}

/* A walk in small pieces shows every entry once, with its key. */
static void walk_check(struct world *w, int64_t ns)
{
    struct state_cursor c = {0};
    bool *seen = calloc(w->key_count, 1);
    uint64_t total = 0;
    enum status st = S_MORE;
    uint32_t n;

    while (st == S_MORE) {
        batch_clear(w->keys);
        w->keys->count = BATCH_ROWS - 1 - (uint32_t)prng_below(&w->random, 700); /* little room is left */
        uint32_t first = w->keys->count;
        st = state_each(w->table, ns, &c, w->keys, NULL, w->rows, &n);
        if (st == S_PENDING) {
            st = S_MORE;
            continue;
        }
        assert_int_equal(w->keys->count, first + n);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t d = (uint32_t)*state_word(w->rows[i], 0);
            assert_true(d < w->key_count && !seen[d] && w->model[ns][d].is_there);
            seen[d] = true;
            row_check(w, &w->model[ns][d], d, w->rows[i]);
            keyed_key(w->in, w->cols, w->col_count, 0, d);
            for (uint32_t k = 0; k < w->col_count; k++) {
                assert_int_equal(vector_compare(&w->keys->cols[k], first + i, &w->in->cols[k], 0), 0);
            }
            batch_clear(w->in);
        }
        total += n;
    }
    assert_int_equal(st, S_OK);
    assert_int_equal(total, model_count(w, ns));
    assert_int_equal(state_count(w->table, ns), total);
    state_done(w->table);
    free(seen);
}

static void namespaces_check(struct world *w)
{
    uint32_t count, at = 0;
    const int64_t *list = state_namespaces(w->table, &count);

    for (int64_t ns = 0; ns < NAMESPACES; ns++) {
        bool listed = at < count && list[at] == ns;
        if (model_count(w, ns) > 0) assert_true(listed);
        at += listed;
    }
    assert_int_equal(at, count);
}

/* ---- saved, and begun anew with what was saved, by way of one, two or three subtasks */

static void table_open(void *world, struct state_host *h)
{
    struct world *w = world;
    struct err e = {0};

    if (state_open(h, &w->def, &w->table, &e) != S_OK) fail_msg("%s", e.text);
}

static void table_close(void *world) { state_close(((struct world *)world)->table); }

static void restart(struct world *w)
{
    struct keyed_opener o = {table_open, table_close, w};

    apart_drop(&w->apart);
    keyed_restart(&w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3), prng_below(&w->random, 2) ? 5000 : 1 << 24);
}

/* Saved while it is worked with, and back to what it was when that began. */
static void go_back(struct world *w)
{
    struct keyed_opener o = {table_open, table_close, w};

    if (w->apart.is_on && prng_below(&w->random, 4) > 0) {
        apart_end(&w->apart);
    } else if (w->apart.is_on) {
        apart_back(&w->apart, &w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3));
        memcpy(w->model, w->before, NAMESPACES * sizeof *w->model);
    } else {
        apart_begin(&w->apart, &w->keyed, prng_below(&w->random, 2) ? 5000 : 1 << 24);
        memcpy(w->before, w->model, NAMESPACES * sizeof *w->model);
    }
}

static void run(const char *backend, const char *key, uint32_t key_count, uint64_t seed, uint32_t groups, uint32_t steps)
{
    struct world *w = malloc(sizeof *w);

    assert_true(key_count <= KEYS_MAX);
    world_open(w, backend, key, key_count, seed, groups);
    for (uint32_t step = 0; step < steps; step++) {
        int64_t ns = (int64_t)prng_below(&w->random, NAMESPACES);
        switch (prng_below(&w->random, 12)) {
        case 0: batch_read(w, ns, STATE_READ); break;
        case 1: batch_read(w, ns, STATE_UPDATE); break;
        case 2: batch_remove(w, ns, true); break;
        case 3: batch_remove(w, ns, false); break;
        case 4:
        case 5: batch_reserve(w, ns); break;
        case 6: batch_insert(w, ns, true); break;
        case 7: walk_check(w, ns); break;
        case 8:
            if (prng_below(&w->random, 4)) break;
            state_drop(w->table, ns);
            for (uint32_t d = 0; d < key_count; d++) w->model[ns][d].is_there = false;
            break;
        default: batch_insert(w, ns, false); break;
        }
        if (prng_below(&w->random, 2)) apart_step(&w->apart);
        if (step % 36 == 4) restart(w);
        if (step % 3 == 2) go_back(w);
        namespaces_check(w);
    }
    for (int64_t ns = 0; ns < NAMESPACES; ns++) walk_check(w, ns);
    world_close(w);
    free(w);
}

static void bigint_keys(void **state)
{
    (void)state;
    run("hashmap", "ROW<k BIGINT NOT NULL> NOT NULL", 5000, 1, 128, 120);
    run("hashmap", "ROW<k BIGINT> NOT NULL", 300, 2, 1, 120);
    run("hashmap", "ROW<k BIGINT> NOT NULL", 6000, 3, 4096, 120);
}

static void other_word_keys(void **state)
{
    (void)state;
    run("hashmap", "ROW<k INT> NOT NULL", 900, 4, 128, 80);
    run("hashmap", "ROW<k SMALLINT NOT NULL> NOT NULL", 900, 5, 32, 80);
    run("hashmap", "ROW<k TIMESTAMP(3)> NOT NULL", 700, 6, 128, 80);
    run("hashmap", "ROW<k DATE> NOT NULL", 700, 7, 128, 80);
}

static void fixed_keys(void **state)
{
    (void)state;
    run("hashmap", "ROW<k DOUBLE> NOT NULL", 900, 8, 128, 80);
    run("hashmap", "ROW<k DECIMAL(38, 2)> NOT NULL", 900, 9, 128, 80);
    run("hashmap", "ROW<a BIGINT NOT NULL, b INT NOT NULL> NOT NULL", 2000, 10, 128, 80);
    run("hashmap", "ROW<a BIGINT, b TIMESTAMP(9), c TINYINT> NOT NULL", 2000, 11, 7, 80);
}

static void byte_keys(void **state)
{
    (void)state;
    run("hashmap", "ROW<k STRING> NOT NULL", 2000, 12, 128, 100);
    run("hashmap", "ROW<k VARCHAR(20) NOT NULL> NOT NULL", 50, 13, 3, 80);
    run("hashmap", "ROW<a STRING, b INT> NOT NULL", 2000, 14, 128, 80);
    run("hashmap", "ROW<a ARRAY<INT NOT NULL>> NOT NULL", 500, 15, 128, 60);
    run("hashmap", "ROW<a ARRAY<INT NOT NULL>, b STRING> NOT NULL", 500, 16, 128, 60);
}

static void pending_backend(void **state)
{
    (void)state;
    run("pending", "ROW<k BIGINT> NOT NULL", 900, 20, 128, 120);
    run("pending", "ROW<k STRING> NOT NULL", 900, 21, 128, 120);
}

/* With nothing that stays in memory longer than a batch, and with some that does. */
static void rocksdb_backend(void **state)
{
    (void)state;
    run("rocksdb", "ROW<k BIGINT> NOT NULL", 900, 30, 128, 120);
    run("rocksdb", "ROW<k BIGINT> NOT NULL", 3000, 34, 128, 200);
    run("rocksdb", "ROW<k STRING> NOT NULL", 3000, 35, 16, 200);
    run("rocksdb", "ROW<k STRING> NOT NULL", 900, 31, 128, 120);
    run("rocksdb", "ROW<a STRING, b INT> NOT NULL", 2000, 32, 128, 80);
    run("rocksdb", "ROW<a INT, b BIGINT> NOT NULL", 500, 33, 3, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bigint_keys),
        cmocka_unit_test(other_word_keys),
        cmocka_unit_test(fixed_keys),
        cmocka_unit_test(byte_keys),
        cmocka_unit_test(pending_backend),
        cmocka_unit_test(rocksdb_backend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
