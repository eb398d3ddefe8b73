/* sys_linux_kv.c - sys_kv.h by RocksDB, whose library is loaded when the first map opens: linked, it would be paid for by every start.
 *
 * What lies in the map is scratch, so nothing is made safe: no log, no sync, and the folder is deleted at both ends. Keys are looked up
 * many at a time, sorted. All threads of the process share RocksDB's own. Not here: what to do about an error. */
#include "ground/sys/sys_kv.h"

#include "ground/sys/sys_linux_internal.h"

#include <dlfcn.h>
#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

enum { BLOOM_BITS = 10, LEVEL_FILE = 64 * 1024 * 1024 };

#define ROCKS_CALLS(X)                                                                                                 \
    X(options_create) X(options_destroy) X(options_set_create_if_missing) X(options_set_write_buffer_size)            \
        X(options_set_db_write_buffer_size) X(options_set_max_background_jobs) X(options_set_compression)             \
        X(options_set_block_based_table_factory) X(options_set_info_log_level) X(options_set_max_open_files)          \
        X(options_set_stats_dump_period_sec) X(options_set_allow_concurrent_memtable_write) X(options_set_keep_log_file_num) X(options_set_unordered_write)          \
        X(options_set_memtable_prefix_bloom_size_ratio) X(options_set_memtable_whole_key_filtering)                   \
        X(options_set_target_file_size_base) X(options_set_level_compaction_dynamic_level_bytes)                      \
        X(block_based_options_create) X(block_based_options_destroy) X(block_based_options_set_block_cache)           \
        X(block_based_options_set_block_size) X(block_based_options_set_filter_policy)                                \
        X(block_based_options_set_cache_index_and_filter_blocks)                                                      \
        X(block_based_options_set_pin_l0_filter_and_index_blocks_in_cache)                                            \
        X(cache_create_lru) X(cache_destroy) X(filterpolicy_create_bloom_full) X(open_column_families) X(close)       \
        X(column_family_handle_destroy) X(destroy_db) X(free) X(writeoptions_create) X(writeoptions_destroy)          \
        X(writeoptions_disable_WAL) X(readoptions_create) X(readoptions_destroy) X(readoptions_set_iterate_upper_bound) \
        X(readoptions_set_verify_checksums) X(writebatch_create) X(writebatch_destroy) X(writebatch_clear)            \
        X(writebatch_put) X(writebatch_delete) X(writebatch_delete_range) X(write) X(batched_multi_get_cf)            \
        X(pinnableslice_value) X(pinnableslice_destroy) X(create_iterator) X(iter_destroy) X(iter_seek) X(iter_valid) \
        X(iter_next) X(iter_key) X(iter_value) X(iter_get_error) X(cancel_all_background_work)             \
        X(create_snapshot) X(release_snapshot) X(readoptions_set_snapshot)

struct kv_rocks {
    struct kv base;
    struct mem mem;
    char *path;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *family;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *reading, *scanning;
    rocksdb_writeoptions_t *writing;
    rocksdb_writebatch_t *batch;
    rocksdb_pinnableslice_t *slices[KV_GET_MAX]; /* of the latest get */
    char *errors[KV_GET_MAX];
    const char *keys[KV_GET_MAX];
    size_t sizes[KV_GET_MAX];
    uint32_t slice_count;
    struct buf given;   /* bytes of the latest scan */
    struct kv_pair *pairs;
    uint32_t pair_capacity;
#define X(name) __typeof__(rocksdb_##name) *name;
    ROCKS_CALLS(X)
#undef X
};

static struct kv_rocks *rocks_of(struct kv *kv) { return (struct kv_rocks *)kv; }

/* What RocksDB says; a full disk has a status of its own. Gives the text back. */
static enum status failed(struct kv_rocks *r, char *why, const char *what, struct err *e)
{
    bool is_full = strstr(why, "No space left") != NULL;

    err_set(e, is_full ? E_FULL_DISK : E_IO, "state in '%s' cannot be %s: RocksDB: %s", r->path, what, why);
    if (is_full) err_hint(e, "free some space, or set 'state.backend.rocksdb.localdir' to a folder on a larger disk");
    r->free(why);
    return is_full ? E_FULL_DISK : E_IO;
}

static void slices_drop(struct kv_rocks *r)
{
    for (uint32_t i = 0; i < r->slice_count; i++) {
        if (r->slices[i] != NULL) r->pinnableslice_destroy(r->slices[i]);
    }
    r->slice_count = 0;
}

/* ---- reading */

/* Never NULL, as an empty one may be. */
static struct str slice_value(const struct kv_rocks *r, const rocksdb_pinnableslice_t *slice)
{
    struct str value;

    value.data = r->pinnableslice_value(slice, &value.size);
    return value.data != NULL ? value : (struct str){"", 0};
}

static const rocksdb_snapshot_t *moment_of(const struct kv_snapshot *at) { return (const rocksdb_snapshot_t *)(const void *)at; }

