/* test_state_ttl.c - time to live with a clock that the test moves: update types, visibility, the sweep after each batch, and
 * stamps per element under heads. */
#include "flow/state/shape.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TTL = 100, KEYS = 300 };

struct world {
    struct keyed keyed;
    struct state_def def;
    struct state_table *table;
    struct batch *in, *out;
    struct prng random;
    uint64_t hashes[BATCH_ROWS];
    void *rows[BATCH_ROWS];
    uint64_t created[BATCH_ROWS / 64];
};

static const uint32_t col = 0;

static const char *backend = "hashmap";

static void world_open(struct world *w, enum state_shape shape, enum state_ttl_update update, enum state_ttl_visibility visibility)
{
    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, backend, 0, 16, 16);
    prng_init(&w->random, update * 10 + visibility);
    w->def = (struct state_def){.name = "test", .shape = shape, .key = keyed_type(&w->keyed, "ROW<k BIGINT NOT NULL> NOT NULL"),
        .value = keyed_type(&w->keyed, "ROW<v BIGINT NOT NULL, s STRING> NOT NULL"),
        .sort_key = shape == STATE_ORDERED ? keyed_type(&w->keyed, "ROW<s BIGINT NOT NULL> NOT NULL") : NULL,
        .ttl = {.ms = TTL, .update = (uint8_t)update, .visibility = (uint8_t)visibility}};
    w->in = batch_create(w->def.key, BATCH_ROWS, &w->keyed.mem);
    w->out = batch_create(w->def.key, BATCH_ROWS, &w->keyed.mem);
}

static void world_close(struct world *w)
{
    state_close(w->table);
    batch_free(w->in);
    batch_free(w->out);
    keyed_release(&w->keyed);
    free(w);
}

static struct world *world_map(enum state_ttl_update update, enum state_ttl_visibility visibility)
{
    struct world *w = malloc(sizeof *w);

    world_open(w, STATE_MAP, update, visibility);
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    return w;
}

static void resolve_keys(struct world *w, const int64_t *keys, uint32_t n, enum state_intent intent)
{
    struct state_keys k;

    batch_clear(w->in);
    memcpy(w->in->cols[0].data, keys, n * sizeof *keys);
    w->in->count = n;
    batch_hash(w->in, &col, 1, w->hashes);
    k = state_keys_of(w->in, &col, 1, w->hashes);
    assert_int_equal(state_resolve(w->table, 0, &k, intent, w->rows, w->created), S_OK);
}

/* One key; the row, and the batch is not done yet. */
static int64_t *one(struct world *w, int64_t key, enum state_intent intent)
{
    resolve_keys(w, &key, 1, intent);
    return w->rows[0];
}

static void note(struct world *w, int64_t *row)
{
    state_text_set(w->table, 0, state_text_at(row, w->table->value.fields[1].offset), (struct str){"a string of more than twelve", 28});
}

static void create_and_write(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);

    (void)state;
    w->keyed.now_ms = 1000;
    *one(w, 7, STATE_INSERT) = 5;
    note(w, w->rows[0]);
    state_done(w->table);
    w->keyed.now_ms = 1000 + TTL - 1;
    assert_int_equal(*one(w, 7, STATE_READ), 5); /* does not prolong */
    state_done(w->table);
    w->keyed.now_ms = 1000 + TTL;
    assert_null(one(w, 7, STATE_READ));
    assert_null(one(w, 7, STATE_UPDATE));
    assert_false(state_is_set(w->table, 0));
    assert_int_equal(*one(w, 7, STATE_INSERT), 0); /* as new */
    assert_true(bit_get(w->created, 0));
    assert_int_equal(state_text_get(w->table, state_text_at(w->rows[0], w->table->value.fields[1].offset)).size, 0);
    assert_int_equal(*one(w, 7, STATE_INSERT), 0);
    assert_false(bit_get(w->created, 0)); /* the same batch: it is there now */
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    *one(w, 7, STATE_UPDATE) = 6; /* prolongs */
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    assert_int_equal(*one(w, 7, STATE_READ), 6);
    state_done(w->table);
    world_close(w);
}

