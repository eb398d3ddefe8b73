/* say.c - how a mistake is printed on standard error: one line, "[name: ]what and where; what to do", and below it the line
 * of the user's that is wrong with a caret. On a terminal the beginning, up to the first colon, is bold, what to do is dim and
 * the caret red; the text is the same everywhere. Further mistakes of the same text follow in the same form. */
#include "surface/api/api.h"

#include <string.h>

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

static void append(struct buf *out, const char *style, const char *text, size_t size)
{
    if (style != NULL) buf_append_text(out, style);
    buf_append(out, text, size);
    if (style != NULL) buf_append_text(out, PLAIN);
}

static void print_one(const char *name, const struct err *e, bool color, struct buf *out)
{
    const char *head = name != NULL ? name : e->text, *caret = strrchr(e->excerpt, '^');
    size_t size = name != NULL ? strlen(name) : strcspn(e->text, ":");

    append(out, color ? BOLD : NULL, head, size);
    if (name != NULL) buf_append_text(out, ": ");
    buf_append_text(out, name != NULL ? e->text : e->text + size);
    if (e->hint[0] != '\0') {
        buf_append_text(out, "; ");
        append(out, color ? DIM : NULL, e->hint, strlen(e->hint));
    }
    buf_append_byte(out, '\n');
    if (caret == NULL) return;
    buf_append(out, e->excerpt, (size_t)(caret - e->excerpt));
    append(out, color ? RED : NULL, "^", 1);
    buf_append_byte(out, '\n');
}

void api_print_error(const char *name, const struct err *e, bool color, struct buf *out)
{
    print_one(name, e, color, out);
    for (uint32_t i = 0; e->more != NULL && i < e->more->count; i++) print_one(name, &e->more->items[i], color, out);
}

void api_say_error(struct sys *sys, const char *name, const struct err *e)
{
    struct sys_file *f;
    struct mem mem;
    struct buf text;

    if (sys_file_standard(sys, 2, &f, NULL) != S_OK) return;
    mem_init(&mem, "error", 0);
    buf_init(&text, &mem);
    api_print_error(name, e, sys_has_color(sys, 2), &text);
    enum status st = sys_file_write(sys, f, text.data, text.size, NULL);
    (void)st; /* nobody is left to be told */
    sys_file_close(sys, f);
    buf_release(&text);
    mem_release(&mem);
}
