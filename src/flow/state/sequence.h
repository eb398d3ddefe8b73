/* sequence.h - many rows in order under one outer key, optionally found by a map key: what lists, maps and operator state
 * are made of. Three MAP tables: how many rows a key has; (key, number) -> row; (key, map key) -> number.
 *
 * Rows are numbered in the order in which they come, so walking them is looking up one number after the other. */
#pragma once
#include "flow/state/state.h"
#include "flow/state/view.h"

struct sequence {
    struct arena arena;
    struct state_host *host;
    struct state_def counts_def, rows_def, index_def;
    struct state_table *counts, *rows, *index; /* index NULL: no map key */
    const struct type *outer, *map_key;
    uint32_t outer_count, value_count;
    struct state_layout value_layout; /* part of the layout of `rows` */
    struct state_layout probe_layout; /* of map keys as probe rows, and from sequence_key on */
    uint32_t key_offset;              /* of the map key in a row */
    struct batch *by_number, *by_key; /* one row: the composite keys */
    uint32_t *cols;            /* 0, 1, 2.. */
    int64_t ns;
};

/* outer, value, map_key (NULL = none): T_ROW that outlive the sequence; map keys are never NULL. */
enum status sequence_open(struct sequence *s, struct state_host *h, const char *name, const struct type *outer, const struct type *value,
                          const struct type *map_key, struct state_ttl ttl, struct err *e) CHECKED;
void sequence_close(struct sequence *s);
/* The outer key is row `row` of b, in columns cols. */
void sequence_at(struct sequence *s, int64_t ns, const struct batch *b, const uint32_t *cols, uint32_t row);
/* A zeroed row at the end, under that map key (absent so far) when there are map keys; NULL: no budget. */
void *sequence_add(struct sequence *s, const void *probe_key);
const void *sequence_key(const struct sequence *s, const void *row); /* the map key in a row, in probe_layout */
void *sequence_find(struct sequence *s, const void *probe_key); /* NULL: absent */
bool sequence_remove(struct sequence *s, const void *probe_key);
void *sequence_next(struct sequence *s, struct view_cursor *c);
uint32_t sequence_count(struct sequence *s);
void sequence_clear(struct sequence *s);
void sequence_done(struct sequence *s);
/* Copies a probe row of layout l (the first fields of a row) into a row of `rows`. */
void sequence_copy(struct sequence *s, void *row, const void *probe, const struct state_layout *l, uint32_t offset);
