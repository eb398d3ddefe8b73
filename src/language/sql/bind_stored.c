/* bind_stored.c - the columns that a table's connector reads. What records hold comes first, then partition columns, then metadata in
 * the connector's order: both are told apart by their place. Behind the scan they get the order and the types of the declaration. */
#include "flow/connector/connector.h"
#include "ground/base/str.h"
#include "language/sql/bind_table.h"

#include <string.h>

struct stored {
    struct query_binder *b;
    const struct table *t;
    const struct ast_table *where;
    const struct source_metadata *known;
    uint32_t count, metadata_count;
    const char **names, **keys;
    const struct type **types;
    uint32_t *at; /* by column of the table: its column of the scan */
};

static const struct source_type *source_of(const struct table *t, const struct conn_type **c)
{
    const char *name = table_option(t, "connector");

    return name != NULL && conn_find(name, c, NULL) == S_OK ? (*c)->source : NULL;
}

static const struct source_metadata *known_metadata(const struct table *t)
{
    const struct conn_type *c;
    const struct source_type *source = source_of(t, &c);

    return source != NULL ? source->metadata : NULL;
}

static const char *key_of(const struct table_column *c) { return c->metadata_key != NULL ? c->metadata_key : c->name; }

static void add(struct stored *s, uint32_t column, const struct type *type)
{
    s->at[column] = s->count;
    s->names[s->count] = s->t->columns[column].name;
    s->types[s->count++] = type;
}

/* Connectors without partitions of their own have these columns in their records. */
static bool has_parts(const struct stored *s)
{
    for (const struct source_metadata *m = s->known; m != NULL && m->key != NULL; m++)
        if (m->is_part) return true;
    return false;
}

static enum status add_known(struct stored *s, uint32_t column, const struct source_metadata *m, const char *key)
{
    const struct type *type;

    TRY(type_parse(s->b->a, str_of(m->type), &type, s->b->e));
    s->keys[s->metadata_count++] = key;
    add(s, column, type);
    return S_OK;
}

static enum status add_parts(struct stored *s)
{
    for (const struct source_metadata *m = s->known; m != NULL && m->key != NULL; m++)
        for (uint32_t i = 0; m->is_part && i < s->t->column_count; i++)
            if (table_is_partition(s->t, s->t->columns[i].name))
                TRY(add_known(s, i, m, arena_printf(s->b->a, "%s%s", m->key, s->t->columns[i].name)));
    return S_OK;
}

static enum status add_metadata(struct stored *s)
{
    for (const struct source_metadata *m = s->known; m != NULL && m->key != NULL; m++)
        for (uint32_t i = 0; !m->is_part && i < s->t->column_count; i++)
            if (s->t->columns[i].kind == TABLE_METADATA && strcmp(key_of(&s->t->columns[i]), m->key) == 0)
                TRY(add_known(s, i, m, m->key));
    return S_OK;
}

static enum status check_key(struct stored *s, const struct table_column *c)
{
    const struct source_metadata *m = source_metadata_find(s->known, key_of(c));
    struct buf list;

    if (m != NULL && !m->is_part) return S_OK;
    buf_init(&list, s->b->a->mem);
    for (m = s->known; m != NULL && m->key != NULL; m++)
        if (!m->is_part) buf_printf(&list, "\n%s", m->key);
    const char *keys = arena_strndup(s->b->a, list.data, list.size);
    buf_release(&list);
    return sql_error(s->b->e, s->b->t, s->where->place.at, s->where->place.size,
                     "Invalid metadata key '%s' in column '%s' of table '%s.%s.%s'. Its connector %s%s", key_of(c), c->name, s->t->catalog,
                     s->t->database, s->t->name,
                     keys[0] != '\0' ? "supports the following metadata keys for reading:" : "has no metadata that can be read", keys);
}

