/* bind_group.c - GROUP BY: below the aggregation a Calc computes the grouped expressions, the arguments and the filters of aggregate
 * calls; above it each of these calls, and each expression that is grouped, is a column. Equal calls are computed once.
 *
 * GROUPING SETS, ROLLUP and CUBE become a list of sets of keys; several elements of GROUP BY give every union of theirs. With more
 * than one set an Expand repeats each row for each of them, keys outside the set NULL, and its number is one key more. */
#include "language/sql/bind_group.h"
#include "language/sql/bind_hint.h"

#include "columns/function/agg.h"
#include "ground/base/str.h"
#include "language/sql/bind_aggregate_parts.h"
#include "language/sql/bind_group_window.h"
#include "language/sql/bind_over.h"
#include "language/sql/bind_unknown.h"
#include "language/sql/bind_user_aggregate.h"
#include "language/sql/bind_window.h"
#include "language/sql/token.h"

#include <string.h>

struct call_of {
    const struct ast_expr *x;
    uint32_t number; /* of the call */
    enum status (*above)(struct expr_maker *m, struct expr *result, struct expr **out, struct err *e); /* NULL: the result is it */
};

struct grouping {
    struct query_binder *b;
    struct bind_scope below; /* the names of FROM */
    struct binder binder;    /* over them */
    uint32_t key_count, column_count, call_count, use_count;
    struct expr **columns;   /* of the Calc below: keys, then arguments and filters */
    struct aggregate_call *calls;
    struct call_of *uses;
    const struct type *row;  /* of the aggregation */
    uint32_t set_count;      /* 0: not looked at yet */
    uint64_t *sets;          /* bit i: key i is in it */
    uint32_t *key_cols, first_call; /* where in it the keys and the first call are */
    struct group_window window;
    uint32_t window_time;  /* column of the Calc below */
    bool asks_for_window;  /* some part of it is read */
};

enum { SETS_MAX = 4096, SET_KEYS_MAX = 62 };

static bool has_sets(const struct grouping *g) { return g->set_count > 1; }
/* Keys of the aggregation: those of the statement, and the number of the set. */
static uint32_t all_keys(const struct grouping *g) { return g->key_count + has_sets(g); }

/* --- finding calls ----------------------------------------------------------------------------------------------- */
static bool may_aggregate(const struct ast_expr *x)
{
    if (x->kind != AX_CALL || x->op != NULL || x->name.count == 0) return false;
    return x->aggregate == NULL || x->aggregate->over == NULL;
}

static const struct agg_type *aggregate_of(const struct ast_expr *x)
{
    return may_aggregate(x) && x->name.count == 1 ? agg_find(x->name.parts[0]) : NULL;
}

static bool is_aggregate(const struct query_binder *b, const struct ast_expr *x)
{
    if (bind_user_aggregate_named(b, x, false) != NULL) return true;
    return !b->session->has_no_core && (aggregate_of(x) != NULL || (may_aggregate(x) && bind_has_parts(x)));
}

static uint32_t count_calls(const struct query_binder *b, const struct ast_expr *x);

static uint32_t count_in_window(const struct query_binder *b, const struct ast_window *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->partition.count; i++) n += count_calls(b, w->partition.items[i]);
    for (uint32_t i = 0; i < w->order.count; i++) n += count_calls(b, w->order.items[i].x);
    return n;
}

static uint32_t count_calls(const struct query_binder *b, const struct ast_expr *x)
{
    uint32_t n = 0;

    if (x == NULL) return 0;
    if (is_aggregate(b, x)) return 1;
    for (uint32_t i = 0; i < x->args.count; i++) n += count_calls(b, x->args.items[i]);
    if (x->aggregate != NULL && x->aggregate->over != NULL) n += count_in_window(b, x->aggregate->over);
    return n;
}

static uint32_t count_all(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by)
{
    uint32_t n = count_calls(b, s->having) + count_calls(b, s->qualify);

    for (uint32_t i = 0; i < s->item_count; i++) n += count_calls(b, s->items[i].x);
    for (uint32_t i = 0; i < s->window_count; i++) n += count_in_window(b, &s->windows[i]);
    for (uint32_t i = 0; i < by->count; i++) n += count_calls(b, by->items[i].x);
    return n;
}

const struct ast_expr *aggregate_call_in(const struct query_binder *b, const struct ast_expr *x)
{
    const struct ast_expr *found = NULL;

    if (x == NULL || is_aggregate(b, x)) return x;
    for (uint32_t i = 0; i < x->args.count && found == NULL; i++) found = aggregate_call_in(b, x->args.items[i]);
    return found;
}

