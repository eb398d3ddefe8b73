/* err.c - keeps the first error, lets callers put context in front of it. Too long texts are cut, never lost whole. */
#include "ground/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_set(struct err *e, enum status st, const char *format, ...)
{
    va_list args;

    ASSERT(st != S_OK);
    if (e == NULL || e->status != S_OK) return e == NULL ? st : e->status;
    e->status = st;
    if (e->more != NULL) e->number = e->more->said++;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return st;
}

enum status err_wrap(struct err *e, const char *format, ...)
{
    char context[ERR_TEXT_MAX / 2], old[ERR_TEXT_MAX];
    va_list args;

    if (e == NULL || e->status == S_OK) return S_OK;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(old, e->text, sizeof old);
    size_t used = strlen(context), kept = MIN(strlen(old), sizeof e->text - used - 3);
    memcpy(e->text, context, used);
    memcpy(e->text + used, ": ", 2);
    memcpy(e->text + used + 2, old, kept);
    e->text[used + 2 + kept] = '\0';
    return e->status;
}

void err_hint(struct err *e, const char *format, ...)
{
    va_list args;

    if (e == NULL || e->hint[0] != '\0') return;
    va_start(args, format);
    vsnprintf(e->hint, sizeof e->hint, format, args);
    va_end(args);
}

void err_excerpt(struct err *e, const char *lines)
{
    if (e == NULL || e->excerpt[0] != '\0') return;
    snprintf(e->excerpt, sizeof e->excerpt, "%s", lines);
}

/* All that `from` says; the list stays. */
static void take(struct err *e, const struct err *from)
{
    struct err_list *more = e->more;

    *e = *from;
    e->more = more;
}

enum status err_pass_on(struct err *e, const struct err *from)
{
    ASSERT(from->status != S_OK);
    if (e == NULL) return from->status;
    if (e->status != S_OK) return e->status;
    take(e, from);
    if (e->more != NULL) e->number = e->more->said++; /* its place among e's, not among those of `from` */
    return e->status;
}

void err_clear(struct err *e)
{
    if (e == NULL) return;
    e->status = S_OK;
    e->text[0] = e->hint[0] = e->excerpt[0] = '\0';
}

/* --- several ----------------------------------------------------------------------------------------------------- */
enum status err_go_on(struct err *e, enum status st, enum status *failed)
{
    if (st == S_OK) return S_OK;
    *failed = st;
    if (e == NULL || e->more == NULL || e->more->count == ERR_MORE_MAX || e->status == S_OK) return st;
    take(&e->more->items[e->more->count++], e);
    err_clear(e);
    return S_OK;
}

static void swap(struct err *a, struct err *b)
{
    struct err kept = *a;

    take(a, b);
    take(b, &kept);
}

static void sort(struct err_list *l)
{
    for (uint32_t i = 1; i < l->count; i++)
        for (uint32_t k = i; k > 0 && l->items[k].number < l->items[k - 1].number; k--) swap(&l->items[k], &l->items[k - 1]);
}

enum status err_gather(struct err *e)
{
    struct err_list *l = e != NULL ? e->more : NULL;

    if (l == NULL || l->count == 0) return e != NULL ? e->status : S_OK;
    sort(l);
    if (e->status == S_OK) {
        take(e, &l->items[0]);
        l->count--;
        memmove(&l->items[0], &l->items[1], sizeof l->items[0] * l->count);
    } else if (l->items[0].number < e->number) {
        swap(e, &l->items[0]);
        sort(l);
    }
    return e->status;
}
