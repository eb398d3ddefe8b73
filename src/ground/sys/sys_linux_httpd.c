/* sys_linux_httpd.c - sys_httpd.h by libmicrohttpd, which is loaded when the first server opens, as libcurl is: linked, it and what it
 * needs would make every start slower. A thread of the library's per connection, so an answer may take its time; the number of
 * connections is bounded.
 *
 * The library calls `on_request` once with the headers, then with every piece of the body, then once more: only then is the request
 * whole, and the function of the options asked. What is too long is read to its end and forgotten, and answered with 413. */
#include "ground/sys/sys_httpd.h"

#include "ground/base/arena.h"
#include "ground/sys/sys_linux_internal.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, IDLE_S = 120, FORM_BYTES = 32 * 1024, FIELD_MAX = 1024 * 1024, TOO_LONG = 413 };

#define MHD_CALLS(X)                                                                                                   \
    X(start_daemon)                                                                                                    \
    X(stop_daemon)                                                                                                     \
    X(get_daemon_info) X(create_response_from_buffer) X(add_response_header) X(queue_response) X(destroy_response)     \
        X(lookup_connection_value) X(get_connection_values) X(get_connection_info) X(create_post_processor)            \
            X(post_process) X(destroy_post_processor)

struct sys_httpd {
    struct mem mem;
    struct sys *sys;
    struct sys_httpd_options o;
    struct MHD_Daemon *daemon;
    void *library;
    int port;
    struct sys_atomic_u64 files; /* so many were made: their names differ */
#define X(name) __typeof__(MHD_##name) *name;
    MHD_CALLS(X)
#undef X
};

/* A field of a form while it grows. */
struct part {
    struct sys_httpd_part told;
    struct buf text;
    struct sys_file *file;
};

/* A request while it grows: lives from its headers until the library is done with it. */
struct exchange {
    struct mem mem;
    struct arena arena;
    struct sys_httpd *server;
    struct buf body;
    struct MHD_PostProcessor *form;
    struct part parts[SYS_HTTPD_PARTS_MAX];
    uint32_t part_count;
    struct sys_httpd_pair query[SYS_HTTPD_PAIRS_MAX];
    uint32_t query_count;
    int64_t size;
    bool is_too_long, is_broken;
};

/* --- life -------------------------------------------------------------------------------------------------------- */
static enum status load(struct sys_httpd *h, struct err *e)
{
    h->library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (h->library == NULL) {
        err_set(e, E_UNSUPPORTED, "cannot answer HTTP: %s", dlerror());
        err_hint(e, "install libmicrohttpd (Debian: libmicrohttpd12)");
        return E_UNSUPPORTED;
    }
#define X(name)                                                                                                        \
    *(void **)(void *)&h->name = dlsym(h->library, "MHD_" #name);                                                      \
    if (h->name == NULL) return err_set(e, E_UNSUPPORTED, "libmicrohttpd has no MHD_" #name ": it is too old");
    MHD_CALLS(X)
#undef X
    return S_OK;
}

static void httpd_close(struct sys_httpd *h)
{
    struct mem mem;

    if (h == NULL) return;
    if (h->daemon != NULL) h->stop_daemon(h->daemon);
    mem_init(&mem, "http server", 0);
    mem_move(&h->mem, &mem);
    mem_free(&mem, h);
    mem_release(&mem);
}

static int httpd_port(const struct sys_httpd *h) { return h->port; }

/* --- the body ---------------------------------------------------------------------------------------------------- */
static struct part *part_of(struct exchange *x, const char *name, const char *file_name, uint64_t offset)
{
    struct part *last = x->part_count > 0 ? &x->parts[x->part_count - 1] : NULL;

    if (offset > 0) return last;
    if (x->part_count == SYS_HTTPD_PARTS_MAX) return NULL;
    struct part *p = &x->parts[x->part_count++];
    p->told.name = arena_strdup(&x->arena, name != NULL ? name : "");
    buf_init(&p->text, &x->mem);
    if (file_name == NULL) return p;
    const char *slash = strrchr(file_name, '/');
    p->told.file_name = arena_strdup(&x->arena, slash != NULL ? slash + 1 : file_name);
    p->told.path = arena_printf(&x->arena, "%s/request-%d-%llu", x->server->o.folder, (int)getpid(),
                                (unsigned long long)sys_atomic_add(&x->server->files, 1));
    if (sys_file_open(x->server->sys, p->told.path, SYS_WRITE | SYS_CREATE | SYS_EXCLUSIVE, &p->file, NULL) != S_OK)
        x->is_broken = true;
    return p;
}

static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *name, const char *file_name,
                                const char *type, const char *encoding, const char *data, uint64_t offset, size_t size)
{
    struct exchange *x = arg;
    struct part *p = part_of(x, name, file_name, offset);

    (void)kind, (void)type, (void)encoding;
    if (p == NULL || x->is_broken) return MHD_NO;
    p->told.size += (int64_t)size;
    if (p->told.file_name != NULL) {
        if (size > 0 && sys_file_write(x->server->sys, p->file, data, size, NULL) != S_OK) x->is_broken = true;
    } else if (p->text.size + size > FIELD_MAX) {
        x->is_broken = true;
    } else {
        buf_append(&p->text, data, size);
    }
    return x->is_broken ? MHD_NO : MHD_YES;
}

static void take_piece(struct exchange *x, const char *data, size_t size)
{
    x->size += (int64_t)size;
    if (x->size > x->server->o.body_max) x->is_too_long = true;
    if (x->is_too_long || x->is_broken) return;
    if (x->form == NULL)
        buf_append(&x->body, data, size);
    else if (x->server->post_process(x->form, data, size) != MHD_YES)
        x->is_broken = true;
}

static void close_files(struct exchange *x)
{
    for (uint32_t i = 0; i < x->part_count; i++) {
        sys_file_close(x->server->sys, x->parts[i].file);
        x->parts[i].file = NULL;
    }
}

/* --- the answer -------------------------------------------------------------------------------------------------- */
static enum MHD_Result send_answer(struct sys_httpd *h, struct MHD_Connection *c, struct sys_httpd_answer *a)
{
    struct MHD_Response *r = h->create_response_from_buffer(a->body.size, a->body.data, MHD_RESPMEM_MUST_COPY);

