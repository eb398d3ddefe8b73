/* rest_disposal.c - POST /savepoint-disposal: a savepoint, or a checkpoint that was kept, is deleted; GET /savepoint-disposal/:triggerid says what
 * became of it. It is deleted while the POST is answered; how the latest ended is kept. */
#include "surface/rest/rest_internal.h"

#include "control/snapshot/snapshot_dispose.h"

#include <stdio.h>
#include <string.h>

enum { BAD_REQUEST = 400, NOT_FOUND = 404 };

static void keep(struct rest *r, const char *trigger, const struct err *e)
{
    sys_lock_take(r->lock);
    struct disposal *d = &r->disposals[r->disposal_count++ % REST_DISPOSALS_KEPT];
    snprintf(d->trigger, sizeof d->trigger, "%s", trigger);
    d->err = *e;
    sys_lock_give(r->lock);
}

static bool find(struct rest *r, const char *trigger, struct err *out)
{
    bool is_known = false;

    sys_lock_take(r->lock);
    for (size_t i = 0; i < REST_DISPOSALS_KEPT && !is_known; i++) {
        is_known = strcmp(r->disposals[i].trigger, trigger) == 0;
        if (is_known) *out = r->disposals[i].err;
    }
    sys_lock_give(r->lock);
    return is_known;
}

static void answer_dispose(struct rest_call *c)
{
    struct sys *sys = c->rest->o.sys;
    struct err e = {0};
    struct str body;

    if (!rest_body(c, "SavepointDisposalRequest", &body)) return;
    const char *path = rest_body_text(c, body, "savepoint-path");
    if (path == NULL) {
        rest_fail(c, BAD_REQUEST, "Field savepoint-path must not be omitted or be null.");
        return;
    }
    const char *trigger = arena_printf(&c->arena, "%016llx%016llx", (unsigned long long)sys_random(sys), (unsigned long long)sys_random(sys));
    if (snapshot_dispose(sys, path, &e) != S_OK) err_wrap(&e, "the savepoint '%.300s' could not be disposed of", path);
    keep(c->rest, trigger, &e);
    json_object(&c->out, NULL);
    json_text(&c->out, "request-id", trigger);
    json_object_end(&c->out);
}

static void answer_progress(struct rest_call *c)
{
    struct err *e = ARENA_NEW(&c->arena, struct err);

    if (!find(c->rest, c->parameters[0], e)) {
        rest_fail(c, NOT_FOUND, "There is no savepoint disposal operation with triggerId=%s.", c->parameters[0]);
        return;
    }
    json_object(&c->out, NULL);
    json_object(&c->out, "status");
    json_text(&c->out, "id", "COMPLETED");
    json_object_end(&c->out);
    json_object(&c->out, "operation");
    if (e->status != S_OK) {
        json_object(&c->out, "failure-cause");
        json_text(&c->out, "class", "org.apache.flink.util.FlinkException");
        json_text(&c->out, "stack-trace", e->text);
        json_null(&c->out, "serialized-throwable");
        json_object_end(&c->out);
    }
    json_object_end(&c->out);
    json_object_end(&c->out);
}

const struct rest_endpoint rest_disposal[] = {
    {"POST", "/savepoint-disposal", answer_dispose, true, false},
    {"GET", "/savepoint-disposal/:triggerid", answer_progress, false, false},
    {NULL, NULL, NULL, false, false},
};
