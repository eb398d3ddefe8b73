/* test_view.c - views as user functions see them: a random function of the current key's value, list, map and folded states,
 * row by row, against a model; keys repeat within a batch, so each call must see what the row before did. Then operator
 * state. On both backends. */
#include "flow/state/view.h"
#include "support/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 40, SPACES = 3, LIST_MAX = 4000, MAP_MAX = 100 };

struct model {
    bool has_value, has_sum;
    int64_t value, sum;
    char text[64];
    uint32_t list_count;
    int64_t list[LIST_MAX];
    bool in_map[MAP_MAX];
    int64_t map[MAP_MAX];
    uint32_t since[MAP_MAX], puts; /* order of first insertion */
};

struct world {
    struct keyed keyed;
    struct views *views;
    struct view *value, *list, *map, *sum;
    struct view_def defs[4];
    struct batch *in;
    struct prng random;
    uint64_t hashes[BATCH_ROWS];
    uint32_t numbers[BATCH_ROWS];
    struct model (*model)[KEYS];
};

static void world_open(struct world *w, const char *backend, uint64_t seed)
{
    const struct type *key, *value, *number, *text;

    memset(w, 0, sizeof *w);
    keyed_init(&w->keyed, backend, 0, 128, 128);
    prng_init(&w->random, seed);
    key = keyed_type(&w->keyed, "ROW<k BIGINT> NOT NULL");
    number = keyed_type(&w->keyed, "ROW<v BIGINT NOT NULL> NOT NULL");
    text = keyed_type(&w->keyed, "ROW<s STRING NOT NULL> NOT NULL");
    value = keyed_type(&w->keyed, "ROW<v BIGINT NOT NULL, s STRING> NOT NULL");
    w->defs[0] = (struct view_def){.name = "value", .kind = VIEW_VALUE, .value = value};
    w->defs[1] = (struct view_def){.name = "list", .kind = VIEW_LIST, .value = number};
    w->defs[2] = (struct view_def){.name = "map", .kind = VIEW_MAP, .value = number, .map_key = text};
    w->defs[3] = (struct view_def){.name = "sum", .kind = VIEW_REDUCING, .value = number};
    assert_int_equal(views_create(&w->keyed.host, key, &w->views, &w->keyed.err), S_OK);
    assert_int_equal(views_add(w->views, &w->defs[0], &w->value, &w->keyed.err), S_OK);
    assert_int_equal(views_add(w->views, &w->defs[1], &w->list, &w->keyed.err), S_OK);
    assert_int_equal(views_add(w->views, &w->defs[2], &w->map, &w->keyed.err), S_OK);
    assert_int_equal(views_add(w->views, &w->defs[3], &w->sum, &w->keyed.err), S_OK);
    w->in = batch_create(key, BATCH_ROWS, &w->keyed.mem);
    w->model = calloc(SPACES, sizeof *w->model);
}

static void world_close(struct world *w)
{
    views_free(w->views);
    batch_free(w->in);
    free(w->model);
    keyed_release(&w->keyed);
    free(w);
}

static void value_use(struct world *w, struct model *m)
{
    const struct state_layout *l = view_layout(w->value);
    const void *row = view_value_get(w->value);
    bool is_new;
    void *edit;

    assert_int_equal(row != NULL, m->has_value);
    if (row) {
        struct str s = view_text_get(w->value, state_text_at((void *)(uintptr_t)row, l->fields[1].offset));
        assert_int_equal(*state_word((void *)(uintptr_t)row, l->fields[0].offset), m->value);
        assert_int_equal(s.size, strlen(m->text));
        assert_memory_equal(s.data, m->text, s.size);
    }
    switch (prng_below(&w->random, 4)) {
    case 0:
        view_clear(w->value);
        m->has_value = false;
        m->text[0] = 0;
        break;
    case 1:
    case 2:
        edit = view_value_edit(w->value, &is_new);
        assert_int_equal(is_new, !m->has_value);
        if (is_new) assert_int_equal(*state_word(edit, l->fields[0].offset), 0);
        m->has_value = true;
        m->value = (int64_t)prng_next(&w->random);
        *state_word(edit, l->fields[0].offset) = m->value;
        snprintf(m->text, sizeof m->text, "%.*s", (int)prng_below(&w->random, 40), "a text that is as long as it has to be, here");
        view_text_set(w->value, state_text_at(edit, l->fields[1].offset), (struct str){m->text, strlen(m->text)});
        break;
    default: break;
    }
}

