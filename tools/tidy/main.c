/* main.c - tidy: the house rules that a machine can check. See the head of each check_*.c for what it proves.
 *
 *     tidy [--root DIR] [--build DIR] [--cc COMPILER] [--report]
 *
 * Every line says file:line: what is wrong, why it matters, what to do. Status 1 when there is a problem; remarks do not
 * count. The build folder must be built: symbols are read from its objects. */
#include "tidy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fputs("usage: tidy [--root DIR] [--build DIR] [--cc COMPILER] [--report]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct tidy t = {.root = ".", .build = "build", .cc = "cc"};
    bool is_report = false;

    for (int i = 1; i < argc; i++) {
        const char **target = strcmp(argv[i], "--root") == 0    ? &t.root
                              : strcmp(argv[i], "--build") == 0 ? &t.build
                                                                : &t.cc;

        if (strcmp(argv[i], "--report") == 0) {
            is_report = true;
        } else if ((target == &t.cc && strcmp(argv[i], "--cc") != 0) || i + 1 == argc) {
            return usage();
        } else {
            *target = argv[++i];
        }
    }
    t.build = realpath(t.build, NULL);
    if (t.build == NULL) {
        fputs("tidy: no build folder: run make first\n", stderr);
        return 2;
    }
    tree_read(&t);
    check_includes(&t);
    check_headers(&t);
    check_objects(&t);
    check_sizes(&t);
    check_documents(&t);
    check_descriptors(&t);
    check_text(&t);
    if (is_report) {
        report_print(&t);
    }
    printf("tidy: %d files, %d problems, %d remarks\n", t.source_count + t.blob_count, t.problem_count, t.remark_count);
    return t.problem_count == 0 ? 0 : 1;
}
