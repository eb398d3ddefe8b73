/* kept_frame.c - see the header. */
#include "surface/sql/kept_frame.h"

#include "ground/base/str.h"

const struct kept_style kept_ascii = {
    .corners = {{"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}}, .across = "-", .bar = "|", .widest = 30};
const struct kept_style kept_lines = {
    .corners = {{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}}, .across = "─", .bar = "│", .left = true, .widest = UINT32_MAX};
const struct kept_style kept_markdown = {
    .corners = {{NULL}, {"|", "|", "|"}, {NULL}}, .across = "-", .bar = "|", .left = true, .widest = UINT32_MAX};

struct painter {
    struct view *v;
    const struct kept_style *style;
    uint32_t *widths;
    uint32_t columns, lines;
};

static bool is_start(char c) { return ((unsigned char)c & 0xC0) != 0x80; }

/* The line since `from` ends here, cut to what the terminal shows. */
static void end_line(struct painter *p, size_t from)
{
    uint32_t shown = 0;

    for (size_t i = from; i < p->v->out.size; i++)
        if (is_start(p->v->out.data[i]) && ++shown > p->columns) p->v->out.size = i;
    buf_append_byte(&p->v->out, '\n');
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

/* One cell, whose text is made safe for the style: a line's end would break the frame. */
static void put_cell(struct painter *p, uint32_t column, struct str text)
{
    struct view *v = p->v;

    buf_clear(&v->cell);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (p->style == &kept_markdown && c == '|') buf_append_byte(&v->cell, '\\');
        buf_append_byte(&v->cell, c == '\n' || c == '\r' || c == '\t' || c == '\033' ? ' ' : c);
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

static const struct kept_row *skip(const struct kept_rows *k, uint32_t rows_max)
{
    const struct kept_row *r = kept_next(k, NULL);

    for (uint32_t i = rows_max; i < k->alive; i++) r = kept_next(k, r);
    return r;
}

/* As wide as the names and the rows that are shown. */
static void measure(struct painter *p, const struct kept_rows *k, const struct kept_row *r, uint32_t widths[])
{
    uint32_t count = p->v->row->child_count;

    for (uint32_t c = 0; c < count; c++) {
        put_cell(p, c, str_of(p->v->row->names[c]));
        widths[c] = MAX(view_cell_width(p->v), 3u);
    }
    for (; r != NULL; r = kept_next(k, r))
        for (uint32_t c = 0, at = 0; c < count; c++) {
            put_cell(p, c, kept_cell(r, &at));
            widths[c] = MAX(widths[c], MIN(view_cell_width(p->v), p->style->widest));
        }
}

uint32_t kept_frame(const struct kept_rows *k, struct view *v, const struct kept_style *s, uint32_t rows_max, uint32_t columns)
{
    struct painter p = {.v = v, .style = s, .columns = columns};
    const struct kept_row *first = skip(k, rows_max);
    uint32_t *widths = mem_zalloc(v->mem, sizeof *widths * MAX(v->row->child_count, 1u));

    measure(&p, k, first, widths);
    p.widths = widths;
    frame(&p, s->corners[0]);
    names(&p);
    frame(&p, s->corners[1]);
    for (const struct kept_row *r = first; r != NULL; r = kept_next(k, r)) {
        size_t from = v->out.size;
        buf_append_text(&v->out, s->bar);
        for (uint32_t c = 0, at = 0; c < v->row->child_count; c++) put_cell(&p, c, kept_cell(r, &at));
        end_line(&p, from);
    }
    frame(&p, s->corners[2]);
    mem_free(v->mem, widths);
    return p.lines;
}
