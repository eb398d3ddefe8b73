/* expr_places.c - where the expressions of a statement stand in its text, so that a failure of a row can be shown there.
 *
 * A job knows nothing of texts: its error names the expression as expr_print writes it. The binder notes each call that may fail;
 * when a job has failed, the notes are printed and the one that the error names is found. What the planner has rewritten into
 * something that prints in another way has no place then; the error still names it. */
#include "language/sql/expr_places.h"

#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

struct expr_note {
    struct expr_note *before;
    const struct expr *x;
    const struct type *row;
    const struct tokens *t;
    struct ast_place place;
    struct str printed; /* x as the error will name it, where x itself may be gone; else not set */
};

void expr_places_add(struct expr_places *p, const struct expr *x, const struct type *row, const struct tokens *t,
                     struct ast_place place)
{
    struct expr_note *n;

    if (p == NULL || p->a == NULL || x->kind != EXPR_CALL || !x->may_fail) return;
    n = ARENA_NEW(p->a, struct expr_note);
    *n = (struct expr_note){.before = p->last, .x = x, .row = row, .t = t, .place = place};
    p->last = n;
}

static const struct tokens *text_keep(const struct tokens *t, struct arena *a)
{
    struct tokens *out = ARENA_NEW(a, struct tokens);

    out->text = (struct str){arena_strndup(a, t->text.data, t->text.size), t->text.size};
    out->source = t->source != NULL ? arena_strdup(a, t->source) : NULL;
    out->first_line = t->first_line;
    return out;
}

/* Neighbours stand in one text, as a rule. */
void expr_places_keep(const struct expr_places *p, struct arena *a, struct expr_places *out)
{
    const struct tokens *text = NULL, *copy = NULL;
    struct expr_note **end = &out->last;
    struct buf printed;

    *out = (struct expr_places){.a = a};
    buf_init(&printed, a->mem);
    for (const struct expr_note *n = p->last; n != NULL; n = n->before) {
        struct expr_note *kept = ARENA_NEW(a, struct expr_note);
        if (n->t != text) copy = text_keep(n->t, a);
        text = n->t;
        buf_clear(&printed);
        expr_print(n->x, n->row, &printed);
        size_t size = MIN(printed.size, (size_t)EXPR_SHOWN_MAX + 1); /* no error shows more of it */
        *kept = (struct expr_note){.t = copy, .place = n->place, .printed = {arena_strndup(a, printed.data, size), size}};
        *end = kept;
        end = &kept->before;
    }
    buf_release(&printed);
}

/* The part of the error's text between `in "` and `", row`. */
static bool expression_of(const char *text, struct str *out, const char **behind)
{
    const char *end = NULL, *begin = NULL;

    for (const char *at = text; (at = strstr(at, "\", row ")) != NULL; at++) end = end == NULL ? at : end;
    for (const char *at = text; end != NULL && (at = strstr(at, " in \"")) != NULL && at < end; at++)
        begin = begin == NULL ? at : begin;
    if (begin == NULL) return false;
    *out = (struct str){begin + 5, (size_t)(end - begin - 5)};
    *behind = end + 1;
    return true;
}

/* The first one of the statement that prints so; long ones were cut. */
static const struct expr_note *note_of(const struct expr_places *p, struct str text)
{
    const struct expr_note *found = NULL;
    struct buf printed;

    buf_init(&printed, p->a->mem);
    for (const struct expr_note *n = p->last; n != NULL; n = n->before) {
        struct str is = n->printed;
        if (is.data == NULL) {
            buf_clear(&printed);
            expr_print(n->x, n->row, &printed);
            is = (struct str){printed.data, printed.size};
        }
        if (is.size < text.size || memcmp(is.data, text.data, text.size) != 0) continue;
        if (is.size == text.size || (is.size > EXPR_SHOWN_MAX && text.size + 4 > EXPR_SHOWN_MAX)) found = n;
    }
    buf_release(&printed);
    return found;
}

void expr_places_show(const struct expr_places *p, struct err *e)
{
    char text[ERR_TEXT_MAX];
    const char *behind;
    struct str expression;

    if (p->a == NULL || e == NULL || e->excerpt[0] != '\0' || !expression_of(e->text, &expression, &behind)) return;
    const struct expr_note *n = note_of(p, expression);
    if (n == NULL) return;
    struct text_place at = text_place_of(n->t->text, n->place.at);
    at.line += n->t->first_line - 1;
    int before = (int)(behind - e->text);
    if (n->t->source != NULL)
        snprintf(text, sizeof text, "%.*s at %s:%u:%u%s", before, e->text, n->t->source, at.line, at.column, behind);
    else
        snprintf(text, sizeof text, "%.*s at line %u, column %u%s", before, e->text, at.line, at.column, behind);
    memcpy(e->text, text, sizeof text);
    sql_error_excerpt(e, n->t->text, n->place.at, n->place.size);
}
