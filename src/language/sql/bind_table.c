/* bind_table.c - CREATE TABLE as a table of the catalog: types are read, computed columns and the watermark are bound once to see
 * that they mean something, and kept as text, so that each query binds them anew. LIKE brings in what another table has.
 *
 * Computed columns see physical and metadata columns only, whatever their order, as in Flink. */
#include "language/sql/bind_table.h"

#include "ground/base/str.h"
#include "language/sql/bind_distribution.h"
#include "language/sql/print.h"

#include <string.h>

/* A table in the making. */
struct making {
    struct query_binder *b;
    const struct create_table *text;
    struct table *out;
    struct table_column *columns;
    uint32_t count, like_count; /* the first ones come from LIKE */
};

static const char *text_of(struct making *m, struct str s) { return arena_strndup(m->b->a, s.data, s.size); }

static enum status fail(struct making *m, struct ast_place place, const char *text, const char *name)
{
    return sql_error(m->b->e, m->b->t, place.at, place.size, text, name);
}

static int column_find(const struct making *m, struct str name)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (str_equal(str_of(m->columns[i].name), name)) return (int)i;
    return -1;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static enum status read_type(struct making *m, const struct ast_column *c, const struct type **out)
{
    struct binder x = bind_expr_binder(m->b, NULL);

    return bind_type(&x, &c->type, out);
}

/* What LIKE does with a part of the other table: `what` by itself, else ALL, else Flink's default. */
static enum ast_like like_how(const struct create_table *c, enum keyword what)
{
    enum ast_like how = what == KW_OPTIONS ? LIKE_OVERWRITING : LIKE_INCLUDING;

    for (uint32_t i = 0; i < c->like_option_count; i++)
        if (c->like_options[i].what == KW_ALL) how = (enum ast_like)c->like_options[i].how;
    for (uint32_t i = 0; i < c->like_option_count; i++)
        if (c->like_options[i].what == what) how = (enum ast_like)c->like_options[i].how;
    return how;
}

static enum status column_place(struct making *m, const struct ast_column *c, uint32_t *at)
{
    int known = column_find(m, c->name);
    enum keyword what = c->kind == COLUMN_COMPUTED ? KW_GENERATED : KW_METADATA;

    *at = known >= 0 ? (uint32_t)known : m->count++;
    if (known < 0) return S_OK;
    if (*at < m->like_count && c->kind != COLUMN_PHYSICAL && m->columns[*at].kind == c->kind &&
        like_how(m->text, what) == LIKE_OVERWRITING)
        return S_OK;
    return fail(m, c->place, "A regular Column named '%s' already exists in the table.", m->columns[*at].name);
}

static enum status add_column(struct making *m, const struct ast_column *c)
{
    struct table_column column = {.name = text_of(m, c->name), .kind = c->kind, .is_virtual = c->virtual};
    uint32_t at;

    TRY(column_place(m, c, &at));
    if (c->kind == COLUMN_COMPUTED)
        column.expression = print_expr_text(m->b->a, c->x);
    else
        TRY(read_type(m, c, &column.type));
    if (c->has_metadata_key) column.metadata_key = text_of(m, c->metadata_key);
    if (c->has_comment) column.comment = text_of(m, c->comment);
    m->columns[at] = column;
    return S_OK;
}

/* The row that computed columns see. */
static const struct type *stored_row(struct query_binder *b, const struct table_column *columns, uint32_t count)
{
    const char **names = ARENA_ARRAY(b->a, const char *, MAX(count, 1u));
    const struct type **types = ARENA_ARRAY(b->a, const struct type *, MAX(count, 1u));
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].kind == TABLE_COMPUTED) continue;
        names[n] = columns[i].name;
        types[n++] = columns[i].type;
    }
    return type_row(b->a, n, names, types, false);
}

const struct type *table_stored_row(struct query_binder *b, const struct table *t)
{
    return stored_row(b, t->columns, t->column_count);
}

