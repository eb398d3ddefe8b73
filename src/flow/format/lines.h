/* lines.h - records that are lines: where the next one ends, with a bound, whatever the window shows of it. */
#pragma once
#include "flow/format/format.h"

#include <string.h>

struct lines {
    size_t record_max;
    uint64_t seen_offset; /* a cut line began here, and its first seen_size bytes hold no newline */
    size_t seen_size;
};

enum line_state {
    LINE_WHOLE,    /* line and size are set */
    LINE_CUT,      /* more bytes are needed */
    LINE_OVERLONG, /* longer than record_max: lines_discard it from the limit on */
};

/* Moves past size bytes with `newlines` newlines. */
static inline void input_take(struct format_input *in, size_t size, uint64_t newlines)
{
    ASSERT_ROW(in->consumed + size <= in->size);
    in->consumed += size;
    in->offset += size;
    if (in->line) in->line += newlines;
}

/* The line at the window's front, which is not empty: its text without line end, its size with it. */
static inline enum line_state lines_next(struct lines *l, const struct format_input *in, struct str *line, size_t *size)
{
    const char *at = in->data + in->consumed;
    size_t left = in->size - in->consumed, seen = l->seen_offset == in->offset ? MIN(l->seen_size, left) : 0;
    const char *newline = memchr(at + seen, '\n', left - seen);
    size_t text = newline ? (size_t)(newline - at) : left;

    if (UNLIKELY(text > l->record_max)) return LINE_OVERLONG;
    if (UNLIKELY(!newline && !in->at_end)) {
        l->seen_offset = in->offset;
        l->seen_size = left;
        return LINE_CUT;
    }
    *size = text + (newline != NULL);
    *line = (struct str){at, text - (text > 0 && at[text - 1] == '\r')};
    return LINE_WHOLE;
}

/* Drops bytes up to and with the next newline; in->discarding says whether it goes on. */
static inline void lines_discard(struct format_input *in)
{
    const char *at = in->data + in->consumed;
    size_t left = in->size - in->consumed;
    const char *newline = memchr(at, '\n', left);

    in->discarding = newline == NULL;
    input_take(in, newline ? (size_t)(newline - at) + 1 : left, newline != NULL);
}

/* A byte order mark at the start of the file is passed; false = more bytes are needed to tell. */
static inline bool lines_start(struct format_input *in)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t left = in->size - in->consumed;

    if (in->offset != 0 || left == 0 || memcmp(in->data + in->consumed, mark, MIN(left, 3u)) != 0) return true;
    if (left < 3) return in->at_end;
    input_take(in, 3, 0);
    return true;
}
