/* disk.h - where and with how much memory the tasks of a job keep state that is larger than memory (sb_rocksdb.c), and how
 * much there may be on other backends. */
#pragma once
#include "ground/sys/sys.h"
#include "ground/sys/sys_kv.h"

/* What all state of a job in this process may take together, on backends that keep it in memory; `max` 0: as much as there is. */
struct state_budget {
    struct sys_atomic_u64 used;
    uint64_t max;
};

struct state_disk {
    struct kv_settings kv; /* of one state host; its path is the folder in which each host has one of its own */
    size_t cache_bytes;    /* rows of one host in memory */
};

struct state_host;
/* Behind state_host_init: the host's state counts, too. The budget outlives the host. */
void state_host_budget(struct state_host *h, struct state_budget *budget);
