/* st_insert.c - INSERT INTO | OVERWRITE a table, with partition, columns, query and ON CONFLICT. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse_columns(struct parser *p, struct insert *i)
{
    TRY(expect_symbol(p, "("));
    do TRY(parse_name(p, "a column", PARSE_PUSH(p, i->columns, i->column_count)));
    while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

static enum status parse_conflict(struct parser *p, struct insert *i)
{
    TRY(expect_word(p, KW_CONFLICT));
    TRY(expect_word(p, KW_DO));
    i->conflict = take_word(p, KW_NOTHING) ? CONFLICT_NOTHING : take_word(p, KW_ERROR) ? CONFLICT_ERROR : CONFLICT_DEDUPLICATE;
    return i->conflict == CONFLICT_DEDUPLICATE ? expect_word(p, KW_DEDUPLICATE) : S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct insert *i = ARENA_NEW(p->a, struct insert);

    *body = i;
    i->overwrite = start == 1;
    p->at += 2;
    TRY(parse_name(p, "the table to insert into", &i->table));
    TRY(parse_hints(p, &i->hints));
    if (is_word(p, 0, KW_PARTITION)) TRY(parse_partition(p, false, &i->partition));
    if (is_symbol(p, 0, "(") && !is_query(p, 0)) TRY(parse_columns(p, i));
    TRY(parse_query(p, &i->query));
    return take_word(p, KW_ON) ? parse_conflict(p, i) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    static const char *const conflicts[] = {"", " ON CONFLICT DO NOTHING", " ON CONFLICT DO ERROR", " ON CONFLICT DO DEDUPLICATE"};
    const struct insert *i = body;

    buf_append_text(out, i->overwrite ? "INSERT OVERWRITE " : "INSERT INTO ");
    print_name(&i->table, out);
    print_hints(&i->hints, out);
    print_partition(&i->partition, out);
    for (uint32_t c = 0; c < i->column_count; c++) {
        buf_append_text(out, c == 0 ? " (" : ", ");
        print_name(&i->columns[c], out);
    }
    buf_append_text(out, i->column_count > 0 ? ") " : " ");
    print_query(i->query, out);
    buf_append_text(out, conflicts[i->conflict]);
}

const struct st_type st_insert = {
    .name = "insert",
    .doc = "Writes the rows of a query into a table.",
    .example = "INSERT INTO late_flights SELECT * FROM flights WHERE delay > 60",
    .starts = {"INSERT INTO", "INSERT OVERWRITE"},
    .parse = parse,
    .print = print,
};
