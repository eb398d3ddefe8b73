/* snapshot_evolve.c - compares what a state was with what it is now, column by column, and says how one becomes the other.
 *
 * The idea: columns of a row are found by name, so it does not matter where they stand. What a change may be is the state's affair
 * (state_def.upgrade): a type that holds all values of the one before, and NULL where there was none, are right for all; columns that
 * come or go are for rows of the job or of C structs, whose columns mean what they are called. Keys stay: which subtask has a row hangs
 * on them, and what was equal must not become two.
 *
 * Invariants: what is not allowed here is refused, with operator, state, column, both types and what to do; nothing is guessed.
 * Not here: values (snapshot_convert.c), whose rows (snapshot_load.c). */
#include "flow/state/snapshot_evolve.h"

#include "flow/state/state.h"
#include "ground/base/str.h"

#define NO_COLUMN UINT32_MAX

static const char *const shape_names[] = {"MAP", "LOG", "MULTISET", "PACKED", "PLACES", "ORDERED"};
static const char *const sharing_names[] = {"keyed", "list", "union list", "broadcast"};
static const char *const role_names[] = {"namespace", "time", "key", "inner key", "value", "count", "matches", "order", "stamp"};

/* ---- types */

static int digits_of(const struct type *t)
{
    switch (t->kind) {
    case T_TINYINT: return 3;
    case T_SMALLINT: return 5;
    case T_INT: return 10;
    case T_BIGINT: return 19;
    default: return 0;
    }
}

static bool is_wider_number(const struct type *from, const struct type *to)
{
    int before = digits_of(from);

    if (before > 0 && digits_of(to) > 0) return digits_of(to) >= before;
    if (before > 0 && to->kind == T_DECIMAL) return to->precision - to->scale >= before;
    if (from->kind == T_FLOAT) return to->kind == T_DOUBLE;
    return from->kind == T_DECIMAL && to->kind == T_DECIMAL && to->scale >= from->scale &&
           to->precision - to->scale >= from->precision - from->scale;
}

static bool is_wider_text(const struct type *from, const struct type *to)
{
    bool is_text = from->kind == T_CHAR || from->kind == T_VARCHAR;
    bool is_bytes = from->kind == T_BINARY || from->kind == T_VARBINARY;

    if (!is_text && !is_bytes) return false;
    return to->kind == (is_text ? T_VARCHAR : T_VARBINARY) && to->precision >= from->precision;
}

/* Can every value of `from` be one of `to`, without a loss? Whether they may be NULL is looked at in what they hold. */
static bool is_wider(const struct type *from, const struct type *to)
{
    if (from->child_count == 0 && type_equal_ignoring_null(from, to)) return true;
    if (is_wider_number(from, to) || is_wider_text(from, to)) return true;
    if (from->kind != to->kind || from->child_count != to->child_count) return false;
    if (from->kind == T_TIMESTAMP || from->kind == T_TIMESTAMP_LTZ || from->kind == T_TIME) return to->precision >= from->precision;
    if (from->kind != T_ROW && from->kind != T_ARRAY && from->kind != T_MAP && from->kind != T_MULTISET) return false;
    for (uint32_t i = 0; i < from->child_count; i++) {
        const struct type *a = from->children[i], *b = to->children[i];
        bool is_key = i == 0 && (from->kind == T_MAP || from->kind == T_MULTISET);
        if (from->kind == T_ROW && !str_equal(str_of(from->names[i]), str_of(to->names[i]))) return false;
        if ((a->nullable && !b->nullable) || (is_key ? !type_equal(a, b) : !is_wider(a, b))) return false;
    }
    return true;
}

/* ---- errors */

static const char *column_name(const struct state_schema *s, uint32_t i) { return s->columns[i].name; }

/* `from` or `to` NULL: it was not, or is not, there. */
static enum status refuse(const char *role, const char *name, const struct type *from, const struct type *to, const char *hint, struct err *e)
{
    struct mem mem;
    struct arena a;

    mem_init(&mem, "error", 0);
    arena_init(&a, &mem, 0);
    if (from == NULL)
        err_set(e, E_CONFIG, "%s column `%s` %s is not in the snapshot", role, name, type_text(&a, to));
    else if (to == NULL)
        err_set(e, E_CONFIG, "%s column `%s` %s is in the snapshot and not there any more", role, name, type_text(&a, from));
    else
        err_set(e, E_CONFIG, "%s column `%s` is of type %s in the snapshot and of type %s now", role, name, type_text(&a, from),
            type_text(&a, to));
    err_hint(e, "%s", hint);
    arena_release(&a);
    mem_release(&mem);
    return E_CONFIG;
}

static const char *type_hint(const struct type *from, const struct type *to, bool is_key)
{
    if (is_key) return "Keys cannot change: give the operator another uid, and run with -n to begin it without its state.";
    if (from->nullable && !to->nullable && is_wider(from, to)) return "What was NULL has no value now: keep the column nullable.";
    return "Columns may become wider (INT to BIGINT, FLOAT to DOUBLE, more digits, longer texts) and nullable: keep the type, or add a column "
           "of another name.";
}

