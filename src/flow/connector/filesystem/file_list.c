/* file_list.c - listing, filtering, and remembering which files were handed out.
 *
 * Patterns are written in Java's syntax, as users of Flink know it: its classes \d \s \w and groups (?:..) are turned into
 * POSIX extended ones; what has no counterpart (lookahead, lazy quantifiers, back references) is refused. */
#include "flow/connector/filesystem/file_list.h"

#include "ground/base/buf.h"
#include "ground/base/str.h"

#include <string.h>

enum { PATTERN_MAX = 4096 };

static const char *class_of(char c, bool in_brackets)
{
    switch (c) {
    case 'd': return in_brackets ? "0-9" : "[0-9]";
    case 'w': return in_brackets ? "a-zA-Z0-9_" : "[a-zA-Z0-9_]";
    case 's': return in_brackets ? " \t\n\r\f\v" : "[ \t\n\r\f\v]";
    case 'D': return in_brackets ? NULL : "[^0-9]";
    case 'W': return in_brackets ? NULL : "[^a-zA-Z0-9_]";
    case 'S': return in_brackets ? NULL : "[^ \t\n\r\f\v]";
    default: return NULL;
    }
}

static enum status refused(const char *pattern, const char *what, struct err *e)
{
    err_set(e, E_CONFIG, "option 'source.path.regex-pattern': %s in '%s' is not supported", what, pattern);
    err_hint(e, "literals, . * + ? {n,m} [..] (..) (?:..) | and \\d \\w \\s can be used");
    return E_CONFIG;
}

/* One escaped character; *p stands on it. */
static enum status escape_translate(const char *pattern, char c, bool in_brackets, struct buf *out, struct err *e)
{
    const char *class = class_of(c, in_brackets);

    if (class != NULL) {
        buf_append_text(out, class);
    } else if (c == '\0' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return refused(pattern, "an escape", e);
    } else if (in_brackets) {
        buf_append_byte(out, c);
    } else {
        buf_append_byte(out, '\\');
        buf_append_byte(out, c);
    }
    return S_OK;
}

static enum status pattern_translate(const char *pattern, struct buf *out, struct err *e)
{
    bool in_brackets = false;
    char previous = '\0';

    buf_append_text(out, "^(");
    for (const char *p = pattern; *p != '\0'; previous = *p, p++) {
        if (*p == '\\') {
            TRY(escape_translate(pattern, *++p, in_brackets, out, e));
            continue;
        }
        if (!in_brackets && p[0] == '(' && p[1] == '?') {
            if (p[2] != ':') return refused(pattern, "a group (?..)", e);
            buf_append_byte(out, '(');
            p += 2;
            continue;
        }
        if (!in_brackets && (*p == '?' || *p == '+') &&
            (previous == '*' || previous == '+' || previous == '?' || previous == '}'))
            return refused(pattern, "a lazy or possessive quantifier", e);
        if (*p == '[') in_brackets = true;
        if (*p == ']') in_brackets = false;
        buf_append_byte(out, *p);
    }
    buf_append_text(out, ")$");
    return S_OK;
}

static enum status pattern_compile(const char *pattern, struct mem *mem, regex_t *out, struct err *e)
{
    struct buf text;
    char reason[200];

    if (strlen(pattern) > PATTERN_MAX)
        return err_set(e, E_CONFIG, "option 'source.path.regex-pattern' is longer than %d bytes", PATTERN_MAX);
    buf_init(&text, mem);
    enum status st = pattern_translate(pattern, &text, e);
    int failed = st == S_OK ? regcomp(out, buf_text(&text), REG_EXTENDED | REG_NOSUB) : 0;
    if (failed != 0) {
        regerror(failed, out, reason, sizeof reason);
        st = err_set(e, E_CONFIG, "option 'source.path.regex-pattern': '%s' cannot be read: %s", pattern, reason);
    }
    buf_release(&text);
    return st;
}

enum status file_pattern_check(const char *pattern, struct err *e)
{
    struct mem mem;
    regex_t compiled;

    mem_init(&mem, "pattern", 0);
    enum status st = pattern_compile(pattern, &mem, &compiled, e);
    if (st == S_OK) regfree(&compiled);
    mem_release(&mem);
    return st;
}

enum status file_list_open(struct file_list *l, struct sys *sys, struct mem *mem, const char *uri, const char *pattern,
                           struct err *e)
{
    l->sys = sys;
    l->uri = uri;
    arena_init(&l->arena, mem, 0);
    map_init(&l->seen, mem);
    if (pattern == NULL) return S_OK;
    TRY(pattern_compile(pattern, mem, &l->pattern, e));
    l->has_pattern = true;
    return S_OK;
}

void file_list_close(struct file_list *l)
{
    if (l->uri == NULL) return;
    if (l->has_pattern) regfree(&l->pattern);
    map_release(&l->seen);
    arena_release(&l->arena);
    l->uri = NULL;
}

enum status file_list_update(struct file_list *l, struct fs_list *fresh, struct err *e)
{
    uint32_t count = 0;

    arena_reset(&l->arena);
    TRY(fs_glob(l->sys, l->uri, true, &l->arena, &l->listing, e));
    for (uint32_t i = 0; i < l->listing.count; i++) {
        struct fs_entry *entry = &l->listing.entries[i];
        struct str path = str_of(entry->path);
        if (map_get(&l->seen, path) != NULL) continue;
        if (l->has_pattern && regexec(&l->pattern, entry->path, 0, NULL, 0) != 0) continue;
        map_set(&l->seen, path, l);
        l->listing.entries[count++] = *entry;
    }
    *fresh = (struct fs_list){l->listing.entries, count};
    return S_OK;
}