/* Order and types as declared. */
static enum status declared(struct stored *s, struct rel **out)
{
    struct expr_maker m = {.a = s->b->a, .session = s->b->session};
    const struct type *row = table_stored_row(s->b, s->t);
    struct expr **columns = ARENA_ARRAY(s->b->a, struct expr *, row->child_count + 1);
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->t->column_count; i++) {
        if (s->t->columns[i].kind == TABLE_COMPUTED) continue;
        columns[n] = expr_column(&m, (*out)->row, s->at[i]);
        if (!type_equal(columns[n]->type, row->children[n])) TRY(expr_cast(&m, columns[n], row->children[n], false, &columns[n], s->b->e));
        n++;
    }
    *out = rel_calc(s->b->a, *out, &(struct calc_body){.count = n, .columns = columns}, row->names);
    return S_OK;
}

/* Of the whole table; of partitions only how many rows they have together. */
struct found_statistics {
    struct arena *a;
    struct table_statistics *out;
    bool whole;
};

static void statistics_found(void *arg, const struct table *t, const struct table_statistics *s)
{
    struct found_statistics *f = arg;
    bool whole = s->partition[0] == '\0';

    (void)t;
    if (f->whole) return;
    if (f->out == NULL) {
        f->out = ARENA_NEW(f->a, struct table_statistics);
        *f->out = (struct table_statistics){.partition = ""};
    }
    if (whole) *f->out = *s;
    else f->out->row_count += s->row_count;
    f->whole = whole;
}

/* What the source says at a glance. */
static struct table_statistics *statistics_guessed(const struct query_binder *b, const struct table *t)
{
    const struct conn_type *c;
    const struct source_type *source = source_of(t, &c);

    if (!b->settings->reports_statistics || b->sys == NULL || source == NULL || source->records == NULL) return NULL;
    double records = source->records(&t->options, c->options, b->sys, b->a->mem);
    if (records < 0) return NULL;
    struct table_statistics *out = ARENA_NEW(b->a, struct table_statistics);
    *out = (struct table_statistics){.partition = "", .row_count = records < 1e18 ? (int64_t)records : INT64_MAX};
    return out;
}

/* A plan of streams is the same whatever tables hold. */
static const struct table_statistics *statistics_of(const struct query_binder *b, const struct table *t)
{
    struct found_statistics f = {.a = b->a};

    if (!b->is_batch) return NULL;
    catalogs_each_statistics(b->catalogs, t, statistics_found, &f);
    return f.out != NULL ? f.out : statistics_guessed(b, t);
}

enum status bind_stored(struct query_binder *b, const struct table *t, const struct ast_table *where, struct rel **out)
{
    uint32_t n = t->column_count + 1;
    struct stored s = {.b = b, .t = t, .where = where, .known = known_metadata(t), .names = ARENA_ARRAY(b->a, const char *, n),
                       .keys = ARENA_ARRAY(b->a, const char *, n), .types = ARENA_ARRAY(b->a, const struct type *, n),
                       .at = ARENA_ARRAY(b->a, uint32_t, n)};
    bool parts = t->partition_count > 0 && has_parts(&s);

    for (uint32_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].kind == TABLE_METADATA) TRY(check_key(&s, &t->columns[i]));
        if (t->columns[i].kind == TABLE_PHYSICAL && !(parts && table_is_partition(t, t->columns[i].name))) add(&s, i, t->columns[i].type);
    }
    if (parts) TRY(add_parts(&s));
    TRY(add_metadata(&s));
    struct scan_body body = {.table = t, .metadata = {s.keys, s.metadata_count}};
    TRY(bind_connector(b, t, type_row(b->a, s.count, s.names, s.types, false), s.metadata_count, false,
                       where->kind == TABLE_NAME ? where->name.place : where->place));
    body.statistics = statistics_of(b, t);
    *out = rel_scan(b->a, &body, type_row(b->a, s.count, s.names, s.types, false));
    if ((table_changes(t) & CHANGES_BEFORE) != 0) *out = rel_drop_before(b->a, *out);
    return s.metadata_count > 0 ? declared(&s, out) : S_OK;
}
