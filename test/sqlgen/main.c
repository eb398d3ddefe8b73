/* main.c - sqlgen [--seeds N] [--first SEED] [--seed SEED] [--queries N] [--folder F] [--verbose] [--trace] [--dump]: runs generated queries;
 * what differs goes to stderr with its seed, tables and texts, the counts to the last line. Status 1 when something differs. With
 * --dump, tables, queries and answers that peers share go to stdout, for peers.py. */
#include "sqlgen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    uint64_t seeds, first;
    struct checker c;
};

static bool read_arguments(int argc, char **argv, struct command *k)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "0";
        if (strcmp(name, "--verbose") == 0)
            k->c.verbose = true;
        else if (strcmp(name, "--dump") == 0)
            k->c.dumps = true;
        else if (strcmp(name, "--trace") == 0) k->c.traces = true;
        else if (strcmp(name, "--dump-all") == 0) k->c.dumps = k->c.dumps_all = true;
        else if (strcmp(name, "--seeds") == 0)
            k->seeds = strtoull(value, NULL, 10), i++;
        else if (strcmp(name, "--first") == 0)
            k->first = strtoull(value, NULL, 10), i++;
        else if (strcmp(name, "--seed") == 0)
            k->first = strtoull(value, NULL, 10), k->seeds = 1, i++;
        else if (strcmp(name, "--queries") == 0)
            k->c.queries = (uint32_t)strtoul(value, NULL, 10), i++;
        else if (strcmp(name, "--folder") == 0)
            k->c.folder = value, i++;
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct command k = {.seeds = 100, .first = 1, .c = {.queries = 5, .folder = "."}};
    struct totals *t = &k.c.totals;

    if (!read_arguments(argc, argv, &k)) {
        fprintf(stderr, "sqlgen: see the top of test/sqlgen/main.c\n");
        return 2;
    }
    k.c.sys = sys_linux_create_quiet();
    for (uint64_t i = 0; i < k.seeds; i++) seed_check(&k.c, k.first + i);
    sys_linux_free(k.c.sys);
    printf("sqlgen: %llu seeds, %llu queries, %llu differences (%llu refused, %llu failed in a row)\n",
           (unsigned long long)t->seeds, (unsigned long long)t->queries, (unsigned long long)t->differences,
           (unsigned long long)t->refused, (unsigned long long)t->failed);
    return t->differences > 0;
}
