/* view_live.c - a query's result as a table that is the sum of its changes. On a terminal it is painted while it grows, in place,
 * with a line below that says how fast; at the end, and elsewhere, it is printed once. */
#include "surface/sql/kept_frame.h"
#include "surface/sql/rate_line.h"

#define WIPE_LINE "\r\033[J"

enum { LINES_AROUND = 6, SHOWN_AT_END = 1000 };

struct live_table {
    struct kept_rows rows;
    void *whole; /* state of view_tableau, for what is no query */
    struct rate_line rate;
    uint32_t painted; /* lines above the cursor's */
    bool is_painted;
};

static enum status table_begin(struct view *v, void *own, struct err *e)
{
    struct live_table *t = own;

    kept_init(&t->rows, v->mem);
    rate_line_begin(v, &t->rate);
    if (v->is_changelog) return S_OK;
    t->whole = mem_zalloc(v->mem, view_tableau.size);
    return view_tableau.begin(v, t->whole, e);
}

static enum status table_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    struct live_table *t = own;

    if (!v->is_changelog) return view_tableau.rows(v, t->whole, b, e);
    kept_take(&t->rows, v, b);
    return S_OK;
}

/* --- painting ---------------------------------------------------------------------------------------------------- */
static bool is_live(const struct view *v) { return v->is_terminal && v->is_changelog && v->file == NULL; }

static void wipe(struct view *v, struct live_table *t)
{
    if (!t->is_painted) return;
    buf_append_text(&v->out, "\r");
    if (t->painted > 0) buf_printf(&v->out, "\033[%uA", t->painted);
    buf_append_text(&v->out, "\033[J");
    t->is_painted = false;
}

static void table_tick(struct view *v, void *own, const struct job_totals *totals)
{
    struct live_table *t = own;
    int room = sys_terminal_rows(v->sys, 1) - LINES_AROUND;

    if (!is_live(v)) return;
    wipe(v, t);
    t->painted = kept_frame(&t->rows, v, &kept_ascii, (uint32_t)MAX(room, 1), (uint32_t)sys_terminal_columns(v->sys, 1));
    rate_line_put(v, &t->rate, totals);
    t->is_painted = true;
    enum status st = view_flush(v, NULL);
    (void)st; /* the end of the result will meet the same */
}

static enum status table_end(struct view *v, void *own, struct err *e)
{
    struct live_table *t = own;
    unsigned long long rows = t->rows.alive, dropped = t->rows.dropped;
    uint32_t shown = is_live(v) ? MIN(t->rows.alive, (uint32_t)SHOWN_AT_END) : t->rows.alive;

    if (!v->is_changelog) return view_tableau.end(v, t->whole, e);
    wipe(v, t);
    if (rows == 0) {
        buf_append_text(&v->out, "Empty set\n");
        return S_OK;
    }
    kept_frame(&t->rows, v, &kept_ascii, shown, is_live(v) ? (uint32_t)sys_terminal_columns(v->sys, 1) : UINT32_MAX);
    buf_printf(&v->out, "%llu row%s in set", rows, rows == 1 ? "" : "s");
    if (shown < rows) buf_printf(&v->out, "; the last %u are shown, `.mode tableau` prints all", shown);
    if (dropped > 0) buf_printf(&v->out, "; %llu older ones were dropped", dropped);
    buf_append_byte(&v->out, '\n');
    return S_OK;
}

static void table_close(struct view *v, void *own)
{
    struct live_table *t = own;

    if (t->is_painted) { /* the result broke off: what was seen last stays, without the line below; v->row is gone */
        buf_append_text(&v->out, WIPE_LINE);
        enum status st = view_flush(v, NULL);
        (void)st;
    }
    if (t->whole != NULL) view_tableau.close(v, t->whole);
    mem_free(v->mem, t->whole);
    kept_release(&t->rows);
}

const struct view_type view_live = {
    .name = "table",
    .doc = "the table that all changes make, on a terminal as it grows",
    .size = sizeof(struct live_table),
    .begin = table_begin,
    .rows = table_rows,
    .tick = table_tick,
    .end = table_end,
    .close = table_close,
};
