/* kept_rows.h - the rows of a result as they stand after all changes, as texts in the order in which they came: what the mode
 * `table` shows. -U and -D take back the latest row that is equal. */
#pragma once
#include "surface/sql/view.h"

struct kept_row {
    char *cells; /* of each column the size and the text; NULL: taken back */
    uint32_t size, before; /* before: place + 1 of the row before it with the same hash; 0: none */
    uint64_t hash;
};

struct kept_rows {
    struct mem *mem;
    struct kept_row *rows;
    uint32_t used, alive, capacity;
    uint32_t *index; /* place + 1 of the latest row of a hash; 0: free */
    uint32_t index_size, first; /* first: nothing before it is alive */
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
