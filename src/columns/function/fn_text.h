/* fn_text.h - what the families of strings share: steps over code points, and room for results. Text in columns is valid UTF-8; a
 * cut character at the end would still not be read beyond. */
#pragma once
#include "columns/function/fn_kernels.h"

/* Longer texts fail their row: one row must not take a machine's memory. */
enum { FN_TEXT_MAX = 256 << 20 };
#define FN_TEXT_TOO_LONG "the text would be longer than 256 MiB"

static inline size_t point_size(unsigned char lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }
/* Where the point behind the one at `at` begins. */
static inline size_t point_next(struct str s, size_t at)
{
    size_t next = at + point_size((unsigned char)s.data[at]);
    return next < s.size ? next : s.size;
}
/* Where the point before `at` begins; at > 0. */
static inline size_t point_before(struct str s, size_t at)
{
    for (at--; at > 0 && ((unsigned char)s.data[at] & 0xC0) == 0x80;) at--;
    return at;
}
/* Place behind n points from `at` on; the end, when there are fewer. */
static inline size_t points_skip(struct str s, size_t at, size_t n)
{
    for (; n > 0 && at < s.size; n--) at = point_next(s, at);
    return at;
}
static inline struct str str_part(struct str s, size_t from, size_t to)
{
    return (struct str){s.data + from, to - from};
}

static inline bool str_is_ascii(struct str s)
{
    uint64_t word, all = 0;
    size_t i = 0;

    for (; i + 8 <= s.size; i += 8) {
        memcpy(&word, s.data + i, 8);
        all |= word;
    }
    for (; i < s.size; i++) all |= (unsigned char)s.data[i] >= 0x80 ? UINT64_C(0x80) : 0;
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

/* Room for `size` bytes of the result in this row, to be filled by the caller and kept by fn_keep; NULL: the row failed. */
static inline char *fn_room(const struct fn_run *r, uint32_t row, size_t size)
{
    if (size <= FN_TEXT_MAX) return text_reserve(r->heap, size);
    row_error(r->errors, row, FN_BAD_ARGUMENT, FN_TEXT_TOO_LONG);
    return NULL;
}
static inline void fn_keep(struct vector *out, uint32_t row, const char *bytes, size_t size)
{
    VECTOR_VALUES(out, struct text)[row] = text_view(bytes, size);
}
static inline char *bytes_add(char *to, struct str s)
{
    if (s.size > 0) memcpy(to, s.data, s.size);
    return to + s.size;
}
static inline int32_t fn_int(const struct vector *v, uint32_t row)
{
    return VECTOR_VALUES(v, int32_t)[vector_at(v, row)];
}

/* Lines of the families' tables. */
#define FN_EXAMPLES(...)                                                                                               \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define FN_OVERLOADS(...)                                                                                              \
    (const struct fn_overload[])                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }

/* Texts in upper case, beyond ASCII too: what is opened is closed by who opened it. Appends to out (fn_string.c). */
void *fn_letters_open(void);
void fn_letters_close(void *letters);
void fn_letters_upper(void *letters, struct str s, struct buf *out);

/* Stores bytes as text; what is not UTF-8 becomes U+FFFD. */
void fn_put_repaired(const struct fn_run *r, struct vector *out, uint32_t row, struct str s);

/* Result types that keep the length of their first argument, as Calcite's do. */
static inline const struct type *refine_as_first(const struct fn_call *c, struct arena *a)
{
    return type_with_null(a, c->args[0]->kind == T_NULL ? c->result : c->args[0], c->result->nullable);
}
static inline const struct type *refine_varchar_of_first(const struct fn_call *c, struct arena *a)
{
    return c->args[0]->kind == T_NULL ? c->result
                                      : type_new(a, T_VARCHAR, MAX(c->args[0]->precision, 1), 0, c->result->nullable);
}

/* The point that begins at `at`, and where the next one does. */
static inline uint32_t point_at(struct str s, size_t at, size_t *next)
{
    unsigned char lead = (unsigned char)s.data[at];
    uint32_t c = lead < 0x80 ? lead : lead & (lead < 0xE0 ? 0x1F : lead < 0xF0 ? 0x0F : 0x07);

    *next = point_next(s, at);
    for (size_t k = at + 1; k < *next; k++) c = c << 6 | ((unsigned char)s.data[k] & 0x3F);
    return c;
}
/* Writes a point as UTF-8; answers its bytes. */
static inline size_t point_put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t k = size - 1; k > 0; k--, c >>= 6) to[k] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)((size == 2 ? 0xC0 : size == 3 ? 0xE0 : 0xF0) | c);
    return size;
}
