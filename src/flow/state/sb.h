/* sb.h - what a state backend is: one file sb_<name>.c that ends in a const struct sb_type. Internal to flow/state; the
 * hooks are the functions of state.h and shape.h of the same names, whose contract they fulfil. */
#pragma once
#include "flow/state/shape.h"

struct key_set;

/* Rows as they were at a barrier, of one namespace: rows[i] is of the key owners[i] of keys. orders: of PLACES, state_place.order. */
struct state_taken {
    int64_t ns;
    const struct batch *keys;
    const uint16_t *owners;
    void *const *rows;
    const int64_t *orders;
    uint32_t count;
};
struct state_taker {
    void (*take)(void *arg, const struct state_taken *rows);
    /* Only of FREEZE_CHANGES: keys that were there and are no more; a namespace that was dropped before anything else that is told of it. */
    void (*gone)(void *arg, int64_t ns, const struct batch *keys, uint32_t count);
    void (*dropped)(void *arg, int64_t ns);
    void *arg;
};
enum freeze_what {
    FREEZE_ALL,     /* all that is there */
    FREEZE_BASE,    /* the same, and what changes from now on is counted */
    FREEZE_CHANGES, /* what has changed since FREEZE_BASE or FREEZE_CHANGES; without such a one: FREEZE_BASE */
};
struct freezing {
    enum freeze_what what;
    uint32_t base_first, base_count; /* CHANGES: key groups all of whose entries are frozen; a range of state_host_range */
};

struct sb_type {
    const char *name, *doc, *example;
    bool test_only; /* refused by configuration, used by tests and the simulator */
    bool on_disk;   /* of what does not fit memory: the host says where */
    enum status (*open)(struct state_host *h, const struct state_def *def, struct state_table **out, struct err *e);
    void (*close)(struct state_table *t);
    struct blocks *(*blocks)(struct state_table *t, int64_t ns); /* of a live namespace: where its strings go */

    enum status (*resolve)(struct state_table *t, int64_t ns, const struct state_keys *keys, enum state_intent intent,
                           void **rows, uint64_t *created);
    void (*write)(struct state_table *t, uint32_t i);
    void (*touch)(struct state_table *t, uint32_t i);
    void (*erase)(struct state_table *t, uint32_t i);
    bool (*is_set)(const struct state_table *t, uint32_t i);
    void (*remove)(struct state_table *t, const uint64_t *which);
    void (*prune_created)(struct state_table *t, const uint64_t *keep);
    enum status (*delete)(struct state_table *t, int64_t ns, const struct state_keys *keys);
    void (*done)(struct state_table *t);
    void *(*get)(struct state_table *t, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row, uint64_t hash,
                 enum state_intent intent, bool *created);
    enum status (*each)(struct state_table *t, int64_t ns, struct state_cursor *c, struct batch *keys, const uint32_t *cols,
                        void **rows, uint32_t *n);
    void (*drop)(struct state_table *t, int64_t ns);
    /* Handles; all NULL: there are none. key_at: the key of a row that state_rows_at gave, as the i-th of out; its hash. */
    uint64_t (*handle)(const struct state_table *t, uint32_t i);
    void (*rows_at)(struct state_table *t, const uint64_t *handles, uint32_t stride, uint32_t n, void **rows);
    uint64_t (*key_at)(struct state_table *t, uint64_t handle, struct key_set *out, uint32_t i);
    const int64_t *(*namespaces)(struct state_table *t, uint32_t *count);
    uint64_t (*count)(const struct state_table *t, int64_t ns);
    /* The barrier, between batches. What is frozen is given to the taker, each row once, in no order but that rows of a key stay in
     * theirs: some at a time by frozen_next (about max rows; S_MORE; S_OK: that was all), and, before it changes, by whatever changes it. Then, or
     * before, thaw ends it. keep_at: the entry of that handle is about to change. */
    void (*freeze)(struct state_table *t, const struct state_taker *to, const struct freezing *how);
    enum status (*frozen_next)(struct state_table *t, uint32_t max);
    void (*thaw)(struct state_table *t);
    void (*keep_at)(struct state_table *t, uint64_t handle);
    uint64_t (*dirty_count)(const struct state_table *t, bool frozen);

