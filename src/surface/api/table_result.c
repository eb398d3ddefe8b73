/* table_result.c - tw_sql_execute, tw_table_execute: rows of a statement, pulled by the program.
 *
 * The job of a query runs on a thread of its own; nothing of the session is touched there, so other statements may run meanwhile. Its
 * rows are copied into two batches, which go to the program by a mailbox and come back by another: without a free one the job's
 * thread waits, and so does the job. Statements that are no queries run at once, and what they answer is kept; the job of an INSERT
 * goes on behind its answer, in the session's care, and behind the end of its result, too. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "columns/column/decimal.h"
#include "columns/column/sql_text.h"
#include "surface/sql/sql_keys.h"
#include "surface/sql/view.h"

#include <string.h>

enum { BATCHES = 2 };
#define LOOK_NS INT64_C(20000000)

struct tw_table_result {
    struct tw_env *env;
    struct tw_here here;
    struct tw_table_result *next; /* of env->tables->results */
    struct mem mem;               /* of the program's thread: plan, structs, texts, what is known at once */
    struct arena arena;
    const struct type *row;
    bool is_query, is_batch;
    /* a query's job */
    struct mem job_mem; /* of its thread: the batches */
    struct jobmaster *jobmaster;
    struct sys_thread *thread;
    struct sys_mailbox *filled, *empty;
    struct batch *batches[BATCHES];
    struct sys_atomic_u64 cancelled;
    char end; /* its address in `filled`: the job is over, and `status` and `err` say how */
    enum status status;
    struct err err;
    /* else */
    struct batch **known;
    uint32_t known_count, known_at;
    int64_t job; /* of an INSERT that was not waited for, among those of the session; 0: none */
    const char *job_id;
    /* the program's */
    struct batch *batch;
    uint32_t at;
    bool has_ended, is_on_row;
    const struct tw_row *as; /* the rows are given as */
    struct user_row bound;
    void *structs;
    struct arena items;
    struct buf text;
    const char **types;
};

/* --- life -------------------------------------------------------------------------------------------------------------- */
static struct tw_table_result *result_new(struct tw_env *env, struct tw_here h)
{
    struct tw_table_result *r = mem_zalloc(&env->mem, sizeof *r);

    *r = (struct tw_table_result){.env = env, .here = h, .job_id = "", .row = type_row(&env->arena, 0, NULL, NULL, false)};
    mem_init(&r->mem, "result", 0);
    mem_init(&r->job_mem, "result rows", 0);
    arena_init(&r->arena, &r->mem, 0);
    arena_init(&r->items, &r->mem, 0);
    buf_init(&r->text, &r->mem);
    if (env->tables != NULL) {
        r->next = env->tables->results;
        env->tables->results = r;
    }
    return r;
}

static void job_end(struct tw_table_result *r)
{
    if (r->thread != NULL) {
        sys_atomic_store(&r->cancelled, 1);
        sys_thread_join(r->env->sys, r->thread);
    }
    r->thread = NULL;
    if (r->jobmaster != NULL && jobmaster_signal(r->jobmaster) != SYS_SIGNAL_NONE) r->env->signal = jobmaster_signal(r->jobmaster);
    jobmaster_free(r->jobmaster);
    r->jobmaster = NULL;
}

/* Of an INSERT: its job has ended, and how is in status and err. */
static void job_await(struct tw_table_result *r)
{
    struct err e = {0};

    if (r->job == 0) return;
    enum status st = sql_session_await(r->env->tables->session, r->job, &e);
    r->env->signal = sql_session_signal(r->env->tables->session);
    sys_atomic_store(&r->env->cancelled, 0);
    r->job = 0;
    if (st == S_OK || r->status != S_OK) return;
    r->status = st;
    r->err = e;
}

