/* dial.h - the way to host:port without making anybody wait: the name is looked up by a helper thread (a host in numbers
 * needs none), then its addresses are tried one after another.
 *
 *     dial_start; dial_next -> a file; wait until it is ready to write; sys_socket_finish: connected, or close it and ask
 *     dial_next for the next; dial_end. */
#pragma once
#include "ground/sys/sys_net.h"

struct dial {
    struct sys *sys;
    char host[SYS_HOST_MAX + 1];
    int port;
    struct sys_thread *helper;
    struct sys_atomic_u64 is_found; /* what is below is the owner's from then on */
    enum status found;
    struct err err;
    struct sys_address list[SYS_ADDRESSES_MAX];
    uint32_t count, at;
    void (*wake)(void *arg);
    void *wake_arg;
};

/* wake(arg) is called by the helper thread when the addresses are there, not after dial_end. Fails for a host that is too
 * long to be one, or when there can be no thread. */
enum status dial_start(struct dial *d, struct sys *sys, const char *host, int port, void (*wake)(void *arg), void *arg,
                       struct err *e) CHECKED;
/* S_OK: a connection to the next address is begun. S_PENDING: none is known yet, wake will be called. E_NOT_FOUND: there is
 * no such host. S_END: all were tried. */
enum status dial_next(struct dial *d, struct sys_file **out, struct err *e) CHECKED;
bool dial_has_more(const struct dial *d); /* addresses that were not tried */
void dial_end(struct dial *d);            /* waits for a look-up that is under way; a cleared dial is a no-op */
