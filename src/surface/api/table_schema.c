/* table_schema.c - schemas and descriptors: what they say becomes the text of CREATE TABLE, a line a piece, which the parser reads as
 * any other; so a table made by calls and one made by SQL cannot differ. Names are quoted, so that every name is one. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "language/sql/fragment.h"
#include "language/sql/statement_tables.h"

#include <string.h>

/* --- the builder --------------------------------------------------------------------------------------------------- */
static struct tw_env *env_of(const struct tw_schema *s, struct tw_here h)
{
    if (UNLIKELY(s == NULL)) assert_failed("the schema is not NULL", h.file != NULL ? h.file : "a call", h.line);
    return s->env;
}

struct tw_schema *tw_schema_create_at(struct tw_env *env, struct tw_here h)
{
    struct tw_schema *s = ARENA_NEW(&env->arena, struct tw_schema);

    s->env = env;
    s->is_broken = api_tables(env, h) == NULL;
    buf_init(&s->pieces, &env->mem);
    return s;
}

static void quote_name(const char *name, struct buf *out)
{
    buf_append_byte(out, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`') buf_append_byte(out, '`');
        buf_append_byte(out, *name);
    }
    buf_append_byte(out, '`');
}

static void quote_text(const char *text, struct buf *out)
{
    buf_append_byte(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') buf_append_byte(out, '\'');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '\'');
}

/* A piece is read by itself at once: it must be one piece, and its mistakes have the line of its call. */
static struct tw_schema *add(struct tw_schema *s, const char *piece, struct tw_here h)
{
    const char *text = arena_printf(&s->env->arena, "CREATE TABLE t (\n%s)", piece);
    struct tokens t;
    struct statement made;
    struct err e = {0};

    if (statement_parse_one(str_of(text), &s->env->arena, &t, &made, &e) != S_OK) {
        api_table_fail(s->env, h, &e);
        s->is_broken = true;
        return s;
    }
    const struct create_table *c = made.body;
    if (c->column_count + (c->watermark != NULL) + (c->key.count > 0) != 1) {
        api_mistake(s->env, h, "one column, watermark or key is expected, not '%s'", piece);
        s->is_broken = true;
        return s;
    }
    buf_printf(&s->pieces, "%s%s", s->count++ > 0 ? ",\n" : "\n", piece);
    return s;
}

static const char *piece_of(struct tw_schema *s, struct buf *text)
{
    const char *copy = arena_strndup(&s->env->arena, buf_text(text), text->size);

    buf_release(text);
    return copy;
}

static bool needs(struct tw_schema *s, const char *call, const char *a, const char *b, struct tw_here h)
{
    (void)env_of(s, h);
    if (s->is_broken) return false;
    if (a != NULL && b != NULL) return true;
    api_mistake(s->env, h, "%s: a text is missing", call);
    s->is_broken = true;
    return false;
}

/* Told here and not where the schema is used. */
static bool type_is_known(struct tw_schema *s, const char *type, struct tw_here h)
{
    const struct type *t;
    struct err e = {0};

    if (type_parse(&s->env->arena, str_of(type), &t, &e) == S_OK) return true;
    api_table_fail(s->env, h, &e);
    s->is_broken = true;
    return false;
}

struct tw_schema *tw_schema_column_at(struct tw_schema *s, const char *name, const char *type, struct tw_here h)
{
    struct buf text;

    if (!needs(s, "tw_schema_column", name, type, h)) return s;
    buf_init(&text, &s->env->mem);
    quote_name(name, &text);
    buf_printf(&text, " %s", type);
    s->physical++;
    add(s, piece_of(s, &text), h);
    if (!s->is_broken) (void)type_is_known(s, type, h);
    return s;
}

struct tw_schema *tw_schema_column_by_expression_at(struct tw_schema *s, const char *name, const char *expression,
                                                    struct tw_here h)
{
    struct buf text;

    if (!needs(s, "tw_schema_column_by_expression", name, expression, h)) return s;
    buf_init(&text, &s->env->mem);
    quote_name(name, &text);
    buf_printf(&text, " AS %s", expression);
    return add(s, piece_of(s, &text), h);
}

struct tw_schema *tw_schema_column_by_metadata_at(struct tw_schema *s, const char *name, const char *type,
                                                  const char *key, bool is_virtual, struct tw_here h)
{
    struct buf text;

    if (!needs(s, "tw_schema_column_by_metadata", name, type, h)) return s;
    buf_init(&text, &s->env->mem);
    quote_name(name, &text);
    buf_printf(&text, " %s METADATA", type);
    if (key != NULL) {
        buf_append_text(&text, " FROM ");
        quote_text(key, &text);
    }
    if (is_virtual) buf_append_text(&text, " VIRTUAL");
    if (strcmp(key != NULL ? key : name, "rowtime") == 0) s->time_column = arena_strdup(&s->env->arena, name);
    return add(s, piece_of(s, &text), h);
}

struct tw_schema *tw_schema_watermark_at(struct tw_schema *s, const char *column, const char *expression,
                                         struct tw_here h)
{
    struct buf text;

    if (!needs(s, "tw_schema_watermark", column, expression, h)) return s;
    buf_init(&text, &s->env->mem);
    buf_append_text(&text, "WATERMARK FOR ");
    quote_name(column, &text);
    buf_printf(&text, " AS %s", expression);
    return add(s, piece_of(s, &text), h);
}

