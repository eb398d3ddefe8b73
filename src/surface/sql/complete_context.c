/* complete_context.c - see the header.
 *
 * One pass over the tokens of the text before the cursor, remembering the last few, the tables that FROM and the like name, and where
 * in an option list it stands; then one over the text behind it, for its tables alone. Of a semicolon everything before is forgotten. */
#include "surface/sql/complete_context.h"

#include "ground/base/str.h"
#include "language/sql/token.h"

enum { RECENT = 4, DEPTH_MAX = 64, NO_OPTIONS = -1 };

enum token_sort { SORT_NONE, SORT_WORD, SORT_QUOTED /* `a` */, SORT_TEXT /* 'a' */, SORT_SIGN };

struct piece {
    enum token_sort sort;
    struct str text; /* without quotes */
    bool is_open;    /* its end quote is not there */
};

struct scan {
    struct complete_context *out;
    struct str text;
    size_t at;
    struct piece recent[RECENT]; /* the last one first */
    struct piece first;          /* of the statement */
    bool in_from[DEPTH_MAX];     /* by depth of parentheses */
    int depth, options_depth;
    bool wants_name;                /* of a table */
    struct complete_table *unnamed; /* a table that an alias may follow */
    struct complete_table *timed;   /* the same, behind FOR SYSTEM_TIME AS OF */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           ((unsigned char)c & 0x80) != 0;
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */
static char peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->text.size ? s->text.data[s->at + ahead] : '\0';
}

static void skip_to(struct scan *s, const char *end)
{
    struct str stop = str_of(end);

    while (s->at < s->text.size && !str_starts((struct str){s->text.data + s->at, s->text.size - s->at}, stop)) s->at++;
    s->at = MIN(s->at + stop.size, s->text.size);
}

static void skip_blank(struct scan *s)
{
    for (;;) {
        if (peek(s, 0) == '-' && peek(s, 1) == '-')
            skip_to(s, "\n");
        else if (peek(s, 0) == '/' && peek(s, 1) == '*' && peek(s, 2) != '+')
            skip_to(s, "*/");
        else if (s->at < s->text.size && (unsigned char)peek(s, 0) <= ' ')
            s->at++;
        else
            return;
    }
}

static struct piece quoted(struct scan *s, char quote)
{
    size_t from = ++s->at;

    while (s->at < s->text.size && peek(s, 0) != quote) s->at++;
    struct piece p = {
        quote == '\'' ? SORT_TEXT : SORT_QUOTED, {s->text.data + from, s->at - from}, s->at == s->text.size};
    s->at = MIN(s->at + 1, s->text.size);
    return p;
}

static bool next_piece(struct scan *s, struct piece *out)
{
    skip_blank(s);
    if (s->at >= s->text.size) return false;
    char c = peek(s, 0);
    if (c == '\'' || c == '`') {
        *out = quoted(s, c);
        return true;
    }
    size_t from = s->at++;
    if (is_word(c))
        while (is_word(peek(s, 0))) s->at++;
    *out = (struct piece){is_word(c) ? SORT_WORD : SORT_SIGN, {s->text.data + from, s->at - from}, false};
    return true;
}

static bool is_one_of(const struct piece *p, const char *const *words, size_t count)
{
    for (size_t i = 0; p->sort == SORT_WORD && i < count; i++)
        if (str_equal_nocase(p->text, str_of(words[i]))) return true;
    return false;
}

static bool is_sign(const struct piece *p, char c) { return p->sort == SORT_SIGN && p->text.data[0] == c; }
static bool is(const struct piece *p, const char *word) { return is_one_of(p, &word, 1); }

/* --- tables ------------------------------------------------------------------------------------------------------ */
static bool names_tables(const struct scan *s, const struct piece *p)
{
    static const char *const words[] = {"FROM", "JOIN", "INTO", "TABLE", "OVERWRITE", "VIEW"};
    static const char *const first[] = {"DESCRIBE", "DESC", "UPDATE"};

    return is_one_of(p, words, COUNT_OF(words)) || (s->first.sort == SORT_NONE && is_one_of(p, first, COUNT_OF(first)));
}

static bool ends_from(const struct piece *p)
{
    static const char *const words[] = {"WHERE",  "GROUP", "HAVING",    "ORDER",  "LIMIT", "SELECT",
                                        "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ON",    "USING",
                                        "VALUES", "WITH",  "SET",       "QUALIFY"};

    return is_one_of(p, words, COUNT_OF(words));
}

static bool is_name(const struct piece *p)
{
    return p->sort == SORT_QUOTED || (p->sort == SORT_WORD && !keyword_is_reserved(keyword_find(p->text)));
}

static void take_table_part(struct scan *s, const struct piece *p)
{
    struct complete_context *c = s->out;

    if (s->unnamed == NULL && c->table_count < COMPLETE_TABLES_MAX) {
        s->unnamed = &c->tables[c->table_count++];
        *s->unnamed = (struct complete_table){0};
    }
    if (s->unnamed != NULL && s->unnamed->part_count < COUNT_OF(s->unnamed->parts))
        s->unnamed->parts[s->unnamed->part_count++] = p->text;
    s->wants_name = false;
}

