/* every_shape.h - a host with a state of every shape, timers and operator state: what the fuzz target of saved state opens, and what the
 * test of kept files reads. */
#pragma once
#include "flow/state/timer.h"
#include "flow/state/view.h"

#include <string.h>

enum { EVERY_GROUPS = 8, EVERY_TABLES = 9 };

struct every_shape {
    struct state_host host;
    struct state_def defs[EVERY_TABLES];
    struct state_table *tables[EVERY_TABLES];
    struct timers *timers[2];
    struct opstate *list, *map;
};

static inline int64_t every_shape_now(void *arg)
{
    (void)arg;
    return 1000;
}

static inline const struct type *every_type(struct arena *a, const char *text)
{
    const struct type *t = NULL;
    enum status st = type_parse(a, (struct str){text, strlen(text)}, &t, NULL);

    ASSERT(st == S_OK);
    return t;
}

static inline void every_shape_defs(struct every_shape *s, struct arena *a)
{
    const struct type *key = every_type(a, "ROW<k BIGINT NOT NULL> NOT NULL"), *two = every_type(a, "ROW<k INT, l STRING> NOT NULL"),
                      *name = every_type(a, "ROW<k STRING> NOT NULL");
    const struct type *sum = every_type(a, "ROW<v BIGINT NOT NULL, s STRING> NOT NULL"),
                      *nested = every_type(a, "ROW<a ARRAY<INT>, r ROW<x BOOLEAN, y DECIMAL(30, 2)>, m MAP<STRING, DOUBLE>> NOT NULL"),
                      *flat = every_type(a, "ROW<t TIMESTAMP(9), d DECIMAL(30, 1), s STRING, b BOOLEAN> NOT NULL"),
                      *sort = every_type(a, "ROW<s STRING, n FLOAT> NOT NULL");
    const struct state_def defs[EVERY_TABLES] = {
        {.name = "map", .key = key, .value = sum},
        {.name = "spaces", .namespaced = true, .key = two, .value = sum},
        {.name = "fades", .key = name, .value = sum, .ttl = state_ttl_of(100000)},
        {.name = "log", .shape = STATE_LOG, .key = key, .value = nested},
        {.name = "multiset", .shape = STATE_MULTISET, .key = two, .value = sum},
        {.name = "packed", .shape = STATE_PACKED, .key = key, .value = flat},
        {.name = "places", .shape = STATE_PLACES, .key = key, .value = flat},
        {.name = "entries", .key = name, .map_key = sort, .value = sum, .ttl = state_ttl_of(100000)},
        {.name = "ordered", .shape = STATE_ORDERED, .key = key, .sort_key = sort, .value = nested, .sort_descending = 2},
    };

    memcpy(s->defs, defs, sizeof defs);
    for (uint32_t i = 0; i < EVERY_TABLES; i++) s->defs[i].upgrade = STATE_UPGRADE_FIELDS; /* whatever columns come */
}

/* The host has nothing open, whatever this answers but S_OK. */
static inline void every_shape_close(struct every_shape *s)
{
    opstate_free(s->map);
    opstate_free(s->list);
    timers_free(s->timers[1]);
    timers_free(s->timers[0]);
    for (uint32_t i = 0; i < EVERY_TABLES; i++) state_close(s->tables[i]);
    state_host_release(&s->host);
}

static inline enum status every_shape_fill_host(struct every_shape *s, struct arena *a, struct err *e)
{
    const struct type *word = every_type(a, "ROW<v BIGINT NOT NULL> NOT NULL");

    for (uint32_t i = 0; i < EVERY_TABLES; i++) TRY(state_open(&s->host, &s->defs[i], &s->tables[i], e));
    TRY(timers_create(&s->host, "event", s->defs[0].key, &s->timers[0], e));
    TRY(timers_create_within(&s->host, "windows", s->defs[1].key, 1, &s->timers[1], e));
    TRY(opstate_create(&s->host, "list", OPSTATE_LIST, NULL, word, &s->list, e));
    return opstate_create(&s->host, "rules", OPSTATE_BROADCAST, word, s->defs[0].value, &s->map, e);
}

static inline enum status every_shape_open(struct every_shape *s, const struct sb_type *backend, const struct state_restore *restore,
                                           struct arena *a, struct err *e)
{
    memset(s, 0, sizeof *s);
    s->host = (struct state_host){.backend = backend, .mem = a->mem, .group_count = EVERY_GROUPS, .max_parallelism = EVERY_GROUPS,
        .now_ms = every_shape_now, .restore = restore, .parallelism = 1};
    state_host_init(&s->host);
    every_shape_defs(s, a);
    enum status st = every_shape_fill_host(s, a, e);
    if (st != S_OK) every_shape_close(s);
    return st;
}
