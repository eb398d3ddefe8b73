/* loop.h - an event loop: files that become ready, timers that become due, and calls posted by other threads, run one after
 * another by one thread that sleeps in between. Callbacks must not block: what they begin goes on at the next event.
 *
 * Who may call what: loop_post, loop_watch, loop_watch_set, loop_wake, loop_stop from any thread; everything else from callbacks, or
 * from any one thread while the loop does not run. */
#pragma once
#include "ground/sys/sys_net.h"

struct loop_limits {
    uint32_t watches; /* files at once; 0 = 4096 */
    uint32_t timers;  /* that are not due yet; 0 = 65536 */
    uint32_t posts;   /* calls that wait; 0 = 4096 */
};

struct loop;
struct loop_watch;
struct loop_timer;
typedef void (*loop_fn)(void *arg);
typedef void (*loop_ready_fn)(void *arg, uint32_t ready); /* enum sys_ready */

/* limits NULL = all as 0. */
enum status loop_create(struct sys *sys, const char *name, const struct loop_limits *limits, struct loop **out,
                        struct err *e) CHECKED;
void loop_free(struct loop *l); /* it does not run; nothing more is called. NULL is a no-op */

/* Calls fn when the file is ready for what `events` (enum sys_ready) asks. E_BUDGET when so many are watched already. The
 * file stays the caller's, who closes it after loop_unwatch. */
enum status loop_watch(struct loop *l, struct sys_file *f, uint32_t events, loop_ready_fn fn, void *arg,
                       struct loop_watch **out, struct err *e) CHECKED;
/* Asks for something else from now on, or, after SYS_READY_ONCE, once more. 0 = for nothing. */
enum status loop_watch_set(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e) CHECKED;
/* fn is not called any more, not even for what was ready already. NULL is a no-op. */
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* Calls fn once, when the monotonic clock (sys_mono_ns) reaches due_ns: earlier deadlines first, equal ones in the order in
 * which they were set. E_BUDGET when too many wait. *out (may be NULL) is good until fn is called or the timer canceled. */
enum status loop_timer(struct loop *l, int64_t due_ns, loop_fn fn, void *arg, struct loop_timer **out,
                       struct err *e) CHECKED;
void loop_timer_cancel(struct loop *l, struct loop_timer *t); /* NULL is a no-op */

/* Has the loop's thread call fn, in the order of the posts. S_FULL: so many wait already; nothing was taken. */
enum status loop_post(struct loop *l, loop_fn fn, void *arg) CHECKED;

/* Runs until loop_stop; posts made before the stop are still called. An error when the system cannot wait for files. */
enum status loop_run(struct loop *l, struct err *e) CHECKED;
void loop_wake(struct loop *l); /* any thread: a turn that waits comes back, the next one does not wait */
void loop_stop(struct loop *l); /* also before loop_run, which then comes back at once */
/* One turn, by hand: waits at most timeout_ns for something to do (0 = not at all), then does what is there now: posts,
 * files, timers. *did counts callbacks. */
enum status loop_turn(struct loop *l, int64_t timeout_ns, uint32_t *did, struct err *e) CHECKED;
