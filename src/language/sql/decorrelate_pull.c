/* decorrelate_pull.c - pulling up what reads the row around, through nodes with one input: projections, filters, groups, ranks, functions
 * OVER windows. See decorrelate.c. */
#include "language/sql/decorrelate_internal.h"

#include "ground/base/str.h"

#include <string.h>

/* --- pulling up -------------------------------------------------------------------------------------------------- */
struct pulled pulled_plain(struct decorrelation *d, struct rel *r)
{
    return (struct pulled){
        .rel = r, .count = r->row->child_count, .columns = expr_columns_of(d->b->a, r->row, 0, r->row->child_count)};
}

static enum status filter(struct decorrelation *d, struct pulled *p, const struct exprs *parts)
{
    struct expr_maker m = around_maker(d);
    struct calc_body calc = {.condition = parts->count > 0 ? parts->items[0] : NULL};

    if (parts->count == 0) return S_OK;
    if (parts->count > 1) TRY(expr_branch(&m, EXPR_AND, parts->items, parts->count, &calc.condition, d->b->e));
    calc.count = p->rel->row->child_count;
    calc.columns = expr_columns_of(d->b->a, p->rel->row, 0, calc.count);
    p->rel = rel_calc(d->b->a, p->rel, &calc, p->rel->row->names);
    return S_OK;
}

enum status pull_calc(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct calc_body *c = r->body;
    struct arena *a = d->b->a;
    struct exprs parts = {0}, own = {0};

    TRY(decorrelate(d, r->inputs[0], out));
    if (c->condition != NULL) TRY(pulled_settle(d, out));
    if (c->condition != NULL) exprs_add_parts(a, &parts, expr_moved(a, c->condition, out->columns, NULL, d->scope));
    for (uint32_t i = 0; i < parts.count; i++)
        exprs_add(a, around_reads(d, parts.items[i]) ? &out->conditions : &own, parts.items[i]);
    TRY(filter(d, out, &own));
    if (c->count == 0) return S_OK;
    struct expr **columns = ARENA_ARRAY(a, struct expr *, c->count);
    for (uint32_t i = 0; i < c->count; i++) columns[i] = expr_moved(a, c->columns[i], out->columns, NULL, d->scope);
    out->columns = columns;
    out->count = c->count;
    return S_OK;
}

/* A Calc of the query's columns, behind them what the equations say of the row within. Equations then speak of those columns. */
static enum status lay_out(struct decorrelation *d, struct pulled *p, uint32_t *keys)
{
    struct arena *a = d->b->a;
    struct equation eq;

    TRY(pulled_detach(d, p));
    uint32_t n = p->count + p->conditions.count;
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        bool own = i < p->count;
        if (!own && !equation_find(d, p->conditions.items[i - p->count], &eq)) return E_GRAPH;
        columns[i] = own ? p->columns[i] : eq.within;
        names[i] = arena_printf(a, own ? "$q%u" : "$k%u", own ? i : i - p->count);
    }
    *keys = p->conditions.count;
    p->rel = rel_calc(a, p->rel, &(struct calc_body){.count = n, .columns = columns}, names);
    return S_OK;
}

/* The equations again, of columns of p->rel: cols[i] is that of condition i. */
static enum status equations_restate(struct decorrelation *d, struct pulled *p, const uint32_t *cols)
{
    struct expr_maker m = around_maker(d);
    struct exprs stated = {0};
    struct equation eq;
    struct expr *x;

    for (uint32_t i = 0; i < p->conditions.count; i++) {
        if (!equation_find(d, p->conditions.items[i], &eq)) return E_GRAPH;
        TRY(equation_make(d, expr_column(&m, p->rel->row, cols[i]), eq.around, eq.null_safe, &x));
        exprs_add(d->b->a, &stated, x);
    }
    p->conditions = stated;
    return S_OK;
}

enum status pulled_flatten(struct decorrelation *d, struct pulled *p, const char *const *names)
{
    uint32_t more = 0;

    TRY(lay_out(d, p, &more));
    uint32_t n = p->count + more, *cols = ARENA_ARRAY(d->b->a, uint32_t, more + 1);
    const char **all = ARENA_ARRAY(d->b->a, const char *, n + 1);
    for (uint32_t i = 0; i < n; i++) all[i] = i < p->count ? names[i] : p->rel->row->names[i];
    for (uint32_t i = 0; i < more; i++) cols[i] = p->count + i;
    p->rel = rel_renamed(d->b->a, p->rel, all);
    p->columns = expr_columns_of(d->b->a, p->rel->row, 0, p->count);
    return equations_restate(d, p, cols);
}

