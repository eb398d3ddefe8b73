/* test_snapshot.c - what a host's snapshot is and how it is dealt out: operator state over other numbers of subtasks, schemas that
 * differ, damaged bytes, chunks and their sizes. That rows of every shape come back as they were is proven where their shapes are
 * (test_state_shapes.c, test_state_map.c, test_state_ttl.c, test_view.c, test_timer.c). */
#include "flow/state/sb.h"
#include "flow/state/snapshot_chunk.h"
#include "flow/state/timer.h"
#include "flow/state/view.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { GROUPS = 8 };

/* ---- a small state of its own: MAP `sums`, LOG `notes`, timers, a list */

struct world {
    struct keyed keyed;
    struct state_def sums, notes;
    struct state_table *tables[2];
    struct timers *timers;
    struct opstate *list;
    struct batch *in;
    struct state_probe probe;
};

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, "hashmap", 0, GROUPS, GROUPS);
    const struct type *key = keyed_type(&w->keyed, "ROW<k BIGINT NOT NULL> NOT NULL");
    w->sums = (struct state_def){.name = "sums", .version = 1, .key = key, .value = keyed_type(&w->keyed, "ROW<v BIGINT, s STRING> NOT NULL")};
    w->notes = (struct state_def){.name = "notes", .version = 1, .shape = STATE_LOG, .key = key, .value = keyed_type(&w->keyed, "ROW<a ARRAY<INT NOT NULL>, b BOOLEAN> NOT NULL")};
    w->in = batch_create(w->notes.value, 64, &w->keyed.mem);
}

static enum status world_open(struct world *w, struct state_host *h, struct err *e)
{
    TRY(state_open(h, &w->sums, &w->tables[0], e));
    TRY(state_open(h, &w->notes, &w->tables[1], e));
    TRY(timers_create(h, "event", w->sums.key, &w->timers, e));
    return opstate_create(h, "list", OPSTATE_LIST, NULL, keyed_type(&w->keyed, "ROW<v BIGINT NOT NULL> NOT NULL"), &w->list, e);
}

static void world_close(struct world *w)
{
    opstate_free(w->list);
    timers_free(w->timers);
    state_close(w->tables[1]);
    state_close(w->tables[0]);
    w->list = NULL;
    w->timers = NULL;
    w->tables[0] = w->tables[1] = NULL;
}

static void world_release(struct world *w)
{
    world_close(w);
    batch_free(w->in);
    keyed_release(&w->keyed);
}

/* Keys 0..n-1: a sum, two notes and a timer each; n rows of the list. */
static void world_fill(struct world *w, uint32_t n)
{
    static const uint32_t col = 0;
    struct batch *keys = batch_create(w->sums.key, 64, &w->keyed.mem);
    uint64_t hashes[64];
    void *rows[64];
    int64_t times[64];

    for (uint32_t i = 0; i < n; i++) {
        keyed_fill(keys, 0, i, i);
        keyed_fill(w->in, 0, i, i);
        keyed_fill(w->in, 1, i, i);
        times[i] = 1000 - i;
        int64_t element = i;
        assert_int_equal(opstate_add(w->list, &element), S_OK);
    }
    keys->count = w->in->count = n;
    batch_hash(keys, &col, 1, hashes);
    struct state_keys k = state_keys_of(keys, &col, 1, hashes);
    assert_int_equal(state_resolve(w->tables[0], 0, &k, STATE_INSERT, rows, NULL), S_OK);
    for (uint32_t i = 0; i < n; i++) {
        *state_word(rows[i], w->tables[0]->value.fields[0].offset) = i;
        state_text_set(w->tables[0], 0, state_text_at(rows[i], w->tables[0]->value.fields[1].offset), (struct str){"some words in a row", i % 20});
    }
    state_done(w->tables[0]);
    assert_int_equal(state_probe_init(&w->probe, w->notes.value, &w->keyed.mem, &w->keyed.err), S_OK);
    for (uint32_t twice = 0; twice < 2; twice++) {
        assert_int_equal(state_resolve(w->tables[1], 0, &k, STATE_INSERT, rows, NULL), S_OK);
        state_probe_fill(&w->probe, w->in, NULL, NULL, n);
        assert_int_equal(state_log_append(w->tables[1], 0, rows, &w->probe, NULL, NULL), S_OK);
        state_done(w->tables[1]);
    }
    state_probe_release(&w->probe);
    assert_int_equal(timers_register(w->timers, &k, times), S_OK);
    batch_free(keys);
}

