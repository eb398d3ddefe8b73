/* sql_keys.c - one table of the keys that SQL reads. What it says goes to the places that need it when a statement begins. */
#include "surface/sql/sql_keys.h"

#include "columns/column/zone.h"
#include "ground/base/str.h"

#include <string.h>

enum { SQL_TASKS_MAX = 4096 };

#define SHARE_OF_MEMORY                                                                                                \
    "; where it is not set, the tasks of a job that may hold rows so share half of the memory that the process may use"

const struct option_def sql_keys[] = {
    {.key = "execution.runtime-mode",
     .kind = OPT_ENUM,
     .choices = "streaming|batch",
     .fallback = "streaming",
     .doc = "batch: tables must come to an end, and results come once, without changes"},
    {.key = "table.local-time-zone", .kind = OPT_STRING, .fallback = "UTC", .doc = "the session's time zone"},
    {.key = "table.catalog-store.kind",
     .kind = OPT_ENUM,
     .choices = "generic_in_memory|file",
     .fallback = "generic_in_memory",
     .doc = "where catalogs are remembered beyond the session: nowhere, or in files; read before the first statement that is no SET"},
    {.key = "table.catalog-store.file.path",
     .kind = OPT_STRING,
     .doc = "the folder of those files: one NAME.yaml for each catalog"},
    {.key = "table.plan.force-recompile",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "COMPILE PLAN writes over a plan's file that is there; else it is refused, or left as it is"},
    {.key = "table.exec.state.ttl",
     .kind = OPT_DURATION_MS,
     .fallback = "0",
     .doc = "how long state stays that is not updated; 0: for ever"},
    {.key = "table.exec.mini-batch.enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "true: groups are aggregated in two phases, before rows are spread by their groups and behind. What came together is a "
            "mini-batch in any case; 'thalweg.exec.emit' = 'every' tells of each row"},
    {.key = "table.optimizer.agg-phase-strategy",
     .kind = OPT_ENUM,
     .choices = "AUTO|ONE_PHASE|TWO_PHASE",
     .fallback = "AUTO",
     .doc = "ONE_PHASE: with mini-batches, too, groups are aggregated once, behind the exchange"},
    {.key = "table.optimizer.distinct-agg.split.enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "COUNT, SUM, MIN and MAX with DISTINCT are aggregated by buckets of their arguments first, so that many tasks share a "
            "group. That costs more in all: it is worth it where few groups have most rows. Beside AVG and lists groups stay whole"},
    {.key = "table.optimizer.distinct-agg.split.bucket-num",
     .kind = OPT_INT,
     .least = "1", .most = "2147483647",
     .fallback = "1024",
     .doc = "how many buckets there are then"},
    {.key = "table.optimizer.incremental-agg-enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "with buckets and two phases: the groups of buckets are put together where they are, and only what changes goes on"},
    {.key = "thalweg.exec.emit",
     .kind = OPT_ENUM,
     .choices = "batch|every",
     .fallback = "batch",
     .doc = "batch: a result is updated once for all rows that came together; every: once for each row, as in Flink without "
            "mini-batch"},
    {.key = "table.exec.async-scalar.max-concurrent-operations",
     .kind = OPT_INT,
     .least = "1", .most = "100000",
     .fallback = "10",
     .doc = "calls of asynchronous scalar functions that are under way at once, in each subtask"},
    {.key = "table.exec.async-scalar.timeout",
     .kind = OPT_DURATION_MS,
     .fallback = "3 min",
     .doc = "how long all attempts of a call may take together; then the job fails"},
    {.key = "table.exec.async-scalar.retry-strategy",
     .kind = OPT_ENUM,
     .choices = "FIXED_DELAY|NO_RETRY",
     .fallback = "FIXED_DELAY",
     .doc = "whether a call that failed is repeated"},
    {.key = "table.exec.async-scalar.retry-delay", .kind = OPT_DURATION_MS, .fallback = "100 ms", .doc = "the pause before it is"},
    {.key = "table.exec.async-scalar.max-attempts",
     .kind = OPT_INT,
     .least = "1", .most = "2147483647",
     .fallback = "3",
     .doc = "attempts that a call has at most"},
    {.key = "table.exec.async-table.max-concurrent-operations",
     .kind = OPT_INT,
     .least = "1", .most = "100000",
     .fallback = "10",
     .doc = "calls of asynchronous table functions that are under way at once, in each subtask"},
    {.key = "table.exec.async-table.timeout",
     .kind = OPT_DURATION_MS,
     .fallback = "3 min",
     .doc = "how long all attempts of a call may take together; then the job fails"},
    {.key = "table.exec.async-table.retry-strategy",
     .kind = OPT_ENUM,
     .choices = "FIXED_DELAY|NO_RETRY",
     .fallback = "FIXED_DELAY",
     .doc = "whether a call that failed is repeated"},
    {.key = "table.exec.async-table.retry-delay", .kind = OPT_DURATION_MS, .fallback = "100 ms", .doc = "the pause before it is"},
    {.key = "table.exec.async-table.max-retries",
     .kind = OPT_INT,
     .least = "0", .most = "2147483647",
     .fallback = "3",
     .doc = "how often a call that failed is repeated at most"},
    {.key = "table.exec.async-lookup.buffer-capacity",
     .kind = OPT_INT,
     .least = "1", .most = "100000",
     .fallback = "100",
     .doc = "rows whose keys are being looked up at once, in each subtask, where that is asynchronous; the hint LOOKUP's 'capacity' wins"},
    {.key = "table.exec.async-lookup.timeout",
     .kind = OPT_DURATION_MS,
     .fallback = "3 min",
     .doc = "how long all attempts of such a lookup may take together; then the job fails"},
    {.key = "table.exec.async-lookup.output-mode",
     .kind = OPT_ENUM,
     .choices = "ORDERED|ALLOW_UNORDERED",
     .fallback = "ORDERED",
     .doc = "ALLOW_UNORDERED: rows go out as their keys are found; those that change keep their order"},
    {.key = "table.exec.async-lookup.key-ordered-enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "with ALLOW_UNORDERED: also rows that change overtake each other, but not those of one upsert key"},
    {.key = "table.exec.emit.early-fire.enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "windows of GROUP BY tell of results before they end, and of changes of these"},
    {.key = "table.exec.emit.early-fire.delay",
     .kind = OPT_DURATION_MS,
     .doc = "how long after a window's first row it does so, and then again and again, by the clock; 0: at every row"},
    {.key = "table.exec.emit.late-fire.enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "windows of GROUP BY that have ended still take rows, and tell of the changes"},
    {.key = "table.exec.emit.late-fire.delay",
     .kind = OPT_DURATION_MS,
     .doc = "how long after such a row they do so, and then again and again, by the clock; 0: at every row"},
    {.key = "table.exec.emit.allow-lateness",
     .kind = OPT_DURATION_MS,
     .doc = "for how long after their end windows of GROUP BY take rows, when late fire is on; where it is not set: "
            "'table.exec.state.ttl'"},
    {.key = "table.exec.source.idle-timeout",
     .kind = OPT_DURATION_MS,
     .fallback = "0",
     .doc = "a part of a source without rows for so long holds back no watermark; 0: it always does"},
    {.key = "table.exec.source.cdc-events-duplicate",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "sources of changes may bring one twice: their tables need a primary key, by which what comes again is left out"},
    {.key = "table.exec.resource.default-parallelism",
     .kind = OPT_INT,
     .least = "-1", .most = "4096",
     .fallback = "-1",
     .doc = "subtasks of each operator; -1: as 'parallelism.default' says"},
    {.key = "table.exec.resource.sort.memory",
     .kind = OPT_SIZE,
     .least = "1 kb", .most = "1 tb",
     .doc = "in batch mode: rows that one task sorts in memory (ORDER BY, OVER, sides of interval joins, of joins and groups by sorting), and of one partition of OVER; more of them go to files" SHARE_OF_MEMORY},
    {.key = "table.exec.resource.hash-agg.memory",
     .kind = OPT_SIZE,
     .least = "1 kb", .most = "1 tb",
     .doc = "in batch mode: groups that one task has in memory (GROUP BY, also of windows, DISTINCT, INTERSECT, EXCEPT, the first or last row of a key by time); rows of more of them go to files, sorted by their keys" SHARE_OF_MEMORY},
    {.key = "table.exec.resource.hash-join.memory",
     .kind = OPT_SIZE,
     .least = "1 kb", .most = "1 tb",
     .doc = "in batch mode: rows of the side of a join by hash table or loops that one task keeps in memory; more of them go to files, sorted by their keys" SHARE_OF_MEMORY},
    {.key = "table.exec.disabled-operators",
     .kind = OPT_STRING,
     .doc = "in batch mode: ways to join and to group that plans do not take, separated by commas: BroadcastHashJoin, ShuffleHashJoin "
            "(HashJoin: both), SortMergeJoin, NestedLoopJoin, HashAgg, SortAgg"},
    {.key = "table.optimizer.join.broadcast-threshold",
     .kind = OPT_INT,
     .fallback = "1048576",
     .doc = "in batch mode: a side of a join that is thought to take no more bytes goes to all tasks, so that the other one stays where "
            "it is; -1: none does. What is thought: `docs/differences.md`, `join-sizes`"},
    {.key = "table.optimizer.source.report-statistics-enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "in batch mode: plans look how many rows a file may have, where ANALYZE TABLE has found none; `source.report-statistics` says "
            "it of one table"},
    {.key = "table.exec.sort.max-num-file-handles",
     .kind = OPT_INT,
     .least = "2", .most = "65536",
     .fallback = "128",
     .doc = "so many of these files are merged at once"},
    {.key = "table.exec.spill-compression.enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "these files are packed, by LZ4"},
    {.key = "io.tmp.dirs",
     .kind = OPT_STRING,
     .fallback = "/tmp",
     .doc = "folders for these files, separated by commas: taken in turn, and left empty"},
    {.key = "table.dynamic-table-options.enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "hints OPTIONS are allowed; else they are refused"},
    {.key = "table.exec.sink.upsert-materialize",
     .kind = OPT_ENUM,
     .choices = "NONE|AUTO|FORCE",
     .fallback = "AUTO",
     .doc = "when rows under a sink's primary key are kept so that the last one counts: never, where the query's key is another "
            "one, or always"},
    {.key = "table.optimizer.non-deterministic-update.strategy",
     .kind = OPT_ENUM,
     .choices = "IGNORE|TRY_RESOLVE",
     .fallback = "IGNORE",
     .doc = "what becomes of a query whose updates have columns that are another one each time: it runs with a warning, or is refused"},
    {.key = "table.exec.sink.keyed-shuffle",
     .kind = OPT_ENUM,
     .choices = "NONE|AUTO|FORCE",
     .fallback = "AUTO",
     .doc = "when rows are spread over a sink's subtasks by its primary key: never, where 'sink.parallelism' says how many there "
            "are, or always"},
    {.key = "table.exec.sink.require-on-conflict",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "an INSERT whose query has another key than the table's primary key must say ON CONFLICT; else it deduplicates"},
    {.key = "table.exec.sink.type-length-enforcer",
     .kind = OPT_ENUM,
     .choices = "IGNORE|TRIM_PAD|ERROR",
     .fallback = "IGNORE",
     .doc = "what becomes of a value that does not fit the length of its column in the sink"},
    {.key = "table.optimizer.reuse-sub-plan-enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "parts of a statement's plan that are equal run once"},
    {.key = "table.optimizer.join-reorder-enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "up to 12 inner joins that stand on one another are made in the order that seems cheapest, not in the statement's"},
    {.key = "table.optimizer.multi-join.enabled",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "inner and left joins that stand on one another and have a key in common are one operator, which keeps nothing in between; the "
            "hint MULTI_JOIN asks for it in one query"},
    {.key = "table.optimizer.reuse-source-enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "with table.optimizer.reuse-sub-plan-enabled: a table that a statement reads several times is read once"},
    {.key = "table.optimizer.reuse-sink-enabled",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "with table.optimizer.reuse-sub-plan-enabled: INSERTs of a statement set into the same columns of a table have one sink"},
    {.key = "thalweg.optimizer.rewrites",
     .kind = OPT_BOOL,
     .fallback = "true",
     .doc = "false: constants are computed for every row and neighbours are not put together; results are the same"},
    {.key = "table.exec.sink.not-null-enforcer",
     .kind = OPT_ENUM,
     .choices = "ERROR|DROP",
     .fallback = "ERROR",
     .doc = "a NULL on its way into a NOT NULL column fails the job, or its row is dropped"},
    {.key = "table.dml-sync",
     .kind = OPT_BOOL,
     .fallback = "false",
     .doc = "INSERT and its like wait for their job; else it goes on in the background"},
    {.key = "sql-client.execution.result-mode",
     .kind = OPT_ENUM,
     .choices = "table|changelog|tableau",
     .doc = "how results are shown; where it is not set: table on a terminal, tableau elsewhere"},
    {.key = "table.display.max-column-width",
     .kind = OPT_INT,
     .least = "1", .most = "10000",
     .fallback = "30",
     .doc = "how wide a column of texts is in mode tableau while rows come, and any column in batch mode; what is longer is cut"},
    {.key = "sql-client.execution.max-table-result.rows",
     .kind = OPT_INT,
     .least = "1", .most = "2147483647",
     .fallback = "1000000",
     .doc = "how many rows of a result are kept in mode table; the oldest go first"},
    {0},
};

/* --- disabled operators ------------------------------------------------------------------------------------------ */
static const struct disabled_operator {
    const char *name;
    uint32_t bits;
} disabled_operators[] = {{"BroadcastHashJoin", 1u << BATCH_BROADCAST_HASH_JOIN},
                          {"ShuffleHashJoin", 1u << BATCH_SHUFFLE_HASH_JOIN},
                          {"HashJoin", 1u << BATCH_BROADCAST_HASH_JOIN | 1u << BATCH_SHUFFLE_HASH_JOIN},
                          {"SortMergeJoin", 1u << BATCH_SORT_MERGE_JOIN},
                          {"NestedLoopJoin", 1u << BATCH_NESTED_LOOP_JOIN},
                          {"HashAgg", 1u << BATCH_HASH_AGGREGATE},
                          {"SortAgg", 1u << BATCH_SORT_AGGREGATE}};

/* The bits of a list of names. E_CONFIG: there is no such operator. */
static enum status disabled_read(const char *list, uint32_t *bits, struct err *e)
{
    const char *names[COUNT_OF(disabled_operators)];
    struct str rest = str_of(list);

    *bits = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) names[i] = disabled_operators[i].name;
    while (rest.size > 0) {
        const char *comma = memchr(rest.data, ',', rest.size);
        size_t n = comma != NULL ? (size_t)(comma - rest.data) : rest.size, i = 0;
        struct str name = str_trim((struct str){rest.data, n});
        rest = comma != NULL ? (struct str){comma + 1, rest.size - n - 1} : (struct str){0};
        while (i < COUNT_OF(names) && !str_equal(name, str_of(names[i]))) i++;
        if (i < COUNT_OF(names)) *bits |= disabled_operators[i].bits;
        if (i < COUNT_OF(names) || name.size == 0) continue;
        int near = str_nearest(name, names, COUNT_OF(names));
        if (near >= 0) err_hint(e, "did you mean '%s'?", names[near]);
        else err_hint(e, "there are BroadcastHashJoin, ShuffleHashJoin, HashJoin, SortMergeJoin, NestedLoopJoin, HashAgg and SortAgg");
        return err_set(e, E_CONFIG, "'table.exec.disabled-operators' names '%.*s', and there is no such operator", (int)name.size, name.data);
    }
    return S_OK;
}

static uint32_t disabled_of(const struct options *o)
{
    const char *list = options_get(o, sql_keys, "table.exec.disabled-operators");
    struct err ignored = {0};
    uint32_t bits = 0;

    enum status st = list != NULL ? disabled_read(list, &bits, &ignored) : S_OK;
    (void)st; /* SET has refused what is wrong with it */
    return bits;
}

enum status sql_key_check(const char *key, const char *value, struct err *e)
{
    struct zone zone;
    int64_t tasks = 1;
    uint32_t bits;

    if (strcmp(key, "table.exec.disabled-operators") == 0) return disabled_read(value, &bits, e);
    if (strcmp(key, "table.exec.resource.default-parallelism") == 0 &&
        (!str_to_int64(str_of(value), &tasks) || tasks < -1 || tasks == 0 || tasks > SQL_TASKS_MAX))
        return err_set(e, E_CONFIG, "'%s' is -1, or a number from 1 to %d, not %s", key, SQL_TASKS_MAX, value);
    if (strcmp(key, "table.local-time-zone") != 0 || zone_find(str_of(value), &zone)) return S_OK;
    return err_set(e, E_CONFIG, "The supported Zone ID is either a full name such as 'America/Los_Angeles', or a custom timezone id "
                                "such as 'GMT-08:00', but configured Zone ID is '%s'.", value);
}

void sql_keys_apply(const struct config *c, struct fn_session *s)
{
    struct options o = config_options(c);

    s->zone = str_of(options_get(&o, sql_keys, "table.local-time-zone"));
    s->plain = !options_bool(&o, sql_keys, "thalweg.optimizer.rewrites");
}

static int64_t time_or_none(const struct options *o, const char *key)
{
    return options_get(o, sql_keys, key) != NULL ? options_int(o, sql_keys, key) : -1;
}

static struct emit_settings emit_settings(const struct options *o)
{
    return (struct emit_settings){.is_early = options_bool(o, sql_keys, "table.exec.emit.early-fire.enabled"),
                                  .is_late = options_bool(o, sql_keys, "table.exec.emit.late-fire.enabled"),
                                  .early_ms = time_or_none(o, "table.exec.emit.early-fire.delay"),
                                  .late_ms = time_or_none(o, "table.exec.emit.late-fire.delay"),
                                  .lateness_ms = time_or_none(o, "table.exec.emit.allow-lateness")};
}

static struct lookup_settings lookup_settings(const struct options *o)
{
    return (struct lookup_settings){.capacity = MAX(options_int(o, sql_keys, "table.exec.async-lookup.buffer-capacity"), 1),
                                    .timeout_ms = options_int(o, sql_keys, "table.exec.async-lookup.timeout"),
                                    .is_unordered = options_enum(o, sql_keys, "table.exec.async-lookup.output-mode") == 1,
                                    .is_key_ordered = options_bool(o, sql_keys, "table.exec.async-lookup.key-ordered-enabled")};
}

static uint32_t distinct_buckets(const struct options *o)
{
    int64_t count = options_int(o, sql_keys, "table.optimizer.distinct-agg.split.bucket-num");

    if (!options_bool(o, sql_keys, "table.optimizer.distinct-agg.split.enabled")) return 0;
    return (uint32_t)MIN(MAX(count, 1), INT32_MAX);
}

struct plan_settings sql_keys_settings(const struct config *c)
{
    struct options o = config_options(c);

    return (struct plan_settings){
        .emit = emit_settings(&o),
        .lookup = lookup_settings(&o),
        .ttl_ms = options_int(&o, sql_keys, "table.exec.state.ttl"),
        .changes_repeat = options_bool(&o, sql_keys, "table.exec.source.cdc-events-duplicate"),
        .resolves_updates = options_enum(&o, sql_keys, "table.optimizer.non-deterministic-update.strategy") == 1,
        .reuse = {.parts = options_bool(&o, sql_keys, "table.optimizer.reuse-sub-plan-enabled"),
                  .sources = options_bool(&o, sql_keys, "table.optimizer.reuse-source-enabled"),
                  .sinks = options_bool(&o, sql_keys, "table.optimizer.reuse-sink-enabled")},
        .reorders_joins = options_bool(&o, sql_keys, "table.optimizer.join-reorder-enabled"),
        .joins_many = options_bool(&o, sql_keys, "table.optimizer.multi-join.enabled"),
        .rewrites = options_bool(&o, sql_keys, "thalweg.optimizer.rewrites"),
        .is_batch = options_enum(&o, sql_keys, "execution.runtime-mode") == 1,
        .idle_ms = options_int(&o, sql_keys, "table.exec.source.idle-timeout"),
        .has_options_hints = options_bool(&o, sql_keys, "table.dynamic-table-options.enabled"),
        .emit_every = options_enum(&o, sql_keys, "thalweg.exec.emit") == 1,
        .two_phase = options_bool(&o, sql_keys, "table.exec.mini-batch.enabled") && options_enum(&o, sql_keys, "thalweg.exec.emit") != 1 &&
                     options_enum(&o, sql_keys, "table.optimizer.agg-phase-strategy") != 1,
        .disabled = disabled_of(&o),
        .reports_statistics = options_bool(&o, sql_keys, "table.optimizer.source.report-statistics-enabled"),
        .broadcast_bytes = options_int(&o, sql_keys, "table.optimizer.join.broadcast-threshold"),
        .distinct_buckets = distinct_buckets(&o),
        .incremental = options_bool(&o, sql_keys, "table.optimizer.incremental-agg-enabled"),
        .sink = {.materialize = (uint8_t)options_enum(&o, sql_keys, "table.exec.sink.upsert-materialize"),
                 .shuffle = (uint8_t)options_enum(&o, sql_keys, "table.exec.sink.keyed-shuffle"),
                 .lengths = (uint8_t)options_enum(&o, sql_keys, "table.exec.sink.type-length-enforcer"),
                 .drops_nulls = options_enum(&o, sql_keys, "table.exec.sink.not-null-enforcer") == 1,
                 .conflict_is_optional = !options_bool(&o, sql_keys, "table.exec.sink.require-on-conflict")}};
}
