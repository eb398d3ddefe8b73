/* settings.h - what the session's configuration says of plans; surface/sql/sql_keys.c fills it from its keys. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum sink_materialize { MATERIALIZE_NONE, MATERIALIZE_AUTO, MATERIALIZE_FORCE }; /* table.exec.sink.upsert-materialize */
enum sink_shuffle { SHUFFLE_NONE, SHUFFLE_AUTO, SHUFFLE_FORCE };                 /* table.exec.sink.keyed-shuffle */
enum sink_lengths { LENGTHS_IGNORE, LENGTHS_TRIM_PAD, LENGTHS_ERROR };           /* table.exec.sink.type-length-enforcer */

/* table.exec.emit.*: results of windows of GROUP BY before and after their end. Times: -1 where none is set. */
struct emit_settings {
    bool is_early, is_late;
    int64_t early_ms, late_ms, lateness_ms;
};

/* table.exec.async-lookup.*: how a table is looked up asynchronously. */
struct lookup_settings {
    int64_t capacity, timeout_ms;
    bool is_unordered;   /* rows may overtake each other */
    bool is_key_ordered; /* also where rows change, but not those of one key */
};

/* table.exec.disabled-operators, of batch mode: bits 1 << o. */
enum batch_operator {
    BATCH_BROADCAST_HASH_JOIN,
    BATCH_SHUFFLE_HASH_JOIN,
    BATCH_SORT_MERGE_JOIN,
    BATCH_NESTED_LOOP_JOIN,
    BATCH_HASH_AGGREGATE,
    BATCH_SORT_AGGREGATE
};

struct plan_settings {
    struct lookup_settings lookup;
    struct emit_settings emit;
    int64_t ttl_ms;  /* table.exec.state.ttl */
    int64_t idle_ms; /* table.exec.source.idle-timeout */
    bool has_options_hints; /* table.dynamic-table-options.enabled */
    struct {
        bool parts, sources, sinks; /* table.optimizer.reuse-sub-plan-enabled, reuse-source-enabled, reuse-sink-enabled */
    } reuse;
    bool reorders_joins; /* table.optimizer.join-reorder-enabled */
    bool joins_many; /* table.optimizer.multi-join.enabled */
    bool rewrites;   /* thalweg.optimizer.rewrites */
    bool is_batch;   /* execution.runtime-mode = batch */
    bool emit_every; /* thalweg.exec.emit = every */
    bool two_phase;  /* table.exec.mini-batch.enabled, and table.optimizer.agg-phase-strategy is not ONE_PHASE */
    bool changes_repeat; /* table.exec.source.cdc-events-duplicate */
    uint32_t distinct_buckets; /* table.optimizer.distinct-agg.split.bucket-num where that is enabled; 0: it is not */
    bool incremental; /* table.optimizer.incremental-agg-enabled */
    uint32_t disabled;       /* enum batch_operator, bits */
    bool reports_statistics; /* table.optimizer.source.report-statistics-enabled */
    int64_t broadcast_bytes; /* table.optimizer.join.broadcast-threshold */
    bool resolves_updates; /* table.optimizer.non-deterministic-update.strategy = TRY_RESOLVE */
    struct {
        uint8_t materialize, shuffle, lengths;
        bool drops_nulls;         /* table.exec.sink.not-null-enforcer = DROP */
        bool conflict_is_optional; /* table.exec.sink.require-on-conflict = false */
    } sink;
};
