/* op_key_by.c - keys computed by a function: its key row is appended to every row as further columns, by which the stream
 * is then partitioned like by any others.
 *
 * Nothing of the input is copied: what goes on is a view whose first columns are the input's and whose last ones are a
 * batch of keys of our own, row by row beside it. So the input must be dense. The view goes on when every key is there. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"

#include <string.h>

struct key_by {
    struct tw_context cx;
    struct user_out key;   /* the key row against the batch of keys; staging and strings only */
    struct batch *keys;
    struct batch view;
    struct vector *cols;   /* of the view */
};

static enum status key_by_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct type *key, *in = plan->inputs[0], **types;
    const char **names;
    uint32_t count;

    TRY(user_need_hook(&c->function, c->function.fn && c->function.fn->select_key, "select_key", e));
    TRY(user_need_hook(&c->function, c->function.fn->key != NULL, "key", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    TRY(user_row_type(plan->arena, c->function.fn->key, &key, e));
    count = in->child_count + key->child_count;
    types = ARENA_ARRAY(plan->arena, const struct type *, count);
    names = ARENA_ARRAY(plan->arena, const char *, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct type *from = i < in->child_count ? in : key;
        uint32_t k = i < in->child_count ? i : i - in->child_count;
        types[i] = from->children[k];
        names[i] = from->names[k];
    }
    for (uint32_t k = 0; k < key->child_count; k++) {
        if (type_field(in, (struct str){key->names[k], strlen(key->names[k])}) < 0) continue;
        err_set(e, E_GRAPH, "function '%s': its key '%s' is already a column of the stream", c->function.name, key->names[k]);
        err_hint(e, "give the key's field another name, or use tw_key_by with the column");
        return E_GRAPH;
    }
    plan->outputs[0] = type_row(plan->arena, count, names, types, false);
    plan->output_count = 1;
    return S_OK;
}

static void key_by_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs)
{
    user_op_needs(plan, config, outputs, inputs);
    user_pass_needs(plan, 0, outputs[0], inputs[0]);
}

static enum status key_by_open(struct op_cx *op, void *self)
{
    struct key_by *k = self;
    const struct function_config *c = op->config;
    const struct type *out = op->plan->outputs[0], *key;

    TRY(user_start(&k->cx, op, &c->function, false));
    TRY(user_row_type(&k->cx.arena, k->cx.fn->key, &key, op->err));
    TRY(user_row_bind(&k->cx.arena, k->cx.fn->key, key, NULL, &k->key.row, op->err));
    user_out_open(&k->cx, &k->key);
    k->keys = batch_create(key, BATCH_ROWS, op->mem);
    k->cols = mem_zalloc(op->mem, sizeof *k->cols * out->child_count);
    return S_OK;
}

/* Keys of one block behind those that are there. */
static enum status keys_add(struct key_by *k, const struct batch *in, uint32_t n)
{
    struct tw_context *cx = &k->cx;
    const char *row = cx->in[0].structs;
    size_t size = cx->in[0].row.conv.size, key_size = k->key.row.conv.size;
    char *key = k->key.stage;

    TRY(user_read(cx, 0, in, cx->done, n));
    memset(key, 0, n * key_size);
    for (uint32_t i = 0; i < n; i++, row += size, key += key_size) {
        user_at(cx, cx->done + i, row);
        TRY(user_check(cx, cx->fn->select_key(cx, row, key)));
        user_out_hold(cx, &k->key, key);
        TRY(user_check(cx, TW_OK));
    }
    if (rowconv_write(&k->key.row.conv, k->key.stage, n, k->keys) != S_OK) {
        user_misuse(cx, "keys of function '%s': " CFORM_FULL, cx->ref->name);
        return user_failed(cx, TW_FAILED);
    }
    arena_reset(&k->key.text);
    return S_OK;
}

static void key_by_forward(struct key_by *k, const struct batch *in)
{
    const struct op_plan *plan = k->cx.op->plan;

    ASSERT(k->keys->count == in->count && in->sel == NULL);
    k->view = *in;
    k->view.schema = plan->outputs[0];
    k->view.cols = k->cols;
    k->view.col_count = plan->outputs[0]->child_count;
    memcpy(k->cols, in->cols, sizeof *k->cols * in->col_count);
    memcpy(k->cols + in->col_count, k->keys->cols, sizeof *k->cols * k->keys->col_count);
    op_forward(k->cx.op, 0, &k->view);
}

static enum status key_by_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct key_by *k = self;
    struct tw_context *cx = &k->cx;

    (void)op;
    ASSERT(input == 0 && in->sel == NULL && cx->done <= in->count);
    TRY(user_begin(cx, 0, in));
    if (cx->done == 0) batch_clear(k->keys);
    while (cx->done < in->count) {
        uint32_t n = MIN(in->count - cx->done, ROWCONV_ROWS);
        TRY(keys_add(k, in, n));
        cx->done += n;
        if (cx->done < in->count && user_slice_over(cx)) return user_end(cx, false);
    }
    key_by_forward(k, in);
    return user_end(cx, true);
}

static void key_by_close(struct op_cx *op, void *self, bool failed)
{
    struct key_by *k = self;

    (void)failed;
    user_out_close(&k->key);
    batch_free(k->keys);
    mem_free(op->mem, k->cols);
    user_close(&k->cx);
}

const struct op_type op_key_by = {
    .name = "key_by",
    .doc = "appends the key that the function's .select_key computes, as columns of the key row's names",
    .example = "tw_key_by_function(words, &first_letter)",
    .flags = OP_FORMS,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct key_by),
    .derive = key_by_derive,
    .needs = key_by_needs,
    .blocks = user_op_blocks,
    .open = key_by_open,
    .on_batch = key_by_on_batch,
    .close = key_by_close,
};
