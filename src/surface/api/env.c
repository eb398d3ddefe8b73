/* env.c - environments: configuration, the graph's memory, the plan. What runs a graph is execute.c. */
#include "surface/api/api_internal.h"
#include "surface/api/table_internal.h"
#include "surface/sql/sql_keys.h"

#include <stdio.h>
#include <string.h>

static void graph_start(struct tw_env *env)
{
    mem_init(&env->graph_mem, "stream graph", 0);
    arena_init(&env->graph_arena, &env->graph_mem, 0);
    graph_init(&env->graph, &env->graph_arena);
    env->receiver_count = 0;
}

struct tw_env *tw_env_create_in(const struct tw_function_entry *first, const struct tw_function_entry *end)
{
    struct mem mem;
    mem_init(&mem, "environment", 0);
    struct tw_env *env = mem_zalloc(&mem, sizeof *env);

    mem_init(&env->mem, "environment", 0);
    mem_move(&mem, &env->mem);
    arena_init(&env->arena, &env->mem, 0);
    config_init(&env->config, &env->arena);
    config_init(&env->parameters, &env->arena);
    env->first = first;
    env->end = end;
    env->artifact = "/proc/self/exe";
    graph_start(env);
    return env;
}

void tw_env_free(struct tw_env *env)
{
    struct mem mem;

    if (env == NULL) return;
    if (env->background != NULL) {
        tw_cancel(env);
        (void)tw_wait(env);
    }
    api_rows_release(env);
    api_tables_free(env);
    jobmaster_free(env->jobmaster);
    logging_close(&env->logging);
    if (env->lock != NULL) sys_lock_free(env->sys, env->lock);
    if (env->owns_sys) sys_linux_free(env->sys);
    mem_release(&env->graph_mem);
    mem_init(&mem, "environment", 0);
    mem_move(&env->mem, &mem);
    mem_release(&mem);
}

void api_graph_clear(struct tw_env *env)
{
    for (struct tw_stream *s = env->streams; s != NULL; s = s->previous) s->is_stale = true;
    env->was_executed |= env->graph.node_count > 0;
    env->streams = NULL;
    mem_release(&env->graph_mem);
    graph_start(env);
}

/* --- configuration ------------------------------------------------------------------------------------------------------ */
bool api_refuses(struct tw_env *env, struct tw_here h)
{
    if (!api_is_running(env) || sys_atomic_load(&env->cancelled) != 0) return false;
    if (env->refusal.status != S_OK) return true;
    err_set(&env->refusal, E_GRAPH, "job '%s' still runs; call tw_wait or tw_cancel first", env->job_name);
    graph_at(api_here(h), &env->refusal);
    env->is_refusal_told = false;
    return true;
}

bool api_begin(struct tw_env *env, struct tw_here h)
{
    if (api_refuses(env, h)) return false;
    if (env->background != NULL) (void)tw_wait(env); /* over, or about to be */
    if (env->is_err_old) err_clear(&env->err);
    env->is_err_old = false;
    if (env->refusal.status != S_OK && !env->is_refusal_told && env->err.status == S_OK) env->err = env->refusal;
    err_clear(&env->refusal);
    return true;
}

/* A setting with the call as its place, which a mistake in it then names. */
static void set(struct tw_env *env, const char *key, const char *value, struct tw_here h)
{
    if (api_refuses(env, h)) return;
    config_set_from(&env->config, key, value, h.file != NULL ? arena_printf(&env->arena, "%s:%d", h.file, h.line) : NULL);
}

static void setting_mistake(struct tw_env *env, const char *what, struct tw_here h)
{
    if (!api_begin(env, h) || env->err.status != S_OK) return;
    err_set(&env->err, E_CONFIG, "%s", what);
    graph_at(api_here(h), &env->err);
}

void tw_set_at(struct tw_env *env, const char *key, const char *value, struct tw_here h)
{
    if (key == NULL || value == NULL) setting_mistake(env, "tw_set needs a key and a value", h);
    else set(env, key, value, h);
}

void tw_set_parallelism_at(struct tw_env *env, uint32_t parallelism, struct tw_here h)
{
    char text[16];

    snprintf(text, sizeof text, "%u", parallelism);
    set(env, "parallelism.default", text, h);
}

void tw_set_max_parallelism_at(struct tw_env *env, uint32_t max_parallelism, struct tw_here h)
{
    char text[16];

    snprintf(text, sizeof text, "%u", max_parallelism);
    set(env, "pipeline.max-parallelism", text, h);
}

void tw_disable_chaining(struct tw_env *env)
{
    if (!api_refuses(env, (struct tw_here){NULL, 0})) config_set(&env->config, "pipeline.operator-chaining.enabled", "false");
}

void tw_set_job_parameter_at(struct tw_env *env, const char *key, const char *value, struct tw_here h)
{
    if (key == NULL || value == NULL) setting_mistake(env, "tw_set_job_parameter needs a key and a value", h);
    else if (!api_refuses(env, h)) config_set(&env->parameters, key, value);
}

