/* sys_http.h - requests of HTTP, one after another, over connections that stay open. Only the binary has a client: a library must
 * not bring one into its host. */
#pragma once
#include "ground/base/buf.h"
#include "ground/sys/sys.h"

struct sys_http;

struct sys_http_request {
    const char *method, *url; /* "POST", "http://host:port/path" */
    struct str body;          /* data NULL: none */
    const char *type;         /* of the body; NULL: application/json */
    const char *authorization; /* NULL: none */
    int64_t timeout_ms;       /* of the whole request; 0: none */
    /* Asked a few times a second while it waits: true ends the request with E_CANCELED. NULL: never. */
    bool (*stop)(void *arg);
    void *stop_arg;
};

struct sys_http_ops {
    enum status (*open)(struct sys *sys, struct sys_http **out, struct err *e);
    /* Any answer of the server is S_OK: *http_status, and its body in *answer. E_IO: there was none. */
    enum status (*call)(struct sys_http *h, const struct sys_http_request *r, int *http_status, struct buf *answer,
                        struct err *e);
    void (*close)(struct sys_http *h); /* NULL is a no-op */
};

extern const struct sys_http_ops sys_linux_http; /* in the binary only */
