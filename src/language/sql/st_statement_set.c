/* st_statement_set.c - several INSERTs as one job: BEGIN STATEMENT SET; inserts; END; where each is a statement of the script,
 * and EXECUTE STATEMENT SET BEGIN inserts END, which is one statement. EXPLAIN and COMPILE PLAN take the second form without
 * EXECUTE: parse_statement_set. */
#include "language/sql/parse_internal.h"
#include "language/sql/statement.h"

/* Behind STATEMENT SET: BEGIN insert; insert; END */
static enum status parse_inserts(struct parser *p, struct statement_set *set)
{
    TRY(expect_word(p, KW_BEGIN));
    do {
        struct statement *inner;
        if (set->count == AST_LIST_MAX) return parse_too_many(p, "a statement set", AST_LIST_MAX, "statements");
        if (!is_word(p, 0, KW_INSERT)) return parse_expected(p, set->count == 0 ? "INSERT" : "INSERT or END");
        TRY(parse_inner_statement(p, &inner));
        *PARSE_PUSH(p, set->items, set->count) = *inner;
        TRY(expect_symbol(p, ";"));
    } while (!take_word(p, KW_END));
    return S_OK;
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct statement_set *set = ARENA_NEW(p->a, struct statement_set);

    *body = set;
    set->kind = (uint8_t)start;
    p->at += start == SET_END ? 1 : 3;
    return start == SET_EXECUTE ? parse_inserts(p, set) : S_OK;
}

enum status parse_statement_set(struct parser *p, struct statement **out)
{
    struct statement_set *set = ARENA_NEW(p->a, struct statement_set);
    struct ast_place from = parse_here(p);

    set->kind = SET_INNER;
    *out = ARENA_NEW(p->a, struct statement);
    (*out)->type = &st_statement_set;
    (*out)->body = set;
    TRY(expect_word(p, KW_STATEMENT));
    TRY(expect_word(p, KW_SET));
    TRY(parse_inserts(p, set));
    (*out)->place = parse_since(p, from);
    return S_OK;
}

static void print(const void *body, struct buf *out)
{
    static const char *const words[] = {"BEGIN STATEMENT SET", "END", "EXECUTE STATEMENT SET BEGIN ",
                                        "STATEMENT SET BEGIN "};
    const struct statement_set *set = body;

    buf_append_text(out, words[set->kind]);
    for (uint32_t i = 0; i < set->count; i++) {
        statement_print(&set->items[i], out);
        buf_append_text(out, "; ");
    }
    if (set->count > 0) buf_append_text(out, "END");
}

const struct st_type st_statement_set = {
    .name = "statement_set",
    .doc = "Runs several INSERTs as one job, so that what they share is computed once.",
    .example = "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM s; INSERT INTO b SELECT * FROM s; END",
    .starts = {[SET_BEGIN] = "BEGIN STATEMENT SET", [SET_END] = "END", [SET_EXECUTE] = "EXECUTE STATEMENT SET"},
    .parse = parse,
    .print = print,
};
