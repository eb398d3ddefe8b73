/* snapshot_load.c - finds in the chunks of a restore the rows of one state that are the host's, and hands them over in batches.
 *
 * The idea: each state goes through the headers of all blocks by itself, when it is opened; only blocks that may have rows for it are
 * read. Rows of keys are those whose key group the host has; rows of operator state are dealt out by their number, counted over all old
 * subtasks.
 *
 * Invariants: blocks whose key groups lie outside the host's are not read, whatever is in them. A batch is handed over in runs of one
 * namespace. Of chunks that are parts, what one says is gone counts before its rows, and both behind what the parts before it
 * say, but for key groups that a later part has all of: these are left out. Of state without keys the newest part counts alone. Not here: what becomes of rows (snapshot_table.c, timers.c), the bytes of
 * chunks (snapshot_chunk.c). */
#include "flow/state/snapshot_load.h"

#include "columns/column/batch_codec.h"
#include "flow/state/sb.h"
#include "flow/state/snapshot_evolve.h"
#include "flow/state/snapshot_rows.h"

/* The state's schema as a chunk has it, and what is to be done with its rows. */
struct incoming {
    struct state_schema schema;
    struct schema_evolution evolution;
};

/* What a chunk's schema blocks said: `mine` is NULL, or the schema with that number is that of the state. */
struct chunk_schemas {
    struct incoming **mine;
    uint32_t count;
};
enum { SCHEMAS_MAX = 1 << 20 };

struct load {
    const struct loader *l;
    const struct state_restore *from;
    struct arena arena; /* of a chunk */
    struct buf space;
    struct batch *batch;
    uint32_t max_parallelism; /* of the chunk */
    const struct incoming *changed; /* what `evolution` is made for */
    struct evolution_run *evolution;
    struct batch *voids;             /* keys and namespaces that went */
    struct chunk_part part, *parts;  /* of the present chunk; of this old subtask's chunks, each once */
    uint32_t parts_count, part_index; /* the present one of them */
    uint32_t *newest_bases; /* of the chunk's key groups: the last part that has all of it, counted from 1; NULL: there is one part alone */
    enum status (*put)(void *arg, const struct loaded_rows *rows, struct err *e); /* what is done with rows */
    uint32_t subtask, part_at;
    uint64_t number; /* of the next row of operator state */
    uint64_t keys, all, mine, bytes; /* counting: keys; rows, those in blocks with key groups of the host; bytes of these */
    uint32_t counted;         /* old subtasks whose keys are counted */
    bool has;
    uint64_t hashes[BATCH_ROWS];
    uint64_t picked[BATCH_ROWS];
    uint16_t sel[BATCH_ROWS];
    struct err *e;
};

static uint32_t parallelism_of(const struct state_host *h) { return MAX(h->parallelism, 1u); }

/* ---- whose rows */

/* Operator state: does this host take rows of that old subtask at all? */
static bool takes_from(const struct load *c, uint32_t subtask)
{
    const struct state_host *h = c->l->host;
    uint32_t now = parallelism_of(h), then = c->from->count;

    switch ((enum state_sharing)c->l->own->sharing) {
    case STATE_LIST: return now != then || subtask == h->subtask;
    case STATE_BROADCAST: return subtask == h->subtask % then;
    default: return true;
    }
}

/* The key groups that rows of the block may have now: where the job has more of them than the chunk's had, each is parts of several. */
struct groups {
    uint64_t first, end;
};

static struct groups groups_of(const struct load *c, const struct chunk_block *b)
{
    uint64_t then = c->max_parallelism, now = c->l->host->max_parallelism, end = (uint64_t)b->group_first + b->group_count;

    if (then == now || b->group_count == 0) return (struct groups){b->group_first, end};
    uint64_t least = (((uint64_t)b->group_first << 32) + then - 1) / then, most = ((end << 32) + then - 1) / then - 1; /* halves of hashes */
    return (struct groups){least * now >> 32, (most * now >> 32) + 1};
}

