/* st_stop_job.c - STOP JOB: ends a running job, with a savepoint if wanted. */
#include "language/sql/parse_internal.h"
#include "language/sql/print.h"
#include "language/sql/statement.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct stop_job *s = ARENA_NEW(p->a, struct stop_job);

    (void)start;
    *body = s;
    p->at += 2;
    TRY(parse_string(p, "the job's id in 'quotes'", &s->job));
    if (!is_word(p, 0, KW_WITH)) return S_OK;
    p->at++;
    if (is_word(p, 0, KW_DRAIN)) return parse_expected(p, "SAVEPOINT: WITH DRAIN stands behind WITH SAVEPOINT");
    TRY(expect_word(p, KW_SAVEPOINT));
    s->savepoint = true;
    if (!is_word(p, 0, KW_WITH)) return S_OK;
    p->at++;
    s->drain = true;
    return expect_word(p, KW_DRAIN);
}

static void print(const void *body, struct buf *out)
{
    const struct stop_job *s = body;

    buf_append_text(out, "STOP JOB ");
    print_string(s->job, out);
    if (s->savepoint) buf_append_text(out, " WITH SAVEPOINT");
    if (s->drain) buf_append_text(out, " WITH DRAIN");
}

const struct st_type st_stop_job = {
    .name = "stop_job",
    .doc = "Ends a running job; with a savepoint it can go on from there.",
    .example = "STOP JOB '228d70913eab60dda85c5e7f78b5782c' WITH SAVEPOINT",
    .starts = {"STOP JOB"},
    .parse = parse,
    .print = print,
};
