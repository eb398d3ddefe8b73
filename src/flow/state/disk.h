/* disk.h - where and with how much memory the tasks of a job keep state that is larger than memory (sb_rocksdb.c). */
#pragma once
#include "ground/sys/sys_kv.h"

struct state_disk {
    struct kv_settings kv; /* of one state host; its path is the folder in which each host has one of its own */
    size_t cache_bytes;    /* rows of one host in memory */
};
