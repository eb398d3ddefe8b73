/* gateway_rest.h - calls of a gateway's REST API: what is asked for as a path, what is answered as a text of answer.h. */
#pragma once
#include "ground/sys/sys_http.h"

struct gateway_rest {
    struct sys *sys;
    const struct sys_http_ops *http;
    struct sys_http *client;
    struct mem *mem;
    const char *base;    /* "http://host:8083" */
    const char *version; /* "v4" */
    struct buf url, answer;
    struct sys_atomic_u64 *stopped; /* enum sys_signal that stopped a request; NULL: signals are left alone */
};

enum status gateway_rest_open(struct gateway_rest *r, struct err *e) CHECKED;
void gateway_rest_close(struct gateway_rest *r);
/* *answer is good until the next call. What the gateway refuses is E_DATA with its reason, in Flink's words; E_CANCELED: a signal. */
enum status gateway_rest_call(struct gateway_rest *r, const char *method, const char *path, struct str body,
                              struct str *answer, struct err *e) CHECKED;
/* The highest version that both sides know becomes r->version. */
enum status gateway_rest_negotiate(struct gateway_rest *r, struct err *e) CHECKED;
/* All that the gateway said of why the last call failed; empty: nothing. */
struct str gateway_rest_complaint(const struct gateway_rest *r);
/* The innermost reason of a stack trace: "org.apache.x.SomeException: text". A view of it. */
struct str gateway_reason(struct str trace);
