/* set_config.h - configuration of the operators `set` and `hash_set`, and what they share. */
#pragma once
#include "flow/operator/op.h"
#include "flow/operator/row_sort.h"

struct set_config {
    bool is_except; /* else INTERSECT */
    bool all;       /* else every row once */
    int64_t ttl_ms; /* of set; 0: for ever */
    struct spill_config spill; /* of hash_set */
};

/* How often a row is there that each side has so often; counts below zero are read as zero. */
int64_t set_answer(const struct set_config *c, int64_t left, int64_t right);
enum status set_derive(struct op_plan *p, const void *config, struct err *e) CHECKED;
