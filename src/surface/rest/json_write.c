/* json_write.c - see the header. Text that is not UTF-8 (a name of a file, a message of the system) is cut where it stops being that:
 * what goes out is always JSON. */
#include "surface/rest/json_write.h"

#include "ground/base/str.h"

#include <math.h>
#include <string.h>

static void print_text(struct json_write *w, const char *text)
{
    size_t size = str_utf8_prefix(str_of(text));

    buf_append_byte(w->out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            buf_append_text(w->out, "\\n");
        else if (c == '\t')
            buf_append_text(w->out, "\\t");
        else if (c < 0x20)
            buf_printf(w->out, "\\u%04x", c);
        else {
            if (c == '"' || c == '\\') buf_append_byte(w->out, '\\');
            buf_append_byte(w->out, (char)c);
        }
    }
    buf_append_byte(w->out, '"');
}

static void begin(struct json_write *w, const char *key)
{
    if (w->has_before) buf_append_byte(w->out, ',');
    w->has_before = true;
    if (key == NULL) return;
    print_text(w, key);
    buf_append_byte(w->out, ':');
}

static void open_with(struct json_write *w, const char *key, char bracket)
{
    begin(w, key);
    buf_append_byte(w->out, bracket);
    w->has_before = false;
}

static void close_with(struct json_write *w, char bracket)
{
    buf_append_byte(w->out, bracket);
    w->has_before = true;
}

void json_object(struct json_write *w, const char *key) { open_with(w, key, '{'); }
void json_object_end(struct json_write *w) { close_with(w, '}'); }
void json_array(struct json_write *w, const char *key) { open_with(w, key, '['); }
void json_array_end(struct json_write *w) { close_with(w, ']'); }

void json_text(struct json_write *w, const char *key, const char *text)
{
    begin(w, key);
    if (text != NULL)
        print_text(w, text);
    else
        buf_append_text(w->out, "null");
}

void json_int(struct json_write *w, const char *key, int64_t value)
{
    begin(w, key);
    buf_printf(w->out, "%lld", (long long)value);
}

void json_double(struct json_write *w, const char *key, double value)
{
    char digits[32];

    begin(w, key);
    if (isfinite(value))
        buf_append(w->out, digits, str_from_double(value, digits));
    else
        buf_append_text(w->out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

void json_bool(struct json_write *w, const char *key, bool value)
{
    begin(w, key);
    buf_append_text(w->out, value ? "true" : "false");
}

void json_null(struct json_write *w, const char *key) { json_text(w, key, NULL); }

void json_raw(struct json_write *w, const char *key, struct str json)
{
    begin(w, key);
    buf_append(w->out, json.data, json.size);
}
