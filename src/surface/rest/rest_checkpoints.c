/* rest_checkpoints.c - endpoints of a job's checkpoints: how many there were, the latest of each kind, each of the last ones, and how they
 * are configured. Parts of a checkpoint per vertex are not kept; `tasks` is empty, as it is in Flink's list. */
#include "surface/rest/rest_internal.h"

#include "control/config.h"
#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

enum { NOT_FOUND = 404, BAD_REQUEST = 400, LATEST_COUNT = 3, LATEST_COMPLETED = 0, LATEST_SAVEPOINT, LATEST_FAILED };

static uint32_t history(struct rest_call *c, struct checkpoint_stats out[static CHECKPOINT_HISTORY])
{
    uint32_t n = 0;

    while (c->jm != NULL && n < CHECKPOINT_HISTORY && jobmaster_checkpoint(c->jm, n, &out[n])) n++;
    return n;
}

/* --- one ----------------------------------------------------------------------------------------------------------- */
static const char *dir_of(const struct rest_call *c)
{
    const char *dir = options_get(&c->graph->settings, config_defs, "execution.checkpointing.dir");

    if (dir == NULL) dir = options_get(&c->graph->settings, config_defs, "state.checkpoints.dir");
    return dir != NULL ? dir : "";
}

static void write_common(struct rest_call *c, const struct checkpoint_stats *s)
{
    static const char *const classes[] = {
        [CHECKPOINT_IN_PROGRESS] = "in_progress", [CHECKPOINT_COMPLETED] = "completed", [CHECKPOINT_FAILED] = "failed"};
    struct json_write *w = &c->out;
    bool is_savepoint = s->kind != SNAPSHOT_CHECKPOINT;

    json_text(w, "className", classes[s->state]);
    json_int(w, "id", s->id);
    json_text(w, "status", checkpoint_state_name(s->state));
    json_bool(w, "is_savepoint", is_savepoint);
    json_text(w, "savepointFormat", is_savepoint ? "CANONICAL" : NULL);
    json_int(w, "trigger_timestamp", s->triggered_ms);
    json_int(w, "latest_ack_timestamp", s->ended_ms > 0 ? s->ended_ms : -1);
    json_int(w, "checkpointed_size", (int64_t)s->size);
    json_int(w, "state_size", (int64_t)s->size);
    json_int(w, "end_to_end_duration", (s->ended_ms > 0 ? s->ended_ms : job_now_ms(c)) - s->triggered_ms);
    json_int(w, "alignment_buffered", 0);
    json_int(w, "processed_data", 0);
    json_int(w, "persisted_data", 0);
    json_int(w, "num_subtasks", s->tasks);
    json_int(w, "num_acknowledged_subtasks", s->acknowledged);
    json_text(w, "checkpoint_type", is_savepoint ? "SAVEPOINT" : "CHECKPOINT");
    json_object(w, "tasks");
    json_object_end(w);
}

static void write_checkpoint(struct rest_call *c, const char *key, const struct checkpoint_stats *s, bool is_latest)
{
    struct json_write *w = &c->out;

    json_object(w, key);
    write_common(c, s);
    if (s->state == CHECKPOINT_COMPLETED) {
        json_text(w, "external_path",
                  s->kind == SNAPSHOT_CHECKPOINT
                      ? arena_printf(&c->arena, "%s/%s/chk-%lld", dir_of(c), dispatched_id(c->job), (long long)s->id)
                      : "");
        json_bool(w, "discarded", s->kind == SNAPSHOT_CHECKPOINT && !is_latest);
    } else if (s->state == CHECKPOINT_FAILED) {
        json_int(w, "failure_timestamp", s->ended_ms);
        json_text(w, "failure_message", checkpoint_reason_text(s->reason));
    }
    json_object_end(w);
}

/* --- all ----------------------------------------------------------------------------------------------------------- */
static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Percentiles as Commons Math has them, which Flink uses: between two neighbours in proportion. */
static double percentile(const int64_t *sorted, uint32_t n, double p)
{
    double at = p * (n + 1) / 100, below = (double)(int64_t)at;

    if (n == 0) return 0;
    if (at < 1) return (double)sorted[0];
    if (at >= n) return (double)sorted[n - 1];
    double low = (double)sorted[(int64_t)below - 1], high = (double)sorted[(int64_t)below];
    return low + (at - below) * (high - low);
}

