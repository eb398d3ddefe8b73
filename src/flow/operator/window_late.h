/* window_late.h - rows that came too late for all their windows, as they are counted. */
#pragma once
#include "flow/operator/op.h"
#include "flow/task/metrics.h"

/* The operator's metric numLateRecordsDropped; NULL without a job. */
struct metric *window_late_metric(const struct op_cx *cx);
/* So many rows were too late, and went to that side output, or nowhere. */
void window_late_count(struct op_cx *cx, struct metric *dropped, uint32_t port, uint64_t rows);
