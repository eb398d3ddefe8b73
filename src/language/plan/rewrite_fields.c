/* rewrite_fields.c - of nested rows, sources bring only the fields that somebody reads: see rewrite.h. What is read of a column is a
 * tree: all of it, or some of its fields. It is found from above, through Calcs and a WatermarkAssigner, down to a table whose source
 * can leave fields out (source_type's `skips_fields`); the column then has a type with those fields alone, and so has what passes it
 * on. All other nodes read their columns whole. */
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include "ground/base/str.h"

#include <string.h>

struct pass {
    struct arena *a;
    struct expr_maker m;
    struct reading *all;
};

static struct rel *descend(struct pass *p, struct rel *r, struct use *uses);

static struct use *uses_of(struct pass *p, const struct type *row, bool whole)
{
    struct use *out = ARENA_ARRAY(p->a, struct use, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) out[i] = (struct use){.whole = whole, .any = whole};
    return out;
}

/* --- what is read ------------------------------------------------------------------------------------------------ */
static bool is_field(const struct expr *x) { return x->kind == EXPR_CALL && strcmp(x->call->def->name, "FIELD") == 0; }

static uint32_t field_number(const struct expr *x)
{
    int at = type_field(x->args[0]->type, text_str(x->args[1]->constant->data));

    ASSERT(at >= 0);
    return (uint32_t)at;
}

/* Of a column, or a field of a field of a column; NULL: it is something else. */
static struct use *use_of(struct pass *p, const struct expr *x, struct use *uses)
{
    if (x->kind == EXPR_COLUMN) return &uses[x->col];
    if (!is_field(x)) return NULL;
    struct use *u = use_of(p, x->args[0], uses);
    if (u == NULL) return NULL;
    u->any = true;
    if (u->fields == NULL) u->fields = uses_of(p, x->args[0]->type, false);
    return &u->fields[field_number(x)];
}

static void merge(struct pass *p, struct use *into, const struct use *from, const struct type *t)
{
    into->whole |= from->whole;
    into->any |= from->any;
    if (from->fields == NULL) return;
    if (into->fields == NULL) into->fields = uses_of(p, t, false);
    for (uint32_t i = 0; i < t->child_count; i++) merge(p, &into->fields[i], &from->fields[i], t->children[i]);
}

/* All of x is read. */
static void read_all(struct pass *p, const struct expr *x, struct use *uses)
{
    struct use *u = use_of(p, x, uses);

    if (u != NULL) u->whole = u->any = true;
    for (uint32_t i = 0; u == NULL && i < x->count; i++) read_all(p, x->args[i], uses);
}

/* --- types ------------------------------------------------------------------------------------------------------- */
static const struct type *type_of(struct pass *p, const struct type *t, const struct use *u)
{
    const struct type **types = ARENA_ARRAY(p->a, const struct type *, t->child_count + 1);
    const char **names = ARENA_ARRAY(p->a, const char *, t->child_count + 1);
    uint32_t n = 0;

    if (u->whole || u->fields == NULL || t->kind != T_ROW) return t;
    for (uint32_t i = 0; i < t->child_count; i++) {
        if (!u->fields[i].any) continue;
        types[n] = type_of(p, t->children[i], &u->fields[i]);
        names[n++] = t->names[i];
    }
    return n == t->child_count && n > 0 && memcmp(types, t->children, sizeof *types * n) == 0 ? t : type_row(p->a, n, names, types, t->nullable);
}

/* The columns of `row` by their names in `from`, where they may be narrower. */
static const struct type *row_like(struct pass *p, const struct type *row, const struct type *from)
{
    const struct type **types = ARENA_ARRAY(p->a, const struct type *, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) {
        int at = type_field(from, str_of(row->names[i]));
        types[i] = at >= 0 && row->children[i]->kind == T_ROW ? from->children[at] : row->children[i];
    }
    return type_row(p->a, row->child_count, row->names, types, false);
}

/* x over a row whose columns may have fewer fields. */
static struct expr *over(struct pass *p, const struct expr *x, const struct type *row)
{
    struct expr *copy, *field;

