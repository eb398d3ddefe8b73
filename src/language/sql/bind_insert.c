/* bind_insert.c - INSERT INTO: the query's columns go to the table's by place, or by the names that the statement lists; the
 * others are NULL. Types are cast implicitly; what cannot be is refused with both schemas, in Flink's words. */
#include "language/sql/bind_table.h"

#include "columns/column/type_rules.h"
#include "flow/connector/connector.h"
#include "ground/base/str.h"

#include <stdio.h>

/* The statement under way. */
struct inserting {
    struct query_binder *b;
    const struct insert *text;
    const struct table *table;
    const struct type *row; /* of the sink */
    struct rel *query;
    struct expr_maker m;
};

/* Without NOT NULL for a sink, as Flink shows it. */
static void schema_print(const struct type *row, bool nullable, struct buf *out)
{
    buf_append_byte(out, '[');
    for (uint32_t i = 0; i < row->child_count; i++) {
        buf_printf(out, "%s%s: ", i > 0 ? ", " : "", row->names[i]);
        struct type shown = *row->children[i];
        shown.nullable |= nullable;
        type_print(&shown, out);
    }
    buf_append_byte(out, ']');
}

static const char name_columns[] = "give each column a value, or name those that get one: INSERT INTO t (a, b) SELECT ...; the others are NULL";

static enum status mismatch(struct inserting *s, const char *cause, const char *hint)
{
    struct buf text;
    const struct table *t = s->table;

    buf_init(&text, s->b->a->mem);
    buf_printf(&text, "Column types of query result and sink for '%s.%s.%s' do not match.\nCause: %s\n\nQuery schema: ",
               t->catalog, t->database, t->name, cause);
    schema_print(s->query->row, false, &text);
    buf_append_text(&text, "\nSink schema:  ");
    schema_print(s->row, true, &text);
    err_hint(s->b->e, "%s", hint);
    enum status st = sql_error(s->b->e, s->b->t, s->text->query->place.at, s->text->query->place.size, "%s", buf_text(&text));
    buf_release(&text);
    return st;
}

/* What is written: physical columns and metadata that is not virtual. */
static const struct type *sink_row(struct query_binder *b, const struct table *t)
{
    const char **names = ARENA_ARRAY(b->a, const char *, MAX(t->column_count, 1u));
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, MAX(t->column_count, 1u));
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct table_column *c = &t->columns[i];
        if (c->kind == TABLE_COMPUTED || c->is_virtual) continue;
        names[n] = c->name;
        types[n++] = c->type->time_kind != TIME_NONE ? type_with_time(b->a, c->type, TIME_NONE) : c->type;
    }
    return type_row(b->a, n, names, types, false);
}

/* --- which column comes from where ------------------------------------------------------------------------------- */
static enum status name_column(struct inserting *s, struct ast_place place, struct str name, struct expr *from, struct expr **columns)
{
    struct err inner = {0};
    int at = type_field(s->row, name);

    if (at < 0) {
        (void)type_field_missing(s->row, name, &inner);
        if (inner.hint[0] != '\0') err_hint(s->b->e, "%s", inner.hint);
        return sql_error(s->b->e, s->b->t, place.at, place.size, "Unknown target column '%.*s'", (int)name.size, name.data);
    }
    if (columns[at] != NULL)
        return sql_error(s->b->e, s->b->t, place.at, place.size, "Target column '%s' is assigned more than once", s->row->names[at]);
    columns[at] = from;
    return S_OK;
}

static enum status static_partition(struct inserting *s, struct expr **columns)
{
    struct bind_scope nothing = {.row = &type_null};
    struct binder x = bind_expr_binder(s->b, &nothing);

    for (uint32_t i = 0; i < s->text->partition.count; i++) {
        const struct ast_part *p = &s->text->partition.items[i];
        struct expr *value;
        TRY(bind_expr(&x, p->value, &value));
        TRY(name_column(s, p->place, p->column, value, columns));
    }
    return S_OK;
}

static enum status listed_columns(struct inserting *s, struct expr **columns)
{
    const struct insert *i = s->text;

