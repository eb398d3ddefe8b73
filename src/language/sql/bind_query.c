/* bind_query.c - a query becomes a plan from the inside out: tables give columns, WHERE and the select list a Calc, set operations
 * join plans of equal columns. SELECT itself is in bind_select.c, joins in bind_join.c, ORDER BY and LIMIT in bind_order.c. */
#include "language/sql/bind_query.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"
#include "language/catalog/system_table.h"
#include "language/sql/bind_join.h"
#include "language/sql/bind_subquery.h"
#include "language/sql/bind_table.h"
#include "language/sql/bind_unnest.h"
#include "language/sql/bind_window.h"
#include "language/sql/infer.h"
#include "language/sql/plan_places.h"

#include <string.h>

enum { VIEW_DEPTH_MAX = 64 };

struct binder bind_expr_binder(struct query_binder *b, const struct bind_scope *scope)
{
    return (struct binder){.m = {.a = b->a, .session = b->session}, .t = b->t, .scope = scope, .e = b->e, .outer = b->outer,
                           .places = b->places};
}

struct bind_scope bind_scope_of(struct query_binder *b, const struct type *row, struct str table)
{
    struct bind_column *columns = ARENA_ARRAY(b->a, struct bind_column, MAX(row->child_count, 1u));

    for (uint32_t i = 0; i < row->child_count; i++)
        columns[i] = (struct bind_column){.table = table, .name = str_of(row->names[i]), .col = i};
    return (struct bind_scope){row, row->child_count, columns};
}

void bind_said(struct query_binder *b, struct rel *r, struct ast_place place) { plan_place(b->a, r, b->t, place); }

enum status bind_at(struct query_binder *b, struct ast_place place, enum status st, const struct err *inner)
{
    if (st == S_OK) return S_OK;
    return plan_fail(b->e, place.size > 0 ? &(struct rel_said){b->t, place} : NULL, inner);
}

const char *bind_text(struct query_binder *b, struct str s) { return arena_strndup(b->a, s.data, s.size); }

static enum status rename_columns(struct query_binder *b, struct rel **r, uint32_t count, const struct str *columns,
                                  struct ast_place place)
{
    const char **names = ARENA_ARRAY(b->a, const char *, MAX(count, 1u));

    if (count == 0) return S_OK;
    if (count != (*r)->row->child_count)
        return sql_error(b->e, b->t, place.at, place.size,
                         "List of column aliases must have same degree as table; table has %u columns, whereas alias "
                         "list has %u columns",
                         (*r)->row->child_count, count);
    for (uint32_t i = 0; i < count; i++) names[i] = bind_text(b, columns[i]);
    *r = rel_renamed(b->a, *r, names);
    return S_OK;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */
static enum status bind_view(struct query_binder *b, const struct table *t, struct ast_place place, struct rel **out)
{
    struct tokens *tokens = ARENA_NEW(b->a, struct tokens);
    struct query_binder inner = *b;
    struct statement s;

    if (b->depth == VIEW_DEPTH_MAX)
        return sql_error(b->e, b->t, place.at, place.size, "views in views, more than %d deep", VIEW_DEPTH_MAX);
    TRY(statement_parse_one(str_of(t->view), b->a, tokens, &s, b->e));
    inner.t = tokens;
    inner.catalog = t->view_catalog;
    inner.database = t->view_database;
    inner.with = NULL;
    inner.outer = NULL;
    inner.is_nested = true;
    inner.depth++;
    TRY(bind_query(&inner, s.body, out));
    *out = rel_renamed(b->a, *out, t->row->names); /* its own list of columns */
    return S_OK;
}

static enum status bind_with_query(struct query_binder *b, const struct bind_with *w, struct rel **out)
{
    struct query_binder inner = *b;

