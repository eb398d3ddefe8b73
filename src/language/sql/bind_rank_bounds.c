/* bind_rank_bounds.c - a condition on a ranking's place becomes its bounds: rn <= 10 AND x > 1 is a Top-10 whose rows are filtered
 * by x > 1. Between the condition and the ranking there may be any number of Calcs that hand the place on.
 *
 * Invariants: nodes are immutable, so the ranking and the Calcs on it are made anew. A place that can only be one number is that
 * number, and need not be told. */
#include "language/sql/bind_over.h"

#include "ground/base/str.h"
#include "language/plan/rank_rel.h"

struct bounds {
    int64_t first, last;
};

/* The name of the rank function that the window has; NULL: it is none. */
static const char *function_of(const struct over_body *b)
{
    static const char *const names[][2] = {{"row_number", "ROW_NUMBER"}, {"rank", "RANK"}, {"dense_rank", "DENSE_RANK"}};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal(str_of(b->calls[0].call.function), str_of(names[i][0]))) return names[i][1];
    return NULL;
}

/* The ranking whose place is column `col` of r; NULL when it is none, or has bounds. */
static const struct rel *ranking_below(const struct rel *r, uint32_t col)
{
    for (; r->type == &rel_calc_type; r = r->inputs[0]) {
        const struct calc_body *c = r->body;
        if (c->count == 0) continue;
        if (c->columns[col]->kind != EXPR_COLUMN) return NULL;
        col = c->columns[col]->col;
    }
    if (r->type != &rel_over_type || col != r->inputs[0]->row->child_count) return NULL;
    const struct over_body *b = r->body;
    return b->call_count == 1 && function_of(b) != NULL ? r : NULL;
}

static bool number_of(const struct expr *x, int64_t *out)
{
    if (x->kind != EXPR_CONSTANT || vector_is_null(x->constant, 0)) return false;
    if (x->type->kind == T_BIGINT) *out = VECTOR_VALUES(x->constant, int64_t)[0];
    else if (x->type->kind == T_INT) *out = VECTOR_VALUES(x->constant, int32_t)[0];
    else return false;
    return true;
}

static int64_t one_more(int64_t n) { return n == INT64_MAX ? n : n + 1; }
static int64_t one_less(int64_t n) { return n == INT64_MIN ? n : n - 1; }

/* place <op> n */
static bool narrow(struct bounds *b, struct str op, int64_t n)
{
    bool equal = str_equal(op, STR("="));

    if (equal || str_equal(op, STR("<="))) b->last = MIN(b->last, MIN(n, RANK_UNBOUNDED - 1)); /* no place is as far as that */
    if (equal || str_equal(op, STR(">="))) b->first = MAX(b->first, n);
    if (equal || str_equal(op, STR("<=")) || str_equal(op, STR(">="))) return true;
    if (str_equal(op, STR("<"))) b->last = MIN(b->last, one_less(n));
    else if (str_equal(op, STR(">"))) b->first = MAX(b->first, one_more(n));
    else return false;
    return true;
}

static struct str turned(struct str op)
{
    static const char *const pairs[][2] = {{"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};

    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if (str_equal(op, str_of(pairs[i][0]))) return str_of(pairs[i][1]);
    return op;
}

/* Does a part of the condition bound the place of a ranking? Of the first one that is found, or of `*ranking`. */
static bool part_bounds(const struct rel *r, const struct expr *x, const struct rel **ranking, struct bounds *b)
{
    const struct expr *place, *other;
    int64_t n;

    if (x->kind != EXPR_CALL || x->count != 2) return false;
    bool is_left = x->args[0]->kind == EXPR_COLUMN;
    place = x->args[is_left ? 0 : 1];
    other = x->args[is_left ? 1 : 0];
    if (place->kind != EXPR_COLUMN || !number_of(other, &n)) return false;
    const struct rel *found = ranking_below(r, place->col);
    if (found == NULL || (*ranking != NULL && *ranking != found)) return false;
    struct str op = str_of(x->call->def->name);
    if (!narrow(b, is_left ? op : turned(op), n)) return false;
    *ranking = found;
    return true;
}

static uint32_t parts_of(struct expr *x, struct expr **out, uint32_t count)
{
    if (x->kind != EXPR_AND) {
        if (out != NULL) out[count] = x;
        return count + 1;
    }
    for (uint32_t i = 0; i < x->count; i++) count = parts_of(x->args[i], out, count);
    return count;
}

/* --- making it anew ---------------------------------------------------------------------------------------------- */
static struct expr *constant_place(struct query_binder *b, int64_t place)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct str text = str_of(arena_printf(b->a, "%lld", (long long)place));
    struct expr *x = NULL;

    enum status st = expr_constant(&m, type_new(b->a, T_BIGINT, 0, 0, false), text, &x, b->e);
    ASSERT(st == S_OK);
    return x;
}

static struct rel *rebuild(struct query_binder *b, const struct rel *r, const struct bounds *to)
{
    bool is_single = to->first == to->last;

