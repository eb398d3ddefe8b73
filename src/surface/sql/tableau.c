/* tableau.c - see tableau.h. Widths are counted in code points; a value that is too long is cut and ends in "...". */
#include "surface/sql/tableau.h"

#include "columns/column/sql_text.h"
#include "ground/base/str.h"
#include "surface/cli/program.h"

#include <string.h>

enum { WIDTH_MIN = 6, WIDTH_MAX = 30 }; /* "<NULL>" fits */

struct tableau {
    struct sys *sys;
    struct mem *mem;
    const struct zone *zone;
    struct buf out, cell;
    const struct type *row;
    bool is_changelog;
    uint32_t *widths;    /* of the columns */
    struct batch **kept; /* of results known whole */
    uint32_t kept_count;
    uint64_t rows;
};

struct tableau *tableau_create(struct sys *sys, const struct zone *zone, struct mem *mem)
{
    struct tableau *t = mem_zalloc(mem, sizeof *t);

    t->sys = sys;
    t->mem = mem;
    t->zone = zone;
    buf_init(&t->out, mem);
    buf_init(&t->cell, mem);
    return t;
}

static void forget(struct tableau *t)
{
    for (uint32_t i = 0; i < t->kept_count; i++) batch_free(t->kept[i]);
    mem_free(t->mem, t->kept);
    mem_free(t->mem, t->widths);
    t->kept = NULL;
    t->widths = NULL;
    t->kept_count = 0;
    t->rows = 0;
}

void tableau_free(struct tableau *t)
{
    if (t == NULL) return;
    forget(t);
    buf_release(&t->out);
    buf_release(&t->cell);
    mem_free(t->mem, t);
}

/* --- widths ------------------------------------------------------------------------------------------------------ */
static uint32_t width_of_type(const struct type *t)
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
    default: return WIDTH_MAX;
    }
}

static void print_cell(struct tableau *t, const struct vector *v, uint32_t row)
{
    buf_clear(&t->cell);
    if (vector_is_null(v, row)) {
        buf_append_text(&t->cell, t->is_changelog ? "<NULL>" : ""); /* of SHOW and DESCRIBE: nothing */
        return;
    }
    sql_text_show(v, row, t->zone, &t->cell);
}

static uint32_t cell_width(const struct tableau *t)
{
    return (uint32_t)str_utf8_length((struct str){t->cell.data, t->cell.size});
}

/* --- lines ------------------------------------------------------------------------------------------------------- */
static void frame(struct tableau *t)
{
    if (t->is_changelog) buf_append_text(&t->out, "+----");
    for (uint32_t c = 0; c < t->row->child_count; c++) {
        buf_append_byte(&t->out, '+');
        for (uint32_t i = 0; i < t->widths[c] + 2; i++) buf_append_byte(&t->out, '-');
    }
    buf_append_text(&t->out, "+\n");
}

/* What lies in t->cell, set to the right. */
static void put_cell(struct tableau *t, uint32_t width)
{
    uint32_t have = cell_width(t), keep = width - 3, bytes = 0;

    buf_append_byte(&t->out, ' ');
    for (uint32_t i = have; i < width; i++) buf_append_byte(&t->out, ' ');
    if (have <= width) {
        buf_append(&t->out, t->cell.data, t->cell.size);
    } else {
        for (uint32_t n = 0; n < keep; n++)
            for (bytes++; bytes < t->cell.size && ((unsigned char)t->cell.data[bytes] & 0xC0) == 0x80; bytes++) {
            }
        buf_append(&t->out, t->cell.data, bytes);
        buf_append_text(&t->out, "...");
    }
    buf_append_text(&t->out, " |");
}

static void header(struct tableau *t)
{
    frame(t);
    buf_append_text(&t->out, t->is_changelog ? "| op |" : "|");
    for (uint32_t c = 0; c < t->row->child_count; c++) {
        buf_clear(&t->cell);
        buf_append_text(&t->cell, t->row->names[c]);
        put_cell(t, t->widths[c]);
    }
    buf_append_byte(&t->out, '\n');
    frame(t);
}

static void put_rows(struct tableau *t, const struct batch *b)
{
    static const char *const ops[] = {"| +I |", "| -U |", "| +U |", "| -D |"};

    BATCH_EACH(b, i, row)
    {
        buf_append_text(&t->out, t->is_changelog ? ops[batch_kind(b, row)] : "|");
        for (uint32_t c = 0; c < t->row->child_count; c++) {
            print_cell(t, &b->cols[c], row);
            put_cell(t, t->widths[c]);
        }
        buf_append_byte(&t->out, '\n');
    }
}

static enum status flush(struct tableau *t, struct err *e)
{
    struct sys_file *out;

    TRY(sys_file_standard(t->sys, 1, &out, e));
    enum status st = sys_file_write(t->sys, out, t->out.data, t->out.size, e);
    sys_file_close(t->sys, out);
    buf_clear(&t->out);
    return st;
}

/* --- as a listener ----------------------------------------------------------------------------------------------- */
static enum status on_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    struct tableau *t = arg;

    forget(t);
    t->row = row;
    t->is_changelog = is_changelog;
    t->widths = mem_zalloc(t->mem, sizeof *t->widths * MAX(row->child_count, 1u));
    for (uint32_t c = 0; c < row->child_count; c++) {
        uint32_t name = (uint32_t)str_utf8_length(str_of(row->names[c]));
        t->widths[c] = is_changelog ? MAX(MAX(width_of_type(row->children[c]), name), (uint32_t)WIDTH_MIN) : name;
    }
    if (!is_changelog) return S_OK;
    header(t);
    return flush(t, e);
}

static void keep(struct tableau *t, const struct batch *b)
{
    struct batch *copy = batch_create(b->schema, MAX(batch_rows(b), 1u), t->mem);

    batch_append(copy, b, NULL, 0);
    t->kept = mem_realloc(t->mem, t->kept, sizeof *t->kept * (t->kept_count + 1));
    t->kept[t->kept_count++] = copy;
    BATCH_EACH(b, i, row)
    for (uint32_t c = 0; c < t->row->child_count; c++) {
        print_cell(t, &b->cols[c], row);
        t->widths[c] = MAX(t->widths[c], cell_width(t));
    }
}

static enum status on_rows(void *arg, const struct batch *b, struct err *e)
{
    struct tableau *t = arg;

    t->rows += batch_rows(b);
    if (!t->is_changelog) {
        keep(t, b);
        return S_OK;
    }
    put_rows(t, b);
    return flush(t, e);
}

static enum status on_end(void *arg, struct err *e)
{
    struct tableau *t = arg;

    if (!t->is_changelog && t->rows == 0) {
        buf_append_text(&t->out, "Empty set\n");
        forget(t);
        return flush(t, e);
    }
    if (!t->is_changelog) header(t);
    for (uint32_t i = 0; i < t->kept_count; i++) put_rows(t, t->kept[i]);
    frame(t);
    if (t->is_changelog)
        buf_printf(&t->out, "Received a total of %llu row%s\n", (unsigned long long)t->rows, t->rows == 1 ? "" : "s");
    else
        buf_printf(&t->out, "%llu row%s in set\n", (unsigned long long)t->rows, t->rows == 1 ? "" : "s");
    forget(t);
    return flush(t, e);
}

static enum status on_said(void *arg, const char *text, struct err *e)
{
    struct tableau *t = arg;

    buf_printf(&t->out, "%s\n", text);
    return flush(t, e);
}

struct sql_listener tableau_listener(struct tableau *t)
{
    return (struct sql_listener){.arg = t, .begin = on_begin, .rows = on_rows, .end = on_end, .said = on_said};
}
