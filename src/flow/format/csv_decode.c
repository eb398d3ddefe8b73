/* csv_decode.c - from the window to rows: regular records by the run, all others one at a time.
 *
 * The usual step scans a chunk, cuts it into runs of records with the right number of fields and reads each run column
 * by column. A record that the fast scan cannot vouch for (odd quotes, escapes), that is longer than a chunk or that
 * ends with the input goes through the exact scan, which keeps its place between calls, so that a record arriving in
 * crumbs is looked at once. A record above the limit is dropped up to the first newline behind the limit: that place
 * does not depend on how much was in the window.
 *
 * Invariant: rows are appended whole; in->consumed, offset and line always stand before a record (or, while
 * discarding, inside the rest of an overlong one). */
#include "flow/format/csv.h"

#include "flow/format/lines.h"
#include "flow/format/utf8_check.h"
#include "ground/base/str.h"

#include <string.h>

enum { HEADER_MAX = 64 * 1024, RUN_MIN = 16 };

static const char hint_record[] = "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it";

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static bool is_needed(const struct format_config *config, uint32_t i)
{
    return !config->needed || bit_get(config->needed, i);
}

static enum status columns_open(struct csv_decoder *d, const struct format_config *config, struct err *e)
{
    d->columns = mem_zalloc(config->mem, MAX(d->field_count, 1u) * sizeof(struct csv_column));
    for (uint32_t i = 0; i < d->field_count; i++) {
        struct csv_column *col = &d->columns[d->needed_count];
        TRY(csv_column_init(col, &d->reader.options, i, config->schema, config->mem, e));
        d->needed_count += is_needed(config, i);
    }
    return S_OK;
}

enum status csv_decoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct csv_decoder *d = self;
    enum status st;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    TRY(csv_options_read(config, &d->reader.options, e));
    if (config->schema->child_count == 0)
        return err_set(e, E_UNSUPPORTED, "format 'csv' needs a table with at least one column");
    d->schema = config->schema;
    d->mem = config->mem;
    d->field_count = config->schema->child_count;
    d->heap_max = format_heap_max(config->schema);
    d->run_max = BATCH_ROWS;
    d->header_due = d->reader.options.header != CSV_HEADER_FALSE;
    report_init(&d->report, config);
    if (d->reader.options.ignore_errors && d->report.on_error == ON_ERROR_FAIL) d->report.on_error = ON_ERROR_SKIP;
    d->reader.report = &d->report;
    d->reader.mem = config->mem;
    buf_init(&d->reader.unquoted, config->mem);
    d->chunk = mem_alloc(config->mem, sizeof *d->chunk);
    d->record.fields_max = MAX(d->field_count, 1u);
    d->record.fields = mem_zalloc(config->mem, d->record.fields_max * sizeof(struct csv_field));
    st = columns_open(d, config, e);
    if (st != S_OK) csv_decoder_close(d);
    return st;
}

void csv_decoder_close(void *self)
{
    struct csv_decoder *d = self;

    mem_free(d->mem, d->columns);
    mem_free(d->mem, d->record.fields);
    mem_free(d->mem, d->chunk);
    buf_release(&d->reader.unquoted);
    report_release(&d->report);
}

/* ---- position ------------------------------------------------------------------------------------------------------- */

static const char *input_at(const struct format_input *in) { return in->data + in->consumed; }

static struct format_position place(const struct csv_decoder *d, const struct format_input *in, const char *at)
{
    const char *record = input_at(in);

    if (d->report.is_message) return report_place(&d->report, in->data, at, 0, in->offset - in->consumed);
    return report_place(&d->report, record, at, in->line, in->offset);
}

/* Says that the record at the window's front is bad; the reason stands in the report. Takes its size bytes when it may. */
static enum status record_bad(struct csv_decoder *d, struct format_input *in, const char *at, size_t text_size,
                              size_t size, const char *hint, struct err *e)
{
    struct format_position where = place(d, in, at);

    TRY(report_record(&d->report, &where, (struct str){input_at(in), text_size}, at, hint, e));
    input_take(in, size, csv_count_newlines(input_at(in), size));
    d->run_max = RUN_MIN;
    return S_OK;
}

static enum status overlong(struct csv_decoder *d, struct format_input *in, struct err *e)
{
    const char *record = input_at(in);
    size_t max = d->reader.options.record_max;
    struct buf *reason = report_begin(&d->report);

