/* fiber.h - a function on a stack of its own, which runs until it switches back. */
#pragma once
#include "ground/base/mem.h"

#include <ucontext.h>

struct fiber {
    ucontext_t own, host;
    char *stack;
    void (*fn)(void *arg);
    void *arg;
    void *fake_own, *fake_host, *thread_own, *thread_host; /* what the sanitizers keep per stack */
    const void *host_stack;
    size_t host_size;
};

void fiber_init(struct fiber *f, struct mem *mem, void (*fn)(void *arg), void *arg);
void fiber_release(struct fiber *f, struct mem *mem); /* running or not: its stack is dropped */
void fiber_enter(struct fiber *f);                    /* from the host: returns when the fiber leaves */
void fiber_leave(struct fiber *f, bool for_ever);     /* from the fiber */
