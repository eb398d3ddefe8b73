/* test_snapshot_file.c - chunks that earlier versions wrote are read as ever: test/fuzz/corpus/state_chunk/every_shape_1, with a state of
 * every shape, must have in it what this test would put there today. Parts are not read as if they were all. */
#include "flow/state/saved_rows.h"
#include "flow/state/snapshot_chunk.h"
#include "support/every_shape.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 20, ROWS = 3 };

struct world {
    struct mem mem;
    struct arena arena;
    struct every_shape now, then;
    struct err err;
};

/* ---- what is put in: for each key some rows, all of numbers */

static void rows_fill(struct batch *b, uint32_t n, uint32_t plus)
{
    for (uint32_t c = 0; c < b->col_count; c++) {
        const struct type *t = b->cols[c].type;
        if (t->phys == P_ROW || t->kind == T_MAP) {
            for (uint32_t i = 0; i < n; i++) vector_set_null(&b->cols[c], i);
            continue;
        }
        for (uint32_t i = 0; i < n; i++) keyed_fill(b, c, i, i + plus);
    }
    b->count = n;
}

struct columns {
    struct batch *keys, *values, *extras;
    struct state_probe value, extra;
    uint64_t hashes[KEYS];
    void *heads[KEYS], *rows[KEYS];
    uint32_t cols[8];
};

static void columns_make(struct columns *c, const struct state_def *d, struct mem *mem)
{
    const struct type *extra = d->map_key != NULL ? d->map_key : d->sort_key;
    enum status st;

    memset(c, 0, sizeof *c);
    for (uint32_t i = 0; i < COUNT_OF(c->cols); i++) c->cols[i] = i;
    c->keys = batch_create(d->key, KEYS, mem);
    c->values = batch_create(d->value, KEYS, mem);
    if (extra != NULL) c->extras = batch_create(extra, KEYS, mem);
    st = state_probe_init(&c->value, d->value, mem, NULL);
    assert_int_equal(st, S_OK);
    if (extra == NULL) return;
    st = state_probe_init(&c->extra, extra, mem, NULL);
    assert_int_equal(st, S_OK);
}

static void columns_free(struct columns *c)
{
    batch_free(c->keys);
    batch_free(c->values);
    batch_free(c->extras);
    state_probe_release(&c->value);
    state_probe_release(&c->extra);
}

static void places_fill(struct state_table *t, struct columns *c, const uint16_t *rows)
{
    uint64_t written[KEYS];

    assert_int_equal(state_places_write(t, 0, c->values, c->cols, rows, KEYS, written), S_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct state_place places[ROWS + 1];
        uint32_t had = state_head_rows(c->heads[i]);
        memcpy(places, state_places(t, c->heads[i]), had * sizeof *places);
        places[had] = (struct state_place){i + 7, written[i]};
        state_places_set(t, 0, c->heads[i], places, had + 1);
    }
}

static void shape_fill(struct state_table *t, struct columns *c, int64_t ns)
{
    uint16_t rows[KEYS];
    enum status st = S_OK;

    for (uint32_t i = 0; i < KEYS; i++) rows[i] = (uint16_t)i;
    state_probe_fill(&c->value, c->values, NULL, NULL, KEYS);
    if (c->extras != NULL) state_probe_fill(&c->extra, c->extras, NULL, NULL, KEYS);
    switch ((enum state_shape)t->def->shape) {
    case STATE_LOG: st = state_log_append(t, ns, c->heads, &c->value, NULL, NULL); break;
    case STATE_MULTISET: st = state_multiset_change(t, ns, c->heads, &c->value, NULL, c->rows); break;
    case STATE_PACKED: st = state_packed_append(t, ns, c->heads, c->values, c->cols, rows, KEYS); break;
    case STATE_PLACES: places_fill(t, c, rows); break;
    case STATE_ORDERED: st = state_ordered_insert(t, ns, c->heads, &c->extra, c->rows, NULL); break;
    case STATE_MAP:
        if (c->extras != NULL) st = state_entry_resolve(t, ns, c->heads, &c->extra, STATE_INSERT, c->rows, NULL);
        else memcpy(c->rows, c->heads, sizeof c->rows);
    }
    assert_int_equal(st, S_OK);
    bool is_open = t->def->shape == STATE_ORDERED || t->def->shape == STATE_MAP;
    for (uint32_t f = 0; is_open && f < c->values->col_count; f++) state_rows_store(t, ns, c->rows, KEYS, f, &c->values->cols[f], NULL);
    if (t->def->shape == STATE_ORDERED || c->extras != NULL) state_element_of(t, c->rows[3])->matches = 5;
}

static void table_fill(struct state_table *t, struct mem *mem)
{
    struct columns c;

    columns_make(&c, t->def, mem);
    for (uint32_t round = 0; round < ROWS; round++) {
        int64_t ns = t->def->namespaced ? round : 0;
        batch_clear(c.keys);
        batch_clear(c.values);
        rows_fill(c.keys, KEYS, 0);
        rows_fill(c.values, KEYS, t->def->shape == STATE_MULTISET ? round / 2 : round);
        if (c.extras != NULL) batch_clear(c.extras), rows_fill(c.extras, KEYS, 3 * round);
        state_def_hash(t->def, c.keys, c.cols, c.hashes);
        struct state_keys keys = state_keys_of(c.keys, c.cols, c.keys->col_count, c.hashes);
        assert_int_equal(state_resolve(t, ns, &keys, STATE_INSERT, c.heads, NULL), S_OK);
        shape_fill(t, &c, ns);
        state_done(t);
    }
    columns_free(&c);
}

