/* token.h - a statement's text as tokens with byte positions; the whole text is cut at once.
 *
 * Lexical rules are Flink's: `quoted` names, 'text' with '' inside, e'..' with C escapes, U&'..', X'..', numbers, three kinds
 * of comments, hints in slash-star-plus. Keywords are found without regard to case; names keep theirs. */
#pragma once
#include "ground/base/arena.h"
#include "ground/base/err.h"

enum { SQL_TEXT_MAX = 16 * 1024 * 1024 };

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* unquoted and no keyword, or `quoted` */
    TOKEN_KEYWORD, /* `keyword` says which */
    TOKEN_STRING,
    TOKEN_BYTES,   /* X'..' */
    TOKEN_INTEGER, /* 12 */
    TOKEN_DECIMAL, /* 1.2 */
    TOKEN_DOUBLE,  /* 1e2 */
    TOKEN_SYMBOL,  /* punctuation, longest first */
    TOKEN_HINT,    /* the opening of a hint; it closes with the symbol star-slash */
};

enum keyword {
    KEYWORD_NONE,
#define K(word, class) KW_##word,
#include "language/sql/keywords.def"
#undef K
    KEYWORDS
};

struct token {
    uint8_t kind;     /* enum token_kind */
    bool quoted;      /* NAME in backticks */
    uint16_t keyword; /* enum keyword */
    uint32_t at, size; /* bytes in the text */
};

struct tokens {
    struct str text;
    const char *source; /* file name for messages, or NULL */
    uint32_t first_line; /* of the text in that file: 1 */
    struct token *items; /* the last one is END */
    uint32_t count;
};

/* Cuts the text; E_DATA with position for a character that cannot be, an open quote or comment, text that is no UTF-8. */
enum status tokens_cut(struct tokens *t, struct str text, const char *source, struct arena *a, struct err *e) CHECKED;
/* The same of a text that is part of a file: its first line is that one there. */
enum status tokens_cut_from(struct tokens *t, struct str text, const char *source, uint32_t first_line, struct arena *a,
                            struct err *e) CHECKED;
/* What a STRING, BYTES or NAME token means: quotes and escapes undone. E_DATA for a bad escape. */
enum status token_value(const struct tokens *t, const struct token *token, struct arena *a, struct str *out, struct err *e) CHECKED;
static inline struct str token_text(const struct tokens *t, const struct token *token)
{
    return (struct str){t->text.data + token->at, token->size};
}
bool keyword_is_reserved(enum keyword k); /* cannot be a name without backticks */
bool keyword_is_function(enum keyword k); /* may be called like a function: not reserved, or a function's name */
bool keyword_is_value(enum keyword k);    /* stands for a value without parentheses: CURRENT_DATE */
const char *keyword_text(enum keyword k);
enum keyword keyword_find(struct str word);

/* The place of a byte offset, counted in lines and code points from 1. */
struct text_place {
    uint32_t line, column;
};
struct text_place text_place_of(struct str text, uint32_t at);
/* Sets e to "<printf text> at line L, column C" with the line of text and a caret below the token [at, at + size). */
enum status sql_error(struct err *e, const struct tokens *t, uint32_t at, uint32_t size, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Shows the line of the text around `at`, and a caret below the size bytes there. */
void sql_error_excerpt(struct err *e, struct str text, uint32_t at, uint32_t size);
