/* view_markdown.c - the whole result as a table of Markdown, when it has come: the sum of a query's changes. */
#include "surface/sql/kept_frame.h"

static enum status markdown_begin(struct view *v, void *own, struct err *e)
{
    (void)e;
    kept_init(own, v->mem);
    return S_OK;
}

static enum status markdown_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    (void)e;
    kept_take(own, v, b);
    return S_OK;
}

static enum status markdown_end(struct view *v, void *own, struct err *e)
{
    const struct kept_rows *k = own;

    (void)e;
    kept_frame(k, v, &kept_markdown, KEPT_ALL);
    return S_OK;
}

static void markdown_close(struct view *v, void *own)
{
    (void)v;
    kept_release(own);
}

const struct view_type view_markdown = {
    .name = "markdown",
    .doc = "the whole result as a table of Markdown",
    .size = sizeof(struct kept_rows),
    .begin = markdown_begin,
    .rows = markdown_rows,
    .end = markdown_end,
    .close = markdown_close,
};
