/* user_metrics.c - metrics of user functions: groups are dotted paths, measures live in the job's registry, so a handle is
 * valid for as long as the function, and what it measured can be read when the job is over. What groups
 * with a value say of their measures are variables of these.
 *
 * An enumerator runs on the threads of all subtasks; its measures stand in a group "enumerator" of subtask 0. Without a job
 * (a single operator in a test) there is no registry and so no measure: handles are NULL, and changing NULL does nothing. */
#include "flow/operator/user.h"

#include "flow/task/job_shared.h"
#include "flow/task/metrics.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS_MAX = 256 };

struct tw_metric_group {
    struct tw_metric_group *next;
    const char *path; /* "topic.orders" */
    struct options variables; /* <topic> is orders; those of its parents before */
};

static struct metric *metric_of(struct tw_metric *m) { return (struct metric *)m; }

static bool is_name(const char *text) { return text != NULL && text[0] != '\0'; }

/* --- groups -------------------------------------------------------------------------------------------------------------- */
static struct tw_metric_group *group_find(struct tw_context *cx, const char *path)
{
    struct tw_metric_group *g = cx->groups;

    while (g != NULL && strcmp(g->path, path) != 0) g = g->next;
    return g;
}

/* Those of the parent, and one more if there is a value. */
static struct options variables_make(struct arena *a, const struct tw_metric_group *parent, const char *name,
                                     const char *value)
{
    struct options all = parent != NULL ? parent->variables : (struct options){0};
    struct option *items;

    if (value == NULL) return all;
    items = ARENA_ARRAY(a, struct option, all.count + 1);
    if (all.count > 0) memcpy(items, all.items, sizeof *items * all.count);
    items[all.count] = (struct option){arena_printf(a, "<%s>", name), arena_strdup(a, value)};
    return (struct options){items, all.count + 1};
}

static struct tw_metric_group *group_make(struct tw_context *cx, const char *path, const struct tw_metric_group *parent,
                                          const char *name, const char *value)
{
    uint32_t count = 0;

    for (struct tw_metric_group *g = cx->groups; g != NULL; g = g->next) count++;
    if (count == GROUPS_MAX || strlen(path) > METRIC_NAME_MAX) {
        user_misuse(cx, "metric group '%.64s': at most %d of them, of at most %d bytes", path, GROUPS_MAX,
                    METRIC_NAME_MAX);
        return NULL;
    }
    struct tw_metric_group *made = ARENA_NEW(&cx->arena, struct tw_metric_group);
    *made = (struct tw_metric_group){cx->groups, arena_strdup(&cx->arena, path),
                                     variables_make(&cx->arena, parent, name, value)};
    cx->groups = made;
    return made;
}

/* Too long a path keeps one byte too many, which is how it is found out. */
struct path {
    char text[METRIC_NAME_MAX + 2];
};

static void path_append(struct path *p, const char *name)
{
    size_t used = strlen(p->text);

    snprintf(p->text + used, sizeof p->text - used, "%s%s", used > 0 ? "." : "", name);
}

struct tw_metric_group *tw_metric_group(struct tw_context *cx, struct tw_metric_group *parent, const char *name,
                                        const char *value)
{
    struct path path = {""};

    if (!is_name(name) || (value != NULL && value[0] == '\0')) {
        user_misuse(cx, "tw_metric_group needs a name, and a value that is not empty or NULL");
        return NULL;
    }
    if (parent != NULL) path_append(&path, parent->path);
    path_append(&path, name);
    if (value != NULL) path_append(&path, value);
    struct tw_metric_group *g = group_find(cx, path.text);
    return g != NULL ? g : group_make(cx, path.text, parent, name, value);
}

static const char *find_last(const struct options *o, const char *key)
{
    for (uint32_t i = o != NULL ? o->count : 0; i-- > 0;)
        if (strcmp(o->items[i].key, key) == 0) return o->items[i].value;
    return NULL;
}

/* The nearest counts: the group's, the operator's by its program, what is known of operator and task. */
const char *tw_metric_group_variable(struct tw_context *cx, struct tw_metric_group *g, const char *key)
{
    const struct op_cx *op = cx->op;
    const char *value = NULL;

    if (key == NULL) return NULL;
    if (g != NULL) value = find_last(&g->variables, key);
    if (value == NULL) value = find_last(op->user_variables, key);
    if (value != NULL) return value;
    if (strcmp(key, "<operator_name>") == 0) return op->name;
    if (strcmp(key, "<operator_id>") == 0) return op->uid;
    return find_last(op->task_variables, key);
}

/* --- measures ------------------------------------------------------------------------------------------------------------ */
static struct tw_metric *metric_get(struct tw_context *cx, const struct tw_metric_group *g, const char *name,
                                    enum metric_kind kind)
{
    const struct op_cx *op = cx->op;
    bool is_enumerator = op->plan == NULL;
    struct metric_owner owner = job_metric_owner(op);
    struct path full = {""};
    struct err e = {0};

    if (!is_name(name)) {
        user_misuse(cx, "a metric needs a name");
        return NULL;
    }
    if (op->job == NULL) return NULL;
    if (g != NULL) owner.group_variables = &g->variables;
    if (is_enumerator) path_append(&full, "enumerator");
    if (g != NULL) path_append(&full, g->path);
    path_append(&full, name);
    struct metric *x = metrics_get(job_metrics(op->job), &owner, full.text, kind, &e);
    if (x == NULL) user_misuse(cx, "%s", e.text);
    return (struct tw_metric *)x;
}

struct tw_metric *tw_metric_counter(struct tw_context *cx, struct tw_metric_group *group, const char *name)
{
    return metric_get(cx, group, name, METRIC_COUNTER);
}

struct tw_metric *tw_metric_gauge(struct tw_context *cx, struct tw_metric_group *group, const char *name)
{
    return metric_get(cx, group, name, METRIC_GAUGE);
}

struct tw_metric *tw_metric_meter(struct tw_context *cx, struct tw_metric_group *group, const char *name)
{
    return metric_get(cx, group, name, METRIC_METER);
}

struct tw_metric *tw_metric_histogram(struct tw_context *cx, struct tw_metric_group *group, const char *name)
{
    return metric_get(cx, group, name, METRIC_HISTOGRAM);
}

/* --- changing them --------------------------------------------------------------------------------------------------------- */
void tw_metric_add(struct tw_context *cx, struct tw_metric *m, int64_t n)
{
    struct metric *x = metric_of(m);

    if (x == NULL) return;
    if (metric_kind(x) == METRIC_COUNTER || metric_kind(x) == METRIC_METER)
        metric_add(x, n);
    else
        user_misuse(cx, "tw_metric_add is for counters and meters");
}

void tw_metric_set(struct tw_context *cx, struct tw_metric *m, double value)
{
    struct metric *x = metric_of(m);

    if (x == NULL) return;
    if (metric_kind(x) == METRIC_GAUGE)
        metric_set(x, value);
    else
        user_misuse(cx, "tw_metric_set is for gauges");
}

void tw_metric_update(struct tw_context *cx, struct tw_metric *m, int64_t value)
{
    struct metric *x = metric_of(m);

    if (x == NULL) return;
    if (metric_kind(x) == METRIC_HISTOGRAM)
        metric_update(x, value);
    else
        user_misuse(cx, "tw_metric_update is for histograms");
}
