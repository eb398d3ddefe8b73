/* lookup_plan.h - what the operators `lookup_join` and `async_lookup_join` share: their configuration as they read it, at graph time. */
#pragma once
#include "flow/connector/lookup_table.h"
#include "flow/operator/lookup_join.h"

struct lookup_plan {
    struct fn_session session;
    const struct conn_type *conn;
    bool is_left;
    struct expr *filter, **columns, *condition;
    const struct type *right, *both, *out; /* what is kept; both sides; with NULLs */
    uint32_t left;
    uint32_t keys[2][OP_KEYS_MAX], key_count;
    uint64_t null_safe;
    /* Of a connector that finds keys by itself. */
    const struct type *key_row;
    struct expr **asks;
};

extern const struct config_field lookup_join_config_fields[];

enum status lookup_plan_read(const struct op_plan *p, const struct lookup_join_config *c, struct lookup_plan *out, struct err *e) CHECKED;
enum status lookup_plan_derive(struct op_plan *p, const struct lookup_join_config *c, struct err *e) CHECKED;
void lookup_plan_needs(const struct op_plan *p, const struct lookup_join_config *c, const uint64_t *outputs, uint64_t *inputs);
/* Columns of both sides that somebody needs, or the condition; outputs NULL: all. In the plan's arena. */
const uint64_t *lookup_plan_filled(const struct lookup_plan *plan, const uint64_t *outputs, struct arena *a);
struct lookup_spec lookup_plan_spec(const struct lookup_plan *p, const struct lookup_join_config *c);
