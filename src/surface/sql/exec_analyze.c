/* exec_analyze.c - ANALYZE TABLE: a query over the table counts its rows and the values of its columns, and the catalog keeps what it
 * found (sys.statistics, information_schema.tables). Partitions are those that the catalog knows, each counted by itself. A streaming
 * plan never depends on statistics. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"
#include "language/sql/print.h"

#include <stdlib.h>

enum { CELLS_PER_COLUMN = 6, COLUMNS_PER_QUERY = 100 };

struct analyzing {
    struct run *r;
    const struct analyze_table *x;
    const struct table *table;
    struct column_statistics *columns;
    uint32_t count;
    const char **cells; /* of the row that a query gave; NULL for NULL */
    uint32_t cell_count;
};

/* --- one row of texts -------------------------------------------------------------------------------------------- */
static enum status take_row(void *arg, const struct batch *b, struct err *e)
{
    struct analyzing *s = arg;

    (void)e;
    for (uint32_t i = 0; i < batch_rows(b); i++) {
        uint32_t row = batch_row(b, i);
        for (uint32_t c = 0; c < b->col_count && c < s->cell_count; c++) {
            const struct vector *v = &b->cols[c];
            struct str text = {0};
            if (!vector_is_null(v, row))
                text = text_str(&VECTOR_VALUES(vector_values(v), struct text)[vector_at(v, row)]);
            s->cells[c] = vector_is_null(v, row) ? NULL : arena_strndup(&s->r->arena, text.data, text.size);
        }
    }
    return S_OK;
}

static enum status take_begin(void *arg, const struct type *row, bool is_changelog, struct err *e)
{
    (void)arg, (void)row, (void)is_changelog, (void)e;
    return S_OK;
}

static enum status take_end(void *arg, struct err *e)
{
    (void)arg, (void)e;
    return S_OK;
}

static enum status take_said(void *arg, const char *text, struct err *e)
{
    (void)arg, (void)text, (void)e;
    return S_OK;
}

/* A query of the engine's own text, whose row goes into cells. */
static enum status ask(struct analyzing *s, const struct buf *text, uint32_t cells)
{
    struct run *r = s->r, before = *r;
    struct tokens tokens;
    struct statement st;
    struct sql_listener to = {.arg = s, .begin = take_begin, .rows = take_row, .end = take_end, .said = take_said};

    s->cell_count = cells;
    s->cells = ARENA_ARRAY(&r->arena, const char *, cells);
    TRY(statement_parse_one((struct str){text->data, text->size}, &r->arena, &tokens, &st, r->e));
    r->t = &tokens;
    r->to = &to;
    r->statement = &st;
    enum status result = run_query(r, st.body);
    r->t = before.t;
    r->to = before.to;
    r->statement = before.statement;
    return result;
}

static int64_t number(const char *cell) { return cell != NULL ? strtoll(cell, NULL, 10) : 0; }

/* --- the queries ------------------------------------------------------------------------------------------------- */
static bool has_order(const struct type *t)
{
    return type_is_numeric(t) || t->kind == T_DATE || t->kind == T_TIME || t->kind == T_TIMESTAMP ||
           t->kind == T_TIMESTAMP_LTZ;
}

static bool is_nested(const struct type *t) { return t->phys == P_LIST || t->phys == P_ROW; }

/* COUNT, COUNT DISTINCT, MIN, MAX, average and greatest length; NULL where the type has no such thing. */
static void print_column(const struct table *t, const struct column_statistics *c, struct buf *out)
{
    const struct type *type = t->row->children[type_field(t->row, str_of(c->name))];
    struct buf name;

    buf_init(&name, out->mem);
    print_quoted_name(str_of(c->name), &name);
    const char *n = buf_text(&name);
    buf_printf(out, ", CAST(COUNT(%s) AS STRING)", n);
    if (is_nested(type))
        buf_append_text(out, ", CAST(NULL AS STRING)");
    else
        buf_printf(out, ", CAST(COUNT(DISTINCT %s) AS STRING)", n);
    if (has_order(type))
        buf_printf(out, ", CAST(MIN(%s) AS STRING), CAST(MAX(%s) AS STRING)", n, n);
    else
        buf_append_text(out, ", CAST(NULL AS STRING), CAST(NULL AS STRING)");
    if (type_is_string(type))
        buf_printf(out, ", CAST(AVG(CAST(CHAR_LENGTH(%s) AS DOUBLE)) AS STRING), CAST(MAX(CHAR_LENGTH(%s)) AS STRING)",
                   n, n);
    else
        buf_append_text(out, ", CAST(NULL AS STRING), CAST(NULL AS STRING)");
    buf_release(&name);
}

static void print_where(const struct partition *p, struct buf *out)
{
    for (uint32_t i = 0; i < p->count; i++) {
        buf_append_text(out, i == 0 ? " WHERE CAST(" : " AND CAST(");
        print_quoted_name(str_of(p->columns[i]), out);
        buf_append_text(out, " AS STRING) = ");
        print_string(str_of(p->values[i]), out);
    }
}

static void take_cells(struct column_statistics *c, const char *const *cells, int64_t rows)
{
    c->null_count = rows - number(cells[0]);
    c->distinct_count = cells[1] != NULL ? number(cells[1]) : -1;
    c->min = cells[2];
    c->max = cells[3];
    c->average_length = cells[4] != NULL ? strtod(cells[4], NULL) : -1;
    c->max_length = cells[5] != NULL ? number(cells[5]) : -1;
}

