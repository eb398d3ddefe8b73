/* rewrite.c - the passes of rewrite.h in their order. Plans depend on the statement, its tables and the configuration, never on what
 * tables hold. */
#include "language/plan/rewrite.h"

struct rel *rel_rewrite(struct arena *a, struct rel *r)
{
    return rewrite_fields(a, rewrite_columns(a, rewrite_conditions(a, r)));
}
