/* async_rate.h - how many requests and entries an asynchronous sink may have in flight: congestion control by additive
 * increase and multiplicative decrease, as Flink's CongestionControlRateLimitingStrategy with AIMDScalingStrategy. */
#pragma once
#include "ground/base/base.h"

struct async_rate {
    int64_t max_requests, max_messages; /* max_messages moves between 1 and threshold */
    int64_t increase, threshold;
    double decrease;
    int64_t requests, messages; /* in flight */
};

static inline void async_rate_sent(struct async_rate *r, uint32_t entries)
{
    r->requests++;
    r->messages += entries;
}

static inline void async_rate_answered(struct async_rate *r, uint32_t entries, uint32_t failed)
{
    ASSERT(r->requests > 0 && r->messages >= entries);
    r->requests--;
    r->messages -= entries;
    if (failed == 0)
        r->max_messages = MIN(r->max_messages + r->increase, r->threshold);
    else
        r->max_messages = MAX(1, (int64_t)((double)r->max_messages * r->decrease + 0.5)); /* a half goes up */
}

static inline bool async_rate_blocks(const struct async_rate *r, uint32_t entries)
{
    return r->requests >= r->max_requests || r->messages + entries > r->max_messages;
}
