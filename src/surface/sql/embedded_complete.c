/* embedded_complete.c - in quotes keys of SET and options of WITH; else tables, columns of the tables that the statement names (of
 * all, when it names none), functions and keywords; behind FROM and the like tables alone. Keywords come in the case that was begun
 * in. */
#include "surface/sql/embedded_complete.h"

#include "flow/connector/connector.h"
#include "ground/base/str.h"
#include "language/sql/sql_function.h"
#include "language/sql/statement.h"
#include "language/sql/token.h"
#include "surface/sql/sql_keys.h"

#include <string.h>

enum { WORD_MAX = 128 };

struct finder {
    struct sql_session *session;
    struct str before; /* the statement so far */
    struct str word;   /* its end, which is to be completed */
    sys_word_fn add;
    void *arg;
    bool in_quotes;
    uint32_t named; /* tables that the statement names */
    uint32_t found; /* tables that begin with the word */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           ((unsigned char)c & 0x80) != 0;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool begins(const char *text, struct str word, bool exact)
{
    for (size_t i = 0; i < word.size; i++)
        if (exact ? text[i] != word.data[i] : lower(text[i]) != lower(word.data[i])) return false;
    return true;
}

static void offer(const struct finder *f, const char *text)
{
    if (strlen(text) > f->word.size && begins(text, f->word, true)) f->add(f->arg, text);
}

/* A keyword or function: in lower case where that was begun. */
static void offer_word(const struct finder *f, const char *text)
{
    char out[WORD_MAX];
    bool low = false;

    for (size_t i = 0; i < f->word.size; i++) low |= f->word.data[i] >= 'a' && f->word.data[i] <= 'z';
    size_t size = strlen(text);
    if (size >= sizeof out || size < f->word.size || !begins(text, f->word, false)) return;
    for (size_t i = 0; i <= size; i++) out[i] = low ? lower(text[i]) : text[i];
    if (f->word.size == 0 || memcmp(out, f->word.data, f->word.size) == 0) f->add(f->arg, out);
}

/* --- names of the catalog ---------------------------------------------------------------------------------------- */
static bool names_table(struct str text, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; size > 0 && i + size <= text.size; i++)
        if (memcmp(text.data + i, name, size) == 0 && (i == 0 || !is_word(text.data[i - 1])) &&
            (i + size == text.size || !is_word(text.data[i + size])))
            return true;
    return false;
}

static void each_table(const struct finder *f, catalog_fn fn)
{
    enum status st = catalogs_each(sql_session_catalogs(f->session), (struct object_name){0}, fn, (void *)(uintptr_t)f,
                                   NULL);
    (void)st; /* a database that is gone has no names to offer */
}

static void add_table(void *arg, const struct table *t)
{
    struct finder *f = arg;

    offer(f, t->name);
    f->found += strlen(t->name) > f->word.size && begins(t->name, f->word, true);
    f->named += names_table((struct str){f->before.data, f->before.size - f->word.size}, t->name);
}

static void add_columns(void *arg, const struct table *t)
{
    const struct finder *f = arg;

    if (f->named > 0 && !names_table(f->before, t->name)) return;
    for (uint32_t c = 0; c < t->column_count; c++) offer(f, t->columns[c].name);
}

/* --- what else --------------------------------------------------------------------------------------------------- */
static void add_user_function(void *arg, const char *name) { offer(arg, name); }

static void add_built_in(void *arg, const struct sql_function *f)
{
    if (is_word(f->name[0])) offer_word(arg, f->name);
}

static void add_functions(const struct finder *f)
{
    sql_session_each_function(f->session, add_user_function, (void *)(uintptr_t)f);
    sql_functions_each(add_built_in, (void *)(uintptr_t)f);
}

static void add_options(const struct finder *f, const struct option_def *d)
{
    for (; d != NULL && d->key != NULL; d++)
        if (strchr(d->key, '#') == NULL) offer(f, d->key);
}

/* In a SET the keys, in a WITH (or a hint) what connectors and formats take. */
static void add_quoted(const struct finder *f)
{
    struct str text = str_trim(f->before);

    if (str_starts(text, STR("SET")) || str_starts(text, STR("set")) || str_starts(text, STR("RESET")) ||
        str_starts(text, STR("reset"))) {
        add_options(f, sql_keys);
        add_options(f, sql_accepted_keys);
        add_options(f, config_defs);
        return;
    }
    offer(f, "connector");
    add_options(f, conn_format_options);
    for (const struct conn_type *const *c = conn_types; *c != NULL; c++) {
        add_options(f, (*c)->options);
        offer(f, (*c)->name);
    }
    for (const struct fmt_type *const *t = fmt_types; *t != NULL; t++) {
        add_options(f, (*t)->options);
        offer(f, (*t)->name);
    }
}

/* FROM, JOIN, INTO: a table's name is next. */
static bool wants_table(const struct finder *f)
{
    static const char *const words[] = {"FROM", "JOIN", "INTO", "DESCRIBE", "DESC", "TABLE", "UPDATE", "OVERWRITE"};
    struct str rest = str_trim((struct str){f->before.data, f->before.size - f->word.size});
    size_t size = 0;

    while (size < rest.size && is_word(rest.data[rest.size - 1 - size])) size++;
    struct str last = {rest.data + rest.size - size, size};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal_nocase(last, str_of(words[i]))) return true;
    return false;
}

/* Words that statements are made of; the grammar knows many more that nobody types. */
static bool is_common(enum keyword k)
{
    struct str word = str_of(keyword_text(k)), rest, one;

    if (keyword_is_reserved(k)) return true;
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++)
            for (rest = str_of(st_types[i]->starts[s]); str_cut(&rest, ' ', &one);)
                if (str_equal(one, word)) return true;
    return false;
}

/* With what a statement may begin. */
static void add_beginnings(const struct finder *f)
{
    struct str rest, first;

    offer_word(f, "SELECT");
    offer_word(f, "WITH");
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++) {
            char word[WORD_MAX] = "";
            rest = str_of(st_types[i]->starts[s]);
            if (str_cut(&rest, ' ', &first)) memcpy(word, first.data, MIN(first.size, sizeof word - 1));
            offer_word(f, word);
        }
}

static void add_plain(struct finder *f)
{
    each_table(f, add_table);
    if (f->found > 0 && wants_table(f)) return;
    if (f->word.size > 0 || f->named > 0) each_table(f, add_columns);
    if (f->word.size == 0 && str_trim(f->before).size == 0) add_beginnings(f);
    if (f->word.size == 0) return; /* all words would hide the columns */
    add_functions(f);
    for (int k = KEYWORD_NONE + 1; k < KEYWORDS; k++)
        if (is_common((enum keyword)k)) offer_word(f, keyword_text((enum keyword)k));
}

/* The word may hold what keys hold besides letters. */
static void find_word(struct finder *f)
{
    size_t from = f->before.size;

    for (size_t i = 0; i < f->before.size; i++) f->in_quotes ^= f->before.data[i] == '\'';
    while (from > 0) {
        char c = f->before.data[from - 1];
        if (!is_word(c) && !(f->in_quotes && (c == '.' || c == '-'))) break;
        from--;
    }
    f->word = (struct str){f->before.data + from, f->before.size - from};
}

size_t embedded_complete(struct sql_session *s, struct str before, sys_word_fn add, void *add_arg)
{
    struct finder f = {.session = s, .before = before, .add = add, .arg = add_arg};

    find_word(&f);
    if (f.in_quotes)
        add_quoted(&f);
    else
        add_plain(&f);
    return f.word.size;
}