static const struct type *whole_row(struct making *m)
{
    const char **names = ARENA_ARRAY(m->b->a, const char *, MAX(m->count, 1u));
    const struct type **types = ARENA_ARRAY(m->b->a, const struct type *, MAX(m->count, 1u));

    for (uint32_t i = 0; i < m->count; i++) {
        names[i] = m->columns[i].name;
        types[i] = m->columns[i].type;
    }
    return type_row(m->b->a, m->count, names, types, false);
}

static enum status bind_over(struct making *m, const struct type *row, const struct ast_expr *x, struct expr **out)
{
    struct bind_scope scope = bind_scope_of(m->b, row, (struct str){0});
    struct binder binder = bind_expr_binder(m->b, &scope);

    return bind_expr(&binder, x, out);
}

static enum status bind_computed(struct making *m)
{
    const struct type *row = stored_row(m->b, m->columns, m->count);
    struct expr *x;

    for (uint32_t i = 0; i < m->text->column_count; i++) {
        const struct ast_column *c = &m->text->columns[i];
        if (c->kind != COLUMN_COMPUTED) continue;
        TRY(bind_over(m, row, c->x, &x));
        m->columns[column_find(m, c->name)].type = x->type;
    }
    return S_OK;
}

/* --- key, watermark, partitions ---------------------------------------------------------------------------------- */
static enum status key_column(struct making *m, struct ast_place place, struct str name)
{
    int at = column_find(m, name);

    if (at < 0)
        return fail(m, place, "Primary key column '%s' is not defined in the schema", text_of(m, name));
    if (m->columns[at].kind != TABLE_PHYSICAL)
        return fail(m, place, "Primary key column '%s' is not a physical column.", m->columns[at].name);
    m->columns[at].type = type_with_null(m->b->a, m->columns[at].type, false);
    return S_OK;
}

static enum status refuse_enforced(struct making *m, const struct ast_primary_key *k)
{
    if (k->unique) return fail(m, k->place, "UNIQUE constraint is not supported yet%s", "");
    if (!k->enforced) return S_OK;
    err_hint(m->b->e, "write PRIMARY KEY (...) NOT ENFORCED");
    return fail(m, k->place,
                "Flink doesn't support ENFORCED mode for PRIMARY KEY constraint. ENFORCED/NOT ENFORCED controls if the "
                "constraint checks are performed on the incoming/outgoing data. Flink does not own the data therefore the "
                "only supported mode is the NOT ENFORCED mode%s", "");
}

static enum status bind_key(struct making *m)
{
    const struct ast_primary_key *k = &m->text->key;
    const char **names = ARENA_ARRAY(m->b->a, const char *, m->count + k->count);
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->text->column_count; i++) {
        if (!m->text->columns[i].primary_key) continue;
        TRY(key_column(m, m->text->columns[i].place, m->text->columns[i].name));
        names[n++] = text_of(m, m->text->columns[i].name);
    }
    if (k->count > 0) TRY(refuse_enforced(m, k));
    for (uint32_t i = 0; i < k->count; i++) {
        TRY(key_column(m, k->place, k->columns[i]));
        names[n++] = text_of(m, k->columns[i]);
    }
    if (n == 0) return S_OK;
    m->out->key = names;
    m->out->key_count = n;
    m->out->key_name = k->name.size > 0 ? text_of(m, k->name) : NULL;
    return S_OK;
}

static bool is_time_field(const struct type *t)
{
    return (t->kind == T_TIMESTAMP || t->kind == T_TIMESTAMP_LTZ) && t->precision <= 3;
}

static enum status time_field_error(struct making *m, const struct ast_expr *x, const struct type *t)
{
    return fail(m, x->place,
                "Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or "
                "TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the time field type is %s",
                type_text(m->b->a, t));
}

/* SOURCE_WATERMARK(): what the rows bring along. */
static bool is_of_source(const struct ast_expr *x)
{
    return x->kind == AX_CALL && x->op == NULL && x->name.count == 1 && x->args.count == 0 &&
           str_equal_nocase(x->name.parts[0], STR("SOURCE_WATERMARK"));
}

static enum status bind_watermark(struct making *m)
{
    const struct ast_expr *column = m->text->watermark_column;
    struct expr *x;

