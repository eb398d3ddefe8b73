/* over_lag.c - LAG OVER a window: under each key a log of its last offset + 1 values. While there are fewer the result is the default,
 * as it is in the last row that came; else it is the first of them. Values of NULL count. */
#include "flow/operator/over.h"

#include <stdlib.h>

static enum status lag_read(const struct op_plan *p, const struct over_config *c, uint32_t i, struct over_lag *out,
                            struct err *e)
{
    const char *otherwise = c->lag_defaults.items[i];
    int col = op_plan_field(p, 0, c->lag_values.items[i], e);
    char *end;

    if (col < 0) return E_GRAPH;
    long long offset = strtoll(c->lag_offsets.items[i], &end, 10);
    if (*end != '\0' || offset < 0 || offset > INT32_MAX)
        return err_set(e, E_CONFIG, "'%s' is no offset of LAG", c->lag_offsets.items[i]);
    out->value = (uint32_t)col;
    out->rows = (uint32_t)offset + 1;
    out->otherwise = otherwise[0] != '\0' ? op_plan_field(p, 0, otherwise, e) : -1;
    if (otherwise[0] != '\0' && out->otherwise < 0) return E_GRAPH;
    if (out->otherwise >= 0 &&
        !type_equal_ignoring_null(p->inputs[0]->children[col], p->inputs[0]->children[out->otherwise]))
        return err_set(e, E_GRAPH, "the default of LAG has another type than its value");
    return S_OK;
}

enum status over_lags_read(struct arena *a, const struct op_plan *p, const struct over_config *c, struct over_lag **out,
                           struct err *e)
{
    uint32_t n = c->lag_values.count;

    if (c->lag_offsets.count != n || c->lag_defaults.count != n || c->lag_names.count != n)
        return err_set(e, E_CONFIG, "lists of LAG of different length");
    *out = ARENA_ARRAY(a, struct over_lag, MAX(n, 1u));
    for (uint32_t i = 0; i < n; i++) TRY(lag_read(p, c, i, &(*out)[i], e));
    return S_OK;
}

enum status over_lags_open(struct op_cx *cx, struct over *s)
{
    struct arena *a = cx->plan->arena;

    for (uint32_t i = 0; i < s->lag_count; i++) {
        struct over_lag *l = &s->lags[i];
        l->def = (struct state_def){.name = arena_printf(a, "lag-%u", i),
                                    .version = 1,
                                    .shape = STATE_LOG,
                                    .key = s->acc_def.key,
                                    .value = type_row_of(a, cx->plan->inputs[0], &l->value, 1),
                                    .ttl = s->acc_def.ttl};
        TRY(state_open(cx->state, &l->def, &l->table, cx->err));
        TRY(state_probe_init(&l->probe, l->def.value, cx->mem, cx->err));
    }
    return S_OK;
}

void over_lags_close(struct op_cx *cx, struct over *s)
{
    (void)cx;
    for (uint32_t i = 0; s->lags != NULL && i < s->lag_count; i++) {
        if (s->lags[i].table != NULL) state_probe_release(&s->lags[i].probe);
        state_close(s->lags[i].table);
    }
}

enum status over_lags_resolve(struct over *s, const struct state_keys *keys)
{
    for (uint32_t i = 0; i < s->lag_count; i++)
        TRY(state_resolve(s->lags[i].table, 0, keys, STATE_INSERT, s->lags[i].heads, NULL));
    return S_OK;
}

enum status over_lags_add(struct over *s, const struct batch *b, uint32_t i)
{
    uint16_t row = (uint16_t)batch_row(b, i);

    for (uint32_t k = 0; k < s->lag_count; k++) {
        struct over_lag *l = &s->lags[k];
        state_probe_fill(&l->probe, b, &l->value, &row, 1);
        TRY(state_log_append(l->table, 0, &l->heads[i], &l->probe, NULL, NULL));
        if (state_head_rows(l->heads[i]) > l->rows) state_log_drop(l->table, 0, l->heads[i], 1);
    }
    return S_OK;
}

void over_lags_result(struct over *s, const struct batch *b, uint32_t i, uint32_t row)
{
    struct batch *out = s->out;

    for (uint32_t k = 0; k < s->lag_count; k++) {
        struct over_lag *l = &s->lags[k];
        struct vector *v = &out->cols[s->first_result + s->call_count + k];
        uint16_t last = (uint16_t)batch_row(b, i);
        struct state_scan scan = {0};
        if (v->form == VEC_ABSENT) continue;
        if (state_head_rows(l->heads[i]) >= l->rows) {
            const void *first = state_head_next(l->table, 0, l->heads[i], &scan);
            state_rows_load(l->table, &first, 1, 0, v, row, &out->heap, out->mem);
        } else if (l->otherwise >= 0) {
            vector_copy(v, row, &b->cols[l->otherwise], &last, 1, &out->heap, out->mem);
        } else {
            vector_set_null(v, row);
        }
    }
}

void over_lags_done(struct over *s)
{
    for (uint32_t k = 0; k < s->lag_count; k++) state_done(s->lags[k].table);
}
