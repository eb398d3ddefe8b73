/* kept_rows.h - the rows of a result as they stand after all changes, as texts in the order in which they came: what the mode
 * `table` shows. -U and -D take back the latest row that is equal; +U right behind -U takes its place. */
#pragma once
#include "surface/sql/view.h"

struct kept_row {
    struct kept_row *before, *after; /* of the same hash, the older and the newer one */
    uint64_t hash;
    uint32_t place, size;
    char cells[]; /* of each column the size and the text */
};
struct kept_slot {
    uint64_t hash;
    struct kept_row *latest; /* NULL: all of that hash were taken back */
    bool is_taken;
};

struct kept_rows {
    struct mem *mem;
    struct kept_row **rows; /* by place; NULL: a gap */
    uint32_t used, alive, capacity;
    uint32_t first;   /* nothing before it is alive */
    uint32_t vacated; /* by the -U that came last, counted from 1; 0: none */
    struct kept_slot *index;
    uint32_t index_size, taken;
    uint64_t dropped;
    struct buf line;
};

void kept_init(struct kept_rows *k, struct mem *mem);
void kept_release(struct kept_rows *k);
/* Of a query; `v` gives the texts and how many rows stay: the oldest go first. */
void kept_take(struct kept_rows *k, struct view *v, const struct batch *b);
/* for (const struct kept_row *r = kept_next(k, NULL); r != NULL; r = kept_next(k, r)) */
const struct kept_row *kept_next(const struct kept_rows *k, const struct kept_row *r);
/* Text of a column: of the row's next one, `at` moving behind it. Starts at 0. */
struct str kept_cell(const struct kept_row *r, uint32_t *at);
