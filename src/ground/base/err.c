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

enum status err_pass_on(struct err *e, const struct err *from)
{
    ASSERT(from->status != S_OK);
    if (e == NULL) return from->status;
    if (e->status == S_OK) *e = *from;
    return e->status;
}

void err_clear(struct err *e)
{
    if (e == NULL) return;
    e->status = S_OK;
    e->text[0] = e->hint[0] = e->excerpt[0] = '\0';
}
