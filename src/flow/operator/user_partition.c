/* user_partition.c - a partitioner of the user behind a writer: one call per row says which channel the row takes.
 *
 * It is no operator, so it has a small op_cx of its own in which the function runs; it emits nothing and keeps no state. */
#include "flow/operator/user_partition.h"

struct user_partition {
    struct op_cx op;
    struct op_plan plan;
    struct function_ref ref;
    struct tw_context cx;
};

enum status user_partition_check(const struct op_plan *plan, const struct function_ref *f, struct err *e)
{
    TRY(user_need_hook(f, f->fn && f->fn->partition, "partition", e));
    return user_derive_in(plan, 0, f, true, e);
}

enum status user_partition_create(const struct op_cx *op, const struct function_ref *f, const struct type *rows,
                                  struct user_partition **out)
{
    struct user_partition *p = mem_zalloc(op->mem, sizeof *p);

    ASSERT(f->fn && rows->kind == T_ROW);
    *out = p;
    p->op = *op;
    p->op.plan = &p->plan;
    p->op.state = NULL;
    p->op.ports = NULL;
    p->op.port_count = 0;
    p->plan.inputs[0] = rows;
    p->plan.input_count = 1;
    p->ref = *f;
    TRY(user_init(&p->cx, &p->op, &p->ref));
    TRY(user_bind_in(&p->cx, 0, f->fn->in));
    return user_open(&p->cx);
}

static enum status partition_block(struct tw_context *cx, uint32_t first, uint32_t n, uint32_t target_count,
                                   uint32_t *targets)
{
    const char *row = cx->in[0].structs;
    size_t size = cx->in[0].row.conv.size;

    for (uint32_t i = 0; i < n; i++, row += size) {
        uint32_t target = 0;
        user_at(cx, first + i, row);
        TRY(user_check(cx, cx->fn->partition(cx, row, target_count, &target)));
        if (target >= target_count) {
            user_misuse(cx, "function '%s' chose partition %u of %u", cx->ref->name, target, target_count);
            return user_failed(cx, TW_FAILED);
        }
        targets[first + i] = target;
    }
    return S_OK;
}

enum status user_partition_run(void *arg, const struct batch *in, uint32_t target_count, uint32_t *targets)
{
    struct tw_context *cx = &((struct user_partition *)arg)->cx;
    uint32_t rows = batch_rows(in);

    ASSERT(target_count > 0);
    TRY(user_begin(cx, 0, in));
    for (uint32_t first = 0; first < rows; first += ROWCONV_ROWS) {
        uint32_t n = MIN(rows - first, ROWCONV_ROWS);
        TRY(user_read(cx, 0, in, first, n));
        TRY(partition_block(cx, first, n, target_count, targets));
    }
    return user_end(cx, true);
}

void user_partition_free(struct user_partition *p)
{
    struct mem *mem;

    if (p == NULL) return;
    mem = p->op.mem;
    user_close(&p->cx);
    mem_free(mem, p);
}
