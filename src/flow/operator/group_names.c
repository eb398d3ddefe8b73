/* group_names.c - names of the saved state of aggregates.
 *
 * The idea: snapshots match columns by name, and a group's words are of one type, so a name that counts would give the sum of one call
 * to another when a query is changed. The name says what is computed. Where what DISTINCT knows depends on several calls, all of them are
 * in the name of its value's column: with other calls it is refused, not misread.
 *
 * Not here: which columns may come and go (flow/state/snapshot_evolve.c). */
#include "flow/operator/group_names.h"

#include "ground/base/str.h"

#include <string.h>

const char *group_call_text(struct arena *a, const struct group_config *c, uint32_t i)
{
    bool is_distinct = strcmp(c->distinct.items[i], "true") == 0, has_parameter = i < c->parameters.count && c->parameters.items[i][0] == '=';
    const char *argument = c->arguments.items[i][0] != '\0' ? c->arguments.items[i] : "*", *filter = c->filters.items[i];

    return arena_printf(a, "%s(%s%s%s%s)%s%s", c->functions.items[i], is_distinct ? "DISTINCT " : "", argument, has_parameter ? ", " : "",
        has_parameter ? c->parameters.items[i] + 1 : "", filter[0] != '\0' ? " FILTER " : "", filter);
}

const struct type *group_acc_row(struct arena *a, uint32_t first, const struct group_config *c, const struct group_call *calls)
{
    uint32_t count = first, n = first;

    for (uint32_t i = 0; i < c->functions.count; i++) count += calls[i].agg.words;
    const struct type *plain = group_words_row(a, count);
    const char **names = ARENA_ARRAY(a, const char *, count + 1);
    for (uint32_t i = 0; i < first; i++) names[i] = plain->names[i];
    for (uint32_t i = 0; i < c->functions.count; i++) {
        const char *text = group_call_text(a, c, i);
        for (uint32_t k = 0; k < calls[i].agg.words; k++) names[n++] = k == 0 ? text : arena_printf(a, "%s #%u", text, k + 1);
    }
    ASSERT(n == count);
    return type_row(a, count, names, plain->children, false);
}

/* How many calls before this one have tables that would be called alike. */
static uint32_t namesakes(bool is_distinct, const struct group_config *c, uint32_t call)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < call; i++) {
        bool is_like = str_equal(str_of(c->arguments.items[i]), str_of(c->arguments.items[call]));
        count += is_like && (is_distinct || str_equal(str_of(c->functions.items[i]), str_of(c->functions.items[call])));
    }
    return count;
}

const char *group_table_name(struct arena *a, const char *kind, const struct group_config *c, uint32_t call, uint32_t set)
{
    bool is_distinct = strcmp(kind, "distinct") == 0;
    const char *what = is_distinct ? c->arguments.items[call] : group_call_text(a, c, call);
    uint32_t before = namesakes(is_distinct, c, call);
    const char *name = arena_printf(a, "%s %s", kind, what);

    if (before > 0) name = arena_printf(a, "%s, %u", name, before + 1);
    return set > 0 ? arena_printf(a, "%s / %u", name, set + 1) : name;
}

const char *group_distinct_column(struct arena *a, const struct group_config *c, const struct group_call *calls, uint32_t set)
{
    const char *text = NULL;

    for (uint32_t i = set; i < c->functions.count; i++) {
        if (!calls[i].is_distinct || calls[i].set != set || calls[i].leader != i) continue;
        const char *filter = c->filters.items[i], *one = c->arguments.items[i];
        if (filter[0] != '\0') one = arena_printf(a, "%s FILTER %s", one, filter);
        text = text == NULL ? one : arena_printf(a, "%s, %s", text, one);
    }
    return text;
}
