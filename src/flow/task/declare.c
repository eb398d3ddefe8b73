/* declare.c - opens an operator for the sake of its states alone.
 *
 * The idea: what states an operator has depends on its configuration and on the types of its inputs, and `open` knows. So it is opened as
 * the first subtask would be, in a chain of its own, and closed. op_cx.opens_states_only keeps functions of the user out of it.
 *
 * Not here: what of saved states fits (flow/state/snapshot_evolve.c), operators of a graph (control/jobmanager/restore_check.c). */
#include "flow/task/declare.h"

#include "flow/state/sb.h"
#include "flow/task/chain.h"

struct declaring {
    struct mem mem;
    struct task_plan plan;
    struct chain chain;
    struct state_host host;
    struct err err;
};

/* Are all functions of the user known here? */
static bool is_resolved(const struct node_plan *node)
{
    for (const struct config_field *f = node->type->config_fields; f != NULL && f->name != NULL; f++) {
        if (f->kind != CONF_FUNCTION) continue;
        const struct function_ref *ref = (const void *)((const char *)node->config + f->offset);
        if (ref->name != NULL && ref->name[0] != '\0' && ref->fn == NULL) return false;
    }
    return true;
}

bool operator_declares(const struct node_plan *node)
{
    uint32_t flags = node->type->flags;

    if ((flags & (OP_SOURCE | OP_BLOCKING | OP_OUTSIDE)) != 0 || (flags & (OP_STATE | OP_KEEPS | OP_NEEDS_KEY)) == 0) return false;
    if (node->type->blocks != NULL && node->type->blocks(node->config)) return false;
    return is_resolved(node);
}

static int64_t now_ms(void *sys) { return sys_wall_ms(sys); }

static void declaring_init(struct declaring *d, const struct node_plan *node, const struct sb_type *backend, uint32_t parallelism, uint32_t max_parallelism, struct sys *sys)
{
    mem_init(&d->mem, "declare", 0);
    d->plan = (struct task_plan){.name = node->name, .backend = backend, .parallelism = parallelism, .max_parallelism = max_parallelism,
        .batch_rows = BATCH_ROWS, .nodes = node, .node_count = 1};
    chain_init(&d->chain, &d->plan, &d->mem, sys, NULL, &d->err);
    uint64_t groups = ((uint64_t)max_parallelism + parallelism - 1) / parallelism;
    d->host = (struct state_host){.backend = d->plan.backend, .mem = &d->mem, .group_count = (uint32_t)groups,
        .max_parallelism = max_parallelism, .parallelism = parallelism, .now_ms = now_ms, .now_arg = sys, .err = &d->err,
        .cache_bytes = SIZE_MAX}; /* nothing of it leaves memory */
    state_host_init(&d->host);
    d->chain.nodes[0].cx.state = &d->host;
    d->chain.nodes[0].cx.opens_states_only = true;
}

static void declaring_release(struct declaring *d)
{
    struct node *n = &d->chain.nodes[0];

    if (n->cx.type->close != NULL) n->cx.type->close(&n->cx, n->self, true);
    state_host_release(&d->host);
    chain_release(&d->chain, &d->mem);
    mem_release(&d->mem);
}

enum status operator_declare(const struct node_plan *node, const struct sb_type *backend, uint32_t parallelism, uint32_t max_parallelism,
                             const struct state_restore *saved, struct sys *sys, struct arena *a, struct state_outcomes *out, struct err *e)
{
    struct saved_states found = {0};
    struct node_plan alone = *node;
    struct mem mem;

    ASSERT(operator_declares(node) && parallelism >= 1 && max_parallelism >= parallelism);
    if (saved != NULL) TRY(saved_states_find(saved, a, &found, e));
    struct state_part part = {found.chunk};
    struct state_image image = {&part, 1};
    struct state_restore restore = {&image, 1, saved != NULL ? saved->max_parallelism : max_parallelism, node->name, NULL};
    alone.parent = alone.parent_port = 0;
    mem_init(&mem, "declare", 0);
    struct declaring *d = mem_zalloc(&mem, sizeof *d);
    declaring_init(d, &alone, backend, parallelism, max_parallelism, sys);
    struct node *n = &d->chain.nodes[0];
    d->host.restore = saved != NULL ? &restore : NULL;
    enum status st = n->cx.type->open != NULL ? n->cx.type->open(&n->cx, n->self) : S_OK;
    d->host.restore = NULL;
    if (st == S_OK) state_outcomes_of(&d->host, &found, a, out);
    else {
        err_set(&d->err, st, "operator '%s' cannot be opened", node->name);
        err_pass_on(e, &d->err);
    }
    declaring_release(d);
    mem_free(&mem, d);
    mem_release(&mem);
    return st;
}