static void list_use(struct world *w, struct model *m)
{
    struct view_cursor c = {0};
    int64_t probe = (int64_t)prng_next(&w->random);
    uint32_t at = 0;

    assert_int_equal(view_list_count(w->list), m->list_count);
    if (prng_below(&w->random, 4) == 0) {
        for (int64_t *row; (row = view_list_next(w->list, &c)) != NULL; at++) assert_int_equal(*row, m->list[at]);
        assert_int_equal(at, m->list_count);
    }
    if (prng_below(&w->random, 30) == 0 || m->list_count == LIST_MAX) {
        view_clear(w->list);
        m->list_count = 0;
    } else if (prng_below(&w->random, 2)) {
        assert_int_equal(view_list_add(w->list, &probe), S_OK);
        m->list[m->list_count++] = probe;
    }
}

static uint32_t map_count(const struct model *m)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < MAP_MAX; i++) count += m->in_map[i];
    return count;
}

/* A walk shows every entry once, in the order in which they came, whatever was removed and came again, and may remove what it stands on. */
static void map_walk(struct world *w, struct model *m)
{
    struct view_cursor c = {0};
    bool seen[MAP_MAX] = {0}, removes = prng_below(&w->random, 3) == 0;
    uint32_t latest = 0;

    for (int64_t *row; (row = view_map_next(w->map, &c)) != NULL;) {
        struct str key = view_text_get(w->map, view_map_key(w->map, row));
        uint32_t k = (uint32_t)(key.data[key.size - 2] - '0') * 10 + (uint32_t)(key.data[key.size - 1] - '0');
        struct text probe = text_view(key.data, key.size);
        assert_true(k < MAP_MAX && m->in_map[k] && !seen[k]);
        assert_int_equal(*row, m->map[k]);
        assert_true(m->since[k] > latest);
        latest = m->since[k];
        seen[k] = true;
        if (!removes || k % 3) continue;
        assert_true(view_map_remove(w->map, &probe));
        m->in_map[k] = false;
        seen[k] = false;
    }
    assert_memory_equal(seen, m->in_map, sizeof seen);
}

static void map_use(struct world *w, struct model *m)
{
    char text[40];
    uint32_t k = (uint32_t)prng_below(&w->random, MAP_MAX);
    struct text key = text_view(text, (size_t)snprintf(text, sizeof text, k % 2 ? "k%02u" : "the long key with number %02u", k));
    bool is_new;
    int64_t *row = view_map_get(w->map, &key);

    assert_int_equal(row != NULL, m->in_map[k]);
    if (row) assert_int_equal(*row, m->map[k]);
    assert_int_equal(view_map_count(w->map), map_count(m));
    switch (prng_below(&w->random, 5)) {
    case 0:
        assert_int_equal(view_map_remove(w->map, &key), m->in_map[k]);
        m->in_map[k] = false;
        break;
    case 1:
    case 2:
        row = view_map_put(w->map, &key, &is_new);
        assert_int_equal(is_new, !m->in_map[k]);
        if (is_new) assert_int_equal(*row, 0);
        if (is_new) m->since[k] = ++m->puts;
        *row = m->map[k] = (int64_t)prng_next(&w->random);
        m->in_map[k] = true;
        break;
    case 3: map_walk(w, m); break;
    default:
        if (prng_below(&w->random, 20)) break;
        view_clear(w->map);
        memset(m->in_map, 0, sizeof m->in_map);
        break;
    }
}

static enum status add(void *arg, struct view *v, void *accumulator, const void *input, bool is_first)
{
    (void)arg;
    (void)v;
    if (is_first) assert_int_equal(*(int64_t *)accumulator, 0);
    *(int64_t *)accumulator += *(const int64_t *)input;
    return S_OK;
}

static void sum_use(struct world *w, struct model *m)
{
    int64_t input = (int64_t)prng_below(&w->random, 1000);
    const int64_t *row = view_value_get(w->sum);

    assert_int_equal(row != NULL, m->has_sum);
    if (row) assert_int_equal(*row, m->sum);
    if (prng_below(&w->random, 8) == 0) {
        view_clear(w->sum);
        m->has_sum = false;
        m->sum = 0;
    } else if (prng_below(&w->random, 2)) {
        assert_int_equal(view_fold(w->sum, add, NULL, &input), S_OK);
        m->has_sum = true;
        m->sum += input;
    }
}

