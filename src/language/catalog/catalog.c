/* catalog.c - the objects of databases: tables and views in nested maps. Objects are copied into an arena of their own, which is
 * freed when they are dropped or replaced. Maps keep the order of insertion; listings are sorted by name. Catalogs and databases are
 * in catalog_space.c, partitions and statistics of tables in catalog_partition.c. */
#include "language/catalog/catalog.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"
#include "language/catalog/catalog_internal.h"

#include <string.h>

/* --- life -------------------------------------------------------------------------------------------------------- */
struct database *database_new(struct catalogs *c, struct catalog *in, const char *name)
{
    struct database *d = mem_zalloc(c->mem, sizeof *d);
    map_init(&d->objects, c->mem);
    map_init(&d->temporary, c->mem);
    map_set(&in->databases, str_of(name), d);
    return d;
}

struct catalog *catalog_new(struct catalogs *c, const char *name)
{
    struct catalog *k = mem_zalloc(c->mem, sizeof *k);
    map_init(&k->databases, c->mem);
    map_set(&c->catalogs, str_of(name), k);
    return k;
}

struct catalogs *catalogs_create(const char *catalog, const char *database, struct mem *mem)
{
    struct catalogs *c = mem_zalloc(mem, sizeof *c);

    c->mem = mem;
    arena_init(&c->arena, mem, 0);
    map_init(&c->catalogs, mem);
    c->catalog = arena_strdup(&c->arena, catalog);
    c->database = arena_strdup(&c->arena, database);
    database_new(c, catalog_new(c, catalog), database);
    return c;
}

static void object_free(struct catalogs *c, struct object *o)
{
    if (o == NULL) return;
    partitions_free(c->mem, o);
    arena_release(&o->arena);
    mem_free(c->mem, o);
    c->object_count--;
}

void database_free(struct catalogs *c, struct database *d)
{
    EACH(e, &d->objects) object_free(c, e->value);
    EACH(e, &d->temporary) object_free(c, e->value);
    map_release(&d->objects);
    map_release(&d->temporary);
    space_free(c->mem, d->said);
    mem_free(c->mem, d);
}

void catalog_free(struct catalogs *c, struct catalog *k)
{
    EACH(d, &k->databases) database_free(c, d->value);
    map_release(&k->databases);
    space_free(c->mem, k->said);
    mem_free(c->mem, k);
}

void catalogs_free(struct catalogs *c)
{
    if (c == NULL) return;
    EACH(e, &c->catalogs) catalog_free(c, e->value);
    map_release(&c->catalogs);
    arena_release(&c->arena);
    mem_free(c->mem, c);
}

/* --- looking up -------------------------------------------------------------------------------------------------- */
void catalog_suggest(const struct map *m, const char *name, struct err *e)
{
    const char *names[256];
    uint32_t count = 0;

    EACH(entry, m) if (count < COUNT_OF(names)) names[count++] = entry->key.data;
    int near = str_nearest(str_of(name), names, count);
    if (near >= 0) err_hint(e, "did you mean '%s'?", names[near]);
}

enum status catalog_full(struct err *e, const char *holder, int most, const char *what)
{
    err_hint(e, "drop those that are not needed any more");
    return err_set(e, E_BUDGET, "a %s has at most %d %s", holder, most, what);
}

struct catalog *catalog_of(const struct catalogs *c, const char *name, struct err *e)
{
    if (name == NULL) name = c->catalog;
    struct catalog *k = map_get(&c->catalogs, str_of(name));
    if (k != NULL) return k;
    catalog_suggest(&c->catalogs, name, e);
    err_set(e, E_NOT_FOUND, "A catalog with name [%s] does not exist.", name);
    return NULL;
}

struct database *database_of(const struct catalogs *c, const char *catalog, const char *name, struct err *e)
{
    struct catalog *k = catalog_of(c, catalog, e);
    if (k == NULL) return NULL;
    if (name == NULL) name = c->database;
    struct database *d = map_get(&k->databases, str_of(name));
    if (d != NULL) return d;
    catalog_suggest(&k->databases, name, e);
    err_set(e, E_NOT_FOUND, "A database with name [%s] does not exist in the catalog: [%s].", name,
            catalog != NULL ? catalog : c->catalog);
    return NULL;
}

bool table_is_partition(const struct table *t, const char *column)
{
    for (uint32_t i = 0; i < t->partition_count; i++)
        if (strcmp(t->partitions[i], column) == 0) return true;
    return false;
}

const char *table_option(const struct table *t, const char *key)
{
    for (uint32_t i = 0; i < t->options.count; i++)
        if (strcmp(t->options.items[i].key, key) == 0) return t->options.items[i].value;
    return NULL;
}

const struct table *catalogs_find(const struct catalogs *c, struct object_name name, struct err *e)
{
    struct database *d = database_of(c, name.catalog, name.database, e);
    if (d == NULL) return NULL;
    struct object *o = map_get(&d->temporary, str_of(name.name));
    if (o == NULL) o = map_get(&d->objects, str_of(name.name));
    if (o != NULL) return &o->table;
    catalog_suggest(&d->objects, name.name, e);
    err_set(e, E_NOT_FOUND, "Object '%s' not found", name.name);
    return NULL;
}

