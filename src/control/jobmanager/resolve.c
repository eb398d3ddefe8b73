/* resolve.c - user functions by name. A decoded graph says names; the artifact's table says where the functions are. The
 * table comes from code of users, compiled against whatever headers they had, so every entry used is checked first. */
#include "control/jobmanager/jobmaster.h"

#include "ground/base/str.h"

#include <string.h>

enum { NAMES_MAX = 1024 };

static enum status not_found(const struct artifact_table *t, const char *name, struct err *e)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;

    for (const struct tw_function_entry *f = t->first; f < t->end && count < NAMES_MAX; f++) names[count++] = f->name;
    err_set(e, E_GRAPH, "there is no function '%s' in this program", name);
    int nearest = str_nearest(str_of(name), names, count);
    if (nearest >= 0) err_hint(e, "did you mean '%s'?", names[nearest]);
    return E_GRAPH;
}

static enum status resolve_one(void *arg, struct function_ref *f, struct err *e)
{
    const struct artifact_table *t = arg;

    f->fn = NULL;
    for (const struct tw_function_entry *entry = t->first; entry < t->end; entry++) {
        if (strcmp(entry->name, f->name) != 0) continue;
        if (entry->abi != TW_ABI || entry->function_size != sizeof(struct tw_function))
            return err_set(e, E_GRAPH,
                           "function '%s' was compiled against other headers of Thalweg (version %u); compile it anew",
                           f->name, entry->abi);
        if (f->fn != NULL && f->fn != entry->function)
            return err_set(e, E_GRAPH,
                           "there are two functions '%s' in this program; functions of a job have different names",
                           f->name);
        f->fn = entry->function;
    }
    return f->fn != NULL ? S_OK : not_found(t, f->name, e);
}

enum status resolve_functions(struct graph *g, const struct artifact_table *table, struct err *e)
{
    ASSERT(table->first <= table->end);
    return graph_each_function(g, resolve_one, (void *)(uintptr_t)table, e);
}
