/* exec_function.c - functions of users: CREATE, ALTER, DROP, DESCRIBE FUNCTION, and what a call in a statement means.
 *
 * Libraries are opened once and stay open as long as the session: a plan or a running job may call what was dropped. In job graphs a
 * function is called "<file>#<symbol>#<name>", by which the job finds it again. */
#include "surface/sql/session_internal.h"

#include "columns/function/user_function.h"
#include "ground/base/str.h"
#include "language/sql/bind_table.h"
#include "language/sql/sql_function.h"

#include <stdio.h>
#include <string.h>

/* A function under one of its names, which may be dropped. */
struct loaded_function {
    struct loaded_function *next;
    const struct user_function *function;
};

struct loaded_library {
    struct loaded_library *next;
    struct sys_library *library;
    const char *file;
};

/* --- libraries ------------------------------------------------------------------------------------------------------------- */
static enum status library_open(struct sql_session *s, const char *file, struct sys_library **out, struct err *e)
{
    for (struct loaded_library *l = s->libraries; l != NULL; l = l->next)
        if (strcmp(l->file, file) == 0) {
            *out = l->library;
            return S_OK;
        }
    TRY(sys_library_open(file, out, e));
    struct loaded_library *l = ARENA_NEW(&s->arena, struct loaded_library);
    *l = (struct loaded_library){s->libraries, *out, arena_strdup(&s->arena, file)};
    s->libraries = l;
    return S_OK;
}

void functions_close_libraries(struct sql_session *s)
{
    for (struct loaded_library *l = s->libraries; l != NULL; l = l->next) sys_library_close(l->library);
    s->libraries = NULL;
}

/* Jobs in the background look for theirs while statements load others: a list that only grows, at its front. */
static struct loaded_function *loaded_latest(const struct sql_session *s)
{
    return (struct loaded_function *)(uintptr_t)sys_atomic_load(&s->loaded);
}

static void loaded_add(struct sql_session *s, const struct user_function *f)
{
    struct loaded_function *l = ARENA_NEW(&s->arena, struct loaded_function);

    *l = (struct loaded_function){loaded_latest(s), f};
    sys_atomic_store(&s->loaded, (uintptr_t)l);
}

static const struct loaded_function *loaded_find(const struct sql_session *s, struct str identity)
{
    for (const struct loaded_function *l = loaded_latest(s); l != NULL; l = l->next)
        if (str_equal(str_of(l->function->def.identity), identity)) return l;
    return NULL;
}

static const char *in_lower_case(struct arena *a, const char *name)
{
    char *copy = arena_strndup(a, name, strlen(name));

    for (char *c = copy; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + ('a' - 'A'));
    return copy;
}

/* Of a library, under that name. */
static enum status function_load(struct sql_session *s, const struct named_function *n,
                                 const struct user_function **out, struct err *e)
{
    const char *name = in_lower_case(&s->arena, n->name);
    const char *identity = arena_printf(&s->arena, "%s#%s#%s", n->file, n->symbol, name);
    const struct loaded_function *known = loaded_find(s, str_of(identity));
    struct sys_library *library;

    if (known != NULL) {
        *out = known->function;
        return S_OK;
    }
    TRY(library_open(s, n->file, &library, e));
    const struct tw_sql_entry *entry = sys_library_symbol(library, arena_printf(&s->arena, "tw_sql_%s", n->symbol));
    if (entry == NULL) {
        err_hint(e, "define it there with TW_SQL_FUNCTION(%s)", n->symbol);
        return err_set(e, E_NOT_FOUND, "library '%s' has no function '%s'", n->file, n->symbol);
    }
    if (user_function_make(&s->arena, entry, name, identity, out, e) != S_OK)
        return err_wrap(e, "function '%s' of library '%s'", n->symbol, n->file);
    loaded_add(s, *out);
    return S_OK;
}

