/* source_options.c - the options that all sources share, under Flink's names, and how they join with what a program set. */
#include "flow/source/source_options.h"

#include "flow/source/watermark.h"

#include <string.h>

const struct option_def source_options[] = {
    {.key = "scan.rate-limit",
     .kind = OPT_DOUBLE,
     .fallback = "0",
     .doc = "rows per second of all subtasks together; 0 = no limit"},
    {.key = "scan.parallelism", .kind = OPT_INT, .least = "1", .most = "4096", .doc = "subtasks of the source; tw_parallelism wins"},
    {.key = "scan.max-splits",
     .kind = OPT_INT,
     .least = "0",
     .most = "1000000",
     .fallback = "0",
     .doc = "splits that one subtask reads side by side; 0 = as the connector likes it"},
    {.key = "scan.watermark.emit.strategy",
     .kind = OPT_ENUM,
     .choices = "on-periodic|on-event",
     .fallback = "on-periodic",
     .doc = "emit watermarks as time passes, or by row count"},
    {.key = "scan.watermark.emit.on-event.gap",
     .kind = OPT_INT,
     .least = "1",
     .fallback = "1",
     .doc = "on-event: a watermark after every so many rows of a split"},
    {.key = "scan.watermark.idle-timeout",
     .kind = OPT_DURATION_MS,
     .doc = "a split without rows for so long does not hold back watermarks"},
    {.key = "scan.watermark.alignment.group", .kind = OPT_STRING, .doc = "sources of one group wait for each other"},
    {.key = "scan.watermark.alignment.max-drift",
     .kind = OPT_DURATION_MS,
     .doc = "how far a split may run ahead of its group"},
    {.key = "scan.watermark.alignment.update-interval",
     .kind = OPT_DURATION_MS,
     .doc = "how often the group is looked at"},
    {.key = NULL},
};

static bool given_duration(const struct options *o, const char *key, int64_t *out)
{
    bool given = options_get(o, source_options, key) != NULL;

    if (given) *out = options_int(o, source_options, key);
    return given;
}

struct watermark_config source_watermark_config(const struct watermark_config *given, const struct options *o)
{
    struct watermark_config c = *given;
    const char *group = options_get(o, source_options, "scan.watermark.alignment.group");

    if (options_enum(o, source_options, "scan.watermark.emit.strategy") == 1)
        c.every_rows = options_int(o, source_options, "scan.watermark.emit.on-event.gap");
    given_duration(o, "scan.watermark.idle-timeout", &c.idleness_ms);
    if (group != NULL) c.alignment_group = group;
    given_duration(o, "scan.watermark.alignment.max-drift", &c.alignment_max_drift_ms);
    given_duration(o, "scan.watermark.alignment.update-interval", &c.alignment_interval_ms);
    if (c.periodic_ms == 0) c.periodic_ms = WATERMARK_INTERVAL_MS;
    if (c.alignment_interval_ms == 0) c.alignment_interval_ms = ALIGNMENT_INTERVAL_MS;
    return c;
}

enum status source_watermark_check(const struct watermark_config *w, struct err *e)
{
    if (w->alignment_group == NULL || (w->alignment_max_drift_ms > 0 && w->kind != WATERMARK_NONE)) return S_OK;
    if (w->kind == WATERMARK_NONE)
        return err_set(e, E_GRAPH, "alignment group '%s': without watermarks there is nothing to align",
                       w->alignment_group);
    return err_set(e, E_CONFIG, "alignment group '%s' needs a drift that is allowed, longer than nothing",
                   w->alignment_group);
}

enum status source_rate_check(double rows_per_second, struct err *e)
{
    if (rows_per_second >= 0 && rows_per_second <= 1e12) return S_OK;
    return err_set(e, E_CONFIG, "a rate of %g rows per second is not possible; 0 = no limit", rows_per_second);
}
