/* csv_scan.c - finding the ends of fields and records.
 *
 * csv_chunk_scan looks at 64 bytes at a time. Delimiters, newlines and quotes become bit masks; the parity of the quotes
 * says what lies inside quotes; what is left are ends, written out as 16-bit offsets. That is exact only while every
 * quote opens at the start of a field and closes at its end. The two places where that can be broken (a quote that
 * opens elsewhere, text after one that closed) are found by shifting the masks by one, and end the fast scan at that
 * record: csv_record_scan, a plain state machine, says what such a record means. So there is one definition of the
 * format and a fast way to agree with it.
 *
 * Neither reads values: unquoting, NULL and numbers are csv_read.c's. */
#include "flow/format/csv_scan.h"

#include "flow/format/scan_block.h"

struct csv_masks {
    uint64_t delimiter, newline, quote, escape, hash, high, zero;
};

/* What one block must know of those before it. */
struct csv_carry {
    uint64_t inside;      /* all ones = the block begins inside quotes */
    uint64_t may_open;    /* 1 = the byte before ended a field or closed a quote, or the chunk begins here */
    uint64_t after_close; /* 1 = the byte before closed a quote */
    uint64_t line_start;  /* 1 = the byte before was a newline, or the chunk begins here */
};

typedef struct csv_masks (*csv_masks_fn)(const char *p, const struct csv_syntax *s);
typedef uint64_t (*csv_equal_fn)(const char *p, char c);

SCAN_INLINE struct csv_masks masks_portable(const char *p, const struct csv_syntax *s)
{
    return (struct csv_masks){
        .delimiter = portable_equal(p, s->delimiter),
        .newline = portable_equal(p, '\n'),
        .quote = s->quote >= 0 ? portable_equal(p, (char)s->quote) : 0,
        .escape = s->escape >= 0 ? portable_equal(p, (char)s->escape) : 0,
        .hash = s->comments ? portable_equal(p, '#') : 0,
        .high = portable_high(p),
        .zero = portable_equal(p, 0),
    };
}

#ifdef __AVX2__
SCAN_INLINE struct csv_masks masks_avx2(const char *p, const struct csv_syntax *s)
{
    __m256i low = avx2_load(p), high = avx2_load(p + 32);
    return (struct csv_masks){
        .delimiter = avx2_equal(low, high, s->delimiter),
        .newline = avx2_equal(low, high, '\n'),
        .quote = s->quote >= 0 ? avx2_equal(low, high, (char)s->quote) : 0,
        .escape = s->escape >= 0 ? avx2_equal(low, high, (char)s->escape) : 0,
        .hash = s->comments ? avx2_equal(low, high, '#') : 0,
        .high = avx2_bits(low, high),
        .zero = avx2_equal(low, high, 0),
    };
}

SCAN_INLINE uint64_t equal_avx2(const char *p, char c) { return avx2_equal(avx2_load(p), avx2_load(p + 32), c); }
#endif

SCAN_INLINE void masks_cut(struct csv_masks *m, uint64_t valid)
{
    m->delimiter &= valid;
    m->newline &= valid;
    m->quote &= valid;
    m->escape &= valid;
    m->hash &= valid;
    m->high &= valid;
    m->zero &= valid;
}

/* Takes delimiters and newlines inside quotes out of the masks; answers the places where a quote stands wrong. */
SCAN_INLINE uint64_t quotes_apply(struct csv_masks *m, struct csv_carry *c, uint64_t valid, uint64_t returns)
{
    uint64_t inside = prefix_xor(m->quote) ^ c->inside;
    uint64_t opens = m->quote & inside, closes = m->quote & ~inside, ends, bad;

    m->delimiter &= ~inside;
    m->newline &= ~inside;
    ends = m->delimiter | m->newline;
    bad = opens & ~((ends | closes) << 1 | c->may_open);
    bad |= (closes << 1 | c->after_close) & ~(ends | opens | returns) & valid;
    c->inside = (uint64_t)((int64_t)inside >> 63);
    c->may_open = (ends | closes) >> 63;
    c->after_close = closes >> 63;
    return bad;
}

