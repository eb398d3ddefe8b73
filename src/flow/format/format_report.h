/* format_report.h - what every format does with a bad record: say where and why, then fail, drop it or hand it over. */
#pragma once
#include "flow/format/format.h"

enum { REPORT_TEXT_MAX = 64 }; /* bytes of offending text shown */

struct format_report {
    enum on_error on_error;
    format_dead_letter_fn dead_letter;
    void *dead_letter_arg;
    uint64_t *bad_records;
    const char *name;
    bool is_message;   /* positions are bytes of a message: no lines */
    struct buf reason; /* the sentence in the making: report_begin clears it */
};

void report_init(struct format_report *r, const struct format_config *config);
void report_release(struct format_report *r);
/* Empties the reason; with a type "column 'price' (BIGINT): " is its beginning. */
struct buf *report_begin(struct format_report *r);
struct buf *report_begin_column(struct format_report *r, struct str path, const struct type *t);
/* Appends 'text', at most REPORT_TEXT_MAX bytes, what cannot be printed as \xNN, and ... when cut. */
void report_quote(struct buf *out, struct str text);
/* The type without NOT NULL. */
void report_type(struct buf *out, const struct type *t);

/* The position of `at` in a record that begins at `record`, in line `line` (0 = unknown) and at byte `offset`. */
struct format_position report_place(const struct format_report *r, const char *record, const char *at, uint64_t line,
                                    uint64_t offset);
/* Disposes of one bad record, whose reason stands in r->reason; mark: where in raw the mistake stands. S_OK: dropped, go on
 * behind it. E_DATA: fail, with the line and a caret below the mark as the error's excerpt. */
enum status report_record(struct format_report *r, const struct format_position *at, struct str raw, const char *mark,
                          const char *hint, struct err *e) CHECKED;

/* Rows first..first+n were written and dropped: their validity goes back to that of unwritten rows. */
void format_vector_forget(struct vector *v, uint32_t first, uint32_t n);
void format_rows_forget(struct batch *b, uint32_t first, uint32_t n);

/* Bytes of long strings after which a batch counts as full, so that with its fixed part it stays below BATCH_BYTES. */
size_t format_heap_max(const struct type *schema);
