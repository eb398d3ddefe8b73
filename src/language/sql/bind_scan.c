/* bind_scan.c - reading a table: its connector's rows, then its computed columns, then event times and watermarks. What a table
 * keeps as text is bound here, each time anew. */
#include "language/sql/bind_hint.h"
#include "language/sql/bind_table.h"

#include "ground/base/str.h"
#include "language/catalog/system_table.h"
#include "language/plan/stream_rel.h"

#include <string.h>

/* Binds text of a table over a row. Errors stand in that text: they name the table's part. */
static enum status bind_expression_text(struct query_binder *b, const char *text, const struct type *row, struct expr **out)
{
    struct query_binder inner = *b;
    struct tokens *t = ARENA_NEW(b->a, struct tokens);
    struct ast_expr *x;

    TRY(expression_parse_one(str_of(text), b->a, t, &x, b->e));
    inner.t = t;
    struct bind_scope scope = bind_scope_of(&inner, row, (struct str){0});
    struct binder binder = bind_expr_binder(&inner, &scope);
    return bind_expr(&binder, x, out);
}

static enum status add_computed(struct query_binder *b, const struct table *t, struct rel **out)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, t->column_count);
    const char **names = ARENA_ARRAY(b->a, const char *, t->column_count);
    bool any = false;

    for (uint32_t i = 0, stored = 0; i < t->column_count; i++) {
        names[i] = t->columns[i].name;
        any |= t->columns[i].kind == TABLE_COMPUTED;
        if (t->columns[i].kind == TABLE_COMPUTED)
            TRY(bind_expression_text(b, t->columns[i].expression, (*out)->row, &columns[i]));
        else
            columns[i] = expr_column(&m, (*out)->row, stored++);
    }
    struct calc_body c = {.count = t->column_count, .columns = columns};
    if (any) *out = rel_calc(b->a, *out, &c, names);
    return S_OK;
}

/* The watermarks of a stream go with its rows: only the type says that the column is an attribute. */
static enum status take_watermarks(struct query_binder *b, const struct table *t, struct rel **out, struct err *e)
{
    struct rel *copy = ARENA_NEW(b->a, struct rel);

    if (t->stream == NULL) {
        err_hint(e, "declare WATERMARK FOR %s AS an expression of the table's columns", t->watermark_column);
        return err_set(e, E_UNSUPPORTED, "SOURCE_WATERMARK() of table '%s.%s.%s': its connector makes no watermarks of its own",
                       t->catalog, t->database, t->name);
    }
    *copy = **out;
    copy->row = t->row;
    *out = copy;
    return S_OK;
}

static enum status add_watermark(struct query_binder *b, const struct table *t, struct ast_place place, struct rel **out)
{
    struct err inner = {0};

    if (str_equal_nocase(str_of(t->watermark), STR("SOURCE_WATERMARK()")))
        return bind_at(b, place, take_watermarks(b, t, out, &inner), &inner);
    struct watermark_body w = {.rowtime = (uint32_t)type_field(t->row, str_of(t->watermark_column))};

    TRY(bind_expression_text(b, t->watermark, (*out)->row, &w.watermark));
    *out = rel_watermark(b->a, *out, t->row, &w);
    return S_OK;
}

/* --- changes ------------------------------------------------------------------------------------------------------ */
static const char *summary(struct query_binder *b, const struct table *t)
{
    return arena_printf(b->a, "%s.%s.%s", t->catalog, t->database, t->name);
}

/* Can such changes be worked with? In Flink's words. */
static enum status check_changes(struct query_binder *b, const struct table *t, uint8_t changes, struct err *e)
{
    bool before = (changes & CHANGES_BEFORE) != 0, after = (changes & CHANGES_AFTER) != 0, by_key = (changes & CHANGES_DELETE_BY_KEY) != 0;