static enum status rocks_get(struct kv *kv, const struct kv_snapshot *at, const struct str *keys, uint32_t count, struct str *values,
                             struct err *e)
{
    struct kv_rocks *r = rocks_of(kv);
    enum status st = S_OK;

    ASSERT(count <= KV_GET_MAX);
    slices_drop(r);
    for (uint32_t i = 0; i < count; i++) {
        r->keys[i] = keys[i].data;
        r->sizes[i] = keys[i].size;
    }
    r->readoptions_set_snapshot(r->reading, moment_of(at));
    r->batched_multi_get_cf(r->db, r->reading, r->family, count, r->keys, r->sizes, r->slices, r->errors, true);
    r->slice_count = count;
    for (uint32_t i = 0; i < count; i++) {
        values[i] = (struct str){NULL, 0};
        if (r->slices[i] != NULL) values[i] = slice_value(r, r->slices[i]);
        if (r->errors[i] != NULL && st == S_OK) st = failed(r, r->errors[i], "read", e);
        else if (r->errors[i] != NULL) r->free(r->errors[i]);
    }
    return st;
}

static void pair_add(struct kv_rocks *r, uint32_t n, struct str key, struct str value)
{
    if (n == r->pair_capacity) {
        r->pair_capacity = r->pair_capacity ? r->pair_capacity * 2 : 256;
        r->pairs = mem_realloc(&r->mem, r->pairs, r->pair_capacity * sizeof *r->pairs);
    }
    buf_append(&r->given, key.data, key.size);
    buf_append(&r->given, value.data, value.size);
    r->pairs[n] = (struct kv_pair){{NULL, key.size}, {NULL, value.size}}; /* the buffer may move yet */
}

static enum status rocks_scan(struct kv *kv, const struct kv_snapshot *then, struct str from, struct str to, uint32_t max,
                              size_t bytes, const struct kv_pair **pairs, uint32_t *n, struct err *e)
{
    struct kv_rocks *r = rocks_of(kv);
    char *why = NULL, *at;
    uint32_t found = 0;

    buf_clear(&r->given);
    r->readoptions_set_iterate_upper_bound(r->scanning, to.data, to.size);
    r->readoptions_set_snapshot(r->scanning, moment_of(then));
    rocksdb_iterator_t *it = r->create_iterator(r->db, r->scanning);
    for (r->iter_seek(it, from.data, from.size); r->iter_valid(it) && found < max && r->given.size < bytes; r->iter_next(it)) {
        struct str key, value;
        key.data = r->iter_key(it, &key.size);
        value.data = r->iter_value(it, &value.size);
        pair_add(r, found++, key, value);
    }
    r->iter_get_error(it, &why);
    r->iter_destroy(it);
    if (why != NULL) return failed(r, why, "read", e);
    at = r->given.data;
    for (uint32_t i = 0; i < found; i++) {
        r->pairs[i].key.data = at;
        r->pairs[i].value.data = at + r->pairs[i].key.size;
        at += r->pairs[i].key.size + r->pairs[i].value.size;
    }
    *pairs = r->pairs;
    *n = found;
    return S_OK;
}

/* ---- writing */

static enum status rocks_write(struct kv *kv, const struct kv_changes *c, struct err *e)
{
    struct kv_rocks *r = rocks_of(kv);
    struct kv_change x;
    char *why = NULL;
    size_t at = 0;

    r->writebatch_clear(r->batch);
    while (kv_change_next(c, &at, &x)) {
        if (x.verb == KV_PUT) r->writebatch_put(r->batch, x.key.data, x.key.size, x.value.data, x.value.size);
        else if (x.verb == KV_DELETE) r->writebatch_delete(r->batch, x.key.data, x.key.size);
        else r->writebatch_delete_range(r->batch, x.key.data, x.key.size, x.value.data, x.value.size);
    }
    r->write(r->db, r->writing, r->batch, &why);
    return why != NULL ? failed(r, why, "written", e) : S_OK;
}

/* ---- life */

static void options_free(struct kv_rocks *r)
{
    if (r->batch != NULL) r->writebatch_destroy(r->batch);
    if (r->writing != NULL) r->writeoptions_destroy(r->writing);
    if (r->reading != NULL) r->readoptions_destroy(r->reading);
    if (r->scanning != NULL) r->readoptions_destroy(r->scanning);
    if (r->table != NULL) r->block_based_options_destroy(r->table);
    if (r->options != NULL) r->options_destroy(r->options);
    if (r->cache != NULL) r->cache_destroy(r->cache);
}

static void rocks_close(struct kv *kv)
{
    struct kv_rocks *r = rocks_of(kv);
    struct mem mem;
    char *why = NULL;

    slices_drop(r);
    if (r->db != NULL) {
        r->cancel_all_background_work(r->db, 1);
        r->column_family_handle_destroy(r->family);
        r->close(r->db);
        r->destroy_db(r->options, r->path, &why);
        if (why != NULL) r->free(why); /* it is scratch: what is left is deleted by who opens the folder next */
    }
    options_free(r);
    /* The library stays: its threads are the process's. */
    mem_init(&mem, "rocksdb", 0);
    mem_move(&r->mem, &mem);
    mem_release(&mem);
}

