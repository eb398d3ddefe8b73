/* group_distinct.h - what DISTINCT calls have to know of the rows so far: the values of one argument column under each key, and for
 * each FILTER over them which values it has let through. One set serves all calls of a column, up to 64 different FILTERs. */
#pragma once
#include "columns/function/agg.h"
#include "flow/operator/group_firsts.h"
#include "flow/operator/op.h"
#include "flow/state/shape.h"

enum { DISTINCT_SLOTS = 64 };

/* open struct: read by group_merge.c. A slot is one FILTER; bit k of a mask and word k of a count speak of slot k. */
struct group_distinct {
    struct state_def def;
    struct state_table *table; /* key -> value -> a mask; or, with is_counted, a number of rows per slot */
    struct state_probe probe;
    uint32_t col;
    uint32_t slots;
    bool is_counted; /* values may go again */
    int filters[DISTINCT_SLOTS]; /* column, or -1 */
    bool nulls[DISTINCT_SLOTS];  /* NULL is a value */
    int parts;  /* the column behind which a value's slots stand: a mask or, with is_counted, a number of rows per slot; -1: rows come */
    const struct batch *in; /* of parts */
    int64_t ns; /* of what was resolved */
    void *groups[BATCH_ROWS]; /* by number of the key */
    /* The rows of the batch that some slot lets through, in their order. */
    uint32_t count, next; /* next: the first that was not taken yet */
    uint16_t at[BATCH_ROWS]; /* which of the selected rows */
    uint64_t passes[BATCH_ROWS];
    void *heads[BATCH_ROWS], *rows[BATCH_ROWS];
    /* What group_distinct_take found: values that came, or went, for which slots. */
    uint32_t fresh_count;
    uint64_t fresh_any;
    uint16_t fresh_at[BATCH_ROWS];
    uint64_t fresh[BATCH_ROWS];
};

/* Which slots each selected row passes: bit k for slot k. */
void group_distinct_passes(const struct group_distinct *d, const struct batch *in, uint64_t *passes);
/* def.name is set. column: what its values are called; group: the definition of the group's own state, whose key and TTL it shares. */
enum status group_distinct_open(struct group_distinct *d, struct op_cx *cx, const struct type *argument, const char *column,
                                const struct state_def *group) CHECKED;
void group_distinct_close(struct group_distinct *d);
/* Finds the values of a whole batch; may answer S_PENDING. restarts: bits of the keys whose values are forgotten first; NULL: none. */
enum status group_distinct_resolve(struct group_distinct *d, int64_t ns, const struct batch *in, const struct group_firsts *firsts,
                                   const uint64_t *restarts) CHECKED;
/* The next rows up to the selected row `end`, those that add or those that are taken back; they stay the next ones. Parts may do either
 * for each slot. */
void group_distinct_take(struct group_distinct *d, const struct batch *in, uint32_t end, bool adds);
void group_distinct_pass(struct group_distinct *d, uint32_t end); /* behind them */
void group_distinct_forget(struct group_distinct *d, uint32_t end); /* values of rows before the selected row `end`; before done */
/* The group of this key of `firsts` is gone: its values count no rows. */
void group_distinct_clear(struct group_distinct *d, uint32_t number);
void group_distinct_done(struct group_distinct *d);