static void result_free(struct tw_table_result *r)
{
    struct tw_env *env = r->env;

    for (struct tw_table_result **at = env->tables != NULL ? &env->tables->results : NULL; at != NULL && *at != NULL;
         at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    job_end(r);
    if (r->filled != NULL) sys_mailbox_free(env->sys, r->filled);
    if (r->empty != NULL) sys_mailbox_free(env->sys, r->empty);
    mem_release(&r->job_mem);
    mem_release(&r->mem);
    mem_free(&env->mem, r);
}

void api_results_free(struct tw_env *env)
{
    while (env->tables != NULL && env->tables->results != NULL) result_free(env->tables->results);
}

/* --- the job's thread ---------------------------------------------------------------------------------------------------- */
static struct batch *batch_to_fill(struct tw_table_result *r, const struct batch *like)
{
    struct batch *b = NULL;

    for (uint32_t i = 0; i < BATCHES; i++)
        if (r->batches[i] == NULL) return r->batches[i] = batch_create(like->schema, BATCH_ROWS, &r->job_mem);
    while (b == NULL && sys_atomic_load(&r->cancelled) == 0) b = sys_mailbox_take(r->env->sys, r->empty, LOOK_NS);
    return b;
}

static enum status take_rows(void *arg, int64_t receiver, struct batch *in, struct err *e)
{
    struct tw_table_result *r = arg;
    struct batch *b = batch_to_fill(r, in);

    (void)receiver, (void)e;
    if (b == NULL) return S_OK; /* nobody wants them */
    batch_clear(b);
    batch_append(b, in, NULL, 0);
    sys_mailbox_send(r->env->sys, r->filled, b);
    return S_OK;
}

static void job_main(void *arg)
{
    struct tw_table_result *r = arg;

    r->status = jobmaster_run(r->jobmaster, &r->err);
    sys_mailbox_send(r->env->sys, r->filled, &r->end);
}

/* --- starting -------------------------------------------------------------------------------------------------------------- */
static enum status start_query(struct tw_table_result *r, const struct ast_query *q, struct err *e)
{
    struct tw_env *env = r->env;
    struct jobmaster_options o = {.rows = take_rows, .rows_arg = r, .cancelled = &r->cancelled};

    if (env->drive != NULL) return err_set(e, E_UNSUPPORTED, "results of tables cannot be read in the simulated world");
    struct options settings = config_options(sql_session_config(env->tables->session));
    r->is_query = true;
    r->is_batch = str_equal_nocase(str_of(options_get(&settings, sql_keys, "execution.runtime-mode")), STR("batch"));
    TRY(sql_session_submit(env->tables->session, q, &r->mem, o, &r->row, &r->jobmaster, e));
    r->job_id = arena_strdup(&r->arena, jobmaster_job_id(r->jobmaster));
    r->filled = sys_mailbox_create(env->sys);
    r->empty = sys_mailbox_create(env->sys);
    return sys_thread_start(env->sys, "result", job_main, r, &r->thread, e);
}

static enum status know_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    struct tw_table_result *r = arg;
    const uint32_t count = row->child_count;

    (void)is_changelog, (void)e;
    r->row = type_row(&r->arena, count, row->names, row->children, false);
    return S_OK;
}

static void know(struct tw_table_result *r, struct batch *b)
{
    r->known = mem_realloc(&r->mem, r->known, sizeof(struct batch *) * (r->known_count + 1));
    r->known[r->known_count++] = b;
}

static enum status know_rows(void *arg, const struct batch *b, struct err *e)
{
    struct tw_table_result *r = arg;
    struct batch *copy = batch_create(r->row, MAX(batch_rows(b), 1u), &r->mem);

    (void)e;
    batch_append(copy, b, NULL, 0);
    know(r, copy);
    return S_OK;
}

/* Of a table that is there several times, each has a number. */
static const char *changed_name(struct arena *a, uint32_t count, const char *const *tables, uint32_t which)
{
    uint32_t same = 0, before = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(tables[i], tables[which]) != 0) continue;
        same++;
        before += i < which;
    }
    return same > 1 ? arena_printf(a, "%s_%u", tables[which], before + 1) : arena_strdup(a, tables[which]);
}