static void write_summary(struct rest_call *c, const char *key, int64_t *values, uint32_t n)
{
    struct json_write *w = &c->out;
    int64_t sum = 0;

    qsort(values, n, sizeof *values, compare_numbers);
    for (uint32_t i = 0; i < n; i++) sum += values[i];
    json_object(w, key);
    json_int(w, "min", n > 0 ? values[0] : 0);
    json_int(w, "max", n > 0 ? values[n - 1] : 0);
    json_int(w, "avg", n > 0 ? sum / n : 0);
    json_double(w, "p50", percentile(values, n, 50));
    json_double(w, "p90", percentile(values, n, 90));
    json_double(w, "p95", percentile(values, n, 95));
    json_double(w, "p99", percentile(values, n, 99));
    json_double(w, "p999", percentile(values, n, 99.9));
    json_object_end(w);
}

static void write_summaries(struct rest_call *c, const struct checkpoint_stats *all, uint32_t n)
{
    static const char *const zeros[] = {"alignment_buffered", "processed_data", "persisted_data"};
    int64_t sizes[CHECKPOINT_HISTORY], durations[CHECKPOINT_HISTORY], none[CHECKPOINT_HISTORY] = {0};
    uint32_t completed = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (all[i].state != CHECKPOINT_COMPLETED) continue;
        sizes[completed] = (int64_t)all[i].size;
        durations[completed++] = all[i].ended_ms - all[i].triggered_ms;
    }
    json_object(&c->out, "summary");
    write_summary(c, "checkpointed_size", sizes, completed);
    write_summary(c, "state_size", sizes, completed);
    write_summary(c, "end_to_end_duration", durations, completed);
    for (size_t i = 0; i < COUNT_OF(zeros); i++) write_summary(c, zeros[i], none, completed);
    json_object_end(&c->out);
}

static void write_counts(struct rest_call *c, const struct checkpoint_stats *all, uint32_t n)
{
    int64_t counts[CHECKPOINT_FAILED + 1] = {0};

    for (uint32_t i = 0; i < n; i++) counts[all[i].state]++;
    json_object(&c->out, "counts");
    json_int(&c->out, "restored", 0);
    json_int(&c->out, "total", n);
    json_int(&c->out, "in_progress", counts[CHECKPOINT_IN_PROGRESS]);
    json_int(&c->out, "completed", counts[CHECKPOINT_COMPLETED]);
    json_int(&c->out, "failed", counts[CHECKPOINT_FAILED]);
    json_object_end(&c->out);
}

/* Index of the newest of a kind; n: there is none. */
static uint32_t newest(const struct checkpoint_stats *all, uint32_t n, int kind)
{
    for (uint32_t i = 0; i < n; i++) {
        bool is_savepoint = all[i].kind != SNAPSHOT_CHECKPOINT, is_completed = all[i].state == CHECKPOINT_COMPLETED;
        if (kind == LATEST_FAILED ? all[i].state == CHECKPOINT_FAILED
                                  : is_completed && is_savepoint == (kind == LATEST_SAVEPOINT))
            return i;
    }
    return n;
}

static void write_latest(struct rest_call *c, const struct checkpoint_stats *all, uint32_t n)
{
    static const char *const names[LATEST_COUNT] = {"completed", "savepoint", "failed"};

    json_object(&c->out, "latest");
    for (int k = 0; k < LATEST_COUNT; k++) {
        uint32_t i = newest(all, n, k);
        if (i < n)
            write_checkpoint(c, names[k], &all[i], true);
        else
            json_null(&c->out, names[k]);
    }
    json_null(&c->out, "restored");
    json_object_end(&c->out);
}

static bool takes_checkpoints(struct rest_call *c)
{
    bool has_interval = c->graph != NULL &&
                        options_get(&c->graph->settings, config_defs, "execution.checkpointing.interval") != NULL;

    if (!has_interval) rest_fail(c, NOT_FOUND, "Checkpointing has not been enabled.");
    return has_interval;
}

