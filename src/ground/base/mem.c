/* mem.c - allocation by owner: every block carries a 48-byte header that links it into its owner's ring of blocks, so
 * that an owner can be dropped whole. Aligned blocks remember where the C library's block begins. */
#include "ground/base/mem.h"

#include "ground/sys/sys_memory.h"

#include <string.h>

struct mem_block {
    struct mem_block *next, *previous;
    void *base;  /* what the C library gave */
    size_t size; /* counted bytes: payload and header */
    uint64_t magic;
    uint64_t pad;
};
_Static_assert(sizeof(struct mem_block) % 16 == 0, "payloads are 16-byte aligned");

#define MEM_MAGIC UINT64_C(0x74776d656d626c6b)

void mem_init(struct mem *m, const char *name, size_t limit)
{
    memset(m, 0, sizeof *m);
    m->name = name;
    m->limit = limit;
}

static void link_block(struct mem *m, struct mem_block *b)
{
    b->magic = MEM_MAGIC;
    b->previous = NULL;
    b->next = m->blocks;
    if (m->blocks != NULL) m->blocks->previous = b;
    m->blocks = b;
    m->used += b->size;
    if (m->used > m->peak) m->peak = m->used;
}

static void unlink_block(struct mem *m, struct mem_block *b)
{
    ASSERT(b->magic == MEM_MAGIC);
    ASSERT(m->used >= b->size);
    if (b->previous != NULL) b->previous->next = b->next;
    else m->blocks = b->next;
    if (b->next != NULL) b->next->previous = b->previous;
    m->used -= b->size;
}

void mem_release(struct mem *m)
{
    while (m->blocks != NULL) {
        struct mem_block *b = m->blocks;
        unlink_block(m, b);
        sys_memory_put(b->base);
    }
    ASSERT(m->used == 0);
}

void mem_move(struct mem *from, struct mem *to)
{
    struct mem_block *last = from->blocks;

    if (last == NULL) return;
    while (last->next != NULL) last = last->next;
    last->next = to->blocks;
    if (to->blocks != NULL) to->blocks->previous = last;
    to->blocks = from->blocks;
    to->used += from->used;
    to->calls += from->calls;
    to->peak = MAX(to->peak, to->used);
    from->blocks = NULL;
    from->used = 0;
}

enum { SMALL_PAGE = 4096, HUGE_PAGE = 2 << 20 };

static void *place(struct mem *m, void *base, size_t offset, size_t size)
{
    struct mem_block *b = (struct mem_block *)(void *)((char *)base + offset);

    b->base = base;
    b->size = size + MIN(offset, (size_t)SMALL_PAGE) + sizeof *b; /* of a longer lead no other page is ever touched */
    m->calls++;
    link_block(m, b);
    return b + 1;
}

static void *get(struct mem *m, size_t size)
{
    ASSERT(size < SIZE_MAX / 2); /* a negative length, most likely */
    void *base = sys_memory_get(size + sizeof(struct mem_block));

    ASSERT(base != NULL);
    return place(m, base, 0, size);
}

void *mem_alloc(struct mem *m, size_t size) { return get(m, size); }

void *mem_zalloc(struct mem *m, size_t size)
{
    void *p = get(m, size);

    return memset(p, 0, size);
}

void *mem_alloc_aligned(struct mem *m, size_t size, size_t alignment)
{
    ASSERT((alignment & (alignment - 1)) == 0 && alignment >= 16 && alignment <= HUGE_PAGE);
    ASSERT(size < SIZE_MAX / 2);
    size_t lead = ALIGN_UP(sizeof(struct mem_block), alignment);
    void *base = sys_memory_get_aligned(size + lead, alignment);
    ASSERT(base != NULL);
    return place(m, base, lead - sizeof(struct mem_block), size);
}

void *mem_pages(struct mem *m, size_t size)
{
    /* a large one begins where a huge page does: else a part of each end is of small pages, whose look-ups cost more */
    void *p = mem_alloc_aligned(m, size, size >= HUGE_PAGE ? HUGE_PAGE : SMALL_PAGE);

    sys_memory_advise_huge(p, size);
    return p;
}

void *mem_try(struct mem *m, size_t size)
{
    bool over = m->limit != 0 && m->used + size + sizeof(struct mem_block) > m->limit;

    if (over || (m->fail_at != 0 && m->calls + 1 >= m->fail_at)) return NULL;
    return get(m, size);
}

void *mem_realloc(struct mem *m, void *p, size_t size)
{
    if (p == NULL) return get(m, size);
    struct mem_block *b = (struct mem_block *)p - 1;
    ASSERT(b->base == b); /* not an aligned one */
    ASSERT(size < SIZE_MAX / 2);
    unlink_block(m, b);
    void *base = sys_memory_resize(b->base, size + sizeof *b);
    ASSERT(base != NULL);
    return place(m, base, 0, size);
}

void mem_give(struct mem *from, void *p, struct mem *to)
{
    struct mem_block *b = (struct mem_block *)p - 1;

    unlink_block(from, b);
    link_block(to, b);
}

void mem_free(struct mem *m, void *p)
{
    if (p == NULL) return;
    struct mem_block *b = (struct mem_block *)p - 1;
    unlink_block(m, b);
    b->magic = 0;
    sys_memory_put(b->base);
}
