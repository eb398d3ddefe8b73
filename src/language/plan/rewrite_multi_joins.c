/* rewrite_multi_joins.c - joins that stand on one another and have a key in common as one node (table.optimizer.multi-join.enabled, or the
 * hint MULTI_JOIN): inner and left joins whose left side is such a join again.
 *
 * The idea: a chain of joins of two is laid out over one row that has the columns of all its inputs. A key is a list of columns, one per
 * input, that are equal in all rows that meet; the first join's equations begin such lists, and each further join either says that a
 * column of its right side equals one of a list, or the list ends. Where none is left another chain begins.
 *
 * Of each join's condition what the common key says is left out; it is enough that the other side's input has a row where it may have
 * none. Two inputs alone stay a Join. Conditions that could fail, or are not the same each time, end a chain, too: they would be asked of
 * other rows. */
#include "language/plan/conditions.h"
#include "language/plan/multi_join_rel.h"
#include "language/plan/rel_internal.h"

#include "flow/operator/op.h"
#include "ground/base/str.h"

#include <string.h>

enum { KEYS_MAX = OP_KEYS_MAX };

struct equation {
    uint32_t left, right; /* of all columns */
    bool null_safe;
};

/* One of the joins: how input i is met. */
struct step {
    bool is_left;
    uint32_t equation_count;
    struct equation *equations;
    struct expr *condition; /* over the columns of both sides of the join */
    const struct type *pair;
    uint32_t *cols; /* which of all columns those are */
};

struct chain {
    struct arena *a;
    uint32_t count, column_count, key_count;
    struct rel *inputs[OP_INPUTS_MAX];
    uint32_t first[OP_INPUTS_MAX + 1];
    struct step steps[OP_INPUTS_MAX];
    struct rel_ttl ttl[OP_INPUTS_MAX];
    uint32_t (*keys)[OP_INPUTS_MAX]; /* KEYS_MAX lists: of all columns */
};

/* --- which joins ------------------------------------------------------------------------------------------------- */
static const struct calc_body *plain_calc(const struct rel *r)
{
    const struct calc_body *c = r->body;

    if (r->type != &rel_calc_type || c->condition != NULL || c->count == 0 || c->alone) return NULL;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->columns[i]->kind != EXPR_COLUMN) return NULL;
    return c;
}

static bool is_hinted(const struct join_body *b)
{
    for (uint32_t i = 0; i < b->hints.count; i++)
        if (strcmp(b->hints.items[i].name, "MULTI_JOIN") == 0) return true;
    return false;
}

/* all: without a hint, too. */
static bool fits(const struct rel *r, bool all)
{
    const struct join_body *b = r->body;

    if (r->type != &rel_join_type || r->at_end || (b->kind != REL_JOIN_INNER && b->kind != REL_JOIN_LEFT)) return false;
    return (all || is_hinted(b)) && (b->condition == NULL || (b->condition->det == FN_PURE && !b->condition->may_fail));
}

/* --- laying out -------------------------------------------------------------------------------------------------- */
static void input_add(struct chain *c, struct rel *r, struct rel_ttl ttl)
{
    c->inputs[c->count] = r;
    c->ttl[c->count] = ttl;
    c->first[c->count++] = c->column_count;
    c->column_count += r->row->child_count;
    c->first[c->count] = c->column_count;
}

/* The join of what is there and its right side. cols: which of all columns those of its left side are, then those of its right one. */
static void step_add(struct chain *c, const struct rel *r, uint32_t *cols)
{
    const struct join_body *b = r->body;
    uint32_t left = r->inputs[0]->row->child_count;
    struct step *s = &c->steps[c->count];

    input_add(c, r->inputs[1], b->ttl[1]);
    for (uint32_t i = 0; i < r->inputs[1]->row->child_count; i++) cols[left + i] = c->first[c->count - 1] + i;
    *s = (struct step){
        .is_left = b->kind == REL_JOIN_LEFT, .equation_count = b->key_count, .condition = b->condition, .cols = cols};
    s->equations = ARENA_ARRAY(c->a, struct equation, b->key_count + 1);
    s->pair = rel_join_row(c->a, REL_JOIN_INNER, r->inputs[0]->row, r->inputs[1]->row, b->names);
    for (uint32_t i = 0; i < b->key_count; i++)
        s->equations[i] = (struct equation){cols[b->keys[0][i]], cols[left + b->keys[1][i]], b->null_safe[i]};
}