    if (i->column_count != s->query->row->child_count)
        return sql_error(s->b->e, s->b->t, i->query->place.at, i->query->place.size,
                         "Number of columns must match number of query columns: %u are named, the query has %u", i->column_count,
                         s->query->row->child_count);
    for (uint32_t c = 0; c < i->column_count; c++) {
        const struct ast_name *n = &i->columns[c];
        if (n->count > 1)
            return sql_error(s->b->e, s->b->t, n->place.at, n->place.size, "parts of a row cannot be inserted one by one");
        TRY(name_column(s, n->place, n->parts[0], expr_column(&s->m, s->query->row, c), columns));
    }
    return S_OK;
}

static enum status columns_in_order(struct inserting *s, struct expr **columns)
{
    uint32_t given = 0;

    for (uint32_t at = 0; at < s->row->child_count; at++) {
        if (columns[at] != NULL) continue;
        if (given == s->query->row->child_count) return mismatch(s, "Different number of columns.", name_columns);
        columns[at] = expr_column(&s->m, s->query->row, given++);
    }
    return given == s->query->row->child_count ? S_OK : mismatch(s, "Different number of columns.", name_columns);
}

/* --- casts ------------------------------------------------------------------------------------------------------- */
/* A longer text type holds every value of a shorter one, as it is. */
static bool fits_as_is(const struct type *from, const struct type *to)
{
    bool is_text = type_is_string(from) && to->kind == T_VARCHAR;
    bool is_bytes = from->phys == P_STR && !type_is_string(from) && to->kind == T_VARBINARY;

    return (is_text || is_bytes) && from->precision <= to->precision;
}

static enum status cast_column(struct inserting *s, uint32_t at, struct expr **x)
{
    const struct type *to = s->row->children[at];
    char cause[256];

    if (*x == NULL && !to->nullable)
        return sql_error(s->b->e, s->b->t, s->text->table.place.at, s->text->table.place.size,
                         "Column '%s' has no default value and does not allow NULLs", s->row->names[at]);
    if (*x == NULL) *x = expr_null(&s->m, type_with_null(s->b->a, to, true));
    if (!type_casts_implicitly((*x)->type, to)) {
        snprintf(cause, sizeof cause, "Incompatible types for sink column '%.150s' at position %u.", s->row->names[at], at + 1);
        return mismatch(s, cause, "cast the column, or name the columns in the order of the query: INSERT INTO t (a, b) SELECT ...");
    }
    if (fits_as_is((*x)->type, to)) return S_OK;
    return expr_cast(&s->m, *x, type_with_null(s->b->a, to, (*x)->type->nullable), false, x, s->b->e);
}

/* The query's rows as the table's columns want them. Where nothing is cast they keep the query's names, as in Flink. */
static struct rel *sink_input(struct inserting *s, struct expr *const *columns)
{
    uint32_t n = s->row->child_count;
    const char **names = ARENA_ARRAY(s->b->a, const char *, n);
    struct calc_body calc = {.count = n, .columns = columns};
    bool is_same = n == s->query->row->child_count, is_cast = false;

    for (uint32_t i = 0; i < n; i++) {
        bool is_column = columns[i]->kind == EXPR_COLUMN;
        is_same = is_same && is_column && columns[i]->col == i;
        is_cast |= !is_column;
        names[i] = is_column ? s->query->row->names[columns[i]->col] : s->row->names[i];
    }
    return is_same ? s->query : rel_calc(s->b->a, s->query, &calc, is_cast ? s->row->names : names);
}

/* --- checks ------------------------------------------------------------------------------------------------------ */
static enum status not_null(struct inserting *s, uint32_t at, struct expr **x, struct expr **condition)
{
    struct expr *args[2] = {*x};

    if (s->row->children[at]->nullable || !(*x)->type->nullable) return S_OK;
    if (s->b->settings->sink.drops_nulls) {
        struct expr *terms[2] = {*condition};
        TRY(expr_call(&s->m, STR("IS NOT NULL"), args, 1, &terms[1], s->b->e));
        *condition = terms[1];
        return terms[0] == NULL ? S_OK : expr_branch(&s->m, EXPR_AND, terms, 2, condition, s->b->e);
    }
    TRY(expr_constant(&s->m, &type_string, str_of(s->row->names[at]), &args[1], s->b->e));
    return expr_call(&s->m, STR("$NOT_NULL"), args, 2, x, s->b->e);
}

