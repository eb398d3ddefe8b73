/* embedded_complete.c - what stands in complete_context.h as words: tables, columns, functions and keywords of the session, keys and
 * values of options. Keywords and functions come in the case that was begun in; what is to be called comes with its parenthesis. */
#include "surface/sql/embedded_complete.h"

#include "flow/connector/connector.h"
#include "ground/base/str.h"
#include "language/sql/sql_function.h"
#include "language/sql/statement.h"
#include "language/sql/token.h"
#include "surface/sql/complete_context.h"
#include "surface/sql/sql_keys.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 128, NAME_MAX_BYTES = 256 };

struct finder {
    struct sql_session *session;
    struct complete_context at;
    sys_word_fn add;
    void *arg;
    uint32_t found;
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || ((unsigned char)c & 0x80) != 0;
}

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static void offer(struct finder *f, const char *text)
{
    struct str word = f->at.word;

    if (strlen(text) <= word.size || !str_starts(str_of(text), word)) return;
    f->add(f->arg, text);
    f->found++;
}

/* A keyword or function: goes on in the case of the last letter that was typed. */
static void offer_word(struct finder *f, const char *text, const char *behind)
{
    struct str word = f->at.word;
    size_t size = strlen(text);
    char out[WORD_MAX];

    if (size + strlen(behind) >= sizeof out || size < word.size) return;
    bool low = word.size > 0 && is_lower(word.data[word.size - 1]);
    for (size_t i = 0; i < size; i++) {
        if (i < word.size && lower(text[i]) != lower(word.data[i])) return;
        out[i] = i < word.size ? word.data[i] : low ? lower(text[i]) : text[i];
    }
    snprintf(out + size, sizeof out - size, "%s", behind);
    f->add(f->arg, out);
    f->found++;
}

/* --- names of the catalog ---------------------------------------------------------------------------------------- */
static const char *text_of(struct str s, char out[static NAME_MAX_BYTES])
{
    if (s.size == 0) return NULL;
    snprintf(out, NAME_MAX_BYTES, "%.*s", (int)MIN(s.size, (size_t)NAME_MAX_BYTES - 1), s.data);
    return out;
}

static void each_table(struct finder *f, struct object_name database, catalog_fn fn)
{
    enum status st = catalogs_each(sql_session_catalogs(f->session), database, fn, f, NULL);
    (void)st; /* a database that is not there has no names to offer */
}

static void add_table(void *arg, const struct table *t) { offer(arg, t->name); }
static void add_name(void *arg, const char *name) { offer(arg, name); }

static void add_columns(void *arg, const struct table *t)
{
    for (uint32_t c = 0; c < t->column_count; c++) offer(arg, t->columns[c].name);
}

/* False: it is none of the catalog's. */
static bool add_columns_of(struct finder *f, const struct complete_table *t)
{
    char names[3][NAME_MAX_BYTES];
    uint32_t n = t->part_count;
    struct object_name name = {.name = text_of(t->parts[n - 1], names[2])};

    if (n > 1) name.database = text_of(t->parts[n - 2], names[1]);
    if (n > 2) name.catalog = text_of(t->parts[0], names[0]);
    const struct table *found = name.name != NULL ? catalogs_find(sql_session_catalogs(f->session), name, NULL) : NULL;
    if (found != NULL) add_columns(f, found);
    return found != NULL;
}

static void add_databases(struct finder *f, const char *catalog)
{
    const struct catalogs *c = sql_session_catalogs(f->session);
    enum status st = catalogs_each_database(c, catalog != NULL ? catalog : catalogs_current(c), add_name, f, NULL);
    (void)st; /* the same */
}

/* Behind a dot what lies in the database, or the databases of the catalog. */
static void add_tables(struct finder *f)
{
    char first[NAME_MAX_BYTES], second[NAME_MAX_BYTES];
    const char *outer = text_of(f->at.qualifier[1], second), *inner = text_of(f->at.qualifier[0], first);

    each_table(f, (struct object_name){.catalog = outer, .name = inner}, add_table);
    if (inner != NULL && outer == NULL) add_databases(f, inner);
}

static void add_member(struct finder *f)
{
    const struct complete_table *t = complete_context_table(&f->at, f->at.qualifier[0]);
    struct complete_table plain = {.parts = {f->at.qualifier[0]}, .part_count = 1};

    if (f->at.qualifier[1].size > 0 || (t == NULL && !add_columns_of(f, &plain))) add_tables(f);
    else if (t != NULL) (void)add_columns_of(f, t);
    if (f->found == 0 && f->at.table_count == 0) each_table(f, (struct object_name){0}, add_columns); /* FROM will say which */
}

/* --- expressions ------------------------------------------------------------------------------------------------- */
static void add_user_function(void *arg, const char *name)
{
    char call[NAME_MAX_BYTES];

    snprintf(call, sizeof call, "%s(", name);
    offer(arg, call);
}

static void add_built_in(void *arg, const struct sql_function *f)
{
    bool is_called = f->kind != SQL_FORM && !keyword_is_value(keyword_find(str_of(f->name)));

    if (is_word(f->name[0])) offer_word(arg, f->name, is_called ? "(" : "");
}

