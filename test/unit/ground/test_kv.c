/* What sys_kv.h promises, by the map in memory and by RocksDB alike: each against a plain list. */
#include "ground/sys/sys_kv.h"

#include "ground/base/prng.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"
#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 400, ROUNDS = 300 };

typedef enum status (*opener)(struct sys *, const struct kv_settings *, struct kv **, struct err *);

struct world {
    struct sys *sys;
    struct mem mem;
    struct kv *kv;
    struct kv_changes changes;
    struct err err;
    struct prng random;
    struct facts {
        bool is_there[KEYS];
        uint32_t version[KEYS];
    } now, then; /* then: when the snapshot was taken */
    struct kv_snapshot *at; /* NULL: none is */
    char path[512];
};

static struct kv_settings settings_of(const struct world *w)
{
    return (struct kv_settings){.path = w->path,
                                .buffer_bytes = 64 * 1024,
                                .cache_bytes = 256 * 1024,
                                .block_bytes = 1024,
                                .has_filters = true};
}

static void world_open(struct world *w, const struct folder *f, opener open, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->sys = sys_linux_create_quiet();
    mem_init(&w->mem, "test_kv", 0);
    buf_init(&w->changes.bytes, &w->mem);
    prng_init(&w->random, seed);
    snprintf(w->path, sizeof w->path, "%s", folder_path(f, "map"));
    struct kv_settings o = settings_of(w);
    if (open(w->sys, &o, &w->kv, &w->err) != S_OK) fail_msg("%s", w->err.text);
}

static void world_close(struct world *w)
{
    sys_kv_close(w->kv);
    buf_release(&w->changes.bytes);
    assert_int_equal(w->mem.used, 0);
    mem_release(&w->mem);
    sys_linux_free(w->sys);
}

/* Keys of different lengths, some with bytes above 127 and zero; in the order of their numbers. */
static struct str key_of(uint32_t number, char *to)
{
    to[0] = (char)(number / 100 * 80);
    int size = snprintf(to + 1, 15, "%02u", number % 100);

    if (number % 3 == 0) to[1 + size++] = 0;
    return (struct str){to, (size_t)size + 1};
}

static struct str value_of(uint32_t number, uint32_t version, char *to)
{
    size_t size = (number * 7 + version * 13) % 900; /* also none */

    memset(to, (int)('a' + (number + version) % 26), size);
    return (struct str){to, size};
}

static void value_check(const struct facts *w, uint32_t number, struct str value)
{
    char expected[1024];
    struct str x = value_of(number, w->version[number], expected);

    if (value.data == NULL) {
        assert_false(w->is_there[number]);
        return;
    }
    assert_true(w->is_there[number]);
    assert_int_equal(value.size, x.size);
    assert_memory_equal(value.data, x.data, x.size);
}

static void some_change(struct world *w)
{
    uint32_t number = (uint32_t)prng_below(&w->random, KEYS),
             end = number + (uint32_t)prng_below(&w->random, MIN(9, KEYS - number));
    char key[32], to[32], value[1024];

    switch (prng_below(&w->random, 12)) {
    case 0:
        kv_delete_range(&w->changes, key_of(number, key), key_of(end, to));
        for (uint32_t i = number; i < end; i++) w->now.is_there[i] = false;
        break;
    case 1:
    case 2:
    case 3:
        kv_delete(&w->changes, key_of(number, key));
        w->now.is_there[number] = false;
        break;
    default:
        w->now.version[number]++;
        w->now.is_there[number] = true;
        kv_put(&w->changes, key_of(number, key), value_of(number, w->now.version[number], value));
    }
}

static void write_some(struct world *w)
{
    for (uint64_t n = prng_below(&w->random, 60); n > 0; n--) some_change(w);
    if (w->kv->ops->write(w->kv, &w->changes, &w->err) != S_OK) fail_msg("%s", w->err.text);
    kv_changes_clear(&w->changes);
}

static void get_some(struct world *w, struct kv_snapshot *at)
{
    const struct facts *f = at != NULL ? &w->then : &w->now;
    static char bytes[KEYS][32];
    struct str keys[KEYS], values[KEYS];
    uint32_t numbers[KEYS], n = 0;

    for (uint32_t i = 0; i < KEYS; i++) {
        if (prng_below(&w->random, 3) != 0) continue;
        numbers[n] = i;
        keys[n++] = key_of(i, bytes[i]);
    }
    if (w->kv->ops->get(w->kv, at, keys, n, values, &w->err) != S_OK) fail_msg("%s", w->err.text);
    for (uint32_t i = 0; i < n; i++) value_check(f, numbers[i], values[i]);
}

