/* fn_string_search.c - where a text stands in another: POSITION, LOCATE, INSTR, STARTSWITH, ENDSWITH, and SPLIT_INDEX, which looks for
 * separators.
 *
 * Texts are compared byte by byte: UTF-8 cannot match in the middle of a character. Only the answer is counted in characters. An
 * empty text is found at 1, wherever the search begins, as in Flink. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

#include <unicode/uchar.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* First place of `what` at or behind byte `from`; -1 when there is none. */
static int64_t find_from(struct str s, struct str what, size_t from)
{
    if (what.size > s.size - from) return -1;
    const char *at = what.size == 1 ? memchr(s.data + from, what.data[0], s.size - from)
                                    : memmem(s.data + from, s.size - from, what.data, what.size);
    return at != NULL ? at - s.data : -1;
}

/* The position from 1 on, of the first match that begins at character `start` (from 1) or later; 0: none. */
static int32_t position_of(struct str s, struct str what, int32_t start)
{
    if (what.size == 0) return 1;
    size_t from = start > 1 ? points_skip(s, 0, (size_t)start - 1) : 0;
    int64_t at = find_from(s, what, from);
    return at < 0 ? 0 : (int32_t)str_utf8_length((struct str){s.data, (size_t)at}) + 1;
}

/* POSITION and LOCATE: what, text [, start]. */
static void position(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    VECTOR_VALUES(out, int32_t)
    [i] = position_of(fn_str(args[1], i), fn_str(args[0], i), n > 2 ? fn_int(args[2], i) : 1);
}

static int32_t nth_forwards(struct str s, struct str what, int32_t start, int32_t nth)
{
    if (what.size == 0) return 1;
    size_t from = points_skip(s, 0, (size_t)start - 1);
    for (int64_t at;; from = point_next(s, (size_t)at)) {
        at = find_from(s, what, from);
        if (at < 0) return 0;
        if (--nth == 0) return (int32_t)str_utf8_length((struct str){s.data, (size_t)at}) + 1;
    }
}

/* The n-th match that ends at the character `back` from the end, or before. */
static int32_t nth_backwards(struct str s, struct str what, int64_t back, int32_t nth)
{
    size_t end = s.size;

    if (what.size == 0) return (int32_t)str_utf8_length(s) + 1;
    for (; back > 1 && end > 0; back--) end = point_before(s, end);
    for (; end >= what.size && end > 0; end = point_before(s, end))
        if (memcmp(s.data + end - what.size, what.data, what.size) == 0 && --nth == 0)
            return (int32_t)str_utf8_length((struct str){s.data, end - what.size}) + 1;
    return 0;
}

/* INSTR: text, what [, start [, n-th]]. */
static void instr(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;

    FN_EACH_VALID(r, args, n, i)
    {
        struct str s = fn_str(args[0], i), what = fn_str(args[1], i);
        int32_t start = n > 2 ? fn_int(args[2], i) : 1, nth = n > 3 ? fn_int(args[3], i) : 1;
        int32_t *at = &VECTOR_VALUES(out, int32_t)[i];
        if (nth <= 0)
            row_error(r->errors, i, FN_BAD_ARGUMENT, "INSTR counts matches from 1");
        else
            *at = start == 0  ? 0
                  : start > 0 ? nth_forwards(s, what, start, nth)
                              : nth_backwards(s, what, -(int64_t)start, nth);
    }
}

static void starts_with(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i) VECTOR_VALUES(out, bool)[i] = str_starts(fn_str(args[0], i), fn_str(args[1], i));
}

static void ends_with(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 2, i) VECTOR_VALUES(out, bool)[i] = str_ends(fn_str(args[0], i), fn_str(args[1], i));
}

