/* job_two_phase.c - a sink of the user in two phases: whatever the schedule, each row is in one committed transaction, some
 * after being tried again later, and none before every subtask has prepared. */
#include "sim/sim_rows.h"

#include <thalweg/sink.h>

struct two_phase_transaction {
    int64_t rows, sum;
};
TW_ROW(two_phase_transaction, TW_FIELD(two_phase_transaction, rows, "BIGINT NOT NULL"),
       TW_FIELD(two_phase_transaction, sum, "BIGINT NOT NULL"));

enum { TRANSACTION_ROWS = 8, TRANSACTIONS_MAX = SIM_EVENTS / TRANSACTION_ROWS + 1 };

struct two_phase_writer {
    struct two_phase_transaction of[TRANSACTIONS_MAX];
    uint32_t count;
};

static enum tw_status write_row(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    struct two_phase_writer *w = tw_self(cx);

    (void)kind;
    if (w->count == 0 || w->of[w->count - 1].rows == TRANSACTION_ROWS) w->count++;
    w->of[w->count - 1].rows++;
    w->of[w->count - 1].sum += ((const struct sim_event *)in)->number;
    return TW_OK;
}

static enum tw_status prepare(struct tw_context *cx)
{
    struct two_phase_writer *w = tw_self(cx);

    for (uint32_t i = 0; i < w->count; i++) tw_committable(cx, &w->of[i]);
    return TW_OK;
}

static enum tw_status commit(struct tw_context *cx, void *committable, struct tw_commit *c)
{
    const struct two_phase_transaction *t = committable;

    c->answer = t->sum % 3 > c->retries ? TW_RETRY_LATER : t->sum % 5 == 0 ? TW_COMMITTED_BEFORE : TW_COMMITTED;
    c->retry_after_ms = t->sum % 4;
    if (c->answer == TW_RETRY_LATER) return TW_OK;
    tw_counter_add(cx, "rows", t->rows);
    tw_counter_add(cx, "sum", t->sum);
    return TW_OK;
}

static void give_up(struct tw_context *cx, const void *committable)
{
    (void)committable;
    tw_counter_add(cx, "aborted", 1);
}
TW_FUNCTION(two_phase_sink) = {.in = &sim_event_row,
                               .committable = &two_phase_transaction_row,
                               .self_size = sizeof(struct two_phase_writer),
                               .sink = write_row,
                               .prepare_commit = prepare,
                               .commit = commit,
                               .abort_commit = give_up};

static int run(struct tw_env *env)
{
    struct tw_stream *s = sim_events(env);
    int64_t rows = 0, sum = 0, aborted = 0, expected = 0;

    for (int64_t i = 0; i < SIM_EVENTS; i++) expected += i * 17 % 101;
    tw_sink_function(tw_rebalance(s), "ledger", &two_phase_sink);
    tw_print(s);
    int failed = tw_execute(env, "two phases");
    tw_accumulator_long(env, "rows", &rows);
    tw_accumulator_long(env, "sum", &sum);
    return failed || rows != SIM_EVENTS || sum != expected || tw_accumulator_long(env, "aborted", &aborted);
}

const struct sim_job job_two_phase = {.name = "two_phase",
                                      .doc = "a sink in two phases: commits, some tried again later",
                                      .compare = SIM_ANY_ORDER,
                                      .run = run};
