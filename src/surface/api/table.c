/* table.c - tables as handles: a syntax tree of a query each, checked by the binder when it is made, so that a mistake has the line of
 * the call that made it. The session of SQL that an environment has belongs here, too. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "language/sql/fragment.h"

#include <string.h>

/* --- the session -------------------------------------------------------------------------------------------------- */
/* What tw_set said since the last time; a key that SQL does not know is told with the job. */
static bool take_settings(struct tw_env *env, struct tw_here h)
{
    struct api_tables *a = env->tables;
    struct err e = {0};

    for (; a->settings_taken < env->config.count; a->settings_taken++) {
        const struct option *o = &env->config.items[a->settings_taken];
        if (sql_session_set(a->session, o->key, o->value, &e) == S_OK) continue;
        a->settings_taken++;
        api_table_fail(env, h, &e);
        return false;
    }
    return true;
}

struct api_tables *api_tables(struct tw_env *env, struct tw_here h)
{
    if (!api_begin(env, h)) return NULL;
    api_world_start(env);
    if (env->tables == NULL) {
        struct sql_session_options o = {.sys = env->sys,
                                        .takes_signals = env->takes_signals,
                                        .cancelled = &env->cancelled,
                                        .say = api_say_line,
                                        .say_arg = env,
                                        .functions = env->first,
                                        .functions_end = env->end};
        env->tables = ARENA_NEW(&env->arena, struct api_tables);
        env->tables->session = sql_session_create(&o);
    }
    env->graph.users = sql_session_users(env->tables->session);
    return take_settings(env, h) ? env->tables : NULL;
}

/* Of jobs that nobody awaits, those that come to an end do so; a failure that nobody was told of is told now. */
static void finish_jobs(struct tw_env *env)
{
    struct sql_session *s = env->tables->session;
    struct sql_failed_job j;
    struct err e = {0};
    enum status st;

    do {
        st = sql_session_finish(s, SQL_FINISH_ENDING, &e);
        while (sql_session_failed(s, &j))
            if (!env->is_quiet) api_say_error(env->sys, NULL, j.why);
    } while (st == S_OK && sql_session_running(s) > 0);
}

void api_tables_free(struct tw_env *env)
{
    api_results_free(env);
    if (env->tables != NULL) {
        finish_jobs(env);
        sql_session_free(env->tables->session);
    }
    env->tables = NULL;
}

/* --- mistakes ----------------------------------------------------------------------------------------------------- */
void api_table_fail(struct tw_env *env, struct tw_here h, const struct err *e)
{
    if (!api_begin(env, h) || env->err.status != S_OK) return;
    env->err = *e;
    graph_at(api_here(h), &env->err);
}

int api_table_failed_run(struct tw_env *env, struct tw_here h, const struct err *e)
{
    if (!api_begin(env, h)) return 1;
    if (env->err.status == S_OK) {
        env->err = *e;
        graph_at(api_here(h), &env->err);
    }
    env->is_err_old = true;
    if (!env->is_quiet) api_say_error(env->sys, NULL, &env->err);
    return 1;
}

struct tw_env *api_table_env(const struct tw_table *t, struct tw_here h)
{
    if (UNLIKELY(t == NULL)) assert_failed("the table is not NULL", h.file != NULL ? h.file : "a call", h.line);
    return t->env;
}

struct tw_table *api_table_broken(struct tw_env *env)
{
    struct tw_table *t = ARENA_NEW(&env->arena, struct tw_table);

    *t = (struct tw_table){.env = env, .is_broken = true};
    return t;
}

bool api_table_usable(struct tw_table *t, struct tw_here h)
{
    (void)api_table_env(t, h);
    if (!t->is_broken && t->group != NULL) {
        api_mistake(t->env, h, "a grouped table has no columns yet: say them with tw_table_select");
        return false;
    }
    return !t->is_broken;
}

/* --- making ------------------------------------------------------------------------------------------------------- */
struct str api_table_text(struct tw_env *env, const char *text)
{
    return text != NULL ? (struct str){arena_strdup(&env->arena, text), strlen(text)} : (struct str){"", 0};
}

struct ast_table *api_table_ref(struct tw_env *env, const struct tw_table *t)
{
    struct ast_table *ref = ARENA_NEW(&env->arena, struct ast_table);

    *ref = (struct ast_table){.kind = TABLE_QUERY, .query = t->query, .alias = t->alias};
    return ref;
}