/* The lists that the equations of input i go on; answers how many. out: their columns. */
static uint32_t keys_go_on(const struct chain *c, const struct step *s, uint32_t i, uint32_t (*out)[OP_INPUTS_MAX])
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < c->key_count; k++) {
        bool found = false;
        for (uint32_t e = 0; e < s->equation_count && !found; e++) {
            for (uint32_t j = 0; j < i && !found; j++)
                found = !s->equations[e].null_safe && c->keys[k][j] == s->equations[e].left;
            if (!found) continue;
            memcpy(out[count], c->keys[k], sizeof out[count]);
            out[count++][i] = s->equations[e].right;
        }
    }
    return count;
}

static void keys_begin(struct chain *c)
{
    const struct step *s = &c->steps[1];

    c->key_count = 0;
    for (uint32_t e = 0; e < s->equation_count && c->key_count < KEYS_MAX; e++) {
        if (s->equations[e].null_safe) continue;
        c->keys[c->key_count][0] = s->equations[e].left;
        c->keys[c->key_count++][1] = s->equations[e].right;
    }
}

/* The chain whose last join is r, or NULL: r has no key. *cols: which of all columns those of r are. */
static struct chain *chain_of(struct arena *a, struct rel *r, bool all, uint32_t **cols);

/* The same of what stands below plain Calcs. */
static struct chain *chain_below(struct arena *a, struct rel *r, bool all, uint32_t **cols)
{
    const struct calc_body *c = plain_calc(r);
    uint32_t *below;

    if (c == NULL) return fits(r, all) ? chain_of(a, r, all, cols) : NULL;
    struct chain *out = chain_below(a, r->inputs[0], all, &below);
    if (out == NULL) return NULL;
    *cols = ARENA_ARRAY(a, uint32_t, c->count + 1);
    for (uint32_t i = 0; i < c->count; i++) (*cols)[i] = below[c->columns[i]->col];
    return out;
}

static bool goes_on(struct chain *c, const struct rel *r, const uint32_t *left, uint32_t *cols)
{
    uint32_t(*keys)[OP_INPUTS_MAX] = arena_zalloc(c->a, sizeof *keys * KEYS_MAX), n = r->inputs[0]->row->child_count;

    if (c->count == OP_INPUTS_MAX || c->column_count + r->inputs[1]->row->child_count > TYPE_FIELDS_MAX) return false;
    memcpy(cols, left, sizeof *cols * n);
    step_add(c, r, cols);
    c->key_count = keys_go_on(c, &c->steps[c->count - 1], c->count - 1, keys);
    c->keys = keys;
    return c->key_count > 0;
}

static struct chain *chain_of(struct arena *a, struct rel *r, bool all, uint32_t **cols)
{
    const struct join_body *b = r->body;
    uint32_t n = r->inputs[0]->row->child_count + r->inputs[1]->row->child_count, *left;
    struct chain *c = chain_below(a, r->inputs[0], all, &left);

    *cols = ARENA_ARRAY(a, uint32_t, n + 1);
    if (c != NULL && goes_on(c, r, left, *cols)) return c;
    if (n > TYPE_FIELDS_MAX) return NULL;
    c = ARENA_NEW(a, struct chain);
    *c = (struct chain){.a = a, .keys = arena_zalloc(a, sizeof *c->keys * KEYS_MAX)};
    input_add(c, r->inputs[0], b->ttl[0]);
    for (uint32_t i = 0; i < r->inputs[0]->row->child_count; i++) (*cols)[i] = i;
    step_add(c, r, *cols);
    keys_begin(c);
    return c->key_count > 0 ? c : NULL;
}

/* --- conditions -------------------------------------------------------------------------------------------------- */
static uint32_t input_of(const struct chain *c, uint32_t col)
{
    uint32_t i = 0;

    while (col >= c->first[i + 1]) i++;
    return i;
}

