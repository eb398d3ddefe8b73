/* behind.h - state that is larger than memory: the tables of hashmap.h as a cache in front of a map on disk (ground/sys/sys_kv.h).
 * Internal to flow/state.
 *
 *   store    what the tables of a host share: the map, opened when something has to go there for the first time; changes that were not
 *            written yet; the hand that goes round over all entries and looks for those that leave
 *   behind   what one table has besides
 *   image    an entry as bytes (entry_image.c)
 *
 * Key of an entry in the map, so that a table, a namespace, and in it a run of key groups lie together:
 *     table number (2 bytes) | namespace (8, of namespaced tables) | hash (8) | key as it lies in the entry; numbers big endian
 * The same key with LIST_MARK in its first byte, and no value: the entry left memory changed since the latest barrier that counts changes.
 *
 * Each entry has a word before its row: bit 0, it was asked for since the hand came by; the rest, the hash of the image that the map
 * has, 0 when it has none. So an entry that did not change leaves without being written, whoever changed what. */
#pragma once
#include "flow/state/hashmap.h"
#include "ground/sys/sys_kv.h"

enum { ENTRY_WORD = 8, ENTRY_SEEN = 1, BEHIND_PREFIX_MAX = 18, WALK_HEAPS = 1024, LIST_MARK = 0x80 };

struct store {
    struct state_host *host;
    struct mem *mem;
    struct kv *kv;      /* NULL: nothing ever left */
    enum status failed; /* the map is lost, and with it this task's state */
    struct err err;
    struct kv_changes changes; /* not written yet */
    struct buf keys, image;
    struct key_set set;
    uint64_t left, left_bytes; /* entries that ever left, and their images */
    uint32_t tables;       /* opened so far: their numbers */
    struct hm_table *hand; /* NULL: at the first table */
    struct asked {
        struct str key;
        uint32_t row;
    } asked[BATCH_ROWS]; /* keys of a get */
    struct str names[BATCH_ROWS], values[BATCH_ROWS];
    struct walk_item {
        uint64_t hash;
        uint32_t slot;
    } found[2 * BATCH_ROWS]; /* by a step of a walk */
    uint32_t heaps[WALK_HEAPS];
};

_Static_assert((int)BATCH_ROWS <= (int)KV_GET_MAX, "the keys of a batch are asked for at once");

/* Where the hand stands in a table. */
struct hand {
    uint32_t space, shard, slot;
};
struct behind {
    struct store *store;
    uint32_t number;
    bool is_busy; /* rows may be in use */
    bool has_changed;             /* there is a list of keys that left changed */
    struct behind_frozen *frozen; /* NULL: nothing is */
    struct hand hand;
    /* The latest walk: entries of one shard by hash. */
    struct walk_item *items;
    uint32_t item_count, item_capacity, walk;
    uint32_t sweep_space, sweep_turn; /* TTL: where the sweep stands in the map */
    uint64_t sweep_hash;
};

static inline uint64_t *entry_word(const struct hm_table *t, char *entry)
{
    return (uint64_t *)(void *)(entry + t->row_offset - ENTRY_WORD);
}

/* behind.c */
struct store *store_of(struct state_host *h);        /* made by the first table */
void store_free(struct store *s);                    /* NULL is a no-op */
enum status store_check(struct hm_table *t) CHECKED; /* what went wrong between calls that cannot say so */
enum status store_flush(struct store *s) CHECKED;    /* changes are in the map */
/* Before keys are looked up in memory: those that lie behind come in. */
enum status behind_fetch(struct hm_table *t, struct space *s, const struct state_keys *keys) CHECKED;
/* From an image, live; the key is set[i]. enter: it comes into memory; read: into a space apart. */
uint32_t behind_read(struct hm_table *t, struct space *s, uint64_t hash, const struct key_set *set, uint32_t i, struct str image);
uint32_t behind_enter(struct hm_table *t, struct space *s, uint64_t hash, const struct key_set *set, uint32_t i,
                      struct str image);
void behind_forget(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot); /* the entry goes for good */
void behind_drop(struct hm_table *t, struct space *s);                                    /* the namespace */
void behind_changed_drop(struct hm_table *t);                                             /* the list of changed keys */
struct str behind_key_of(const struct hm_table *t, struct space *s, const struct shard *sh, uint32_t slot); /* in the store's buffer */
uint64_t store_away_bytes(const struct store *s);        /* about: of what is in the map alone */
bool store_is_full(const struct store *s);               /* more is in memory than may be */
enum status store_keep(struct store *s, enum status st); /* what a call to the map answered; what stands so far */
void store_evict(struct store *s); /* between batches of some table: entries leave while there are too many */

/* behind_key.c */
void behind_key(const struct hm_table *t, int64_t ns, uint64_t hash, const struct key_set *set, uint32_t i,
                struct buf *out);
void behind_prefix(const struct hm_table *t, int64_t ns, struct buf *out);
uint32_t behind_prefix_size(const struct hm_table *t);
/* Keys of a namespace from that hash to the end of shard `last`, in the store's buffer for keys; is_list: of the list of changed ones. */
void behind_range(const struct hm_table *t, int64_t ns, uint64_t hash, uint32_t last, bool is_list, struct str *from, struct str *to);
/* The first hash of the shard; false: it is beyond all hashes. */
bool behind_shard_hash(const struct hm_table *t, uint32_t shard, uint64_t *hash);
uint64_t behind_key_read(const struct hm_table *t, struct str key, struct key_set *set, uint32_t i); /* its hash */

/* behind_walk.c: state_each in the order of hashes, whether in memory or not. */
enum status behind_each(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys,
                        const uint32_t *cols, void **rows, uint32_t *n) CHECKED;

/* behind_sweep.c */
void behind_sweep(struct hm_table *t); /* as a batch ends: what has expired behind */

/* behind_freeze.c: the barrier. takes: what is there now will be read; begins_list: what changes from now on is listed. */
void behind_freeze(struct hm_table *t, bool takes, bool begins_list);
void behind_thaw(struct hm_table *t);
/* The entry is handed over, as it was at the barrier. */
void behind_note(struct hm_table *t, struct space *s, const struct shard *sh, uint32_t slot, bool is_walked);
/* The next entries of a shard that were not in memory, with their bits of the run set; when all that were in memory are handed over.
 * *out NULL: those were all, and the next call is about another shard. */
enum status behind_load(struct hm_table *t, int64_t ns, uint32_t shard, bool are_changes, uint32_t run, struct space **out) CHECKED;

/* entry_image.c */
void image_write(const struct hm_table *t, struct space *s, const char *entry, struct buf *out);
void image_read(struct hm_table *t, struct space *s, struct shard *sh, uint32_t slot, struct str image);
