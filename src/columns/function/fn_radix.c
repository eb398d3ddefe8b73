/* fn_radix.c - BIN, HEX and UNHEX: numbers and bytes in digits of base 2 and 16. Negative numbers show as their two's complement
 * of 64 bits, as Java's Long does. Text that has other signs than digits is NULL under UNHEX. */
#include "columns/function/fn_kernels.h"

enum { BITS_MAX = 64 };

static const char digits[] = "0123456789ABCDEF";

/* Writes from behind; a digit has `bits` bits. */
static void put_number(const struct fn_run *r, struct vector *out, uint32_t row, uint64_t value, uint32_t bits)
{
    char text[BITS_MAX];
    size_t at = sizeof text;

    do {
        text[--at] = digits[value & ((1u << bits) - 1)];
        value >>= bits;
    } while (value != 0);
    fn_put(r, out, row, (struct str){text + at, sizeof text - at});
}

static void each_number(const struct fn_run *r, const struct vector *const *args, struct vector *out, uint32_t bits)
{
    FN_EACH_VALID(r, args, 1, i)
    put_number(r, out, i, (uint64_t)VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)], bits);
}

static void bin_number(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_number(r, args, out, 1);
}
static void hex_number(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    each_number(r, args, out, 4);
}

static void hex_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *to = text_reserve(r->heap, 2 * s.size);
        for (size_t k = 0; k < s.size; k++) {
            to[2 * k] = digits[(unsigned char)s.data[k] >> 4];
            to[2 * k + 1] = digits[s.data[k] & 15];
        }
        VECTOR_VALUES(out, struct text)[i] = text_view(to, 2 * s.size);
    }
}

/* The value of a digit, or -1. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* With an odd count the first digit must be one but counts for nothing: Flink makes a byte 0 of it. */
static bool unhex(struct str s, char *to)
{
    size_t at = 0, k = 0;

    if (s.size % 2 == 1) {
        if (digit_of(s.data[at++]) < 0) return false;
        to[k++] = 0;
    }
    for (; at < s.size; at += 2) {
        int high = digit_of(s.data[at]), low = digit_of(s.data[at + 1]);
        if (high < 0 || low < 0) return false;
        to[k++] = (char)(high * 16 + low);
    }
    return true;
}

static void unhex_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        size_t size = (s.size + 1) / 2;
        char *to = text_reserve(r->heap, size);
        if (unhex(s, to))
            VECTOR_VALUES(out, struct text)[i] = text_view(to, size);
        else
            vector_set_null(out, i);
    }
}

#define EXAMPLES(...)                                                                                                  \
    (const struct fn_example[])                                                                                        \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
#define OVERLOADS(...)                                                                                                 \
    (const struct fn_overload[])                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__, { 0 }                                                                                             \
    }
static const struct fn_def functions[] = {
    {.name = "BIN",
     .doc = "the number in binary digits",
     .examples = EXAMPLES({"BIN(12)", "1100"}),
     .overloads = OVERLOADS({"BIGINT -> STRING", bin_number})},
    {.name = "HEX",
     .doc = "the number, or the bytes of the text, in hexadecimal digits",
     .examples = EXAMPLES({"HEX(20)", "14"}, {"HEX('hello')", "68656C6C6F"}),
     .overloads = OVERLOADS({"BIGINT -> STRING", hex_number}, {"STRING -> STRING", hex_text})},
    {.name = "UNHEX",
     .doc = "the bytes that hexadecimal digits stand for; NULL when there are other signs",
     .examples = EXAMPLES({"UNHEX('466C696E6B')", "Flink"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = OVERLOADS({"STRING -> BYTES", unhex_text})},
    {0},
};

const struct fn_type fn_radix = {
    .name = "radix", .doc = "digits of base 2 and 16", .example = "HEX(255)", .functions = functions};
