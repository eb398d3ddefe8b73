/* join_run.h - what the files of the operator `join` share.
 *
 * op_join.c      who meets whom, and what comes out
 * join_beyond.c  batch mode: rows that do not fit memory
 * join_build.c   batch mode: one side is read first, the other one is not kept */
#pragma once
#include "flow/operator/hashed_rows.h"
#include "flow/operator/join.h"
#include "flow/operator/join_pairs.h"
#include "flow/operator/join_side.h"

/* What becomes of the rows of a batch, besides the pairs they make. */
enum join_fate {
    JOIN_KEEP,  /* they are taken in: the other side's rows will meet them */
    JOIN_ASIDE, /* s->marks says which have met something; those of s->settled need not be put aside */
    JOIN_LAST,  /* they meet no more: those that come alone do so now */
    JOIN_AGAIN, /* they will meet more rows of their hash; s->marks as above */
};

/* Rows beyond memory when both inputs have ended, see join_beyond.c. */
enum join_step {
    JOIN_STEP_BEGIN,
    JOIN_STEP_LOAD,
    JOIN_STEP_LOOK,
    JOIN_STEP_PROBE,
    JOIN_STEP_PROBED,
    JOIN_STEP_ALONE,
    JOIN_STEP_CLEAR
};
struct join_beyond {
    struct hashed_rows rows[2];  /* of the sides */
    struct hashed_rows again[2]; /* of the probing side: read from one, written to the other */
    bool is_full, is_listed;     /* no more rows are taken in; the pairs of the batch have gone out */
    enum join_step step;
    uint32_t build, reading;     /* the side whose rows are loaded; which of again */
    int64_t bound;               /* rows up to this hash are loaded */
    bool is_last, is_split;      /* these were the last ones; there are more of that very hash */
    uint32_t probed, rest_count; /* rows of the stage that are in work; and those of a batch that are put aside */
    uint16_t rest[BATCH_ROWS];
    uint64_t hashes[BATCH_ROWS];
};

/* The side that is read first, see join_build.c. */
enum { JOIN_BUILDS_BOTH = -1 };
struct join_build {
    int side;             /* JOIN_BUILDS_BOTH: there is none */
    struct spill_config spill;
    struct row_sort held; /* rows of the other side that came too early */
    struct batch *stage;  /* some of them */
    bool is_holding, is_staged, is_over; /* there are some; of the stage; that is the last one */
};

struct join {
    struct join_plan plan;
    struct join_side sides[2];
    struct join_pairs pairs;
    /* The batch in work. */
    bool begun, scan_more, turns; /* turns: the row of this hit comes or goes */
    enum join_fate fate;
    uint32_t row, hit, repeat, matched;
    struct state_scan scan;
    struct state_hits hits;
    uint64_t no_key[BATCH_ROWS / 64];
    uint64_t marks[BATCH_ROWS], settled[BATCH_ROWS / 64];
    /* At the end: rows that come alone, side by side. */
    bool at_end, has_ended[2], is_last;
    uint32_t side;
    struct state_cursor cursor;
    struct batch *keys[2]; /* of some heads at a time */
    struct join_beyond beyond;
    struct join_build build;
};

/* Some of the pairs that rows of a batch make with what is kept of the other side, and of what they make alone. S_OK: that was all. */
enum status join_meet(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in) CHECKED;
/* Some of the rows that side s->side keeps and that come alone. S_OK: that was all. */
enum status join_alone(struct op_cx *cx, struct join *s) CHECKED;

/* join_beyond.c */
void join_beyond_open(struct op_cx *cx, struct join *s);
void join_beyond_close(struct join *s);
void join_beyond_check(struct op_cx *cx, struct join *s); /* behind a batch: is memory full? */
/* The rows of a batch are put aside, behind their pairs. */
enum status join_beyond_add(struct op_cx *cx, struct join *s, uint32_t input, const struct batch *in) CHECKED;
/* Some of the pairs of rows that were put aside. S_OK: that was all. */
enum status join_beyond_run(struct op_cx *cx, struct join *s) CHECKED;

/* join_build.c */
enum status join_build_open(struct op_cx *cx, struct join *s) CHECKED; /* before the sides are opened */
void join_build_close(struct join *s);
/* Rows of the side that is not kept. */
enum status join_build_probe(struct op_cx *cx, struct join *s, const struct batch *in) CHECKED;
/* Some of those that came too early, once the other side has ended. S_OK: that was all. */
enum status join_build_release(struct op_cx *cx, struct join *s) CHECKED;
