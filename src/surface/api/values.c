/* values.c - tw_from_data: structs of the program become rows in the job graph. The structs go through columns into bytes
 * (flow/connector/values.h), which the connector `values` reads; so the job does not depend on the program's memory. */
#include "surface/api/api_internal.h"

#include "flow/connector/values.h"

static enum status encode_rows(struct tw_env *env, const struct tw_row *row, const struct type *schema,
                               const void *rows, uint32_t count, struct buf *out)
{
    struct arena *a = &env->graph_arena;
    struct user_row bound;

    TRY(values_check(schema, &env->err));
    TRY(user_row_bind(a, row, schema, NULL, &bound, &env->err));
    struct batch *b = batch_create(schema, ROWCONV_ROWS, a->mem);
    for (uint32_t first = 0; first < count; first += ROWCONV_ROWS) {
        batch_clear(b);
        rowconv_write(&bound.conv, (const char *)rows + (size_t)first * row->size, MIN(count - first, ROWCONV_ROWS), b);
        values_encode(b, out);
    }
    batch_free(b);
    return S_OK;
}

struct tw_stream *tw_from_data_at(struct tw_env *env, const struct tw_row *row, const void *rows, uint32_t count,
                                  struct tw_here h)
{
    const struct type *schema = api_row_type(env, row, h);
    struct buf bytes;

    if (schema == NULL) return api_broken(env);
    if (count > 0 && rows == NULL) return api_mistake(env, h, "tw_from_data: %u rows, but no pointer to them", count);
    struct tw_stream *s = tw_source_rows_at(env, "data", "values", row, TW_NO_OPTIONS, h);
    if (s->is_broken) return s;
    buf_init(&bytes, &env->graph_mem);
    if (encode_rows(env, row, schema, rows, count, &bytes) != S_OK) {
        graph_at(api_here(h), &env->err);
        s->is_broken = true;
    } else {
        struct graph_node *n = env->graph.nodes[s->node];
        ((struct source_config *)n->config)->rows =
            (struct str){arena_strndup(&env->graph_arena, bytes.size > 0 ? bytes.data : "", bytes.size), bytes.size};
        n->single = true;
    }
    buf_release(&bytes);
    return s;
}
