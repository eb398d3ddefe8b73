/* restore_plan.c - see restore_plan.h.
 *
 * Every new subtask of an operator gets all old subtasks' chunks: which rows of them are its own only the state knows, by key group
 * and way of sharing. Numbers that are one per subtask are its predecessor's where the parallelism is the same, else the least of all
 * that had not finished: a watermark must not be ahead of what any of them may still bring. What was prepared and may not be
 * committed is dealt out, each to one subtask. A task is finished when all its operators were, in its predecessor or in all. At
 * another parallelism operators are chained in another way, so that a task may have some that had finished and others that had not.
 *
 * Not here: which snapshot it is (jobmaster_resume.c), and what chunks say (flow/state). */
#include "control/jobmanager/restore_plan.h"

#include "columns/column/batch.h"
#include "flow/state/snapshot.h"
#include "flow/state/snapshot_compare.h"

#include <string.h>

struct node_source {
    const struct snapshot_operator *old; /* NULL: it is new */
    struct state_restore state;
};

struct restore_plan {
    struct mem mem, state_mem;
    struct arena arena;
    struct snapshot_reader *reader;
    const struct graph *graph;
    struct node_source *nodes;   /* [graph->node_count] */
    struct node_source *in_flight; /* [graph->vertex_count] what was on the way to each */
    struct task_restore **tasks; /* [vertex] [subtask] */
};

/* --- checks --------------------------------------------------------------------------------------------------------------- */
static bool has_state(const struct snapshot_operator *o)
{
    for (uint32_t i = 0; i < o->parallelism; i++)
        if (o->subtasks[i].handle_count > 0 || o->subtasks[i].committables.size > 0) return true;
    return false;
}

static enum status unclaimed(const struct restore_plan *p, const struct snapshot_operator *o, struct err *e)
{
    err_set(e, E_GRAPH, "'%s' has state of the operator '%s' (id %s), but the job has no operator with that id",
            p->reader->uri, o->name, o->id);
    err_hint(e, "give operators a uid that stays when the job changes; --allowNonRestoredState (-n) drops that state");
    return E_GRAPH;
}

static enum status lower_max_parallelism(const struct snapshot_operator *o, const struct graph_node *n, struct err *e)
{
    err_set(e, E_GRAPH, "operator '%s' has a max parallelism of %u, its state in the snapshot one of %u", n->name,
            n->max_parallelism, o->max_parallelism);
    err_hint(e, "it may be raised and never lowered: set pipeline.max-parallelism, or the operator's own, to %u or more",
             o->max_parallelism);
    return graph_at(n->here, e);
}

static int node_of(const struct graph *g, const char *id)
{
    for (uint32_t i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i]->id, id) == 0) return (int)i;
    return GRAPH_NONE;
}

/* To which the operator of that id was in flight. */
static int vertex_of(const struct graph *g, const char *id)
{
    for (uint32_t v = 0; v < g->vertex_count; v++)
        if (strcmp(g->vertices[v].in_flight_id, id) == 0) return (int)v;
    return GRAPH_NONE;
}

static enum status match(struct restore_plan *p, bool allows_unclaimed, struct err *e)
{
    const struct snapshot_metadata *m = &p->reader->metadata;

    p->nodes = ARENA_ARRAY(&p->arena, struct node_source, p->graph->node_count + 1);
    p->in_flight = ARENA_ARRAY(&p->arena, struct node_source, p->graph->vertex_count);
    for (uint32_t i = 0; i < m->operator_count; i++) {
        const struct snapshot_operator *o = &m->operators[i];
        int at = node_of(p->graph, o->id), vertex = vertex_of(p->graph, o->id);
        if (vertex != GRAPH_NONE) p->in_flight[vertex].old = o;
        if (vertex != GRAPH_NONE) continue;
        if (at == GRAPH_NONE && has_state(o) && !allows_unclaimed) return unclaimed(p, o, e);
        if (at == GRAPH_NONE) continue;
        if (has_state(o) && o->max_parallelism > p->graph->nodes[at]->max_parallelism)
            return lower_max_parallelism(o, p->graph->nodes[at], e);
        p->nodes[at].old = o;
    }
    return S_OK;
}