    ASSERT(in->size - in->consumed > max);
    csv_record_start(&d->record); /* is it open at the limit? Asked anew, whoever found it too long */
    if (csv_record_scan(&d->reader.options.syntax, &d->record, record, (uint32_t)max, false))
        d->record.state = CSV_FIELD_START;
    buf_printf(reason, "the record is longer than %zu bytes (csv.max-record-size)", max);
    if (d->record.state == CSV_QUOTED || d->record.state == CSV_ESCAPE_QUOTED) {
        struct format_position opened = place(d, in, record + d->record.quote_at);
        if (opened.line)
            buf_printf(reason, "; the quote opened in line %llu is not closed", (unsigned long long)opened.line);
    }
    d->record_active = false;
    TRY(record_bad(d, in, record, max, max, hint_record, e));
    in->discarding = true;
    return S_OK;
}

/* ---- checks --------------------------------------------------------------------------------------------------------- */

/* The first byte of data[0..size) that no text may hold, or size; the reason is in the report then. */
static size_t text_check(struct csv_decoder *d, const char *data, size_t size)
{
    const char *zero = memchr(data, 0, size);
    size_t bad = utf8_bad_at(data, zero ? (size_t)(zero - data) : size);
    struct buf *reason;

    if (bad == size) return size;
    reason = report_begin(&d->report);
    if (zero && bad == (size_t)(zero - data)) buf_append_text(reason, "a NUL byte stands in the text");
    else buf_printf(reason, "byte 0x%02x is not valid UTF-8", (unsigned char)data[bad]);
    return bad;
}

static enum status count_bad(struct csv_decoder *d, struct format_input *in, uint32_t found, const char *at,
                             size_t text_size, size_t size, struct err *e)
{
    struct buf *reason = report_begin(&d->report);

    buf_printf(reason, "expected %u field%s, found %u in ", d->field_count, d->field_count == 1 ? "" : "s", found);
    report_quote(reason, (struct str){input_at(in), text_size});
    return record_bad(d, in, at, text_size, size, hint_record, e);
}

/* ---- records one at a time ------------------------------------------------------------------------------------------ */

static bool fields_read(struct csv_decoder *d, const char *data, struct batch *out)
{
    d->reader.heap = &out->heap;
    for (uint32_t i = 0; i < d->needed_count; i++) {
        struct csv_column *col = &d->columns[i];
        struct csv_field field = d->record.fields[col->index];
        if (!csv_field_read(&d->reader, col, &out->cols[col->index], out->count, data + field.start, data + field.end))
            return false;
    }
    return true;
}

/* d->record holds a whole record that begins at the window's front. */
static enum status record_take(struct csv_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    const struct csv_record *r = &d->record;
    const char *data = input_at(in);
    size_t bad;

    if (r->is_open) {
        buf_append_text(report_begin(&d->report), "the quote opened here is not closed before the end of the input");
        return record_bad(d, in, data + r->quote_at, r->end, r->size, hint_record, e);
    }
    if (r->bad_at != UINT32_MAX) {
        buf_append_text(report_begin(&d->report), "text after the closing quote of a field");
        return record_bad(d, in, data + r->bad_at, r->end, r->size, hint_record, e);
    }
    if (r->end == 0 && d->field_count > 1) {
        input_take(in, r->size, 1);
        return S_OK;
    }
    if (r->field_count != d->field_count) {
        size_t at = r->field_count < d->field_count ? r->end : r->fields[d->field_count - 1].end + 1;
        return count_bad(d, in, r->field_count, data + at, r->end, r->size, e);
    }
    bad = text_check(d, data, r->end);
    if (bad < r->end) return record_bad(d, in, data + bad, r->end, r->size, hint_record, e);
    if (!fields_read(d, data, out)) {
        format_rows_forget(out, out->count, 1);
        return record_bad(d, in, d->reader.fault_at, r->end, r->size, d->reader.fault_hint, e);
    }
    out->count++;
    input_take(in, r->size, csv_count_newlines(data, r->size));
    return S_OK;
}

