/* catalog_space.c - catalogs and databases: what contains objects, and what statements said of it. What was said is kept in an
 * arena of its own, which is replaced as a whole. There is always a current catalog; its current database may be gone. */
#include "language/catalog/catalog_internal.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"

#include <string.h>

/* --- what was said ----------------------------------------------------------------------------------------------- */
static bool option_less(void *arg, uint32_t a, uint32_t b)
{
    const struct option *items = arg;

    return strcmp(items[a].key, items[b].key) < 0;
}

/* Sorted by key; of equal keys the last one counts. */
static void options_keep(struct arena *a, const struct options *from, struct options *to)
{
    uint32_t n = from->count, kept = 0, *order = ARENA_ARRAY(a, uint32_t, 2 * (size_t)MAX(n, 1u));
    struct option *items = ARENA_ARRAY(a, struct option, MAX(n, 1u));

    for (uint32_t i = 0; i < n; i++) order[i] = i;
    sort_stable(order, order + n, n, option_less, (void *)from->items);
    for (uint32_t i = 0; i < n; i++) {
        const struct option *o = &from->items[order[i]];
        if (kept > 0 && strcmp(items[kept - 1].key, o->key) == 0) kept--;
        items[kept++] = (struct option){arena_strdup(a, o->key), arena_strdup(a, o->value)};
    }
    *to = (struct options){items, kept};
}

struct kept_space *space_keep(struct mem *mem, const struct space *s)
{
    struct kept_space *k = mem_zalloc(mem, sizeof *k);

    arena_init(&k->arena, mem, 256);
    if (s->comment != NULL) k->space.comment = arena_strdup(&k->arena, s->comment);
    options_keep(&k->arena, &s->options, &k->space.options);
    return k;
}

void space_free(struct mem *mem, struct kept_space *k)
{
    if (k == NULL) return;
    arena_release(&k->arena);
    mem_free(mem, k);
}

static void space_replace(struct mem *mem, struct kept_space **k, const struct space *s)
{
    struct kept_space *old = *k;

    *k = space_keep(mem, s);
    space_free(mem, old);
}

static const char *default_database(const struct space *s)
{
    const char *name = "default";

    for (uint32_t i = 0; i < s->options.count; i++)
        if (strcmp(s->options.items[i].key, "default-database") == 0) name = s->options.items[i].value;
    return name;
}

/* --- catalogs ---------------------------------------------------------------------------------------------------- */
const char *catalogs_current(const struct catalogs *c) { return c->catalog; }

bool catalogs_have(const struct catalogs *c, const char *catalog)
{
    return map_get(&c->catalogs, str_of(catalog)) != NULL;
}

const struct space *catalogs_catalog(const struct catalogs *c, const char *name)
{
    const struct catalog *k = map_get(&c->catalogs, str_of(name));

    return k != NULL && k->said != NULL ? &k->said->space : NULL;
}

enum status catalogs_use(struct catalogs *c, const char *catalog, struct err *e)
{
    struct catalog *k = catalog_of(c, catalog, e);

    if (k == NULL) return E_NOT_FOUND;
    if (strcmp(catalog, c->catalog) == 0) return S_OK; /* it stays in its database */
    struct map_entry *first = map_next(&k->databases, NULL);
    const char *database = first != NULL ? first->key.data : "";
    if (k->said != NULL) database = default_database(&k->said->space);
    c->catalog = arena_strdup(&c->arena, catalog);
    c->database = arena_strdup(&c->arena, database);
    return S_OK;
}

enum status catalogs_add_catalog(struct catalogs *c, const char *name, const struct space *said, bool if_not_exists,
                                 struct err *e)
{
    if (map_get(&c->catalogs, str_of(name)) != NULL)
        return if_not_exists ? S_OK : err_set(e, E_EXISTS, "Catalog %s already exists.", name);
    if (map_count(&c->catalogs) == CATALOGS_MAX) return catalog_full(e, "session", CATALOGS_MAX, "catalogs");
    struct catalog *k = catalog_new(c, name);
    k->said = space_keep(c->mem, said);
    database_new(c, k, default_database(said));
    return S_OK;
}

enum status catalogs_may_drop(const struct catalogs *c, const char *name, bool if_exists, struct err *e)
{
    struct catalog *k = map_get(&c->catalogs, str_of(name));

    if (k == NULL && if_exists) return S_OK;
    if (k == NULL) catalog_suggest(&c->catalogs, name, e);
    if (k == NULL) return err_set(e, E_NOT_FOUND, "Catalog %s does not exist.", name);
    return strcmp(name, c->catalog) == 0 ? err_set(e, E_CONFIG, "Cannot drop a catalog which is currently in use.") : S_OK;
}