static void read_and_write(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_READ_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);

    (void)state;
    *one(w, 7, STATE_INSERT) = 5;
    state_done(w->table);
    for (uint32_t i = 0; i < 5; i++) {
        w->keyed.now_ms += TTL - 1;
        assert_int_equal(*one(w, 7, STATE_READ), 5);
        state_done(w->table);
    }
    w->keyed.now_ms += TTL;
    assert_null(one(w, 7, STATE_READ));
    state_done(w->table);
    world_close(w);
}

static void expired_until_swept(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED);
    struct state_cursor c = {0};
    uint32_t n;

    (void)state;
    *one(w, 7, STATE_INSERT) = 5;
    state_done(w->table);
    w->keyed.now_ms += 10 * TTL;
    assert_int_equal(*one(w, 7, STATE_READ), 5);
    assert_int_equal(state_each(w->table, 0, &c, w->out, NULL, w->rows, &n), S_OK);
    assert_int_equal(n, 1);
    state_done(w->table); /* sweeps */
    assert_null(one(w, 7, STATE_READ));
    state_done(w->table);
    world_close(w);
}

/* What has expired is still shown, but reading it does not bring it back to life. */
static void expired_is_not_prolonged(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_READ_AND_WRITE, STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED);

    (void)state;
    *one(w, 7, STATE_INSERT) = 5;
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    assert_int_equal(*one(w, 7, STATE_RESERVE), 5);
    state_touch(w->table, 0); /* in time */
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    assert_int_equal(*one(w, 7, STATE_READ), 5);
    state_done(w->table);
    w->keyed.now_ms += TTL;
    assert_int_equal(*one(w, 7, STATE_READ), 5);
    assert_int_equal(*one(w, 7, STATE_RESERVE), 5);
    state_touch(w->table, 0);
    state_done(w->table); /* sweeps */
    assert_null(one(w, 7, STATE_READ));
    state_done(w->table);
    world_close(w);
}

static void reserved_rows(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);

    (void)state;
    *one(w, 7, STATE_INSERT) = 5;
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    assert_int_equal(*one(w, 7, STATE_RESERVE), 5);
    assert_true(state_is_set(w->table, 0));
    state_done(w->table); /* looking at it did not prolong it */
    w->keyed.now_ms += 1;
    assert_int_equal(*one(w, 7, STATE_RESERVE), 0);
    assert_false(state_is_set(w->table, 0));
    state_done(w->table);
    assert_int_equal(state_count(w->table, 0), 0);
    *one(w, 7, STATE_RESERVE) = 9;
    state_write(w->table, 0);
    state_done(w->table);
    w->keyed.now_ms += TTL - 1;
    assert_int_equal(*one(w, 7, STATE_READ), 9);
    state_done(w->table);
    world_close(w);
}

static void sweep_is_gradual(void **state)
{
    struct world *w = world_map(STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);
    int64_t keys[BATCH_ROWS];
    struct state_cursor c = {0};
    uint32_t n, rounds = 0;

    (void)state;
    for (uint32_t i = 0; i < BATCH_ROWS; i++) keys[i] = i;
    resolve_keys(w, keys, BATCH_ROWS, STATE_INSERT);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) note(w, w->rows[i]);
    state_done(w->table);
    w->keyed.now_ms += TTL;
    assert_int_equal(state_each(w->table, 0, &c, w->out, NULL, w->rows, &n), S_OK);
    assert_int_equal(n, 0); /* hidden at once */
    for (uint64_t before = BATCH_ROWS; state_count(w->table, 0) > 0; before = state_count(w->table, 0), rounds++) {
        state_done(w->table);
        assert_true(before - state_count(w->table, 0) <= STATE_TTL_SWEEP);
        assert_true(rounds <= BATCH_ROWS / STATE_TTL_SWEEP + 2);
    }
    assert_true(rounds >= BATCH_ROWS / STATE_TTL_SWEEP);
    world_close(w);
}

