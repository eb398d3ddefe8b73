/* fuzz_metadata.c - hostile bytes as the metadata of a snapshot, and as the record of a job. The checksum at the end is
 * mended first: whoever means harm can do that, and a fuzzer that cannot would see nothing but the check. What reads must
 * also write, and read again as the same bytes. */
#include "control/snapshot/job_record.h"
#include "ground/base/codec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try_metadata(struct arena *a, struct mem *mem, struct str bytes)
{
    struct snapshot_metadata first, second;
    struct buf once, twice;

    buf_init(&once, mem);
    buf_init(&twice, mem);
    if (metadata_decode(a, bytes, &first, NULL) != S_OK) return;
    metadata_encode(&first, &once);
    enum status st = metadata_decode(a, (struct str){once.data, once.size}, &second, NULL);
    ASSERT(st == S_OK);
    metadata_encode(&second, &twice);
    ASSERT(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
}

static void try_record(struct arena *a, struct mem *mem, struct str bytes)
{
    struct job_record first, second;
    struct buf once, twice;

    buf_init(&once, mem);
    buf_init(&twice, mem);
    if (job_record_decode(a, bytes, &first, NULL) != S_OK) return;
    job_record_encode(&first, &once);
    enum status st = job_record_decode(a, (struct str){once.data, once.size}, &second, NULL);
    ASSERT(st == S_OK);
    job_record_encode(&second, &twice);
    ASSERT(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct mem mem;
    struct arena arena;
    struct buf mended;

    mem_init(&mem, "fuzz", 0);
    arena_init(&arena, &mem, 0);
    buf_init(&mended, &mem);
    if (size >= 8) {
        buf_append(&mended, bytes, size - 8);
        enc_u64(&mended, hash64(mended.data, mended.size));
        try_metadata(&arena, &mem, (struct str){mended.data, mended.size});
        try_record(&arena, &mem, (struct str){mended.data, mended.size});
    }
    mem_release(&mem);
    return 0;
}
