/* user.h - what stands between user functions and operators: the context behind the tw_* calls, rows as C structs, and
 * output. Internal to flow/operator; whatever calls a function of the user goes through here.
 *
 * An operator embeds a `struct tw_context` as the first member of its instance and does, in this order:
 *     open       user_init, user_bind_in / user_bind_out / user_bind_key as its ports want it, user_open
 *     each hook  user_begin -> (user_keys) -> for blocks of at most 64 rows: user_read, user_at, the function -> user_end
 *     close      user_close
 * user_start does the first line for the common case: inputs and ports as the function declares them.
 *
 * Output is staged 64 structs at a time and transposed into the port's batch. A callback may emit any number of rows: what
 * does not fit the port's batch waits in batches of the context, and user_begin of the next call hands it on first. So a
 * hook that uses user_begin and user_end never loses a row and never emits more than one batch per port and call.
 *
 * open structs: hot path. Nothing here allocates per row once every buffer has reached its size. */
#pragma once
#include <thalweg/context.h>

#include "flow/operator/user_row.h"
#include "flow/state/view.h"

enum {
    USER_PORTS = 1 + TW_SIDE_OUTPUTS_MAX, /* the main output and the side outputs */
    USER_TEXT_MAX = 512,                  /* of tw_fail */
    USER_SLICE_NS = 200000,               /* a hook gives control back after that */
};

/* --- output (user_emit.c) ------------------------------------------------------------------------------------------------ */
struct user_out {
    struct user_row row;
    uint32_t port;
    bool used;                 /* somebody reads the port */
    bool detached;             /* never writes to a port: everything goes to the waiting batches (async requests) */
    uint32_t staged, limit;    /* structs waiting in stage; written out when staged reaches limit */
    char *stage;               /* ROWCONV_ROWS structs */
    int64_t times[ROWCONV_ROWS];
    uint8_t kinds[ROWCONV_ROWS];
    uint8_t kinds_seen;        /* OR of the staged kinds */
    struct arena text;         /* bytes of staged strings that may not outlive the callback */
    struct batch *waiting, *waiting_last; /* full batches for the calls to come, oldest first */
    struct batch *given;       /* handed on by the latest call */
    struct batch *spare;
};

/* --- states (user_state.c) ------------------------------------------------------------------------------------------------ */
struct user_states;
struct user_timers;
struct user_sink;
struct tw_metric_group;

/* --- the context ------------------------------------------------------------------------------------------------------------ */
struct user_in {
    struct user_row row;
    char *structs;             /* ROWCONV_ROWS of them */
    struct arena items;        /* of their nested values */
};

/* Current key: fn->key against the key columns of each input, and of a batch that holds key columns only (index 2). */
struct user_key {
    struct user_row rows[3];
    char *structs;             /* of the block that was read last */
    struct arena items;        /* of their nested values */
    const struct batch *batch; /* NULL: nothing was read */
    uint32_t first, count;
};

/* Which key and window a callback of a window is called for: looked at when it fails, and only then. */
struct user_where {
    const struct batch *keys;
    const uint32_t *cols;             /* the key columns; NULL = 0.. */
    const uint16_t *rows;             /* of `keys`, by where_at; NULL = where_at itself */
    const struct tw_window *windows;  /* by where_at, or one for all; NULL = the row lies in a slice of several windows */
    bool is_one_window, is_row;       /* is_row: the current row of the batch is what the callback looks at */
};

/* What windows and other owners of timers answer instead of the context's own timers; NULL members are refused. */
struct user_hooks {
    enum status (*trigger_timer)(void *arg, int64_t time_ms, bool event_time, bool remove);
    void *arg;
    const uint32_t *merged; /* in .on_merge: the windows that became one, as rows of the resolved keys */
    uint32_t merged_count;
};

struct tw_context {
    struct op_cx *op;
    const struct function_ref *ref;
    const struct tw_function *fn;
    void *self;
    struct arena arena;        /* lives as long as the instance */

    /* The current row: the `at`-th selected one of `batch`, which is a batch of input `input`. batch NULL: no row (open,
     * close, timers, windows), then `time` is its event time. */
    const struct batch *batch;
    uint32_t at, input;
    int64_t time;
    const char *row;           /* as a struct, when there is one: strings in it outlive the staging */
    bool may_collect;          /* tw_collect has a meaning here */
    bool keep_kind;            /* rows collected take the kind of the current row; else +I */
    bool in_timer, timer_is_processing;
    bool is_pair;              /* joins: two rows are current; `time` is that of the pair, whatever `batch` says */
    int64_t pair_times[2];     /* of left and right */
    bool may_write_broadcast;
    /* The current key when it is not that of the current row: the keys_at-th row of a batch of key columns. */
    const struct batch *keys;
    uint32_t keys_at;
    const struct user_where *where; /* windows only, else NULL; of it the where_at-th */
    uint32_t where_at;
    struct user_key key;
    const struct type *key_type; /* T_ROW; NULL = not keyed */
    const struct type *window_type; /* T_ROW of key and window, for states that are per_window; NULL = no windows */