bool grouping_is(const struct query_binder *b, const struct ast_select *s, const struct ast_orders *by)
{
    return s->grouped || s->having != NULL || count_all(b, s, by) > 0;
}

/* --- below ------------------------------------------------------------------------------------------------------- */
/* Not one of the first `from` columns: keys are NULL in some sets, arguments are not. */
static uint32_t column_from(struct grouping *g, struct expr *x, uint32_t from)
{
    for (uint32_t i = from; i < g->column_count; i++)
        if (expr_equal(g->columns[i], x)) return i;
    g->columns[g->column_count] = x;
    return g->column_count++;
}

static uint32_t key_column(struct grouping *g, struct expr *x) { return column_from(g, x, 0); }
static uint32_t column_of(struct grouping *g, struct expr *x) { return column_from(g, x, has_sets(g) ? g->key_count : 0); }

static enum status fail(struct grouping *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
}

/* LISTAGG(x, ','): the second argument is a constant text. */
static enum status bind_parameter(struct grouping *g, const struct ast_expr *x, struct agg *a, struct aggregate_call *c)
{
    const struct ast_expr *p = x->args.items[1];
    struct expr *bound;

    if (x->args.count > 2) return bind_wrong_count(&g->binder, x, "1 or 2");
    TRY(bind_expr(&g->binder, p, &bound));
    if (bound->kind != EXPR_CONSTANT || !type_is_string(bound->type) || vector_is_null(bound->constant, 0))
        return fail(g, p->place, "the separator must be a character literal");
    struct str text = text_str(&VECTOR_VALUES(bound->constant, struct text)[0]);
    a->parameter = c->parameter = arena_strndup(g->b->a, text.data, text.size);
    return S_OK;
}

/* COUNT(a, b) counts where none is NULL: CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 1 END. */
static enum status bind_together(struct grouping *g, const struct ast_expr *x, struct expr **out)
{
    struct expr_maker *m = &g->binder.m;
    struct expr **tests = ARENA_ARRAY(g->b->a, struct expr *, x->args.count), *branches[3], *argument;

    if (x->aggregate != NULL && x->aggregate->distinct) return fail(g, x->place, "We now only support the count of one field.");
    for (uint32_t i = 0; i < x->args.count; i++) {
        if (count_calls(g->b, x->args.items[i]) > 0) return fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
        TRY(bind_expr(&g->binder, x->args.items[i], &argument));
        TRY(expr_call(m, STR("IS NOT NULL"), &argument, 1, &tests[i], g->b->e));
    }
    TRY(expr_branch(m, EXPR_AND, tests, x->args.count, &branches[0], g->b->e));
    TRY(expr_constant(m, type_new(g->b->a, T_INT, 0, 0, false), STR("1"), &branches[1], g->b->e));
    branches[2] = expr_null(m, type_new(g->b->a, T_INT, 0, 0, true));
    return expr_branch(m, EXPR_CASE, branches, 3, out, g->b->e);
}

/* Of "sum takes a number" the end, as a hint. */
static const char *agg_takes(const char *text)
{
    static const char word[] = " takes ";
    const char *at = strstr(text, word);

    return at != NULL ? at + sizeof word - 1 : text;
}

static enum status bind_argument(struct grouping *g, const struct ast_expr *x, struct agg *a, struct aggregate_call *c)
{
    struct expr *argument;
    struct err inner = {0};
    bool together = x->args.count > 1 && strcmp(a->type->name, "count") == 0;

    c->argument = -1;
    if (x->args.count == 0 || (x->args.count > 1 && !together && !a->type->has_parameter))
        return bind_wrong_count(&g->binder, x, a->type->has_parameter ? "1 or 2" : "1");
    const struct ast_expr *arg = x->args.items[0];
    if (arg->kind == AX_STAR && strcmp(a->type->name, "count") != 0) return fail(g, arg->place, "Unknown identifier '*'");
    if (arg->kind != AX_STAR) {
        if (count_calls(g->b, arg) > 0) return fail(g, arg->place, "Aggregate expressions cannot be nested");
        TRY(together ? bind_together(g, x, &argument) : bind_expr(&g->binder, arg, &argument));
        const struct type *t = argument->type;
        a->argument = t->time_kind != TIME_NONE ? type_with_time(g->b->a, t, TIME_NONE) : t;
        c->argument = (int)column_of(g, argument);
    }
    if (x->args.count > 1 && !together) TRY(bind_parameter(g, x, a, c));
    if (a->type->bind(a, g->b->a, &inner) != S_OK)
        return c->argument >= 0 ? bind_cannot_apply(&g->binder, x, &g->columns[c->argument], 1, arena_strdup(g->b->a, agg_takes(inner.text)))
                                : bind_fail(&g->binder, x->place, &inner);
    c->result = a->result;
    return S_OK;
}

