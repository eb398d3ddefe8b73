/* view_box.c - the whole result in a frame of lines, when it has come: the sum of a query's changes. */
#include "surface/sql/kept_frame.h"

static enum status box_begin(struct view *v, void *own, struct err *e)
{
    (void)e;
    kept_init(own, v->mem);
    return S_OK;
}

static enum status box_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    (void)e;
    kept_take(own, v, b);
    return S_OK;
}

static enum status box_end(struct view *v, void *own, struct err *e)
{
    const struct kept_rows *k = own;

    (void)e;
    kept_frame(k, v, &kept_lines, KEPT_ALL);
    return S_OK;
}

static void box_close(struct view *v, void *own)
{
    (void)v;
    kept_release(own);
}

const struct view_type view_box = {
    .name = "box",
    .doc = "the whole result in a frame of lines",
    .size = sizeof(struct kept_rows),
    .begin = box_begin,
    .rows = box_rows,
    .end = box_end,
    .close = box_close,
};
