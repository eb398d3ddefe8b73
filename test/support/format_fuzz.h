/* format_fuzz.h - what must hold for any bytes given to a format, for the fuzz targets and a random test:
 *   - the rows and dead letters do not depend on the windows, the batch size or what stands behind the window;
 *   - lines read as messages give the rows that the file gives (json, whose lines are its messages);
 *   - what was read can be written and read again, and is the same.
 * A broken promise traps. */
#pragma once
#include "flow/format/format.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <stdlib.h>
#include <string.h>

struct fuzz_case {
    const struct fmt_type *format;
    const char *schema;
    const char *const *options; /* key, value, ..., NULL */
    bool one_way;               /* what is written may be longer than the limit on what is read */
};

struct fuzz_world {
    struct mem mem;
    struct arena arena;
    const struct type *schema;
    struct option items[16];
    struct options options;
    struct format_config config;
    struct err err;
    struct buf dead;
};

static inline void fuzz_require(bool ok)
{
    if (!ok) __builtin_trap();
}

static inline void fuzz_dead(void *arg, const struct format_position *at, const char *reason, struct str raw)
{
    struct fuzz_world *w = arg;

    format_position_print(at, &w->dead);
    buf_printf(&w->dead, " %s ", reason);
    if (raw.size) buf_append(&w->dead, raw.data, raw.size);
    buf_append_byte(&w->dead, '\n');
}

static inline void fuzz_rows(struct batch *b, struct buf *rows)
{
    for (uint32_t i = 0; i < b->count; i++) {
        batch_print_row(b, i, rows);
        buf_append_byte(rows, '\n');
    }
    batch_clear(b);
}

static inline void *fuzz_self(struct fuzz_world *w, size_t size)
{
    void *self = mem_alloc_aligned(&w->mem, size, 64);
    memset(self, 0, size);
    return self;
}

/* Decodes bytes in windows that end at random places (one window when p is NULL); encodes every batch when encoded is
 * given, and answers false when a value cannot be written. */
static inline bool fuzz_decode(struct fuzz_world *w, const struct fmt_type *f, const char *bytes, size_t size,
                               struct prng *p, struct buf *rows, struct buf *encoded)
{
    struct batch *b = batch_create(w->schema, p ? 1 + (uint32_t)prng_below(p, 40) : BATCH_ROWS, &w->mem);
    struct format_input in = FORMAT_INPUT_START;
    void *decoder = fuzz_self(w, f->decoder_size), *encoder = fuzz_self(w, f->encoder_size);
    enum status st = S_OK;
    size_t to = 0;
    bool ok = true;

    buf_clear(&w->dead);
    fuzz_require(f->decoder_open(decoder, &w->config, &w->err) == S_OK);
    bool writes = f->encoder_open(encoder, &w->config, &w->err) == S_OK; /* some options are for reading alone */
    ok = writes;
    while (st == S_OK) {
        size_t from = in.offset,
               step = p ? prng_below(p, 3) ? 1 + prng_below(p, 60) : 1 + prng_below(p, size + 1) : size;
        to = MIN(size, MAX(to, from) + step);
        char *window = malloc(to - from + FORMAT_PADDING);
        fuzz_require(window != NULL);
        if (to > from) memcpy(window, bytes + from, to - from);
        memset(window + (to - from), p ? "\"\n7}"[prng_below(p, 4)] : ' ', FORMAT_PADDING);
        in.data = window;
        in.size = to - from;
        in.at_end = to == size;
        in.consumed = 0;
        do {
            st = f->decode(decoder, &in, b, &w->err);
            if (encoded && ok) ok = f->encode(encoder, b, encoded, &w->err) == S_OK;
            fuzz_rows(b, rows);
        } while (st == S_MORE);
        fuzz_require(st == S_OK || st == S_END || (st == E_DATA && strstr(w->err.text, "header")));
        ok &= st >= 0;
        free(window);
    }
    fuzz_require(in.offset == size || st == E_DATA); /* a wrong header fails whatever on-error says */
    err_clear(&w->err);
    f->decoder_close(decoder);
    if (writes) f->encoder_close(encoder);
    mem_free(&w->mem, decoder);
    mem_free(&w->mem, encoder);
    batch_free(b);
    return ok;
}

