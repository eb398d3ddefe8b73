/* full_disk.h - a world whose files fail: the n-th time one is opened, read or written, and from then on. */
#pragma once
#include "ground/sys/sys.h"

void full_disk_begin(struct sys *s, uint32_t n);
bool full_disk_end(struct sys *s); /* answers whether it came to that; the world is what it was */
