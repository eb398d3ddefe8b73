/* fiber.c - switching of stacks, the one thing here that C cannot say. ucontext of the C library does it: it asks the
 * kernel for the signal mask at each switch, which costs less than what a step does, and needs no assembly.
 *
 * The sanitizers are told of every switch: AddressSanitizer must know which stack is in use, ThreadSanitizer that two
 * fibers are two flows of control. A fiber always goes back to the host; none switches to another directly. */
#include "sim/fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
enum { STACK_BYTES = 2 * 1024 * 1024 };
#else
enum { STACK_BYTES = 256 * 1024 };
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

static void switch_begin(void **fake, const void *stack, size_t size, void *thread)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fake, stack, size);
#elif defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(thread, 0);
#endif
    (void)fake, (void)stack, (void)size, (void)thread;
}

static void switch_end(void *fake, const void **stack, size_t *size)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, stack, size);
#endif
    (void)fake, (void)stack, (void)size;
}

/* makecontext hands over ints only: the pointer comes in two halves. */
static void fiber_main(unsigned high, unsigned low)
{
    struct fiber *f = (struct fiber *)(((uintptr_t)high << 32) | low);

    switch_end(NULL, &f->host_stack, &f->host_size);
    f->fn(f->arg);
    fiber_leave(f, true);
}

void fiber_init(struct fiber *f, struct mem *mem, void (*fn)(void *arg), void *arg)
{
    uintptr_t self = (uintptr_t)f;

    *f = (struct fiber){.fn = fn, .arg = arg, .stack = mem_alloc(mem, STACK_BYTES)};
    int failed = getcontext(&f->own);
    ASSERT(failed == 0);
    f->own.uc_stack.ss_sp = f->stack;
    f->own.uc_stack.ss_size = STACK_BYTES;
    makecontext(&f->own, (void (*)(void))fiber_main, 2, (unsigned)(self >> 32), (unsigned)self);
#if defined(__SANITIZE_THREAD__)
    f->thread_own = __tsan_create_fiber(0);
#endif
}

void fiber_release(struct fiber *f, struct mem *mem)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(f->thread_own);
#endif
    mem_free(mem, f->stack);
    f->stack = NULL;
}

void fiber_enter(struct fiber *f)
{
#if defined(__SANITIZE_THREAD__)
    f->thread_host = __tsan_get_current_fiber(); /* not at fiber_init: another fiber may have made this one */
#endif
    switch_begin(&f->fake_host, f->stack, STACK_BYTES, f->thread_own);
    swapcontext(&f->host, &f->own);
    switch_end(f->fake_host, NULL, NULL);
}

void fiber_leave(struct fiber *f, bool for_ever)
{
    switch_begin(for_ever ? NULL : &f->fake_own, f->host_stack, f->host_size, f->thread_host);
    swapcontext(&f->own, &f->host);
    switch_end(f->fake_own, &f->host_stack, &f->host_size);
}