    if (r == NULL) return MHD_NO;
    if (a->type != NULL) h->add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
    enum MHD_Result done = h->queue_response(c, (unsigned)a->status, r);
    h->destroy_response(r);
    return done;
}

static enum MHD_Result take_pair(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct exchange *x = arg;

    (void)kind;
    if (x->query_count == SYS_HTTPD_PAIRS_MAX) return MHD_NO;
    x->query[x->query_count++] = (struct sys_httpd_pair){key, value != NULL ? value : ""};
    return MHD_YES;
}

static bool is_of_this_user(struct sys_httpd *h, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = h->get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return i != NULL && sys_linux_peer_is_mine(i->client_addr, h->port);
}

static enum MHD_Result answer(struct exchange *x, struct MHD_Connection *c, const char *method, const char *path)
{
    struct sys_httpd *h = x->server;
    struct sys_httpd_part parts[SYS_HTTPD_PARTS_MAX];
    struct sys_httpd_answer a = {.status = MHD_HTTP_OK};

    for (uint32_t i = 0; i < x->part_count; i++) {
        parts[i] = x->parts[i].told;
        parts[i].text = (struct str){buf_text(&x->parts[i].text), x->parts[i].text.size};
    }
    h->get_connection_values(c, MHD_GET_ARGUMENT_KIND, take_pair, x);
    struct sys_httpd_request r = {
        .method = method,
        .path = path,
        .query = x->query,
        .query_count = x->query_count,
        .body = {buf_text(&x->body), x->body.size},
        .is_form = x->form != NULL,
        .parts = parts,
        .part_count = x->part_count,
        .authorization = h->lookup_connection_value(c, MHD_HEADER_KIND, "Authorization"),
        .origin = h->lookup_connection_value(c, MHD_HEADER_KIND, "Origin"),
        .host = h->lookup_connection_value(c, MHD_HEADER_KIND, "Host"),
        .is_same_user = is_of_this_user(h, c),
    };
    buf_init(&a.body, &x->mem);
    h->o.answer(h->o.arg, &r, &a);
    return send_answer(h, c, &a);
}

static enum MHD_Result refuse(struct exchange *x, struct MHD_Connection *c)
{
    struct sys_httpd_answer a = {.status = x->is_too_long ? TOO_LONG : MHD_HTTP_BAD_REQUEST,
                                 .type = "application/json;charset=UTF-8"};