static void batch_use(struct world *w, int64_t ns)
{
    static const uint32_t col = 0;
    uint32_t n = 1 + (uint32_t)prng_below(&w->random, 300);
    struct state_keys keys;
    enum status st;

    batch_clear(w->in);
    for (uint32_t i = 0; i < n; i++) {
        w->numbers[i] = (uint32_t)prng_below(&w->random, prng_below(&w->random, 2) ? 3 : KEYS);
        keyed_key(w->in, &col, 1, i, w->numbers[i]);
    }
    w->in->count = n;
    batch_hash(w->in, &col, 1, w->hashes);
    keys = state_keys_of(w->in, &col, 1, w->hashes);
    for (uint32_t tries = 0; (st = views_begin(w->views, ns, &keys)) == S_PENDING; tries++) assert_true(tries < 10);
    assert_int_equal(st, S_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct model *m = &w->model[ns][w->numbers[i]];
        views_row(w->views, i);
        if (prng_below(&w->random, 3)) value_use(w, m);
        if (prng_below(&w->random, 3)) list_use(w, m);
        if (prng_below(&w->random, 3)) map_use(w, m);
        if (prng_below(&w->random, 3)) sum_use(w, m);
    }
    views_end(w->views);
}

/* Saved, and begun anew with what was saved, by way of one, two or three subtasks. */
static void reopen(void *world, struct state_host *h)
{
    struct world *w = world;
    struct view **views[] = {&w->value, &w->list, &w->map, &w->sum};

    assert_int_equal(views_create(h, w->in->schema, &w->views, &w->keyed.err), S_OK);
    for (uint32_t i = 0; i < COUNT_OF(views); i++) {
        if (views_add(w->views, &w->defs[i], views[i], &w->keyed.err) != S_OK) fail_msg("%s", w->keyed.err.text);
    }
}

static void reclose(void *world) { views_free(((struct world *)world)->views); }

static void restart(struct world *w)
{
    struct keyed_opener o = {reopen, reclose, w};

    keyed_restart(&w->keyed, &o, 1 + (uint32_t)prng_below(&w->random, 3), prng_below(&w->random, 2) ? 5000 : 1 << 24);
}

static void run(const char *backend, uint64_t seed)
{
    struct world *w = malloc(sizeof *w);

    world_open(w, backend, seed);
    for (uint32_t step = 0; step < 150; step++) {
        int64_t ns = (int64_t)prng_below(&w->random, SPACES);
        if (step % 40 == 39) {
            views_drop(w->views, ns);
            memset(w->model[ns], 0, sizeof w->model[ns]);
        }
        batch_use(w, ns);
        if (step % 10 == 4) restart(w);
    }
    world_close(w);
}

static void functions(void **state)
{
    (void)state;
    run("hashmap", 1);
    run("hashmap", 2);
    run("pending", 3);
    run("rocksdb", 4);
}

/* Looking leaves nothing behind. */
static void untouched_keys_leave_nothing(void **state)
{
    static const uint32_t col = 0;
    struct world *w = malloc(sizeof *w);
    struct state_keys keys;

    (void)state;
    world_open(w, "hashmap", 4);
    for (uint32_t i = 0; i < 100; i++) keyed_key(w->in, &col, 1, i, i);
    w->in->count = 100;
    batch_hash(w->in, &col, 1, w->hashes);
    keys = state_keys_of(w->in, &col, 1, w->hashes);
    assert_int_equal(views_begin(w->views, 0, &keys), S_OK);
    for (uint32_t i = 0; i < 100; i++) {
        views_row(w->views, i);
        assert_null(view_value_get(w->value));
        assert_int_equal(view_list_count(w->list), 0);
        view_clear(w->list);
        view_clear(w->value);
    }
    views_end(w->views);
    assert_int_equal(state_count(view_table(w->value), 0), 0);
    assert_int_equal(state_count(view_table(w->list), 0), 0);
    assert_int_equal(state_count(view_table(w->map), 0), 0);
    world_close(w);
}

static void names_are_unique(void **state)
{
    struct world *w = malloc(sizeof *w);
    struct view *again;

    (void)state;
    world_open(w, "hashmap", 5);
    assert_int_equal(views_add(w->views, &w->defs[1], &again, &w->keyed.err), E_EXISTS);
    assert_non_null(strstr(w->keyed.err.text, "`list`"));
    assert_ptr_equal(views_find(w->views, "map"), w->map);
    assert_null(views_find(w->views, "nothing"));
    world_close(w);
}

