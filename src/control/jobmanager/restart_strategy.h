/* restart_strategy.h - whether a job that has failed is started anew, and after which pause: Flink's four strategies
 * (restart-strategy.*). The clock is handed in. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/buf.h"
#include "ground/base/option.h"
#include "ground/base/prng.h"

enum restart_kind { RESTART_NONE, RESTART_FIXED_DELAY, RESTART_FAILURE_RATE, RESTART_EXPONENTIAL_DELAY };

struct restart_strategy {
    enum restart_kind kind;
    int64_t restarts_max;                 /* fixed delay, exponential delay */
    int64_t delay_ms;                     /* fixed delay, failure rate */
    int64_t initial_ms, max_ms, reset_ms; /* exponential delay */
    double multiplier, jitter;
    int64_t interval_ms; /* failure rate */
    uint32_t failures_max;
    int64_t *failures; /* ring of their times, failures_max + 1 of them */
    uint32_t failure_first, failure_count;
    int64_t restarts; /* since the pause was short last */
    int64_t next_ms;  /* when the job was started anew last */
    bool has_failed;
};

/* From checked settings. Without a strategy in them: exponential delay where there are checkpoints, else none. */
void restart_strategy_init(struct restart_strategy *s, const struct options *o, bool has_checkpoints, struct arena *a);
/* The job has failed. True: it starts anew after *pause_ms. */
bool restart_strategy_failed(struct restart_strategy *s, int64_t now_ms, struct prng *random, int64_t *pause_ms);
/* For messages: "fixed-delay (3 attempts, 1000 ms)". */
void restart_strategy_print(const struct restart_strategy *s, struct buf *out);
