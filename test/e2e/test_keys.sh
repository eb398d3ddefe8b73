#!/bin/sh
# test_keys.sh - SET knows every key of tables and of the SQL client that Flink 2.3 documents: it works, or SET says what holds instead
# when the value is not Flink's own. Keys that nobody knows are warned of, with the nearest one.
. "$(dirname "$0")/common.sh"

set_to() { "$thalweg" sql -e "SET '$1' = '$2'" 2>&1; }
done_='[INFO] Execute statement succeeded.'

for key in \
    sql-client.display.color-schema sql-client.display.print-time-cost sql-client.display.show-line-numbers \
    sql-client.execution.max-table-result.rows sql-client.execution.result-mode table.builtin-catalog-name \
    table.builtin-database-name table.catalog-modification.listeners table.catalog-store.kind table.column-expansion-strategy \
    table.default-freshness.continuous table.default-freshness.full table.display.max-column-width table.dml-sync \
    table.dynamic-table-options.enabled table.exec.async-lookup.buffer-capacity table.exec.async-lookup.key-ordered-enabled \
    table.exec.async-lookup.output-mode table.exec.async-lookup.timeout table.exec.async-ml-predict.max-concurrent-operations \
    table.exec.async-ml-predict.output-mode table.exec.async-ml-predict.timeout table.exec.async-scalar.max-attempts \
    table.exec.async-scalar.max-concurrent-operations table.exec.async-scalar.retry-delay \
    table.exec.async-scalar.retry-strategy table.exec.async-scalar.timeout table.exec.async-state.enabled \
    table.exec.async-table.max-concurrent-operations table.exec.async-table.max-retries table.exec.async-table.retry-delay \
    table.exec.async-table.retry-strategy table.exec.async-table.timeout \
    table.exec.async-vector-search.max-concurrent-operations table.exec.async-vector-search.output-mode \
    table.exec.async-vector-search.timeout table.exec.deduplicate.insert-update-after-sensitive-enabled \
    table.exec.deduplicate.mini-batch.compact-changes-enabled table.exec.delta-join.cache-enabled \
    table.exec.delta-join.left.cache-size table.exec.delta-join.right.cache-size table.exec.disabled-operators \
    table.exec.emit.allow-lateness table.exec.emit.early-fire.delay table.exec.emit.early-fire.enabled \
    table.exec.emit.late-fire.delay table.exec.emit.late-fire.enabled table.exec.interval-join.min-cleanup-interval \
    table.exec.legacy-cast-behaviour table.exec.local-hash-agg.adaptive.distinct-value-rate-threshold \
    table.exec.local-hash-agg.adaptive.enabled table.exec.local-hash-agg.adaptive.sampling-threshold \
    table.exec.mini-batch.allow-latency table.exec.mini-batch.enabled table.exec.mini-batch.size \
    table.exec.operator-fusion-codegen.enabled table.exec.rank.topn-cache-size table.exec.resource.default-parallelism \
    table.exec.resource.external-buffer-memory table.exec.resource.hash-agg.memory table.exec.resource.hash-join.memory \
    table.exec.resource.sort.memory table.exec.simplify-operator-name-enabled table.exec.sink.keyed-shuffle \
    table.exec.sink.nested-constraint-enforcer table.exec.sink.not-null-enforcer table.exec.sink.require-on-conflict \
    table.exec.sink.rowtime-inserter table.exec.sink.type-length-enforcer table.exec.sink.upsert-materialize \
    table.exec.sink.upsert-materialize-strategy.adaptive.threshold.high \
    table.exec.sink.upsert-materialize-strategy.adaptive.threshold.low table.exec.sink.upsert-materialize-strategy.type \
    table.exec.sort.async-merge-enabled table.exec.sort.default-limit table.exec.sort.max-num-file-handles \
    table.exec.source.cdc-events-duplicate table.exec.source.idle-timeout table.exec.spill-compression.block-size \
    table.exec.spill-compression.enabled table.exec.state.ttl table.exec.uid.format table.exec.uid.generation \
    table.exec.unbounded-over.version table.exec.window-agg.buffer-size-limit table.generated-code.max-length \
    table.generated-code.max-members table.local-time-zone table.optimizer.adaptive-broadcast-join.strategy \
    table.optimizer.agg-phase-strategy table.optimizer.bushy-join-reorder-threshold table.optimizer.delta-join.strategy \
    table.optimizer.distinct-agg.split.bucket-num table.optimizer.distinct-agg.split.enabled \
    table.optimizer.dynamic-filtering.enabled table.optimizer.incremental-agg-enabled table.optimizer.join-reorder-enabled \
    table.optimizer.join.broadcast-threshold table.optimizer.multi-join.enabled table.optimizer.multiple-input-enabled \
    table.optimizer.non-deterministic-update.strategy table.optimizer.ptf.max-tables \
    table.optimizer.reuse-optimize-block-with-digest-enabled table.optimizer.reuse-sink-enabled \
    table.optimizer.reuse-source-enabled table.optimizer.reuse-sub-plan-enabled table.optimizer.runtime-filter.enabled \
    table.optimizer.runtime-filter.max-build-data-size table.optimizer.runtime-filter.min-filter-ratio \
    table.optimizer.runtime-filter.min-probe-data-size table.optimizer.skewed-join-optimization.skewed-factor \
    table.optimizer.skewed-join-optimization.skewed-threshold table.optimizer.skewed-join-optimization.strategy \
    table.optimizer.source.report-statistics-enabled table.optimizer.sql2rel.project-merge.enabled \
    table.optimizer.union-all-as-breakpoint-enabled table.plan.compile.catalog-objects table.plan.force-recompile \
    table.plan.restore.catalog-objects table.rtas-ctas.atomicity-enabled table.secret-store.kind table.sql-dialect; do
    case $(set_to "$key" AUTO) in *'Nothing reads'*) fail "SET does not know $key" ;; esac