/* --- what a call means --------------------------------------------------------------------------------------------------------- */
static const struct named_function *find(const struct sql_session *s, enum function_scope scope,
                                         const struct str *parts, uint32_t count)
{
    char texts[3][256];
    struct object_name n = {catalogs_current(s->catalogs), catalogs_current_database(s->catalogs), texts[count - 1]};

    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].size >= sizeof texts[i]) return NULL;
        snprintf(texts[i], sizeof texts[i], "%.*s", (int)parts[i].size, parts[i].data);
    }
    if (count > 1) n.database = texts[count - 2];
    if (count > 2) n.catalog = texts[0];
    return functions_find(s->user_functions, scope, n);
}

static bool is_built_in(struct str name)
{
    struct sql_function f;

    return fn_find(name) != NULL || sql_function_find(name, &f);
}

/* Flink's order: temporary system functions, built-in ones, temporary ones, those of the database. */
static const struct named_function *meant(const struct sql_session *s, const struct str *parts, uint32_t count)
{
    const struct named_function *n = NULL;

    if (count == 0 || count > 3) return NULL;
    if (count == 1) {
        n = find(s, FUNCTION_TEMPORARY_SYSTEM, parts, count);
        if (n != NULL || is_built_in(parts[0])) return n;
    }
    n = find(s, FUNCTION_TEMPORARY, parts, count);
    return n != NULL ? n : find(s, FUNCTION_OF_DATABASE, parts, count);
}

static const struct fn_def *named(void *arg, const struct str *parts, uint32_t count)
{
    const struct named_function *n = meant(arg, parts, count);

    return n != NULL ? &n->function->def : NULL;
}

static const struct fn_def *identified(void *arg, struct str identity)
{
    const struct loaded_function *l = loaded_find(arg, identity);

    return l != NULL ? &l->function->def : NULL;
}

/* "<identity>#<number of the overload>" */
static const struct agg_type *aggregate(void *arg, struct str identity)
{
    size_t size = identity.size;

    while (size > 0 && identity.data[size - 1] != '#') size--;
    if (size == 0) return NULL;
    const struct loaded_function *l = loaded_find(arg, (struct str){identity.data, size - 1});
    return l != NULL ? user_aggregate_numbered(l->function, (struct str){identity.data + size, identity.size - size}) : NULL;
}

void functions_of_session(struct sql_session *s)
{
    s->user_functions = functions_create(&s->mem);
    s->users = (struct fn_users){s, named, identified, aggregate};
    s->functions.users = &s->users;
}

struct name_giver {
    void (*fn)(void *arg, const char *name);
    void *arg;
};

static void give_name(void *arg, const struct named_function *n)
{
    const struct name_giver *g = arg;

    g->fn(g->arg, n->name);
}

void sql_session_each_function(const struct sql_session *s, void (*fn)(void *arg, const char *name), void *arg)
{
    struct name_giver g = {fn, arg};

    functions_each(s->user_functions, catalogs_current(s->catalogs), catalogs_current_database(s->catalogs), give_name, &g);
}

/* --- CREATE ---------------------------------------------------------------------------------------------------------------- */
static enum function_scope scope_of(bool temporary, bool system)
{
    return system ? FUNCTION_TEMPORARY_SYSTEM : temporary ? FUNCTION_TEMPORARY : FUNCTION_OF_DATABASE;
}

/* Catalog and database of the name, which must be there. */
static enum status complete_name(struct run *r, const struct ast_name *name, enum function_scope scope,
                                 struct object_name *out)
{
    struct query_binder b = run_binder(r);
    struct err inner = {0};
    struct object_name database;

    TRY(bind_name(&b, name, out));
    if (out->catalog == NULL) out->catalog = catalogs_current(r->s->catalogs);
    if (out->database == NULL) out->database = catalogs_current_database(r->s->catalogs);
    if (scope == FUNCTION_TEMPORARY_SYSTEM) return S_OK;
    database = (struct object_name){.catalog = out->catalog, .name = out->database};
    return run_at_name(r, name, catalogs_have_database(r->s->catalogs, database, &inner), &inner);
}

