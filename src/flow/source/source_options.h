/* source_options.h - options that every source takes, whatever it reads: rate, side by side splits, watermarks. */
#pragma once
#include "flow/operator/op_configs.h"

enum { WATERMARK_INTERVAL_MS = 200, ALIGNMENT_INTERVAL_MS = 1000 };

extern const struct option_def source_options[];

/* What a program or statement configured (`given`), with the scan.watermark.* options over it and defaults filled in. */
struct watermark_config source_watermark_config(const struct watermark_config *given, const struct options *o);
/* Is what it says about alignment complete? Any source with watermarks can be aligned. */
enum status source_watermark_check(const struct watermark_config *w, struct err *e) CHECKED;
enum status source_rate_check(double rows_per_second, struct err *e) CHECKED;
