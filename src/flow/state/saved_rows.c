/* saved_rows.c - see saved_rows.h. A chunk describes its rows, so a block of them is decoded into a batch of what it says; that they are
 * the rows of some operator's table plays no part.
 *
 * Invariants: chunks are untrusted; parts of incremental checkpoints, whose rows alone are not the state, are refused. Not here: which chunks there are (control/snapshot). */
#include "flow/state/saved_rows.h"

#include "columns/column/batch_codec.h"
#include "flow/state/snapshot_schema.h"
#include "ground/base/str.h"

enum { SCHEMAS_MAX = 4096 };

struct saved_rows {
    struct mem *mem;
    struct arena arena; /* of the chunk */
    const char *state;
    struct chunk_reader reader;
    struct state_schema **schemas; /* [SCHEMAS_MAX]; NULL: of another state */
    uint32_t count;
    const struct state_schema *made; /* what the batch is of */
    const char **roles;
    struct batch *batch;
    struct buf space;
};

struct saved_rows *saved_rows_create(struct mem *mem, const char *state)
{
    struct saved_rows *r = mem_zalloc(mem, sizeof *r);

    r->mem = mem;
    r->state = state;
    arena_init(&r->arena, mem, 0);
    buf_init(&r->space, mem);
    r->schemas = mem_zalloc(mem, SCHEMAS_MAX * sizeof(struct state_schema *));
    return r;
}

static void batch_drop(struct saved_rows *r)
{
    batch_free(r->batch);
    r->batch = NULL;
    r->made = NULL;
}

void saved_rows_free(struct saved_rows *r)
{
    if (r == NULL) return;
    batch_drop(r);
    buf_release(&r->space);
    arena_release(&r->arena);
    mem_free(r->mem, r->schemas);
    mem_free(r->mem, r);
}

enum status saved_rows_chunk(struct saved_rows *r, struct str bytes, struct err *e)
{
    batch_drop(r);
    arena_reset(&r->arena);
    r->count = 0;
    TRY(chunk_open(&r->reader, bytes, e));
    if (r->reader.part.number == 0) return S_OK;
    err_hint(e, "take a savepoint, which holds all (`thalweg savepoint`, or a job that begins with this checkpoint), and read that");
    return err_set(e, E_UNSUPPORTED, "the state of an incremental checkpoint lies in parts, of which each says what had changed: its rows alone "
                                     "are not the state");
}

static enum status schema_note(struct saved_rows *r, const struct chunk_block *b, struct err *e)
{
    struct state_schema *s = ARENA_NEW(&r->arena, struct state_schema);
    struct str bytes;

    if (b->number != r->count || r->count == SCHEMAS_MAX) return err_set(e, E_DATA, "a description out of turn");
    TRY(chunk_read(b, &r->space, &bytes, e));
    TRY(schema_decode(bytes, &r->arena, s, e));
    r->schemas[r->count++] = str_equal(str_of(s->name), str_of(r->state)) ? s : NULL;
    return S_OK;
}

static enum status batch_make(struct saved_rows *r, const struct state_schema *s, struct err *e)
{
    if (r->made == s) {
        batch_clear(r->batch);
        return S_OK;
    }
    batch_drop(r);
    r->roles = ARENA_ARRAY(&r->arena, const char *, s->column_count + 1);
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (s->columns[i].type->phys >= P_COUNT) return err_set(e, E_DATA, "a column of a type that has no values");
        r->roles[i] = schema_role_name(s, s->columns[i].role);
    }
    r->batch = batch_create(s->row, BATCH_ROWS, r->mem);
    r->made = s;
    return S_OK;
}

static enum status rows_read(struct saved_rows *r, const struct chunk_block *b, struct err *e)
{
    struct str bytes;
    struct dec d;

    if (b->rows == 0 || b->rows > BATCH_ROWS) return err_set(e, E_DATA, "a block of %u rows", b->rows);
    TRY(chunk_read(b, &r->space, &bytes, e));
    TRY(batch_make(r, r->schemas[b->number], e));
    dec_init(&d, bytes.data, bytes.size);
    TRY(batch_decode(&d, r->batch, e));
    if (dec_left(&d) == 0 && r->batch->count == b->rows && r->batch->kinds == NULL && r->batch->times == NULL) return S_OK;
    return err_set(e, E_DATA, "its rows are not those that it speaks of");
}

enum status saved_rows_next(struct saved_rows *r, const struct batch **out, const char *const **roles, struct err *e)
{
    struct chunk_block b;
    enum status st;

    while ((st = chunk_next(&r->reader, &b, e)) == S_OK) {
        bool is_rows = b.kind == CHUNK_ROWS;
        if (!is_rows) st = schema_note(r, &b, e);
        else if (b.number >= r->count) st = err_set(e, E_DATA, "rows that nothing describes");
        else if (r->schemas[b.number] == NULL) continue;
        else st = rows_read(r, &b, e);
        if (st != S_OK) {
            err_wrap(e, "the block at byte %zu", b.at);
            return st;
        }
        if (!is_rows) continue;
        *out = r->batch;
        *roles = r->roles;
        return S_OK;
    }
    return st;
}
