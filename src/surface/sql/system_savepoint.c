/* system_savepoint.c - FROM savepoint_metadata('FOLDER'): the operators of a savepoint or checkpoint, in the columns that Flink's function
 * of that name has. The metadata alone are read, when the statement is bound. */
#include "control/snapshot/snapshot_read.h"
#include "surface/sql/session_internal.h"
#include "surface/sql/system_tables.h"

/* Flink counts the subtasks that have state of their own. */
static uint32_t subtasks_with_state(const struct snapshot_operator *o, uint64_t *bytes)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < o->parallelism; i++) {
        const struct snapshot_subtask *s = &o->subtasks[i];
        count += s->handle_count > 0;
        for (uint32_t h = 0; h < s->handle_count; h++) *bytes += s->handles[h].size;
    }
    return count;
}

static void operator_row(struct system_rows *rows, const struct snapshot_metadata *m, const struct snapshot_operator *o)
{
    const char **row = system_row_add(rows);
    uint64_t bytes = 0;
    uint32_t subtasks = subtasks_with_state(o, &bytes);

    row[0] = system_number(rows, m->checkpoint);
    row[1] = arena_strdup(rows->a, o->name);
    row[2] = o->uid != NULL ? arena_strdup(rows->a, o->uid) : NULL;
    row[3] = arena_strdup(rows->a, o->id);
    row[4] = system_number(rows, o->parallelism);
    row[5] = system_number(rows, o->max_parallelism);
    row[6] = system_number(rows, subtasks);
    row[7] = "0"; /* enumerators of sources keep their state with the subtasks */
    row[8] = system_number(rows, (int64_t)bytes);
}

static enum status savepoint_rows(struct system_rows *rows, const char *text, struct err *e)
{
    const struct sql_session *s = rows->arg;
    struct snapshot_reader *r;

    TRY(snapshot_reader_open(s->options.sys, text, &r, e));
    for (uint32_t i = 0; i < r->metadata.operator_count; i++)
        operator_row(rows, &r->metadata, &r->metadata.operators[i]);
    snapshot_reader_close(r);
    return S_OK;
}

static const struct system_column savepoint_columns[] = {
    {"checkpoint-id", "BIGINT NOT NULL", "the number of the checkpoint"},
    {"operator-name", "STRING", "the operator"},
    {"operator-uid", "STRING", "its uid, as the job has it; NULL: none was given"},
    {"operator-uid-hash", "STRING NOT NULL", "its id, from the uid or from its place in the job"},
    {"operator-parallelism", "INT NOT NULL", "how many subtasks it had"},
    {"operator-max-parallelism", "INT NOT NULL", "and at most could have"},
    {"operator-subtask-state-count", "INT NOT NULL", "how many of them have state"},
    {"operator-coordinator-state-size-in-bytes", "BIGINT NOT NULL", "0: there is no state beside that of subtasks"},
    {"operator-total-size-in-bytes", "BIGINT NOT NULL", "of all its state"},
    {0},
};
static const struct system_function savepoint_metadata = {
    {"sys", "savepoint_metadata", "operators of a savepoint or checkpoint", savepoint_columns, NULL}, savepoint_rows};

const struct system_function *const system_functions_of_rows[] = {&savepoint_metadata, NULL};