    struct user_in in[OP_INPUTS_MAX];
    struct user_out outs[USER_PORTS]; /* 0 main, 1 + i side output i */
    uint32_t out_count;
    bool full;                 /* a port's batch is full: stop after this row */

    uint32_t done;             /* rows of the current input that are through */
    bool begun;                /* keys of the current input are resolved: there is a current key */
    bool is_open;              /* fn->open was called */
    bool input_ended;          /* sinks: tw_input_ended */
    bool is_backlog;           /* enumerators: tw_backlog */
    struct tw_str start_position; /* enumerators: tw_start_position */
    int64_t ask_again_ms;      /* sources: tw_ask_again; 0 = it was not called */
    int64_t slice_ns;          /* when this call's second block began; 0 = not yet */

    uint64_t *hashes;          /* of the keys of the batch in work; NULL = not keyed */
    const uint32_t *key_cols;  /* and their columns; NULL = 0.. */
    int64_t state_ns;          /* namespace of the function's states: windows set it, else 0 */
    struct user_states *states;
    struct arena loaded;       /* items of nested values that the current callback read from state, and tw_scratch */
    struct user_timers *timers;
    struct instance_counts *counters;
    bool is_uncounted;         /* enumerators: what they count is dropped */
    struct tw_metric_group *groups; /* of metrics, the latest first */
    struct user_sink *sink;    /* two phases, writer state; NULL = none */
    struct user_hooks hooks;
    void *columns;             /* op_batch.c: set while .batch runs */

    enum status broken;        /* a tw_* call was misused or failed; looked at after every callback */
    char text[USER_TEXT_MAX];  /* of tw_fail, or of what broke */
};

/* user_context.c. user_init clears nothing: the instance comes cleared. */
enum status user_init(struct tw_context *cx, struct op_cx *op, const struct function_ref *ref) CHECKED;
enum status user_bind_in(struct tw_context *cx, uint32_t input, const struct tw_row *row) CHECKED;
/* outs[out] writes rows of type `row` to `port`. */
enum status user_bind_out(struct tw_context *cx, uint32_t out, const struct tw_row *row, uint32_t port) CHECKED;
enum status user_bind_key(struct tw_context *cx) CHECKED;
/* Makes states and timers that the function declares, then calls fn->open. */
enum status user_open(struct tw_context *cx) CHECKED;
/* user_init; inputs by fn->in and fn->in2; outputs: fn->out to port 0 when out, side i to port 1 + i; key; user_open. */
enum status user_start(struct tw_context *cx, struct op_cx *op, const struct function_ref *ref, bool out) CHECKED;
void user_close(struct tw_context *cx);

/* Top of a hook: S_MORE = rows that waited were handed on, answer S_MORE at once. S_OK: go on; ports are empty.
 * `in` NULL: no batch. */
enum status user_begin(struct tw_context *cx, uint32_t input, const struct batch *in) CHECKED;
/* Hashes the keys of the batch and resolves the function's states for all its rows. May answer S_PENDING: nothing may
 * have been emitted in this call. Does nothing when that was done for this input already. */
enum status user_keys(struct tw_context *cx, const struct batch *in, const uint32_t *cols, uint32_t col_count) CHECKED;
/* E_DATA when a selected row has NULL in a key column. user_keys looks itself. */
enum status user_keys_present(struct tw_context *cx, const struct batch *in, const uint32_t *cols, uint32_t col_count) CHECKED;
/* user_keys with the key columns of an input; nothing when that input is not keyed. */
enum status user_input_keys(struct tw_context *cx, uint32_t input, const struct batch *in) CHECKED;
void user_keys_done(struct tw_context *cx); /* user_end calls it when the input is through */
/* Selected rows [first, first + n) as structs, n <= ROWCONV_ROWS. A NULL without a mask: E_DATA. */
enum status user_read(struct tw_context *cx, uint32_t input, const struct batch *in, uint32_t first, uint32_t n) CHECKED;
/* The same for as many of max rows as can be read together; *n of them, at least the first. Rows that nobody may come to ask
 * for do not fail. */
enum status user_read_some(struct tw_context *cx, uint32_t input, const struct batch *in, uint32_t first, uint32_t max,
                           uint32_t *n) CHECKED;
