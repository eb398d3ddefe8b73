/* conn_savepoint.c - the state of an operator in a savepoint or checkpoint as a table: a row for each key, or each element of a list, a
 * map or whatever the state is. Options as Flink's connector of that name has them.
 *
 * The idea: chunks describe their rows, so each block is decoded as it lies and its columns go to those of the table, by name, a CAST
 * where the table's type is a wider one. A split is what one subtask of the operator wrote; its position is chunk, block and row.
 *
 * One state per table: joins of SQL put states of one key together. It lives here, not in flow/connector, because it reads metadata.
 * Not here: bytes of chunks (flow/state/saved_rows.c), of metadata (metadata.c). */
#include "columns/column/type_rules.h"
#include "columns/expr/expr.h"
#include "control/snapshot/snapshot_read.h"
#include "flow/connector/connector.h"
#include "flow/state/saved_rows.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { SPLIT_VERSION = 1 };

static const struct option_def savepoint_options[] = {
    {.key = "state.path", .kind = OPT_STRING, .fallback = "", .required = true, .doc = "the folder of the savepoint or checkpoint"},
    {.key = "operator.uid", .kind = OPT_STRING, .doc = "whose state, by the uid that the job gave the operator"},
    {.key = "operator.uid.hash", .kind = OPT_STRING, .doc = "whose state, by the id that `thalweg savepoint inspect` shows; one of the two is given"},
    {.key = "state.name", .kind = OPT_STRING, .doc = "which state, where no column says it; not given: the one that has the name of a column, or the only one"},
    {.key = "state.backend.type", .kind = OPT_ENUM, .choices = "hashmap|rocksdb", .doc = "taken and not needed: both write the same bytes"},
    {.key = "fields.#.state-name", .kind = OPT_STRING, .is_prefix = true, .doc = "the column is the value of this state"},
    {.key = "fields.#.column", .kind = OPT_STRING, .is_prefix = true, .doc = "which column of the state it is, when that has another name"},
    {.key = "fields.#.state-type", .kind = OPT_ENUM, .choices = "value|list|map", .is_prefix = true,
     .doc = "taken and not needed: elements of lists and maps are a row each"},
    {.key = "fields.#.key-class", .kind = OPT_STRING, .is_prefix = true, .doc = "taken and not needed: savepoints say the types"},
    {.key = "fields.#.value-class", .kind = OPT_STRING, .is_prefix = true, .doc = "the same"},
    {.key = "fields.#.value-type-factory", .kind = OPT_STRING, .is_prefix = true, .doc = "the same"},
    {.key = NULL},
};

struct state_enumerator {
    struct snapshot_reader *reader;
    const struct snapshot_operator *operator;
    const char *state;
    uint32_t next;
};

struct state_reader {
    struct snapshot_reader *reader;
    const struct snapshot_operator *operator;
    const char *state;
};

struct state_split {
    uint32_t subtask, chunk, block, row; /* what comes next */
    struct mem mem;                      /* of the chunk; that of rows is the instance's */
    struct arena arena;                  /* of the casts of a chunk */
    struct saved_rows *rows;
    const struct batch *batch;           /* the present block; NULL: the next one's turn */
    const struct type *bound;            /* what the columns were found for */
    uint32_t *cols;                      /* of the block, by column of the table */
    struct expr_run **casts;             /* [columns of the table]; NULL: the column as it is */
    bool is_open;                        /* the chunk */
};

/* --- what is read --------------------------------------------------------------------------------------------------------- */
static enum status savepoint_check(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e)
{
    const char *uid = options_get(o, defs, "operator.uid"), *hash = options_get(o, defs, "operator.uid.hash");

    (void)row;
    if ((uid != NULL) != (hash != NULL)) return S_OK;
    return err_set(e, E_CONFIG, "connector 'savepoint': one of 'operator.uid' and 'operator.uid.hash' says whose state is read");
}

static enum status no_operator(const struct snapshot_reader *r, const char *key, const char *value, struct err *e)
{
    struct mem mem;
    struct buf has;

