/* restart_strategy.c - Flink's strategies, number for number:
 *
 *   fixed-delay         so many restarts, each after the same pause
 *   failure-rate        at most so many failures within any interval
 *   exponential-delay   the pause grows by a factor with each restart, up to a greatest one, and is spread by a random share;
 *                       after a long time without failure it is short again, and counting begins anew
 *
 * The pause of exponential-delay is never below the initial one, whatever the random share says; that is Flink's, too. */
#include "control/jobmanager/restart_strategy.h"

#include "control/config.h"
#include "ground/base/str.h"

#include <math.h>
#include <string.h>

#define KEY "restart-strategy."

static enum restart_kind kind_of(const char *name, bool has_checkpoints)
{
    if (name == NULL) return has_checkpoints ? RESTART_EXPONENTIAL_DELAY : RESTART_NONE;
    if (str_equal_nocase(str_of(name), STR("fixed-delay"))) return RESTART_FIXED_DELAY;
    if (str_equal_nocase(str_of(name), STR("failure-rate"))) return RESTART_FAILURE_RATE;
    return str_equal_nocase(str_of(name), STR("exponential-delay")) ? RESTART_EXPONENTIAL_DELAY : RESTART_NONE;
}

void restart_strategy_init(struct restart_strategy *s, const struct options *o, bool has_checkpoints, struct arena *a)
{
    *s = (struct restart_strategy){.kind = kind_of(options_get(o, config_defs, KEY "type"), has_checkpoints)};
    if (s->kind == RESTART_FIXED_DELAY) {
        s->restarts_max = options_int(o, config_defs, KEY "fixed-delay.attempts");
        s->delay_ms = options_int(o, config_defs, KEY "fixed-delay.delay");
    } else if (s->kind == RESTART_FAILURE_RATE) {
        s->failures_max = (uint32_t)options_int(o, config_defs, KEY "failure-rate.max-failures-per-interval");
        s->interval_ms = options_int(o, config_defs, KEY "failure-rate.failure-rate-interval");
        s->delay_ms = options_int(o, config_defs, KEY "failure-rate.delay");
        s->failures = ARENA_ARRAY(a, int64_t, s->failures_max + 1);
    } else if (s->kind == RESTART_EXPONENTIAL_DELAY) {
        s->restarts_max = options_int(o, config_defs, KEY "exponential-delay.attempts-before-reset-backoff");
        if (s->restarts_max == 0) s->restarts_max = INT64_MAX;
        s->initial_ms = options_int(o, config_defs, KEY "exponential-delay.initial-backoff");
        s->max_ms = options_int(o, config_defs, KEY "exponential-delay.max-backoff");
        s->reset_ms = options_int(o, config_defs, KEY "exponential-delay.reset-backoff-threshold");
        s->multiplier = options_double(o, config_defs, KEY "exponential-delay.backoff-multiplier");
        s->jitter = options_double(o, config_defs, KEY "exponential-delay.jitter-factor");
    }
}

/* The ring holds one more than may fail: full means too many, unless the oldest is long ago. */
static bool rate_failed(struct restart_strategy *s, int64_t now_ms)
{
    uint32_t size = s->failures_max + 1;

    if (s->failure_count == size)
        s->failure_first = (s->failure_first + 1) % size;
    else
        s->failure_count++;
    s->failures[(s->failure_first + s->failure_count - 1) % size] = now_ms;
    return s->failure_count < size || now_ms - s->failures[s->failure_first] > s->interval_ms;
}

static int64_t exponential_pause(const struct restart_strategy *s, struct prng *random)
{
    double grown = (double)s->initial_ms * pow(s->multiplier, (double)s->restarts);
    int64_t pause = grown < (double)s->max_ms * 2 ? (int64_t)grown
                                                  : s->max_ms * 2; /* the greatest one is applied below */
    int64_t spread = (int64_t)((double)pause * s->jitter);

    if (spread > 0) pause += (int64_t)prng_below(random, (uint64_t)spread * 2 + 1) - spread;
    return MAX(s->initial_ms, MIN(pause, s->max_ms));
}

static bool exponential_failed(struct restart_strategy *s, int64_t now_ms, struct prng *random, int64_t *pause_ms)
{
    if (s->has_failed && now_ms <= s->next_ms) { /* before the restart that is under way: the same failure */
        *pause_ms = s->next_ms - now_ms;
        return s->restarts <= s->restarts_max;
    }
    if (s->has_failed && now_ms - s->next_ms >= s->reset_ms) s->restarts = 0;
    *pause_ms = exponential_pause(s, random);
    s->next_ms = now_ms + *pause_ms;
    s->has_failed = true;
    s->restarts++;
    return s->restarts <= s->restarts_max;
}

bool restart_strategy_failed(struct restart_strategy *s, int64_t now_ms, struct prng *random, int64_t *pause_ms)
{
    *pause_ms = s->delay_ms;
    switch (s->kind) {
    case RESTART_NONE: return false;
    case RESTART_FIXED_DELAY: return ++s->restarts <= s->restarts_max;
    case RESTART_FAILURE_RATE: return rate_failed(s, now_ms);
    case RESTART_EXPONENTIAL_DELAY: return exponential_failed(s, now_ms, random, pause_ms);
    }
    ASSERT(!"a strategy that is none");
    return false;
}

void restart_strategy_print(const struct restart_strategy *s, struct buf *out)
{
    switch (s->kind) {
    case RESTART_NONE: buf_append_text(out, "none"); break;
    case RESTART_FIXED_DELAY:
        buf_printf(out, "fixed-delay (%lld attempts, %lld ms)", (long long)s->restarts_max, (long long)s->delay_ms);
        break;
    case RESTART_FAILURE_RATE:
        buf_printf(out, "failure-rate (%u failures in %lld ms, %lld ms)", s->failures_max, (long long)s->interval_ms,
                   (long long)s->delay_ms);
        break;
    case RESTART_EXPONENTIAL_DELAY:
        buf_printf(out, "exponential-delay (%lld to %lld ms)", (long long)s->initial_ms, (long long)s->max_ms);
        break;
    }
}
