/* exec_show.c - SHOW: lists of names, one column each, narrowed by LIKE and ILIKE; and the text of CREATE. */
#include "surface/sql/session_internal.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"
#include "language/sql/bind_table.h"
#include "surface/sql/system_tables.h"
#include "language/sql/sql_function.h"
#include "surface/sql/table_text.h"

#include <string.h>

/* Names as they are collected. */
struct names {
    struct run *r;
    const struct show *s;
    const char **items;
    uint32_t count, capacity;
    bool views; /* of tables: views only */
};

static enum status run_show_as(struct names *n, const char *column) { return run_give(n->r, 1, &column, NULL, n->items, n->count); }

/* --- patterns ---------------------------------------------------------------------------------------------------- */
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* % any text, _ any character, \ takes the next as it is. Goes back to the last % only, so it is linear but for that. */
static bool like(struct str text, struct str pattern, bool ignore_case)
{
    size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;

    while (t < text.size) {
        bool escaped = p + 1 < pattern.size && pattern.data[p] == '\\';
        char want = p < pattern.size ? pattern.data[p + escaped] : '\0', have = text.data[t];
        if (p < pattern.size && !escaped && want == '%') {
            star = p++;
            mark = t;
        } else if (p < pattern.size && ((!escaped && want == '_') || (ignore_case ? lower(want) == lower(have) : want == have))) {
            p += 1 + escaped;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '%') p++;
    return p == pattern.size;
}

static bool takes(const void *arg, const char *name)
{
    const struct show *s = arg;

    return !s->has_pattern || like(str_of(name), s->pattern, s->like == KW_ILIKE) != s->not;
}

static void add(void *arg, const char *name)
{
    struct names *n = arg;

    if (!takes(n->s, name)) return;
    if (n->count == n->capacity) {
        const char **more = ARENA_ARRAY(&n->r->arena, const char *, MAX(n->capacity * 2, 64u));
        if (n->count > 0) memcpy(more, n->items, sizeof *more * n->count);
        n->capacity = MAX(n->capacity * 2, 64u);
        n->items = more;
    }
    n->items[n->count++] = name;
}

static void add_table(void *arg, const struct table *t)
{
    struct names *n = arg;

    if (n->views && t->view == NULL) return;
    if (n->count > 0 && strcmp(n->items[n->count - 1], t->name) == 0) return; /* a temporary one stands before it */
    add(n, t->name);
}

/* --- forms ------------------------------------------------------------------------------------------------------- */
static enum status show_catalogs(struct names *n)
{
    catalogs_each_catalog(n->r->s->catalogs, add, n);
    return run_show_as(n, "catalog name");
}

static enum status show_databases(struct names *n)
{
    struct err inner = {0};
    const char *catalog = n->s->name.count > 0 ? run_text(n->r, n->s->name.parts[0]) : NULL;

    TRY(run_at_name(n->r, &n->s->name, catalogs_each_database(n->r->s->catalogs, catalog, add, n, &inner), &inner));
    return run_show_as(n, "database name");
}

/* Of information_schema and sys, which are no databases of a catalog and hide behind ones of their names. */
static bool add_system_tables(struct names *n, struct object_name database)
{
    const struct catalogs *c = n->r->s->catalogs;
    struct err none = {0};
    uint32_t found = 0;

    if (database.name == NULL || (database.catalog != NULL && !catalogs_have(c, database.catalog))) return false;
    if (catalogs_have_database(c, database, &none) == S_OK) return false;
    for (uint32_t i = 0; system_tables[i] != NULL; i++) {
        if (strcmp(system_tables[i]->schema, database.name) != 0) continue;
        found++;
        if (!n->views) add(n, system_tables[i]->name);
    }
    return found > 0;
}

static enum status show_tables(struct names *n)
{
    const struct ast_name *in = &n->s->name;
    struct object_name database = {0};
    struct err inner = {0};

    n->views = n->s->form->words[0] == KW_VIEWS;
    if (in->count > 2) return run_fail(n->r, in->place, "a database's name has at most two parts: catalog.database");
    if (in->count > 0) database.name = run_text(n->r, in->parts[in->count - 1]);
    if (in->count == 2) database.catalog = run_text(n->r, in->parts[0]);
    if (add_system_tables(n, database)) return run_show_as(n, n->views ? "view name" : "table name");
    TRY(run_at_name(n->r, &n->s->name, catalogs_each(n->r->s->catalogs, database, add_table, n, &inner), &inner));
    return run_show_as(n, n->views ? "view name" : "table name");
}

static bool name_less(void *arg, uint32_t a, uint32_t b)
{
    const char *const *items = arg;

    return strcmp(items[a], items[b]) < 0;
}

/* Of equal names one is shown. */
static enum status show_sorted(struct names *n, const char *column)
{
    uint32_t *order = ARENA_ARRAY(&n->r->arena, uint32_t, 2 * (size_t)MAX(n->count, 1u)), kept = 0;
    const char **sorted = ARENA_ARRAY(&n->r->arena, const char *, MAX(n->count, 1u));

    for (uint32_t i = 0; i < n->count; i++) order[i] = i;
    sort_stable(order, order + n->count, n->count, name_less, n->items);
    for (uint32_t i = 0; i < n->count; i++)
        if (kept == 0 || strcmp(sorted[kept - 1], n->items[order[i]]) != 0) sorted[kept++] = n->items[order[i]];
    n->items = sorted;
    n->count = kept;
    return run_show_as(n, column);
}

/* In lower case, as most of Flink's. */
static void add_built_in(void *arg, const struct sql_function *f)
{
    struct names *n = arg;
    char *copy = arena_strndup(&n->r->arena, f->name, strlen(f->name));

    for (char *c = copy; *c != '\0'; c++) *c = lower(*c);
    add(n, copy);
}

static void add_user(void *arg, const struct named_function *f) { add(arg, f->name); }

/* Those of FROM's database, or of the current one. */
static enum status add_users(struct names *n)
{
    const struct ast_name *in = &n->s->name;
    struct sql_session *s = n->r->s;
    struct object_name database = {.catalog = catalogs_current(s->catalogs), .name = catalogs_current_database(s->catalogs)};
    struct err inner = {0};

    if (in->count > 2) return run_fail(n->r, in->place, "a database's name has at most two parts: catalog.database");
    if (in->count > 0) database.name = run_text(n->r, in->parts[in->count - 1]);
    if (in->count == 2) database.catalog = run_text(n->r, in->parts[0]);
    TRY(run_at_name(n->r, in, catalogs_have_database(s->catalogs, database, &inner), &inner));
    functions_each(s->user_functions, database.catalog, database.name, add_user, n);
    return S_OK;
}

static enum status show_functions(struct names *n)
{
    if (!n->r->s->functions.has_no_core) sql_functions_each(add_built_in, n);
    TRY(add_users(n));
    return show_sorted(n, "function name");
}

static enum status show_user_functions(struct names *n)
{
    TRY(add_users(n));
    return show_sorted(n, "function name");
}

static enum status show_columns(struct names *n) { return run_describe_table(n->r, &n->s->name, takes, n->s); }

static enum status show_jars(struct names *n) { return run_show_as(n, "jars"); }
static enum status show_modules(struct names *n) { return run_show_modules(n->r, n->s->form->words[0] == KW_FULL); }

static void add_partition(void *arg, const struct partition *p, const char *name)
{
    (void)p;
    add(arg, name);
}

static enum status show_partitions(struct names *n)
{
    TRY(run_each_partition(n->r, &n->s->name, &n->s->partition, add_partition, n));
    return run_show_as(n, "partition name");
}

/* Flink refuses it, too: its catalog in memory does not know the question. */
static enum status show_procedures(struct names *n)
{
    return run_fail(n->r, n->r->statement->place, "SHOW PROCEDURES: a catalog in memory has no procedures");
}

static enum status show_jobs(struct names *n) { return run_show_jobs(n->r); }

static enum status show_create_catalog(struct names *n)
{
    const char *text;

    TRY(run_create_catalog_text(n->r, &n->s->name, &text));
    add(n, text);
    return run_show_as(n, "result");
}

static enum status show_current(struct names *n)
{
    bool catalog = n->s->form->words[1] == KW_CATALOG;

    add(n, catalog ? catalogs_current(n->r->s->catalogs) : catalogs_current_database(n->r->s->catalogs));
    return run_show_as(n, catalog ? "current catalog name" : "current database name");
}

static enum status show_create(struct names *n)
{
    const struct ast_name *name = &n->s->name;
    struct query_binder b = run_binder(n->r);
    bool view = n->s->form->words[1] == KW_VIEW;
    const char *what = view ? "VIEW" : "TABLE";
    struct object_name path;
    struct err inner = {0};
    struct buf text;

    TRY(bind_name(&b, name, &path));
    if (path.catalog == NULL) path.catalog = catalogs_current(n->r->s->catalogs);
    if (path.database == NULL) path.database = catalogs_current_database(n->r->s->catalogs);
    const struct table *t = catalogs_find(n->r->s->catalogs, path, &inner);
    if (t == NULL) {
        if (inner.hint[0] != '\0') err_hint(n->r->e, "%s", inner.hint);
        return run_fail(n->r, name->place, "Could not execute SHOW CREATE %s. %s with identifier `%s`.`%s`.`%s` does not exist.", what,
                        view ? "View" : "Table", path.catalog, path.database, path.name);
    }
    if ((t->view != NULL) != view)
        return run_fail(n->r, name->place,
                        "SHOW CREATE %s is only supported for %s, but `%s`.`%s`.`%s` is a %s. Please use SHOW CREATE %s instead.",
                        what, view ? "views" : "tables", path.catalog, path.database, path.name, view ? "table" : "view",
                        view ? "TABLE" : "VIEW");
    buf_init(&text, &n->r->mem);
    table_text_create(t, &text);
    add(n, arena_strndup(&n->r->arena, text.data, text.size));
    buf_release(&text);
    return run_show_as(n, "result");
}

static enum status run_show(struct run *r, const void *body)
{
    static const struct {
        enum keyword first, second; /* second: KEYWORD_NONE fits any */
        enum status (*show)(struct names *n);
    } forms[] = {{KW_CATALOGS, KEYWORD_NONE, show_catalogs},   {KW_CURRENT, KEYWORD_NONE, show_current},
                 {KW_DATABASES, KEYWORD_NONE, show_databases}, {KW_TABLES, KEYWORD_NONE, show_tables},
                 {KW_VIEWS, KEYWORD_NONE, show_tables},        {KW_FUNCTIONS, KEYWORD_NONE, show_functions},
                 {KW_USER, KEYWORD_NONE, show_user_functions},        {KW_COLUMNS, KEYWORD_NONE, show_columns},
                 {KW_MODULES, KEYWORD_NONE, show_modules},     {KW_FULL, KEYWORD_NONE, show_modules},
                 {KW_JARS, KEYWORD_NONE, show_jars},        {KW_CREATE, KW_TABLE, show_create},
                 {KW_CREATE, KW_VIEW, show_create},     {KW_CREATE, KW_CATALOG, show_create_catalog},
                 {KW_PARTITIONS, KEYWORD_NONE, show_partitions}, {KW_PROCEDURES, KEYWORD_NONE, show_procedures},
                 {KW_JOBS, KEYWORD_NONE, show_jobs}};
    struct names n = {.r = r, .s = body};

    for (size_t i = 0; i < COUNT_OF(forms); i++)
        if (n.s->form->words[0] == forms[i].first && (forms[i].second == KEYWORD_NONE || n.s->form->words[1] == forms[i].second))
            return forms[i].show(&n);
    ASSERT(!"a form that the parser takes and nobody shows");
}

const struct executor show_executors[] = {{"show", run_show}, {0}};