    mem_init(&mem, "operators", 0);
    buf_init(&has, &mem);
    for (uint32_t i = 0; i < r->metadata.operator_count && has.size < 300; i++) {
        const struct snapshot_operator *o = &r->metadata.operators[i];
        buf_printf(&has, "%s'%s' (%s)", i > 0 ? ", " : "", o->name, o->uid != NULL ? o->uid : o->id);
    }
    err_set(e, E_CONFIG, "'%s' has no operator with the %s '%s'; it has %s", r->uri, key, value, buf_text(&has));
    buf_release(&has);
    mem_release(&mem);
    return E_CONFIG;
}

static enum status find_operator(const struct source_cx *cx, struct snapshot_reader *r, const struct snapshot_operator **out)
{
    const char *uid = options_get(cx->options, cx->option_defs, "operator.uid");
    const char *hash = options_get(cx->options, cx->option_defs, "operator.uid.hash");

    for (uint32_t i = 0; i < r->metadata.operator_count; i++) {
        const struct snapshot_operator *o = &r->metadata.operators[i];
        bool is_it = uid != NULL ? o->uid != NULL && str_equal(str_of(o->uid), str_of(uid)) : str_equal(str_of(o->id), str_of(hash));
        if (!is_it) continue;
        *out = o;
        return S_OK;
    }
    return no_operator(r, uid != NULL ? "uid" : "id", uid != NULL ? uid : hash, cx->err);
}

static const char *field_option(const struct source_cx *cx, struct arena *a, const char *column, const char *what)
{
    return options_get(cx->options, cx->option_defs, arena_printf(a, "fields.%s.%s", column, what));
}

/* All states of the operator, by what its chunks say. */
static enum status survey(const struct source_cx *cx, struct snapshot_reader *r, const struct snapshot_operator *o, struct state_survey *out)
{
    state_survey_begin(out, &r->arena);
    for (uint32_t s = 0; s < o->parallelism; s++)
        for (uint32_t h = 0; h < o->subtasks[s].handle_count; h++) {
            struct mem mem;
            struct str bytes;
            mem_init(&mem, "chunk", 0);
            enum status st = snapshot_reader_chunk(r, &o->subtasks[s].handles[h], &mem, &bytes, cx->err);
            if (st == S_OK) st = state_survey_add(out, s, bytes, cx->err);
            mem_release(&mem);
            TRY(st);
        }
    return S_OK;
}

static const struct survey_state *state_of(const struct state_survey *all, const char *name)
{
    const struct survey_state *s = all->first;

    while (s != NULL && !str_equal(str_of(s->name), str_of(name))) s = s->next;
    return s;
}

static enum status no_state(const struct source_cx *cx, const struct snapshot_operator *o, const struct state_survey *all, const char *name)
{
    struct mem mem;
    struct buf has;

    mem_init(&mem, "states", 0);
    buf_init(&has, &mem);
    for (const struct survey_state *s = all->first; s != NULL && has.size < 300; s = s->next)
        buf_printf(&has, "%s'%s'", has.size > 0 ? ", " : "", s->name);
    if (name != NULL) err_set(cx->err, E_CONFIG, "operator '%s' has no state '%s'; it has %s", o->name, name, has.size > 0 ? buf_text(&has) : "none");
    else err_set(cx->err, E_CONFIG, "operator '%s' has the states %s: 'state.name' says which is read", o->name, has.size > 0 ? buf_text(&has) : "none");
    buf_release(&has);
    mem_release(&mem);
    return E_CONFIG;
}

/* Which state: said of the table, by a column, or by the name of one; of a single one nothing has to be said. */
static enum status find_state(const struct source_cx *cx, struct snapshot_reader *r, const struct snapshot_operator *o, const char **out)
{
    const char *name = options_get(cx->options, cx->option_defs, "state.name"), *last = NULL;
    struct state_survey all;

