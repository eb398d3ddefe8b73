/* config.c - the table of configuration keys, and the list of what was given. Names, defaults and value texts are Flink's;
 * keys of our own begin with "thalweg.". A key stands here when something reads it, or when it may be given because what it asks for
 * is always so. */
#include "control/config.h"

#include "control/logging.h"
#include "flow/state/state.h"
#include "ground/base/str.h"

#include <string.h>

const struct option_def config_defs[] = {
    {"parallelism.default", OPT_INT, "1", NULL, "parallelism of operators that do not say otherwise", false, false, NULL, NULL},
    {"pipeline.max-parallelism", OPT_INT, "0", NULL,
     "number of key groups; 0 or -1 = derived from the parallelism, at least 128", false, false, NULL, NULL},
    {"pipeline.name", OPT_STRING, NULL, NULL, "name of the job, instead of the one the program gives", false, false, NULL, NULL},
    {"pipeline.auto-watermark-interval", OPT_DURATION_MS, "200 ms", NULL, "how often periodic watermarks are emitted",
     false, false, NULL, NULL},
    {"pipeline.operator-chaining.enabled", OPT_BOOL, "true", NULL, "whether operators may run together in one task",
     false, false, NULL, NULL},
    {"pipeline.cached-files", OPT_STRING, NULL, NULL,
     "files that functions find by name: name:NAME,path:PATH, with ';' between files", false, false, NULL, NULL},
    {"pipeline.watermark-alignment.allow-unaligned-source-splits", OPT_BOOL, "false", NULL,
     "sources whose splits cannot pause one by one may be aligned as a whole; they are refused otherwise", false, false, NULL, NULL},
    {"execution.runtime-mode", OPT_ENUM, "STREAMING", "STREAMING", "how the job runs", false, false, NULL, NULL},
    {"pipeline.object-reuse", OPT_BOOL, "false", NULL,
     "accepted; rows are handed on as columns and never copied between chained operators", false, false, NULL, NULL},
    {"execution.checkpointing.interval", OPT_DURATION_MS, NULL, NULL,
     "how often a checkpoint is taken; not given, or 0: never", false, false, NULL, NULL},
    {"execution.checkpointing.dir", OPT_STRING, NULL, NULL, "folder under which checkpoints of jobs lie, as path or URI", false, false, NULL, NULL},
    {"state.checkpoints.dir", OPT_STRING, NULL, NULL, "older name of execution.checkpointing.dir", false, false, NULL, NULL},
    {"execution.checkpointing.savepoint-dir", OPT_STRING, NULL, NULL, "folder for savepoints that are taken without naming one", false,
     false, NULL, NULL},
    {"state.savepoints.dir", OPT_STRING, NULL, NULL, "older name of execution.checkpointing.savepoint-dir", false, false, NULL, NULL},
    {"execution.checkpointing.storage", OPT_ENUM, "filesystem", "filesystem", "where checkpoints lie", false, false, NULL, NULL},
    {"execution.checkpointing.create-subdir", OPT_BOOL, "true", NULL,
     "accepted; a job's checkpoints always lie in a folder of their own below the one given", false, false, NULL, NULL},
    {"execution.checkpointing.mode", OPT_ENUM, "EXACTLY_ONCE", "EXACTLY_ONCE|AT_LEAST_ONCE",
     "what a restart promises; AT_LEAST_ONCE: barriers hold nothing, so rows may be counted twice after a restart", false, false, NULL, NULL},
    {"execution.checkpointing.timeout", OPT_DURATION_MS, "10 min", NULL, "a checkpoint that takes longer is given up", false, false, NULL, NULL},
    {"execution.checkpointing.min-pause", OPT_DURATION_MS, "0 ms", NULL, "least time between the end of one and the next", false,
     false, NULL, NULL},
    {"execution.checkpointing.max-concurrent-checkpoints", OPT_INT, "1", NULL, "checkpoints under way at the same time, at most", false,
     false, NULL, NULL},
    {"execution.checkpointing.tolerable-failed-checkpoints", OPT_INT, "0", NULL,
     "checkpoints in a row that may fail before the job does", false, false, NULL, NULL},
    {"execution.checkpointing.num-retained", OPT_INT, "1", NULL, "completed checkpoints that are kept", false, false, NULL, NULL},
    {"state.checkpoints.num-retained", OPT_INT, NULL, NULL, "older name of execution.checkpointing.num-retained", false, false, NULL, NULL},
    {"execution.checkpointing.externalized-checkpoint-retention", OPT_ENUM, NULL,
     "NO_EXTERNALIZED_CHECKPOINTS|DELETE_ON_CANCELLATION|RETAIN_ON_CANCELLATION",
     "what becomes of checkpoints when the job ends: a finished job's always go; a canceled one's stay with RETAIN_ON_CANCELLATION; a "
     "failed one's go with NO_EXTERNALIZED_CHECKPOINTS. Not given: DELETE_ON_CANCELLATION",
     false, false, NULL, NULL},
    {"execution.checkpointing.checkpoints-after-tasks-finish.enabled", OPT_BOOL, "true", NULL,
     "accepted; checkpoints go on when some tasks have finished", false, false, NULL, NULL},
    {"execution.checkpointing.data-inline-threshold", OPT_SIZE, "20kb", NULL,
     "parts of the state up to that size lie in the metadata, not in files of their own", false, false, NULL, NULL},
    {"execution.checkpointing.snapshot-compression", OPT_BOOL, "false", NULL, "accepted; state is always compressed", false, false, NULL, NULL},
    {"execution.checkpointing.incremental", OPT_BOOL, "false", NULL,
     "checkpoints write what has changed since the one before, and by turns all of a sixteenth; savepoints hold all", false, false, NULL, NULL},
    {"state.backend.incremental", OPT_BOOL, NULL, NULL, "older name of execution.checkpointing.incremental", false, false, NULL, NULL},
    {"thalweg.checkpoint.incremental-from", OPT_SIZE, "1mb", NULL,
     "with execution.checkpointing.incremental: a subtask's operator with less state than that writes all of it", false, false, NULL, NULL},
    {"execution.checkpointing.write-buffer-size", OPT_INT, "4096", NULL, "accepted; files are written whole", false, false, NULL, NULL},
    {"execution.checkpointing.cleaner.parallel-mode", OPT_BOOL, "true", NULL, "accepted; files are deleted beside the job", false, false, NULL, NULL},
    {"execution.checkpointing.unaligned.enabled", OPT_BOOL, "false", NULL,
     "barriers overtake rows that lie between tasks, and the checkpoint keeps these", false, false, NULL, NULL},
    {"execution.checkpointing.unaligned", OPT_BOOL, NULL, NULL, "older name of execution.checkpointing.unaligned.enabled", false, false, NULL,
     NULL},
    {"execution.checkpointing.aligned-checkpoint-timeout", OPT_DURATION_MS, "0 ms", NULL,
     "with unaligned.enabled: barriers overtake only in a checkpoint that is not aligned by then", false, false, NULL, NULL},
    {"execution.state-recovery.path", OPT_STRING, NULL, NULL, "savepoint or checkpoint that the job begins with (-s)", false, false, NULL, NULL},
    {"execution.savepoint.path", OPT_STRING, NULL, NULL, "older name of execution.state-recovery.path", false, false, NULL, NULL},
    {"execution.state-recovery.claim-mode", OPT_ENUM, "NO_CLAIM", "NO_CLAIM|CLAIM",
     "CLAIM: what the job began with is its own, and is deleted when it is not needed any more", false, false, NULL, NULL},
    {"execution.state-recovery.ignore-unclaimed-state", OPT_BOOL, "false", NULL,
     "state of operators that the job does not have is dropped (-n)", false, false, NULL, NULL},
    {"execution.savepoint.ignore-unclaimed-state", OPT_BOOL, NULL, NULL, "older name of execution.state-recovery.ignore-unclaimed-state",
     false, false, NULL, NULL},
    {"thalweg.checkpoint.fresh", OPT_BOOL, "false", NULL,
     "the job begins anew though checkpoints of an earlier run are there, which stay (--fresh)", false, false, NULL, NULL},
    {"thalweg.checkpoint.fallback", OPT_BOOL, "false", NULL,
     "a job whose newest checkpoint is damaged goes on from the newest one before it that is not; not where a sink commits", false,
     false, NULL, NULL},
    {"execution.buffer-timeout.enabled", OPT_BOOL, "true", NULL,
     "false: rows for other tasks leave in full batches only, with a watermark, and at the end", false, false, NULL, NULL},
    {"execution.buffer-timeout.interval", OPT_DURATION_MS, NULL, NULL,
     "how long rows may wait for a batch to fill, 0 = not at all; not given: until their task has nothing else to do", false,
     false, NULL, NULL},
    {"task.cancellation.interval", OPT_DURATION_MS, "30 s", NULL,
     "how often a task that was told to end and has not is warned of", false, false, NULL, NULL},
    {"task.cancellation.timeout", OPT_DURATION_MS, "3 min", NULL,
     "a task that has not ended by then ends the process; 0 = waits for ever", false, false, NULL, NULL},
    {"taskmanager.host", OPT_STRING, "localhost", NULL, "name of this machine in metrics: <host>", false, false, NULL, NULL},
    {"taskmanager.resource-id", OPT_STRING, "embedded", NULL, "name of the task manager in metrics: <tm_id>", false, false, NULL, NULL},
    {"taskmanager.network.adaptive-partitioner.enabled", OPT_BOOL, "false", NULL,
     "whether rebalance and rescale send to the least loaded of their channels", false, false, NULL, NULL},
    {"taskmanager.network.adaptive-partitioner.max-traverse-size", OPT_INT, "4", NULL,
     "channels that are compared for it at most", false, false, NULL, NULL},
    {"taskmanager.network.compression.codec", OPT_ENUM, "NONE", "NONE|LZ4",
     "how rows are packed that go from one process to another; for slow networks", false, false, NULL, NULL},
    {"taskmanager.numberOfTaskSlots", OPT_INT, "0", NULL,
     "slots of the embedded task manager; 0 = as many as the job needs", false, false, NULL, NULL},
    {"restart-strategy.type", OPT_ENUM, NULL, "none|off|disable|fixed-delay|failure-rate|exponential-delay",
     "what follows a failure; not given: exponential-delay with checkpoints. A job without checkpoints fails at once", false,
     false, NULL, NULL},
    {"restart-strategy.fixed-delay.attempts", OPT_INT, "1", NULL, "restarts before the job fails", false, false, NULL, NULL},
    {"restart-strategy.fixed-delay.delay", OPT_DURATION_MS, "1 s", NULL, "pause before a restart", false, false, NULL, NULL},
    {"restart-strategy.failure-rate.max-failures-per-interval", OPT_INT, "1", NULL,
     "restarts in one interval before the job fails", false, false, NULL, NULL},
    {"restart-strategy.failure-rate.failure-rate-interval", OPT_DURATION_MS, "1 min", NULL, "the interval", false,
     false, NULL, NULL},
    {"restart-strategy.failure-rate.delay", OPT_DURATION_MS, "1 s", NULL, "pause before a restart", false, false, NULL, NULL},
    {"restart-strategy.exponential-delay.initial-backoff", OPT_DURATION_MS, "1 s", NULL,
     "pause before the first restart", false, false, NULL, NULL},
    {"restart-strategy.exponential-delay.max-backoff", OPT_DURATION_MS, "1 min", NULL,
     "greatest pause before a restart", false, false, NULL, NULL},
    {"restart-strategy.exponential-delay.backoff-multiplier", OPT_DOUBLE, "1.5", NULL, "growth of the pause", false,
     false, NULL, NULL},
    {"restart-strategy.exponential-delay.reset-backoff-threshold", OPT_DURATION_MS, "1 h", NULL,
     "time without failure after which the pause is short again", false, false, NULL, NULL},
    {"restart-strategy.exponential-delay.attempts-before-reset-backoff", OPT_INT, "0", NULL,
     "restarts before the job fails; 0 = any number", false, false, NULL, NULL},
    {"restart-strategy.exponential-delay.jitter-factor", OPT_DOUBLE, "0.1", NULL, "share of the pause that is random",
     false, false, NULL, NULL},
    {"sink.committer.retries", OPT_INT, "10", NULL,
     "how often a sink's commit that asks to be tried again is tried again before the job fails", false, false, NULL, NULL},
    {"state.backend.type", OPT_STRING, "hashmap", NULL,
     "where keyed state lives: hashmap (in memory), or rocksdb (what is used in memory, all of it on local disk)", false, false, NULL, NULL},
    {"state.backend", OPT_STRING, NULL, NULL, "older name of state.backend.type", false, false, NULL, NULL},
    {"state.backend.rocksdb.localdir", OPT_STRING, "/tmp", NULL,
     "folder for state that does not fit memory; each job has one of its own in it, which goes with the job", false, false, NULL, NULL},
    {"state.backend.rocksdb.memory.managed", OPT_BOOL, "true", NULL,
     "accepted; memory is always shared out and kept to", false, false, NULL, NULL},
    {"state.backend.rocksdb.memory.fixed-per-slot", OPT_SIZE, "0 b", NULL,
     "memory for state per slot, that is, times the greatest parallelism; 0 = see fixed-per-tm", false, false, NULL, NULL},
    {"state.backend.rocksdb.memory.fixed-per-tm", OPT_SIZE, "0 b", NULL,
     "memory for the state of a process; 0 = two fifths of what the process may use", false, false, NULL, NULL},
    {"state.backend.rocksdb.memory.write-buffer-ratio", OPT_DOUBLE, "0.5", NULL,
     "what of RocksDB's half of that memory is for changes that are not in files yet", false, false, NULL, NULL},
    {"state.backend.rocksdb.block.blocksize", OPT_SIZE, "4kb", NULL, "bytes of a block of a file", false, false, NULL, NULL},
    {"state.backend.rocksdb.thread.num", OPT_INT, "2", NULL, "threads that write and merge files", false, false, NULL, NULL},
    {"state.backend.rocksdb.use-bloom-filter", OPT_BOOL, "true", NULL,
     "files know which keys they do not have (Flink: off)", false, false, NULL, NULL},
    {STATE_MEMORY_KEY, OPT_SIZE, "0 b", NULL,
     "bytes of keyed state that each subtask of an operator may hold in memory, beyond which the job fails; 0 = what the process has for state", false,
     false, NULL, NULL},
    {"taskmanager.memory.process.size", OPT_SIZE, "0 b", NULL,
     "memory that a process may use, state, buffers and programs together; 0 = what the machine or its control group has", false, false, NULL, NULL},
    {"thalweg.exec.batch-rows", OPT_INT, "2048", NULL, "rows of a batch at most, 1 to 2048", false, false, NULL, NULL},
    {"thalweg.exec.ring-batches", OPT_INT, "4", NULL, "batches under way between two subtasks, 1 to 8", false, false, NULL, NULL},
    {"thalweg.exec.workers", OPT_INT, "0", NULL,
     "threads for tasks that do not block; 0 = one per core, as far as needed", false, false, NULL, NULL},
    {"thalweg.exec.seed", OPT_INT, "0", NULL,
     "for shuffle partitioning; in the simulation also for the order of inputs", false, false, NULL, NULL},
    {"thalweg.log.level", OPT_ENUM, "warn", "debug|info|warn|error|off", "log lines of this level and above are written",
     false, false, NULL, NULL},
    {"thalweg.log.file", OPT_STRING, NULL, NULL, "log lines are appended to this file, not written on standard error",
     false, false, NULL, NULL},
    {"thalweg.log.max-bytes", OPT_SIZE, "64mb", NULL, "a log file that would grow beyond it is put aside and begun anew",
     false, false, NULL, NULL},
    {"thalweg.log.files", OPT_INT, "4", NULL, "log files put aside that are kept, as FILE.1 (the latest), FILE.2, ...",
     false, false, NULL, NULL},
    {NULL, OPT_STRING, NULL, NULL, NULL, false, false, NULL, NULL},
};

