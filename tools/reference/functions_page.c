/* functions_page.c - the page of all functions of SQL: a family each, with what a call looks like, what it does, what NULLs mean, and
 * examples. test/unit/sql/test_bind.c and test_functions.c run every one of them. */
#include "functions_page.h"

#include "columns/function/agg.h"
#include "columns/function/fn.h"
#include "ground/base/str.h"
#include "language/sql/sql_function.h"

#include <string.h>

static void sentence_write(FILE *out, const char *text)
{
    char first = text[0] >= 'a' && text[0] <= 'z' ? (char)(text[0] - 32) : text[0];

    fprintf(out, "%c%s.", first, text + 1);
}

static void head_write(FILE *out, const char *name, const char *usage, const char *doc)
{
    fprintf(out, "\n### `%s`\n\n", name);
    if (usage != NULL) fprintf(out, "`%s`\n\n", usage);
    sentence_write(out, doc);
    fputc('\n', out);
}

static void overloads_write(FILE *out, const struct fn_def *d)
{
    struct fn_signature s;

    for (const struct fn_overload *o = d->overloads; o != NULL && o->signature != NULL; o++) {
        if (!fn_signature_cut(o->signature, &s)) continue;
        fprintf(out, "%s`%s(", o == d->overloads ? "" : ", ", d->name);
        for (uint32_t i = 0; i < s.count; i++)
            fprintf(out, "%s%.*s%s", i > 0 ? ", " : "", (int)s.args[i].size, s.args[i].data,
                    s.more && i + 1 == s.count ? ", ..." : "");
        fprintf(out, ")` → %.*s", (int)s.result.size, s.result.data);
    }
    if (d->overloads != NULL) fputs("\n\n", out);
}

/* What is special about its results; nothing where NULL gives NULL and equal arguments equal results. */
static void notes_write(FILE *out, const struct fn_def *d)
{
    if (d->nulls != FN_STRICT)
        fputs(" A NULL argument does not simply make it NULL.", out);
    else if ((d->flags & FN_MAY_BE_NULL) != 0)
        fputs(" NULL for NULL, and it may be NULL for other values, too.", out);
    if ((d->flags & FN_MAY_FAIL) != 0) fputs(" Values that it does not take fail their row.", out);
    if (d->det == FN_RANDOM) fputs(" Each call answers another value.", out);
    if ((d->flags & FN_SESSION_ZONE) != 0) fputs(" It depends on `table.local-time-zone`.", out);
}

static void function_write(FILE *out, const struct fn_def *d)
{
    if (d->name[0] == '$') return;
    fprintf(out, "\n### `%s`\n\n", d->name);
    if (d->aliases != NULL) fprintf(out, "Also: `%s`.\n\n", d->aliases);
    if (d->usage != NULL)
        fprintf(out, "`%s`\n\n", d->usage);
    else
        overloads_write(out, d);
    sentence_write(out, d->doc);
    notes_write(out, d);
    fputc('\n', out);
    if (d->examples == NULL || d->examples->text == NULL) return;
    fputs("\n```sql\n", out);
    for (const struct fn_example *x = d->examples; x->text != NULL; x++) {
        fprintf(out, "%s", x->text);
        if (x->result != NULL) fprintf(out, "  -- %s", x->result);
        fputc('\n', out);
    }
    fputs("```\n", out);
}

static void query_write(FILE *out, const char *query, const char *answer)
{
    if (query != NULL) fprintf(out, "\n```sql\n%s\n-- %s\n```\n", query, answer);
}

static void forms_write(FILE *out, uint8_t kind)
{
    for (const struct sql_form *f = sql_forms; f->name != NULL; f++) {
        if (f->kind != kind) continue;
        head_write(out, f->name, f->usage, f->doc);
        query_write(out, f->query, f->answer);
    }
}

void functions_page_write(FILE *out)
{
    static const struct {
        uint8_t kind;
        const char *title;
    } kinds[] = {{SQL_FORM, "Forms"},
                 {SQL_SCALAR, "Functions that the planner knows"},
                 {SQL_WINDOW, "Functions of OVER windows"},
                 {SQL_TABLE, "Functions of tables"},
                 {SQL_GROUP, "Functions of GROUP BY"}};

    fputs("\nEvery example is run by the tests. `SHOW FUNCTIONS` lists the names, `DESCRIBE FUNCTION EXTENDED name` "
          "says the same as this page.\n"
          "A NULL argument gives NULL unless it is said otherwise. Functions of one's own: "
          "[C](../examples/sql_functions.md).\n\n"
          "Examples of windows read this table; answers show rows parted by `;`:\n\n```sql\n",
          out);
    fprintf(out, "%s\n```\n", sql_function_example_table);
    for (const struct fn_type *const *t = fn_types; *t != NULL; t++) {
        if ((*t)->functions->name == NULL || ((*t)->functions->name[0] == '$' && (*t)->functions[1].name == NULL))
            continue;
        fprintf(out, "\n## %c%s\n", (*t)->doc[0] >= 'a' ? (*t)->doc[0] - 32 : (*t)->doc[0],
                (*t)->doc + 1); /* a title has no full stop */
        for (const struct fn_def *d = (*t)->functions; d->name != NULL; d++) function_write(out, d);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fprintf(out, "\n## %s\n", kinds[i].title);
        forms_write(out, kinds[i].kind);
    }
    fputs("\n## Aggregates\n\nThey stand in queries with GROUP BY or without; most also OVER windows, with FILTER "
          "(WHERE ...), and take rows back.\n",
          out);
    for (const struct agg_type *const *a = agg_types; *a != NULL; a++) {
        head_write(out, (*a)->name, (*a)->usage, (*a)->doc);
        query_write(out, (*a)->query, (*a)->answer);
    }
    forms_write(out, SQL_AGGREGATE);
}
