/* fn.c - looks functions up in the families' tables, keeps the first error of a batch. */
#include "columns/function/fn.h"

#include "ground/base/str.h"

#define X(n) extern const struct fn_type fn_##n;
#include "fn_registry.def"
#undef X
const struct fn_type *const fn_types[] = {
#define X(n) &fn_##n,
#include "fn_registry.def"
#undef X
    NULL};

const struct fn_def *fn_find(struct str name)
{
    for (const struct fn_type *const *t = fn_types; *t != NULL; t++)
        for (const struct fn_def *d = (*t)->functions; d->name != NULL; d++)
            if (str_equal_nocase(str_of(d->name), name)) return d;
    return NULL;
}

static bool is_selected(const struct batch *b, uint32_t row)
{
    if (b == NULL || b->sel == NULL) return true;
    for (uint32_t i = 0; i < b->sel_count; i++)
        if (b->sel[i] == row) return true;
    return false;
}

void row_error(struct row_errors *e, uint32_t row, enum fn_error code)
{
    if (e->code != 0 || !is_selected(e->batch, row)) return;
    e->row = row;
    e->code = code;
}

const char *fn_error_text(enum fn_error code) { return code == FN_DIVISION_BY_ZERO ? "division by zero" : "the result is out of range"; }

const char *fn_error_hint(enum fn_error code)
{
    return code == FN_DIVISION_BY_ZERO ? "remove such rows before it, for example with tw_where" : "compute in a wider type";
}