    inner.with = w->outer;
    inner.outer = NULL;
    inner.is_nested = true;
    TRY(bind_query(&inner, w->cte->query, out));
    return rename_columns(b, out, w->cte->column_count, w->cte->columns, w->cte->place);
}

enum status bind_name(struct query_binder *b, const struct ast_name *n, struct object_name *out)
{
    if (n->count > 3)
        return sql_error(b->e, b->t, n->place.at, n->place.size, "a name has at most three parts here: catalog.database.name");
    *out = (struct object_name){b->catalog, b->database, bind_text(b, n->parts[n->count - 1])};
    if (n->count > 1) out->database = bind_text(b, n->parts[n->count - 2]);
    if (n->count > 2) out->catalog = bind_text(b, n->parts[n->count - 3]);
    return S_OK;
}

/* The nearest of a schema's tables, or all of them; false: there is no such schema. */
static bool system_hint(struct query_binder *b, struct object_name name)
{
    const char *names[64], *listed = "";
    uint32_t count = 0;

    for (uint32_t i = 0; b->system->items[i] != NULL && count < COUNT_OF(names); i++) {
        if (strcmp(b->system->items[i]->schema, name.database) != 0) continue;
        listed = arena_printf(b->a, "%s%s%s", listed, count > 0 ? ", " : "", b->system->items[i]->name);
        names[count++] = b->system->items[i]->name;
    }
    if (count == 0) return false;
    int near = str_nearest(str_of(name.name), names, count);
    if (near >= 0) err_hint(b->e, "did you mean '%s'?", names[near]);
    else err_hint(b->e, "there are %s", listed);
    return true;
}

/* The schema that may have been meant by the name of a database that is not there. */
static void schema_hint(struct query_binder *b, const struct object_name *name)
{
    const char *names[64], *catalog = name->catalog != NULL ? name->catalog : catalogs_current(b->catalogs);
    uint32_t count = 0;
    struct err none = {0};

    if (b->system == NULL || name->database == NULL || !catalogs_have(b->catalogs, catalog)) return;
    if (catalogs_have_database(b->catalogs, (struct object_name){.catalog = catalog, .name = name->database}, &none) == S_OK) return;
    for (uint32_t i = 0; b->system->items[i] != NULL && count < COUNT_OF(names); i++) names[count++] = b->system->items[i]->schema;
    int near = str_nearest(str_of(name->database), names, count);
    if (near >= 0) err_hint(b->e, "did you mean '%s.%s'?", names[near], name->name);
}

/* A database of one's own that is called sys hides that of the session. *out NULL: there is no such table. */
static enum status find_system(struct query_binder *b, const struct ast_name *n, struct object_name name, const struct table **out)
{
    const char *catalog = name.catalog != NULL ? name.catalog : catalogs_current(b->catalogs);
    struct err none = {0};

    if (b->system == NULL || name.database == NULL || !catalogs_have(b->catalogs, catalog)) return S_OK;
    if (catalogs_have_database(b->catalogs, (struct object_name){.catalog = catalog, .name = name.database}, &none) == S_OK) return S_OK;
    const struct system_table *s = system_table_find(b->system, name.database, name.name);
    if (s != NULL) *out = system_table_open(b->system, s, catalog, b->a);
    if (s != NULL) return S_OK;
    if (!system_hint(b, name)) return S_OK;
    return sql_error(b->e, b->t, n->place.at, n->place.size, "Object '%s' not found within '%s.%s'", name.name, catalog, name.database);
}

enum status bind_find_table(struct query_binder *b, const struct ast_name *n, const struct table **out)
{
    struct object_name name;
    struct err inner = {0};

    TRY(bind_name(b, n, &name));
    *out = catalogs_find(b->catalogs, name, &inner);
    if (*out == NULL) TRY(find_system(b, n, name, out));
    if (*out != NULL) return S_OK;
    if (inner.hint[0] != '\0') err_hint(b->e, "%s", inner.hint);
    else schema_hint(b, &name);
    return sql_error(b->e, b->t, n->place.at, n->place.size, "%s", inner.text);
}

static enum status bind_named(struct query_binder *b, const struct ast_table *t, struct rel **out)
{
    const struct ast_name *n = &t->name;
    const struct table *table;

    for (const struct bind_with *w = b->with; n->count == 1 && w != NULL; w = w->outer)
        if (str_equal(w->cte->name, n->parts[0])) return bind_with_query(b, w, out);
    TRY(bind_find_table(b, n, &table));
    if (table->view != NULL) return bind_view(b, table, n->place, out);
    return bind_scan(b, table, t, out);
}

/* Nothing is declared: the file says what its columns are. *name: the table's. */
static enum status bind_file(struct query_binder *b, const struct ast_table *t, struct rel **out, struct str *name)
{
    struct table *table = ARENA_NEW(b->a, struct table);
    struct option path = {"path", bind_text(b, t->file)}, options[] = {{"connector", "filesystem"}, path};
    struct err inner = {0};

