/* bind_alter.c - ALTER TABLE: the table becomes the syntax tree of its CREATE TABLE again, the tree is changed, and bound anew; so
 * whatever CREATE TABLE checks is checked here, too. */
#include "language/sql/bind_table.h"

#include "ground/base/str.h"
#include "language/sql/bind_distribution.h"

#include <string.h>

/* A table being changed: `c` is what its CREATE TABLE would say. */
struct altering {
    struct query_binder *b;
    const struct alter_table *x;
    struct create_table *c;
    struct table_distribution distribution; /* as it was */
};

static enum status fail(struct altering *s, struct ast_place place, const char *text, struct str name)
{
    return sql_error(s->b->e, s->b->t, place.at, place.size, text, (int)name.size, name.data);
}

static enum status refuse(struct altering *s, struct ast_place place, const char *text)
{
    return sql_error(s->b->e, s->b->t, place.at, place.size, "%s", text);
}
#define FAILED "Failed to execute ALTER TABLE statement.\n"

/* --- the table as a tree ----------------------------------------------------------------------------------------- */
static enum status expression_of(struct query_binder *b, const char *text, struct ast_expr **out)
{
    return expression_parse_one(str_of(text), b->a, ARENA_NEW(b->a, struct tokens), out, b->e);
}

static struct str plain_type(struct query_binder *b, const struct type *t)
{
    struct type plain = *t;

    plain.time_kind = TIME_NONE;
    return str_of(type_text(b->a, &plain));
}

static enum status column_of(struct query_binder *b, const struct table_column *from, struct ast_column *to)
{
    *to = (struct ast_column){.kind = from->kind, .virtual = from->is_virtual, .name = str_of(from->name)};
    if (from->metadata_key != NULL) {
        to->has_metadata_key = true;
        to->metadata_key = str_of(from->metadata_key);
    }
    if (from->comment != NULL) {
        to->has_comment = true;
        to->comment = str_of(from->comment);
    }
    if (from->kind == TABLE_COMPUTED) return expression_of(b, from->expression, &to->x);
    to->type.text = plain_type(b, from->type);
    return S_OK;
}

static struct str *names_of(struct query_binder *b, const char *const *names, uint32_t count)
{
    struct str *out = ARENA_ARRAY(b->a, struct str, count + 1);

    for (uint32_t i = 0; i < count; i++) out[i] = str_of(names[i]);
    return out;
}

static enum status tree_of(struct query_binder *b, const struct table *t, uint32_t more, struct create_table *c)
{
    *c = (struct create_table){
        .temporary = t->is_temporary, .column_count = t->column_count, .partition_count = t->partition_count};
    c->columns = ARENA_ARRAY(b->a, struct ast_column, t->column_count + more);
    for (uint32_t i = 0; i < t->column_count; i++) TRY(column_of(b, &t->columns[i], &c->columns[i]));
    c->key = (struct ast_primary_key){.count = t->key_count, .columns = names_of(b, t->key, t->key_count)};
    if (t->key_name != NULL) c->key.name = str_of(t->key_name);
    c->partitions = names_of(b, t->partitions, t->partition_count);
    c->distribution = distribution_tree(b->a, &t->distribution);
    if (t->comment != NULL) {
        c->has_comment = true;
        c->comment = str_of(t->comment);
    }
    if (t->watermark == NULL) return S_OK;
    TRY(expression_of(b, t->watermark, &c->watermark));
    return expression_of(b, arena_printf(b->a, "`%s`", t->watermark_column), &c->watermark_column);
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static int find(const struct create_table *c, struct str name)
{
    for (uint32_t i = 0; i < c->column_count; i++)
        if (str_equal(c->columns[i].name, name)) return (int)i;
    return -1;
}

/* What `fail` says, and the column that may have been meant. */
static enum status unknown(struct altering *s, struct ast_place place, const char *format, struct str name)
{
    const char *names[TYPE_FIELDS_MAX];
    uint32_t count = MIN(s->c->column_count, (uint32_t)COUNT_OF(names));

    for (uint32_t i = 0; i < count; i++)
        names[i] = arena_strndup(s->b->a, s->c->columns[i].name.data, s->c->columns[i].name.size);
    int near = str_nearest(name, names, count);
    if (near >= 0) err_hint(s->b->e, "did you mean '%s'?", names[near]);
    return fail(s, place, format, name);
}

static void take_out(struct create_table *c, uint32_t at)
{
    memmove(&c->columns[at], &c->columns[at + 1], sizeof *c->columns * (c->column_count - at - 1));
    c->column_count--;
}

static enum status put_in(struct altering *s, const struct ast_alter_column *x, uint32_t last, uint32_t *put)
{
    struct create_table *c = s->c;
    uint32_t at = last;

