/* table_text.c - tables as Flink prints them. Types stand in their long form (VARCHAR(2147483647)), names are quoted, and a primary
 * key without a name gets the one that Flink makes up. */
#include "surface/sql/table_text.h"

#include "ground/base/sort.h"
#include "ground/base/str.h"
#include "language/sql/bind_distribution.h"
#include "language/sql/print.h"

#include <string.h>

const char *const table_describe_names[] = {"name", "type", "null", "key", "extras", "watermark", "comment"};

/* STRING and BYTES in their long form, outside of quoted names. */
static void print_long_type(const struct type *t, struct buf *out, struct mem *mem)
{
    static const char *const forms[][2] = {{"STRING", "VARCHAR(2147483647)"}, {"BYTES", "VARBINARY(2147483647)"}};
    struct buf text;
    bool quoted = false;

    buf_init(&text, mem);
    type_print(t, &text);
    for (size_t i = 0; i < text.size;) {
        size_t f = 0;
        quoted ^= text.data[i] == '`';
        while (!quoted && f < COUNT_OF(forms) && !str_starts((struct str){text.data + i, text.size - i}, str_of(forms[f][0]))) f++;
        if (quoted || f == COUNT_OF(forms)) {
            buf_append_byte(out, (unsigned char)text.data[i++]);
            continue;
        }
        buf_append_text(out, forms[f][1]);
        i += strlen(forms[f][0]);
    }
    buf_release(&text);
}

static void print_names(const char *const *names, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_quoted_name(str_of(names[i]), out);
    }
}

static void print_extras(const struct table_column *c, struct buf *out)
{
    if (c->kind == TABLE_COMPUTED) buf_printf(out, "AS %s", c->expression);
    if (c->kind != TABLE_METADATA) return;
    buf_append_text(out, "METADATA");
    if (c->metadata_key != NULL) {
        buf_append_text(out, " FROM ");
        print_string(str_of(c->metadata_key), out);
    }
    if (c->is_virtual) buf_append_text(out, " VIRTUAL");
}

static void print_comment(const char *comment, struct buf *out)
{
    buf_append_text(out, "COMMENT ");
    print_string(str_of(comment), out);
}

static void print_column(const struct table_column *c, bool is_short, struct buf *out)
{
    print_quoted_name(str_of(c->name), out);
    if (c->kind != TABLE_COMPUTED) {
        struct type plain = *c->type;
        plain.time_kind = TIME_NONE;
        buf_append_byte(out, ' ');
        if (is_short) type_print(&plain, out);
        else print_long_type(&plain, out, out->mem);
    }
    if (c->kind != TABLE_PHYSICAL) buf_append_byte(out, ' ');
    print_extras(c, out);
    if (c->comment == NULL) return;
    buf_append_byte(out, ' ');
    print_comment(c->comment, out);
}

static void print_key(const struct table *t, struct buf *out)
{
    buf_append_text(out, ",\n  CONSTRAINT ");
    if (t->key_name != NULL) {
        print_quoted_name(str_of(t->key_name), out);
    } else {
        buf_append_text(out, "`PK");
        for (uint32_t i = 0; i < t->key_count; i++) buf_printf(out, "_%s", t->key[i]);
        buf_append_byte(out, '`');
    }
    buf_append_text(out, " PRIMARY KEY (");
    print_names(t->key, t->key_count, out);
    buf_append_text(out, ") NOT ENFORCED");
}

static bool option_before(void *arg, uint32_t a, uint32_t b)
{
    const struct options *o = arg;

    return strcmp(o->items[a].key, o->items[b].key) < 0;
}

static void print_table_options(const struct options *o, struct buf *out)
{
    uint32_t *order = mem_alloc(out->mem, sizeof *order * 2 * MAX(o->count, 1u));

    for (uint32_t i = 0; i < o->count; i++) order[i] = i;
    sort_stable(order, order + o->count, o->count, option_before, (void *)o);
    for (uint32_t i = 0; i < o->count; i++) {
        buf_append_text(out, i == 0 ? "WITH (\n  " : ",\n  ");
        print_string(str_of(o->items[order[i]].key), out);
        buf_append_text(out, " = ");
        print_string(str_of(o->items[order[i]].value), out);
    }
    if (o->count > 0) buf_append_text(out, "\n)\n");
    mem_free(out->mem, order);
}