void aggregate_result(struct arena *arena, const struct agg *a, struct aggregate_call *c, bool may_be_empty)
{
    bool sample = strstr(a->type->name, "samp") != NULL || strcmp(a->type->name, "variance") == 0 || strcmp(a->type->name, "stddev") == 0;

    bool needs_key = strcmp(a->type->name, "listagg") != 0; /* Flink's type of it is that of the argument */

    if (a->argument == NULL || a->argument->nullable || (needs_key && may_be_empty) || c->filter >= 0 || sample) return;
    c->result = type_with_null(arena, a->result, false);
    if (a->result->kind == T_ARRAY) c->result = type_list(arena, T_ARRAY, a->argument, NULL, false);
}

/* FILTER (WHERE ..), and IGNORE NULLS, which is a filter, too; `more`: another one, or NULL. */
static enum status bind_filter(struct grouping *g, const struct ast_expr *call, struct expr *more, struct aggregate_call *c)
{
    const struct ast_expr *filter = call->aggregate != NULL ? call->aggregate->filter : NULL;
    struct expr *tests[2], *argument;
    uint32_t n = 0;

    c->filter = -1;
    if (more != NULL) tests[n++] = more;
    if (filter != NULL) {
        if (count_calls(g->b, filter) > 0) return fail(g, filter->place, "FILTER must not contain aggregate expression");
        TRY(bind_expr(&g->binder, filter, &tests[n]));
        if (tests[n++]->type->kind != T_BOOLEAN) return fail(g, filter->place, "FILTER clause must be a condition");
    }
    if (call->aggregate != NULL && call->aggregate->nulls == KW_IGNORE && c->argument >= 0) {
        argument = g->columns[c->argument];
        TRY(expr_call(&g->binder.m, STR("IS NOT NULL"), &argument, 1, &tests[n++], g->b->e));
    }
    if (n == 2) TRY(expr_branch(&g->binder.m, EXPR_AND, tests, 2, &tests[0], g->b->e));
    if (n > 0) c->filter = (int)column_of(g, tests[0]);
    return S_OK;
}

static bool same_parameter(const struct aggregate_call *x, const struct aggregate_call *y)
{
    if (x->parameter == NULL || y->parameter == NULL) return x->parameter == y->parameter;
    return strcmp(x->parameter, y->parameter) == 0;
}

static bool same_call(const struct aggregate_call *x, const struct aggregate_call *y)
{
    return same_parameter(x, y) && strcmp(x->function, y->function) == 0 && x->argument == y->argument && x->filter == y->filter &&
           x->distinct == y->distinct;
}

/* The call, or an equal one that is there. */
static void call_add(struct grouping *g, const struct ast_expr *x, struct aggregate_call *c)
{
    uint32_t i = 0;

    while (i < g->call_count && !same_call(&g->calls[i], c)) i++;
    if (i == g->call_count) {
        c->name = arena_printf(g->b->a, "$a%u", i);
        g->calls[g->call_count++] = *c;
    }
    g->uses[g->use_count++] = (struct call_of){.x = x, .number = i};
}

static enum status bind_aggregate(struct grouping *g, const struct ast_expr *x, const struct agg_type *type)
{
    struct agg a = {.type = type};
    struct aggregate_call c = {.function = type->name};

    if (x->aggregate != NULL && (x->aggregate->within.count > 0 || (x->aggregate->nulls != 0 && !type->keeps_null)))
        return fail(g, x->place, "WITHIN GROUP, ORDER BY, RESPECT NULLS and IGNORE NULLS are not supported in this aggregate");
    TRY(bind_argument(g, x, &a, &c));
    TRY(bind_filter(g, x, NULL, &c));
    c.distinct = x->aggregate != NULL && x->aggregate->distinct && c.argument >= 0;
    aggregate_result(g->b->a, &a, &c, g->key_count == 0 && g->window.x == NULL);
    call_add(g, x, &c);
    return S_OK;
}

static enum status bind_user_aggregate(struct grouping *g, const struct ast_expr *x, const struct fn_def *def)
{
    struct aggregate_call c;
    struct expr *argument;