/* ---- operator state */

struct dealt {
    int64_t values[64];
    uint32_t count;
};

static void list_read(struct opstate *s, struct dealt *out)
{
    struct view_cursor c = {0};

    out->count = 0;
    for (const int64_t *row; (row = opstate_next(s, &c)) != NULL;) out->values[out->count++] = *row;
}

/* Old subtask i of `then` has `each` elements 100 i, 100 i + 1 ..; what has subtask `mine` of `now`? */
static void list_deal(enum opstate_kind kind, uint32_t then, uint32_t each, uint32_t mine, uint32_t now, struct dealt *out)
{
    struct keyed k;
    struct snapshots from;
    struct opstate *s;

    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    const struct type *value = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL");
    snapshots_init(&from, then, GROUPS);
    for (uint32_t i = 0; i < then; i++) {
        struct state_host h = keyed_host_of(&k, i, then, NULL);
        assert_int_equal(opstate_create(&h, "list", kind, NULL, value, &s, &k.err), S_OK);
        for (uint32_t j = 0; j < each; j++) assert_int_equal(opstate_add(s, &(int64_t){100 * i + j}), S_OK);
        snapshots_save(&from, i, &h, 1 << 20);
        opstate_free(s);
        state_host_release(&h);
    }
    struct state_host h = keyed_host_of(&k, mine, now, &from.restore);
    if (opstate_create(&h, "list", kind, NULL, value, &s, &k.err) != S_OK) fail_msg("%s", k.err.text);
    list_read(s, out);
    opstate_free(s);
    state_host_release(&h);
    snapshots_release(&from);
    keyed_release(&k);
}