static void answer_checkpoints(struct rest_call *c)
{
    struct checkpoint_stats all[CHECKPOINT_HISTORY];
    uint32_t n = history(c, all), latest;

    if (!takes_checkpoints(c)) return;
    latest = newest(all, n, LATEST_COMPLETED);
    json_object(&c->out, NULL);
    write_counts(c, all, n);
    write_summaries(c, all, n);
    write_latest(c, all, n);
    json_array(&c->out, "history");
    for (uint32_t i = 0; i < n; i++) write_checkpoint(c, NULL, &all[i], i == latest);
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_details(struct rest_call *c)
{
    struct checkpoint_stats all[CHECKPOINT_HISTORY];
    uint32_t n = history(c, all), i = 0;
    int64_t id;

    if (!takes_checkpoints(c)) return;
    if (!str_to_int64(str_of(c->parameters[1]), &id)) {
        rest_fail(c, BAD_REQUEST,
                  "Bad request, could not parse parameters: Cannot resolve path parameter (checkpointid) from value "
                  "\"%.100s\".",
                  c->parameters[1]);
        return;
    }
    while (i < n && all[i].id != id) i++;
    if (i < n)
        write_checkpoint(c, NULL, &all[i], i == newest(all, n, LATEST_COMPLETED));
    else
        rest_fail(c, NOT_FOUND, "Could not find checkpointing statistics for checkpoint %lld.", (long long)id);
}

/* --- configuration ------------------------------------------------------------------------------------------------- */
static void answer_config(struct rest_call *c)
{
    if (!takes_checkpoints(c)) return;
    const struct options *o = &c->graph->settings;
    struct json_write *w = &c->out;
    const char *retention = options_get(o, config_defs, "execution.checkpointing.externalized-checkpoint-retention");
    const char *backend = options_get(o, config_defs, "state.backend.type");

    json_object(w, NULL);
    json_text(w, "mode", "exactly_once");
    json_int(w, "interval", options_int(o, config_defs, "execution.checkpointing.interval"));
    json_int(w, "timeout", options_int(o, config_defs, "execution.checkpointing.timeout"));
    json_int(w, "min_pause", options_int(o, config_defs, "execution.checkpointing.min-pause"));
    json_int(w, "max_concurrent", options_int(o, config_defs, "execution.checkpointing.max-concurrent-checkpoints"));
    json_object(w, "externalization");
    json_bool(w, "enabled", retention != NULL && strcmp(retention, "NO_EXTERNALIZED_CHECKPOINTS") != 0);
    json_bool(w, "delete_on_cancellation", retention == NULL || strcmp(retention, "RETAIN_ON_CANCELLATION") != 0);
    json_object_end(w);
    json_text(w, "state_backend",
              backend != NULL && strcmp(backend, "rocksdb") == 0 ? "EmbeddedRocksDBStateBackend"
                                                                 : "HashMapStateBackend");
    json_text(w, "checkpoint_storage", "FileSystemCheckpointStorage");
    json_bool(w, "unaligned_checkpoints", options_bool(o, config_defs, "execution.checkpointing.unaligned.enabled"));
    json_int(w, "tolerable_failed_checkpoints",
             options_int(o, config_defs, "execution.checkpointing.tolerable-failed-checkpoints"));
    json_int(w, "aligned_checkpoint_timeout",
             options_int(o, config_defs, "execution.checkpointing.aligned-checkpoint-timeout"));
    json_bool(w, "checkpoints_after_tasks_finish", true);
    json_bool(w, "state_changelog_enabled", false);
    json_int(w, "changelog_periodic_materialization_interval", 600000);
    json_text(w, "changelog_storage", "memory");
    json_object_end(w);
}

const struct rest_endpoint rest_checkpoints[] = {
    {"GET", "/jobs/:jobid/checkpoints", answer_checkpoints, false, true},
    {"GET", "/jobs/:jobid/checkpoints/config", answer_config, false, true},
    {"GET", "/jobs/:jobid/checkpoints/details/:checkpointid", answer_details, false, true},
    {NULL, NULL, NULL, false, false},
};
