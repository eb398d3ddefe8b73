/* rows.c - how many rows a part of a plan gives, as far as it is known: what ANALYZE TABLE found, what a table's options promise, else
 * UNKNOWN_ROWS, as Flink takes it of tables without statistics. Only for comparing plans.
 *
 * What a condition keeps: of equal values one of as many as the column has, of values above or below a constant the part of the way
 * between least and greatest, NULLs by their number; conditions are taken to be independent. Where nothing is known of any column of
 * it, a filter keeps every fourth row. Groups are as many as their keys have values, else a tenth of the rows.
 *
 * Statistics are those of scans that plans of batch mode have: a plan of streams does not depend on them. */
#include "language/plan/aggregate_rel.h"
#include "language/plan/rel_internal.h"

#include "ground/base/str.h"

#include <string.h>

#define UNKNOWN_ROWS 1e8
#define FIXED_BYTES 8    /* of a value, or of where it lies */
#define UNKNOWN_BYTES 16 /* that lie elsewhere */
#define UNKNOWN_PART 0.25 /* of rows that a filter keeps */

/* --- columns ------------------------------------------------------------------------------------------------------- */
struct rel_column rel_column_of(const struct rel *r, uint32_t col)
{
    const struct calc_body *c = r->body;
    const struct table_statistics *s = rel_scan_statistics(r);

    if (r->type == &rel_calc_type) {
        if (c->count == 0) return rel_column_of(r->inputs[0], col);
        return c->columns[col]->kind == EXPR_COLUMN ? rel_column_of(r->inputs[0], c->columns[col]->col) : (struct rel_column){0};
    }
    if (r->type == &rel_watermark_type) return rel_column_of(r->inputs[0], col);
    for (uint32_t i = 0; s != NULL && i < s->column_count; i++)
        if (strcmp(s->columns[i].name, r->row->names[col]) == 0) return (struct rel_column){&s->columns[i], MAX((double)s->row_count, 1)};
    return (struct rel_column){0};
}

static double nulls_of(struct rel_column c) { return MIN((double)c.said->null_count / c.rows, 1); }

/* --- conditions ---------------------------------------------------------------------------------------------------- */
static bool number_of(const struct expr *x, double *out)
{
    if (x->kind != EXPR_CONSTANT || vector_is_null(x->constant, 0)) return false;
    if (x->type->kind == T_INT) *out = VECTOR_VALUES(x->constant, int32_t)[0];
    else if (x->type->kind == T_BIGINT) *out = (double)VECTOR_VALUES(x->constant, int64_t)[0];
    else if (x->type->kind == T_DOUBLE) *out = VECTOR_VALUES(x->constant, double)[0];
    else return false;
    return true;
}

static const struct expr *without_cast(const struct expr *x)
{
    return x->kind == EXPR_CALL && x->count == 1 && strcmp(x->call->def->name, "CAST") == 0 ? x->args[0] : x;
}

/* The part of the way from the least value to the greatest that lies below the constant. */
static bool part_below(const struct column_statistics *c, const struct expr *constant, double *out)
{
    double least, most, at;

    if (c->min == NULL || c->max == NULL || !number_of(constant, &at)) return false;
    if (!str_to_double(str_of(c->min), &least) || !str_to_double(str_of(c->max), &most)) return false;
    *out = most > least ? (at - least) / (most - least) : at >= least ? 1 : 0;
    *out = MIN(MAX(*out, 0), 1);
    return true;
}

/* "=", "<>", "<", ...: a column beside a constant, or the other way round. */
static bool compared(const struct rel *in, const struct expr *x, double *out)
{
    const char *name = x->call->def->name;
    bool turned = without_cast(x->args[0])->kind != EXPR_COLUMN;
    const struct expr *column = without_cast(x->args[turned ? 1 : 0]), *constant = x->args[turned ? 0 : 1];
    double below;

    if (column->kind != EXPR_COLUMN || constant->kind != EXPR_CONSTANT) return false;
    struct rel_column c = rel_column_of(in, column->col);
    if (c.said == NULL) return false;
    double values = 1 - nulls_of(c), each = c.said->distinct_count > 0 ? values / (double)c.said->distinct_count : 0;
    if (strcmp(name, "=") == 0 || strcmp(name, "<>") == 0) {
        *out = name[0] == '=' ? each : values - each;
        return each > 0;
    }
    bool is_less = name[0] == '<', is_more = name[0] == '>';
    if ((!is_less && !is_more) || !part_below(c.said, constant, &below)) return false;
    *out = values * (is_less != turned ? below : 1 - below);
    return true;
}

