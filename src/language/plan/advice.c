/* advice.c - what is to be said of a plan before it runs: each node knows for itself (rel_type's `advise`). */
#include "language/plan/rel_internal.h"

#include <string.h>

static void add(struct rel_advices *out, struct arena *a, const struct rel *about, const char *text)
{
    for (uint32_t i = 0; i < out->count; i++)
        if (out->items[i].about == about) return;
    if (out->count == out->capacity) {
        out->capacity = MAX(2 * out->capacity, 8u);
        struct rel_advice *items = ARENA_ARRAY(a, struct rel_advice, out->capacity);
        if (out->count > 0) memcpy(items, out->items, sizeof *items * out->count);
        out->items = items;
    }
    out->items[out->count++] = (struct rel_advice){about, text};
}

static void advise(const struct rel *r, const struct plan_settings *s, struct arena *a, struct rel_advices *out)
{
    const char *text = r->type->advise != NULL ? r->type->advise(r, s, a) : NULL;

    if (text != NULL) add(out, a, r, text);
    for (uint32_t i = 0; i < r->input_count; i++) advise(r->inputs[i], s, a, out);
}

void rel_advise(struct rel *const *sinks, uint32_t count, const struct plan_settings *s, struct arena *a, struct rel_advices *out)
{
    *out = (struct rel_advices){0};
    if (s->is_batch) return;
    for (uint32_t i = 0; i < count; i++) advise(sinks[i], s, a, out);
}

enum status rel_check_determinism(struct rel *const *sinks, uint32_t count, struct arena *a, const struct rel_said **said,
                                  struct err *e)
{
    static const struct plan_settings none;
    struct rel_advices all;

    rel_advise(sinks, count, &none, a, &all);
    for (uint32_t i = 0; i < all.count; i++) {
        const struct rel *about = all.items[i].about;
        if (about->type != &rel_calc_type && about->type != &rel_scan_type) continue;
        *said = about->said;
        return err_set(e, E_DATA, "%s", all.items[i].text);
    }
    return S_OK;
}
