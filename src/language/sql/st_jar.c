/* st_jar.c - ADD JAR and REMOVE JAR: read so that a script of Flink's is understood; libraries come by CREATE FUNCTION .. USING. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct add_jar *j = ARENA_NEW(p->a, struct add_jar);

    *body = j;
    j->remove = start == 1;
    p->at += 2;
    return parse_string(p, "the jar's file in 'quotes'", &j->file);
}

static void print(const void *body, struct buf *out)
{
    const struct add_jar *j = body;

    buf_append_text(out, j->remove ? "REMOVE JAR " : "ADD JAR ");
    print_string(j->file, out);
}

const struct st_type st_jar = {
    .name = "jar",
    .doc = "Names a Java archive of a session, to add or to remove.",
    .example = "ADD JAR '/lib/functions.jar'",
    .starts = {"ADD JAR", "REMOVE JAR"},
    .parse = parse,
    .print = print,
};