/* As in Flink: a column for each table, and -1 in it, since nobody knows yet how many rows there will be. */
static void know_changed(void *arg, uint32_t table_count, const char *const *tables, int64_t job)
{
    struct tw_table_result *r = arg;
    const char **names = ARENA_ARRAY(&r->arena, const char *, MAX(table_count, 1u));
    const struct type **types = ARENA_ARRAY(&r->arena, const struct type *, MAX(table_count, 1u));

    r->job = job;
    r->job_id = job != 0 ? arena_strdup(&r->arena, sql_session_job_id(r->env->tables->session, job)) : "";
    if (table_count == 0) return;
    for (uint32_t i = 0; i < table_count; i++) {
        names[i] = changed_name(&r->arena, table_count, tables, i);
        types[i] = &type_bigint;
    }
    r->row = type_row(&r->arena, table_count, names, types, false);
    struct batch *b = batch_create(r->row, 1, &r->mem);
    for (uint32_t i = 0; i < table_count; i++) VECTOR_VALUES(&b->cols[i], int64_t)[0] = -1;
    b->count = 1;
    know(r, b);
}

/* What has no answer but that it went well is one row, as in Flink. */
static void know_ok(struct tw_table_result *r)
{
    static const char *const names[] = {"result"};
    static const struct type *const types[] = {&type_string};

    if (r->row->child_count > 0) return;
    r->row = type_row(&r->arena, 1, names, types, false);
    struct batch *b = batch_create(r->row, 1, &r->mem);
    VECTOR_VALUES(&b->cols[0], struct text)[0] = text_view("OK", 2);
    b->count = 1;
    know(r, b);
}

static enum status start_statement(struct tw_table_result *r, const char *text, struct err *e)
{
    struct sql_listener to = api_nobody;
    struct tokens *t = ARENA_NEW(&r->arena, struct tokens);
    struct statement s;
    struct ast_query q;

    TRY(statement_parse_one(str_of(arena_strdup(&r->arena, text != NULL ? text : "")), &r->arena, t, &s, e));
    if (s.type == &st_query) {
        q = *(const struct ast_query *)s.body;
        q.t = t;
        return start_query(r, &q, e);
    }
    to.arg = r;
    to.begin = know_begin;
    to.rows = know_rows;
    to.changed = know_changed;
    to.waits = r->env->drive != NULL; /* a simulation has one thread */
    TRY(api_table_run(r->env, t, &s, &to, e));
    know_ok(r);
    return S_OK;
}

/* What failed before the first row is told when the result is closed. */
static struct tw_table_result *started(struct tw_table_result *r, enum status st)
{
    if (st == S_OK) return r; /* its status is that of its thread, if it has one */
    r->status = st;
    r->has_ended = true;
    return r;
}

static struct tw_table_result *mistaken(struct tw_env *env, struct tw_here h)
{
    struct tw_table_result *r = result_new(env, h);

    r->err = env->err;
    if (r->err.status == S_OK) err_set(&r->err, E_GRAPH, "a table was built with a mistake");
    return started(r, E_GRAPH);
}

struct tw_table_result *tw_sql_execute_at(struct tw_env *env, const char *statement, struct tw_here h)
{
    if (api_tables(env, h) == NULL || env->err.status != S_OK) return mistaken(env, h);
    struct tw_table_result *r = result_new(env, h);
    return started(r, start_statement(r, statement, &r->err));
}

struct tw_table_result *tw_table_execute_at(struct tw_table *t, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL || env->err.status != S_OK) return mistaken(env, h);
    struct tw_table_result *r = result_new(env, h);
    return started(r, start_query(r, t->query, &r->err));
}

/* --- rows --------------------------------------------------------------------------------------------------------------------- */
static bool batch_next(struct tw_table_result *r)
{
    if (r->is_query && r->batch != NULL) sys_mailbox_send(r->env->sys, r->empty, r->batch);
    r->batch = NULL;
    r->at = 0;
    if (r->has_ended) return false;
    if (!r->is_query) {
        r->has_ended = r->known_at == r->known_count;
        r->batch = r->has_ended ? NULL : r->known[r->known_at++];
        return !r->has_ended;
    }
    void *message = sys_mailbox_take(r->env->sys, r->filled, INT64_MAX);
    r->has_ended = message == &r->end;
    r->batch = r->has_ended ? NULL : message;
    return !r->has_ended;
}

