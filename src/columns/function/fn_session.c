/* fn_session.c - what a session says of itself. */
#include "columns/function/fn_text.h"

#include "ground/base/str.h"

static void database_text(const struct fn_run *r, const struct vector *const *args, struct vector *out)
{
    const struct str *name = r->call->plan;

    (void)args;
    FN_EACH(r, i) fn_put(r, out, i, *name);
}

static enum status bind_database(struct fn_call *c, struct arena *a, const struct fn_session *session, struct err *e)
{
    struct str *name = ARENA_NEW(a, struct str);

    if (c->count > 0) return fn_wrong_count("CURRENT_DATABASE", "0", e);
    if (session != NULL) *name = (struct str){arena_strndup(a, session->database.data, session->database.size), session->database.size};
    c->plan = name;
    c->result = type_with_null(a, &type_string, false);
    c->run = database_text;
    return S_OK;
}

static const struct fn_def functions[] = {
    {.name = "CURRENT_DATABASE",
     .usage = "CURRENT_DATABASE()",
     .doc = "the name of the current database",
     .examples = FN_EXAMPLES({"CURRENT_DATABASE() IS NULL", "FALSE"}),
     .nulls = FN_OWN_NULLS,
     .bind = bind_database},
    {0},
};

const struct fn_type fn_session = {.name = "session",
                                   .doc = "what a session says of itself",
                                   .example = "CURRENT_DATABASE()",
                                   .functions = functions};