static bool is_outside(const struct load *c, const struct chunk_block *b)
{
    const struct state_host *h = c->l->host;
    struct groups g = groups_of(c, b);

    return g.first >= h->group_first + h->group_count || g.end <= h->group_first;
}

/* A later part has all of the key group: what this one says of it is void. */
static bool is_void(const struct load *c, uint32_t group) { return c->newest_bases != NULL && c->newest_bases[group] > c->part_index + 1; }

static bool is_all_void(const struct load *c, const struct chunk_block *b)
{
    for (uint32_t i = 0; i < b->group_count; i++)
        if (!is_void(c, b->group_first + i)) return false;
    return b->group_count > 0 && c->newest_bases != NULL;
}

/* No part before this one says anything of the key group that counts. */
static bool is_begun(const struct load *c, uint32_t group) { return c->newest_bases == NULL || c->newest_bases[group] == c->part_index + 1; }

enum pick { PICK_ALL, PICK_NEW, PICK_OLD };

static bool is_picked(const struct load *c, uint64_t hash, enum pick which)
{
    uint32_t group = state_key_group(hash, c->max_parallelism);

    if (c->newest_bases == NULL) return true;
    return !is_void(c, group) && (which == PICK_ALL || is_begun(c, group) == (which == PICK_NEW));
}

/* The rows of the batch that are the host's; all of them: sel stays NULL. */
static uint32_t rows_pick(struct load *c, const struct chunk_block *b, enum pick which, const uint16_t **sel)
{
    const struct state_host *h = c->l->host;
    bool is_keyed = c->l->own->sharing == STATE_KEYED;
    uint32_t now = parallelism_of(h), n = 0;
    bool is_dealt = c->l->own->sharing == STATE_LIST && now != c->from->count;
    struct groups g = groups_of(c, b);
    bool all = is_keyed ? g.first >= h->group_first && g.end <= h->group_first + h->group_count : !is_dealt;

    *sel = NULL;
    if (all && !is_keyed) return b->rows;
    for (uint32_t i = 0; i < b->rows; i++) {
        uint64_t turn = is_keyed ? state_key_group(c->hashes[i], h->max_parallelism) - h->group_first : (c->number + i) % now;
        bool is_mine = is_keyed ? turn < h->group_count && is_picked(c, c->hashes[i], which) : turn == h->subtask;
        c->sel[n] = (uint16_t)i;
        n += is_mine;
    }
    if (n < b->rows) *sel = c->sel;
    return n;
}

/* ---- rows of a block */

static void evolution_end(struct load *c)
{
    evolution_run_free(c->evolution);
    c->evolution = NULL;
    c->changed = NULL;
}

/* For rows as they lie in the chunk. */
static enum status batch_make(struct load *c, const struct incoming *in)
{
    const struct state_schema *s = &in->schema;
    bool is_own = in->evolution.is_same && s->count[ROLE_STAMP] == c->l->own->count[ROLE_STAMP];
    const struct type *row = is_own ? c->l->own->row : s->row; /* types of the chunk live with it: the batch outlives it */

    if (c->batch != NULL && c->batch->schema == row) {
        batch_clear(c->batch);
        return S_OK;
    }
    batch_free(c->batch);
    c->batch = NULL;
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (s->columns[i].type->phys >= P_COUNT) return err_set(c->e, E_DATA, "a column of a type that has no values");
    }
    c->batch = batch_create(row, BATCH_ROWS, c->l->host->mem);
    return S_OK;
}

/* The rows of the batch as the state has them. */
static enum status rows_evolve(struct load *c, const struct incoming *in, const struct batch **rows)
{
    if (c->changed != in) {
        evolution_end(c);
        TRY(evolution_run_create(&in->schema, &in->evolution, c->l->host->mem, &c->evolution, c->e));
        c->changed = in;
    }
    return evolution_run_batch(c->evolution, c->batch, rows, c->e);
}

static enum status runs_put(struct load *c, const struct state_schema *s, const struct batch *b, const uint16_t *sel, uint32_t count, bool is_new)
{
    const int64_t *ns = s->count[ROLE_NAMESPACE] > 0 ? VECTOR_VALUES(&b->cols[s->first[ROLE_NAMESPACE]], int64_t) : NULL;
    struct loaded_rows rows = {.schema = s, .batch = b, .is_new = is_new};
    const uint64_t *hashes = c->hashes;

