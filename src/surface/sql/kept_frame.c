/* kept_frame.c - see the header. */
#include "surface/sql/kept_frame.h"

#include "ground/base/str.h"
#include "ground/base/width.h"

const struct kept_style kept_ascii = {
    .corners = {{"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}}, .across = "-", .bar = "|", .widest = 30};
const struct kept_style kept_lines = {
    .corners = {{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}}, .across = "─", .bar = "│", .left = true, .widest = UINT32_MAX};
const struct kept_style kept_bare = {.corners = {{NULL}}, .across = "", .bar = "|", .widest = 30};
const struct kept_style kept_markdown = {
    .corners = {{NULL}, {"|", "|", "|"}, {NULL}}, .across = "-", .bar = "|", .left = true, .widest = UINT32_MAX};

struct painter {
    struct view *v;
    const struct kept_style *style;
    uint32_t *widths;
    uint32_t columns, lines;
};

/* The line since `from` ends here, cut to what the terminal shows. */
static void end_line(struct painter *p, size_t from)
{
    struct buf *out = &p->v->out;

    out->size = from + width_prefix((struct str){out->data + from, out->size - from}, p->columns);
    buf_append_byte(out, '\n');
    p->lines++;
}

static void frame(struct painter *p, const char *const corners[3])
{
    struct buf *out = &p->v->out;
    size_t from = out->size;

    if (corners[0] == NULL) return;
    for (uint32_t c = 0; c < p->v->row->child_count; c++) {
        buf_append_text(out, corners[c > 0]);
        for (uint32_t i = 0; i < p->widths[c] + 2; i++) buf_append_text(out, p->style->across);
    }
    buf_append_text(out, corners[2]);
    end_line(p, from);
}

/* One cell, whose text is made safe for the style: a line's end, or another control character, would break the frame. */
static void put_cell(struct painter *p, uint32_t column, struct str text)
{
    struct view *v = p->v;

    buf_clear(&v->cell);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (p->style == &kept_markdown && c == '|') buf_append_byte(&v->cell, '\\');
        buf_append_byte(&v->cell, ((unsigned char)c < ' ' || c == 127) ? ' ' : c);
    }
    if (p->widths == NULL) return;
    if (p->style->left) view_put_left(v, p->widths[column]);
    else view_put_right(v, p->widths[column]);
    buf_append_byte(&v->out, ' ');
    buf_append_text(&v->out, p->style->bar);
}

static void names(struct painter *p)
{
    size_t from = p->v->out.size;

    buf_append_text(&p->v->out, p->style->bar);
    for (uint32_t c = 0; c < p->v->row->child_count; c++) put_cell(p, c, str_of(p->v->row->names[c]));
    end_line(p, from);
}

static const struct kept_row *skip(const struct kept_rows *k, uint32_t count)
{
    const struct kept_row *r = kept_next(k, NULL);

    for (uint32_t i = 0; i < count; i++) r = kept_next(k, r);
    return r;
}

/* As wide as the names and the rows that are shown. */
static void measure(struct painter *p, const struct kept_rows *k, const struct kept_row *r, uint32_t rows, uint32_t widths[])
{
    uint32_t count = p->v->row->child_count;

    for (uint32_t c = 0; c < count; c++) {
        put_cell(p, c, str_of(p->v->row->names[c]));
        widths[c] = MAX(view_cell_width(p->v), 3u);
    }
    for (uint32_t i = 0; i < rows; i++, r = kept_next(k, r))
        for (uint32_t c = 0, at = 0; c < count; c++) {
            put_cell(p, c, kept_cell(r, &at));
            widths[c] = MAX(widths[c], MIN(view_cell_width(p->v), p->style->widest));
        }
}

static void put_row(struct painter *p, const struct kept_row *r)
{
    size_t from = p->v->out.size;

    buf_append_text(&p->v->out, p->style->bar);
    for (uint32_t c = 0, at = 0; c < p->v->row->child_count; c++) put_cell(p, c, kept_cell(r, &at));
    end_line(p, from);
}

uint32_t kept_frame(const struct kept_rows *k, struct view *v, const struct kept_style *s, struct kept_part part)
{
    struct painter p = {.v = v, .style = s, .columns = part.columns};
    uint32_t from = MIN(part.from, k->alive), rows = MIN(part.rows, k->alive - from);
    const struct kept_row *r = skip(k, from);
    uint32_t *widths = mem_zalloc(v->mem, sizeof *widths * MAX(v->row->child_count, 1u));

    measure(&p, k, r, rows, widths);
    p.widths = widths;
    frame(&p, s->corners[0]);
    names(&p);
    frame(&p, s->corners[1]);
    for (uint32_t i = 0; i < rows; i++, r = kept_next(k, r)) put_row(&p, r);
    frame(&p, s->corners[2]);
    mem_free(v->mem, widths);
    return p.lines;
}
