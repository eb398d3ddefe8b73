/* bind_distribution.c - see the header. In Flink's words and layout. */
#include "language/sql/bind_distribution.h"

#include "ground/base/str.h"
#include "language/sql/print.h"

#include <string.h>

static bool is_physical(const struct table_column *columns, uint32_t count, struct str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (columns[i].kind == TABLE_PHYSICAL && str_equal(str_of(columns[i].name), name)) return true;
    return false;
}

static enum status no_such_key(struct query_binder *b, struct ast_place place, struct str key,
                               const struct table_column *columns, uint32_t count)
{
    struct buf names;

    buf_init(&names, b->a->mem);
    for (uint32_t i = 0; i < count; i++)
        if (columns[i].kind == TABLE_PHYSICAL) buf_printf(&names, "%s%s", names.size > 0 ? ", " : "", columns[i].name);
    enum status st = sql_error(
        b->e, b->t, place.at, place.size,
        "Invalid bucket key '%.*s'. A bucket key for a distribution must reference a physical column in the "
        "schema. Available columns are: [%s]",
        (int)key.size, key.data, buf_text(&names));
    buf_release(&names);
    return st;
}

static enum status bucket_count(struct query_binder *b, const struct ast_expr *x, int64_t *out)
{
    if (str_to_int64(x->text, out) && *out >= 1 && *out <= INT32_MAX) return S_OK;
    return sql_error(b->e, b->t, x->place.at, x->place.size,
                     "Invalid bucket count '%.*s'. The number of buckets for a distributed table must be at least 1.",
                     (int)x->text.size, x->text.data);
}

enum status bind_distribution(struct query_binder *b, struct ast_place place, const struct ast_distribution *d,
                              const struct table_column *columns, uint32_t count, struct table_distribution *out)
{
    const char **keys = ARENA_ARRAY(b->a, const char *, d->column_count + 1);

    if (!d->said) return S_OK;
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (!is_physical(columns, count, d->columns[i])) return no_such_key(b, place, d->columns[i], columns, count);
        keys[i] = bind_text(b, d->columns[i]);
    }
    *out = (struct table_distribution){.said = true,
                                       .how = d->how == KEYWORD_NONE ? "" : keyword_text(d->how),
                                       .key_count = d->column_count,
                                       .keys = keys};
    return d->buckets != NULL ? bucket_count(b, d->buckets, &out->buckets) : S_OK;
}

struct ast_distribution distribution_tree(struct arena *a, const struct table_distribution *d)
{
    struct ast_distribution out = {.said = d->said, .column_count = d->key_count};

    if (!d->said) return out;
    out.how = strcmp(d->how, "HASH") == 0 ? KW_HASH : strcmp(d->how, "RANGE") == 0 ? KW_RANGE : KEYWORD_NONE;
    out.columns = ARENA_ARRAY(a, struct str, d->key_count + 1);
    for (uint32_t i = 0; i < d->key_count; i++) out.columns[i] = str_of(d->keys[i]);
    if (d->buckets == 0) return out;
    out.buckets = ARENA_NEW(a, struct ast_expr);
    *out.buckets = (struct ast_expr){.kind = AX_LITERAL,
                                     .literal = LITERAL_INTEGER,
                                     .height = 1,
                                     .text = str_of(arena_printf(a, "%lld", (long long)d->buckets))};
    return out;
}

void distribution_print(const struct table_distribution *d, struct buf *out)
{
    if (!d->said) return;
    buf_append_text(out, "DISTRIBUTED");
    if (d->key_count > 0) buf_printf(out, " BY %s(", d->how);
    for (uint32_t i = 0; i < d->key_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_quoted_name(str_of(d->keys[i]), out);
    }
    if (d->key_count > 0) buf_append_byte(out, ')');
    if (d->buckets > 0) buf_printf(out, " INTO %lld BUCKETS", (long long)d->buckets);
}