static enum status one_library(struct run *r, const struct define_function *f, const char **file)
{
    if (f->language != KW_C) {
        const char *language = f->language == KEYWORD_NONE ? "JAVA" : keyword_text(f->language);
        err_hint(r->e, "functions are written in C: AS 'symbol' LANGUAGE C USING ARTIFACT 'library.so'");
        return run_fail(r, f->name.place, "Function '%s' is of LANGUAGE %s, which is not supported.",
                        run_text(r, f->name.parts[f->name.count - 1]), language);
    }
    if (f->artifact_count != 1 || f->artifacts[0].jar) {
        err_hint(r->e, "write LANGUAGE C USING ARTIFACT 'library.so'");
        return run_fail(r, f->name.place, "A function of LANGUAGE C needs one library, as an ARTIFACT.");
    }
    struct str name = f->artifacts[0].file;
    if (str_starts(name, STR("file://"))) name = (struct str){name.data + 7, name.size - 7};
    *file = run_text(r, name);
    return S_OK;
}

static enum status exists_already(struct run *r, const struct ast_name *name, const struct named_function *n)
{
    switch ((enum function_scope)n->scope) {
    case FUNCTION_TEMPORARY_SYSTEM:
        return run_fail(r, name->place,
                        "Could not register temporary system function. A function named '%s' does already exist.",
                        run_text(r, name->parts[name->count - 1]));
    case FUNCTION_TEMPORARY:
        return run_fail(r, name->place,
                        "Could not register temporary catalog function. A function '%s.%s.%s' does already exist.",
                        n->catalog, n->database, n->name);
    case FUNCTION_OF_DATABASE: break;
    }
    return run_fail(r, name->place, "Function %s.%s already exists in Catalog %s.", n->database, n->name, n->catalog);
}

static enum status define(struct run *r, const struct define_function *f, struct named_function *n, const char *file)
{
    struct err inner = {0};

    n->symbol = run_text(r, f->class);
    n->file = file;
    TRY(run_at_name(r, &f->name, function_load(r->s, n, &n->function, &inner), &inner));
    return run_at_name(r, &f->name, functions_set(r->s->user_functions, n, &inner), &inner);
}

enum status sql_session_add_function(struct sql_session *s, const char *name, const struct tw_sql_entry *entry, struct err *e)
{
    const char *lower = in_lower_case(&s->arena, name);
    struct named_function n = {.scope = FUNCTION_TEMPORARY_SYSTEM, .name = lower, .symbol = entry->name, .file = ""};

    if (functions_find(s->user_functions, FUNCTION_TEMPORARY_SYSTEM, (struct object_name){.name = lower}) != NULL)
        return err_set(e, E_EXISTS, "Could not register temporary system function. A function named '%s' does already exist.", name);
    const char *identity = arena_printf(&s->arena, "#%s#%s", entry->name, lower);
    if (user_function_make(&s->arena, entry, lower, identity, &n.function, e) != S_OK) return err_wrap(e, "function '%s'", name);
    loaded_add(s, n.function);
    return functions_set(s->user_functions, &n, e);
}

static enum status run_create_function(struct run *r, const void *body)
{
    const struct define_function *f = body;
    enum function_scope scope = scope_of(f->temporary, f->system);
    struct object_name path;
    const char *file;

    TRY(complete_name(r, &f->name, scope, &path));
    const struct named_function *old = functions_find(r->s->user_functions, scope, path);
    if (old != NULL && f->if_exists) return run_said(r);
    if (old != NULL) return exists_already(r, &f->name, old);
    TRY(one_library(r, f, &file));
    struct named_function n = {
        .scope = (uint8_t)scope, .catalog = path.catalog, .database = path.database, .name = path.name};
    TRY(define(r, f, &n, file));
    return run_said(r);
}

/* --- ALTER, DROP ------------------------------------------------------------------------------------------------------------ */
static enum status is_missing(struct run *r, const struct ast_name *name, enum function_scope scope,
                              struct object_name path)
{
    switch (scope) {
    case FUNCTION_TEMPORARY_SYSTEM:
        return run_fail(r, name->place,
                        "Could not drop temporary system function. A function named '%s' doesn't exist.", path.name);
    case FUNCTION_TEMPORARY:
        return run_fail(r, name->place, "Temporary catalog function `%s`.`%s`.`%s` doesn't exist", path.catalog,
                        path.database, path.name);
    case FUNCTION_OF_DATABASE: break;
    }
    return run_fail(r, name->place, "Function %s.%s does not exist in Catalog %s.", path.database, path.name,
                    path.catalog);
}

