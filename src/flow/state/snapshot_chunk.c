/* snapshot_chunk.c - chunks of saved state as bytes: a header, then blocks, each with a header of its own.
 *
 * The idea: a block's header has a checksum, and in it lies the checksum of what the block holds. So who needs a few blocks of a chunk
 * goes from header to header without reading what lies between, and still no byte of what he uses can be another one than was written.
 * The place of a block goes into its header's checksum: a block that was moved, or one that is missing in front of it, is noticed.
 *
 * Invariants: numbers are little endian; bytes that mean nothing are zero, and others are refused. Not here: what blocks hold. */
#include "flow/state/snapshot_chunk.h"

#include "ground/base/codec.h"
#include "ground/base/hash.h"
#include "ground/base/squeeze.h"

#include <string.h>

static const char magic[4] = {'T', 'W', 'S', 'T'};

enum { HEADER_SUMMED = CHUNK_HEADER - 8, BLOCK_SUMMED = BLOCK_HEADER - 8, SQUEEZE_MIN = 64 };

/* ---- writing */

void chunk_begin(struct buf *out, uint32_t max_parallelism)
{
    size_t start = out->size;

    buf_append(out, magic, sizeof magic);
    enc_u32(out, CHUNK_VERSION);
    enc_u32(out, CHUNK_HASH_VERSION);
    enc_u32(out, max_parallelism);
    enc_u64(out, hash64(out->data + start, HEADER_SUMMED));
}

void chunk_begin_part(struct buf *out, uint32_t max_parallelism, const struct chunk_part *p)
{
    size_t start = out->size;

    ASSERT(p->number > 0);
    buf_append(out, magic, sizeof magic);
    enc_u32(out, CHUNK_VERSION_PARTS);
    enc_u32(out, CHUNK_HASH_VERSION);
    enc_u32(out, max_parallelism);
    enc_u64(out, p->number);
    enc_u32(out, p->group_first);
    enc_u32(out, p->group_count);
    enc_u32(out, p->base_first);
    enc_u32(out, p->base_count);
    enc_u64(out, hash64(out->data + start, CHUNK_HEADER_PARTS - 8));
}

static uint32_t u32_at(const char *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof v);
    return v;
}

static void put_u32(char *to, uint32_t v) { memcpy(to, &v, sizeof v); }
static void put_u64(char *to, uint64_t v) { memcpy(to, &v, sizeof v); }

static void header_put(char *to, const struct chunk_block *b, uint64_t sum, size_t at)
{
    memset(to, 0, BLOCK_HEADER);
    to[0] = (char)b->kind;
    to[1] = (char)b->is_packed;
    put_u32(to + 4, b->number);
    put_u32(to + 8, b->group_first);
    put_u32(to + 12, b->group_count);
    put_u32(to + 16, b->rows);
    put_u32(to + 20, b->size);
    put_u32(to + 24, b->stored);
    put_u64(to + 32, sum);
    put_u64(to + 40, hash64_seeded(to, BLOCK_SUMMED, at));
}

void chunk_add(struct buf *out, struct chunk_block b, struct str bytes)
{
    size_t at = out->size, from = at + BLOCK_HEADER;

    ASSERT(at >= CHUNK_HEADER && bytes.size <= UINT32_MAX);
    buf_reserve(out, BLOCK_HEADER + bytes.size);
    out->size = from;
    b.is_packed = bytes.size >= SQUEEZE_MIN && squeeze(bytes, out);
    if (!b.is_packed) buf_append(out, bytes.data, bytes.size);
    b.size = (uint32_t)bytes.size;
    b.stored = (uint32_t)(out->size - from);
    header_put(out->data + at, &b, hash64(out->data + from, b.stored), at);
}

/* ---- drafts */

static const char draft_magic[4] = {'T', 'W', 'S', 'D'};

void chunk_begin_draft(struct buf *out, size_t start) { memcpy(out->data + start, draft_magic, sizeof draft_magic); }

void chunk_add_draft(struct buf *out, struct chunk_block b, struct str bytes)
{
    size_t at = out->size;

    ASSERT(at >= CHUNK_HEADER && bytes.size <= UINT32_MAX);
    buf_reserve(out, BLOCK_HEADER + bytes.size);
    out->size = at + BLOCK_HEADER;
    buf_append(out, bytes.data, bytes.size);
    b.is_packed = 0;
    b.size = b.stored = (uint32_t)bytes.size;
    header_put(out->data + at, &b, 0, at);
}

static struct chunk_block draft_block(const char *from)
{
    return (struct chunk_block){.kind = (uint8_t)from[0], .number = u32_at(from + 4), .group_first = u32_at(from + 8),
        .group_count = u32_at(from + 12), .rows = u32_at(from + 16), .size = u32_at(from + 20)};
}

struct str chunk_finish(struct str draft, struct buf *space)
{
    bool is_draft = draft.size >= CHUNK_HEADER && memcmp(draft.data, draft_magic, sizeof draft_magic) == 0;

    if (!is_draft) return draft;
    size_t at = u32_at(draft.data + 4) == CHUNK_VERSION ? CHUNK_HEADER : CHUNK_HEADER_PARTS;
    buf_clear(space);
    buf_reserve(space, draft.size);
    buf_append(space, magic, sizeof magic);
    buf_append(space, draft.data + sizeof magic, at - sizeof magic);
    while (at < draft.size) {
        struct chunk_block b = draft_block(draft.data + at);
        chunk_add(space, b, (struct str){draft.data + at + BLOCK_HEADER, b.size});
        at += BLOCK_HEADER + b.size;
    }
    return (struct str){space->data, space->size};
}

