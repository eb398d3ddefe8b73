/* fuzz_sql.c - any bytes as a script of statements: none may crash or take more than its bounds, and what is printed must be
 * read again and print the same. Errors must have a text; the script goes on behind the first ones. */
#include "language/sql/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024, ERRORS_MAX = 50 }; /* finding an error's line takes time by the length of the text */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void fail(const char *what, struct str text, const struct err *e)
{
    fprintf(stderr, "fuzz_sql: %s: %s\n%.*s\n", what, e->text, (int)text.size, text.data);
    abort();
}

/* Reads what was printed, and prints it again. */
static void check_again(struct buf *printed, struct buf *again, struct arena *a, struct err *e)
{
    struct tokens t;
    struct statement s;
    struct str text = {printed->data, printed->size};

    err_clear(e);
    if (statement_parse_one(text, a, &t, &s, e) != S_OK) fail("what was printed is not read", text, e);
    buf_clear(again);
    statement_print(&s, again);
    if (again->size != printed->size || memcmp(again->data, printed->data, again->size) != 0) {
        fprintf(stderr, "again: %.*s\n", (int)again->size, again->data);
        fail("the print differs when it is read", text, e);
    }
}

static void run(struct str script, struct mem *mem, struct arena *a, struct err *e)
{
    struct tokens t;
    struct statement s;
    struct buf printed, again;
    uint32_t at = 0, errors = 0;
    enum status st = tokens_cut(&t, script, NULL, a, e);

    if (st != S_OK) return;
    buf_init(&printed, mem);
    buf_init(&again, mem);
    do {
        uint32_t before = at;
        err_clear(e);
        e->more->count = 0;
        st = statement_parse(&t, &at, a, &s, e);
        if (st != S_OK && st != S_END && e->text[0] == '\0') fail("an error without a text", script, e);
        if (st != S_END && at == before) fail("the script does not move on", script, e);
        buf_clear(&printed);
        if (st != S_OK && ++errors == ERRORS_MAX) break;
        if (st != S_OK) continue;
        statement_print(&s, &printed);
        check_again(&printed, &again, a, e);
    } while (st != S_END);
    buf_release(&printed);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena a;
    struct err_list others = {0};
    struct err e = {.more = &others};

    if (size > TEXT_MAX) return 0;
    mem_init(&mem, "fuzz", 0);
    arena_init(&a, &mem, 0);
    run((struct str){(const char *)bytes, size}, &mem, &a, &e);
    arena_release(&a);
    mem_release(&mem);
    return 0;
}
