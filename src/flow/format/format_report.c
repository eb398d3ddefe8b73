/* format_report.c - bad records, told the same way by every format.
 *
 * A reason is one sentence that does not mention the position; the position is put before it when it becomes an error,
 * and goes beside it when it becomes a dead letter. All of this is the cold path: nothing here runs for good records. */
#include "flow/format/format_report.h"

#include "ground/base/width.h"

#include <string.h>

enum { SHOWN_BEFORE = 48, SHOWN_BEHIND = 40 }; /* bytes of the line around a mistake: with dots it fits a terminal's 100 */

void report_init(struct format_report *r, const struct format_config *config)
{
    ASSERT(config->on_error != ON_ERROR_DEAD_LETTER || config->dead_letter);
    *r = (struct format_report){
        .on_error = config->on_error,
        .dead_letter = config->dead_letter,
        .dead_letter_arg = config->dead_letter_arg,
        .bad_records = config->bad_records,
        .name = config->name,
    };
    buf_init(&r->reason, config->mem);
}

void report_release(struct format_report *r) { buf_release(&r->reason); }

struct buf *report_begin(struct format_report *r)
{
    buf_clear(&r->reason);
    return &r->reason;
}

void report_type(struct buf *out, const struct type *t)
{
    static const char suffix[] = " NOT NULL";
    size_t length = sizeof suffix - 1;

    type_print(t, out);
    if (!t->nullable && out->size > length && memcmp(out->data + out->size - length, suffix, length) == 0)
        out->size -= length;
}

struct buf *report_begin_column(struct format_report *r, struct str path, const struct type *t)
{
    struct buf *out = report_begin(r);

    buf_append_text(out, "column ");
    report_quote(out, path);
    buf_append_text(out, " (");
    report_type(out, t);
    buf_append_text(out, "): ");
    return out;
}

/* Bytes of the valid UTF-8 character at s, or 0: control characters count as invalid, they would not print. */
static size_t printable_size(const unsigned char *s, size_t size)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (n == 0 || n > size || s[0] < 0x20 || s[0] == 0x7f) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

void report_quote(struct buf *out, struct str text)
{
    size_t at = 0, n;

    buf_append_byte(out, '\'');
    while (at < text.size && at < REPORT_TEXT_MAX) {
        const unsigned char *s = (const unsigned char *)text.data + at;
        n = printable_size(s, text.size - at);
        if (*s == '\t') buf_append_text(out, "\\t");
        else if (*s == '\n') buf_append_text(out, "\\n");
        else if (*s == '\r') buf_append_text(out, "\\r");
        else if (n == 0) buf_printf(out, "\\x%02x", *s);
        else buf_append(out, s, n);
        at += n ? n : 1;
    }
    if (at < text.size) buf_append_text(out, "...");
    buf_append_byte(out, '\'');
}

struct format_position report_place(const struct format_report *r, const char *record, const char *at, uint64_t line,
                                    uint64_t offset)
{
    const char *line_start = record;

    ASSERT(at >= record);
    for (const char *p = record; p < at && !r->is_message; p++) {
        if (*p != '\n') continue;
        line_start = p + 1;
        line += line > 0;
    }
    return (struct format_position){
        .name = r->name,
        .line = line,
        .column = (uint64_t)(at - line_start) + 1,
        .offset = offset + (uint64_t)(line_start - record),
    };
}

/* Appends text as it can be shown on one line: a blank for a tab, ? for what does not print. Answers the columns. */
static size_t show(struct buf *out, const char *text, size_t size)
{
    size_t columns = 0, n;

    for (size_t i = 0; i < size; i += MAX(n, 1)) {
        n = printable_size((const unsigned char *)text + i, size - i);
        if (n > 0) buf_append(out, text + i, n);
        else buf_append_byte(out, text[i] == '\t' ? ' ' : '?');
        columns += n > 0 ? width_of((struct str){text + i, n}) : 1;
    }
    return columns;
}

static bool is_inside_character(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* The line around the mark, and a caret below it. */
static void excerpt_make(struct str raw, const char *mark, struct buf *out)
{
    const char *raw_end = raw.data + raw.size, *from = mark, *end = mark;

    ASSERT(mark >= raw.data);
    if (mark > raw_end) from = end = mark = raw_end;
    while (from > raw.data && from[-1] != '\n' && mark - from < SHOWN_BEFORE) from--;
    while (from < mark && from > raw.data && is_inside_character(*from)) from++;
    bool is_cut = from > raw.data && from[-1] != '\n';
    while (end < raw_end && *end != '\n' && end - mark < SHOWN_BEHIND) end++;
    while (end > mark + 1 && end < raw_end && is_inside_character(*end)) end--;
    bool is_cut_behind = end < raw_end && *end != '\n';
    if (!is_cut_behind && end > mark && end[-1] == '\r') end--;
    buf_append_text(out, is_cut ? "  ..." : "  ");
    size_t columns = (is_cut ? 5 : 2) + show(out, from, (size_t)(mark - from));
    show(out, mark, (size_t)(end - mark));
    buf_append_text(out, is_cut_behind ? "...\n" : "\n");
    buf_printf(out, "%*s^", (int)columns, "");
}

enum status report_record(struct format_report *r, const struct format_position *at, struct str raw, const char *mark,
                          const char *hint, struct err *e)
{
    struct buf where;

    ASSERT(r->reason.size > 0 && at->column > 0);
    if (r->on_error == ON_ERROR_FAIL) {
        buf_init(&where, r->reason.mem);
        format_position_print(at, &where);
        err_set(e, E_DATA, "%s: %s", buf_text(&where), buf_text(&r->reason));
        if (hint) err_hint(e, "%s", hint);
        buf_clear(&where);
        excerpt_make(raw, mark, &where);
        err_excerpt(e, buf_text(&where));
        buf_release(&where);
        return E_DATA;
    }
    if (r->bad_records) ++*r->bad_records;
    if (r->on_error == ON_ERROR_DEAD_LETTER) r->dead_letter(r->dead_letter_arg, at, buf_text(&r->reason), raw);
    return S_OK;
}

void format_vector_forget(struct vector *v, uint32_t first, uint32_t n)
{
    for (uint32_t i = 0; v->validity && i < n; i++) bit_set(v->validity, first + i);
    if (v->phys != P_ROW) return;
    for (uint32_t i = 0; i < v->child_count; i++) format_vector_forget(&v->children[i], first, n);
}

void format_rows_forget(struct batch *b, uint32_t first, uint32_t n)
{
    ASSERT(first + n <= b->capacity);
    for (uint32_t i = 0; i < b->col_count; i++)
        if (b->cols[i].form != VEC_ABSENT) format_vector_forget(&b->cols[i], first, n);
}

size_t format_heap_max(const struct type *schema)
{
    size_t width = 0, slack = 32 * 1024; /* what one step of a decoder may add */

    for (uint32_t i = 0; i < schema->child_count; i++) width += phys_width((enum phys)schema->children[i]->phys);
    width *= BATCH_ROWS;
    return width < BATCH_BYTES / 2 ? BATCH_BYTES - width - slack : BATCH_BYTES / 2;
}