/* --- state ---------------------------------------------------------------------------------------------------------------- */
enum status restore_plan_images(const struct restore_plan *p, const struct snapshot_operator *o, struct mem *mem,
                                struct state_restore *out, struct err *e)
{
    struct state_image *images = mem_zalloc(mem, sizeof *images * o->parallelism);
    uint32_t chunks = 0, n = 0;

    for (uint32_t i = 0; i < o->parallelism; i++) chunks += o->subtasks[i].handle_count;
    struct snapshot_chunk_place *places = mem_zalloc(mem, sizeof *places * (chunks + 1));
    *out = (struct state_restore){images, o->parallelism, o->max_parallelism, NULL, p->reader->sys};
    for (uint32_t i = 0; i < o->parallelism; i++) {
        const struct snapshot_subtask *s = &o->subtasks[i];
        struct state_part *parts = mem_zalloc(mem, sizeof *parts * (s->handle_count + 1));
        for (uint32_t h = 0; h < s->handle_count; h++) places[n++] = snapshot_reader_find(p->reader, &s->handles[h], &parts[h].bytes);
        images[i] = (struct state_image){parts, s->handle_count};
    }
    return snapshot_reader_places(p->reader, places, n, mem, e);
}

static enum status read_source(struct restore_plan *p, struct node_source *n, const char *name, struct err *e)
{
    if (n->old == NULL) return S_OK;
    TRY(restore_plan_images(p, n->old, &p->state_mem, &n->state, e));
    n->state.operator = name;
    return S_OK;
}

const struct state_restore *restore_plan_node(const struct restore_plan *p, uint32_t node, const struct snapshot_operator **old)
{
    const struct node_source *n = &p->nodes[node];

    ASSERT(node < p->graph->node_count);
    if (old != NULL) *old = n->old;
    return n->old != NULL && has_state(n->old) ? &n->state : NULL;
}

enum status restore_plan_read(struct restore_plan *p, struct err *e)
{
    for (uint32_t i = 0; i < p->graph->node_count; i++) TRY(read_source(p, &p->nodes[i], p->graph->nodes[i]->name, e));
    for (uint32_t v = 0; v < p->graph->vertex_count; v++) TRY(read_source(p, &p->in_flight[v], p->graph->vertices[v].name, e));
    return S_OK;
}

static enum status read_schemas(struct restore_plan *p, const struct snapshot_operator *o, const struct snapshot_handle *h, struct str *out,
                                struct err *e)
{
    struct mem mem;
    struct buf bytes;
    struct str chunk;

    mem_init(&mem, "schemas", 0);
    buf_init(&bytes, &p->state_mem);
    enum status st = snapshot_reader_chunk(p->reader, h, &mem, &chunk, e);
    if (st == S_OK) st = chunk_schemas(chunk, o->max_parallelism, &bytes, e);
    *out = (struct str){bytes.data, bytes.size};
    mem_release(&mem);
    return st;
}

static enum status read_node_schemas(struct restore_plan *p, struct node_source *n, const char *name, struct err *e)
{
    const struct snapshot_operator *o = n->old;
    struct state_image *images = mem_zalloc(&p->state_mem, sizeof *images * o->parallelism);

    n->state = (struct state_restore){images, o->parallelism, o->max_parallelism, name, NULL};
    for (uint32_t i = 0; i < o->parallelism; i++) {
        const struct snapshot_subtask *s = &o->subtasks[i];
        struct state_part *parts = mem_zalloc(&p->state_mem, sizeof *parts * (s->handle_count + 1));
        for (uint32_t h = 0; h < s->handle_count; h++) TRY(read_schemas(p, o, &s->handles[h], &parts[h].bytes, e));
        images[i] = (struct state_image){parts, s->handle_count};
    }
    return S_OK;
}

