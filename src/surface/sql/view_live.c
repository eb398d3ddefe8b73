/* view_live.c - a query's result as a table that is the sum of its changes. On a terminal it takes the whole screen while it grows,
 * with a line below that says how fast; keys page through it or leave it (live_keys.h). At the end, and elsewhere, it is printed once.
 *
 * A result that comes at once never takes the screen: it is painted from OPEN_NS on, then every REPAINT_NS, and at once when a key was
 * pressed or the screen has another size. Every picture is painted as a whole. */
#include "surface/sql/kept_frame.h"
#include "surface/sql/rate_line.h"

#include <stdio.h>
#include <string.h>

#define OPEN_NS INT64_C(200000000)
#define REPAINT_NS INT64_C(200000000)

enum {
    SHOWN_AT_END = 1000,
    FRAMED_LINES_MIN = 6,
    FRAME_LINES = 4,
    NAME_LINES = 1,
    TYPED_MAX = 65536,
    READS_MAX = 8,
    FOOT_SIZE = 96
};

struct live_table {
    struct kept_rows rows;
    void *whole; /* state of view_tableau, for what is no query */
    struct rate_line rate;
    struct buf shown; /* the rows that were painted last, without the line below */
    int64_t begun_ns, painted_ns;
    int lines, columns;                 /* of the screen when it was painted */
    uint32_t top, room;                 /* the first row on the screen, and how many fit */
    bool is_open, is_paged; /* paged: stays at `top`, else at the end */
};

static enum status table_begin(struct view *v, void *own, struct err *e)
{
    struct live_table *t = own;

