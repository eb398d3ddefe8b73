/* rank_config.c - what rankings have in common at graph time: their places, and the column that tells them. */
#include "flow/operator/rank_config.h"

#include <string.h>

enum status rank_places_check(int64_t first, int64_t last, struct err *e)
{
    if (first >= 1 && last >= first) return S_OK;
    return err_set(e, E_CONFIG, "the places of a rank must be 1 <= first <= last, not %lld and %lld", (long long)first, (long long)last);
}

const struct type *rank_output(const struct op_plan *p, const char *number)
{
    const struct type *in = p->inputs[0];
    uint32_t n = in->child_count;
    const struct type **types = ARENA_ARRAY(p->arena, const struct type *, n + 1);
    const char **names = ARENA_ARRAY(p->arena, const char *, n + 1);

    if (number == NULL) return in;
    memcpy(types, in->children, sizeof *types * n);
    memcpy(names, in->names, sizeof *names * n);
    types[n] = type_new(p->arena, T_BIGINT, 0, 0, false);
    names[n] = number;
    return type_row(p->arena, n + 1, names, types, false);
}
