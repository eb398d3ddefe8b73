/* job_after.c - see the header. */
#include "surface/sql/job_after.h"

#include "flow/connector/connector.h"
#include "language/plan/rel.h"

#include <string.h>

/* --- what is kept ------------------------------------------------------------------------------------------------ */
static const char *inferred_file(const struct rel *r)
{
    const struct table *t = rel_scanned(r);
    const char *file = t != NULL ? t->inferred_from : NULL;

    for (uint32_t i = 0; i < r->input_count && file == NULL; i++) file = inferred_file(r->inputs[i]);
    return file;
}

static struct options options_keep(const struct options *o, struct arena *a)
{
    struct option *items = ARENA_ARRAY(a, struct option, MAX(o->count, 1u));

    for (uint32_t i = 0; i < o->count; i++)
        items[i] = (struct option){arena_strdup(a, o->items[i].key), arena_strdup(a, o->items[i].value)};
    return (struct options){items, o->count};
}

static struct job_replacement replacement_of(const struct sink_body *s, struct arena *a)
{
    const struct conn_type *c = NULL;
    enum status found = conn_find(table_option(s->replaced, "connector"), &c, NULL);

    ASSERT(found == S_OK && c->sink->rewrite != NULL); /* bind_insert looked */
    return (struct job_replacement){c->sink->rewrite, options_keep(&s->replaced->options, a),
                                    options_keep(&s->table->options, a), s->replaces_all};
}

void job_after_of(struct rel *const *sinks, uint32_t count, struct arena *a, struct job_after *out)
{
    struct job_replacement *items = ARENA_ARRAY(a, struct job_replacement, MAX(count, 1u));
    const char *inferred = NULL;

    *out = (struct job_after){.replacements = items};
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_body *s = rel_sink_body(sinks[i]);
        if (inferred == NULL) inferred = inferred_file(sinks[i]);
        if (s->replaced != NULL) items[out->replacement_count++] = replacement_of(s, a);
    }
    out->inferred = inferred != NULL ? arena_strdup(a, inferred) : NULL;
}

void job_after_of_graph(const struct job_replacement *items, uint32_t count, struct arena *a, struct job_after *out)
{
    struct job_replacement *kept = ARENA_ARRAY(a, struct job_replacement, MAX(count, 1u));

    for (uint32_t i = 0; i < count; i++)
        kept[i] = (struct job_replacement){items[i].rewrite, options_keep(&items[i].table, a), options_keep(&items[i].staged, a), items[i].all};
    *out = (struct job_after){.replacement_count = count, .replacements = kept};
}

/* --- behind the job ---------------------------------------------------------------------------------------------- */
enum status job_after_replace(const struct job_after *x, struct sys *sys, enum status st, struct err *e)
{
    for (uint32_t i = 0; i < x->replacement_count; i++) {
        const struct job_replacement *r = &x->replacements[i];
        if (st == S_OK) st = r->rewrite->replace(sys, &r->table, &r->staged, r->all, e);
        r->rewrite->discard(sys, &r->staged);
    }
    return st;
}

/* What stands beyond the first rows of a file may not fit what was inferred from them. */
static void hint_inferred(const char *file, struct err *e)
{
    char before[ERR_HINT_MAX];

    memcpy(before, e->hint, sizeof before);
    e->hint[0] = '\0';
    err_hint(e,
             "the columns of '%s' were inferred from its first rows: declare them with CREATE TABLE, which DESCRIBE "
             "'%s' proposes%s%s",
             file, file, before[0] != '\0' ? "; or " : "", before);
}

void job_after_explain(const struct job_after *x, struct err *e)
{
    if (e == NULL || e->status != E_DATA) return;
    expr_places_show(&x->places, e);
    if (x->inferred != NULL) hint_inferred(x->inferred, e);
}
