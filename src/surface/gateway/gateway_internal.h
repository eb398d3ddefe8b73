/* gateway_internal.h - what gateway.c (the session) and gateway_run.c (statements) share. */
#pragma once
#include "control/config.h"
#include "surface/gateway/gateway.h"
#include "surface/gateway/gateway_rest.h"

struct gateway {
    struct statement_executor base;
    struct mem mem;
    struct arena arena;        /* of what lives as long */
    struct arena config_arena; /* of config */
    struct arena call_arena;   /* of one call */
    struct gateway_options options;
    struct gateway_rest rest;
    struct config settings;       /* that the session begins with */
    struct config config;         /* as the gateway said last */
    struct zone zone;             /* of table.local-time-zone */
    const char *handle;           /* of the session; NULL: it is not open */
    struct buf path, body;        /* of the next call */
    struct sys_atomic_u64 signal; /* enum sys_signal that stopped the last statement */
    struct sys_atomic_u64 leaves; /* 1: the heartbeats are to end */
    struct sys_thread *beat_thread;
    struct sys_parker *beat_parker;
    struct gateway_rest beat_rest;
    struct mem beat_mem;
};

static inline struct gateway *gateway_of(struct statement_executor *x) { return (struct gateway *)x; }
const char *gateway_path(struct gateway *g, const char *rest); /* "/sessions/<handle><rest>"; good until the next one */
enum status gateway_refresh(struct gateway *g, struct err *e) CHECKED; /* what the session is configured to */
enum status gateway_run(struct statement_executor *x, const struct statement_piece *p, const struct sql_listener *to,
                        struct err *e);