    TRY(survey(cx, r, o, &all));
    for (uint32_t i = 0; i < cx->read->child_count; i++) {
        const char *said = field_option(cx, &r->arena, cx->read->names[i], "state-name");
        if (said == NULL && name == NULL && state_of(&all, cx->read->names[i]) != NULL) said = cx->read->names[i];
        if (said == NULL) continue;
        if (last != NULL && !str_equal(str_of(last), str_of(said)))
            return err_set(cx->err, E_UNSUPPORTED, "a table has one state, and its columns name '%s' and '%s': make a table of each and join them by key", last, said);
        last = said;
    }
    if (last == NULL) last = name;
    if (last == NULL && all.count == 1) last = all.first->name;
    if (last == NULL || state_of(&all, last) == NULL) return no_state(cx, o, &all, last);
    *out = last;
    return S_OK;
}

static enum status open_all(struct source_cx *cx, struct snapshot_reader **reader, const struct snapshot_operator **o, const char **state)
{
    TRY(snapshot_reader_open(cx->sys, options_get(cx->options, cx->option_defs, "state.path"), reader, cx->err));
    TRY(find_operator(cx, *reader, o));
    return find_state(cx, *reader, *o, state);
}

/* --- splits --------------------------------------------------------------------------------------------------------------- */
static enum status enumerator_open(struct source_cx *cx, void *self)
{
    struct state_enumerator *en = self;

    return open_all(cx, &en->reader, &en->operator, &en->state);
}

static void enumerator_close(struct source_cx *cx, void *self)
{
    (void)cx;
    snapshot_reader_close(((struct state_enumerator *)self)->reader);
}

static void split_encode(const struct state_split *s, struct buf *out)
{
    enc_u8(out, SPLIT_VERSION);
    enc_varint(out, s->subtask);
    enc_varint(out, s->chunk);
    enc_varint(out, s->block);
    enc_varint(out, s->row);
}

static enum status enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a, struct split *out)
{
    struct state_enumerator *en = self;
    struct state_split s = {.subtask = en->next};
    struct buf bytes;

    (void)cx;
    (void)subtask;
    if (en->next == en->operator->parallelism) return S_END;
    en->next++;
    buf_init(&bytes, a->mem);
    split_encode(&s, &bytes);
    *out = (struct split){.id = arena_printf(a, "subtask-%u", s.subtask), .bytes = {arena_strndup(a, bytes.data, bytes.size), bytes.size}};
    buf_release(&bytes);
    return S_OK;
}

static enum status reader_open(struct source_cx *cx, void *self)
{
    struct state_reader *r = self;

    return open_all(cx, &r->reader, &r->operator, &r->state);
}

static void reader_close(struct source_cx *cx, void *self)
{
    (void)cx;
    snapshot_reader_close(((struct state_reader *)self)->reader);
}

static enum status split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    const struct state_reader *r = reader;
    struct state_split *s = split;
    struct dec d;

    dec_init(&d, what->bytes.data, what->bytes.size);
    uint8_t version = dec_u8(&d);
    s->subtask = (uint32_t)dec_varint(&d);
    s->chunk = (uint32_t)dec_varint(&d);
    s->block = (uint32_t)dec_varint(&d);
    s->row = (uint32_t)dec_varint(&d);
    if (!dec_ok(&d) || version != SPLIT_VERSION || s->subtask >= r->operator->parallelism)
        return err_set(cx->err, E_DATA, "the position in a savepoint cannot be read");
    mem_init(&s->mem, "chunk", 0);
    arena_init(&s->arena, cx->mem, 0);
    s->rows = saved_rows_create(cx->mem, r->state);
    s->cols = mem_zalloc(cx->mem, (cx->read->child_count + 1) * sizeof *s->cols);
    s->casts = mem_zalloc(cx->mem, (cx->read->child_count + 1) * sizeof(struct expr_run *));
    return S_OK;
}

