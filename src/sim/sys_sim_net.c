/* sys_sim_net.c - the simulated network: one machine, whatever the host is called. A connection is two sockets that point at
 * each other, each with the bytes that came for it; a send takes what fits into the other's. By chance a read or a write
 * takes only a part. Sentences and statuses are those of the Linux world.
 *
 * A connection is there as soon as it is begun, when somebody listens; that nobody does is found by sys_socket_finish. */
#include "sim/world.h"

#include <stdio.h>
#include <string.h>

enum { SOCKET_BYTES = 64 * 1024, BACKLOG = 128 };

struct sim_socket {
    struct sim_socket *peer; /* NULL: the other end is gone, or there never was one */
    struct sim_socket *next; /* of listeners; of those who wait to be accepted */
    struct sim_socket *waiting;
    uint32_t waiting_count;
    int port; /* > 0: listens */
    bool is_refused;
    struct buf in;
    size_t at; /* read so far */
    char name[SYS_HOST_MAX + 8];
};

static struct sim_world *world_of(struct sys *s) { return (struct sim_world *)s; }

static struct sim_socket *socket_new(struct sim_world *w, const char *name)
{
    struct sim_socket *k = mem_zalloc(&w->mem, sizeof *k);

    buf_init(&k->in, &w->mem);
    snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

static struct sys_file *file_of(struct sim_world *w, struct sim_socket *k)
{
    struct sys_file *f = mem_zalloc(&w->mem, sizeof *f);

    f->socket = k;
    return f;
}

static void socket_free(struct sim_world *w, struct sim_socket *k)
{
    if (k->peer != NULL) k->peer->peer = NULL;
    buf_release(&k->in);
    mem_free(&w->mem, k);
}

/* --- addresses: the bytes are the port -------------------------------------------------------------------------------- */
enum status sim_address_find(struct sys *s, const char *host, int port, bool numeric, struct sys_address *list,
                             uint32_t *count, struct err *e)
{
    (void)s, (void)e;
    *count = 0;
    if (numeric && host != NULL && (host[0] < '0' || host[0] > '9')) return S_IDLE;
    snprintf(list[0].name, sizeof list[0].name, "%.*s:%d", SYS_HOST_MAX, host != NULL ? host : "*", port);
    list[0].size = sizeof port;
    memcpy(list[0].bytes, &port, sizeof port);
    *count = 1;
    return S_OK;
}

static int port_of(const struct sys_address *a)
{
    int port;

    ASSERT(a->size == sizeof port);
    memcpy(&port, a->bytes, sizeof port);
    return port;
}

static struct sim_socket *listener_at(struct sim_world *w, int port)
{
    struct sim_socket *l = w->listeners;

    while (l != NULL && l->port != port) l = l->next;
    return l;
}

/* --- connections ------------------------------------------------------------------------------------------------------ */
enum status sim_socket_begin(struct sys *s, const struct sys_address *a, struct sys_file **out, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_socket *own = socket_new(w, a->name), *l = listener_at(w, port_of(a));

    (void)e;
    *out = file_of(w, own);
    own->is_refused = l == NULL || l->waiting_count == BACKLOG;
    if (own->is_refused) return S_OK;
    struct sim_socket *other = socket_new(w, "peer"), **last = &l->waiting;
    own->peer = other;
    other->peer = own;
    while (*last != NULL) last = &(*last)->next;
    *last = other;
    l->waiting_count++;
    sim_poll_changed(w);
    return S_OK;
}

enum status sim_socket_finish(struct sys *s, struct sys_file *f, struct err *e)
{
    (void)s;
    ASSERT(f->socket != NULL);
    return f->socket->is_refused ? err_set(e, E_IO, "cannot connect to '%s': connection refused", f->socket->name)
                                 : S_OK;
}

enum status sim_socket_listen(struct sys *s, const struct sys_address *a, struct sys_file **out, int *port,
                              struct err *e)
{
    struct sim_world *w = world_of(s);

    *port = port_of(a);
    while (*port == 0 || (port_of(a) == 0 && listener_at(w, *port) != NULL)) *port = w->next_port++;
    if (listener_at(w, *port) != NULL)
        return err_set(e, E_EXISTS, "cannot listen at '%s': somebody else has that port", a->name);
    struct sim_socket *l = socket_new(w, a->name);
    l->port = *port;
    l->next = w->listeners;
    w->listeners = l;
    *out = file_of(w, l);
    return S_OK;
}

enum status sim_socket_accept(struct sys *s, struct sys_file *listener, struct sys_file **out, struct err *e)
{
    struct sim_socket *l = listener->socket, *k = l->waiting;

    (void)e;
    ASSERT(l->port > 0);
    if (k == NULL) return S_IDLE;
    l->waiting = k->next;
    l->waiting_count--;
    k->next = NULL;
    *out = file_of(world_of(s), k);
    return S_OK;
}

enum status sim_socket_pair(struct sys *s, struct sys_file *out[2], struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_socket *a = socket_new(w, "a pair of sockets"), *b = socket_new(w, "a pair of sockets");

    (void)e;
    a->peer = b;
    b->peer = a;
    out[0] = file_of(w, a);
    out[1] = file_of(w, b);
    return S_OK;
}

static void listener_end(struct sim_world *w, struct sim_socket *l)
{
    struct sim_socket **at = &w->listeners;

    while (*at != l) at = &(*at)->next;
    *at = l->next;
    for (struct sim_socket *k = l->waiting, *next; k != NULL; k = next) {
        next = k->next;
        socket_free(w, k);
    }
}

void sim_socket_close(struct sys *s, struct sys_file *f)
{
    struct sim_world *w = world_of(s);

    if (f->socket->port > 0) listener_end(w, f->socket);
    socket_free(w, f->socket);
    sim_poll_changed(w);
}

/* --- bytes ------------------------------------------------------------------------------------------------------------ */
static size_t by_chance(struct sim_world *w, size_t size)
{
    return size > 1 && !w->is_calm ? size - (size_t)prng_below(&w->prng, size) : size;
}

uint32_t sim_socket_ready(const struct sim_socket *k)
{
    if (k->port > 0) return k->waiting != NULL ? SYS_READY_READ : 0;
    if (k->peer == NULL) return SYS_READY_READ | SYS_READY_WRITE;
    return (k->in.size > k->at ? SYS_READY_READ : 0) |
           (k->peer->in.size - k->peer->at < SOCKET_BYTES ? SYS_READY_WRITE : 0);
}

enum status sim_file_read_some(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_socket *k = f->socket;

    if (k == NULL) return sim_file_read(s, f, bytes, size, got, e);
    *got = by_chance(w, MIN(size, k->in.size - k->at));
    if (*got == 0) return k->peer != NULL ? S_IDLE : S_OK;
    memcpy(bytes, k->in.data + k->at, *got);
    k->at += *got;
    if (k->at == k->in.size) {
        buf_clear(&k->in);
        k->at = 0;
    }
    sim_poll_changed(w); /* there is room for who writes */
    return S_OK;
}

enum status sim_file_write_some(struct sys *s, struct sys_file *f, const void *bytes, size_t size, size_t *put,
                                struct err *e)
{
    struct sim_world *w = world_of(s);
    struct sim_socket *to = f->socket->peer;

    *put = 0;
    if (to == NULL) return err_set(e, E_PIPE, "cannot write '%s': the reader went away", f->socket->name);
    *put = by_chance(w, MIN(size, SOCKET_BYTES - (to->in.size - to->at)));
    if (*put == 0) return S_IDLE;
    buf_append(&to->in, bytes, *put);
    sim_poll_changed(w);
    return S_OK;
}
