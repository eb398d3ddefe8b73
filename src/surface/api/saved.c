/* saved.c - reading of savepoints from programs: what include/thalweg/savepoint.h promises, over control/snapshot and flow/state.
 *
 * Rows become structs 64 at a time, by the same conversion that functions get theirs by. Not here: writing (saved_write.c). */
#include "surface/api/saved.h"

#include "control/graph/graph.h"
#include "flow/operator/user_row.h"
#include "flow/state/saved_rows.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

/* --- opening -------------------------------------------------------------------------------------------------------------- */
struct tw_saved *tw_saved_open(const char *folder)
{
    struct mem mem;
    mem_init(&mem, "saved", 0);
    struct tw_saved *s = mem_zalloc(&mem, sizeof *s);

    mem_init(&s->mem, "saved", 0);
    mem_move(&mem, &s->mem);
    arena_init(&s->arena, &s->mem, 0);
    s->sys = sys_linux_create_quiet();
    if (folder == NULL) err_set(&s->err, E_CONFIG, "tw_saved_open needs a folder");
    else if (snapshot_reader_open(s->sys, arena_strdup(&s->arena, folder), &s->reader, &s->err) != S_OK) s->reader = NULL;
    return s;
}

void tw_saved_close(struct tw_saved *s)
{
    struct mem mem;

    if (s == NULL) return;
    snapshot_reader_close(s->reader);
    sys_linux_free(s->sys);
    mem_init(&mem, "saved", 0);
    mem_move(&s->mem, &mem);
    mem_release(&mem);
}

const char *saved_error_text(const struct err *e, char text[static SAVED_TEXT_MAX])
{
    if (e->status == S_OK) return NULL;
    snprintf(text, SAVED_TEXT_MAX, "%s%s%s", e->text, e->hint[0] != '\0' ? "; " : "", e->hint);
    return text;
}

const char *tw_saved_error(const struct tw_saved *s)
{
    return saved_error_text(&s->err, (char *)(uintptr_t)s->text);
}

static bool is_good(const struct tw_saved *s) { return s->reader != NULL && s->err.status == S_OK; }

/* --- operators and states -------------------------------------------------------------------------------------------------- */
uint32_t tw_saved_operator_count(const struct tw_saved *s) { return s->reader != NULL ? s->reader->metadata.operator_count : 0; }

static const struct inspected_operator *inspected(struct tw_saved *s)
{
    if (s->operators == NULL && is_good(s) && snapshot_inspect(s->reader, &s->operators, &s->err) != S_OK) s->operators = NULL;
    return s->operators;
}

bool tw_saved_operator_at(struct tw_saved *s, uint32_t i, struct tw_saved_operator *out)
{
    const struct inspected_operator *all = i < tw_saved_operator_count(s) ? inspected(s) : NULL;

    if (all == NULL) return false;
    const struct snapshot_operator *o = all[i].saved;
    *out = (struct tw_saved_operator){.name = o->name,
                                      .uid = o->uid,
                                      .id = o->id,
                                      .parallelism = o->parallelism,
                                      .max_parallelism = o->max_parallelism,
                                      .state_count = all[i].states.count,
                                      .bytes = all[i].bytes};
    return true;
}

const struct snapshot_operator *saved_operator(struct tw_saved *s, const char *uid)
{
    char id[GRAPH_ID_SIZE];

    if (!is_good(s)) return NULL;
    if (uid == NULL) {
        err_set(&s->err, E_CONFIG, "the uid of an operator is missing");
        return NULL;
    }
    graph_id_of_uid(uid, &s->mem, id);
    const struct snapshot_operator *o = metadata_find(&s->reader->metadata, snapshot_id_is_valid(uid) ? uid : id);
    if (o == NULL) err_set(&s->err, E_NOT_FOUND, "'%s' has no operator with the uid '%s'", s->reader->uri, uid);
    return o;
}

bool tw_saved_state_at(struct tw_saved *s, const char *uid, uint32_t i, struct tw_saved_state *out)
{
    const struct snapshot_operator *o = saved_operator(s, uid);
    const struct inspected_operator *all = o != NULL ? inspected(s) : NULL;

    if (all == NULL) return false;
    const struct survey_state *state = all[o - s->reader->metadata.operators].states.first;
    for (; state != NULL && i > 0; i--) state = state->next;
    if (state == NULL) return false;
    *out = (struct tw_saved_state){state->name, state->kind, state->keys, state->rows, state->bytes};
    return true;
}

/* --- rows ----------------------------------------------------------------------------------------------------------------- */
struct tw_saved_rows {
    struct tw_saved *saved;
    const struct snapshot_operator *operator;
    const struct tw_row *row;
    struct saved_rows *rows;
    uint32_t subtask, chunk;
    bool is_open;                /* the chunk */
    struct mem chunk_mem;
    struct arena arena;          /* of what a block is bound by */
    const struct batch *block;   /* NULL: the next one's turn */
    const struct type *bound_to; /* the schema that `bound` is for */
    struct user_row bound;
    uint32_t first, count, at;   /* rows that are structs now: count from row `first` of the block on */
    char *structs;               /* ROWCONV_ROWS of them */
    struct arena items;
};