enum { CONFIG_TEXT_MAX = 64 * 1024, FILE_BYTES_MAX = 1024 * 1024 };

void config_init(struct config *c, struct arena *a) { *c = (struct config){.arena = a}; }

void config_set(struct config *c, const char *key, const char *value) { config_set_from(c, key, value, NULL); }

void config_set_from(struct config *c, const char *key, const char *value, const char *place)
{
    ASSERT(key != NULL && value != NULL);
    if (c->count == c->capacity) {
        uint32_t capacity = MAX(16, 2 * c->capacity);
        struct option *more = ARENA_ARRAY(c->arena, struct option, capacity);
        const char **places = ARENA_ARRAY(c->arena, const char *, capacity);
        if (c->count > 0) memcpy(more, c->items, sizeof *more * c->count);
        if (c->count > 0) memcpy(places, c->places, sizeof *places * c->count);
        c->items = more;
        c->places = places;
        c->capacity = capacity;
    }
    c->places[c->count] = place;
    c->items[c->count++] = (struct option){arena_strdup(c->arena, key), arena_strdup(c->arena, value)};
}

enum status config_set_pair(struct config *c, const char *pair, struct err *e)
{
    struct str rest = str_of(pair), key;

    if (rest.size > CONFIG_TEXT_MAX)
        return err_set(e, E_CONFIG, "a setting of %zu bytes; at most %d", rest.size, CONFIG_TEXT_MAX);
    if (memchr(pair, '=', rest.size) == NULL || !str_cut(&rest, '=', &key) || str_trim(key).size == 0) {
        err_set(e, E_CONFIG, "'%s' is not a setting", pair);
        err_hint(e, "write key=value, for example parallelism.default=4");
        return E_CONFIG;
    }
    key = str_trim(key);
    rest = str_trim(rest);
    config_set_from(c, arena_strndup(c->arena, key.data, key.size),
                    arena_strndup(c->arena, rest.size > 0 ? rest.data : "", rest.size), "-D");
    return S_OK;
}