    /* Snapshots, between batches. walk: rows of a head from where c stands, in their order, at most max; answers how many: fewer than max,
     * that was the last. Nothing counts as read, expired rows are left out where they are not returned. stamp: the word of a row (of
     * a table without heads: also of its entry) that says since when it lives; NULL without a time to live. restamp: it lives since then, maybe long ago. rest: after walks the
     * instant of the batch is forgotten. expect: about so many keys will come, of a table without namespaces. */
    uint32_t (*walk)(struct state_table *t, void *head, struct state_scan *c, void **rows, uint32_t max);
    int64_t *(*stamp)(struct state_table *t, void *row);
    void (*restamp)(struct state_table *t, void *head, void *row, int64_t at); /* head NULL: there are none */
    void (*rest)(struct state_table *t);
    void (*expect)(struct state_table *t, uint64_t keys);
    /* Rows of a table without heads, for keys that are not there and come once; nobody sees them before append_end. E_DATA there: a key came
     * twice, or was there. Both NULL: there is no such way. */
    enum status (*append)(struct state_table *t, int64_t ns, const struct state_keys *keys, void **rows);
    enum status (*append_end)(struct state_table *t, struct err *e);

    enum status (*scan)(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c,
                        struct state_hits *hits);
    void *(*head_next)(struct state_table *t, int64_t ns, void *head, struct state_scan *c);
    void (*head_fetch)(struct state_table *t, const void *head);
    bool (*row_is_expired)(struct state_table *t, const void *row);
    void (*row_write)(struct state_table *t, int64_t ns, void *head, void *row);
    void (*row_remove)(struct state_table *t, int64_t ns, void *head, void *row);
    void (*head_clear)(struct state_table *t, int64_t ns, void *head);
    enum status (*log_append)(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                              const int64_t *times, void **rows);
    enum status (*packed_append)(struct state_table *t, int64_t ns, void *const *heads, const struct batch *in, const uint32_t *cols,
                                 const uint16_t *rows, uint32_t count);
    const struct state_place *(*places)(const struct state_table *t, const void *head);
    void (*places_set)(struct state_table *t, int64_t ns, void *head, const struct state_place *places, uint32_t count);
    const void *(*place_row)(const struct state_table *t, uint64_t row);
    enum status (*places_write)(struct state_table *t, int64_t ns, const struct batch *in, const uint32_t *cols, const uint16_t *rows,
                                uint32_t count, uint64_t *out);
    void (*places_free)(struct state_table *t, int64_t ns, const uint64_t *rows, uint32_t count);
    void (*log_prune)(struct state_table *t, int64_t ns, void *head, int64_t before);
    void (*log_drop)(struct state_table *t, int64_t ns, void *head, uint32_t n);
    enum status (*multiset_change)(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                   const int8_t *deltas, void **rows);
    enum status (*multiset_find)(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                 void **rows);
    enum status (*entry_resolve)(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                                 enum state_intent intent, void **rows, uint64_t *created);
    enum status (*ordered_insert)(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                                  void **rows, uint64_t *created);
    enum status (*ordered_scan)(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                struct state_scan *c, struct state_hits *hits);
    enum status (*ordered_count)(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                 uint32_t *rows);
    void *(*ordered_edge)(struct state_table *t, int64_t ns, void *head, bool last);
    uint32_t (*ordered_remove)(struct state_table *t, int64_t ns, void *head, const struct state_range *r, uint32_t i);
};

#define X(name) extern const struct sb_type sb_##name;
#include "sb_registry.def"
#undef X

/* E_BUDGET, with what it is about and which option says how much there may be: no room for so many more rows, keys, ... */
enum status host_refuse(struct state_host *h, const char *about, uint32_t count, const char *of) CHECKED;
enum status table_refuse(const struct state_table *t, uint32_t count, const char *of) CHECKED;

static inline struct blocks *table_blocks(struct state_table *t, int64_t ns)
{
    if (UNLIKELY(t->blocks == NULL || t->blocks_ns != ns)) {
        t->blocks = t->type->blocks(t, ns);
        t->blocks_ns = ns;
    }
    return t->blocks;
}
