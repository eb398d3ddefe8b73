/* rest_submit.c - POST /jobs: a form with the encoded graph and the shared object of its functions. Its fields are Flink's: `request` is
 * JSON that says which of the files is which, by the names that the client gave them. */
#include "surface/rest/rest_internal.h"

#include "ground/base/str.h"

#include <string.h>

enum { BAD_REQUEST = 400, ACCEPTED = 202, CONFLICT = 409, SERVER_ERROR = 500 };

static const struct sys_httpd_part *part_named(const struct rest_call *c, const char *name)
{
    for (uint32_t i = 0; i < c->request->part_count; i++)
        if (strcmp(c->request->parts[i].name, name) == 0) return &c->request->parts[i];
    return NULL;
}

static const struct sys_httpd_part *file_named(struct rest_call *c, const char *name)
{
    for (uint32_t i = 0; name != NULL && i < c->request->part_count; i++) {
        const char *is = c->request->parts[i].file_name;
        if (is != NULL && strcmp(is, name) == 0) return &c->request->parts[i];
    }
    rest_fail(c, BAD_REQUEST, "File %.200s could not be found in the request.", name != NULL ? name : "of the graph");
    return NULL;
}

/* The field `request`, which may be a file of JSON, too. */
static bool read_request(struct rest_call *c, struct str *out)
{
    const struct sys_httpd_part *p = part_named(c, "request");
    struct sys_httpd_request as_body = *c->request;
    const struct sys_httpd_request *before = c->request;

    if (p == NULL || p->file_name != NULL) {
        rest_fail(c, BAD_REQUEST, "Request did not match expected format JobSubmitRequestBody.");
        return false;
    }
    as_body.body = p->text;
    c->request = &as_body;
    bool is_read = rest_body(c, "JobSubmitRequestBody", out);
    c->request = before;
    return is_read;
}

static bool read_graph(struct rest_call *c, const struct sys_httpd_part *p, struct buf *out)
{
    struct sys *sys = c->rest->o.sys;
    struct sys_file *f = NULL;
    struct err e = {0};
    size_t got = 1;

    enum status st = p->size > 0 && p->size <= GRAPH_BYTES_MAX
                         ? sys_file_open(sys, p->path, SYS_READ, &f, &e)
                         : err_set(&e, E_DATA, "a graph has at most %d bytes, this one %lld", GRAPH_BYTES_MAX,
                                   (long long)p->size);
    buf_reserve(out, (size_t)MIN(p->size, GRAPH_BYTES_MAX) + 1);
    while (st == S_OK && got > 0 && out->size < (size_t)p->size) {
        st = sys_file_read(sys, f, out->data + out->size, (size_t)p->size - out->size, &got, &e);
        if (st == S_OK) out->size += got;
    }
    sys_file_close(sys, f);
    if (st != S_OK) rest_fail_with(c, BAD_REQUEST, &e);
    return st == S_OK;
}

static void submit(struct rest_call *c, struct str graph, const struct sys_httpd_part *artifact)
{
    struct job_submission s = {.graph = graph,
                               .artifact = artifact != NULL ? artifact->path : NULL,
                               .artifact_name = artifact != NULL ? artifact->file_name : NULL};
    char id[JOB_ID_SIZE];
    struct err e = {0};

    enum status st = dispatcher_submit(c->rest->dispatcher, &s, id, &e);
    if (st != S_OK) {
        err_wrap(&e, "Job submission failed");
        rest_fail_with(c,
                       st == E_EXISTS                                    ? CONFLICT
                       : st == E_DATA || st == E_GRAPH || st == E_CONFIG ? BAD_REQUEST
                                                                         : SERVER_ERROR,
                       &e);
        return;
    }
    c->status = ACCEPTED;
    json_object(&c->out, NULL);
    json_text(&c->out, "jobUrl", arena_printf(&c->arena, "/jobs/%s", id));
    json_object_end(&c->out);
}

static void answer_submit(struct rest_call *c)
{
    const struct sys_httpd_part *graph, *artifact = NULL;
    struct str request, item, second;
    struct buf bytes;
    size_t at = 0;

    if (!read_request(c, &request)) return;
    if ((graph = file_named(c, rest_body_text(c, request, "executionPlanFileName"))) == NULL) return;
    struct str names = answer_member(request, "jobJarFileNames");
    if (answer_next(names, &at, &item)) {
        if ((artifact = file_named(c, answer_text(item, &c->arena))) == NULL) return;
        if (answer_next(names, &at, &second)) {
            rest_fail(c, BAD_REQUEST, "A job has the functions of one shared object; jobJarFileNames names several.");
            return;
        }
    }
    buf_init(&bytes, c->mem);
    if (read_graph(c, graph, &bytes)) submit(c, (struct str){bytes.data, bytes.size}, artifact);
}

const struct rest_endpoint rest_submit[] = {
    {"POST", "/jobs", answer_submit, true, false},
    {NULL, NULL, NULL, false, false},
};
