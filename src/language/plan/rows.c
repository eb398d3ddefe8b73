/* rows.c - how many rows a part of a plan gives, as far as the plan says: what a table's options promise, else UNKNOWN_ROWS, as Flink
 * takes it of tables without statistics. A filter keeps every fourth row, groups are a tenth of theirs. Only for comparing plans. */
#include "language/plan/rel_internal.h"

#include "ground/base/str.h"

#define UNKNOWN_ROWS 1e8

double rel_rows(const struct rel *r)
{
    const struct table *t = rel_scanned(r);
    static const char *const options[] = {"number-of-rows", "events.num"};
    int64_t n;

    if (r->type == &rel_values_type) return MAX(((const struct values_body *)r->body)->row_count, 1u);
    for (size_t i = 0; t != NULL && i < COUNT_OF(options); i++) {
        const char *text = table_option(t, options[i]);
        if (text != NULL && str_to_int64(str_of(text), &n) && n > 0) return (double)n;
    }
    if (r->input_count == 0) return UNKNOWN_ROWS;
    double rows = 0;
    for (uint32_t i = 0; i < r->input_count; i++) rows += rel_rows(r->inputs[i]);
    if (r->type == &rel_calc_type && ((const struct calc_body *)r->body)->condition != NULL) rows *= 0.25;
    if (r->type == &rel_aggregate_type) rows = ((const struct aggregate_body *)r->body)->key_count == 0 ? 1 : rows * 0.1;
    const struct rank_body *k = r->body;
    bool is_limit = r->type == &rel_limit_type || r->type == &rel_sort_limit_type;
    if (is_limit && k->last != RANK_UNBOUNDED) rows = MIN(rows, (double)(k->last - k->first + 1));
    return MAX(rows, 1);
}
