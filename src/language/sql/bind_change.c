/* bind_change.c - the syntax tree of an UPDATE or DELETE becomes that of an INSERT OVERWRITE over the same table:
 *
 *     DELETE FROM t WHERE c         INSERT OVERWRITE t SELECT a, b FROM t WHERE c IS NOT TRUE
 *     UPDATE t SET b = x WHERE c    INSERT OVERWRITE t SELECT a, CASE WHEN c THEN x ELSE b END FROM t
 *
 * Places are the statement's own, so errors stand where they belong. Computed columns and metadata that cannot be written are left
 * out on both sides. */
#include "language/sql/bind_change.h"

#include "ground/base/str.h"
#include "language/sql/bind_group.h"
#include "language/sql/bind_over.h"
#include "language/sql/sql_op.h"

struct changing {
    struct query_binder *b;
    const struct change_rows *c;
    const struct table *table;
};

/* --- nodes ------------------------------------------------------------------------------------------------------- */
static struct ast_expr *node(struct changing *s, enum ast_expr_kind kind, uint32_t count, struct ast_place place)
{
    struct ast_expr *x = ARENA_NEW(s->b->a, struct ast_expr);

    x->kind = (uint8_t)kind;
    x->place = place;
    x->height = 1;
    x->args.items = ARENA_ARRAY(s->b->a, struct ast_expr *, count + 1);
    return x;
}

static void give(struct ast_expr *x, struct ast_expr *arg)
{
    x->args.items[x->args.count++] = arg;
    x->height = (uint16_t)MAX(x->height, arg->height + 1);
}

/* t.a, or alias.a: WHERE's sub-queries may have columns of that name, too. */
static struct ast_expr *column(struct changing *s, const char *name)
{
    struct ast_expr *x = node(s, AX_NAME, 0, s->c->table.place);
    struct str *parts = ARENA_ARRAY(s->b->a, struct str, 2);

    parts[0] = s->c->alias.size > 0 ? s->c->alias : s->c->table.parts[s->c->table.count - 1];
    parts[1] = str_of(name);
    x->name = (struct ast_name){.place = s->c->table.place, .count = 2, .parts = parts};
    return x;
}

static struct ast_expr *is_not_true(struct changing *s, struct ast_expr *condition)
{
    struct ast_expr *x = node(s, AX_CALL, 1, condition->place);

    x->op = sql_op_find("IS NOT TRUE", FORM_POSTFIX);
    ASSERT(x->op != NULL);
    x->text = str_of(x->op->name);
    x->flag = true;
    give(x, condition);
    return x;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static bool is_written(const struct table_column *c)
{
    return c->kind == TABLE_PHYSICAL || (c->kind == TABLE_METADATA && !c->is_virtual);
}

static const struct ast_assignment *assignment_of(const struct change_rows *c, const char *name)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (str_equal(c->items[i].column, str_of(name))) return &c->items[i];
    return NULL;
}

/* What bind_expr says of a CASE whose value the column cannot take. */
static struct str mismatch(struct changing *s, const char *name, uint32_t position)
{
    const struct table *t = s->table;

    return str_of(arena_printf(s->b->a,
                               "Column types of query result and sink for '%s.%s.%s' do not match.\n"
                               "Cause: Incompatible types for sink column '%s' at position %u.",
                               t->catalog, t->database, t->name, name, position));
}

static struct ast_expr *new_value(struct changing *s, const char *name, uint32_t position)
{
    const struct ast_assignment *a = assignment_of(s->c, name);

    if (a == NULL) return column(s, name);
    if (s->c->where == NULL) return a->x;
    struct ast_expr *x = node(s, AX_CASE, 3, a->place);
    x->text = mismatch(s, name, position);
    give(x, s->c->where);
    give(x, a->x);
    give(x, column(s, name));
    return x;
}

static bool is_computed(const struct table *t, struct str name)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (str_equal(name, str_of(t->columns[i].name))) return t->columns[i].kind == TABLE_COMPUTED;
    return false;
}

