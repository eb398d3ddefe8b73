/* split_metrics.h - what is measured of one split, as Flink names it: split.ID.watermark.currentWatermark, and how long it was
 * active, paused by alignment, or idle: .activeTimeMsPerSecond, .accumulatedActiveTimeMs, and so on. */
#pragma once
#include "flow/operator/op.h"

enum split_doing { SPLIT_ACTIVE, SPLIT_PAUSED, SPLIT_IDLE, SPLIT_DOINGS };

/* Zero: nothing is measured, as without a job. */
struct split_metrics {
    struct metrics *registry;
    struct metric *watermark;
    struct metric *timers[SPLIT_DOINGS];
    enum split_doing doing; /* its timer runs */
};

/* Active from now on. E_USER: it goes without, another split has its name or the job has too many measures. */
enum status split_metrics_open(struct split_metrics *m, const struct op_cx *op, const char *id, struct err *e) CHECKED;
void split_metrics_close(struct split_metrics *m); /* its measures are gone, as in Flink */
void split_metrics_doing(struct split_metrics *m, const struct op_cx *op, enum split_doing doing);
void split_metrics_watermark(struct split_metrics *m, int64_t watermark);