    if (m->text->watermark == NULL) return S_OK;
    struct str name = column->name.parts[0];
    int at = column->name.count == 1 ? column_find(m, name) : -1;
    if (at < 0)
        return fail(m, column->place, "The rowtime attribute field '%s' is not defined in the table schema", text_of(m, name));
    if (!is_time_field(m->columns[at].type)) return time_field_error(m, column, m->columns[at].type);
    if (!is_of_source(m->text->watermark)) {
        TRY(bind_over(m, whole_row(m), m->text->watermark, &x));
        if (!is_time_field(x->type)) return time_field_error(m, m->text->watermark, x->type);
    }
    m->out->watermark_column = text_of(m, name);
    m->out->watermark = is_of_source(m->text->watermark) ? "SOURCE_WATERMARK()" : print_expr_text(m->b->a, m->text->watermark);
    return S_OK;
}

static enum status bind_partitions(struct making *m)
{
    uint32_t n = m->text->partition_count;
    const char **names = ARENA_ARRAY(m->b->a, const char *, MAX(n, 1u));

    for (uint32_t i = 0; i < n; i++) {
        if (column_find(m, m->text->partitions[i]) < 0)
            return fail(m, m->text->name.place, "Partition column '%s' not defined in the table schema",
                        text_of(m, m->text->partitions[i]));
        names[i] = text_of(m, m->text->partitions[i]);
    }
    if (n == 0) return S_OK;
    m->out->partitions = names;
    m->out->partition_count = n;
    return S_OK;
}

/* Later keys win over those of `base`. */
struct options bind_options(struct arena *a, const struct options *base, const struct ast_options *more)
{
    struct option *items = ARENA_ARRAY(a, struct option, base->count + more->count + 1);
    uint32_t n = 0;

    for (uint32_t i = 0; i < base->count; i++) items[n++] = base->items[i];
    for (uint32_t i = 0; i < more->count; i++) {
        const char *key = arena_strndup(a, more->items[i].key.data, more->items[i].key.size);
        uint32_t at = 0;
        while (at < n && strcmp(items[at].key, key) != 0) at++;
        items[at] = (struct option){key, arena_strndup(a, more->items[i].value.data, more->items[i].value.size)};
        n = MAX(n, at + 1);
    }
    return (struct options){items, n};
}

/* --- LIKE -------------------------------------------------------------------------------------------------------- */
static void take_columns(struct making *m, const struct table *from)
{
    for (uint32_t i = 0; i < from->column_count; i++) {
        const struct table_column *c = &from->columns[i];
        enum keyword what = c->kind == TABLE_COMPUTED ? KW_GENERATED : KW_METADATA;
        if (c->kind != TABLE_PHYSICAL && like_how(m->text, what) == LIKE_EXCLUDING) continue;
        m->columns[m->count] = *c;
        if (c->type->time_kind == TIME_ROWTIME) m->columns[m->count].type = type_with_time(m->b->a, c->type, TIME_NONE);
        m->count++;
    }
    m->like_count = m->count;
}

static enum status take_rest(struct making *m, const struct table *from)
{
    struct table *t = m->out;

    if (like_how(m->text, KW_WATERMARKS) != LIKE_EXCLUDING) {
        if (from->watermark != NULL && m->text->watermark != NULL && like_how(m->text, KW_WATERMARKS) == LIKE_INCLUDING)
            return fail(m, m->text->watermark_column->place,
                        "There already exists a watermark spec for column '%s' in the base table. You might want to specify "
                        "EXCLUDING WATERMARKS or OVERWRITING WATERMARKS.", from->watermark_column);
        t->watermark = from->watermark;
        t->watermark_column = from->watermark_column;
    }
    if (like_how(m->text, KW_CONSTRAINTS) == LIKE_INCLUDING) {
        t->key = from->key;
        t->key_count = from->key_count;
        t->key_name = from->key_name;
    }
    t->partitions = from->partitions; /* EXCLUDING ALL keeps them in Flink, too */
    t->partition_count = from->partition_count;
    if (like_how(m->text, KW_DISTRIBUTION) != LIKE_EXCLUDING) {
        if (from->distribution.said && m->text->distribution.said)
            return fail(m, m->text->name.place,
                        "The base table already has a distribution defined. You might want to specify EXCLUDING DISTRIBUTION.%s", "");
        t->distribution = from->distribution;
    }
    if (like_how(m->text, KW_OPTIONS) != LIKE_EXCLUDING) {
        t->options = from->options;
        t->place_count = from->place_count;
        t->places = from->places;
    }
    return S_OK;
}