static void columns_unbind(const struct source_cx *cx, struct state_split *s)
{
    for (uint32_t i = 0; s->casts != NULL && i < cx->read->child_count; i++) {
        expr_run_free(s->casts[i]);
        s->casts[i] = NULL;
    }
    s->bound = NULL;
}

static void split_close(struct source_cx *cx, void *reader, void *split)
{
    struct state_split *s = split;

    (void)reader;
    if (s->rows == NULL) return;
    columns_unbind(cx, s);
    saved_rows_free(s->rows);
    mem_free(cx->mem, s->cols);
    mem_free(cx->mem, s->casts);
    arena_release(&s->arena);
    mem_release(&s->mem);
    s->rows = NULL;
}

/* --- columns -------------------------------------------------------------------------------------------------------------- */
static int only_column(const struct batch *b, const char *const *roles, const char *role)
{
    int at = -1;

    for (uint32_t i = 0; i < b->col_count; i++) {
        if (!str_equal(str_of(roles[i]), str_of(role))) continue;
        if (at >= 0) return -1;
        at = (int)i;
    }
    return at;
}

/* The column of the state: by its name, or the value of a state that is named, or the key where it is one column. */
static enum status column_find(const struct source_cx *cx, struct state_split *s, const struct batch *b, const char *const *roles, const char *state,
                               uint32_t i)
{
    const char *name = cx->read->names[i], *given = field_option(cx, &s->arena, name, "column");
    bool is_state = given == NULL && (field_option(cx, &s->arena, name, "state-name") != NULL || str_equal(str_of(name), str_of(state)));
    int at = type_field(b->schema, str_of(given != NULL ? given : name));

    if (at < 0 && given == NULL) at = only_column(b, roles, is_state ? "value" : "key");
    if (at < 0) {
        char names[TYPE_NAMES_TEXT_MAX];
        type_names_list(b->schema, names);
        return err_set(cx->err, E_CONFIG, "state '%s' has no column '%s' (has: %s); 'fields.%s.column' says which it is", state,
                       given != NULL ? given : name, names, name);
    }
    s->cols[i] = (uint32_t)at;
    return S_OK;
}

static enum status column_cast(const struct source_cx *cx, struct state_split *s, const struct batch *b, uint32_t i)
{
    const struct type *from = b->schema->children[s->cols[i]], *to = cx->read->children[i];
    struct expr_maker maker = {.a = &s->arena};
    struct expr *cast;

    bool fits = (!from->nullable || to->nullable) && (type_equal_ignoring_null(from, to) || type_casts_implicitly(from, to));
    if (!fits)
        return err_set(cx->err, E_CONFIG, "column '%s' is %s in the savepoint, and the table says %s", cx->read->names[i],
                       type_text(&s->arena, from), type_text(&s->arena, to));
    if (type_equal_ignoring_null(from, to)) return S_OK;
    TRY(expr_cast(&maker, expr_column(&maker, b->schema, s->cols[i]), to, false, &cast, cx->err));
    s->casts[i] = expr_run_create(cast, NULL, BATCH_ROWS, cx->mem);
    return S_OK;
}

static enum status columns_bind(const struct source_cx *cx, struct state_split *s, const char *const *roles, const char *state)
{
    if (s->bound == s->batch->schema) return S_OK;
    columns_unbind(cx, s);
    for (uint32_t i = 0; i < cx->read->child_count; i++) {
        TRY(column_find(cx, s, s->batch, roles, state, i));
        TRY(column_cast(cx, s, s->batch, i));
    }
    s->bound = s->batch->schema;
    return S_OK;
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */
static enum status chunk_open_next(struct source_cx *cx, const struct state_reader *r, struct state_split *s)
{
    const struct snapshot_subtask *from = &r->operator->subtasks[s->subtask];
    struct str bytes;
    const struct batch *passed;
    const char *const *roles;

