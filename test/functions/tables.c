/* tables.c - table functions for test/sql/functions/user_table.test: rows of one column, of a ROW, of a struct with NULLs; errors. */
#include <thalweg/sql_function.h>

#include <stdio.h>
#include <string.h>

/* --- words of a text: one column --------------------------------------------------------------------------------------------------- */
static const char *word_end(const char *at, const char *end)
{
    while (at < end && *at != ' ') at++;
    return at;
}
static enum tw_status cut_text(struct tw_call *c, const void *args)
{
    const struct tw_str *s = args;
    const char *end = s->data + s->size;

    for (const char *at = s->data, *to; at < end; at = to + 1) {
        to = word_end(at, end);
        if (to > at) tw_call_emit(c, &(struct tw_str){at, (size_t)(to - at)});
    }
    return TW_OK;
}
static enum tw_status cut_text_or_null(struct tw_call *c, const void *args)
{
    if (!tw_arg_is_null(c, 0)) return cut_text(c, args);
    tw_call_emit(c, &TW_STR("null!"));
    return TW_OK;
}
TW_SQL_FUNCTION(cut) = {
    .kind = TW_SQL_TABLE, .flags = TW_SQL_TAKES_NULLS, .overloads = {{"STRING -> STRING", .rows = cut_text_or_null}}};

/* --- words and sizes; numbers: columns of a ROW ------------------------------------------------------------------------------------- */
struct word {
    struct tw_str text;
    int32_t size;
};
static enum tw_status measure(struct tw_call *c, const void *args)
{
    const struct tw_str *s = args;
    const char *end = s->data + s->size;

    for (const char *at = s->data, *to; at < end; at = to + 1) {
        to = word_end(at, end);
        if (to > at) tw_call_emit(c, &(struct word){{at, (size_t)(to - at)}, (int32_t)(to - at)});
    }
    return TW_OK;
}
static enum tw_status count_to(struct tw_call *c, const void *args)
{
    int32_t n = *(const int32_t *)args;
    char text[32];

    if (n == 7) return tw_call_fail(c, "%d is too many", n);
    for (int32_t i = 0; i < n; i++) {
        int size = snprintf(text, sizeof text, "number %d", i); /* on the stack: a row is copied when it is put out */
        tw_call_emit(c, &(struct word){{text, (size_t)size}, i});
    }
    return TW_OK;
}
TW_SQL_FUNCTION(words) = {.kind = TW_SQL_TABLE,
                          .overloads = {{"STRING -> ROW<word STRING, size INT>", .rows = measure},
                                        {"INT -> ROW<word STRING, size INT>", .rows = count_to}}};

/* --- a struct that can hold NULLs ----------------------------------------------------------------------------------------------------- */
struct pair {
    struct tw_str key;
    int64_t value;
    uint64_t nulls;
};
TW_ROW(pair, TW_FIELD(pair, key, "STRING"), TW_FIELD(pair, value, "BIGINT"), TW_NULLS(pair, nulls));

static enum tw_status pairs_of(struct tw_call *c, const void *args)
{
    int32_t n = *(const int32_t *)args;

    for (int32_t i = 0; i < n; i++) tw_call_emit(c, &(struct pair){TW_STR("a key that is longer than twelve bytes"), i, (uint64_t)i % 4});
    return TW_OK;
}
TW_SQL_FUNCTION(pairs) = {.kind = TW_SQL_TABLE, .overloads = {{"INT -> ROW", .row = &pair_row, .rows = pairs_of}}};
