/* json_decode.c - lines and messages to rows: one record after the other through json_record_read.
 *
 * A record is a line; empty lines are none. A message is a record whatever it holds, line breaks included. A record
 * that is longer than the limit is dropped up to the first newline behind the limit, which does not depend on how much
 * of it was in the window.
 *
 * Most lines are like the one before. They are read without looking for their end first: json_record_fast meets it, and
 * whatever it does not like is looked at again by json_record_read, between the line's ends. */
#include "flow/format/json.h"

#include "ground/base/str.h"

static const char hint_record[] = "correct the record, or set 'on-error' = 'skip' or 'dead-letter' to go on without it";

enum status json_decoder_open(void *self, const struct format_config *config, struct err *e)
{
    struct json_decoder *d = self;
    enum status st;

    ASSERT(config->schema->kind == T_ROW && config->mem);
    TRY(json_options_read(config, &d->reader.options, e));
    d->mem = config->mem;
    d->heap_max = format_heap_max(config->schema);
    d->lines = (struct lines){.record_max = d->reader.options.record_max, .seen_offset = UINT64_MAX};
    report_init(&d->report, config);
    if (d->reader.options.ignore_errors && d->report.on_error == ON_ERROR_FAIL) d->report.on_error = ON_ERROR_SKIP;
    d->reader.report = &d->report;
    d->reader.mem = config->mem;
    buf_init(&d->reader.unescaped, config->mem);
    st = json_node_init(&d->root, config->schema, (struct str){0}, config->mem, e);
    if (st != S_OK) {
        json_decoder_close(d);
        return st;
    }
    for (uint32_t i = 0; config->needed && i < d->root.object->field_count; i++)
        d->root.object->fields[i].is_needed = bit_get(config->needed, i);
    return S_OK;
}

void json_decoder_close(void *self)
{
    struct json_decoder *d = self;

    json_node_release(&d->root, d->mem);
    buf_release(&d->reader.unescaped);
    report_release(&d->report);
}

/* The room left in the last batch's heap is that batch's. */
static void batch_begin(struct json_decoder *d, struct batch *out, const char *window_end)
{
    ASSERT(out->col_count == d->root.object->field_count && out->count <= out->capacity);
    d->reader.heap = &out->heap;
    d->reader.room = d->reader.room_end = NULL;
    d->reader.window_end = window_end;
}

static bool batch_is_full(const struct json_decoder *d, const struct batch *out)
{
    return out->count == out->capacity || out->heap.used > d->heap_max;
}

/* The record is dropped or fails the caller; at: where the mistake stands. */
static enum status record_bad(struct json_decoder *d, const struct format_input *in, const char *at, struct str record,
                              const char *hint, struct err *e)
{
    struct format_position where = report_place(&d->report, record.data, at, in->line, in->offset);
    return report_record(&d->report, &where, record, at, hint, e);
}

/* The other formats that are made of json have no such option. */
static void overlong_say(struct json_decoder *d)
{
    bool has_option = str_equal(str_of(d->reader.options.format), STR("json"));

    buf_printf(report_begin(&d->report), "the record is longer than %zu bytes%s", d->lines.record_max,
               has_option ? " (json.max-record-size)" : "");
}

static enum status overlong(struct json_decoder *d, struct format_input *in, struct err *e)
{
    struct str record = {in->data + in->consumed, d->lines.record_max};

    ASSERT(in->size - in->consumed > record.size);
    overlong_say(d);
    TRY(record_bad(d, in, record.data, record, hint_record, e));
    input_take(in, record.size, 0);
    in->discarding = true;
    return S_OK;
}

/* Reads one record into the next row. */
static enum status record_take(struct json_decoder *d, const struct format_input *in, struct str record,
                               struct batch *out, struct err *e)
{
    const char *text = json_space_skip(record.data, record.data + record.size);

    if (UNLIKELY(text == record.data + record.size)) return S_OK; /* an empty line */
    d->reader.end = record.data + record.size;
    if (LIKELY(json_record_read(&d->reader, &d->root, out->cols, out->count, record.data))) {
        out->count++;
        return S_OK;
    }
    format_rows_forget(out, out->count, 1);
    return record_bad(d, in, d->reader.fault_at, record, d->reader.fault_hint, e);
}

/* The line at the front, when it is as it usually is: its end is found on the way. Records that never are make the tries
 * rare: 1, 3, 7.. up to 127 records apart. */
static bool line_fast(struct json_decoder *d, struct format_input *in, struct batch *out)
{
    const char *at = in->data + in->consumed, *end = in->data + in->size, *next;

    if (d->slow_left > 0) {
        d->slow_left--;
        return false;
    }
    d->reader.end = end;
    next = json_record_fast(&d->reader, &d->root, out->cols, out->count, at);
    if (UNLIKELY(!next || next >= end || *next != '\n' || (size_t)(next - at) > d->lines.record_max)) {
        if (next) format_rows_forget(out, out->count, 1);
        d->slow_left = d->slow_next = MIN(2 * d->slow_next + 1, 127u);
        return false;
    }
    d->slow_next = 0;
    out->count++;
    input_take(in, (size_t)(next - at) + 1, 1);
    return true;
}

/* One line. S_IDLE: it is not all there. */
static enum status step(struct json_decoder *d, struct format_input *in, struct batch *out, struct err *e)
{
    struct str line;
    size_t size;

    if (UNLIKELY(in->discarding)) {
        lines_discard(in);
        return S_OK;
    }
    switch (lines_next(&d->lines, in, &line, &size)) {
    case LINE_CUT: return S_IDLE;
    case LINE_OVERLONG: return overlong(d, in, e);
    case LINE_WHOLE: break;
    }
    TRY(record_take(d, in, line, out, e));
    input_take(in, size, line.data[size - 1] == '\n');
    return S_OK;
}

enum status json_decode(void *self, struct format_input *in, struct batch *out, struct err *e)
{
    struct json_decoder *d = self;
    enum status st;

    ASSERT(in->consumed <= in->size);
    batch_begin(d, out, in->data + in->size);
    if (in->offset == 0 && !lines_start(in)) return S_OK;
    for (;;) {
        if (UNLIKELY(in->consumed == in->size)) return in->at_end ? S_END : S_OK;
        if (UNLIKELY(batch_is_full(d, out))) return S_MORE;
        if (LIKELY(!in->discarding) && LIKELY(line_fast(d, in, out))) continue;
        st = step(d, in, out, e);
        if (UNLIKELY(st != S_OK)) return st == S_IDLE ? S_OK : st;
    }
}

enum status json_decode_message(void *self, const struct format_message *message, struct batch *out, struct err *e)
{
    struct json_decoder *d = self;
    struct str record = message->bytes;
    struct format_input in = {.data = record.data, .size = record.size, .offset = message->offset};

    if (!record.data) return S_OK;
    if (batch_is_full(d, out)) return S_MORE;
    d->report.is_message = true;
    batch_begin(d, out, record.data + record.size);
    if (record.size > d->lines.record_max) {
        record.size = d->lines.record_max;
        overlong_say(d);
        return record_bad(d, &in, record.data, record, hint_record, e);
    }
    return record_take(d, &in, record, out, e);
}
