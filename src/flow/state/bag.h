/* bag.h - many rows under one key: what the heads of LOG, MULTISET, ORDERED, MAP with a map key, PACKED and PLACES are. Internal.
 *
 *   bag      the head, in the entry of its key
 *   chunk    a block of elements; chunks double from 2 to 512 elements and are linked in both directions
 *   element  [struct state_element, not in a LOG] [map or sort key] [row] [TTL stamp]
 *   index    MULTISET, MAP: above 8 elements a hash table of references; ORDERED: sorted leaves
 *
 * Elements do not move within a batch. What is removed stays readable and indexed until state_done. */
#pragma once
#include "flow/state/hashmap.h"
#include "flow/state/pack.h"
#include "flow/state/shape.h"

enum {
    BAG_SCAN_MAX = 8,      /* elements that are searched one by one */
    CHUNK_ELEMENTS_MAX = 512,
    CHUNK_BYTES_MAX = POOL_FRAME,
};
enum bag_flags { BAG_TOUCHED = 1,            /* on the table's list */
                 BAG_ROLLS = 2 };            /* a LOG whose first rows are dropped: its chunks stay small */
enum element_flags { ELEMENT_DOOMED = 1,     /* on the table's list of removed elements */
                     ELEMENT_DEAD = 2,       /* not in the index: settled, or removed and its like inserted anew */
                     ELEMENT_OUT = 4,        /* ORDERED: removed, and out of the leaves already; COUNTED: all are */
                     ELEMENT_PLACE_SHIFT = 16 }; /* its number in the chunk */

struct bag {
    uint32_t rows;  /* live; first, see state_head_rows */
    uint32_t used;  /* elements, dead ones included; PACKED: see room; PLACES: the operator's mark */
    uint32_t slot;
    uint16_t shard;
    uint16_t flags;
    union {
        struct {
            struct state_ref first, last; /* chunks */
        };
        struct state_place place; /* PLACES: the sole one; of several `first` is their block. Here such a head ends */
    };
    union {
        struct state_ref index; /* hash table; or the sole leaf, or the directory of leaves */
        uint32_t room;          /* PACKED: bytes left in the last chunk, whose bytes in use are `used` */
    };
    /* PACKED: a head ends here */
    union {
        uint32_t leaves;      /* ORDERED */
        uint32_t places_used; /* else: of the hash table, tombstones included; */
    };
    union {
        uint32_t places_mask; /* their number, a power of two, less one */
        uint32_t oldest_s;    /* ORDERED, with TTL: no row was stamped before that second */
    };
};
enum { PACKED_HEAD_BYTES = offsetof(struct bag, leaves), PLACES_HEAD_BYTES = offsetof(struct bag, index) };
_Static_assert(PACKED_HEAD_BYTES % 8 == 0 && PLACES_HEAD_BYTES % 8 == 0, "heads are words");
_Static_assert(sizeof(struct bag) % 8 == 0 && offsetof(struct bag, rows) == 0, "a head begins with its rows");

struct chunk {
    struct state_ref next, prev;
    uint32_t capacity, used, live;
    uint32_t gone;  /* LOG: elements at its beginning that were dropped */
    union {
        int64_t newest; /* LOG: greatest time of its rows */
        int64_t oldest; /* else, with TTL: no row was stamped before */
    };
};

/* Sizes that all elements of a table share; and what has to be settled when the batch is done. */
struct bag_layout {
    uint32_t size;       /* of an element */
    uint32_t row_offset; /* in the element */
    uint32_t ttl_offset; /* of the stamp from the row; 0 = none */
    bool has_header, is_log, is_ordered, is_counted, is_packed, is_places;
    struct row_order order;
    struct pack pack;    /* PACKED, PLACES */
    void *probe;         /* ORDERED: room for one sort key */
    struct doomed {
        struct bag *bag;
        struct space *space;
        char *row;
    } *doomed;
    uint32_t doomed_count, doomed_capacity;
};

static inline char *chunk_row(const struct bag_layout *l, struct chunk *c, uint32_t place)
{
    return (char *)(c + 1) + (size_t)place * l->size + l->row_offset;
}
static inline struct state_element *row_element(const struct bag_layout *l, const char *row)
{
    return (struct state_element *)(void *)((char *)row - l->row_offset);
}
static inline struct chunk *row_chunk(const struct bag_layout *l, const char *row)
{
    uint32_t place = row_element(l, row)->flags >> ELEMENT_PLACE_SHIFT;

    return (struct chunk *)(void *)((char *)row - l->row_offset - (size_t)place * l->size) - 1;
}