/* All pairs of a range, in pieces; each piece begins behind the last key of the one before. */
static void scan_some(struct world *w, struct kv_snapshot *at, uint32_t max, size_t most)
{
    const struct facts *f = at != NULL ? &w->then : &w->now;
    uint32_t number = (uint32_t)prng_below(&w->random, KEYS),
             end = number + (uint32_t)prng_below(&w->random, KEYS - number);
    char from[64], to[32], key[32];
    struct str first = key_of(number, from), limit = key_of(end, to);
    const struct kv_pair *pairs;

    for (uint32_t n;;) {
        size_t bytes = 0;
        if (w->kv->ops->scan(w->kv, at, first, limit, max, most, &pairs, &n, &w->err) != S_OK) fail_msg("%s", w->err.text);
        if (n == 0) break;
        assert_true(n <= max);
        for (uint32_t i = 0; i < n; i++) {
            while (number < end && !f->is_there[number]) number++;
            assert_true(number < end && str_equal(pairs[i].key, key_of(number, key)));
            value_check(f, number++, pairs[i].value);
            if (i + 1 < n) bytes += pairs[i].key.size + pairs[i].value.size;
        }
        assert_true(bytes < most);
        memcpy(from, pairs[n - 1].key.data, pairs[n - 1].key.size);
        from[pairs[n - 1].key.size] = 0; /* the next key that there can be */
        first = (struct str){from, pairs[n - 1].key.size + 1};
    }
    while (number < end) assert_false(f->is_there[number++]);
}

/* What was there then stays, whatever is written. */
static void then_some(struct world *w)
{
    if (w->at != NULL && prng_below(&w->random, 20) == 0) {
        w->kv->ops->release(w->kv, w->at);
        w->at = NULL;
    }
    if (w->at == NULL) {
        w->at = w->kv->ops->snapshot(w->kv);
        w->then = w->now;
    }
    get_some(w, w->at);
    scan_some(w, w->at, 1 + (uint32_t)prng_below(&w->random, 50), SIZE_MAX);
}

static void map_run(opener open)
{
    struct folder f;

    folder_make(&f);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct world *w = test_calloc(1, sizeof *w);
        world_open(w, &f, open, seed);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            write_some(w);
            if (round % 3 == 0) get_some(w, NULL);
            if (round % 5 == 0) scan_some(w, NULL, 1 + (uint32_t)prng_below(&w->random, 50), SIZE_MAX);
            if (round % 7 == 0) scan_some(w, NULL, KEYS, 2000);
            if (round % 4 == 0) then_some(w);
        }
        w->kv->ops->release(w->kv, w->at);
        world_close(w);
        test_free(w);
    }
    folder_remove(&f);
}

static void in_memory(void **state)
{
    (void)state;
    map_run(kv_memory_open);
}

static void in_rocksdb(void **state)
{
    (void)state;
    map_run(kv_linux_open);
}

/* What a map of a process that died left behind. */
static void a_map_begins_empty(void **state)
{
    struct world w;
    struct folder f;
    struct str key = {"k", 1}, value;
    char path[600];
    struct sys_stat st;

    (void)state;
    folder_make(&f);
    world_open(&w, &f, kv_linux_open, 1);
    kv_put(&w.changes, key, (struct str){"v", 1});
    assert_int_equal(w.kv->ops->write(w.kv, &w.changes, &w.err), S_OK);
    snprintf(path, sizeof path, "%s/CURRENT", w.path);
    assert_int_equal(sys_file_stat(w.sys, path, &st, &w.err), S_OK);
    world_close(&w);
    world_open(&w, &f, kv_linux_open, 1);
    assert_int_equal(w.kv->ops->get(w.kv, NULL, &key, 1, &value, &w.err), S_OK);
    assert_null(value.data);
    sys_kv_close(w.kv);
    w.kv = NULL;
    assert_int_equal(sys_file_stat(w.sys, path, &st, &w.err), E_NOT_FOUND);
    world_close(&w);
    folder_remove(&f);
}

static void a_folder_that_cannot_be_is_said(void **state)
{
    struct world w;
    struct folder f;
    struct kv *kv;

    (void)state;
    folder_make(&f);
    world_open(&w, &f, kv_memory_open, 1);
    struct kv_settings o = settings_of(&w);
    o.path = "/proc/no/such";
    assert_true(kv_linux_open(w.sys, &o, &kv, &w.err) < 0);
    assert_non_null(strstr(w.err.text, "/proc/no"));
    world_close(&w);
    folder_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_memory), cmocka_unit_test(in_rocksdb),
                                       cmocka_unit_test(a_map_begins_empty),
                                       cmocka_unit_test(a_folder_that_cannot_be_is_said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