/* Is it said by the common key? Then *required is the input that must have a row, or -1 where it always has. */
static bool is_of_key(const struct chain *c, const struct equation *e, uint32_t input, int *required)
{
    uint32_t other = input_of(c, e->left);

    *required = -1;
    for (uint32_t k = 0; k < c->key_count && !e->null_safe; k++) {
        if (c->keys[k][input] != e->right || c->keys[k][other] != e->left) continue;
        if (other > 0 && c->steps[other].is_left) *required = (int)other;
        return true;
    }
    return false;
}

static struct expr *equal(const struct chain *c, const struct expr_maker *m, const struct type *row,
                          const struct equation *e)
{
    struct expr *sides[] = {expr_column(m, row, e->left), expr_column(m, row, e->right)}, *out = NULL;
    struct err err = {0};

    enum status st = expr_call(m, e->null_safe ? STR("IS NOT DISTINCT FROM") : STR("="), sides, 2, &out, &err);
    (void)c;
    ASSERT(st == S_OK); /* it was a key of a join */
    return out;
}

/* What is asked of the rows of an input besides the key. */
static struct expr *condition_of(const struct chain *c, uint32_t input, const struct type *row, uint32_t *required)
{
    const struct step *s = &c->steps[input];
    struct expr_maker m = {.a = c->a};
    struct conditions all = {0};
    int other;

    *required = 0;
    for (uint32_t i = 0; i < s->equation_count; i++) {
        if (!is_of_key(c, &s->equations[i], input, &other))
            conditions_add(c->a, &all, equal(c, &m, row, &s->equations[i]));
        else if (other >= 0)
            *required |= 1u << other;
    }
    if (s->condition != NULL) {
        struct expr **columns = ARENA_ARRAY(c->a, struct expr *, s->pair->child_count + 1);
        for (uint32_t i = 0; i < s->pair->child_count; i++) columns[i] = expr_column(&m, row, s->cols[i]);
        conditions_add(c->a, &all, expr_substitute(c->a, s->condition, columns));
    }
    return conditions_all(&m, &all);
}

static const char *where_of(const struct chain *c, uint32_t input, const struct type *row)
{
    const struct step *s = &c->steps[input];
    struct type pair = {.child_count = s->pair->child_count};
    const char **names = ARENA_ARRAY(c->a, const char *, pair.child_count + 1);
    struct buf out;
    uint32_t terms = s->equation_count + (s->condition != NULL);

    buf_init(&out, c->a->mem);
    for (uint32_t i = 0; i < pair.child_count; i++) names[i] = row->names[s->cols[i]];
    pair.names = names;
    if (terms > 1) buf_append_byte(&out, '(');
    for (uint32_t i = 0; i < s->equation_count; i++)
        buf_printf(&out, "%s(%s %s %s)", i > 0 ? " AND " : "", row->names[s->equations[i].left],
                   s->equations[i].null_safe ? "IS NOT DISTINCT FROM" : "=", row->names[s->equations[i].right]);
    if (s->condition != NULL && s->equation_count > 0) buf_append_text(&out, " AND ");
    if (s->condition != NULL) expr_print(s->condition, &pair, &out);
    if (terms > 1) buf_append_byte(&out, ')');
    const char *text = arena_strndup(c->a, out.data, out.size);
    buf_release(&out);
    return text;
}

/* --- building ---------------------------------------------------------------------------------------------------- */
/* Of all columns, each once: as the joins called them, as far as they come out. */
static const char *const *names_of(const struct chain *c, const struct rel *r, const uint32_t *cols)
{
    const char **names = arena_zalloc(c->a, sizeof *names * (c->column_count + 1));

    for (uint32_t i = 0; i < r->row->child_count; i++) names[cols[i]] = r->row->names[i];
    for (uint32_t i = 0; i < c->column_count; i++) {
        const char *name = c->inputs[input_of(c, i)]->row->names[i - c->first[input_of(c, i)]], *tried = name;
        if (names[i] != NULL) continue;
        for (uint32_t k = 0, again = 1; again; k++) {
            again = 0;
            for (uint32_t j = 0; j < c->column_count && !again; j++)
                again = names[j] != NULL && strcmp(names[j], tried) == 0;
            if (again) tried = arena_printf(c->a, "%s%u", name, k);
        }
        names[i] = tried;
    }
    return names;
}

