/* snapshot_schema.c - what the columns of saved rows are: made from a table or timers, as bytes, and compared.
 *
 * The idea: a file says of each column what part it plays, its name and its type; so it can be read by who knows the state not at all,
 * and refused, with a sentence, by who knows it otherwise.
 *
 * Invariants: columns come in the order of their roles. Not here: rows. */
#include "flow/state/snapshot_schema.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { FLAG_NAMESPACED = 1, FLAG_SORT_UNIQUE = 2, FLAG_COUNTED = 4, FLAG_WITHIN = 8, FLAGS_ALL = 15, NAME_MAX_SIZE = 64 * 1024 };
enum { COLUMNS_MAX = 3 * TYPE_FIELDS_MAX };

/* ---- from state */

static const struct type bigint_type = {.kind = T_BIGINT, .phys = P_I64};
static const struct type int_type = {.kind = T_INT, .phys = P_I32};

static void column_add(struct state_schema *s, enum schema_role role, const char *name, const struct type *type)
{
    s->columns[s->column_count++] = (struct schema_column){(uint8_t)role, name, type};
}

static void columns_add(struct state_schema *s, enum schema_role role, const struct type *row)
{
    for (uint32_t i = 0; row != NULL && i < row->child_count; i++) column_add(s, role, row->names[i], row->children[i]);
}

static const struct type *row_of(const struct state_schema *s, struct arena *a)
{
    const char **names = ARENA_ARRAY(a, const char *, s->column_count + 1);
    const struct type **types = ARENA_ARRAY(a, const struct type *, s->column_count + 1);
    struct type *row = ARENA_NEW(a, struct type);

    for (uint32_t i = 0; i < s->column_count; i++) {
        names[i] = s->columns[i].name;
        types[i] = s->columns[i].type;
    }
    *row = (struct type){.kind = T_ROW, .phys = P_ROW, .child_count = s->column_count, .children = types, .names = names};
    return row;
}

static void columns_settle(struct state_schema *s, struct arena *a)
{
    memset(s->count, 0, sizeof s->count);
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (s->count[s->columns[i].role]++ == 0) s->first[s->columns[i].role] = i;
    }
    s->row = row_of(s, a);
}

void schema_cut(struct state_schema *s, uint32_t count, struct arena *a)
{
    ASSERT(count <= s->column_count);
    s->column_count = count;
    columns_settle(s, a);
}

static uint32_t fields_of(const struct type *row) { return row != NULL ? row->child_count : 0; }

void schema_of_table(const struct state_table *t, struct arena *a, struct state_schema *out)
{
    const struct state_def *d = t->def;
    bool has_elements = d->shape == STATE_MULTISET || d->shape == STATE_ORDERED || d->map_key != NULL;

    *out = (struct state_schema){.kind = SCHEMA_TABLE, .shape = d->shape, .sharing = d->sharing, .upgrade = d->upgrade, .namespaced = d->namespaced,
        .sort_unique = d->sort_unique, .counted = d->counted, .is_within = d->is_within, .ttl = d->ttl,
        .sort_descending = d->sort_descending, .sort_nulls_last = d->sort_nulls_last, .version = d->version,
        .group_cols = d->group_cols, .name = d->name};
    out->columns = ARENA_ARRAY(a, struct schema_column,
        ROLE_COUNT_OF + fields_of(d->key) + fields_of(d->map_key) + fields_of(d->sort_key) + fields_of(d->value));
    if (d->namespaced) column_add(out, ROLE_NAMESPACE, "namespace", &bigint_type);
    columns_add(out, ROLE_KEY, d->key);
    columns_add(out, ROLE_EXTRA, d->map_key);
    columns_add(out, ROLE_EXTRA, d->sort_key);
    columns_add(out, ROLE_VALUE, d->value);
    if (d->shape == STATE_MULTISET) column_add(out, ROLE_COUNT, "count", &int_type);
    if (has_elements) column_add(out, ROLE_MATCHES, "matches", &int_type);
    if (d->shape == STATE_PLACES) column_add(out, ROLE_ORDER, "order", &bigint_type);
    if (d->ttl.update != STATE_TTL_OFF) column_add(out, ROLE_STAMP, "stamp", &bigint_type);
    columns_settle(out, a);
}