    *table = (struct table){.options = {options, COUNT_OF(options)}};
    if (b->touches != NULL) TRY(b->touches(b->touches_arg, table, false));
    if (infer_table(b->a, b->sys, t->file, false, table, &inner) != S_OK) {
        if (inner.hint[0] != '\0') err_hint(b->e, "%s", inner.hint);
        return sql_error(b->e, b->t, t->place.at, t->place.size, "%s", inner.text);
    }
    table->catalog = catalogs_current(b->catalogs);
    table->database = catalogs_current_database(b->catalogs);
    if (name->size == 0) *name = str_of(table->name);
    return bind_scan(b, table, t, out);
}

static enum status bind_inner(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    struct query_binder inner = *b;

    inner.is_nested = true;
    return bind_query(&inner, q, out);
}

enum status bind_width(struct query_binder *b, struct ast_place place, size_t columns)
{
    if (columns <= QUERY_COLUMNS_MAX) return S_OK;
    return sql_error(b->e, b->t, place.at, place.size, "a row has at most %d columns, not %zu", QUERY_COLUMNS_MAX, columns);
}

enum status bind_keys_fit(struct query_binder *b, struct ast_place place, uint32_t keys)
{
    if (keys <= QUERY_KEYS_MAX) return S_OK;
    return sql_error(b->e, b->t, place.at, place.size, "rows are told apart by at most %d columns, not %u", QUERY_KEYS_MAX, keys);
}

enum status bind_table(struct query_binder *b, const struct ast_table *t, struct bind_source *out)
{
    struct str alias = t->alias;

    *out = (struct bind_source){0};
    if (b->tables != NULL && ++*b->tables > QUERY_TABLES_MAX)
        return sql_error(b->e, b->t, t->place.at, t->place.size, "the statement reads more than %d tables, views and WITH queries counted "
                         "each time", QUERY_TABLES_MAX);
    if (t->as_of != NULL)
        return sql_error(b->e, b->t, t->as_of->place.at, t->as_of->place.size,
                         "FOR SYSTEM_TIME AS OF belongs to the table right of a JOIN, and takes a time of the table to its left");
    switch ((enum ast_table_kind)t->kind) {
    case TABLE_NAME:
        TRY(bind_named(b, t, &out->rel));
        if (alias.size == 0) alias = t->name.parts[t->name.count - 1];
        break;
    case TABLE_QUERY: TRY(bind_inner(b, t->query, &out->rel)); break;
    case TABLE_FILE: TRY(bind_file(b, t, &out->rel, &alias)); break;
    case TABLE_CALL:
        if (bind_is_table_function(b, t)) return bind_unnest_alone(b, t, out);
        if (bind_is_system_function(b, t)) {
            TRY(bind_system_function(b, t, &out->rel));
            break;
        }
        if (!bind_is_window(t)) return bind_no_function(b, t);
        TRY(bind_window(b, t, &out->rel));
        break;
    case TABLE_UNNEST: return bind_unnest_alone(b, t, out);
    case TABLE_JOIN: return bind_join(b, t, out);
    }
    TRY(rename_columns(b, &out->rel, t->alias_column_count, t->alias_columns, t->place));
    bind_said(b, out->rel, t->kind == TABLE_CALL ? t->x->place : t->kind == TABLE_NAME ? t->name.place : t->place);
    out->scope = bind_scope_of(b, out->rel->row, alias);
    return S_OK;
}

/* One row without columns, for SELECT without FROM; a column that nobody reads stands for none. */
void bind_nothing(struct query_binder *b, struct bind_source *out)
{
    static const char *const names[] = {"ZERO"};
    struct expr_maker m = {.a = b->a};
    struct expr **items = ARENA_ARRAY(b->a, struct expr *, 1);
    struct values_body v = {.row_count = 1, .items = items, .shows_names = b->is_batch};

    *out = (struct bind_source){0};
    enum status st = expr_constant(&m, &type_int, STR("0"), &items[0], b->e);
    ASSERT(st == S_OK);
    out->rel = rel_values(b->a, type_row(b->a, 1, names, (const struct type *[]){items[0]->type}, false), &v);
    out->scope = (struct bind_scope){.row = out->rel->row};
}

/* --- VALUES ------------------------------------------------------------------------------------------------------ */
static enum status uneven_row(struct query_binder *b, const struct ast_expr *row, uint32_t count, uint32_t first)
{
    return sql_error(b->e, b->t, row->place.at, row->place.size,
                     "Values passed to VALUES operator must have compatible types: this row has %u columns, the first one %u", count,
                     first);
}

static const char *plain_type_text(struct query_binder *b, const struct type *t)
{
    struct buf text;

    buf_init(&text, b->a->mem);
    type_print(type_with_null(b->a, t, true), &text);
    const char *out = arena_strndup(b->a, text.data, text.size);
    buf_release(&text);
    return out;
}

/* *type: of the column in the rows so far. */
static enum status row_type(struct query_binder *b, const struct ast_expr *row, uint32_t col, const struct type *next,
                            const struct type **type)
{
    const struct type *common = type_least_restrictive(b->a, *type, next);

    if (common == NULL) {
        err_hint(b->e, "column %u is %s here, and %s in the rows before: cast one of them", col + 1, plain_type_text(b, next),
                 plain_type_text(b, *type));
        return sql_error(b->e, b->t, row->place.at, row->place.size, "Values passed to VALUES operator must have compatible types");
    }
    *type = common;
    return S_OK;
}

static enum status bind_rows(struct query_binder *b, const struct ast_list *rows, uint32_t cols, struct expr **items)
{
    struct bind_scope nothing = {.row = &type_null};
    struct binder x = bind_expr_binder(b, &nothing);
    enum status failed = S_OK;

