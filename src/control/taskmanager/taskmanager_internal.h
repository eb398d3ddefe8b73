/* taskmanager_internal.h - a deployed job inside the task manager. */
#pragma once
#include "control/taskmanager/taskmanager.h"
#include "flow/exchange/remote.h"

/* Channels of one edge between vertices. */
struct edge_run {
    const struct graph_edge *edge;
    struct channel **channels;      /* [from * consumers + to]; NULL where the two are not connected, or neither is here */
    uint32_t producers, consumers;
};

enum { TASK_NEWS = 3 }; /* of a task: it opens, it runs, it has ended */

struct vertex_run {
    const struct graph_vertex *vertex;
    const struct node_plan *nodes;
    struct task_plan *plans;        /* [parallelism] */
    struct task **tasks;            /* [parallelism]; NULL: it runs elsewhere */
    struct worker **workers;        /* of each task; NULL as well */
    struct mem *channel_mems;       /* [parallelism] memory of the channels that a subtask sends on */
    struct gate_budget *budgets;    /* [parallelism] of the channels into a subtask */
    struct task_news *news;         /* [parallelism * TASK_NEWS] */
    struct sys_atomic_u64 *is_over; /* [parallelism] */
    struct task_sample *samples;    /* [parallelism], under the lock */
};

/* Figures of a while ago, and the rates since the one before. */
struct task_sample {
    int64_t at_ns;
    struct task_figures then;
};

struct taskmanager {
    struct mem mem;
    struct arena arena;
    struct sys *sys;
    struct log *log;
    struct taskmanager_settings settings;
    const struct graph *graph;
    struct job_shared *job;
    struct state_budget state_budget;
    struct vertex_run *vertices;    /* [graph->vertex_count] */
    struct edge_run *edges;         /* [graph->edge_count]; channels NULL for chained ones */
    struct worker **workers;
    uint32_t worker_count, started;
    uint32_t task_count;
    struct sys_atomic_u64 has_failed; /* a task has not ended by itself */
    struct sys_lock *lock; /* of samples */
    task_news_fn news;
    void *news_arg;
};

/* deploy.c: runs the subtask in this process? */
bool deploy_is_here(const struct taskmanager *tm, uint32_t vertex, uint32_t subtask);
/* deploy.c: fills vertices and edges, makes the tasks. */
void deploy_tasks(struct taskmanager *tm);
void deploy_release(struct taskmanager *tm);
