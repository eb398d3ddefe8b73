/* conn_hybrid.c - bounded sources read one after another, then a last one that may go on for ever: old data from files, then
 * what comes. The parts are connectors of their own (hybrid/hybrid_parts.h); this file hands their hooks on.
 *
 * The enumerator owns the order. A part is over when each subtask was told that there are no more splits of it and every
 * split handed out was read to its end: only then is the next part's enumerator opened, so no row of it can come early. As
 * long as that takes a subtask has no split; it emits no watermark, so time does not jump between two parts.
 *
 * A split is the part's own with the part's number in front. Hooks of a part see the source_cx of the whole, with the part's
 * options in it for the time of the call; connectors may keep the pointer.
 *
 * All parts but the last are backlog. A connector's start is what its options say; sources of the user hand the end of one
 * part to the next (struct tw_splits). */
#include "flow/connector/hybrid/hybrid_parts.h"
#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { SPLIT_VERSION = 1, ASK_AGAIN_MS = 10 };

static const struct option_def hybrid_options[] = {
    {.key = "source-identifiers",
     .kind = OPT_STRING,
     .fallback = "",
     .required = true,
     .doc = "names of the sources, separated by commas, in the order in which they are read; `<name>.connector` and "
            "`<name>.<option>` say what each of them is"},
    {.key = NULL},
};

struct open_split {
    struct open_split *next;
    char *id; /* as handed out */
    uint32_t subtask;
};

struct hybrid_enumerator {
    struct arena arena;
    struct hybrid_parts parts;
    uint32_t at;           /* the part being read */
    void *self;            /* its enumerator; NULL = not opened yet */
    struct open_split *open;
    bool *has_ended;       /* per subtask: it was told that the part has no more splits for it */
    uint32_t ended_count;
};

struct hybrid_reader {
    struct arena arena;
    struct hybrid_parts parts;
    void *readers[HYBRID_PARTS_MAX];       /* NULL = not open */
    uint32_t split_counts[HYBRID_PARTS_MAX];
};

struct hybrid_split {
    uint32_t part;
    char *id; /* the part's own, which its position needs too */
    struct buf opened; /* as it was opened: of parts that cannot say where they are */
    void *self;
};

/* --- graph time ---------------------------------------------------------------------------------------------------- */
static enum boundedness hybrid_boundedness(const struct options *o, const struct option_def *defs)
{
    struct hybrid_parts parts;
    enum boundedness b = UNBOUNDED;
    struct arena arena;
    struct mem mem;

    mem_init(&mem, "hybrid", 0);
    arena_init(&arena, &mem, 0);
    if (hybrid_parts_read(&parts, o, defs, &arena, NULL) == S_OK) {
        const struct hybrid_part *last = &parts.items[parts.count - 1];
        const struct source_type *type = last->conn->source;
        b = type->boundedness != NULL ? type->boundedness(&last->options, last->conn->options) : BOUNDED;
    }
    mem_release(&mem);
    return b;
}

/* All that any of them brings; where one has upserts the whole has. */
static uint8_t hybrid_changes(const struct options *o, const struct option_def *defs)
{
    struct hybrid_parts parts;
    struct arena arena;
    struct mem mem;
    uint8_t all = CHANGES_NONE;
    bool upserts = false;

    mem_init(&mem, "hybrid", 0);
    arena_init(&arena, &mem, 0);
    if (hybrid_parts_read(&parts, o, defs, &arena, NULL) == S_OK) {
        for (uint32_t i = 0; i < parts.count; i++) {
            uint8_t part = conn_changes(parts.items[i].conn, &parts.items[i].options);
            all |= part;
            upserts |= (part & CHANGES_AFTER) != 0 && (part & CHANGES_BEFORE) == 0;
        }
    }
    mem_release(&mem);
    return upserts ? (uint8_t)(all & ~CHANGES_BEFORE) : all;
}

