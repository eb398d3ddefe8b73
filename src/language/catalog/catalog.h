/* catalog.h - tables and views by name, in databases of catalogs, in memory: what a session's statements make and find.
 *
 * Everything a table says is kept as it was written (types bound, expressions as text): whoever uses the table binds it anew, so
 * an ALTER reaches every later statement. Names compare exactly, as in Flink. Temporary objects stand before others. */
#pragma once
#include "columns/column/type.h"
#include "ground/base/map.h"
#include "ground/base/option.h"

struct stream_source;
struct system_table;

enum { CATALOGS_MAX = 10000, CATALOG_OBJECTS_MAX = 100000, TABLE_PARTITIONS_MAX = 1000000 };

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

/* Where an option was written: errors are shown there when it is used. */
struct option_place {
    const char *key;
    const char *source; /* file; NULL: it was typed */
    bool is_hint;       /* of the statement that runs */
    uint32_t line, column;
    const char *excerpt; /* as of struct err */
};

/* DISTRIBUTED BY how (keys) INTO buckets BUCKETS */
struct table_distribution {
    bool said;
    const char *how; /* "HASH", "RANGE", "": left to the connector */
    uint32_t key_count;
    const char *const *keys;
    int64_t buckets; /* 0: unsaid */
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
    struct table_distribution distribution;
    struct options options; /* WITH */
    uint32_t place_count;   /* of options that are known to have been written somewhere; later ones win */
    const struct option_place *places;
    const char *comment;
    const struct type *row; /* all columns in order */
    const struct stream_source *stream; /* of a program, instead of a connector (language/plan/stream_rel.h); NULL: none */
    const struct system_table *system; /* the session knows its rows (system_table.h); NULL: it is no such table */
    void *system_arg;
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

/* --- catalogs and databases (catalog_space.c) --- */
/* What a statement said of a catalog or database. */
struct space {
    const char *comment; /* NULL: none */
    struct options options; /* sorted by key; each once */
};

const char *catalogs_current(const struct catalogs *c); /* catalog */
const char *catalogs_current_database(const struct catalogs *c);
enum status catalogs_use(struct catalogs *c, const char *catalog, struct err *e) CHECKED; /* with its default database */
enum status catalogs_use_database(struct catalogs *c, struct object_name database,
                                  struct err *e) CHECKED; /* .name is the database */
/* Its option 'default-database' names the database that it has. */
enum status catalogs_add_catalog(struct catalogs *c, const char *name, const struct space *said, bool if_not_exists,
                                 struct err *e) CHECKED;
/* May it go, is there nothing (if_exists), or why not? */
enum status catalogs_may_drop(const struct catalogs *c, const char *name, bool if_exists, struct err *e) CHECKED;
void catalogs_drop_catalog(struct catalogs *c, const char *name); /* which is there and not the current one; with all in it */
/* What is said of it now; it gets the default database if it has none of that name. */
enum status catalogs_alter_catalog(struct catalogs *c, const char *name, const struct space *said, struct err *e) CHECKED;
bool catalogs_have(const struct catalogs *c, const char *catalog);
/* NULL: there is no such catalog, or no statement made it. */
const struct space *catalogs_catalog(const struct catalogs *c, const char *name);
enum status catalogs_add_database(struct catalogs *c, struct object_name database, const struct space *said, bool if_not_exists,
                                  struct err *e) CHECKED;
enum status catalogs_alter_database(struct catalogs *c, struct object_name database, const struct space *said, struct err *e) CHECKED;
const struct space *catalogs_database(const struct catalogs *c, struct object_name database, struct err *e); /* NULL: not there */
/* S_OK when there is one of that name (.name is the database). */
enum status catalogs_have_database(const struct catalogs *c, struct object_name database, struct err *e) CHECKED;
enum status catalogs_drop_database(struct catalogs *c, struct object_name database, bool if_exists, bool cascade,
                                   struct err *e) CHECKED;

/* --- tables and views --- */
/* Copies the table; its names are completed from `name`. E_EXISTS unless if_not_exists or replace. */
enum status catalogs_add(struct catalogs *c, struct object_name name, const struct table *t, bool if_not_exists,
                         bool replace, struct err *e) CHECKED;
enum status catalogs_drop(struct catalogs *c, struct object_name name, bool is_view, bool is_temporary, bool if_exists,
                          struct err *e) CHECKED;
/* The table that is there as a statement changed it: its partitions stay. */
enum status catalogs_alter(struct catalogs *c, struct object_name name, const struct table *t, struct err *e) CHECKED;
enum status catalogs_rename(struct catalogs *c, struct object_name from, const char *to, struct err *e) CHECKED;
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

/* --- partitions and statistics of tables that are not temporary (catalog_partition.c) --- */
struct partition {
    uint32_t count;
    const char *const *columns, *const *values; /* in the order in which they were said */
    struct options options;
};
/* E_NOT_FOUND: there is no such table; E_CONFIG: the partition does not fit it; E_EXISTS: it has it. In Flink's words. */
enum status catalogs_add_partition(struct catalogs *c, struct object_name table, const struct partition *p, bool if_not_exists,
                                   struct err *e) CHECKED;
enum status catalogs_drop_partition(struct catalogs *c, struct object_name table, const struct partition *p, bool if_exists,
                                    struct err *e) CHECKED;
/* name: as p=x/q=1. Both are good until the partition is dropped. */
typedef void (*catalog_partition_fn)(void *arg, const struct partition *p, const char *name);
/* Those that have all values of `narrowed`, in the order in which they were added. */
enum status catalogs_each_partition(const struct catalogs *c, struct object_name table, const struct partition *narrowed,
                                    catalog_partition_fn fn, void *arg, struct err *e) CHECKED;

/* What ANALYZE TABLE found. */
struct column_statistics {
    const char *name;
    int64_t null_count, distinct_count; /* distinct_count -1: not of this type */
    const char *min, *max; /* as text; NULL: the type has none, or there is no value */
    double average_length; /* -1: not of this type */
    int64_t max_length;    /* the same */
};
struct table_statistics {
    const char *partition; /* its name; "": the whole table */
    int64_t row_count;
    uint32_t column_count;
    const struct column_statistics *columns;
};
/* Copied; in the place of what was known of that partition. Known until the table is dropped or replaced. */
enum status catalogs_set_statistics(struct catalogs *c, struct object_name table, const struct table_statistics *s,
                                    struct err *e) CHECKED;
typedef void (*statistics_fn)(void *arg, const struct table *t, const struct table_statistics *s);
void catalogs_each_statistics(const struct catalogs *c, const struct table *t, statistics_fn fn, void *arg);