    kept_init(&t->rows, v->mem);
    buf_init(&t->shown, v->mem);
    rate_line_begin(v, &t->rate);
    t->begun_ns = sys_mono_ns(v->sys);
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

/* --- keys -------------------------------------------------------------------------------------------------------- */
/* So many rows towards the end; the end, once it is reached, is stayed at. */
static void page(struct live_table *t, int64_t rows)
{
    uint32_t last = t->rows.alive > t->room ? t->rows.alive - t->room : 0; /* where the end is seen */
    int64_t top = MAX((t->is_paged ? (int64_t)t->top : (int64_t)last) + rows, INT64_C(0));

    t->is_paged = top < (int64_t)last;
    t->top = (uint32_t)MIN(top, (int64_t)last);
}

static void act(void *own, enum live_key key)
{
    struct live_table *t = own;

    switch (key) {
    case LIVE_UP: page(t, -1); break;
    case LIVE_DOWN: page(t, 1); break;
    case LIVE_PAGE_UP: page(t, -(int64_t)MAX(t->room, 1u)); break;
    case LIVE_PAGE_DOWN: page(t, MAX(t->room, 1u)); break;
    case LIVE_FIRST: page(t, -(int64_t)UINT32_MAX); break;
    case LIVE_LAST: page(t, UINT32_MAX); break;
    case LIVE_QUIT:
    case LIVE_NONE: break;
    }
}

/* --- painting ---------------------------------------------------------------------------------------------------- */
static bool is_live(const struct view *v) { return v->is_terminal && v->is_changelog && v->file == NULL; }

/* The rows that the screen has room for, to t->shown. */
static void lay_out(struct view *v, struct live_table *t)
{
    uint32_t lines = (uint32_t)MAX(t->lines - 1, 0); /* but for the one below */
    bool is_framed = lines >= FRAMED_LINES_MIN;
    uint32_t around = is_framed ? FRAME_LINES : NAME_LINES;
    size_t from = v->out.size;

    t->room = lines > around ? lines - around : 0;
    page(t, 0);
    if (lines > 0)
        kept_frame(&t->rows, v, is_framed ? &kept_ascii : &kept_bare,
                   (struct kept_part){.from = t->top, .rows = t->room, .columns = (uint32_t)t->columns});
    buf_clear(&t->shown);
    buf_append(&t->shown, v->out.data + from, v->out.size - from);
    v->out.size = from;
}

static void put_below(struct view *v, struct live_table *t, const struct job_totals *totals)
{
    const char *how = v->stop == NULL ? "ctrl-c stops it" : v->is_stopped ? "stopping" : "q stops it";
    char rest[FOOT_SIZE], short_rest[FOOT_SIZE];
    uint32_t last = MIN(t->top + t->room, t->rows.alive);

    if (v->typed.size > 0) {
        view_put_typed(v, (uint32_t)t->columns);
        return;
    }
    snprintf(short_rest, sizeof short_rest, "; %s", how);
    snprintf(rest, sizeof rest, "; %s", how);
    if (t->room < t->rows.alive)
        snprintf(rest, sizeof rest, "; rows %u-%u of %u; %s", t->top + 1, last, t->rows.alive, how);
    rate_line_put(v, &t->rate, totals, rest, short_rest);
}

static void paint(struct view *v, struct live_table *t, const struct job_totals *totals)
{
    lay_out(v, t);
    buf_append_text(&v->out, "\033[H");
    for (size_t i = 0; i < t->shown.size;) {
        const char *line = t->shown.data + i, *end = memchr(line, '\n', t->shown.size - i);
        size_t size = end != NULL ? (size_t)(end - line) : t->shown.size - i;
        buf_append_text(&v->out, "\033[2K"); /* before the line: behind a full one it would take its last letter */
        buf_append(&v->out, line, size);
        buf_append_text(&v->out, "\r\n");
        i += size + 1;
    }
    buf_append_text(&v->out, "\033[J");
    put_below(v, t, totals);
    enum status st = view_flush(v, NULL);
    (void)st; /* the end of the result will meet the same */
}

static void table_tick(struct view *v, void *own, const struct job_totals *totals)
{
    struct live_table *t = own;
    int64_t now = sys_mono_ns(v->sys);

    if (!is_live(v) || now - t->begun_ns < OPEN_NS) return;
    bool is_due = !t->is_open || now - t->painted_ns >= REPAINT_NS;
    if (!t->is_open && !sys_screen_open(v->sys)) return;
    t->is_open = true;
    int lines = sys_terminal_rows(v->sys, 1), columns = sys_terminal_columns(v->sys, 1);
    is_due |= lines != t->lines || columns != t->columns;
    is_due |= view_keys(v, act, t);
    if (!is_due) return;
    t->lines = lines;
    t->columns = columns;
    t->painted_ns = now;
    paint(v, t, totals);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
static void leave(struct view *v, struct live_table *t)
{
    if (t->is_open) sys_screen_close(v->sys);
    t->is_open = false;
}

static enum status table_end(struct view *v, void *own, struct err *e)
{
    struct live_table *t = own;
    unsigned long long rows = t->rows.alive, dropped = t->rows.dropped;
    uint32_t shown = is_live(v) ? MIN(t->rows.alive, (uint32_t)SHOWN_AT_END) : t->rows.alive;
    struct kept_part part = {.from = t->rows.alive - shown, .rows = shown, .columns = UINT32_MAX};

    if (!v->is_changelog) return view_tableau.end(v, t->whole, e);
    leave(v, t);
    if (rows == 0) {
        buf_append_text(&v->out, "Empty set\n");
        return S_OK;
    }
    if (is_live(v)) part.columns = (uint32_t)sys_terminal_columns(v->sys, 1);
    kept_frame(&t->rows, v, &kept_ascii, part);
    buf_printf(&v->out, "%llu row%s in set", rows, rows == 1 ? "" : "s");
    if (shown < rows) buf_printf(&v->out, "; the last %u are shown, `.mode tableau` prints all", shown);
    if (dropped > 0) buf_printf(&v->out, "; %llu older ones were dropped", dropped);
    buf_append_byte(&v->out, '\n');
    return S_OK;
}

/* Of a result that broke off what was seen last stays; v->row is gone. */
static void table_close(struct view *v, void *own)
{
    struct live_table *t = own;

    if (t->is_open) {
        leave(v, t);
        buf_append(&v->out, t->shown.data, t->shown.size);
        enum status st = view_flush(v, NULL);
        (void)st;
    }
    if (t->whole != NULL) view_tableau.close(v, t->whole);
    mem_free(v->mem, t->whole);
    buf_release(&t->shown);
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
