/* catalog_store.h - where catalogs are remembered beyond the session, as Flink's 'table.catalog-store.kind' = 'file' does it: a
 * folder with one file of options, NAME.yaml, for each catalog. Comments and tables are not remembered, there as here. */
#pragma once
#include "control/config.h"
#include "language/catalog/catalog.h"

struct catalog_store {
    struct sys *sys;
    const char *folder; /* NULL: nothing is remembered */
    bool is_open;
};

/* What the keys 'table.catalog-store.*' say, once; catalogs that the folder has are added to c. Texts live in a. */
enum status catalog_store_open(struct catalog_store *s, struct sys *sys, const struct config *config,
                               struct catalogs *c, struct arena *a, struct err *e) CHECKED;
enum status catalog_store_write(struct catalog_store *s, const char *name, const struct options *o,
                                struct err *e) CHECKED;
enum status catalog_store_remove(struct catalog_store *s, const char *name, struct err *e) CHECKED;

extern const struct option_def catalog_defs[]; /* options of a catalog; ends with key == NULL */
/* The only type is generic_in_memory. E_CONFIG names the nearest one, or the option that it does not have. */
enum status catalog_options_check(struct str name, const struct options *o, struct err *e) CHECKED;
