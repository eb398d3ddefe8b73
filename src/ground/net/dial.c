/* dial.c - looking a name up and trying its addresses. The system's look-up blocks and cannot be interrupted, so it has a
 * thread for as long as it takes; is_found hands its answer over. */
#include "ground/net/dial.h"

#include "ground/base/str.h"

#include <string.h>

static void look_up(void *arg)
{
    struct dial *d = arg;

    d->found = sys_address_find(d->sys, d->host, d->port, false, d->list, &d->count, &d->err);
    sys_atomic_store(&d->is_found, 1);
    d->wake(d->wake_arg);
}

enum status dial_start(struct dial *d, struct sys *sys, const char *host, int port, void (*wake)(void *arg), void *arg,
                       struct err *e)
{
    size_t size = strlen(host);

    ASSERT(wake != NULL);
    *d = (struct dial){.sys = sys, .port = port, .wake = wake, .wake_arg = arg};
    if (size == 0 || size > SYS_HOST_MAX)
        return err_set(e, E_CONFIG, "a host's name has 1 to %d characters, '%.40s...' has %zu", SYS_HOST_MAX, host,
                       size);
    memcpy(d->host, host, size + 1);
    enum status st = sys_address_find(sys, d->host, port, true, d->list, &d->count, e);
    if (st == S_IDLE) return sys_thread_start(sys, "look-up", look_up, d, &d->helper, e);
    TRY(st);
    sys_atomic_store(&d->is_found, 1);
    return S_OK;
}

enum status dial_next(struct dial *d, struct sys_file **out, struct err *e)
{
    if (sys_atomic_load(&d->is_found) == 0) return S_PENDING;
    if (d->found != S_OK) {
        err_pass_on(e, &d->err);
        return d->found;
    }
    if (d->at == d->count) return S_END;
    return sys_socket_begin(d->sys, &d->list[d->at++], out, e);
}

bool dial_has_more(const struct dial *d) { return d->at < d->count; }

void dial_end(struct dial *d)
{
    if (d->helper != NULL) sys_thread_join(d->sys, d->helper);
    d->helper = NULL;
}
