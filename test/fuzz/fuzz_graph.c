/* fuzz_graph.c - hostile bytes as an encoded job graph. What reads must also write, and read again as the same bytes. */
#include "control/graph/graph.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena arena;
    struct graph first, second;
    struct buf once, twice;

    mem_init(&mem, "fuzz", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&once, &mem);
    buf_init(&twice, &mem);
    graph_init(&first, &arena);
    graph_init(&second, &arena);
    if (graph_decode(&first, (struct str){(const char *)bytes, size}, NULL) == S_OK) {
        graph_encode(&first, &once);
        enum status st = graph_decode(&second, (struct str){once.data, once.size}, NULL);
        ASSERT(st == S_OK);
        graph_encode(&second, &twice);
        ASSERT(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    }
    mem_release(&mem);
    return 0;
}