static enum status bind_like(struct making *m)
{
    const struct table *from;

    if (m->text->like.count == 0) return S_OK;
    TRY(bind_find_table(m->b, &m->text->like, &from));
    if (from->view != NULL)
        return fail(m, m->text->like.place, "Source table '%s' of the LIKE clause can not be a VIEW", from->name);
    m->columns = ARENA_ARRAY(m->b->a, struct table_column, m->text->column_count + from->column_count + 1);
    take_columns(m, from);
    return take_rest(m, from);
}

/* --- AS ---------------------------------------------------------------------------------------------------------- */
/* The columns of the query come behind those that were declared, or give the names that were listed an order. */
static enum status bind_as(struct making *m)
{
    struct rel *plan;

    if (m->text->query == NULL) return S_OK;
    TRY(bind_query(m->b, m->text->query, &plan));
    struct table_column *columns = ARENA_ARRAY(m->b->a, struct table_column, m->count + plan->row->child_count);
    if (m->count > 0) memcpy(columns, m->columns, sizeof *columns * m->count);
    m->columns = columns;
    if (m->text->name_count > 0 && m->text->name_count != plan->row->child_count)
        return fail(m, m->text->name.place,
                    "The number of columns in the column list must match the number of columns in the source schema.%s", "");
    for (uint32_t i = 0; i < plan->row->child_count; i++) {
        struct str name = m->text->name_count > 0 ? m->text->names[i] : str_of(plan->row->names[i]);
        const struct type *type = plan->row->children[i];
        if (column_find(m, name) >= 0) continue;
        if (type->time_kind != TIME_NONE) type = type_with_time(m->b->a, type, TIME_NONE);
        m->columns[m->count++] = (struct table_column){.name = text_of(m, name), .type = type};
    }
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static void mark_rowtime(struct making *m)
{
    struct table_column *c = &m->columns[column_find(m, str_of(m->out->watermark_column))];

    c->type = type_with_time(m->b->a, c->type, TIME_ROWTIME);
}

enum status bind_create_table(struct query_binder *b, const struct create_table *c, struct table *out)
{
    struct making m = {.b = b, .text = c, .out = out};
    enum status failed = S_OK;

    *out = (struct table){.is_temporary = c->temporary};
    m.columns = ARENA_ARRAY(b->a, struct table_column, c->column_count + 1);
    TRY(bind_like(&m));
    TRY(bind_width(b, c->name.place, (size_t)m.count + c->column_count));
    for (uint32_t i = 0; i < c->column_count; i++) TRY(err_go_on(b->e, add_column(&m, &c->columns[i]), &failed));
    if (failed != S_OK) return err_gather(b->e);
    TRY(bind_as(&m));
    TRY(bind_key(&m));
    TRY(bind_computed(&m));
    TRY(bind_watermark(&m));
    TRY(bind_partitions(&m));
    TRY(bind_distribution(b, c->name.place, &c->distribution, m.columns, m.count, &out->distribution));
    if (m.count == 0) return fail(&m, c->name.place, "table '%s' has no columns", text_of(&m, c->name.parts[c->name.count - 1]));
    if (out->watermark != NULL) mark_rowtime(&m);
    if (c->has_comment) out->comment = text_of(&m, c->comment);
    out->options = bind_options(b->a, &out->options, &c->options);
    bind_option_places(b, &c->options, false, out);
    out->columns = m.columns;
    out->column_count = m.count;
    out->row = whole_row(&m);
    return S_OK;
}
