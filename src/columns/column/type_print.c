/* type_print.c - types as Flink's summaries print them, in a form that type_parse reads back to an equal type.
 *
 * NOT NULL comes before the time attribute, as in Flink: "TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*". Strings and bytes of
 * unlimited length print as STRING and BYTES. */
#include "columns/column/type.h"


static const char *const kind_names[T_COUNT] = {
#define X(kind, name, phys) [kind] = name,
    TYPE_MAP(X)
#undef X
};

/* In backquotes, with backquotes inside doubled. */
static void name_print(const char *name, struct buf *out)
{
    buf_append_byte(out, '`');
    for (; *name; name++) {
        if (*name == '`') buf_append_byte(out, '`');
        buf_append_byte(out, *name);
    }
    buf_append_byte(out, '`');
}

static void children_print(const struct type *t, struct buf *out)
{
    uint32_t count = t->kind == T_MULTISET ? 1 : t->child_count; /* the count of a multiset is implied */

    buf_append_byte(out, '<');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        if (t->kind == T_ROW) {
            name_print(t->names[i], out);
            buf_append_byte(out, ' ');
        }
        type_print(t->children[i], out);
    }
    buf_append_byte(out, '>');
}

static void kind_print(const struct type *t, struct buf *out)
{
    const char *name = kind_names[t->kind];

    switch ((enum type_kind)t->kind) {
    case T_DECIMAL: buf_printf(out, "%s(%d, %d)", name, t->precision, t->scale); break;
    case T_VARCHAR:
    case T_VARBINARY:
        if (t->precision == VARCHAR_MAX) {
            buf_append_text(out, t->kind == T_VARCHAR ? "STRING" : "BYTES");
            break;
        }
        buf_printf(out, "%s(%d)", name, t->precision);
        break;
    case T_CHAR:
    case T_BINARY:
    case T_TIME:
    case T_TIMESTAMP:
    case T_TIMESTAMP_LTZ: buf_printf(out, "%s(%d)", name, t->precision); break;
    case T_INTERVAL_MONTH: buf_append_text(out, "INTERVAL YEAR(2) TO MONTH"); break;
    case T_INTERVAL_SECOND: buf_append_text(out, "INTERVAL DAY(2) TO SECOND(3)"); break;
    case T_ARRAY:
    case T_MAP:
    case T_MULTISET:
    case T_ROW:
        buf_append_text(out, name);
        children_print(t, out);
        break;
    default: buf_append_text(out, name);
    }
}

void type_print(const struct type *t, struct buf *out)
{
    ASSERT(t->kind < T_STRUCTURED);
    kind_print(t, out);
    if (!t->nullable) buf_append_text(out, " NOT NULL");
    if (t->time_kind == TIME_ROWTIME) buf_append_text(out, " *ROWTIME*");
    if (t->time_kind == TIME_PROCTIME) buf_append_text(out, " *PROCTIME*");
}

const char *type_text(struct arena *a, const struct type *t)
{
    struct buf text;

    buf_init(&text, a->mem);
    type_print(t, &text);
    const char *kept = arena_strndup(a, text.data, text.size);
    buf_release(&text);
    return kept;
}
