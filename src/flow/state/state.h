/* state.h - keyed state: the contract between operators and backends. core.md's words: an operator resolves all keys of a
 * batch at once and works on the rows in place.
 *
 * The order of calls for one input batch, per table:
 *     state_resolve (any number of times, may answer S_PENDING) -> reads, writes, shape verbs (shape.h) -> state_done
 * After S_PENDING the operator gives control back and is called again with the same batch; it then repeats its calls
 * from the start with the same arguments: whatever was answered S_OK before is answered S_OK again, with the same rows
 * and the same marks of what was created.
 * So: resolve everything at the top of a hook, before any row is changed and before anything is emitted.
 *
 * Invariants on every backend: equal keys of a batch share one row; rows stay where they are until state_done (growth
 * moves index entries, never rows); a later resolve sees what an earlier one wrote; what is deleted is gone for lookups
 * at once and its memory is reused after state_done only. A table belongs to one thread.
 *
 * Namespaces: a table may hold many int64 namespaces (the end of a window slice); entries of one namespace lie together,
 * so that walking and dropping one is cheap. Tables that are not namespaced use 0.
 *
 * Hash and key group: the canonical hash of the key columns (batch_hash). key_group = ((h >> 32) * max_parallelism) >> 32. */
#pragma once
#include "flow/state/row.h"

enum state_shape {
    STATE_MAP,      /* key -> row; with map_key: (key, map key) -> row, iterated per key in insertion order */
    STATE_LOG,      /* key -> appended rows */
    STATE_MULTISET, /* key -> {count, matches, row}: equal rows are counted */
    STATE_PACKED,   /* key -> appended rows that never change or go, packed: a LOG in less memory. No TTL, no nested values */
    STATE_PLACES,   /* key -> packed rows in an order that the operator keeps. No TTL, no nested values */
    STATE_ORDERED,  /* (key, sort key) -> row, scanned in order */
};

enum state_intent {
    STATE_READ,    /* rows are not changed; absent keys give NULL */
    STATE_UPDATE,  /* rows may be changed; absent keys give NULL */
    STATE_INSERT,  /* absent keys are created, all zero */
    STATE_RESERVE, /* absent keys get a zero row that exists only if state_write is called for it before state_done */
};

/* Whose the rows are: those of a key belong to the subtask that has its key group; the others are operator state (view.h), without
 * keys, and a restore with another parallelism deals them out, gives all of them to all, or gives each the whole of one. */
enum state_sharing { STATE_KEYED, STATE_LIST, STATE_UNION, STATE_BROADCAST };

/* What may have changed in the rows of a saved state that an operator begins with (snapshot_evolve.c). Columns are found by name; of all
 * states, those that were never NULL may be nullable now. */
enum state_upgrade {
    STATE_UPGRADE_NEVER,   /* nothing else: the rows are the operator's own affair, and its version says when they are others */
    STATE_UPGRADE_PARTS,   /* columns are results on their way: they may go or change places; those that come have seen nothing, and are refused */
    STATE_UPGRADE_COLUMNS, /* columns of the job's rows: they may go, become wider, and come where they are nullable */
    STATE_UPGRADE_FIELDS,  /* fields of C structs: the same, and those that come and cannot be NULL are zero */
};

enum state_ttl_update { STATE_TTL_OFF, STATE_TTL_ON_CREATE_AND_WRITE, STATE_TTL_ON_READ_AND_WRITE };
enum state_ttl_visibility { STATE_TTL_NEVER_RETURN_EXPIRED, STATE_TTL_RETURN_EXPIRED_IF_NOT_CLEANED };

struct state_ttl {
    int64_t ms;         /* time to live since the last update, processing time; > 0 unless update is OFF */
    uint8_t update;     /* enum state_ttl_update */
    uint8_t visibility; /* enum state_ttl_visibility */
    /* Clean-up after each batch. cleanup_size 0: up to STATE_TTL_SWEEP entries, none when no_background; else so many
     * entries per access to the state (table.accessed), and per row of the batch when every_record. */
    bool no_background, every_record;
    uint32_t cleanup_size;
};

/* SQL's: since a row was made or written last; 0 ms: it stays. */
static inline struct state_ttl state_ttl_of(int64_t ms)
{
    return (struct state_ttl){.ms = ms, .update = ms > 0 ? STATE_TTL_ON_CREATE_AND_WRITE : STATE_TTL_OFF};
}

/* What an operator declares; it and its types outlive the table. Names are unique among the keyed tables of a host, and among its
 * operator state; a namespaced table may have the name of one that is not. Snapshots know tables by them. */
