/* answer.c - see the header. What a text is was checked once by the grammar of the json format; from then on values are found by
 * counting brackets outside of strings. */
#include "surface/gateway/answer.h"

#include "flow/format/json.h"
#include "ground/base/str.h"

#include <string.h>

enum { QUOTED_AT_MOST = 64 };

static void reader_init(struct json_reader *rd, struct format_report *report, struct str text, struct mem *mem)
{
    report_init(report, &(struct format_config){.mem = mem});
    *rd = (struct json_reader){.report = report, .mem = mem, .record = text.data, .end = text.data + text.size};
}

enum status answer_check(struct str text, struct mem *mem, struct err *e)
{
    struct format_report report;
    struct json_reader rd;
    enum status st = S_OK;

    reader_init(&rd, &report, text, mem);
    const char *p = json_value_skip(&rd, text.data);
    if (p != NULL && json_space_skip(p, rd.end) != rd.end) p = json_unexpected(&rd, p, "the end");
    if (p == NULL) {
        buf_append_text(&report.reason, "; it begins with ");
        report_quote(&report.reason, (struct str){text.data, MIN(text.size, (size_t)QUOTED_AT_MOST)});
        st = err_set(e, E_DATA, "the answer is no JSON: %s", buf_text(&report.reason));
    }
    report_release(&report);
    return st;
}

/* --- finding values ---------------------------------------------------------------------------------------------- */
static size_t spaces_end(struct str s, size_t at)
{
    while (at < s.size && (s.data[at] == ' ' || s.data[at] == '\t' || s.data[at] == '\n' || s.data[at] == '\r')) at++;
    return at;
}

/* Behind the string whose opening quote stands at `at`. */
static size_t string_end(struct str s, size_t at)
{
    for (at++; at < s.size && s.data[at] != '"'; at++)
        if (s.data[at] == '\\') at++;
    return at + 1;
}

/* Behind the value that begins at `at`: at the comma or bracket outside of it. */
static size_t value_end(struct str s, size_t at)
{
    uint32_t depth = 0;

    while (at < s.size) {
        char c = s.data[at];
        if (depth == 0 && (c == ',' || c == ']' || c == '}')) break;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at = c == '"' ? string_end(s, at) : at + 1;
    }
    return at;
}

static struct str value_at(struct str s, size_t from, size_t *end)
{
    *end = value_end(s, from);
    ASSERT(*end <= s.size);
    return str_trim((struct str){s.data + from, *end - from});
}

bool answer_next(struct str array, size_t *at, struct str *item)
{
    if (array.size == 0 || array.data[0] != '[') return false;
    *at = spaces_end(array, *at + 1); /* the bracket, or the comma behind the item before */
    if (*at >= array.size || array.data[*at] == ']') return false;
    *item = value_at(array, *at, at);
    return true;
}

bool answer_next_member(struct str object, size_t *at, struct str *key, struct str *value)
{
    if (object.size == 0 || object.data[0] != '{') return false;
    *at = spaces_end(object, *at + 1);
    if (*at >= object.size || object.data[*at] != '"') return false;
    size_t end = string_end(object, *at);
    *key = (struct str){object.data + *at + 1, end - *at - 2};
    end = spaces_end(object, end);
    ASSERT(end < object.size && object.data[end] == ':');
    *value = value_at(object, end + 1, at);
    return true;
}

struct str answer_member(struct str object, const char *key)
{
    struct str name, value, none = {0};
    size_t at = 0;

    while (answer_next_member(object, &at, &name, &value))
        if (str_equal(name, str_of(key))) return value;
    return none;
}

/* --- what values mean -------------------------------------------------------------------------------------------- */
bool answer_is(struct str value, const char *literal) { return str_equal(value, str_of(literal)); }

int64_t answer_int(struct str value, int64_t fallback)
{
    int64_t number;
    return str_to_int64(value, &number) ? number : fallback;
}

const char *answer_text(struct str value, struct arena *a)
{
    struct format_report report;
    struct json_reader rd;
    struct json_string s = {.has_escapes = true};
    struct mem mem;
    size_t size = 0;

    if (value.size < 2 || value.data[0] != '"') return NULL;
    s.raw = (struct str){value.data + 1, value.size - 2};
    char *out = arena_alloc(a, value.size);
    mem_init(&mem, "answer", 0);
    reader_init(&rd, &report, value, &mem);
    if (!json_unescape(&rd, &s, out, &size)) size = 0; /* half of a surrogate pair */
    out[size] = '\0';
    report_release(&report);
    mem_release(&mem);
    return out;
}

void answer_quote(struct str text, struct buf *out)
{
    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else {
            if (c == '"' || c == '\\') buf_append_byte(out, '\\');
            buf_append_byte(out, (char)c);
        }
    }
    buf_append_byte(out, '"');
}