    if (changes == CHANGES_NONE) return S_OK;
    if (b->is_batch) {
        err_hint(e, "SET 'execution.runtime-mode' = 'streaming'");
        return err_set(e, E_UNSUPPORTED, "Querying a table in batch mode is currently only possible for INSERT-only table sources. "
                       "But the source for table '%s' produces other changelog messages than just INSERT.", summary(b, t));
    }
    if (before && !after)
        return err_set(e, E_CONFIG, "Invalid source for table '%s'. A ScanTableSource doesn't support a changelog stream that contains "
                       "UPDATE_BEFORE but no UPDATE_AFTER.", summary(b, t));
    bool is_whole = after == before && !by_key;
    if (t->key_count > 0 || (is_whole && !b->settings->changes_repeat)) return S_OK;
    err_hint(e, "add PRIMARY KEY (...) NOT ENFORCED to the table");
    if (after && !before)
        return err_set(e, E_CONFIG, "Table '%s' produces a changelog stream that contains UPDATE_AFTER but no UPDATE_BEFORE. This "
                       "requires defining a primary key constraint on the table.", summary(b, t));
    if (by_key)
        return err_set(e, E_CONFIG, "Table '%s' produces a changelog stream of deletions that may have nothing but the columns of a "
                       "key. This requires defining a primary key constraint on the table.", summary(b, t));
    return err_set(e, E_CONFIG, "Configuration 'table.exec.source.cdc-events-duplicate' is enabled which requires the changelog "
                   "sources to define a PRIMARY KEY. However, table '%s' doesn't have a primary key.", summary(b, t));
}

/* Upserts, deletions by key, and changes that may come twice become a changelog by the primary key. */
static void add_normalize(struct query_binder *b, const struct table *t, uint8_t changes, struct rel **out)
{
    bool upserts = (changes & CHANGES_AFTER) != 0 && (changes & CHANGES_BEFORE) == 0;
    bool repeats = changes != CHANGES_NONE && !upserts && b->settings->changes_repeat;
    uint32_t *keys = ARENA_ARRAY(b->a, uint32_t, t->key_count + 1);

    if (!upserts && !repeats && (changes & CHANGES_DELETE_BY_KEY) == 0) return;
    for (uint32_t i = 0; i < t->key_count; i++) keys[i] = (uint32_t)type_field((*out)->row, str_of(t->key[i]));
    *out = rel_normalize(b->a, *out, &(struct normalize_body){.table = t, .key_count = t->key_count, .keys = keys,
                                                              .may_repeat = b->settings->changes_repeat});
}

/* Of 'key' = 'value'. */
static struct ast_place key_place(const struct query_binder *b, const struct ast_expr *x)
{
    uint32_t quotes = b->t->text.data[x->place.at] == '\'' ? 2 : 0;
    return (struct ast_place){x->place.at, MIN(x->place.size, (uint32_t)x->text.size + quotes)};
}

/* OPTIONS hints change this reading of the table only. */
enum status bind_hints(struct query_binder *b, const struct ast_hints *hints, const struct table **t)
{
    struct table *copy = ARENA_NEW(b->a, struct table);

    *copy = **t;
    for (uint32_t i = 0; i < hints->count; i++) {
        const struct ast_hint *h = &hints->items[i];
        struct ast_option *items = ARENA_ARRAY(b->a, struct ast_option, MAX(h->count, 1u));
        TRY(bind_hint_known(b, h));
        if (!str_equal_nocase(h->name, STR("OPTIONS"))) continue;
        if (!b->settings->has_options_hints)
            return sql_error(b->e, b->t, h->place.at, h->place.size,
                             "The 'OPTIONS' hint is allowed only when the config option 'table.dynamic-table-options.enabled' is set to "
                             "true.");
        for (uint32_t k = 0; k < h->count; k++) {
            const struct ast_expr *x = h->args[k];
            if (x->kind != AX_NAMED || x->args.items[0]->kind != AX_LITERAL)
                return sql_error(b->e, b->t, x->place.at, x->place.size, "hint OPTIONS takes pairs: 'key' = 'value'");
            items[k] = (struct ast_option){.key = x->text, .value = x->args.items[0]->text, .key_place = key_place(b, x)};
        }
        bind_option_places(b, &(struct ast_options){h->count, items}, true, copy);
        copy->options = bind_options(b->a, &copy->options, &(struct ast_options){h->count, items});
        *t = copy;
    }
    return S_OK;
}

