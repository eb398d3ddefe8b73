/* datagen_table.c - from options to generators. Every option fields.* must be used by some field: what is left over names a
 * column that does not exist or a property that its type does not have, and is refused. */
#include "columns/column/decimal.h"
#include "flow/connector/datagen/datagen.h"
#include "ground/base/hash.h"
#include "ground/base/prng.h"
#include "ground/base/str.h"

#include <float.h>
#include <string.h>

#define INTERVAL_MONTHS_MAX 120000
#define INTERVAL_MS_MAX (INT64_C(31556952000) * 10000)

struct maker {
    const struct options *options;
    bool *used;                /* one per option */
    uint64_t seed;
    struct arena *arena;
    struct datagen_table *table;
    struct err *err;
};

static const char *property(struct maker *m, const char *path, const char *name)
{
    const char *value = NULL, *key = arena_printf(m->arena, "fields.%s.%s", path, name);

    for (uint32_t i = 0; i < m->options->count; i++) {
        if (strcmp(m->options->items[i].key, key) != 0) continue;
        m->used[i] = true;
        value = m->options->items[i].value;
    }
    return value;
}

static enum status bad_value(struct maker *m, const char *path, const char *name, const char *value, const char *wanted)
{
    return err_set(m->err, E_CONFIG, "option 'fields.%s.%s' of connector 'datagen' is '%s', but must be %s", path, name,
                   value, wanted);
}

/* A bound in the unit of the type: whole numbers as they are, decimals unscaled. */
static enum status bound_read(struct maker *m, const struct datagen_field *f, const char *path, const char *name,
                              int128 *out)
{
    const char *text = property(m, path, name);
    const struct type *t = f->type;
    int128 least = *out, most = *out;
    int64_t whole;

    if (text == NULL) return S_OK;
    if (t->kind == T_DECIMAL)
        return decimal_parse(str_of(text), t->precision, t->scale, out)
                   ? S_OK
                   : bad_value(m, path, name, text, "a decimal that fits the column");
    least = f->min;
    most = f->max;
    if (!str_to_int64(str_of(text), &whole) || whole < least || whole > most)
        return bad_value(m, path, name, text, "a whole number that fits the column");
    *out = whole;
    return S_OK;
}

static enum status bounds_read(struct maker *m, struct datagen_field *f, const char *path)
{
    int128 low = f->min, high = f->max;

    TRY(bound_read(m, f, path, "min", &low));
    TRY(bound_read(m, f, path, "max", &high));
    if (low > high)
        return err_set(m->err, E_CONFIG, "connector 'datagen': 'fields.%s.min' is greater than 'fields.%s.max'", path,
                       path);
    f->min = low;
    f->max = high;
    return S_OK;
}

static enum status reals_read(struct maker *m, struct datagen_field *f, const char *path)
{
    const char *low = property(m, path, "min"), *high = property(m, path, "max");

    f->low = 0;
    f->high = f->type->kind == T_FLOAT ? FLT_MAX : DBL_MAX;
    if (low != NULL && !str_to_double(str_of(low), &f->low)) return bad_value(m, path, "min", low, "a number");
    if (high != NULL && !str_to_double(str_of(high), &f->high)) return bad_value(m, path, "max", high, "a number");
    if (f->low <= f->high && f->high - f->low <= DBL_MAX) return S_OK;
    return err_set(m->err, E_CONFIG, "connector 'datagen': 'fields.%s.min' and 'fields.%s.max' are no range", path,
                   path);
}

static enum status length_read(struct maker *m, struct datagen_field *f, const char *path, uint32_t fallback,
                               int64_t most)
{
    const char *text = property(m, path, "length");
    int64_t length = fallback;

    if (text != NULL &&
        (!str_to_int64(str_of(text), &length) || length < 1 || length > MIN(most, (int64_t)DATAGEN_LENGTH_MAX)))
        return bad_value(m, path, "length", text, "a length that fits the column");
    f->length = (uint32_t)length;
    return S_OK;
}

static enum status string_read(struct maker *m, struct datagen_field *f, const char *path)
{
    bool is_fixed = f->type->kind == T_CHAR || f->type->kind == T_BINARY;
    const char *var = is_fixed ? NULL : property(m, path, "var-len");
    uint32_t fallback =
        is_fixed ? (uint32_t)f->type->precision : (uint32_t)MIN(f->type->precision, (int32_t)DATAGEN_STRING_LENGTH);

