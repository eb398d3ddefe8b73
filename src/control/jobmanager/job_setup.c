/* job_setup.c - from keys of the configuration to what the task manager and the tasks of a job are told. Runs on a prepared graph's
 * settings; looks at no clock and starts nothing. */
#include "control/jobmanager/job_setup.h"

#include "control/cached_files.h"
#include "control/config.h"
#include "control/jobmanager/state_folder.h"
#include "control/memory.h"
#include "flow/state/state.h"
#include "flow/task/job_shared.h"

/* Without a word, rows leave as soon as their task has nothing to do, which no interval of Flink's says. */
static void buffer_timeout_of(const struct options *o, struct taskmanager_settings *out)
{
    bool is_enabled = options_bool(o, config_defs, "execution.buffer-timeout.enabled");

    out->has_buffer_timeout = !is_enabled || options_get(o, config_defs, "execution.buffer-timeout.interval") != NULL;
    if (!is_enabled) out->buffer_timeout_ms = WRITER_FULL_ONLY;
    else if (out->has_buffer_timeout) out->buffer_timeout_ms = options_int(o, config_defs, "execution.buffer-timeout.interval");
}

/* Barriers that overtake keep what they pass, which those that only count do not: as in Flink, at least once comes first. */
static void barriers_of(const struct options *o, struct taskmanager_settings *out)
{
    out->counts_barriers = options_enum(o, config_defs, "execution.checkpointing.mode") == 1;
    out->is_unaligned = config_is_unaligned(o) && !out->counts_barriers;
    out->aligned_timeout_ms = options_int(o, config_defs, "execution.checkpointing.aligned-checkpoint-timeout");
}

enum status job_setup_settings(const struct graph *g, struct taskmanager_settings *out, struct err *e)
{
    const struct options *o = &g->settings;

    TRY(config_check(o, e));
    *out = (struct taskmanager_settings){
        .slots = (uint32_t)options_int(o, config_defs, "taskmanager.numberOfTaskSlots"),
        .workers = (uint32_t)options_int(o, config_defs, "thalweg.exec.workers"),
        .batch_rows = (uint32_t)options_int(o, config_defs, "thalweg.exec.batch-rows"),
        .ring_batches = (uint32_t)options_int(o, config_defs, "thalweg.exec.ring-batches"),
        .seed = (uint64_t)options_int(o, config_defs, "thalweg.exec.seed"),
        .backend = sb_find(config_backend(o)),
        .packs = options_enum(o, config_defs, "taskmanager.network.compression.codec") == 1,
        .state_bytes_max = (size_t)options_int(o, config_defs, STATE_MEMORY_KEY),
    };
    if (options_bool(o, config_defs, "taskmanager.network.adaptive-partitioner.enabled"))
        out->traverse_max = (uint32_t)options_int(o, config_defs, "taskmanager.network.adaptive-partitioner.max-traverse-size");
    buffer_timeout_of(o, out);
    barriers_of(o, out);
    return S_OK;
}

void job_setup_disk(struct sys *sys, const struct graph *g, const char *job_id, struct taskmanager_settings *s)
{
    const char *dir = options_get(&g->settings, config_defs, "state.backend.rocksdb.localdir");

    if (!state_is_on_disk(s->backend)) {
        struct memory_split split;
        memory_split_of(&g->settings, memory_of_process(&g->settings, sys), 1, &split);
        s->state_budget = (uint64_t)split.state;
        return;
    }
    graph_disk_share(g, memory_of_process(&g->settings, sys), &s->disk);
    s->disk.kv.path = state_folder_name(dir, job_id, sys, g->arena);
    state_folder_clear(s->disk.kv.path, sys, g->arena->mem);
}

enum status job_setup_shared(struct sys *sys, const struct graph *g, int64_t job_number, const char *job_id,
                             struct job_shared **out, struct err *e)
{
    const struct options *o = &g->settings;
    struct job_settings settings = {
        .commit_retries = options_int(o, config_defs, "sink.committer.retries"),
        .allow_unaligned_splits =
            options_bool(o, config_defs, "pipeline.watermark-alignment.allow-unaligned-source-splits")};
    const char *cached_files = options_get(o, config_defs, "pipeline.cached-files");

    settings.job_number = job_number;
    settings.job_id = job_id;
    settings.host = options_get(o, config_defs, "taskmanager.host");
    settings.resource_id = options_get(o, config_defs, "taskmanager.resource-id");
    TRY(cached_files_parse(g->arena, cached_files, &settings.cached_files, e));
    TRY(cached_files_check(&settings.cached_files, sys, e));
    *out = job_shared_create(sys, g->job_name, &g->parameters);
    job_shared_configure(*out, &settings);
    return S_OK;
}