/* The stream's columns in the order of the table's, cast where the table says so. */
static enum status stream_columns(struct query_binder *b, const struct table *t, struct rel **out)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    const struct type *row = table_stored_row(b, t);
    struct expr **columns = ARENA_ARRAY(b->a, struct expr *, MAX(row->child_count, 1u));
    struct calc_body c = {.count = row->child_count, .columns = columns};
    bool same = row->child_count == t->stream->row->child_count;

    *out = rel_stream(b->a, t->stream);
    if ((t->stream->changes & CHANGES_BEFORE) != 0) *out = rel_drop_before(b->a, *out);
    for (uint32_t i = 0; i < row->child_count; i++) {
        int at = type_field((*out)->row, str_of(row->names[i]));
        ASSERT(at >= 0); /* checked when the table was made */
        columns[i] = expr_column(&m, (*out)->row, (uint32_t)at);
        TRY(expr_cast(&m, columns[i], row->children[i], false, &columns[i], b->e));
        same &= columns[i]->kind == EXPR_COLUMN && columns[i]->col == i;
    }
    if (!same) *out = rel_calc(b->a, *out, &c, row->names);
    return S_OK;
}

/* What the session knows now. */
static enum status system_rows(struct query_binder *b, const struct table *t, const struct system_rows *rows, struct rel **out)
{
    struct expr_maker m = {.a = b->a, .session = b->session};
    struct expr **items = ARENA_ARRAY(b->a, struct expr *, (size_t)MAX(rows->count, 1u) * rows->columns);
    struct system_body body = {t, {.row_count = rows->count, .items = items}};

    for (size_t i = 0; i < (size_t)rows->count * rows->columns; i++) {
        const struct type *type = t->row->children[i % rows->columns];
        if (rows->cells[i] == NULL) items[i] = expr_null(&m, type);
        else TRY(expr_constant(&m, type, str_of(rows->cells[i]), &items[i], b->e));
    }
    *out = rel_system(b->a, t->row, &body);
    return S_OK;
}

bool bind_is_system_function(const struct query_binder *b, const struct ast_table *t)
{
    return t->x->kind == AX_CALL && t->x->name.count == 1 && system_function_find(b->system, t->x->name.parts[0]) != NULL;
}

enum status bind_system_function(struct query_binder *b, const struct ast_table *t, struct rel **out)
{
    const struct system_function *f = system_function_find(b->system, t->x->name.parts[0]);
    const struct ast_list *args = &t->x->args;
    struct ast_place place = t->x->place;
    struct err inner = {0};

    if (args->count != 1 || args->items[0]->kind != AX_LITERAL || args->items[0]->literal != LITERAL_STRING) {
        err_hint(b->e, "write %s('...')", f->table.name);
        return sql_error(b->e, b->t, place.at, place.size, "%s takes one argument, a text that is written out", f->table.name);
    }
    const struct table *table = system_table_open(b->system, &f->table, catalogs_current(b->catalogs), b->a);
    struct system_rows rows = {.arg = b->system->arg, .catalog = table->catalog, .a = b->a, .columns = table->column_count};
    TRY(bind_at(b, place, f->rows(&rows, bind_text(b, args->items[0]->text), &inner), &inner));
    return system_rows(b, table, &rows, out);
}

enum status bind_scan(struct query_binder *b, const struct table *t, const struct ast_table *where, struct rel **out)
{
    struct ast_place place = where->kind == TABLE_NAME ? where->name.place : where->place;
    struct err inner = {0};

    TRY(bind_hints(b, &where->hints, &t));
    if (t->system != NULL) {
        struct system_rows rows = system_table_rows(t, b->a);
        return system_rows(b, t, &rows, out);
    }
    if (b->touches != NULL) TRY(b->touches(b->touches_arg, t, false));
    uint8_t changes = table_changes(t);
    if (t->stream != NULL) TRY(stream_columns(b, t, out));
    else TRY(bind_stored(b, t, where, out));
    TRY(bind_at(b, place, check_changes(b, t, changes, &inner), &inner));
    if (t->watermark == NULL) add_normalize(b, t, changes, out);
    TRY(add_computed(b, t, out));
    if (t->watermark == NULL) return S_OK;
    TRY(add_watermark(b, t, place, out));
    add_normalize(b, t, changes, out); /* watermarks are those of the source's rows */
    return S_OK;
}