/* The columns of the parts that fix theirs; they must agree. */
static enum status hybrid_schema(struct arena *a, const struct options *o, const struct option_def *defs, const struct type **row,
                                 struct err *e)
{
    const struct hybrid_part *fixed = NULL;
    struct hybrid_parts parts;

    TRY(hybrid_parts_read(&parts, o, defs, a, e));
    for (uint32_t i = 0; i < parts.count; i++) {
        const struct hybrid_part *p = &parts.items[i];
        const struct type *own = *row;
        if (p->conn->source->schema == NULL) continue;
        TRY(p->conn->source->schema(a, &p->options, p->conn->options, &own, e));
        if (fixed != NULL && !type_equal(own, *row))
            return err_set(e, E_GRAPH, "sources '%s' and '%s' of connector 'hybrid' have different columns", fixed->name, p->name);
        if (own != *row) fixed = p;
        *row = own;
    }
    return S_OK;
}

static enum status hybrid_check(const struct options *o, const struct option_def *defs, const struct type *row, struct err *e)
{
    struct hybrid_parts parts;
    struct arena arena;
    struct mem mem;

    mem_init(&mem, "hybrid", 0);
    arena_init(&arena, &mem, 0);
    enum status st = hybrid_parts_read(&parts, o, defs, &arena, e);
    if (st == S_OK) st = hybrid_parts_check(&parts, row, e);
    mem_release(&mem);
    return st;
}

/* --- hooks of a part ------------------------------------------------------------------------------------------------ */
struct outer {
    const struct options *options;
    const struct option_def *defs;
};

static struct outer part_enter(struct source_cx *cx, const struct hybrid_part *p)
{
    struct outer outer = {cx->options, cx->option_defs};

    cx->options = &p->options;
    cx->option_defs = p->conn->options;
    return outer;
}

static enum status part_leave(struct source_cx *cx, const struct hybrid_part *p, struct outer outer, enum status st)
{
    cx->options = outer.options;
    cx->option_defs = outer.defs;
    if (st < 0) err_wrap(cx->err, "source '%s'", p->name);
    return st;
}

/* --- enumerator ------------------------------------------------------------------------------------------------------ */
static const struct hybrid_part *enumerator_part(const struct hybrid_enumerator *en) { return &en->parts.items[en->at]; }

static enum status hybrid_enumerator_open(struct source_cx *cx, void *self)
{
    struct hybrid_enumerator *en = self;

    arena_init(&en->arena, cx->mem, 0);
    en->has_ended = ARENA_ARRAY(&en->arena, bool, cx->parallelism);
    return hybrid_parts_read(&en->parts, cx->options, cx->option_defs, &en->arena, cx->err);
}

static enum status part_begin(struct source_cx *cx, struct hybrid_enumerator *en)
{
    const struct hybrid_part *p = enumerator_part(en);
    const struct source_type *type = p->conn->source;
    struct outer outer;

    if (en->self != NULL) return S_OK;
    cx->is_backlog = en->at + 1 < en->parts.count;
    en->self = mem_zalloc(cx->mem, type->enumerator_size + 1);
    if (type->enumerator_open == NULL) return S_OK;
    outer = part_enter(cx, p);
    return part_leave(cx, p, outer, type->enumerator_open(cx, en->self));
}

static void part_end(struct source_cx *cx, struct hybrid_enumerator *en)
{
    const struct hybrid_part *p = enumerator_part(en);
    struct outer outer;

    if (en->self == NULL) return;
    outer = part_enter(cx, p);
    if (p->conn->source->enumerator_close != NULL) p->conn->source->enumerator_close(cx, en->self);
    (void)part_leave(cx, p, outer, S_OK);
    mem_free(cx->mem, en->self);
    en->self = NULL;
}

