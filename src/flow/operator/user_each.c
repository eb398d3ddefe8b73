/* user_each.c - calling a function for every row of a batch, 64 structs at a time.
 *
 * Both loops may stop after any row (the port is full) or after any block (the time is up); cx->done says where to go on,
 * and a block that was cut is read again from there. Reading is cheap beside what made the loop stop. */
#include "flow/operator/user.h"

#include <string.h>

/* Rows of a block, from first on; answers in *n how many are through. */
static enum status each_in_block(struct tw_context *cx, uint32_t input, uint32_t first, uint32_t *n, user_row_fn fn)
{
    const char *row = cx->in[input].structs;
    size_t size = cx->in[input].row.conv.size;

    for (uint32_t i = 0; i < *n; i++, row += size) {
        user_at(cx, first + i, row);
        TRY(user_check(cx, fn(cx, row)));
        if (UNLIKELY(cx->full)) *n = i + 1;
    }
    return S_OK;
}

enum status user_each(struct tw_context *cx, uint32_t input, const struct batch *in, user_row_fn fn)
{
    uint32_t rows = batch_rows(in);

    ASSERT(cx->done <= rows && cx->batch == in);
    while (cx->done < rows) {
        uint32_t n = MIN(rows - cx->done, ROWCONV_ROWS);
        TRY(user_read(cx, input, in, cx->done, n));
        TRY(each_in_block(cx, input, cx->done, &n, fn));
        cx->done += n;
        if (cx->full || (cx->done < rows && user_slice_over(cx))) break;
    }
    return user_end(cx, cx->done == rows);
}

/* Event times and kinds of input rows, for the structs that were made out of them. */
static void stamps_read(struct user_out *o, const struct batch *in, uint32_t first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) o->times[i] = TW_NO_TIME;
    for (uint32_t i = 0; in->times && i < n; i++) o->times[i] = in->times[batch_row(in, first + i)];
    if (in->kinds == NULL) return;
    for (uint32_t i = 0; i < n; i++) {
        o->kinds[i] = in->kinds[batch_row(in, first + i)];
        o->kinds_seen |= o->kinds[i];
    }
}

static enum status map_block(struct tw_context *cx, uint32_t input, const struct batch *in, uint32_t n, user_map_fn fn)
{
    struct user_out *o = &cx->outs[0];
    const char *row = cx->in[input].structs;
    size_t size = cx->in[input].row.conv.size, out_size = o->row.conv.size;
    char *out = o->stage;

    memset(out, 0, n * out_size);
    for (uint32_t i = 0; i < n; i++, row += size, out += out_size) {
        user_at(cx, cx->done + i, row);
        TRY(user_check(cx, fn(cx, row, out)));
        if (!user_out_must_hold(o)) continue;
        user_out_hold(cx, o, out);
        TRY(user_check(cx, TW_OK));
    }
    if (!o->used) return S_OK;
    stamps_read(o, in, cx->done, n);
    o->staged = n;
    user_out_flush(cx, o);
    return S_OK;
}

enum status user_map_each(struct tw_context *cx, uint32_t input, const struct batch *in, user_map_fn fn)
{
    uint32_t rows = batch_rows(in);

    ASSERT(cx->done <= rows && cx->batch == in);
    while (cx->done < rows) {
        uint32_t n = MIN(rows - cx->done, cx->outs[0].limit);
        TRY(user_read(cx, input, in, cx->done, n));
        TRY(map_block(cx, input, in, n, fn));
        cx->done += n;
        if (cx->full || (cx->done < rows && user_slice_over(cx))) break;
    }
    return user_end(cx, cx->done == rows);
}