    TRY(length_read(m, f, path, fallback, f->type->precision));
    if (is_fixed && f->length != fallback)
        return err_set(m->err, E_CONFIG, "connector 'datagen': column '%s' has the fixed length %u", path, fallback);
    f->var_length = var != NULL && str_equal_nocase(str_of(var), STR("true"));
    if (var != NULL && !f->var_length && !str_equal_nocase(str_of(var), STR("false")))
        return bad_value(m, path, "var-len", var, "true or false");
    m->table->row_bytes += f->length;
    return S_OK;
}

static enum status time_read(struct maker *m, struct datagen_field *f, const char *path)
{
    const char *past = property(m, path, "max-past");

    if (past == NULL || parse_duration_ms(str_of(past), &f->max_past_ms)) return S_OK;
    return bad_value(m, path, "max-past", past, "a duration such as '10 s'");
}

static int128 signed_limit(int bits, bool greatest)
{
    return greatest ? ((int128)1 << (bits - 1)) - 1 : -((int128)1 << (bits - 1));
}

static enum status field_make(struct maker *m, struct datagen_field *f, const struct type *t, const char *path);

static enum status children_make(struct maker *m, struct datagen_field *f, const char *path)
{
    static const char *const parts[] = {"key", "value"};
    const struct type *t = f->type;
    uint32_t count = t->kind == T_MULTISET ? 1 : t->child_count;
    uint64_t row_bytes = m->table->row_bytes;

    f->children = ARENA_ARRAY(m->arena, struct datagen_field, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *part = t->kind == T_ROW ? t->names[i] : t->kind == T_MAP ? parts[i] : "element";
        TRY(field_make(m, &f->children[i], t->children[i], arena_printf(m->arena, "%s.%s", path, part)));
    }
    if (t->kind != T_ROW) m->table->row_bytes = row_bytes + (m->table->row_bytes - row_bytes + 16) * f->length;
    return S_OK;
}

static enum status random_make(struct maker *m, struct datagen_field *f, const char *path)
{
    static const int bits[] = {[T_TINYINT] = 8, [T_SMALLINT] = 16, [T_INT] = 32, [T_BIGINT] = 64};

    switch (f->type->kind) {
    case T_BOOLEAN: case T_DATE: case T_TIME: return S_OK;
    case T_TINYINT: case T_SMALLINT: case T_INT: case T_BIGINT:
        f->min = signed_limit(bits[f->type->kind], false);
        f->max = signed_limit(bits[f->type->kind], true);
        return bounds_read(m, f, path);
    case T_INTERVAL_MONTH: f->max = INTERVAL_MONTHS_MAX; return bounds_read(m, f, path);
    case T_INTERVAL_SECOND: f->max = INTERVAL_MS_MAX; return bounds_read(m, f, path);
    case T_DECIMAL: f->max = decimal_power10(f->type->precision) - 1; return bounds_read(m, f, path);
    case T_FLOAT: case T_DOUBLE: return reals_read(m, f, path);
    case T_CHAR: case T_VARCHAR: case T_BINARY: case T_VARBINARY: return string_read(m, f, path);
    case T_TIMESTAMP: case T_TIMESTAMP_LTZ: return time_read(m, f, path);
    case T_ROW: return children_make(m, f, path);
    case T_ARRAY: case T_MAP: case T_MULTISET:
        TRY(length_read(m, f, path, DATAGEN_COLLECTION_LENGTH, 10000));
        return children_make(m, f, path);
    default:
        return err_set(m->err, E_UNSUPPORTED, "connector 'datagen' makes no values of the type of column '%s'", path);
    }
}

/* Sequences are numbers, or numbers as text; they end the source. */
static enum status sequence_make(struct maker *m, struct datagen_field *f, const char *path)
{
    const char *start = property(m, path, "start"), *end = property(m, path, "end");
    struct datagen_field limits = {.type = f->type};
    bool is_number = f->type->kind >= T_TINYINT && f->type->kind <= T_DECIMAL;
    int64_t last;

