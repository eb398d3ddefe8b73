/* lookup_asks.c - what a lookup join gives a connector that finds rows by keys itself (flow/connector/lookup.h): each of the keys that
 * this wants is one of the join's, or a constant that the conditions on the table say. */
#include "language/plan/lookup_rel.h"

#include "flow/connector/lookup_table.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

struct options lookup_options_of(const struct table *t, struct arena *a)
{
    struct option *items = ARENA_ARRAY(a, struct option, t->options.count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < t->options.count; i++)
        if (strcmp(t->options.items[i].key, "connector") != 0) items[count++] = t->options.items[i];
    return (struct options){items, count};
}

/* --- constants --------------------------------------------------------------------------------------------------- */
static bool is_constant_of(const struct expr *x, uint32_t *col, struct expr **constant)
{
    if (x->kind != EXPR_CALL || x->count != 2 || strcmp(x->call->def->name, "=") != 0) return false;
    for (uint32_t i = 0; i < 2; i++) {
        if (x->args[i]->kind != EXPR_COLUMN || x->args[1 - i]->kind != EXPR_CONSTANT) continue;
        *col = x->args[i]->col;
        *constant = x->args[1 - i];
        return true;
    }
    return false;
}

void lookup_constants(const struct expr *filter, void (*each)(void *arg, uint32_t col, struct expr *constant), void *arg)
{
    uint32_t col;
    struct expr *constant;

    if (filter == NULL) return;
    if (is_constant_of(filter, &col, &constant)) each(arg, col, constant);
    for (uint32_t i = 0; filter->kind == EXPR_AND && i < filter->count; i++) lookup_constants(filter->args[i], each, arg);
}

struct wanted {
    const struct type *schema;
    uint32_t col;
    struct expr *found;
};

static void constant_match(void *arg, uint32_t col, struct expr *constant)
{
    struct wanted *w = arg;
    const struct type *is = constant->type, *want = w->schema->children[col];

    if (col != w->col || w->found != NULL) return;
    if (type_equal_ignoring_null(is, want) || (type_is_string(is) && type_is_string(want))) w->found = constant;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */
static const struct type *key_row(struct arena *a, const struct lookup_join_body *b)
{
    const struct type **types = ARENA_ARRAY(a, const struct type *, b->join.key_count + 1);
    const char **names = ARENA_ARRAY(a, const char *, b->join.key_count + 1);

    for (uint32_t k = 0; k < b->join.key_count; k++) {
        types[k] = type_with_null(a, b->right->children[b->join.keys[1][k]], true);
        names[k] = b->right->names[b->join.keys[1][k]];
    }
    return type_row(a, b->join.key_count, names, types, false);
}

/* What column `col` of the table equals; NULL: nothing says it. */
static struct expr *ask_find(const struct expr_maker *m, const struct lookup_join_body *b, const struct type *keys, uint32_t col)
{
    struct wanted w = {b->schema, col, NULL};

    for (uint32_t k = 0; k < b->join.key_count; k++) {
        const struct expr *x = b->columns[b->join.keys[1][k]];
        if (x->kind == EXPR_COLUMN && x->col == col) return expr_column(m, keys, k);
    }
    lookup_constants(b->filter, constant_match, &w);
    return w.found;
}

static enum status key_unknown(const struct lookup_join_body *b, const struct text_list *keys, const char *name, struct err *e)
{
    char list[TYPE_NAMES_TEXT_MAX] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < keys->count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", keys->items[i]);
    err_hint(e, "add it to ON: %s = ...", name);
    return err_set(e, E_UNSUPPORTED, "Table [%s.%s.%s] finds rows by [%s], and the join does not say what '%s' equals", b->table->catalog,
                   b->table->database, b->table->name, list, name);
}

enum status lookup_asks_find(const struct expr_maker *m, struct lookup_join_body *b, struct err *e)
{
    const char *connector = table_option(b->table, "connector");
    const struct conn_type *conn;

    b->options = lookup_options_of(b->table, m->a);
    if (connector == NULL || conn_find(connector, &conn, NULL) != S_OK || conn->lookup == NULL || b->join.key_count == 0) return S_OK;
    const struct options given = b->options;
    struct lookup_offer o = {.a = m->a,
                             .session = m->session,
                             .options = &given,
                             .defs = conn->options,
                             .schema = b->schema,
                             .primary_key = {b->table->key, b->table->key_count}};
    enum status st = lookup_check(conn, &given, e);
    if (st == S_OK) st = conn->lookup->plan(&o, e);
    if (st != S_OK) return err_wrap(e, "table '%s'", b->table->name);
    const struct type *keys = key_row(m->a, b);
    struct expr **asks = ARENA_ARRAY(m->a, struct expr *, o.keys.count + 1);
    for (uint32_t i = 0; i < o.keys.count; i++) {
        asks[i] = ask_find(m, b, keys, (uint32_t)type_field(b->schema, str_of(o.keys.items[i])));
        if (asks[i] == NULL) return key_unknown(b, &o.keys, o.keys.items[i], e);
    }
    b->options = o.planned;
    b->asks = asks;
    b->ask_count = o.keys.count;
    b->is_async = o.waits && !b->hint.is_sync;
    return S_OK;
}