    if (s->chunk == from->handle_count) return S_END;
    columns_unbind(cx, s);
    arena_reset(&s->arena);
    mem_release(&s->mem);
    mem_init(&s->mem, "chunk", 0);
    TRY(snapshot_reader_chunk(r->reader, &from->handles[s->chunk], &s->mem, &bytes, cx->err));
    TRY(saved_rows_chunk(s->rows, bytes, cx->err));
    for (uint32_t i = 0; i < s->block; i++) {
        enum status st = saved_rows_next(s->rows, &passed, &roles, cx->err);
        if (st != S_OK) return st == S_END ? err_set(cx->err, E_DATA, "the position in a savepoint is behind its end") : st;
    }
    s->is_open = true;
    return S_OK;
}

/* Sees to it that there is a block with rows left. S_END: there is none any more. */
static enum status block_next(struct source_cx *cx, const struct state_reader *r, struct state_split *s)
{
    const char *const *roles;

    while (s->batch == NULL) {
        if (!s->is_open) TRY(chunk_open_next(cx, r, s));
        enum status st = saved_rows_next(s->rows, &s->batch, &roles, cx->err);
        if (st == S_OK) TRY(columns_bind(cx, s, roles, r->state));
        if (st == S_OK || st != S_END) return st;
        s->batch = NULL;
        s->is_open = false;
        s->chunk++;
        s->block = s->row = 0;
    }
    return S_OK;
}

static enum status rows_give(const struct source_cx *cx, struct state_split *s, struct batch *out, uint32_t n)
{
    for (uint32_t i = 0; i < cx->read->child_count; i++) {
        const struct vector *from = &s->batch->cols[s->cols[i]];
        if (out->cols[i].form == VEC_ABSENT) continue;
        if (s->casts[i] != NULL) TRY(expr_eval(s->casts[i], s->batch, 0, &from, cx->err));
        uint16_t rows[BATCH_ROWS];
        for (uint32_t k = 0; k < n; k++) rows[k] = (uint16_t)(s->row + k);
        vector_copy(&out->cols[i], out->count, from, rows, n, &out->heap, out->mem);
    }
    out->count += n;
    s->row += n;
    if (s->row < s->batch->count) return S_OK;
    s->batch = NULL;
    s->block++;
    s->row = 0;
    return S_OK;
}

static enum status split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct state_split *s = split;

    if (out->count == out->capacity) return S_OK;
    TRY(block_next(cx, reader, s));
    if (s->row > s->batch->count) return err_set(cx->err, E_DATA, "the position in a savepoint is behind its end");
    return rows_give(cx, s, out, MIN(s->batch->count - s->row, out->capacity - out->count));
}

static void split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    (void)cx;
    (void)reader;
    split_encode(split, out);
}

static const struct source_type savepoint_source = {
    .enumerator_size = sizeof(struct state_enumerator),
    .reader_size = sizeof(struct state_reader),
    .split_size = sizeof(struct state_split),
    .blocking = true,
    .check = savepoint_check,
    .enumerator_open = enumerator_open,
    .enumerator_next = enumerator_next,
    .enumerator_close = enumerator_close,
    .reader_open = reader_open,
    .reader_close = reader_close,
    .split_open = split_open,
    .split_read = split_read,
    .split_position = split_position,
    .split_close = split_close,
};

const struct conn_type conn_savepoint = {
    .name = "savepoint",
    .doc = "state of an operator in a savepoint or checkpoint, a row for each key or element",
    .example = "'connector' = 'savepoint', 'state.path' = 'savepoints/savepoint-3f2a91-0c55d1e6a7b8', 'operator.uid' = 'counts'",
    .notes = "Columns of the table are columns of the state, by name (`thalweg savepoint inspect` lists them): those of the key, of the value, and "
             "`namespace`, `time`, `count`, ... where it has them. A column that is called like the state, or for which "
             "`fields.#.state-name` is given, is its value where that is one column; another one that the state does not have is its key "
             "where that is one column. Types may be wider than those in the savepoint. Elements of lists and maps are a row each, not "
             "arrays and maps as in Flink; a table reads one state.",
    .options = savepoint_options,
    .source = &savepoint_source,
};