/* Another symbol, of the same library: Flink's statement names no file either. */
static enum status run_alter_function(struct run *r, const void *body)
{
    const struct define_function *f = body;
    struct object_name path;

    if (f->temporary)
        return run_fail(r, f->name.place, "Alter temporary %s function is not supported",
                        f->system ? "system" : "catalog");
    TRY(complete_name(r, &f->name, FUNCTION_OF_DATABASE, &path));
    const struct named_function *old = functions_find(r->s->user_functions, FUNCTION_OF_DATABASE, path);
    if (old == NULL && f->if_exists) return run_said(r);
    if (old == NULL) return is_missing(r, &f->name, FUNCTION_OF_DATABASE, path);
    if (f->language != KW_C && f->language != KEYWORD_NONE) {
        const char *file;
        return one_library(r, f, &file);
    }
    struct named_function n = *old;
    TRY(define(r, f, &n, run_text(r, str_of(old->file))));
    return run_said(r);
}

enum status run_drop_function(struct run *r, const struct drop *d)
{
    enum function_scope scope = scope_of(d->temporary, d->system);
    struct object_name path;

    if (d->system && !d->temporary) return run_fail(r, d->name.place, "write DROP TEMPORARY SYSTEM FUNCTION");
    TRY(complete_name(r, &d->name, scope, &path));
    const struct named_function *n = functions_find(r->s->user_functions, scope, path);
    if (n == NULL && !d->if_exists) return is_missing(r, &d->name, scope, path);
    if (n != NULL) functions_drop(r->s->user_functions, n);
    return run_said(r);
}

void run_forget_functions(struct run *r, const char *catalog, const char *database)
{
    functions_drop_database(r->s->user_functions, catalog, database);
}

/* --- DESCRIBE ----------------------------------------------------------------------------------------------------------------- */
enum { DESCRIBE_ROWS_MAX = 10 };

struct description {
    struct run *r;
    const char *cells[DESCRIBE_ROWS_MAX * 2];
    uint32_t rows;
};

static void say(struct description *d, const char *name, const char *value)
{
    ASSERT(d->rows < DESCRIBE_ROWS_MAX);
    d->cells[d->rows * 2] = name;
    d->cells[d->rows * 2 + 1] = value;
    d->rows++;
}

/* As Flink: of one overload "(arg0 => INT)", of several a line each, "(arg0 INT)". */
static const char *signatures(struct run *r, const char *name, const struct fn_overload *o)
{
    bool several = o[0].signature != NULL && o[1].signature != NULL;
    struct fn_signature s;
    struct buf text;

    buf_init(&text, &r->mem);
    for (; o->signature != NULL; o++) {
        if (!fn_signature_cut(o->signature, &s)) continue;
        buf_printf(&text, "%s%s(", text.size > 0 ? "\n" : "", name);
        for (uint32_t i = 0; i < s.count; i++)
            buf_printf(&text, "%sarg%u %s%.*s%s", i > 0 ? ", " : "", i, several ? "" : "=> ", (int)s.args[i].size,
                       s.args[i].data, s.more && i + 1 == s.count ? "..." : "");
        buf_append_byte(&text, ')');
    }
    const char *out = arena_strndup(&r->arena, text.data, text.size);
    buf_release(&text);
    return out;
}

static void describe_extended(struct description *d, const char *kind, bool deterministic, const char *signature)
{
    say(d, "kind", kind);
    say(d, "requirements", "[]");
    say(d, "is deterministic", deterministic ? "true" : "false");
    say(d, "supports constant folding", "true");
    say(d, "signature", signature);
}