/* `keys` expired entries; one batch that reads none of them and counts `accessed`; answers how many are left. */
static uint64_t left_after(const struct state_ttl *how, uint32_t keys_count, uint32_t records, uint32_t accessed)
{
    struct world *w = malloc(sizeof *w);
    int64_t keys[BATCH_ROWS];

    world_open(w, STATE_MAP, STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED);
    w->def.ttl.cleanup_size = how->cleanup_size;
    w->def.ttl.every_record = how->every_record;
    w->def.ttl.no_background = how->no_background;
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    for (uint32_t i = 0; i < keys_count; i++) keys[i] = i;
    resolve_keys(w, keys, keys_count, STATE_INSERT);
    state_done(w->table);
    w->keyed.now_ms += TTL;
    for (uint32_t i = 0; i < records; i++) keys[i] = 1000000 + i; /* absent */
    resolve_keys(w, keys, records, STATE_READ);
    w->table->accessed = accessed;
    state_done(w->table);
    assert_int_equal(w->table->accessed, 0);
    uint64_t left = state_count(w->table, 0);
    world_close(w);
    return left;
}

static void clean_up_as_asked(void **state)
{
    (void)state;
    assert_int_equal(left_after(&(struct state_ttl){0}, 300, 3, 7), 300 - STATE_TTL_SWEEP);
    assert_int_equal(left_after(&(struct state_ttl){.no_background = true}, 300, 3, 7), 300);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 5}, 300, 3, 7), 300 - 35);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 5}, 300, 3, 0), 300);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 5, .every_record = true}, 300, 3, 0), 300 - 15);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 5, .every_record = true}, 300, 3, 7), 300 - 50);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 5, .no_background = true}, 300, 3, 7), 300 - 35);
    assert_int_equal(left_after(&(struct state_ttl){.cleanup_size = 1000000}, 300, 1, 1), 0);
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

    keyed_restart(&w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3), prng_below(&w->random, 2) ? 5000 : 1 << 24);
}

/* Random batches against a model of stamps. */
static void random_batches(void **state)
{
    (void)state;
    for (uint32_t update = STATE_TTL_ON_CREATE_AND_WRITE; update <= STATE_TTL_ON_READ_AND_WRITE; update++) {
        struct world *w = world_map(update, STATE_TTL_NEVER_RETURN_EXPIRED);
        struct keyed_opener o = {table_open, table_close, w};
        struct apart apart = {0};
        int64_t stamp[KEYS], value[KEYS], keys[BATCH_ROWS], stamps[KEYS], values[KEYS], was = 0;
        for (uint32_t k = 0; k < KEYS; k++) stamp[k] = INT64_MIN / 2;
        for (uint32_t step = 0; step < 400; step++) {
            uint32_t n = 1 + (uint32_t)prng_below(&w->random, 200);
            enum state_intent intent = (enum state_intent)prng_below(&w->random, 3);
            w->keyed.now_ms += (int64_t)prng_below(&w->random, TTL / 3);
            if (step % 80 == 7) apart_drop(&apart);
            if (step % 80 == 7) restart(w);
            if (step % 6 == 1 && apart.is_on && prng_below(&w->random, 3)) {
                apart_end(&apart);
            } else if (step % 6 == 3 && !apart.is_on) {
                apart_begin(&apart, &w->keyed, 2000);
                memcpy(stamps, stamp, sizeof stamp);
                memcpy(values, value, sizeof value);
                was = w->keyed.now_ms;
            } else if (step % 12 == 11 && apart.is_on) {
                w->keyed.now_ms = was;
                apart_back(&apart, &w->keyed, &o, 2);
                memcpy(stamp, stamps, sizeof stamp);
                memcpy(value, values, sizeof value);
            } else if (step % 3 == 0) {
                apart_step(&apart);
            }
            for (uint32_t i = 0; i < n; i++) keys[i] = (int64_t)prng_below(&w->random, KEYS);
            resolve_keys(w, keys, n, intent);
            for (uint32_t i = 0; i < n; i++) {
                bool is_there = stamp[keys[i]] + TTL > w->keyed.now_ms;
                if (intent == STATE_INSERT) assert_int_equal(bit_get(w->created, i), !is_there);
                else assert_int_equal(w->rows[i] != NULL, is_there);
                if (is_there) assert_int_equal(*(int64_t *)w->rows[i], value[keys[i]]);
                if (intent == STATE_INSERT && !is_there) {
                    *(int64_t *)w->rows[i] = value[keys[i]] = step * 1000 + i;
                    note(w, w->rows[i]);
                }
                if (intent == STATE_INSERT || (is_there && (intent == STATE_UPDATE || update == STATE_TTL_ON_READ_AND_WRITE)))
                    stamp[keys[i]] = w->keyed.now_ms;
            }
            state_done(w->table);
        }
        apart_drop(&apart);
        world_close(w);
    }
}