/* Writes the positions of the set bits; eight at a time, because most blocks have no more. */
SCAN_INLINE uint32_t ends_write(uint64_t bits, uint32_t base, uint16_t *out, uint32_t count)
{
    uint32_t total = count + (uint32_t)__builtin_popcountll(bits);

    for (uint32_t at = count; at < total; at += 8) {
        for (uint32_t i = 0; i < 8; i++) {
            out[at + i] = (uint16_t)(base + bits_first(bits));
            bits &= bits - 1;
        }
    }
    return total;
}

SCAN_INLINE uint32_t rows_write(uint64_t newlines, uint64_t ends, uint32_t end_count, uint16_t *out, uint32_t rows)
{
    for (; newlines; newlines &= newlines - 1) {
        uint64_t upto = newlines ^ (newlines - 1);
        out[rows++] = (uint16_t)(end_count + (uint32_t)__builtin_popcountll(ends & upto));
    }
    return rows;
}

SCAN_INLINE void chunk_scan(const struct csv_syntax *s, const char *data, uint32_t size, uint32_t rows_max,
                            struct csv_chunk *out, csv_masks_fn masks_of, csv_equal_fn equal_of)
{
    struct csv_carry carry = {.may_open = 1, .line_start = 1};
    uint64_t quotes = 0, high = 0, zero = 0;
    uint32_t rows = 0, end_count = 0;
    bool stopped = false;

    for (uint32_t at = 0; at < size && rows < rows_max && !stopped; at += 64) {
        struct csv_masks m = masks_of(data + at, s);
        uint64_t valid = size - at < 64 ? (UINT64_C(1) << (size - at)) - 1 : ~UINT64_C(0), ends, bad = 0;
        masks_cut(&m, valid);
        if (m.quote | carry.inside | carry.after_close)
            bad = quotes_apply(&m, &carry, valid, equal_of(data + at, '\r'));
        else carry.may_open = (m.delimiter | m.newline) >> 63;
        bad |= m.escape | (m.hash & (m.newline << 1 | carry.line_start));
        carry.line_start = m.newline >> 63;
        ends = m.delimiter | m.newline;
        quotes |= m.quote;
        high |= m.high;
        zero |= m.zero;
        if (UNLIKELY(bad)) {
            uint64_t before = (bad & -bad) - 1;
            ends &= before;
            m.newline &= before;
            stopped = true;
        }
        rows = rows_write(m.newline, ends, end_count, out->row_end, rows);
        end_count = ends_write(ends, at, out->ends, end_count);
    }
    out->rows = MIN(rows, rows_max);
    out->end_count = end_count;
    out->text_end = out->rows ? out->ends[out->row_end[out->rows - 1] - 1] + 1u : 0;
    out->is_open = carry.inside != 0;
    out->stopped = stopped && rows <= rows_max;
    out->has_quotes = quotes != 0;
    out->has_high = high != 0;
    out->has_zero = zero != 0;
}

void csv_chunk_finish(struct csv_chunk *chunk, uint32_t size, uint32_t rows_max)
{
    ASSERT(chunk->text_end <= size && rows_max > 0);
    if (chunk->stopped || chunk->is_open || chunk->rows == rows_max || chunk->text_end == size) return;
    chunk->ends[chunk->end_count++] = (uint16_t)size;
    chunk->row_end[chunk->rows++] = (uint16_t)chunk->end_count;
    chunk->text_end = size;
}

void csv_chunk_scan_portable(const struct csv_syntax *s, const char *data, uint32_t size, uint32_t rows_max,
                             struct csv_chunk *out)
{
    ASSERT(size <= CSV_CHUNK && rows_max > 0 && rows_max <= BATCH_ROWS);
    chunk_scan(s, data, size, rows_max, out, masks_portable, portable_equal);
}

void csv_chunk_scan(const struct csv_syntax *s, const char *data, uint32_t size, uint32_t rows_max,
                    struct csv_chunk *out)
{
    ASSERT(size <= CSV_CHUNK && rows_max > 0 && rows_max <= BATCH_ROWS);
#ifdef __AVX2__
    /* the usual dialect, as constants: no test per block remains */
    if (s->quote >= 0 && s->escape < 0 && !s->comments) {
        struct csv_syntax usual = {.delimiter = s->delimiter, .quote = s->quote & 0x7f, .escape = CSV_NONE};
        chunk_scan(&usual, data, size, rows_max, out, masks_avx2, equal_avx2);
        return;
    }
    chunk_scan(s, data, size, rows_max, out, masks_avx2, equal_avx2);
#else
    chunk_scan(s, data, size, rows_max, out, masks_portable, portable_equal);
#endif
}

