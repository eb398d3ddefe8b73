/* keyword.c - the grammar's words: one sorted table, searched by halves without regard to case.
 *
 * Classes come from the grammar: reserved words need backticks to be names; some of them may still be called as functions
 * (ABS) or stand for a value without parentheses (CURRENT_DATE). */
#include "language/sql/token.h"

enum class { N, R, F, C, B };

static const struct {
    const char *text;
    uint8_t size, class;
} words[KEYWORDS] = {
    [KEYWORD_NONE] = {"", 0, N},
#define K(word, class) [KW_##word] = {#word, sizeof #word - 1, class},
#include "language/sql/keywords.def"
#undef K
};

bool keyword_is_reserved(enum keyword k) { return words[k].class != N; }
bool keyword_is_function(enum keyword k) { return words[k].class != R && words[k].class != C; }
bool keyword_is_value(enum keyword k) { return words[k].class == C || words[k].class == B; }
const char *keyword_text(enum keyword k) { return words[k].text; }

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* Order of `word`, as if in capitals, against a keyword. */
static int compare(struct str word, const char *text, size_t size)
{
    for (size_t i = 0; i < word.size && i < size; i++) {
        int d = (unsigned char)upper(word.data[i]) - (unsigned char)text[i];
        if (d != 0) return d;
    }
    return word.size < size ? -1 : word.size > size;
}

enum keyword keyword_find(struct str word)
{
    uint32_t low = KEYWORD_NONE + 1, high = KEYWORDS;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int d = compare(word, words[middle].text, words[middle].size);
        if (d == 0) return (enum keyword)middle;
        if (d < 0) high = middle;
        else low = middle + 1;
    }
    return KEYWORD_NONE;
}