struct state_def {
    const char *name;
    uint32_t version;
    uint8_t shape;                /* enum state_shape */
    uint8_t sharing;              /* enum state_sharing */
    uint8_t upgrade;              /* enum state_upgrade */
    bool namespaced;
    bool sort_unique;             /* ORDERED: at most one row per (key, sort key) */
    bool counted;                 /* ORDERED: places are asked for (state_range.skip, state_ordered_count); not sort_unique; TTL as SQL has it */
    uint64_t sort_descending;     /* ORDERED: bit i = sort field i falls */
    uint64_t sort_nulls_last;     /* ORDERED: bit i = NULLs of sort field i come last */
    const struct type *key;       /* T_ROW: the key columns */
    bool is_within;               /* the first group_cols key columns alone decide the key group: hashed by state_hash_within */
    uint32_t group_cols;
    const struct type *map_key;   /* MAP: NULL, or T_ROW of the map key */
    const struct type *sort_key;  /* ORDERED: T_ROW */
    const struct type *value;     /* T_ROW: the row; may have no fields */
    struct state_ttl ttl;
};

enum {
    STATE_SHARDS_MAX = 256,
    STATE_EACH_ROWS = BATCH_ROWS,
    STATE_TTL_SWEEP = 64,
    STATE_TTL_SWEEP_MAX = 16384,
    STATE_ROW_BYTES_MAX = 64 * 1024,
};

#define STATE_MEMORY_KEY "thalweg.state.memory" /* the option behind state_host.bytes_max */

struct blocks;
struct pack;
struct sb_type;
struct segments;
struct state_pool;
struct state_restore;
struct state_scratch;
struct kv_settings;
struct store;
struct sys;

/* One per keyed operator instance. Set the first block, then state_host_init. */
struct state_host {
    const struct sb_type *backend;
    struct mem *mem;
    uint32_t group_first, group_count, max_parallelism; /* the key groups of this subtask */
    int64_t (*now_ms)(void *arg);                        /* processing time, for TTL; may be NULL without TTL */
    void *now_arg;
    void (*wake)(void *arg); /* any thread: what a backend answered S_PENDING for is there. NULL: the caller asks again */
    void *wake_arg;
    struct err *err;                                     /* detail of a failing data-plane call; may be NULL */
    const struct state_restore *restore; /* while the operator opens: what tables and timers begin with (snapshot.h); NULL: empty */
    uint32_t subtask, parallelism;       /* which of how many this is; parallelism 0 means the only one */
    size_t bytes_max;                                    /* of state: E_BUDGET beyond; 0: as many as there are */
    /* Of backends that keep a part of it on disk: how, in a folder of its own, and what may be in memory before anything goes there. */
    struct sys *sys;
    const struct kv_settings *behind;
    size_t cache_bytes;

    struct state_pool *pool;       /* set by state_host_init: 64 KiB frames */
    struct state_scratch *scratch; /* arrays for one batch, shared by the tables */
    struct store *store;           /* what its tables share there; NULL: nothing */
    struct state_table *tables;    /* open ones, latest first */
    struct timers *timers;         /* the same */
};
void state_host_init(struct state_host *h);
/* Every key group, before tables are opened: of an operator to each of whose subtasks all rows go. */
void state_host_take_all(struct state_host *h);
void state_host_release(struct state_host *h); /* after its tables are closed */

/* Which keys: the rows sel[0..count) of batch (NULL = 0..count-1), columns cols; hashes[i] belongs to the i-th of them. */
struct state_keys {
    const struct batch *batch;
    const uint32_t *cols;
    uint32_t col_count, count;
    const uint16_t *sel;
    const uint64_t *hashes;
};
/* The selected rows of b. */
static inline struct state_keys state_keys_of(const struct batch *b, const uint32_t *cols, uint32_t col_count, const uint64_t *hashes)
{
    return (struct state_keys){.batch = b, .cols = cols, .col_count = col_count, .count = batch_rows(b), .sel = b->sel, .hashes = hashes};
}

/* Part of every table, whatever the backend; the backend's own struct begins with it. open struct: hot path. */
struct state_table {
    const struct sb_type *type;
    struct state_host *host;
    const struct state_def *def;
    struct state_layout value;     /* of def->value: where fields lie from a row's pointer */
    struct state_layout extra;     /* of def->map_key or def->sort_key, see state_extra (shape.h) */
    const struct pack *pack;       /* PACKED, PLACES: how its rows lie (pack.h); NULL else */
    struct segments *segments;     /* where long strings lie */
    struct blocks *blocks;         /* those of namespace blocks_ns; NULL = to be looked up */
    int64_t blocks_ns;
    uint32_t accessed;             /* in this batch, counted by who cares for state_ttl.cleanup_size */
    struct state_table *next;      /* of host->tables */
};

enum status state_open(struct state_host *h, const struct state_def *def, struct state_table **out, struct err *e) CHECKED;
void state_close(struct state_table *t); /* NULL is a no-op */

/* rows[i] = the row of the i-th key (for LOG, PACKED, PLACES, MULTISET, ORDERED and MAP with map_key: its head, to be handed to the verbs
 * of shape.h), or NULL. created (NULL, or room for count bits): bit i set = made by this call; of equal keys only the
 * first is marked. At most BATCH_ROWS keys. S_OK, S_PENDING or E_BUDGET (then nothing was created). */
