/* format_probe.c - drives a format's decoder as a source would, with the windows that a test asks for. */
#include "support/format_probe.h"

#include "ground/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPTIONS_MAX = 16, CUT_EVERYWHERE_MAX = 4096 };

/* Everything one decoder or encoder lives on. */
struct bench {
    struct mem mem;
    struct arena arena;
    const struct type *schema;
    struct option items[OPTIONS_MAX];
    struct options options;
    struct format_config config;
    struct err err;
    void *self;
    struct batch *batch;
    struct buf out;
    bool no_hint;
};

static void dead_letter(void *arg, const struct format_position *at, const char *reason, struct str raw)
{
    struct bench *b = arg;

    buf_append_text(&b->out, "dead ");
    format_position_print(at, &b->out);
    buf_printf(&b->out, ": %s | ", reason);
    buf_append(&b->out, raw.data, raw.size);
    buf_append_byte(&b->out, '\n');
}

static void error_append(struct bench *b)
{
    buf_printf(&b->out, "error: %s", b->err.text);
    if (b->err.hint[0] && !b->no_hint) buf_printf(&b->out, " (%s)", b->err.hint);
    buf_append_byte(&b->out, '\n');
}

static void options_set(struct bench *b, const char *const *pairs)
{
    b->options = (struct options){.items = b->items};
    for (uint32_t i = 0; pairs && pairs[2 * i]; i++) {
        assert_true(i < OPTIONS_MAX);
        b->items[i] = (struct option){pairs[2 * i], pairs[2 * i + 1]};
        b->options.count = i + 1;
    }
}

static void bench_open(struct bench *b, struct probe *p)
{
    memset(b, 0, sizeof *b);
    mem_init(&b->mem, "probe", 0);
    arena_init(&b->arena, &b->mem, 0);
    buf_init(&b->out, &b->mem);
    b->no_hint = p->no_hint;
    if (type_parse(&b->arena, str_of(p->schema), &b->schema, &b->err) != S_OK) fail_msg("%s", b->err.text);
    options_set(b, p->options);
    b->config = (struct format_config){
        .schema = b->schema,
        .needed = p->needed,
        .options = &b->options,
        .on_error = p->on_error,
        .dead_letter = dead_letter,
        .dead_letter_arg = b,
        .bad_records = &p->bad_records,
        .mem = &b->mem,
        .name = "file",
    };
}

static void *self_new(struct bench *b, size_t size)
{
    void *self = mem_alloc_aligned(&b->mem, size ? size : 1, 64);
    memset(self, 0, size);
    return self;
}

static bool decoder_open(struct bench *b, struct probe *p)
{
    p->bad_records = 0;
    bench_open(b, p);
    b->self = self_new(b, p->format->decoder_size);
    if (p->format->decoder_open(b->self, &b->config, &b->err) != S_OK) {
        error_append(b);
        return false;
    }
    b->batch = batch_create_needed(b->schema, p->needed, p->batch_rows ? p->batch_rows : BATCH_ROWS, &b->mem);
    return true;
}

/* The text so far, and everything let go of. */
static char *bench_close(struct bench *b)
{
    char *text = strdup(buf_text(&b->out));

    batch_free(b->batch);
    mem_free(&b->mem, b->self);
    buf_release(&b->out);
    arena_release(&b->arena);
    assert_int_equal(b->mem.used, 0);
    mem_release(&b->mem);
    return text;
}

static void rows_append(struct bench *b)
{
    for (uint32_t i = 0; i < b->batch->count; i++) {
        batch_print_row(b->batch, i, &b->out);
        buf_append_byte(&b->out, '\n');
    }
    batch_clear(b->batch);
}

typedef void (*batch_fn)(struct bench *b);

/* A reader hands on the rows before a bad record and decodes once more: it must meet the same error, at the same place. */
static void again_expect(struct bench *b, const struct probe *p, struct format_input *in, enum status expected)
{
    struct format_input before = *in;
    struct err err = {0};

    assert_int_equal(p->format->decode(b->self, in, b->batch, &err), expected);
    assert_string_equal(err.text, b->err.text);
    assert_int_equal(b->batch->count, 0);
    assert_memory_equal(in, &before, sizeof before);
}

/* Bytes from..to of the input, with the window in an allocation of its own. Answers false when decoding ended. */
static bool window_decode(struct bench *b, struct probe *p, struct format_input *in, const char *bytes, size_t to,
                          bool at_end, batch_fn take)
{
    size_t from = (size_t)(in->offset - p->offset), size = to - from;
    char *window = malloc(size + FORMAT_PADDING);
    enum status st;

    memcpy(window, bytes + from, size);
    memset(window + size, p->padding ? p->padding : '"', FORMAT_PADDING);
    in->data = window;
    in->size = size;
    in->at_end = at_end;
    in->consumed = 0;
    do {
        st = p->format->decode(b->self, in, b->batch, &b->err);
        take(b);
    } while (st == S_MORE);
    if (st < 0) again_expect(b, p, in, st);
    free(window);
    if (st < 0) error_append(b);
    else if (at_end) assert_int_equal(st, S_END);
    else assert_int_equal(st, S_OK);
    return st == S_OK;
}

