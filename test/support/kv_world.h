/* kv_world.h - what a state host of the backend rocksdb needs in tests: a world with the exact map in memory, and nothing else. */
#pragma once
#include "ground/sys/sys.h"
#include "ground/sys/sys_kv.h"

extern struct sys kv_world;
extern const struct kv_settings kv_world_settings;
