/* row_time.c - what is said of a row whose column of event time is NULL: SQL knows no place for it in time. Programs give rows their
 * times by watermarks, and are told there. */
#include "flow/operator/row_time.h"

enum status row_time_missing(struct op_cx *cx, const struct batch *in, uint32_t row)
{
    struct buf text;

    buf_init(&text, cx->mem);
    if (in != NULL) {
        buf_append_text(&text, " Row: ");
        batch_show_row(in, row, &text);
    }
    err_hint(cx->err, "leave such rows out before the watermark is made, or give them a time there, for example with COALESCE");
    enum status st = err_set(cx->err, E_DATA, "RowTime field should not be null, please convert it to a non-null long value.%.500s",
                             buf_text(&text));
    buf_release(&text);
    return st;
}
