/* cancel_watch.c - the two pauses of Flink's task canceller: task.cancellation.interval and task.cancellation.timeout. */
#include "control/jobmanager/cancel_watch.h"

void cancel_watch_begin(struct cancel_watch *w, int64_t now_ns)
{
    if (w->has_begun) return;
    w->has_begun = true;
    w->began_ns = w->warned_ns = now_ns;
}

enum cancel_due cancel_watch_look(struct cancel_watch *w, int64_t now_ns)
{
    if (!w->has_begun) return CANCEL_WAIT;
    if (w->timeout_ns > 0 && !w->has_given_up && now_ns - w->began_ns >= w->timeout_ns) {
        w->has_given_up = true;
        return CANCEL_GIVE_UP;
    }
    if (now_ns - w->warned_ns < w->interval_ns) return CANCEL_WAIT;
    w->warned_ns = now_ns;
    return CANCEL_WARN;
}
