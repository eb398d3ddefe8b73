/* metrics.c - what the functions of the latest job measured, as the program reads it. */
#include "surface/api/api_internal.h"

#include "flow/task/metrics.h"

#include <string.h>

_Static_assert((int)TW_COUNTER == METRIC_COUNTER && (int)TW_GAUGE == METRIC_GAUGE && (int)TW_METER == METRIC_METER &&
                   (int)TW_HISTOGRAM == METRIC_HISTOGRAM,
               "kinds are handed on as they are");

bool tw_job_metric(struct tw_env *env, uint32_t index, struct tw_metric_value *out)
{
    struct metrics *all = env->jobmaster != NULL ? jobmaster_metrics(env->jobmaster) : NULL;
    struct metric_view v;

    if (all == NULL || !metrics_view(all, index, &v)) return false;
    *out = (struct tw_metric_value){.operator_name = v.operator_name,
                                    .name = v.name,
                                    .subtask = v.subtask,
                                    .kind = (enum tw_metric_kind)v.kind,
                                    .count = v.count,
                                    .value = v.value,
                                    .values = v.values,
                                    .min = v.min,
                                    .max = v.max,
                                    .mean = v.mean,
                                    .stddev = v.stddev,
                                    .p50 = v.p50,
                                    .p75 = v.p75,
                                    .p95 = v.p95,
                                    .p98 = v.p98,
                                    .p99 = v.p99,
                                    .p999 = v.p999};
    return true;
}

bool tw_find_metric(struct tw_env *env, const char *operator_name, uint32_t subtask, const char *name,
                    struct tw_metric_value *out)
{
    struct tw_metric_value v;

    if (operator_name == NULL || name == NULL) return false;
    for (uint32_t i = 0; tw_job_metric(env, i, &v); i++) {
        if (v.subtask != subtask || strcmp(v.name, name) != 0 || strcmp(v.operator_name, operator_name) != 0) continue;
        *out = v;
        return true;
    }
    return false;
}
