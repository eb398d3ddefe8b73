/* values.c - tw_from_data: structs of the program become rows in the job graph. The structs go through columns into bytes
 * (flow/connector/values.h), which the connector `values` reads; so the job does not depend on the program's memory. */
#include "surface/api/api_internal.h"

#include "flow/connector/values.h"

static enum status rows_check(struct tw_env *env, const struct user_row *bound, const char *rows, uint32_t first,
                              uint32_t n)
{
    const struct tw_row *row = bound->row;
    const char *why;
    uint32_t field;

    for (uint32_t i = 0; i < n; i++) {
        if (rowconv_check(&bound->conv, rows + (size_t)i * row->size, 1, &field, &why) == S_OK) continue;
        return err_set(&env->err, E_GRAPH, "tw_from_data: row %u, field '%s' of row type '%s': %s", first + i,
                       bound->form->type->names[field], row->name, why);
    }
    return S_OK;
}

static enum status encode_rows(struct tw_env *env, const struct tw_row *row, const struct type *schema,
                               const void *rows, uint32_t count, struct buf *out)
{
    struct arena *a = &env->graph_arena;
    struct user_row bound;

    TRY(values_check(schema, &env->err));
    TRY(user_row_bind(a, row, schema, NULL, &bound, &env->err));
    struct batch *b = batch_create(schema, ROWCONV_ROWS, a->mem);
    enum status st = S_OK;
    for (uint32_t first = 0; st == S_OK && first < count; first += ROWCONV_ROWS) {
        const char *from = (const char *)rows + (size_t)first * row->size;
        uint32_t n = MIN(count - first, ROWCONV_ROWS);
        batch_clear(b);
        st = rows_check(env, &bound, from, first, n);
        if (st != S_OK) break;
        if (rowconv_write(&bound.conv, from, n, b) != S_OK) {
            st = err_set(&env->err, E_CONFIG, "rows %u to %u: " CFORM_FULL, first, first + n - 1);
            break;
        }
        values_encode(b, out);
    }
    batch_free(b);
    return st;
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