enum status bag_open(struct hm_table *t, struct err *e) CHECKED;
void bag_close(struct hm_table *t);
uint32_t bag_head_bytes(const struct hm_table *t);
void bag_created(struct hm_table *t, struct space *s, struct bag *b, uint32_t shard, uint32_t slot);
void bag_touch(struct hm_table *t, struct space *s, struct bag *b); /* state_done looks at it */
/* A new element, its row and extra zero; in a LOG without header. *ref is where it lies. */
char *bag_add(struct hm_table *t, struct space *s, struct bag *b, struct state_ref *ref);
void bag_remove(struct hm_table *t, struct space *s, struct bag *b, char *row);
void bag_clear(struct hm_table *t, struct space *s, struct bag *b); /* at once; keeps slot and shard */
void bags_done(struct hm_table *t); /* settles removed elements, drops empty heads, compacts */
void bag_sweep(struct hm_table *t, struct space *s, struct bag *b, uint32_t *left); /* expired elements */
void bag_restamped(struct hm_table *t, struct bag *b, const char *row); /* by another hand than row_stamp */
void bag_expire(struct hm_table *t, struct space *s, struct bag *b); /* COUNTED, with TTL: what is expired is removed */
void log_drop_before(struct hm_table *t, struct space *s, struct bag *b, int64_t before); /* chunks whose newest row is older */
void log_drop_first(struct hm_table *t, struct space *s, struct bag *b, uint32_t n); /* n <= b->rows */
void bags_forget(struct hm_table *t, const struct space *s);
bool row_is_shown(struct hm_table *t, const char *row); /* neither removed nor hidden by TTL */
void row_stamp(struct hm_table *t, char *row);
bool row_is_expired(struct hm_table *t, const char *row);
void row_touch(struct hm_table *t, char *row); /* it was read: if that counts, it lives longer; what is expired stays so */
/* Goes on from *chunk (0 = start) and *place to the next row that is shown; NULL at the end. */
char *bag_next(struct hm_table *t, struct bag *b, uint64_t *chunk, uint64_t *place);

/* shape_packed.c */
void *packed_next(struct hm_table *t, const struct bag *b, struct state_scan *c); /* NULL at the end */
void packed_rows(struct hm_table *t, const struct bag *b, struct state_scan *c, struct state_hits *hits); /* as many as fit */
char *packed_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t size); /* where the next row goes */
void packed_clear(struct hm_table *t, struct space *s, struct bag *b);

/* shape_places.c */
void places_put(struct hm_table *t, struct space *s, struct bag *b, const struct state_place *places, uint32_t count); /* the list of a head, whose order is theirs */
void places_clear(struct hm_table *t, struct space *s, struct bag *b);

/* bag_index.c */
struct index_place {
    uint32_t hash;
    struct state_ref ref; /* segment 0: free (offset 0) or a tombstone (offset 1) */
};
/* The element whose extra (MAP) or row (MULTISET) equals the probe; removed ones of this batch too; NULL when absent. */
char *bag_find(struct hm_table *t, struct bag *b, uint32_t hash, const void *probe);
void bag_index_add(struct hm_table *t, struct space *s, struct bag *b, uint32_t hash, struct state_ref ref);
void bag_index_remove(struct hm_table *t, struct bag *b, const char *row);
void bag_index_rebuild(struct hm_table *t, struct space *s, struct bag *b);
/* Two steps of fetching, some elements apart: where a hash is looked for, then what is found there, or the end of the bag. */
static inline __attribute__((always_inline)) void bag_fetch_place(const struct hm_table *t, const struct bag *b, uint32_t hash)
{
    if (b->last.segment == 0) return; /* it is empty */
    if (b->index.segment) __builtin_prefetch((struct index_place *)block_at(&t->segments, b->index) + (hash & b->places_mask), 1);
    else __builtin_prefetch(block_at(&t->segments, b->first));
    __builtin_prefetch(block_at(&t->segments, b->last), 1);
}
static inline __attribute__((always_inline)) void bag_fetch_element(const struct hm_table *t, const struct bag *b, uint32_t hash)
{
    const struct index_place *p;
    const struct chunk *c;

    if (b->index.segment == 0) return;
    p = (const struct index_place *)block_at(&t->segments, b->index) + (hash & b->places_mask);
    if (p->ref.segment != 0) {
        __builtin_prefetch((const char *)block_at(&t->segments, p->ref) - t->bag->row_offset, 1);
        return;
    }
    c = block_at(&t->segments, b->last);
    __builtin_prefetch((const char *)(c + 1) + (size_t)c->used * t->bag->size, 1);
}

/* leaf.c: ORDERED */
struct leaf_position {
    uint32_t leaf, at;
};
void leaves_insert(struct hm_table *t, struct space *s, struct bag *b, const void *probe, struct state_ref ref);
struct leaf_position leaves_find(struct hm_table *t, const struct bag *b, const char *row); /* where the element is */
/* While what was removed is settled: its neighbours that were removed too go with it, and are ELEMENT_OUT. */
void leaves_remove(struct hm_table *t, struct space *s, struct bag *b, const char *row);
void leaves_release(struct hm_table *t, struct space *s, struct bag *b);
/* The first element at (or behind, when `after`) the probe's sort key; prefix is the probe's. probe NULL: by prefix. */
struct leaf_position leaves_seek(struct hm_table *t, const struct bag *b, uint64_t prefix, const void *probe, bool after);
/* The element there, or NULL behind the end; leaf and at are normalised. */
char *leaves_row(struct hm_table *t, const struct bag *b, struct leaf_position *p);
void leaves_set(struct hm_table *t, const struct bag *b, struct leaf_position p, struct state_ref ref);
/* COUNTED: how many rows lie before that position; where the row lies before which there are so many. */
uint32_t leaves_before(struct hm_table *t, const struct bag *b, struct leaf_position p);
struct leaf_position leaves_place(struct hm_table *t, const struct bag *b, uint32_t place);
/* One step back; false at the start. */
bool leaves_back(struct hm_table *t, const struct bag *b, struct leaf_position *p);