/* Goes on to the next part when nobody has anything to do with this one any more. */
static void part_look(struct source_cx *cx, struct hybrid_enumerator *en)
{
    if (en->ended_count < cx->parallelism || en->open != NULL) return;
    part_end(cx, en);
    en->at++;
    en->ended_count = 0;
    memset(en->has_ended, 0, cx->parallelism * sizeof *en->has_ended);
}

static uint32_t open_count(const struct hybrid_enumerator *en, uint32_t subtask)
{
    uint32_t count = 0;

    for (const struct open_split *s = en->open; s != NULL; s = s->next) count += s->subtask == subtask;
    return count;
}

static void split_wrap(struct source_cx *cx, struct hybrid_enumerator *en, uint32_t subtask, struct arena *a, struct split *out)
{
    struct open_split *s = mem_zalloc(cx->mem, sizeof *s);
    struct str id = str_of(out->id);
    struct buf bytes;

    buf_init(&bytes, a->mem);
    enc_u8(&bytes, SPLIT_VERSION);
    enc_varint(&bytes, en->at);
    enc_text(&bytes, out->id);
    enc_str(&bytes, out->bytes);
    out->id = arena_printf(a, "%s/%.*s", enumerator_part(en)->name, (int)id.size, id.data);
    out->bytes = (struct str){arena_strndup(a, bytes.data, bytes.size), bytes.size};
    buf_release(&bytes);
    s->id = memcpy(mem_alloc(cx->mem, strlen(out->id) + 1), out->id, strlen(out->id) + 1);
    s->subtask = subtask;
    s->next = en->open;
    en->open = s;
}

/* A subtask that has nothing more of this part asks again, until the others are through too. */
static enum status wait_for_others(struct source_cx *cx)
{
    cx->wake_ms = sys_wall_ms(cx->sys) + ASK_AGAIN_MS;
    return S_IDLE;
}

static enum status hybrid_enumerator_next(struct source_cx *cx, void *self, uint32_t subtask, struct arena *a, struct split *out)
{
    struct hybrid_enumerator *en = self;

    for (;;) {
        if (en->has_ended[subtask]) return wait_for_others(cx);
        const struct hybrid_part *p = enumerator_part(en);
        if (open_count(en, subtask) >= MAX(1, p->conn->source->splits_at_once)) return S_IDLE; /* a finished split asks */
        TRY(part_begin(cx, en));
        struct outer outer = part_enter(cx, p);
        enum status st = part_leave(cx, p, outer, p->conn->source->enumerator_next(cx, en->self, subtask, a, out));
        if (st == S_OK) split_wrap(cx, en, subtask, a, out);
        if (st != S_END || en->at + 1 == en->parts.count) return st;
        en->has_ended[subtask] = true;
        en->ended_count++;
        part_look(cx, en);
    }
}

static void hybrid_enumerator_finished(struct source_cx *cx, void *self, const char *id)
{
    struct hybrid_enumerator *en = self;
    const struct hybrid_part *p = enumerator_part(en);
    struct open_split **at = &en->open, *s;

    while (*at != NULL && strcmp((*at)->id, id) != 0) at = &(*at)->next;
    if ((s = *at) == NULL) return;
    *at = s->next;
    if (p->conn->source->enumerator_finished != NULL) {
        struct outer outer = part_enter(cx, p);
        p->conn->source->enumerator_finished(cx, en->self, id + strlen(p->name) + 1);
        (void)part_leave(cx, p, outer, S_OK);
    }
    mem_free(cx->mem, s->id);
    mem_free(cx->mem, s);
    part_look(cx, en);
}

static void hybrid_enumerator_close(struct source_cx *cx, void *self)
{
    struct hybrid_enumerator *en = self;

    part_end(cx, en);
    for (struct open_split *s = en->open, *next; s != NULL; s = next) {
        next = s->next;
        mem_free(cx->mem, s->id);
        mem_free(cx->mem, s);
    }
    arena_release(&en->arena);
}

