/* agg_listagg.c - LISTAGG(x[, separator]): the texts one after another in the order in which they came; NULL over no values. */
#include "columns/function/agg_keep.h"

#include "ground/base/str.h"

static enum status listagg_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL || !type_is_string(a->argument)) return err_set(e, E_GRAPH, "listagg takes a text");
    return agg_keep_bind(a, arena);
}

static void listagg_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    const char *separator = a->parameter != NULL ? a->parameter : ",";
    bool any = false;

    while (values->next(values))
        for (uint32_t i = 0; i < values->count; i++) {
            struct str text = text_str(&VECTOR_VALUES(values->v, struct text)[i]);
            if (any) buf_append_text(to->scratch, separator);
            buf_append(to->scratch, text.data, text.size);
            any = true;
        }
    if (!any) vector_set_null(to->out, to->row);
    else VECTOR_VALUES(to->out, struct text)[to->row] = text_put(to->heap, (const char *)to->scratch->data, to->scratch->size);
}

static void listagg_append(const struct agg *a, const struct vector *v, uint32_t row, const struct agg_place *to)
{
    struct text *so_far = &VECTOR_VALUES(to->out, struct text)[to->row];
    struct str more = text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]), before = text_str(so_far);

    if (!vector_is_null(to->out, to->row)) {
        buf_append(to->scratch, before.data, before.size);
        buf_append_text(to->scratch, a->parameter != NULL ? a->parameter : ",");
    }
    buf_append(to->scratch, more.data, more.size);
    vector_set_valid(to->out, to->row);
    *so_far = text_put(to->heap, to->scratch->data, to->scratch->size);
}

const struct agg_type agg_listagg = {
    .name = "listagg",
    .doc = "the texts one after another, with a comma or the second argument between them; NULL over no values",
    .example = "listagg(city) AS cities",
    .usage = "LISTAGG([DISTINCT] text[, separator])",
    .query = "SELECT LISTAGG(x), LISTAGG(x, ' + ') FROM (VALUES ('a'), ('b')) AS t (x)",
    .answer = "a,b | a + b",
    .bind = listagg_bind,
    .keep = AGG_KEEP_ALL,
    .has_parameter = true,
    .fold = listagg_fold,
    .append = listagg_append,
};