    for (uint32_t i = 0; sel != NULL && i < count; i++) c->picked[i] = c->hashes[sel[i]];
    if (sel != NULL) hashes = c->picked;
    if (ns != NULL && sel == NULL) {
        for (uint32_t i = 0; i < count; i++) c->sel[i] = (uint16_t)i;
        sel = c->sel;
    }
    for (uint32_t i = 0, n; i < count; i += n) {
        n = count - i;
        if (ns != NULL) {
            for (n = 1; i + n < count && ns[sel[i + n]] == ns[sel[i]];) n++;
            rows.ns = ns[sel[i]];
        }
        rows.sel = sel != NULL ? sel + i : NULL;
        rows.hashes = hashes + i;
        rows.count = n;
        TRY(c->put(c->l->arg, &rows, c->e));
    }
    return S_OK;
}

static enum status rows_decode(struct load *c, const struct chunk_block *b, struct batch *to)
{
    struct str bytes;
    struct dec d;

    TRY(chunk_read(b, &c->space, &bytes, c->e));
    dec_init(&d, bytes.data, bytes.size);
    TRY(batch_decode(&d, to, c->e));
    if (dec_left(&d) != 0 || to->count != b->rows || to->kinds != NULL || to->times != NULL)
        return err_set(c->e, E_DATA, "its rows are not those that it speaks of");
    return S_OK;
}

static enum status rows_hand(struct load *c, const struct state_schema *s, const struct chunk_block *b, const struct batch *rows)
{
    const uint16_t *sel;

    if (c->l->hash != NULL) c->l->hash(c->l->arg, rows, c->hashes);
    else for (uint32_t i = 0; i < b->rows; i++) c->hashes[i] = state_host_hash(c->l->host);
    if (c->newest_bases == NULL || c->put != c->l->put || s->sharing != STATE_KEYED) {
        uint32_t count = rows_pick(c, b, PICK_ALL, &sel);
        return runs_put(c, s, rows, sel, count, c->put == c->l->put && s->sharing == STATE_KEYED);
    }
    uint32_t count = rows_pick(c, b, PICK_NEW, &sel);
    TRY(runs_put(c, s, rows, sel, count, true));
    count = rows_pick(c, b, PICK_OLD, &sel);
    return runs_put(c, s, rows, sel, count, false);
}

static enum status block_load(struct load *c, const struct incoming *in, const struct chunk_block *b)
{
    const struct batch *rows;

    TRY(batch_make(c, in));
    TRY(rows_decode(c, b, c->batch));
    if (in->evolution.is_same) return rows_hand(c, &in->schema, b, c->batch);
    TRY(rows_evolve(c, in, &rows));
    return rows_hand(c, &in->evolution.target, b, rows);
}

/* Keys, or namespaces, that went: of these columns a state keeps the types. */
static enum status void_load(struct load *c, const struct chunk_block *b)
{
    const struct state_schema *s = c->l->own;
    bool has_keys = b->kind == CHUNK_GONE;

    if (c->voids == NULL) c->voids = batch_create(s->row, BATCH_ROWS, c->l->host->mem);
    batch_clear(c->voids);
    for (uint32_t i = 0; i < c->voids->col_count; i++) c->voids->cols[i].form = VEC_FLAT;
    schema_void_columns(s, c->voids, has_keys);
    TRY(rows_decode(c, b, c->voids));
    if (has_keys) return rows_hand(c, s, b, c->voids);
    for (uint32_t i = 0; i < b->rows; i++) {
        const struct loaded_drop drop = {.ns = s->namespaced ? VECTOR_VALUES(&c->voids->cols[s->first[ROLE_NAMESPACE]], int64_t)[i] : 0,
                                         .max_parallelism = c->max_parallelism, .group_first = b->group_first,
                                         .group_count = b->group_count, .is_all = c->from->count == 1};
        TRY(c->l->dropped(c->l->arg, &drop, c->e));
    }
    return S_OK;
}

