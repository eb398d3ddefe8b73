/* changes.c - the rows of a table as what is there at the end of a history of changes: rows are there in other forms before, go and come
 * again, some changes come twice, and rows come that are gone in the end. Whatever is asked of such a table must be answered as if its
 * rows had been inserted. The history is of a seed of its own, so that what else is generated does not depend on it. */
#include "sqlgen.h"

enum history { HISTORY_CHANGES, HISTORY_UPSERTS, HISTORY_KEYS, HISTORIES };
static const char *const modes[HISTORIES] = {"I,UB,UA,D", "I,UA,D", "I,UA,PD"};

struct history_row {
    int64_t now; /* row of the table whose cells it has; -1: it is not there */
};

struct writing {
    const struct gtable *t;
    enum history kind;
    struct prng r;
    struct history_row *rows; /* one more than the table has: a row that is gone in the end */
    struct buf *out;
};

static void put_line(struct writing *w, const char *kind, uint32_t key, int64_t row, bool only_key)
{
    buf_printf(w->out, "%s %u", kind, key);
    for (uint32_t c = 0; c < w->t->column_count; c++) {
        const char *cell = only_key ? NULL : w->t->cells[(size_t)row * w->t->column_count + c];
        buf_append_byte(w->out, ',');
        csv_cell_put(cell, w->out);
    }
    buf_append_byte(w->out, '\n');
}

/* The row of the key becomes that one. */
static void become(struct writing *w, uint32_t key, int64_t row)
{
    struct history_row *h = &w->rows[key];
    bool knows_all = w->kind == HISTORY_CHANGES;

    if (row < 0) {
        if (h->now >= 0 || !knows_all) put_line(w, "-D", key, h->now >= 0 ? h->now : 0, w->kind == HISTORY_KEYS);
    } else if (h->now < 0) {
        put_line(w, "+I", key, row, false);
    } else {
        if (knows_all) put_line(w, "-U", key, h->now, false);
        put_line(w, prng_below(&w->r, 4) == 0 && !knows_all ? "+I" : "+U", key, row, false);
    }
    h->now = row;
}

bool changes_put(struct gen *g, const struct gtable *t, uint64_t seed, const char **mode, struct buf *out)
{
    struct writing w = {.t = t, .out = out, .rows = ARENA_ARRAY(g->a, struct history_row, t->row_count + 1)};
    uint32_t steps;

    prng_init(&w.r, seed);
    w.kind = (enum history)prng_below(&w.r, HISTORIES);
    steps = (uint32_t)prng_below(&w.r, 3 * t->row_count + 2);
    for (uint32_t i = 0; i <= t->row_count; i++) w.rows[i].now = -1;
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t key = (uint32_t)prng_below(&w.r, t->row_count + 1);
        become(&w, key, prng_below(&w.r, 4) == 0 ? -1 : (int64_t)prng_below(&w.r, t->row_count));
    }
    for (uint32_t i = 0; i < t->row_count; i++)
        if (w.rows[i].now != (int64_t)i || (w.kind != HISTORY_CHANGES && prng_below(&w.r, 3) == 0)) become(&w, i, i);
    if (w.rows[t->row_count].now >= 0) become(&w, t->row_count, -1);
    *mode = modes[w.kind];
    return w.kind != HISTORY_CHANGES;
}

const char *changes_table(struct gen *g, const struct gtable *t, const char *path, const char *mode, bool keyed)
{
    struct buf out;

    buf_init(&out, g->a->mem);
    buf_printf(&out, "CREATE TABLE %s__changes (k INT", t->name);
    for (uint32_t c = 0; c < t->column_count; c++) buf_printf(&out, ", c%u %s", c, gtype_names[t->types[c]]);
    buf_printf(&out, "%s) WITH ('connector' = 'script', 'format' = 'csv', 'csv.null-literal' = 'NULL', 'changelog-mode' = '%s', 'path' = '%s')",
               keyed ? ", PRIMARY KEY (k) NOT ENFORCED" : "", mode, path);
    const char *text = arena_strndup(g->a, out.data, out.size);
    buf_release(&out);
    return text;
}

const char *changes_view(struct gen *g, const struct gtable *t)
{
    struct buf out;

    buf_init(&out, g->a->mem);
    buf_printf(&out, "CREATE VIEW %s AS SELECT ", t->name);
    for (uint32_t c = 0; c < t->column_count; c++) buf_printf(&out, "%sc%u", c > 0 ? ", " : "", c);
    buf_printf(&out, " FROM %s__changes", t->name);
    const char *text = arena_strndup(g->a, out.data, out.size);
    buf_release(&out);
    return text;
}
