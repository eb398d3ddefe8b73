/* agg_json_arrayagg.c - JSON_ARRAYAGG(x): a JSON array of values in the order in which they came. The binder hands it each value as
 * its JSON text already (language/sql/bind_aggregate_parts.c), and takes out NULLs where they are to be absent. */
#include "columns/function/agg_keep.h"

#include "ground/base/str.h"

enum { JSON_LENGTH = 2000 }; /* what Flink's type says; longer texts are not cut */

static enum status json_arrayagg_bind(struct agg *a, struct arena *arena, struct err *e)
{
    if (a->argument == NULL || !type_is_string(a->argument))
        return err_set(e, E_GRAPH, "json_arrayagg takes texts of JSON");
    TRY(agg_keep_bind(a, arena));
    a->result = type_new(arena, T_VARCHAR, JSON_LENGTH, 0, false);
    return S_OK;
}

static void json_arrayagg_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    bool any = false;

    (void)a;
    buf_append_byte(to->scratch, '[');
    while (values->next(values))
        for (uint32_t i = 0; i < values->count; i++) {
            bool null = vector_is_null(values->v, i);
            struct str text = null ? STR("null") : text_str(&VECTOR_VALUES(values->v, struct text)[i]);
            if (any) buf_append_byte(to->scratch, ',');
            buf_append(to->scratch, text.data, text.size);
            any = true;
        }
    buf_append_byte(to->scratch, ']');
    VECTOR_VALUES(to->out, struct text)[to->row] = text_put(to->heap, to->scratch->data, to->scratch->size);
}

const struct agg_type agg_json_arrayagg = {
    .name = "json_arrayagg",
    .doc = "the values as a JSON array, in the order in which they came; [] over no values",
    .example = "json_arrayagg(document) AS documents",
    .usage = "JSON_ARRAYAGG(value [NULL ON NULL | ABSENT ON NULL])",
    .query = "SELECT JSON_ARRAYAGG(x) FROM (VALUES (1), (2), (2)) AS t (x)",
    .answer = "[1,2,2]",
    .bind = json_arrayagg_bind,
    .keep = AGG_KEEP_ALL,
    .keeps_null = true,
    .fold = json_arrayagg_fold,
};