/* ---- elements under heads */

struct shaped {
    struct world *w;
    struct state_probe probe, sort;
    struct batch *values, *sorts;
};

static void shaped_open(struct shaped *s, enum state_shape shape, bool has_map_key)
{
    s->w = malloc(sizeof *s->w);
    world_open(s->w, shape, STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);
    if (has_map_key) s->w->def.map_key = keyed_type(&s->w->keyed, "ROW<s BIGINT NOT NULL> NOT NULL");
    assert_int_equal(state_open(&s->w->keyed.host, &s->w->def, &s->w->table, &s->w->keyed.err), S_OK);
    s->values = batch_create(s->w->def.value, 16, &s->w->keyed.mem);
    s->sorts = batch_create(keyed_type(&s->w->keyed, "ROW<s BIGINT NOT NULL> NOT NULL"), 16, &s->w->keyed.mem);
    assert_int_equal(state_probe_init(&s->probe, s->w->def.value, &s->w->keyed.mem, &s->w->keyed.err), S_OK);
    assert_int_equal(state_probe_init(&s->sort, s->sorts->schema, &s->w->keyed.mem, &s->w->keyed.err), S_OK);
    keyed_fill(s->values, 0, 0, 1);
    keyed_fill(s->values, 1, 0, 4);
    keyed_fill(s->sorts, 0, 0, 1);
    s->values->count = s->sorts->count = 1;
    state_probe_fill(&s->probe, s->values, NULL, NULL, 1);
    state_probe_fill(&s->sort, s->sorts, NULL, NULL, 1);
}

static void shaped_close(struct shaped *s)
{
    batch_free(s->values);
    batch_free(s->sorts);
    state_probe_release(&s->probe);
    state_probe_release(&s->sort);
    world_close(s->w);
}

static uint32_t shown(struct shaped *s)
{
    struct state_hits *hits = malloc(sizeof *hits);
    struct state_scan c = {0};
    uint32_t count;

    (void)one(s->w, 7, STATE_READ);
    assert_int_equal(state_scan(s->w->table, 0, s->w->rows, 1, &c, hits), S_OK);
    count = hits->count;
    free(hits);
    return count;
}

/* Two rows 60 ms apart: first both are shown, then one, then none, and the sweep takes the head away. */
static void fade(struct shaped *s, enum status (*add)(struct shaped *s))
{
    (void)one(s->w, 7, STATE_INSERT);
    assert_int_equal(add(s), S_OK);
    state_done(s->w->table);
    s->w->keyed.now_ms += 60;
    keyed_fill(s->values, 0, 0, 2);
    keyed_fill(s->sorts, 0, 0, 2);
    state_probe_fill(&s->probe, s->values, NULL, NULL, 1);
    state_probe_fill(&s->sort, s->sorts, NULL, NULL, 1);
    (void)one(s->w, 7, STATE_INSERT);
    assert_int_equal(add(s), S_OK);
    assert_int_equal(shown(s), 2);
    state_done(s->w->table);
    s->w->keyed.now_ms += 60;
    assert_int_equal(shown(s), 1);
    state_done(s->w->table);
    restart(s->w);
    assert_int_equal(shown(s), 1);
    state_done(s->w->table);
    s->w->keyed.now_ms += 60;
    assert_int_equal(shown(s), 0);
    state_done(s->w->table);
    state_done(s->w->table);
    assert_int_equal(state_count(s->w->table, 0), 0);
}

