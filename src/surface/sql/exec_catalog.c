/* exec_catalog.c - CREATE, DROP, ALTER, DESCRIBE and SHOW CREATE of catalogs. The only type there is lives in memory; what was said
 * of a catalog goes to the session's store (catalog_store.h), its tables end with the session, as in Flink. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/print.h"
#include "surface/sql/catalog_store.h"

#include <string.h>

const char *run_space_options(struct run *r, const struct options *o)
{
    struct buf text;

    buf_init(&text, &r->mem);
    buf_append_text(&text, "WITH (");
    for (uint32_t i = 0; i < o->count; i++) {
        buf_append_text(&text, i > 0 ? ",\n  " : "\n  ");
        print_string(str_of(o->items[i].key), &text);
        buf_append_text(&text, " = ");
        print_string(str_of(o->items[i].value), &text);
    }
    buf_append_text(&text, "\n)\n");
    const char *kept = arena_strndup(&r->arena, text.data, text.size);
    buf_release(&text);
    return kept;
}

struct options run_options(struct run *r, const struct ast_options *o)
{
    struct option *items = ARENA_ARRAY(&r->arena, struct option, MAX(o->count, 1u));

    for (uint32_t i = 0; i < o->count; i++)
        items[i] = (struct option){run_text(r, o->items[i].key), run_text(r, o->items[i].value)};
    return (struct options){items, o->count};
}

struct options run_options_changed(struct run *r, const struct options *old, const struct ast_options *set,
                                   const struct ast_keys *reset)
{
    struct option *items = ARENA_ARRAY(&r->arena, struct option, (size_t)old->count + set->count + 1);
    struct options more = run_options(r, set);
    uint32_t n = 0;

    for (uint32_t i = 0; i < old->count; i++) {
        bool gone = false;
        for (uint32_t k = 0; k < reset->count; k++) gone |= str_equal(str_of(old->items[i].key), reset->items[k]);
        if (!gone) items[n++] = old->items[i];
    }
    for (uint32_t i = 0; i < more.count; i++) items[n++] = more.items[i];
    return (struct options){items, n};
}

/* --- CREATE, ALTER, DROP ----------------------------------------------------------------------------------------- */
/* What is wrong with options of a catalog, at the name in the statement. */
static enum status check_options(struct run *r, const struct ast_name *n, const struct options *o)
{
    struct err inner = {0};

    return run_at_name(r, n, catalog_options_check(n->parts[0], o, &inner), &inner);
}

static enum status run_create_catalog(struct run *r, const void *body)
{
    const struct create_space *c = body;
    const char *name = run_text(r, c->name.parts[0]);
    struct space said = {.options = run_options(r, &c->options)};
    struct err inner = {0};

    if (c->has_comment) said.comment = run_text(r, c->comment);
    if (catalogs_have(r->s->catalogs, name) && c->if_not_exists) return run_said(r);
    if (!catalogs_have(r->s->catalogs, name)) TRY(check_options(r, &c->name, &said.options));
    TRY(run_at_name(r, &c->name, catalogs_add_catalog(r->s->catalogs, name, &said, false, &inner), &inner));
    if (catalog_store_write(&r->s->store, name, &said.options, &inner) != S_OK) {
        catalogs_drop_catalog(r->s->catalogs, name);
        return run_at_name(r, &c->name, E_IO, &inner);
    }
    return run_said(r);
}

static enum status alter_catalog(struct run *r, const struct alter_space *x, struct space *said)
{
    struct err inner = {0};
    const char *name = run_text(r, x->name.parts[0]);

    for (uint32_t i = 0; i < x->keys.count; i++)
        if (str_equal(x->keys.items[i], STR("type")))
            return run_fail(r, x->name.place, "ALTER CATALOG RESET does not support changing 'type'");
    if (x->what == KW_RESET && x->keys.count == 0)
        return run_fail(r, x->name.place, "ALTER CATALOG RESET does not support empty key");
    if (x->what == KW_COMMENT) said->comment = run_text(r, x->comment);
    said->options = run_options_changed(r, &said->options, &x->options, &x->keys);
    if (x->what != KW_COMMENT) TRY(check_options(r, &x->name, &said->options));
    TRY(run_at_name(r, &x->name, catalog_store_write(&r->s->store, name, &said->options, &inner), &inner));
    return run_at_name(r, &x->name, catalogs_alter_catalog(r->s->catalogs, name, said, &inner), &inner);
}