    if (x->position == POSITION_FIRST) at = 0;
    if (x->position == POSITION_AFTER) {
        int before = find(c, x->after.parts[0]);
        if (before < 0)
            return unknown(s, x->after.place, FAILED "Referenced column `%.*s` by 'AFTER' does not exist in the table.",
                           x->after.parts[0]);
        at = (uint32_t)before + 1;
    }
    memmove(&c->columns[at + 1], &c->columns[at], sizeof *c->columns * (c->column_count - at));
    c->columns[at] = x->column;
    c->columns[at].name = x->path.parts[x->path.count - 1];
    c->columns[at].place = x->path.place;
    c->column_count++;
    *put = at;
    return S_OK;
}

static enum status change_columns(struct altering *s)
{
    bool adds = s->x->action == ALTER_ADD;

    for (uint32_t i = 0; i < s->x->column_count; i++) {
        const struct ast_alter_column *x = &s->x->columns[i];
        struct str name = x->path.parts[x->path.count - 1];
        int at = x->path.count == 1 ? find(s->c, name) : -1;
        if (x->path.count > 1) return fail(s, x->path.place, "fields of rows cannot be altered yet: '%.*s'", name);
        if (adds && at >= 0) return fail(s, x->path.place, FAILED "Column `%.*s` already exists in the table.", name);
        if (!adds && at < 0) return unknown(s, x->path.place, FAILED "Column `%.*s` does not exist in the table.", name);
        struct ast_column old = adds ? (struct ast_column){0} : s->c->columns[at];
        if (!adds) take_out(s->c, (uint32_t)at);
        uint32_t put = 0;
        TRY(put_in(s, x, adds ? s->c->column_count : (uint32_t)at, &put));
        if (!old.has_comment || s->c->columns[put].has_comment) continue;
        s->c->columns[put].has_comment = true; /* stays */
        s->c->columns[put].comment = old.comment;
    }
    return S_OK;
}

static bool mentions(const struct ast_expr *x, struct str name)
{
    if (x == NULL) return false;
    if (x->kind == AX_NAME && str_equal(x->name.parts[0], name)) return true;
    for (uint32_t i = 0; i < x->args.count; i++)
        if (mentions(x->args.items[i], name)) return true;
    return false;
}

static bool is_listed(const struct str *names, uint32_t count, struct str name)
{
    uint32_t i = 0;

    while (i < count && !str_equal(names[i], name)) i++;
    return i < count;
}

/* A column that something else needs can neither go nor change its name; a key's and a partition's name may change. */
static enum status refuse_used(struct altering *s, struct ast_place place, struct str name, bool drops)
{
    const struct create_table *c = s->c;

    for (uint32_t i = 0; i < c->column_count; i++) {
        if (c->columns[i].kind != COLUMN_COMPUTED || !mentions(c->columns[i].x, name)) continue;
        return sql_error(s->b->e, s->b->t, place.at, place.size,
                         FAILED "The column `%.*s` is referenced by computed column `%.*s`.", (int)name.size, name.data,
                         (int)c->columns[i].name.size, c->columns[i].name.data);
    }
    if (mentions(c->watermark, name) || mentions(c->watermark_column, name))
        return fail(s, place, FAILED "The column `%.*s` is referenced by watermark expression.", name);
    if (drops && is_listed(c->key.columns, c->key.count, name))
        return fail(s, place, FAILED "The column `%.*s` is used as the primary key.", name);
    if (c->distribution.said && is_listed(c->distribution.columns, c->distribution.column_count, name))
        return fail(s, place, FAILED "The column `%.*s` is used as a distribution key.", name);
    if (is_listed(c->partitions, c->partition_count, name))
        return fail(s, place, FAILED "The column `%.*s` is used as the partition keys.", name);
    return S_OK;
}

static enum status drop_columns(struct altering *s)
{
    for (uint32_t i = 0; i < s->x->dropped_count; i++) {
        const struct ast_name *n = &s->x->dropped[i];
        struct str name = n->parts[n->count - 1];
        int at = n->count == 1 ? find(s->c, name) : -1;
        if (at < 0) return unknown(s, n->place, FAILED "The column `%.*s` does not exist in the base table.", name);
        TRY(refuse_used(s, n->place, name, true));
        take_out(s->c, (uint32_t)at);
    }
    return S_OK;
}

static enum status rename_column(struct altering *s)
{
    const struct ast_name *from = &s->x->from, *to = &s->x->to;
    struct str old = from->parts[from->count - 1], new = to->parts[to->count - 1];
    int at = from->count == 1 ? find(s->c, old) : -1;

    if (at < 0) return unknown(s, from->place, FAILED "The column `%.*s` does not exist in the base table.", old);
    TRY(refuse_used(s, from->place, old, false));
    if (find(s->c, new) >= 0)
        return fail(s, to->place, FAILED "The column `%.*s` already existed in table schema.", new);
    s->c->columns[at].name = new;
    for (uint32_t i = 0; i < s->c->key.count; i++)
        if (str_equal(s->c->key.columns[i], old)) s->c->key.columns[i] = new;
    return S_OK;
}

/* --- key, watermark ---------------------------------------------------------------------------------------------- */
static enum status change_distribution(struct altering *s)
{
    bool adds = s->x->action == ALTER_ADD;
    struct table_distribution *old = &s->distribution;

