/* fn.c - looks functions up in the families' tables, and keeps the first error of an evaluation. */
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

#define FN_DEFS(d)                                                                                                     \
    for (const struct fn_type *const *type_ = fn_types; *type_ != NULL; type_++)                                       \
        for (const struct fn_def *d = (*type_)->functions; d->name != NULL; d++)

static bool is_alias(const char *aliases, struct str name)
{
    struct str rest = str_of(aliases), one;

    while (str_cut(&rest, ',', &one))
        if (str_equal_nocase(str_trim(one), name)) return true;
    return false;
}

const struct fn_def *fn_find(struct str name)
{
    FN_DEFS(d)
    {
        if (str_equal_nocase(str_of(d->name), name) || (d->aliases != NULL && is_alias(d->aliases, name))) return d;
    }
    return NULL;
}

const char *fn_nearest(struct str name)
{
    const char *best = NULL;

    FN_DEFS(d)
    {
        if (d->name[0] < 'A' || d->name[0] > 'Z') continue; /* an operator, or not for users */
        const char *pair[2] = {best, d->name};
        int nearest = best == NULL ? str_nearest(name, &pair[1], 1) : str_nearest(name, pair, 2);
        if (nearest >= 0) best = best == NULL ? d->name : pair[nearest];
    }
    return best;
}

/* Selected rows ascend: found by halves. Looked at for rows that fail alone. */
static bool is_selected(const struct row_errors *e, uint32_t row)
{
    uint32_t low = 0, high = e->sel_count;

    if (e->sel == NULL) return true;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (e->sel[middle] == row) return true;
        if (e->sel[middle] < row) low = middle + 1;
        else high = middle;
    }
    return false;
}

void row_error(struct row_errors *e, uint32_t row, enum fn_error code, const char *detail)
{
    if (e->null_into != NULL) {
        vector_set_null(e->null_into, row);
        return;
    }
    if ((e->code != 0 && e->row <= row) || !is_selected(e, row)) return;
    e->row = row;
    e->code = code;
    e->detail = detail;
}

const char *fn_error_text(enum fn_error code)
{
    static const char *const texts[] = {[FN_DIVISION_BY_ZERO] = "division by zero",
                                        [FN_OVERFLOW] = "the result is out of range",
                                        [FN_BAD_TEXT] = "the text is no such value",
                                        [FN_BAD_ARGUMENT] = "an argument has a value that the function does not take"};
    return texts[code];
}

const char *fn_error_hint(enum fn_error code)
{
    static const char *const hints[] = {[FN_DIVISION_BY_ZERO] = "leave such rows out before, or divide by NULLIF(x, 0)",
                                        [FN_OVERFLOW] = "compute in a wider type",
                                        [FN_BAD_TEXT] = "correct the value, or use TRY_CAST, which is NULL there",
                                        [FN_BAD_ARGUMENT] = "correct the value, or remove such rows before"};
    return hints[code];
}
