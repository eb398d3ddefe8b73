/* executor_embedded.c - the shell's statements run by a session of this process. */
#include "surface/sql/executor.h"

#include "surface/sql/embedded_complete.h"
#include "surface/sql/sql_keys.h"

#include <stdio.h>

struct embedded {
    struct statement_executor base;
    struct mem mem;
    struct sql_session *session;
    struct sys_atomic_u64 stopped;
    char doubt[SQL_DOUBT_MAX + 1];
};

static struct embedded *of(struct statement_executor *x) { return (struct embedded *)x; }

static enum status set(struct statement_executor *x, const char *key, const char *value, struct err *e)
{
    return sql_session_set(of(x)->session, key, value, e);
}

static const char *doubt(struct statement_executor *x, const char *key, const char *value)
{
    char text[SQL_DOUBT_MAX];

    if (!sql_session_doubts(key, value, text)) return NULL;
    snprintf(of(x)->doubt, sizeof of(x)->doubt, "%s\n", text);
    return of(x)->doubt;
}

static enum status open(struct statement_executor *x, struct err *e)
{
    (void)x, (void)e;
    return S_OK;
}

/* --- one piece --------------------------------------------------------------------------------------------------- */
static enum status run_parsed(struct embedded *m, const struct statement_piece *p, const struct tokens *t,
                              const struct statement *s, const struct sql_listener *to, struct err *e)
{
    if (p->is_init && (s->type == &st_query || s->type == &st_insert || s->type == &st_statement_set)) {
        err_hint(e, "it prepares the session; write them into the script");
        return sql_error(e, t, s->place.at, s->place.size, "a file of -i cannot hold queries and INSERT");
    }
    return sql_session_run(m->session, t, s, to, e);
}

static enum status run_all(struct embedded *m, const struct statement_piece *p, const struct sql_listener *to,
                           struct arena *a, struct err *e)
{
    uint32_t at = 0;
    struct tokens t;
    struct statement s;

    TRY(tokens_cut_from(&t, p->text, p->source, p->first_line, a, e));
    while (t.items[at].kind != TOKEN_END && t.items[at].at < p->from) at++;
    for (;;) {
        enum status st = statement_parse(&t, &at, a, &s, e);
        if (st == S_END) return S_OK;
        TRY(st);
        TRY(run_parsed(m, p, &t, &s, to, e));
    }
}

static enum status check_all(const struct statement_piece *p, struct arena *a, struct err *e)
{
    uint32_t at = 0;
    struct tokens t;
    struct statement s;
    enum status st;

    TRY(tokens_cut_from(&t, p->text, p->source, p->first_line, a, e));
    while (t.items[at].kind != TOKEN_END && t.items[at].at < p->from) at++;
    while ((st = statement_parse(&t, &at, a, &s, e)) == S_OK)
        if (s.type == &st_shell) return S_END;
    return st != S_END ? st : S_OK;
}

static enum status check(struct statement_executor *x, const struct statement_piece *p, struct err *e)
{
    struct arena arena;

    arena_init(&arena, &of(x)->mem, 0);
    enum status st = check_all(p, &arena, e);
    arena_release(&arena);
    return st;
}

static enum status run(struct statement_executor *x, const struct statement_piece *p, const struct sql_listener *to,
                       struct err *e)
{
    struct arena arena;

    arena_init(&arena, &of(x)->mem, 0);
    enum status st = run_all(of(x), p, to, &arena, e);
    arena_release(&arena);
    sys_atomic_store(&of(x)->stopped, 0);
    return st;
}

static void stop(struct statement_executor *x) { sys_atomic_store(&of(x)->stopped, 1); }

/* --- the rest ---------------------------------------------------------------------------------------------------- */
static const char *get(struct statement_executor *x, const char *key)
{
    struct options o = config_options(sql_session_config(of(x)->session));
    return options_get(&o, sql_keys, key);
}

static const struct zone *zone(const struct statement_executor *x)
{
    return sql_session_zone(((const struct embedded *)x)->session);
}

static size_t complete(struct statement_executor *x, struct str before, struct str after, sys_word_fn add, void *add_arg)
{
    return embedded_complete(of(x)->session, before, after, add, add_arg);
}

static enum sys_signal signal_of(const struct statement_executor *x)
{
    return sql_session_signal(((const struct embedded *)x)->session);
}

static uint32_t running(struct statement_executor *x) { return sql_session_running(of(x)->session); }

static bool failed(struct statement_executor *x, struct sql_failed_job *out) { return sql_session_failed(of(x)->session, out); }

static enum status finish(struct statement_executor *x, enum sql_finish how, struct err *e)
{
    return sql_session_finish(of(x)->session, how, e);
}

static void embedded_free(struct statement_executor *x)
{
    struct embedded *m = of(x);
    struct mem mem;

    sql_session_free(m->session);
    mem_init(&mem, "embedded", 0);
    mem_move(&m->mem, &mem);
    mem_free(&mem, m);
    mem_release(&mem);
}

struct statement_executor *executor_embedded_create(const struct sql_session_options *o)
{
    static const struct statement_executor_ops ops = {.set = set,
                                                      .open = open,
                                                      .run = run,
                                                      .check = check,
                                                      .doubt = doubt,
                                                      .get = get,
                                                      .zone = zone,
                                                      .complete = complete,
                                                      .stop = stop,
                                                      .signal = signal_of,
                                                      .running = running,
                                                      .failed = failed,
                                                      .finish = finish,
                                                      .free = embedded_free};
    struct mem mem;

    mem_init(&mem, "embedded", 0);
    struct embedded *m = mem_zalloc(&mem, sizeof *m);
    mem_init(&m->mem, "embedded", 0);
    mem_move(&mem, &m->mem);
    m->base.ops = &ops;
    struct sql_session_options with_stop = *o;
    ASSERT(o->cancelled == NULL);
    with_stop.cancelled = &m->stopped;
    m->session = sql_session_create(&with_stop);
    return &m->base;
}
