/* metrics.h - named measures of a job: counters, gauges, meters, histograms, each of one operator's subtask. Registered once,
 * changed without a lock, read by any at any time (a moment old, and a histogram may miss the latest values).
 *
 * A registry belongs to its job and outlives its tasks, so that what they measured can be read when the job is over. */
#pragma once
#include "ground/base/err.h"
#include "ground/base/mem.h"
#include "ground/base/option.h"
#include "ground/sys/sys.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_METER, METRIC_HISTOGRAM };
enum {
    METRICS_MAX = 65536,        /* of a registry */
    METRICS_SUBTASK_MAX = 1024, /* of one subtask of one operator, those of splits not counted */
    METRIC_NAME_MAX = 512,      /* groups and name together */
    METRIC_WINDOW = 1024,       /* a histogram describes its latest values */
    METRIC_SAMPLES = 13,        /* a meter: one every 5 s over the last minute */
    METRIC_SAMPLE_MS = 5000,
};

struct metric;
struct metrics;
struct metrics *metrics_create(struct sys *sys);
void metrics_free(struct metrics *m); /* NULL is a no-op */

/* Whose measures: a subtask of an operator. Names are for people and may repeat, uids do not. Variables say more of it, by
 * Flink's names in angle brackets: task_variables are those of its task, user_variables what the program gave its operator,
 * group_variables the keys and values of groups of metrics. Of equal keys the last counts. NULL = none. */
struct metric_owner {
    const char *operator_name, *uid;
    uint32_t subtask;
    const struct options *task_variables, *user_variables, *group_variables;
};
/* The measure of that name, made when it is new; `name` is groups and name joined by dots. NULL with the reason in e:
 * another kind has the name, or there are too many. */
struct metric *metrics_get(struct metrics *m, const struct metric_owner *owner, const char *name, enum metric_kind kind,
                           struct err *e);
/* A stopwatch, seen as two gauges: of that name for how many ms of each second it ran lately, and `total_name` for how many it
 * ran in all. NULL with the reason in e, also when one of the names is taken. For splits: not counted as the subtask's. */
struct metric *metrics_timer(struct metrics *m, const struct metric_owner *owner, const char *name,
                             const char *total_name, struct err *e);
/* A gauge of a split. */
struct metric *metrics_split_gauge(struct metrics *m, const struct metric_owner *owner, const char *name, struct err *e);
void metrics_remove(struct metrics *m, struct metric *x); /* a timer with its total; NULL is a no-op. Handles end here */
/* Takes the samples of all meters and timers when they are due; called now and then while the job runs. */
void metrics_sample(struct metrics *m);
void metrics_stop(struct metrics *m); /* the job is over: rates stay as they are */

enum metric_kind metric_kind(const struct metric *x);
void metric_add(struct metric *x, int64_t n);        /* counters; meters: n things happened */
void metric_set(struct metric *x, double value);     /* gauges */
void metric_update(struct metric *x, int64_t value); /* histograms */
void metric_start(struct metric *x, int64_t now_ns);  /* timers that stand still; sys_mono_ns */
void metric_stop(struct metric *x, int64_t now_ns);   /* timers that run */

/* A measure as it stands. */
struct metric_view {
    const char *operator_name; /* belongs to the registry, as the variables do */
    char name[METRIC_NAME_MAX + 1];
    uint32_t subtask;
    const struct option *variables; /* Flink's, then the operator's, then those of groups */
    uint32_t variable_count;
    enum metric_kind kind;
    int64_t count;   /* counter, meter: the sum; histogram: how many there were */
    double value;    /* gauge; meter: per second over the last minute at most; counter: the sum */
    uint32_t values; /* histogram: so many, the latest, are described by: */
    int64_t min, max;
    double mean, stddev;
    double p50, p75, p95, p98, p99, p999;
};
uint32_t metrics_count(struct metrics *m);
/* The index-th by operator, subtask and name. False behind the last. */
bool metrics_view(struct metrics *m, uint32_t index, struct metric_view *out);
/* The one of that name; of operators of equal names the first by uid. */
bool metrics_find(struct metrics *m, const char *operator_name, uint32_t subtask, const char *name,
                  struct metric_view *out);