enum status restore_plan_read_schemas(struct restore_plan *p, struct err *e)
{
    for (uint32_t i = 0; i < p->graph->node_count; i++)
        if (p->nodes[i].old != NULL) TRY(read_node_schemas(p, &p->nodes[i], p->graph->nodes[i]->name, e));
    return S_OK;
}

void restore_plan_drop_state(struct restore_plan *p)
{
    mem_release(&p->state_mem);
    mem_init(&p->state_mem, "state to restore", 0);
    for (uint32_t i = 0; i < p->graph->node_count; i++) p->nodes[i].state = (struct state_restore){0};
    for (uint32_t v = 0; v < p->graph->vertex_count; v++) p->in_flight[v].state = (struct state_restore){0};
}

/* --- subtasks ------------------------------------------------------------------------------------------------------------- */
static void add_numbers(struct node_restore *out, const struct snapshot_subtask *s)
{
    if (s->is_finished) return;
    out->watermark = MIN(out->watermark, s->watermark);
    out->sent_watermark = MIN(out->sent_watermark, s->sent_watermark);
    out->is_idle &= s->is_idle;
}

static void deal_committables(struct restore_plan *p, const struct snapshot_operator *o, uint32_t subtask,
                              uint32_t parallelism, struct node_restore *out)
{
    struct str *list = ARENA_ARRAY(&p->arena, struct str, o->parallelism);

    if (p->reader->is_committed) return;
    for (uint32_t i = subtask; i < o->parallelism; i += parallelism)
        if (o->subtasks[i].committables.size > 0) list[out->committable_count++] = o->subtasks[i].committables;
    out->committables = list;
}

static void fill_node(struct restore_plan *p, struct node_source *n, uint32_t subtask, uint32_t parallelism,
                      struct node_restore *out)
{
    const struct snapshot_operator *o = n->old;
    bool any = false;

    *out = (struct node_restore){.watermark = TIME_MIN, .sent_watermark = TIME_MIN};
    if (o == NULL) return;
    bool is_same = o->parallelism == parallelism;
    for (uint32_t i = 0; i < o->parallelism; i++) any |= (!is_same || i == subtask) && !o->subtasks[i].is_finished;
    if (any) *out = (struct node_restore){.watermark = INT64_MAX, .sent_watermark = INT64_MAX, .is_idle = true};
    for (uint32_t i = 0; any && i < o->parallelism; i++)
        if (!is_same || i == subtask) add_numbers(out, &o->subtasks[i]);
    out->state = &n->state;
    deal_committables(p, o, subtask, parallelism, out);
}

static bool was_finished(const struct snapshot_operator *o, uint32_t subtask, uint32_t parallelism)
{
    if (o == NULL) return false;
    if (o->parallelism == parallelism) return o->subtasks[subtask].is_finished;
    for (uint32_t i = 0; i < o->parallelism; i++)
        if (!o->subtasks[i].is_finished) return false;
    return true;
}

/* Other receivers than before must not be ahead of those that had nothing in flight, either. */
static void fill_in_flight(struct restore_plan *p, const struct graph_vertex *v, struct task_restore *out)
{
    struct node_source *n = &p->in_flight[v - p->graph->vertices];
    const struct snapshot_operator *o = n->old, *head = p->nodes[v->head].old;

    out->in_flight_watermark = INT64_MAX;
    if (o == NULL) return;
    out->in_flight = &n->state;
    for (uint32_t i = 0; head != NULL && o->parallelism != v->parallelism && i < MIN(o->parallelism, head->parallelism); i++)
        if (o->subtasks[i].handle_count == 0 && !head->subtasks[i].is_finished)
            out->in_flight_watermark = MIN(out->in_flight_watermark, head->subtasks[i].watermark);
}

