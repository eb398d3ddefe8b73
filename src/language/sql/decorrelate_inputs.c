/* decorrelate_inputs.c - pulling up what reads the row around, through nodes with several inputs: joins, unions, set operations; and lists
 * of a row. See decorrelate.c. */
#include "language/sql/decorrelate_internal.h"

#include "ground/base/str.h"

static struct expr **beside(struct arena *a, const struct pulled *left, const struct pulled *right,
                            const struct type *pair)
{
    struct expr **out = ARENA_ARRAY(a, struct expr *, left->count + right->count + 1);
    struct expr **l = expr_columns_of(a, pair, 0, left->rel->row->child_count);
    struct expr **r = expr_columns_of(a, pair, left->rel->row->child_count, right->rel->row->child_count);

    for (uint32_t i = 0; i < left->count; i++) out[i] = expr_moved(a, left->columns[i], l, NULL, 0);
    for (uint32_t i = 0; i < right->count; i++) out[left->count + i] = expr_moved(a, right->columns[i], r, NULL, 0);
    return out;
}

/* What a join asks of its pairs, over `both`: the columns of its sides. */
static enum status pairs_ask(struct decorrelation *d, const struct join_body *b, uint32_t left,
                             struct expr *const *both, struct exprs *out)
{
    struct expr *x;

    for (uint32_t i = 0; i < b->key_count; i++) {
        TRY(equation_make(d, both[b->keys[0][i]], both[left + b->keys[1][i]], b->null_safe[i], &x));
        exprs_add(d->b->a, out, x);
    }
    if (b->condition != NULL) exprs_add_parts(d->b->a, out, expr_moved(d->b->a, b->condition, both, NULL, 0));
    return S_OK;
}

static enum status pull_inner(struct decorrelation *d, struct rel *r, struct pulled *left, struct pulled *right,
                              struct pulled *out)
{
    struct arena *a = d->b->a;
    struct bind_source sides[] = {pulled_source(left->rel), pulled_source(right->rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct exprs asked = {0}, on = {0};

    struct expr **right_columns = expr_columns_of(a, pair, left->rel->row->child_count, right->rel->row->child_count);
    *out = (struct pulled){
        .count = left->count + right->count, .columns = beside(a, left, right, pair), .conditions = left->conditions};
    for (uint32_t i = 0; i < right->conditions.count; i++)
        exprs_add(a, &out->conditions, expr_moved(a, right->conditions.items[i], right_columns, NULL, d->scope));
    TRY(pairs_ask(d, r->body, left->count, out->columns, &asked));
    for (uint32_t i = 0; i < asked.count; i++)
        exprs_add(a, around_reads(d, asked.items[i]) ? &out->conditions : &on, asked.items[i]);
    return around_join(d, REL_JOIN_INNER, left->rel, right->rel, &on, &out->rel);
}

/* SEMI, ANTI, LEFT: what the right side and the condition read of the row around is bound in the left side first. */
static enum status pull_one_sided(struct decorrelation *d, struct rel *r, struct pulled *left, struct pulled *out)
{
    const struct join_body *b = r->body;
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    struct exprs on = {0};
    struct pulled right;

