/* format.c - the list of formats and the little that concerns all of them: look-up by name, picking a format's options
 * out of a table's, printing a position.
 *
 * The list is generated from the file names (fmt_*.c); nothing is registered by hand. What every format shares when it
 * meets a bad record lives in format_error.c; this file reads no data. */
#include "flow/format/format.h"

#include "ground/base/str.h"

#include <string.h>

#define X(name) extern const struct fmt_type fmt_##name;
#include "fmt_registry.def"
#undef X

const struct fmt_type *const fmt_types[] = {
#define X(name) &fmt_##name,
#include "fmt_registry.def"
#undef X
    NULL,
};

enum { FORMATS_MAX = 64, KNOWN_TEXT_MAX = 512 };

/* The known names, "csv, json, raw", into out. */
static void names_list(char out[static KNOWN_TEXT_MAX])
{
    size_t used = 0;

    out[0] = 0;
    for (uint32_t i = 0; fmt_types[i]; i++) {
        size_t length = strlen(fmt_types[i]->name);
        if (used + length + 3 > KNOWN_TEXT_MAX) break;
        if (i) {
            memcpy(out + used, ", ", 2);
            used += 2;
        }
        memcpy(out + used, fmt_types[i]->name, length);
        used += length;
        out[used] = 0;
    }
    ASSERT(used < KNOWN_TEXT_MAX);
}

enum status format_find(const char *name, const struct fmt_type **out, struct err *e)
{
    const char *names[FORMATS_MAX];
    char known[KNOWN_TEXT_MAX];
    uint32_t count = 0;
    int nearest;

    ASSERT(name && out);
    for (; fmt_types[count]; count++) {
        ASSERT(count < FORMATS_MAX);
        names[count] = fmt_types[count]->name;
        if (strcmp(name, names[count]) == 0) {
            *out = fmt_types[count];
            return S_OK;
        }
    }
    names_list(known);
    err_set(e, E_CONFIG, "unknown format '%.64s'; the formats are %s", name, known);
    nearest = str_nearest(str_of(name), names, count);
    if (nearest >= 0) err_hint(e, "did you mean '%s'?", names[nearest]);
    return E_CONFIG;
}

struct options format_options(const struct fmt_type *type, const struct options *all, const char *prefix,
                              struct arena *a)
{
    size_t prefix_size = strlen(prefix), name_size = strlen(type->name);
    struct option *items = ARENA_ARRAY(a, struct option, all->count ? all->count : 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < all->count; i++) {
        const char *key = all->items[i].key;
        if (strncmp(key, prefix, prefix_size) != 0) continue;
        key += prefix_size;
        if (strncmp(key, type->name, name_size) != 0 || key[name_size] != '.') continue;
        items[count++] = (struct option){key, all->items[i].value};
    }
    ASSERT(count <= all->count);
    return (struct options){items, count};
}

void format_position_print(const struct format_position *at, struct buf *out)
{
    const char *name = at->name ? at->name : "input";

    ASSERT(out);
    if (at->line) buf_printf(out, "%s:%llu:%llu", name, (unsigned long long)at->line, (unsigned long long)at->column);
    else buf_printf(out, "%s@%llu:%llu", name, (unsigned long long)at->offset, (unsigned long long)at->column);
}