/* --- reader ----------------------------------------------------------------------------------------------------------- */
static enum status hybrid_reader_open(struct source_cx *cx, void *reader)
{
    struct hybrid_reader *r = reader;

    arena_init(&r->arena, cx->mem, 0);
    return hybrid_parts_read(&r->parts, cx->options, cx->option_defs, &r->arena, cx->err);
}

static void part_reader_close(struct source_cx *cx, struct hybrid_reader *r, uint32_t part)
{
    const struct hybrid_part *p = &r->parts.items[part];
    struct outer outer;

    if (r->readers[part] == NULL) return;
    outer = part_enter(cx, p);
    if (p->conn->source->reader_close != NULL) p->conn->source->reader_close(cx, r->readers[part]);
    (void)part_leave(cx, p, outer, S_OK);
    mem_free(cx->mem, r->readers[part]);
    r->readers[part] = NULL;
}

/* The first split of a part opens its reader; those of parts that are over go. */
static enum status part_reader_open(struct source_cx *cx, struct hybrid_reader *r, uint32_t part)
{
    const struct hybrid_part *p = &r->parts.items[part];
    const struct source_type *type = p->conn->source;
    struct outer outer;

    if (r->readers[part] != NULL) return S_OK;
    for (uint32_t i = 0; i < part; i++)
        if (r->split_counts[i] == 0) part_reader_close(cx, r, i);
    r->readers[part] = mem_zalloc(cx->mem, type->reader_size + 1);
    if (type->reader_open == NULL) return S_OK;
    outer = part_enter(cx, p);
    return part_leave(cx, p, outer, type->reader_open(cx, r->readers[part]));
}

static void hybrid_reader_close(struct source_cx *cx, void *reader)
{
    struct hybrid_reader *r = reader;

    for (uint32_t i = 0; i < r->parts.count; i++) part_reader_close(cx, r, i);
    if (r->arena.mem != NULL) arena_release(&r->arena);
}

/* --- splits ----------------------------------------------------------------------------------------------------------- */
static enum status part_split_open(struct source_cx *cx, struct hybrid_reader *r, struct hybrid_split *s, struct str name,
                                   struct str bytes)
{
    const struct hybrid_part *p = &r->parts.items[s->part];
    struct split what;

    s->id = mem_zalloc(cx->mem, name.size + 1);
    memcpy(s->id, name.data, name.size);
    what = (struct split){s->id, bytes};
    buf_init(&s->opened, cx->mem);
    if (p->conn->source->split_position == NULL) buf_append(&s->opened, bytes.data, bytes.size);
    s->self = mem_zalloc(cx->mem, p->conn->source->split_size + 1);
    struct outer outer = part_enter(cx, p);
    enum status st = part_leave(cx, p, outer, p->conn->source->split_open(cx, r->readers[s->part], s->self, &what));
    if (st != S_OK) {
        mem_free(cx->mem, s->self);
        mem_free(cx->mem, s->id);
        buf_release(&s->opened);
        return st;
    }
    r->split_counts[s->part]++;
    return S_OK;
}

static enum status hybrid_split_open(struct source_cx *cx, void *reader, void *split, const struct split *what)
{
    struct hybrid_reader *r = reader;
    struct hybrid_split *s = split;
    struct dec d;

    dec_init(&d, what->bytes.data, what->bytes.size);
    uint8_t version = dec_u8(&d);
    uint64_t part = dec_varint(&d);
    struct str name = dec_str(&d, SPLIT_BYTES_MAX), bytes = dec_str(&d, SPLIT_BYTES_MAX);
    if (!dec_ok(&d) || version != SPLIT_VERSION || part >= r->parts.count)
        return err_set(cx->err, E_DATA, "the position of a split of connector 'hybrid' cannot be read (version %u)", version);
    s->part = (uint32_t)part;
    TRY(part_reader_open(cx, r, s->part));
    return part_split_open(cx, r, s, name, bytes);
}

