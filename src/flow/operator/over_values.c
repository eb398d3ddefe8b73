/* over_values.c - running results that are values themselves. A row is compared with what is at hand; what is at hand is loaded from,
 * compared with, and stored in the rows of a state table. Texts at hand lie in a heap that is emptied when a walk begins. */
#include "flow/operator/over_values.h"

bool over_value_fits(const struct group_call *call)
{
    enum agg_keep keep = call->agg.keep;

    if (call->agg.type->append != NULL) return true;
    return keep == AGG_KEEP_LEAST || keep == AGG_KEEP_GREATEST || keep == AGG_KEEP_FIRST || keep == AGG_KEEP_LAST;
}

void over_values_open(struct over_values *v, struct op_cx *cx, const struct group_call *calls, uint32_t count,
                      uint32_t first_result, uint32_t first_field)
{
    v->mem = cx->mem;
    v->items = ARENA_ARRAY(cx->plan->arena, struct over_value, count + 1);
    text_heap_init(&v->now_heap, cx->mem);
    text_heap_init(&v->other_heap, cx->mem);
    buf_init(&v->scratch, cx->mem);
    for (uint32_t i = 0; i < count; i++) {
        if (!over_value_fits(&calls[i])) continue;
        struct over_value *o = &v->items[v->count];
        *o = (struct over_value){.agg = &calls[i].agg, .call = i, .result = first_result + i, .field = first_field + v->count};
        vector_init(&o->now, calls[i].agg.result, 1, cx->mem);
        vector_init(&o->other, calls[i].agg.result, 1, cx->mem);
        v->count++;
    }
}

void over_values_close(struct over_values *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        vector_release(&v->items[i].now, v->mem);
        vector_release(&v->items[i].other, v->mem);
    }
    if (v->mem == NULL) return;
    text_heap_release(&v->now_heap);
    text_heap_release(&v->other_heap);
    buf_release(&v->scratch);
}

void over_values_begin(struct over_values *v, const struct state_table *t, const void *row)
{
    text_heap_clear(&v->now_heap);
    for (uint32_t i = 0; i < v->count; i++) {
        struct over_value *o = &v->items[i];
        vector_clear(&o->now);
        if (row != NULL)
            state_rows_load(t, &row, 1, o->field, &o->now, 0, &v->now_heap, v->mem);
        else if (o->agg->result->nullable || o->now.phys != P_LIST)
            vector_set_null(&o->now, 0);
        else
            VECTOR_VALUES(&o->now, struct list_ref)[0] = (struct list_ref){0, 0};
    }
}

static bool is_better(const struct over_value *o, const struct vector *v, uint32_t row)
{
    if (vector_is_null(v, row)) return false;
    if (vector_is_null(&o->now, 0) || o->agg->keep == AGG_KEEP_LAST) return true;
    if (o->agg->keep == AGG_KEEP_FIRST) return false;
    int order = vector_compare(v, row, &o->now, 0);
    return o->agg->keep == AGG_KEEP_LEAST ? order < 0 : order > 0;
}

static void append(struct over_values *v, struct over_value *o, const struct vector *values, uint32_t row)
{
    const struct agg_place to = {.out = &o->now, .row = 0, .heap = &v->now_heap, .mem = v->mem, .scratch = &v->scratch};

    buf_clear(&v->scratch);
    if (o->agg->type->keeps_null || !vector_is_null(values, row)) o->agg->type->append(o->agg, values, row, &to);
}

void over_values_add(struct over_values *v, const struct batch *b, uint32_t row, const bool *left_out)
{
    uint16_t which = (uint16_t)row;

    for (uint32_t i = 0; i < v->count; i++) {
        struct over_value *o = &v->items[i];
        const struct vector *values = &b->cols[o->agg->col];
        if (left_out[o->call]) continue;
        if (o->agg->type->append != NULL) {
            append(v, o, values, row);
            continue;
        }
        if (!is_better(o, values, row)) continue;
        vector_clear(&o->now);
        vector_copy(&o->now, 0, values, &which, 1, &v->now_heap, v->mem);
    }
}

bool over_values_same(struct over_values *v, const struct state_table *t, const void *row)
{
    text_heap_clear(&v->other_heap);
    for (uint32_t i = 0; i < v->count; i++) {
        struct over_value *o = &v->items[i];
        vector_clear(&o->other);
        state_rows_load(t, &row, 1, o->field, &o->other, 0, &v->other_heap, v->mem);
        if (vector_compare(&o->now, 0, &o->other, 0) != 0) return false;
    }
    return true;
}

void over_values_store(struct over_values *v, struct state_table *t, void *row)
{
    for (uint32_t i = 0; i < v->count; i++) state_rows_store(t, 0, &row, 1, v->items[i].field, &v->items[i].now, NULL);
}

void over_values_put(struct over_values *v, const struct state_table *t, const void *row, struct batch *out, uint32_t n)
{
    for (uint32_t i = 0; i < v->count; i++) {
        struct over_value *o = &v->items[i];
        struct vector *to = &out->cols[o->result];
        if (to->form == VEC_ABSENT) continue;
        if (row != NULL)
            state_rows_load(t, &row, 1, o->field, to, n, &out->heap, out->mem);
        else
            vector_copy(to, n, &o->now, NULL, 1, &out->heap, out->mem);
    }
}