/* A value that is read lives on. */
static void reading_prolongs(void **state)
{
    static const uint32_t col = 0;
    struct world *w = malloc(sizeof *w);
    struct view_def def;
    struct view *v;
    struct state_keys keys;

    (void)state;
    world_open(w, "hashmap", 6);
    def = (struct view_def){.name = "ttl", .kind = VIEW_VALUE, .value = w->defs[3].value,
        .ttl = {.ms = 100, .update = STATE_TTL_ON_READ_AND_WRITE}};
    assert_int_equal(views_add(w->views, &def, &v, &w->keyed.err), S_OK);
    keyed_key(w->in, &col, 1, 0, 1);
    w->in->count = 1;
    batch_hash(w->in, &col, 1, w->hashes);
    keys = state_keys_of(w->in, &col, 1, w->hashes);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(views_begin(w->views, 0, &keys), S_OK);
        views_row(w->views, 0);
        if (i == 0) *(int64_t *)view_value_edit(v, NULL) = 5;
        else if (i < 5) assert_int_equal(*(const int64_t *)view_value_get(v), 5);
        else assert_null(view_value_get(v));
        views_end(w->views);
        w->keyed.now_ms += i < 4 ? 99 : 100;
    }
    world_close(w);
}

/* ---- operator state */

static void operator_lists(void **state)
{
    struct keyed k;
    struct opstate *s;
    const struct type *number;

    (void)state;
    keyed_init(&k, "hashmap", 37, 20, 100);
    number = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL");
    assert_int_equal(opstate_create(&k.host, "offsets", OPSTATE_UNION, NULL, number, &s, &k.err), S_OK);
    for (uint32_t round = 0; round < 3; round++) {
        struct view_cursor c = {0};
        assert_int_equal(opstate_count(s), 0);
        for (int64_t i = 0; i < 1000; i++) assert_int_equal(opstate_add(s, &i), S_OK);
        assert_int_equal(opstate_count(s), 1000);
        for (int64_t i = 0; i < 1000; i++) assert_int_equal(*(int64_t *)opstate_next(s, &c), i);
        assert_null(opstate_next(s, &c));
        opstate_clear(s);
    }
    opstate_free(s);
    keyed_release(&k);
}

static void broadcast_map(void **state)
{
    struct keyed k;
    struct opstate *s;
    const struct type *number;
    bool there[500] = {0};
    int64_t values[500];
    struct prng random;

    (void)state;
    keyed_init(&k, "hashmap", 99, 1, 100);
    prng_init(&random, 1);
    number = keyed_type(&k, "ROW<v BIGINT NOT NULL> NOT NULL");
    assert_int_equal(opstate_create(&k.host, "rules", OPSTATE_BROADCAST, NULL, number, &s, &k.err), E_GRAPH);
    assert_int_equal(opstate_create(&k.host, "rules", OPSTATE_BROADCAST, number, number, &s, &k.err), S_OK);
    for (uint32_t step = 0; step < 20000; step++) {
        int64_t key = (int64_t)prng_below(&random, 500);
        int64_t *row = opstate_get(s, &key);
        bool is_new;
        assert_int_equal(row != NULL, there[key]);
        if (row) assert_int_equal(*row, values[key]);
        if (prng_below(&random, 2)) {
            assert_int_equal(opstate_remove(s, &key), there[key]);
            there[key] = false;
        } else {
            row = opstate_put(s, &key, &is_new);
            assert_int_equal(is_new, !there[key]);
            *row = values[key] = step;
            there[key] = true;
        }
    }
    uint32_t count = 0;
    struct view_cursor c = {0};
    for (uint32_t i = 0; i < 500; i++) count += there[i];
    assert_int_equal(opstate_count(s), count);
    for (int64_t *row; (row = opstate_next(s, &c)) != NULL; count--) {
        int64_t key = *(const int64_t *)opstate_key(s, row);
        assert_true(there[key]);
        assert_int_equal(*row, values[key]);
    }
    assert_int_equal(count, 0);
    opstate_free(s);
    keyed_release(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions), cmocka_unit_test(untouched_keys_leave_nothing), cmocka_unit_test(names_are_unique),
        cmocka_unit_test(reading_prolongs), cmocka_unit_test(operator_lists), cmocka_unit_test(broadcast_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