/* --- SPLIT_INDEX -------------------------------------------------------------------------------------------------- */
/* Piece `index` of s between blanks, which an empty separator means; false: there are fewer. */
static bool piece_between_blanks(struct str s, int32_t index, struct str *out)
{
    size_t next = 0;

    for (size_t at = 0, end = 0;; at = end = next, index--) {
        while (end < s.size && !u_isWhitespace((UChar32)point_at(s, end, &next))) end = next;
        *out = str_part(s, at, end);
        if (index == 0) return true;
        if (end == s.size) return false;
    }
}

/* Which of the first 64 bytes behind `data` are c; of what there are fewer, those. Loads overlap, so that none goes beyond the end. */
static inline __attribute__((always_inline)) uint64_t bytes_found(const char *data, size_t size, char c)
{
    uint64_t found = 0;

#ifdef __AVX2__
    if (LIKELY(size >= 32)) {
        __m256i wanted = _mm256_set1_epi8(c);
        size_t last = MIN(size, (size_t)64) - 32;
        __m256i head = _mm256_loadu_si256((const __m256i *)data), tail = _mm256_loadu_si256((const __m256i *)(data + last));
        found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(head, wanted));
        return found | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(tail, wanted)) << last;
    }
    if (size >= 16) {
        __m128i wanted = _mm_set1_epi8(c);
        __m128i head = _mm_loadu_si128((const __m128i *)data), tail = _mm_loadu_si128((const __m128i *)(data + size - 16));
        found = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(head, wanted));
        return found | (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tail, wanted)) << (size - 16);
    }
#endif
    for (size_t i = 0; i < MIN(size, (size_t)64); i++) found |= (uint64_t)(data[i] == c) << i;
    return found;
}

/* The lowest n bits that are set are cleared. */
static inline uint64_t bits_drop(uint64_t bits, uint32_t n)
{
    for (; n > 0; n--) bits &= bits - 1;
    return bits;
}

/* 64 bytes at a time: separators before the piece are counted off, then the next one ends it. */
static inline __attribute__((always_inline)) bool piece_between_bytes(struct str s, char separator, int32_t index, struct str *out)
{
    size_t begin = 0;

    for (size_t at = 0; at < s.size; at += 64) {
        uint64_t found = bytes_found(s.data + at, s.size - at, separator);
        if (index > 0) {
            uint32_t count = (uint32_t)__builtin_popcountll(found);
            if (count < (uint32_t)index) {
                index -= (int32_t)count;
                continue;
            }
            found = bits_drop(found, (uint32_t)index - 1);
            begin = at + (size_t)__builtin_ctzll(found) + 1;
            found = bits_drop(found, 1);
            index = 0;
        }
        if (found == 0) continue;
        *out = str_part(s, begin, at + (size_t)__builtin_ctzll(found));
        return true;
    }
    *out = str_part(s, begin, s.size);
    return index == 0;
}

static bool piece_between(struct str s, struct str separator, int32_t index, struct str *out)
{
    if (s.size == 0) return false; /* an empty text has no pieces, not one empty piece */
    if (separator.size == 1) return piece_between_bytes(s, separator.data[0], index, out);
    if (separator.size == 0) return piece_between_blanks(s, index, out);
    for (size_t at = 0;; index--) {
        int64_t end = find_from(s, separator, at);
        *out = str_part(s, at, end < 0 ? s.size : (size_t)end);
        if (index == 0) return true;
        if (end < 0) return false;
        at = (size_t)end + separator.size;
    }
}

static void put_piece(const struct fn_run *r, const struct vector *const *args, struct vector *out, uint32_t i,
                      struct str separator)
{
    int32_t index = fn_int(args[2], i);
    struct str piece;

    if (index >= 0 && piece_between(fn_str(args[0], i), separator, index, &piece))
        fn_put(r, out, i, piece);
    else
        vector_set_null(out, i);
}