    for (uint32_t i = 0; i < x->args.count; i++)
        if (count_calls(g->b, x->args.items[i]) > 0) return fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
    TRY(bind_user_aggregate_call(g->b, &g->binder, x, def, &c, &argument));
    if (argument != NULL) c.argument = (int)column_of(g, argument);
    TRY(bind_filter(g, x, NULL, &c));
    c.distinct = x->aggregate != NULL && x->aggregate->distinct && c.argument >= 0;
    call_add(g, x, &c);
    return S_OK;
}

/* Whose arguments in SQL are not what it is given. */
static enum status bind_parts(struct grouping *g, const struct ast_expr *x)
{
    struct aggregate_parts parts;
    struct err inner = {0};

    for (uint32_t i = 0; i < x->args.count; i++)
        if (count_calls(g->b, x->args.items[i]) > 0) return fail(g, x->args.items[i]->place, "Aggregate expressions cannot be nested");
    TRY(bind_aggregate_parts(g->b, &g->binder, x, false, &parts));
    struct agg a = {.type = parts.type, .argument = parts.argument->type, .parameter = parts.parameter};
    if (a.type->bind(&a, g->b->a, &inner) != S_OK) return bind_fail(&g->binder, x->place, &inner);
    struct aggregate_call c = {.function = a.type->name,
                               .argument = (int)column_of(g, parts.argument),
                               .distinct = parts.distinct,
                               .parameter = parts.parameter,
                               .result = a.result};
    TRY(bind_filter(g, x, parts.filter, &c));
    call_add(g, x, &c);
    g->uses[g->use_count - 1].above = parts.above;
    return S_OK;
}

static enum status find_calls(struct grouping *g, const struct ast_expr *x);

static enum status find_in_window(struct grouping *g, const struct ast_window *w)
{
    for (uint32_t i = 0; i < w->partition.count; i++) TRY(find_calls(g, w->partition.items[i]));
    for (uint32_t i = 0; i < w->order.count; i++) TRY(find_calls(g, w->order.items[i].x));
    return S_OK;
}

static enum status find_calls(struct grouping *g, const struct ast_expr *x)
{
    if (x == NULL) return S_OK;
    const struct fn_def *user = bind_user_aggregate_named(g->b, x, false);
    if (user != NULL) return bind_user_aggregate(g, x, user);
    const struct agg_type *type = aggregate_of(x);
    enum group_window_part part;
    if (may_aggregate(x) && bind_has_parts(x)) return bind_parts(g, x);
    if (type != NULL) return bind_aggregate(g, x, type);
    g->asks_for_window |= group_window_is_part(x, &part);
    for (uint32_t i = 0; i < x->args.count; i++) TRY(find_calls(g, x->args.items[i]));
    return x->aggregate != NULL && x->aggregate->over != NULL ? find_in_window(g, x->aggregate->over) : S_OK;
}

/* --- sets of keys ------------------------------------------------------------------------------------------------ */
struct key_sets {
    uint32_t count;
    uint64_t *items;
};

static enum status set_push(struct grouping *g, struct key_sets *s, uint64_t set, const struct ast_expr *x)
{
    if (s->items == NULL) s->items = ARENA_ARRAY(g->b->a, uint64_t, SETS_MAX);
    if (s->count == SETS_MAX) return fail(g, x->place, "too many grouping sets: at most 4096");
    s->items[s->count++] = set;
    return S_OK;
}

/* A key, (), or (a, b), which stand or fall together. */
static enum status bind_key(struct grouping *g, const struct ast_expr *x, bool is_set, uint64_t *set)
{
    struct expr *key;

    *set = 0;
    if (x->kind == AX_LIST && (is_set || x->args.count == 0)) {
        for (uint32_t i = 0; i < x->args.count; i++) {
            uint64_t one;
            TRY(bind_key(g, x->args.items[i], false, &one));
            *set |= one;
        }
        return S_OK;
    }
    if (over_call_in(x) != NULL) return fail(g, x->place, "Windowed aggregate expression is illegal in GROUP BY clause");
    if (count_calls(g->b, x) > 0) return fail(g, x->place, "Aggregate expression is illegal in GROUP BY clause");
    TRY(bind_expr(&g->binder, x, &key));
    uint32_t col = key_column(g, key);
    *set = col <= SET_KEYS_MAX ? UINT64_C(1) << col : 0;
    return S_OK;
}

static enum status bind_element(struct grouping *g, const struct ast_expr *x, struct key_sets *out);

/* ROLLUP: all, then without the last, to none. CUBE: every selection. */
static enum status bind_rollup(struct grouping *g, const struct ast_expr *x, bool cube, struct key_sets *out)
{
    uint32_t n = x->args.count;
    uint64_t *parts = ARENA_ARRAY(g->b->a, uint64_t, n + 1);