static enum status hybrid_split_read(struct source_cx *cx, void *reader, void *split, struct batch *out)
{
    struct hybrid_reader *r = reader;
    struct hybrid_split *s = split;
    const struct hybrid_part *p = &r->parts.items[s->part];
    struct outer outer = part_enter(cx, p);

    return part_leave(cx, p, outer, p->conn->source->split_read(cx, r->readers[s->part], s->self, out));
}

static void hybrid_split_position(struct source_cx *cx, void *reader, void *split, struct buf *out)
{
    struct hybrid_reader *r = reader;
    struct hybrid_split *s = split;
    const struct hybrid_part *p = &r->parts.items[s->part];
    struct outer outer = part_enter(cx, p);
    struct buf own;

    buf_init(&own, cx->mem);
    if (p->conn->source->split_position != NULL)
        p->conn->source->split_position(cx, r->readers[s->part], s->self, &own);
    else
        buf_append(&own, s->opened.data, s->opened.size);
    (void)part_leave(cx, p, outer, S_OK);
    enc_u8(out, SPLIT_VERSION);
    enc_varint(out, s->part);
    enc_text(out, s->id);
    enc_str(out, (struct str){own.data, own.size});
    buf_release(&own);
}

static void hybrid_split_close(struct source_cx *cx, void *reader, void *split)
{
    struct hybrid_reader *r = reader;
    struct hybrid_split *s = split;
    const struct hybrid_part *p = &r->parts.items[s->part];
    struct outer outer = part_enter(cx, p);

    if (p->conn->source->split_close != NULL) p->conn->source->split_close(cx, r->readers[s->part], s->self);
    (void)part_leave(cx, p, outer, S_OK);
    mem_free(cx->mem, s->self);
    mem_free(cx->mem, s->id);
    buf_release(&s->opened);
    r->split_counts[s->part]--;
}

static bool hybrid_goes_back(const struct source_cx *cx)
{
    struct hybrid_parts parts;
    struct arena arena;
    struct mem mem;
    bool all = true;

    mem_init(&mem, "hybrid", 0);
    arena_init(&arena, &mem, 0);
    if (hybrid_parts_read(&parts, cx->options, cx->option_defs, &arena, NULL) == S_OK)
        for (uint32_t i = 0; i < parts.count; i++) all &= source_goes_back(parts.items[i].conn->source, cx);
    mem_release(&mem);
    return all;
}

static const struct source_type hybrid_source = {
    .enumerator_size = sizeof(struct hybrid_enumerator),
    .reader_size = sizeof(struct hybrid_reader),
    .split_size = sizeof(struct hybrid_split),
    .boundedness = hybrid_boundedness,
    .splits_at_once = UINT32_MAX, /* the enumerator keeps to what the part likes */
    .schema = hybrid_schema,
    .changes = hybrid_changes,
    .check = hybrid_check,
    .enumerator_open = hybrid_enumerator_open,
    .enumerator_next = hybrid_enumerator_next,
    .enumerator_finished = hybrid_enumerator_finished,
    .enumerator_close = hybrid_enumerator_close,
    .reader_open = hybrid_reader_open,
    .reader_close = hybrid_reader_close,
    .split_open = hybrid_split_open,
    .split_read = hybrid_split_read,
    .split_position = hybrid_split_position,
    .split_close = hybrid_split_close,
    .goes_back = hybrid_goes_back,
};

const struct conn_type conn_hybrid = {
    .name = "hybrid",
    .doc = "sources one after another: bounded ones, then one that may go on for ever",
    .example = "'connector' = 'hybrid', 'source-identifiers' = 'old,new', 'old.connector' = 'filesystem', "
               "'old.path' = '/data/old', 'old.format' = 'csv', 'new.connector' = 'socket', 'new.format' = 'csv'",
    .options = hybrid_options,
    .parts_option = "source-identifiers",
    .source = &hybrid_source,
};