static enum status defaults_make(struct decorrelation *d, struct pulled *p, const struct aggregate_body *b,
                                 uint32_t first)
{
    struct expr_maker m = around_maker(d);

    p->is_total = true;
    p->defaults = ARENA_ARRAY(d->b->a, struct expr *, p->rel->row->child_count + 1);
    for (uint32_t i = 0; i < b->call_count; i++)
        if (strcmp(b->calls[i].function, "count") == 0)
            TRY(expr_constant(&m, type_with_null(d->b->a, b->calls[i].result, false), STR("0"), &p->defaults[first + i],
                              d->b->e));
    return S_OK;
}

enum status pull_aggregate(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct aggregate_body *b = r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0, n = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *keys = ARENA_ARRAY(a, uint32_t, b->key_count + more + 1), *cols = ARENA_ARRAY(a, uint32_t, more + 1);
    for (uint32_t i = 0; i < b->key_count; i++) keys[n++] = b->keys[i];
    for (uint32_t i = 0; i < more; i++) {
        cols[i] = n;
        keys[n++] = out->count + i;
    }
    struct aggregate_body body = {n, b->call_count, keys, b->calls, b->ttl, b->phase};
    out->rel = rel_aggregate(a, out->rel, &body);
    TRY(equations_restate(d, out, cols));
    if (b->key_count == 0) TRY(defaults_make(d, out, b, n));
    out->count = b->key_count + b->call_count;
    out->columns = expr_columns_of(a, out->rel->row, 0, out->count);
    struct expr **calls = expr_columns_of(a, out->rel->row, n, b->call_count);
    for (uint32_t i = 0; i < b->call_count; i++) out->columns[b->key_count + i] = calls[i];
    return S_OK;
}

/* The `more` columns from `first` on belong to the partition, too; answers them. */
static uint32_t *partition_widen(struct arena *a, uint32_t first, uint32_t more, const uint32_t **partition, uint32_t *count)
{
    uint32_t *all = ARENA_ARRAY(a, uint32_t, *count + more + 1), *cols = ARENA_ARRAY(a, uint32_t, more + 1);

    for (uint32_t i = 0; i < *count; i++) all[i] = (*partition)[i];
    for (uint32_t i = 0; i < more; i++) all[*count + i] = cols[i] = first + i;
    *partition = all;
    *count += more;
    return cols;
}

enum status pull_rank(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rank_body b = *(const struct rank_body *)r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *cols = partition_widen(a, out->count, more, &b.partition, &b.partition_count);
    if (more > 0 && b.is_limit) {
        b.is_limit = false;
        b.function = "ROW_NUMBER";
    }
    out->rel = rel_rank(a, out->rel, &b);
    TRY(equations_restate(d, out, cols));
    uint32_t n = out->count, last = out->rel->row->child_count - 1;
    out->columns = expr_columns_of(a, out->rel->row, 0, n); /* has room for one more */
    if (b.number != NULL) out->columns[out->count++] = expr_columns_of(a, out->rel->row, last, 1)[0];
    return S_OK;
}

/* Windows of the rows that belong to one row around: results stand behind the columns. */
enum status pull_over(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct over_body b = *(const struct over_body *)r->body;
    struct arena *a = d->b->a;
    uint32_t more = 0;

    TRY(decorrelate(d, r->inputs[0], out));
    TRY(lay_out(d, out, &more));
    uint32_t *cols = partition_widen(a, out->count, more, &b.partition, &b.partition_count);
    out->rel = rel_over(a, out->rel, &b);
    TRY(equations_restate(d, out, cols));
    uint32_t n = out->count;
    struct expr **all = expr_columns_of(a, out->rel->row, 0, out->rel->row->child_count);
    out->columns = ARENA_ARRAY(a, struct expr *, n + b.call_count + 1);
    out->count = n + b.call_count;
    for (uint32_t i = 0; i < out->count; i++) out->columns[i] = all[i < n ? i : i + more];
    return S_OK;
}

/* Columns of a row, behind those of another. */