/* One more entry of pipeline.cached-files. */
void tw_register_cached_file_at(struct tw_env *env, const char *path, const char *name, struct tw_here h)
{
    if (api_refuses(env, h)) return;
    struct options o = config_options(&env->config);
    const char *before = options_get(&o, config_defs, "pipeline.cached-files");

    if (path == NULL || name == NULL || path[0] == '\0' || name[0] == '\0')
        setting_mistake(env, "tw_register_cached_file needs a path and a name", h);
    else if (strpbrk(name, ",;") != NULL || strpbrk(path, ",;") != NULL)
        setting_mistake(env, "tw_register_cached_file: neither path nor name may hold ',' or ';'", h);
    else
        set(env, "pipeline.cached-files",
            arena_printf(&env->arena, "%s%sname:%s,path:%s", before != NULL ? before : "", before != NULL ? ";" : "", name, path), h);
}

void tw_quiet(struct tw_env *env, bool quiet) { env->is_quiet = quiet; }
bool tw_is_quiet(const struct tw_env *env) { return env->is_quiet || env->is_silent; }
void tw_cancel(struct tw_env *env) { sys_atomic_store(&env->cancelled, 1); }

/* --- the graph ---------------------------------------------------------------------------------------------------------- */
/* Sources and operators that make watermarks learn the interval; a strategy's own wins. */
static void set_watermark_interval(struct graph *g, int64_t interval_ms)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        for (const struct config_field *f = g->nodes[i]->type->config_fields; f != NULL && f->name != NULL; f++) {
            int64_t *value = (int64_t *)(void *)((char *)g->nodes[i]->config + f->offset);
            if (strcmp(f->name, "watermark.interval") == 0 && *value == 0) *value = interval_ms;
        }
}

/* Without the keys that tables read: to jobs they mean nothing. */
static struct config engine_config(struct tw_env *env)
{
    struct config c;

    config_init(&c, &env->graph_arena);
    for (uint32_t i = 0; i < env->config.count; i++) {
        const struct option *item = &env->config.items[i];
        if (option_find(config_defs, item->key) == NULL && option_find(sql_keys, item->key) != NULL) continue;
        config_set_from(&c, item->key, item->value, env->config.places[i]);
    }
    return c;
}

enum status api_graph_prepare(struct tw_env *env, const char *job_name)
{
    struct graph *g = &env->graph;
    struct config engine = engine_config(env);
    struct options o = config_options(&engine);

    if (!api_begin(env, (struct tw_here){NULL, 0})) return E_GRAPH;
    if (env->err.status != S_OK) return env->err.status;
    TRY(config_check_places(&engine, &env->err));
    if (g->node_count == 0 && env->was_executed) {
        err_set(&env->err, E_GRAPH, "there is nothing to run: this environment's graph was executed already");
        err_hint(&env->err, "each tw_execute runs what was built since the one before: build the next graph first");
        return E_GRAPH;
    }
    TRY(api_topologies_build(env));
    const char *name = options_get(&o, config_defs, "pipeline.name");
    g->job_name = name != NULL ? name : job_name != NULL && job_name[0] != '\0' ? job_name : "job";
    if (strlen(g->job_name) > JOB_NAME_MAX)
        return err_set(&env->err, E_CONFIG, "the job's name is longer than %d bytes", JOB_NAME_MAX);
    g->settings = o;
    g->parameters = config_options(&env->parameters);
    g->default_parallelism = (uint32_t)options_int(&o, config_defs, "parallelism.default");
    g->default_max_parallelism = (uint32_t)MAX(0, options_int(&o, config_defs, "pipeline.max-parallelism"));
    g->chaining = options_bool(&o, config_defs, "pipeline.operator-chaining.enabled");
    set_watermark_interval(g, options_int(&o, config_defs, "pipeline.auto-watermark-interval"));
    TRY(graph_prepare(g, &env->err));
    return api_receivers_bind(env, &env->err);
}

const char *tw_plan(struct tw_env *env)
{
    struct buf text;

    if (api_graph_prepare(env, NULL) != S_OK) return NULL;
    buf_init(&text, &env->mem);
    graph_plan_json(&env->graph, &text);
    const char *plan = arena_strndup(&env->arena, text.data, text.size);
    buf_release(&text);
    return plan;
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */
const char *tw_error(struct tw_env *env)
{
    const struct err none = {0}, *e = api_is_running(env) ? &none : &env->err;

    if (e->status == S_OK && (e == &none || !env->is_refusal_told)) e = &env->refusal;
    if (e->status == S_OK) return "";
    snprintf(env->error_text, sizeof env->error_text, "%s%s%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint,
             e->excerpt[0] != '\0' ? "\n" : "", e->excerpt);
    return env->error_text;
}

const struct tw_result *tw_job_result(struct tw_env *env)
{
    return !api_is_running(env) && env->has_result ? &env->result : NULL;
}

bool api_accumulator_long(const struct accumulator *a, int64_t *value)
{
    if (a == NULL || (a->kind != ACC_COUNTER && a->kind != ACC_LEAST && a->kind != ACC_GREATEST)) return false;
    *value = a->count;
    return true;
}

bool api_accumulator_double(const struct accumulator *a, double *value)
{
    if (a == NULL) return false;
    *value = accumulator_double(a);
    return true;
}

bool api_accumulator_histogram(const struct accumulator *a, uint32_t index, int32_t *value, int64_t *count)
{
    if (a == NULL || a->kind != ACC_HISTOGRAM || index >= a->entry_count) return false;
    *value = a->entries[index].value;
    *count = a->entries[index].count;
    return true;
}