    rel_marks_outers(r->inputs[1], d->scope, bits);
    if (b->condition != NULL) around_mark(d, b->condition, bits);
    bool bound = pulled_reads_around(d, left);
    for (size_t w = 0; w < COUNT_OF(bits); w++) bound |= bits[w] != 0;
    if (bound) TRY(domain_join(d, left, REL_JOIN_INNER, bits));
    TRY(decorrelate(d, r->inputs[1], &right));
    if (right.is_total) TRY(pulled_settle(d, &right));
    if (b->kind == REL_JOIN_LEFT && pulled_reads_around(d, &right)) TRY(pulled_detach(d, &right));
    struct bind_source sides[] = {pulled_source(left->rel), pulled_source(right.rel)};
    const struct type *pair = join_tree_create(a, REL_JOIN_INNER, &sides[0], &sides[1])->pair;
    struct expr **outers = ARENA_ARRAY(a, struct expr *, d->outer->row->child_count + 1);
    struct equation eq;
    for (uint32_t i = 0; bound && i < left->conditions.count; i++)
        if (equation_find(d, left->conditions.items[i], &eq) && eq.around->kind == EXPR_OUTER)
            outers[eq.around->col] = expr_moved(a, eq.within, expr_columns_of(a, pair, 0, left->rel->row->child_count),
                                                NULL, 0);
    struct expr **right_columns = expr_columns_of(a, pair, left->rel->row->child_count, right.rel->row->child_count);
    for (uint32_t i = 0; i < right.conditions.count; i++)
        exprs_add(a, &on, expr_moved(a, right.conditions.items[i], right_columns, outers, d->scope));
    struct exprs asked = {0};
    TRY(pairs_ask(d, b, left->count, beside(a, left, &right, pair), &asked));
    for (uint32_t i = 0; i < asked.count; i++) exprs_add(a, &on, expr_moved(a, asked.items[i], NULL, outers, d->scope));
    *out = *left;
    TRY(around_join(d, (enum rel_join_kind)b->kind, left->rel, right.rel, &on, &out->rel));
    out->columns = expr_columns_of(a, out->rel->row, 0, left->rel->row->child_count);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, left->count + right.count + 1);
    for (uint32_t i = 0; i < left->count; i++) columns[i] = expr_moved(a, left->columns[i], out->columns, NULL, 0);
    if (b->kind == REL_JOIN_LEFT) {
        struct expr **r2 = expr_columns_of(a, out->rel->row, left->rel->row->child_count, right.rel->row->child_count);
        for (uint32_t i = 0; i < right.count; i++) {
            if (right.columns[i]->kind != EXPR_COLUMN) return E_UNSUPPORTED;
            columns[left->count + i] = expr_moved(a, right.columns[i], r2, NULL, 0);
        }
        out->count = left->count + right.count;
    }
    out->columns = columns;
    return S_OK;
}

enum status pull_refuse(const struct decorrelation *d, const struct rel *r)
{
    return sql_error(d->b->e, d->b->t, d->place.at, d->place.size,
                     "a sub-query that reads the query around it below a node %s is not supported yet", r->type->name);
}

enum status pull_join(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    const struct join_body *b = r->body;
    struct pulled left, right;

    if (b->kind == REL_JOIN_RIGHT || b->kind == REL_JOIN_FULL) return pull_refuse(d, r);
    TRY(decorrelate(d, r->inputs[0], &left));
    TRY(pulled_settle(d, &left));
    if (b->kind == REL_JOIN_INNER) {
        TRY(decorrelate(d, r->inputs[1], &right));
        TRY(pulled_settle(d, &right));
        return pull_inner(d, r, &left, &right, out);
    }
    enum status st = pull_one_sided(d, r, &left, out);
    return st == E_UNSUPPORTED && (d->b->e == NULL || d->b->e->text[0] == '\0') ? pull_refuse(d, r) : st;
}

/* Each input with the values around that any of them reads in front. */
static enum status pull_inputs(struct decorrelation *d, struct rel *r, struct rel **inputs, struct domain *dom,
                               const struct type **row)
{
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    rel_marks_outers(r, d->scope, bits);
    domain_make(d, bits, dom);
    for (uint32_t k = 0; k < r->input_count; k++) {
        struct pulled p;
        TRY(decorrelate(d, r->inputs[k], &p));
        TRY(domain_join(d, &p, p.is_total ? REL_JOIN_LEFT : REL_JOIN_INNER, bits));
        uint32_t n = dom->count + p.count;
        struct expr **columns = expr_columns_of(a, p.rel->row, 0, dom->count);
        struct expr **all = ARENA_ARRAY(a, struct expr *, n + 1);
        const char **names = ARENA_ARRAY(a, const char *, n + 1);
        const struct type **types = ARENA_ARRAY(a, const struct type *, n + 1);
        for (uint32_t i = 0; i < n; i++) {
            all[i] = i < dom->count ? columns[i] : p.columns[i - dom->count];
            types[i] = i < dom->count ? all[i]->type : r->row->children[i - dom->count];
            names[i] = i < dom->count ? dom->rel->row->names[i] : arena_printf(a, "$q%u", i - dom->count);
        }
        inputs[k] = rel_calc(a, p.rel, &(struct calc_body){.count = n, .columns = all}, names);
        *row = type_row(a, n, names, types, false);
        TRY(bind_cast_columns(d->b, &inputs[k], *row));
    }
    return S_OK;
}

static enum status inputs_pulled(struct decorrelation *d, struct rel *made, const struct domain *dom, uint32_t count,
                                 struct pulled *out)
{
    *out = (struct pulled){
        .rel = made, .count = count, .columns = expr_columns_of(d->b->a, made->row, dom->count, count)};
    return domain_conditions(d, dom, made->row, &out->conditions);
}

enum status pull_union(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rel **inputs = ARENA_ARRAY(d->b->a, struct rel *, r->input_count + 1);
    const struct type *row = NULL;
    struct domain dom;

    TRY(pull_inputs(d, r, inputs, &dom, &row));
    return inputs_pulled(d, rel_union(d->b->a, row, inputs, r->input_count), &dom, r->row->child_count, out);
}

enum status pull_set(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct rel *inputs[2];
    const struct type *row = NULL;
    struct domain dom;

    TRY(pull_inputs(d, r, inputs, &dom, &row));
    return inputs_pulled(d, rel_set(d->b->a, row, inputs, r->body), &dom, r->row->child_count, out);
}

/* Elements of a list that reads the row around: the list is an expression over the domain. */
enum status pull_list(struct decorrelation *d, struct rel *r, struct pulled *out)
{
    struct correlate_body b = *(const struct correlate_body *)r->body;
    struct arena *a = d->b->a;
    uint64_t bits[(TYPE_FIELDS_MAX + 63) / 64] = {0};
    uint32_t n = r->inputs[0]->row->child_count, added = r->row->child_count - n;

    if (b.condition != NULL) return pull_refuse(d, r);
    TRY(decorrelate(d, r->inputs[0], out));
    TRY(pulled_settle(d, out));
    around_mark(d, b.list, bits);
    TRY(domain_join(d, out, REL_JOIN_INNER, bits));
    struct expr **outers = ARENA_ARRAY(a, struct expr *, d->outer->row->child_count + 1);
    struct equation eq;
    for (uint32_t i = 0; i < out->conditions.count; i++)
        if (equation_find(d, out->conditions.items[i], &eq)) outers[eq.around->col] = eq.within;
    b.list = expr_moved(a, b.list, out->columns, outers, d->scope);
    uint32_t first = out->rel->row->child_count;
    const char **names = ARENA_ARRAY(a, const char *, first + added + 1);
    for (uint32_t i = 0; i < first + added; i++)
        names[i] = i < first ? out->rel->row->names[i] : arena_printf(a, "$u%u", i - first);
    b.names = names;
    out->rel = rel_correlate(a, out->rel, &b);
    struct expr **columns = ARENA_ARRAY(a, struct expr *, n + added + 1),
                **elements = expr_columns_of(a, out->rel->row, first, added);
    for (uint32_t i = 0; i < n + added; i++) columns[i] = i < n ? out->columns[i] : elements[i - n];
    out->columns = columns;
    out->count = n + added;
    return S_OK;
}