struct tw_schema *tw_schema_primary_key_at(struct tw_schema *s, const char *columns, struct tw_here h)
{
    if (!needs(s, "tw_schema_primary_key", columns, columns, h)) return s;
    return add(s, arena_printf(&s->env->arena, "PRIMARY KEY (%s) NOT ENFORCED", columns), h);
}

/* --- as CREATE TABLE ------------------------------------------------------------------------------------------------ */
static void put_columns(const struct tw_schema *s, const struct type *row, struct buf *out)
{
    bool adds = row != NULL && s->physical == 0;

    for (uint32_t i = 0; adds && i < row->child_count; i++) {
        if (s->time_column != NULL && strcmp(row->names[i], s->time_column) == 0)
            continue; /* said by the schema itself */
        buf_append_text(out, i > 0 ? ",\n" : "\n");
        quote_name(row->names[i], out);
        buf_append_byte(out, ' ');
        type_print(row->children[i], out);
    }
    if (adds && row->child_count > 0 && s->count > 0) buf_append_byte(out, ',');
    buf_append(out, s->pieces.data, s->pieces.size);
}

static void put_options(const struct tw_table_descriptor *d, struct buf *out)
{
    for (uint32_t i = 0; i + 1 < d->options.count; i += 2) {
        buf_append_text(out, i == 0 ? "WITH (" : ", ");
        quote_text(d->options.items[i] != NULL ? d->options.items[i] : "", out);
        buf_append_text(out, " = ");
        quote_text(d->options.items[i + 1] != NULL ? d->options.items[i + 1] : "", out);
        if (i + 3 >= d->options.count) buf_append_text(out, ")");
    }
}

enum status api_schema_parse(const struct tw_schema *s, const struct tw_table_descriptor *d, const char *name,
                             const struct type *row, struct tokens **t, struct statement *out, struct err *e)
{
    struct tw_env *env = s->env;
    struct buf text;

    *t = ARENA_NEW(&env->arena, struct tokens);
    buf_init(&text, &env->mem);
    buf_printf(&text, "CREATE TEMPORARY TABLE %s (", name);
    put_columns(s, row, &text);
    buf_append_text(&text, ")\n");
    if (d->comment != NULL) {
        buf_append_text(&text, "COMMENT ");
        quote_text(d->comment, &text);
        buf_append_byte(&text, '\n');
    }
    if (d->partitioned_by != NULL) buf_printf(&text, "PARTITIONED BY (%s)\n", d->partitioned_by);
    put_options(d, &text);
    const char *copy = arena_strndup(&env->arena, buf_text(&text), text.size);
    buf_release(&text);
    return statement_parse_one(str_of(copy), &env->arena, *t, out, e);
}

/* --- tables and views of the catalog -------------------------------------------------------------------------------- */
static int fail(struct tw_env *env, struct tw_here h, const struct err *e)
{
    api_table_fail(env, h, e);
    return 1;
}

int tw_create_temporary_table_at(struct tw_env *env, const char *path, struct tw_table_descriptor d, struct tw_here h)
{
    struct tokens *t, of_path;
    struct statement s;
    struct ast_name name;
    struct err e = {0};

    if (api_tables(env, h) == NULL || env->err.status != S_OK || (d.schema != NULL && d.schema->is_broken)) return 1;
    if (d.schema == NULL) return (void)api_mistake(env, h, "table '%s' has no schema", path), 1;
    if (d.options.count % 2 != 0)
        return (void)api_mistake(env, h, "options come in pairs of key and value; one value is missing"), 1;
    if (fragment_name(api_table_text(env, path), &env->arena, &of_path, &name, &e) != S_OK) return fail(env, h, &e);
    if (api_schema_parse(d.schema, &d, path, NULL, &t, &s, &e) != S_OK) return fail(env, h, &e);
    return api_table_run(env, t, &s, &api_nobody, &e) == S_OK ? 0 : fail(env, h, &e);
}

int tw_create_temporary_system_function_at(struct tw_env *env, const char *name, const struct tw_sql_entry *function, struct tw_here h)
{
    struct api_tables *a = api_tables(env, h);
    struct err e = {0};

    if (a == NULL || env->err.status != S_OK) return 1;
    if (name == NULL || name[0] == '\0' || function == NULL)
        return (void)api_mistake(env, h, "tw_create_temporary_system_function takes a name, and &tw_sql_NAME of a TW_SQL_FUNCTION(NAME)"), 1;
    return sql_session_add_function(a->session, name, function, &e) == S_OK ? 0 : fail(env, h, &e);
}

int tw_create_temporary_view_at(struct tw_env *env, const char *path, struct tw_table *t, struct tw_here h)
{
    struct create_view v = {.temporary = true};
    struct statement s = {.type = &st_create_view, .body = &v};
    struct tokens tokens;
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return 1;
    if (t->env != env) return (void)api_mistake(env, h, "the table belongs to another environment"), 1;
    if (fragment_name(api_table_text(env, path), &env->arena, &tokens, &v.name, &e) != S_OK) return fail(env, h, &e);
    v.query = t->query;
    return api_table_run(env, &tokens, &s, &api_nobody, &e) == S_OK ? 0 : fail(env, h, &e);
}

struct tw_table *tw_from_descriptor_at(struct tw_env *env, struct tw_table_descriptor d, struct tw_here h)
{
    struct api_tables *a = api_tables(env, h);

    if (a == NULL) return api_table_broken(env);
    const char *name = arena_printf(&env->arena, "`*anonymous$%u*`", ++a->anonymous);
    if (tw_create_temporary_table_at(env, name, d, h) != 0) return api_table_broken(env);
    return tw_from_at(env, name, h);
}
