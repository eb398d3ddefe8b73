/* session.c - a session's life, and statements finding who runs them. Everything of one statement lives in an arena that is
 * released behind it; catalogs and configuration live as long as the session. */
#include "surface/sql/session.h"

#include "columns/column/timestamp.h"
#include "ground/base/str.h"
#include "surface/sql/session_internal.h"
#include "surface/sql/sql_keys.h"
#include "surface/sql/system_tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- life -------------------------------------------------------------------------------------------------------- */
struct sql_session *sql_session_create(const struct sql_session_options *o)
{
    struct mem mem;

    mem_init(&mem, "session", 0);
    struct sql_session *s = mem_zalloc(&mem, sizeof *s);
    mem_init(&s->mem, "session", 0);
    mem_move(&mem, &s->mem);
    s->options = *o;
    s->catalogs = catalogs_create("default_catalog", "default_database", &s->mem);
    arena_init(&s->arena, &s->mem, 0);
    config_init(&s->config, &s->arena);
    buf_init(&s->set, &s->mem);
    session_jobs_init(&s->jobs, &s->mem, o->sys);
    s->functions = (struct fn_session){.zone = STR("UTC"), .query_ms = sys_wall_ms(o->sys)};
    s->system = (struct system_tables){s, system_tables, system_functions_of_rows};
    functions_of_session(s);
    return s;
}

void sql_session_free(struct sql_session *s)
{
    struct mem mem;

    if (s == NULL) return;
    session_jobs_release(&s->jobs); /* they call what is let go below */
    buf_release(&s->set);
    functions_free(s->user_functions);
    functions_close_libraries(s);
    arena_release(&s->arena);
    catalogs_free(s->catalogs);
    mem_init(&mem, "session", 0);
    mem_move(&s->mem, &mem);
    mem_release(&mem);
}

struct config *sql_session_config(struct sql_session *s) { return &s->config; }

const struct zone *sql_session_zone(const struct sql_session *s) { return &s->zone; }

struct catalogs *sql_session_catalogs(struct sql_session *s) { return s->catalogs; }

const struct fn_users *sql_session_users(const struct sql_session *s) { return s->functions.users; }

enum sys_signal sql_session_signal(const struct sql_session *s) { return s->signal; }

/* --- what the executors share ------------------------------------------------------------------------------------ */
bool run_is_batch(const struct run *r)
{
    struct options o = config_options(&r->s->config);

    return options_enum(&o, sql_keys, "execution.runtime-mode") == 1;
}

static enum status touches(void *arg, const struct table *t, bool replaces) { return run_wait_for_table(arg, t, replaces); }

struct query_binder run_binder(struct run *r)
{
    struct plan_settings *settings = ARENA_NEW(&r->arena, struct plan_settings);

    *settings = sql_keys_settings(&r->s->config);
    return (struct query_binder){
        .is_batch = run_is_batch(r),
        .touches = r->waits_for_jobs ? touches : NULL,
        .touches_arg = r,
        .places = &r->places,
        .settings = settings,
        .tables = ARENA_NEW(&r->arena, uint32_t),
        .system = &r->s->system,
        .run = sys_random(r->s->options.sys),
        .a = &r->arena, .sys = r->s->options.sys, .t = r->t, .catalogs = r->s->catalogs, .session = &r->s->functions, .e = r->e};
}

const char *run_text(struct run *r, struct str s) { return arena_strndup(&r->arena, s.data, s.size); }

enum status run_said(struct run *r) { return r->to->said(r->to->arg, "[INFO] Execute statement succeeded.", r->e); }

enum status run_fail(struct run *r, struct ast_place place, const char *format, ...)
{
    char text[ERR_TEXT_MAX / 2];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return sql_error(r->e, r->t, place.at, place.size, "%s", text);
}

enum status run_at_name(struct run *r, const struct ast_name *n, enum status st, const struct err *inner)
{
    if (st == S_OK) return S_OK;
    if (inner->hint[0] != '\0') err_hint(r->e, "%s", inner->hint);
    return run_fail(r, n->place, "%s", inner->text);
}