struct ast_query *api_table_select(struct tw_env *env, const struct tw_table *from)
{
    struct ast_query *q = ARENA_NEW(&env->arena, struct ast_query);
    struct ast_item *item = ARENA_NEW(&env->arena, struct ast_item);

    q->kind = QUERY_SELECT;
    q->select = ARENA_NEW(&env->arena, struct ast_select);
    item->x = ARENA_NEW(&env->arena, struct ast_expr);
    *item->x = (struct ast_expr){.kind = AX_STAR, .height = 1};
    q->select->items = item;
    q->select->item_count = 1;
    q->select->from = api_table_ref(env, from);
    return q;
}

struct tw_table *api_table_new(struct tw_env *env, struct ast_query *q, const struct tokens *t, uint32_t depth,
                               struct tw_here h)
{
    struct api_tables *a = api_tables(env, h);
    struct tw_table *out = ARENA_NEW(&env->arena, struct tw_table);
    struct err e = {0};

    *out = (struct tw_table){.env = env, .query = q, .depth = depth};
    q->t = t;
    out->is_broken = a == NULL || env->err.status != S_OK;
    if (out->is_broken) return out;
    if (depth > TABLE_DEPTH_MAX) {
        api_mistake(env, h,
                    "more than %d operations on one table; make a view of it with tw_create_temporary_view on the way",
                    TABLE_DEPTH_MAX);
        out->is_broken = true;
    } else if (sql_session_row(a->session, q, &env->mem, &out->row, &out->has_changes, &e) != S_OK) {
        api_table_fail(env, h, &e);
        out->is_broken = true;
    }
    return out;
}

/* --- sources ------------------------------------------------------------------------------------------------------ */
static struct tw_table *mistake(struct tw_env *env, struct tw_here h, const struct err *e)
{
    api_table_fail(env, h, e);
    return api_table_broken(env);
}

struct tw_table *tw_sql_query_at(struct tw_env *env, const char *sql, struct tw_here h)
{
    struct tokens *t = ARENA_NEW(&env->arena, struct tokens);
    struct statement s;
    struct err e = {0};

    if (api_tables(env, h) == NULL) return api_table_broken(env);
    if (sql == NULL) return (void)api_mistake(env, h, "tw_sql_query needs a query"), api_table_broken(env);
    if (statement_parse_one(api_table_text(env, sql), &env->arena, t, &s, &e) != S_OK) return mistake(env, h, &e);
    if (s.type != &st_query) {
        err_hint(&e, "run other statements with tw_sql_execute");
        (void)sql_error(&e, t, s.place.at, s.place.size, "tw_sql_query takes a query: SELECT, WITH or VALUES");
        return mistake(env, h, &e);
    }
    struct ast_query *q = ARENA_NEW(&env->arena, struct ast_query);
    *q = *(const struct ast_query *)s.body;
    return api_table_new(env, q, t, 1, h);
}

struct tw_table *tw_from_at(struct tw_env *env, const char *path, struct tw_here h)
{
    struct tokens *t = ARENA_NEW(&env->arena, struct tokens);
    struct ast_query *q = ARENA_NEW(&env->arena, struct ast_query);
    struct err e = {0};

    if (api_tables(env, h) == NULL) return api_table_broken(env);
    q->kind = QUERY_TABLE;
    if (fragment_name(api_table_text(env, path), &env->arena, t, &q->table, &e) != S_OK) return mistake(env, h, &e);
    q->place = q->table.place;
    return api_table_new(env, q, t, 1, h);
}

struct tw_table *tw_from_values_at(struct tw_env *env, const char *rows, const char *names, struct tw_here h)
{
    const char *text = arena_printf(&env->arena, "VALUES %s", rows != NULL ? rows : "");
    struct tw_table *t = tw_sql_query_at(env, text, h);

    return names != NULL && !t->is_broken ? tw_table_apply_at(t, "as", names, h) : t;
}

const char *tw_table_schema(struct tw_table *t)
{
    struct buf out;

    if (!api_table_usable(t, (struct tw_here){NULL, 0})) return "";
    buf_init(&out, &t->env->mem);
    buf_append_text(&out, "(\n");
    for (uint32_t i = 0; i < t->row->child_count; i++) {
        buf_printf(&out, "  `%s` ", t->row->names[i]);
        type_print(t->row->children[i], &out);
        buf_append_text(&out, i + 1 < t->row->child_count ? ",\n" : "\n");
    }
    buf_append_byte(&out, ')');
    const char *text = arena_strndup(&t->env->arena, out.data, out.size);
    buf_release(&out);
    return text;
}