    buf_init(&a.body, &x->mem);
    if (x->is_too_long)
        buf_printf(&a.body,
                   "{\"errors\":[\"The request is longer than rest.server.max-content-length (%lld bytes).\"]}",
                   (long long)x->server->o.body_max);
    else
        buf_append_text(&a.body, "{\"errors\":[\"Bad request: the form could not be read or kept.\"]}");
    return send_answer(x->server, c, &a);
}

/* --- the library's calls ----------------------------------------------------------------------------------------- */
static struct exchange *exchange_new(struct sys_httpd *h, struct MHD_Connection *c)
{
    struct mem mem;
    const char *type = h->lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");

    mem_init(&mem, "http request", 0);
    struct exchange *x = mem_zalloc(&mem, sizeof *x);
    mem_init(&x->mem, "http request", 0);
    mem_move(&mem, &x->mem);
    arena_init(&x->arena, &x->mem, 0);
    buf_init(&x->body, &x->mem);
    x->server = h;
    if (type != NULL && strncasecmp(type, "multipart/form-data", 19) == 0) {
        x->form = h->create_post_processor(c, FORM_BYTES, on_field, x);
        x->is_broken = x->form == NULL;
    }
    return x;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *size, void **own)
{
    struct sys_httpd *h = arg;
    struct exchange *x = *own;

    (void)version;
    if (x == NULL) {
        *own = exchange_new(h, c);
        return MHD_YES;
    }
    if (*size > 0) {
        take_piece(x, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (x->form != NULL && h->destroy_post_processor(x->form) != MHD_YES && x->part_count == 0) x->is_broken = true;
    bool is_form = x->form != NULL;
    close_files(x);
    if (x->is_too_long || x->is_broken) {
        x->form = NULL;
        return refuse(x, c);
    }
    enum MHD_Result done = answer(x, c, method, path);
    if (is_form) x->form = NULL; /* it is gone: only that it was one was still to be told */
    return done;
}

static void on_done(void *arg, struct MHD_Connection *c, void **own, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *own;
    struct mem mem;

    (void)arg, (void)c, (void)why;
    if (x == NULL) return;
    if (x->form != NULL) x->server->destroy_post_processor(x->form); /* it ended in the middle */
    close_files(x);
    for (uint32_t i = 0; i < x->part_count; i++)
        if (x->parts[i].told.path != NULL) (void)!sys_file_delete(x->server->sys, x->parts[i].told.path, NULL);
    mem_init(&mem, "http request", 0);
    mem_move(&x->mem, &mem);
    mem_release(&mem);
    *own = NULL;
}

static void say_nothing(void *arg, const char *format, va_list list) { (void)arg, (void)format, (void)list; }

static enum status start(struct sys_httpd *h, const struct sys_address *a, struct err *e)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;

    if (((const struct sockaddr *)(const void *)a->bytes)->sa_family == AF_INET6) flags |= MHD_USE_IPv6;
    h->daemon = h->start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
                                MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)(const void *)a->bytes,
                                MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL, MHD_OPTION_CONNECTION_LIMIT,
                                (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                                MHD_OPTION_END);
    if (h->daemon == NULL)
        return errno == EADDRINUSE ? err_set(e, E_EXISTS, "%s: the port is taken by another process", a->name)
                                   : err_set(e, E_IO, "%s: cannot listen: %s", a->name, strerror(errno));
    const union MHD_DaemonInfo *i = h->get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    h->port = i != NULL ? i->port : h->o.port;
    return S_OK;
}

static enum status httpd_open(struct sys *sys, const struct sys_httpd_options *o, struct sys_httpd **out, struct err *e)
{
    struct sys_address list[SYS_ADDRESSES_MAX];
    struct mem mem;
    uint32_t count = 0;

    TRY(sys_address_find(sys, o->host, o->port, false, list, &count, e));
    mem_init(&mem, "http server", 0);
    struct sys_httpd *h = mem_zalloc(&mem, sizeof *h);
    mem_init(&h->mem, "http server", 0);
    mem_move(&mem, &h->mem);
    h->sys = sys;
    h->o = *o;
    enum status st = load(h, e);
    if (st == S_OK) st = count > 0 ? start(h, &list[0], e) : err_set(e, E_NOT_FOUND, "'%s' has no address", o->host);
    if (st != S_OK) {
        httpd_close(h);
        return st;
    }
    *out = h;
    return S_OK;
}

const struct sys_httpd_ops sys_linux_httpd = {.open = httpd_open, .port = httpd_port, .close = httpd_close};
