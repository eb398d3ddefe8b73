/* regex.h - regular expressions in Java's syntax, matched by PCRE2 with its JIT compiler.
 *
 * A pattern is translated to PCRE2's syntax (regex_java.c), where a construct means something else or is not there; SIMILAR TO
 * becomes Java's syntax first (regex_similar.c). Translation needs no PCRE2 and can be asked for alone, when a call is bound. An
 * evaluator owns a regex_engine: contexts, a stack, and a bounded cache of compiled patterns. */
#pragma once
#include "columns/column/vector.h"
#include "ground/base/buf.h"
#include "ground/base/str.h"

enum regex_fault {
    REGEX_FINE,
    REGEX_WRONG,   /* no pattern of Java's: Flink answers FALSE or NULL, or refuses the call */
    REGEX_FOREIGN, /* Java takes it, but it cannot be said in PCRE2's syntax */
};

/* Where and why a pattern is not taken. */
struct regex_mistake {
    enum regex_fault fault;
    size_t at;        /* byte of the pattern */
    const char *what; /* a static sentence */
};

/* Appends the pattern in PCRE2's syntax to out, and counts its groups. */
enum regex_fault regex_translate(struct str java, struct buf *out, uint32_t *groups, struct regex_mistake *mistake);
/* Appends the Java pattern of a SIMILAR TO pattern, by the rules of Calcite; escape is empty or one character. */
enum regex_fault regex_similar(struct str pattern, struct str escape, struct buf *out, struct regex_mistake *mistake);

/* A compiled pattern. The engine owns it; it is valid until the engine compiles another one. */
struct regex {
    struct pcre2_real_code_8 *code; /* NULL: there is a mistake */
    struct pcre2_real_match_data_8 *match;
    const size_t
        *spans; /* of the last match: begin and end of group 0, 1, ..; SIZE_MAX for a group that took no part */
    uint32_t groups;
    bool is_machine_code; /* the JIT compiler took it */
    struct regex_mistake mistake;
    char *text; /* what was compiled; NULL: an empty place of the cache */
    size_t text_size;
};

struct regex_engine;
struct regex_engine *regex_engine_create(struct mem *mem);
void regex_engine_free(struct regex_engine *engine);
/* Never NULL; a pattern that cannot be compiled says why in `mistake`. */
const struct regex *regex_get(struct regex_engine *engine, struct str java);

enum regex_answer { REGEX_NO, REGEX_YES, REGEX_TOO_HARD };
#define REGEX_TOO_HARD_TEXT "the regular expression needs too many steps for this text"
/* The first match at or behind byte `from`. TOO_HARD: a limit was reached, whether there is a match is not known. */
enum regex_answer regex_find(struct regex_engine *engine, const struct regex *re, struct str s, size_t from);
/* The next match behind the last one, as Java's find() goes on: *from is where it begins to look (0 at first), and moves. */
enum regex_answer regex_next(struct regex_engine *engine, const struct regex *re, struct str s, size_t *from);
/* Part of s that group n matched last; false: it took no part. n <= groups. */
bool regex_group(const struct regex *re, struct str s, uint32_t n, struct str *out);

/* Checks a constant pattern when a call is bound. Sets `mistake`, whose fault is the answer. */
enum regex_fault regex_check(struct str java, struct regex_mistake *mistake);
