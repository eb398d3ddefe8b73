/* catalog.h - tables and views by name, in databases of catalogs, in memory: what a session's statements make and find.
 *
 * Everything a table says is kept as it was written (types bound, expressions as text): whoever uses the table binds it anew, so
 * an ALTER reaches every later statement. Names compare exactly, as in Flink. Temporary objects stand before others. */
#pragma once
#include "columns/column/type.h"
#include "ground/base/map.h"
#include "ground/base/option.h"

struct stream_source;

enum { CATALOG_OBJECTS_MAX = 100000 };

enum table_column_kind { TABLE_PHYSICAL, TABLE_COMPUTED, TABLE_METADATA };

struct table_column {
    const char *name;
    uint8_t kind;             /* enum table_column_kind */
    bool is_virtual;          /* METADATA: not written by INSERT */
    const struct type *type;  /* COMPUTED: derived */
    const char *expression;   /* COMPUTED: text */
    const char *metadata_key; /* METADATA; NULL: the name */
    const char *comment;      /* NULL: none */
};

struct table {
    const char *catalog, *database, *name;
    bool is_temporary;
    const char *view; /* text of the query; NULL: a table */
    const char *view_catalog, *view_database; /* the current ones when it was written, for the names in it */
    uint32_t column_count;
    const struct table_column *columns;
    const char *watermark_column; /* NULL: none */
    const char *watermark;        /* expression text */
    uint32_t key_count;           /* primary key */
    const char *const *key;
    const char *key_name; /* of the constraint; NULL: none */
    uint32_t partition_count;
    const char *const *partitions;
    struct options options; /* WITH */
    const char *comment;
    const struct type *row; /* all columns in order */
    const struct stream_source *stream; /* of a program, instead of a connector (language/plan/stream_rel.h); NULL: none */
    const char *inferred_from; /* the file whose first rows say all this; in no catalog. NULL: declared */
};

/* catalog.database.object: NULL parts mean the current ones. */
struct object_name {
    const char *catalog, *database, *name;
};

struct catalogs;
struct catalogs *catalogs_create(const char *catalog, const char *database,
                                 struct mem *mem); /* both exist and are current */
void catalogs_free(struct catalogs *c);            /* NULL is a no-op */

const char *catalogs_current(const struct catalogs *c); /* catalog */
const char *catalogs_current_database(const struct catalogs *c);
enum status catalogs_use(struct catalogs *c, const char *catalog, struct err *e) CHECKED;
enum status catalogs_use_database(struct catalogs *c, struct object_name database,
                                  struct err *e) CHECKED; /* .name is the database */
enum status catalogs_add_catalog(struct catalogs *c, const char *name, const char *database, bool if_not_exists,
                                 struct err *e) CHECKED;
enum status catalogs_add_database(struct catalogs *c, struct object_name database, bool if_not_exists,
                                  struct err *e) CHECKED;
/* S_OK when there is one of that name (.name is the database). */
enum status catalogs_have_database(const struct catalogs *c, struct object_name database, struct err *e) CHECKED;
enum status catalogs_drop_database(struct catalogs *c, struct object_name database, bool if_exists, bool cascade,
                                   struct err *e) CHECKED;

/* Copies the table; its names are completed from `name`. E_EXISTS unless if_not_exists or replace. */
enum status catalogs_add(struct catalogs *c, struct object_name name, const struct table *t, bool if_not_exists,
                         bool replace, struct err *e) CHECKED;
enum status catalogs_drop(struct catalogs *c, struct object_name name, bool is_view, bool is_temporary, bool if_exists,
                          struct err *e) CHECKED;
/* NULL with the nearest name in e when it is not there. Good until the object is dropped or replaced. */
bool table_is_partition(const struct table *t, const char *column);
const char *table_option(const struct table *t, const char *key); /* of its WITH clause; NULL: not given */
const struct table *catalogs_find(const struct catalogs *c, struct object_name name, struct err *e);
/* Calls fn for the tables (views too) of a database in order of their names. */
typedef void (*catalog_fn)(void *arg, const struct table *t);
enum status catalogs_each(const struct catalogs *c, struct object_name database, catalog_fn fn, void *arg,
                          struct err *e) CHECKED;
typedef void (*catalog_name_fn)(void *arg, const char *name);
void catalogs_each_catalog(const struct catalogs *c, catalog_name_fn fn, void *arg);
enum status catalogs_each_database(const struct catalogs *c, const char *catalog, catalog_name_fn fn, void *arg,
                                   struct err *e) CHECKED;
