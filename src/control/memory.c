/* memory.c - see the header.
 *
 * On rocksdb two fifths are for state, or what the keys of Flink say, and disk takes what is more; on hashmap four fifths, and a job that
 * needs more fails with an error. The rest is for rows under way, programs, libraries and what the allocator cannot give back. */
#include "control/memory.h"

#include "control/config.h"
#include "flow/state/state.h"
#include "ground/base/buf.h"

enum { MANAGED_PERCENT = 40, HASHMAP_PERCENT = 80, ROWS_PART = 2, FILES_PART = 2 };

int64_t memory_of_process(const struct options *o, struct sys *sys)
{
    int64_t said = options_int(o, config_defs, MEMORY_PROCESS_KEY), most = sys_memory_bytes(sys);

    return said > 0 ? MIN(said, most) : most;
}

static int64_t state_bytes(const struct options *o, int64_t process, uint64_t slots)
{
    int64_t all = options_int(o, config_defs, "state.backend.rocksdb.memory.fixed-per-tm");
    int64_t slot = options_int(o, config_defs, "state.backend.rocksdb.memory.fixed-per-slot");

    if (slot > 0) return slot * (int64_t)slots;
    return all > 0 ? all : process / 100 * MANAGED_PERCENT;
}

void memory_split_of(const struct options *o, int64_t process, uint64_t slots, struct memory_split *out)
{
    double ratio = options_double(o, config_defs, "state.backend.rocksdb.memory.write-buffer-ratio");

    *out = (struct memory_split){.process = process, .files = process / FILES_PART};
    if (!state_is_on_disk(sb_find(config_backend(o)))) {
        out->state = process / 100 * HASHMAP_PERCENT;
        return;
    }
    out->state = state_bytes(o, process, slots);
    out->rows = out->state / ROWS_PART;
    out->changes = (int64_t)((double)(out->state - out->rows) * ratio);
    out->blocks = out->state - out->rows - out->changes;
}

static void line(struct buf *out, const char *what, int64_t bytes, const char *note)
{
    buf_printf(out, "%-32s %10.1f MB  %s\n", what, (double)bytes / (1 << 20), note);
}

void memory_show(const struct options *o, struct sys *sys, struct buf *out)
{
    int64_t slots = options_int(o, config_defs, "taskmanager.numberOfTaskSlots");
    bool is_said = options_int(o, config_defs, MEMORY_PROCESS_KEY) > 0;
    struct memory_split s;

    memory_split_of(o, memory_of_process(o, sys), (uint64_t)MAX(slots, 1), &s);
    line(out, "process", s.process, is_said ? MEMORY_PROCESS_KEY : "what the process may use; " MEMORY_PROCESS_KEY " says less");
    if (s.rows == 0) {
        line(out, "  state (hashmap)", s.state, "a job that needs more fails; rocksdb keeps it on disk");
    } else {
        line(out, "  state (rocksdb)", s.state, "of all operators of a job; what is more lies on disk");
        line(out, "    rows", s.rows, "as operators work on them");
        line(out, "    changes", s.changes, "that are not in files yet");
        line(out, "    blocks", s.blocks, "of files");
    }
    line(out, "  everything else", s.process - s.state, "rows under way, programs, libraries");
    line(out, "batch mode, before files", s.files, "sorts, joins and aggregations share it, instead of state");
}