static enum status load(struct kv_rocks *r, struct err *e)
{
    static const char *const names[] = {"librocksdb.so.7.8", "librocksdb.so"};
    void *library = NULL;

    for (size_t i = 0; i < COUNT_OF(names) && library == NULL; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        err_set(e, E_UNSUPPORTED, "state cannot be kept in RocksDB: %s", dlerror());
        err_hint(e, "install RocksDB (Debian: librocksdb7.8), or set 'state.backend.type' to 'hashmap'");
        return E_UNSUPPORTED;
    }
#define X(name)                                                                                                        \
    *(void **)(void *)&r->name = dlsym(library, "rocksdb_" #name);                                                     \
    if (r->name == NULL) return err_set(e, E_UNSUPPORTED, "this librocksdb has no rocksdb_" #name ": 7.8 has");
    ROCKS_CALLS(X)
#undef X
    return S_OK;
}

static void tables_choose(struct kv_rocks *r, const struct kv_settings *o)
{
    r->cache = r->cache_create_lru(o->cache_bytes);
    r->table = r->block_based_options_create();
    r->block_based_options_set_block_cache(r->table, r->cache);
    r->block_based_options_set_block_size(r->table, o->block_bytes);
    r->block_based_options_set_cache_index_and_filter_blocks(r->table, 1); /* all memory is in the cache, and bounded */
    r->block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(r->table, 1);
    if (o->has_filters) r->block_based_options_set_filter_policy(r->table, r->filterpolicy_create_bloom_full(BLOOM_BITS));
    r->options_set_block_based_table_factory(r->options, r->table);
}

static void options_choose(struct kv_rocks *r, const struct kv_settings *o)
{
    r->options = r->options_create();
    r->options_set_create_if_missing(r->options, 1);
    r->options_set_db_write_buffer_size(r->options, o->buffer_bytes);
    r->options_set_write_buffer_size(r->options, MAX(o->buffer_bytes / 2, (size_t)1 << 20));
    r->options_set_max_background_jobs(r->options, o->threads > 0 ? (int)o->threads : 2);
    r->options_set_compression(r->options, rocksdb_lz4_compression);
    r->options_set_info_log_level(r->options, 4); /* of its own log file: fatal errors */
    r->options_set_keep_log_file_num(r->options, 1);
    r->options_set_stats_dump_period_sec(r->options, 0);
    r->options_set_allow_concurrent_memtable_write(r->options, 0); /* one thread writes */
    r->options_set_max_open_files(r->options, -1);
    r->options_set_target_file_size_base(r->options, LEVEL_FILE);
    r->options_set_level_compaction_dynamic_level_bytes(r->options, 1);
    if (o->has_filters) {
        r->options_set_memtable_prefix_bloom_size_ratio(r->options, 0.02);
        r->options_set_memtable_whole_key_filtering(r->options, 1);
    }
    tables_choose(r, o);
    r->reading = r->readoptions_create();
    r->scanning = r->readoptions_create();
    r->writing = r->writeoptions_create();
    r->writeoptions_disable_WAL(r->writing, 1);
    r->batch = r->writebatch_create();
}

static enum status open_empty(struct kv_rocks *r, struct err *e)
{
    const char *const names[] = {"default"};
    const rocksdb_options_t *const options[] = {r->options};
    char *why = NULL;

    r->destroy_db(r->options, r->path, &why);
    if (why != NULL) return failed(r, why, "emptied", e);
    r->db = r->open_column_families(r->options, r->path, 1, names, options, &r->family, &why);
    return why != NULL ? failed(r, why, "opened", e) : S_OK;
}

static struct kv_snapshot *rocks_snapshot(struct kv *kv)
{
    const rocksdb_snapshot_t *at = rocks_of(kv)->create_snapshot(rocks_of(kv)->db);

    return (struct kv_snapshot *)(uintptr_t)at;
}

static void rocks_release(struct kv *kv, struct kv_snapshot *at) { rocks_of(kv)->release_snapshot(rocks_of(kv)->db, moment_of(at)); }

static const struct kv_ops rocks_ops = {rocks_close, rocks_write, rocks_get, rocks_scan, rocks_snapshot, rocks_release};

enum status kv_linux_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e)
{
    size_t size = strlen(o->path) + 1;
    struct mem mem;
    struct kv_rocks *r;

    TRY(sys_dir_make(s, o->path, e));
    mem_init(&mem, "rocksdb", 0);
    r = mem_zalloc(&mem, sizeof *r);
    mem_init(&r->mem, "rocksdb", 0);
    mem_move(&mem, &r->mem);
    r->base.ops = &rocks_ops;
    r->path = memcpy(mem_alloc(&r->mem, size), o->path, size);
    buf_init(&r->given, &r->mem);
    enum status st = load(r, e);
    if (st == S_OK) {
        options_choose(r, o);
        st = open_empty(r, e);
    }
    if (st != S_OK) {
        rocks_close(&r->base);
        return st;
    }
    *out = &r->base;
    return S_OK;
}
