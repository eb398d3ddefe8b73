/* fn_inet.c - addresses of the Internet's version 4 as numbers, and back. Flink takes one to four parts, each a byte in decimal: the
 * last one is the lowest byte, the others stand at the top ('1.2' is 1.0.0.2). What is no address is NULL. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

#include <stdio.h>

static bool byte_read(struct str s, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        *out = MIN(*out * 10 + (s.data[i] - '0'), INT64_C(1000));
    }
    return s.size > 0 && *out <= 255;
}

static bool address_read(struct str s, int64_t *out)
{
    int64_t parts[4];
    uint32_t count = 0;

    for (size_t from = 0, at = 0; at <= s.size; at++) {
        if (at < s.size && s.data[at] != '.') continue;
        if (count == COUNT_OF(parts) || !byte_read(str_part(s, from, at), &parts[count++])) return false;
        from = at + 1;
    }
    *out = parts[count - 1];
    for (uint32_t i = 0; i + 1 < count; i++) *out |= parts[i] << (24 - 8 * i);
    return true;
}

static void inet_aton(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    if (!address_read(fn_str(args[0], i), &VECTOR_VALUES(out, int64_t)[i])) vector_set_null(out, i);
}

static void inet_ntoa(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    char text[16];

    FN_EACH_VALID(r, args, 1, i)
    {
        int64_t n = VECTOR_VALUES(args[0], int64_t)[vector_at(args[0], i)];
        if (n < 0 || n > UINT32_MAX) {
            vector_set_null(out, i);
            continue;
        }
        int size = snprintf(text, sizeof text, "%d.%d.%d.%d", (int)(n >> 24), (int)(n >> 16 & 255), (int)(n >> 8 & 255), (int)(n & 255));
        fn_put(r, out, i, (struct str){text, (size_t)size});
    }
}

static const struct fn_def functions[] = {
    {.name = "INET_ATON",
     .doc = "the number of an IPv4 address; NULL when the text is none",
     .examples = FN_EXAMPLES({"INET_ATON('127.0.0.1')", "2130706433"}, {"INET_ATON('127.1')", "2130706433"},
                             {"INET_ATON('256.0.0.1') IS NULL", "TRUE"}),
     .overloads = (const struct fn_overload[]){{"STRING -> BIGINT", inet_aton}, {0}},
     .flags = FN_MAY_BE_NULL},
    {.name = "INET_NTOA",
     .doc = "the IPv4 address of a number; NULL when there is none",
     .examples = FN_EXAMPLES({"INET_NTOA(2130706433)", "127.0.0.1"}, {"INET_NTOA(-1) IS NULL", "TRUE"}),
     .overloads = (const struct fn_overload[]){{"BIGINT -> STRING", inet_ntoa}, {0}},
     .flags = FN_MAY_BE_NULL},
    {0},
};

const struct fn_type fn_inet = {.name = "inet",
                                .doc = "addresses of the Internet as numbers and texts",
                                .example = "INET_NTOA(INET_ATON('127.0.0.1'))",
                                .functions = functions};
