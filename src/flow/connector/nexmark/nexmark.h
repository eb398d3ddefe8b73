/* nexmark.h - generating Nexmark events as columns. A plan says which events the rows of a batch are (runs of neighbouring
 * events of one kind); then each wanted column is filled in a loop of its own over the runs. */
#pragma once
#include "columns/column/batch.h"
#include "flow/connector/nexmark/nexmark_rules.h"

/* Rows row..row+count of the batch are the events id..id+count; all in one epoch and of one kind. */
struct nexmark_run {
    uint64_t id;
    uint32_t row, count;
    enum nexmark_kind kind;
};

struct nexmark_plan {
    uint32_t run_count, rows;
    struct nexmark_run runs[BATCH_ROWS];
};

/* Where a reader stands: it reads every stride-th chunk of the sequence, beginning with chunk `index`. */
struct nexmark_cursor {
    uint64_t index, stride, done; /* done: events of this reader that are behind it, unwanted kinds included */
};
enum { NEXMARK_CHUNK = 2048 };

/* Global number of the cursor's next event. */
uint64_t nexmark_number(const struct nexmark_cursor *c);
/* Plans up to `room` rows from `first_row` on, of the kinds in `kinds` (bit = enum nexmark_kind), events below `end`: fewer
 * where many others lie between them. */
void nexmark_plan_rows(const struct nexmark_rules *g, struct nexmark_cursor *c, uint32_t kinds, uint64_t end,
                       uint32_t first_row, uint32_t room, struct nexmark_plan *plan);

/* Text that rows refer to instead of copying it; made for the columns that need it. */
/* Side by side, as most bids are read with both. */
struct nexmark_channel_texts {
    struct text name, url;
};

struct nexmark_texts {
    const char *letters;      /* a-z: for `extra` */
    const char *words;        /* a-z and spaces: names, descriptions */
    const struct text *names; /* of persons, 11 x 9 */
    const struct nexmark_channel_texts *channels; /* 4 hot ones, 10,000 others */
};
enum { NEXMARK_LETTERS = 1 << 20, NEXMARK_WORDS = 1 << 18, NEXMARK_FIRST_NAMES = 11, NEXMARK_LAST_NAMES = 9 };

void nexmark_texts_letters(struct nexmark_texts *t, uint64_t seed, struct mem *mem);
void nexmark_texts_words(struct nexmark_texts *t, uint64_t seed, struct mem *mem);
void nexmark_texts_names(struct nexmark_texts *t, struct mem *mem);
void nexmark_texts_channels(struct nexmark_texts *t, uint64_t seed, struct mem *mem); /* and their urls */
/* A word of 3 to max - 1 characters without spaces at its ends. */
struct text nexmark_word(const struct nexmark_texts *t, uint64_t hash, uint32_t max);
struct text nexmark_extra(const struct nexmark_texts *t, uint64_t hash, uint32_t size, uint32_t wanted);
/* Those of the draws key, key + 1, ... */
void nexmark_extras(const struct nexmark_texts *t, uint64_t key, uint32_t count, uint32_t size, uint32_t wanted, struct text *out);

struct nexmark_generator {
    struct nexmark_rules rules;
    struct nexmark_texts texts;
    struct nexmark_plan plan;
};

/* Fill the fields (vectors in the order of the kind's row type; ABSENT ones are left out) of the plan's runs. */
void nexmark_fill_bids(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields);
void nexmark_fill_auctions(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields);
void nexmark_fill_persons(const struct nexmark_generator *g, const struct nexmark_plan *plan, struct vector *fields,
                          struct text_heap *heap);
/* The dateTime of every run of that kind. */
void nexmark_fill_times(const struct nexmark_rules *g, const struct nexmark_plan *plan, enum nexmark_kind kind,
                        struct vector *v);

/* Row types of the flat tables, and of the table of all events. */
extern const char *const nexmark_row_types[4]; /* person, auction, bid, all */
