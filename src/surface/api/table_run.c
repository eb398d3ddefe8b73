/* table_run.c - statements of tables that run to their end before the call returns: INSERT, statement sets, EXPLAIN. Each is the syntax tree of
 * the statement that SQL has for it. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "language/sql/fragment.h"

#include <string.h>

struct tw_statement_set {
    struct tw_env *env;
    struct statement items[STATEMENT_SET_MOST];
    uint32_t count;
    bool is_broken;
};

static const struct tokens no_tokens = {.first_line = 1};

/* --- listeners ------------------------------------------------------------------------------------------------------- */
static enum status no_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    (void)arg, (void)row, (void)is_changelog, (void)e;
    return S_OK;
}

static enum status no_rows(void *arg, const struct batch *b, struct err *e)
{
    (void)arg, (void)b, (void)e;
    return S_OK;
}

static enum status no_end(void *arg, struct err *e)
{
    (void)arg, (void)e;
    return S_OK;
}

static enum status nothing_said(void *arg, const char *text, struct err *e)
{
    (void)arg, (void)text, (void)e;
    return S_OK;
}

const struct sql_listener api_nobody = {.begin = no_begin, .rows = no_rows, .end = no_end, .said = nothing_said, .waits = true};

enum status api_table_run(struct tw_env *env, const struct tokens *t, const struct statement *s,
                          const struct sql_listener *to, struct err *e)
{
    enum status st = sql_session_run(env->tables->session, t, s, to, e);

    env->signal = sql_session_signal(env->tables->session);
    sys_atomic_store(&env->cancelled, 0);
    return st;
}

/* A mistake of what was built is told here, as by tw_execute. */
static bool has_mistake(struct tw_env *env, struct tw_here h)
{
    static const struct err unknown = {.status = E_GRAPH, .text = "a table was built with a mistake"};

    if (!api_begin(env, h)) return true;
    if (env->err.status == S_OK) return false;
    (void)api_table_failed_run(env, h, &unknown);
    return true;
}

/* --- INSERT ---------------------------------------------------------------------------------------------------------- */
/* S_OK: *out is INSERT INTO path with the rows of t. */
static enum status insert_of(struct tw_table *t, const char *path, struct statement *out, const struct tokens **tokens,
                             struct err *e)
{
    struct arena *a = &t->env->arena;
    struct insert *i = ARENA_NEW(a, struct insert);
    struct tokens *of_path = ARENA_NEW(a, struct tokens);

    TRY(fragment_name(api_table_text(t->env, path), a, of_path, &i->table, e));
    i->query = t->query;
    *out = (struct statement){.type = &st_insert, .body = i};
    *tokens = of_path;
    return S_OK;
}

int tw_table_insert_into_at(struct tw_table *t, const char *path, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    const struct tokens *tokens = &no_tokens;
    struct statement s;
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return has_mistake(env, h), 1;
    enum status st = insert_of(t, path, &s, &tokens, &e);
    if (st == S_OK) st = api_table_run(env, tokens, &s, &api_nobody, &e);
    return st == S_OK ? 0 : api_table_failed_run(env, h, &e);
}

/* --- statement sets --------------------------------------------------------------------------------------------------- */
struct tw_statement_set *tw_statement_set_create(struct tw_env *env)
{
    struct tw_statement_set *s = ARENA_NEW(&env->arena, struct tw_statement_set);

    s->env = env;
    return s;
}

static int set_fail(struct tw_statement_set *s, struct tw_here h, const struct err *e)
{
    if (e != NULL) api_table_fail(s->env, h, e);
    s->is_broken = true;
    return 1;
}

/* It must fit now; what it means is found once more when the set runs. */
static int set_add(struct tw_statement_set *s, const struct tokens *t, const struct statement *one, struct tw_here h)
{
    struct statement inner = *one;
    struct explain x = {.statement = &inner};
    struct statement explain = {.type = &st_explain, .body = &x};
    struct err e = {0};

    if (s->count == STATEMENT_SET_MOST)
        return (void)api_mistake(s->env, h, "a statement set has at most %d statements", STATEMENT_SET_MOST),
               set_fail(s, h, NULL);
    if (api_table_run(s->env, t, &explain, &api_nobody, &e) != S_OK) return set_fail(s, h, &e);
    s->items[s->count++] = inner;
    return 0;
}

int tw_statement_set_add_at(struct tw_statement_set *s, struct tw_table *t, const char *path, struct tw_here h)
{
    const struct tokens *tokens = &no_tokens;
    struct statement one;
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(s->env, h) == NULL) return set_fail(s, h, NULL);
    if (t->env != s->env)
        return (void)api_mistake(s->env, h, "the table belongs to another environment"), set_fail(s, h, NULL);
    if (insert_of(t, path, &one, &tokens, &e) != S_OK) return set_fail(s, h, &e);
    return set_add(s, tokens, &one, h);
}

