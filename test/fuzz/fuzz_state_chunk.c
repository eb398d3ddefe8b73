/* fuzz_state_chunk.c - any bytes as a chunk of saved state: as they are, and with checksums made right, so that what lies behind them is
 * reached. A host with a state of every shape begins with it. An error has a text; what was taken can be saved, and a host that begins
 * with that saves the same bytes. Without a host they are told, too. */
#include "flow/state/snapshot.h"
#include "flow/state/saved_rows.h"
#include "flow/state/snapshot_chunk.h"
#include "flow/state/snapshot_compare.h"
#include "flow/state/snapshot_survey.h"
#include "ground/base/hash.h"
#include "support/every_shape.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SIZE_MOST = 64 * 1024 };

static void u32_put(char *to, uint32_t v) { memcpy(to, &v, sizeof v); }
static void u64_put(char *to, uint64_t v) { memcpy(to, &v, sizeof v); }

/* Headers as they should be, with what they say kept. */
static void seal(char *chunk, size_t size)
{
    bool is_part = size >= CHUNK_HEADER_PARTS && chunk[4] == CHUNK_VERSION_PARTS;
    size_t header = is_part ? CHUNK_HEADER_PARTS : CHUNK_HEADER;

    if (size < header) return;
    memcpy(chunk, "TWST", 4);
    u32_put(chunk + 4, is_part ? CHUNK_VERSION_PARTS : CHUNK_VERSION);
    u32_put(chunk + 8, CHUNK_HASH_VERSION);
    u32_put(chunk + 12, EVERY_GROUPS);
    u64_put(chunk + header - 8, hash64(chunk, header - 8));
    for (size_t at = header; size - at >= BLOCK_HEADER;) {
        char *b = chunk + at;
        uint32_t stored;
        memcpy(&stored, b + 24, sizeof stored);
        if (stored > size - at - BLOCK_HEADER) u32_put(b + 24, stored = (uint32_t)(size - at - BLOCK_HEADER));
        u64_put(b + 32, hash64(b + BLOCK_HEADER, stored));
        u64_put(b + 40, hash64_seeded(b, 40, at));
        at += BLOCK_HEADER + stored;
    }
}

static void save(struct every_shape *s, struct buf *out)
{
    struct state_save *save;
    enum status st = state_save_create(&s->host, &save, NULL);

    ASSERT(st == S_OK);
    do st = state_save_step(save, out, SIZE_MAX, NULL);
    while (st == S_MORE);
    ASSERT(st == S_OK);
    state_save_free(save);
}

/* The same as a part that follows; nothing where it is none. */
static struct str part_behind(struct str chunk, struct arena *a)
{
    if (chunk.size < CHUNK_HEADER_PARTS || chunk.data[4] != CHUNK_VERSION_PARTS) return (struct str){0};
    char *copy = arena_strndup(a, chunk.data, chunk.size);
    copy[23] = 127; /* the top byte of its number */
    u64_put(copy + CHUNK_HEADER_PARTS - 8, hash64(copy, CHUNK_HEADER_PARTS - 8));
    return (struct str){copy, chunk.size};
}

/* False: it was refused. */
static bool begin_with(struct str chunk, struct arena *a, struct buf *out)
{
    struct state_part parts[2] = {{chunk}, {part_behind(chunk, a)}};
    struct state_image image = {parts, parts[1].bytes.size > 0 ? 2 : 1};
    struct state_restore restore = {.subtasks = &image, .count = 1, .max_parallelism = EVERY_GROUPS, .operator = "fuzz"};
    struct err e = {0};
    struct every_shape *s = arena_alloc(a, sizeof *s);

    if (every_shape_open(s, sb_find("hashmap"), &restore, a, &e) != S_OK) {
        if (e.text[0] != '\0') return false;
        fprintf(stderr, "fuzz_state_chunk: an error without a text\n");
        abort();
    }
    save(s, out);
    every_shape_close(s);
    return true;
}

/* As tables and programs read them. */
static void rows_print(const char *state, struct str chunk, struct mem *mem, struct buf *text)
{
    struct saved_rows *r = saved_rows_create(mem, state);
    const struct batch *b;
    const char *const *roles;
    struct err e = {0};
    enum status st = saved_rows_chunk(r, chunk, &e);

    while (st == S_OK && (st = saved_rows_next(r, &b, &roles, &e)) == S_OK) {
        buf_clear(text);
        for (uint32_t c = 0; c < b->col_count; c++)
            for (uint32_t i = 0; i < MIN(b->count, 4u); i++) vector_print(&b->cols[c], i, text);
    }
    ASSERT(st == S_END || e.text[0] != '\0');
    saved_rows_free(r);
}

/* As a job that is about to begin looks at them. */
static void states_find(struct str chunk, struct arena *a)
{
    struct state_part part = {chunk};
    struct state_image image = {&part, 1};
    struct state_restore restore = {.subtasks = &image, .count = 1, .max_parallelism = EVERY_GROUPS, .operator = "fuzz"};
    struct saved_states found;
    struct state_outcomes lost;
    struct err e = {0};

    if (saved_states_find(&restore, a, &found, &e) == S_OK) state_outcomes_lost(&found, a, &lost);
    else ASSERT(e.text[0] != '\0');
}

static void survey(struct str chunk, struct arena *a, struct mem *mem)
{
    struct state_survey s;
    struct err e = {0};
    struct buf text;

    state_survey_begin(&s, a);
    buf_init(&text, mem);
    if (state_survey_add(&s, 0, chunk, &e) != S_OK && e.text[0] == '\0') {
        fprintf(stderr, "fuzz_state_chunk: an error without a text\n");
        abort();
    }
    for (const struct survey_state *x = s.first; x != NULL; x = x->next) survey_schema_text(x, &text);
    for (const struct survey_state *x = s.first; x != NULL; x = x->next) rows_print(x->name, chunk, mem, &text);
    states_find(chunk, a);
    buf_release(&text);
}

static void run(struct str chunk)
{
    struct mem mem;
    struct arena a;
    struct buf once, twice;

    mem_init(&mem, "fuzz", 0);
    arena_init(&a, &mem, 0);
    buf_init(&once, &mem);
    buf_init(&twice, &mem);
    survey(chunk, &a, &mem);
    if (begin_with(chunk, &a, &once)) {
        bool again = begin_with((struct str){once.data, once.size}, &a, &twice);
        ASSERT(again && once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    }
    buf_release(&once);
    buf_release(&twice);
    arena_release(&a);
    ASSERT(mem.used == 0);
    mem_release(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy;

    if (size > SIZE_MOST) return 0;
    run((struct str){(const char *)bytes, size});
    copy = malloc(size + 1);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, bytes, size);
    seal(copy, size);
    run((struct str){copy, size});
    free(copy);
    return 0;
}