    for (uint32_t r = 0; r < rows->count; r++) {
        const struct ast_expr *row = rows->items[r];
        bool list = row->kind == AX_LIST;
        if ((list ? row->args.count : 1) != cols) return uneven_row(b, row, list ? row->args.count : 1, cols);
        for (uint32_t c = 0; c < cols; c++)
            TRY(err_go_on(b->e, bind_expr(&x, list ? row->args.items[c] : row, &items[r * cols + c]), &failed));
    }
    return failed == S_OK ? S_OK : err_gather(b->e);
}

/* Constants as they are; a row that calls what waits for something outside is a Calc over one without columns. */
static struct rel *values_part(struct query_binder *b, const struct type *row, struct expr **items, uint32_t count, bool waits)
{
    struct values_body v = {.row_count = count, .items = items, .shows_names = b->is_batch};
    struct bind_source nothing;

    if (!waits) return rel_values(b->a, row, &v);
    bind_nothing(b, &nothing);
    return rel_calc(b->a, nothing.rel, &(struct calc_body){.count = row->child_count, .columns = items}, row->names);
}

static bool row_waits(struct expr *const *items, uint32_t cols)
{
    bool waits = false;

    for (uint32_t c = 0; c < cols && !waits; c++) waits = expr_is_async(items[c]);
    return waits;
}

/* In order: runs of rows that are constants, and single ones that wait. */
static enum status values_make(struct query_binder *b, const struct ast_query *q, const struct type *row, struct expr **items,
                               uint32_t count, struct rel **out)
{
    uint32_t cols = row->child_count, parts = 0, n;
    struct rel *inputs[REL_INPUTS_MAX];

    for (uint32_t at = 0; at < count; at += n) {
        bool waits = row_waits(items + (size_t)at * cols, cols);
        for (n = 1; !waits && at + n < count && !row_waits(items + (size_t)(at + n) * cols, cols); n++) continue;
        if (parts == REL_INPUTS_MAX)
            return sql_error(b->e, b->t, q->place.at, q->place.size, "at most %d rows of VALUES may call asynchronous functions",
                             REL_INPUTS_MAX);
        inputs[parts++] = values_part(b, row, items + (size_t)at * cols, n, waits);
    }
    *out = parts == 1 ? inputs[0] : rel_union(b->a, row, inputs, parts);
    return S_OK;
}

static bool has_subquery(const struct ast_list *rows)
{
    for (uint32_t i = 0; i < rows->count; i++)
        if (bind_has_subquery(rows->items[i])) return true;
    return false;
}

/* A row as SELECT without FROM. */
static enum status row_select(struct query_binder *b, const struct ast_expr *row, struct rel **out)
{
    static const struct ast_orders none;
    bool list = row->kind == AX_LIST;
    uint32_t count = list ? row->args.count : 1;
    struct ast_item *items = ARENA_ARRAY(b->a, struct ast_item, count);
    struct ast_select *s = ARENA_NEW(b->a, struct ast_select);
    struct bind_order order = {0};

