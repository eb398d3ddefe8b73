/* view_csv.c - a line of names, then a record of the format csv a row, as rows come. Rows of a query that takes rows back begin with
 * the column `op`. */
#include "surface/sql/encoded_rows.h"

#include <string.h>

static void put_name(struct view *v, const char *name)
{
    if (strpbrk(name, ",\"\n\r ") == NULL) {
        buf_append_text(&v->out, name);
        return;
    }
    buf_append_byte(&v->out, '"');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '"') buf_append_byte(&v->out, '"');
        buf_append_byte(&v->out, *c);
    }
    buf_append_byte(&v->out, '"');
}

static enum status csv_begin(struct view *v, void *own, struct err *e)
{
    TRY(encoded_open(own, v, "csv", e));
    if (encoded_has_kinds(v)) buf_append_text(&v->out, v->row->child_count > 0 ? "op," : "op");
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        if (c > 0) buf_append_byte(&v->out, ',');
        put_name(v, v->row->names[c]);
    }
    buf_append_byte(&v->out, '\n');
    return view_flush(v, e);
}

static enum status csv_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    BATCH_EACH(b, i, row)
    {
        if (encoded_has_kinds(v)) buf_printf(&v->out, "%s,", view_ops[batch_kind(b, row)]);
        TRY(encoded_put(own, v, b, row, e));
        buf_append_byte(&v->out, '\n');
    }
    return view_flush(v, e);
}

static enum status csv_end(struct view *v, void *own, struct err *e)
{
    (void)v, (void)own, (void)e;
    return S_OK;
}

static void csv_close(struct view *v, void *own) { encoded_close(own, v); }

const struct view_type view_csv = {
    .name = "csv",
    .doc = "a line of names, then comma-separated values, as rows come",
    .size = sizeof(struct encoded_rows),
    .is_data = true,
    .begin = csv_begin,
    .rows = csv_rows,
    .end = csv_end,
    .close = csv_close,
};
