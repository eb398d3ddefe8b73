/* table_bridge.c - streams as tables and tables as streams.
 *
 * A stream gets an operator from_stream behind it, and a table of the catalog whose rows are that operator's; so computed columns,
 * watermarks and keys of a schema are those that SQL has. A table becomes operators of the program's own graph, with to_stream last:
 * both ways, the program stays one job. */
#include <thalweg/table.h>

#include "surface/api/table_internal.h"

#include "flow/operator/table_bridge.h"
#include "language/sql/statement_tables.h"

#include <string.h>

struct tw_env *tw_env_of(struct tw_stream *s) { return api_env(s, (struct tw_here){NULL, 0}); }

static struct tw_table *fail(struct tw_env *env, struct tw_here h, const struct err *e)
{
    api_table_fail(env, h, e);
    return api_table_broken(env);
}

static const uint8_t mode_changes[] = {
    [TW_CHANGELOG_ALL] = CHANGES_BEFORE | CHANGES_AFTER | CHANGES_DELETE,
    [TW_CHANGELOG_INSERTS] = CHANGES_NONE,
    [TW_CHANGELOG_UPSERTS] = CHANGES_AFTER | CHANGES_DELETE | CHANGES_DELETE_BY_KEY,
    [TW_CHANGELOG_RETRACTS] = CHANGES_DELETE,
};

/* --- from a stream ----------------------------------------------------------------------------------------------------- */
/* The same type in an arena that outlives the graph. */
static enum status type_keep(struct tw_env *env, const struct type **t, struct err *e)
{
    struct buf bytes;

    buf_init(&bytes, &env->mem);
    type_encode(*t, &bytes);
    const uint8_t *at = (const uint8_t *)bytes.data;
    enum status st = type_decode(&env->arena, &at, at + bytes.size, t);
    buf_release(&bytes);
    return st == S_OK ? S_OK : err_set(e, E_GRAPH, "the stream's type cannot be kept");
}

/* The operator behind the stream, and what its rows are. */
static enum status source_make(struct tw_stream *s, const struct tw_schema *schema, uint8_t changes, struct tw_here h,
                               struct stream_source **out, struct err *e)
{
    struct tw_env *env = s->env;
    struct graph_node *n = api_node(env, "from_stream", "DataStreamToTable", s, NULL, h);
    struct stream_source *source = ARENA_NEW(&env->arena, struct stream_source);
    struct options o = config_options(&env->config);

    if (n == NULL) return env->err.status != S_OK ? env->err.status : E_GRAPH;
    struct tw_stream *mine = api_stream(env);
    *(struct from_stream_config *)n->config = (struct from_stream_config){
        .time_column = schema != NULL ? api_text(env, schema->time_column) : NULL,
        .stream = api_text(env, env->graph.nodes[s->node]->name),
        .changes = changes};
    *source = (struct stream_source){
        .graph = &env->graph, .node = mine->node, .is_gone = &mine->is_stale, .changes = changes};
    TRY(graph_output_type(&env->graph, mine->node, NULL, (uint32_t)options_int(&o, config_defs, "parallelism.default"),
                          &env->graph_arena, &source->row, e));
    TRY(type_keep(env, &source->row, e));
    *out = source;
    return S_OK;
}

static enum status source_add(struct tw_env *env, const struct tw_schema *schema, struct stream_source *source,
                              const char *quoted, struct err *e)
{
    struct tw_table_descriptor nothing = {0};
    const struct create_table *c = NULL;
    struct tokens *t = NULL;
    struct statement s;

    if (schema != NULL) {
        TRY(api_schema_parse(schema, &nothing, quoted, source->row, &t, &s, e));
        c = s.body;
    }
    return sql_session_add_stream(env->tables->session, t, c, source->name, source, e);
}

static struct tw_table *from_stream(struct tw_stream *s, const struct tw_schema *schema, uint8_t changes, struct tw_here h)
{
    struct tw_env *env = api_env(s, h);
    struct stream_source *source = NULL;
    struct err e = {0};

    if (!api_usable(s, h) || (schema != NULL && schema->is_broken) || api_tables(env, h) == NULL)
        return api_table_broken(env);
    if (source_make(s, schema, changes, h, &source, &e) != S_OK) return fail(env, h, &e);
    source->name = arena_printf(&env->arena, "Unregistered_DataStream_Source_%u", ++env->tables->anonymous);
    const char *quoted = arena_printf(&env->arena, "`%s`", source->name);
    if (source_add(env, schema, source, quoted, &e) != S_OK) return fail(env, h, &e);
    return tw_from_at(env, quoted, h);
}

struct tw_table *tw_from_stream_at(struct tw_stream *s, const struct tw_schema *schema, struct tw_here h)
{
    return from_stream(s, schema, CHANGES_NONE, h);
}

struct tw_table *tw_from_changelog_stream_at(struct tw_stream *s, const struct tw_schema *schema,
                                             enum tw_changelog_mode mode, struct tw_here h)
{
    return from_stream(s, schema, mode_changes[mode], h);
}

/* --- to a stream ------------------------------------------------------------------------------------------------------- */
static struct tw_stream *to_stream(struct tw_table *t, enum stream_mode mode, const char *key, struct tw_here h)
{
    struct tw_env *env = api_table_env(t, h);
    struct stream_sink sink = {.mode = (uint8_t)mode, .key = key};
    uint32_t first = env->graph.node_count, node = 0;
    struct err e = {0};

    if (!api_table_usable(t, h) || api_tables(env, h) == NULL || env->err.status != S_OK) return api_broken(env);
    sink.name = arena_printf(&env->arena, "Unregistered_DataStream_Sink_%u", ++env->tables->anonymous);
    if (sql_session_stream(env->tables->session, t->query, &sink, &env->graph, &env->graph_mem, &node, &e) != S_OK) {
        api_table_fail(env, h, &e);
        return api_broken(env);
    }
    for (uint32_t i = first; i < env->graph.node_count; i++)
        env->graph.nodes[i]->here = (struct graph_here){api_text(env, h.file), h.line};
    struct tw_stream *s = api_stream(env);
    s->node = node;
    return s;
}

struct tw_stream *tw_to_stream_at(struct tw_table *t, struct tw_here h) { return to_stream(t, STREAM_INSERTS, NULL, h); }

struct tw_stream *tw_to_changelog_stream_at(struct tw_table *t, enum tw_changelog_mode mode, struct tw_here h)
{
    static const enum stream_mode modes[] = {STREAM_CHANGES, STREAM_INSERTS, STREAM_UPSERTS, STREAM_RETRACTS};

    return to_stream(t, modes[mode], NULL, h);
}

struct tw_stream *tw_to_upsert_stream_at(struct tw_table *t, const char *key, struct tw_here h)
{
    return to_stream(t, STREAM_UPSERTS, key, h);
}