done

same "Flink's own value" "$done_" "$(set_to table.exec.rank.topn-cache-size 10000)"
same 'in other words' "$done_" "$(set_to table.exec.resource.external-buffer-memory '10240 kb')"
same 'another one' "[WARNING] 'table.exec.rank.topn-cache-size' changes nothing here: state is read in place, without a cache.
$done_" "$(set_to table.exec.rank.topn-cache-size 5)"
same 'a choice' "[WARNING] 'table.exec.legacy-cast-behaviour' changes nothing here: a CAST that fails fails the job, always; TRY_CAST gives NULL.
$done_" "$(set_to table.exec.legacy-cast-behaviour enabled)"
same 'one without a value of its own' "[WARNING] 'table.column-expansion-strategy' changes nothing here: SELECT * gives all columns.
$done_" "$(set_to table.column-expansion-strategy EXCLUDE_ALIASED_VIRTUAL_METADATA_COLUMNS)"
same 'joins and groups' "$done_" "$(set_to table.exec.disabled-operators 'HashJoin, SortAgg')"
same 'one of a cluster' "[WARNING] 'rest.port' changes nothing here: an embedded run has no REST server.
$done_" "$(set_to rest.port 8081)"
same 'one that works' "$done_" "$(set_to table.exec.state.ttl '1 h')"
same 'a slip' "[WARNING] Nothing reads the key 'table.exec.state.tll'; did you mean 'table.exec.state.ttl'?
$done_" "$(set_to table.exec.state.tll '1 h')"
same 'nothing like it' "[WARNING] Nothing reads the key 'my.own.words'.
$done_" "$(set_to my.own.words x)"
same 'a value that is none' "[ERROR] Could not execute SQL statement. Reason:
option 'table.exec.rank.topn-cache-size' of SET is 'many', but must be a whole number, from 1 to 2147483647 at line 1, column 41
SET 'table.exec.rank.topn-cache-size' = 'many'
                                        ^^^^^^" "$(set_to table.exec.rank.topn-cache-size many)"
same 'as an argument, on standard error' "[WARNING] 'table.exec.uid.generation' changes nothing here: ids follow from the statement." \
    "$("$thalweg" sql -D table.exec.uid.generation=ALWAYS -e 'SELECT 1' 2>&1 > /dev/null)"
finish
