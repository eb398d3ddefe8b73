/* st_create_function.c - CREATE [TEMPORARY [SYSTEM]] FUNCTION: a name for a class, or for a symbol of a library with
 * LANGUAGE C, which is Thalweg's own. */
#include "language/sql/parse_ddl.h"
#include "language/sql/parse_function.h"
#include "language/sql/print.h"

/* JAR 'a', ARTIFACT 'b' */
static enum status parse_artifacts(struct parser *p, struct define_function *f)
{
    do {
        struct ast_artifact *a = PARSE_PUSH(p, f->artifacts, f->artifact_count);
        a->jar = take_word(p, KW_JAR);
        if (!a->jar && !take_word(p, KW_ARTIFACT)) return parse_expected(p, "JAR or ARTIFACT, and a file in 'quotes'");
        TRY(parse_string(p, "a file in 'quotes'", &a->file));
    } while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct define_function *f = ARENA_NEW(p->a, struct define_function);

    *body = f;
    if (start == 3) {
        p->at++;
        err_hint(p->e, "write CREATE TEMPORARY SYSTEM FUNCTION");
        return parse_expected(p, "TEMPORARY: system functions last as long as the session");
    }
    f->temporary = start > 0;
    f->system = start == 2;
    p->at += 2 + start;
    TRY(parse_if_not_exists(p, &f->if_exists));
    if (f->system)
        TRY(parse_one_part(p, "the function's name", &f->name));
    else
        TRY(parse_name(p, "the function's name", &f->name));
    TRY(parse_implementation(p, f));
    if (take_word(p, KW_USING)) TRY(parse_artifacts(p, f));
    return take_word(p, KW_WITH) ? parse_options(p, &f->options) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct define_function *f = body;

    buf_append_text(out, "CREATE ");
    print_function_kind(f, out);
    if (f->if_exists) buf_append_text(out, "IF NOT EXISTS ");
    print_implementation(f, out);
    for (uint32_t i = 0; i < f->artifact_count; i++) {
        buf_append_text(out, i == 0 ? " USING " : ", ");
        buf_append_text(out, f->artifacts[i].jar ? "JAR " : "ARTIFACT ");
        print_string(f->artifacts[i].file, out);
    }
    print_options(" WITH ", &f->options, out);
}

const struct st_type st_create_function = {
    .name = "create_function",
    .doc = "Gives a function of one's own a name.",
    .example = "CREATE FUNCTION shout AS 'shout' LANGUAGE C USING ARTIFACT 'libshout.so'",
    .starts = {"CREATE FUNCTION", "CREATE TEMPORARY FUNCTION", "CREATE TEMPORARY SYSTEM FUNCTION",
               "CREATE SYSTEM FUNCTION"},
    .parse = parse,
    .print = print,
};
