/* bind_group.c - GROUP BY: below the aggregation a Calc computes the grouped expressions, the arguments and the filters of aggregate
 * calls; above it each of these calls, and each expression that is grouped, is a column. Equal calls are computed once. With more than
 * one set of keys an Expand repeats each row for each of them, keys outside the set NULL, and its number is one key more.
 *
 * Not here: the calls (bind_group_calls.c), the keys and their sets (bind_group_sets.c). */
#include "language/sql/bind_group.h"
#include "language/sql/bind_group_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_hint.h"
#include "language/sql/bind_unknown.h"
#include "language/sql/bind_window.h"
#include "language/sql/token.h"

#include <string.h>

/* Keys of the aggregation: those of the statement, and the number of the set. */
static uint32_t all_keys(const struct grouping *g) { return g->key_count + grouping_has_sets(g); }

/* --- below ------------------------------------------------------------------------------------------------------- */
uint32_t grouping_column_of(struct grouping *g, struct expr *x)
{
    for (uint32_t i = grouping_has_sets(g) ? g->key_count : 0; i < g->column_count; i++)
        if (expr_equal(g->columns[i], x)) return i;
    g->columns[g->column_count] = x;
    return g->column_count++;
}

enum status grouping_fail(struct grouping *g, struct ast_place place, const char *text)
{
    return sql_error(g->b->e, g->b->t, place.at, place.size, "%s", text);
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
    if (aggregate_calls_count(g->b, x) > 0 || bind_expr(&quiet, x, &bound) != S_OK) return -1;
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
    bool is_id = grouping_is_form(x, "GROUP_ID");
    uint32_t n = 0;

    if (x->aggregate != NULL && x->aggregate->distinct) return grouping_fail(g, x->place, "DISTINCT/ALL not allowed with GROUPING function");
    if (is_id != (x->args.count == 0)) return bind_wrong_count(&g->binder, x, is_id ? "0" : "1 or more");
    for (uint32_t s = 0; s < MAX(g->set_count, 1u); s++) {
        uint64_t number = 0;
        for (uint32_t i = 0; i < x->args.count; i++) {
            int key = key_of(g, x->args.items[i]);
            if (key < 0) return grouping_fail(g, x->args.items[i]->place, "Argument to GROUPING operator must be a grouped expression");
            number = number << 1 | (grouping_has_sets(g) && !((g->sets[s] >> key) & 1));
        }
        TRY(number_of(g, number, &branches[n + 1]));
        if (!grouping_has_sets(g) || is_id) {
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
        return grouping_fail(g, x->place, "a window of processing time has no rowtime");
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
        return grouping_fail(g, x->place, arena_printf(g->b->a, "Group function '$%.*s' can only appear in GROUP BY clause",
                                              (int)x->name.parts[0].size, x->name.parts[0].data));
    for (uint32_t i = 0; i < g->use_count; i++) {
        if (g->uses[i].x != x) continue;
        *out = expr_column(&b->m, g->row, g->first_call + g->uses[i].number);
        return g->uses[i].above != NULL ? g->uses[i].above(&b->m, *out, out, g->b->e) : S_OK;
    }
    if (grouping_is_form(x, "GROUPING") || grouping_is_form(x, "GROUPING_ID") || grouping_is_form(x, "GROUP_ID")) return bind_grouping(g, x, out);
    if (bind_is_unknown(&g->binder, x)) return bind_expr(&g->binder, x, out); /* which says so */
    int key = x->kind == AX_LITERAL && !grouping_has_sets(g) ? -1 : key_of(g, x); /* in a set without it a constant key is NULL, too */
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

static struct ast_place list_place(const struct ast_list *list)
{
    struct ast_place from = list->items[0]->place, to = list->items[list->count - 1]->place;

    return (struct ast_place){from.at, to.at + to.size - from.at};
}

enum status grouping_bind(struct query_binder *b, const struct ast_select *s, const struct ast_orders *by, struct bind_source *from,
                          struct expr *condition, struct binder *x, struct grouping **out)
{
    struct grouping *g = ARENA_NEW(b->a, struct grouping);
    uint32_t calls = grouping_calls_count(b, s, by);

    *g = (struct grouping){.b = b, .below = from->scope, .binder = *x};
    g->binder.scope = &g->below;
    g->columns = ARENA_ARRAY(b->a, struct expr *, count_keys(&s->group) + 2 * (size_t)calls + 1);
    g->key_texts = ARENA_ARRAY(b->a, const char *, count_keys(&s->group) + 1);
    g->calls = ARENA_ARRAY(b->a, struct aggregate_call, calls + 1);
    g->uses = ARENA_ARRAY(b->a, struct call_of, calls + 1);
    TRY(grouping_bind_keys(g, s));
    if (g->window.x != NULL && grouping_has_sets(g))
        return grouping_fail(g, g->window.x->place, "a window function of GROUP BY beside grouping sets is not supported");
    if (g->window.x != NULL) g->window_time = grouping_column_of(g, g->window.time);
    TRY(grouping_bind_calls(g, s, by));
    TRY(bind_keys_fit(b, s->place, all_keys(g)));
    g->binder.query = NULL; /* from here on sub-queries are put above the aggregation */
    g->key_cols = ARENA_ARRAY(b->a, uint32_t, all_keys(g) + 1);
    for (uint32_t i = 0; i < all_keys(g); i++) g->key_cols[i] = i;
    g->first_call = all_keys(g);
    TRY(bind_width(b, s->place, (size_t)g->column_count + g->call_count));
    struct rel *below = calc_below(g, from->rel, condition);
    if (grouping_has_sets(g)) TRY(expand(g, below, &below));
    struct aggregate_body body = {.key_count = all_keys(g), .call_count = g->call_count, .keys = g->key_cols, .calls = g->calls,
                                  .ttl = bind_hint_ttl(b, s->from)};
    bool windowed = g->window.x == NULL && is_windowed(g, below);
    if (windowed) TRY(bind_window_groups(b, s, below->window));
    if (g->window.x != NULL) from->rel = aggregate_group_windows(g, below, &body);
    else from->rel = windowed ? aggregate_windows(g, below, &body) : rel_aggregate(b->a, below, &body);
    if (s->group.count > 0) bind_said(b, from->rel, list_place(&s->group));
    g->row = from->rel->row;
    x->special = above;
    x->arg = g;
    x->row = g->row;
    *out = g;
    return S_OK;
}