/* A table that is in no catalog yet is named alone. */
static void print_path(const struct table *t, struct buf *out)
{
    if (t->catalog == NULL) {
        print_quoted_name(str_of(t->name), out);
        return;
    }
    print_names((const char *[]){t->catalog}, 1, out);
    buf_append_byte(out, '.');
    print_names((const char *[]){t->database}, 1, out);
    buf_append_byte(out, '.');
    print_names((const char *[]){t->name}, 1, out);
}

static void print_view(const struct table *t, struct buf *out)
{
    buf_printf(out, "CREATE %sVIEW ", t->is_temporary ? "TEMPORARY " : "");
    print_path(t, out);
    buf_append_text(out, " (\n");
    for (uint32_t i = 0; i < t->row->child_count; i++) {
        buf_append_text(out, i == 0 ? "  " : ",\n  ");
        print_quoted_name(str_of(t->row->names[i]), out);
    }
    buf_append_text(out, "\n)\n");
    if (t->comment != NULL) {
        print_comment(t->comment, out);
        buf_append_byte(out, '\n');
    }
    buf_printf(out, "AS %s\n", t->view);
}

void table_text_create(const struct table *t, struct buf *out)
{
    if (t->view != NULL) {
        print_view(t, out);
        return;
    }
    buf_printf(out, "CREATE %sTABLE ", t->is_temporary ? "TEMPORARY " : "");
    print_path(t, out);
    for (uint32_t i = 0; i < t->column_count; i++) {
        buf_append_text(out, i == 0 ? " (\n  " : ",\n  ");
        print_column(&t->columns[i], t->catalog == NULL, out);
    }
    if (t->watermark != NULL) {
        buf_append_text(out, ",\n  WATERMARK FOR ");
        print_quoted_name(str_of(t->watermark_column), out);
        buf_printf(out, " AS %s", t->watermark);
    }
    if (t->key_count > 0) print_key(t, out);
    buf_append_text(out, "\n)\n");
    if (t->comment != NULL) {
        print_comment(t->comment, out);
        buf_append_byte(out, '\n');
    }
    if (t->distribution.said) {
        distribution_print(&t->distribution, out);
        buf_append_byte(out, '\n');
    }
    if (t->partition_count > 0) {
        buf_append_text(out, "PARTITIONED BY (");
        print_names(t->partitions, t->partition_count, out);
        buf_append_text(out, ")\n");
    }
    print_table_options(&t->options, out);
}

/* --- DESCRIBE ---------------------------------------------------------------------------------------------------- */
static const char *taken(struct buf *text, struct arena *a)
{
    const char *copy = text->size > 0 ? arena_strndup(a, text->data, text->size) : NULL;
    text->size = 0;
    return copy;
}

static void print_key_of(const struct table *t, const char *column, struct buf *out)
{
    uint32_t at = 0;

    while (at < t->key_count && strcmp(t->key[at], column) != 0) at++;
    if (at == t->key_count) return;
    buf_append_text(out, "PRI(");
    for (uint32_t i = 0; i < t->key_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", t->key[i]);
    buf_append_byte(out, ')');
}

void table_describe_column(const struct table *t, uint32_t column, struct arena *a, const char *cells[TABLE_DESCRIBE_COLUMNS])
{
    struct table_column view = {.name = t->row->names[column], .type = t->row->children[column]};
    const struct table_column *c = t->view != NULL ? &view : &t->columns[column];
    struct type plain = *t->row->children[column];
    struct buf text;

    buf_init(&text, a->mem);
    cells[0] = c->name;
    plain.nullable = true;
    type_print(&plain, &text);
    cells[1] = taken(&text, a);
    cells[2] = t->row->children[column]->nullable ? "TRUE" : "FALSE";
    print_key_of(t, c->name, &text);
    cells[3] = taken(&text, a);
    print_extras(c, &text);
    cells[4] = taken(&text, a);
    cells[5] = t->watermark != NULL && strcmp(t->watermark_column, c->name) == 0 ? t->watermark : NULL;
    cells[6] = c->comment;
    buf_release(&text);
}

bool table_has_comments(const struct table *t)
{
    for (uint32_t i = 0; t->view == NULL && i < t->column_count; i++)
        if (t->columns[i].comment != NULL) return true;
    return false;
}