static enum status check_range(const struct options *o, const char *key, int64_t least, int64_t most, struct err *e)
{
    if (options_get(o, config_defs, key) == NULL) return S_OK; /* no default, and not given */
    int64_t value = options_int(o, config_defs, key);

    if (value >= least && value <= most) return S_OK;
    return err_set(e, E_CONFIG, "configuration '%s' is %lld; it must be %lld to %lld", key, (long long)value,
                   (long long)least, (long long)most);
}

static bool is_given(const struct options *o, const char *key)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].key, key) == 0) return true;
    return false;
}

const char *config_backend(const struct options *o)
{
    const char *older = options_get(o, config_defs, "state.backend");

    return older != NULL && !is_given(o, "state.backend.type") ? older : options_get(o, config_defs, "state.backend.type");
}

static enum status check_backend(const struct options *o, const char **key, struct err *e)
{
    double ratio = options_double(o, config_defs, *key = "state.backend.rocksdb.memory.write-buffer-ratio");

    if (!(ratio > 0 && ratio < 1)) return err_set(e, E_CONFIG, "configuration '%s' is %g; it must be between 0 and 1", *key, ratio);
    *key = is_given(o, "state.backend.type") || !is_given(o, "state.backend") ? "state.backend.type" : "state.backend";
    if (sb_find(config_backend(o)) != NULL) return S_OK;
    err_set(e, E_CONFIG, "there is no state backend '%s' (%s)", config_backend(o), *key);
    err_hint(e, "it is 'hashmap' or 'rocksdb'");
    return E_CONFIG;
}

