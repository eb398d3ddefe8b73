/* node_scan.c - TableSourceScan: rows of a table's connector. Of a source that shows in plans which columns are read, the node has those
 * columns alone; the job's source has all of them in their places, as a record has, and fills what is read. A Calc behind the source
 * picks them, unless one does so anyhow. */
#include "flow/connector/connector.h"
#include "flow/operator/op_configs.h"
#include "ground/base/str.h"
#include "language/plan/logical.h"
#include "language/plan/narrow_rel.h"
#include "language/plan/rel_internal.h"
#include "language/plan/rewrite.h"

#include <string.h>

static const struct type *whole_row(const struct rel *r)
{
    const struct scan_body *s = r->body;

    return s->row != NULL ? s->row : r->row;
}

/* Columns of the whole row from here on are metadata. */
static uint32_t first_metadata(const struct rel *r)
{
    const struct scan_body *s = r->body;

    return whole_row(r)->child_count - s->metadata.count;
}

static uint32_t column_of(const struct rel *r, uint32_t col) { return (uint32_t)type_field(whole_row(r), str_of(r->row->names[col])); }

/* "project=[a, b], metadata=[file.path]" */
static void explain_columns(const struct rel *r, struct buf *out)
{
    const struct scan_body *s = r->body;
    uint32_t first = first_metadata(r), n = 0;

    if (s->row != NULL) buf_append_text(out, ", project=[");
    for (uint32_t i = 0; s->row != NULL && i < r->row->child_count; i++)
        if (column_of(r, i) < first) buf_printf(out, "%s%s", n++ > 0 ? ", " : "", r->row->names[i]);
    if (s->row != NULL) buf_append_byte(out, ']');
    if (s->row == NULL && s->metadata.count == 0) return;
    buf_append_text(out, ", metadata=[");
    n = 0;
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (column_of(r, i) >= first) buf_printf(out, "%s%s", n++ > 0 ? ", " : "", s->metadata.items[column_of(r, i) - first]);
    buf_append_byte(out, ']');
}

static const struct source_type *source_of(const struct rel *r, const struct conn_type **c)
{
    const struct table *t = ((const struct scan_body *)r->body)->table;
    const char *name = table_option(t, "connector");

    return name != NULL && conn_find(name, c, NULL) == S_OK ? (*c)->source : NULL;
}

static void explain_condition(const struct rel *r, const char *name, const struct expr *x, struct buf *out)
{
    if (x == NULL) return;
    buf_printf(out, ", %s=[", name);
    expr_print(x, whole_row(r), out);
    buf_append_byte(out, ']');
}

static void explain(const struct rel *r, struct buf *out)
{
    const struct scan_body *s = r->body;

    buf_printf(out, "table=[[%s, %s, %s", s->table->catalog, s->table->database, s->table->name);
    const struct conn_type *c;
    const struct source_type *source = source_of(r, &c);
    explain_condition(r, source != NULL && source->takes_early != NULL ? "filter" : "partitions", s->filter, out);
    explain_condition(r, "filter", s->asked, out);
    explain_columns(r, out);
    buf_append_text(out, "]], fields=[");
    for (uint32_t i = 0; i < r->row->child_count; i++) buf_printf(out, "%s%s", i > 0 ? ", " : "", r->row->names[i]);
    buf_append_byte(out, ']');
}

/* --- conditions -------------------------------------------------------------------------------------------------- */
/* Updates keep the primary key. */
static void derive(struct rel *r, struct arena *a)
{
    const struct table *t = ((const struct scan_body *)r->body)->table;
    uint32_t *key = ARENA_ARRAY(a, uint32_t, t->key_count + 1), n = 0;

    source_derive(r, table_changes(t));
    if (r->modifies == MODIFIES_NOTHING || t->key_count == 0) return;
    for (uint32_t i = 0; i < t->key_count; i++) {
        int col = type_field(r->row, str_of(t->key[i]));
        if (col >= 0) key[n++] = (uint32_t)col;
    }
    if (n == t->key_count) rel_add_key(r, a, key, n);
}

