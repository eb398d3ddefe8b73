/* bind_group_sets.c - the keys of GROUP BY. GROUPING SETS, ROLLUP and CUBE become a list of sets of keys, a bit each; several elements of
 * GROUP BY give every union of theirs, and GROUP BY DISTINCT each once. */
#include "language/sql/bind_group_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_over.h"
#include "language/sql/print.h"
#include "language/sql/token.h"

#include <string.h>

enum { SETS_MAX = 4096, SET_KEYS_MAX = 62 };

struct key_sets {
    uint32_t count;
    uint64_t *items;
};

static enum status set_push(struct grouping *g, struct key_sets *s, uint64_t set, const struct ast_expr *x)
{
    if (s->items == NULL) s->items = ARENA_ARRAY(g->b->a, uint64_t, SETS_MAX);
    if (s->count == SETS_MAX) return grouping_fail(g, x->place, "too many grouping sets: at most 4096");
    s->items[s->count++] = set;
    return S_OK;
}

/* Constants are one key only where they are written alike: 1 + 1 and 2 are two, whatever the planner makes of them. */
static uint32_t key_column(struct grouping *g, struct expr *key, const char *text)
{
    for (uint32_t i = 0; i < g->column_count; i++)
        if (expr_equal(g->columns[i], key) && (key->kind != EXPR_CONSTANT || strcmp(g->key_texts[i], text) == 0)) return i;
    g->columns[g->column_count] = key;
    g->key_texts[g->column_count] = text;
    return g->column_count++;
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
    if (over_call_in(x) != NULL) return grouping_fail(g, x->place, "Windowed aggregate expression is illegal in GROUP BY clause");
    if (aggregate_calls_count(g->b, x) > 0) return grouping_fail(g, x->place, "Aggregate expression is illegal in GROUP BY clause");
    TRY(bind_expr(&g->binder, x, &key));
    uint32_t col = key_column(g, key, print_expr_text(g->b->a, x));
    *set = col <= SET_KEYS_MAX ? UINT64_C(1) << col : 0;
    return S_OK;
}

static enum status bind_element(struct grouping *g, const struct ast_expr *x, struct key_sets *out);

/* ROLLUP: all, then without the last, to none. CUBE: every selection. */
static enum status bind_rollup(struct grouping *g, const struct ast_expr *x, bool cube, struct key_sets *out)
{
    uint32_t n = x->args.count;
    uint64_t *parts = ARENA_ARRAY(g->b->a, uint64_t, n + 1);

    if (cube && n > 12) return grouping_fail(g, x->place, "too many grouping sets: CUBE takes at most 12 elements");
    for (uint32_t i = 0; i < n; i++) TRY(bind_key(g, x->args.items[i], true, &parts[i]));
    for (uint32_t k = cube ? 1u << n : n + 1; k-- > 0;) {
        uint64_t set = 0;
        for (uint32_t i = 0; i < n; i++)
            if (cube ? (k >> (n - 1 - i)) & 1 : i < k) set |= parts[i];
        TRY(set_push(g, out, set, x));
    }
    return S_OK;
}

bool grouping_is_form(const struct ast_expr *x, const char *name)
{
    return x->kind == AX_CALL && x->op == NULL && x->name.count == 1 && str_equal_nocase(x->name.parts[0], str_of(name));
}

static enum status bind_element(struct grouping *g, const struct ast_expr *x, struct key_sets *out)
{
    uint64_t set;

    if (grouping_is_form(x, "ROLLUP") || grouping_is_form(x, "CUBE")) return bind_rollup(g, x, grouping_is_form(x, "CUBE"), out);
    if (grouping_is_form(x, "GROUPING SETS")) {
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
            return grouping_fail(g, s->group.items[0]->place, "GROUPING SETS are currently not supported.");
        }
    }
    sets->count = n;
    return S_OK;
}

enum status grouping_bind_keys(struct grouping *g, const struct ast_select *s)
{
    struct key_sets sets = {0};
    bool is_plain = true;

    for (uint32_t i = 0; i < s->group.count; i++) {
        const struct ast_expr *x = s->group.items[i];
        struct key_sets element = {0};
        if (group_window_is(x)) {
            if (g->window.x != NULL) return grouping_fail(g, x->place, "Only a single window group function may be used in GROUP BY");
            TRY(group_window_bind(g->b, &g->binder, x, &g->window));
            continue;
        }
        if (is_plain && !grouping_is_form(x, "ROLLUP") && !grouping_is_form(x, "CUBE") && !grouping_is_form(x, "GROUPING SETS") && sets.count <= 1) {
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
        return grouping_fail(g, s->group.items[0]->place, "grouping sets of more than 62 keys");
    if (sets.count > 1) TRY(sets_distinct(g, s, &sets));
    g->key_count = g->column_count;
    g->sets = sets.items;
    g->set_count = sets.count;
    return S_OK;
}