/* Goes on with the exact scan of the record at the window's front. S_IDLE: it is not all there. */
static enum status exact_step(struct csv_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    size_t left = in->size - in->consumed, max = d->reader.options.record_max, size = MIN(left, max + 1);

    if (!d->record_active || d->record_offset != in->offset || d->record.at > size) csv_record_start(&d->record);
    d->record_active = true;
    d->record_offset = in->offset;
    if (!csv_record_scan(&d->reader.options.syntax, &d->record, input_at(in), (uint32_t)size,
                         in->at_end && size == left))
        return left > max ? overlong(d, in, e) : S_IDLE;
    if (d->record.size - (d->record.size > 0 && input_at(in)[d->record.size - 1] == '\n') > max)
        return overlong(d, in, e);
    d->record_active = false;
    return record_take(d, in, out, e);
}

/* ---- records by the run --------------------------------------------------------------------------------------------- */

/* Where we are in a scanned chunk. */
struct csv_cursor {
    const char *base;
    uint32_t row;   /* of the chunk */
    uint32_t start; /* of that row's text */
};

/* Collects records of the right shape from the cursor on: their starts, and where their text ends without the carriage
 * return. Answers how many; *next is where the record behind them starts. */
static uint32_t run_collect(struct csv_decoder *d, const struct csv_cursor *at, uint32_t *next)
{
    const struct csv_chunk *chunk = d->chunk;
    uint32_t entry = at->row ? chunk->row_end[at->row - 1] : 0, start = at->start, n = 0;
    uint32_t rows = MIN(chunk->rows - at->row, d->run_max), record_max = (uint32_t)d->reader.options.record_max;

    for (; n < rows && chunk->row_end[at->row + n] - entry == d->field_count; n++) {
        uint32_t end;
        entry += d->field_count;
        end = chunk->ends[entry - 1];
        if (UNLIKELY(end - start > record_max)) break;
        d->starts[n] = (uint16_t)start;
        d->text_ends[n] = (uint16_t)(end - (end > start && at->base[end - 1] == '\r'));
        start = MIN(end + 1, chunk->text_end); /* the input's last record may lack its newline */
    }
    *next = start;
    return n;
}

/* Reads n records into the batch behind its rows; answers how many were good before a bad one. */
static uint32_t run_read(struct csv_decoder *d, const struct csv_cursor *at, uint32_t n, uint32_t next,
                         struct batch *out)
{
    const uint16_t *ends = d->chunk->ends + (at->row ? d->chunk->row_end[at->row - 1] : 0);
    struct csv_span span = {.base = at->base, .rows = n, .first = out->count};

    d->reader.heap = &out->heap;
    if (d->chunk->has_high || d->chunk->has_zero) {
        size_t size = next - at->start, bad = text_check(d, at->base + at->start, size);
        d->reader.fault_at = at->base + at->start + bad;
        d->reader.fault_hint = hint_record;
        if (bad < size)
            for (span.rows = 0; span.rows + 1 < n && d->starts[span.rows + 1] <= at->start + bad;) span.rows++;
    }
    for (uint32_t i = 0; i < d->needed_count; i++) {
        struct csv_column *col = &d->columns[i];
        bool is_first = col->index == 0, is_last = col->index + 1 == d->field_count;
        span.starts = is_first ? d->starts : ends + col->index - 1;
        span.start_stride = is_first ? 1 : d->field_count;
        span.start_add = !is_first;
        span.ends = is_last ? d->text_ends : ends + col->index;
        span.end_stride = is_last ? 1 : d->field_count;
        span.rows = col->read(&d->reader, col, &span, &out->cols[col->index]);
    }
    return span.rows;
}

/* One run: its good rows go out, the bad one behind them is disposed of. */
static enum status run_take(struct csv_decoder *d, struct format_input *in, struct csv_cursor *at, uint32_t n,
                            uint32_t next, struct batch *out, struct err *e)
{
    uint32_t good = run_read(d, at, n, next, out), end = good < n ? d->starts[good] : next, size = end - at->start;

    ASSERT(good <= n && out->count + good <= out->capacity);
    input_take(in, size, d->chunk->has_quotes ? csv_count_newlines(at->base + at->start, size) : good);
    out->count += good;
    at->row += good;
    at->start = end;
    if (LIKELY(good == n)) {
        d->run_max = MIN(d->run_max * 2, (uint32_t)BATCH_ROWS);
        return S_OK;
    }
    format_rows_forget(out, out->count, n - good);
    end = good + 1 < n ? d->starts[good + 1] : next;
    size = d->text_ends[good] - at->start;
    at->row++;
    at->start = end;
    return record_bad(d, in, d->reader.fault_at, size, at->start - d->starts[good], d->reader.fault_hint, e);
}

