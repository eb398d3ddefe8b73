/* exec_plan.c - COMPILE PLAN, EXECUTE PLAN, COMPILE AND EXECUTE PLAN, EXPLAIN PLAN FOR 'file'. A compiled plan is a job that was made
 * once: running it reads neither the catalog nor the session's configuration again. */
#include "surface/sql/session_internal.h"

#include "flow/format/format.h"
#include "ground/base/str.h"
#include "ground/fs/fs.h"
#include "surface/sql/plan_file.h"
#include "surface/sql/plan_replaced.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

/* --- files ------------------------------------------------------------------------------------------------------- */
static enum status file_find(struct run *r, struct str file, const struct fs_type **fs, const char **path)
{
    struct err inner = {0};

    if (file.size == 0) return run_fail(r, r->statement->place, "a plan's file has a name");
    if (fs_find(run_text(r, file), fs, path, &inner) == S_OK) return S_OK;
    return run_fail(r, r->statement->place, "%s", inner.text);
}

static bool file_is_there(struct run *r, const struct fs_type *fs, const char *path)
{
    struct fs_entry entry;
    struct err none = {0};

    return fs->stat(r->s->options.sys, path, &entry, &none) == S_OK;
}

/* All bytes of a file, with room behind them. */
static enum status file_read(struct run *r, const struct fs_type *fs, const char *path, struct str *out, struct err *e)
{
    struct fs_entry entry;
    size_t got = 0;

    TRY(fs->stat(r->s->options.sys, path, &entry, e));
    if (entry.is_directory) return err_set(e, E_DATA, "it is a folder");
    if (entry.size > PLAN_FILE_BYTES_MAX)
        return err_set(e, E_BUDGET, "it has %lld bytes; a plan has at most %d", (long long)entry.size,
                       PLAN_FILE_BYTES_MAX);
    char *bytes = arena_alloc(&r->arena, (size_t)entry.size + FORMAT_PADDING);
    TRY(fs->read_range(r->s->options.sys, path, 0, bytes, (size_t)entry.size, &got, e));
    memset(bytes + got, 0, FORMAT_PADDING);
    *out = (struct str){bytes, got};
    return S_OK;
}

static enum status fail_load(struct run *r, struct str file, const struct err *inner)
{
    if (inner->hint[0] != '\0') err_hint(r->e, "%s", inner->hint);
    return run_fail(r, r->statement->place, "Cannot read the compiled plan '%.*s': %s", (int)file.size, file.data, inner->text);
}

static enum status plan_load(struct run *r, struct str file, struct plan_file_text *out)
{
    const struct fs_type *fs;
    const char *path;
    struct err inner = {0};
    struct str text;

    TRY(file_find(r, file, &fs, &path));
    enum status st = file_read(r, fs, path, &text, &inner);
    if (st == S_OK) st = plan_file_read(text, &r->arena, out, &inner);
    if (st == S_OK) return S_OK;
    return fail_load(r, file, &inner);
}

/* --- COMPILE ----------------------------------------------------------------------------------------------------- */
static enum status sinks_of(struct run *r, const struct statement *s, struct update *out)
{
    const struct statement_set *set = s->type == &st_statement_set ? s->body : NULL;
    uint32_t n = set != NULL ? set->count : 1;
    const struct insert **inserts = ARENA_ARRAY(&r->arena, const struct insert *, MAX(n, 1u));

    for (uint32_t i = 0; i < n; i++) inserts[i] = set != NULL ? set->items[i].body : s->body;
    return run_insert_sinks(r, inserts, n, out);
}

static void explained(struct rel *const *sinks, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_byte(out, '\n');
        rel_explain(sinks[i], &(struct rel_shown){0}, out);
    }
}

static enum status compile(struct run *r, const struct statement *s, struct buf *out)
{
    struct update u;
    struct graph g;
    struct buf plan, graph, replaced;

    TRY(sinks_of(r, s, &u));
    buf_init(&plan, &r->mem);
    buf_init(&graph, &r->mem);
    buf_init(&replaced, &r->mem);
    enum status st = run_plan_graph(r, u.sinks, u.count, u.name, &g);
    if (st == S_OK) {
        explained(u.sinks, u.count, &plan);
        plan_replaced_keep(u.sinks, u.count, &g, &replaced);
        graph_encode(&g, &graph);
        struct str text = {r->t->text.data + s->place.at, s->place.size};
        plan_file_write(&(struct plan_file_text){text, {buf_text(&plan), plan.size}, {graph.data, graph.size}, {replaced.data, replaced.size}},
                        &g, out);
    }
    buf_release(&replaced);
    buf_release(&graph);
    buf_release(&plan);
    return st;
}

/* S_OK too when the file is there and may stay. */
static enum status compile_into(struct run *r, const struct plan_file *f, bool may_be_there)
{
    struct options o = config_options(&r->s->config);
    bool again = options_bool(&o, sql_keys, "table.plan.force-recompile");
    const struct fs_type *fs;
    const char *path;
    struct buf text;
    struct err inner = {0};
    enum fs_outcome outcome = FS_OK;

    TRY(file_find(r, f->file, &fs, &path));
    if (!again && file_is_there(r, fs, path)) {
        if (may_be_there) return S_OK;
        return run_fail(r, r->statement->place,
                        "Cannot overwrite the plan file '%.*s'. Either manually remove the file or, if you're "
                        "debugging your job, set the "
                        "option 'table.plan.force-recompile' to true.",
                        (int)f->file.size, f->file.data);
    }
    buf_init(&text, &r->mem);
    enum status st = compile(r, f->statement, &text);
    if (st == S_OK &&
        fs->publish(r->s->options.sys, path, (struct str){text.data, text.size}, !again, &outcome, &inner) != S_OK)
        st = run_fail(r, r->statement->place, "%s", inner.text);
    if (st == S_OK && outcome == FS_EXISTS && !may_be_there)
        st = run_fail(r, r->statement->place, "another program has just written the plan file '%.*s'",
                      (int)f->file.size, f->file.data);
    buf_release(&text);
    return st;
}

/* --- EXECUTE, EXPLAIN -------------------------------------------------------------------------------------------- */
static enum status execute(struct run *r, struct str file)
{
    struct plan_file_text plan;
    struct update u;
    struct err inner = {0};

    TRY(plan_load(r, file, &plan));
    if (plan_replaced_stage(r, plan.replaced, plan.graph, &u, &inner) != S_OK) return fail_load(r, file, &inner);
    for (uint32_t i = 0; i < u.replacement_count; i++)
        TRY(run_wait_for_table(r, &(struct table){.options = u.replacements[i].table}, true));
    return run_update_job(r, &u);
}

static enum status run_plan_statement(struct run *r, const void *body)
{
    const struct plan_file *f = body;

    if (f->compile) TRY(compile_into(r, f, f->if_not_exists || f->execute));
    return f->execute ? execute(r, f->file) : run_said(r);
}

enum status run_explain_file(struct run *r, struct str file)
{
    static const char *const names[] = {"result"};
    struct plan_file_text plan;

    TRY(plan_load(r, file, &plan));
    const char *cell = arena_printf(&r->arena, "== Compiled Statement ==\n%.*s\n\n== Optimized Execution Plan ==\n%.*s",
                                    (int)plan.statement.size, plan.statement.data, (int)plan.plan.size, plan.plan.data);
    return run_give(r, 1, names, NULL, &cell, 1);
}

const struct executor plan_executors[] = {{"plan", run_plan_statement}, {0}};