/* Of the engine's own there is more to say than Flink does: what it is, and an example. */
static void describe_built_in(struct description *d, const char *name, const struct sql_function *f)
{
    const char *usage = sql_function_usage(f);
    const struct fn_example *example = f->def != NULL ? f->def->examples : NULL;
    const char *query = f->form != NULL ? f->form->query : f->agg != NULL ? f->agg->query : example != NULL ? example->text : NULL;

    if (usage == NULL && f->def->overloads != NULL) usage = signatures(d->r, name, f->def->overloads);
    describe_extended(d, sql_function_kind_name(f->kind), f->def == NULL || f->def->det == FN_PURE, usage != NULL ? usage : name);
    say(d, "description", f->form != NULL ? f->form->doc : f->agg != NULL ? f->agg->doc : f->def->doc);
    if (query != NULL) say(d, "example", query);
}

static void describe_user(struct description *d, const struct named_function *n, bool extended)
{
    bool is_system = n->scope == FUNCTION_TEMPORARY_SYSTEM;
    struct arena *a = &d->r->arena;

    say(d, "is system function", is_system ? "true" : "false");
    say(d, "is temporary", n->scope == FUNCTION_OF_DATABASE ? "false" : "true");
    if (!is_system) {
        say(d, "class name", n->symbol);
        say(d, "function language", "C");
        say(d, "resource uris", arena_printf(a, "[ResourceUri{resourceType=ARTIFACT, uri='%s'}]", n->file));
    }
    if (!extended) return;
    const char *name = is_system ? n->name : arena_printf(a, "%s.%s.%s", n->catalog, n->database, n->name);
    const struct fn_def *f = &n->function->def;
    describe_extended(d, f->makes_rows ? "TABLE_AGGREGATE" : f->is_aggregate ? "AGGREGATE" : f->is_table ? "TABLE" : "SCALAR", f->det == FN_PURE,
                      f->overloads != NULL ? signatures(d->r, name, f->overloads) : name);
}

enum status run_describe_function(struct run *r, const struct describe *x)
{
    static const char *const names[] = {"info name", "info value"};
    struct description d = {.r = r};
    const struct named_function *n = meant(r->s, x->name.parts, x->name.count);
    struct sql_function built_in;

    if (n != NULL) {
        describe_user(&d, n, x->extended);
    } else if (x->name.count == 1 && !r->s->functions.has_no_core && sql_function_find(x->name.parts[0], &built_in)) {
        say(&d, "is system function", "true");
        say(&d, "is temporary", "false");
        if (x->extended) describe_built_in(&d, run_text(r, x->name.parts[0]), &built_in);
    } else {
        struct buf text;
        buf_init(&text, &r->mem);
        for (uint32_t i = 0; i < x->name.count; i++)
            buf_printf(&text, "%s`%.*s`", i > 0 ? "." : "", (int)x->name.parts[i].size, x->name.parts[i].data);
        enum status st = run_fail(r, x->name.place, "Function with the identifier '%s' doesn't exist.",
                                  buf_text(&text));
        buf_release(&text);
        return st;
    }
    return run_give(r, 2, names, NULL, d.cells, d.rows);
}

/* Flink says no more: its catalog in memory knows no procedures. */
static enum status run_call(struct run *r, const void *body)
{
    const struct call_procedure *c = body;

    err_hint(r->e, "a function stands in a query: SELECT f(x)");
    return run_fail(r, c->call->place, "a catalog in memory has no procedures");
}

/* ADD JAR, REMOVE JAR. */
static enum status run_jar(struct run *r, const void *body)
{
    const struct add_jar *j = body;

    err_hint(r->e, "a function in C comes by CREATE FUNCTION f AS 'symbol' LANGUAGE C USING ARTIFACT 'lib.so'");
    return run_fail(r, r->statement->place, "%s JAR: there is no Java here, and nothing reads its archives", j->remove ? "REMOVE" : "ADD");
}

const struct executor function_executors[] = {{"create_function", run_create_function},
                                              {"alter_function", run_alter_function},
                                              {"call", run_call},
                                              {"jar", run_jar},
                                              {0}};
