/* exchange.h - moving rows between tasks of one process. A channel is a pair of bounded SPSC rings: elements go forward,
 * empty batch shells come back, and a shell in hand is the credit to send. A writer scatters batches over the channels of
 * one edge; a gate merges the channels of one task into its inputs, with the watermark minimum and idleness.
 *
 * In-band and in order per channel: batch (its header carries the watermark after its last row), watermark, status,
 * barrier, end of input, latency marker. */
#pragma once
#include "columns/column/batch.h"
#include "ground/base/prng.h"
#include "ground/sys/sys.h"

enum element_kind { ELEMENT_BATCH, ELEMENT_WATERMARK, ELEMENT_STATUS, ELEMENT_BARRIER, ELEMENT_END, ELEMENT_LATENCY };

struct element {
    enum element_kind kind;
    struct batch *batch; /* ELEMENT_BATCH */
    int64_t value;       /* watermark; status: 1 = idle; barrier: checkpoint id; latency marker: mono ns */
};

enum { CHANNEL_SHELLS_MAX = 8, CHANNEL_CONTROL_SLOTS = 8, CHANNEL_SHELLS_SURE = 2 };
/* Beyond those, for a barrier that overtakes: slots that nothing else takes, and shells for what has to be written before it. */
enum { CHANNEL_BARRIER_SLOTS = 4, CHANNEL_OVERDRAFT = 4 };
enum { GATE_BYTES = 4 * 1024 * 1024, SHELL_BYTES_MIN = 4096 };

struct channel;

/* What all channels into one gate may hold together: GATE_BYTES. Two shells per channel are certain, of at least
 * SHELL_BYTES_MIN; the rest floats to the channels that need it. Shared by the senders; cleared memory is a budget. */
struct gate_budget {
    struct sys_atomic_u64 used;   /* bytes of shells, those promised included */
    struct sys_atomic_u64 wanted; /* not 0: the channel that has a claim on what comes free */
};

/* One channel from a sending to a receiving task. Shells are made in the sender's mem, two at first, more up to `shells`
 * when the receiver lags. */
struct channel *channel_create(struct mem *mem, const struct type *schema, const uint64_t *needed, uint32_t batch_rows,
                               uint32_t shells);
void channel_free(struct channel *c); /* both sides stopped */
/* Puts the channel under its gate's budget, as one of channel_count; before the first row. */
void channel_share(struct channel *c, struct gate_budget *budget, uint32_t channel_count);
/* The parkers to wake: the receiver's when something arrives, the sender's when a shell comes back to a waiting sender. */
void channel_connect(struct channel *c, struct sys *sys, struct sys_parker *sender, struct sys_parker *receiver);

/* --- sending end: a writer per outgoing edge and subtask --------------------------------------------------------------- */
enum partitioner {
    PART_FORWARD,
    PART_HASH,
    PART_REBALANCE,
    PART_RESCALE,
    PART_BROADCAST,
    PART_GLOBAL,
    PART_SHUFFLE,
    PART_CUSTOM,
    PART_ADAPTIVE,
    PART_COUNT
};
extern const char *const partitioner_names[PART_COUNT]; /* as Flink's ship strategies: FORWARD, HASH, ... */

/* For PART_CUSTOM: fills targets[i] for the i-th selected row. */
typedef enum status (*partition_fn)(void *arg, const struct batch *in, uint32_t target_count, uint32_t *targets);

struct writer_plan {
    enum partitioner partitioner;
    const uint32_t *keys; /* PART_HASH */
    uint32_t key_count, max_parallelism;
    partition_fn custom;
    void *custom_arg;
    uint64_t seed;                 /* PART_SHUFFLE */
    uint32_t subtask, parallelism; /* of the sender */
    uint32_t traverse_max;         /* PART_ADAPTIVE: so many channels are compared; 0 = 4 */
    bool has_timeout;              /* else rows wait for writer_flush only */
    int64_t timeout_ms;            /* how long rows may wait for a batch to fill; 0 = not at all; WRITER_FULL_ONLY */
};
#define WRITER_FULL_ONLY INT64_MAX

struct writer;
struct writer *writer_create(const struct writer_plan *plan, struct channel *const *channels, uint32_t channel_count,
                             struct mem *mem);
void writer_free(struct writer *w);
/* PART_CUSTOM: sets what the plan left open, before the first row. */
void writer_set_custom(struct writer *w, partition_fn custom, void *arg);
/* Takes the selected rows of the batch. S_FULL: some rows wait for credit; call again with the same batch, unchanged. */
/* may_take: the batch is the sender's own output, used by this edge alone; its buffers may be swapped away. */
enum status writer_batch(struct writer *w, struct batch *in, bool may_take) CHECKED;
/* Control elements go to all channels, behind what was written before. S_FULL as above. A watermark rides in the header of
 * the rows before it; one that would travel alone is held back when another did within the last millisecond, and leaves
 * with the next flush or in front of what is written next. */
enum status writer_control(struct writer *w, enum element_kind kind, int64_t value) CHECKED;
/* Sends builders that hold rows, unless these have time yet (timeout_ms), and watermarks held back. S_FULL: some of these
 * wait for room; call again. */