/* ---- chunks */

/* The schema with this number, when it is that of the state. */
static enum status schema_note(struct load *c, struct chunk_schemas *known, const struct chunk_block *b)
{
    struct incoming *in = ARENA_NEW(&c->arena, struct incoming);
    struct str bytes;

    if (b->number != known->count || known->count == SCHEMAS_MAX) return err_set(c->e, E_DATA, "a description out of turn");
    TRY(chunk_read(b, &c->space, &bytes, c->e));
    TRY(schema_decode(bytes, &c->arena, &in->schema, c->e));
    bool is_mine = schema_is_of(&in->schema, c->l->own);
    if (is_mine) TRY(schema_evolve(&in->schema, c->l->own, &c->arena, &in->evolution, c->e));
    if ((known->count & (known->count + 1)) == 0) { /* full: room doubles */
        struct incoming **more = ARENA_ARRAY(&c->arena, struct incoming *, 2 * (known->count + 1));
        if (known->count > 0) memcpy(more, known->mine, known->count * sizeof *more);
        known->mine = more;
    }
    known->mine[known->count++] = is_mine ? in : NULL;
    return S_OK;
}

/* What is done with the state's schema of each chunk, and with its blocks of rows. */
struct visit {
    enum status (*schema)(struct load *c, const struct incoming *in);
    enum status (*rows)(struct load *c, const struct incoming *in, const struct chunk_block *b);
    bool loads;
};

static enum status chunk_visit(struct load *c, struct str bytes, const struct visit *v)
{
    struct chunk_reader r;
    struct chunk_schemas known = {0};
    struct chunk_block b;
    enum status st;

    TRY(chunk_open(&r, bytes, c->e));
    c->max_parallelism = r.max_parallelism;
    c->part = r.part;
    while ((st = chunk_next(&r, &b, c->e)) == S_OK) {
        uint32_t before = known.count;
        if (b.kind == CHUNK_SCHEMA) st = schema_note(c, &known, &b);
        else if (b.number >= known.count) st = err_set(c->e, E_DATA, "rows that nothing describes");
        if (st == S_OK && b.kind == CHUNK_SCHEMA && known.mine[before] != NULL) st = v->schema(c, known.mine[before]);
        if (st == S_OK && b.kind != CHUNK_SCHEMA && known.mine[b.number] != NULL) st = v->rows(c, known.mine[b.number], &b);
        if (st == S_OK) continue;
        if (st == E_DATA) err_wrap(c->e, "the block at byte %zu", b.at);
        return st;
    }
    return st == S_END ? S_OK : st;
}

static enum status restore_check(const struct state_host *h, struct err *e)
{
    const struct state_restore *from = h->restore;

    if (from->max_parallelism <= h->max_parallelism) return S_OK;
    err_set(e, E_CONFIG, "the state was written with a max parallelism of %u, now it is %u", from->max_parallelism, h->max_parallelism);
    err_hint(e, "A max parallelism may be raised and never lowered: set pipeline.max-parallelism, or that of the operator, to %u or more.",
             from->max_parallelism);
    return E_CONFIG;
}

/* Where the error is: operator, state, and for damaged bytes where they lie. */
static enum status error_place(const struct load *c, enum status st)
{
    const struct state_schema *own = c->l->own;

    if (st == E_DATA) err_wrap(c->e, "old subtask %u, chunk %u", c->subtask, c->part_at);
    if (st != E_BUDGET) err_wrap(c->e, own->kind == SCHEMA_TIMERS ? "timers `%s`" : "state `%s`", own->name); /* that says it itself */
    if (c->from->operator != NULL) err_wrap(c->e, "operator '%s'", c->from->operator);
    return st;
}

/* ---- parts */

static enum status schema_pass(struct load *c, const struct incoming *in)
{
    (void)c;
    (void)in;
    return S_OK;
}

