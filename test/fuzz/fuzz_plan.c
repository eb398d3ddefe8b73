/* fuzz_plan.c - any bytes as statements that are bound and planned: tables are made, queries and INSERTs become plans, plans are
 * explained and lowered to a job graph, which is prepared, for streaming and for batch mode. No file is there. None may crash or take more than its bounds; errors must have a text. */
#include "control/graph/graph.h"
#include "language/sql/bind_table.h"
#include "language/sql/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16 * 1024, STATEMENTS_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char tables[] =
    "CREATE TABLE t (a INT, b STRING, c DOUBLE, d DECIMAL(20, 3), ts TIMESTAMP(3), r ROW<x INT, y ARRAY<STRING>>, m MAP<STRING, INT>, "
    "k AS a + 1, PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');"
    "CREATE TABLE p (a BIGINT, b STRING) WITH ('connector' = 'print');";

static enum status no_file(struct sys *s, const char *path, struct sys_stat *out, struct err *e)
{
    (void)s;
    (void)out;
    return err_set(e, E_IO, "there is no file '%s'", path);
}

static const struct sys_ops ops = {.name = "nothing", .file_stat = no_file};

struct session {
    struct sys *sys;
    struct catalogs *catalogs;
    struct fn_session functions;
    struct arena *a;
    struct err *e;
};

static enum status plan(struct session *s, struct rel *r, bool is_batch)
{
    struct graph g;
    struct lowering l = {.graph = &g, .a = s->a, .session = &s->functions, .is_batch = is_batch};
    struct buf text;
    static const struct plan_settings settings = {.reuse = {true, true, true}, .broadcast_bytes = 1 << 20};
    uint32_t node, now[GRAPH_NODES_MAX];
    const struct rel_said *said = NULL;

    rel_rewrite(s->a, &r, 1, &settings);
    if (is_batch) TRY(rel_batch(s->a, r, &settings, &r, &said, s->e));
    TRY(rel_plan(&r, 1, &said, s->e));
    buf_init(&text, s->a->mem);
    rel_explain(r, &(struct rel_shown){.changes = true}, &text);
    buf_release(&text);
    graph_init(&g, s->a);
    g.job_name = "fuzz";
    g.artifact.name = "";
    g.default_parallelism = 1;
    TRY(rel_lower(r, &l, &node, s->e));
    graph_share(&g, true, now);
    return graph_prepare(&g, s->e);
}

static enum status make_view(struct session *s, struct query_binder *b, const struct create_view *v)
{
    struct table view = {.view_catalog = "default_catalog", .view_database = "default_database"};
    struct object_name name;
    struct rel *r;
    struct buf text;

    TRY(bind_query(b, v->query, &r));
    TRY(bind_name(b, &v->name, &name));
    buf_init(&text, s->a->mem);
    print_query(v->query, &text);
    view.view = arena_strndup(s->a, text.data, text.size);
    view.row = r->row;
    buf_release(&text);
    return v->column_count > 0 ? S_OK : catalogs_add(s->catalogs, name, &view, v->if_not_exists, false, s->e);
}

static enum status run_one(struct session *s, const struct tokens *t, const struct statement *st, bool is_batch)
{
    static const struct plan_settings settings[] = {{.has_options_hints = true, .sink = {.materialize = MATERIALIZE_AUTO}},
                                                    {.has_options_hints = true, .is_batch = true, .sink = {.materialize = MATERIALIZE_AUTO}}};
    uint32_t read = 0;
    struct query_binder b = {.a = s->a, .sys = s->sys, .t = t, .catalogs = s->catalogs, .session = &s->functions, .tables = &read,
                             .settings = &settings[is_batch], .is_batch = is_batch, .e = s->e};
    struct object_name name;
    struct table table;
    struct rel *r;

    if (strcmp(st->type->name, "create_view") == 0) return is_batch ? S_OK : make_view(s, &b, st->body);
    if (is_batch && st->type != &st_query && st->type != &st_insert) return S_OK;
    if (strcmp(st->type->name, "create_table") == 0) {
        const struct create_table *c = st->body;
        TRY(bind_create_table(&b, c, &table));
        TRY(bind_name(&b, &c->name, &name));
        return catalogs_add(s->catalogs, name, &table, c->if_not_exists, c->replace, s->e);
    }
    if (st->type == &st_query) {
        TRY(bind_query(&b, st->body, &r));
        return plan(s, rel_sink(s->a, r, &(struct sink_body){0}), is_batch);
    }
    if (st->type != &st_insert) return S_OK;
    TRY(bind_insert(&b, st->body, &r));
    return plan(s, r, is_batch);
}

static void run(struct session *s, struct str script)
{
    struct tokens t;
    struct statement st;
    uint32_t at = 0, count = 0;
    enum status status = tokens_cut(&t, script, NULL, s->a, s->e);

    while (status == S_OK && count++ < STATEMENTS_MAX && (status = statement_parse(&t, &at, s->a, &st, s->e)) == S_OK) {
        for (uint32_t mode = 0; mode < 2; mode++) {
            err_clear(s->e);
            if (run_one(s, &t, &st, mode == 1) == S_OK || s->e->text[0] != '\0') continue;
            fprintf(stderr, "fuzz_plan: an error without a text\n%.*s\n", (int)script.size, script.data);
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena a;
    struct err e = {0};

    if (size > TEXT_MAX) return 0;
    mem_init(&mem, "fuzz", 0);
    arena_init(&a, &mem, 0);
    struct sys nothing = {.ops = &ops, .mem = &mem};
    struct session s = {.sys = &nothing, .catalogs = catalogs_create("default_catalog", "default_database", &mem),
                        .functions = {.zone = {"UTC", 3}},
                        .a = &a,
                        .e = &e};
    run(&s, (struct str){tables, sizeof tables - 1});
    run(&s, (struct str){(const char *)bytes, size});
    catalogs_free(s.catalogs);
    arena_release(&a);
    mem_release(&mem);
    return 0;
}