static const char *added_hint(const struct state_schema *own)
{
    if (own->upgrade == STATE_UPGRADE_COLUMNS) return "What the rows that are there have in it is not known: make the column nullable, they have NULL then.";
    if (own->upgrade == STATE_UPGRADE_PARTS)
        return "It has seen none of the rows so far: begin without this state, by another uid and -n, or compute it in a query of its own.";
    return "The operator needs it: begin without this state, by another uid and -n.";
}

/* ---- the states as a whole */

static enum status wholes_fit(const struct state_schema *stored, const struct state_schema *own, struct err *e)
{
    static const struct type bigint = {.kind = T_BIGINT, .phys = P_I64};

    if (stored->version != own->version) return err_set(e, E_CONFIG, "it is of version %u there, of version %u now", stored->version, own->version);
    if (stored->shape != own->shape)
        return err_set(e, E_CONFIG, "its rows are kept as %s there, as %s now", shape_names[stored->shape], shape_names[own->shape]);
    if (stored->sharing != own->sharing)
        return err_set(e, E_CONFIG, "it is %s state there, %s state now", sharing_names[stored->sharing], sharing_names[own->sharing]);
    if (stored->count[ROLE_STAMP] > 1 ||
        (stored->count[ROLE_STAMP] == 1 && !type_equal(stored->columns[stored->first[ROLE_STAMP]].type, &bigint)))
        return err_set(e, E_DATA, "its column of times to live is none");
    if (stored->sort_descending != own->sort_descending || stored->sort_nulls_last != own->sort_nulls_last ||
        stored->sort_unique != own->sort_unique)
        return err_set(e, E_CONFIG, "its rows are sorted otherwise there");
    if (stored->is_within != own->is_within || (own->is_within && stored->group_cols != own->group_cols))
        return err_set(e, E_CONFIG, "other columns of its key decide the key group there");
    return S_OK;
}

/* ---- columns */

struct evolve {
    const struct state_schema *stored, *own;
    struct column_source *sources; /* [own->column_count] */
    bool *taken;                   /* [stored->column_count] */
    struct err *e;
};

static enum status column_take(struct evolve *v, uint32_t mine, uint32_t from)
{
    const struct schema_column *c = &v->own->columns[mine];
    const struct type *was = v->stored->columns[from].type;
    bool is_equal = type_equal_ignoring_null(was, c->type);
    bool may_widen = v->own->upgrade != STATE_UPGRADE_NEVER && (c->role == ROLE_VALUE || c->role == ROLE_EXTRA);

    v->taken[from] = true;
    v->sources[mine] = (struct column_source){is_equal ? COLUMN_KEPT : COLUMN_WIDENED, from};
    if (!(was->nullable && !c->type->nullable) && (is_equal || may_widen) && is_wider(was, c->type)) return S_OK;
    return refuse(role_names[c->role], c->name, was, c->type, type_hint(was, c->type, c->role != ROLE_VALUE), v->e);
}

/* The first saved column of that name that nobody took. */
static uint32_t value_find(const struct evolve *v, const char *name)
{
    for (uint32_t i = 0; i < v->stored->count[ROLE_VALUE]; i++) {
        uint32_t at = v->stored->first[ROLE_VALUE] + i;
        if (!v->taken[at] && str_equal(str_of(column_name(v->stored, at)), str_of(name))) return at;
    }
    return NO_COLUMN;
}

static enum status value_fit(struct evolve *v, uint32_t mine)
{
    const struct schema_column *c = &v->own->columns[mine];
    uint32_t from = value_find(v, c->name);
    uint8_t upgrade = v->own->upgrade;

    if (from != NO_COLUMN) return column_take(v, mine, from);
    v->sources[mine] = (struct column_source){COLUMN_ADDED, 0};
    if (upgrade == STATE_UPGRADE_FIELDS || (upgrade == STATE_UPGRADE_COLUMNS && c->type->nullable)) return S_OK;
    return refuse(role_names[ROLE_VALUE], c->name, NULL, c->type, added_hint(v->own), v->e);
}

/* Values by name; nothing that was saved is left over unless it may be. */
static enum status values_fit(struct evolve *v)
{
    uint32_t first = v->stored->first[ROLE_VALUE];

    for (uint32_t i = 0; i < v->own->count[ROLE_VALUE]; i++) TRY(value_fit(v, v->own->first[ROLE_VALUE] + i));
    for (uint32_t i = first; i < first + v->stored->count[ROLE_VALUE]; i++) {
        if (v->taken[i] || v->own->upgrade != STATE_UPGRADE_NEVER) continue;
        return refuse(role_names[ROLE_VALUE], column_name(v->stored, i), v->stored->columns[i].type, NULL,
            "The operator's rows are another thing now: begin without this state, by another uid and -n.", v->e);
    }
    return S_OK;
}