bool tw_result_next(struct tw_table_result *r)
{
    if (r->batch != NULL) r->at++;
    while (r->batch == NULL || r->at >= batch_rows(r->batch))
        if (!batch_next(r)) return r->is_on_row = false;
    return r->is_on_row = true;
}

/* A failure of the program's own handling of the result: its job is not wanted any more. */
static const void *refuse(struct tw_table_result *r, const struct err *e)
{
    job_end(r); /* its thread writes these, too */
    r->err = *e;
    r->status = e->status;
    r->has_ended = true;
    r->is_on_row = false;
    r->batch = NULL;
    return NULL;
}

const void *tw_result_row(struct tw_table_result *r, const struct tw_row *row)
{
    uint32_t bad = 0;
    struct err e = {0};

    if (!r->is_on_row) return NULL;
    if (r->as == NULL) {
        if (user_row_bind(&r->arena, row, r->row, NULL, &r->bound, &e) != S_OK) return refuse(r, &e);
        r->structs = arena_alloc(&r->arena, r->bound.conv.size);
        r->as = row;
    }
    if (r->as != row) {
        err_set(&e, E_GRAPH, "tw_result_row: the rows were given as '%s' before, not as '%s'", r->as->name,
                row->name);
        return refuse(r, &e);
    }
    arena_reset(&r->items);
    if (rowconv_read(&r->bound.conv, r->batch, r->at, 1, r->structs, &r->items, &bad) == S_OK) return r->structs;
    err_set(&e, E_DATA, "tw_result_row: column '%s' is NULL, but row type '%s' has no null mask",
            r->row->names[r->bound.conv.fields[bad].col], row->name);
    err_hint(&e, "give the struct a uint64_t member and name it in TW_NULLS");
    return refuse(r, &e);
}

enum tw_row_kind tw_result_kind(const struct tw_table_result *r)
{
    return r->is_on_row ? (enum tw_row_kind)batch_kind(r->batch, batch_row(r->batch, r->at)) : TW_INSERT;
}

int tw_result_await(struct tw_table_result *r)
{
    job_await(r);
    if (r->is_query && r->batch == NULL && batch_next(r)) r->at = UINT32_MAX; /* its first row is the next one */
    if (r->is_query && !r->has_ended) return 0; /* status is its thread's until `end` has arrived */
    return r->status == S_OK ? 0 : 1;
}

const char *tw_result_job_id(const struct tw_table_result *r) { return r->job_id; }

int tw_result_close(struct tw_table_result *r)
{
    struct tw_env *env = r->env;
    struct tw_here h = r->here;
    bool was_over = r->has_ended || !r->is_query;

    if (r->job != 0 && !sql_session_is_running(env->tables->session, r->job)) job_await(r); /* how it ended */
    job_end(r); /* when it was not over it was canceled, which is no failure */
    struct err e = r->err;
    enum status st = was_over ? r->status : S_OK;
    result_free(r);
    if (st == S_OK) return 0;
    return api_table_failed_run(env, h, &e);
}

/* --- columns ------------------------------------------------------------------------------------------------------------------- */
uint32_t tw_result_columns(const struct tw_table_result *r) { return r->row->child_count; }

int tw_result_column(const struct tw_table_result *r, const char *name) { return type_field(r->row, str_of(name)); }

const char *tw_result_name(const struct tw_table_result *r, uint32_t column)
{
    return column < r->row->child_count ? r->row->names[column] : "";
}

const char *tw_result_type(const struct tw_table_result *r, uint32_t column)
{
    struct tw_table_result *own =
        (struct tw_table_result *)(uintptr_t)r; /* a text is made when it is first asked for */

    if (column >= r->row->child_count) return "";
    if (own->types == NULL) own->types = ARENA_ARRAY(&own->arena, const char *, r->row->child_count);
    if (own->types[column] == NULL) {
        buf_clear(&own->text);
        type_print(r->row->children[column], &own->text);
        own->types[column] = arena_strndup(&own->arena, own->text.data, own->text.size);
    }
    return own->types[column];
}

