/* snapshot_schema.h - what the columns of saved rows are. Internal to flow/state. */
#pragma once
#include "flow/state/snapshot_chunk.h"
#include "flow/state/timer.h"

enum schema_kind { SCHEMA_TABLE, SCHEMA_TIMERS };

/* In this order; each of KEY, EXTRA and VALUE stands for as many columns as the state has there. */
enum schema_role {
    ROLE_NAMESPACE, /* BIGINT */
    ROLE_TIME,      /* timers: BIGINT, when it is due */
    ROLE_KEY,
    ROLE_EXTRA,     /* map key, sort key */
    ROLE_VALUE,
    ROLE_COUNT,     /* MULTISET: INT, how many equal rows */
    ROLE_MATCHES,   /* INT, state_element.matches */
    ROLE_ORDER,     /* PLACES: BIGINT, state_place.order */
    ROLE_STAMP,     /* BIGINT, with a time to live: since when */
    ROLE_COUNT_OF,
};

struct schema_column {
    uint8_t role; /* enum schema_role */
    const char *name;
    const struct type *type;
};

struct state_schema {
    uint8_t kind;    /* enum schema_kind */
    uint8_t shape;   /* enum state_shape */
    uint8_t sharing; /* enum state_sharing */
    uint8_t upgrade; /* enum state_upgrade; of what an operator has, never in bytes */
    bool namespaced, sort_unique, counted, is_within;
    struct state_ttl ttl;
    uint64_t sort_descending, sort_nulls_last;
    uint32_t version, group_cols;
    uint64_t keys;   /* how many the writer had, all namespaces together; timers 0 */
    const char *name;
    struct schema_column *columns;
    uint32_t column_count;
    uint32_t first[ROLE_COUNT_OF], count[ROLE_COUNT_OF]; /* columns of a role */
    const struct type *row; /* T_ROW of the columns */
    bool has_words; /* not in the bytes: words of timers that move are written as they are */
};

void schema_of_table(const struct state_table *t, struct arena *a, struct state_schema *out);
void schema_of_timers(const char *name, const struct type *key, struct arena *a, struct state_schema *out);
/* Forgets the columns behind the first `count`, all of whose roles are there or gone as a whole. */
void schema_cut(struct state_schema *s, uint32_t count, struct arena *a);
/* Of a batch of its columns, those alone have values that say what went: namespaces, and keys. */
void schema_void_columns(const struct state_schema *s, struct batch *b, bool has_keys);
void schema_encode(const struct state_schema *s, struct buf *out);
/* E_DATA: these are no such bytes. */
enum status schema_decode(struct str bytes, struct arena *a, struct state_schema *out, struct err *e) CHECKED;
/* The part that a column plays: "key", "value", ... */
const char *schema_role_name(const struct state_schema *s, uint8_t role);
/* Do they speak of the same state? */
bool schema_is_of(const struct state_schema *stored, const struct state_schema *own);
/* E_CONFIG with what differs: they are not the same, of which chunks of one snapshot must be. The stamps alone may come and go. */
enum status schema_fits(const struct state_schema *stored, const struct state_schema *own, struct err *e) CHECKED;