    if (cube && n > 12) return fail(g, x->place, "too many grouping sets: CUBE takes at most 12 elements");
    for (uint32_t i = 0; i < n; i++) TRY(bind_key(g, x->args.items[i], true, &parts[i]));
    for (uint32_t k = cube ? 1u << n : n + 1; k-- > 0;) {
        uint64_t set = 0;
        for (uint32_t i = 0; i < n; i++)
            if (cube ? (k >> (n - 1 - i)) & 1 : i < k) set |= parts[i];
        TRY(set_push(g, out, set, x));
    }
    return S_OK;
}

static bool is_call_of(const struct ast_expr *x, const char *name)
{
    return x->kind == AX_CALL && x->op == NULL && x->name.count == 1 && str_equal_nocase(x->name.parts[0], str_of(name));
}

static enum status bind_element(struct grouping *g, const struct ast_expr *x, struct key_sets *out)
{
    uint64_t set;

    if (is_call_of(x, "ROLLUP") || is_call_of(x, "CUBE")) return bind_rollup(g, x, is_call_of(x, "CUBE"), out);
    if (is_call_of(x, "GROUPING SETS")) {
        for (uint32_t i = 0; i < x->args.count; i++) TRY(bind_element(g, x->args.items[i], out));
        return S_OK;
    }
    TRY(bind_key(g, x, true, &set));
    return set_push(g, out, set, x);
}

/* Every set of `left` with every one of `right`. */
static enum status sets_cross(struct grouping *g, struct key_sets *left, const struct key_sets *right, const struct ast_expr *x)
{
    struct key_sets out = {0};

    for (uint32_t i = 0; i < left->count; i++)
        for (uint32_t k = 0; k < right->count; k++) TRY(set_push(g, &out, left->items[i] | right->items[k], x));
    *left = out;
    return S_OK;
}

/* Sets that are there twice: dropped with DISTINCT, else Flink has no plan for them. */
static enum status sets_distinct(struct grouping *g, const struct ast_select *s, struct key_sets *sets)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < sets->count; i++) {
        uint32_t k = 0;
        while (k < n && sets->items[k] != sets->items[i]) k++;
        if (k == n) sets->items[n++] = sets->items[i];
        else if (!s->group_distinct) {
            err_hint(g->b->e, "a set of keys is there twice; write GROUP BY DISTINCT to have it once");
            return fail(g, s->group.items[0]->place, "GROUPING SETS are currently not supported.");
        }
    }
    sets->count = n;
    return S_OK;
}

static enum status bind_keys(struct grouping *g, const struct ast_select *s)
{
    struct key_sets sets = {0};
    bool is_plain = true;

    for (uint32_t i = 0; i < s->group.count; i++) {
        const struct ast_expr *x = s->group.items[i];
        struct key_sets element = {0};
        if (group_window_is(x)) {
            if (g->window.x != NULL) return fail(g, x->place, "Only a single window group function may be used in GROUP BY");
            TRY(group_window_bind(g->b, &g->binder, x, &g->window));
            continue;
        }
        if (is_plain && !is_call_of(x, "ROLLUP") && !is_call_of(x, "CUBE") && !is_call_of(x, "GROUPING SETS") && sets.count <= 1) {
            TRY(bind_element(g, x, &element));
            if (sets.count == 0) sets = element;
            else sets.items[0] |= element.items[0];
            continue;
        }
        is_plain = false;
        TRY(bind_element(g, x, &element));
        if (sets.count == 0) sets = element;
        else TRY(sets_cross(g, &sets, &element, x));
    }
    if (sets.count > 1 && g->column_count > SET_KEYS_MAX)
        return fail(g, s->group.items[0]->place, "grouping sets of more than 62 keys");
    if (sets.count > 1) TRY(sets_distinct(g, s, &sets));
    g->key_count = g->column_count;
    g->sets = sets.items;
    g->set_count = sets.count;
    return S_OK;
}

static enum status bind_calls(struct grouping *g, const struct ast_select *s, const struct ast_orders *by)
{
    for (uint32_t i = 0; i < s->item_count; i++) TRY(find_calls(g, s->items[i].x));
    for (uint32_t i = 0; i < s->window_count; i++) TRY(find_in_window(g, &s->windows[i]));
    for (uint32_t i = 0; i < by->count; i++) TRY(find_calls(g, by->items[i].x));
    TRY(find_calls(g, s->qualify));
    return find_calls(g, s->having);
}

