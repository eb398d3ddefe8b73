/* functions.h - functions of users by name: what CREATE FUNCTION makes and calls find. Names do not distinguish case, as in Flink,
 * and are kept in lower case. A temporary one stands before that of its database, a temporary system one before everything. */
#pragma once
#include "ground/base/err.h"
#include "ground/base/mem.h"
#include "language/catalog/catalog.h"

enum { FUNCTIONS_MAX = 10000 };

enum function_scope { FUNCTION_OF_DATABASE, FUNCTION_TEMPORARY, FUNCTION_TEMPORARY_SYSTEM };

struct user_function;

struct named_function {
    uint8_t scope;                  /* enum function_scope */
    const char *catalog, *database; /* NULL: FUNCTION_TEMPORARY_SYSTEM */
    const char *name;               /* in lower case */
    const char *symbol, *file;      /* as CREATE FUNCTION said */
    const struct user_function *function;
};

struct functions;
struct functions *functions_create(struct mem *mem);
void functions_free(struct functions *f); /* NULL is a no-op */

/* Adds, or puts in the place of the one that was. All is copied but the function. E_BUDGET: too many. */
enum status functions_set(struct functions *f, const struct named_function *n, struct err *e) CHECKED;
void functions_drop(struct functions *f, const struct named_function *n); /* which was found */
void functions_drop_database(struct functions *f, const char *catalog, const char *database); /* NULL: all of the catalog */
/* Exactly that one, whatever the case of `name.name`; NULL when there is none. Good until it is dropped or replaced. */
const struct named_function *functions_find(const struct functions *f, enum function_scope scope,
                                            struct object_name name);
typedef void (*function_fn)(void *arg, const struct named_function *n);
/* Those that SHOW USER FUNCTIONS lists: of no database, and of that one. */
void functions_each(const struct functions *f, const char *catalog, const char *database, function_fn fn, void *arg);