/* All others by their place, under the same name. */
static enum status others_fit(struct evolve *v, enum schema_role role)
{
    const struct state_schema *stored = v->stored, *own = v->own;
    uint32_t count = MIN(stored->count[role], own->count[role]), at = stored->first[role], mine = own->first[role];
    const char *hint = type_hint(&type_bigint, &type_bigint, true);

    for (uint32_t i = 0; i < count; i++) {
        if (str_equal(str_of(column_name(stored, at + i)), str_of(column_name(own, mine + i)))) {
            TRY(column_take(v, mine + i, at + i));
            continue;
        }
        return refuse(role_names[role], column_name(own, mine + i), NULL, own->columns[mine + i].type, hint, v->e);
    }
    if (stored->count[role] > count)
        return refuse(role_names[role], column_name(stored, at + count), stored->columns[at + count].type, NULL, hint, v->e);
    if (own->count[role] > count)
        return refuse(role_names[role], column_name(own, mine + count), NULL, own->columns[mine + count].type, hint, v->e);
    return S_OK;
}

static enum status columns_fit(struct evolve *v)
{
    for (uint32_t role = 0; role < ROLE_STAMP; role++)
        TRY(role == ROLE_VALUE ? values_fit(v) : others_fit(v, (enum schema_role)role));
    for (uint32_t i = 0; i < v->own->count[ROLE_STAMP] && v->stored->count[ROLE_STAMP] > 0; i++)
        v->sources[v->own->first[ROLE_STAMP] + i] = (struct column_source){COLUMN_KEPT, v->stored->first[ROLE_STAMP]};
    return S_OK;
}

/* ---- the answer */

/* The stamps are last: without them nothing else moves. */
static void target_make(const struct evolve *v, struct arena *a, struct schema_evolution *out)
{
    uint32_t count = v->own->column_count;

    if (v->stored->count[ROLE_STAMP] == 0) count -= v->own->count[ROLE_STAMP];
    out->target = *v->own;
    if (count < v->own->column_count) schema_cut(&out->target, count, a);
    out->sources = v->sources;
    out->dropped = 0;
    for (uint32_t i = 0; i < v->stored->column_count; i++) out->dropped += v->stored->columns[i].role == ROLE_VALUE && !v->taken[i];
}

static bool is_same(const struct evolve *v)
{
    const struct state_schema *stored = v->stored, *own = v->own;

    if (stored->column_count - stored->count[ROLE_STAMP] != own->column_count - own->count[ROLE_STAMP]) return false;
    for (uint32_t i = 0; i < own->column_count - own->count[ROLE_STAMP]; i++)
        if (v->sources[i].origin != COLUMN_KEPT || v->sources[i].from != i || !type_equal(stored->columns[i].type, own->columns[i].type)) return false;
    return true;
}

enum status schema_evolve(const struct state_schema *stored, const struct state_schema *own, struct arena *a, struct schema_evolution *out,
                          struct err *e)
{
    struct evolve v = {.stored = stored, .own = own, .e = e};

    ASSERT(stored->kind == own->kind);
    v.sources = ARENA_ARRAY(a, struct column_source, own->column_count + 1);
    v.taken = ARENA_ARRAY(a, bool, stored->column_count + 1);
    TRY(wholes_fit(stored, own, e));
    TRY(columns_fit(&v));
    *out = (struct schema_evolution){.is_same = is_same(&v)};
    if (!out->is_same) target_make(&v, a, out);
    return S_OK;
}

/* ---- as text */

static void change_begin(struct buf *out, size_t from, const char *name)
{
    if (out->size > from) buf_append_text(out, "; ");
    buf_append_byte(out, '`');
    buf_append_text(out, name);
    buf_append_text(out, "` ");
}

static void source_print(const struct state_schema *stored, const struct schema_column *c, struct column_source s, size_t from, struct buf *out)
{
    if (s.origin == COLUMN_ADDED) {
        change_begin(out, from, c->name);
        type_print(c->type, out);
        buf_append_text(out, c->type->nullable ? " added, NULL in rows so far" : " added, zero in rows so far");
        return;
    }
    const struct type *was = stored->columns[s.from].type;
    if (type_equal(was, c->type)) return;
    change_begin(out, from, c->name);
    type_print(was, out);
    buf_append_text(out, " -> ");
    type_print(c->type, out);
}

void evolution_print(const struct state_schema *stored, const struct schema_evolution *ev, struct buf *out)
{
    size_t from = out->size;

    if (ev->is_same) return;
    for (uint32_t i = 0; i < ev->target.column_count; i++) source_print(stored, &ev->target.columns[i], ev->sources[i], from, out);
    for (uint32_t i = 0; i < stored->column_count; i++) {
        bool is_taken = stored->columns[i].role != ROLE_VALUE;
        for (uint32_t k = 0; k < ev->target.column_count && !is_taken; k++)
            is_taken = ev->sources[k].origin != COLUMN_ADDED && ev->sources[k].from == i;
        if (is_taken) continue;
        change_begin(out, from, stored->columns[i].name);
        buf_append_text(out, "dropped");
    }
}