static enum status ask_columns(struct analyzing *s, const struct partition *p, uint32_t from, uint32_t to,
                               int64_t *rows)
{
    struct buf text;

    buf_init(&text, &s->r->mem);
    buf_append_text(&text, "SELECT CAST(COUNT(*) AS STRING)");
    for (uint32_t i = from; i < to; i++) print_column(s->table, &s->columns[i], &text);
    buf_append_text(&text, " FROM ");
    print_quoted_name(str_of(s->table->catalog), &text);
    buf_append_byte(&text, '.');
    print_quoted_name(str_of(s->table->database), &text);
    buf_append_byte(&text, '.');
    print_quoted_name(str_of(s->table->name), &text);
    print_where(p, &text);
    enum status st = ask(s, &text, 1 + (to - from) * CELLS_PER_COLUMN);
    buf_release(&text);
    if (st != S_OK) return st;
    *rows = number(s->cells[0]);
    for (uint32_t i = from; i < to; i++)
        take_cells(&s->columns[i], s->cells + 1 + (size_t)(i - from) * CELLS_PER_COLUMN, *rows);
    return S_OK;
}

static enum status analyze(struct analyzing *s, const struct partition *p, const char *partition)
{
    struct table_statistics found = {.partition = partition, .column_count = s->count, .columns = s->columns};
    struct object_name name = {s->table->catalog, s->table->database, s->table->name};
    struct err inner = {0};
    uint32_t at = 0;

    do {
        uint32_t to = MIN(s->count, at + COLUMNS_PER_QUERY);
        TRY(ask_columns(s, p, at, to, &found.row_count));
        at = to;
    } while (at < s->count);
    return run_at_name(s->r, &s->x->table, catalogs_set_statistics(s->r->s->catalogs, name, &found, &inner), &inner);
}

/* --- the statement ----------------------------------------------------------------------------------------------- */
static enum status find_columns(struct analyzing *s)
{
    const struct table *t = s->table;
    uint32_t most = s->x->all_columns ? t->row->child_count : s->x->column_count;

    s->columns = ARENA_ARRAY(&s->r->arena, struct column_statistics, most + 1);
    for (uint32_t i = 0; i < t->column_count && s->x->all_columns; i++)
        if (t->columns[i].kind == TABLE_PHYSICAL) s->columns[s->count++].name = t->columns[i].name;
    for (uint32_t i = 0; i < s->x->column_count; i++) {
        const char *name = run_text(s->r, s->x->columns[i]);
        if (type_field(t->row, s->x->columns[i]) < 0)
            return run_fail(s->r, s->x->table.place, "Column: %s does not exist in the table: `%s`.`%s`.`%s`.", name,
                            t->catalog, t->database, t->name);
        s->columns[s->count++].name = name;
    }
    return S_OK;
}

static enum status check_partition(struct analyzing *s)
{
    const struct table *t = s->table;
    const struct ast_partition *p = &s->x->partition;
    uint32_t found = 0;

    for (uint32_t i = 0; i < p->count; i++) found += table_is_partition(t, run_text(s->r, p->items[i].column));
    if (found == p->count && p->count == t->partition_count) return S_OK;
    if (t->partition_count == 0)
        return run_fail(s->r, s->x->table.place,
                        "Invalid ANALYZE TABLE statement. Table: `%s`.`%s`.`%s` is not a partition table, while "
                        "partition values are given.",
                        t->catalog, t->database, t->name);
    err_hint(s->r->e, "name each of them: PARTITION (%s, ...) takes any value, PARTITION (%s = 'x', ...) one",
             t->partitions[0], t->partitions[0]);
    return run_fail(s->r, s->x->table.place,
                    "Invalid ANALYZE TABLE statement. For partition table, all partition keys should be specified "
                    "explicitly.");
}

/* Partitions that the catalog knows, with all values that the statement gives. */
struct known {
    struct run *r;
    struct partition *items;
    const char **names;
    uint32_t count, capacity;
};

static void take_partition(void *arg, const struct partition *p, const char *name)
{
    struct known *k = arg;

    if (k->count == k->capacity) {
        uint32_t capacity = MAX(k->capacity * 2, 16u);
        struct partition *items = ARENA_ARRAY(&k->r->arena, struct partition, capacity);
        const char **names = ARENA_ARRAY(&k->r->arena, const char *, capacity);
        for (uint32_t i = 0; i < k->count; i++) {
            items[i] = k->items[i];
            names[i] = k->names[i];
        }
        k->items = items;
        k->names = names;
        k->capacity = capacity;
    }
    k->items[k->count] = *p;
    k->names[k->count++] = name;
}

static enum status analyze_partitions(struct analyzing *s)
{
    struct known k = {.r = s->r};

    TRY(run_each_partition(s->r, &s->x->table, &s->x->partition, take_partition, &k));
    for (uint32_t i = 0; i < k.count; i++) TRY(analyze(s, &k.items[i], k.names[i]));
    return S_OK;
}

static enum status run_analyze(struct run *r, const void *body)
{
    const struct analyze_table *x = body;
    struct analyzing s = {.r = r, .x = x};
    struct query_binder b = run_binder(r);
    struct partition whole = {0};

    TRY(bind_find_table(&b, &x->table, &s.table));
    if (s.table->view != NULL || s.table->system != NULL)
        return run_fail(r, x->table.place, "ANALYZE TABLE for a view is not allowed");
    if (s.table->is_temporary)
        return run_fail(r, x->table.place, "Table `%s`.`%s`.`%s` doesn't exist or is a temporary table.",
                        s.table->catalog, s.table->database, s.table->name);
    TRY(check_partition(&s));
    if (!b.is_batch) return run_fail(r, r->statement->place, "ANALYZE TABLE is not supported for streaming mode now");
    TRY(find_columns(&s));
    TRY(s.table->partition_count > 0 ? analyze_partitions(&s) : analyze(&s, &whole, ""));
    return run_said(r);
}

const struct executor analyze_executors[] = {{"analyze", run_analyze}, {0}};