const struct type *saved_names(struct arena *a, const struct type *row, uint32_t extra_first, uint32_t extra_count)
{
    const char **names = ARENA_ARRAY(a, const char *, row->child_count + 1);

    for (uint32_t i = 0; i < row->child_count; i++) {
        bool is_extra = i - extra_first < extra_count;
        names[i] = is_extra && extra_count == 1 && str_equal(str_of(row->names[i]), STR("value")) ? "map_key" : row->names[i];
    }
    return type_row(a, row->child_count, names, row->children, false);
}

struct tw_saved_rows *tw_saved_read(struct tw_saved *s, const char *uid, const char *state, const struct tw_row *row)
{
    const struct snapshot_operator *o = saved_operator(s, uid);
    const struct cform *form;

    if (o != NULL && (state == NULL || row == NULL)) err_set(&s->err, E_CONFIG, "tw_saved_read needs a state and a row type");
    if (o == NULL || s->err.status != S_OK || cform_of_row(&s->arena, row, &form, &s->err) != S_OK) return NULL;
    struct tw_saved_rows *r = mem_zalloc(&s->mem, sizeof *r);
    r->saved = s;
    r->operator = o;
    r->row = row;
    r->rows = saved_rows_create(&s->mem, arena_strdup(&s->arena, state));
    mem_init(&r->chunk_mem, "chunk", 0);
    arena_init(&r->arena, &s->mem, 0);
    arena_init(&r->items, &s->mem, 0);
    r->structs = mem_zalloc(&s->mem, (size_t)row->size * ROWCONV_ROWS);
    return r;
}

void tw_saved_rows_close(struct tw_saved_rows *r)
{
    if (r == NULL) return;
    struct mem *mem = &r->saved->mem;
    saved_rows_free(r->rows);
    arena_release(&r->arena);
    arena_release(&r->items);
    mem_release(&r->chunk_mem);
    mem_free(mem, r->structs);
    mem_free(mem, r);
}

/* S_END: there are no more chunks. */
static enum status chunk_next(struct tw_saved_rows *r)
{
    struct str bytes;

    while (r->subtask < r->operator->parallelism && r->chunk == r->operator->subtasks[r->subtask].handle_count) {
        r->subtask++;
        r->chunk = 0;
    }
    if (r->subtask == r->operator->parallelism) return S_END;
    mem_release(&r->chunk_mem);
    mem_init(&r->chunk_mem, "chunk", 0);
    arena_reset(&r->arena);
    r->bound_to = NULL;
    TRY(snapshot_reader_chunk(r->saved->reader, &r->operator->subtasks[r->subtask].handles[r->chunk++], &r->chunk_mem, &bytes, &r->saved->err));
    return saved_rows_chunk(r->rows, bytes, &r->saved->err);
}

static enum status block_bind(struct tw_saved_rows *r, const char *const *roles)
{
    const struct type *schema = r->block->schema;
    uint32_t first = 0, count = 0;

    if (r->bound_to == schema) return S_OK;
    while (first < schema->child_count && !str_equal(str_of(roles[first]), STR("inner key"))) first++;
    while (first + count < schema->child_count && str_equal(str_of(roles[first + count]), STR("inner key"))) count++;
    TRY(user_row_bind(&r->arena, r->row, saved_names(&r->arena, schema, first, count), NULL, &r->bound, &r->saved->err));
    r->bound_to = schema;
    return S_OK;
}

static enum status block_next(struct tw_saved_rows *r)
{
    const char *const *roles;

    while (r->block == NULL) {
        if (!r->is_open) TRY(chunk_next(r));
        r->is_open = true;
        enum status st = saved_rows_next(r->rows, &r->block, &roles, &r->saved->err);
        if (st == S_OK) return block_bind(r, roles);
        if (st != S_END) return st;
        r->block = NULL;
        r->is_open = false;
    }
    return S_OK;
}

/* The next structs. */
static enum status structs_read(struct tw_saved_rows *r)
{
    uint32_t bad;

    r->first += r->count;
    r->at = r->count = 0;
    if (r->block != NULL && r->first == r->block->count) r->block = NULL;
    if (r->block == NULL) r->first = 0;
    TRY(block_next(r));
    uint32_t n = MIN(r->block->count - r->first, (uint32_t)ROWCONV_ROWS);
    arena_reset(&r->items);
    if (rowconv_read(&r->bound.conv, r->block, r->first, n, r->structs, &r->items, &bad) != S_OK)
        return err_set(&r->saved->err, E_DATA, "field %u of row type '%s' has no place for a NULL that is in the state", bad + 1, r->row->name);
    r->count = n;
    return S_OK;
}

bool tw_saved_next(struct tw_saved_rows *r, void *row)
{
    if (r == NULL || r->saved->err.status != S_OK) return false;
    if (r->at == r->count && structs_read(r) != S_OK) {
        r->count = r->at = 0;
        return false;
    }
    memcpy(row, r->structs + (size_t)r->at++ * r->row->size, r->row->size);
    return true;
}
