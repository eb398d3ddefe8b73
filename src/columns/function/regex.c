/* regex.c - compiling and matching with PCRE2.
 *
 * All memory of PCRE2's comes from the evaluator's mem, except for machine code, which its JIT compiler maps itself; whoever makes an
 * engine frees it. Where there is no JIT the same code is interpreted, with the same answers.
 *
 * A match may cost exponential time. Each is given a number of steps and a stack; reaching either is an answer of its own, and the row
 * fails. The cache is direct-mapped by hash: constant patterns always hit, varying ones are compiled again when they collide.
 *
 * Subjects need not be valid UTF-8: PCRE2 then never matches across a bad byte, and never reads beyond. */
#include "columns/function/regex.h"

#include "ground/base/hash.h"
#include "ground/base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { CACHE_PLACES = 16, STEPS_MAX = 1000000, STACK_FIRST = 32 << 10, STACK_MOST = 1 << 20 };
enum { PATTERN_MAX = 64 << 10 };

struct regex_engine {
    struct mem *mem;
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_jit_stack *stack;
    struct buf translated;
    const struct regex *last; /* answered last; NULL: it is gone */
    struct regex places[CACHE_PLACES];
};

static void *memory_of(size_t size, void *mem) { return mem_alloc(mem, size); }
static void memory_back(void *p, void *mem) { mem_free(mem, p); }

struct regex_engine *regex_engine_create(struct mem *mem)
{
    struct regex_engine *g = mem_zalloc(mem, sizeof *g);

    g->mem = mem;
    g->general = pcre2_general_context_create(memory_of, memory_back, mem);
    g->compile = pcre2_compile_context_create(g->general);
    g->match = pcre2_match_context_create(g->general);
    g->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, g->general); /* NULL without a JIT */
    ASSERT(g->general != NULL && g->compile != NULL && g->match != NULL);
    pcre2_set_match_limit(g->match, STEPS_MAX);
    pcre2_set_heap_limit(g->match, 20 << 10);        /* KiB */
    pcre2_set_newline(g->compile, PCRE2_NEWLINE_LF); /* the translation leaves nothing to it */
    if (g->stack != NULL) pcre2_jit_stack_assign(g->match, NULL, g->stack);
    buf_init(&g->translated, mem);
    return g;
}

static void place_clear(struct regex_engine *g, struct regex *re)
{
    pcre2_match_data_free(re->match);
    pcre2_code_free(re->code);
    mem_free(g->mem, re->text);
    *re = (struct regex){0};
}

void regex_engine_free(struct regex_engine *g)
{
    if (g == NULL) return;
    for (uint32_t i = 0; i < CACHE_PLACES; i++) place_clear(g, &g->places[i]);
    buf_release(&g->translated);
    pcre2_jit_stack_free(g->stack);
    pcre2_match_context_free(g->match);
    pcre2_compile_context_free(g->compile);
    pcre2_general_context_free(g->general);
    mem_free(g->mem, g);
}

/* What the translation lets through and PCRE2 refuses: variable lengths behind, unknown scripts, sizes. */
static const char *refused(int code)
{
    switch (code) {
    case PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH: return "a look behind must have a fixed length";
    case PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY:
    case PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY: return "a property of characters is not known";
    case PCRE2_ERROR_PATTERN_TOO_LARGE:
    case PCRE2_ERROR_PATTERN_TOO_COMPLICATED: return "the pattern is too large";
    default: return "the pattern cannot be compiled";
    }
}

static void compile(struct regex_engine *g, struct regex *re, struct str java)
{
    int code;
    size_t offset;

    buf_clear(&g->translated);
    if (java.size > PATTERN_MAX)
        re->mistake = (struct regex_mistake){REGEX_FOREIGN, 0, "the pattern is too large"};
    else
        regex_translate(java, &g->translated, &re->groups, &re->mistake);
    if (re->mistake.fault != REGEX_FINE) return;
    re->code = pcre2_compile((PCRE2_SPTR)buf_text(&g->translated), g->translated.size,
                             PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
                             &code, &offset, g->compile);
    if (re->code == NULL) {
        re->mistake = (struct regex_mistake){REGEX_FOREIGN, 0, refused(code)};
        return;
    }
    re->is_machine_code = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0; /* else it is interpreted */
    re->match = pcre2_match_data_create_from_pattern(re->code, g->general);
    ASSERT(re->match != NULL);
    re->spans = pcre2_get_ovector_pointer(re->match);
}

const struct regex *regex_get(struct regex_engine *g, struct str java)
{
    if (g->last != NULL && str_equal((struct str){g->last->text, g->last->text_size}, java)) return g->last;
    struct regex *re = &g->places[hash64(java.data, java.size) % CACHE_PLACES];
    g->last = re;
    if (re->text != NULL && str_equal((struct str){re->text, re->text_size}, java)) return re;
    place_clear(g, re);
    re->text = mem_alloc(g->mem, java.size + 1);
    if (java.size > 0) memcpy(re->text, java.data, java.size);
    re->text_size = java.size;
    compile(g, re, java);
    return re;
}

enum regex_answer regex_find(struct regex_engine *g, const struct regex *re, struct str s, size_t from)
{
    ASSERT(re->code != NULL && from <= s.size);
    PCRE2_SPTR subject = (PCRE2_SPTR)(s.data != NULL ? s.data : "");
    int rc = re->is_machine_code ? pcre2_jit_match(re->code, subject, s.size, from, 0, re->match, g->match)
                                 : pcre2_match(re->code, subject, s.size, from, 0, re->match, g->match);

    if (rc == PCRE2_ERROR_NOMATCH) return REGEX_NO;
    return rc >= 0 ? REGEX_YES : REGEX_TOO_HARD;
}

enum regex_answer regex_next(struct regex_engine *g, const struct regex *re, struct str s, size_t *from)
{
    if (*from > s.size) return REGEX_NO;
    enum regex_answer found = regex_find(g, re, s, *from);
    if (found != REGEX_YES) return found;
    *from = re->spans[1];
    if (re->spans[0] == re->spans[1]) /* behind an empty match, one character on */
        do ++*from;
        while (*from < s.size && ((unsigned char)s.data[*from] & 0xC0) == 0x80);
    return REGEX_YES;
}

bool regex_group(const struct regex *re, struct str s, uint32_t n, struct str *out)
{
    ASSERT(n <= re->groups);
    if (re->spans[2 * n] == PCRE2_UNSET) return false;
    *out = (struct str){s.data + re->spans[2 * n], re->spans[2 * n + 1] - re->spans[2 * n]};
    return true;
}

enum regex_fault regex_check(struct str java, struct regex_mistake *mistake)
{
    struct mem mem;

    mem_init(&mem, "regex", 0);
    struct regex_engine *g = regex_engine_create(&mem);
    *mistake = regex_get(g, java)->mistake;
    regex_engine_free(g);
    mem_release(&mem);
    return mistake->fault;
}
