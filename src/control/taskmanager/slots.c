/* slots.c - how many slots a job takes. Subtasks of one slot sharing group share slots, one of each vertex per slot, so a
 * group takes as many as its widest vertex has subtasks; groups do not share. Groups stand one behind the other, in order of
 * their first vertices. */
#include "control/taskmanager/taskmanager_internal.h"

#include <string.h>

/* Is v the first of its group? */
static bool is_first(const struct graph *g, uint32_t v)
{
    for (uint32_t i = 0; i < v; i++)
        if (strcmp(g->vertices[i].slot_group, g->vertices[v].slot_group) == 0) return false;
    return true;
}

static uint32_t group_slots(const struct graph *g, const char *group)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < g->vertex_count; i++)
        if (strcmp(g->vertices[i].slot_group, group) == 0) most = MAX(most, g->vertices[i].parallelism);
    return most;
}

uint32_t slots_needed(const struct graph *g)
{
    uint32_t needed = 0;

    for (uint32_t v = 0; v < g->vertex_count; v++)
        if (is_first(g, v)) needed += group_slots(g, g->vertices[v].slot_group);
    return needed;
}

uint32_t slots_first(const struct graph *g, uint32_t vertex)
{
    uint32_t before = 0;

    ASSERT(vertex < g->vertex_count);
    for (uint32_t v = 0; strcmp(g->vertices[v].slot_group, g->vertices[vertex].slot_group) != 0; v++)
        if (is_first(g, v)) before += group_slots(g, g->vertices[v].slot_group);
    return before;
}

enum status slots_check(const struct graph *g, uint32_t slots, struct err *e)
{
    uint32_t needed = slots_needed(g);

    if (slots == 0 || needed <= slots) return S_OK;
    err_set(e, E_CONFIG, "the job needs %u slots, but the task manager has %u", needed, slots);
    err_hint(e, "lower the parallelism, or set taskmanager.numberOfTaskSlots=%u", needed);
    return E_CONFIG;
}
