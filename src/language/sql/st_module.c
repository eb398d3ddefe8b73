/* st_module.c - LOAD MODULE and UNLOAD MODULE: sets of functions. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct load_module *m = ARENA_NEW(p->a, struct load_module);

    *body = m;
    m->unload = start == 1;
    p->at += 2;
    TRY(parse_one_part(p, "the module's name", &m->name));
    return !m->unload && take_word(p, KW_WITH) ? parse_options(p, &m->options) : S_OK;
}

static void print(const void *body, struct buf *out)
{
    const struct load_module *m = body;

    buf_append_text(out, m->unload ? "UNLOAD MODULE " : "LOAD MODULE ");
    print_name(&m->name, out);
    print_options(" WITH ", &m->options, out);
}

const struct st_type st_module = {
    .name = "module",
    .doc = "Adds or removes a set of functions.",
    .example = "LOAD MODULE core",
    .starts = {"LOAD MODULE", "UNLOAD MODULE"},
    .parse = parse,
    .print = print,
};
