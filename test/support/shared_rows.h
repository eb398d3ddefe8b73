/* shared_rows.h - a row type that two C files use, as the header of a program declares one: TW_ROW makes an object of its
 * own in each. What the other file makes of it is shared_rows.c. */
#pragma once
#include <thalweg/thalweg.h>

struct shared_place {
    int32_t x, y;
};
struct shared_sum {
    int64_t key, total;
    struct shared_place at;
};
TW_ROW(shared_place, TW_FIELD(shared_place, x, "INT NOT NULL"), TW_FIELD(shared_place, y, "INT NOT NULL"));
TW_ROW(shared_sum, TW_FIELD(shared_sum, key, "BIGINT NOT NULL"), TW_FIELD(shared_sum, total, "BIGINT NOT NULL"),
       TW_FIELD_OF(shared_sum, at, "ROW NOT NULL", shared_place));

extern const struct tw_row shared_sum_elsewhere; /* the other file's shared_sum_row */
/* Functions of the other file. */
const struct tw_function *shared_sums(void); /* .reduce: totals added, the place of the second */
const struct tw_function *shared_fold(void); /* .add: as the reduce; .acc and .out are shared_sum */