bool config_is_unaligned(const struct options *o)
{
    const char *key = "execution.checkpointing.unaligned.enabled", *old = "execution.checkpointing.unaligned";

    return options_bool(o, config_defs, is_given(o, key) || !is_given(o, old) ? key : old);
}

static enum status check_checkpoints(const struct options *o, const char **key, struct err *e)
{
    double multiplier = options_double(o, config_defs, *key = "restart-strategy.exponential-delay.backoff-multiplier");
    if (!(multiplier >= 1 && multiplier <= 1e6))
        return err_set(e, E_CONFIG, "configuration '%s' is %g; it must be 1 to 1e6", *key, multiplier);
    double jitter = options_double(o, config_defs, *key = "restart-strategy.exponential-delay.jitter-factor");
    if (!(jitter >= 0 && jitter <= 1)) return err_set(e, E_CONFIG, "configuration '%s' is %g; it must be 0 to 1", *key, jitter);
    *key = "execution.checkpointing.max-concurrent-checkpoints";
    if (!config_is_unaligned(o) || options_int(o, config_defs, *key) == 1) return S_OK;
    err_set(e, E_CONFIG, "configuration '%s' can't be > 1 if unaligned checkpoints are enabled", *key);
    err_hint(e, "leave one of the two out");
    return E_CONFIG;
}

