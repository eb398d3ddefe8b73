/* exec_upgrade.c - EXPLAIN UPGRADE FROM 'savepoint' and a statement: what becomes of each state of the savepoint when the statement begins
 * with it. The job graph is made as if it ran, and its operators are asked for their states (control/jobmanager/restore_check.h).
 *
 * A row per state, in the order of the job's operators, then those that the job does not have. Outcomes: kept, migrated (what changes),
 * lost, new, refused (the job would not start, and why). */
#include "control/jobmanager/restore_check.h"
#include "surface/sql/session_internal.h"

#include <string.h>

enum { UPGRADE_COLS = 6 };

struct upgrade_rows {
    const char **cells; /* row by row */
    uint32_t count;
};

static void row_add(struct upgrade_rows *rows, const struct upgrade_operator *o, const char *state, const char *kind, const char *outcome,
                    const char *details)
{
    const char *row[UPGRADE_COLS] = {o->name, o->uid, state, kind, outcome, details};

    memcpy(rows->cells + (size_t)UPGRADE_COLS * rows->count++, row, sizeof row);
}

static void state_row(struct upgrade_rows *rows, const struct upgrade_operator *o, const struct state_outcome *s)
{
    const char *details = s->changes;
    enum state_fate fate = s->fate;

    if (o->is_asked_later) {
        fate = STATE_KEPT;
        details = "the operator looks at it when it starts";
    } else if (o->is_gone) {
        details = "the job has no such operator: -n drops it, else the job does not start";
    } else if (fate == STATE_LOST) {
        details = "the operator does not have it any more";
    } else if (fate == STATE_NEW) {
        details = o->is_new ? "the savepoint has no such operator" : "the savepoint has no such state";
    }
    row_add(rows, o, s->name, s->kind, state_fate_name(fate), details);
}

static void operator_rows(struct run *r, struct upgrade_rows *rows, const struct upgrade_operator *o)
{
    if (o->refused != NULL) {
        const char *hint = o->refused->hint;
        row_add(rows, o, NULL, NULL, "refused", hint[0] != '\0' ? arena_printf(&r->arena, "%s; %s", o->refused->text, hint) : o->refused->text);
        return;
    }
    for (uint32_t i = 0; i < o->states.count; i++) state_row(rows, o, &o->states.items[i]);
}

static enum status outcomes_give(struct run *r, const struct upgrade_operator *all, uint32_t count)
{
    static const char *const names[UPGRADE_COLS] = {"operator", "uid", "state", "kind", "outcome", "details"};
    struct upgrade_rows rows = {0};
    uint32_t most = 0;

    for (uint32_t i = 0; i < count; i++) most += all[i].states.count + 1;
    rows.cells = ARENA_ARRAY(&r->arena, const char *, (size_t)UPGRADE_COLS * most + 1);
    for (uint32_t i = 0; i < count; i++) operator_rows(r, &rows, &all[i]);
    return run_give(r, UPGRADE_COLS, names, NULL, rows.cells, rows.count);
}

static enum status outcomes_find(struct run *r, const struct graph *g, struct snapshot_reader *reader)
{
    const struct upgrade_operator *all;
    struct restore_plan *plan;
    uint32_t count;

    TRY(restore_plan_create(reader, g, true, &plan, r->e));
    enum status st = restore_plan_read(plan, r->e);
    if (st == S_OK) st = restore_outcomes(plan, g, r->s->options.sys, &r->arena, &all, &count, r->e);
    if (st == S_OK) st = outcomes_give(r, all, count);
    restore_plan_free(plan);
    return st;
}

enum status run_explain_upgrade(struct run *r, struct rel *const *sinks, uint32_t count, const char *savepoint)
{
    struct snapshot_reader *reader;
    struct graph g;

    TRY(run_plan_graph(r, sinks, count, "explain", &g));
    TRY(snapshot_reader_open(r->s->options.sys, savepoint, &reader, r->e));
    return outcomes_find(r, &g, reader);
}