    if (adds && old->said) {
        struct buf text;
        buf_init(&text, s->b->a->mem);
        distribution_print(old, &text);
        enum status st = fail(s, s->x->table.place,
                              FAILED "The current table has already defined the distribution '%.*s'. You can modify it or drop it "
                                     "before adding a new one.",
                              (struct str){buf_text(&text), text.size});
        buf_release(&text);
        return st;
    }
    if (!adds && !old->said)
        return refuse(s, s->x->table.place, FAILED "The base table does not define any distribution. You might want to add a new one.");
    s->c->distribution = s->x->distribution;
    return S_OK;
}

static enum status drop_distribution(struct altering *s)
{
    if (!s->distribution.said) return refuse(s, s->x->table.place, "The table does not have a distribution to drop.");
    s->c->distribution.said = false;
    return S_OK;
}

static enum status change_rest(struct altering *s)
{
    const struct alter_table *x = s->x;
    bool adds = x->action == ALTER_ADD;

    if (x->distribution.said) TRY(change_distribution(s));
    if (x->key.count > 0) {
        if (adds && s->c->key.count > 0)
            return refuse(s, x->key.place,
                          FAILED "The base table has already defined the primary key constraint. You might want to "
                                 "drop it before adding a new one.");
        if (!adds && s->c->key.count == 0)
            return refuse(
                s, x->key.place,
                FAILED "The base table does not define any primary key constraint. You might want to add a new one.");
        s->c->key = x->key;
    }
    if (x->watermark != NULL) {
        if (adds && s->c->watermark != NULL)
            return refuse(s, x->watermark_column->place,
                          FAILED "The base table has already defined the watermark strategy. You might want to drop it "
                                 "before adding a new one.");
        s->c->watermark = x->watermark;
        s->c->watermark_column = x->watermark_column;
    }
    return S_OK;
}

static enum status drop_key(struct altering *s)
{
    if (s->c->key.count == 0)
        return refuse(s, s->x->table.place, FAILED "The current table does not define any primary key.");
    s->c->key.count = 0;
    return S_OK;
}

static enum status drop_watermark(struct altering *s)
{
    if (s->c->watermark == NULL)
        return refuse(s, s->x->table.place, FAILED "The current table does not define any watermark strategy.");
    s->c->watermark = s->c->watermark_column = NULL;
    return S_OK;
}

/* --- options ----------------------------------------------------------------------------------------------------- */
static enum status reset_options(struct altering *s, const struct table *old, struct options *out)
{
    struct option *items = ARENA_ARRAY(s->b->a, struct option, old->options.count + 1);
    uint32_t n = 0;

    if (s->x->keys.count == 0) return refuse(s, s->x->table.place, "ALTER TABLE RESET does not support empty key");
    if (is_listed(s->x->keys.items, s->x->keys.count, STR("connector")))
        return refuse(s, s->x->table.place, "ALTER TABLE RESET does not support changing 'connector'");
    for (uint32_t i = 0; i < old->options.count; i++)
        if (!is_listed(s->x->keys.items, s->x->keys.count, str_of(old->options.items[i].key)))
            items[n++] = old->options.items[i];
    *out = (struct options){items, n};
    return S_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */
static enum status change(struct altering *s)
{
    switch ((enum ast_alter)s->x->action) {
    case ALTER_ADD:
    case ALTER_MODIFY: TRY(change_columns(s)); return change_rest(s);
    case ALTER_DROP_COLUMNS: return drop_columns(s);
    case ALTER_RENAME_COLUMN: return rename_column(s);
    case ALTER_DROP_KEY:
    case ALTER_DROP_CONSTRAINT: return drop_key(s);
    case ALTER_DROP_WATERMARK: return drop_watermark(s);
    case ALTER_DROP_DISTRIBUTION: return drop_distribution(s);
    case ALTER_SET:
    case ALTER_RESET: return S_OK;
    case ALTER_ADD_PARTITIONS:
    case ALTER_DROP_PARTITIONS:
    case ALTER_RENAME: break; /* of whoever keeps tables */
    }
    ASSERT(!"it changes the table's description");
    return S_OK;
}

enum status bind_alter_table(struct query_binder *b, const struct table *old, const struct alter_table *x,
                             struct table *out)
{
    struct create_table c;
    struct altering s = {.b = b, .x = x, .c = &c, .distribution = old->distribution};
    struct options options = old->options;

    TRY(tree_of(b, old, x->column_count, &c));
    TRY(change(&s));
    if (x->action == ALTER_RESET) TRY(reset_options(&s, old, &options));
    TRY(bind_create_table(b, &c, out));
    out->options = bind_options(b->a, &options, &x->options);
    out->place_count = old->place_count;
    out->places = old->places;
    bind_option_places(b, &x->options, false, out);
    return S_OK;
}