static enum status type_constant(struct inserting *s, const struct type *t, struct expr **out)
{
    struct type shown = *t;
    struct buf text;

    shown.nullable = true;
    buf_init(&text, s->b->a->mem);
    type_print(&shown, &text);
    enum status st = expr_constant(&s->m, &type_string, (struct str){text.data, text.size}, out, s->b->e);
    buf_release(&text);
    return st;
}

/* Values that were not cast may be longer than their type says. */
static enum status length(struct inserting *s, uint32_t at, struct expr **x)
{
    const struct type *t = s->row->children[at];
    struct expr *args[3] = {*x};
    uint8_t lengths = s->b->settings->sink.lengths;

    if (lengths == LENGTHS_IGNORE || t->phys != P_STR || t->precision == VARCHAR_MAX) return S_OK;
    TRY(type_constant(s, t, &args[1]));
    if (lengths == LENGTHS_TRIM_PAD) return expr_call(&s->m, STR("$FIT"), args, 2, x, s->b->e);
    TRY(expr_constant(&s->m, &type_string, str_of(s->row->names[at]), &args[2], s->b->e));
    return expr_call(&s->m, STR("$LENGTH"), args, 3, x, s->b->e);
}

static enum status enforce(struct inserting *s, const struct rel *in, struct calc_body *out)
{
    uint32_t n = s->row->child_count;
    struct expr **columns = ARENA_ARRAY(s->b->a, struct expr *, n);
    bool any = false;

    for (uint32_t i = 0; i < n; i++) {
        struct expr *column = columns[i] = expr_column(&s->m, in->row, i);
        TRY(not_null(s, i, &columns[i], &out->condition));
        TRY(length(s, i, &columns[i]));
        any |= columns[i] != column;
    }
    if (!any) return S_OK;
    out->count = n;
    out->columns = columns;
    return S_OK;
}

static void targets_keep(struct inserting *s, struct sink_body *sink)
{
    uint32_t *targets = ARENA_ARRAY(s->b->a, uint32_t, s->text->column_count + 1);

    for (uint32_t c = 0; c < s->text->column_count; c++)
        targets[c] = (uint32_t)type_field(s->row, s->text->columns[c].parts[0]);
    sink->target_count = s->text->column_count;
    sink->targets = targets;
}

/* A table has one event time: with two of them nobody knows which is meant. */
static enum status one_rowtime(struct inserting *s)
{
    struct buf names;
    uint32_t count = 0;

    buf_init(&names, s->b->a->mem);
    for (uint32_t i = 0; i < s->query->row->child_count; i++)
        if (s->query->row->children[i]->time_kind == TIME_ROWTIME)
            buf_printf(&names, "%s%s", count++ > 0 ? ", " : "", s->query->row->names[i]);
    const char *list = arena_strndup(s->b->a, names.data, names.size);
    buf_release(&names);
    if (count < 2) return S_OK;
    err_hint(s->b->e, "Please select the column that should be used as the event-time timestamp for the table sink by casting all other "
                      "columns to regular TIMESTAMP or TIMESTAMP_LTZ.");
    return sql_error(s->b->e, s->b->t, s->text->query->place.at, s->text->query->place.size,
                     "The query contains more than one rowtime attribute column [%s] for writing into table '%s.%s.%s'.", list,
                     s->table->catalog, s->table->database, s->table->name);
}

static enum status no_metadata(struct inserting *s)
{
    for (uint32_t i = 0; i < s->table->column_count; i++) {
        const struct table_column *c = &s->table->columns[i];
        if (c->kind != TABLE_METADATA || c->is_virtual) continue;
        return sql_error(s->b->e, s->b->t, s->text->table.place.at, s->text->table.place.size,
                         "Table '%s.%s.%s' declares persistable metadata columns, but its connector cannot write them. If the column "
                         "should not be persisted, it can be declared with the VIRTUAL keyword.",
                         s->table->catalog, s->table->database, s->table->name);
    }
    return S_OK;
}

/* The rows are staged, and take the place of the table's when the job has ended. */
static enum status overwrite(struct inserting *s, struct sink_body *sink)
{
    struct query_binder *b = s->b;
    const char *name = table_option(s->table, "connector");
    struct table *staged = ARENA_NEW(b->a, struct table);
    const struct conn_type *c = NULL;
    struct ast_place place = s->text->table.place;
    struct err inner = {0};