enum status writer_flush(struct writer *w) CHECKED;
/* Until rows have waited for timeout_ms, and the next writer_flush sends them; INT64_MAX = none wait like this. */
int64_t writer_wait_ns(const struct writer *w);
/* A barrier that need not wait is to go off: until then every channel may be lent CHANNEL_OVERDRAFT shells beyond its own, so that the
 * task gets to the end of what it is in the midst of. Any number of times. */
void writer_overdraw(struct writer *w, bool is_on);

/* --- receiving end: one gate per task ------------------------------------------------------------------------------------ */
struct gate;
/* Where a channel comes from, as far as checkpoints keep what is in it. */
struct channel_origin {
    uint32_t edge, from;   /* number of the edge among those into the task; subtask of the sender */
    bool may_be_overtaken; /* its rows can be given to other subtasks, so they may be kept as rows */
    const uint32_t *keys;  /* PART_HASH: whose key groups say to which; NULL: the number of the receiver does */
    uint32_t key_count;
};
struct gate_input {
    struct channel *const *channels;
    uint32_t channel_count;
    const struct channel_origin *origins; /* [channel_count]; NULL: barriers stay behind what was sent before them */
};
struct gate *gate_create(const struct gate_input *inputs, uint32_t input_count, struct mem *mem, uint64_t seed);
void gate_free(struct gate *g);
/* Before the first gate_next of a restored task: the minimum that was answered before. It does not fall back below it. */
void gate_restore(struct gate *g, int64_t watermark);

enum gate_event_kind { GATE_BATCH, GATE_WATERMARK, GATE_STATUS, GATE_BARRIER, GATE_END_INPUT, GATE_END, GATE_LATENCY };
struct gate_event {
    enum gate_event_kind kind;
    uint32_t input;
    struct batch *batch; /* GATE_BATCH: borrowed until the next gate_next; its header watermark is already merged out */
    int64_t value;       /* GATE_WATERMARK: new minimum over all inputs; GATE_STATUS: 1 = all idle; GATE_BARRIER: checkpoint id */
    int64_t waited_ns;   /* GATE_BARRIER: since the first channel brought it */
    bool has_overtaken;  /* GATE_BARRIER: what was in the channels before it is, or will be, in gate_in_flight */
};
/* Barriers are aligned: a channel that brought one is not read until every channel that has not finished brought the same, and then
 * it is answered once; so what was answered before it is exactly what was sent before it. A barrier of a later checkpoint, where
 * one of an earlier is waited for, ends that wait: the earlier checkpoint is none. */
/* Next event in order, S_IDLE when nothing is there. Channels are served in turn. Small batches that lie ready one behind
 * the other, without a control element between them, come as one. */
enum status gate_next(struct gate *g, struct gate_event *out) CHECKED;

/* --- barriers that overtake, and those that only count (gate_in_flight.c) ------------------------------------------------- */
enum in_flight_kind {
    IN_FLIGHT_ACTIVE,    /* a channel; value: its watermark when the barrier overtook */
    IN_FLIGHT_IDLE,      /* the same of one that was idle */
    IN_FLIGHT_ROWS,      /* batch_codec.h; value: the watermark behind them, TIME_MIN = none */
    IN_FLIGHT_WATERMARK,
    IN_FLIGHT_STATUS,
    IN_FLIGHT_KINDS
};
/* What lay in a channel before a barrier and had not been answered yet: of each channel first ACTIVE or IDLE, then its elements in order. */
struct in_flight_item {
    enum in_flight_kind kind;
    uint32_t edge, from, to; /* struct channel_origin; subtask of the receiver */
    int64_t value;
    struct str rows;
};
struct in_flight {
    const struct in_flight_item *items;
    uint32_t count;
    uint64_t bytes; /* of rows */
};
enum { IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024 };

/* The barrier with that value is not waited for any more: as soon as one channel has it anywhere, and every channel that may not be
 * overtaken has brought it, it is answered. Nothing happens while an earlier one is recorded, or restored items are left. */
void gate_overtake(struct gate *g, int64_t barrier);
bool gate_can_overtake(struct gate *g); /* it will be answered as soon as the task asks for the next event */
/* Looks for barriers that lie behind others in the channels; to be called while in-flight data are recorded and gate_next is not. */
void gate_look(struct gate *g);
/* Of the barrier that overtook last: S_OK when all of it is known, and until gate_in_flight_drop; S_IDLE: some channels have not brought it;
 * E_BUDGET: it was too much; E_CANCELED: a channel never will. */
enum status gate_in_flight(const struct gate *g, struct in_flight *out) CHECKED;
void gate_in_flight_drop(struct gate *g);
/* Barriers hold nothing: one is answered when every channel has brought it or a later one (at least once). Before the first gate_next. */
void gate_count_barriers(struct gate *g);

/* Who restores: which of the items are its own. */
struct in_flight_share {
    bool is_rescaled; /* else all items are */
    uint32_t subtask, parallelism, parallelism_before, max_parallelism;
    int64_t watermark; /* that must not be exceeded before all of them are read: of receivers that had none; INT64_MAX: no such */
};
/* Behind gate_restore, before the first gate_next: these are answered before anything is read from the channels. Copies them. E_DATA: they
 * are not of this gate. */
enum status gate_restore_in_flight(struct gate *g, const struct in_flight *all, const struct in_flight_share *share, struct err *e) CHECKED;
