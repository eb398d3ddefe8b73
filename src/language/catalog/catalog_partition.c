/* catalog_partition.c - what the catalog keeps beside a table: the partitions that ALTER TABLE added, and statistics that ANALYZE
 * TABLE found. Nobody looks at files here: as in Flink's catalog in memory, a partition is there because somebody said so. */
#include "language/catalog/catalog_internal.h"

#include "ground/base/str.h"

#include <string.h>

struct kept_partition {
    struct arena arena;
    struct partition said;
    const char *name; /* p=x/q=1 */
};

struct kept_statistics {
    struct arena arena;
    struct table_statistics said;
};

void partitions_free(struct mem *mem, struct object *o)
{
    EACH(e, &o->partitions)
    {
        struct kept_partition *p = e->value;
        arena_release(&p->arena);
        mem_free(mem, p);
    }
    EACH(s, &o->statistics)
    {
        struct kept_statistics *k = s->value;
        arena_release(&k->arena);
        mem_free(mem, k);
    }
    map_release(&o->partitions);
    map_release(&o->statistics);
}

/* --- names ------------------------------------------------------------------------------------------------------- */
static struct object *object_of(const struct catalogs *c, struct object_name name, struct err *e)
{
    struct database *d = database_of(c, name.catalog, name.database, e);
    struct object *o = d != NULL ? map_get(&d->objects, str_of(name.name)) : NULL;

    if (o != NULL || d == NULL) return o;
    catalog_suggest(&d->objects, name.name, e);
    err_set(e, E_NOT_FOUND, "Table (or view) %s.%s does not exist in Catalog %s.",
            name.database != NULL ? name.database : c->database, name.name,
            name.catalog != NULL ? name.catalog : c->catalog);
    return NULL;
}

static void print_parts(const struct partition *p, const char *between, struct buf *out)
{
    for (uint32_t i = 0; i < p->count; i++)
        buf_printf(out, "%s%s=%s", i > 0 ? between : "", p->columns[i], p->values[i]);
}

static enum status refuse(struct mem *mem, const struct table *t, const struct partition *p, enum status st,
                          const char *why, struct err *e)
{
    struct buf text;

    buf_init(&text, mem);
    print_parts(p, ", ", &text);
    (void)err_set(e, st, "Partition CatalogPartitionSpec{{%s}} of table %s.%s in catalog %s %s.", buf_text(&text),
                  t->database, t->name, t->catalog, why);
    buf_release(&text);
    return st;
}

static const char *value_of(const struct partition *p, const char *column)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (strcmp(p->columns[i], column) == 0) return p->values[i];
    return NULL;
}

static bool fits(const struct table *t, const struct partition *p)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < t->partition_count; i++) found += value_of(p, t->partitions[i]) != NULL;
    return found == t->partition_count && p->count == t->partition_count;
}

/* The same for the same values, in whatever order they were said. */
static void key_of(const struct table *t, const struct partition *p, struct buf *out)
{
    for (uint32_t i = 0; i < t->partition_count; i++) {
        const char *value = value_of(p, t->partitions[i]);
        if (value != NULL) buf_printf(out, "%zu:%s", strlen(value), value);
    }
}

static enum status not_fitting(struct mem *mem, const struct table *t, const struct partition *p, struct err *e)
{
    struct buf said, keys;

    if (t->partition_count == 0)
        return err_set(e, E_CONFIG, "Table %s.%s in catalog %s is not partitioned.", t->database, t->name, t->catalog);
    buf_init(&said, mem);
    buf_init(&keys, mem);
    print_parts(p, ", ", &said);
    for (uint32_t i = 0; i < t->partition_count; i++) buf_printf(&keys, "%s%s", i > 0 ? ", " : "", t->partitions[i]);
    (void)err_set(
        e, E_CONFIG,
        "PartitionSpec CatalogPartitionSpec{{%s}} does not match partition keys [%s] of table %s.%s in catalog %s.",
        buf_text(&said), buf_text(&keys), t->database, t->name, t->catalog);
    buf_release(&said);
    buf_release(&keys);
    return E_CONFIG;
}

/* --- partitions -------------------------------------------------------------------------------------------------- */
static struct kept_partition *partition_keep(struct mem *mem, const struct partition *p)
{
    struct kept_partition *k = mem_zalloc(mem, sizeof *k);
    const char **columns, **values;
    struct option *items;
    struct buf name;

    arena_init(&k->arena, mem, 256);
    columns = ARENA_ARRAY(&k->arena, const char *, MAX(p->count, 1u));
    values = ARENA_ARRAY(&k->arena, const char *, MAX(p->count, 1u));
    items = ARENA_ARRAY(&k->arena, struct option, MAX(p->options.count, 1u));
    for (uint32_t i = 0; i < p->count; i++) columns[i] = arena_strdup(&k->arena, p->columns[i]);
    for (uint32_t i = 0; i < p->count; i++) values[i] = arena_strdup(&k->arena, p->values[i]);
    for (uint32_t i = 0; i < p->options.count; i++)
        items[i] = (struct option){arena_strdup(&k->arena, p->options.items[i].key),
                                   arena_strdup(&k->arena, p->options.items[i].value)};
    k->said = (struct partition){p->count, columns, values, {items, p->options.count}};
    buf_init(&name, mem);
    print_parts(p, "/", &name);
    k->name = arena_strndup(&k->arena, buf_text(&name), name.size);
    buf_release(&name);
    return k;
}