static bool is_taken(const struct rel *r, const struct expr *x)
{
    const struct scan_body *s = r->body;
    const struct conn_type *c;
    const struct source_type *source = source_of(r, &c);
    uint64_t columns[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (source == NULL || source->takes == NULL || x->det != FN_PURE) return false;
    expr_columns(x, columns);
    return source->takes(&s->table->options, c->options, r->row, &s->metadata, columns);
}

/* What the source leaves out is not asked again, unless it may fail: then it is asked of what the source could not tell. */
static struct rel *strengthen(struct arena *a, struct rel *r, struct conditions *c)
{
    struct expr_maker m = {.a = a};
    struct scan_body body = *(const struct scan_body *)r->body;
    struct conditions taken = {0}, rest = {0}, asked = {0};
    const struct conn_type *conn;
    const struct source_type *source = source_of(r, &conn);

    if (source == NULL || !source->projects || body.row != NULL) return r;
    for (uint32_t i = 0; i < c->count; i++) {
        bool takes = is_taken(r, c->items[i]);
        conditions_add(a, takes ? &taken : &asked, c->items[i]);
        if (!takes || c->items[i]->may_fail) conditions_add(a, &rest, c->items[i]);
    }
    body.filter = calc_and(a, body.filter, conditions_all(&m, &taken));
    if (body.asked == NULL) body.asked = conditions_all(&m, &asked); /* later ones are of those */
    *c = rest;
    return rel_scan(a, &body, r->row);
}

const struct table_statistics *rel_scan_statistics(const struct rel *r)
{
    return r->type == &rel_scan_type ? ((const struct scan_body *)r->body)->statistics : NULL;
}

struct rel *scan_told(struct arena *a, struct rel *r, struct expr *x)
{
    if (r->type != &rel_scan_type || !is_taken(r, x)) return r;
    struct scan_body body = *(const struct scan_body *)r->body;
    body.filter = calc_and(a, body.filter, x);
    return rel_scan(a, &body, r->row);
}

struct rel *scan_told_early(struct arena *a, struct rel *r, struct expr *x, const struct expr *time)
{
    const struct conn_type *c;
    const struct source_type *source = r->type == &rel_scan_type ? source_of(r, &c) : NULL;
    struct scan_body body = source != NULL ? *(const struct scan_body *)r->body : (struct scan_body){0};
    uint64_t columns[(TYPE_FIELDS_MAX + 63) / 64] = {0};

    if (source == NULL || source->takes_early == NULL || body.row != NULL || x->det != FN_PURE || x->may_fail) return r;
    expr_columns(x, columns);
    if (!source->takes_early(&body.table->options, c->options, r->row, columns, time)) return r;
    body.filter = calc_and(a, body.filter, x);
    return rel_scan(a, &body, r->row);
}

static bool is_same_text(const char *x, const char *y) { return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0); }

static bool is_same(const struct expr *x, const struct expr *y) { return x == y || (x != NULL && y != NULL && expr_equal(x, y)); }

bool scan_equal(const struct rel *x, const struct rel *y)
{
    const struct scan_body *b = x->body, *c = y->body;
    const struct table *t = b->table, *u = c->table;
    bool same = is_same_text(t->catalog, u->catalog) && is_same_text(t->database, u->database) && is_same_text(t->name, u->name) &&
                t->options.count == u->options.count && b->metadata.count == c->metadata.count && type_equal(x->row, y->row) &&
                is_same(b->filter, c->filter) && is_same(b->asked, c->asked);

    for (uint32_t i = 0; same && i < t->options.count; i++)
        same = is_same_text(t->options.items[i].key, u->options.items[i].key) &&
               is_same_text(t->options.items[i].value, u->options.items[i].value);
    for (uint32_t i = 0; same && i < b->metadata.count; i++) same = is_same_text(b->metadata.items[i], c->metadata.items[i]);
    return same;
}

/* --- columns ----------------------------------------------------------------------------------------------------- */
static struct rel *narrow(struct narrowing *n, const struct rel *r, const uint64_t *needed, uint32_t *at)
{
    struct scan_body body = *(const struct scan_body *)r->body;
    const struct conn_type *conn;
    const struct source_type *source = source_of(r, &conn);

    if (n->reading->is_shared) {
        struct scan_reads *reads = scan_reads_of(n->a, n->reading, r);
        for (uint32_t i = 0; n->reading->collects && i < r->row->child_count; i++)
            if (bit_get(needed, i)) bit_set(reads->columns, i);
        needed = reads->columns;
    }
    for (uint32_t i = 0; i < r->row->child_count; i++) at[i] = i;
    if (source == NULL || !source->projects || narrow_is_all(r->row, needed)) return (struct rel *)r;
    body.row = whole_row(r);
    return rel_scan(n->a, &body, narrow_row(n, r->row, needed, at));
}

struct expr **scan_columns(const struct rel *r, struct arena *a)
{
    const struct scan_body *s = r->body;
    struct expr_maker m = {.a = a};
    struct expr **columns = ARENA_ARRAY(a, struct expr *, r->row->child_count + 1);

    if (r->type != &rel_scan_type || s->row == NULL) return NULL;
    for (uint32_t i = 0; i < r->row->child_count; i++) columns[i] = expr_column(&m, s->row, column_of(r, i));
    return columns;
}