/* The column's values and the row in them; NULL: there is none, or it is NULL. */
static const struct vector *value_at(const struct tw_table_result *r, uint32_t column, uint32_t *row)
{
    if (!r->is_on_row || column >= r->row->child_count) return NULL;
    *row = batch_row(r->batch, r->at);
    return vector_is_null(&r->batch->cols[column], *row) ? NULL : &r->batch->cols[column];
}

bool tw_result_is_null(const struct tw_table_result *r, uint32_t column)
{
    uint32_t row;
    return value_at(r, column, &row) == NULL;
}

int64_t tw_result_long(const struct tw_table_result *r, uint32_t column)
{
    uint32_t row = 0;
    const struct vector *v = value_at(r, column, &row);

    if (v == NULL) return 0;
    switch ((enum phys)v->phys) {
    case P_BOOL: return VECTOR_VALUES(v, bool)[row];
    case P_I8: return VECTOR_VALUES(v, int8_t)[row];
    case P_I16: return VECTOR_VALUES(v, int16_t)[row];
    case P_I32: return VECTOR_VALUES(v, int32_t)[row];
    case P_I64: return VECTOR_VALUES(v, int64_t)[row];
    case P_TS96: return VECTOR_VALUES(v, struct ts96)[row].ms;
    default: return (int64_t)tw_result_double(r, column);
    }
}

double tw_result_double(const struct tw_table_result *r, uint32_t column)
{
    uint32_t row = 0;
    const struct vector *v = value_at(r, column, &row);

    if (v == NULL) return 0;
    const struct type *t = r->row->children[column];
    switch ((enum phys)v->phys) {
    case P_F32: return (double)VECTOR_VALUES(v, float)[row];
    case P_F64: return VECTOR_VALUES(v, double)[row];
    case P_I128: return decimal_to_double(VECTOR_VALUES(v, int128)[row], t->scale);
    case P_STR:
    case P_LIST:
    case P_ROW: return 0;
    default: break;
    }
    return t->kind == T_DECIMAL ? decimal_to_double(VECTOR_VALUES(v, int64_t)[row], t->scale)
                                : (double)tw_result_long(r, column);
}

struct tw_str tw_result_str(struct tw_table_result *r, uint32_t column)
{
    uint32_t row = 0;
    const struct vector *v = value_at(r, column, &row);

    if (v == NULL || v->phys != P_STR) return (struct tw_str){"", 0};
    struct str s = text_str(&VECTOR_VALUES(v, struct text)[row]);
    return (struct tw_str){s.data, s.size};
}

const char *tw_result_text(struct tw_table_result *r, uint32_t column)
{
    uint32_t row = 0;
    const struct vector *v = value_at(r, column, &row);

    buf_clear(&r->text);
    if (v == NULL)
        buf_append_text(&r->text, r->is_on_row ? "<NULL>" : "");
    else
        sql_text_show(v, row, sql_session_zone(r->env->tables->session), &r->text);
    return buf_text(&r->text);
}

/* --- printing -------------------------------------------------------------------------------------------------------------------- */
static enum status print_rows(struct tw_table_result *r, struct view *v, struct err *e)
{
    struct sql_listener to = view_listener(v);

    if (r->row->child_count == 0) return S_OK; /* it failed before there was a row */
    if (r->is_query) to.plan(to.arg, true);
    TRY(to.begin(to.arg, r->row, r->is_query && !r->is_batch, e));
    for (bool more = r->batch != NULL || batch_next(r); more; more = batch_next(r)) TRY(to.rows(to.arg, r->batch, e));
    return r->status == S_OK ? to.end(to.arg, e) : S_OK;
}

int tw_result_print(struct tw_table_result *r)
{
    struct view v;
    struct err e = {0};

    if (!r->has_ended || r->row->child_count > 0) {
        view_init(&v, r->env->sys, r->env->tables != NULL ? sql_session_zone(r->env->tables->session) : NULL,
                  &r->env->mem);
        enum status st = sys_stdout_flush(r->env->sys, &e);
        if (st == S_OK) st = print_rows(r, &v, &e);
        view_release(&v);
        if (st != S_OK) (void)refuse(r, &e);
    }
    return tw_result_close(r);
}