static void fill_task(struct restore_plan *p, const struct graph_vertex *v, uint32_t subtask, struct task_restore *out)
{
    struct node_restore *nodes = ARENA_ARRAY(&p->arena, struct node_restore, v->node_count);

    out->is_finished = true;
    for (uint32_t i = 0; i < v->node_count; i++) {
        struct node_source *n = &p->nodes[v->nodes[i]];
        fill_node(p, n, subtask, v->parallelism, &nodes[i]);
        nodes[i].is_finished = was_finished(n->old, subtask, v->parallelism);
        out->is_finished &= nodes[i].is_finished;
    }
    out->nodes = nodes;
    fill_in_flight(p, v, out);
}

static void fill_tasks(struct restore_plan *p)
{
    p->tasks = ARENA_ARRAY(&p->arena, struct task_restore *, p->graph->vertex_count);
    for (uint32_t v = 0; v < p->graph->vertex_count; v++) {
        const struct graph_vertex *vertex = &p->graph->vertices[v];
        p->tasks[v] = ARENA_ARRAY(&p->arena, struct task_restore, vertex->parallelism);
        for (uint32_t s = 0; s < vertex->parallelism; s++) fill_task(p, vertex, s, &p->tasks[v][s]);
    }
}

/* --- the plan ------------------------------------------------------------------------------------------------------------- */
enum status restore_plan_create(struct snapshot_reader *r, const struct graph *g, bool allows_unclaimed,
                                struct restore_plan **out, struct err *e)
{
    struct mem mem;
    mem_init(&mem, "restore", 0);
    struct restore_plan *p = mem_zalloc(&mem, sizeof *p);

    ASSERT(g->vertex_count > 0);
    mem_init(&p->mem, "restore", 0);
    mem_move(&mem, &p->mem);
    mem_init(&p->state_mem, "state to restore", 0);
    arena_init(&p->arena, &p->mem, 0);
    p->reader = r;
    p->graph = g;
    *out = NULL;
    enum status st = match(p, allows_unclaimed, e);
    if (st != S_OK) {
        restore_plan_free(p);
        return st;
    }
    fill_tasks(p);
    *out = p;
    return S_OK;
}

void restore_plan_free(struct restore_plan *p)
{
    struct mem mem;

    if (p == NULL) return;
    snapshot_reader_close(p->reader);
    mem_release(&p->state_mem);
    mem_init(&mem, "restore", 0);
    mem_move(&p->mem, &mem);
    mem_release(&mem);
}

const struct task_restore *restore_plan_task(void *plan, uint32_t vertex, uint32_t subtask)
{
    const struct restore_plan *p = plan;

    ASSERT(vertex < p->graph->vertex_count && subtask < p->graph->vertices[vertex].parallelism);
    return &p->tasks[vertex][subtask];
}

const struct snapshot_metadata *restore_plan_metadata(const struct restore_plan *p) { return &p->reader->metadata; }
const char *restore_plan_uri(const struct restore_plan *p) { return p->reader->uri; }
uint64_t restore_plan_bytes(const struct restore_plan *p)
{
    return p->reader->size + metadata_state_bytes(&p->reader->metadata);
}
const char *restore_plan_split(const struct restore_plan *p, struct arena *a)
{
    for (uint32_t i = 0; i < p->graph->node_count; i++) {
        const struct snapshot_operator *o = p->nodes[i].old;
        const struct graph_node *n = p->graph->nodes[i];
        if (o == NULL || !has_state(o) || o->max_parallelism == n->max_parallelism) continue;
        return arena_printf(a,
                            "the max parallelism of '%s' is %u, %u before: key groups are split. Until its next checkpoint a "
                            "start reads some state in several subtasks, and each keeps what is its own",
                            n->name, n->max_parallelism, o->max_parallelism);
    }
    return NULL;
}

uint64_t restore_plan_digest(const struct restore_plan *p) { return p->reader->digest; }
