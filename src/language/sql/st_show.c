/* st_show.c - SHOW in all its forms: one line of a table each, which says what may follow the words. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

#include "ground/base/str.h"

/* What a form takes. */
enum {
    IN_SPACE = 1,   /* [FROM | IN name] */
    IN_TABLE = 2,   /* FROM | IN name */
    LIKE = 4,       /* [[NOT] LIKE 'p'] */
    ILIKE = 8,      /* ILIKE as well */
    NAME = 16,      /* a name */
    ONE_PART = 32,  /* names have no dots */
    PARTITION = 64, /* [PARTITION (..)] */
    NOT_YET = 128,  /* nothing: it is refused */
};

static const struct show_form forms[] = {
    {{KW_CATALOGS}, LIKE | ILIKE, NULL},
    {{KW_CURRENT, KW_CATALOG}, 0, NULL},
    {{KW_CURRENT, KW_DATABASE}, 0, NULL},
    {{KW_DATABASES}, IN_SPACE | ONE_PART | LIKE | ILIKE, "a catalog's name"},
    {{KW_TABLES}, IN_SPACE | LIKE, "a database's name"},
    {{KW_VIEWS}, IN_SPACE | LIKE, "a database's name"},
    {{KW_FUNCTIONS}, IN_SPACE | LIKE | ILIKE, "a database's name"},
    {{KW_USER, KW_FUNCTIONS}, IN_SPACE | LIKE | ILIKE, "a database's name"},
    {{KW_PROCEDURES}, IN_SPACE | LIKE | ILIKE, "a database's name"},
    {{KW_COLUMNS}, IN_TABLE | LIKE, "a table's name"},
    {{KW_PARTITIONS}, NAME | PARTITION, "a table's name"},
    {{KW_MODULES}, 0, NULL},
    {{KW_FULL, KW_MODULES}, 0, NULL},
    {{KW_JARS}, 0, NULL},
    {{KW_JOBS}, 0, NULL},
    {{KW_CREATE, KW_TABLE}, NAME, "a table's name"},
    {{KW_CREATE, KW_VIEW}, NAME, "a view's name"},
    {{KW_CREATE, KW_CATALOG}, NAME | ONE_PART, "a catalog's name"},
    {{KW_MODELS}, NOT_YET, "models"},
    {{KW_CREATE, KW_MODEL}, NOT_YET, "models"},
    {{KW_MATERIALIZED, KW_TABLES}, NOT_YET, "materialized tables"},
    {{KW_CREATE, KW_MATERIALIZED, KW_TABLE}, NOT_YET, "materialized tables"},
    {{KW_CREATE, KW_OR, KW_ALTER, KW_MATERIALIZED}, NOT_YET, "materialized tables"},
};

static uint32_t words_there(const struct parser *p, const struct show_form *f)
{
    uint32_t n = 0;
    while (n < COUNT_OF(f->words) && f->words[n] != KEYWORD_NONE && is_word(p, n, f->words[n])) n++;
    return n;
}

/* What may stand behind the words that fit: names the words, and the nearest one to what stands there. */
static enum status no_form(struct parser *p, uint32_t fitting)
{
    const char *words[COUNT_OF(forms)];
    uint32_t count = 0;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (words_there(p, &forms[i]) != fitting || (forms[i].takes & NOT_YET) != 0) continue;
        words[count++] = keyword_text(forms[i].words[fitting]);
    }
    p->at += fitting;
    return parse_expected_words(p, words, count);
}

static enum status find_form(struct parser *p, const struct show_form **out)
{
    uint32_t fitting = 0;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        uint32_t n = words_there(p, &forms[i]);
        fitting = MAX(fitting, n);
        if (n < COUNT_OF(forms[i].words) && forms[i].words[n] != KEYWORD_NONE) continue;
        if ((forms[i].takes & NOT_YET) != 0) p->at += n - 1;
        if ((forms[i].takes & NOT_YET) != 0) return parse_not_yet(p, forms[i].what);
        p->at += n;
        *out = &forms[i];
        return S_OK;
    }
    return no_form(p, fitting);
}

static enum status parse_where(struct parser *p, struct show *s)
{
    uint8_t takes = s->form->takes;

    if ((takes & (IN_SPACE | IN_TABLE)) != 0) {
        if (take_word(p, KW_FROM))
            s->preposition = KW_FROM;
        else if (take_word(p, KW_IN))
            s->preposition = KW_IN;
        else if ((takes & IN_TABLE) != 0)
            return parse_expected(p, "FROM or IN, and a table's name");
    }
    if ((takes & NAME) == 0 && s->preposition == KEYWORD_NONE) return S_OK;
    if ((takes & ONE_PART) != 0) return parse_one_part(p, s->form->what, &s->name);
    return parse_name(p, s->form->what, &s->name);
}

static enum status parse_like(struct parser *p, struct show *s)
{
    if ((s->form->takes & LIKE) == 0) return S_OK;
    s->not = take_word(p, KW_NOT);
    if (take_word(p, KW_LIKE))
        s->like = KW_LIKE;
    else if ((s->form->takes & ILIKE) != 0 && take_word(p, KW_ILIKE))
        s->like = KW_ILIKE;
    else
        return s->not ? parse_expected(p, (s->form->takes & ILIKE) != 0 ? "LIKE or ILIKE" : "LIKE") : S_OK;
    s->has_pattern = true;
    return parse_string(p, "the pattern in 'quotes'", &s->pattern);
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct show *s = ARENA_NEW(p->a, struct show);

    (void)start;
    *body = s;
    p->at++;
    TRY(find_form(p, &s->form));
    TRY(parse_where(p, s));
    if ((s->form->takes & PARTITION) != 0 && is_word(p, 0, KW_PARTITION)) TRY(parse_partition(p, false, &s->partition));
    return parse_like(p, s);
}

static void print(const void *body, struct buf *out)
{
    const struct show *s = body;

    buf_append_text(out, "SHOW");
    for (size_t i = 0; i < COUNT_OF(s->form->words) && s->form->words[i] != KEYWORD_NONE; i++)
        buf_printf(out, " %s", keyword_text(s->form->words[i]));
    if (s->preposition != KEYWORD_NONE) buf_printf(out, " %s", keyword_text(s->preposition));
    if (s->name.count > 0) {
        buf_append_byte(out, ' ');
        print_name(&s->name, out);
    }
    print_partition(&s->partition, out);
    if (!s->has_pattern) return;
    buf_printf(out, " %s%s ", s->not ? "NOT " : "", keyword_text(s->like));
    print_string(s->pattern, out);
}

const struct st_type st_show = {
    .name = "show",
    .doc = "Lists what there is: catalogs, databases, tables, views, functions, columns, partitions, modules, jobs.",
    .example = "SHOW TABLES FROM sales LIKE 'order%'",
    .starts = {"SHOW"},
    .parse = parse,
    .print = print,
};
