/* gate_internal.h - what the files of a gate share: gate.c (which channel is read, what follows from an element) and gate_in_flight.c
 * (barriers that overtake, what they leave behind, and how that comes back). */
#pragma once
#include "flow/exchange/channel.h"

struct record;         /* in-flight data while they are kept */
struct restored;       /* items of one channel that are left */
struct restored_items; /* and of all */

struct gate_channel {
    struct channel *channel;
    uint32_t input;
    int64_t watermark;
    bool is_idle, is_finished;
    bool is_held; /* it brought the barrier that others have not */
    bool is_recorded;      /* what is taken from it is kept, until it brings gate.recording */
    int64_t counted;       /* the last barrier that it brought, where barriers only count */
    const struct channel_origin *origin; /* NULL: it may not be overtaken */
    struct restored *restored; /* it has no channel: its elements come from here */
};

struct gate {
    struct mem *mem;
    struct gate_channel *channels;
    uint32_t channel_count, input_count;
    uint32_t *open_channels; /* per input: channels not finished */
    uint32_t open_inputs;
    uint32_t next;           /* whose turn it is */
    int64_t watermark;       /* last minimum answered */
    bool is_idle;
    int64_t aligning;            /* checkpoint whose barrier some channels are held for; 0 = none */
    int64_t aligning_since_ns;
    int64_t passed;              /* the last barrier that was answered */
    bool counts_barriers;        /* none holds its channel */
    int64_t hurried;             /* the barrier that need not be waited for; 0 = none */
    int64_t recording;           /* the barrier whose in-flight data are kept, until they are dropped; 0 = none */
    uint32_t recorded_channels;  /* that have not brought it */
    struct record *record;       /* what was kept; made on first use */
    struct gate_channel *real;   /* the channels, while restored items are left; NULL = there are none */
    uint32_t real_count;
    struct restored_items *restored; /* NULL = there were none */
    struct gate_channel *lender; /* whose shell is out */
    struct batch *lent;
    bool lent_seen;              /* answered: goes back at the next call */
    struct batch **merges;       /* per input: small batches copied together; made on first use */
    struct batch *merged;        /* the one that is to be answered, or is out; NULL = none */
    struct gate_channel *merged_last; /* whose rows came last, and the watermark behind them */
    int64_t merged_watermark;
    uint32_t merged_input;
    bool merged_seen;
    struct prng prng;
    bool pick_random;
    struct gate_event queue[8]; /* events that one element caused, behind the first */
    uint32_t queued, queue_at;
};

/* gate.c */
void gate_merge_time(struct gate *g); /* the minimum and idleness, after a channel changed */
void gate_release_channels(struct gate *g);
void gate_enqueue(struct gate *g, const struct gate_event *e);

/* gate_in_flight.c. Where nothing is lent or merged and no event waits: true: a barrier overtook, and is in the queue. */
bool gate_try_overtake(struct gate *g);
void gate_record(struct gate *g, const struct gate_channel *c, const struct element *e);
/* The channel brought a barrier, or its end: nothing more of it is kept. barrier 0: the end. */
void gate_record_end(struct gate *g, struct gate_channel *c, int64_t barrier);
bool gate_take_restored(struct gate *g, struct gate_channel *c, struct element *out) CHECKED;
bool gate_end_restored(struct gate *g); /* true: they are all read, and so are the channels from now on */
void gate_in_flight_free(struct gate *g);