/* Which part of the rows the condition keeps; false: nothing is known. */
static bool kept_part(const struct rel *in, const struct expr *x, double *out)
{
    bool is_and = x->kind == EXPR_AND, any = false;
    double part, all = 1;

    if (x->kind == EXPR_CALL && x->count == 1) {
        struct rel_column c = x->args[0]->kind == EXPR_COLUMN ? rel_column_of(in, x->args[0]->col) : (struct rel_column){0};
        bool is_null = strcmp(x->call->def->name, "IS NULL") == 0, is_value = strcmp(x->call->def->name, "IS NOT NULL") == 0;
        if (c.said == NULL || (!is_null && !is_value)) return false;
        *out = is_null ? nulls_of(c) : 1 - nulls_of(c);
        return true;
    }
    if (x->kind == EXPR_CALL && x->count == 2) return compared(in, x, out);
    if (!is_and && x->kind != EXPR_OR) return false;
    for (uint32_t i = 0; i < x->count; i++) {
        bool known = kept_part(in, x->args[i], &part);
        if (!known) part = UNKNOWN_PART;
        all *= is_and ? part : 1 - part;
        any |= known;
    }
    *out = is_and ? all : 1 - all;
    return any;
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */
static double promised(const struct table *t)
{
    static const char *const options[] = {"number-of-rows", "events.num"};
    int64_t n;

    for (size_t i = 0; t != NULL && i < COUNT_OF(options); i++) {
        const char *text = table_option(t, options[i]);
        if (text != NULL && str_to_int64(str_of(text), &n) && n > 0) return (double)n;
    }
    return UNKNOWN_ROWS;
}

static double groups_of(const struct rel *r, double rows)
{
    const struct aggregate_body *b = r->body;
    double groups = 1;

    for (uint32_t i = 0; i < b->key_count; i++) {
        struct rel_column c = rel_column_of(r->inputs[0], b->keys[i]);
        if (c.said == NULL || c.said->distinct_count < 0) return rows * 0.1;
        groups *= (double)c.said->distinct_count + (c.said->null_count > 0);
    }
    return MIN(groups, rows);
}

/* Of values of a column: as Flink's rows in memory, so that sizes compare with its thresholds. */
static double column_bytes(const struct rel *r, uint32_t col)
{
    const struct type *t = r->row->children[col];
    struct rel_column c = rel_column_of(r, col);

    if (t->phys != P_STR && t->phys != P_LIST && t->phys != P_ROW && t->phys != P_I128 && t->phys != P_TS96) return FIXED_BYTES;
    return FIXED_BYTES + (c.said != NULL && c.said->average_length >= 0 ? c.said->average_length : UNKNOWN_BYTES);
}

double rel_bytes(const struct rel *r)
{
    double bytes = FIXED_BYTES * (double)((r->row->child_count + 8 + 63) / 64); /* which are NULL */

    for (uint32_t i = 0; i < r->row->child_count; i++) bytes += column_bytes(r, i);
    return bytes * rel_rows(r);
}

double rel_rows(const struct rel *r)
{
    const struct table_statistics *s = rel_scan_statistics(r);
    double rows = 0, part = UNKNOWN_PART;

    if (r->type == &rel_values_type) return MAX(((const struct values_body *)r->body)->row_count, 1u);
    if (s != NULL) return MAX((double)s->row_count, 1);
    if (r->input_count == 0) return promised(rel_scanned(r));
    for (uint32_t i = 0; i < r->input_count; i++) rows += rel_rows(r->inputs[i]);
    if (r->type == &rel_calc_type && ((const struct calc_body *)r->body)->condition != NULL) {
        if (!kept_part(r->inputs[0], ((const struct calc_body *)r->body)->condition, &part)) part = UNKNOWN_PART;
        rows *= part;
    }
    bool is_groups = r->type == &rel_aggregate_type || r->type == &rel_hash_aggregate_type || r->type == &rel_sort_aggregate_type;
    if (is_groups) rows = groups_of(r, rows);
    const struct rank_body *k = r->body;
    bool is_limit = r->type == &rel_limit_type || r->type == &rel_sort_limit_type;
    if (is_limit && k->last != RANK_UNBOUNDED) rows = MIN(rows, (double)(k->last - k->first + 1));
    return MAX(rows, 1);
}
