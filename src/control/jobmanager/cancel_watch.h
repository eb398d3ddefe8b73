/* cancel_watch.h - how long a job that was told to end has been about it: when to warn, and when to give up. A clock is
 * handed in, so there is nothing to wait for in a test. */
#pragma once
#include "ground/base/base.h"

enum cancel_due { CANCEL_WAIT, CANCEL_WARN, CANCEL_GIVE_UP };

/* Zero is one that has not begun. */
struct cancel_watch {
    int64_t interval_ns, timeout_ns; /* task.cancellation.interval and .timeout; timeout 0 = never gives up */
    int64_t began_ns, warned_ns;
    bool has_begun, has_given_up;
};

void cancel_watch_begin(struct cancel_watch *w, int64_t now_ns); /* the first call counts */
/* CANCEL_WARN once per interval, CANCEL_GIVE_UP once. */
enum cancel_due cancel_watch_look(struct cancel_watch *w, int64_t now_ns);
