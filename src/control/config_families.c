/* config_families.c - keys of Flink that this version knows by name only. A key without which the job runs the same here
 * (how a cluster is reached, where it keeps its leader) is accepted and warned of once per job; one that asks for something
 * the job would lack is refused: it would look as if it had been done. */
#include "control/config.h"

#include "ground/base/str.h"

#include <string.h>

const struct config_family config_families[] = {
    {"execution.checkpointing.file-merging.", true, "every part of the state is a file, or in the metadata, in this version"},
    {"execution.checkpointing.local-backup.", false, "state is read from the checkpoint's folder"},
    {"execution.checkpointing.region.", true, "all tasks take part in a checkpoint in this version"},
    {"execution.checkpointing.interval-during-backlog", false, "checkpoints are taken at the same interval all the time"},
    {"execution.checkpointing.unaligned.forced", false, "edges whose rows cannot be dealt out anew stay aligned"},
    {"execution.checkpointing.unaligned.max-subtasks", false, "every subtask writes its own in-flight data"},
    {"execution.checkpointing.unaligned.interruptible", false, "a barrier waits for the timers that fire"},
    {"execution.checkpointing.unaligned.recover", false, "in-flight data always come back at the receiver"},
    {"execution.checkpointing.unaligned.during", false, "no barrier overtakes before in-flight data are read"},
    {"execution.state-recovery.from-local", false, "state is read from the checkpoint's folder"},
    {"client.", false, "it says how a cluster is asked"},
    {"cluster.", false, "it is of the processes of a cluster"},
    {"env.", false, "it is of the processes of a cluster"},
    {"heartbeat.", false, "it is of the processes of a cluster"},
    {"high-availability.", false, "an embedded run has one job master"},
    {"io.tmp.dirs", false, "it is of the processes of a cluster"},
    {"jobstore.", false, "it is of the processes of a cluster"},
    {"slot.", false, "it is of the processes of a cluster"},
    {"thalweg.security.", false, "it is of the processes of a cluster"},
    {"web.", false, "it is of the processes of a cluster"},
    {"jobmanager.adaptive-scheduler.", false, "a job is rescaled as soon as somebody asks for it"},
    {"scheduler-mode", true, "TaskManagers that come do not rescale jobs in this version; `thalweg rescale` does"},
    {"jobmanager.", false, "an embedded run has its job master in the process"},
    {"kubernetes.", false, "an embedded run is one process"},
    {"rest.", false, "an embedded run has no REST server"},
    {"sql-gateway.", false, "statements run in this process"},
    {"state.backend.rocksdb.timer-service.", false, "timers are kept in memory, whatever the backend"},
    {"state.backend.rocksdb.predefined-options", false, "this backend has settings of its own"},
    {"state.backend.rocksdb.writebuffer.", false, "buffers share state.backend.rocksdb.memory, by its write-buffer-ratio"},
    {"state.backend.rocksdb.block.cache-size", false, "blocks share state.backend.rocksdb.memory"},
    {"state.backend.rocksdb.block.metadata-blocksize", false, "this backend has settings of its own"},
    {"state.backend.rocksdb.compaction.", false, "this backend has settings of its own"},
    {"state.backend.rocksdb.compression.", false, "files are compressed with LZ4"},
    {"state.backend.rocksdb.bloom-filter.", false, "filters have 10 bits per key"},
    {"state.backend.rocksdb.files.open", false, "all files stay open"},
    {"state.backend.rocksdb.log.", false, "RocksDB writes no log worth reading here"},
    {"state.backend.rocksdb.memory.high-prio-pool-ratio", false, "indexes and filters lie in the cache like any block"},
    {"state.backend.rocksdb.memory.partitioned-index-filters", false, "indexes and filters lie in the cache like any block"},
    {"state.backend.rocksdb.checkpoint.", false, "checkpoints hold rows, not files of RocksDB"},
    {"state.backend.rocksdb.rescaling.", false, "state is read by rows when the parallelism is another"},
    {"state.backend.rocksdb.use-ingest-db-restore-mode", false, "state is read by rows"},
    {"state.backend.rocksdb.incremental-restore-async-compact-after-rescale", false, "state is read by rows"},
    {"state.backend.rocksdb.manual-compaction.", false, "RocksDB compacts by itself"},
    {"state.backend.rocksdb.write-batch-size", false, "there is one write per batch of rows"},
    {"state.backend.rocksdb.metrics.", false, "RocksDB's own metrics are not shown"},
    {"state.backend.rocksdb.options-factory", true, "a factory is a class of Java"},
    {"state.backend.forst.", true, "there is no ForSt here; the backend for large state is 'rocksdb'"},
    {"table.", false, "streams do not read it"},
    {"yarn.", false, "an embedded run is one process"},
    {NULL, false, NULL},
};

static const struct config_family *family_of(const char *key)
{
    for (const struct config_family *f = config_families; f->prefix != NULL; f++)
        if (strncmp(key, f->prefix, strlen(f->prefix)) == 0) return f;
    return NULL;
}

bool config_is_ignored(const char *key)
{
    const struct config_family *f = family_of(key);

    return f != NULL && !f->is_refused;
}

const char *config_ignored_why(const char *key) { return config_is_ignored(key) ? family_of(key)->what : NULL; }

enum status config_check_families(const struct options *o, struct err *e)
{
    for (uint32_t i = 0; i < o->count; i++) {
        const struct config_family *f = family_of(o->items[i].key);
        if (f == NULL || !f->is_refused) continue;
        err_set(e, E_CONFIG, "configuration '%s' is not available: %s", o->items[i].key, f->what);
        err_hint(e, "leave it out; the job would run without it");
        return E_CONFIG;
    }
    return S_OK;
}

static bool is_repeated(const struct options *o, uint32_t item)
{
    for (uint32_t i = 0; i < item; i++)
        if (strcmp(o->items[i].key, o->items[item].key) == 0) return true;
    return false;
}

void config_warn_ignored(const struct options *o, struct log *log)
{
    for (uint32_t i = 0; i < o->count; i++) {
        const char *key = o->items[i].key;
        if (config_is_ignored(key) && !is_repeated(o, i))
            log_write(log, LOG_WARN, "config", "configuration '%s' has no effect: %s", key, family_of(key)->what);
    }
}