static enum status partition_add(struct catalogs *c, struct object *o, const struct partition *p, struct str key,
                                 bool if_not_exists, struct err *e)
{
    if (map_get(&o->partitions, key) != NULL)
        return if_not_exists ? S_OK : refuse(c->mem, &o->table, p, E_EXISTS, "already exists", e);
    if (map_count(&o->partitions) == TABLE_PARTITIONS_MAX)
        return err_set(e, E_BUDGET, "a table has at most %d partitions", TABLE_PARTITIONS_MAX);
    map_set(&o->partitions, key, partition_keep(c->mem, p));
    return S_OK;
}

enum status catalogs_add_partition(struct catalogs *c, struct object_name table, const struct partition *p,
                                   bool if_not_exists, struct err *e)
{
    struct object *o = object_of(c, table, e);
    struct buf key;

    if (o == NULL) return E_NOT_FOUND;
    if (o->table.partition_count == 0 || !fits(&o->table, p)) return not_fitting(c->mem, &o->table, p, e);
    buf_init(&key, c->mem);
    key_of(&o->table, p, &key);
    enum status st = partition_add(c, o, p, (struct str){buf_text(&key), key.size}, if_not_exists, e);
    buf_release(&key);
    return st;
}

enum status catalogs_drop_partition(struct catalogs *c, struct object_name table, const struct partition *p,
                                    bool if_exists, struct err *e)
{
    struct err missing = {0};
    struct object *o = object_of(c, table, &missing);
    struct kept_partition *gone = NULL;
    struct buf key;

    if (o == NULL) return err_pass_on(e, &missing);
    buf_init(&key, c->mem);
    key_of(&o->table, p, &key);
    if (fits(&o->table, p)) gone = map_remove(&o->partitions, (struct str){buf_text(&key), key.size});
    buf_release(&key);
    if (gone == NULL) return if_exists ? S_OK : refuse(c->mem, &o->table, p, E_NOT_FOUND, "does not exist", e);
    arena_release(&gone->arena);
    mem_free(c->mem, gone);
    return S_OK;
}

static bool has_all(const struct partition *p, const struct partition *narrowed)
{
    for (uint32_t i = 0; i < narrowed->count; i++) {
        const char *value = value_of(p, narrowed->columns[i]);
        if (value == NULL || strcmp(value, narrowed->values[i]) != 0) return false;
    }
    return true;
}

enum status catalogs_each_partition(const struct catalogs *c, struct object_name table,
                                    const struct partition *narrowed, catalog_partition_fn fn, void *arg, struct err *e)
{
    struct object *o = object_of(c, table, e);

    if (o == NULL) return E_NOT_FOUND;
    if (o->table.partition_count == 0) return not_fitting(c->mem, &o->table, narrowed, e);
    EACH(entry, &o->partitions)
    {
        const struct kept_partition *p = entry->value;
        if (has_all(&p->said, narrowed)) fn(arg, &p->said, p->name);
    }
    return S_OK;
}

/* --- statistics -------------------------------------------------------------------------------------------------- */
static struct kept_statistics *statistics_keep(struct mem *mem, const struct table_statistics *s)
{
    struct kept_statistics *k = mem_zalloc(mem, sizeof *k);
    struct column_statistics *columns;

    arena_init(&k->arena, mem, 256);
    columns = ARENA_ARRAY(&k->arena, struct column_statistics, MAX(s->column_count, 1u));
    for (uint32_t i = 0; i < s->column_count; i++) {
        columns[i] = s->columns[i];
        columns[i].name = arena_strdup(&k->arena, s->columns[i].name);
        columns[i].min = s->columns[i].min != NULL ? arena_strdup(&k->arena, s->columns[i].min) : NULL;
        columns[i].max = s->columns[i].max != NULL ? arena_strdup(&k->arena, s->columns[i].max) : NULL;
    }
    k->said = *s;
    k->said.partition = arena_strdup(&k->arena, s->partition);
    k->said.columns = columns;
    return k;
}

enum status catalogs_set_statistics(struct catalogs *c, struct object_name table, const struct table_statistics *s,
                                    struct err *e)
{
    struct object *o = object_of(c, table, e);

    if (o == NULL) return E_NOT_FOUND;
    struct kept_statistics *old = map_set(&o->statistics, str_of(s->partition), statistics_keep(c->mem, s));
    if (old == NULL) return S_OK;
    arena_release(&old->arena);
    mem_free(c->mem, old);
    return S_OK;
}

void catalogs_each_statistics(const struct catalogs *c, const struct table *t, statistics_fn fn, void *arg)
{
    struct err none = {0};
    struct object *o = t->is_temporary ? NULL
                                       : object_of(c, (struct object_name){t->catalog, t->database, t->name}, &none);

    if (o == NULL) return;
    EACH(entry, &o->statistics) fn(arg, &o->table, &((const struct kept_statistics *)entry->value)->said);
}
