/* sys_kv.h - the port `kv`: an ordered map from bytes to bytes in a folder on local disk, for state that is larger than memory. What it
 * holds is scratch: it is empty when it opens, gone when it closes, and nothing in it outlives the process.
 *
 * One thread calls a `struct kv` at a time. A call that does not answer S_OK leaves open how much of it was done; the map is then good for
 * nothing but to be closed. Two implementations: RocksDB (sys_linux_kv.c) and an exact one in memory (sys_kv_memory.c) for the
 * simulated world and for tests. One suite of tests holds for both (test/unit/ground/test_kv.c). */
#pragma once
#include "ground/base/buf.h"

struct err;
struct sys;

struct kv_settings {
    const char *path;     /* a folder of its own; what lies there is deleted */
    size_t buffer_bytes;  /* of changes that are not in files yet, at most about */
    size_t cache_bytes;   /* of blocks of files in memory */
    uint32_t block_bytes; /* of a block of a file */
    uint32_t threads;     /* that compact and flush; 0: as many as seems good */
    bool has_filters;     /* files know which keys they have not, for some bits per key */
};

/* Changes that are made together, in their order. All zero but for the buffer, which its owner inits and releases. */
struct kv_changes {
    struct buf bytes;
    uint32_t count;
};
enum kv_verb { KV_PUT, KV_DELETE, KV_DELETE_RANGE };
struct kv_change {
    enum kv_verb verb;
    struct str key, value; /* DELETE_RANGE: from key up to value, which stays */
};
void kv_changes_clear(struct kv_changes *c);
void kv_put(struct kv_changes *c, struct str key, struct str value);
void kv_delete(struct kv_changes *c, struct str key);
void kv_delete_range(struct kv_changes *c, struct str from, struct str to);
/* The change at *at, which goes on to the next; false at the end. *at starts with 0. */
bool kv_change_next(const struct kv_changes *c, size_t *at, struct kv_change *out);

struct kv_pair {
    struct str key, value;
};

enum { KV_GET_MAX = 2048 };

struct kv;
struct kv_snapshot; /* what a map held at one moment, whatever was written since */
struct kv_ops {
    void (*close)(struct kv *kv); /* what it held is deleted */
    enum status (*write)(struct kv *kv, const struct kv_changes *c, struct err *e) CHECKED;
    /* Reading: what there is now, or, `at` not NULL, what there was then. What an answer points to is good until the next call.
     * get: values[i] of keys[i]; data NULL: there is none. Keys ascend, at most KV_GET_MAX. */
    enum status (*get)(struct kv *kv, const struct kv_snapshot *at, const struct str *keys, uint32_t count, struct str *values,
                       struct err *e) CHECKED;
    /* Pairs from key `from` on and before `to`, in order: at most `max` of them, and no more once there are `bytes`.
     * *n 0: nothing is left. */
    enum status (*scan)(struct kv *kv, const struct kv_snapshot *at, struct str from, struct str to, uint32_t max, size_t bytes,
                        const struct kv_pair **pairs, uint32_t *n, struct err *e) CHECKED;
    struct kv_snapshot *(*snapshot)(struct kv *kv); /* given back by release, before the map closes */
    void (*release)(struct kv *kv, struct kv_snapshot *at);
};
struct kv {
    const struct kv_ops *ops; /* the implementation's own struct begins with this */
};

/* As the world has it: E_UNSUPPORTED with a hint where there is none. */
enum status sys_kv_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e) CHECKED;
void sys_kv_close(struct kv *kv); /* NULL is a no-op */
enum status kv_memory_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e) CHECKED;
enum status kv_linux_open(struct sys *s, const struct kv_settings *o, struct kv **out, struct err *e) CHECKED;
