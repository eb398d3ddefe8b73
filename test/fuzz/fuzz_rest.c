/* fuzz_rest.c - hostile requests to the REST interface of a cluster without jobs: METHOD PATH?QUERY, a newline, the body. Whatever comes is
 * answered with JSON and a status of HTTP. Bodies that are jobs are fuzz_graph's; here a form has one field. */
#include "surface/rest/rest.h"

#include "flow/format/format.h"
#include "surface/gateway/answer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Up to a byte that ends it, which is taken out. */
static const char *cut(struct arena *a, struct str *rest, char end)
{
    const char *at = memchr(rest->data, end, rest->size);
    size_t size = at != NULL ? (size_t)(at - rest->data) : rest->size;
    const char *out = arena_strndup(a, rest->data, size);

    *rest = (struct str){rest->data + size + (at != NULL), rest->size - size - (at != NULL)};
    return out;
}

static void request_of(struct arena *a, struct str input, struct sys_httpd_request *q, struct sys_httpd_pair *pair,
                       struct sys_httpd_part *part)
{
    q->method = cut(a, &input, ' ');
    struct str line = {cut(a, &input, '\n'), 0};
    line.size = strlen(line.data);
    q->path = cut(a, &line, '?');
    if (line.size > 0) {
        pair->key = cut(a, &line, '=');
        pair->value = arena_strndup(a, line.data, line.size);
        q->query = pair;
        q->query_count = 1;
    }
    q->body = (struct str){arena_strndup(a, input.data, input.size), input.size};
    *part = (struct sys_httpd_part){.name = "request", .text = q->body};
    q->is_form = strcmp(q->path, "/jobs") == 0;
    q->parts = part;
    q->part_count = q->is_form;
    q->is_same_user = true;
    q->host = "localhost:8081";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct options none = {NULL, 0};
    struct sys *sys = sys_linux_create_quiet();
    struct rest_options r = {.sys = sys, .settings = &none, .folder = "/nonexistent"};
    struct dispatcher_options d = {
        .sys = sys, .folder = "/tmp", .settings = &none, .expiration_ms = 1000, .capacity = 10};
    struct sys_httpd_request q = {0};
    struct sys_httpd_answer answer = {0};
    struct sys_httpd_pair pair;
    struct sys_httpd_part part;
    struct dispatcher *dispatcher;
    struct arena a;
    struct mem mem;

    mem_init(&mem, "fuzz", 0);
    arena_init(&a, &mem, 0);
    buf_init(&answer.body, &mem);
    enum status st = dispatcher_create(&d, &dispatcher, NULL);
    ASSERT(st == S_OK);
    struct rest *rest = rest_create(&r);
    rest_begin(rest, dispatcher, "http://localhost:8081");
    request_of(&a, (struct str){(const char *)bytes, size}, &q, &pair, &part);
    rest_answer(rest, &q, &answer);
    ASSERT(answer.status >= 200 && answer.status < 600);
    buf_reserve(&answer.body, FORMAT_PADDING);
    memset(answer.body.data + answer.body.size, 0, FORMAT_PADDING);
    st = answer_check((struct str){answer.body.data, answer.body.size}, &mem, NULL);
    ASSERT(st == S_OK);
    dispatcher_close(dispatcher, true);
    rest_free(rest);
    mem_release(&mem);
    sys_linux_free(sys);
    return 0;
}
