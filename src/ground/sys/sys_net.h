/* sys_net.h - the door's calls that never make anybody wait: connections, reads and writes of what is there now, and sets
 * of files that are watched for readiness. S_IDLE says "not now": watch the file, and ask again when it is ready. The loop
 * on top is ground/net/loop.h.
 *
 * A connection is a sys_file too: sys_file_close ends it. Names are looked up by the system, which may take long:
 * sys_address_find belongs into a helper thread unless numeric is true. */
#pragma once
#include "ground/sys/sys.h"

enum { SYS_ADDRESSES_MAX = 8, SYS_HOST_MAX = 253, SYS_ADDRESS_BYTES = 128 };

struct sys_address {
    char name[SYS_HOST_MAX + 8]; /* "host:port", for messages */
    _Alignas(8) unsigned char bytes[SYS_ADDRESS_BYTES];
    uint32_t size;
};

/* Where to find host:port, best first. numeric: the host is written in numbers; a name is S_IDLE then. host NULL = every
 * address of this machine (to listen). */
enum status sys_address_find(struct sys *s, const char *host, int port, bool numeric, struct sys_address *list,
                             uint32_t *count, struct err *e) CHECKED;
/* Begins to connect. The file is ready to write when that has come to an end: sys_socket_finish says to which. */
enum status sys_socket_begin(struct sys *s, const struct sys_address *a, struct sys_file **out, struct err *e) CHECKED;
/* S_OK connected, S_IDLE not yet, or why not. */
enum status sys_socket_finish(struct sys *s, struct sys_file *f, struct err *e) CHECKED;
/* Accepts connections at that address; port 0 lets the system choose. *port says which it is. */
enum status sys_socket_listen(struct sys *s, const struct sys_address *a, struct sys_file **out, int *port,
                              struct err *e) CHECKED;
/* The next connection, ready to read when there is one; S_IDLE: none waits. */
enum status sys_socket_accept(struct sys *s, struct sys_file *listener, struct sys_file **out, struct err *e) CHECKED;
/* Two ends of one connection inside this process. */
enum status sys_socket_pair(struct sys *s, struct sys_file *out[2], struct err *e) CHECKED;

/* What is there, up to size bytes; *got = 0 at the end; S_IDLE: nothing now. Any file. */
enum status sys_file_read_some(struct sys *s, struct sys_file *f, void *bytes, size_t size, size_t *got,
                               struct err *e) CHECKED;
/* As much as fits now, *put > 0; S_IDLE: nothing does. Sockets. */
enum status sys_file_write_some(struct sys *s, struct sys_file *f, const void *bytes, size_t size, size_t *put,
                                struct err *e) CHECKED;

/* --- readiness ---------------------------------------------------------------------------------------------------- */
enum sys_ready {
    SYS_READY_READ = 1,  /* a read gives bytes, the end or an error; an accept gives a connection */
    SYS_READY_WRITE = 2, /* a write takes bytes or gives an error; a connection has come about or failed */
    SYS_READY_ONCE = 4,  /* asked for only: said once, then silent until sys_poll_set asks again */
};

struct sys_poll;
struct sys_poll_event {
    void *arg;
    /* What was asked for and is so; both READ and WRITE when the connection is gone: the next call says why. */
    uint32_t ready;
};

enum status sys_poll_create(struct sys *s, struct sys_poll **out, struct err *e) CHECKED;
void sys_poll_free(struct sys *s, struct sys_poll *p); /* NULL is a no-op; the files are not its own */
/* Watches the file, or changes what it is watched for (0 = nothing, it stays in the set); without SYS_READY_ONCE it is
 * said again by each wait as long as it is so. A file that never makes anybody wait (on disk) is always ready. Any thread;
 * of two calls for one file the caller keeps the order. */
enum status sys_poll_set(struct sys *s, struct sys_poll *p, struct sys_file *f, uint32_t events, void *arg,
                         struct err *e) CHECKED;
/* Before the file is closed. The thread that waits only. A file that is not watched is a no-op. */
void sys_poll_remove(struct sys *s, struct sys_poll *p, struct sys_file *f);
/* Waits until something is ready, sys_poll_wake, or timeout_ns (INT64_MAX = none, 0 = do not wait; on Linux whole
 * milliseconds, rounded up); may come back early. *count events. One thread. */
enum status sys_poll_wait(struct sys *s, struct sys_poll *p, int64_t timeout_ns, struct sys_poll_event *events,
                          uint32_t max, uint32_t *count, struct err *e) CHECKED;
void sys_poll_wake(struct sys *s, struct sys_poll *p); /* any thread; kept when nobody waits */
