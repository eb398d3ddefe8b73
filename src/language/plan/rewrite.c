/* rewrite.c - the passes of rewrite.h in their order, over all plans of a statement. Plans of streams depend on the statement, its tables and
 * the configuration, never on what tables hold; those of batch mode on what ANALYZE TABLE found, too (rows.c). */
#include "language/plan/rewrite.h"

#include "language/plan/rel_internal.h"

#include <string.h>

struct scan_reads *scan_reads_of(struct arena *a, struct reading *all, const struct rel *scan)
{
    uint32_t n = scan->row->child_count;

    for (struct scan_reads *s = all->scans; s != NULL; s = s->next)
        if (scan_equal(s->scan, scan)) return s;
    struct scan_reads *s = ARENA_NEW(a, struct scan_reads);
    *s = (struct scan_reads){.scan = scan, .columns = ARENA_ARRAY(a, uint64_t, n / 64 + 1), .uses = ARENA_ARRAY(a, struct use, n + 1)};
    memset(s->columns, 0, sizeof *s->columns * (n / 64 + 1));
    memset(s->uses, 0, sizeof *s->uses * (n + 1));
    s->next = all->scans;
    all->scans = s;
    return s;
}

typedef struct rel *(*pass_fn)(struct arena *a, struct rel *r, struct reading *all);

static void run_pass(struct arena *a, struct rel **plans, uint32_t count, bool is_shared, pass_fn pass)
{
    struct reading all = {.is_shared = is_shared, .collects = true};

    for (uint32_t i = 0; is_shared && i < count; i++) pass(a, plans[i], &all);
    all.collects = false;
    for (uint32_t i = 0; i < count; i++) plans[i] = pass(a, plans[i], &all);
}

uint32_t rel_rewrite(struct arena *a, struct rel **plans, uint32_t count, const struct plan_settings *s)
{
    bool is_shared = s->reuse.parts && s->reuse.sources;

    for (uint32_t i = 0; i < count; i++) plans[i] = rewrite_conditions(a, plans[i]);
    rewrite_normalize(a, plans, count);
    for (uint32_t i = 0; s->reorders_joins && i < count; i++) plans[i] = rewrite_joins(a, plans[i]);
    run_pass(a, plans, count, is_shared, rewrite_columns);
    run_pass(a, plans, count, is_shared, rewrite_fields);
    return count > 1 && s->reuse.parts && s->reuse.sinks ? rewrite_sinks(a, plans, count) : count;
}
