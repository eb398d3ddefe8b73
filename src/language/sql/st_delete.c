/* st_delete.c - DELETE FROM: removes the rows that a condition picks. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct change_rows *c = ARENA_NEW(p->a, struct change_rows);

    (void)start;
    *body = c;
    p->at += 2;
    TRY(parse_name(p, "the table to delete from", &c->table));
    TRY(parse_hints(p, &c->hints));
    if (take_word(p, KW_AS) || is_name(p, 0)) TRY(parse_simple_name(p, "an alias", &c->alias, NULL));
    return take_word(p, KW_WHERE) ? parse_expr(p, &c->where) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct change_rows *c = body;

    buf_append_text(out, "DELETE FROM ");
    print_name(&c->table, out);
    print_hints(&c->hints, out);
    if (c->alias.size > 0) {
        buf_append_text(out, " AS ");
        print_quoted_name(c->alias, out);
    }
    if (c->where == NULL) return;
    buf_append_text(out, " WHERE ");
    print_expr(c->where, out);
}

const struct st_type st_delete = {
    .name = "delete",
    .doc = "Removes rows of a table, in batch mode.",
    .example = "DELETE FROM flights WHERE delay IS NULL",
    .starts = {"DELETE FROM"},
    .parse = parse,
    .print = print,
};