/* What the piece says of tables. */
static void look_for_table(struct scan *s, const struct piece *p)
{
    bool is_list = is_sign(p, ',') && s->in_from[s->depth];

    if (s->wants_name && is_name(p)) {
        take_table_part(s, p);
    } else if (s->unnamed != NULL && is_sign(p, '.')) {
        s->wants_name = true;
        return;
    } else if (s->unnamed != NULL && is(p, "AS")) {
        return;
    } else if (s->unnamed != NULL && is_name(p)) {
        s->unnamed->alias = p->text;
        s->unnamed = NULL;
    } else if (s->timed != NULL && is(&s->recent[0], "AS") && is_name(p)) {
        s->timed->alias = p->text;
        s->timed = NULL;
    } else {
        if (s->unnamed != NULL) s->timed = is(p, "FOR") ? s->unnamed : NULL;
        s->unnamed = NULL;
        s->wants_name = names_tables(s, p) || is_list;
    }
    if (is(p, "FROM"))
        s->in_from[s->depth] = true;
    else if (ends_from(p))
        s->in_from[s->depth] = false;
}

/* --- options ----------------------------------------------------------------------------------------------------- */
static void look_for_option(struct scan *s, const struct piece *p)
{
    struct complete_context *c = s->out;
    bool is_value = is_sign(&s->recent[0], '=');

    if (p->sort != SORT_TEXT || p->is_open || (s->options_depth == NO_OPTIONS && !is(&s->first, "SET"))) return;
    if (!is_value)
        c->key = p->text;
    else if (str_equal(c->key, STR("connector")))
        c->connector = p->text;
    else if (str_ends(c->key, STR("format")))
        c->format = p->text;
}

static void look_for_depth(struct scan *s, const struct piece *p)
{
    if (is_sign(p, '(')) {
        s->depth = MIN(s->depth + 1, DEPTH_MAX - 1);
        s->in_from[s->depth] = false;
        if (is(&s->recent[0], "WITH") || is(&s->recent[0], "OPTIONS")) s->options_depth = s->depth;
    } else if (is_sign(p, ')')) {
        if (s->options_depth == s->depth) s->options_depth = NO_OPTIONS;
        s->depth = MAX(s->depth - 1, 0);
    }
}

/* --- the pass ---------------------------------------------------------------------------------------------------- */
static void take(struct scan *s, const struct piece *p)
{
    look_for_depth(s, p);
    look_for_option(s, p);
    look_for_table(s, p);
    if (s->first.sort == SORT_NONE) s->first = *p;
    for (size_t i = RECENT - 1; i > 0; i--) s->recent[i] = s->recent[i - 1];
    s->recent[0] = *p;
}

static void begin(struct scan *s, struct complete_context *out, struct str text, size_t at)
{
    *s = (struct scan){.out = out, .text = text, .at = at, .options_depth = NO_OPTIONS};
    *out = (struct complete_context){0};
}

static enum complete_place place_in_quotes(const struct scan *s)
{
    bool is_value = is_sign(&s->recent[0], '=');

    if (s->options_depth != NO_OPTIONS) return is_value ? COMPLETE_VALUE : COMPLETE_KEY;
    if (is(&s->first, "SET") || is(&s->first, "RESET")) return is_value ? COMPLETE_SET_VALUE : COMPLETE_SETTING;
    return COMPLETE_NOTHING;
}

static enum complete_place place_of_word(struct scan *s)
{
    struct complete_context *c = s->out;

    if (s->first.sort == SORT_NONE) return COMPLETE_BEGIN;
    if (is_sign(&s->recent[0], '.') && (s->recent[1].sort == SORT_WORD || s->recent[1].sort == SORT_QUOTED)) {
        c->qualifier[0] = s->recent[1].text;
        if (is_sign(&s->recent[2], '.')) c->qualifier[1] = s->recent[3].text;
        return s->wants_name ? COMPLETE_TABLE : COMPLETE_MEMBER;
    }
    if (is(&s->recent[0], "USE")) return COMPLETE_DATABASE;
    if (is(&s->recent[0], "CATALOG") && is(&s->recent[1], "USE")) return COMPLETE_CATALOG;
    return s->wants_name ? COMPLETE_TABLE : COMPLETE_EXPRESSION;
}

void complete_context_of(struct str before, struct str after, struct complete_context *out)
{
    struct scan s;
    struct piece p = {0};

    begin(&s, out, before, 0);
    while (next_piece(&s, &p)) {
        bool is_last = s.at == before.size && (p.sort == SORT_WORD || p.is_open);
        if (is_last) break;
        if (is_sign(&p, ';'))
            begin(&s, out, before, s.at);
        else
            take(&s, &p);
        p = (struct piece){0};
    }
    out->word = p.sort != SORT_NONE ? p.text : (struct str){before.data + before.size, 0};
    if (p.is_open)
        out->place = p.sort == SORT_TEXT ? place_in_quotes(&s) : COMPLETE_NOTHING;
    else
        out->place = place_of_word(&s);
    if (p.is_open) return;
    s.text = after;
    s.at = 0;
    s.unnamed = s.timed = NULL;
    s.wants_name = false;
    while (next_piece(&s, &p) && !is_sign(&p, ';')) take(&s, &p);
}

const struct complete_table *complete_context_table(const struct complete_context *c, struct str name)
{
    for (uint32_t i = 0; i < c->table_count; i++) {
        const struct complete_table *t = &c->tables[i];
        if (str_equal(t->alias.size > 0 ? t->alias : t->parts[t->part_count - 1], name)) return t;
    }
    return NULL;
}