    for (uint32_t i = 0; i < count; i++) items[i] = (struct ast_item){.x = list ? row->args.items[i] : (struct ast_expr *)row};
    *s = (struct ast_select){.place = row->place, .item_count = count, .items = items};
    return bind_select(b, s, &none, &order, out);
}

/* VALUES with sub-queries: each row is a query of its own. */
static enum status rows_select(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    uint32_t count = q->rows.count;
    struct rel **rows = ARENA_ARRAY(b->a, struct rel *, count);

    if (count > REL_INPUTS_MAX)
        return sql_error(b->e, b->t, q->place.at, q->place.size, "VALUES with sub-queries has at most %d rows", REL_INPUTS_MAX);
    for (uint32_t r = 0; r < count; r++) {
        TRY(row_select(b, q->rows.items[r], &rows[r]));
        if (rows[r]->row->child_count != rows[0]->row->child_count) return uneven_row(b, q->rows.items[r], rows[r]->row->child_count, rows[0]->row->child_count);
    }
    uint32_t cols = rows[0]->row->child_count;
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, cols);
    const char **names = ARENA_ARRAY(b->a, const char *, cols);
    for (uint32_t c = 0; c < cols; c++) {
        names[c] = arena_printf(b->a, "EXPR$%u", c);
        types[c] = rows[0]->row->children[c];
        for (uint32_t r = 1; r < count; r++) TRY(row_type(b, q->rows.items[r], c, rows[r]->row->children[c], &types[c]));
    }
    const struct type *row = type_row(b->a, cols, names, types, false);
    for (uint32_t r = 0; r < count; r++) TRY(bind_cast_columns(b, &rows[r], row));
    *out = count == 1 ? rows[0] : rel_union(b->a, row, rows, count);
    return S_OK;
}

static enum status bind_values(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    const struct ast_expr *first = q->rows.items[0];
    uint32_t cols = first->kind == AX_LIST ? first->args.count : 1, count = q->rows.count;
    struct expr **items = ARENA_ARRAY(b->a, struct expr *, (size_t)cols * count);
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, cols);
    const char **names = ARENA_ARRAY(b->a, const char *, cols);
    struct expr_maker m = {.a = b->a, .session = b->session};

    TRY(bind_width(b, q->place, cols));
    if (has_subquery(&q->rows)) return rows_select(b, q, out);
    TRY(bind_rows(b, &q->rows, cols, items));
    for (uint32_t c = 0; c < cols; c++) {
        names[c] = arena_printf(b->a, "EXPR$%u", c);
        types[c] = items[c]->type;
        for (uint32_t r = 1; r < count; r++) TRY(row_type(b, q->rows.items[r], c, items[r * cols + c]->type, &types[c]));
    }
    for (uint32_t i = 0; i < cols * count; i++) TRY(expr_cast(&m, items[i], types[i % cols], false, &items[i], b->e));
    return values_make(b, q, type_row(b->a, cols, names, types, false), items, count, out);
}

/* --- set operations ---------------------------------------------------------------------------------------------- */
/* The rows with other column types and names. */
enum status bind_cast_columns(struct query_binder *b, struct rel **r, const struct type *to)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct calc_body c = {.count = to->child_count};
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, c.count);
    bool same = true;

    for (uint32_t i = 0; i < c.count; i++) {
        TRY(expr_cast(&m, expr_column(&m, (*r)->row, i), to->children[i], false, &columns[i], b->e));
        same &= columns[i]->kind == EXPR_COLUMN && strcmp((*r)->row->names[i], to->names[i]) == 0;
    }
    c.columns = columns;
    if (!same) *r = rel_calc(b->a, *r, &c, to->names);
    return S_OK;
}

