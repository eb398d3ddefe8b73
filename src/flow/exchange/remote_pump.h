/* remote_pump.h - the pumps of one process: net, exchanges, links, channels. For remote_*.c, and for tests that are
 * the thread of a net themselves. Everything here is the net's thread's, but what says so. */
#pragma once
#include "flow/exchange/channel.h"
#include "flow/exchange/remote.h"
#include "flow/exchange/remote_frames.h"
#include "ground/base/map.h"
#include "ground/net/dial.h"

enum { REMOTE_QUEUE = CHANNEL_SHELLS_MAX + CHANNEL_CONTROL_SLOTS };

struct remote_link;

/* One end of a channel that goes to another process. */
struct remote_channel {
    struct remote_channel *listed_next; /* in net.listed, behind its lock */
    bool is_in_list;                    /* the same */
    struct sys_atomic_u64 is_listed;    /* the pump knows that it has to look; its task need not say so */
    struct remote_channel *link_next;   /* of the channels of a link */
    struct remote_link *link;
    struct channel *channel;
    uint64_t id;
    bool is_sent;   /* from here; else it is received */
    bool is_active; /* in net.active */
    bool is_over;   /* its end was sent, or has come */
    uint32_t idle_rounds;
    /* of one that is sent */
    struct remote_credit credit;
    struct element held; /* taken, not sent */
    bool has_held;
    /* of one that is received */
    struct batch *shells[CHANNEL_SHELLS_MAX]; /* in hand: told to the sender as credit, or fresh */
    uint32_t shell_count;
    struct remote_credit told, fresh;   /* what the sender may send; what it is to be told of */
    struct element queue[REMOTE_QUEUE]; /* came, and waits for a slot in the ring */
    uint32_t queue_first, queue_count;
    bool has_more; /* at the sender, as it said last */
};

enum link_state { LINK_NONE, LINK_DIALS, LINK_CONNECTS, LINK_SHAKES, LINK_UP, LINK_OVER };

/* The connection to one worker, and the channels on it. */
struct remote_link {
    struct remote_exchange *exchange;
    uint32_t worker;
    char peer[FRAME_PEER_MAX];
    enum link_state state;
    struct dial dial;
    bool has_dial;
    struct sys_file *file; /* LINK_CONNECTS */
    struct loop_watch *watch;
    struct handshake *shake; /* LINK_SHAKES, of one that was dialed from here */
    struct frame_conn *conn; /* LINK_UP */
    struct err last;         /* why the last address did not answer */
    struct remote_channel *channels;
    uint32_t channel_count, sends_open, receives_open;
    uint32_t queued; /* elements in the queues of its channels */
    bool said_bye, heard_bye, owes_answer, heard_answer;
    bool is_dirty; /* frames wait for a flush; in net.dirty */
    struct remote_link *dirty_next;
};

struct remote_exchange {
    struct mem mem;         /* the caller's until open */
    struct mem channel_mem; /* the same */
    struct remote_net *net;
    struct remote_plan plan;
    struct remote_link *links;    /* [worker_count] */
    struct map channels;          /* by the bytes of their ids */
    struct remote_exchange *next; /* of the net's */
    bool is_open, has_failed, stops, is_ending;
    bool packs; /* the rows of batches that are sent */
    struct loop_timer *cut;
    struct sys_parker *stopper;
    struct sys_atomic_u64 is_stopped; /* any thread */
    bool all_arrived;
    struct sys_atomic_u64 bytes_sent, bytes_received, batches_sent, batches_received; /* any thread reads */
};

/* A connection that somebody else began, until it has said what it is for. */
struct remote_visitor {
    struct remote_net *net;
    struct remote_visitor *next;
    struct handshake *shake;
    struct remote_link *link; /* that it was admitted to */
};

struct remote_net {
    struct mem mem; /* the thread's, once it runs */
    struct sys *sys;
    struct log *log;
    struct remote_net_plan plan;
    struct loop *loop;
    struct sys_file *listener;
    struct loop_watch *watch;
    struct loop_timer *rests; /* nobody is let in until then */
    int port;
    struct sys_thread *thread;
    struct sys_atomic_u64 is_closing;
    struct remote_exchange *exchanges;
    struct remote_visitor *visitors;
    struct buf raw; /* of the batch at hand, not packed */
    struct remote_channel **active;
    uint32_t active_count, active_capacity;
    struct remote_link *dirty;
    struct sys_lock *lock; /* guards listed */
    struct remote_channel *listed;
    int64_t idle_ns, looked_ns, crowded_ns; /* as a worker's */
};

/* remote_channel.c */
void remote_channel_wake(void *arg); /* any thread: a struct remote_channel has something to do */
void remote_channel_activate(struct remote_channel *c);
/* Moves what can be moved; true: something was. */
bool remote_channel_serve(struct remote_channel *c);
/* A frame of it has come. */
enum status remote_channel_batch(struct remote_channel *c, const struct remote_message *m, struct dec *d,
                                 struct err *e) CHECKED;
enum status remote_channel_control(struct remote_channel *c, const struct remote_message *m, struct err *e) CHECKED;
enum status remote_channel_credit(struct remote_channel *c, const struct remote_message *m, struct err *e) CHECKED;
void remote_channel_release(struct remote_channel *c); /* gives up what it holds */
/* One round over all channels that may have something to do; true: something moved. */
bool remote_net_pump(struct remote_net *n);
/* Channels without anything to do are to say when they have again; true: some have, already. */
bool remote_net_settle(struct remote_net *n);

/* remote_link.c */
void remote_link_dial(struct remote_link *l);
void remote_link_up(struct remote_link *l, struct frame_conn *conn);
void remote_link_dirty(struct remote_link *l);
void remote_link_check_end(struct remote_link *l); /* says that it is over, answers, closes, as far as it is time */
void remote_link_cut(struct remote_link *l);       /* at once, whatever is under way */
void remote_greeting(const struct remote_link *l, struct buf *out);
/* Whose greeting it is, or why it is not welcome. */
enum status remote_greeting_find(struct remote_net *n, struct str greeting, struct remote_link **out,
                                 struct err *e) CHECKED;

/* remote_exchange.c */
void remote_exchange_fail(struct remote_exchange *x, uint32_t worker, const struct err *why);
void remote_exchange_check_stop(struct remote_exchange *x);

/* remote_net.c: has the thread call fn(arg), and waits until it has. Not from the thread itself. */
void remote_net_call(struct remote_net *n, loop_fn fn, void *arg);
/* The thread sets the word and wakes who awaits it, who may free both as soon as it is back. */
void remote_net_signal(struct remote_net *n, struct sys_atomic_u64 *word, struct sys_parker *sleeper);
void remote_net_await(struct remote_net *n, struct sys_atomic_u64 *word, struct sys_parker *sleeper);
