/* user_count.c - accumulators: each function instance counts for itself, without locks; after every hook of its operator
 * the chain shows the job what changed, for those who look while the job runs; and what was counted is added to the job's
 * when the instance closes, however its task ended (as in Flink). A name is one kind of accumulator throughout. */
#include "flow/operator/user.h"

#include "flow/operator/user_internal.h"
#include "flow/task/job_shared.h"

static struct accumulator *counter(struct tw_context *cx, const char *name, enum accumulator_kind kind)
{
    struct instance_counts *uc = cx->counters;
    struct err e = {0};

    if (cx->op->plan == NULL) {
        user_misuse(cx, "accumulator '%s': an enumerator counts nothing", name ? name : "");
        return NULL;
    }
    if (uc == NULL) {
        uc = cx->counters = ARENA_NEW(&cx->arena, struct instance_counts);
        accumulators_init(&uc->set, cx->arena.mem);
        uc->next = cx->op->counts;
        cx->op->counts = uc;
    }
    if (name == NULL) name = "";
    uc->changed = true;
    struct accumulator *acc = accumulators_get(&uc->set, name, kind, &e);
    if (acc == NULL) user_misuse(cx, "%s", e.text);
    return acc;
}

void tw_counter_add(struct tw_context *cx, const char *name, int64_t n)
{
    struct accumulator *acc = counter(cx, name, ACC_COUNTER);

    if (acc) acc->count = (int64_t)((uint64_t)acc->count + (uint64_t)n);
}

void tw_double_add(struct tw_context *cx, const char *name, double x)
{
    struct accumulator *acc = counter(cx, name, ACC_DOUBLE);

    if (acc) acc->sum += x;
}

void tw_average_add(struct tw_context *cx, const char *name, double x)
{
    struct accumulator *acc = counter(cx, name, ACC_AVERAGE);

    if (acc == NULL) return;
    acc->sum += x;
    acc->count++;
}

void tw_histogram_add(struct tw_context *cx, const char *name, int32_t x)
{
    struct accumulator *acc = counter(cx, name, ACC_HISTOGRAM);

    if (acc && accumulator_histogram_add(&cx->counters->set, acc, x, 1) != S_OK)
        user_misuse(cx, "histogram '%s' has more than %d different values", name, HISTOGRAM_MAX);
}

void tw_min_add(struct tw_context *cx, const char *name, int64_t x)
{
    struct accumulator *acc = counter(cx, name, ACC_LEAST);

    if (acc) accumulator_long_see(acc, x);
}

void tw_max_add(struct tw_context *cx, const char *name, int64_t x)
{
    struct accumulator *acc = counter(cx, name, ACC_GREATEST);

    if (acc) accumulator_long_see(acc, x);
}

void tw_double_min_add(struct tw_context *cx, const char *name, double x)
{
    struct accumulator *acc = counter(cx, name, ACC_LEAST_DOUBLE);

    if (acc) accumulator_double_see(acc, x);
}

void tw_double_max_add(struct tw_context *cx, const char *name, double x)
{
    struct accumulator *acc = counter(cx, name, ACC_GREATEST_DOUBLE);

    if (acc) accumulator_double_see(acc, x);
}

/* However the task ends: as in Flink, a job that failed or was canceled has accumulators too. */
void user_counters_close(struct tw_context *cx)
{
    struct instance_counts **at = &cx->op->counts;
    struct err e = {0};

    if (cx->counters == NULL) return;
    while (*at != cx->counters) at = &(*at)->next;
    *at = cx->counters->next;
    if (cx->op->job != NULL && job_counts_end(cx->op->job, cx->counters, !cx->is_uncounted, &e) != S_OK)
        log_write(cx->op->log, LOG_WARN, "operator", "accumulators of '%s' are lost: %s", cx->op->name, e.text);
    accumulators_release(&cx->counters->set);
    cx->counters = NULL;
}
