/* view_tableau.c - results as Flink's SQL client prints them: a frame, columns set to the right, `op` for changes, a line at the end.
 *
 * Rows of a query are printed as they come, in columns whose widths follow from the types; rows of something that is known whole
 * (SHOW, EXPLAIN, in batch mode of queries, too) in columns as wide as their contents. Widths are those of a terminal: wide letters
 * take two. A value of a query that is too long is cut and ends in "...", and so is a name in batch mode. */
#include "surface/sql/view.h"

#include "ground/base/str.h"
#include "ground/base/width.h"

enum { WIDTH_MIN = 6, WIDTH_TEXT = 30 }; /* "<NULL>" fits */

struct tableau {
    uint32_t *widths;    /* of the columns */
    struct batch **kept; /* of results known whole */
    uint32_t kept_count;
};

static void tableau_close(struct view *v, void *own)
{
    struct tableau *t = own;

    for (uint32_t i = 0; i < t->kept_count; i++) batch_free(t->kept[i]);
    mem_free(v->mem, t->kept);
    mem_free(v->mem, t->widths);
}

static uint32_t width_of_type(const struct view *v, const struct type *t)
{
    switch ((enum type_kind)t->kind) {
    case T_BOOLEAN: return 5;
    case T_TINYINT: return 4;
    case T_SMALLINT: return 6;
    case T_INT: return 11;
    case T_BIGINT: return 20;
    case T_DECIMAL: return (uint32_t)t->precision + 2;
    case T_DATE: return 10;
    case T_TIME: return t->precision == 0 ? 8 : (uint32_t)t->precision + 9;
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: return t->precision == 0 ? 19 : (uint32_t)t->precision + 20;
    default: return v->width_max > 0 ? v->width_max : WIDTH_TEXT;
    }
}

/* --- lines ------------------------------------------------------------------------------------------------------- */
static void frame(struct view *v, const struct tableau *t)
{
    if (v->is_changelog) buf_append_text(&v->out, "+----");
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        buf_append_byte(&v->out, '+');
        for (uint32_t i = 0; i < t->widths[c] + 2; i++) buf_append_byte(&v->out, '-');
    }
    buf_append_text(&v->out, "+\n");
}

static void header(struct view *v, const struct tableau *t)
{
    frame(v, t);
    buf_append_text(&v->out, v->is_changelog ? "| op |" : "|");
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        buf_clear(&v->cell);
        buf_append_text(&v->cell, v->row->names[c]);
        view_put_right(v, t->widths[c]);
        buf_append_text(&v->out, " |");
    }
    buf_append_byte(&v->out, '\n');
    frame(v, t);
}

static void put_rows(struct view *v, const struct tableau *t, const struct batch *b)
{
    BATCH_EACH(b, i, row)
    {
        if (v->is_changelog) buf_printf(&v->out, "| %s |", view_ops[batch_kind(b, row)]);
        else buf_append_byte(&v->out, '|');
        for (uint32_t c = 0; c < v->row->child_count; c++) {
            view_cell(v, &b->cols[c], row);
            view_put_right(v, t->widths[c]);
            buf_append_text(&v->out, " |");
        }
        buf_append_byte(&v->out, '\n');
    }
}

/* A column of a result that is known whole: what a query answers is cut. */
static uint32_t width_of_whole(const struct view *v, uint32_t width)
{
    return v->is_query ? MIN(width, v->width_max > 0 ? v->width_max : (uint32_t)WIDTH_TEXT) : width;
}

/* --- as a view --------------------------------------------------------------------------------------------------- */
static enum status tableau_begin(struct view *v, void *own, struct err *e)
{
    struct tableau *t = own;

    t->widths = mem_zalloc(v->mem, sizeof *t->widths * MAX(v->row->child_count, 1u));
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        uint32_t name = width_of(str_of(v->row->names[c]));
        t->widths[c] = v->is_changelog ? MAX(MAX(width_of_type(v, v->row->children[c]), name), (uint32_t)WIDTH_MIN)
                                       : width_of_whole(v, name);
    }
    if (!v->is_changelog) return S_OK;
    header(v, t);
    return view_flush(v, e);
}

static void keep(struct view *v, struct tableau *t, const struct batch *b)
{
    struct batch *copy = batch_create(v->row, MAX(batch_rows(b), 1u), v->mem); /* whose types outlive the job, as b's do not */

    batch_append(copy, b, NULL, 0);
    t->kept = mem_realloc(v->mem, t->kept, sizeof *t->kept * (t->kept_count + 1));
    t->kept[t->kept_count++] = copy;
    BATCH_EACH(b, i, row)
    for (uint32_t c = 0; c < v->row->child_count; c++) {
        view_cell(v, &b->cols[c], row);
        t->widths[c] = MAX(t->widths[c], width_of_whole(v, view_cell_width(v)));
    }
}

static enum status tableau_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    if (!v->is_changelog) {
        keep(v, own, b);
        return S_OK;
    }
    put_rows(v, own, b);
    return view_flush(v, e);
}

static enum status tableau_end(struct view *v, void *own, struct err *e)
{
    struct tableau *t = own;
    unsigned long long rows = v->rows;

    (void)e;
    if (!v->is_changelog && rows == 0) {
        buf_append_text(&v->out, "Empty set\n");
        return S_OK;
    }
    if (!v->is_changelog) header(v, t);
    for (uint32_t i = 0; i < t->kept_count; i++) put_rows(v, t, t->kept[i]);
    frame(v, t);
    if (v->is_changelog) buf_printf(&v->out, "Received a total of %llu row%s\n", rows, rows == 1 ? "" : "s");
    else buf_printf(&v->out, "%llu row%s in set\n", rows, rows == 1 ? "" : "s");
    return S_OK;
}

const struct view_type view_tableau = {
    .name = "tableau",
    .doc = "a frame; of a query each change as it comes, with its kind",
    .size = sizeof(struct tableau),
    .begin = tableau_begin,
    .rows = tableau_rows,
    .end = tableau_end,
    .close = tableau_close,
};