static void dealt_are(const struct dealt *d, uint32_t count, const int64_t *values)
{
    assert_int_equal(d->count, count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(d->values[i], values[i]);
}

static void lists_are_dealt_out(void **state)
{
    struct dealt d;

    (void)state;
    list_deal(OPSTATE_LIST, 2, 3, 1, 2, &d); /* as many as before: each his own */
    dealt_are(&d, 3, (int64_t[]){100, 101, 102});
    list_deal(OPSTATE_LIST, 2, 3, 0, 3, &d);
    dealt_are(&d, 2, (int64_t[]){0, 100});
    list_deal(OPSTATE_LIST, 2, 3, 2, 3, &d);
    dealt_are(&d, 2, (int64_t[]){2, 102});
    list_deal(OPSTATE_LIST, 3, 2, 0, 1, &d);
    dealt_are(&d, 6, (int64_t[]){0, 1, 100, 101, 200, 201});
    list_deal(OPSTATE_LIST, 1, 2, 3, 4, &d);
    dealt_are(&d, 0, NULL);
    list_deal(OPSTATE_UNION, 2, 2, 2, 3, &d);
    dealt_are(&d, 4, (int64_t[]){0, 1, 100, 101});
    list_deal(OPSTATE_UNION, 2, 2, 1, 2, &d);
    dealt_are(&d, 4, (int64_t[]){0, 1, 100, 101});
}

static void broadcast_maps_are_whole(void **state)
{
    struct keyed k;
    struct snapshots from;
    struct opstate *s;

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    const struct type *word = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL");
    snapshots_init(&from, 2, GROUPS);
    for (uint32_t i = 0; i < 2; i++) {
        struct state_host h = keyed_host_of(&k, i, 2, NULL);
        assert_int_equal(opstate_create(&h, "rules", OPSTATE_BROADCAST, word, word, &s, &k.err), S_OK);
        for (int64_t key = 5; key > 0; key--) *(int64_t *)opstate_put(s, &key, NULL) = key * 10 + i;
        snapshots_save(&from, i, &h, 1 << 20);
        opstate_free(s);
        state_host_release(&h);
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct state_host h = keyed_host_of(&k, i, 3, &from.restore);
        struct view_cursor c = {0};
        assert_int_equal(opstate_create(&h, "rules", OPSTATE_BROADCAST, word, word, &s, &k.err), S_OK);
        assert_int_equal(opstate_count(s), 5);
        for (int64_t key = 5; key > 0; key--) {
            const int64_t *row = opstate_next(s, &c);
            assert_int_equal(*(const int64_t *)opstate_key(s, row), key); /* in their order */
            assert_int_equal(*row, key * 10 + i % 2);
            assert_ptr_equal(opstate_get(s, &key), row);
        }
        opstate_free(s);
        state_host_release(&h);
    }
    snapshots_release(&from);
    keyed_release(&k);
}

/* A row that each subtask has for itself stays where it is, and is not mixed with another's. */
static void rows_of_subtasks_stay_apart(void **state)
{
    struct keyed k;
    struct snapshots from;
    struct state_table *t;
    struct type none = {.kind = T_ROW, .phys = P_ROW};
    static const struct batch no_columns;

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    struct state_def def = {.name = "fold", .sharing = STATE_LIST, .key = &none, .value = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL")};
    snapshots_init(&from, 2, GROUPS);
    for (uint32_t i = 0; i < 2; i++) {
        struct state_host h = keyed_host_of(&k, i, 2, NULL);
        assert_int_equal(state_open(&h, &def, &t, &k.err), S_OK);
        *(int64_t *)state_get(t, 0, &no_columns, NULL, 0, state_host_hash(&h), STATE_INSERT, NULL) = 7 + i;
        state_done(t);
        snapshots_save(&from, i, &h, 1 << 20);
        state_close(t);
        state_host_release(&h);
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct state_host h = keyed_host_of(&k, i, 2, &from.restore);
        assert_int_equal(state_open(&h, &def, &t, &k.err), S_OK);
        assert_int_equal(*(int64_t *)state_get(t, 0, &no_columns, NULL, 0, state_host_hash(&h), STATE_READ, NULL), 7 + i);
        state_close(t);
        state_host_release(&h);
    }
    struct state_host h = keyed_host_of(&k, 0, 1, &from.restore);
    assert_int_equal(state_open(&h, &def, &t, &k.err), E_CONFIG);
    assert_string_equal(k.err.text, "operator 'test': state `fold`: each subtask has a row of its own, and two would come together");
    state_host_release(&h);
    snapshots_release(&from);
    keyed_release(&k);
}

/* ---- what does not fit */

/* Saves state `sums`, changed as the test likes, and opens it as it is. */
static void refused(struct state_def there, struct state_def now, const char *text)
{
    struct world w;
    struct snapshots s;
    struct state_table *t;
    struct err e = {0};

    world_init(&w);
    if (there.key == NULL) there.key = w.sums.key;
    if (there.value == NULL) there.value = w.sums.value;
    if (now.key == NULL) now.key = w.sums.key;
    if (now.value == NULL) now.value = w.sums.value;
    snapshots_init(&s, 1, GROUPS);
    assert_int_equal(state_open(&w.keyed.host, &there, &t, &w.keyed.err), S_OK);
    snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
    state_close(t);
    w.keyed.host.restore = &s.restore;
    assert_int_equal(state_open(&w.keyed.host, &now, &t, &e), E_CONFIG);
    assert_string_equal(e.text, text);
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

static void other_schemas_are_refused(void **state)
{
    struct keyed k;

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    const struct type *a = keyed_type(&k, "ROW<v BIGINT, s STRING> NOT NULL"), *b = keyed_type(&k, "ROW<v BIGINT, s INT> NOT NULL"),
                      *c = keyed_type(&k, "ROW<v BIGINT> NOT NULL"), *d = keyed_type(&k, "ROW<v BIGINT, t STRING> NOT NULL");
    struct state_def def = {.name = "sums", .version = 1, .value = a};
#define WITH(...) ((struct state_def){.name = "sums", .version = 1, .value = a, __VA_ARGS__})
    refused(def, (struct state_def){.name = "sums", .version = 1, .value = b},
        "operator 'test': state `sums`: value column `s` is of type STRING in the snapshot and of type INT now");
    refused(def, (struct state_def){.name = "sums", .version = 1, .value = c},
        "operator 'test': state `sums`: value column `s` STRING is in the snapshot and not there any more");
    refused((struct state_def){.name = "sums", .version = 1, .value = c}, def,
        "operator 'test': state `sums`: value column `s` STRING is not in the snapshot");
    refused(def, (struct state_def){.name = "sums", .version = 1, .value = d},
        "operator 'test': state `sums`: value column `t` STRING is not in the snapshot");
    refused(def, WITH(.key = keyed_type(&k, "ROW<k INT NOT NULL> NOT NULL")),
        "operator 'test': state `sums`: key column `k` is of type BIGINT NOT NULL in the snapshot and of type INT NOT NULL now");
    refused(def, (struct state_def){.name = "sums", .version = 2, .value = a}, "operator 'test': state `sums`: it is of version 1 there, of version 2 now");
    refused(def, WITH(.shape = STATE_LOG), "operator 'test': state `sums`: its rows are kept as MAP there, as LOG now");
    refused(WITH(.shape = STATE_ORDERED, .sort_key = c), WITH(.shape = STATE_ORDERED, .sort_key = c, .sort_descending = 1),
        "operator 'test': state `sums`: its rows are sorted otherwise there");
#undef WITH
    keyed_release(&k);
}

static void a_lower_max_parallelism_is_refused(void **state)
{
    struct world w;
    struct snapshots s;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
    world_close(&w);
    s.restore.max_parallelism = 16;
    w.keyed.host.restore = &s.restore;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_CONFIG);
    assert_string_equal(e.text, "operator 'test': state `sums`: the state was written with a max parallelism of 16, now it is 8");
    assert_non_null(strstr(e.hint, "to 16 or more"));
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

/* Rows without stamps of a state that now has a time to live begin to live when they are restored, and the other way round. */
static void a_time_to_live_may_come_and_go(void **state)
{
    struct world w;
    struct err e = {0};
    struct state_cursor c = {0};
    void *rows[64];
    uint32_t n;

    (void)state;
    world_init(&w);
    w.keyed.now_ms = 1000;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 10);
    for (uint32_t has = 1; has <= 2; has++) {
        struct snapshots s;
        snapshots_init(&s, 1, GROUPS);
        snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
        world_close(&w);
        w.keyed.host.restore = &s.restore;
        w.keyed.now_ms = 5000;
        w.sums.ttl = has == 1 ? state_ttl_of(100) : (struct state_ttl){0};
        if (world_open(&w, &w.keyed.host, &e) != S_OK) fail_msg("%s", e.text);
        w.keyed.host.restore = NULL;
        snapshots_release(&s);
        struct batch *keys = batch_create(w.sums.key, 64, &w.keyed.mem);
        c = (struct state_cursor){0};
        assert_int_equal(state_each(w.tables[0], 0, &c, keys, NULL, rows, &n), S_OK);
        assert_int_equal(n, 10);
        if (has == 1) assert_int_equal(*w.tables[0]->type->stamp(w.tables[0], rows[0]), 5000);
        batch_free(keys);
    }
    world_release(&w);
}

static void names_are_unique(void **state)
{
    struct world w;
    struct state_table *t;
    struct timers *timers;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    assert_int_equal(state_open(&w.keyed.host, &w.sums, &t, &e), E_EXISTS);
    assert_string_equal(e.text, "there are two states of the name `sums`");
    err_clear(&e);
    assert_int_equal(timers_create(&w.keyed.host, "event", w.sums.key, &timers, &e), E_EXISTS);
    assert_string_equal(e.text, "timers: there are two sets of timers of the name `event`");
    struct opstate *s; /* operator state has names of its own */
    err_clear(&e);
    assert_int_equal(opstate_create(&w.keyed.host, "sums", OPSTATE_LIST, NULL, w.sums.value, &s, &e), S_OK);
    opstate_free(s);
    world_release(&w);
}

/* ---- chunks */

static void nothing_is_no_bytes(void **state)
{
    struct keyed k;
    struct snapshots s;

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &k.host, 1000);
    assert_int_equal(s.images[0].part_count, 0);
    snapshots_release(&s);
    keyed_release(&k);
}

/* Each chunk is about as large as it should be; the state is the same whatever that is. */
static void chunks_have_their_size(void **state)
{
    struct world w;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 60);
    for (uint32_t round = 0; round < 2; round++) {
        struct snapshots s;
        snapshots_init(&s, 1, GROUPS);
        snapshots_save(&s, 0, &w.keyed.host, round == 0 ? 1 : 1 << 20);
        assert_int_equal(s.images[0].part_count, round == 0 ? 4 : 1); /* two tables, a list, timers */
        world_close(&w);
        w.keyed.host.restore = &s.restore;
        if (world_open(&w, &w.keyed.host, &e) != S_OK) fail_msg("%s", e.text);
        w.keyed.host.restore = NULL;
        assert_int_equal(state_count(w.tables[0], 0), 60);
        assert_int_equal(state_count(w.tables[1], 0), 60);
        assert_int_equal(timers_count(w.timers), 60);
        assert_int_equal(timers_next(w.timers), 1000 - 59);
        assert_int_equal(opstate_count(w.list), 60);
        snapshots_release(&s);
    }
    world_release(&w);
}

