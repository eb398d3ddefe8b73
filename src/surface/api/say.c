/* say.c - how a mistake is printed on standard error: one line, "[name: ]what and where; what to do", and below it the line
 * of the user's that is wrong with a caret. On a terminal the beginning, up to the first colon, is bold, what to do is dim and
 * the carets red; the text is the same everywhere, but for a line that is longer than the terminal's: of that the part around the
 * caret is shown. Further mistakes of the same text follow in the same form. */
#include "surface/api/api_internal.h"

#include "ground/base/width.h"

#include <string.h>

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

enum { DOTS = 3, WIDE_ENOUGH = 20 /* columns; below, dots would take too many */ };

static void append(struct buf *out, const char *style, const char *text, size_t size)
{
    if (style != NULL) buf_append_text(out, style);
    buf_append(out, text, size);
    if (style != NULL) buf_append_text(out, PLAIN);
}

/* A line, and carets below it, behind `before` columns. */
struct excerpt {
    struct str line;
    uint32_t before, carets;
    bool is_cut, is_cut_behind;
};

/* The columns that fit, most of them behind the caret. */
static void clip(struct excerpt *x, uint32_t columns)
{
    uint32_t width = width_of(x->line), dots = columns >= WIDE_ENOUGH ? DOTS : 0, room = columns - 2 * dots;

    if (MAX(width, x->before + x->carets) <= columns) return;
    uint32_t from = x->before - MIN(x->before, room / 3);
    if (width <= columns) from = 0;
    else if (from + room > width) from = width - room;
    if (from <= dots) from = 0;
    size_t skipped = width_prefix(x->line, from);
    x->is_cut = skipped > 0 && dots > 0;
    x->before -= width_of((struct str){x->line.data, skipped}); /* not all of `from` where half of a wide letter would be left */
    x->line = (struct str){x->line.data + skipped, x->line.size - skipped};
    size_t shown = width_prefix(x->line, columns - (x->is_cut ? dots : 0));
    if (shown < x->line.size) shown = width_prefix(x->line, columns - (x->is_cut ? dots : 0) - dots);
    x->is_cut_behind = shown < x->line.size && dots > 0;
    x->line.size = shown;
    if (x->is_cut) x->before += dots;
    x->carets = MIN(x->carets, columns > x->before ? columns - x->before : 1);
}

static void print_excerpt(const char *text, bool color, uint32_t columns, struct buf *out)
{
    const char *end = strchr(text, '\n'), *caret = strchr(end != NULL ? end : text, '^');
    struct excerpt x = {0};

    if (end == NULL || caret == NULL) return;
    x = (struct excerpt){.line = {text, (size_t)(end - text)}, .before = (uint32_t)(caret - end - 1), .carets = (uint32_t)strlen(caret)};
    if (columns > 0) clip(&x, columns);
    buf_append_text(out, x.is_cut ? "..." : "");
    buf_append(out, x.line.data, x.line.size);
    buf_append_text(out, x.is_cut_behind ? "...\n" : "\n");
    for (uint32_t i = 0; i < x.before; i++) buf_append_byte(out, ' ');
    append(out, color ? RED : NULL, caret, x.carets);
    buf_append_byte(out, '\n');
}

static void print_one(const char *name, const struct err *e, bool color, uint32_t columns, struct buf *out)
{
    const char *head = name != NULL ? name : e->text;
    size_t size = name != NULL ? strlen(name) : strcspn(e->text, ":");

    append(out, color ? BOLD : NULL, head, size);
    if (name != NULL) buf_append_text(out, ": ");
    buf_append_text(out, name != NULL ? e->text : e->text + size);
    if (e->hint[0] != '\0') {
        buf_append_text(out, "; ");
        append(out, color ? DIM : NULL, e->hint, strlen(e->hint));
    }
    buf_append_byte(out, '\n');
    print_excerpt(e->excerpt, color, columns, out);
}

void api_print_error(const char *name, const struct err *e, bool color, uint32_t columns, struct buf *out)
{
    print_one(name, e, color, columns, out);
    for (uint32_t i = 0; e->more != NULL && i < e->more->count; i++) print_one(name, &e->more->items[i], color, columns, out);
}

uint32_t api_error_columns(struct sys *sys, int fd)
{
    return sys_is_terminal(sys, fd) ? (uint32_t)MAX(sys_terminal_columns(sys, fd), 1) : 0;
}

void api_say_error(struct sys *sys, const char *name, const struct err *e)
{
    struct sys_file *f;
    struct mem mem;
    struct buf text;

    if (sys_file_standard(sys, 2, &f, NULL) != S_OK) return;
    mem_init(&mem, "error", 0);
    buf_init(&text, &mem);
    api_print_error(name, e, sys_has_color(sys, 2), api_error_columns(sys, 2), &text);
    enum status st = sys_file_write(sys, f, text.data, text.size, NULL);
    (void)st; /* nobody is left to be told */
    sys_file_close(sys, f);
    buf_release(&text);
    mem_release(&mem);
}

void api_say_line(void *arg, const char *line)
{
    struct tw_env *env = arg;
    struct sys_file *f;
    struct buf text;

    if (env->is_quiet || sys_file_standard(env->sys, 2, &f, NULL) != S_OK) return;
    buf_init(&text, &env->mem);
    buf_printf(&text, "%s\n", line);
    enum status st = sys_file_write(env->sys, f, text.data, text.size, NULL);
    (void)st; /* nobody is left to be told */
    buf_release(&text);
    sys_file_close(env->sys, f);
}
