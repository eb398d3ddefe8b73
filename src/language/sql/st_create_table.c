/* st_create_table.c - CREATE TABLE with columns, watermark, key, distribution, partitions, options, LIKE and AS; REPLACE TABLE
 * and CREATE OR REPLACE TABLE. What goes together (a key twice, LIKE beside AS) is the binder's to say. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

#include "ground/base/str.h"

/* --- what stands in the parentheses ------------------------------------------------------------------------------ */
static enum status parse_element(struct parser *p, struct create_table *t)
{
    if (is_word(p, 0, KW_WATERMARK) && is_word(p, 1, KW_FOR)) {
        p->at++;
        return parse_watermark(p, &t->watermark_column, &t->watermark);
    }
    if (is_key(p)) return parse_key(p, &t->key);
    if (is_name(p, 0) && (is_symbol(p, 1, ",") || is_symbol(p, 1, ")"))) /* CTAS: names alone */
        return parse_simple_name(p, "a column", PARSE_PUSH(p, t->names, t->name_count), NULL);
    return parse_column(p, PARSE_PUSH(p, t->columns, t->column_count));
}

static enum status parse_whole_element(struct parser *p, struct create_table *t)
{
    TRY(parse_element(p, t));
    return is_symbol(p, 0, ",") || is_symbol(p, 0, ")") ? S_OK : parse_expected(p, "',' or ')'");
}

static enum status parse_elements(struct parser *p, struct create_table *t)
{
    if (!take_symbol(p, "(")) return S_OK;
    do {
        if (t->column_count + t->name_count == AST_LIST_MAX) return parse_too_many(p, "a table", AST_LIST_MAX, "columns");
        struct parse_mark m = parse_mark(p);
        TRY(parse_resume(p, m, parse_whole_element(p, t), parse_at_comma));
    } while (take_symbol(p, ","));
    if (t->column_count > 0 && t->name_count > 0) return parse_expected(p, "either columns with types or names alone");
    return expect_symbol(p, ")");
}

/* --- behind them ------------------------------------------------------------------------------------------------- */
static enum status parse_like_option(struct parser *p, struct ast_like_option *o)
{
    static const enum keyword what[] = {KW_ALL, KW_CONSTRAINTS, KW_DISTRIBUTION, KW_PARTITIONS, KW_GENERATED, KW_METADATA, KW_OPTIONS,
                                        KW_WATERMARKS};

    o->how = take_word(p, KW_INCLUDING) ? LIKE_INCLUDING : take_word(p, KW_EXCLUDING) ? LIKE_EXCLUDING : LIKE_OVERWRITING;
    if (o->how == LIKE_OVERWRITING) TRY(expect_word(p, KW_OVERWRITING));
    for (size_t i = 0; i < COUNT_OF(what); i++)
        if (take_word(p, what[i])) {
            o->what = what[i];
            return S_OK;
        }
    return parse_expected(p, "ALL, CONSTRAINTS, DISTRIBUTION, PARTITIONS, GENERATED, METADATA, OPTIONS or WATERMARKS");
}

static enum status parse_like(struct parser *p, struct create_table *t)
{
    TRY(parse_name(p, "the table that this one is like", &t->like));
    if (!take_symbol(p, "(")) return S_OK;
    while (!is_symbol(p, 0, ")")) {
        TRY(parse_like_option(p, PARSE_PUSH(p, t->like_options, t->like_option_count)));
        take_symbol(p, ",");
    }
    return expect_symbol(p, ")");
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct create_table *t = ARENA_NEW(p->a, struct create_table);

    *body = t;
    t->temporary = start == 1;
    t->replace = start == 2;
    t->or_replace = start == 3;
    p->at += start == 0 || start == 2 ? 2 : start == 1 ? 3 : 4;
    TRY(parse_if_not_exists(p, &t->if_not_exists));
    TRY(parse_name(p, "the table's name", &t->name));
    TRY(parse_elements(p, t));
    TRY(parse_comment(p, &t->has_comment, &t->comment));
    if (take_word(p, KW_DISTRIBUTED)) TRY(parse_distribution(p, &t->distribution));
    if (take_words(p, KW_PARTITIONED, KW_BY)) TRY(parse_name_list(p, "a column", &t->partition_count, &t->partitions));
    if (take_word(p, KW_WITH)) TRY(parse_options(p, &t->options));
    if (take_word(p, KW_LIKE)) return parse_like(p, t);
    return take_word(p, KW_AS) ? parse_query(p, &t->query) : S_OK;
}

/* --- printing ---------------------------------------------------------------------------------------------------- */
static const char *next(bool *first)
{
    const char *before = *first ? " (" : ", ";
    *first = false;
    return before;
}

static void print_elements(const struct create_table *t, struct buf *out)
{
    bool first = true;

    for (uint32_t i = 0; i < t->column_count; i++) {
        buf_append_text(out, next(&first));
        print_column(&t->columns[i], out);
    }
    for (uint32_t i = 0; i < t->name_count; i++) {
        buf_append_text(out, next(&first));
        print_quoted_name(t->names[i], out);
    }
    if (t->watermark != NULL) {
        buf_append_text(out, next(&first));
        print_watermark(t->watermark_column, t->watermark, out);
    }
    if (t->key.count > 0) {
        buf_append_text(out, next(&first));
        print_key(&t->key, out);
    }
    if (!first) buf_append_byte(out, ')');
}

static void print_like(const struct create_table *t, struct buf *out)
{
    static const char *const how[] = {"INCLUDING", "EXCLUDING", "OVERWRITING"};

    if (t->like.count == 0) return;
    buf_append_text(out, " LIKE ");
    print_name(&t->like, out);
    for (uint32_t i = 0; i < t->like_option_count; i++)
        buf_printf(out, "%s%s %s", i == 0 ? " (" : " ", how[t->like_options[i].how], keyword_text(t->like_options[i].what));
    if (t->like_option_count > 0) buf_append_byte(out, ')');
}

static void print(const void *body, struct buf *out)
{
    const struct create_table *t = body;

    buf_append_text(out, t->replace ? "REPLACE TABLE " : t->or_replace ? "CREATE OR REPLACE TABLE "
                         : t->temporary ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ");
    if (t->if_not_exists) buf_append_text(out, "IF NOT EXISTS ");
    print_name(&t->name, out);
    print_elements(t, out);
    print_comment(t->has_comment, t->comment, out);
    print_distribution(" DISTRIBUTED", &t->distribution, out);
    if (t->partition_count > 0) {
        buf_append_text(out, " PARTITIONED BY ");
        print_name_list(t->partition_count, t->partitions, out);
    }
    print_options(" WITH ", &t->options, out);
    print_like(t, out);
    if (t->query == NULL) return;
    buf_append_text(out, " AS ");
    print_query(t->query, out);
}

const struct st_type st_create_table = {
    .name = "create_table",
    .doc = "Makes a table: columns, watermark, key and the connector that holds its rows.",
    .example = "CREATE TABLE t (id BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen')",
    .starts = {"CREATE TABLE", "CREATE TEMPORARY TABLE", "REPLACE TABLE", "CREATE OR REPLACE TABLE"},
    .parse = parse,
    .print = print,
};
