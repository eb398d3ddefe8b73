/* print_query.c - queries and tables as text: on one line, or with clauses on lines of their own where the tree says so. */
#include "language/sql/print.h"

#include "ground/base/str.h"

static void print_items(const struct ast_select *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_expr(s->items[i].x, out);
        if (s->items[i].alias.size == 0) continue;
        buf_append_text(out, " AS ");
        print_quoted_name(s->items[i].alias, out);
    }
}

static void print_clause(const char *word, const struct ast_expr *x, struct buf *out)
{
    if (x == NULL) return;
    buf_append_text(out, word);
    print_expr(x, out);
}

/* Before a word that begins a line. */
static void print_break(bool lines, struct buf *out) { buf_append_byte(out, lines ? '\n' : ' '); }

static void print_line(bool lines, const char *word, const struct ast_expr *x, struct buf *out)
{
    if (x != NULL) print_break(lines, out);
    print_clause(word, x, out);
}

static void print_list(const char *before, const struct ast_list *l, const char *after, struct buf *out)
{
    if (l->count == 0) return;
    buf_append_text(out, before);
    for (uint32_t i = 0; i < l->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_expr(l->items[i], out);
    }
    buf_append_text(out, after);
}

void print_orders(const struct ast_orders *o, struct buf *out)
{
    static const char *const nulls[] = {"", " NULLS FIRST", " NULLS LAST"};

    for (uint32_t i = 0; i < o->count; i++) {
        if (i > 0) buf_append_text(out, ", ");
        print_expr(o->items[i].x, out);
        if (o->items[i].descending) buf_append_text(out, " DESC");
        buf_append_text(out, nulls[o->items[i].nulls]);
    }
}

static void print_order_by(const char *before, const struct ast_orders *o, const char *after, struct buf *out)
{
    if (o->count == 0) return;
    buf_append_text(out, before);
    print_orders(o, out);
    buf_append_text(out, after);
}

