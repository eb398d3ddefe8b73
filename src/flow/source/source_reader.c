/* source_reader.c - reads the splits of one subtask in turn and says what time it is.
 *
 * One poll reads one run of rows of one split. A run ends where a watermark by row count is due, and turns end after a
 * fixed number of rows, so what comes out does not depend on how large batches are. Each split has a watermark of its own;
 * the subtask's is the least of those that are neither idle nor finished, and never goes back. A finished split is gone,
 * an idle one comes back with its next row: only when all that are left are idle, the subtask is.
 *
 * Idleness is measured on a clock that runs while the task waits for input and otherwise takes at most STALL_MS per poll:
 * being held up by slow consumers, or paused by alignment, is not idleness.
 *
 * It does not know what a split is: see source.h. What is remembered over checkpoints: source_state.c. */
#include "flow/source/source_reader.h"

#include "flow/source/source_reader_internal.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { TURN_ROWS = BATCH_ROWS, OPENED_PER_POLL = 64, STALL_MS = 100 };

/* --- dead letters ------------------------------------------------------------------------------------------------- */
static void dead_letter_take(void *arg, const char *position, const char *reason, struct str raw)
{
    struct source_reader *r = arg;
    struct sys_atomic_u64 *count = &r->op->metrics->dead_letters;

    enc_text(&r->dead_letters, position);
    enc_text(&r->dead_letters, reason);
    enc_str(&r->dead_letters, raw);
    sys_atomic_store(count, count->value + 1);
}

