/* session.c - statements meet the engine: a query becomes a plan, the plan a job graph, and the job runs here and now, its rows
 * handed to whoever listens. Everything of one statement lives in an arena that is released behind it; catalogs and configuration
 * live as long as the session. */
#include "surface/sql/session.h"

#include "control/jobmanager/jobmaster.h"
#include "ground/base/str.h"

#include <string.h>

struct sql_session {
    struct mem mem;
    struct arena arena; /* of the configuration */
    struct sql_session_options options;
    struct catalogs *catalogs;
    struct config config;
    struct fn_session functions;
};

/* One statement under way. */
struct run {
    struct sql_session *s;
    const struct tokens *t;
    const struct sql_listener *to;
    struct mem mem;
    struct arena arena;
    struct err *e;
};

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
    s->functions = (struct fn_session){.zone = STR("UTC"), .query_ms = sys_wall_ms(o->sys)};
    return s;
}

void sql_session_free(struct sql_session *s)
{
    struct mem mem;

    if (s == NULL) return;
    arena_release(&s->arena);
    catalogs_free(s->catalogs);
    mem_init(&mem, "session", 0);
    mem_move(&s->mem, &mem);
    mem_release(&mem);
}

struct config *sql_session_config(struct sql_session *s) { return &s->config; }

/* --- running a plan ---------------------------------------------------------------------------------------------- */
static enum status give_rows(void *arg, int64_t receiver, struct batch *b, struct err *e)
{
    struct run *r = arg;

    (void)receiver;
    return r->to->rows(r->to->arg, b, e);
}

static enum status encode(struct run *r, const struct rel *plan, struct buf *bytes)
{
    struct graph g;
    struct lowering l = {.graph = &g, .a = &r->arena, .session = &r->s->functions};
    uint32_t node;

    r->s->functions.chance = sys_random(r->s->options.sys);
    graph_init(&g, &r->arena);
    g.job_name = "collect";
    g.artifact.name = "";
    g.default_parallelism = 1;
    g.chaining = true;
    TRY(rel_lower(plan, &l, &node, r->e));
    TRY(graph_prepare(&g, r->e));
    graph_encode(&g, bytes);
    return S_OK;
}

static enum status run_plan(struct run *r, const struct rel *plan)
{
    static const struct tw_function_entry none[1];
    struct jobmaster_options o = {.sys = r->s->options.sys,
                                  .log = r->s->options.log,
                                  .functions = {none, none},
                                  .takes_signals = r->s->options.takes_signals,
                                  .cancelled = r->s->options.cancelled,
                                  .rows = give_rows,
                                  .rows_arg = r};
    struct buf bytes;

    buf_init(&bytes, &r->mem);
    enum status st = encode(r, plan, &bytes);
    if (st == S_OK) {
        struct jobmaster *jm = jobmaster_create(&o);
        st = jobmaster_submit(jm, (struct str){bytes.data, bytes.size}, r->e);
        if (st == S_OK) st = jobmaster_run(jm, r->e);
        jobmaster_free(jm);
    }
    buf_release(&bytes);
    return st;
}

static struct query_binder binder_of(struct run *r)
{
    return (struct query_binder){
        .a = &r->arena, .t = r->t, .catalogs = r->s->catalogs, .session = &r->s->functions, .e = r->e};
}

static enum status run_query(struct run *r, const void *body)
{
    struct query_binder b = binder_of(r);
    struct rel *plan;

    TRY(bind_query(&b, body, &plan));
    TRY(r->to->begin(r->to->arg, plan->row, true, r->e));
    TRY(run_plan(r, rel_sink(&r->arena, plan, NULL)));
    return r->to->end(r->to->arg, r->e);
}

/* --- one row of text --------------------------------------------------------------------------------------------- */
static enum status give_text(struct run *r, const char *column, struct str text)
{
    const struct type *row = type_row(&r->arena, 1, &column, (const struct type *[]){&type_string}, false);
    struct batch *b = batch_create(row, 1, &r->mem);

