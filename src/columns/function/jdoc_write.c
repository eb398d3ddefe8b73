/* jdoc_write.c - JSON nodes to text, as Jackson writes what Flink hands it: keys in order, each once, no blanks; whole numbers as
 * they are, others as java.math.BigDecimal prints them. */
#include "columns/function/jdoc.h"

#include "ground/base/sort.h"

#include <string.h>

void jtext_write(struct str text, struct buf *out)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";

    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        const char *found = c != '\0' ? strchr(from, c) : NULL;
        if (found != NULL) {
            buf_append_byte(out, '\\');
            buf_append_byte(out, to[found - from]);
        } else if ((unsigned char)c < 0x20) {
            buf_printf(out, "\\u%04X", (unsigned)c);
        } else {
            buf_append_byte(out, c);
        }
    }
    buf_append_byte(out, '"');
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */
/* digits * 10^-scale as BigDecimal.toString: plain unless the scale is negative or the number is very small. */
static void decimal_write(struct str digits, bool negative, int64_t scale, struct buf *out)
{
    int64_t adjusted = (int64_t)digits.size - 1 - scale;

    if (negative) buf_append_byte(out, '-');
    if (scale >= 0 && adjusted >= -6) {
        size_t whole = (int64_t)digits.size > scale ? digits.size - (size_t)scale : 0;
        if (whole == 0) buf_append_text(out, "0");
        buf_append(out, digits.data, whole);
        if (scale == 0) return;
        buf_append_byte(out, '.');
        for (int64_t i = (int64_t)digits.size; i < scale; i++) buf_append_byte(out, '0');
        buf_append(out, digits.data + whole, digits.size - whole);
        return;
    }
    buf_append(out, digits.data, 1);
    if (digits.size > 1) buf_append_byte(out, '.');
    buf_append(out, digits.data + 1, digits.size - 1);
    if (adjusted != 0) buf_printf(out, "E%+lld", (long long)adjusted);
}

static int64_t read_exponent(struct str s)
{
    bool negative = s.data[0] == '-';
    int64_t value;

    if (negative || s.data[0] == '+') s = (struct str){s.data + 1, s.size - 1};
    if (!str_to_int64(s, &value) || value > INT32_MAX) value = INT32_MAX; /* more than Java has */
    return negative ? -value : value;
}

static void real_write(struct str s, struct buf *digits, struct buf *out)
{
    int64_t scale = 0;
    bool negative = s.data[0] == '-', behind = false;
    size_t i = negative;

    buf_clear(digits);
    for (; i < s.size && s.data[i] != 'e' && s.data[i] != 'E'; i++) {
        bool point = s.data[i] == '.';
        behind |= point;
        scale += behind && !point;
        if (!point && (digits->size > 0 || s.data[i] != '0')) buf_append_byte(digits, s.data[i]);
    }
    bool zero = digits->size == 0;
    if (zero) buf_append_byte(digits, '0');
    if (i < s.size) scale -= read_exponent((struct str){s.data + i + 1, s.size - i - 1});
    decimal_write((struct str){digits->data, digits->size}, negative && !zero, scale, out);
}

void jdoc_write_plain(struct jdoc *d, uint32_t node, struct buf *out)
{
    const struct jnode *n = &d->nodes[node];

    switch ((enum jkind)n->kind) {
    case J_NULL: buf_append_text(out, "null"); break;
    case J_FALSE: buf_append_text(out, "false"); break;
    case J_TRUE: buf_append_text(out, "true"); break;
    case J_INT:
        str_equal(n->text, STR("-0")) ? buf_append_byte(out, '0') : buf_append(out, n->text.data, n->text.size);
        break;
    case J_REAL: real_write(n->text, &d->digits, out); break;
    case J_STRING: buf_append(out, n->text.data, n->text.size); break;
    default: break;
    }
}