static void input_decode(struct bench *b, struct probe *p, const char *bytes, size_t size, const size_t *cuts,
                         size_t cut_count, batch_fn take)
{
    struct format_input in = FORMAT_INPUT_START;
    bool goes_on = true;

    in.offset = p->offset;
    if (p->offset) in.line = p->line;
    for (size_t i = 0; i < cut_count && goes_on; i++) goes_on = window_decode(b, p, &in, bytes, cuts[i], false, take);
    if (goes_on) window_decode(b, p, &in, bytes, size, true, take);
    p->end_line = in.line;
    p->end_offset = in.offset;
}

char *probe_decode(struct probe *p, const char *bytes, size_t size, const size_t *cuts, size_t cut_count)
{
    struct bench b;

    if (!decoder_open(&b, p)) return bench_close(&b);
    input_decode(&b, p, bytes, size, cuts, cut_count, rows_append);
    p->format->decoder_close(b.self);
    return bench_close(&b);
}

char *probe_messages(struct probe *p, const char *const *messages, size_t count)
{
    struct bench b;
    enum status st = S_OK;

    if (!decoder_open(&b, p)) return bench_close(&b);
    for (size_t i = 0; i < count && st == S_OK; i++) {
        size_t size = messages[i] ? strlen(messages[i]) : 0;
        char *copy = malloc(size + FORMAT_PADDING);
        struct format_message message = {.bytes = {messages[i] ? copy : NULL, size}, .offset = 1000 + i};
        if (size) memcpy(copy, messages[i], size);
        memset(copy + size, p->padding ? p->padding : '"', FORMAT_PADDING);
        while ((st = p->format->decode_message(b.self, &message, b.batch, &b.err)) == S_MORE) rows_append(&b);
        rows_append(&b);
        if (st < 0) error_append(&b);
        free(copy);
    }
    p->format->decoder_close(b.self);
    return bench_close(&b);
}

/* What probe_recode keeps beside the decoder. */
struct recoder {
    struct bench bench; /* first: batch_fn gets it */
    const struct fmt_type *format;
    void *encoder;
    bool by_row;
};

static void recode_batch(struct bench *b)
{
    struct recoder *r = (struct recoder *)b;
    enum status st = S_OK;

    if (!r->by_row) st = r->format->encode(r->encoder, b->batch, &b->out, &b->err);
    for (uint32_t i = 0; r->by_row && i < b->batch->count && st == S_OK; i++) {
        st = r->format->encode_row(r->encoder, b->batch, i, &b->out, &b->err);
        buf_append_byte(&b->out, '\n');
    }
    if (st != S_OK) error_append(b);
    batch_clear(b->batch);
}

static char *recode(struct probe *p, const char *bytes, size_t size, bool by_row)
{
    struct recoder r = {.format = p->writer ? p->writer : p->format, .by_row = by_row};

    if (!decoder_open(&r.bench, p)) return bench_close(&r.bench);
    r.encoder = self_new(&r.bench, r.format->encoder_size);
    if (p->writer) options_set(&r.bench, p->writer_options);
    if (r.format->encoder_open(r.encoder, &r.bench.config, &r.bench.err) != S_OK) {
        error_append(&r.bench);
    } else {
        input_decode(&r.bench, p, bytes, size, NULL, 0, recode_batch);
        r.format->encoder_close(r.encoder);
    }
    p->format->decoder_close(r.bench.self);
    mem_free(&r.bench.mem, r.encoder);
    return bench_close(&r.bench);
}

char *probe_recode(struct probe *p, const char *bytes, size_t size) { return recode(p, bytes, size, false); }
char *probe_recode_rows(struct probe *p, const char *bytes, size_t size) { return recode(p, bytes, size, true); }

static void once_expect(struct probe *p, const char *bytes, size_t size, const size_t *cuts, size_t cut_count,
                        const char *expected)
{
    char *got = probe_decode(p, bytes, size, cuts, cut_count);

    if (strcmp(got, expected) != 0)
        fail_msg("%zu cuts, first at %zu, %u rows per batch:\n--- expected\n%s--- got\n%s", cut_count,
                 cut_count ? cuts[0] : 0, p->batch_rows, expected, got);
    free(got);
}

void probe_expect_bytes(struct probe p, const char *bytes, size_t size, const char *expected)
{
    static const size_t steps[] = {1, 2, 3, 7, 64};
    size_t *cuts = malloc((size + 1) * sizeof *cuts), count;
    struct probe q = p;

    once_expect(&p, bytes, size, NULL, 0, expected);
    for (size_t i = 0; i < COUNT_OF(steps) && size < 64 * 1024; i++) {
        for (count = 0; (count + 1) * steps[i] < size; count++) cuts[count] = (count + 1) * steps[i];
        once_expect(&q, bytes, size, cuts, count, expected);
        assert_int_equal(q.end_offset, p.end_offset);
        assert_int_equal(q.end_line, p.end_line);
    }
    for (size_t cut = 0; cut <= size && size <= CUT_EVERYWHERE_MAX; cut++)
        once_expect(&q, bytes, size, &cut, 1, expected);
    for (q.batch_rows = 1; q.batch_rows < 4; q.batch_rows++) once_expect(&q, bytes, size, NULL, 0, expected);
    q.batch_rows = 0;
    q.padding = '\n';
    once_expect(&q, bytes, size, NULL, 0, expected);
    q.padding = '7';
    once_expect(&q, bytes, size, NULL, 0, expected);
    assert_int_equal(q.bad_records, p.bad_records);
    free(cuts);
}

void probe_expect(struct probe p, const char *text, const char *expected)
{
    probe_expect_bytes(p, text, strlen(text), expected);
}