static bool is_known(const char *key)
{
    for (const struct option_def *d = config_defs; d->key != NULL; d++)
        if (strcmp(d->key, key) == 0) return true;
    return false;
}

/* Item by item, so that keys without effect are left out without a copy. */
static enum status check_items(const struct options *o, struct err *e)
{
    TRY(config_check_families(o, e));
    for (uint32_t i = 0; i < o->count; i++) {
        struct options one = {&o->items[i], 1};
        enum status st = config_is_ignored(o->items[i].key) ? S_OK : options_check(&one, config_defs, "configuration", e);
        if (st == S_OK) continue;
        if (!is_known(o->items[i].key)) err_hint(e, "`thalweg config` lists all keys");
        return st;
    }
    return S_OK;
}

/* What needs the value that counts, the last one given; *key says which is wrong. */
static enum status check_values(const struct options *o, const char **key, struct err *e)
{
    static const struct {
        const char *key;
        int64_t least, most;
    } ranges[] = {
        {"parallelism.default", 1, 4096},
        {"pipeline.max-parallelism", -1, 32768},
        {"pipeline.auto-watermark-interval", 0, 86400000},
        {"sink.committer.retries", 0, INT32_MAX},
        {"execution.buffer-timeout.interval", 0, 86400000},
        {"execution.checkpointing.interval", 0, INT64_C(366) * 86400000},
        {"execution.checkpointing.timeout", 10, INT64_C(366) * 86400000},
        {"execution.checkpointing.min-pause", 0, INT64_C(366) * 86400000},
        {"execution.checkpointing.max-concurrent-checkpoints", 1, 32},
        {"execution.checkpointing.tolerable-failed-checkpoints", 0, INT32_MAX},
        {"execution.checkpointing.num-retained", 1, 1000},
        {"state.checkpoints.num-retained", 1, 1000},
        {"execution.checkpointing.data-inline-threshold", 0, 1024 * 1024},
        {"execution.checkpointing.aligned-checkpoint-timeout", 0, INT64_C(366) * 86400000},
        {"restart-strategy.fixed-delay.attempts", 0, INT32_MAX},
        {"restart-strategy.failure-rate.max-failures-per-interval", 1, 100000},
        {"restart-strategy.failure-rate.failure-rate-interval", 1, INT64_C(366) * 86400000},
        {"restart-strategy.exponential-delay.initial-backoff", 1, INT64_C(366) * 86400000},
        {"restart-strategy.exponential-delay.max-backoff", 1, INT64_C(366) * 86400000},
        {"restart-strategy.exponential-delay.attempts-before-reset-backoff", 0, INT32_MAX},
        {"state.backend.rocksdb.block.blocksize", 256, 16 << 20},
        {"state.backend.rocksdb.thread.num", 1, 256},
        {"task.cancellation.interval", 1, 86400000},
        {"task.cancellation.timeout", 0, 86400000},
        {"taskmanager.network.adaptive-partitioner.max-traverse-size", 2, 4096},
        {"taskmanager.memory.process.size", 0, INT64_MAX},
        {"taskmanager.numberOfTaskSlots", 0, 65536},
        {"thalweg.exec.batch-rows", 1, 2048},
        {"thalweg.exec.ring-batches", 1, 8},
        {"thalweg.exec.workers", 0, 1024},
        {"thalweg.log.max-bytes", 1024, INT64_C(1) << 50},
        {"thalweg.log.files", 0, LOGGING_FILES_MAX},
    };

    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        *key = ranges[i].key;
        TRY(check_range(o, *key, ranges[i].least, ranges[i].most, e));
    }
    TRY(check_backend(o, key, e));
    return check_checkpoints(o, key, e);
}