/* --- nested values ----------------------------------------------------------------------------------------------- */
static bool key_less(void *doc, uint32_t a, uint32_t b)
{
    const struct jdoc *d = doc;
    return str_compare(d->nodes[a].key, d->nodes[b].key) < 0;
}

/* Room for n places and as many of work space, behind those in use. */
static uint32_t *order_take(struct jdoc *d, uint32_t n)
{
    uint64_t need = (uint64_t)d->order_used + 2 * (uint64_t)n;

    ASSERT(need <= UINT32_MAX / 4);
    if (need > d->order_capacity) {
        d->order_capacity = (uint32_t)MAX(need, 2 * (uint64_t)d->order_capacity);
        d->order = mem_realloc(d->mem, d->order, sizeof *d->order * d->order_capacity);
    }
    return d->order + d->order_used;
}

uint32_t *jdoc_order(struct jdoc *d, uint32_t object, uint32_t *count)
{
    uint32_t n = 0, k = 0;

    JDOC_EACH(d, object, child) n++;
    uint32_t *order = order_take(d, n);
    JDOC_EACH(d, object, child) order[k++] = child;
    sort_stable(order, order + n, n, key_less, d);
    *count = n;
    return order;
}

void jdoc_hide(struct jdoc *d, uint32_t object)
{
    uint32_t n;
    const uint32_t *order = jdoc_order(d, object, &n);

    for (uint32_t i = 0; i + 1 < n; i++)
        d->nodes[order[i]].hidden = str_equal(d->nodes[order[i]].key, d->nodes[order[i + 1]].key);
}

static void object_write(struct jdoc *d, uint32_t node, struct buf *out)
{
    uint32_t n, first = d->order_used, written = 0;

    jdoc_hide(d, node);
    jdoc_order(d, node, &n);
    d->order_used = first + n;
    buf_append_byte(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        uint32_t child = d->order[first + i]; /* the space may have moved */
        if (d->nodes[child].hidden) continue;
        if (written++ > 0) buf_append_byte(out, ',');
        jtext_write(d->nodes[child].key, out);
        buf_append_byte(out, ':');
        jdoc_write(d, child, out);
    }
    buf_append_byte(out, '}');
    d->order_used = first;
}

void jdoc_write(struct jdoc *d, uint32_t node, struct buf *out)
{
    const struct jnode *n = &d->nodes[node];
    bool first = true;

    if (n->kind == J_OBJECT) {
        object_write(d, node, out);
    } else if (n->kind == J_ARRAY) {
        buf_append_byte(out, '[');
        JDOC_EACH(d, node, child)
        {
            if (!first) buf_append_byte(out, ',');
            first = false;
            jdoc_write(d, child, out);
        }
        buf_append_byte(out, ']');
    } else if (n->kind == J_STRING) {
        jtext_write(n->text, out);
    } else {
        jdoc_write_plain(d, node, out);
    }
}

/* An object of some members: in the order in which the path names them, as Jayway merges them. */
static void members_write(struct jdoc *d, const struct jhit *hit, struct buf *out)
{
    bool first = true;

    buf_append_byte(out, '{');
    for (uint32_t k = 0; k < hit->members->count; k++) {
        uint32_t child = jdoc_member(d, hit->node, hit->members->keys[k]);
        if (child == UINT32_MAX) continue;
        if (!first) buf_append_byte(out, ',');
        first = false;
        jtext_write(hit->members->keys[k], out);
        buf_append_byte(out, ':');
        jdoc_write(d, child, out);
    }
    buf_append_byte(out, '}');
}

void jhit_write(struct jdoc *d, const struct jhit *hit, struct buf *out)
{
    if (hit->members != NULL)
        members_write(d, hit, out);
    else
        jdoc_write(d, hit->node, out);
}

bool jhit_is_scalar(const struct jdoc *d, const struct jhit *hit)
{
    return hit->members == NULL && d->nodes[hit->node].kind < J_ARRAY;
}
