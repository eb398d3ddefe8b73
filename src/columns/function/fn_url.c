/* fn_url.c - URL_ENCODE, URL_DECODE and PARSE_URL, as Java's URLEncoder, URLDecoder and java.net.URL see it.
 *
 * What is no URL has no parts: NULL. Protocols are those that a Java without extras knows. Nothing is resolved or normalised. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

static bool is_letter(char c) { return (unsigned char)((c | 0x20) - 'a') < 26; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* --- percent signs ------------------------------------------------------------------------------------------------ */
static void url_encode(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    static const char hex[] = "0123456789ABCDEF";

    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *bytes = fn_room(r, i, s.size * 3), *to = bytes;
        if (bytes == NULL) continue;
        for (size_t k = 0; k < s.size; k++) {
            char c = s.data[k];
            if (is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '*' || c == '_')
                *to++ = c;
            else if (c == ' ')
                *to++ = '+';
            else
                to = bytes_add(to, (struct str){(char[]){'%', hex[(unsigned char)c >> 4], hex[c & 15]}, 3});
        }
        fn_keep(out, i, bytes, (size_t)(to - bytes));
    }
}

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The byte behind a percent sign; a plus may stand for the first digit. -1: none. */
static int escaped_byte(struct str s, size_t at)
{
    if (at + 3 > s.size) return -1;
    int high = s.data[at + 1] == '+' ? 0 : hex_digit(s.data[at + 1]), low = hex_digit(s.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Answers the size, or SIZE_MAX when a percent sign has no two digits. */
static size_t unescape(struct str s, char *to)
{
    size_t n = 0;

    for (size_t k = 0; k < s.size; k++) {
        int byte = s.data[k] == '%' ? escaped_byte(s, k) : 0;
        if (byte < 0) return SIZE_MAX;
        to[n++] = s.data[k] == '%' ? (char)byte : s.data[k] == '+' ? ' ' : s.data[k];
        if (s.data[k] == '%') k += 2;
    }
    return n;
}

static void url_decode(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    FN_EACH_VALID(r, args, 1, i)
    {
        struct str s = fn_str(args[0], i);
        char *bytes = fn_room(r, i, s.size);
        if (bytes == NULL) continue;
        size_t size = unescape(s, bytes);
        if (size == SIZE_MAX)
            vector_set_null(out, i);
        else
            fn_put_repaired(r, out, i, (struct str){bytes, size});
    }
}

/* --- java.net.URL ------------------------------------------------------------------------------------------------- */
enum part {
    PART_HOST,
    PART_PATH,
    PART_QUERY,
    PART_REF,
    PART_PROTOCOL,
    PART_FILE,
    PART_AUTHORITY,
    PART_USERINFO,
    PART_COUNT
};

/* Parts that are not there have no data; an empty one has. */
struct url {
    struct str parts[PART_COUNT];
};

static size_t find_byte(struct str s, size_t from, char c)
{
    const char *at = from < s.size ? memchr(s.data + from, c, s.size - from) : NULL;
    return at != NULL ? (size_t)(at - s.data) : SIZE_MAX;
}

static const char *known_protocol(struct str name)
{
    static const char *const known[] = {"http", "https", "file", "ftp", "jar", "mailto", "jrt", "jmod"};

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_equal_nocase(name, str_of(known[i]))) return known[i];
    return NULL;
}

/* Java's Integer.parseInt, and no less than -1, which means none. */
static bool is_port(struct str s)
{
    int64_t port;
    return s.size == 0 || (str_to_int64(s, &port) && port >= -1 && port <= INT32_MAX);
}

/* [::1] or [::1]:80: hexadecimal digits, colons, points, and a zone behind '%'. */
static bool read_bracketed(struct str host, struct str *out)
{
    size_t end = find_byte(host, 0, ']');
    uint32_t colons = 0;

    if (end == SIZE_MAX || end <= 2) return false;
    for (size_t i = 1; i < end && host.data[i] != '%'; i++) {
        if (hex_digit(host.data[i]) < 0 && host.data[i] != ':' && host.data[i] != '.') return false;
        colons += host.data[i] == ':';
    }
    *out = str_part(host, 0, end + 1);
    if (colons < 2 || colons > 8) return false;
    return end + 1 == host.size || (host.data[end + 1] == ':' && is_port(str_part(host, end + 2, host.size)));
}

/* user@host:port; two at signs leave neither user nor host. */
static bool read_authority(struct str authority, struct url *u)
{
    size_t sign = find_byte(authority, 0, '@');
    struct str host = authority;

    u->parts[PART_AUTHORITY] = authority;
    if (sign != SIZE_MAX && find_byte(authority, sign + 1, '@') != SIZE_MAX) return true;
    if (sign != SIZE_MAX) {
        u->parts[PART_USERINFO] = str_part(authority, 0, sign);
        host = str_part(authority, sign + 1, authority.size);
    }
    if (host.size > 0 && host.data[0] == '[') return read_bracketed(host, &u->parts[PART_HOST]);
    size_t colon = find_byte(host, 0, ':');
    u->parts[PART_HOST] = colon == SIZE_MAX ? host : str_part(host, 0, colon);
    return colon == SIZE_MAX || is_port(str_part(host, colon + 1, host.size));
}

/* What stands behind "protocol:", without "#ref". */
static bool read_file(struct str rest, struct url *u)
{
    size_t question = find_byte(rest, 0, '?'), end = MIN(question, rest.size), start = 0;

    if (question != SIZE_MAX) u->parts[PART_QUERY] = str_part(rest, question + 1, rest.size);
    bool four = end >= 4 && memcmp(rest.data, "////", 4) == 0;
    if (!four && end >= 2 && rest.data[0] == '/' && rest.data[1] == '/') {
        size_t slash = find_byte(str_part(rest, 0, end), 2, '/');
        start = MIN(slash, end);
        if (!read_authority(str_part(rest, 2, start), u)) return false;
    }
    u->parts[PART_PATH] = str_part(rest, start, end);
    u->parts[PART_FILE] = str_part(rest, start, rest.size);
    return true;
}

/* "url:" in front and blanks around do not count. */
static struct str spec_of(struct str s)
{
    while (s.size > 0 && (unsigned char)s.data[s.size - 1] <= ' ') s.size--;
    while (s.size > 0 && (unsigned char)s.data[0] <= ' ') s = str_part(s, 1, s.size);
    if (s.size >= 4 && str_equal_nocase(str_part(s, 0, 4), STR("url:"))) s = str_part(s, 4, s.size);
    return s;
}

static bool read_url(struct str s, struct url *u)
{
    *u = (struct url){0};
    s = spec_of(s);
    size_t colon = find_byte(s, 0, ':');
    const char *protocol = colon != SIZE_MAX ? known_protocol(str_part(s, 0, colon)) : NULL;
    if (protocol == NULL) return false;
    u->parts[PART_PROTOCOL] = str_of(protocol);
    u->parts[PART_HOST] = STR("");
    struct str rest = str_part(s, colon + 1, s.size);
    size_t hash = find_byte(rest, 0, '#');
    if (hash != SIZE_MAX) {
        u->parts[PART_REF] = str_part(rest, hash + 1, rest.size);
        rest.size = hash;
    }
    if (protocol[0] == 'm' && rest.size == 0) return false; /* mailto: nobody */
    if (str_equal(u->parts[PART_PROTOCOL], STR("jar")) && memmem(rest.data, rest.size, "!/", 2) == NULL) return false;
    return read_file(rest, u);
}

static enum part part_of(struct str name)
{
    static const char *const names[PART_COUNT] = {"HOST",     "PATH", "QUERY",     "REF",
                                                  "PROTOCOL", "FILE", "AUTHORITY", "USERINFO"};
    enum part p = 0;

    while (p < PART_COUNT && !str_equal(name, str_of(names[p]))) p++;
    return p;
}

/* The value of the first `key=value` of a query. */
static struct str query_value(struct str query, struct str key)
{
    for (size_t at = 0; at <= query.size;) {
        size_t end = MIN(find_byte(query, at, '&'), query.size);
        struct str pair = str_part(query, at, end);
        if (pair.size > key.size && str_starts(pair, key) && pair.data[key.size] == '=')
            return str_part(pair, key.size + 1, pair.size);
        at = end + 1;
    }
    return (struct str){0};
}

static void parse_url(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    uint32_t n = r->call->count;
    struct url u;

    FN_EACH_VALID(r, args, n, i)
    {
        enum part p = part_of(fn_str(args[1], i));
        struct str found = {0};
        if (p < PART_COUNT && (n == 2 || p == PART_QUERY) && read_url(fn_str(args[0], i), &u)) found = u.parts[p];
        if (n > 2 && found.data != NULL) found = query_value(found, fn_str(args[2], i));
        if (found.data != NULL)
            fn_put(r, out, i, found);
        else
            vector_set_null(out, i);
    }
}

static const struct fn_def functions[] = {
    {.name = "URL_ENCODE",
     .doc = "as a part of a URL's query: what is not plain becomes %XX",
     .examples = FN_EXAMPLES({"URL_ENCODE('a b/c')", "a+b%2Fc"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", url_encode})},
    {.name = "URL_DECODE",
     .doc = "the text behind a URL's %XX; NULL when a percent sign has no two digits",
     .examples = FN_EXAMPLES({"URL_DECODE('a+b%2Fc')", "a b/c"}),
     .flags = FN_MAY_FAIL | FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING -> STRING", url_decode})},
    {.name = "PARSE_URL",
     .doc =
         "a part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO; of a QUERY the value of a key",
     .examples = FN_EXAMPLES({"PARSE_URL('http://flink.apache.org/path?query=1', 'HOST')", "flink.apache.org"},
                             {"PARSE_URL('http://a/p?k1=v1&k2=v2', 'QUERY', 'k2')", "v2"}),
     .flags = FN_MAY_BE_NULL,
     .overloads = FN_OVERLOADS({"STRING, STRING -> STRING", parse_url},
                               {"STRING, STRING, STRING -> STRING", parse_url})},
    {0},
};

const struct fn_type fn_url = {
    .name = "url", .doc = "texts of URLs", .example = "URL_ENCODE('a b')", .functions = functions};
