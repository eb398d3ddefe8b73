/* view_changelog.c - each change as it comes, as tableau prints it; on a terminal with a line below that says how fast. */
#include "surface/sql/rate_line.h"

#define WIPE "\r\033[K"

struct changelog {
    void *tableau; /* its state */
    struct rate_line rate;
    bool is_painted;
};

static void wipe(struct view *v, struct changelog *c)
{
    if (c->is_painted) buf_append_text(&v->out, WIPE);
    c->is_painted = false;
}

static enum status changelog_begin(struct view *v, void *own, struct err *e)
{
    struct changelog *c = own;

    rate_line_begin(v, &c->rate);
    c->tableau = mem_zalloc(v->mem, view_tableau.size);
    return view_tableau.begin(v, c->tableau, e);
}

static enum status changelog_rows(struct view *v, void *own, const struct batch *b, struct err *e)
{
    wipe(v, own);
    return view_tableau.rows(v, ((struct changelog *)own)->tableau, b, e);
}

static void changelog_tick(struct view *v, void *own, const struct job_totals *t)
{
    struct changelog *c = own;

    (void)view_keys(v, NULL, NULL);
    if (!v->is_terminal || v->file != NULL) return;
    wipe(v, c);
    if (v->typed.size > 0) view_put_typed(v, (uint32_t)sys_terminal_columns(v->sys, 1));
    else if (v->stop != NULL) rate_line_put(v, &c->rate, t, "; q stops it", "; q stops it");
    else rate_line_put(v, &c->rate, t, "; ctrl-c stops it", "; ctrl-c stops it");
    c->is_painted = true;
    enum status st = view_flush(v, NULL);
    (void)st; /* the next row will meet the same */
}

static enum status changelog_end(struct view *v, void *own, struct err *e)
{
    wipe(v, own);
    return view_tableau.end(v, ((struct changelog *)own)->tableau, e);
}

static void changelog_close(struct view *v, void *own)
{
    struct changelog *c = own;

    wipe(v, c);
    enum status st = view_flush(v, NULL);
    (void)st; /* only the line of a result that broke off can be left */
    view_tableau.close(v, c->tableau);
    mem_free(v->mem, c->tableau);
}

const struct view_type view_changelog = {
    .name = "changelog",
    .doc = "each change as it comes, on a terminal with how fast they come",
    .size = sizeof(struct changelog),
    .begin = changelog_begin,
    .rows = changelog_rows,
    .tick = changelog_tick,
    .end = changelog_end,
    .close = changelog_close,
};