/* Restoring of a chunk one of whose bytes is another one; or one that ends too soon. */
/* Of operator state the newest part counts alone, and once: no key group says whose its rows are. */
static void lists_are_whole_in_each_part(void **state)
{
    struct keyed k;
    struct snapshots from;
    struct opstate *s;
    struct dealt d;

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    const struct type *value = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL");
    snapshots_init(&from, 1, GROUPS);
    struct state_host h = keyed_host_of(&k, 0, 1, NULL);
    assert_int_equal(opstate_create(&h, "list", OPSTATE_LIST, NULL, value, &s, &k.err), S_OK);
    for (uint64_t number = 1; number <= 3; number++) {
        assert_int_equal(opstate_add(s, &(int64_t){(int64_t)number * 10}), S_OK);
        const struct state_part_of part = {.number = number, .is_first = number == 1};
        snapshots_save_part(&from, 0, &h, &part, 1 << 20);
    }
    opstate_free(s);
    state_host_release(&h);
    h = keyed_host_of(&k, 0, 1, &from.restore);
    if (opstate_create(&h, "list", OPSTATE_LIST, NULL, value, &s, &k.err) != S_OK) fail_msg("%s", k.err.text);
    list_read(s, &d);
    dealt_are(&d, 3, (int64_t[]){10, 20, 30});
    opstate_free(s);
    state_host_release(&h);
    snapshots_release(&from);
    keyed_release(&k);
}