void schema_of_timers(const char *name, const struct type *key, struct arena *a, struct state_schema *out)
{
    *out = (struct state_schema){.kind = SCHEMA_TIMERS, .name = name};
    out->columns = ARENA_ARRAY(a, struct schema_column, 1 + fields_of(key));
    column_add(out, ROLE_TIME, "time", &bigint_type);
    columns_add(out, ROLE_KEY, key);
    columns_settle(out, a);
}

void schema_void_columns(const struct state_schema *s, struct batch *b, bool has_keys)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        bool stays = s->columns[i].role == ROLE_NAMESPACE || (has_keys && s->columns[i].role == ROLE_KEY);
        if (!stays) b->cols[i].form = VEC_ABSENT;
    }
}

/* ---- bytes */

void schema_encode(const struct state_schema *s, struct buf *out)
{
    enc_u8(out, s->kind);
    enc_text(out, s->name);
    enc_varint(out, s->version);
    enc_u8(out, s->shape);
    enc_u8(out, s->sharing);
    enc_u8(out, (uint8_t)(s->namespaced * FLAG_NAMESPACED | s->sort_unique * FLAG_SORT_UNIQUE | s->counted * FLAG_COUNTED |
                          s->is_within * FLAG_WITHIN));
    enc_varint(out, s->group_cols);
    enc_u64(out, s->sort_descending);
    enc_u64(out, s->sort_nulls_last);
    enc_u8(out, s->ttl.update);
    enc_u8(out, s->ttl.visibility);
    enc_zigzag(out, s->ttl.ms);
    enc_varint(out, s->keys);
    enc_varint(out, s->column_count);
    for (uint32_t i = 0; i < s->column_count; i++) {
        enc_u8(out, s->columns[i].role);
        enc_text(out, s->columns[i].name);
        type_encode(s->columns[i].type, out);
    }
}

static const char *name_decode(struct dec *d, struct arena *a)
{
    struct str name = dec_str(d, NAME_MAX_SIZE);

    if (!dec_ok(d) || memchr(name.size ? name.data : "", 0, name.size) != NULL) {
        d->failed = true;
        return "";
    }
    return arena_strndup(a, name.data, name.size);
}

static void columns_decode(struct dec *d, struct arena *a, struct state_schema *s)
{
    uint64_t count = dec_varint(d);

    if (!dec_ok(d) || count > COLUMNS_MAX || count > dec_left(d)) {
        d->failed = true;
        return;
    }
    s->columns = ARENA_ARRAY(a, struct schema_column, count + 1);
    for (uint32_t i = 0; i < count && dec_ok(d); i++) {
        uint8_t role = dec_u8(d), least = i > 0 ? s->columns[i - 1].role : 0;
        const char *name = name_decode(d, a);
        const struct type *type = NULL;
        if (role >= ROLE_COUNT_OF || role < least || (dec_ok(d) && type_decode(a, &d->at, d->end, &type) != S_OK)) d->failed = true;
        if (dec_ok(d)) column_add(s, (enum schema_role)role, name, type);
    }
}

enum status schema_decode(struct str bytes, struct arena *a, struct state_schema *out, struct err *e)
{
    struct dec d;

    *out = (struct state_schema){0};
    dec_init(&d, bytes.data, bytes.size);
    out->kind = dec_u8(&d);
    out->name = name_decode(&d, a);
    out->version = (uint32_t)dec_varint(&d);
    out->shape = dec_u8(&d);
    out->sharing = dec_u8(&d);
    uint8_t flags = dec_u8(&d);
    out->namespaced = (flags & FLAG_NAMESPACED) != 0;
    out->sort_unique = (flags & FLAG_SORT_UNIQUE) != 0;
    out->counted = (flags & FLAG_COUNTED) != 0;
    out->is_within = (flags & FLAG_WITHIN) != 0;
    out->group_cols = (uint32_t)dec_varint(&d);
    out->sort_descending = dec_u64(&d);
    out->sort_nulls_last = dec_u64(&d);
    out->ttl.update = dec_u8(&d);
    out->ttl.visibility = dec_u8(&d);
    out->ttl.ms = dec_zigzag(&d);
    out->keys = dec_varint(&d);
    columns_decode(&d, a, out);
    if (!dec_ok(&d) || dec_left(&d) != 0 || out->kind > SCHEMA_TIMERS || out->shape > STATE_ORDERED ||
        out->sharing > STATE_BROADCAST || flags > FLAGS_ALL)
        return err_set(e, E_DATA, "these bytes do not say what state it is");
    columns_settle(out, a);
    return S_OK;
}

