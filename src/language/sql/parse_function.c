/* parse_function.c - the implementation that CREATE FUNCTION and ALTER FUNCTION name: a class or symbol, and its language. */
#include "language/sql/parse_function.h"

#include "language/sql/print.h"

enum status parse_implementation(struct parser *p, struct define_function *f)
{
    static const enum keyword languages[] = {KW_JAVA, KW_SCALA, KW_PYTHON, KW_SQL, KW_C};

    TRY(expect_word(p, KW_AS));
    TRY(parse_string(p, "the function's class or symbol in 'quotes'", &f->class));
    if (!take_word(p, KW_LANGUAGE)) return S_OK;
    for (size_t i = 0; i < COUNT_OF(languages); i++)
        if (take_word(p, languages[i])) {
            f->language = languages[i];
            return S_OK;
        }
    return parse_expected(p, "JAVA, SCALA, PYTHON, SQL or C");
}

void print_function_kind(const struct define_function *f, struct buf *out)
{
    if (f->temporary) buf_append_text(out, "TEMPORARY ");
    if (f->system) buf_append_text(out, "SYSTEM ");
    buf_append_text(out, "FUNCTION ");
}

void print_implementation(const struct define_function *f, struct buf *out)
{
    print_name(&f->name, out);
    buf_append_text(out, " AS ");
    print_string(f->class, out);
    if (f->language != KEYWORD_NONE) buf_printf(out, " LANGUAGE %s", keyword_text(f->language));
}