static enum status give_batches(struct run *r, struct batch *b, const char *const *cells, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i += b->count) {
        batch_clear(b);
        b->count = MIN(rows - i, b->capacity);
        for (uint32_t c = 0; c < b->col_count; c++)
            for (uint32_t k = 0; k < b->count; k++) {
                const char *cell = cells[(size_t)(i + k) * b->col_count + c];
                if (cell == NULL)
                    vector_set_null(&b->cols[c], k);
                else if (b->cols[c].phys == P_BOOL)
                    VECTOR_VALUES(&b->cols[c], bool)[k] = strcmp(cell, "TRUE") == 0;
                else if (b->cols[c].phys == P_I64)
                    timestamp_store((struct ts96){.ms = strtoll(cell, NULL, 10)}, b->cols[c].type->precision,
                                    &VECTOR_VALUES(&b->cols[c], int64_t)[k]);
                else
                    VECTOR_VALUES(&b->cols[c], struct text)[k] = text_view(cell, strlen(cell));
            }
        TRY(r->to->rows(r->to->arg, b, r->e));
    }
    return S_OK;
}

enum status run_give(struct run *r, uint32_t cols, const char *const *names, const struct type *const *types, const char *const *cells,
                     uint32_t rows)
{
    const struct type **strings = ARENA_ARRAY(&r->arena, const struct type *, cols);

    for (uint32_t c = 0; c < cols; c++) strings[c] = &type_string;
    const struct type *row = type_row(&r->arena, cols, names, types != NULL ? types : strings, false);
    struct batch *b = batch_create(row, BATCH_ROWS, &r->mem);
    enum status st = r->to->begin(r->to->arg, row, false, r->e);
    if (st == S_OK) st = give_batches(r, b, cells, rows);
    if (st == S_OK) st = r->to->end(r->to->arg, r->e);
    batch_free(b);
    return st;
}

/* --- finding the executor ---------------------------------------------------------------------------------------- */
static const struct executor *executor_of(const char *name)
{
    static const struct executor *const subjects[] = {query_executors, explain_executors, table_executors, space_executors,
                                                      show_executors, set_executors, function_executors,
                                                      catalog_executors, module_executors, job_executors, plan_executors, rows_executors, analyze_executors};

    for (size_t i = 0; i < COUNT_OF(subjects); i++)
        for (const struct executor *x = subjects[i]; x->name != NULL; x++)
            if (strcmp(x->name, name) == 0) return x;
    return NULL;
}

enum status sql_session_run(struct sql_session *s, const struct tokens *t, const struct statement *st,
                            const struct sql_listener *to, struct err *e)
{
    struct run r = {.s = s, .t = t, .to = to, .statement = st, .e = e};
    const struct executor *x = executor_of(st->type->name);

    if (x == NULL) {
        (void)sql_error(e, t, st->place.at, st->place.size, "only a shell understands this statement");
        return E_UNSUPPORTED;
    }
    if (s->in_set && strcmp(x->name, "insert") != 0 && strcmp(x->name, "statement_set") != 0)
        return run_fail(&r, st->place, "Only 'INSERT/CREATE TABLE AS' statement is allowed in Statement Set or use 'END' statement to "
                                       "submit Statement Set.");
    if (strcmp(x->name, "set") != 0)
        TRY(catalog_store_open(&s->store, s->options.sys, &s->config, s->catalogs, &s->arena, e));
    mem_init(&r.mem, "statement", 0);
    arena_init(&r.arena, &r.mem, 0);
    r.places.a = &r.arena;
    s->functions.query_ms = sys_wall_ms(s->options.sys);
    s->functions.database = str_of(catalogs_current_database(s->catalogs));
    s->signal = SYS_SIGNAL_NONE;
    bool known = zone_find(s->functions.zone, &s->zone); /* checked when it was set; UTC else */
    ASSERT(known);
    enum status status = x->run(&r, st->body);
    err_gather(e);
    arena_release(&r.arena);
    mem_release(&r.mem);
    return status;
}
