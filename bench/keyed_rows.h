/* keyed_rows.h - rows with a key that is uniform over so many keys, and a time that goes up evenly: a source function for
 * jobs, and the same numbers for hand-written loops. Uniform keys are the hard case: every row is another cache line. */
#pragma once
#include "bench.h"

#include "ground/base/prng.h"

#include <string.h>

struct keyed_rows {
    uint64_t rows, keys, rows_per_ms; /* of all subtasks together */
};

struct keyed_row {
    int64_t key, time, value;
};

struct keyed_cursor {
    uint64_t at, time, in_ms, end;
    bool is_open;
};

static inline void keyed_rows_start(struct keyed_cursor *c, const struct keyed_rows *k, uint32_t subtask, uint32_t subtasks)
{
    *c = (struct keyed_cursor){.at = k->rows * subtask / subtasks, .end = k->rows * (subtask + 1) / subtasks, .is_open = true};
}

/* Subtasks go through the same time side by side, each with its share of the rows. */
static inline uint32_t keyed_rows_next(struct keyed_cursor *c, const struct keyed_rows *k, uint64_t per_ms, struct keyed_row *out,
                                       uint32_t max)
{
    uint32_t n = (uint32_t)MIN((uint64_t)max, c->end - c->at);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t hash = mix64(c->at + i);
        out[i] = (struct keyed_row){(int64_t)(((hash >> 32) * k->keys) >> 32), (int64_t)c->time, (int64_t)(hash & 1023)};
        if (++c->in_ms < per_ms) continue;
        c->in_ms = 0;
        c->time++;
    }
    c->at += n;
    return n;
}
