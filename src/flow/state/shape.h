/* shape.h - verbs of the shapes that keep many rows under one key: LOG, PACKED, PLACES, MULTISET, ORDERED, and MAP with a map key.
 *
 * state_resolve gives the heads of the keys (INSERT or RESERVE where rows may be added, UPDATE where they may be removed
 * or changed, READ else); the verbs take heads. Heads are opaque. A head whose last row went away is deleted by
 * state_done. heads[i] NULL: the verb passes over i (rows[i] = NULL).
 *
 * state_scan and state_ordered_scan (when they begin), state_multiset_find and state_entry_resolve of more than one row may
 * answer S_PENDING as state_resolve does, so they too come before anything is changed or emitted. Verbs that add or remove
 * never do: they wait where they must.
 *
 * A row's pointer is the fixed area of its value (t->value says where fields lie). Before it lie the map key or sort key
 * (t->extra, state_extra) and, except in a LOG, a struct state_element. Rows of a PACKED or PLACES are bytes that state_rows_load understands. */
#pragma once
#include "flow/state/state.h"

struct state_element {
    uint32_t hash;    /* of the row (MULTISET) or the map key */
    uint32_t count;   /* MULTISET: how many equal rows; else 1; 0 = removed, still readable until state_done */
    uint32_t matches; /* free for the operator: rows of the other side that match (outer joins) */
    uint32_t flags;   /* the backend's */
};

static inline void *state_extra(const struct state_table *t, const void *row) { return (char *)row - t->extra.size; }
static inline struct state_element *state_element_of(const struct state_table *t, const void *row)
{
    return (struct state_element *)((char *)row - t->extra.size - sizeof(struct state_element));
}
uint32_t state_head_rows(const void *head); /* live rows; NULL gives 0 */

/* What a scan found: row[k] belongs to heads[key[k]]. */
struct state_hits {
    uint32_t count;
    uint16_t key[BATCH_ROWS];
    void *row[BATCH_ROWS];
};
/* Where a scan stands; start with all zero. */
struct state_scan {
    uint32_t key;   /* index into heads */
    uint32_t step;  /* rows of this key so far */
    uint64_t at[2]; /* the backend's */
};

/* All rows of each head, in the order of heads; per key in insertion order (ORDERED: in sort order). Fills hits from
 * zero. S_MORE: full, call again; S_OK: done; or S_PENDING (hits is empty). Rows added meanwhile may be missed. */
enum status state_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, struct state_scan *c,
                       struct state_hits *hits) CHECKED;
/* The same one row at a time, for per-row callbacks: NULL at the end. Not for ORDERED; waits where it must. */
void *state_head_next(struct state_table *t, int64_t ns, void *head, struct state_scan *c);
/* A scan of this head comes soon: where its rows begin is fetched. */
void state_head_fetch(struct state_table *t, const void *head);
bool state_row_is_expired(struct state_table *t, const void *row); /* false without TTL */
/* The row was changed in place: marks it dirty and stamps its TTL. */
void state_row_write(struct state_table *t, int64_t ns, void *head, void *row);
/* Not for LOG. The row stays readable until state_done. */
void state_row_remove(struct state_table *t, int64_t ns, void *head, void *row);
/* Removes all rows, at once: their pointers are no longer valid. */
void state_head_clear(struct state_table *t, int64_t ns, void *head);

/* LOG: appends values[i] to heads[i], in order. times is what state_log_prune compares; NULL: these are never pruned. */
enum status state_log_append(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                             const int64_t *times, void **rows) CHECKED; /* rows may be NULL */
/* Drops, at once, whole segments all of whose rows have a time below `before`; what remains may still hold some of those. */
void state_log_prune(struct state_table *t, int64_t ns, void *head, int64_t before);
/* Drops the first n rows, at once: their pointers are no longer valid. The others stay where they are. */
void state_log_drop(struct state_table *t, int64_t ns, void *head, uint32_t n);

