/* split_metrics.c - measures of one split: its watermark, and three timers of which exactly one runs.
 *
 * They come with the split and go with it, so a source of many short splits keeps no measures of those that are through. Flink
 * measures pauses and idleness and takes the rest for active; here that is a timer too, and the three add up. Of a long id the
 * end is told, which is what files differ by.
 *
 * It does not decide what the split is doing: that is source_reader.c. */
#include "flow/source/split_metrics.h"

#include "flow/task/job_shared.h"

#include <stdio.h>
#include <string.h>

enum { ID_SHOWN_MAX = 400 };

struct name {
    char text[METRIC_NAME_MAX + 1];
};

static struct name name_of(const char *id, const char *measure)
{
    size_t size = strlen(id);
    bool is_cut = size > ID_SHOWN_MAX;
    struct name name;

    snprintf(name.text, sizeof name.text, "split.%s%s.watermark.%s", is_cut ? "..." : "",
             is_cut ? id + size - ID_SHOWN_MAX : id, measure);
    return name;
}

static enum status make(struct split_metrics *m, const struct op_cx *op, const char *id, struct err *e)
{
    static const struct {
        const char *rate, *total;
    } names[SPLIT_DOINGS] = {
        [SPLIT_ACTIVE] = {"activeTimeMsPerSecond", "accumulatedActiveTimeMs"},
        [SPLIT_PAUSED] = {"pausedTimeMsPerSecond", "accumulatedPausedTimeMs"},
        [SPLIT_IDLE] = {"idleTimeMsPerSecond", "accumulatedIdleTimeMs"},
    };
    struct metric_owner owner = job_metric_owner(op);
    struct name name = name_of(id, "currentWatermark");

    m->watermark = metrics_split_gauge(m->registry, &owner, name.text, e);
    for (int i = 0; i < SPLIT_DOINGS && m->watermark != NULL; i++) {
        struct name rate = name_of(id, names[i].rate), total = name_of(id, names[i].total);
        m->timers[i] = metrics_timer(m->registry, &owner, rate.text, total.text, e);
        if (m->timers[i] == NULL) return E_USER;
    }
    return m->watermark != NULL ? S_OK : E_USER;
}

enum status split_metrics_open(struct split_metrics *m, const struct op_cx *op, const char *id, struct err *e)
{
    *m = (struct split_metrics){0};
    if (op->job == NULL || id == NULL) return S_OK;
    m->registry = job_metrics(op->job);
    enum status st = make(m, op, id, e);
    if (st != S_OK) {
        split_metrics_close(m);
        return st;
    }
    metric_set(m->watermark, (double)TIME_MIN);
    m->doing = SPLIT_ACTIVE;
    metric_start(m->timers[SPLIT_ACTIVE], sys_mono_ns(op->sys));
    return S_OK;
}

void split_metrics_close(struct split_metrics *m)
{
    if (m->registry == NULL) return;
    metrics_remove(m->registry, m->watermark);
    for (int i = 0; i < SPLIT_DOINGS; i++) metrics_remove(m->registry, m->timers[i]);
    *m = (struct split_metrics){0};
}

void split_metrics_doing(struct split_metrics *m, const struct op_cx *op, enum split_doing doing)
{
    if (m->registry == NULL || m->doing == doing) return;
    int64_t now = sys_mono_ns(op->sys);
    metric_stop(m->timers[m->doing], now);
    metric_start(m->timers[doing], now);
    m->doing = doing;
}

void split_metrics_watermark(struct split_metrics *m, int64_t watermark)
{
    if (m->registry != NULL) metric_set(m->watermark, (double)watermark);
}