/* ---- reading */

static bool is_within_groups(uint32_t first, uint32_t count, uint32_t max) { return first <= max && count <= max - first; }

static enum status part_read(struct chunk_reader *r, struct dec *d, struct err *e)
{
    struct chunk_part *p = &r->part;

    p->number = dec_u64(d);
    p->group_first = dec_u32(d);
    p->group_count = dec_u32(d);
    p->base_first = dec_u32(d);
    p->base_count = dec_u32(d);
    if (p->number == 0 || !is_within_groups(p->group_first, p->group_count, r->max_parallelism) ||
        !is_within_groups(p->base_first, p->base_count, r->max_parallelism))
        return err_set(e, E_DATA, "byte 16: a part of state that cannot be");
    return S_OK;
}

static enum status header_read(struct chunk_reader *r, struct err *e)
{
    struct dec d;

    if (r->bytes.size < CHUNK_HEADER) return err_set(e, E_DATA, "a chunk of state of %zu bytes is cut off", r->bytes.size);
    if (memcmp(r->bytes.data, magic, sizeof magic) != 0) return err_set(e, E_DATA, "byte 0: this is no chunk of state");
    dec_init(&d, r->bytes.data + sizeof magic, r->bytes.size - sizeof magic);
    uint32_t version = dec_u32(&d), hash_version = dec_u32(&d);
    bool is_part = version == CHUNK_VERSION_PARTS;
    r->at = is_part ? CHUNK_HEADER_PARTS : CHUNK_HEADER;
    if (r->bytes.size < r->at) return err_set(e, E_DATA, "a chunk of state of %zu bytes is cut off", r->bytes.size);
    uint64_t sum = hash64(r->bytes.data, r->at - 8), stored;
    memcpy(&stored, r->bytes.data + r->at - 8, sizeof stored);
    if (sum != stored) return err_set(e, E_DATA, "byte 0: the header of a chunk of state is damaged");
    if (version != CHUNK_VERSION && !is_part)
        return err_set(e, E_DATA, "state of version %u of the format; this program reads version %d", version, CHUNK_VERSION_PARTS);
    if (hash_version != CHUNK_HASH_VERSION)
        return err_set(e, E_DATA, "state with key groups of version %u; this program knows version %d", hash_version, CHUNK_HASH_VERSION);
    r->max_parallelism = dec_u32(&d);
    if (r->max_parallelism == 0) return err_set(e, E_DATA, "byte 12: a max parallelism of 0");
    return is_part ? part_read(r, &d, e) : S_OK;
}

enum status chunk_open(struct chunk_reader *r, struct str bytes, struct err *e)
{
    *r = (struct chunk_reader){.bytes = bytes};
    return header_read(r, e);
}

static uint64_t u64_at(const char *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return v;
}

/* The checksum holds; but the file may be a forged one. */
static bool is_sound(const struct chunk_block *b, const char *from, uint32_t max_parallelism)
{
    bool is_zero = from[2] == 0 && from[3] == 0 && u32_at(from + 28) == 0;

    if (!is_zero || b->kind < CHUNK_SCHEMA || b->kind > CHUNK_DROPPED || b->kind == 3 || b->is_packed > 1) return false;
    if (b->group_first > max_parallelism || b->group_count > max_parallelism - b->group_first) return false;
    return b->is_packed ? unsqueeze_may(b->stored, b->size) : b->stored == b->size;
}

enum status chunk_next(struct chunk_reader *r, struct chunk_block *b, struct err *e)
{
    const char *from = r->bytes.data + r->at;
    size_t left = r->bytes.size - r->at;

    if (left == 0) return S_END;
    if (left < BLOCK_HEADER) return err_set(e, E_DATA, "byte %zu: a block of state is cut off", r->at);
    if (u64_at(from + BLOCK_SUMMED) != hash64_seeded(from, BLOCK_SUMMED, r->at))
        return err_set(e, E_DATA, "byte %zu: the header of a block of state is damaged", r->at);
    *b = (struct chunk_block){.kind = (uint8_t)from[0], .is_packed = (uint8_t)from[1], .number = u32_at(from + 4),
        .group_first = u32_at(from + 8), .group_count = u32_at(from + 12), .rows = u32_at(from + 16), .size = u32_at(from + 20),
        .stored = u32_at(from + 24), .sum = u64_at(from + 32), .at = r->at, .bytes = from + BLOCK_HEADER};
    if (!is_sound(b, from, r->max_parallelism)) return err_set(e, E_DATA, "byte %zu: this is no block of state", r->at);
    if (b->stored > left - BLOCK_HEADER) return err_set(e, E_DATA, "byte %zu: a block of state is cut off", r->at);
    r->at += BLOCK_HEADER + b->stored;
    return S_OK;
}

enum status chunk_read(const struct chunk_block *b, struct buf *space, struct str *out, struct err *e)
{
    if (hash64(b->bytes, b->stored) != b->sum)
        return err_set(e, E_DATA, "byte %zu: a block of %u bytes of state is damaged", b->at + BLOCK_HEADER, b->stored);
    *out = (struct str){b->bytes, b->stored};
    if (!b->is_packed) return S_OK;
    buf_clear(space);
    buf_reserve(space, b->size + 1);
    if (!unsqueeze(*out, space->data, b->size))
        return err_set(e, E_DATA, "byte %zu: a block of state cannot be unpacked", b->at + BLOCK_HEADER);
    *out = (struct str){space->data, b->size};
    return S_OK;
}