    VECTOR_VALUES(&b->cols[0], struct text)[0] = text_view(text.data, text.size);
    b->count = 1;
    enum status st = r->to->begin(r->to->arg, row, false, r->e);
    if (st == S_OK) st = r->to->rows(r->to->arg, b, r->e);
    if (st == S_OK) st = r->to->end(r->to->arg, r->e);
    batch_free(b);
    return st;
}

static enum status run_explain(struct run *r, const void *body)
{
    const struct explain *x = body;
    struct query_binder b = binder_of(r);
    struct rel *plan;
    struct buf text;

    if (x->statement->type != &st_query)
        return sql_error(r->e, r->t, x->statement->place.at, x->statement->place.size,
                         "EXPLAIN of this statement is not supported yet");
    TRY(bind_query(&b, x->statement->body, &plan));
    buf_init(&text, &r->mem);
    buf_append_text(&text, "== Optimized Execution Plan ==\n");
    rel_explain(plan, &text);
    enum status st = give_text(r, "result", (struct str){text.data, text.size});
    buf_release(&text);
    return st;
}

static enum status done(struct run *r) { return r->to->said(r->to->arg, "[INFO] Execute statement succeeded.", r->e); }

static enum status run_set(struct run *r, const void *body)
{
    const struct set *s = body;

    if (!s->has_key || s->reset)
        return sql_error(r->e, r->t, 0, 1, "SET without a value and RESET are not supported yet");
    config_set(&r->s->config, arena_strndup(&r->arena, s->option.key.data, s->option.key.size),
               arena_strndup(&r->arena, s->option.value.data, s->option.value.size));
    return done(r);
}

static enum status run_create_view(struct run *r, const void *body)
{
    const struct create_view *v = body;
    struct query_binder b = binder_of(r);
    struct rel *plan;
    struct table t = {.is_temporary = v->temporary};
    const struct ast_name *n = &v->name;

    TRY(bind_query(&b, v->query, &plan));
    if (v->column_count > 0)
        return sql_error(r->e, r->t, n->place.at, n->place.size, "a view with a list of columns is not supported yet");
    t.view = arena_strndup(&r->arena, r->t->text.data + v->query_place.at, v->query_place.size);
    t.row = plan->row;
    struct object_name name = {
        n->count > 2 ? arena_strndup(&r->arena, n->parts[n->count - 3].data, n->parts[n->count - 3].size) : NULL,
        n->count > 1 ? arena_strndup(&r->arena, n->parts[n->count - 2].data, n->parts[n->count - 2].size) : NULL,
        arena_strndup(&r->arena, n->parts[n->count - 1].data, n->parts[n->count - 1].size)};
    TRY(catalogs_add(r->s->catalogs, name, &t, v->if_not_exists, false, r->e));
    return done(r);
}

static const struct executor {
    const struct st_type *type;
    enum status (*run)(struct run *r, const void *body);
} executors[] = {
    {&st_query, run_query}, {&st_explain, run_explain}, {&st_set, run_set}, {&st_create_view, run_create_view}};

enum status sql_session_run(struct sql_session *s, const struct tokens *t, const struct statement *st,
                            const struct sql_listener *to, struct err *e)
{
    struct run r = {.s = s, .t = t, .to = to, .e = e};
    enum status status = E_UNSUPPORTED;

    mem_init(&r.mem, "statement", 0);
    arena_init(&r.arena, &r.mem, 0);
    s->functions.query_ms = sys_wall_ms(s->options.sys);
    size_t i = 0;
    while (i < COUNT_OF(executors) && executors[i].type != st->type) i++;
    if (i < COUNT_OF(executors))
        status = executors[i].run(&r, st->body);
    else
        (void)sql_error(e, t, st->place.at, st->place.size, "this statement is not supported yet");
    arena_release(&r.arena);
    mem_release(&r.mem);
    return status;
}
