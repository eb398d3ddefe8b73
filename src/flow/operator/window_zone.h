/* window_zone.h - windows of instants (TIMESTAMP_LTZ) lie on the local time of the session: what an instant is there, and when a local
 * time has passed. Without a zone both are the same. */
#pragma once
#include "columns/column/zone.h"
#include "flow/operator/op.h"

struct window_zone {
    struct zone zone;
    bool shifts; /* false: local times are instants */
};

/* name: of the zone; NULL or empty: there is none. E_CONFIG: unknown. */
enum status window_zone_open(struct window_zone *z, const char *name, struct err *e) CHECKED;
/* The last local time that has passed for good when time, a watermark or the clock, is `instant`: one that comes twice passes the
 * second time. */
int64_t window_zone_passed(const struct window_zone *z, int64_t instant);

static inline bool window_zone_is_end(int64_t time) { return time == TIME_MIN || time == INT64_MAX; }
static inline int64_t window_zone_local(const struct window_zone *z, int64_t instant)
{
    return !z->shifts || window_zone_is_end(instant) ? instant : zone_to_local_ms(&z->zone, instant);
}
/* The instant of a local time; of two the first. */
static inline int64_t window_zone_instant(const struct window_zone *z, int64_t local)
{
    return !z->shifts || window_zone_is_end(local) ? local : zone_to_utc_ms(&z->zone, local);
}
/* When a local time has passed for good. */
static inline int64_t window_zone_timer(const struct window_zone *z, int64_t local)
{
    return !z->shifts || window_zone_is_end(local) ? local : zone_to_utc_late_ms(&z->zone, local);
}
