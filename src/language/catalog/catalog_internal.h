/* catalog_internal.h - what the files of this folder share: the nested maps. */
#pragma once
#include "language/catalog/catalog.h"

struct object {
    struct table table;
    struct arena arena;
    struct map partitions; /* name as it was said -> struct partition; of tables that are not temporary */
    struct map statistics; /* name of a partition, or nothing: the whole table -> struct kept_statistics */
};

struct database {
    struct map objects;   /* name -> struct object */
    struct map temporary; /* stand before those */
    struct kept_space *said;
};

struct catalog {
    struct map databases;    /* name -> struct database */
    struct kept_space *said; /* NULL: no statement made it */
};

struct catalogs {
    struct mem *mem;
    struct arena arena;  /* of names */
    struct map catalogs; /* name -> struct catalog */
    const char *catalog, *database;
    uint32_t object_count;
};

#define EACH(e, m) for (struct map_entry *e = map_next((m), NULL); e != NULL; e = map_next((m), e))

/* NULL names: the current ones. NULL with the nearest name in e when it is not there. */
struct catalog *catalog_of(const struct catalogs *c, const char *name, struct err *e);
struct database *database_of(const struct catalogs *c, const char *catalog, const char *name, struct err *e);
void catalog_suggest(const struct map *m, const char *name, struct err *e);
enum status catalog_full(struct err *e, const char *holder, int most, const char *what); /* "a catalog has at most 7 databases" */
struct database *database_new(struct catalogs *c, struct catalog *in, const char *name);
struct catalog *catalog_new(struct catalogs *c, const char *name);
void database_free(struct catalogs *c, struct database *d);
void catalog_free(struct catalogs *c, struct catalog *k);
/* Calls fn(arg, entry) in order of keys. */
void catalog_each_sorted(struct mem *mem, const struct map *m, void (*fn)(void *arg, const struct map_entry *e),
                         void *arg);

/* catalog_space.c */
struct kept_space {
    struct space space;
    struct arena arena;
};
struct kept_space *space_keep(struct mem *mem, const struct space *s);
void space_free(struct mem *mem, struct kept_space *k); /* NULL is a no-op */

/* catalog_partition.c */
void partitions_free(struct mem *mem, struct object *o); /* and statistics */