/* Whoever writes a draft packs it; the chunk is the one that would have been written at once. */
static void a_draft_becomes_the_same_chunk(void **state)
{
    struct world w;
    struct err e = {0};
    struct buf out[2], space;

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 64);
    buf_init(&space, &w.keyed.mem);
    for (uint32_t is_draft = 0; is_draft < 2; is_draft++) {
        struct state_save *save;
        enum status st;
        buf_init(&out[is_draft], &w.keyed.mem);
        assert_int_equal(state_save_create(&w.keyed.host, &save, &e), S_OK);
        if (is_draft) state_save_draft(save);
        while ((st = state_save_step(save, &out[is_draft], 1 << 20, &e)) == S_MORE) {
        }
        assert_int_equal(st, S_OK);
        state_save_free(save);
    }
    assert_int_equal(state_part_check((struct str){out[1].data, out[1].size}, &e), E_DATA);
    struct str made = state_chunk_finish((struct str){out[1].data, out[1].size}, &space);
    assert_int_equal(made.size, out[0].size);
    assert_memory_equal(made.data, out[0].data, made.size);
    assert_ptr_equal(state_chunk_finish((struct str){out[0].data, out[0].size}, &space).data, out[0].data);
    for (uint32_t i = 0; i < 2; i++) buf_release(&out[i]);
    buf_release(&space);
    world_release(&w);
}