enum status state_resolve(struct state_table *t, int64_t ns, const struct state_keys *keys, enum state_intent intent,
                          void **rows, uint64_t *created) CHECKED;
/* On the i-th key of the latest resolve. write: the row was changed (marks it dirty, stamps TTL, makes a reserved row
 * real; UPDATE and INSERT have done this already). erase: the row is absent from now on, zeroed, and is what a reserved row is.
 * is_set: neither absent nor merely reserved nor erased; equal keys agree. */
void state_write(struct state_table *t, uint32_t i);
/* The i-th key, which is set, was read: it lives longer when reading counts. When it is expired it does not; where expired
 * rows are returned this was the last time: it is absent from now on, its row readable until state_write or state_done. */
void state_touch(struct state_table *t, uint32_t i);
void state_erase(struct state_table *t, uint32_t i);
bool state_is_set(const struct state_table *t, uint32_t i);
/* Deletes the entries of the latest resolve whose bit is set in `which` (rows of absent keys are passed over). */
void state_remove(struct state_table *t, const uint64_t *which);
/* Deletes the entries that the latest resolve created, except those for which some equal key has its bit in `keep`. */
void state_prune_created(struct state_table *t, const uint64_t *keep);
/* Deletes by key; absent keys are passed over. */
enum status state_delete(struct state_table *t, int64_t ns, const struct state_keys *keys) CHECKED;
/* Ends the batch: rows handed out are no longer valid; sweeps as state_ttl says. */
void state_done(struct state_table *t);

/* Handles, of tables without namespaces and of backends that have them. The i-th key of the latest resolve, which is there,
 * is found by its handle as long as it is; later another key may be. So whoever keeps handles tells by the row which it is. */
bool state_has_handles(const struct state_host *h);
uint64_t state_handle(const struct state_table *t, uint32_t i);
/* rows[i]: what is at handles[i * stride] now, live or not; NULL: nothing. They are fetched. Not "the latest resolve". */
void state_rows_at(struct state_table *t, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows);

/* Single-key resolve for per-row callbacks: row number `row` of b. Never S_PENDING: it waits where it must, so on a disk
 * backend only dedicated tasks call it. Does not count as "the latest resolve". NULL: absent, or no budget. */
void *state_get(struct state_table *t, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
                enum state_intent intent, bool *created);

/* Where a walk stands; start with all zero. Rows created meanwhile may be missed, deleted ones are not shown. */
struct state_cursor {
    uint32_t shard, slot;
    uint64_t hash;
};
/* Walks all entries of ns: appends the key columns to `keys` (key field k goes to column cols[k]; NULL = k) up to its
 * capacity and fills rows[0..n) beside them, n rows being added. S_MORE: call again; S_OK: that was the last. Rows are
 * valid until state_done; the order depends on the input only. A walk may be dropped at any time. */
enum status state_each(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                       void **rows, uint32_t *n) CHECKED;
/* Drops a namespace whole, in O(pages). */
void state_drop(struct state_table *t, int64_t ns);
/* Live namespaces, ascending; valid until the next resolve or drop. */
const int64_t *state_namespaces(struct state_table *t, uint32_t *count);
uint64_t state_count(const struct state_table *t, int64_t ns); /* keys; expired ones that were not swept included */

/* Keys of all keyed tables of the host, namespace by namespace. */
uint64_t state_host_count(const struct state_host *h);
/* Bytes of keys, rows and indexes in memory. */
size_t state_host_bytes(const struct state_host *h);
/* And, about, of what is on disk alone. */
uint64_t state_host_bytes_all(const struct state_host *h);

/* The barrier: what was changed so far becomes the frozen set, from now on changes are counted anew. The former frozen set
 * must have been taken (state_thaw) before. */
void state_freeze(struct state_table *t);
void state_thaw(struct state_table *t); /* forgets the frozen set */
/* Keys changed since the last freeze (frozen = false; before the first one: all that are there) or in the frozen set. */
uint64_t state_dirty_count(const struct state_table *t, bool frozen);

/* "hashmap", ...; NULL when unknown. */
const struct sb_type *sb_find(const char *name);
bool state_is_on_disk(const struct sb_type *backend); /* what does not fit memory: hosts say where (struct state_disk) */
/* Hashes of keys with a part that does not decide the key group (a window): columns cols[0..group_cols) decide it alone,
 * all of them the low half. For the selected rows. */
void state_hash_within(const struct batch *b, const uint32_t *cols, uint32_t group_cols, uint32_t col_count, uint64_t *out);
/* The hash of what has no key but belongs to the subtask: it falls into the first key group of the host. */
uint64_t state_host_hash(const struct state_host *h);
/* The hashes of keys of a table: columns cols[k] are its key fields. For the selected rows. */
void state_def_hash(const struct state_def *d, const struct batch *b, const uint32_t *cols, uint64_t *out);
static inline uint32_t state_key_group(uint64_t hash, uint32_t max_parallelism)
{
    return (uint32_t)(((hash >> 32) * max_parallelism) >> 32);
}