/* A record of the chunk with another number of fields: nothing is no record, the rest is bad. */
static enum status odd_take(struct csv_decoder *d, struct format_input *in, struct csv_cursor *at, struct err *e)
{
    const struct csv_chunk *chunk = d->chunk;
    uint32_t entry = at->row ? chunk->row_end[at->row - 1] : 0, found = chunk->row_end[at->row] - entry;
    uint32_t end = chunk->ends[chunk->row_end[at->row] - 1], size = MIN(end + 1, chunk->text_end) - at->start;
    uint32_t text = end - at->start - (end > at->start && at->base[end - 1] == '\r');
    const char *record = at->base + at->start;

    if (end - at->start > d->reader.options.record_max) {
        at->row = chunk->rows; /* what follows is looked at anew */
        return overlong(d, in, e);
    }
    at->row++;
    at->start += size;
    if (text == 0 && d->field_count > 1) {
        input_take(in, size, 1);
        return S_OK;
    }
    return count_bad(d, in, found,
                     found < d->field_count ? record + text : at->base + chunk->ends[entry + d->field_count - 1] + 1,
                     text, size, e);
}

static enum status chunk_take(struct csv_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    struct csv_cursor at = {.base = input_at(in)};

    while (at.row < d->chunk->rows) {
        uint32_t next, n = run_collect(d, &at, &next);
        if (n > 0) TRY(run_take(d, in, &at, n, next, out, e));
        else TRY(odd_take(d, in, &at, e));
    }
    return S_OK;
}

/* A comment stands at the window's front. */
static enum status comment_skip(struct csv_decoder *d, struct format_input *in, struct err *e)
{
    size_t left = in->size - in->consumed;
    const char *newline = memchr(input_at(in), '\n', left);

    if (!newline && !in->at_end) return left > d->reader.options.record_max ? overlong(d, in, e) : S_IDLE;
    input_take(in, newline ? (size_t)(newline - input_at(in)) + 1 : left, newline != NULL);
    return S_OK;
}

/* Scans and takes what is at the front. S_IDLE: nothing whole is left. */
static enum status step(struct csv_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    const struct csv_syntax *syntax = &d->reader.options.syntax;
    size_t left = in->size - in->consumed, size = MIN(left, (size_t)CSV_CHUNK);
    uint32_t room = MIN(out->capacity - out->count, (uint32_t)BATCH_ROWS);

    if (in->discarding) {
        lines_discard(in);
        return S_OK;
    }
    if (d->record_active && d->record_offset == in->offset) return exact_step(d, in, out, e);
    if (syntax->comments && *input_at(in) == '#') return comment_skip(d, in, e);
    csv_chunk_scan(syntax, input_at(in), (uint32_t)size, room, d->chunk);
    if (in->at_end && size == left) csv_chunk_finish(d->chunk, (uint32_t)size, room);
    if (d->chunk->rows) return chunk_take(d, in, out, e);
    if (d->chunk->stopped || in->at_end || left >= CSV_CHUNK || left > d->reader.options.record_max)
        return exact_step(d, in, out, e);
    return S_IDLE;
}

/* ---- the start of a file -------------------------------------------------------------------------------------------- */

/* Does the record name the columns? bad_field: the first that does not, or the number of columns. */
static uint32_t header_compare(struct csv_decoder *d, const char *data, struct str *bad_text)
{
    uint32_t i;

    for (i = 0; i < d->field_count && i < d->record.field_count; i++) {
        struct csv_field field = d->record.fields[i];
        bool was_quoted;
        if (!csv_field_text(&d->reader, data + field.start, data + field.end, bad_text, &was_quoted)) break;
        if (!str_equal_nocase(str_trim(*bad_text), str_of(d->schema->names[i]))) break;
    }
    return i;
}

static enum status header_bad(struct csv_decoder *d, struct format_input *in, uint32_t bad, struct str text,
                              struct err *e)
{
    struct buf *reason = report_begin(&d->report);
    const char *at =
        input_at(in) + (bad < d->record.field_count && bad < d->field_count ? d->record.fields[bad].start : 0);