    if (!b->is_batch) return sql_error(b->e, b->t, place.at, place.size, "Streaming mode not support overwrite.");
    if (name == NULL || conn_find(name, &c, &inner) != S_OK || c->sink == NULL || c->sink->rewrite == NULL)
        return sql_error(b->e, b->t, place.at, place.size,
                         "INSERT OVERWRITE requires that rows of table '%s.%s.%s' can be replaced, which its connector '%s' cannot do",
                         s->table->catalog, s->table->database, s->table->name, name != NULL ? name : "");
    *staged = *s->table;
    if (c->sink->rewrite->stage(&s->table->options, b->run++, b->a, &staged->options, &inner) != S_OK)
        return sql_error(b->e, b->t, place.at, place.size, "rows of table '%s' cannot be replaced: %s", s->table->name, inner.text);
    sink->table = staged;
    sink->replaced = s->table;
    sink->replaces_all = s->text->replaces_all || s->table->partition_count == 0;
    return S_OK;
}

/* Partition columns go last. */
static enum status check_connector(struct inserting *s, const struct sink_body *sink)
{
    const struct type **types = ARENA_ARRAY(s->b->a, const struct type *, MAX(sink->parts.count, 1u)), *row = s->row;

    for (uint32_t i = 0; i < sink->parts.count; i++) types[i] = sink->parts.columns[i]->type;
    if (sink->parts.count > 0) row = type_row(s->b->a, sink->parts.count, sink->part_names, types, false);
    return bind_connector(s->b, s->table, row, sink->parts.count > 0 ? s->table->partition_count : 0, true, s->text->table.place);
}

enum status bind_insert_into(struct query_binder *b, const struct insert *i, const struct table *t, struct rel **out)
{
    static const uint8_t conflicts[] = {SINK_CONFLICT_UNSAID, SINK_CONFLICT_NOTHING, SINK_CONFLICT_ERROR, SINK_CONFLICT_DEDUPLICATE};
    struct inserting s = {.b = b, .text = i, .table = t, .m = {.a = b->a, .session = b->session}};
    struct sink_body sink = {.conflict = conflicts[i->conflict], .settings = *b->settings};

    if (s.table->view != NULL)
        return sql_error(b->e, b->t, i->table.place.at, i->table.place.size, "'%s' is a view, which cannot be written", s.table->name);
    if (s.table->system != NULL)
        return sql_error(b->e, b->t, i->table.place.at, i->table.place.size, "'%s.%s' is a system table, which cannot be written",
                         s.table->database, s.table->name);
    TRY(bind_hints(b, &i->hints, &s.table));
    if (s.table->distribution.said)
        return sql_error(b->e, b->t, i->table.place.at, i->table.place.size,
                         "Table '%s.%s.%s' is distributed into buckets, but its connector has none", s.table->catalog, s.table->database,
                         s.table->name);
    TRY(no_metadata(&s));
    s.row = sink_row(b, s.table);
    TRY(bind_query(b, i->query, &s.query));
    TRY(one_rowtime(&s));
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, s.row->child_count);
    TRY(static_partition(&s, columns));
    TRY(i->column_count > 0 ? listed_columns(&s, columns) : columns_in_order(&s, columns));
    for (uint32_t c = 0; c < s.row->child_count; c++) TRY(cast_column(&s, c, &columns[c]));
    struct rel *in = sink_input(&s, columns);
    sink.table = s.table;
    if (b->touches != NULL) TRY(b->touches(b->touches_arg, s.table, i->overwrite));
    if (i->overwrite) TRY(overwrite(&s, &sink));
    sink.row = s.row;
    targets_keep(&s, &sink);
    TRY(enforce(&s, in, &sink.enforce));
    TRY(bind_parts(b, s.table, i->table.place, s.row, &sink));
    TRY(check_connector(&s, &sink));
    *out = rel_sink(b->a, in, &sink);
    bind_said(b, in, i->query->place);
    bind_said(b, *out, i->table.place);
    return S_OK;
}

enum status bind_insert(struct query_binder *b, const struct insert *i, struct rel **out)
{
    const struct table *t;

    TRY(bind_find_table(b, &i->table, &t));
    return bind_insert_into(b, i, t, out);
}
