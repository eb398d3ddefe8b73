/* bind_connector.c - what a table's options say of its connector, checked where a statement reads or writes the table: before it
 * runs, and with the place where the wrong option was written, in WITH or in a hint. An option that is missing has no such place:
 * the table's name in the statement stands for it.
 *
 * What is wrong with options the connectors say, for programs in C too; here it gets Flink's words in front and the page that lists
 * the options behind. */
#include "flow/connector/connector.h"
#include "flow/source/source_options.h"
#include "ground/base/str.h"
#include "language/sql/bind_table.h"

#include <stdio.h>
#include <string.h>

#define UNKNOWN_CONNECTOR "unknown connector"
#define UNKNOWN_FORMAT "unknown format"

/* --- where options were written ---------------------------------------------------------------------------------- */
void bind_option_places(struct query_binder *b, const struct ast_options *o, bool is_hint, struct table *t)
{
    struct option_place *places = ARENA_ARRAY(b->a, struct option_place, t->place_count + o->count + 1);

    if (t->place_count > 0) memcpy(places, t->places, sizeof *places * t->place_count);
    for (uint32_t i = 0; i < o->count; i++) {
        struct ast_place at = o->items[i].key_place;
        struct text_place p = text_place_of(b->t->text, at.at);
        struct err shown = {0};
        sql_error_excerpt(&shown, b->t->text, at.at, at.size);
        places[t->place_count++] = (struct option_place){.key = bind_text(b, o->items[i].key),
                                                         .source = b->t->source,
                                                         .is_hint = is_hint,
                                                         .line = p.line + b->t->first_line - 1,
                                                         .column = p.column,
                                                         .excerpt = arena_strdup(b->a, shown.excerpt)};
    }
    t->places = places;
}

/* The place of the option that is named first in the text, the last one of that key; NULL: none is. */
static const struct option_place *place_named(const struct table *t, const char *text)
{
    const char *wrong = strstr(text, UNKNOWN_CONNECTOR) != NULL ? "connector"
                        : strstr(text, UNKNOWN_FORMAT) != NULL  ? "format"
                                                                : NULL;
    const struct option_place *found = NULL;
    const char *first = NULL;
    char quoted[256];

    for (uint32_t i = t->place_count; i-- > 0;) {
        snprintf(quoted, sizeof quoted, "'%.200s'", t->places[i].key);
        const char *at = wrong == NULL ? strstr(text, quoted) : strcmp(wrong, t->places[i].key) == 0 ? text : NULL;
        if (at == NULL || (first != NULL && at >= first)) continue;
        first = at;
        found = &t->places[i];
    }
    return found;
}

/* --- saying it --------------------------------------------------------------------------------------------------- */
/* Flink's words for it, where they are not in the text already. */
static const char *in_flinks_words(struct query_binder *b, const struct table *t, const struct err *inner)
{
    const char *name = table_option(t, "connector");

    if (strstr(inner->text, OPTION_UNKNOWN) != NULL || str_ends(str_of(inner->text), STR("fits no column")))
        return arena_printf(b->a, "Unsupported options found for '%.100s': ", name != NULL ? name : "");
    if (strstr(inner->text, OPTION_MISSING) != NULL ||
        str_ends(str_of(inner->text), STR("the option 'format' is missing")))
        return "One or more required options are missing: ";
    if (strstr(inner->text, UNKNOWN_CONNECTOR) != NULL)
        return arena_printf(b->a, "Could not find any factory for identifier '%.100s': ", name);
    if (strstr(inner->text, UNKNOWN_FORMAT) != NULL)
        return arena_printf(b->a, "Could not find any format factory for identifier '%.100s': ",
                            table_option(t, "format") != NULL ? table_option(t, "format") : "");
    return "";
}

static const char *page_of(const struct table *t, const struct option_place *place, const char *text)
{
    const char *format = table_option(t, "format");
    size_t size = format != NULL ? strlen(format) : 0;
    bool of_format = place != NULL && size > 0 && strncmp(place->key, format, size) == 0 && place->key[size] == '.';

    return of_format || strstr(text, UNKNOWN_FORMAT) != NULL ? "docs/reference/formats.md"
                                                             : "docs/reference/connectors.md";
}

enum status bind_option_fail(struct query_binder *b, const struct table *t, struct ast_place where,
                             const struct err *inner)
{
    const struct option_place *p = place_named(t, inner->text);
    const char *words = in_flinks_words(b, t, inner);

    if (inner->hint[0] == '\0')
        err_hint(b->e, "see %s", page_of(t, p, inner->text));
    else
        err_hint(b->e, "%s%s see %s", inner->hint, str_ends(str_of(inner->hint), STR("?")) ? "" : ";",
                 page_of(t, p, inner->text));
    if (p == NULL) return sql_error(b->e, b->t, where.at, where.size, "%s%s", words, inner->text);
    if (p->source != NULL)
        err_set(b->e, E_DATA, "%s:%u:%u: %s%s", p->source, p->line, p->column, words, inner->text);
    else
        err_set(b->e, E_DATA, "%s%s at line %u, column %u%s%s%s", words, inner->text, p->line, p->column,
                p->is_hint ? "" : " in the declaration of table '", p->is_hint ? "" : t->name, p->is_hint ? "" : "'");
    err_excerpt(b->e, p->excerpt);
    return E_DATA;
}

/* --- checking ---------------------------------------------------------------------------------------------------- */
static enum status one_way(const struct conn_type *c, bool writes, struct err *e)
{
    if (writes ? c->sink != NULL : c->source != NULL || c->lookup != NULL) return S_OK;
    return err_set(e, E_CONFIG, "Connector '%s' can only be used as a %s. It cannot be used as a %s.", c->name,
                   writes && c->source == NULL ? "lookup source" : writes ? "source" : "sink", writes ? "sink" : "source");
}

static enum status check(const struct table *t, const struct type *row, const struct type *coded, bool writes,
                         struct err *e)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *c;

    if (name == NULL) {
        err_hint(e, "add 'connector' = '...' to its WITH clause");
        return err_set(e, E_CONFIG,
                       "Table options do not contain an option key 'connector' for discovering a connector");
    }
    TRY(conn_find(name, &c, e));
    TRY(one_way(c, writes, e));
    TRY(conn_options_check(c, &t->options, e));
    if (c->takes_format && c->parts_option == NULL) /* else the parts' */ TRY(conn_format_check(&t->options, coded, writes, e));
    if (writes) return c->sink->check != NULL ? c->sink->check(&t->options, c->options, row, e) : S_OK;
    if (c->source == NULL) return S_OK; /* it is only looked up, and what is asked is checked there */
    if (source_rate_check(options_double(&t->options, source_options, "scan.rate-limit"), e) != S_OK)
        return err_wrap(e, "option 'scan.rate-limit'");
    return c->source->check != NULL ? c->source->check(&t->options, c->options, row, e) : S_OK;
}

enum status bind_connector(struct query_binder *b, const struct table *t, const struct type *row, uint32_t apart,
                           bool writes, struct ast_place where)
{
    const struct type *coded = row;
    struct err inner = {0};

    if (t->stream != NULL) return S_OK;
    if (apart > 0) coded = type_row(b->a, row->child_count - apart, row->names, row->children, row->nullable);
    return check(t, row, coded, writes, &inner) == S_OK ? S_OK : bind_option_fail(b, t, where, &inner);
}
