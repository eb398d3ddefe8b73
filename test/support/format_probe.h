/* format_probe.h - formats as a test sees them: text in, text out.
 *
 * Rows come out as Row.toString prints them, one per line; then "dead file:1:2: reason | raw" for every dead letter and
 * "error: text (hint)" for the failure that ended decoding. Windows are exact allocations, so that a read beyond the
 * padding is seen by the sanitizers, and the padding is filled with bytes that would mean something if they were read. */
#pragma once
#include "flow/format/format.h"

struct probe {
    const struct fmt_type *format;
    const char *schema;            /* "ROW<a INT, b STRING>" */
    const char *const *options;    /* key, value, ..., NULL; or NULL */
    const struct fmt_type *writer; /* probe_recode writes this format instead, with these options */
    const char *const *writer_options;
    const uint64_t *needed;
    enum on_error on_error;
    uint32_t batch_rows;           /* 0 = BATCH_ROWS */
    char padding;                  /* what stands behind the window; 0 = a quote */
    bool no_hint;                  /* leave hints out */
    uint64_t offset, line;         /* where the input starts; 0 = at the start of the file */
    uint64_t bad_records;          /* answer */
    uint64_t end_line, end_offset; /* answer: where the input ended */
};

/* The input in pieces that end at cuts[0..cut_count), ascending. The answer is the caller's to free(). */
char *probe_decode(struct probe *p, const char *bytes, size_t size, const size_t *cuts, size_t cut_count);
/* Each text is a message. */
char *probe_messages(struct probe *p, const char *const *messages, size_t count);
/* Decodes and encodes again with the same options; errors as "error: ...". */
char *probe_recode(struct probe *p, const char *bytes, size_t size);
/* Every row of the text on its own through encode_row, one per line. */
char *probe_recode_rows(struct probe *p, const char *bytes, size_t size);

/* Decodes text in one piece, in steps of 1, 2, 3, 7 and 64 bytes, cut in two at every place (up to 4 KiB), with other
 * batch sizes and another padding; fails the test unless every answer is `expected`. */
void probe_expect(struct probe p, const char *text, const char *expected);
void probe_expect_bytes(struct probe p, const char *bytes, size_t size, const char *expected);
