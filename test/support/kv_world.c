/* kv_world.c - see the header. */
#include "support/kv_world.h"

static const struct sys_ops ops = {.name = "kv", .kv_open = kv_memory_open};

struct sys kv_world = {.ops = &ops};
const struct kv_settings kv_world_settings = {.path = "/state"};
