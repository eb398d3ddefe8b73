/* graph_disk.c - how much memory each operator has for state of which a part lies on disk: what the process gives to state is shared by
 * the subtasks of all operators that have state, alike.
 *
 * Of a share, the first half is for rows as operators work on them; the other half is the map's: changes that are not in files yet, by
 * `state.backend.rocksdb.memory.write-buffer-ratio`, and blocks of files. */
#include "control/graph/graph.h"

#include "control/config.h"
#include "flow/operator/op.h"

enum { SHARE_MIN = 8 << 20, MANAGED_PERCENT = 40, ROWS_PART = 2 };

static uint64_t hosts_of(const struct graph *g)
{
    uint64_t hosts = 0;

    for (uint32_t i = 0; i < g->node_count; i++) {
        const struct graph_node *n = g->nodes[i];
        if (n->plan.key_count[0] > 0 || (n->type->flags & OP_STATE) != 0) hosts += n->parallelism;
    }
    return MAX(hosts, UINT64_C(1));
}

static uint64_t slots_of(const struct graph *g)
{
    uint32_t most = 1;

    for (uint32_t i = 0; i < g->node_count; i++) most = MAX(most, g->nodes[i]->parallelism);
    return most;
}

void graph_disk_share(const struct graph *g, int64_t process, struct state_disk *out)
{
    const struct options *o = &g->settings;
    uint64_t all = (uint64_t)options_int(o, config_defs, "state.backend.rocksdb.memory.fixed-per-tm");
    uint64_t slot = (uint64_t)options_int(o, config_defs, "state.backend.rocksdb.memory.fixed-per-slot");
    double ratio = options_double(o, config_defs, "state.backend.rocksdb.memory.write-buffer-ratio");

    if (slot > 0)
        all = slot * slots_of(g);
    else if (all == 0)
        all = (uint64_t)process / 100 * MANAGED_PERCENT;
    uint64_t share = MAX(all / hosts_of(g), (uint64_t)SHARE_MIN), map = share - share / ROWS_PART;
    out->cache_bytes = (size_t)(share / ROWS_PART);
    out->kv.buffer_bytes = (size_t)((double)map * ratio);
    out->kv.cache_bytes = (size_t)map - out->kv.buffer_bytes;
    out->kv.block_bytes = (uint32_t)options_int(o, config_defs, "state.backend.rocksdb.block.blocksize");
    out->kv.threads = (uint32_t)options_int(o, config_defs, "state.backend.rocksdb.thread.num");
    out->kv.has_filters = options_bool(o, config_defs, "state.backend.rocksdb.use-bloom-filter");
}
