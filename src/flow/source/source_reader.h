/* source_reader.h - one subtask of any source: its splits, their times and watermarks, idleness, alignment, rate, and rows
 * that could not be read. op_source is this with a connector behind it. */
#pragma once
#include "flow/source/alignment.h"
#include "flow/source/enumerator.h"
#include "flow/source/rate.h"
#include "flow/source/source_state.h"
#include "flow/source/watermark.h"

struct source_plan {
    const struct source_type *type;
    const struct options *options;
    const struct option_def *option_defs;   /* of the connector */
    struct str rows, filter, zone;
    const struct type *schema;
    const struct text_list *metadata;       /* of its last columns */
    struct watermark_config watermark;      /* after source_watermark_config */
    struct watermark_hooks hooks;
    const uint64_t *times_needed;           /* columns that the hooks read; NULL = none */
    double rows_per_second;                 /* of all subtasks; 0 = no limit */
    uint32_t splits_max;                    /* 0 = as the type says */
    bool has_dead_letters;                  /* port 1 takes them */
    bool cannot_pause;                      /* alignment holds up all splits together, or none */
};

/* Row type of port 1. */
#define DEAD_LETTER_ROW "ROW<`position` STRING NOT NULL, reason STRING NOT NULL, raw BYTES NOT NULL>"

struct source_split;
struct source_reader {
    struct op_cx *op;
    struct source_plan plan;
    struct source_cx cx;
    struct watermark_strategy strategy;
    struct enumerator *enumerator;
    struct source_kept kept;                 /* over checkpoints */
    bool enumerator_ended;
    int64_t enumerator_wake_ms;
    void *reader;                            /* the connector's */
    struct source_split *splits, *turn;      /* ring in order of assignment; whose turn it is */
    uint32_t split_count, splits_max, turn_rows;
    uint64_t *needed;                        /* what is wanted downstream and by the times */
    struct batch *wide;                      /* when that is more than downstream alone */
    struct rate rate;
    struct alignment_member member;
    struct metric *drift;                    /* watermarkAlignmentDrift; NULL = not aligned, or not yet */
    bool is_unmeasured;                      /* a split that goes without measures was told of */
    int64_t allowed_watermark, aligned_ms;   /* splits beyond it pause; when that is looked at again */
    int64_t watermark, emit_ms;              /* emitted last; when the next periodic one is due */
    int64_t ended_watermark;                 /* where splits stood that ended: counts when there are no others */
    int64_t active_ms, asked_ms,
        assigned_active_ms; /* clock that stands still while the task is held up; last poll; last time there was a split */
    bool waited;                             /* the last poll found nothing to do */
    bool is_idle;
    struct buf dead_letters;                 /* encoded, from dead_at on */
    size_t dead_at;
};

enum status source_reader_open(struct source_reader *r, struct op_cx *op, const struct source_plan *plan) CHECKED;
enum status source_reader_poll(struct source_reader *r);
enum status source_reader_barrier(struct source_reader *r, int64_t checkpoint) CHECKED; /* op_type.on_barrier */
void source_reader_close(struct source_reader *r, bool failed); /* not failed: its subtask is through */