/* --- above ------------------------------------------------------------------------------------------------------- */
static enum status not_grouped(struct grouping *g, const struct ast_expr *x)
{
    char name[256] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < x->name.count && used + x->name.parts[i].size + 2 < sizeof name; i++) {
        if (i > 0) name[used++] = '.';
        memcpy(name + used, x->name.parts[i].data, x->name.parts[i].size);
        used += x->name.parts[i].size;
    }
    err_hint(g->b->e, "add it to GROUP BY, or put it into an aggregate");
    return sql_error(g->b->e, g->b->t, x->place.at, x->place.size, "Expression '%s' is not being grouped", name);
}

/* Is it one of the grouped expressions? What does not bind below stands for something else. */
static int key_of(struct grouping *g, const struct ast_expr *x)
{
    struct err inner = {0};
    struct binder quiet = g->binder;
    struct expr *bound;

    quiet.e = &inner;
    if (count_calls(g->b, x) > 0 || bind_expr(&quiet, x, &bound) != S_OK) return -1;
    for (uint32_t i = 0; i < g->key_count; i++)
        if (expr_equal(g->columns[i], bound)) return (int)i;
    return -1;
}

/* The number of a set as Flink has it: the first key is the highest bit, set where the key is not in the set. */
static uint64_t set_number(const struct grouping *g, uint64_t set)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < g->key_count; i++) number = number << 1 | !((set >> i) & 1);
    return number;
}

static enum status number_of(struct grouping *g, uint64_t number, struct expr **out)
{
    const char *text = arena_printf(g->b->a, "%llu", (unsigned long long)number);

    return expr_constant(&g->binder.m, type_new(g->b->a, T_BIGINT, 0, 0, false), str_of(text), out, g->b->e);
}

/* GROUPING(a, b): which of them are not in the set. CASE over the number of the set. */
static enum status bind_grouping(struct grouping *g, const struct ast_expr *x, struct expr **out)
{
    struct expr_maker *m = &g->binder.m;
    struct expr **branches = ARENA_ARRAY(g->b->a, struct expr *, 2 * (size_t)g->set_count + 1), *equal[2];
    bool is_id = is_call_of(x, "GROUP_ID");
    uint32_t n = 0;

    if (x->aggregate != NULL && x->aggregate->distinct) return fail(g, x->place, "DISTINCT/ALL not allowed with GROUPING function");
    if (is_id != (x->args.count == 0)) return bind_wrong_count(&g->binder, x, is_id ? "0" : "1 or more");
    for (uint32_t s = 0; s < MAX(g->set_count, 1u); s++) {
        uint64_t number = 0;
        for (uint32_t i = 0; i < x->args.count; i++) {
            int key = key_of(g, x->args.items[i]);
            if (key < 0) return fail(g, x->args.items[i]->place, "Argument to GROUPING operator must be a grouped expression");
            number = number << 1 | (has_sets(g) && !((g->sets[s] >> key) & 1));
        }
        TRY(number_of(g, number, &branches[n + 1]));
        if (!has_sets(g) || is_id) {
            *out = branches[n + 1];
            return S_OK;
        }
        equal[0] = expr_column(m, g->row, g->key_cols[g->key_count]);
        TRY(number_of(g, set_number(g, g->sets[s]), &equal[1]));
        TRY(expr_call(m, STR("="), equal, 2, &branches[n], g->b->e));
        n += 2;
    }
    branches[n - 2] = branches[n - 1]; /* the last one is ELSE */
    return expr_branch(m, EXPR_CASE, branches, n - 1, out, g->b->e);
}

/* TUMBLE_START(..): a column of the aggregation, behind its calls. */
static enum status bind_part(struct grouping *g, const struct ast_expr *x, enum group_window_part part, struct expr **out)
{
    TRY(group_window_check_part(g->b, &g->binder, x, &g->window));
    if (part == GROUP_WINDOW_PROCTIME) return expr_call(&g->binder.m, STR("PROCTIME"), NULL, 0, out, g->b->e);
    if (part == GROUP_WINDOW_ROWTIME && g->window.window.processing_time) {
        err_hint(g->b->e, "%s_PROCTIME is the processing time", g->window.name);
        return fail(g, x->place, "a window of processing time has no rowtime");
    }
    *out = expr_column(&g->binder.m, g->row, g->first_call + g->call_count + (uint32_t)part);
    return S_OK;
}

static bool is_around(const struct expr *x)
{
    while (x->count > 0) x = x->args[0]; /* a field of a column */
    return x->kind == EXPR_OUTER;
}

static enum status above(struct binder *b, const struct ast_expr *x, struct expr **out, bool *done)
{
    struct grouping *g = b->arg;
    enum group_window_part part;
    struct expr *below;