/* --- windows ----------------------------------------------------------------------------------------------------- */
static void print_bound(const struct ast_bound *b, struct buf *out)
{
    static const char *const words[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING"};

    if (b->x != NULL) print_expr(b->x, out);
    buf_append_text(out, words[b->kind]);
}

void print_window(const struct ast_window *w, struct buf *out)
{
    const char *space = "";

    if (w->base.size > 0) {
        print_quoted_name(w->base, out);
        space = " ";
    }
    if (w->partition.count > 0) {
        buf_append_text(out, space);
        print_list("PARTITION BY ", &w->partition, "", out);
        space = " ";
    }
    if (w->order.count > 0) {
        buf_append_text(out, space);
        print_order_by("ORDER BY ", &w->order, "", out);
        space = " ";
    }
    if (!w->framed) return;
    buf_printf(out, "%s%s BETWEEN ", space, w->rows ? "ROWS" : "RANGE");
    print_bound(&w->from, out);
    buf_append_text(out, " AND ");
    print_bound(&w->to, out);
}

void print_hints(const struct ast_hints *h, struct buf *out)
{
    for (uint32_t i = 0; i < h->count; i++) {
        const struct ast_hint *hint = &h->items[i];
        buf_append_text(out, i == 0 ? " /*+ " : ", ");
        print_quoted_name(hint->name, out);
        for (uint32_t a = 0; a < hint->count; a++) {
            const struct ast_expr *x = hint->args[a];
            buf_append_text(out, a == 0 ? "(" : ", ");
            if (x->kind == AX_NAMED) {
                print_string(x->text, out);
                buf_append_text(out, " = ");
                x = x->args.items[0];
            }
            print_expr(x, out);
        }
        if (hint->count > 0) buf_append_byte(out, ')');
    }
    if (h->count > 0) buf_append_text(out, " */");
}

/* --- tables ------------------------------------------------------------------------------------------------------ */
static void print_join(const struct ast_table *t, struct buf *out)
{
    static const char *const words[] = {"INNER JOIN ", "LEFT JOIN ", "RIGHT JOIN ", "FULL JOIN ", "CROSS JOIN ", ","};
    bool group = t->right->kind == TABLE_JOIN, left = t->left->kind == TABLE_JOIN && t->left->join == JOIN_COMMA && t->join != JOIN_COMMA;

    if (left) buf_append_byte(out, '(');
    print_table(t->left, out);
    if (left) buf_append_byte(out, ')');
    if (t->natural) buf_append_text(out, " NATURAL");
    if (t->join != JOIN_COMMA) print_break(t->lines && !t->natural, out);
    buf_append_text(out, words[t->join]);
    if (t->join == JOIN_COMMA) print_break(t->lines, out);
    if (group) buf_append_byte(out, '(');
    print_table(t->right, out);
    if (group) buf_append_byte(out, ')');
    print_clause(" ON ", t->on, out);
    if (t->using.count == 0) return;
    buf_append_text(out, " USING ");
    print_name_list(t->using.count, t->using.parts, out);
}

static void print_source(const struct ast_table *t, struct buf *out)
{
    switch ((enum ast_table_kind)t->kind) {
    case TABLE_NAME: print_name(&t->name, out); break;
    case TABLE_FILE: print_string(t->file, out); break;
    case TABLE_QUERY:
        buf_append_byte(out, '(');
        print_query(t->query, out);
        buf_append_byte(out, ')');
        break;
    case TABLE_CALL:
        buf_append_text(out, "TABLE(");
        print_expr(t->x, out);
        buf_append_byte(out, ')');
        break;
    case TABLE_UNNEST:
        buf_append_text(out, "UNNEST(");
        print_expr(t->x, out);
        buf_append_text(out, t->ordinality ? ") WITH ORDINALITY" : ")");
        break;
    case TABLE_JOIN: break; /* has no source of its own */
    }
}

void print_table(const struct ast_table *t, struct buf *out)
{
    if (t->kind == TABLE_JOIN) {
        print_join(t, out);
        return;
    }
    if (t->lateral) buf_append_text(out, "LATERAL ");
    if (t->argument) buf_append_text(out, "TABLE ");
    print_source(t, out);
    print_hints(&t->hints, out);
    print_clause(" FOR SYSTEM_TIME AS OF ", t->as_of, out);
    print_list(" PARTITION BY (", &t->partition, ")", out);
    print_order_by(" ORDER BY (", &t->order, ")", out);
    if (t->alias.size == 0) return;
    buf_append_text(out, " AS ");
    print_quoted_name(t->alias, out);
    if (t->lines && t->alias_column_count > 0) buf_append_byte(out, ' ');
    if (t->alias_column_count > 0) print_name_list(t->alias_column_count, t->alias_columns, out);
}

/* --- queries ----------------------------------------------------------------------------------------------------- */
static void print_select(const struct ast_select *s, struct buf *out)
{
    buf_append_text(out, "SELECT");
    print_hints(&s->hints, out);
    buf_append_text(out, s->distinct ? " DISTINCT " : " ");
    print_items(s, out);
    if (s->from != NULL) {
        print_break(s->lines, out);
        buf_append_text(out, "FROM ");
        print_table(s->from, out);
    }
    print_line(s->lines, "WHERE ", s->where, out);
    if (s->group.count > 0) print_break(s->lines, out);
    print_list(s->group_distinct ? "GROUP BY DISTINCT " : "GROUP BY ", &s->group, "", out);
    print_line(s->lines, "HAVING ", s->having, out);
    for (uint32_t i = 0; i < s->window_count; i++) {
        if (i == 0) print_break(s->lines, out);
        buf_append_text(out, i == 0 ? "WINDOW " : ", ");
        print_quoted_name(s->windows[i].name, out);
        buf_append_text(out, " AS (");
        print_window(&s->windows[i], out);
        buf_append_byte(out, ')');
    }
    print_line(s->lines, "QUALIFY ", s->qualify, out);
}

/* A side of a set operation; one with an end of its own, or another operation on the right, needs parentheses. */
static void print_side(const struct ast_query *q, bool right, struct buf *out)
{
    bool ends = q->cte_count > 0 || q->order.count > 0 || q->limit != NULL || q->offset != NULL;
    bool group = ends || (q->kind >= QUERY_UNION && q->kind <= QUERY_EXCEPT && right);

    if (group) buf_append_byte(out, '(');
    print_query(q, out);
    if (group) buf_append_byte(out, ')');
}

static void print_set_operation(const struct ast_query *q, struct buf *out)
{
    static const char *const words[] = {[QUERY_UNION] = "UNION", [QUERY_INTERSECT] = "INTERSECT", [QUERY_EXCEPT] = "EXCEPT"};
    bool left = q->kind == QUERY_INTERSECT && (q->left->kind == QUERY_UNION || q->left->kind == QUERY_EXCEPT);

    if (left) buf_append_byte(out, '(');
    print_side(q->left, false, out);
    if (left) buf_append_byte(out, ')');
    print_break(q->lines, out);
    buf_append_text(out, words[q->kind]);
    if (q->all) buf_append_text(out, " ALL");
    print_break(q->lines, out);
    print_side(q->right, true, out);
}

static void print_ctes(const struct ast_query *q, struct buf *out)
{
    for (uint32_t i = 0; i < q->cte_count; i++) {
        buf_append_text(out, i == 0 ? "WITH " : ", ");
        print_quoted_name(q->ctes[i].name, out);
        if (q->ctes[i].column_count > 0) print_name_list(q->ctes[i].column_count, q->ctes[i].columns, out);
        buf_append_text(out, " AS (");
        print_query(q->ctes[i].query, out);
        buf_append_byte(out, ')');
    }
    if (q->cte_count > 0) buf_append_byte(out, ' ');
}

/* A row of one value is read without its parentheses. */
static void print_values(const struct ast_list *rows, bool lines, struct buf *out)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        bool row = rows->items[i]->kind == AX_LIST;
        buf_append_text(out, i == 0 ? "VALUES" : ",");
        print_break(lines && i > 0, out);
        if (lines) buf_append_text(out, "ROW");
        if (!row) buf_append_byte(out, '(');
        print_expr(rows->items[i], out);
        if (!row) buf_append_byte(out, ')');
    }
}

/* LIMIT and OFFSET in the standard's words, which Flink prints. */
static void print_fetch(const struct ast_query *q, struct buf *out)
{
    print_clause("\nOFFSET ", q->offset, out);
    if (q->offset != NULL) buf_append_text(out, " ROWS");
    print_clause("\nFETCH NEXT ", q->limit, out);
    if (q->limit != NULL) buf_append_text(out, " ROWS ONLY");
}

void print_query(const struct ast_query *q, struct buf *out)
{
    print_ctes(q, out);
    switch ((enum ast_query_kind)q->kind) {
    case QUERY_SELECT: print_select(q->select, out); break;
    case QUERY_VALUES: print_values(&q->rows, q->lines, out); break;
    case QUERY_TABLE:
        buf_append_text(out, "TABLE ");
        print_name(&q->table, out);
        break;
    default: print_set_operation(q, out); break;
    }
    if (q->order.count > 0) print_break(q->lines, out);
    print_order_by("ORDER BY ", &q->order, "", out);
    if (q->lines) {
        print_fetch(q, out);
        return;
    }
    print_clause(" LIMIT ", q->limit, out);
    print_clause(" OFFSET ", q->offset, out);
}