static void others_fill(struct every_shape *s, struct mem *mem)
{
    for (uint32_t which = 0; which < 2; which++) {
        struct columns c;
        int64_t times[KEYS];
        columns_make(&c, &s->defs[which], mem);
        rows_fill(c.keys, KEYS, 0);
        for (uint32_t i = 0; i < KEYS; i++) times[i] = i == 5 ? INT64_MAX : 1000 * (i % 7);
        if (which == 0) state_def_hash(&s->defs[0], c.keys, c.cols, c.hashes);
        else state_hash_within(c.keys, c.cols, 1, 2, c.hashes);
        struct state_keys keys = state_keys_of(c.keys, c.cols, c.keys->col_count, c.hashes);
        assert_int_equal(timers_register(s->timers[which], &keys, times), S_OK);
        columns_free(&c);
    }
    for (int64_t i = 0; i < KEYS; i++) {
        assert_int_equal(opstate_add(s->list, &i), S_OK);
        int64_t *row = opstate_put(s->map, &i, NULL);
        *row = i * i;
        opstate_text_set(s->map, state_text_at(row, 8), (struct str){"a rule of some length", (size_t)i});
    }
}

static void host_fill(struct every_shape *s, struct mem *mem)
{
    for (uint32_t i = 0; i < EVERY_TABLES; i++) table_fill(s->tables[i], mem);
    others_fill(s, mem);
}

/* ---- the file */

static void file_read(const char *name, struct buf *out)
{
    char path[512];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "%s/fuzz/corpus/state_chunk/%s", THALWEG_TEST_DIR, name);
    f = fopen(path, "rb");
    if (f == NULL) fail_msg("%s cannot be read", path);
    buf_reserve(out, 1 << 20);
    n = fread(out->data, 1, 1 << 20, f);
    out->size = n;
    fclose(f);
}

/* What was read, saved again, is what a host that was filled just now saves. */
static void files_are_read_as_ever(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct snapshots now, then;
    struct buf file;

    (void)state;
    mem_init(&w->mem, "file", 0);
    arena_init(&w->arena, &w->mem, 0);
    buf_init(&file, &w->mem);
    assert_int_equal(every_shape_open(&w->now, sb_find("hashmap"), NULL, &w->arena, &w->err), S_OK);
    host_fill(&w->now, &w->mem);
    snapshots_init(&now, 1, EVERY_GROUPS);
    snapshots_save(&now, 0, &w->now.host, 1 << 20);
    file_read("every_shape_1", &file);
    struct state_part part = {{file.data, file.size}};
    struct state_image image = {&part, 1};
    struct state_restore restore = {.subtasks = &image, .count = 1, .max_parallelism = EVERY_GROUPS};
    if (every_shape_open(&w->then, sb_find("hashmap"), &restore, &w->arena, &w->err) != S_OK) fail_msg("%s", w->err.text);
    snapshots_init(&then, 1, EVERY_GROUPS);
    snapshots_save(&then, 0, &w->then.host, 1 << 20);
    assert_int_equal(now.parts[0][0].bytes.size, then.parts[0][0].bytes.size);
    assert_memory_equal(now.parts[0][0].bytes.data, then.parts[0][0].bytes.data, now.parts[0][0].bytes.size);
    snapshots_release(&now);
    snapshots_release(&then);
    every_shape_close(&w->now);
    every_shape_close(&w->then);
    buf_release(&file);
    arena_release(&w->arena);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    free(w);
}

/* Rows of a part are not the state: tables and programs that read rows refuse them. */
static void rows_of_parts_are_refused(void **state)
{
    struct mem mem;
    struct buf file;
    struct err e = {0};

    (void)state;
    mem_init(&mem, "file", 0);
    buf_init(&file, &mem);
    struct saved_rows *r = saved_rows_create(&mem, "map");
    file_read("every_shape_1", &file);
    assert_int_equal(saved_rows_chunk(r, (struct str){file.data, file.size}, &e), S_OK);
    buf_clear(&file);
    chunk_begin_part(&file, EVERY_GROUPS, &(struct chunk_part){.number = 3, .group_count = EVERY_GROUPS, .base_count = 1});
    assert_int_equal(saved_rows_chunk(r, (struct str){file.data, file.size}, &e), E_UNSUPPORTED);
    assert_string_equal(e.text, "the state of an incremental checkpoint lies in parts, of which each says what had changed: its rows alone are "
                                "not the state");
    assert_string_equal(e.hint, "take a savepoint, which holds all (`thalweg savepoint`, or a job that begins with this checkpoint), and read that");
    saved_rows_free(r);
    buf_release(&file);
    assert_int_equal(mem.used, 0);
    mem_release(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_read_as_ever), cmocka_unit_test(rows_of_parts_are_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