static const struct type *row_named(const struct chain *c, const char *const *names)
{
    const struct type **types = ARENA_ARRAY(c->a, const struct type *, c->column_count + 1);

    for (uint32_t i = 0; i < c->column_count; i++) {
        uint32_t input = input_of(c, i);
        const struct type *t = c->inputs[input]->row->children[i - c->first[input]];
        if (t->time_kind != TIME_NONE) t = type_with_time(c->a, t, TIME_NONE);
        types[i] = input > 0 && c->steps[input].is_left ? type_with_null(c->a, t, true) : t;
    }
    return type_row(c->a, c->column_count, names, types, false);
}

static struct rel *node_of(struct chain *c, const struct rel *r, const uint32_t *cols)
{
    struct multi_join_body b = {
        .key_count = c->key_count, .names = names_of(c, r, cols), .ttl = c->ttl, .chain = r, .cols = cols};
    const struct type *row = row_named(c, b.names);
    bool *is_left = arena_zalloc(c->a, sizeof *is_left * c->count);
    const char **where = arena_zalloc(c->a, sizeof *where * c->count);
    uint32_t *required = arena_zalloc(c->a, sizeof *required * c->count);
    uint32_t **keys = ARENA_ARRAY(c->a, uint32_t *, c->count);
    struct expr **conditions = arena_zalloc(c->a, sizeof *conditions * c->count);

    for (uint32_t i = 0; i < c->count; i++) {
        keys[i] = ARENA_ARRAY(c->a, uint32_t, c->key_count);
        for (uint32_t k = 0; k < c->key_count; k++) keys[i][k] = c->keys[k][i] - c->first[i];
        if (i == 0) continue;
        is_left[i] = c->steps[i].is_left;
        conditions[i] = condition_of(c, i, row, &required[i]);
        where[i] = where_of(c, i, row);
    }
    b.is_left = is_left;
    b.keys = (const uint32_t *const *)keys;
    b.conditions = conditions;
    b.required = required;
    b.where = where;
    return rel_multi_join_node(c->a, c->inputs, c->count, &b);
}

/* r's columns of what was made. */
static struct rel *under(struct arena *a, const struct rel *r, const uint32_t *cols, struct rel *made)
{
    struct expr_maker m = {.a = a};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, r->row->child_count + 1);
    bool same = r->row->child_count == made->row->child_count;

    for (uint32_t i = 0; i < r->row->child_count; i++) same &= cols[i] == i;
    if (same) {
        made->row = r->row; /* what reads it was made for columns that may be NULL */
        return made;
    }
    for (uint32_t i = 0; i < r->row->child_count; i++) columns[i] = expr_column(&m, made->row, cols[i]);
    struct rel *out = rel_calc(a, made, &(struct calc_body){.count = r->row->child_count, .columns = columns},
                               r->row->names);
    out->row = r->row;
    return out;
}

static struct rel *over_others(struct arena *a, struct rel *r, bool all)
{
    struct rel **inputs = ARENA_ARRAY(a, struct rel *, r->input_count + 1);
    bool same = true;

    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = rel_multi_joins(a, r->inputs[i], all);
        same &= inputs[i] == r->inputs[i];
    }
    if (same) return r;
    if (r->type != &rel_calc_type) return rel_over_inputs(a, r, inputs, r->at_end);
    struct rel *out = rel_calc(a, inputs[0], r->body, r->row->names); /* with a Calc below it is one */
    out->row = r->row;
    return out;
}

struct rel *rel_multi_joins(struct arena *a, struct rel *r, bool all)
{
    uint32_t *cols;

    if (r->in_joins != NULL) return r->in_joins;
    struct chain *c = fits(r, all) ? chain_of(a, r, all, &cols) : NULL;
    if (c == NULL || c->count < 3) {
        r->in_joins = rel_say_as(over_others(a, r, all), r);
        return r->in_joins;
    }
    for (uint32_t i = 0; i < c->count; i++) c->inputs[i] = rel_multi_joins(a, c->inputs[i], all);
    r->in_joins = rel_say_as(under(a, r, cols, node_of(c, r, cols)), r);
    return r->in_joins;
}