int tw_statement_set_add_sql_at(struct tw_statement_set *s, const char *insert, struct tw_here h)
{
    struct tokens *t = ARENA_NEW(&s->env->arena, struct tokens);
    struct statement one;
    struct err e = {0};

    if (api_tables(s->env, h) == NULL) return set_fail(s, h, NULL);
    if (statement_parse_one(api_table_text(s->env, insert), &s->env->arena, t, &one, &e) != S_OK)
        return set_fail(s, h, &e);
    if (one.type != &st_insert)
        return (void)sql_error(&e, t, one.place.at, one.place.size,
                               "only INSERT statements can be added to a statement set"),
               set_fail(s, h, &e);
    struct insert *i = ARENA_NEW(&s->env->arena, struct insert);
    *i = *(const struct insert *)one.body;
    i->query->t = t; /* places of its query; those of the target are shown in the same text */
    one.body = i;
    return set_add(s, t, &one, h);
}

static struct statement set_statement(struct tw_statement_set *s, struct statement_set *body, uint8_t kind)
{
    *body = (struct statement_set){.kind = kind, .count = s->count, .items = s->items};
    return (struct statement){.type = &st_statement_set, .body = body};
}

int tw_statement_set_execute_at(struct tw_statement_set *s, struct tw_here h)
{
    struct statement_set body;
    struct statement all = set_statement(s, &body, SET_EXECUTE);
    struct err e = {0};

    if (s->is_broken || api_tables(s->env, h) == NULL)
        return has_mistake(s->env, h), s->is_broken = false, s->count = 0, 1;
    if (s->count == 0) {
        err_set(&e, E_GRAPH, "the statement set is empty");
        return api_table_failed_run(s->env, h, &e);
    }
    enum status st = api_table_run(s->env, &no_tokens, &all, &api_nobody, &e);
    s->count = 0;
    return st == S_OK ? 0 : api_table_failed_run(s->env, h, &e);
}

/* --- EXPLAIN ----------------------------------------------------------------------------------------------------------- */
static enum status keep_text(void *arg, const struct batch *b, struct err *e)
{
    struct buf *out = arg;

    (void)e;
    BATCH_EACH(b, i, row)
    {
        struct str text = text_str(&VECTOR_VALUES(&b->cols[0], struct text)[row]);
        buf_append(out, text.data, text.size);
    }
    return S_OK;
}

static bool take_details(struct tw_env *env, struct explain *x, const char *details, struct tw_here h)
{
    struct str rest = str_of(details), word;

    while (str_cut(&rest, ',', &word)) {
        word = str_trim(word);
        if (str_equal_nocase(word, STR("CHANGELOG_MODE")))
            x->changelog_mode = true;
        else if (str_equal_nocase(word, STR("JSON_EXECUTION_PLAN")))
            x->json = true;
        else if (str_equal_nocase(word, STR("ESTIMATED_COST")))
            x->estimated_cost = true;
        else if (str_equal_nocase(word, STR("PLAN_ADVICE")))
            x->plan_advice = true;
        else {
            api_mistake(env, h,
                        "there is no detail '%.*s' of plans; there are CHANGELOG_MODE, JSON_EXECUTION_PLAN, "
                        "ESTIMATED_COST and PLAN_ADVICE",
                        (int)word.size, word.data);
            return false;
        }
    }
    return true;
}

static const char *explain(struct tw_env *env, const struct tokens *t, struct statement *inner, const char *details,
                           struct tw_here h)
{
    struct explain x = {.statement = inner};
    struct statement s = {.type = &st_explain, .body = &x};
    struct sql_listener to = api_nobody;
    struct buf out;
    struct err e = {0};

    if (!take_details(env, &x, details, h)) return "";
    buf_init(&out, &env->mem);
    to.arg = &out;
    to.rows = keep_text;
    enum status st = api_table_run(env, t, &s, &to, &e);
    const char *text = st == S_OK ? arena_strndup(&env->arena, buf_text(&out), out.size) : "";
    if (st != S_OK) api_table_fail(env, h, &e);
    buf_release(&out);
    return text;
}

const char *tw_table_explain_at(struct tw_table *t, const char *details, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL) return "";
    struct statement s = {.type = &st_query, .body = t->query};
    return explain(env, &no_tokens, &s, details, h);
}

const char *tw_sql_explain_at(struct tw_env *env, const char *statement, const char *details, struct tw_here h)
{
    struct tokens t;
    struct statement s;
    struct err e = {0};

    if (api_tables(env, h) == NULL) return "";
    if (statement_parse_one(api_table_text(env, statement), &env->arena, &t, &s, &e) == S_OK)
        return explain(env, &t, &s, details, h);
    api_table_fail(env, h, &e);
    return "";
}

const char *tw_statement_set_explain_at(struct tw_statement_set *s, const char *details, struct tw_here h)
{
    struct statement_set body;
    struct statement all = set_statement(s, &body, SET_INNER);

    if (s->is_broken || api_tables(s->env, h) == NULL) return "";
    return explain(s->env, &no_tokens, &all, details, h);
}