/* One separator of one byte and one index for all rows. */
static void split_index_at(const struct fn_run *r, const struct vector *const *args, struct vector *out, char separator, int32_t index)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i), piece;
        fn_text_fetch(r, args[0], i + FN_AHEAD);
        if (s.size > 0 && piece_between_bytes(s, separator, index, &piece))
            fn_put(r, out, i, piece);
        else
            vector_set_null(out, i);
    }
}

static void split_index(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    bool is_one = args[1]->form == VEC_CONST && args[2]->form == VEC_CONST && !fn_is_null(args + 1, 2, 0);

    if (is_one && fn_str(args[1], 0).size == 1 && fn_int(args[2], 0) >= 0) {
        split_index_at(r, args, out, fn_str(args[1], 0).data[0], fn_int(args[2], 0));
        return;
    }
    FN_EACH_VALID(r, args, 3, i)
    {
        fn_text_fetch(r, args[0], i + FN_AHEAD);
        put_piece(r, args, out, i, fn_str(args[1], i));
    }
}

/* The separator as the code of a character, 1 to 255. */
static void split_index_code(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 3, i)
    {
        int32_t c = fn_int(args[1], i);
        char bytes[2] = {(char)(c < 0x80 ? c : 0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))};
        if (c < 1 || c > 255)
            vector_set_null(out, i);
        else
            put_piece(r, args, out, i, (struct str){bytes, c < 0x80 ? 1 : 2});
    }
}

static const struct fn_overload position_overloads[] = {
    {"STRING, STRING -> INT", position}, {"STRING, STRING, INT -> INT", position}, {0}};
static const struct fn_def functions[] = {
    {.name = "POSITION",
     .doc = "where a text first stands in another, from 1; 0 when it does not",
     .examples = FN_EXAMPLES({"POSITION('b' IN 'abc')", "2"}),
     .overloads = position_overloads},
    {.name = "LOCATE",
     .doc = "where the first text stands in the second, from a position on; 0 when it does not",
     .examples = FN_EXAMPLES({"LOCATE('b', 'abcb')", "2"}, {"LOCATE('b', 'abcb', 3)", "4"}),
     .overloads = position_overloads},
    {.name = "INSTR",
     .doc =
         "where the second text stands in the first: from a position on, the n-th time; backwards from a negative one",
     .examples = FN_EXAMPLES({"INSTR('abcb', 'b')", "2"}, {"INSTR('Corporate Floor', 'or', 3, 2)", "14"}),
     .flags = FN_MAY_FAIL,
     .overloads = FN_OVERLOADS({"STRING, STRING -> INT", instr}, {"STRING, STRING, INT -> INT", instr},
                               {"STRING, STRING, INT, INT -> INT", instr})},
    {.name = "STARTSWITH",
     .doc = "does the first begin with the second?",
     .examples = FN_EXAMPLES({"STARTSWITH('abc', 'ab')", "TRUE"}),
     .overloads = FN_OVERLOADS({"STRING, STRING -> BOOLEAN", starts_with}, {"BYTES, BYTES -> BOOLEAN", starts_with})},
    {.name = "ENDSWITH",
     .doc = "does the first end with the second?",
     .examples = FN_EXAMPLES({"ENDSWITH('abc', 'bc')", "TRUE"}),
     .overloads = FN_OVERLOADS({"STRING, STRING -> BOOLEAN", ends_with}, {"BYTES, BYTES -> BOOLEAN", ends_with})},
    {.name = "SPLIT_INDEX",
     .doc = "the piece at an index, from 0, of a text parted by a separator (or the code of a character)",
     .examples = FN_EXAMPLES({"SPLIT_INDEX('a,b,c', ',', 1)", "b"}, {"SPLIT_INDEX('a,b', 44, 0)", "a"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, STRING, INT -> STRING", split_index},
                               {"STRING, INT, INT -> STRING", split_index_code})},
    {0},
};

const struct fn_type fn_string_search = {
    .name = "string_search", .doc = "text found in text", .example = "POSITION('b' IN 'abc')", .functions = functions};
