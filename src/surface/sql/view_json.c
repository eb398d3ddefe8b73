/* view_json.c - one JSON object a row, as rows come. Rows of a query that takes rows back begin with "op". */
#include "surface/sql/encoded_rows.h"

#include <string.h>

static enum status json_begin(struct view *v, void *own, struct err *e) { return encoded_open(own, v, "json", e); }

static enum status json_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    BATCH_EACH(b, i, row)
    {
        size_t from = v->out.size;
        char op[16] = "{\"op\":\"+I\",";
        TRY(encoded_put(own, v, b, row, e));
        if (encoded_has_kinds(v)) {
            size_t size = strlen(op) - (v->row->child_count == 0), rest = v->out.size - from - 1;
            memcpy(op + 7, view_ops[batch_kind(b, row)], 2);
            buf_reserve(&v->out, size);
            memmove(v->out.data + from + size, v->out.data + from + 1, rest);
            memcpy(v->out.data + from, op, size);
            v->out.size = from + size + rest;
        }
        buf_append_byte(&v->out, '\n');
    }
    return view_flush(v, e);
}

static enum status json_end(struct view *v, void *own, struct err *e)
{
    (void)v, (void)own, (void)e;
    return S_OK;
}

static void json_close(struct view *v, void *own) { encoded_close(own, v); }

const struct view_type view_json = {
    .name = "json",
    .doc = "a JSON object a line, as rows come",
    .size = sizeof(struct encoded_rows),
    .is_data = true,
    .begin = json_begin,
    .rows = json_rows,
    .end = json_end,
    .close = json_close,
};
