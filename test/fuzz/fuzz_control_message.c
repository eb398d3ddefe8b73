/* fuzz_control_message.c - hostile bytes as what another process of the cluster says: the first byte is the kind. What reads must also
 * write, and read again as the same bytes. */
#include "control/cluster/messages.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try_message(struct mem *mem, struct arena *a, enum message_kind kind, struct str bytes)
{
    const void *first, *second;
    struct buf once, twice;

    buf_init(&once, mem);
    buf_init(&twice, mem);
    if (message_decode(kind, bytes, a, &first, NULL) != S_OK) return;
    message_encode(kind, first, &once);
    enum status st = message_decode(kind, (struct str){once.data, once.size}, a, &second, NULL);
    ASSERT(st == S_OK);
    message_encode(kind, second, &twice);
    ASSERT(once.size == twice.size && (once.size == 0 || memcmp(once.data, twice.data, once.size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena arena;

    mem_init(&mem, "fuzz", 0);
    arena_init(&arena, &mem, 0);
    if (size > 0) try_message(&mem, &arena, (enum message_kind)bytes[0], (struct str){(const char *)bytes + 1, size - 1});
    mem_release(&mem);
    return 0;
}
