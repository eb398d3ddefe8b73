/* keyed.h - a state host with a fake clock, and keys made from numbers: key number d is the d-th value of any key type. */
#pragma once
#include "flow/state/state.h"
#include "ground/base/prng.h"

struct keyed {
    struct mem mem;
    struct arena arena;
    struct state_host host;
    struct err err;
    int64_t now_ms;
};

void keyed_init(struct keyed *k, const char *backend, uint32_t group_first, uint32_t group_count, uint32_t max_parallelism);
void keyed_release(struct keyed *k); /* proves that nothing was leaked */
const struct type *keyed_type(struct keyed *k, const char *text);

/* Value number x of the type in row `row`; NULL for x = 0 when the type is nullable. Different numbers, different values. */
void keyed_fill(struct batch *b, uint32_t col, uint32_t row, uint64_t x);
/* Key number d: the first column gets d / 8 or d when it is the only one, the others d % 8. */
void keyed_key(struct batch *b, const uint32_t *cols, uint32_t col_count, uint32_t row, uint64_t d);