    if (x->kind == EXPR_COLUMN) return expr_column(&p->m, row, x->col);
    if (x->count == 0) return (struct expr *)x;
    copy = ARENA_NEW(p->a, struct expr);
    *copy = *x;
    copy->args = ARENA_ARRAY(p->a, struct expr *, x->count);
    for (uint32_t i = 0; i < x->count; i++) copy->args[i] = over(p, x->args[i], row);
    if (!is_field(x) || copy->args[0]->type == x->args[0]->type) return copy;
    enum status st = expr_call_of(&p->m, x->call->def, copy->args, x->count, &field, NULL);
    ASSERT(st == S_OK); /* the field is there: it is read */
    return field;
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */
static struct rel *calc_over(struct pass *p, struct rel *r, const struct use *asked)
{
    struct calc_body body = *(const struct calc_body *)r->body;
    struct use *uses = uses_of(p, r->inputs[0]->row, false);

    if (body.condition != NULL) read_all(p, body.condition, uses);
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        const struct expr *x = body.count > 0 ? body.columns[i] : NULL;
        struct use *u = x == NULL ? &uses[i] : use_of(p, x, uses);
        if (u != NULL) merge(p, u, &asked[i], r->row->children[i]);
        else read_all(p, x, uses);
    }
    struct rel *input = descend(p, r->inputs[0], uses);
    if (input == r->inputs[0]) return r;
    struct expr **columns = ARENA_ARRAY(p->a, struct expr *, body.count + 1);
    for (uint32_t i = 0; i < body.count; i++) columns[i] = over(p, body.columns[i], input->row);
    body.columns = columns;
    if (body.condition != NULL) body.condition = over(p, body.condition, input->row);
    return rel_calc(p->a, input, &body, r->row->names);
}

static struct rel *watermark_over(struct pass *p, struct rel *r, struct use *asked)
{
    struct watermark_body body = *(const struct watermark_body *)r->body;

    asked[body.rowtime] = (struct use){.whole = true, .any = true};
    read_all(p, body.watermark, asked);
    struct rel *input = descend(p, r->inputs[0], asked);
    if (input == r->inputs[0]) return r;
    body.watermark = over(p, body.watermark, input->row);
    return rel_watermark(p->a, input, row_like(p, r->row, input->row), &body);
}

static struct rel *scan_over(struct pass *p, struct rel *r, const struct use *asked)
{
    struct scan_body body = *(const struct scan_body *)r->body;
    const struct type **types = ARENA_ARRAY(p->a, const struct type *, r->row->child_count + 1);
    bool changed = false;

    if (!scan_skips_fields(r)) return r;
    if (p->all->is_shared) {
        struct scan_reads *reads = scan_reads_of(p->a, p->all, r);
        for (uint32_t i = 0; p->all->collects && i < r->row->child_count; i++) merge(p, &reads->uses[i], &asked[i], r->row->children[i]);
        asked = reads->uses;
        if (p->all->collects) return r;
    }
    for (uint32_t i = 0; i < r->row->child_count; i++) {
        types[i] = type_of(p, r->row->children[i], &asked[i]);
        changed |= types[i] != r->row->children[i];
    }
    if (!changed) return r;
    const struct type *row = type_row(p->a, r->row->child_count, r->row->names, types, false);
    if (body.row != NULL) body.row = row_like(p, body.row, row);
    const struct type *whole = body.row != NULL ? body.row : row; /* what conditions read is asked by the Calc above, too */
    if (body.asked != NULL) body.asked = over(p, body.asked, whole);
    if (body.filter != NULL) body.filter = over(p, body.filter, whole);
    return rel_scan(p->a, &body, row);
}

static struct rel *over_node(struct pass *p, struct rel *r, struct use *uses)
{
    struct rel **inputs = ARENA_ARRAY(p->a, struct rel *, r->input_count + 1);
    bool changed = false;

    if (r->type == &rel_calc_type) return calc_over(p, r, uses);
    if (r->type == &rel_watermark_type) return watermark_over(p, r, uses);
    if (r->type == &rel_scan_type) return scan_over(p, r, uses);
    for (uint32_t i = 0; i < r->input_count; i++) {
        inputs[i] = descend(p, r->inputs[i], uses_of(p, r->inputs[i]->row, true));
        changed |= inputs[i] != r->inputs[i];
    }
    return changed ? rel_over_inputs(p->a, r, inputs, r->at_end) : r;
}

static struct rel *descend(struct pass *p, struct rel *r, struct use *uses)
{
    return rel_say_as(over_node(p, r, uses), r);
}

struct rel *rewrite_fields(struct arena *a, struct rel *r, struct reading *all)
{
    struct pass p = {.a = a, .m = {.a = a}, .all = all};

    return descend(&p, r, uses_of(&p, r->row, true));
}
