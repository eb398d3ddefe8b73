#!/bin/sh
# test_stuck.sh - a callback that never returns, in a job that fails: after task.cancellation.timeout the process says where and ends.
. "$(dirname "$0")/common.sh"

cat > stuck.c <<'END'
#include <thalweg/thalweg.h>
#include <sched.h>
#include <unistd.h>

struct number {
    int64_t value;
};
TW_ROW(number, TW_FIELD(number, value, "BIGINT NOT NULL"));

static int is_stuck;

static enum tw_status give(struct tw_context *cx, void *rows, uint32_t max, uint32_t *count, bool *end)
{
    (void)max;
    ((struct number *)rows)->value = tw_subtask(cx);
    *count = 1;
    *end = true;
    return TW_OK;
}
TW_FUNCTION(gives) = {.out = &number_row, .source = give};

static enum tw_status stick(struct tw_context *cx, const void *in, enum tw_row_kind kind)
{
    (void)kind;
    if (((const struct number *)in)->value == 0) {
        __atomic_store_n(&is_stuck, 1, __ATOMIC_RELEASE);
        for (;;) pause();
    }
    while (!__atomic_load_n(&is_stuck, __ATOMIC_ACQUIRE)) sched_yield();
    return tw_fail(cx, "no room");
}
TW_FUNCTION(sticks) = {.in = &number_row, .sink = stick};

TW_JOB(env, argc, argv)
{
    tw_sink_function(tw_source_function(env, "number", &gives), "out", &sticks);
    return tw_execute(env, "stuck");
}
END
$cc -shared -fPIC -I "$source/include" stuck.c -o stuck.so || exit 1

# The process ends while a thread of it lives: that is what is tested, and ThreadSanitizer would call it a leak.
TSAN_OPTIONS="${TSAN_OPTIONS:-} report_thread_leaks=0"
export TSAN_OPTIONS

expect 'a callback that never returns' 1 '' "job 'stuck': a task did not end within task.cancellation.timeout (50 ms): \
operator 'Sink: out' (subtask 1/2) does not return; the job was ending because of: operator 'Sink: out' (subtask 2/2): \
row +I[1]: no room" \
    "$thalweg" run stuck.so --quiet --parallelism 2 -D thalweg.exec.workers=2 -D task.cancellation.timeout=50ms
finish
