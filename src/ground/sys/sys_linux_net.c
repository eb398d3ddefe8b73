/* sys_linux_net.c - sockets of the Linux world. They never make anybody wait: what cannot be done now is S_IDLE. A peer that
 * went away is a status, never a signal. */
#include "ground/sys/sys_linux_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128, NAME_BYTES = SYS_HOST_MAX + 8 };

/* --- addresses -------------------------------------------------------------------------------------------------------- */
enum status linux_address_find(struct sys *s, const char *host, int port, bool numeric, struct sys_address *list,
                               uint32_t *count, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | (host == NULL ? AI_PASSIVE : 0) |
                                         (numeric ? AI_NUMERICHOST : 0)};
    struct addrinfo *found = NULL;
    char service[16], name[NAME_BYTES];

    (void)s;
    *count = 0;
    snprintf(service, sizeof service, "%d", port);
    snprintf(name, sizeof name, "%.*s:%d", SYS_HOST_MAX, host != NULL ? host : "*", port);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed == EAI_NONAME && numeric) return S_IDLE;
    if (failed == EAI_SYSTEM) return linux_error(e, "find", name, "address");
    if (failed != 0) return err_set(e, E_NOT_FOUND, "cannot connect to '%s': %s", name, gai_strerror(failed));
    for (struct addrinfo *a = found; a != NULL && *count < SYS_ADDRESSES_MAX; a = a->ai_next) {
        struct sys_address *to = &list[(*count)++];
        ASSERT(a->ai_addrlen <= sizeof to->bytes);
        memcpy(to->name, name, sizeof name);
        memcpy(to->bytes, a->ai_addr, a->ai_addrlen);
        to->size = a->ai_addrlen;
    }
    freeaddrinfo(found);
    ASSERT(*count > 0);
    return S_OK;
}

static const struct sockaddr *raw(const struct sys_address *a)
{
    return (const struct sockaddr *)(const void *)a->bytes;
}

static struct sys_file *socket_new(struct sys *s, int fd, const char *name)
{
    struct sys_file *f = linux_file_new(s, fd, name);
    int on = 1;

    f->is_socket = true;
    /* who sends little wants it sent; refused by what is not TCP */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return f;
}

/* --- connecting ------------------------------------------------------------------------------------------------------- */
static enum status closed_error(int fd, const char *verb, const char *name, struct err *e)
{
    int number = errno;

    if (fd >= 0) close(fd);
    errno = number;
    return linux_error(e, verb, name, "address");
}

enum status linux_socket_begin(struct sys *s, const struct sys_address *a, struct sys_file **out, struct err *e)
{
    int fd = socket(raw(a)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || (connect(fd, raw(a), a->size) != 0 && errno != EINPROGRESS && errno != EINTR))
        return closed_error(fd, "connect to", a->name, e);
    *out = socket_new(s, fd, a->name);
    return S_OK;
}

enum status linux_socket_finish(struct sys *s, struct sys_file *f, struct err *e)
{
    struct pollfd p = {.fd = f->fd, .events = POLLOUT};
    int number = 0;
    socklen_t size = sizeof number;

    (void)s;
    ASSERT(f->is_socket);
    if (poll(&p, 1, 0) <= 0) return S_IDLE;
    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
    if (number == 0) return S_OK;
    errno = number;
    return linux_error(e, "connect to", f->path, "address");
}

/* --- listening -------------------------------------------------------------------------------------------------------- */
static int port_of(int fd)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof own;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (getsockname(fd, (struct sockaddr *)(void *)&own, &size) != 0) return 0;
    if (own.ss_family == AF_INET6) {
        memcpy(&v6, &own, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, &own, sizeof v4);
    return ntohs(v4.sin_port);
}

enum status linux_socket_listen(struct sys *s, const struct sys_address *a, struct sys_file **out, int *port,
                                struct err *e)
{
    int fd = socket(raw(a)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0) return closed_error(fd, "listen at", a->name, e);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* connections of a former process may still be closing */
    if (bind(fd, raw(a), a->size) != 0 || listen(fd, BACKLOG) != 0) return closed_error(fd, "listen at", a->name, e);
    *port = port_of(fd);
    *out = socket_new(s, fd, a->name);
    return S_OK;
}

static bool is_not_now(int number) { return number == EAGAIN || number == EWOULDBLOCK || number == EINTR; }

enum status linux_socket_accept(struct sys *s, struct sys_file *listener, struct sys_file **out, struct err *e)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    char host[64] = "?", service[8] = "", name[NAME_BYTES];
    int fd = accept4(listener->fd, (struct sockaddr *)(void *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (is_not_now(errno) || errno == ECONNABORTED)) return S_IDLE; /* aborted: gone before we looked */
    if (fd < 0) return linux_error(e, "accept at", listener->path, "address");
    getnameinfo((struct sockaddr *)(void *)&from, size, host, sizeof host, service, sizeof service,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(name, sizeof name, "%s:%s", host, service);
    *out = socket_new(s, fd, name);
    return S_OK;
}

enum status linux_socket_pair(struct sys *s, struct sys_file *out[2], struct err *e)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return linux_error(e, "make", "a pair of sockets", "address");
    for (int i = 0; i < 2; i++) out[i] = socket_new(s, fds[i], "a pair of sockets");
    return S_OK;
}

/* --- bytes ------------------------------------------------------------------------------------------------------------ */
/* Only sockets are ours to make non-blocking: standard input is shared with whoever started us, so it is asked first. */
enum status linux_file_read_some(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got,
                                 struct err *e)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};

    (void)s;
    *got = 0;
    if (!f->is_socket && poll(&p, 1, 0) <= 0) return S_IDLE;
    ssize_t n = read(f->fd, bytes, size);
    if (n < 0 && is_not_now(errno)) return S_IDLE;
    if (n < 0) return linux_error(e, "read", f->path, "file");
    *got = (size_t)n;
    return S_OK;
}

enum status linux_file_write_some(struct sys *s, struct sys_file *f, const void *bytes, size_t size, size_t *put,
                                  struct err *e)
{
    (void)s;
    ASSERT(f->is_socket);
    *put = 0;
    ssize_t n = send(f->fd, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && is_not_now(errno)) return S_IDLE;
    if (n < 0) return linux_error(e, "write", f->path, "file");
    *put = (size_t)n;
    return S_OK;
}