static enum status run_alter_catalog(struct run *r, const void *body)
{
    const struct alter_space *x = body;
    const char *name = run_text(r, x->name.parts[0]);
    const struct space *old = catalogs_catalog(r->s->catalogs, name);
    struct space said = {0};
    struct err inner = {0};

    if (old == NULL)
        return run_at_name(r, &x->name, catalogs_alter_catalog(r->s->catalogs, name, &said, &inner), &inner);
    said = *old;
    TRY(alter_catalog(r, x, &said));
    return run_said(r);
}

enum status run_drop_catalog(struct run *r, const struct drop *d)
{
    const char *name = run_text(r, d->name.parts[0]);
    struct err inner = {0};

    if (d->name.count > 1) return run_fail(r, d->name.place, "a catalog's name has one part");
    TRY(run_at_name(r, &d->name, catalogs_may_drop(r->s->catalogs, name, d->if_exists, &inner), &inner));
    if (!catalogs_have(r->s->catalogs, name)) return S_OK;
    TRY(run_at_name(r, &d->name, catalog_store_remove(&r->s->store, name, &inner), &inner)); /* a file that stays keeps the catalog */
    catalogs_drop_catalog(r->s->catalogs, name);
    run_forget_functions(r, name, NULL);
    return S_OK;
}

/* --- DESCRIBE, SHOW CREATE --------------------------------------------------------------------------------------- */
static enum status described(struct run *r, const struct ast_name *n, const struct space **out)
{
    const char *name = run_text(r, n->parts[0]);

    *out = catalogs_catalog(r->s->catalogs, name);
    if (*out != NULL) return S_OK;
    if (catalogs_have(r->s->catalogs, name))
        err_hint(r->e, "no CREATE CATALOG made it: it has neither options nor a comment");
    return run_fail(r, n->place, "Cannot obtain metadata information from Catalog %s.", name);
}

enum status run_describe_space(struct run *r, const char *const *heads, const char *name, const struct space *said,
                               bool extended)
{
    static const char *const names[] = {"info name", "info value"};
    uint32_t rows = 0, most = said->options.count + 3;
    const char **cells = ARENA_ARRAY(&r->arena, const char *, 2 * (size_t)most);

    for (uint32_t i = 0; heads[i] != NULL; i++) {
        cells[2 * rows] = heads[i];
        const char *value = i == 0 ? name : said->comment;
        for (uint32_t k = 0; k < said->options.count && strcmp(heads[i], "type") == 0; k++)
            if (strcmp(said->options.items[k].key, "type") == 0) value = said->options.items[k].value;
        cells[2 * rows++ + 1] = value;
    }
    for (uint32_t i = 0; i < said->options.count && extended; i++) {
        if (heads[2] != NULL && strcmp(said->options.items[i].key, "type") == 0)
            continue; /* a catalog's stands above */
        cells[2 * rows] = arena_printf(&r->arena, "option:%s", said->options.items[i].key);
        cells[2 * rows++ + 1] = said->options.items[i].value;
    }
    return run_give(r, 2, names, NULL, cells, rows);
}

enum status run_describe_catalog(struct run *r, const struct describe *d)
{
    static const char *const heads[] = {"name", "type", "comment", NULL};
    const struct space *said;

    TRY(described(r, &d->name, &said));
    return run_describe_space(r, heads, run_text(r, d->name.parts[0]), said, d->extended);
}

enum status run_create_catalog_text(struct run *r, const struct ast_name *n, const char **out)
{
    const struct space *said;
    struct buf text;

    TRY(described(r, n, &said));
    buf_init(&text, &r->mem);
    buf_append_text(&text, "CREATE CATALOG ");
    print_name(n, &text);
    if (said->comment != NULL) {
        buf_append_text(&text, "\nCOMMENT ");
        print_string(str_of(said->comment), &text);
    }
    buf_printf(&text, "\n%s", run_space_options(r, &said->options));
    *out = arena_strndup(&r->arena, text.data, text.size);
    buf_release(&text);
    return S_OK;
}

const struct executor catalog_executors[] = {
    {"create_catalog", run_create_catalog}, {"alter_catalog", run_alter_catalog}, {0}};