/* The callback that read nested values from state is over. */
static inline void user_forget_loaded(struct tw_context *cx)
{
    if (UNLIKELY(cx->loaded.used > 0)) arena_reset(&cx->loaded);
}
/* Row `at` (index among the selected ones) is the current one; row is its struct. */
static inline void user_at(struct tw_context *cx, uint32_t at, const char *row)
{
    cx->at = at;
    cx->row = row;
    user_forget_loaded(cx);
}
/* Bottom of a hook: writes out what is staged. finished: the input is through; S_MORE while rows wait or it is not. */
enum status user_end(struct tw_context *cx, bool finished) CHECKED;
/* Called between blocks: is this call's time up? */
bool user_slice_over(struct tw_context *cx);
/* What a callback left behind: S_OK, or the failure with key and row in op->err. */
enum status user_failed(struct tw_context *cx, enum tw_status st) CHECKED;
static inline enum status user_check(struct tw_context *cx, enum tw_status st)
{
    return LIKELY(st == TW_OK && cx->broken == S_OK) ? S_OK : user_failed(cx, st);
}
/* A tw_* call that cannot be answered: remembered, the job fails after the callback. */
void user_misuse(struct tw_context *cx, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline int64_t user_time(const struct tw_context *cx)
{
    return cx->batch && !cx->is_pair ? batch_time(cx->batch, batch_row(cx->batch, cx->at)) : cx->time;
}

/* user_timer.c: for on_watermark and on_time of keyed operators: on_timer of all timers that are due; S_MORE, S_PENDING. */
enum status user_fire_event(struct tw_context *cx, int64_t watermark) CHECKED;
enum status user_fire_processing(struct tw_context *cx, int64_t now_ms) CHECKED;

/* user_each.c: a whole hook for functions that see one row at a time and collect: begins, reads, calls fn per row from
 * cx->done on, ends. Keys, if any, must be resolved (user_keys) between user_begin and this. */
typedef enum tw_status (*user_row_fn)(struct tw_context *cx, const void *row);
enum status user_each(struct tw_context *cx, uint32_t input, const struct batch *in, user_row_fn fn) CHECKED;
/* The same for functions that fill one row out of one row in. */
typedef enum tw_status (*user_map_fn)(struct tw_context *cx, const void *row, void *out);
enum status user_map_each(struct tw_context *cx, uint32_t input, const struct batch *in, user_map_fn fn) CHECKED;

/* user_emit.c. */
void user_emit(struct tw_context *cx, struct user_out *o, const void *row, int64_t time_ms); /* tw_collect's work */
void user_out_open(struct tw_context *cx, struct user_out *o);
/* A detached one for rows of that type; NULL does nothing. */
enum status user_out_bind(struct tw_context *cx, struct user_out *o, const struct tw_row *row) CHECKED;
void user_out_close(struct user_out *o);
/* Rows that fit before user_end would have to answer S_MORE. */
uint32_t user_out_room(struct tw_context *cx, struct user_out *o);
/* Writes n <= ROWCONV_ROWS structs; times, kinds may be NULL (no event time, all +I). */
void user_out_write(struct tw_context *cx, struct user_out *o, const void *structs, uint32_t n, const int64_t *times, const uint8_t *kinds);
void user_out_flush(struct tw_context *cx, struct user_out *o); /* the staged ones */
void user_out_clear(struct user_out *o); /* forgets staged and waiting rows; buffers stay */
/* Makes strings and nested values of a struct that the function filled outlive its buffers. Strings inside cx->row stay
 * where they are. What is no value (user_out_check) is misuse and becomes empty. */
void user_out_hold(struct tw_context *cx, struct user_out *o, char *row);
static inline bool user_out_must_hold(const struct user_out *o) { return o->row.string_count > 0 || o->row.conv.must_check; }
/* Can these structs be written? Else it is misuse, told with the field. For rows that are written without being held. */
bool user_out_check(struct tw_context *cx, const struct user_out *o, const void *structs, uint32_t n);

/* user_state.c: for the window engine. keys[i] and windows[i] belong to the i-th key that cx->keys_at may say; may answer
 * S_PENDING. clear: the per_window states of one of them. */
enum status user_window_states_begin(struct tw_context *cx, const struct state_keys *keys, const struct state_keys *windows) CHECKED;
/* Where all of them are plain values: the words that they need in a row per key and window, and those rows instead of keys
 * (views_begin_in). */
uint32_t user_window_states_words(const struct tw_context *cx);
void user_window_states_begin_in(struct tw_context *cx, void *const *rows, uint32_t offset);
void user_window_states_end(struct tw_context *cx);
void user_window_states_clear(struct tw_context *cx, uint32_t at);

/* --- hooks shared by operators of one function (user_op.c) ---------------------------------------------------------------- */
/* config is a struct function_config, self begins with a struct tw_context. open binds fn->out to port 0; open_map the
 * same for callbacks that fill a row instead of collecting. */
void user_op_needs(const struct op_plan *plan, const void *config, const uint64_t *const *outputs, uint64_t *const *inputs);
bool user_op_blocks(const void *config);
enum status user_op_open(struct op_cx *op, void *self) CHECKED;
enum status user_op_open_map(struct op_cx *op, void *self) CHECKED;
enum status user_op_on_watermark(struct op_cx *op, void *self, int64_t watermark) CHECKED;
enum status user_op_on_time(struct op_cx *op, void *self, int64_t now_ms) CHECKED;
void user_op_close(struct op_cx *op, void *self, bool failed);