void catalogs_drop_catalog(struct catalogs *c, const char *name)
{
    struct catalog *k = map_get(&c->catalogs, str_of(name));

    ASSERT(k != NULL && strcmp(name, c->catalog) != 0);
    map_remove(&c->catalogs, str_of(name));
    catalog_free(c, k);
}

enum status catalogs_alter_catalog(struct catalogs *c, const char *name, const struct space *said, struct err *e)
{
    struct catalog *k = map_get(&c->catalogs, str_of(name));

    if (k == NULL || k->said == NULL) {
        if (k == NULL) catalog_suggest(&c->catalogs, name, e);
        else err_hint(e, "no CREATE CATALOG made it");
        return err_set(e, E_NOT_FOUND, "Catalog %s does not exist in the catalog store.", name);
    }
    space_replace(c->mem, &k->said, said);
    const char *database = default_database(&k->said->space);
    if (map_get(&k->databases, str_of(database)) == NULL) database_new(c, k, database);
    return S_OK;
}

/* --- databases --------------------------------------------------------------------------------------------------- */
const char *catalogs_current_database(const struct catalogs *c) { return c->database; }

enum status catalogs_have_database(const struct catalogs *c, struct object_name database, struct err *e)
{
    return database_of(c, database.catalog, database.name, e) != NULL ? S_OK : E_NOT_FOUND;
}

const struct space *catalogs_database(const struct catalogs *c, struct object_name database, struct err *e)
{
    static const struct space nothing;
    const struct database *d = database_of(c, database.catalog, database.name, e);

    if (d == NULL) return NULL;
    return d->said != NULL ? &d->said->space : &nothing;
}

enum status catalogs_use_database(struct catalogs *c, struct object_name database, struct err *e)
{
    if (database_of(c, database.catalog, database.name, e) == NULL) return E_NOT_FOUND;
    if (database.catalog != NULL) c->catalog = arena_strdup(&c->arena, database.catalog);
    c->database = arena_strdup(&c->arena, database.name);
    return S_OK;
}

enum status catalogs_add_database(struct catalogs *c, struct object_name database, const struct space *said,
                                  bool if_not_exists, struct err *e)
{
    struct catalog *k = catalog_of(c, database.catalog, e);

    if (k == NULL) return E_NOT_FOUND;
    if (map_get(&k->databases, str_of(database.name)) != NULL)
        return if_not_exists ? S_OK
                             : err_set(e, E_EXISTS, "Database %s already exists in Catalog %s.", database.name,
                                       database.catalog != NULL ? database.catalog : c->catalog);
    if (map_count(&k->databases) == CATALOG_OBJECTS_MAX) return catalog_full(e, "catalog", CATALOG_OBJECTS_MAX, "databases");
    database_new(c, k, database.name)->said = space_keep(c->mem, said);
    return S_OK;
}

enum status catalogs_alter_database(struct catalogs *c, struct object_name database, const struct space *said,
                                    struct err *e)
{
    struct database *d = database_of(c, database.catalog, database.name, e);

    if (d == NULL) return E_NOT_FOUND;
    space_replace(c->mem, &d->said, said);
    return S_OK;
}

enum status catalogs_drop_database(struct catalogs *c, struct object_name database, bool if_exists, bool cascade,
                                   struct err *e)
{
    struct err missing = {0};
    struct database *d = database_of(c, database.catalog, database.name, &missing);

    if (d == NULL) return if_exists ? S_OK : err_pass_on(e, &missing);
    bool current = strcmp(database.catalog != NULL ? database.catalog : c->catalog, c->catalog) == 0 &&
                   strcmp(database.name, c->database) == 0;
    if (current) return err_set(e, E_CONFIG, "Cannot drop a database which is currently in use.");
    if (!cascade && map_count(&d->objects) > 0) return err_set(e, E_CONFIG, "Database %s is not empty.", database.name);
    struct catalog *k = catalog_of(c, database.catalog, e);
    map_remove(&k->databases, str_of(database.name));
    database_free(c, d);
    return S_OK;
}

/* --- listing ----------------------------------------------------------------------------------------------------- */
struct listing {
    catalog_name_fn name;
    void *arg;
};

static void list_name(void *arg, const struct map_entry *e)
{
    struct listing *l = arg;
    l->name(l->arg, e->key.data);
}

void catalogs_each_catalog(const struct catalogs *c, catalog_name_fn fn, void *arg)
{
    struct listing l = {.name = fn, .arg = arg};
    catalog_each_sorted(c->mem, &c->catalogs, list_name, &l);
}

enum status catalogs_each_database(const struct catalogs *c, const char *catalog, catalog_name_fn fn, void *arg,
                                   struct err *e)
{
    struct catalog *k = catalog_of(c, catalog, e);

    if (k == NULL) return E_NOT_FOUND;
    struct listing l = {.name = fn, .arg = arg};
    catalog_each_sorted(c->mem, &k->databases, list_name, &l);
    return S_OK;
}
