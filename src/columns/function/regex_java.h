/* regex_java.h - what the two halves of the translation share: regex_java.c reads sequences, regex_class.c classes of characters. */
#pragma once
#include "columns/function/regex.h"

/* Inline flags, in the order of "idmsux". */
enum java_flags {
    JAVA_CASE = 1,
    JAVA_UNIX_LINES = 2,
    JAVA_MULTILINE = 4,
    JAVA_DOT_ALL = 8,
    JAVA_UNICODE_CASE = 16,
    JAVA_COMMENTS = 32,
};
#define JAVA_END UINT32_MAX

struct java_name {
    struct str name;
    uint32_t group;
};

struct java_reader {
    struct str p;
    size_t at; /* the next byte */
    struct buf *out;
    uint32_t flags, groups; /* of here; begun so far */
    struct java_name names[64];
    uint32_t name_count, nesting; /* of classes */
    bool behind;       /* inside a look behind, which must have a greatest length */
    uint32_t later;    /* least group that was referred to before it began, and where; 0: none */
    size_t later_at;
    struct regex_mistake *mistake;
    char scratch[64]; /* of java_class_escape */
};

bool java_fault(struct java_reader *r, enum regex_fault fault, size_t at, const char *what); /* false */
uint32_t java_peek(const struct java_reader *r);
uint32_t java_take(struct java_reader *r);
bool java_takes(struct java_reader *r, uint32_t c);
void java_skip(struct java_reader *r);
/* The character that an escape means whose letter was read. */
bool java_char_escape(struct java_reader *r, uint32_t c, uint32_t *out);
/* The set that an escape means whose letter was read, as items of a class, or what they leave out. False: it means none; or a mistake. */
bool java_class_escape(struct java_reader *r, uint32_t c, struct str *items, bool *inverted);
/* A class whose '[' was read: something that takes one character. */
bool java_class(struct java_reader *r);
