/* mem.h - memory by owner. A `struct mem` counts, bounds and lists everything allocated from it, so that a task, a
 * job or a simulated node can be dropped whole without running destructors, and a test can prove that steady state
 * allocates nothing. One mem belongs to one thread at a time (the owner task's); children are separate mems.
 *
 * mem_alloc ends the process when the system has no memory; mem_try answers NULL when the limit would be passed. */
#pragma once
#include "ground/base/base.h"

struct mem_block;

struct mem {
    const char *name;
    size_t used, peak;  /* bytes handed out, headers included */
    size_t limit;       /* 0 = none; honoured by mem_try and asserted generously by nobody */
    uint64_t calls;     /* allocations so far: the steady-state test watches it */
    uint64_t fail_at;   /* tests: mem_try fails when calls reaches it; 0 = never */
    struct mem_block *blocks;
};

void mem_init(struct mem *m, const char *name, size_t limit);
/* Frees every block that is left. */
void mem_release(struct mem *m);
void *mem_alloc(struct mem *m, size_t size) __attribute__((malloc, returns_nonnull)); /* 16-byte aligned, not cleared */
void *mem_zalloc(struct mem *m, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_alloc_aligned(struct mem *m, size_t size, size_t alignment) __attribute__((malloc, returns_nonnull)); /* <= 2 MiB */
void *mem_try(struct mem *m, size_t size) CHECKED;
void *mem_realloc(struct mem *m, void *p, size_t size) __attribute__((returns_nonnull)); /* p may be NULL; not for aligned blocks */
void mem_free(struct mem *m, void *p); /* NULL is a no-op; aligned blocks too */
/* Large, page-aligned, huge-page-advised region, counted in the mem; freed by mem_free. */
void *mem_pages(struct mem *m, size_t size) __attribute__((malloc, returns_nonnull));
/* One block changes its owner; it stays where it is. */
void mem_give(struct mem *from, void *p, struct mem *to);
/* Hands all blocks of `from` to `to`, whose struct may itself lie in one of them; `from` is empty afterwards. */
void mem_move(struct mem *from, struct mem *to);
