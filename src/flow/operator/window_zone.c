/* window_zone.c - local times of windows, see window_zone.h. */
#include "flow/operator/window_zone.h"

#include "ground/base/str.h"

enum status window_zone_open(struct window_zone *z, const char *name, struct err *e)
{
    *z = (struct window_zone){0};
    if (name == NULL || name[0] == '\0' || str_equal(str_of(name), STR("UTC"))) return S_OK;
    if (!zone_find(str_of(name), &z->zone)) return err_set(e, E_CONFIG, "there is no time zone '%s'", name);
    z->shifts = true;
    return S_OK;
}

/* The first instant in (low, high] whose offset is another than that of low. */
static int64_t change_within(const struct zone *z, int64_t low, int64_t high)
{
    int64_t offset = zone_offset_ms(z, low);

    while (low + 1 < high) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset_ms(z, middle) == offset)
            low = middle;
        else
            high = middle;
    }
    return high;
}

int64_t window_zone_passed(const struct window_zone *z, int64_t instant)
{
    if (!z->shifts || window_zone_is_end(instant)) return instant;
    int64_t local = zone_to_local_ms(&z->zone, instant), again = zone_to_utc_late_ms(&z->zone, local);
    if (again <= instant) return local;
    /* It comes once more. The first such time is that to which the clocks are put back. */
    int64_t change = change_within(&z->zone, instant, again);
    return zone_to_local_ms(&z->zone, change) - 1;
}
