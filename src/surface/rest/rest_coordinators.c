/* rest_coordinators.c - POST /jobs/:jobid/coordinators/:operatorid: rows of a job for the program that wants them, as Flink's collect sink
 * gives them: by requests to the sink's coordinator. What Flink has as a Java object in the two bodies is an object of JSON here:
 *
 *     {"serializedCoordinationRequest": {"version": "<16 hexadecimal digits>", "offset": 3}}
 *     {"serializedCoordinationResult": {"status": "RUNNING", "version": "...", "offset": 3, "rowsIn": 10, "rowsOut": 4, "watermark": null,
 *                                       "batches": ["<base64>", ...]}}
 *
 * control/jobmanager/row_relay.h says what version and offset mean, columns/column/batch_codec.h what a batch is. A job that is over
 * has no batches left. */
#include "surface/rest/rest_internal.h"

#include "columns/column/batch.h"
#include "control/jobmanager/row_relay.h"
#include "flow/format/value_print.h"

#include <stdio.h>
#include <stdlib.h>

enum { BAD_REQUEST = 400, NOT_FOUND = 404, ANSWER_BYTES = 4 * 1024 * 1024 };

static bool read_request(struct rest_call *c, struct row_fetch *f)
{
    struct str body;

    if (!rest_body(c, "ClientCoordinationRequestBody", &body)) return false;
    struct str request = answer_member(body, "serializedCoordinationRequest");
    const char *version = rest_body_text(c, request, "version");
    int64_t offset = answer_int(answer_member(request, "offset"), 0);
    if (request.size == 0 || request.data[0] != '{' || offset < 0) {
        rest_fail(c, BAD_REQUEST, "Request did not match expected format ClientCoordinationRequestBody.");
        return false;
    }
    f->version = version != NULL ? strtoull(version, NULL, 16) : 0;
    f->from = (uint64_t)offset;
    return true;
}

static void put_batch(void *arg, struct str bytes)
{
    struct rest_call *c = arg;
    struct buf text;

    buf_init(&text, c->mem);
    buf_append_byte(&text, '"');
    base64_encode(bytes, &text);
    buf_append_byte(&text, '"');
    json_raw(&c->out, NULL, (struct str){text.data, text.size});
    buf_release(&text);
}

static void write_progress(struct rest_call *c)
{
    struct job_totals t = {.watermark = TIME_MIN};

    if (c->jm != NULL) jobmaster_totals_now(c->jm, &t);
    json_text(&c->out, "status", job_status_name(dispatched_status(c->job)));
    json_int(&c->out, "rowsIn", (int64_t)t.rows_in);
    json_int(&c->out, "rowsOut", (int64_t)t.rows_out);
    if (t.watermark == TIME_MIN || t.watermark == INT64_MAX) json_null(&c->out, "watermark");
    else json_int(&c->out, "watermark", t.watermark);
}

static void answer_coordination(struct rest_call *c)
{
    struct row_fetch f = {.bytes_max = ANSWER_BYTES, .batch = put_batch, .arg = c};
    char version[24] = "";
    struct err e = {0};

    if (!read_request(c, &f)) return;
    json_object(&c->out, NULL);
    json_object(&c->out, "serializedCoordinationResult");
    write_progress(c); /* before the rows: of a job that is over there are none behind them */
    json_array(&c->out, "batches");
    if (c->jm != NULL && jobmaster_fetch_rows(c->jm, c->parameters[1], &f, &e) != S_OK) {
        rest_fail_with(c, NOT_FOUND, &e);
        return;
    }
    json_array_end(&c->out);
    if (c->jm != NULL) snprintf(version, sizeof version, "%016llx", (unsigned long long)f.version);
    json_text(&c->out, "version", version);
    json_int(&c->out, "offset", (int64_t)f.from);
    json_object_end(&c->out);
    json_object_end(&c->out);
}

const struct rest_endpoint rest_coordinators[] = {
    {"POST", "/jobs/:jobid/coordinators/:operatorid", answer_coordination, true, false},
    {NULL, NULL, NULL, false, false},
};