enum status config_check(const struct options *o, struct err *e)
{
    const char *key;

    TRY(check_items(o, e));
    return check_values(o, &key, e);
}

/* Of the value that counts. */
static const char *place_of(const struct config *c, const char *key)
{
    for (uint32_t i = c->count; i-- > 0;)
        if (strcmp(c->items[i].key, key) == 0) return c->places[i];
    return NULL;
}

static enum status blame(const char *place, struct err *e)
{
    if (place != NULL) err_wrap(e, "%s", place);
    return E_CONFIG;
}

enum status config_check_places(const struct config *c, struct err *e)
{
    struct options all = config_options(c);
    const char *key;

    for (uint32_t i = 0; i < c->count; i++) {
        struct options one = {&c->items[i], 1};
        if (check_items(&one, e) != S_OK) return blame(c->places[i], e);
    }
    return check_values(&all, &key, e) == S_OK ? S_OK : blame(place_of(c, key), e);
}

enum status config_read_file(struct sys *sys, const char *path, struct buf *out, struct err *e)
{
    struct sys_file *f = NULL;
    enum status st = S_OK;
    size_t got = 1;

    TRY(sys_file_open(sys, path, SYS_READ, &f, e));
    while (st == S_OK && got > 0 && out->size <= FILE_BYTES_MAX) {
        buf_reserve(out, 65536);
        st = sys_file_read(sys, f, out->data + out->size, 65536, &got, e);
        if (st == S_OK) out->size += got;
    }
    sys_file_close(sys, f);
    if (st == S_OK && out->size > FILE_BYTES_MAX)
        st = err_set(e, E_DATA, "%s: more than %d bytes of configuration", path, FILE_BYTES_MAX);
    return st;
}
