/* st_plan.c - plans kept in files: COMPILE PLAN writes one, EXECUTE PLAN runs one, COMPILE AND EXECUTE PLAN does both. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

enum { PLAN_COMPILE, PLAN_EXECUTE, PLAN_BOTH };

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct plan_file *f = ARENA_NEW(p->a, struct plan_file);

    *body = f;
    f->compile = start != PLAN_EXECUTE;
    f->execute = start != PLAN_COMPILE;
    p->at += start == PLAN_BOTH ? 4 : 2;
    TRY(parse_string(p, "the plan's file in 'quotes'", &f->file));
    if (start == PLAN_EXECUTE) return S_OK;
    if (start == PLAN_COMPILE) TRY(parse_if_not_exists(p, &f->if_not_exists));
    TRY(expect_word(p, KW_FOR));
    if (is_word(p, 0, KW_STATEMENT)) return parse_statement_set(p, &f->statement);
    if (!is_word(p, 0, KW_INSERT)) return parse_expected(p, "INSERT or STATEMENT SET");
    return parse_inner_statement(p, &f->statement);
}

static void print(const void *body, struct buf *out)
{
    const struct plan_file *f = body;

    buf_append_text(out, !f->execute ? "COMPILE PLAN " : f->compile ? "COMPILE AND EXECUTE PLAN " : "EXECUTE PLAN ");
    print_string(f->file, out);
    if (f->statement == NULL) return;
    buf_append_text(out, f->if_not_exists ? " IF NOT EXISTS FOR " : " FOR ");
    statement_print(f->statement, out);
}

const struct st_type st_plan = {
    .name = "plan",
    .doc = "Writes the plan of a statement to a file, or runs one from there.",
    .example = "COMPILE PLAN 'late.json' FOR INSERT INTO late_flights SELECT * FROM flights WHERE delay > 60",
    .starts =
        {[PLAN_COMPILE] = "COMPILE PLAN", [PLAN_EXECUTE] = "EXECUTE PLAN", [PLAN_BOTH] = "COMPILE AND EXECUTE PLAN"},
    .parse = parse,
    .print = print,
};
