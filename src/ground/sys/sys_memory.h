/* sys_memory.h - the door to the C library's allocator, and to the end of the process. For base/mem.c and base/assert.c. */
#pragma once
#include <stddef.h>

void *sys_memory_get(size_t size);                         /* 16-byte aligned; NULL when the system has none */
void *sys_memory_get_aligned(size_t size, size_t alignment); /* a power of two */
void *sys_memory_resize(void *p, size_t size);              /* not for aligned ones */
void sys_memory_advise_huge(void *p, size_t size);          /* ask for huge pages */
/* Whole pages of it get their memory now, so that whoever touches them first need not wait; what they hold stays. Any thread. */
void sys_memory_populate(void *p, size_t size);
void sys_memory_put(void *p);
/* Writes the text and a stack of return addresses to standard error and ends the process. */
_Noreturn void sys_panic(const char *text);
