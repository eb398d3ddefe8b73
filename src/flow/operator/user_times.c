/* user_times.c - steps a user's timestamp and watermark callbacks through runs of rows, 64 structs at a time. */
#include "flow/operator/user_times.h"

static enum status rows_each(struct user_times *t, struct batch *b, uint32_t first, uint32_t n, const int64_t *times,
                             int64_t *out, int64_t *watermark)
{
    struct tw_context *cx = &t->cx;

    cx->batch = b;
    cx->input = 0;
    for (uint32_t i = 0, count; i < n; i += count) {
        count = MIN(n - i, (uint32_t)ROWCONV_ROWS);
        TRY(user_read(cx, 0, b, first + i, count));
        for (uint32_t k = 0; k < count; k++) {
            const char *row = cx->in[0].structs + (size_t)k * cx->in[0].row.conv.size;
            user_at(cx, first + i + k, row);
            if (out != NULL) TRY(user_check(cx, cx->fn->timestamp(cx, row, &out[i + k])));
            else TRY(user_check(cx, cx->fn->watermark(cx, row, times[i + k], watermark)));
        }
    }
    cx->batch = NULL;
    return S_OK;
}

static enum status times_hook(void *arg, struct batch *b, uint32_t first, uint32_t n, int64_t *out)
{
    return rows_each(arg, b, first, n, NULL, out, NULL);
}

static enum status watermarks_hook(void *arg, struct batch *b, uint32_t first, uint32_t n, const int64_t *times,
                                   int64_t *watermark)
{
    return rows_each(arg, b, first, n, times, NULL, watermark);
}

enum status user_times_check(const struct watermark_config *w, const struct type *row, const char *stream,
                             struct arena *a, struct err *e)
{
    const struct function_ref *f = &w->function;
    struct user_row bound;

    if (!function_given(f)) {
        if (w->kind == WATERMARK_FUNCTION) return err_set(e, E_GRAPH, "watermarks by function: no function is given");
        return S_OK;
    }
    if (f->fn == NULL) return err_set(e, E_NOT_FOUND, "function '%s' is not known here", f->name);
    if (w->kind == WATERMARK_FUNCTION) TRY(user_need_hook(f, f->fn->watermark != NULL, "watermark", e));
    else if (w->time_field == NULL) TRY(user_need_hook(f, f->fn->timestamp != NULL, "timestamp", e));
    if (f->fn->in == NULL)
        return err_set(e, E_GRAPH, "function '%s' does not say which rows it takes: set .in", f->name);
    return user_row_bind(a, f->fn->in, row, stream, &bound, e);
}

enum status user_times_open(struct user_times *t, struct op_cx *op, const struct function_ref *f,
                            const struct type *row, struct watermark_hooks *hooks)
{
    struct tw_context *cx = &t->cx;

    *hooks = (struct watermark_hooks){.arg = t};
    if (!function_given(f)) return S_OK;
    TRY(user_init(cx, op, f));
    TRY(user_row_bind(&cx->arena, cx->fn->in, row, op->name, &cx->in[0].row, op->err));
    cx->in[0].structs = mem_zalloc(op->mem, (size_t)cx->fn->in->size * ROWCONV_ROWS);
    if (cx->fn->timestamp != NULL) hooks->times = times_hook;
    if (cx->fn->watermark != NULL) hooks->watermarks = watermarks_hook;
    return user_open(cx);
}

const uint64_t *user_times_columns(struct user_times *t, const struct type *row)
{
    uint64_t *needed;

    if (t->cx.op == NULL) return NULL;
    needed = ARENA_ARRAY(&t->cx.arena, uint64_t, (row->child_count + 63) / 64);
    user_row_needs(t->cx.fn->in, row, needed);
    return needed;
}

void user_times_close(struct user_times *t)
{
    if (t->cx.op != NULL) user_close(&t->cx);
}