/* --- changing ---------------------------------------------------------------------------------------------------- */
static const char *copied(struct arena *a, const char *text) { return text != NULL ? arena_strdup(a, text) : NULL; }

static const char *const *copied_names(struct arena *a, const char *const *names, uint32_t count)
{
    const char **out = ARENA_ARRAY(a, const char *, MAX(count, 1u));
    for (uint32_t i = 0; i < count; i++) out[i] = arena_strdup(a, names[i]);
    return out;
}

static const struct type *copied_type(struct arena *a, const struct type *t)
{
    const struct type *out = NULL;
    struct buf bytes;

    if (t == NULL) return NULL;
    buf_init(&bytes, a->mem);
    type_encode(t, &bytes);
    const uint8_t *at = (const uint8_t *)bytes.data;
    enum status st = type_decode(a, &at, at + bytes.size, &out);
    ASSERT(st == S_OK);
    buf_release(&bytes);
    return out;
}

static void copy_columns(struct arena *a, struct table *to, const struct table *t)
{
    struct table_column *columns = ARENA_ARRAY(a, struct table_column, MAX(t->column_count, 1u));

    to->row = copied_type(a, t->row);
    to->columns = columns;
    for (uint32_t i = 0; i < t->column_count; i++) {
        columns[i] = t->columns[i];
        columns[i].name = arena_strdup(a, t->columns[i].name);
        columns[i].type = to->row != NULL ? to->row->children[i] : copied_type(a, t->columns[i].type);
        columns[i].expression = copied(a, t->columns[i].expression);
        columns[i].metadata_key = copied(a, t->columns[i].metadata_key);
        columns[i].comment = copied(a, t->columns[i].comment);
    }
}

static void copy_options(struct arena *a, struct table *to, const struct table *t)
{
    struct option *options = ARENA_ARRAY(a, struct option, MAX(t->options.count, 1u));
    struct option_place *places = ARENA_ARRAY(a, struct option_place, MAX(t->place_count, 1u));

    for (uint32_t i = 0; i < t->options.count; i++)
        options[i] = (struct option){arena_strdup(a, t->options.items[i].key), arena_strdup(a, t->options.items[i].value)};
    for (uint32_t i = 0; i < t->place_count; i++) {
        places[i] = t->places[i];
        places[i].key = arena_strdup(a, t->places[i].key);
        places[i].source = copied(a, t->places[i].source);
        places[i].excerpt = arena_strdup(a, t->places[i].excerpt);
    }
    to->options.items = options;
    to->places = places;
}

static struct object *object_new(struct catalogs *c, struct object_name name, const struct table *t)
{
    struct object *o = mem_zalloc(c->mem, sizeof *o);
    struct arena *a = &o->arena;

    arena_init(a, c->mem, 1024);
    map_init(&o->partitions, c->mem);
    map_init(&o->statistics, c->mem);
    o->table = *t;
    copy_columns(a, &o->table, t);
    o->table.catalog = arena_strdup(a, name.catalog != NULL ? name.catalog : c->catalog);
    o->table.database = arena_strdup(a, name.database != NULL ? name.database : c->database);
    o->table.name = arena_strdup(a, name.name);
    o->table.view = copied(a, t->view);
    o->table.view_catalog = copied(a, t->view_catalog);
    o->table.view_database = copied(a, t->view_database);
    o->table.watermark_column = copied(a, t->watermark_column);
    o->table.watermark = copied(a, t->watermark);
    o->table.key = copied_names(a, t->key, t->key_count);
    o->table.key_name = copied(a, t->key_name);
    o->table.partitions = copied_names(a, t->partitions, t->partition_count);
    o->table.comment = copied(a, t->comment);
    o->table.distribution.how = copied(a, t->distribution.how);
    o->table.distribution.keys = copied_names(a, t->distribution.keys, t->distribution.key_count);
    copy_options(a, &o->table, t);
    c->object_count++;
    return o;
}

static enum status exists_already(const struct catalogs *c, struct object_name name, const struct table *t, struct err *e)
{
    const char *catalog = name.catalog != NULL ? name.catalog : c->catalog;
    const char *database = name.database != NULL ? name.database : c->database;

    if (t->is_temporary)
        return err_set(e, E_EXISTS, "Temporary %s '`%s`.`%s`.`%s`' already exists", t->view != NULL ? "view" : "table", catalog,
                       database, name.name);
    return err_set(e, E_EXISTS, "Table (or view) %s.%s already exists in Catalog %s.", database, name.name, catalog);
}