    if (d->record.field_count != d->field_count) {
        buf_printf(reason, "the header names %u columns, the table has %u", d->record.field_count, d->field_count);
    } else {
        buf_append_text(reason, "the header says ");
        report_quote(reason, text);
        buf_printf(reason, " where column '%s' is expected", d->schema->names[bad]);
    }
    d->report.on_error = ON_ERROR_FAIL; /* the whole file is meant, not a record */
    return record_bad(
        d, in, at, d->record.end, d->record.size,
        "declare the columns in the order of the file, or set 'csv.header' = 'false' when the first line holds data",
        e);
}

static enum status header_take(struct csv_decoder *d, struct format_input *in, struct err *e)
{
    size_t left = in->size - in->consumed, size = MIN(left, (size_t)HEADER_MAX);
    struct str text = {0};
    uint32_t bad;

    csv_record_start(&d->record);
    d->record_active = false;
    if (!csv_record_scan(&d->reader.options.syntax, &d->record, input_at(in), (uint32_t)size,
                         in->at_end && size == left)) {
        if (size < HEADER_MAX) return S_IDLE;
        d->header_due = d->reader.options.header != CSV_HEADER_AUTO; /* whoever decodes once more meets the error again */
        if (!d->header_due) return S_OK;
        return err_set(e, E_DATA, "%s:1:1: the header has no end within %d bytes",
                       d->report.name ? d->report.name : "input", HEADER_MAX);
    }
    bad = header_compare(d, input_at(in), &text);
    if ((bad == d->field_count && d->record.field_count == d->field_count) || d->reader.options.header == CSV_HEADER_SKIP) {
        d->header_due = false;
        input_take(in, d->record.size, csv_count_newlines(input_at(in), d->record.size));
        return S_OK;
    }
    d->header_due = d->reader.options.header != CSV_HEADER_AUTO;
    return d->header_due ? header_bad(d, in, bad, text, e) : S_OK;
}

/* Byte order mark and header. S_IDLE: more bytes are needed to tell. */
static enum status start_take(struct csv_decoder *d, struct format_input *in, struct err *e)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t left = in->size - in->consumed;

    if (left == 0) return S_OK;
    if (in->offset == 0) {
        if (memcmp(input_at(in), mark, MIN(left, 3u)) == 0) {
            if (left < 3) return in->at_end ? S_OK : S_IDLE;
            input_take(in, 3, 0);
            if (!d->header_due) return S_OK;
            if (left == 3) return in->at_end ? S_OK : S_IDLE;
        }
    } else if (in->offset != 3) {
        d->header_due = false; /* a split that begins inside the file */
    }
    return d->header_due ? header_take(d, in, e) : S_OK;
}

enum status csv_decode(void *self, struct format_input *in, struct batch *out, struct err *e)
{
    struct csv_decoder *d = self;
    enum status st;

    ASSERT(out->col_count == d->field_count && in->consumed <= in->size);
    ASSERT(out->count <= out->capacity);
    if (d->header_due || in->offset == 0) {
        st = start_take(d, in, e);
        if (st != S_OK) return st == S_IDLE ? S_OK : st;
    }
    for (;;) {
        if (in->consumed == in->size) return in->at_end ? S_END : S_OK;
        if (out->count == out->capacity || out->heap.used > d->heap_max) return S_MORE;
        st = step(d, in, out, e);
        if (st != S_OK) return st == S_IDLE ? S_OK : st;
    }
}

enum status csv_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e)
{
    struct csv_decoder *d = self;
    struct format_input in = {.data = message->bytes.data, .size = message->bytes.size, .at_end = true};
    enum status st = S_OK;

    if (!in.data) return S_OK;
    ASSERT(d->message_done <= in.size);
    in.consumed = d->message_done;
    in.offset = message->offset + in.consumed;
    d->report.is_message = true;
    d->record_active = false;
    while (st == S_OK && in.consumed < in.size) {
        if (out->count == out->capacity || out->heap.used > d->heap_max) st = S_MORE;
        else st = step(d, &in, out, e);
    }
    d->message_done = st == S_MORE ? in.consumed : 0;
    ASSERT(st != S_IDLE);
    return st;
}
