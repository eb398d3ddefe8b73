/* width.c - see the header. Ranges of code points in two tables, searched by halves; ASCII, which nearly everything is, needs neither. */
#include "ground/base/width.h"

#include "ground/base/width_internal.h"

enum { FIRST_IN_TABLES = 0x300 };

static bool lies_in(const struct width_range *ranges, size_t count, uint32_t point)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point > ranges[middle].to)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && point >= ranges[low].from;
}

uint32_t width_of_point(uint32_t point)
{
    if (point < FIRST_IN_TABLES) return 1;
    if (lies_in(width_none, COUNT_OF(width_none), point)) return 0;
    return lies_in(width_two, COUNT_OF(width_two), point) ? 2 : 1;
}

uint32_t width_point(struct str s, size_t *size)
{
    const unsigned char *c = (const unsigned char *)s.data;
    size_t more = c[0] >= 0xF0 ? 3 : c[0] >= 0xE0 ? 2 : c[0] >= 0xC0 ? 1 : 0;
    uint32_t point = c[0] & (0x7Fu >> more);

    ASSERT(s.size > 0);
    *size = 1;
    if (more == 0 || more >= s.size) return c[0];
    for (size_t i = 1; i <= more; i++) {
        if ((c[i] & 0xC0) != 0x80) return c[0];
        point = point << 6 | (c[i] & 0x3F);
    }
    *size = more + 1;
    return point;
}

uint32_t width_of(struct str s)
{
    uint32_t width = 0;

    for (size_t i = 0, size; i < s.size; i += size)
        width += width_of_point(width_point((struct str){s.data + i, s.size - i}, &size));
    return width;
}

size_t width_prefix(struct str s, uint32_t columns)
{
    uint32_t width = 0;

    for (size_t i = 0, size; i < s.size; i += size) {
        width += width_of_point(width_point((struct str){s.data + i, s.size - i}, &size));
        if (width > columns) return i;
    }
    return s.size;
}