enum status catalogs_add(struct catalogs *c, struct object_name name, const struct table *t, bool if_not_exists,
                         bool replace, struct err *e)
{
    struct database *d = database_of(c, name.catalog, name.database, e);
    if (d == NULL) return E_NOT_FOUND;
    struct map *m = t->is_temporary ? &d->temporary : &d->objects;

    bool is_there = map_get(m, str_of(name.name)) != NULL;
    if (is_there && !replace) return if_not_exists ? S_OK : exists_already(c, name, t, e);
    if (c->object_count == CATALOG_OBJECTS_MAX && !is_there) return catalog_full(e, "session", CATALOG_OBJECTS_MAX, "tables and views");
    object_free(c, map_set(m, str_of(name.name), object_new(c, name, t)));
    return S_OK;
}

enum status catalogs_drop(struct catalogs *c, struct object_name name, bool is_view, bool is_temporary, bool if_exists,
                          struct err *e)
{
    struct err missing = {0};
    struct database *d = database_of(c, name.catalog, name.database, &missing);

    if (d == NULL) return if_exists ? S_OK : err_pass_on(e, &missing);
    struct map *m = is_temporary ? &d->temporary : &d->objects;
    struct object *o = map_get(m, str_of(name.name));
    const char *catalog = name.catalog != NULL ? name.catalog : c->catalog;
    const char *database = name.database != NULL ? name.database : c->database;
    if (!is_temporary && map_get(&d->temporary, str_of(name.name)) != NULL) {
        const char *what = is_view ? "view" : "table";
        return err_set(e, E_EXISTS,
                       "Temporary %s with identifier '`%s`.`%s`.`%s`' exists. Drop it first before removing the permanent %s.", what,
                       catalog, database, name.name, what);
    }
    if (o == NULL || (o->table.view != NULL) != is_view) {
        if (if_exists) return S_OK;
        catalog_suggest(m, name.name, e);
        return err_set(e, E_NOT_FOUND, "%s with identifier '%s.%s.%s' does not exist.",
                       is_temporary ? "Temporary table or view" : is_view ? "View" : "Table", catalog, database, name.name);
    }
    map_remove(m, str_of(name.name));
    object_free(c, o);
    return S_OK;
}

/* Partitions go along; what was found in the table's rows does not. */
static void partitions_move(struct object *from, struct object *to)
{
    struct map none = to->partitions;

    to->partitions = from->partitions;
    from->partitions = none;
}

enum status catalogs_alter(struct catalogs *c, struct object_name name, const struct table *t, struct err *e)
{
    struct database *d = database_of(c, name.catalog, name.database, e);

    if (d == NULL) return E_NOT_FOUND;
    struct map *m = t->is_temporary ? &d->temporary : &d->objects;
    struct object *now = object_new(c, name, t), *old = map_set(m, str_of(name.name), now);
    ASSERT(old != NULL);
    partitions_move(old, now);
    object_free(c, old);
    return S_OK;
}

enum status catalogs_rename(struct catalogs *c, struct object_name from, const char *to, struct err *e)
{
    struct database *d = database_of(c, from.catalog, from.database, e);

    if (d == NULL) return E_NOT_FOUND;
    struct object *o = map_get(&d->temporary, str_of(from.name));
    struct map *m = o != NULL ? &d->temporary : &d->objects;
    if (o == NULL) o = map_get(m, str_of(from.name));
    ASSERT(o != NULL);
    struct object_name name = {from.catalog, from.database, to};
    TRY(catalogs_add(c, name, &o->table, false, false, e));
    partitions_move(o, map_get(m, str_of(to)));
    map_remove(m, str_of(from.name));
    object_free(c, o);
    return S_OK;
}

/* --- listing ----------------------------------------------------------------------------------------------------- */
static bool entry_less(void *arg, uint32_t a, uint32_t b)
{
    struct map_entry **entries = arg;
    return str_compare(entries[a]->key, entries[b]->key) < 0;
}

void catalog_each_sorted(struct mem *mem, const struct map *m, void (*fn)(void *arg, const struct map_entry *e), void *arg)
{
    uint32_t n = 0, count = map_count(m);
    struct map_entry **entries = mem_alloc(mem, sizeof *entries * MAX(count, 1u));
    uint32_t *order = mem_alloc(mem, sizeof *order * 2 * MAX(count, 1u));

    EACH(e, m)
    {
        order[n] = n;
        entries[n++] = e;
    }
    sort_stable(order, order + count, n, entry_less, entries);
    for (uint32_t i = 0; i < n; i++) fn(arg, entries[order[i]]);
    mem_free(mem, entries);
    mem_free(mem, order);
}

struct listing {
    catalog_fn object;
    void *arg;
};

static void list_object(void *arg, const struct map_entry *e)
{
    struct listing *l = arg;
    l->object(l->arg, &((const struct object *)e->value)->table);
}

enum status catalogs_each(const struct catalogs *c, struct object_name database, catalog_fn fn, void *arg,
                          struct err *e)
{
    struct database *d = database_of(c, database.catalog, database.name, e);
    if (d == NULL) return E_NOT_FOUND;
    struct listing l = {.object = fn, .arg = arg};
    catalog_each_sorted(c->mem, &d->temporary, list_object, &l);
    catalog_each_sorted(c->mem, &d->objects, list_object, &l);
    return S_OK;
}
