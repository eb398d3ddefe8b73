/* remote.h - channels between tasks of different processes, over TCP.
 *
 * Both ends keep their rings: in the sending process a channel ends at a pump, in the receiving process it begins at
 * one; writers and gates do not know. A pump is what the thread of a remote_net does to all channels: it takes
 * elements of those that are sent, puts them into frames, and fills frames that came into shells of those that are
 * received. A shell in hand of the receiving pump is the credit: so many batches may be under way, and so many
 * control elements as have slots (CHANNEL_CONTROL_SLOTS).
 *
 *     net                     one per process: a thread, a port
 *       exchange              one per attempt of a job: its channels, and a connection to every worker it shares some with
 *
 * How an attempt is wired (control/taskmanager/deploy.c does it for settings.placement): for each edge and connected
 * pair of subtasks
 *   both here               channel_create, channel_share, channel_connect as ever
 *   the sender is here      channel_create in the sender's mem; remote_exchange_send; channel_connect(c, sys, its parker, NULL)
 *   the receiver is here    channel_create in remote_exchange_mem; remote_exchange_receive; channel_connect(c, sys, NULL, its parker)
 *   neither is here         nothing
 * channel_share comes first, with a budget in either process and the same count: that of all channels into the
 * receiving subtask, wherever they come from, so that both ends work out the same size of a batch.
 *
 * Every worker has called remote_exchange_open, the end of its deployment, before any calls remote_exchange_start:
 * the job master waits for all to have deployed before it starts one. The token (epoch, attempt) must be equal at
 * both ends of a connection. */
#pragma once
#include "flow/exchange/exchange.h"
#include "ground/base/log.h"
#include "ground/net/handshake.h"

/* --- the process -------------------------------------------------------------------------------------------------- */
struct remote_net_plan {
    const char *host;  /* to listen at; NULL = every address of this machine */
    int port;          /* 0 = the system chooses */
    const char *build; /* see handshake.h */
    struct str key;
};

struct remote_net;
/* Listens, and starts the thread. The plan's texts outlive it. */
enum status remote_net_open(struct sys *sys, struct log *log, const struct remote_net_plan *plan,
                            struct remote_net **out, struct err *e) CHECKED;
void remote_net_close(struct remote_net *n); /* no exchange is left; NULL is a no-op */
int remote_net_port(const struct remote_net *n);

/* --- an attempt of a job ------------------------------------------------------------------------------------------ */
struct remote_worker {
    const char *name; /* in messages: its resource id */
    const char *host; /* where its net listens */
    int port;
};

struct remote_plan {
    const char *job_id;
    uint64_t epoch, attempt;
    const struct remote_worker *workers; /* all of the job, in an order that all of them know */
    uint32_t worker_count, self;
    /* A connection was lost, refused or broken before its channels had ended: no more comes or goes on any of them,
     * and the tasks at this end have to be failed with `why`, which names the worker. On the net's thread, once per
     * exchange; must not block, and must not call the exchange. */
    void (*failed)(void *arg, uint32_t worker, const struct err *why);
    void *arg;
};

struct remote_exchange;
struct remote_exchange *remote_exchange_create(struct remote_net *n,
                                               const struct remote_plan *plan); /* the plan's texts outlive it */
struct mem *remote_exchange_mem(struct remote_exchange *x); /* of channels that are received; the caller's until open */
/* The name of a channel in its job. */
static inline uint64_t remote_channel_id(uint32_t edge, uint32_t from, uint32_t to)
{
    return (uint64_t)edge << 40 | (uint64_t)from << 20 | to;
}
/* The channel's receiving end is at that worker, or its sending end is; not that of this process. Before open, behind
 * channel_share. */
void remote_exchange_send(struct remote_exchange *x, uint32_t worker, uint64_t id, struct channel *c);
void remote_exchange_receive(struct remote_exchange *x, uint32_t worker, uint64_t id, struct channel *c);
void remote_exchange_pack(struct remote_exchange *x); /* packs the rows that it sends, by LZ4; before open */
/* All channels are there and connected: from now on other workers may connect, and rows come and go on what they
 * connected. */
void remote_exchange_open(struct remote_exchange *x);
/* Connects to the workers that are its to connect to. What goes wrong is told by `failed`. */
void remote_exchange_start(struct remote_exchange *x);
/* The tasks here have ended. Waits until what they sent has arrived and the other ends know that it was all, at most
 * wait_ns, then cuts what is left; 0 = at once, for an attempt that failed or is canceled. Afterwards no channel is
 * touched and `failed` is not called: they may be freed, and the exchange behind them. True: all had arrived. */
bool remote_exchange_stop(struct remote_exchange *x, int64_t wait_ns);
void remote_exchange_free(struct remote_exchange *x); /* stopped, or never opened; NULL is a no-op */

struct remote_totals {
    uint64_t bytes_sent, bytes_received, batches_sent, batches_received;
};
void remote_exchange_totals(const struct remote_exchange *x, struct remote_totals *out); /* any thread */
