/* format_limit.h - what one writes by hand for one schema and one spelling: scanners of bids and flights that know every
 * byte that may come. They make the same columns as the engine's formats, but know no quotes, escapes, NULLs, other
 * orders, UTF-8 or positions of mistakes; text that is not as expected gives NULL. They are the yardstick of bench_format. */
#pragma once
#include "columns/column/batch.h"
#include "columns/column/timestamp.h"

#include <immintrin.h>

/* Reads rows from [at, end) into b until it is full or the text ends; answers where it stopped. 64 bytes behind end may
 * be read. */
typedef const char *(*limit_fn)(const char *at, const char *end, struct batch *b);

static inline const char *limit_int(const char *p, int64_t *out)
{
    bool negative = *p == '-';
    int64_t value = 0;

    for (p += negative; (unsigned)(*p - '0') < 10; p++) value = value * 10 + (*p - '0');
    *out = negative ? -value : value;
    return p;
}

/* A string up to `stop`; long ones go to the heap, where `*room` has space. */
static inline const char *limit_string(const char *p, char stop, struct text *out, char **room)
{
    const char *start = p;
    uint32_t hits;

    while (hits = (uint32_t)_mm256_movemask_epi8(
               _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi8(stop))),
           hits == 0)
        p += 32;
    p += __builtin_ctz(hits);
    size_t size = (size_t)(p - start);
    if (size <= TEXT_INLINE) {
        *out = text_view(start, size);
    } else {
        for (size_t i = 0; i < size; i += 32) memcpy(*room + i, start + i, 32);
        *out = text_view(*room, size);
        *room += size;
    }
    return p;
}

static inline int32_t limit_digits(const char *p, int n)
{
    int32_t value = 0;
    for (int i = 0; i < n; i++) value = value * 10 + (p[i] - '0');
    return value;
}

/* The day and minute of the row before, which are often those of this one. */
struct limit_minute {
    char text[16];
    int64_t ms;
};

/* "2001-01-31 10:20", and ":30.123" behind it when with_seconds. */
static inline const char *limit_time(const char *p, bool with_seconds, struct limit_minute *last, int64_t *out)
{
    if (memcmp(p, last->text, 16) != 0) {
        memcpy(last->text, p, 16);
        last->ms =
            days_from_civil(limit_digits(p, 4), limit_digits(p + 5, 2), limit_digits(p + 8, 2)) * INT64_C(86400000) +
            (limit_digits(p + 11, 2) * 60 + limit_digits(p + 14, 2)) * INT64_C(60000);
    }
    *out = last->ms;
    if (!with_seconds) return p + 16;
    *out += limit_digits(p + 17, 2) * 1000 + limit_digits(p + 20, 3);
    return p + 23;
}

#define LIMIT_EXPECT(p, text)                                                                                          \
    do {                                                                                                               \
        if (memcmp((p), (text), sizeof(text) - 1) != 0) return NULL;                                                   \
        (p) += sizeof(text) - 1;                                                                                       \
    } while (0)
#define LIMIT_COLUMN(b, i, T) VECTOR_VALUES(&(b)->cols[i], T)

/* One scanner: the pieces of text between the values, and what the values are. */
#define LIMIT_BIDS(NAME, BEFORE, A, B, C, D, E, AFTER, STOP)                                                           \
    static inline const char *NAME(const char *p, const char *end, struct batch *b)                                    \
    {                                                                                                                  \
        int64_t *auction = LIMIT_COLUMN(b, 0, int64_t), *bidder = LIMIT_COLUMN(b, 1, int64_t);                         \
        int64_t *price = LIMIT_COLUMN(b, 2, int64_t), *time = LIMIT_COLUMN(b, 5, int64_t);                             \
        struct text *channel = LIMIT_COLUMN(b, 3, struct text), *url = LIMIT_COLUMN(b, 4, struct text);                \
        char *room = text_reserve(&b->heap, b->capacity * 80);                                                         \
        struct limit_minute last = {.text = ""};                                                                       \
        uint32_t row;                                                                                                  \
        for (row = 0; row < b->capacity && p < end; row++) {                                                           \
            LIMIT_EXPECT(p, BEFORE);                                                                                   \
            p = limit_int(p, &auction[row]);                                                                           \
            LIMIT_EXPECT(p, A);                                                                                        \
            p = limit_int(p, &bidder[row]);                                                                            \
            LIMIT_EXPECT(p, B);                                                                                        \
            p = limit_int(p, &price[row]);                                                                             \
            LIMIT_EXPECT(p, C);                                                                                        \
            p = limit_string(p, STOP, &channel[row], &room);                                                           \
            LIMIT_EXPECT(p, D);                                                                                        \
            p = limit_string(p, STOP, &url[row], &room);                                                               \
            LIMIT_EXPECT(p, E);                                                                                        \
            p = limit_time(p, true, &last, &time[row]);                                                                \
            LIMIT_EXPECT(p, AFTER);                                                                                    \
        }                                                                                                              \
        b->count = row;                                                                                                \
        return p;                                                                                                      \
    }
LIMIT_BIDS(limit_csv_bids, "", ",", ",", ",", ",", ",", "\n", ',')
LIMIT_BIDS(limit_json_bids, "{\"auction\":", ",\"bidder\":", ",\"price\":", ",\"channel\":\"", "\",\"url\":\"",
           "\",\"dateTime\":\"", "\"}\n", '"')

#define LIMIT_FLIGHTS(NAME, BEFORE, A, B, C, D, AFTER, STOP, LAST)                                                     \
    static inline const char *NAME(const char *p, const char *end, struct batch *b)                                    \
    {                                                                                                                  \
        int64_t *time = LIMIT_COLUMN(b, 0, int64_t), value;                                                            \
        int32_t *delay = LIMIT_COLUMN(b, 1, int32_t), *distance = LIMIT_COLUMN(b, 2, int32_t);                         \
        struct text *origin = LIMIT_COLUMN(b, 3, struct text), *destination = LIMIT_COLUMN(b, 4, struct text);         \
        char *room = text_reserve(&b->heap, b->capacity * 80);                                                         \
        struct limit_minute last = {.text = ""};                                                                       \
        uint32_t row;                                                                                                  \
        for (row = 0; row < b->capacity && p < end; row++) {                                                           \
            LIMIT_EXPECT(p, BEFORE);                                                                                   \
            p = limit_time(p, false, &last, &time[row]);                                                               \
            LIMIT_EXPECT(p, A);                                                                                        \
            p = limit_int(p, &value);                                                                                  \
            delay[row] = (int32_t)value;                                                                               \
            LIMIT_EXPECT(p, B);                                                                                        \
            p = limit_int(p, &value);                                                                                  \
            distance[row] = (int32_t)value;                                                                            \
            LIMIT_EXPECT(p, C);                                                                                        \
            p = limit_string(p, STOP, &origin[row], &room);                                                            \
            LIMIT_EXPECT(p, D);                                                                                        \
            p = limit_string(p, LAST, &destination[row], &room);                                                       \
            LIMIT_EXPECT(p, AFTER);                                                                                    \
        }                                                                                                              \
        b->count = row;                                                                                                \
        return p;                                                                                                      \
    }
LIMIT_FLIGHTS(limit_csv_flights, "", ",", ",", ",", ",", "\n", ',', '\n')
LIMIT_FLIGHTS(limit_json_flights, "{\"date\":\"", "\",\"delay\":", ",\"distance\":", ",\"origin\":\"",
              "\",\"destination\":\"", "\"}\n", '"', '"')