static bool is_called(enum keyword k)
{
    struct sql_function found;

    return !keyword_is_value(k) && sql_function_find(str_of(keyword_text(k)), &found) && found.kind != SQL_FORM;
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

/* Names of functions are keywords, too: those come as functions. But for words that are both, as LEFT. */
static void add_keywords(struct finder *f)
{
    for (int k = KEYWORD_NONE + 1; k < KEYWORDS; k++)
        if (is_common((enum keyword)k) && !is_called((enum keyword)k)) offer_word(f, keyword_text((enum keyword)k), "");
}

/* With what a statement may begin. */
static void add_beginnings(struct finder *f)
{
    struct str rest, first;

    offer_word(f, "SELECT", "");
    offer_word(f, "WITH", "");
    for (uint32_t i = 0; st_types[i] != NULL; i++)
        for (uint32_t s = 0; s < STATEMENT_STARTS_MAX && st_types[i]->starts[s] != NULL; s++) {
            char word[WORD_MAX] = "";
            rest = str_of(st_types[i]->starts[s]);
            if (str_cut(&rest, ' ', &first)) memcpy(word, first.data, MIN(first.size, sizeof word - 1));
            offer_word(f, word, "");
        }
}

/* Columns of the tables that the statement names, of all when there are none; names and aliases of the former. */
static void add_expression(struct finder *f)
{
    bool is_known = false;
    char name[NAME_MAX_BYTES];

    for (uint32_t i = 0; i < f->at.table_count; i++) {
        const struct complete_table *t = &f->at.tables[i];
        struct str called = t->alias.size > 0 ? t->alias : t->parts[t->part_count - 1];
        if (!add_columns_of(f, t)) continue;
        is_known = true;
        if (text_of(called, name) != NULL) offer(f, name);
    }
    if (f->at.word.size == 0) return; /* all words would hide the columns */
    if (!is_known) each_table(f, (struct object_name){0}, add_columns);
    sql_session_each_function(f->session, add_user_function, f);
    sql_functions_each(add_built_in, f);
    add_keywords(f);
}

/* --- options ----------------------------------------------------------------------------------------------------- */
static void add_keys(struct finder *f, const struct option_def *d)
{
    for (; d != NULL && d->key != NULL; d++)
        if (strchr(d->key, '#') == NULL) offer(f, d->key);
}

static void add_format_names(struct finder *f)
{
    for (const struct fmt_type *const *t = fmt_types; *t != NULL; t++) offer(f, (*t)->name);
}

static void add_connector_names(struct finder *f)
{
    for (const struct conn_type *const *c = conn_types; *c != NULL; c++) offer(f, (*c)->name);
}

/* The tables of options that the statement's connector and format have; of all, where it does not say which. */
static void each_option_table(struct finder *f, void (*fn)(struct finder *f, const struct option_def *d))
{
    fn(f, conn_format_options);
    for (const struct conn_type *const *c = conn_types; *c != NULL; c++)
        if (f->at.connector.size == 0 || str_equal(f->at.connector, str_of((*c)->name))) fn(f, (*c)->options);
    for (const struct fmt_type *const *t = fmt_types; *t != NULL; t++)
        if (f->at.format.size == 0 || str_equal(f->at.format, str_of((*t)->name))) fn(f, (*t)->options);
}

static void add_choices(struct finder *f, const struct option_def *d)
{
    char key[NAME_MAX_BYTES];
    struct str rest, one;

    if (f->found > 0 || text_of(f->at.key, key) == NULL || (d = option_find(d, key)) == NULL) return;
    rest = d->kind == OPT_ENUM ? str_of(d->choices) : d->kind == OPT_BOOL ? STR("true|false") : STR("");
    while (str_cut(&rest, '|', &one)) {
        char word[WORD_MAX];
        snprintf(word, sizeof word, "%.*s", (int)one.size, one.data);
        offer(f, word);
    }
}

static void add_values(struct finder *f)
{
    if (str_equal(f->at.key, STR("connector"))) add_connector_names(f);
    else if (str_equal(f->at.key, STR("format")) || str_ends(f->at.key, STR(".format"))) add_format_names(f);
    else each_option_table(f, add_choices);
}

static void each_setting_table(struct finder *f, void (*fn)(struct finder *f, const struct option_def *d))
{
    fn(f, sql_keys);
    fn(f, sql_accepted_keys);
    fn(f, config_defs);
}

/* --- what stands there ------------------------------------------------------------------------------------------- */
static void add_all(struct finder *f)
{
    switch (f->at.place) {
    case COMPLETE_BEGIN: add_beginnings(f); break;
    case COMPLETE_TABLE:
        add_tables(f);
        if (f->found == 0) add_expression(f); /* UNNEST, LATERAL, IF EXISTS */
        break;
    case COMPLETE_CATALOG: catalogs_each_catalog(sql_session_catalogs(f->session), add_name, f); break;
    case COMPLETE_DATABASE:
        add_databases(f, NULL);
        if (f->found == 0) add_expression(f); /* CATALOG, MODULES */
        break;
    case COMPLETE_MEMBER: add_member(f); break;
    case COMPLETE_EXPRESSION: add_expression(f); break;
    case COMPLETE_KEY:
        offer(f, "connector");
        each_option_table(f, add_keys);
        break;
    case COMPLETE_VALUE: add_values(f); break;
    case COMPLETE_SETTING: each_setting_table(f, add_keys); break;
    case COMPLETE_SET_VALUE: each_setting_table(f, add_choices); break;
    case COMPLETE_NOTHING: break;
    }
}

size_t embedded_complete(struct sql_session *s, struct str before, struct str after, sys_word_fn add, void *add_arg)
{
    struct finder f = {.session = s, .add = add, .arg = add_arg};

    complete_context_of(before, after, &f.at);
    add_all(&f);
    return f.at.word.size;
}