static void keys_that_come_twice_are_refused(void **state)
{
    struct world w;
    struct snapshots s;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 30);
    snapshots_init(&s, 2, GROUPS); /* two old subtasks that say they had the same keys */
    for (uint32_t i = 0; i < 2; i++) snapshots_save(&s, i, &w.keyed.host, 1 << 20);
    world_close(&w);
    w.keyed.host.restore = &s.restore;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_DATA);
    assert_string_equal(e.text, "operator 'test': state `sums`: old subtask 1, chunk 0: a key is there twice");
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

static void damage_is_found(void **state)
{
    struct world w;
    struct snapshots s;
    struct err e = {0};
    char *bytes;

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 30);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
    world_close(&w);
    assert_int_equal(s.images[0].part_count, 1);
    struct str whole = s.parts[0][0].bytes;
    bytes = (char *)(uintptr_t)whole.data;
    assert_in_range(whole.size, 500, 5000);
    w.keyed.host.restore = &s.restore;
    for (size_t at = 0; at < whole.size; at++) {
        for (uint32_t bit = 0; bit < 8; bit += 3) {
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
            err_clear(&e);
            assert_int_equal(world_open(&w, &w.keyed.host, &e), E_DATA);
            assert_non_null(strstr(e.text, "byte "));
            world_close(&w);
            assert_int_equal(state_part_check(whole, NULL), E_DATA);
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
        }
    }
    err_clear(&e);
    s.parts[0][0].bytes.size = whole.size - 1;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_DATA);
    world_close(&w);
    s.parts[0][0].bytes.size = whole.size;
    err_clear(&e);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

static void errors_say_where(void **state)
{
    struct world w;
    struct snapshots s;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 30);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
    world_close(&w);
    w.keyed.host.restore = &s.restore;
    char *bytes = (char *)(uintptr_t)s.parts[0][0].bytes.data;
    bytes[0]++;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_DATA);
    assert_string_equal(e.text, "operator 'test': state `sums`: old subtask 0, chunk 0: byte 0: this is no chunk of state");
    bytes[0]--;
    bytes[CHUNK_HEADER + BLOCK_HEADER]++;
    err_clear(&e);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_DATA);
    assert_non_null(strstr(e.text, "operator 'test': state `sums`: old subtask 0, chunk 0: the block at byte 24: byte 72: a block of "));
    assert_non_null(strstr(e.text, " bytes of state is damaged"));
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

/* A host that has no room says so, and nothing is left of what it had begun. */
static void too_little_memory(void **state)
{
    struct world w;
    struct snapshots s;
    struct err e = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(world_open(&w, &w.keyed.host, &e), S_OK);
    world_fill(&w, 60);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &w.keyed.host, 1 << 20);
    world_close(&w);
    w.keyed.host.restore = &s.restore;
    w.keyed.mem.limit = w.keyed.mem.used + 1;
    assert_int_equal(world_open(&w, &w.keyed.host, &e), E_BUDGET);
    assert_non_null(strstr(e.text, "operator 'test': state `sums`: no room for "));
    w.keyed.mem.limit = 0;
    w.keyed.host.restore = NULL;
    snapshots_release(&s);
    world_release(&w);
}

