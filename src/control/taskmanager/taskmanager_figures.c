/* taskmanager_figures.c - what single tasks did and how busy they are, while they run: counts as they stand, and rates since a while ago.
 *
 * Rates are those between two looks that are SAMPLE_NS apart at least: who looks more often sees the same for so long. */
#include "control/taskmanager/taskmanager_internal.h"

#define SAMPLE_NS INT64_C(1000000000)
#define NS_PER_MS 1000000

static bool leaves_vertex(const struct graph *g, uint32_t node)
{
    for (int e = graph_next_output(g, node, GRAPH_NONE); e >= 0; e = graph_next_output(g, node, e))
        if (!g->edges[e]->chained) return true;
    return false;
}

static void count(const struct taskmanager *tm, const struct vertex_run *run, struct task *t, struct task_figures *out)
{
    const struct graph *g = tm->graph;

    for (uint32_t i = 0; i < run->vertex->node_count; i++) {
        const struct op_metrics *m = task_metrics(t, i);
        uint32_t node = run->vertex->nodes[i];
        if (node == run->vertex->head && (g->nodes[node]->type->flags & OP_SOURCE) == 0) {
            out->rows_in += sys_atomic_load(&m->rows_in);
            out->bytes_in += sys_atomic_load(&m->bytes_in);
        }
        if (!leaves_vertex(g, node)) continue;
        out->rows_out += sys_atomic_load(&m->rows_out);
        out->bytes_out += sys_atomic_load(&m->bytes_out);
    }
}

static uint64_t per_second(uint64_t now, uint64_t then, int64_t ns)
{
    return now > then ? (uint64_t)((double)(now - then) * 1e9 / (double)ns) : 0;
}

static void fill_rates(struct task_sample *s, int64_t now_ns, struct task_figures *f)
{
    int64_t ns = now_ns - s->at_ns;

    if (s->at_ns > 0 && ns < SAMPLE_NS) {
        f->idle_rate = s->then.idle_rate;
        f->full_rate = s->then.full_rate;
        f->busy_rate = s->then.busy_rate;
        f->rows_in_rate = s->then.rows_in_rate;
        f->rows_out_rate = s->then.rows_out_rate;
        return;
    }
    if (s->at_ns > 0) {
        f->idle_rate = MIN(per_second(f->idle_ms, s->then.idle_ms, ns), 1000);
        f->full_rate = MIN(per_second(f->full_ms, s->then.full_ms, ns), 1000);
        f->busy_rate = MIN(per_second(f->busy_ms, s->then.busy_ms, ns), 1000);
        f->rows_in_rate = per_second(f->rows_in, s->then.rows_in, ns);
        f->rows_out_rate = per_second(f->rows_out, s->then.rows_out, ns);
    }
    *s = (struct task_sample){now_ns, *f};
}

bool taskmanager_task_now(struct taskmanager *tm, uint32_t vertex, uint32_t subtask, struct task_figures *out)
{
    const struct vertex_run *run = &tm->vertices[vertex];
    struct task *t = run->tasks[subtask];
    int64_t now = sys_mono_ns(tm->sys);

    *out = (struct task_figures){.watermark = TIME_MIN};
    if (t == NULL) return false;
    struct task_times times = task_times(t, now);
    out->idle_ms = (uint64_t)(times.idle_ns / NS_PER_MS);
    out->full_ms = (uint64_t)(times.full_ns / NS_PER_MS);
    out->busy_ms = (uint64_t)(times.busy_ns / NS_PER_MS);
    out->watermark = task_watermark(t);
    count(tm, run, t, out);
    sys_lock_take(tm->lock);
    fill_rates(&run->samples[subtask], now, out);
    sys_lock_give(tm->lock);
    return true;
}
