/* check_descriptors.c - a registered thing is documented and tested.
 *
 * Registration is the file's name (tools/registry.sh), so this walks the same names: kind_name.c below the kind's folder
 * must define a descriptor `kind_name`, carry a doc text, and be named by a test: some file of test/ or examples/ holds
 * kind_name as a word, or "name" as a string. */
#include "tidy.h"

#include <stdio.h>
#include <string.h>

struct kind {
    const char *prefix, *folder;
};

static const struct kind kinds[] = {
    {"op_", "src/flow/operator/"},    {"fmt_", "src/flow/format/"},      {"conn_", "src/flow/connector/"},
    {"fn_", "src/columns/function/"}, {"agg_", "src/columns/function/"}, {"sb_", "src/flow/state/"},
    {"wm_", "src/flow/source/"},      {"fs_", "src/ground/fs/"},
};

static bool is_tested(const struct tidy *t, const char *word, const char *name)
{
    const char *quoted = format("\"%s\"", name), *called = format("\"%s(", name); /* "sum(price) AS total" */

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if ((starts_with(s->path, "test/") || starts_with(s->path, "examples/")) &&
            !starts_with(s->path, "test/fuzz/corpus/") &&
            (word_find(s->text, word) != NULL || strstr(s->text, quoted) != NULL || strstr(s->text, called) != NULL)) {
            return true;
        }
    }
    return false;
}

/* A descriptor that is written out has its doc beside its name; one made by a macro is seen by the unit test of the
 * registries, which looks at every descriptor's doc at run time. */
static bool has_doc(const struct source *s)
{
    const char *doc = strstr(s->text, ".doc = \"");

    return strstr(s->text, ".name = ") == NULL || (doc != NULL && doc[8] != '"');
}

static void descriptor_check(struct tidy *t, const struct source *s, const struct kind *k)
{
    const char *file = base_name(s->path), *word = format("%.*s", (int)strlen(file) - 2, file), *place;
    int line;

    if (!object_defines(t, s, word)) {
        problem(t, s->path, 1,
                "defines no %s: the file's name registers a descriptor of that name; define it, or rename the file",
                word);
        return;
    }
    place = word_find(s->code, word);
    line = place == NULL ? 1 : line_of(s->code, place);
    if (!has_doc(s)) {
        problem(t, s->path, line, "%s has no .doc text: say in one line what it does; help and reference show it",
                word);
    }
    if (!is_tested(t, word, word + strlen(k->prefix))) {
        problem(t, s->path, line, "%s is named by no test: write one that fails when it is broken", word);
    }
}

void check_descriptors(struct tidy *t)
{
    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        for (size_t j = 0; s->is_c && !s->is_header && j < sizeof kinds / sizeof kinds[0]; j++) {
            if (starts_with(s->path, kinds[j].folder) && starts_with(base_name(s->path), kinds[j].prefix)) {
                descriptor_check(t, s, &kinds[j]);
            }
        }
    }
}