    if (r->type == &rel_over_type) {
        const struct over_body *w = r->body;
        struct rank_body body = {.partition_count = w->partition_count,
                                 .order_count = w->order_count,
                                 .partition = w->partition,
                                 .order = w->order,
                                 .first = to->first,
                                 .last = to->last,
                                 .function = function_of(w),
                                 .number = w->calls[0].call.name};
        if (rank_is_deduplicate(r->inputs[0], &body)) body.number = NULL;
        return rel_say_as(rel_rank(b->a, r->inputs[0], &body), r);
    }
    struct calc_body c = *(const struct calc_body *)r->body;
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, c.count + 1);
    for (uint32_t i = 0; i < c.count; i++) {
        bool is_place = c.columns[i]->kind == EXPR_COLUMN && ranking_below(r->inputs[0], c.columns[i]->col) != NULL;
        columns[i] = is_single && is_place ? constant_place(b, to->first) : c.columns[i];
    }
    c.columns = columns;
    return rel_say_as(rel_calc(b->a, rebuild(b, r->inputs[0], to), &c, r->row->names), r);
}

/* A Calc on a ranking, so that its place can become a number. */
static struct rel *handed_on(struct query_binder *b, struct rel *r)
{
    struct expr_maker m = {.a = b->a};
    struct calc_body c = {.count = r->row->child_count};
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, c.count);

    if (r->type != &rel_over_type) return r;
    for (uint32_t i = 0; i < c.count; i++) columns[i] = expr_column(&m, r->row, i);
    c.columns = columns;
    return rel_calc(b->a, r, &c, r->row->names);
}

static enum status rest_of(struct query_binder *b, struct expr **rest, uint32_t count, struct expr **out)
{
    struct expr_maker m = {.a = b->a, .session = b->session};

    *out = count == 0 ? NULL : rest[0];
    return count < 2 ? S_OK : expr_branch(&m, EXPR_AND, rest, count, out, b->e);
}

/* Batch mode ranks all rows, and drops those that the condition does not want: only the first by ROW_NUMBER and, where no windows are
 * ranked, RANK are found without that. */
static bool is_top(const struct rel *ranking, const struct bounds *to)
{
    const struct over_body *w = ranking->body;
    struct rank_body body = {.partition_count = w->partition_count, .partition = w->partition, .first = to->first, .last = to->last};
    struct str function = str_of(function_of(w));

    if (to->last == RANK_UNBOUNDED) return false;
    if (str_equal(function, STR("ROW_NUMBER"))) return to->last > 0;
    return str_equal(function, STR("RANK")) && !rank_is_windowed(ranking->inputs[0], &body);
}

enum status ranking_filter(struct query_binder *b, struct ast_place place, struct rel **r, struct expr **condition)
{
    struct bounds to = {1, RANK_UNBOUNDED};
    const struct rel *ranking = NULL;
    struct expr **parts;
    uint32_t count, rest = 0;

    if (*condition == NULL) return S_OK;
    count = parts_of(*condition, NULL, 0);
    parts = ARENA_ARRAY(b->a, struct expr *, count);
    parts_of(*condition, parts, 0);
    for (uint32_t i = 0; i < count; i++)
        if (!part_bounds(*r, parts[i], &ranking, &to)) parts[rest++] = parts[i];
    if (ranking == NULL || (b->is_batch && !is_top(ranking, &to))) return S_OK;
    if (to.last == RANK_UNBOUNDED) {
        err_hint(b->e, "bound the place from above too: rn BETWEEN 2 AND 10");
        return sql_error(b->e, b->t, place.at, place.size,
                         "Rank end is not specified. Currently rank only support TopN, which means the rank end must be specified.");
    }
    if (to.last <= 0)
        return sql_error(b->e, b->t, place.at, place.size, "Rank end should not less than zero, but now is %lld", (long long)to.last);
    if (to.first > to.last) { /* no place is both: the condition stays, and no row passes */
        to.first = 1;
        *r = rebuild(b, *r, &to);
        return S_OK;
    }
    *r = rebuild(b, handed_on(b, *r), &to);
    return rest_of(b, parts, rest, condition);
}
