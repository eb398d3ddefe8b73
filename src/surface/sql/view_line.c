/* view_line.c - a line a value, `name | value`, and a headed block a row, as rows come: for rows too wide for a screen. */
#include "surface/sql/view.h"

#include "ground/base/str.h"
#include "ground/base/width.h"

static uint32_t name_width(const struct view *v)
{
    uint32_t width = 0;

    for (uint32_t c = 0; c < v->row->child_count; c++) width = MAX(width, width_of(str_of(v->row->names[c])));
    return width;
}

static enum status line_begin(struct view *v, void *own, struct err *e)
{
    uint32_t *width = own;

    (void)e;
    *width = name_width(v);
    return S_OK;
}

static enum status line_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    uint32_t width = *(const uint32_t *)own, count = batch_rows(b);

    BATCH_EACH(b, i, row)
    {
        buf_printf(&v->out, "-[ %llu ]", (unsigned long long)(v->rows - count + i + 1));
        if (v->is_changelog && v->has_changes) buf_printf(&v->out, " %s", view_ops[batch_kind(b, row)]);
        buf_append_byte(&v->out, '\n');
        for (uint32_t c = 0; c < v->row->child_count; c++) {
            uint32_t have = width_of(str_of(v->row->names[c]));
            buf_append_text(&v->out, v->row->names[c]);
            for (; have < width; have++) buf_append_byte(&v->out, ' ');
            view_cell(v, &b->cols[c], row);
            buf_append_text(&v->out, " | ");
            buf_append(&v->out, v->cell.data, v->cell.size);
            buf_append_byte(&v->out, '\n');
        }
    }
    return view_flush(v, e);
}

static enum status line_end(struct view *v, void *own, struct err *e)
{
    (void)own, (void)e;
    if (v->rows == 0) buf_append_text(&v->out, "Empty set\n");
    return S_OK;
}

const struct view_type view_line = {
    .name = "line",
    .doc = "a line a value, as rows come",
    .size = sizeof(uint32_t),
    .begin = line_begin,
    .rows = line_rows,
    .end = line_end,
};
