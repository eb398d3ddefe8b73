/* agg_json_objectagg.c - JSON_OBJECTAGG(KEY k VALUE v): a JSON object of keys and values. The binder hands it rows of a key and the JSON
 * text of a value (language/sql/bind_aggregate_parts.c). Keys stand here as they came; the binder has them put in order, and looked
 * at whether one is there twice or NULL, by a function over the result ("$JSON_ENTRIES", fn_json_make.c). */
#include "columns/function/agg_keep.h"
#include "columns/function/jdoc.h"

#include "ground/base/str.h"

enum { JSON_LENGTH = 2000 }; /* what Flink's type says; longer texts are not cut */

static enum status json_objectagg_bind(struct agg *a, struct arena *arena, struct err *e)
{
    const struct type *t = a->argument;

    if (t == NULL || t->kind != T_ROW || t->child_count != 2 || !type_is_string(t->children[0]) ||
        !type_is_string(t->children[1]))
        return err_set(e, E_GRAPH, "json_objectagg takes rows of a key and a text of JSON");
    TRY(agg_keep_bind(a, arena));
    a->result = type_new(arena, T_VARCHAR, JSON_LENGTH, 0, false);
    return S_OK;
}

static void piece_put(const struct vector *v, uint32_t row, bool is_key, struct buf *out)
{
    bool null = vector_is_null(v, row);
    struct str text = null ? STR("null") : text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);

    if (is_key && !null)
        jtext_write(text, out);
    else
        buf_append(out, text.data, text.size);
}

static void json_objectagg_fold(const struct agg *a, struct agg_values *values, const struct agg_place *to)
{
    bool any = false;

    (void)a;
    buf_append_byte(to->scratch, '{');
    while (values->next(values))
        for (uint32_t i = 0; i < values->count; i++) {
            if (any) buf_append_byte(to->scratch, ',');
            piece_put(&values->v->children[0], i, true, to->scratch);
            buf_append_byte(to->scratch, ':');
            piece_put(&values->v->children[1], i, false, to->scratch);
            any = true;
        }
    buf_append_byte(to->scratch, '}');
    VECTOR_VALUES(to->out, struct text)[to->row] = text_put(to->heap, to->scratch->data, to->scratch->size);
}

const struct agg_type agg_json_objectagg = {
    .name = "json_objectagg",
    .doc = "keys and values as a JSON object; {} over no rows; a key that is there twice fails",
    .example = "json_objectagg(entry) AS entries",
    .usage = "JSON_OBJECTAGG([KEY] text VALUE value [NULL ON NULL | ABSENT ON NULL])",
    .query = "SELECT JSON_OBJECTAGG(KEY k VALUE v) FROM (VALUES ('a', 1), ('b', 2)) AS t (k, v)",
    .answer = "{\"a\":1,\"b\":2}",
    .bind = json_objectagg_bind,
    .keep = AGG_KEEP_ALL,
    .fold = json_objectagg_fold,
};