    *done = true;
    if (group_window_is_part(x, &part)) return bind_part(g, x, part, out);
    if (group_window_is(x))
        return fail(g, x->place, arena_printf(g->b->a, "Group function '$%.*s' can only appear in GROUP BY clause",
                                              (int)x->name.parts[0].size, x->name.parts[0].data));
    for (uint32_t i = 0; i < g->use_count; i++) {
        if (g->uses[i].x != x) continue;
        *out = expr_column(&b->m, g->row, g->first_call + g->uses[i].number);
        return g->uses[i].above != NULL ? g->uses[i].above(&b->m, *out, out, g->b->e) : S_OK;
    }
    if (is_call_of(x, "GROUPING") || is_call_of(x, "GROUPING_ID") || is_call_of(x, "GROUP_ID")) return bind_grouping(g, x, out);
    if (bind_is_unknown(&g->binder, x)) return bind_expr(&g->binder, x, out); /* which says so */
    int key = x->kind == AX_LITERAL && !has_sets(g) ? -1 : key_of(g, x); /* in a set without it a constant key is NULL, too */
    if (key >= 0) {
        *out = expr_column(&b->m, g->row, g->key_cols[key]);
        return S_OK;
    }
    if (x->kind == AX_NAME) {
        TRY(bind_expr(&g->binder, x, &below)); /* an unknown name is said to be unknown */
        *out = below; /* of a query around: the same for all rows */
        return is_around(below) ? S_OK : not_grouped(g, x);
    }
    *done = false;
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
/* Columns keep the names of plain columns, others are $f<number>. */
static struct rel *calc_below(struct grouping *g, struct rel *input, struct expr *condition)
{
    const char **names = ARENA_ARRAY(g->b->a, const char *, MAX(g->column_count, 1u));

    for (uint32_t i = 0; i < g->column_count; i++) {
        const struct expr *x = g->columns[i];
        bool is_plain = x->kind == EXPR_COLUMN;
        for (uint32_t k = 0; is_plain && k < i; k++) is_plain = !expr_equal(g->columns[k], x); /* a key that is an argument, too */
        names[i] = is_plain ? input->row->names[x->col] : arena_printf(g->b->a, "$f%u", i);
    }
    if (g->column_count == 0) { /* COUNT(*) of everything reads no column, but rows there must be */
        g->columns[0] = expr_column(&g->binder.m, input->row, 0);
        names[0] = input->row->names[0];
        g->column_count = 1;
    }
    struct calc_body c = {.condition = condition, .count = g->column_count, .columns = g->columns};
    return rel_calc(g->b->a, input, &c, names);
}

/* Each row for each set, with the number of the set behind the keys. Arguments and filters move one column on. */
static enum status expand(struct grouping *g, struct rel *input, struct rel **out)
{
    uint32_t n = input->row->child_count + 1, keys = g->key_count;
    struct expr **columns = ARENA_ARRAY(g->b->a, struct expr *, (size_t)n * g->set_count);
    const char **names = ARENA_ARRAY(g->b->a, const char *, n);

    for (uint32_t s = 0; s < g->set_count; s++)
        for (uint32_t i = 0; i < n; i++) {
            struct expr *x = i == keys ? NULL : expr_column(&g->binder.m, input->row, i - (i > keys));
            if (i == keys) TRY(number_of(g, set_number(g, g->sets[s]), &x));
            if (i < keys && !((g->sets[s] >> i) & 1)) x = expr_null(&g->binder.m, type_with_null(g->b->a, x->type, true));
            columns[s * n + i] = x;
            names[i] = i == keys ? "$e" : input->row->names[i - (i > keys)];
        }
    *out = rel_expand(g->b->a, input, &(struct expand_body){g->set_count, n, columns}, names);
    for (uint32_t i = 0; i < g->call_count; i++) {
        if (g->calls[i].argument >= 0) g->calls[i].argument++;
        if (g->calls[i].filter >= 0) g->calls[i].filter++;
    }
    return S_OK;
}

static size_t count_keys(const struct ast_list *group)
{
    size_t n = group->count;

    for (uint32_t i = 0; i < group->count; i++) n += count_keys(&group->items[i]->args);
    return n;
}

/* Sessions are of their own keys: an aggregation by others has nothing of them. */
static bool is_by_sessions(const struct grouping *g, const struct rel_window *w)
{
    uint32_t keys = 0, found = 0;

    if (w->kind != WINDOW_SESSION) return true;
    for (uint32_t i = 0; i < g->key_count; i++) keys += (int)i != w->start && (int)i != w->end && (int)i != w->time;
    for (uint32_t i = 0; i < w->partition_count; i++) found += w->partition[i] >= 0 && (uint32_t)w->partition[i] < g->key_count;
    return found == w->partition_count && keys == w->partition_count;
}

/* Grouped by start and end of the windows of the rows? Then windows end, and each has one row. */
static bool is_windowed(const struct grouping *g, const struct rel *below)
{
    const struct rel_window *w = below->window;

    if (w == NULL || w->start < 0 || w->end < 0) return false;
    return (uint32_t)w->start < g->key_count && (uint32_t)w->end < g->key_count && is_by_sessions(g, w);
}

/* Columns of the calc below that are no window's are its keys; they come first, then calls, then the window's. */
static struct rel *aggregate_windows(struct grouping *g, struct rel *below, struct aggregate_body *body)
{
    const struct rel_window *w = below->window;
    uint32_t *keys = ARENA_ARRAY(g->b->a, uint32_t, all_keys(g) + 1), n = 0;

