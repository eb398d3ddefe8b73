/* user_decimal.c - struct tw_decimal of row.h: DECIMAL above 18 digits in C structs, from and to text. Calculating with
 * them is the program's, on tw_int128. */
#include <thalweg/row.h>

#include "columns/column/decimal.h"
#include "ground/base/str.h"

struct tw_decimal tw_decimal_of(int64_t unscaled)
{
    return (struct tw_decimal){(uint64_t)unscaled, unscaled < 0 ? -1 : 0};
}

bool tw_decimal_parse(const char *text, int precision, int scale, struct tw_decimal *out)
{
    int128 value;

    if (text == NULL || precision < 1 || precision > 38 || scale < 0 || scale > precision) return false;
    if (!decimal_parse(str_of(text), precision, scale, &value)) return false;
    *out = tw_decimal_put(value);
    return true;
}

const char *tw_decimal_text(struct tw_decimal d, int scale, char to[TW_DECIMAL_TEXT_MAX])
{
    bool is_negative = d.high < 0;
    uint128 left = is_negative ? -(uint128)tw_decimal_get(d) : (uint128)tw_decimal_get(d);
    char digits[TW_DECIMAL_TEXT_MAX], *at = to;
    int count = 0;

    ASSERT(scale >= 0 && scale <= 38);
    while (left > 0 || count <= scale) {
        digits[count++] = (char)('0' + (int)(left % 10));
        left /= 10;
    }
    if (is_negative) *at++ = '-';
    while (count > 0) {
        *at++ = digits[--count];
        if (count == scale && scale > 0) *at++ = '.';
    }
    *at = 0;
    return to;
}