/* "UNION", "EXCEPT ALL" */
static const char *set_name(const struct ast_query *q)
{
    if (q->kind == QUERY_UNION) return q->all ? "UNION ALL" : "UNION";
    if (q->kind == QUERY_INTERSECT) return q->all ? "INTERSECT ALL" : "INTERSECT";
    return q->all ? "EXCEPT ALL" : "EXCEPT";
}

static enum status bind_sides(struct query_binder *b, const struct ast_query *q, struct rel *sides[2], const struct type **row)
{
    enum status failed = S_OK;

    TRY(err_go_on(b->e, bind_inner(b, q->left, &sides[0]), &failed));
    TRY(err_go_on(b->e, bind_inner(b, q->right, &sides[1]), &failed));
    if (failed != S_OK) return err_gather(b->e);
    uint32_t cols = sides[0]->row->child_count;
    if (cols != sides[1]->row->child_count) err_hint(b->e, "the first query has %u columns, this one %u", cols, sides[1]->row->child_count);
    if (cols != sides[1]->row->child_count)
        return sql_error(b->e, b->t, q->right->place.at, q->right->place.size, "Column count mismatch in %s", set_name(q));
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, MAX(cols, 1u));
    for (uint32_t i = 0; i < cols; i++) {
        types[i] = type_least_restrictive(b->a, sides[0]->row->children[i], sides[1]->row->children[i]);
        if (types[i] == NULL)
            return sql_error(b->e, b->t, q->right->place.at, q->right->place.size, "Type mismatch in column %u of %s", i + 1, set_name(q));
    }
    *row = type_row(b->a, cols, sides[0]->row->names, types, false);
    for (uint32_t i = 0; i < 2; i++) TRY(bind_cast_columns(b, &sides[i], *row));
    return S_OK;
}

static enum status bind_set(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    struct rel *sides[2];
    const struct type *row = NULL;

    TRY(bind_sides(b, q, sides, &row));
    if (q->kind != QUERY_UNION || !q->all) TRY(bind_keys_fit(b, q->place, row->child_count));
    if (q->kind == QUERY_UNION) {
        *out = rel_union(b->a, row, sides, 2);
        if (!q->all) *out = bind_distinct(b, *out);
        return S_OK;
    }
    *out = rel_set(b->a, row, sides, &(struct set_body){.is_except = q->kind == QUERY_EXCEPT, .all = q->all});
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static enum status bind_body(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    struct ast_table named = {.kind = TABLE_NAME, .place = q->place, .name = q->table};
    struct bind_source from;

    switch ((enum ast_query_kind)q->kind) {
    case QUERY_VALUES: return bind_values(b, q, out);
    case QUERY_TABLE:
        TRY(bind_table(b, &named, &from));
        *out = from.rel;
        return S_OK;
    default: return bind_set(b, q, out);
    }
}

/* Only a SELECT may be ordered by what it does not select. */
static enum status bind_ordered(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    static const struct ast_orders none;
    const struct ast_orders *by = bind_is_ordered(b, q) ? &q->order : &none;
    struct bind_order order = {0};

    if (q->kind == QUERY_SELECT) {
        TRY(bind_select(b, q->select, by, &order, out));
    } else {
        TRY(bind_body(b, q, out));
        TRY(bind_order_of(b, by, out, &order));
    }
    return bind_limit(b, q, &order, out);
}

enum status bind_query(struct query_binder *b, const struct ast_query *q, struct rel **out)
{
    struct query_binder inner = *b;

    if (q->t != NULL) inner.t = q->t;
    for (uint32_t i = 0; i < q->cte_count; i++) {
        struct bind_with *w = ARENA_NEW(b->a, struct bind_with);
        *w = (struct bind_with){.outer = inner.with, .cte = &q->ctes[i]};
        inner.with = w;
    }
    TRY(bind_ordered(&inner, q, out));
    bind_said(&inner, *out, q->place);
    return S_OK;
}