    for (uint32_t i = 0; i < all_keys(g); i++) {
        if ((int)i == w->start || (int)i == w->end || (int)i == w->time) continue;
        g->key_cols[i] = n;
        keys[n++] = i;
    }
    uint32_t first = n + g->call_count;
    g->first_call = n;
    g->key_cols[w->start] = first;
    g->key_cols[w->end] = first + 1;
    if (w->time >= 0 && (uint32_t)w->time < g->key_count) g->key_cols[w->time] = first + 2;
    body->keys = keys;
    body->key_count = n;
    return bind_window_aggregate(g->b, below, body);
}

/* GROUP BY k, TUMBLE(ts, ..): all keys are those of the aggregation, and of its sessions. */
static struct rel *aggregate_group_windows(struct grouping *g, struct rel *below, const struct aggregate_body *groups)
{
    struct window_aggregate_body body = {.groups = *groups,
                                         .window = g->window.window,
                                         .rowtime = (int)g->window_time,
                                         .emit = g->window.emit,
                                         .is_group_window = true,
                                         .shows_window = g->asks_for_window};
    int *partition = ARENA_ARRAY(g->b->a, int, g->key_count + 1);

    for (uint32_t i = 0; i < g->key_count; i++) partition[i] = (int)i;
    body.window.partition = partition;
    body.window.partition_count = g->key_count;
    return rel_window_aggregate(g->b->a, below, &body);
}

enum status grouping_bind(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_source *from,
                          struct expr *condition, struct binder *x, struct grouping **out)
{
    struct grouping *g = ARENA_NEW(b->a, struct grouping);
    uint32_t calls = count_all(b, s, by);

    *g = (struct grouping){.b = b, .below = from->scope, .binder = *x};
    g->binder.scope = &g->below;
    g->columns = ARENA_ARRAY(b->a, struct expr *, count_keys(&s->group) + 2 * (size_t)calls + 1);
    g->calls = ARENA_ARRAY(b->a, struct aggregate_call, calls + 1);
    g->uses = ARENA_ARRAY(b->a, struct call_of, calls + 1);
    TRY(bind_keys(g, s));
    if (g->window.x != NULL && has_sets(g))
        return fail(g, g->window.x->place, "a window function of GROUP BY beside grouping sets is not supported");
    if (g->window.x != NULL) g->window_time = column_of(g, g->window.time);
    TRY(bind_calls(g, s, by));
    TRY(bind_keys_fit(b, s->place, all_keys(g)));
    g->binder.query = NULL; /* from here on sub-queries are put above the aggregation */
    g->key_cols = ARENA_ARRAY(b->a, uint32_t, all_keys(g) + 1);
    for (uint32_t i = 0; i < all_keys(g); i++) g->key_cols[i] = i;
    g->first_call = all_keys(g);
    TRY(bind_width(b, s->place, (size_t)g->column_count + g->call_count));
    struct rel *below = calc_below(g, from->rel, condition);
    if (has_sets(g)) TRY(expand(g, below, &below));
    struct aggregate_body body = {.key_count = all_keys(g), .call_count = g->call_count, .keys = g->key_cols, .calls = g->calls,
                                  .ttl = bind_hint_ttl(b, s->from)};
    bool windowed = g->window.x == NULL && is_windowed(g, below);
    if (windowed) TRY(bind_window_groups(b, s, below->window));
    if (g->window.x != NULL) from->rel = aggregate_group_windows(g, below, &body);
    else from->rel = windowed ? aggregate_windows(g, below, &body) : rel_aggregate(b->a, below, &body);
    g->row = from->rel->row;
    x->special = above;
    x->arg = g;
    *out = g;
    return S_OK;
}
