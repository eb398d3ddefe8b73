/* st_alter_table.c - ALTER TABLE: columns, watermark, key, distribution and partitions added, changed and dropped; columns and
 * the table renamed; options set and reset. One statement does one of these. */
#include "language/sql/parse_ddl.h"
#include "language/sql/print.h"

#include "ground/base/str.h"

/* --- ADD and MODIFY ---------------------------------------------------------------------------------------------- */
/* a INT NOT NULL [FIRST | AFTER b]; a.b INT is a field of a row. */
static enum status parse_alter_column(struct parser *p, struct ast_alter_column *c)
{
    if (is_word(p, 0, KW_COLUMN)) {
        err_hint(p->e, "write the column's name without COLUMN before it");
        return parse_expected(p, "a column's name");
    }
    TRY(parse_name(p, "a column's name, a key or WATERMARK", &c->path));
    c->column.name = c->path.parts[c->path.count - 1];
    c->column.place = c->path.place;
    TRY(parse_column_tail(p, &c->column));
    if (take_word(p, KW_FIRST)) {
        c->position = POSITION_FIRST;
    } else if (take_word(p, KW_AFTER)) {
        c->position = POSITION_AFTER;
        TRY(parse_name(p, "the column that it stands behind", &c->after));
    }
    return S_OK;
}

static enum status parse_element(struct parser *p, struct alter_table *t)
{
    if (take_word(p, KW_WATERMARK)) return parse_watermark(p, &t->watermark_column, &t->watermark);
    if (is_key(p)) return parse_key(p, &t->key);
    if (t->column_count == AST_LIST_MAX) return parse_too_many(p, "a table", AST_LIST_MAX, "columns");
    return parse_alter_column(p, PARSE_PUSH(p, t->columns, t->column_count));
}

static enum status parse_elements(struct parser *p, struct alter_table *t)
{
    if (take_word(p, KW_DISTRIBUTION)) return parse_distribution(p, &t->distribution);
    if (!take_symbol(p, "(")) return parse_element(p, t);
    do TRY(parse_element(p, t));
    while (take_symbol(p, ","));
    return expect_symbol(p, ")");
}

static enum status parse_partitions(struct parser *p, struct alter_table *t)
{
    t->action = ALTER_ADD_PARTITIONS;
    TRY(parse_if_not_exists(p, &t->partition_if));
    do {
        struct ast_alter_partition *x = PARSE_PUSH(p, t->partitions, t->partition_count);
        TRY(parse_partition(p, false, &x->partition));
        if (take_word(p, KW_WITH)) TRY(parse_options(p, &x->options));
    } while (is_word(p, 0, KW_PARTITION));
    return S_OK;
}

static enum status parse_add(struct parser *p, struct alter_table *t)
{
    bool partitions = is_word(p, 0, KW_PARTITION) ||
                      (is_word(p, 0, KW_IF) && is_word(p, 1, KW_NOT) && is_word(p, 2, KW_EXISTS));

    t->action = ALTER_ADD;
    return partitions ? parse_partitions(p, t) : parse_elements(p, t);
}

/* --- DROP -------------------------------------------------------------------------------------------------------- */
static enum status parse_dropped_partitions(struct parser *p, struct alter_table *t)
{
    t->action = ALTER_DROP_PARTITIONS;
    TRY(parse_if_exists(p, &t->partition_if));
    do TRY(parse_partition(p, false, &PARSE_PUSH(p, t->partitions, t->partition_count)->partition));
    while (take_symbol(p, ","));
    return S_OK;
}

static enum status parse_dropped_columns(struct parser *p, struct alter_table *t)
{
    static const char what[] = "a column, PRIMARY KEY, CONSTRAINT, WATERMARK, DISTRIBUTION or PARTITION";
    bool list = take_symbol(p, "(");

    t->action = ALTER_DROP_COLUMNS;
    if (is_word(p, 0, KW_COLUMN)) err_hint(p->e, "write the column's name without COLUMN before it");
    do TRY(parse_name(p, what, PARSE_PUSH(p, t->dropped, t->dropped_count)));
    while (list && take_symbol(p, ","));
    return list ? expect_symbol(p, ")") : S_OK;
}

static enum status parse_drop(struct parser *p, struct alter_table *t)
{
    if (is_word(p, 0, KW_PARTITION) || (is_word(p, 0, KW_IF) && is_word(p, 1, KW_EXISTS)))
        return parse_dropped_partitions(p, t);
    if (take_words(p, KW_PRIMARY, KW_KEY))
        t->action = ALTER_DROP_KEY;
    else if (take_word(p, KW_WATERMARK))
        t->action = ALTER_DROP_WATERMARK;
    else if (take_word(p, KW_DISTRIBUTION))
        t->action = ALTER_DROP_DISTRIBUTION;
    else if (take_word(p, KW_CONSTRAINT)) {
        t->action = ALTER_DROP_CONSTRAINT;
        return parse_simple_name(p, "the constraint's name", &t->constraint, NULL);
    } else
        return parse_dropped_columns(p, t);
    return S_OK;
}

/* --- the statement ----------------------------------------------------------------------------------------------- */
static enum status parse_rename(struct parser *p, struct alter_table *t)
{
    t->action = ALTER_RENAME;
    if (take_word(p, KW_TO)) return parse_name(p, "the table's new name", &t->to);
    t->action = ALTER_RENAME_COLUMN;
    TRY(parse_name(p, "a column, or TO and the table's new name", &t->from));
    TRY(expect_word(p, KW_TO));
    return parse_name(p, "the column's new name", &t->to);
}

static enum status parse_action(struct parser *p, struct alter_table *t)
{
    static const char *const actions[] = {"ADD", "MODIFY", "DROP", "RENAME", "SET", "RESET"};