/* Keys with a part that does not decide the key group (windows of a key) are found again, whoever has them now. */
static void keys_within_keys(void **state)
{
    static const uint32_t cols[2] = {0, 1};
    enum { N = 1000 };
    struct keyed k;
    struct snapshots s;
    struct state_table *t;
    struct timers *timers;
    uint64_t hashes[N], seen = 0;
    int64_t times[N];
    void *rows[N];

    (void)state;
    keyed_init(&k, "hashmap", 0, GROUPS, GROUPS);
    const struct type *key = keyed_type(&k, "ROW<k STRING NOT NULL, w BIGINT NOT NULL> NOT NULL");
    struct state_def def = {.name = "windows", .key = key, .is_within = true, .group_cols = 1,
        .value = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL")};
    struct batch *in = batch_create(key, N, &k.mem);
    for (uint32_t i = 0; i < N; i++) {
        keyed_fill(in, 0, i, i % 50);
        keyed_fill(in, 1, i, i / 50);
        times[i] = i;
    }
    in->count = N;
    state_def_hash(&def, in, cols, hashes);
    struct state_keys keys = state_keys_of(in, cols, 2, hashes);
    assert_int_equal(state_open(&k.host, &def, &t, &k.err), S_OK);
    assert_int_equal(timers_create_within(&k.host, "event", key, 1, &timers, &k.err), S_OK);
    assert_int_equal(state_resolve(t, 0, &keys, STATE_INSERT, rows, NULL), S_OK);
    for (uint32_t i = 0; i < N; i++) *(int64_t *)rows[i] = i;
    state_done(t);
    assert_int_equal(timers_register(timers, &keys, times), S_OK);
    snapshots_init(&s, 1, GROUPS);
    snapshots_save(&s, 0, &k.host, 1000);
    timers_free(timers);
    state_close(t);
    for (uint32_t i = 0; i < 3; i++) {
        struct state_host h = keyed_host_of(&k, i, 3, &s.restore);
        uint16_t sel[N];
        uint64_t mine[N];
        uint32_t n = 0;
        if (state_open(&h, &def, &t, &k.err) != S_OK) fail_msg("%s", k.err.text);
        assert_int_equal(timers_create_within(&h, "event", key, 1, &timers, &k.err), S_OK);
        for (uint32_t r = 0; r < N; r++) {
            if (state_key_group(hashes[r], GROUPS) - h.group_first >= h.group_count) continue;
            mine[n] = hashes[r];
            sel[n++] = (uint16_t)r;
        }
        struct state_keys own = {.batch = in, .cols = cols, .col_count = 2, .count = n, .sel = sel, .hashes = mine};
        assert_int_equal(state_resolve(t, 0, &own, STATE_READ, rows, NULL), S_OK);
        for (uint32_t r = 0; r < n; r++) assert_int_equal(*(int64_t *)rows[r], sel[r]);
        state_done(t);
        assert_int_equal(state_count(t, 0), n);
        assert_int_equal(timers_count(timers), n);
        seen += n;
        timers_free(timers);
        state_close(t);
        state_host_release(&h);
    }
    assert_int_equal(seen, N);
    batch_free(in);
    snapshots_release(&s);
    keyed_release(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_dealt_out), cmocka_unit_test(broadcast_maps_are_whole),
        cmocka_unit_test(rows_of_subtasks_stay_apart),
        cmocka_unit_test(other_schemas_are_refused), cmocka_unit_test(a_lower_max_parallelism_is_refused),
        cmocka_unit_test(a_time_to_live_may_come_and_go), cmocka_unit_test(names_are_unique), cmocka_unit_test(nothing_is_no_bytes),
        cmocka_unit_test(chunks_have_their_size), cmocka_unit_test(lists_are_whole_in_each_part),
        cmocka_unit_test(a_draft_becomes_the_same_chunk),
        cmocka_unit_test(keys_that_come_twice_are_refused), cmocka_unit_test(damage_is_found), cmocka_unit_test(errors_say_where),
        cmocka_unit_test(too_little_memory), cmocka_unit_test(keys_within_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