/* The lines as messages. */
static inline void fuzz_messages(struct fuzz_world *w, const struct fmt_type *f, const char *bytes, size_t size,
                                 struct buf *rows)
{
    struct batch *b = batch_create(w->schema, 7, &w->mem);
    void *decoder = fuzz_self(w, f->decoder_size);

    fuzz_require(f->decoder_open(decoder, &w->config, &w->err) == S_OK);
    for (size_t at = 0, end; at < size; at = end + 1) {
        const char *newline = memchr(bytes + at, '\n', size - at);
        struct format_message message = {.offset = at};
        enum status st;
        end = newline ? (size_t)(newline - bytes) : size;
        char *copy = malloc(end - at + FORMAT_PADDING);
        fuzz_require(copy != NULL);
        memcpy(copy, bytes + at, end - at);
        memset(copy + (end - at), ',', FORMAT_PADDING);
        message.bytes = (struct str){copy, end - at};
        while ((st = f->decode_message(decoder, &message, b, &w->err)) == S_MORE) fuzz_rows(b, rows);
        fuzz_require(st == S_OK);
        free(copy);
    }
    fuzz_rows(b, rows);
    f->decoder_close(decoder);
    mem_free(&w->mem, decoder);
    batch_free(b);
}

static inline bool fuzz_equal(const struct buf *a, const struct buf *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static inline void fuzz_open(struct fuzz_world *w, const struct fuzz_case *c)
{
    memset(w, 0, sizeof *w);
    mem_init(&w->mem, "fuzz", 0);
    arena_init(&w->arena, &w->mem, 0);
    buf_init(&w->dead, &w->mem);
    fuzz_require(type_parse(&w->arena, str_of(c->schema), &w->schema, &w->err) == S_OK);
    for (uint32_t i = 0; c->options && c->options[2 * i]; i++, w->options.count = i)
        w->items[i] = (struct option){c->options[2 * i], c->options[2 * i + 1]};
    w->options.items = w->items;
    w->config = (struct format_config){.schema = w->schema,
                                       .options = &w->options,
                                       .on_error = ON_ERROR_DEAD_LETTER,
                                       .dead_letter = fuzz_dead,
                                       .dead_letter_arg = w,
                                       .mem = &w->mem,
                                       .name = "fuzz"};
}

static inline void format_fuzz(const struct fuzz_case *c, const char *bytes, size_t size, uint64_t seed,
                               bool lines_are_messages)
{
    struct buf rows, again, dead, text;
    struct fuzz_world w;
    struct prng p;
    bool writable;

    fuzz_open(&w, c);
    prng_init(&p, seed);
    buf_init(&rows, &w.mem);
    buf_init(&again, &w.mem);
    buf_init(&dead, &w.mem);
    buf_init(&text, &w.mem);
    writable = fuzz_decode(&w, c->format, bytes, size, NULL, &rows, &text);
    if (w.dead.size) buf_append(&dead, w.dead.data, w.dead.size);
    fuzz_decode(&w, c->format, bytes, size, &p, &again, NULL);
    fuzz_require(fuzz_equal(&rows, &again) && fuzz_equal(&dead, &w.dead));
    if (lines_are_messages && (size < 3 || memcmp(bytes, "\xef\xbb\xbf", 3) != 0)) {
        buf_clear(&again);
        fuzz_messages(&w, c->format, bytes, size, &again);
        fuzz_require(fuzz_equal(&rows, &again));
    }
    if (writable && !c->one_way) {
        buf_clear(&again);
        fuzz_decode(&w, c->format, text.data, text.size, &p, &again, NULL);
        fuzz_require(fuzz_equal(&rows, &again) && w.dead.size == 0);
    }
    buf_release(&rows);
    buf_release(&again);
    buf_release(&dead);
    buf_release(&text);
    buf_release(&w.dead);
    arena_release(&w.arena);
    fuzz_require(w.mem.used == 0);
    mem_release(&w.mem);
}
