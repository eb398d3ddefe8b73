/* st_alter_function.c - ALTER FUNCTION: another class for a name. */
#include "language/sql/parse_ddl.h"
#include "language/sql/parse_function.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct define_function *f = ARENA_NEW(p->a, struct define_function);

    *body = f;
    f->temporary = start > 0;
    f->system = start == 2;
    p->at += 2 + start;
    TRY(parse_if_exists(p, &f->if_exists));
    TRY(parse_name(p, "the function's name", &f->name));
    return parse_implementation(p, f);
}

static void print(const void *body, struct buf *out)
{
    const struct define_function *f = body;

    buf_append_text(out, "ALTER ");
    print_function_kind(f, out);
    if (f->if_exists) buf_append_text(out, "IF EXISTS ");
    print_implementation(f, out);
}

const struct st_type st_alter_function = {
    .name = "alter_function",
    .doc = "Gives a function's name to another class.",
    .example = "ALTER FUNCTION IF EXISTS shout AS 'shout2' LANGUAGE C",
    .starts = {"ALTER FUNCTION", "ALTER TEMPORARY FUNCTION", "ALTER TEMPORARY SYSTEM FUNCTION"},
    .parse = parse,
    .print = print,
};
