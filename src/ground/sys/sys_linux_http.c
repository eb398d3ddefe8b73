/* sys_linux_http.c - sys_http.h by libcurl, which is loaded when the first client opens: linked, it and the thirty libraries that it
 * needs would double the time that every start takes. One easy handle keeps its connections from request to request. Redirects are
 * not followed; proxies are taken from the environment, as curl does. */
#include "ground/sys/sys_http.h"

#include "ground/sys/sys_linux_internal.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 256 * 1024 * 1024, CONNECT_MS = 10000 };

#define CURL_CALLS(X)                                                                                                  \
    X(global_init)                                                                                                     \
    X(easy_init) X(easy_setopt) X(easy_perform) X(easy_getinfo) X(easy_cleanup) X(easy_reset) X(slist_append)          \
        X(slist_free_all) X(easy_strerror)

struct sys_http {
    struct mem mem;
    void *library;
    CURL *easy;
    struct curl_slist *headers, *own_headers; /* own: of this request */
    char why[CURL_ERROR_SIZE];
#define X(name) __typeof__(curl_##name) *name;
    CURL_CALLS(X)
#undef X
};

/* One request under way. */
struct exchange {
    const struct sys_http_request *request;
    struct buf *answer;
    bool too_long, stopped;
};

/* --- life -------------------------------------------------------------------------------------------------------- */
static void http_close(struct sys_http *h)
{
    struct mem mem;

    if (h == NULL) return;
    if (h->headers != NULL) h->slist_free_all(h->headers);
    if (h->own_headers != NULL) h->slist_free_all(h->own_headers);
    if (h->easy != NULL) h->easy_cleanup(h->easy);
    /* The library stays: what it registered in the process refers to its code. */
    mem_init(&mem, "http", 0);
    mem_move(&h->mem, &mem);
    mem_free(&mem, h);
    mem_release(&mem);
}

static enum status load(struct sys_http *h, struct err *e)
{
    h->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (h->library == NULL) {
        err_set(e, E_UNSUPPORTED, "cannot speak HTTP: %s", dlerror());
        err_hint(e, "install libcurl (Debian: libcurl4)");
        return E_UNSUPPORTED;
    }
#define X(name)                                                                                                        \
    *(void **)(void *)&h->name = dlsym(h->library, "curl_" #name);                                                     \
    if (h->name == NULL) return err_set(e, E_UNSUPPORTED, "libcurl has no curl_" #name ": it is too old");
    CURL_CALLS(X)
#undef X
    return S_OK;
}

static enum status http_open(struct sys *sys, struct sys_http **out, struct err *e)
{
    struct mem mem;

    (void)sys;
    mem_init(&mem, "http", 0);
    struct sys_http *h = mem_zalloc(&mem, sizeof *h);
    mem_init(&h->mem, "http", 0);
    mem_move(&mem, &h->mem);
    enum status st = load(h, e);
    if (st == S_OK && h->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        st = err_set(e, E_IO, "libcurl cannot be initialised");
    if (st == S_OK && (h->easy = h->easy_init()) == NULL) st = err_set(e, E_IO, "libcurl has no handle to give");
    if (st == S_OK) h->headers = h->slist_append(NULL, "Content-Type: application/json");
    if (st == S_OK) h->headers = h->slist_append(h->headers, "Expect:");
    if (st != S_OK) {
        http_close(h);
        return st;
    }
    *out = h;
    return S_OK;
}

/* --- one request ------------------------------------------------------------------------------------------------- */
static size_t take_bytes(char *bytes, size_t one, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t size = one * count;

    x->too_long = x->answer->size + size > ANSWER_MAX;
    if (x->too_long) return 0;
    buf_append(x->answer, bytes, size);
    return size;
}

static int look_up(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct exchange *x = arg;

    (void)down_total, (void)down, (void)up_total, (void)up;
    x->stopped = x->stopped || (x->request->stop != NULL && x->request->stop(x->request->stop_arg));
    return x->stopped;
}

/* What the request says itself; the usual ones where it says nothing. */
static struct curl_slist *headers_of(struct sys_http *h, const struct sys_http_request *r)
{
    char line[1024];

    if (h->own_headers != NULL) h->slist_free_all(h->own_headers);
    h->own_headers = NULL;
    if (r->type == NULL && r->authorization == NULL) return h->headers;
    snprintf(line, sizeof line, "Content-Type: %s", r->type != NULL ? r->type : "application/json");
    h->own_headers = h->slist_append(h->own_headers, line);
    h->own_headers = h->slist_append(h->own_headers, "Expect:");
    if (r->authorization == NULL) return h->own_headers;
    snprintf(line, sizeof line, "Authorization: %s", r->authorization);
    h->own_headers = h->slist_append(h->own_headers, line);
    return h->own_headers;
}

static void prepare(struct sys_http *h, struct exchange *x)
{
    const struct sys_http_request *r = x->request;
    CURL *c = h->easy;

    h->easy_reset(c);
    h->why[0] = '\0';
    h->easy_setopt(c, CURLOPT_URL, r->url);
    h->easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    h->easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    h->easy_setopt(c, CURLOPT_HTTPHEADER, headers_of(h, r));
    h->easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    h->easy_setopt(c, CURLOPT_ERRORBUFFER, h->why);
    h->easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    h->easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    h->easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
    h->easy_setopt(c, CURLOPT_WRITEDATA, x);
    h->easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    h->easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_up);
    h->easy_setopt(c, CURLOPT_XFERINFODATA, x);
    if (r->body.data == NULL) return;
    h->easy_setopt(c, CURLOPT_POSTFIELDS, r->body.data);
    h->easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.size);
}

static enum status http_call(struct sys_http *h, const struct sys_http_request *r, int *http_status, struct buf *answer,
                             struct err *e)
{
    struct exchange x = {.request = r, .answer = answer};
    long code = 0;

    buf_clear(answer);
    prepare(h, &x);
    CURLcode result = h->easy_perform(h->easy);
    if (x.stopped) return err_set(e, E_CANCELED, "the request was stopped");
    if (x.too_long) return err_set(e, E_DATA, "%s: the answer is longer than %d MiB", r->url, ANSWER_MAX >> 20);
    if (result != CURLE_OK)
        return err_set(e, E_IO, "%s: %s", r->url, h->why[0] != '\0' ? h->why : h->easy_strerror(result));
    h->easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &code);
    *http_status = (int)code;
    return S_OK;
}

const struct sys_http_ops sys_linux_http = {.open = http_open, .call = http_call, .close = http_close};
