/* fuzz_plan_file.c - any bytes as a compiled plan's file. What is refused has a text; what reads has the graph that its digest says. */
#include "flow/format/format.h"
#include "surface/sql/plan_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena arena;
    struct plan_file_text plan;
    struct graph g;
    struct err e = {0};

    mem_init(&mem, "fuzz", 0);
    arena_init(&arena, &mem, 0);
    char *text = mem_zalloc(&mem, size + FORMAT_PADDING);
    if (size > 0) memcpy(text, bytes, size);
    graph_init(&g, &arena);
    if (plan_file_read((struct str){text, size}, &arena, &plan, &e) == S_OK) {
        enum status st = graph_decode(&g, plan.graph, &e);
        ASSERT(st == S_OK || e.text[0] != '\0');
    } else {
        ASSERT(e.text[0] != '\0');
    }
    mem_free(&mem, text);
    mem_release(&mem);
    return 0;
}
