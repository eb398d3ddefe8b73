/* op_reduce.c - the rolling reduce of a keyed stream: what came before with this key and the new row make one row, which is
 * emitted and kept.
 *
 * The rows of all keys of a batch are resolved at once; then each row in turn is combined in place, so that equal keys
 * within a batch see each other's results, in order. The first row of a key is emitted as it is. */
#include "flow/operator/op_configs.h"
#include "flow/operator/user.h"
#include "flow/operator/user_value.h"

#include <string.h>

struct reduce {
    struct tw_context cx;
    struct user_value value;  /* the row type in state */
    struct state_def def;
    struct state_table *table;
    struct user_home home;
    void *rows[BATCH_ROWS];   /* of the batch in work */
    uint64_t created[BATCH_ROWS / 64];
    bool is_resolved;
    char *before, *after;     /* C structs */
    struct arena scratch;
};

static enum status reduce_derive(struct op_plan *plan, const void *config, struct err *e)
{
    const struct function_config *c = config;
    const struct tw_function *fn = c->function.fn;

    TRY(user_need_hook(&c->function, fn && fn->reduce, "reduce", e));
    TRY(user_derive_in(plan, 0, &c->function, true, e));
    if (fn->out && !user_rows_equal(fn->out, fn->in))
        return err_set(e, E_GRAPH, "function '%s': a reduce emits what it reads, so .out must be .in or missing", c->function.name);
    TRY(user_row_type(plan->arena, fn->in, &plan->outputs[0], e));
    plan->output_count = 1;
    TRY(user_derive_sides(plan, &c->function, e));
    return user_derive_state(plan, &c->function, false, e);
}

static enum status reduce_open(struct op_cx *op, void *self)
{
    struct reduce *r = self;
    struct tw_context *cx = &r->cx;
    const struct function_config *c = op->config;

    TRY(user_start(cx, op, &c->function, false));
    TRY(user_bind_out(cx, 0, cx->fn->in, 0));
    TRY(user_value_of_row(&cx->arena, cx->fn->in, &r->value, op->err));
    arena_init(&r->scratch, op->mem, 0);
    r->before = mem_zalloc(op->mem, r->value.size);
    r->after = mem_zalloc(op->mem, r->value.size);
    r->def = (struct state_def){.name = "reduce", .version = 1, .upgrade = STATE_UPGRADE_FIELDS, .shape = STATE_MAP, .key = cx->key_type, .value = r->value.type};
    TRY(state_open(op->state, &r->def, &r->table, op->err));
    r->home.table = r->table;
    return S_OK;
}

/* Pending state is asked for again with the same batch, before anything is changed. */
static enum status rows_resolve(struct reduce *r, const struct batch *in)
{
    struct tw_context *cx = &r->cx;
    const struct op_plan *plan = cx->op->plan;
    struct state_keys keys;

    TRY(user_input_keys(cx, 0, in));
    if (r->is_resolved) return S_OK;
    batch_hash(in, plan->keys[0], plan->key_count[0], cx->hashes);
    keys = state_keys_of(in, plan->keys[0], plan->key_count[0], cx->hashes);
    TRY(state_resolve(r->table, 0, &keys, STATE_INSERT, r->rows, r->created));
    r->is_resolved = true;
    return S_OK;
}

static enum status reduce_row(struct reduce *r, uint32_t at, const char *row)
{
    struct tw_context *cx = &r->cx;
    void *kept = r->rows[at];
    const char *result = row;

    if (!bit_get(r->created, at)) {
        user_value_load(&r->value, &r->table->value, &r->home, kept, r->before, &cx->loaded);
        memset(r->after, 0, r->value.size);
        TRY(user_check(cx, cx->fn->reduce(cx, r->before, row, r->after)));
        TRY(user_value_accept(cx, &r->value, r->after));
        result = r->after;
    }
    user_emit(cx, &cx->outs[0], result, user_time(cx));
    user_value_store(&r->value, &r->table->value, &r->home, kept, result, &r->scratch);
    if (r->scratch.used > 0) arena_reset(&r->scratch);
    return S_OK;
}

static enum status reduce_block(struct reduce *r, uint32_t *n)
{
    struct tw_context *cx = &r->cx;
    const char *row = cx->in[0].structs;

    for (uint32_t i = 0; i < *n; i++, row += r->value.size) {
        user_at(cx, cx->done + i, row);
        TRY(reduce_row(r, cx->done + i, row));
        if (cx->full) *n = i + 1;
    }
    return S_OK;
}

static enum status reduce_on_batch(struct op_cx *op, void *self, uint32_t input, struct batch *in)
{
    struct reduce *r = self;
    struct tw_context *cx = &r->cx;
    uint32_t rows = batch_rows(in);

    (void)op;
    ASSERT(input == 0 && cx->done <= rows);
    TRY(user_begin(cx, 0, in));
    TRY(rows_resolve(r, in));
    while (cx->done < rows) {
        uint32_t n = MIN(rows - cx->done, ROWCONV_ROWS);
        TRY(user_read(cx, 0, in, cx->done, n));
        TRY(reduce_block(r, &n));
        cx->done += n;
        if (cx->full || (cx->done < rows && user_slice_over(cx))) break;
    }
    enum status st = user_end(cx, cx->done == rows);
    if (st == S_OK) {
        state_done(r->table);
        r->is_resolved = false;
    }
    return st;
}

static void reduce_close(struct op_cx *op, void *self, bool failed)
{
    struct reduce *r = self;

    (void)failed;
    state_close(r->table);
    mem_free(op->mem, r->before);
    mem_free(op->mem, r->after);
    arena_release(&r->scratch);
    user_close(&r->cx);
}

const struct op_type op_reduce = {
    .name = "reduce",
    .doc = "per key, each row combined with the result so far by the function's .reduce; emits every result",
    .example = "tw_reduce(tw_key_by(counts, \"word\"), &add)",
    .flags = OP_SELECTION | OP_FORMS | OP_NEEDS_KEY,
    .input_count = 1,
    .config_size = sizeof(struct function_config),
    .config_fields = function_config_fields,
    .instance_size = sizeof(struct reduce),
    .derive = reduce_derive,
    .needs = user_op_needs,
    .blocks = user_op_blocks,
    .open = reduce_open,
    .on_batch = reduce_on_batch,
    .close = reduce_close,
};