/* Fills port 1 with what waits. */
static void dead_letters_emit(struct source_reader *r)
{
    struct batch *out = op_out(r->op, 1);
    struct dec d;

    dec_init(&d, r->dead_letters.data + r->dead_at, r->dead_letters.size - r->dead_at);
    while (dec_left(&d) > 0 && op_room(r->op, 1) > 0) {
        for (uint32_t c = 0; c < 3; c++) {
            struct str s = dec_str(&d, SIZE_MAX);
            if (out->cols[c].form == VEC_FLAT)
                VECTOR_VALUES(&out->cols[c], struct text)[out->count] = text_put(&out->heap, s.data, s.size);
        }
        out->count++;
    }
    ASSERT(dec_ok(&d));
    r->dead_at = r->dead_letters.size - dec_left(&d);
    if (r->dead_at < r->dead_letters.size) return;
    buf_clear(&r->dead_letters);
    r->dead_at = 0;
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */
static void needed_find(struct source_reader *r)
{
    const struct op_cx *op = r->op;
    const uint64_t *wanted = op->needed_out != NULL ? op->needed_out[0] : NULL;
    uint32_t words = (r->plan.schema->child_count + 63) / 64;
    bool is_wider = false;

    if (wanted == NULL) return;
    r->needed = mem_alloc(op->mem, words * sizeof(uint64_t));
    memcpy(r->needed, wanted, words * sizeof(uint64_t));
    if (r->strategy.time_col >= 0) bit_set(r->needed, (uint32_t)r->strategy.time_col);
    for (uint32_t i = 0; i < words; i++) {
        if (r->plan.times_needed != NULL) r->needed[i] |= r->plan.times_needed[i];
        is_wider |= r->needed[i] != wanted[i];
    }
    if (is_wider) r->wide = batch_create_needed(r->plan.schema, r->needed, op->batch_rows, op->mem);
}

static void cx_init(struct source_reader *r)
{
    struct op_cx *op = r->op;

    r->cx = (struct source_cx){.op = op,
                               .schema = r->plan.schema,
                               .read = source_read_type(op->plan->arena, r->plan.schema, r->plan.metadata),
                               .metadata = r->plan.metadata,
                               .needed = r->needed,
                               .options = r->plan.options,
                               .option_defs = r->plan.option_defs,
                               .rows = r->plan.rows,
                               .filter = r->plan.filter,
                               .zone = r->plan.zone,
                               .sys = op->sys,
                               .mem = op->mem,
                               .subtask = op->subtask,
                               .parallelism = op->parallelism,
                               .err = op->err};
    if (!r->plan.has_dead_letters || !op_port_used(op, 1)) return;
    r->cx.dead_letter = dead_letter_take;
    r->cx.dead_letter_arg = r;
}

/* Splits that cannot pause run ahead of each other; who wants alignment must have said that this will do. */
static enum status check_pausing(struct source_reader *r)
{
    if (!r->plan.cannot_pause || r->splits_max == 1 || r->plan.watermark.alignment_group == NULL) return S_OK;
    if (job_settings(r->op->job).allow_unaligned_splits) return S_OK;
    err_set(r->op->err, E_CONFIG, "watermark alignment needs splits that can pause one by one, and those of this source cannot");
    err_hint(r->op->err, "read one split at a time, or set pipeline.watermark-alignment.allow-unaligned-source-splits");
    return E_CONFIG;
}

enum status source_reader_open(struct source_reader *r, struct op_cx *op, const struct source_plan *plan)
{
    const struct source_type *type = plan->type;
    const struct watermark_config *w = &plan->watermark;
    int64_t now = sys_wall_ms(op->sys);

    ASSERT(type->split_read != NULL && plan->schema->kind == T_ROW);
    r->op = op;
    r->plan = *plan;
    TRY(watermark_strategy_init(&r->strategy, w, plan->schema, op->name, op->err));
    r->strategy.hooks = plan->hooks;
    needed_find(r);
    cx_init(r);
    buf_init(&r->dead_letters, op->mem);
    r->splits_max = plan->splits_max > 0 ? plan->splits_max : MAX(1, type->splits_at_once);
    rate_init(&r->rate, plan->rows_per_second / op->parallelism, now);
    r->watermark = r->ended_watermark = TIME_MIN;
    r->allowed_watermark = INT64_MAX;
    r->aligned_ms = r->asked_ms = now;
    r->emit_ms = now + r->strategy.interval_ms;
    TRY(check_pausing(r));
    if (w->alignment_group != NULL && op->job != NULL)
        TRY(alignment_join(&r->member, op->job, w->alignment_group, op->err));
    r->reader = mem_zalloc(op->mem, type->reader_size + 1);
    r->enumerator = enumerator_join(type, &r->cx);
    if (type->reader_open != NULL) TRY(type->reader_open(&r->cx, r->reader));
    TRY(source_state_open(r));
    enumerator_admit(r->enumerator);
    return S_OK;
}

static void split_free(struct source_reader *r, struct source_split *s)
{
    split_metrics_close(&s->metrics);
    if (s->opened && r->plan.type->split_close != NULL) r->plan.type->split_close(&r->cx, r->reader, s->self);
    mem_free(r->op->mem, s->self);
    mem_free(r->op->mem, s->id);
    mem_free(r->op->mem, (char *)(uintptr_t)s->bytes.data);
    mem_free(r->op->mem, s);
}

void source_reader_close(struct source_reader *r, bool failed)
{
    if (r->op == NULL) return;
    if (!failed) source_state_leave(r); /* not before: until then it may take checkpoints itself */
    for (struct source_split *s = r->splits, *next; s != NULL; s = next) {
        next = s->next;
        split_free(r, s);
    }
    source_state_close(r);
    alignment_report(&r->member, INT64_MAX);
    if (r->reader != NULL && r->plan.type->reader_close != NULL) r->plan.type->reader_close(&r->cx, r->reader);
    enumerator_leave(r->enumerator, &r->cx);
    batch_free(r->wide);
    buf_release(&r->dead_letters);
    mem_free(r->op->mem, r->needed);
    mem_free(r->op->mem, r->reader);
    r->op = NULL;
}

/* --- splits ------------------------------------------------------------------------------------------------------- */
static char *bytes_copy(struct mem *mem, const char *bytes, size_t size)
{
    char *copy = mem_alloc(mem, size + 1);

    if (size > 0) memcpy(copy, bytes, size); /* of none there may be no pointer */
    return copy;
}

/* A split that cannot be measured is read all the same. */
static void split_measure(struct source_reader *r, struct source_split *s, const char *id)
{
    struct err e = {0};

    if (split_metrics_open(&s->metrics, r->op, id, &e) == S_OK || r->is_unmeasured) return;
    r->is_unmeasured = true;
    log_write(r->op->log, LOG_WARN, "source", "source '%s' (subtask %u/%u): a split is read without being measured: %s",
              r->op->name, r->op->subtask + 1, r->op->parallelism, e.text);
}

enum status source_split_add(struct source_reader *r, const struct split *what, struct source_split **out)
{
    struct source_split *s = mem_zalloc(r->op->mem, sizeof *s), **last = &r->splits;

    s->self = mem_zalloc(r->op->mem, r->plan.type->split_size + 1);
    s->id = bytes_copy(r->op->mem, what->id, strlen(what->id) + 1);
    if (r->plan.type->split_position == NULL)
        s->bytes = (struct str){bytes_copy(r->op->mem, what->bytes.data, what->bytes.size), what->bytes.size};
    *out = s;
    split_measure(r, s, what->id);
    s->wake_ms = INT64_MIN;
    s->seen_ms = r->active_ms;
    watermark_generator_init(&s->generator);
    while (*last != NULL) last = &(*last)->next;
    *last = s;
    r->split_count++;
    if (r->turn == NULL) r->turn = s;
    ASSERT(what->bytes.size <= SPLIT_BYTES_MAX);
    TRY(r->plan.type->split_open(&r->cx, r->reader, s->self, what));
    s->opened = true;
    return S_OK;
}

static void turn_next(struct source_reader *r)
{
    r->turn = r->turn->next != NULL ? r->turn->next : r->splits;
    r->turn_rows = 0;
}

/* Of the splits that count; `none` when there are none, or how far the last ones came that were read. */
static int64_t least_watermark(const struct source_reader *r, int64_t none)
{
    int64_t least = INT64_MAX;
    bool found = false;

    for (const struct source_split *s = r->splits; s != NULL; s = s->next) {
        if (s->is_idle) continue;
        least = MIN(least, s->generator.watermark);
        found = true;
    }
    return found ? least : r->splits == NULL ? MAX(none, r->ended_watermark) : none;
}

static enum status split_remove(struct source_reader *r, struct source_split *s)
{
    struct source_split **at = &r->splits;

    ASSERT(r->turn == s);
    r->ended_watermark = MAX(r->ended_watermark, least_watermark(r, TIME_MIN)); /* of a short split nobody may have heard yet */
    turn_next(r);
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    if (r->turn == s) r->turn = NULL; /* it was the only one */
    r->split_count--;
    r->assigned_active_ms = r->active_ms;
    enum status st = source_state_finished(r, s);
    if (r->plan.type->enumerator_finished != NULL) {
        enumerator_finished(r->enumerator, &r->cx, s->id);
        if (!r->enumerator_ended) r->enumerator_wake_ms = INT64_MIN; /* it may have waited for that */
    }
    split_free(r, s);
    return st;
}

/* Asks for splits as long as there is room for more. */
static enum status splits_assign(struct source_reader *r, int64_t now_ms)
{
    for (uint32_t i = 0; i < OPENED_PER_POLL; i++) {
        struct split what = {0};
        struct source_split *s;
        if (r->enumerator_ended || r->split_count >= r->splits_max || r->enumerator_wake_ms > now_ms) return S_OK;
        enum status st = enumerator_ask(r->enumerator, &r->cx, r->op->scratch, &what, &r->enumerator_wake_ms);
        if (st < 0) return st;
        if (st == S_IDLE) return S_OK;
        r->enumerator_wake_ms = INT64_MIN;
        if (st == S_END) r->enumerator_ended = true;
        else TRY(source_split_add(r, &what, &s));
    }
    return S_OK;
}

/* --- watermarks, idleness, alignment ------------------------------------------------------------------------------ */
static bool watermark_rose(const struct source_reader *r) { return least_watermark(r, TIME_MIN) > r->watermark; }

/* How far the subtask is ahead of what its group allows; below 0: within. Known when both are. */
static void drift_update(struct source_reader *r)
{
    bool is_known = r->allowed_watermark != INT64_MAX &&
                    r->allowed_watermark - r->plan.watermark.alignment_max_drift_ms != TIME_MIN;
    int64_t drift;

    if (r->member.group == NULL || r->op->job == NULL || r->watermark == TIME_MIN || !is_known) return;
    if (r->drift == NULL) {
        struct metric_owner owner = job_metric_owner(r->op);
        struct err e = {0}; /* a job with too many metrics goes on without this one */
        r->drift = metrics_get(job_metrics(r->op->job), &owner, "watermarkAlignmentDrift", METRIC_GAUGE, &e);
    }
    if (r->drift != NULL && !__builtin_sub_overflow(r->watermark, r->allowed_watermark, &drift))
        metric_set(r->drift, (double)drift);
}

static void watermark_emit(struct source_reader *r)
{
    int64_t least = least_watermark(r, TIME_MIN);

    if (least <= r->watermark) return;
    r->watermark = least;
    drift_update(r);
    op_emit_watermark(r->op, least);
}

static void clock_tick(struct source_reader *r, int64_t now_ms)
{
    int64_t gap = MAX(0, now_ms - r->asked_ms);

    r->active_ms += r->waited ? gap : MIN(gap, STALL_MS);
    r->asked_ms = now_ms;
}

static bool is_paused(const struct source_reader *r, const struct source_split *s)
{
    return (r->plan.cannot_pause ? r->watermark : s->generator.watermark) > r->allowed_watermark;
}

static void alignment_update(struct source_reader *r, int64_t now_ms)
{
    const struct watermark_config *w = &r->plan.watermark;

    if (r->member.group == NULL) return;
    alignment_report(&r->member, least_watermark(r, INT64_MAX));
    if (now_ms < r->aligned_ms) return;
    int64_t least = alignment_minimum(&r->member);
    if (__builtin_add_overflow(least, w->alignment_max_drift_ms, &r->allowed_watermark))
        r->allowed_watermark = INT64_MAX;
    drift_update(r);
    /* until everybody has seen a row the pause is for moments, not for an interval */
    r->aligned_ms = now_ms + (least == TIME_MIN ? MIN(w->alignment_interval_ms, 10) : w->alignment_interval_ms);
}

/* Who has been without rows for too long? Answers whether that changed anything. */
static bool idleness_update(struct source_reader *r)
{
    int64_t limit = r->strategy.idleness_ms;
    bool changed = false, all = r->splits != NULL || r->active_ms - r->assigned_active_ms >= limit;

    if (limit == 0) return false;
    for (struct source_split *s = r->splits; s != NULL; s = s->next) {
        if (is_paused(r, s)) s->seen_ms = r->active_ms;
        bool is_idle = r->active_ms - s->seen_ms >= limit;
        changed |= is_idle != s->is_idle;
        s->is_idle = is_idle;
        all &= is_idle;
    }
    if (all == r->is_idle) return changed;
    r->is_idle = all;
    op_emit_idle(r->op, all);
    return true;
}

/* What each split is doing shows in its measures; it changes by alignment and idleness alone. */
static void doings_update(struct source_reader *r)
{
    if (r->member.group == NULL && r->strategy.idleness_ms == 0) return;
    for (struct source_split *s = r->splits; s != NULL; s = s->next)
        split_metrics_doing(&s->metrics, r->op, is_paused(r, s) ? SPLIT_PAUSED : s->is_idle ? SPLIT_IDLE : SPLIT_ACTIVE);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */
static enum status rows_take(struct source_reader *r, struct source_split *s, struct batch *b)
{
    const struct watermark_strategy *w = &r->strategy;

    if (w->time_col >= 0 || w->hooks.times != NULL) {
        int64_t *own = b->times; /* a function may look at the time that the row brought along */
        if (own == NULL && w->time_col < 0) batch_use_times(b);
        TRY(watermark_times(w, b, 0, b->count, b->times_space, r->op->err));
        b->times = b->times_space;
    }
    if (b->times != NULL || w->kind == WATERMARK_FUNCTION) {
        if (b->times == NULL) batch_use_times(b);
        TRY(watermark_see(w, &s->generator, b, 0, b->count, b->times));
    } else if (w->every_rows > 0) {
        s->generator.rows += b->count;
    }
    split_metrics_watermark(&s->metrics, s->generator.watermark);
    s->seen_ms = r->active_ms;
    rate_give(&r->rate, b->count);
    r->turn_rows += b->count;
    if (b == r->wide) op_forward(r->op, 0, b);
    if (watermark_is_due(w, &s->generator)) watermark_emit(r);
    return S_OK;
}

/* One split_read. S_OK, S_IDLE, S_END; *rows says how many came. */
static enum status split_read(struct source_reader *r, struct source_split *s, uint32_t room, uint32_t *rows)
{
    struct batch *b = r->wide != NULL ? r->wide : op_out(r->op, 0);
    uint32_t capacity = b->capacity;

    if (b == r->wide) batch_clear(b);
    ASSERT(b->count == 0);
    b->capacity = MIN(MIN(room, capacity), watermark_room(&r->strategy, &s->generator));
    r->cx.wake_ms = INT64_MAX;
    enum status st = r->plan.type->split_read(&r->cx, r->reader, s->self, b);
    ASSERT(st < 0 || b->count <= b->capacity);
    b->capacity = capacity;
    if (st < 0) return st;
    *rows = b->count;
    s->wake_ms = st == S_IDLE ? MAX(r->cx.wake_ms, r->asked_ms + 1) : INT64_MIN; /* a time that has come: soon */
    if (b->count > 0) TRY(rows_take(r, s, b));
    return st;
}

static uint32_t turn_limit(const struct source_reader *r)
{
    return r->strategy.every_rows > 0 ? r->strategy.every_rows : TURN_ROWS;
}

/* Reads the first split in turn that has something. S_OK: rows came, or may come at once. */
static enum status splits_read(struct source_reader *r, int64_t now_ms)
{
    uint32_t room = rate_allows(&r->rate, now_ms, UINT32_MAX);
    bool is_moving = false;

    if (room == 0) return S_IDLE;
    for (uint32_t left = r->split_count; left > 0; left--) {
        struct source_split *s = r->turn;
        uint32_t rows = 0;
        if (is_paused(r, s) ||
            (s->wake_ms > now_ms && s->wake_ms != INT64_MAX)) { /* INT64_MAX: ask whenever there is a poll */
            turn_next(r);
            continue;
        }
        enum status st = split_read(r, s, MIN(room, turn_limit(r) - r->turn_rows), &rows);
        if (st < 0) return st;
        is_moving |= st != S_IDLE;
        if (st == S_END) {
            TRY(split_remove(r, s));
            if (r->strategy.every_rows > 0 && r->splits != NULL) {
                watermark_emit(r); /* it stands before the rows of the next split */
                return S_OK;
            }
        } else if (st == S_IDLE || rows == 0 || r->turn_rows >= turn_limit(r)) {
            turn_next(r);
        }
        if (rows > 0) return S_OK;
    }
    return is_moving || (r->splits == NULL && r->enumerator_wake_ms <= now_ms) ? S_OK : S_IDLE;
}

/* Nothing to do now: when will there be? */
static void wake_set(struct source_reader *r, int64_t now_ms)
{
    struct op_cx *op = r->op;
    int64_t idleness = r->strategy.idleness_ms;

    if (!r->enumerator_ended && r->split_count < r->splits_max) op_wake_at(op, r->enumerator_wake_ms);
    if (r->split_count > 0 && rate_allows(&r->rate, now_ms, 1) == 0) op_wake_at(op, rate_next_ms(&r->rate));
    if (r->strategy.every_rows == 0 && watermark_rose(r)) op_wake_at(op, r->emit_ms);
    for (const struct source_split *s = r->splits; s != NULL; s = s->next) {
        if (is_paused(r, s)) op_wake_at(op, r->aligned_ms);
        else if (s->wake_ms > now_ms) op_wake_at(op, s->wake_ms);
        if (idleness > 0 && !s->is_idle) op_wake_at(op, now_ms + idleness - (r->active_ms - s->seen_ms));
    }
    if (idleness > 0 && r->splits == NULL && !r->is_idle)
        op_wake_at(op, now_ms + idleness - (r->active_ms - r->assigned_active_ms));
}

static void counters_update(struct source_reader *r)
{
    struct op_metrics *m = r->op->metrics;

    if (m == NULL) return;
    sys_atomic_store(&m->bytes_in, r->cx.bytes_in);
    sys_atomic_store(&m->errors_skipped, r->cx.bad_records - MIN(r->cx.bad_records, m->dead_letters.value));
}

enum status source_reader_poll(struct source_reader *r)
{
    int64_t now = sys_wall_ms(r->op->sys);

    clock_tick(r, now);
    r->waited = false;
    if (r->dead_letters.size > 0) {
        dead_letters_emit(r);
        return S_OK;
    }
    TRY(splits_assign(r, now));
    if (r->enumerator_ended && r->splits == NULL) {
        op_emit_watermark(r->op, WATERMARK_MAX);
        return S_END;
    }
    alignment_update(r, now);
    enum status st = splits_read(r, now);
    if (st < 0) return st;
    counters_update(r);
    if (idleness_update(r)) watermark_emit(r);
    doings_update(r);
    if (r->strategy.every_rows == 0 && now >= r->emit_ms) {
        watermark_emit(r);
        r->emit_ms = now + r->strategy.interval_ms;
    }
    if (st == S_IDLE && r->dead_letters.size > 0) st = S_OK;
    r->waited = st == S_IDLE;
    if (r->waited) wake_set(r, now);
    return st;
}

/* Rows that could not be read and still wait go in front of the barrier. */
enum status source_reader_barrier(struct source_reader *r, int64_t checkpoint)
{
    if (r->dead_letters.size > 0) {
        dead_letters_emit(r);
        if (r->dead_letters.size > 0) return S_MORE;
    }
    return source_state_save(r, checkpoint);
}
