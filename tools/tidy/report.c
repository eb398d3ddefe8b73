/* report.c - `make report`: the figures of the house, to be kept as a series. Printing only. */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct series {
    int *values, count;
};

static void series_add(struct series *s, int value)
{
    s->values = grow(s->values, s->count, sizeof value);
    s->values[s->count++] = value;
}

static int int_compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void series_print(const char *title, struct series *s)
{
    if (s->count == 0) {
        return;
    }
    qsort(s->values, (size_t)s->count, sizeof(int), int_compare);
    printf("  %-34s %6d / %d / %d   (of %d)\n", title, s->values[s->count / 2], s->values[s->count * 9 / 10],
           s->values[s->count - 1], s->count);
}

static bool is_product(const struct source *s)
{
    return s->is_c && (starts_with(s->path, "src/") || starts_with(s->path, "include/"));
}

static void sizes_print(const struct tidy *t)
{
    struct series files = {0}, functions = {0};
    int above = 0;

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if (!is_product(s)) {
            continue;
        }
        if (!s->is_header) {
            series_add(&files, s->line_count);
        }
        for (int j = 0; j < s->function_count; j++) {
            series_add(&functions, s->functions[j].line_count);
            above += s->functions[j].line_count > 70;
        }
    }
    series_print("lines per .c file, median/p90/max", &files);
    series_print("lines per function, same", &functions);
    printf("  %-34s %6.2f %%\n", "functions above 70 lines",
           functions.count > 0 ? 100.0 * above / functions.count : 0.0);
}

/* Kernels check once per batch, outside their loops; a header's inline functions are too small to count. */
static bool has_asserts(const struct source *s) { return !s->is_header && strstr(s->path, "/kernel/") == NULL; }

static void density_print(const struct tidy *t)
{
    long comments = 0, lines = 0, asserts = 0, functions = 0, long_headers = 0;

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        if (!is_product(s)) {
            continue;
        }
        comments += s->comment_line_count;
        lines += s->line_count - s->blank_line_count;
        long_headers += s->is_header && s->line_count > 250;
        for (int j = 0; j < s->function_count && has_asserts(s); j++) {
            functions++;
            asserts += s->functions[j].assert_count;
        }
    }
    printf("  %-34s %6.2f   (aim 1.5; kernels and headers aside)\n", "asserts per function",
           functions > 0 ? (double)asserts / (double)functions : 0.0);
    printf("  %-34s %6.1f %%   (aim 20-35)\n", "lines with a comment",
           lines > 0 ? 100.0 * (double)comments / (double)lines : 0.0);
    printf("  %-34s %6ld   (aim 0)\n", "headers above 250 lines", long_headers);
}

static void fault_points_print(const struct tidy *t)
{
    int count = 0;

    for (int i = 0; i < t->source_count; i++) {
        const struct source *s = &t->sources[i];

        for (const char *p = s->is_c && starts_with(s->path, "src/") ? strstr(s->text, "fault(\"") : NULL; p != NULL;
             p = strstr(p + 1, "fault(\"")) {
            count++;
        }
    }
    printf("  %-34s %6d\n", "fault points in the code", count);
}

/* What `make sim` left behind: the seeds run since the last failure, one number. */
static void seeds_print(const struct tidy *t)
{
    size_t size;
    char *text = file_read(format("%s/sim_seeds", t->build), &size);

    printf("  %-34s %6ld\n", "sim seeds since the last failure", text != NULL ? atol(text) : 0L);
}

/* Over the last 20 commits that added a registered thing: how many files under src/ and include/ each one touched. */
static void additions_print(const struct tidy *t)
{
    FILE *git = popen(
        format("cd '%s' && git log -n 400 --no-merges --format='commit %%H' --name-status -- src include 2>/dev/null",
               t->root),
        "r");
    char line[600];
    int commits = 0, files = 0, touched = 0;
    bool is_addition = false;

    while (git != NULL && commits < 20) {
        bool at_end = fgets(line, sizeof line, git) == NULL;

        if (at_end || starts_with(line, "commit ")) {
            commits += is_addition;
            files += is_addition ? touched : 0;
            is_addition = false;
            touched = 0;
        } else if (line[0] == 'A' || line[0] == 'M') {
            const char *name = base_name(line);

            touched++;
            is_addition |=
                line[0] == 'A' && (starts_with(name, "op_") || starts_with(name, "fn_") || starts_with(name, "agg_") ||
                                   starts_with(name, "fmt_") || starts_with(name, "conn_"));
        }
        if (at_end) {
            break;
        }
    }
    if (git != NULL) {
        pclose(git);
    }
    printf("  %-34s %6.1f   (last %d; aim 1)\n", "files per addition of a thing",
           commits > 0 ? (double)files / commits : 0.0, commits);
}

void report_print(const struct tidy *t)
{
    printf("Thalweg in figures (src and include)\n");
    sizes_print(t);
    density_print(t);
    printf("  %-34s %6d   (aim 0)\n", "includes against the layers", t->layer_problem_count);
    printf("  %-34s %6d   (aim 0)\n", "mutable globals not listed", t->mutable_count);
    printf("  %-34s %6d   (aim 0)\n", "notes without an issue's number", t->todo_count);
    additions_print(t);
    fault_points_print(t);
    seeds_print(t);
}