static enum status check_assignments(struct changing *s)
{
    const char *names[TYPE_FIELDS_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->table->column_count; i++)
        if (is_written(&s->table->columns[i])) names[count++] = s->table->columns[i].name;
    for (uint32_t i = 0; i < s->c->count; i++) {
        const struct ast_assignment *a = &s->c->items[i];
        bool found = false;
        for (uint32_t k = 0; k < count; k++) found |= str_equal(a->column, str_of(names[k]));
        if (found && assignment_of(s->c, bind_text(s->b, a->column)) == a) continue;
        if (found)
            return sql_error(s->b->e, s->b->t, a->place.at, a->place.size,
                             "Target column '%.*s' is assigned more than once", (int)a->column.size, a->column.data);
        bool computed = is_computed(s->table, a->column);
        int near = computed ? -1 : str_nearest(a->column, names, count);
        if (computed) err_hint(s->b->e, "it is computed from other columns: set those");
        if (near >= 0) err_hint(s->b->e, "did you mean '%s'?", names[near]);
        return sql_error(s->b->e, s->b->t, a->place.at, a->place.size, "Unknown target column '%.*s'",
                         (int)a->column.size, a->column.data);
    }
    return S_OK;
}

/* --- the statement ----------------------------------------------------------------------------------------------- */
static struct ast_select *select_of(struct changing *s)
{
    struct ast_select *select = ARENA_NEW(s->b->a, struct ast_select);
    struct ast_table *from = ARENA_NEW(s->b->a, struct ast_table);

    *from = (struct ast_table){.kind = TABLE_NAME,
                               .place = s->c->table.place,
                               .name = s->c->table,
                               .hints = s->c->hints,
                               .alias = s->c->alias};
    *select = (struct ast_select){.place = s->c->table.place, .from = from};
    select->items = ARENA_ARRAY(s->b->a, struct ast_item, s->table->column_count + 1);
    for (uint32_t i = 0; i < s->table->column_count; i++) {
        if (!is_written(&s->table->columns[i])) continue;
        struct ast_expr *x = new_value(s, s->table->columns[i].name, select->item_count + 1);
        select->items[select->item_count++].x = x;
    }
    if (s->c->count > 0) return select;
    struct ast_expr *none = node(s, AX_LITERAL, 0, s->c->table.place);
    none->literal = LITERAL_FALSE;
    select->where = s->c->where != NULL ? is_not_true(s, s->c->where) : none;
    return select;
}

static enum status check_calls(struct query_binder *b, const struct ast_expr *x, const char *clause)
{
    const struct ast_expr *window = over_call_in(x), *call = window != NULL ? window : aggregate_call_in(b, x);

    if (call == NULL) return S_OK;
    return sql_error(b->e, b->t, call->place.at, call->place.size, "%s expression is illegal in %s clause",
                     window != NULL ? "Windowed aggregate" : "Aggregate", clause);
}

enum status bind_change(struct query_binder *b, const struct change_rows *c, struct insert *out)
{
    struct changing s = {.b = b, .c = c};
    struct ast_query *query = ARENA_NEW(b->a, struct ast_query);

    TRY(bind_find_table(b, &c->table, &s.table));
    if (s.table->view != NULL || s.table->system != NULL)
        return sql_error(b->e, b->t, c->table.place.at, c->table.place.size, "Sink '%s.%s.%s' does not exists",
                         s.table->catalog, s.table->database, s.table->name);
    TRY(check_assignments(&s));
    TRY(check_calls(b, c->where, "WHERE"));
    for (uint32_t i = 0; i < c->count; i++) TRY(check_calls(b, c->items[i].x, "SET"));
    *query = (struct ast_query){.kind = QUERY_SELECT, .place = c->table.place, .select = select_of(&s)};
    *out = (struct insert){
        .overwrite = true, .replaces_all = true, .table = c->table, .hints = c->hints, .query = query};
    return S_OK;
}
