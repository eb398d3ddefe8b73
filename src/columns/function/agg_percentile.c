/* agg_percentile.c - PERCENTILE(x, p[, weight]): the value below which a part p of the values lies, between the two nearest ones where
 * none lies just there. Parameter: "0.5", or "[0.1, 0.9]" for an ARRAY of results. The argument is a DOUBLE, or a row of a DOUBLE
 * and a BIGINT that says how often it counts. NULL over no values.
 *
 * Different values are kept with their numbers, and sorted for each result. */
#include "columns/function/agg_keep.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"

#include <math.h>
#include <string.h>

enum { PERCENTAGES_MAX = 1024 };

struct percentages {
    uint32_t count;
    double *items;
};

static enum status no_percentage(struct str text, struct err *e)
{
    return err_set(e, E_GRAPH, "Percentage of PERCENTILE should be between [0.0, 1.0], but was '%.*s'.", (int)text.size,
                   text.data);
}

static enum status percentages_read(const struct agg *a, struct arena *arena, struct percentages *out, struct err *e)
{
    struct str rest = str_of(a->parameter), one;
    bool list = str_starts(rest, STR("["));

    if (a->parameter == NULL) return err_set(e, E_GRAPH, "percentile needs a percentage");
    if (list) rest = (struct str){rest.data + 1, rest.size - 2};
    out->items = ARENA_ARRAY(arena, double, PERCENTAGES_MAX);
    out->count = 0;
    while (str_cut(&rest, ',', &one)) {
        one = str_trim(one);
        if (out->count == PERCENTAGES_MAX)
            return err_set(e, E_GRAPH, "PERCENTILE takes at most %d percentages", PERCENTAGES_MAX);
        double *p = &out->items[out->count++];
        if (!str_to_double(one, p) || !(*p >= 0 && *p <= 1)) return no_percentage(one, e);
    }
    return S_OK;
}

static bool is_weighted(const struct type *t)
{
    return t->kind == T_ROW && t->child_count == 2 && t->children[0]->kind == T_DOUBLE &&
           t->children[1]->kind == T_BIGINT;
}

static enum status percentile_bind(struct agg *a, struct arena *arena, struct err *e)
{
    struct percentages *p = ARENA_NEW(arena, struct percentages);
    const struct type *real = type_new(arena, T_DOUBLE, 0, 0, true);

    if (a->argument == NULL || (a->argument->kind != T_DOUBLE && !is_weighted(a->argument)))
        return err_set(e, E_GRAPH, "percentile takes a DOUBLE, or a row of a DOUBLE and a BIGINT");
    TRY(percentages_read(a, arena, p, e));
    TRY(agg_keep_bind(a, arena));
    a->result = a->parameter[0] == '[' ? type_list(arena, T_ARRAY, real, NULL, true) : real;
    a->plan = p;
    return S_OK;
}

struct weighted {
    double value;
    int64_t weight;
};

/* NaN is greater than all numbers, as Java has it. */
static bool is_less(void *arg, uint32_t x, uint32_t y)
{
    const struct weighted *items = arg;
    double a = items[x].value, b = items[y].value;

    return a < b || (isnan(b) && !isnan(a));
}

static double real_at(const struct vector *v, uint32_t row)
{
    return VECTOR_VALUES(vector_values(v), double)[vector_at(v, row)];
}

/* The values behind each other in scratch; those that count for nothing are left out. */
static uint32_t values_gather(struct agg_values *values, bool weighted, struct buf *scratch, int64_t *total)
{
    uint32_t n = 0;

    *total = 0;
    while (values->next(values))
        for (uint32_t i = 0; i < values->count; i++) {
            const struct vector *v = weighted ? &values->v->children[0] : values->v;
            const struct vector *w = weighted ? &values->v->children[1] : NULL;
            if (vector_is_null(v, i) || (w != NULL && vector_is_null(w, i))) continue;
            struct weighted one = {real_at(v, i), values->counts[i]};
            if (w != NULL) one.weight *= VECTOR_VALUES(vector_values(w), int64_t)[vector_at(w, i)];
            if (one.weight <= 0) continue;
            buf_append(scratch, &one, sizeof one);
            *total += one.weight;
            n++;
        }
    return n;
}

/* Places count from 1. */
static double value_at(const struct weighted *items, const uint32_t *order, uint32_t n, double place)
{
    int64_t low = (int64_t)floor(place), high = (int64_t)ceil(place), seen = 0;
    uint32_t i = 0;

    for (seen = items[order[0]].weight; seen < low && i + 1 < n;) seen += items[order[++i]].weight;
    double value = items[order[i]].value;
    if (seen >= high || i + 1 == n) return value;
    return ((double)high - place) * value + (place - (double)low) * items[order[i + 1]].value;
}

static void result_put(struct vector *out, uint32_t at, double value) { VECTOR_VALUES(out, double)[at] = value; }

static void percentile_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    const struct percentages *p = a->plan;
    bool list = to->out->type->kind == T_ARRAY;
    int64_t total;
    uint32_t n = values_gather(values, a->argument->kind == T_ROW, to->scratch, &total);

    if (n == 0) {
        if (list) list_begin(to->out, to->row);
        vector_set_null(to->out, to->row);
        return;
    }
    buf_reserve(to->scratch, 2 * sizeof(uint32_t) * n);
    const struct weighted *items = (const void *)to->scratch->data;
    uint32_t *order = (void *)(to->scratch->data + to->scratch->size);
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    sort_stable(order, order + n, n, is_less, (void *)(uintptr_t)items);
    if (list) {
        list_begin(to->out, to->row);
        vector_child_reserve(to->out, to->out->children[0].used + p->count, to->mem);
    }
    for (uint32_t i = 0; i < p->count; i++) {
        double value = value_at(items, order, n, p->items[i] * (double)(total - 1) + 1);
        if (list)
            result_put(&to->out->children[0], to->out->children[0].used++, value);
        else
            result_put(to->out, to->row, value);
    }
    if (list) list_end(to->out, to->row);
}

const struct agg_type agg_percentile = {
    .name = "percentile",
    .doc = "the value below which a part of the values lies, such as 0.5; an array of parts gives an array; NULL over "
           "no values",
    .example = "percentile(price) AS median",
    .usage = "PERCENTILE([DISTINCT] number, part[, weight]), PERCENTILE(number, ARRAY[part, ...][, weight])",
    .query = "SELECT PERCENTILE(x, 0.5), PERCENTILE(x, ARRAY[0.25, 1]) FROM (VALUES (1), (2), (7), (8)) AS t (x)",
    .answer = "4.5 | [1.75, 8.0]",
    .bind = percentile_bind,
    .keep = AGG_KEEP_COUNTED,
    .has_parameter = true,
    .fold = percentile_fold,
};
