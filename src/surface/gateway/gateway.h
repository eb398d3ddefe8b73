/* gateway.h - a SQL gateway of Flink somewhere as the executor of the shell's statements, over its REST API (v1 to v4). */
#pragma once
#include "ground/sys/sys_http.h"
#include "surface/sql/executor.h"

enum { GATEWAY_HEARTBEAT_MS = 60 * 1000 };

struct gateway_options {
    struct sys *sys;
    const struct sys_http_ops *http;
    const char *endpoint; /* "http://host:8083", or without "http://" */
    const char *session;  /* its name; NULL: none */
    int64_t heartbeat_ms; /* keeps a session that nobody uses alive; 0: GATEWAY_HEARTBEAT_MS */
};

/* The texts must live as long as it does. */
struct statement_executor *gateway_create(const struct gateway_options *o);
