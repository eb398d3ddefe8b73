/* session_plan.c - see the header. A run of its own for each call, as a statement has. */
#include "surface/sql/session_plan.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"
#include "surface/sql/session_internal.h"

#include <string.h>

static const struct tokens no_tokens = {.first_line = 1};

/* As sql_session_run begins; the arena belongs to mem. */
static struct run run_begin(struct sql_session *s, const struct tokens *t, struct mem *mem, struct err *e)
{
    struct run r = {.s = s, .t = t, .e = e};
    bool known = zone_find(s->functions.zone, &s->zone);

    ASSERT(known);
    mem_init(&r.mem, "plan", 0);
    arena_init(&r.arena, mem, 0);
    s->functions.query_ms = sys_wall_ms(s->options.sys);
    s->functions.database = str_of(catalogs_current_database(s->catalogs));
    return r;
}

enum status sql_session_row(struct sql_session *s, const struct ast_query *q, struct mem *mem, const struct type **row,
                            bool *has_changes, struct err *e)
{
    struct run r = run_begin(s, &no_tokens, mem, e);
    struct query_binder b = run_binder(&r);
    struct rel *plan;

    enum status st = bind_query(&b, q, &plan);
    if (st == S_OK) {
        *row = plan->row;
        *has_changes = plan->modifies != MODIFIES_NOTHING;
    }
    mem_release(&r.mem);
    return st;
}

enum status sql_session_submit(struct sql_session *s, const struct ast_query *q, struct mem *mem,
                               struct jobmaster_options o, const struct type **row, struct jobmaster **jm,
                               struct err *e)
{
    struct run r = run_begin(s, &no_tokens, mem, e);
    r.waits_for_jobs = true;
    struct query_binder b = run_binder(&r);
    struct rel *plan, *sink = NULL;
    uint32_t one = 1;

    enum status st = bind_query(&b, q, &plan);
    if (st == S_OK) *row = run_result_row(&r, plan->row);
    if (st == S_OK) st = run_optimize(&r, &b, &plan, &one);
    if (st == S_OK) {
        sink = rel_sink(&r.arena, plan, &(struct sink_body){0});
        st = run_plan_check(&r, &b, &sink, 1);
    }
    o.takes_no_checkpoints = true; /* the program takes its rows as they come */
    if (st == S_OK) st = run_plan_submit(&r, &sink, 1, "collect", o, jm);
    mem_release(&r.mem);
    return st;
}

enum status sql_session_stream(struct sql_session *s, const struct ast_query *q, const struct stream_sink *sink,
                               struct graph *g, struct mem *mem, uint32_t *node, struct err *e)
{
    struct run r = run_begin(s, &no_tokens, mem, e);
    r.waits_for_jobs = true;
    struct query_binder b = run_binder(&r);
    struct rel *plan;
    uint32_t one = 1;

    enum status st = bind_query(&b, q, &plan);
    if (st == S_OK && b.is_batch) err_hint(e, "tw_table_execute gives the rows of batch mode");
    if (st == S_OK && b.is_batch) st = err_set(e, E_UNSUPPORTED, "a table becomes a stream in streaming mode only");
    if (st == S_OK) st = run_optimize(&r, &b, &plan, &one);
    if (st == S_OK) {
        struct rel *end = rel_stream_sink(&r.arena, plan, sink);
        st = run_plan_check(&r, &b, &end, 1);
        if (st == S_OK) st = run_plan_into(&r, &end, 1, g, NULL, node);
    }
    mem_release(&r.mem);
    return st;
}

/* --- streams as tables ------------------------------------------------------------------------------------------- */
static void columns_of_stream(struct run *r, const struct stream_source *source, struct table *t)
{
    uint32_t count = source->row->child_count;
    struct table_column *columns = ARENA_ARRAY(&r->arena, struct table_column, MAX(count, 1u));

    for (uint32_t i = 0; i < count; i++)
        columns[i] = (struct table_column){
            .name = source->row->names[i], .kind = TABLE_PHYSICAL, .type = source->row->children[i]};
    t->columns = columns;
    t->column_count = count;
    t->row = source->row;
}

/* Every column that is not computed must be one of the stream. */
static enum status check_columns(const struct table *t, const struct stream_source *source, struct err *e)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct table_column *c = &t->columns[i];
        if (c->kind == TABLE_COMPUTED || type_field(source->row, str_of(c->name)) >= 0) continue;
        if (c->kind == TABLE_METADATA)
            return err_set(e, E_GRAPH, "a stream has no metadata '%s'; it has 'rowtime'",
                           c->metadata_key != NULL ? c->metadata_key : c->name);
        return type_field_missing(source->row, str_of(c->name), e);
    }
    return S_OK;
}

static void take_key(struct run *r, const struct table *t, struct stream_source *source)
{
    uint32_t *key = arena_alloc(source->graph->arena, sizeof *key * MAX(t->key_count, 1u));

    (void)r;
    for (uint32_t i = 0; i < t->key_count; i++) key[i] = (uint32_t)type_field(source->row, str_of(t->key[i]));
    source->key = key;
    source->key_count = t->key_count;
}

enum status sql_session_add_stream(struct sql_session *s, const struct tokens *t, const struct create_table *c,
                                   const char *name, struct stream_source *source, struct err *e)
{
    struct mem mem;

    mem_init(&mem, "stream table", 0);
    struct run r = run_begin(s, t != NULL ? t : &no_tokens, &mem, e);
    struct query_binder b = run_binder(&r);
    struct table table = {.is_temporary = true};

    enum status st = c != NULL ? bind_create_table(&b, c, &table) : S_OK;
    if (st == S_OK && c == NULL) columns_of_stream(&r, source, &table);
    if (st == S_OK) st = check_columns(&table, source, e);
    if (st == S_OK) {
        table.stream = source;
        take_key(&r, &table, source);
        st = catalogs_add(s->catalogs, (struct object_name){.name = name}, &table, false, false, e);
    }
    mem_release(&r.mem);
    mem_release(&mem);
    return st;
}
