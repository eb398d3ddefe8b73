/* rest_savepoints.c - savepoints, checkpoints on demand, stops: each is asked for by a POST, which answers a
 * request-id, and asked after by a GET with it. */
#include "surface/rest/rest_internal.h"

#include "control/config.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

enum { BAD_REQUEST = 400, ACCEPTED = 202, NOT_FOUND = 404, CONFLICT = 409 };

/* --- asking -------------------------------------------------------------------------------------------------------- */
static bool has_folder(struct rest_call *c, const char *given)
{
    static const char *const keys[] = {"execution.checkpointing.savepoint-dir", "state.savepoints.dir"};

    for (size_t i = 0; given == NULL && c->graph != NULL && i < COUNT_OF(keys); i++)
        if (options_get(&c->graph->settings, config_defs, keys[i]) != NULL) return true;
    if (given != NULL) return true;
    rest_fail(
        c, BAD_REQUEST,
        "Config key [execution.checkpointing.savepoint-dir] is not set. Property [target-directory] must be provided.");
    return false;
}

static bool has_format(struct rest_call *c, struct str body)
{
    const char *format = rest_body_text(c, body, "formatType");

    if (format == NULL || strcmp(format, "CANONICAL") == 0 || strcmp(format, "NATIVE") == 0)
        return true; /* one format serves both */
    rest_fail(c, BAD_REQUEST, "Request did not match expected format: there is no savepoint format \"%.100s\".",
              format);
    return false;
}

static void trigger(struct rest_call *c, struct str body, const struct snapshot_ask *ask)
{
    const char *given = rest_body_text(c, body, "triggerId");
    char id[SNAPSHOT_TRIGGER_SIZE] = "";
    struct err e = {0};

    if (given != NULL && !rest_is_hex_id(given)) {
        rest_fail(c, BAD_REQUEST,
                  "Request did not match expected format: the triggerId \"%.100s\" is no identifier of 32 hexadecimal "
                  "digits.",
                  given);
        return;
    }
    if (given != NULL) snprintf(id, sizeof id, "%s", given);
    enum status st = dispatched_ask(c->job, ask, id, &e);
    if (st != S_OK) {
        rest_fail_with(c, st == E_CONFIG || st == E_UNSUPPORTED ? BAD_REQUEST : CONFLICT, &e);
        return;
    }
    c->status = ACCEPTED;
    json_object(&c->out, NULL);
    json_text(&c->out, "request-id", id);
    json_object_end(&c->out);
}

static void answer_savepoint(struct rest_call *c)
{
    struct snapshot_ask ask = {.wish = WISH_SAVEPOINT};
    struct str body;

    if (!rest_body(c, "SavepointTriggerRequestBody", &body)) return;
    ask.folder = rest_body_text(c, body, "target-directory");
    if (rest_body_bool(body, "cancel-job"))
        ask.wish = WISH_STOP; /* at that very place, so that nothing is done twice */
    if (has_folder(c, ask.folder) && has_format(c, body)) trigger(c, body, &ask);
}

static void answer_stop(struct rest_call *c)
{
    struct snapshot_ask ask = {.wish = WISH_STOP};
    struct str body;

    if (!rest_body(c, "StopWithSavepointRequestBody", &body)) return;
    ask.folder = rest_body_text(c, body, "targetDirectory");
    if (rest_body_bool(body, "drain")) ask.wish = WISH_DRAIN;
    if (has_folder(c, ask.folder) && has_format(c, body)) trigger(c, body, &ask);
}

/* Every checkpoint is one from which everything can be restored: CONFIGURED, FULL and INCREMENTAL differ in how it is written only. */
static void answer_checkpoint(struct rest_call *c)
{
    struct snapshot_ask ask = {.wish = WISH_CHECKPOINT};
    struct str body;

    if (rest_body(c, "CheckpointTriggerRequestBody", &body)) trigger(c, body, &ask);
}

/* --- asking after it ----------------------------------------------------------------------------------------------- */
static void write_failure(struct rest_call *c, const struct err *e)
{
    json_object(&c->out, "failure-cause");
    json_text(&c->out, "class", "org.apache.flink.runtime.checkpoint.CheckpointException");
    json_text(&c->out, "stack-trace", e->text);
    json_null(&c->out, "serialized-throwable");
    json_object_end(&c->out);
}

static void write_progress(struct rest_call *c, const char *what, const struct snapshot_progress *p)
{
    json_object(&c->out, NULL);
    json_object(&c->out, "status");
    json_text(&c->out, "id", p->state == CHECKPOINT_IN_PROGRESS ? "IN_PROGRESS" : "COMPLETED");
    json_object_end(&c->out);
    if (p->state != CHECKPOINT_IN_PROGRESS) {
        json_object(&c->out, "operation");
        if (p->state == CHECKPOINT_FAILED)
            write_failure(c, &p->err);
        else if (strcmp(what, "checkpoint") == 0)
            json_int(&c->out, "checkpointId", p->checkpoint);
        else
            json_text(&c->out, "location", p->folder);
        json_object_end(&c->out);
    }
    json_object_end(&c->out);
}

static void answer_progress(struct rest_call *c, const char *what)
{
    struct snapshot_progress *p = ARENA_NEW(&c->arena, struct snapshot_progress);

    if (dispatched_progress(c->job, c->parameters[1], p))
        write_progress(c, what, p);
    else
        rest_fail(c, NOT_FOUND, "There is no %s operation with triggerId=%s for job %s.", what, c->parameters[1],
                  dispatched_id(c->job));
}

static void answer_savepoint_progress(struct rest_call *c) { answer_progress(c, "savepoint"); }
static void answer_checkpoint_progress(struct rest_call *c) { answer_progress(c, "checkpoint"); }

const struct rest_endpoint rest_savepoints[] = {
    {"POST", "/jobs/:jobid/savepoints", answer_savepoint, true, false},
    {"GET", "/jobs/:jobid/savepoints/:triggerid", answer_savepoint_progress, false, false},
    {"POST", "/jobs/:jobid/stop", answer_stop, true, false},
    {"POST", "/jobs/:jobid/checkpoints", answer_checkpoint, true, false},
    {"GET", "/jobs/:jobid/checkpoints/:triggerid", answer_checkpoint_progress, false, false},
    {NULL, NULL, NULL, false, false},
};
