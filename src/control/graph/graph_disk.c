/* graph_disk.c - how much memory each operator has for state of which a part lies on disk: what the process gives to state is shared by
 * the subtasks of all operators that have state, alike.
 *
 * What of it is for rows, changes and blocks says control/memory.c. */
#include "control/graph/graph.h"

#include "control/config.h"
#include "control/memory.h"
#include "flow/operator/op.h"

enum { SHARE_MIN = 8 << 20 };

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
    uint64_t hosts = hosts_of(g);
    struct memory_split s;

    memory_split_of(o, process, slots_of(g), &s);
    double less = MAX((double)SHARE_MIN * (double)hosts / (double)MAX(s.state, 1), 1.0) / (double)hosts; /* shares are not too small to work */
    out->cache_bytes = (size_t)((double)s.rows * less);
    out->kv.buffer_bytes = (size_t)((double)s.changes * less);
    out->kv.cache_bytes = (size_t)((double)s.blocks * less);
    out->kv.block_bytes = (uint32_t)options_int(o, config_defs, "state.backend.rocksdb.block.blocksize");
    out->kv.threads = (uint32_t)options_int(o, config_defs, "state.backend.rocksdb.thread.num");
    out->kv.has_filters = options_bool(o, config_defs, "state.backend.rocksdb.use-bloom-filter");
}
