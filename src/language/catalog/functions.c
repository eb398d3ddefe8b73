/* functions.c - functions of users in a list: there are few, and a statement asks for a handful. */
#include "language/catalog/functions.h"

#include "ground/base/arena.h"
#include "ground/base/str.h"

#include <string.h>

struct entry {
    struct entry *next;
    struct arena arena; /* of its texts */
    struct named_function n;
};

struct functions {
    struct mem *mem;
    struct entry *first;
    uint32_t count;
};

struct functions *functions_create(struct mem *mem)
{
    struct functions *f = mem_zalloc(mem, sizeof *f);

    f->mem = mem;
    return f;
}

static void entry_free(struct functions *f, struct entry *x)
{
    arena_release(&x->arena);
    mem_free(f->mem, x);
}

void functions_free(struct functions *f)
{
    if (f == NULL) return;
    for (struct entry *x = f->first, *next; x != NULL; x = next) {
        next = x->next;
        entry_free(f, x);
    }
    mem_free(f->mem, f);
}

static bool is_in(const struct named_function *n, const char *catalog, const char *database)
{
    return n->scope == FUNCTION_TEMPORARY_SYSTEM ||
           (strcmp(n->catalog, catalog) == 0 && (database == NULL || strcmp(n->database, database) == 0));
}

/* Where the pointer to it is; to NULL when there is none. */
static struct entry **place_of(const struct functions *f, enum function_scope scope, struct object_name name)
{
    struct entry *const *at = &f->first;

    for (; *at != NULL; at = &(*at)->next)
        if ((*at)->n.scope == scope && str_equal_nocase(str_of((*at)->n.name), str_of(name.name)) &&
            is_in(&(*at)->n, name.catalog, name.database))
            break;
    return (struct entry **)(uintptr_t)at;
}

const struct named_function *functions_find(const struct functions *f, enum function_scope scope,
                                            struct object_name name)
{
    const struct entry *x = *place_of(f, scope, name);

    return x != NULL ? &x->n : NULL;
}

static void take_out(struct functions *f, struct entry **at)
{
    struct entry *x = *at;

    *at = x->next;
    f->count--;
    entry_free(f, x);
}

static const char *in_lower_case(struct arena *a, const char *name)
{
    char *copy = arena_strndup(a, name, strlen(name));

    for (char *c = copy; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + ('a' - 'A'));
    return copy;
}

enum status functions_set(struct functions *f, const struct named_function *n, struct err *e)
{
    struct entry **at = place_of(f, (enum function_scope)n->scope,
                                 (struct object_name){n->catalog, n->database, n->name});

    if (f->count == FUNCTIONS_MAX && *at == NULL) {
        err_hint(e, "drop those that are not needed any more");
        return err_set(e, E_BUDGET, "a session has at most %d functions", FUNCTIONS_MAX);
    }
    struct entry *x = mem_zalloc(f->mem, sizeof *x);
    arena_init(&x->arena, f->mem, 0);
    x->n = *n;
    x->n.catalog = n->catalog != NULL ? arena_strdup(&x->arena, n->catalog) : NULL;
    x->n.database = n->database != NULL ? arena_strdup(&x->arena, n->database) : NULL;
    x->n.name = in_lower_case(&x->arena, n->name);
    x->n.symbol = arena_strdup(&x->arena, n->symbol);
    x->n.file = arena_strdup(&x->arena, n->file);
    if (*at != NULL) take_out(f, at);
    x->next = f->first;
    f->first = x;
    f->count++;
    return S_OK;
}

void functions_drop(struct functions *f, const struct named_function *n)
{
    for (struct entry **at = &f->first; *at != NULL; at = &(*at)->next)
        if (&(*at)->n == n) {
            take_out(f, at);
            return;
        }
    ASSERT(!"it is not there");
}

void functions_drop_database(struct functions *f, const char *catalog, const char *database)
{
    for (struct entry **at = &f->first; *at != NULL;)
        if ((*at)->n.scope != FUNCTION_TEMPORARY_SYSTEM && is_in(&(*at)->n, catalog, database))
            take_out(f, at);
        else
            at = &(*at)->next;
}

void functions_each(const struct functions *f, const char *catalog, const char *database, function_fn fn, void *arg)
{
    for (const struct entry *x = f->first; x != NULL; x = x->next)
        if (is_in(&x->n, catalog, database)) fn(arg, &x->n);
}