/* Before the rows of a part: what it says is gone, and what comes instead of older rows. */
static enum status rows_void(struct load *c, const struct incoming *in, const struct chunk_block *b)
{
    if (b->rows == 0 || b->rows > BATCH_ROWS) return err_set(c->e, E_DATA, "a block of %u rows", b->rows);
    if (is_outside(c, b) || is_all_void(c, b)) return S_OK;
    c->put = c->l->gone;
    if (b->kind != CHUNK_ROWS) return void_load(c, b);
    return c->l->replaces ? block_load(c, in, b) : S_OK;
}

static enum status part_note(struct load *c, struct str bytes, uint32_t capacity)
{
    struct chunk_reader r;

    TRY(chunk_open(&r, bytes, c->e));
    if (r.max_parallelism != c->from->max_parallelism)
        return err_set(c->e, E_DATA, "a chunk of a job of max parallelism %u", r.max_parallelism);
    bool is_first = c->parts_count == 0, is_same = !is_first && c->parts[c->parts_count - 1].number == r.part.number;
    if (!is_first && (r.part.number < c->parts[c->parts_count - 1].number || (!is_same && r.part.number == 0)))
        return err_set(c->e, E_DATA, "parts of state are not in order");
    if (is_same) return S_OK;
    ASSERT(c->parts_count < capacity);
    c->parts[c->parts_count++] = r.part;
    return S_OK;
}

static void bases_note(struct load *c)
{
    struct mem *mem = c->l->host->mem;

    mem_free(mem, c->newest_bases);
    c->newest_bases = NULL;
    if (c->parts_count < 2) return;
    c->newest_bases = mem_zalloc(mem, c->from->max_parallelism * sizeof *c->newest_bases);
    for (uint32_t p = 0; p < c->parts_count; p++)
        for (uint32_t i = 0; i < c->parts[p].base_count; i++) c->newest_bases[c->parts[p].base_first + i] = p + 1;
}

static enum status parts_note(struct load *c, const struct state_image *image)
{
    struct mem *mem = c->l->host->mem;

    mem_free(mem, c->parts);
    c->parts = mem_alloc(mem, (image->part_count + 1) * sizeof *c->parts);
    c->parts_count = 0;
    for (c->part_at = 0; c->part_at < image->part_count; c->part_at++)
        TRY(part_note(c, image->parts[c->part_at].bytes, image->part_count));
    bases_note(c);
    return S_OK;
}

bool snapshot_is_whole_in_each(const struct state_schema *own)
{
    return own->kind == SCHEMA_TIMERS || own->sharing != STATE_KEYED || own->count[ROLE_KEY] == 0;
}

static enum status one_visit(struct load *c, const struct state_image *image, uint32_t at, const struct visit *v)
{
    c->part_at = at;
    evolution_end(c);
    arena_reset(&c->arena);
    if (c->batch != NULL && c->batch->schema != c->l->own->row) { /* its types were those of a chunk */
        batch_free(c->batch);
        c->batch = NULL;
    }
    return chunk_visit(c, image->parts[at].bytes, v);
}

static uint64_t number_of(const struct load *c, const struct state_image *image, uint32_t at)
{
    struct chunk_reader r;

    return chunk_open(&r, image->parts[at].bytes, c->e) == S_OK ? r.part.number : 0;
}

/* All chunks of one part: what went counts first. */
static enum status part_visit(struct load *c, const struct state_image *image, uint32_t from, uint32_t end, const struct visit *v)
{
    static const struct visit voids = {schema_pass, rows_void, .loads = true};
    uint64_t number = number_of(c, image, from);

    if (number > 0 && snapshot_is_whole_in_each(c->l->own) && number != c->parts[c->parts_count - 1].number) return S_OK;
    bool voids_some = v->loads && c->l->gone != NULL && number > c->parts[0].number;
    for (uint32_t i = from; voids_some && i < end; i++) TRY(one_visit(c, image, i, &voids));
    c->put = c->l->put;
    for (uint32_t i = from; i < end; i++) TRY(one_visit(c, image, i, v));
    return v->loads && c->l->part_end != NULL ? c->l->part_end(c->l->arg, c->e) : S_OK;
}