void csv_record_start(struct csv_record *r)
{
    *r = (struct csv_record){.bad_at = UINT32_MAX, .fields_max = r->fields_max, .fields = r->fields};
}

static void field_end(struct csv_record *r, uint32_t end)
{
    if (r->field_count < r->fields_max) r->fields[r->field_count] = (struct csv_field){r->field_start, end};
    r->field_count++;
    r->field_start = r->at + 1;
    r->state = CSV_FIELD_START;
}

/* The record's text ends before `at`, where a newline or the end of the input stands. */
static void record_end(struct csv_record *r, const char *data, uint32_t at, uint32_t size)
{
    r->end = at > r->field_start && data[at - 1] == '\r' ? at - 1 : at;
    r->size = size;
    field_end(r, r->end);
}

/* An unquoted character, or one that should not have come. */
static void step_unquoted(const struct csv_syntax *s, struct csv_record *r, int c)
{
    if (c == (unsigned char)s->delimiter) field_end(r, r->at);
    else r->state = c == s->escape ? CSV_ESCAPE_UNQUOTED : CSV_UNQUOTED;
}

static void step_after_quote(const struct csv_syntax *s, struct csv_record *r, int c)
{
    if (c == s->quote) {
        r->state = CSV_QUOTED;
    } else if (c == '\r') {
        r->state = CSV_AFTER_RETURN;
    } else if (c == (unsigned char)s->delimiter) {
        field_end(r, r->at);
    } else {
        r->bad_at = MIN(r->bad_at, r->at);
        r->state = CSV_UNQUOTED;
    }
}

/* One character that does not end the record. */
static void record_step(const struct csv_syntax *s, struct csv_record *r, int c)
{
    switch (r->state) {
    case CSV_FIELD_START:
        if (c == s->quote) {
            r->state = CSV_QUOTED;
            r->quote_at = r->at;
        } else {
            step_unquoted(s, r, c);
        }
        break;
    case CSV_UNQUOTED: step_unquoted(s, r, c); break;
    case CSV_QUOTED:
        if (c == s->quote) r->state = CSV_AFTER_QUOTE;
        else if (c == s->escape) r->state = CSV_ESCAPE_QUOTED;
        break;
    case CSV_AFTER_QUOTE: step_after_quote(s, r, c); break;
    case CSV_AFTER_RETURN: /* a return after the closing quote, and no newline after it */
        r->bad_at = MIN(r->bad_at, r->at - 1);
        step_unquoted(s, r, c);
        break;
    case CSV_ESCAPE_UNQUOTED: r->state = CSV_UNQUOTED; break;
    case CSV_ESCAPE_QUOTED: r->state = CSV_QUOTED; break;
    }
}

static bool newline_ends(enum csv_state state)
{
    return state == CSV_FIELD_START || state == CSV_UNQUOTED || state == CSV_AFTER_QUOTE || state == CSV_AFTER_RETURN;
}

bool csv_record_scan(const struct csv_syntax *s, struct csv_record *r, const char *data, uint32_t size, bool at_end)
{
    ASSERT(r->at <= size && r->fields_max > 0);
    for (; r->at < size; r->at++) {
        char c = data[r->at];
        if (c == '\n' && newline_ends(r->state)) {
            record_end(r, data, r->at, r->at + 1);
            return true;
        }
        record_step(s, r, (unsigned char)c);
    }
    if (!at_end) return false;
    r->is_open = r->state == CSV_QUOTED || r->state == CSV_ESCAPE_QUOTED;
    record_end(r, data, size, size);
    return true;
}

uint64_t csv_count_newlines(const char *data, size_t size)
{
    uint64_t count = 0;
    size_t at = 0;

#ifdef __AVX2__
    for (; at + 64 <= size; at += 64) count += (uint64_t)__builtin_popcountll(equal_avx2(data + at, '\n'));
#endif
    for (; at < size; at++) count += data[at] == '\n';
    return count;
}