/* ---- comparing */

bool schema_is_of(const struct state_schema *stored, const struct state_schema *own)
{
    return stored->kind == own->kind && stored->namespaced == own->namespaced &&
           (stored->sharing == STATE_KEYED) == (own->sharing == STATE_KEYED) && str_equal(str_of(stored->name), str_of(own->name));
}

static const char *const shape_names[] = {"MAP", "LOG", "MULTISET", "PACKED", "PLACES", "ORDERED"};
static const char *const sharing_names[] = {"keyed", "list", "union list", "broadcast"};
static const char *const role_names[] = {"namespace", "time", "key", "inner key", "value", "count", "matches", "order", "stamp"};

const char *schema_role_name(const struct state_schema *s, uint8_t role)
{
    return role == ROLE_EXTRA && s->shape == STATE_ORDERED ? "sort key" : role_names[role];
}

static enum status column_differs(const struct state_schema *stored, uint32_t i, const struct schema_column *own, struct err *e)
{
    struct mem mem;
    struct arena a;
    const struct schema_column *c = &stored->columns[i];
    enum status st;

    mem_init(&mem, "error", 0);
    arena_init(&a, &mem, 0);
    if (str_equal(str_of(c->name), str_of(own->name)))
        st = err_set(e, E_CONFIG, "%s column `%s` is of type %s there and of type %s now", role_names[own->role], own->name,
            type_text(&a, c->type), type_text(&a, own->type));
    else
        st = err_set(e, E_CONFIG, "%s column `%s` %s there is `%s` %s now", role_names[own->role], c->name, type_text(&a, c->type),
            own->name, type_text(&a, own->type));
    arena_release(&a);
    mem_release(&mem);
    return st;
}

static enum status columns_fit(const struct state_schema *stored, const struct state_schema *own, enum schema_role role, struct err *e)
{
    uint32_t count = MIN(stored->count[role], own->count[role]), at = stored->first[role], mine = own->first[role];

    for (uint32_t i = 0; i < count; i++) {
        const struct schema_column *c = &own->columns[mine + i];
        bool is_same = str_equal(str_of(stored->columns[at + i].name), str_of(c->name)) && type_equal(stored->columns[at + i].type, c->type);
        if (!is_same) return column_differs(stored, at + i, c, e);
    }
    if (stored->count[role] > count)
        return err_set(e, E_CONFIG, "%s column `%s` is not there any more", role_names[role], stored->columns[at + count].name);
    if (own->count[role] > count)
        return err_set(e, E_CONFIG, "%s column `%s` is not in the snapshot", role_names[role], own->columns[mine + count].name);
    return S_OK;
}

enum status schema_fits(const struct state_schema *stored, const struct state_schema *own, struct err *e)
{
    if (stored->version != own->version) return err_set(e, E_CONFIG, "it is of version %u there, of version %u now", stored->version, own->version);
    if (stored->shape != own->shape)
        return err_set(e, E_CONFIG, "its rows are kept as %s there, as %s now", shape_names[stored->shape], shape_names[own->shape]);
    if (stored->sharing != own->sharing)
        return err_set(e, E_CONFIG, "it is %s state there, %s state now", sharing_names[stored->sharing], sharing_names[own->sharing]);
    bool has_stamp = stored->count[ROLE_STAMP] != 0;
    if (stored->count[ROLE_STAMP] > 1 || (has_stamp && !type_equal(stored->columns[stored->first[ROLE_STAMP]].type, &bigint_type)))
        return err_set(e, E_DATA, "its column of times to live is none");
    for (uint32_t role = 0; role < ROLE_STAMP; role++) TRY(columns_fit(stored, own, (enum schema_role)role, e));
    if (stored->sort_descending != own->sort_descending || stored->sort_nulls_last != own->sort_nulls_last ||
        stored->sort_unique != own->sort_unique)
        return err_set(e, E_CONFIG, "its rows are sorted otherwise there");
    if (stored->is_within != own->is_within || (own->is_within && stored->group_cols != own->group_cols))
        return err_set(e, E_CONFIG, "other columns of its key decide the key group there");
    return S_OK;
}