bool scan_skips_fields(const struct rel *r)
{
    const struct conn_type *c;
    const struct source_type *source = source_of(r, &c);

    return source != NULL && source->skips_fields != NULL &&
           source->skips_fields(&((const struct scan_body *)r->body)->table->options, c->options);
}

bool scan_reads_metadata(const struct rel *r)
{
    if (r->type != &rel_scan_type) return false;
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (column_of(r, i) >= first_metadata(r)) return true;
    return false;
}

/* Flink's words. What a connector knows of a row beside its record may be another when the row is taken back, which a key would tell. */
static const char *advise(const struct rel *r, const struct plan_settings *settings, struct arena *a)
{
    struct buf names;

    (void)settings;
    if (r->modifies == MODIFIES_NOTHING || !r->wants_before || r->key_count > 0 || !scan_reads_metadata(r)) return NULL;
    buf_init(&names, a->mem);
    for (uint32_t i = 0; i < r->row->child_count; i++)
        if (column_of(r, i) >= first_metadata(r)) buf_printf(&names, "%s'%s'", names.size > 0 ? ", " : "", r->row->names[i]);
    const char *text = arena_printf(a, "The metadata column(s): %s in cdc source may cause wrong result or error on downstream operators, "
                                       "please consider removing these columns or use a non-cdc source that only has insert messages.",
                                    buf_text(&names));
    buf_release(&names);
    return text;
}

bool scan_is_bounded(const struct table *t)
{
    const char *name = table_option(t, "connector");
    const struct conn_type *c;

    if (name == NULL || conn_find(name, &c, NULL) != S_OK || c->source == NULL || c->source->boundedness == NULL) return true;
    return conn_options_check(c, &t->options, NULL) != S_OK || c->source->boundedness(&t->options, c->options) == BOUNDED;
}

static enum status lower(const struct rel *r, struct lowering *l, const uint32_t *inputs, uint32_t *node, struct err *e)
{
    const struct scan_body *s = r->body;
    struct option *options = ARENA_ARRAY(l->a, struct option, MAX(s->table->options.count, 1u));
    const char *connector = table_option(s->table, "connector");
    uint32_t count = 0;

    (void)inputs;
    (void)e;
    for (uint32_t i = 0; i < s->table->options.count; i++)
        if (strcmp(s->table->options.items[i].key, "connector") != 0) options[count++] = s->table->options.items[i];
    ASSERT(connector != NULL); /* bind_scan.c has found it */
    struct graph_node *n = graph_add_node(l->graph, op_find("source"), arena_printf(l->a, "Source: %s", s->table->name),
                                          (struct graph_here){0});
    struct source_config *config = n->config;
    *config = (struct source_config){.connector = connector, .options = {options, count}, .schema = whole_row(r), .metadata = s->metadata};
    if (s->filter != NULL) {
        config->filter = lower_exprs(l, (struct expr *const[]){s->filter}, 1);
        config->zone = lower_zone(l);
    }
    *node = l->graph->node_count - 1;
    if (s->row != NULL)
        *node = lower_calc(l, &(struct calc_body){.count = r->row->child_count, .columns = scan_columns(r, l->a)}, r->row->names, *node);
    return S_OK;
}

static void logical(const struct rel *r, struct logical *l)
{
    const struct scan_body *s = r->body;

    buf_printf(logical_begin(l, "TableScan"), "table=[[%s, %s, %s]]", s->table->catalog, s->table->database, s->table->name);
    logical_end(l);
}

/* Tables of such connectors only stand in lookup joins, which take the scan away. */
static enum status check(const struct rel *r, struct err *e)
{
    const struct table *t = ((const struct scan_body *)r->body)->table;
    const struct conn_type *c;

    if (t->stream != NULL || source_of(r, &c) != NULL || table_option(t, "connector") == NULL ||
        conn_find(table_option(t, "connector"), &c, NULL) != S_OK || c->lookup == NULL)
        return S_OK;
    err_hint(e, "ask it for keys: JOIN %s FOR SYSTEM_TIME AS OF o.proc_time ON ..., with a column AS PROCTIME()", t->name);
    return err_set(e, E_UNSUPPORTED, "Table [%s.%s.%s] can only be looked up: connector '%s' reads no rows", t->catalog, t->database,
                   t->name, c->name);
}

const struct rel_type rel_scan_type = {
    .name = "TableSourceScan", .doc = "rows of a table's connector", .derive = derive, .advise = advise, .check = check, .strengthen = strengthen, .narrow = narrow, .explain = explain, .logical = logical, .lower = lower};