    if (take_word(p, KW_ADD)) return parse_add(p, t);
    if (take_word(p, KW_DROP)) return parse_drop(p, t);
    if (take_word(p, KW_RENAME)) return parse_rename(p, t);
    t->action = is_word(p, 0, KW_MODIFY) ? ALTER_MODIFY : is_word(p, 0, KW_SET) ? ALTER_SET : ALTER_RESET;
    if (take_word(p, KW_MODIFY)) return parse_elements(p, t);
    if (take_word(p, KW_SET)) return parse_options(p, &t->options);
    if (take_word(p, KW_RESET)) return parse_option_keys(p, &t->keys);
    return parse_expected_words(p, actions, COUNT_OF(actions));
}

static enum status parse(struct parser *p, uint32_t start, const void **body)
{
    struct alter_table *t = ARENA_NEW(p->a, struct alter_table);

    (void)start;
    *body = t;
    p->at += 2;
    TRY(parse_if_exists(p, &t->if_exists));
    TRY(parse_name(p, "the table's name", &t->table));
    return parse_action(p, t);
}

/* --- printing ---------------------------------------------------------------------------------------------------- */
static const char *next(bool *first)
{
    const char *before = *first ? "(" : ", ";
    *first = false;
    return before;
}

static void print_alter_column(const struct ast_alter_column *c, struct buf *out)
{
    print_name(&c->path, out);
    print_column_tail(&c->column, out);
    if (c->position == POSITION_FIRST) buf_append_text(out, " FIRST");
    if (c->position != POSITION_AFTER) return;
    buf_append_text(out, " AFTER ");
    print_name(&c->after, out);
}

static void print_elements(const struct alter_table *t, struct buf *out)
{
    bool first = true;

    for (uint32_t i = 0; i < t->column_count; i++) {
        buf_append_text(out, next(&first));
        print_alter_column(&t->columns[i], out);
    }
    if (t->watermark != NULL) {
        buf_append_text(out, next(&first));
        print_watermark(t->watermark_column, t->watermark, out);
    }
    if (t->key.count > 0) {
        buf_append_text(out, next(&first));
        print_key(&t->key, out);
    }
    if (!first) buf_append_byte(out, ')');
    print_distribution("DISTRIBUTION", &t->distribution, out);
}

static void print_partitions(const struct alter_table *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->partition_count; i++) {
        if (i > 0 && t->action == ALTER_DROP_PARTITIONS) buf_append_byte(out, ',');
        print_partition(&t->partitions[i].partition, out);
        print_options(" WITH ", &t->partitions[i].options, out);
    }
}

static void print_dropped(const struct alter_table *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->dropped_count; i++) {
        buf_append_text(out, i == 0 ? "(" : ", ");
        print_name(&t->dropped[i], out);
    }
    buf_append_byte(out, ')');
}

static void print_rename(const struct alter_table *t, struct buf *out)
{
    if (t->action == ALTER_RENAME_COLUMN) {
        print_name(&t->from, out);
        buf_append_byte(out, ' ');
    }
    buf_append_text(out, "TO ");
    print_name(&t->to, out);
}

static void print_action(const struct alter_table *t, struct buf *out)
{
    switch ((enum ast_alter)t->action) {
    case ALTER_ADD:
    case ALTER_MODIFY: print_elements(t, out); break;
    case ALTER_ADD_PARTITIONS:
    case ALTER_DROP_PARTITIONS: print_partitions(t, out); break;
    case ALTER_DROP_COLUMNS: print_dropped(t, out); break;
    case ALTER_DROP_CONSTRAINT: print_quoted_name(t->constraint, out); break;
    case ALTER_RENAME:
    case ALTER_RENAME_COLUMN: print_rename(t, out); break;
    case ALTER_SET: print_option_list(&t->options, out); break;
    case ALTER_RESET: print_option_keys(&t->keys, out); break;
    case ALTER_DROP_KEY:
    case ALTER_DROP_WATERMARK:
    case ALTER_DROP_DISTRIBUTION: break;
    }
}

static void print(const void *body, struct buf *out)
{
    static const char *const words[] = {
        [ALTER_ADD] = " ADD ",
        [ALTER_MODIFY] = " MODIFY ",
        [ALTER_ADD_PARTITIONS] = " ADD",
        [ALTER_DROP_PARTITIONS] = " DROP",
        [ALTER_DROP_COLUMNS] = " DROP ",
        [ALTER_DROP_KEY] = " DROP PRIMARY KEY",
        [ALTER_DROP_CONSTRAINT] = " DROP CONSTRAINT ",
        [ALTER_DROP_WATERMARK] = " DROP WATERMARK",
        [ALTER_DROP_DISTRIBUTION] = " DROP DISTRIBUTION",
        [ALTER_RENAME_COLUMN] = " RENAME ",
        [ALTER_RENAME] = " RENAME ",
        [ALTER_SET] = " SET ",
        [ALTER_RESET] = " RESET ",
    };
    const struct alter_table *t = body;

    buf_append_text(out, t->if_exists ? "ALTER TABLE IF EXISTS " : "ALTER TABLE ");
    print_name(&t->table, out);
    buf_append_text(out, words[t->action]);
    if (t->partition_if) buf_append_text(out, t->action == ALTER_ADD_PARTITIONS ? " IF NOT EXISTS" : " IF EXISTS");
    print_action(t, out);
}

const struct st_type st_alter_table = {
    .name = "alter_table",
    .doc = "Changes what a table is: columns, watermark, key, distribution, partitions, name, options.",
    .example = "ALTER TABLE flights ADD (gate STRING AFTER origin, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)",
    .starts = {"ALTER TABLE"},
    .parse = parse,
    .print = print,
};
