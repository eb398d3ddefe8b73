/* gateway_rest.c - see the header. An error comes as {"errors": ["Internal server error.", "<Exception on server side: ..."]}: a
 * stack trace of Java, of which Flink's client shows the innermost cause, and so does this. */
#include "surface/gateway/gateway_rest.h"

#include "flow/format/format.h"
#include "ground/base/str.h"
#include "surface/gateway/answer.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST_MS = 120 * 1000, VERSION_MAX = 4, HTTP_OK = 200, HTTP_OK_END = 300 };

/* --- life -------------------------------------------------------------------------------------------------------- */
enum status gateway_rest_open(struct gateway_rest *r, struct err *e)
{
    buf_init(&r->url, r->mem);
    buf_init(&r->answer, r->mem);
    return r->http->open(r->sys, &r->client, e);
}

void gateway_rest_close(struct gateway_rest *r)
{
    r->http->close(r->client);
    r->client = NULL;
    buf_release(&r->url);
    buf_release(&r->answer);
}

/* --- what went wrong --------------------------------------------------------------------------------------------- */
/* The last place of a word in a text; NULL: none. */
static const char *last_of(struct str text, struct str word)
{
    for (size_t at = text.size - MIN(text.size, word.size) + 1; at-- > 0;)
        if (text.size - at >= word.size && memcmp(text.data + at, word.data, word.size) == 0) return text.data + at;
    return NULL;
}

struct str gateway_reason(struct str trace)
{
    struct str caused = STR("Caused by: "), server = STR("<Exception on server side:\n"), frame = STR("\n\tat "),
               more = STR("\n\t... ");
    const char *from = last_of(trace, caused);

    if (from != NULL)
        from += caused.size;
    else
        from = trace.data + (str_starts(trace, server) ? server.size : 0);
    struct str rest = {from, (size_t)(trace.data + trace.size - from)};
    for (size_t i = 0; i < rest.size; i++) {
        struct str tail = {rest.data + i, rest.size - i};
        if (str_starts(tail, frame) || str_starts(tail, more)) rest.size = i;
    }
    return str_trim(rest);
}

struct str gateway_rest_complaint(const struct gateway_rest *r)
{
    struct str all = {r->answer.data, r->answer.size}, last = {0}, item;
    size_t at = 0;

    for (struct str errors = answer_member(all, "errors"); answer_next(errors, &at, &item);) last = item;
    return last;
}

static enum status refused(struct gateway_rest *r, int http_status, struct err *e)
{
    struct arena arena;

    arena_init(&arena, r->mem, 0);
    const char *text = answer_text(gateway_rest_complaint(r), &arena);
    struct str reason = gateway_reason(str_of(text));
    if (reason.size > 0)
        err_set(e, E_DATA, "%.*s", (int)MIN(reason.size, (size_t)ERR_TEXT_MAX), reason.data);
    else
        err_set(e, E_DATA, "the gateway answered with status %d of HTTP", http_status);
    arena_release(&arena);
    return E_DATA;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */
static bool looks_for_signal(void *arg)
{
    struct gateway_rest *r = arg;
    enum sys_signal signal = sys_signal_take(r->sys);

    if (signal != SYS_SIGNAL_NONE) sys_atomic_store(r->stopped, (uint64_t)signal);
    return signal != SYS_SIGNAL_NONE;
}

static enum status call_url(struct gateway_rest *r, const char *method, const char *url, struct str body,
                            struct str *answer, struct err *e)
{
    struct sys_http_request request = {.method = method,
                                       .url = url,
                                       .body = body,
                                       .timeout_ms = REQUEST_MS,
                                       .stop = r->stopped != NULL ? looks_for_signal : NULL,
                                       .stop_arg = r};
    int http_status = 0;
    struct err inner = {0};

    enum status st = r->http->call(r->client, &request, &http_status, &r->answer, &inner);
    if (st == E_CANCELED) return err_set(e, E_CANCELED, "the statement was cancelled");
    if (st != S_OK) return err_pass_on(e, &inner);
    buf_reserve(&r->answer, FORMAT_PADDING);
    memset(r->answer.data + r->answer.size, 0, FORMAT_PADDING);
    *answer = (struct str){r->answer.data, r->answer.size};
    if (answer_check(*answer, r->mem, &inner) != S_OK) {
        buf_clear(&r->answer);
        return err_set(e, E_DATA, "%s: status %d of HTTP, and %s", url, http_status, inner.text);
    }
    return http_status >= HTTP_OK && http_status < HTTP_OK_END ? S_OK : refused(r, http_status, e);
}

enum status gateway_rest_call(struct gateway_rest *r, const char *method, const char *path, struct str body,
                              struct str *answer, struct err *e)
{
    buf_clear(&r->url);
    buf_printf(&r->url, "%s/%s%s", r->base, r->version, path);
    return call_url(r, method, buf_text(&r->url), body, answer, e);
}

static enum status no_gateway(struct gateway_rest *r, const struct err *inner, struct err *e)
{
    if (inner->status == E_CANCELED) return err_pass_on(e, inner);
    err_set(e, E_IO, "there is no SQL gateway at %s: %s", r->base, inner->text);
    err_hint(e, "%s",
             inner->hint[0] != '\0'
                 ? inner->hint
                 : "Flink's bin/sql-gateway.sh start starts one, at port 8083 where nothing else is configured");
    return E_IO;
}

enum status gateway_rest_negotiate(struct gateway_rest *r, struct err *e)
{
    static const char *const names[VERSION_MAX][2] = {
        {"\"V1\"", "v1"}, {"\"V2\"", "v2"}, {"\"V3\"", "v3"}, {"\"V4\"", "v4"}};
    struct str answer, item, none = {0};
    struct err inner = {0};
    int best = -1;
    size_t at = 0;

    buf_clear(&r->url);
    buf_printf(&r->url, "%s/api_versions", r->base);
    if (call_url(r, "GET", buf_text(&r->url), none, &answer, &inner) != S_OK) return no_gateway(r, &inner, e);
    for (struct str versions = answer_member(answer, "versions"); answer_next(versions, &at, &item);)
        for (int i = 0; i < VERSION_MAX; i++)
            if (answer_is(item, names[i][0])) best = MAX(best, i);
    if (best < 0)
        return err_set(e, E_UNSUPPORTED, "the SQL gateway at %s speaks none of the versions v1 to v%d", r->base,
                       VERSION_MAX);
    r->version = names[best][1];
    return S_OK;
}