static enum status log_add(struct shaped *s) { return state_log_append(s->w->table, 0, s->w->rows, &s->probe, NULL, NULL); }

static enum status multiset_add(struct shaped *s)
{
    void *row;

    return state_multiset_change(s->w->table, 0, s->w->rows, &s->probe, NULL, &row);
}

static enum status entry_add(struct shaped *s)
{
    void *row;

    return state_entry_resolve(s->w->table, 0, s->w->rows, &s->sort, STATE_INSERT, &row, NULL);
}

static enum status ordered_add(struct shaped *s)
{
    void *row;

    return state_ordered_insert(s->w->table, 0, s->w->rows, &s->sort, &row, NULL);
}

static void elements_fade(void **state)
{
    struct shaped s;

    (void)state;
    shaped_open(&s, STATE_LOG, false);
    fade(&s, log_add);
    shaped_close(&s);
    shaped_open(&s, STATE_MULTISET, false);
    fade(&s, multiset_add);
    shaped_close(&s);
    shaped_open(&s, STATE_MAP, true);
    fade(&s, entry_add);
    shaped_close(&s);
    shaped_open(&s, STATE_ORDERED, false);
    fade(&s, ordered_add);
    shaped_close(&s);
}

/* Nothing stays in memory longer than a batch. */
static void on_rocksdb(void **state)
{
    backend = "rocksdb";
    create_and_write(state);
    read_and_write(state);
    expired_is_not_prolonged(state);
    reserved_rows(state);
    random_batches(state);
    elements_fade(state);
    backend = "hashmap";
}

/* Batches that read nothing: entries that are in the map alone go too, some after every few of them. */
static void what_is_on_disk_expires(void **state)
{
    struct world *w = malloc(sizeof *w);
    int64_t keys[BATCH_ROWS];
    uint32_t rounds = 0;

    (void)state;
    backend = "rocksdb";
    world_open(w, STATE_MAP, STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_NEVER_RETURN_EXPIRED);
    assert_int_equal(state_open(&w->keyed.host, &w->def, &w->table, &w->keyed.err), S_OK);
    for (uint32_t i = 0; i < 1000; i++) keys[i] = i;
    resolve_keys(w, keys, 1000, STATE_INSERT);
    state_done(w->table);
    for (; rounds < 10; rounds++) state_done(w->table); /* all are out */
    assert_int_equal(state_count(w->table, 0), 1000);
    w->keyed.now_ms += TTL - 1;
    for (rounds = 0; rounds < 200; rounds++) state_done(w->table);
    assert_int_equal(state_count(w->table, 0), 1000);
    w->keyed.now_ms += 1;
    for (rounds = 0; rounds < 4 * (1000 / 64 + 2) && state_count(w->table, 0) > 0; rounds++) state_done(w->table);
    assert_int_equal(state_count(w->table, 0), 0);
    assert_true(rounds > 1000 / 64);
    world_close(w);
    backend = "hashmap";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_and_write), cmocka_unit_test(read_and_write), cmocka_unit_test(expired_until_swept),
        cmocka_unit_test(expired_is_not_prolonged),
        cmocka_unit_test(reserved_rows), cmocka_unit_test(sweep_is_gradual), cmocka_unit_test(clean_up_as_asked), cmocka_unit_test(random_batches),
        cmocka_unit_test(elements_fade), cmocka_unit_test(on_rocksdb), cmocka_unit_test(what_is_on_disk_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
