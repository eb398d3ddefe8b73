/* st_analyze.c - ANALYZE TABLE: statistics of a table or of some of its partitions. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

/* FOR ALL COLUMNS | FOR COLUMNS a, b */
static enum status parse_columns(struct parser *p, struct analyze_table *a)
{
    a->all_columns = take_word(p, KW_ALL);
    TRY(expect_word(p, KW_COLUMNS));
    if (a->all_columns) return S_OK;
    do TRY(parse_simple_name(p, "a column", PARSE_PUSH(p, a->columns, a->column_count), NULL));
    while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct analyze_table *a = ARENA_NEW(p->a, struct analyze_table);

    (void)start;
    *body = a;
    p->at += 2;
    TRY(parse_name(p, "the table's name", &a->table));
    if (is_word(p, 0, KW_PARTITION)) TRY(parse_partition(p, true, &a->partition));
    TRY(expect_word(p, KW_COMPUTE));
    TRY(expect_word(p, KW_STATISTICS));
    return take_word(p, KW_FOR) ? parse_columns(p, a) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct analyze_table *a = body;

    buf_append_text(out, "ANALYZE TABLE ");
    print_name(&a->table, out);
    print_partition(&a->partition, out);
    buf_append_text(out, a->all_columns ? " COMPUTE STATISTICS FOR ALL COLUMNS" : " COMPUTE STATISTICS");
    for (uint32_t i = 0; i < a->column_count; i++) {
        buf_append_text(out, i == 0 ? " FOR COLUMNS " : ", ");
        print_quoted_name(a->columns[i], out);
    }
}

const struct st_type st_analyze = {
    .name = "analyze",
    .doc = "Counts a table's rows and values for the planner.",
    .example = "ANALYZE TABLE flights COMPUTE STATISTICS FOR ALL COLUMNS",
    .starts = {"ANALYZE TABLE"},
    .parse = parse,
    .print = print,
};
