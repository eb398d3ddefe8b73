/* sys_memory.c - allocator and panic by way of the C library. */
#include "ground/sys/sys_memory.h"

#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *sys_memory_get(size_t size) { return malloc(size); }

void *sys_memory_get_aligned(size_t size, size_t alignment)
{
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void *sys_memory_resize(void *p, size_t size) { return realloc(p, size); }
void sys_memory_put(void *p) { free(p); }

void sys_memory_advise_huge(void *p, size_t size)
{
    const size_t page = 4096;
    char *first = (char *)(((size_t)p + page - 1) / page * page);
    char *end = (char *)(((size_t)p + size) / page * page);

    if (end > first) (void)madvise(first, (size_t)(end - first), MADV_HUGEPAGE); /* advice only: refusal costs speed, nothing else */
}

void sys_memory_populate(void *p, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    const size_t page = 4096;
    char *first = (char *)(((size_t)p + page - 1) / page * page), *end = (char *)(((size_t)p + size) / page * page);

    if (end > first) (void)madvise(first, (size_t)(end - first), MADV_POPULATE_WRITE); /* before Linux 5.14 pages come when they are touched */
#else
    (void)p;
    (void)size;
#endif
}

_Noreturn void sys_panic(const char *text)
{
    void *frames[64];
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored;
    backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
    abort();
}