/* PACKED: appends to heads[i] row rows[i] of the batch, field f being column cols[f]; in order. state_rows_load alone reads rows: their
 * strings come as views, which are good as long as the head is not cleared. Rows are neither changed nor removed. */
enum status state_packed_append(struct state_table *t, int64_t ns, void *const *heads, const struct batch *in, const uint32_t *cols,
                                const uint16_t *rows, uint32_t count) CHECKED;

/* PLACES: the rows of a head in the order that the operator gave them. `row` is what state_place_row finds a row by; `order` is the
 * operator's. Rows are read by state_rows_load, their strings as views, until they are freed: a row that left its head is the
 * operator's to free, once nobody reads it any more. */
struct state_place {
    uint64_t order, row;
};
/* A word of the head that is the operator's during a batch: zero before state_done. */
static inline uint32_t *state_place_mark(void *head) { return (uint32_t *)head + 1; }
/* state_head_rows(head) of them; good until state_places_set or state_done. */
const struct state_place *state_places(const struct state_table *t, const void *head);
void state_places_set(struct state_table *t, int64_t ns, void *head, const struct state_place *places, uint32_t count);
const void *state_place_row(const struct state_table *t, uint64_t row);
/* Writes rows rows[i] of the batch, field f being column cols[f]; out[i] is what they are found by. They belong to no head yet. */
enum status state_places_write(struct state_table *t, int64_t ns, const struct batch *in, const uint32_t *cols, const uint16_t *rows,
                               uint32_t count, uint64_t *out) CHECKED;
void state_places_free(struct state_table *t, int64_t ns, const uint64_t *rows, uint32_t count);

/* MULTISET: in order, deltas[i] > 0 (or deltas NULL) adds values[i] and < 0 takes one away. rows[i] = the row concerned
 * (its count after the change in its element at that moment), NULL when there was nothing to take away. What
 * was taken away whole and is added again is a new row behind the others; the old one is readable until state_done. */
enum status state_multiset_change(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                  const int8_t *deltas, void **rows) CHECKED;
enum status state_multiset_find(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *values,
                                void **rows) CHECKED;

/* MAP with map_key: the row of (key, map key), as state_resolve does for keys (not RESERVE). */
enum status state_entry_resolve(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *map_keys,
                                enum state_intent intent, void **rows, uint64_t *created) CHECKED;

/* ORDERED: inserts a zero row at (key, sort key) after equal ones; with sort_unique gives the row that is there. */
enum status state_ordered_insert(struct state_table *t, int64_t ns, void *const *heads, const struct state_probe *sort_keys,
                                 void **rows, uint64_t *created) CHECKED;
struct state_range {
    const struct state_probe *from, *to;  /* bound i belongs to heads[i]; NULL = none */
    const int64_t *from_word, *to_word;   /* instead, when the sort key is one field of form WORD */
    bool from_open, to_open;              /* the bound itself is outside */
    bool descending;                      /* from the last to the first; from and to keep their meaning */
    uint32_t limit;                       /* rows per key; 0 = all */
    uint32_t skip;                        /* so many rows from its beginning are passed over; not with descending */
};
enum status state_ordered_scan(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                               struct state_scan *c, struct state_hits *hits) CHECKED;
/* How many rows of each head lie within the bounds (skip, limit and descending say nothing). May answer S_PENDING. `counted` tables: this,
 * and `skip`, take log n steps, else they walk. There a removed row is out of the order at once, so a scan begun before may miss rows. */
enum status state_ordered_count(struct state_table *t, int64_t ns, void *const *heads, uint32_t count, const struct state_range *r,
                                uint32_t *rows) CHECKED;
void *state_ordered_edge(struct state_table *t, int64_t ns, void *head, bool last); /* the first or last row, or NULL */
/* Removes the rows of one head within the bounds r->from[i] .. r->to[i]; returns how many. Not of `counted` tables. */
uint32_t state_ordered_remove(struct state_table *t, int64_t ns, void *head, const struct state_range *r, uint32_t i);