static enum status image_visit(struct load *c, const struct state_image *image, const struct visit *v)
{
    TRY(parts_note(c, image));
    c->part_index = 0;
    for (uint32_t from = 0, end; from < image->part_count; from = end, c->part_index++) {
        for (end = from + 1; end < image->part_count && number_of(c, image, end) == number_of(c, image, from);) end++;
        TRY(part_visit(c, image, from, end, v));
    }
    return S_OK;
}

static enum status images_visit(struct load *c, const struct visit *v)
{
    enum status st = restore_check(c->l->host, c->e);

    for (uint32_t i = 0; st == S_OK && i < c->from->count; i++) {
        c->subtask = i;
        st = image_visit(c, &c->from->subtasks[i], v);
    }
    return st == S_OK ? S_OK : error_place(c, st);
}

/* What was found is in *out, of which the numbers alone are good. */
static enum status visit(const struct loader *l, const struct visit *v, struct load *out, struct err *e)
{
    struct state_host *h = l->host;
    struct err unheard = {0};
    struct load *c = mem_zalloc(h->mem, sizeof *c);

    c->l = l;
    c->from = h->restore;
    c->e = e != NULL ? e : &unheard;
    arena_init(&c->arena, h->mem, 0);
    buf_init(&c->space, h->mem);
    enum status st = images_visit(c, v);
    if (out != NULL) *out = *c;
    evolution_end(c);
    batch_free(c->batch);
    batch_free(c->voids);
    mem_free(h->mem, c->parts);
    mem_free(h->mem, c->newest_bases);
    buf_release(&c->space);
    arena_release(&c->arena);
    mem_free(h->mem, c);
    return st;
}

/* ---- rows */

static enum status rows_load(struct load *c, const struct incoming *in, const struct chunk_block *b)
{
    bool is_keyed = in->schema.sharing == STATE_KEYED;
    enum status st = S_OK;

    if (b->kind != CHUNK_ROWS) return S_OK;
    if (b->rows == 0 || b->rows > BATCH_ROWS) return err_set(c->e, E_DATA, "a block of %u rows", b->rows);
    if (is_keyed ? !is_outside(c, b) && !is_all_void(c, b) : takes_from(c, c->subtask)) st = block_load(c, in, b);
    c->number += b->rows;
    return st;
}

enum status load_rows(const struct loader *l, struct err *e)
{
    static const struct visit rows = {schema_pass, rows_load, .loads = true};

    return visit(l, &rows, NULL, e);
}

/* ---- how many */

/* Every chunk says how many keys its subtask has. */
static enum status keys_count(struct load *c, const struct incoming *in)
{
    if (c->counted <= c->subtask) c->keys += in->schema.keys;
    c->counted = c->subtask + 1;
    c->has = true;
    return S_OK;
}

static enum status rows_count(struct load *c, const struct incoming *in, const struct chunk_block *b)
{
    (void)in;
    if (b->kind != CHUNK_ROWS) return S_OK;
    if (is_all_void(c, b)) return S_OK;
    c->all += b->rows;
    if (is_outside(c, b)) return S_OK;
    c->mine += b->rows;
    c->bytes += b->size;
    return S_OK;
}

enum status load_count(const struct loader *l, struct load_size *out, struct err *e)
{
    static const struct visit counting = {keys_count, rows_count, .loads = false};
    struct load c;

    TRY(visit(l, &counting, &c, e));
    *out = (struct load_size){.bytes = c.bytes, .has = c.has};
    if (c.all > 0) out->keys = (uint64_t)((double)MIN(c.keys, c.all) * (double)c.mine / (double)c.all);
    return S_OK;
}

/* ---- a whole chunk */

enum status state_part_check(struct str bytes, struct err *e)
{
    struct chunk_reader r;
    struct chunk_block b;
    struct mem mem;
    struct buf space;
    struct str content;
    enum status st = chunk_open(&r, bytes, e);

    mem_init(&mem, "check", 0);
    buf_init(&space, &mem);
    while (st == S_OK && (st = chunk_next(&r, &b, e)) == S_OK) st = chunk_read(&b, &space, &content, e);
    buf_release(&space);
    mem_release(&mem);
    return st == S_END ? S_OK : st;
}