    if (!is_number && f->type->kind != T_CHAR && f->type->kind != T_VARCHAR)
        return err_set(m->err, E_UNSUPPORTED,
                       "connector 'datagen': column '%s' cannot be a sequence, only numbers and strings can", path);
    if (start == NULL || end == NULL)
        return err_set(m->err, E_CONFIG,
                       "connector 'datagen': the sequence '%s' needs 'fields.%s.start' and 'fields.%s.end'", path, path,
                       path);
    if (!str_to_int64(str_of(start), &f->start)) return bad_value(m, path, "start", start, "a whole number");
    if (!str_to_int64(str_of(end), &last) || last < f->start)
        return bad_value(m, path, "end", end, "a whole number, not below the start");
    if (f->type->kind >= T_TINYINT && f->type->kind <= T_BIGINT) {
        TRY(random_make(m, &limits, "")); /* only for its limits: no option has an empty path */
        if (f->start < limits.min || last > limits.max)
            return bad_value(m, path, "end", end, "a number that fits the column");
    }
    uint64_t count = (uint64_t)last - (uint64_t)f->start;
    m->table->rows = MIN(m->table->rows, count == UINT64_MAX ? UINT64_MAX : count + 1);
    m->table->row_bytes += 20;
    f->is_sequence = true;
    return S_OK;
}

static enum status nulls_read(struct maker *m, struct datagen_field *f, const char *path)
{
    const char *text = property(m, path, "null-rate");
    double rate;

    if (text == NULL) return S_OK;
    if (!str_to_double(str_of(text), &rate) || !(rate >= 0 && rate <= 1))
        return bad_value(m, path, "null-rate", text, "between 0 and 1");
    if (rate > 0 && !f->type->nullable)
        return err_set(m->err, E_CONFIG, "connector 'datagen': column '%s' is NOT NULL, but has a null-rate", path);
    f->null_below = rate == 1 ? UINT64_MAX : (uint64_t)(rate * 0x1.0p64);
    return S_OK;
}

static enum status field_make(struct maker *m, struct datagen_field *f, const struct type *t, const char *path)
{
    const char *kind = property(m, path, "kind");

    f->type = t;
    f->key = mix64(m->seed ^ hash64(path, strlen(path)));
    if (kind != NULL && str_equal_nocase(str_of(kind), STR("sequence"))) return sequence_make(m, f, path);
    if (kind != NULL && !str_equal_nocase(str_of(kind), STR("random")))
        return bad_value(m, path, "kind", kind, "random or sequence");
    TRY(nulls_read(m, f, path));
    return random_make(m, f, path);
}

static enum status leftovers(const struct maker *m, const struct type *row)
{
    for (uint32_t i = 0; i < m->options->count; i++) {
        struct str key = str_of(m->options->items[i].key), rest = key, name;
        if (m->used[i] || !str_starts(key, STR("fields."))) continue;
        str_cut(&rest, '.', &name);
        str_cut(&rest, '.', &name);
        err_set(m->err, E_CONFIG, "option '%s' of connector 'datagen' fits no column", m->options->items[i].key);
        int near = type_field(row, name) >= 0 ? -1 : str_nearest(name, row->names, row->child_count);
        if (type_field(row, name) >= 0)
            err_hint(m->err, "column '%.*s' has no such property", (int)name.size, name.data);
        else if (near >= 0) err_hint(m->err, "did you mean 'fields.%s...'?", row->names[near]);
        return E_CONFIG;
    }
    return S_OK;
}

enum status datagen_table_make(struct datagen_table *t, const struct options *o, const struct type *row, uint64_t seed,
                               struct arena *a, struct err *e)
{
    struct maker m = {.options = o,
                      .used = ARENA_ARRAY(a, bool, o->count + 1),
                      .seed = mix64(seed),
                      .arena = a,
                      .table = t,
                      .err = e};

    ASSERT(row->kind == T_ROW);
    *t = (struct datagen_table){.row = row, .rows = UINT64_MAX};
    t->fields = ARENA_ARRAY(a, struct datagen_field, row->child_count);
    for (uint32_t i = 0; i < row->child_count; i++) TRY(field_make(&m, &t->fields[i], row->children[i], row->names[i]));
    return leftovers(&m, row);
}
