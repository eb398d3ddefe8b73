/* check.c - a seed: its tables in a session per mode, then query after query, each in every mode and in its other forms.
 *
 * What is refused when it is planned must be refused everywhere. Rows that fail (a division by zero) may fail in one mode only: a
 * mode that folds changes never sees some rows that another one computes; such queries are counted and not compared. */
#include "sqlgen.h"

#include "ground/base/str.h"
#include "surface/sql/session.h"

#include <stdio.h>
#include <string.h>

#define PLAIN "not optimised"
#define HISTORY "tables of changes"
#define ROWS(n) "thalweg.exec.batch-rows", n, "parallelism.default"

#define MINI_BATCH "table.exec.mini-batch.enabled", "true"
#define BUCKETS(n) "table.optimizer.distinct-agg.split.enabled", "true", "table.optimizer.distinct-agg.split.bucket-num", n
#define BATCH "execution.runtime-mode", "batch"
#define WITHOUT(operators) "table.exec.disabled-operators", operators

struct mode {
    const char *name, *config[11];
};
static const struct mode modes[] = {
    {"parallelism 1", {ROWS("2048"), "1"}},
    {"parallelism 4", {ROWS("2048"), "4"}},
    {"batches of one row", {ROWS("1"), "1"}},
    {"a change for every row", {ROWS("2048"), "1", "thalweg.exec.emit", "every"}},
    {"unchained, parallelism 3, batches of 3", {ROWS("3"), "3", "thalweg.exec.emit", "every", "pipeline.operator-chaining.enabled", "false"}},
    {"not optimised", {ROWS("2048"), "1", "thalweg.optimizer.rewrites", "false"}},
    {"joins in another order", {ROWS("2048"), "1", "table.optimizer.join-reorder-enabled", "true"}},
    {"two phases", {ROWS("2048"), "1", MINI_BATCH}},
    {"two phases, parallelism 3, batches of 3", {ROWS("3"), "3", MINI_BATCH}},
    {"buckets", {ROWS("2048"), "1", BUCKETS("1024")}},
    {"buckets, parallelism 3, batches of 3", {ROWS("3"), "3", BUCKETS("2")}},
    {"buckets in two phases", {ROWS("3"), "3", MINI_BATCH, BUCKETS("3")}},
    {"joins as one", {ROWS("2048"), "1", "table.optimizer.multi-join.enabled", "true"}},
    {"joins as one, parallelism 3, batches of 3", {ROWS("3"), "3", "table.optimizer.multi-join.enabled", "true"}},
    {"parts that run twice", {ROWS("2048"), "4", "table.optimizer.reuse-sub-plan-enabled", "false"}},
    {HISTORY, {ROWS("2048"), "1"}},
    {HISTORY ", parallelism 3, batches of 3", {ROWS("3"), "3", "thalweg.exec.emit", "every", "table.exec.source.cdc-events-duplicate", "false"}},
    {"batch mode", {ROWS("2048"), "1", BATCH}},
    {"batch mode, parallelism 4, batches of 2", {ROWS("2"), "4", BATCH}},
    {"batch mode, hash joins by key, parallelism 3, batches of 3", {ROWS("3"), "3", BATCH, WITHOUT("BroadcastHashJoin")}},
    {"batch mode, all sorted, parallelism 3, batches of 3", {ROWS("3"), "3", BATCH, WITHOUT("HashJoin, HashAgg")}},
    {"batch mode, joins by loops", {ROWS("2048"), "1", BATCH, WITHOUT("HashJoin, SortMergeJoin")}},
};
enum { MODES = COUNT_OF(modes) };

struct seed {
    struct checker *c;
    uint64_t number;
    struct gen g;
    struct sql_session *sessions[MODES];
    const char *setup; /* statements that make the tables */
};

/* Constants that were computed are known not to be NULL. */
static bool is_plain(const struct mode *m) { return strcmp(m->name, PLAIN) == 0; }
/* Tables are histories of changes: of their columns it is not known either. */
static bool is_history(const struct mode *m) { return strncmp(m->name, HISTORY, sizeof HISTORY - 1) == 0; }

/* --- saying what differs -------------------------------------------------------------------------------------------- */
static void differ(struct seed *s, const char *what, const char *how, const char *left, const char *right)
{
    s->c->totals.differences++;
    fprintf(stderr, "sqlgen: seed %llu: %s: %s\n%s%s;\n", (unsigned long long)s->number, what, how, s->setup, left);
    if (right != NULL && right != left) fprintf(stderr, "%s;\n", right);
    fprintf(stderr, "\n");
}

static void run_in(struct seed *s, uint32_t mode, const char *sql, struct answer *out)
{
    if (s->c->traces) fprintf(stderr, "-- %s\n%s;\n", modes[mode].name, sql);
    session_run(s->sessions[mode], sql, s->g.a, out);
}

/* --- tables --------------------------------------------------------------------------------------------------------- */
static void put_csv(const struct gtable *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->row_count * t->column_count; i++) {
        csv_cell_put(t->cells[i], out);
        buf_append_byte(out, (i + 1) % t->column_count == 0 ? '\n' : ',');
    }
}

static void file_write(struct seed *s, const struct buf *text, const char *path)
{
    struct sys_file *f;
    struct err e = {0};

    enum status st = sys_file_open(s->c->sys, path, SYS_WRITE | SYS_TRUNCATE | SYS_CREATE, &f, &e);
    if (st == S_OK) {
        st = sys_file_write(s->c->sys, f, text->data, text->size, &e);
        sys_file_close(s->c->sys, f);
    }
    if (st != S_OK) differ(s, "a file cannot be written", e.text, path, NULL);
}

static void table_open(struct seed *s, uint32_t mode, const char *statement)
{
    struct answer n;

    run_in(s, mode, statement, &n);
    if (n.status != S_OK) differ(s, "a table is refused", n.error, statement, NULL);
}

/* The same rows at the end of a history. */
static void history_open(struct seed *s, uint32_t mode, uint32_t i)
{
    const struct gtable *t = &s->g.tables[i];
    const char *path = arena_printf(s->g.a, "%s/changes%u.csv", s->c->folder, i), *changes;
    struct buf text;

    buf_init(&text, s->g.a->mem);
    bool keyed = changes_put(&s->g, t, s->number * 64 + i, &changes, &text);
    file_write(s, &text, path);
    buf_release(&text);
    table_open(s, mode, changes_table(&s->g, t, path, changes, keyed));
    table_open(s, mode, changes_view(&s->g, t));
}

static void tables_open(struct seed *s)
{
    const char *path = arena_printf(s->g.a, "%s/stream.csv", s->c->folder);
    struct buf setup, text;

    buf_init(&setup, s->g.a->mem);
    buf_init(&text, s->g.a->mem);
    s->setup = "";
    for (uint32_t i = 0; i < s->g.table_count; i++) {
        const struct gtable *t = &s->g.tables[i];
        const char *statement = table_statement(&s->g, t, path);
        if (t->is_stream) put_csv(t, &text);
        if (t->is_stream) file_write(s, &text, path);
        buf_printf(&setup, "%s;\n", statement);
        for (uint32_t m = 0; m < MODES; m++) {
            if (is_history(&modes[m]) && !t->is_stream) history_open(s, m, i);
            else table_open(s, m, statement);
        }
    }
    buf_release(&text);
    s->setup = arena_strdup(s->g.a, buf_text(&setup));
    buf_release(&setup);
}

/* --- what peers need ------------------------------------------------------------------------------------------------ */
static void dump_tables(const struct seed *s)
{
    printf("S %llu\n", (unsigned long long)s->number);
    for (uint32_t i = 0; i < s->g.table_count; i++) {
        const struct gtable *t = &s->g.tables[i];
        printf("T %s", t->name);
        for (uint32_t c = 0; c < t->column_count; c++) printf("\t%s", gtype_names[t->types[c]]);
        printf("\n");
        for (uint32_t k = 0; k < t->row_count; k++) {
            printf("R");
            for (uint32_t c = 0; c < t->column_count; c++) {
                const char *cell = t->cells[(size_t)k * t->column_count + c];
                printf("%c%s", c > 0 ? '\t' : ' ', cell != NULL ? cell : "NULL");
            }
            printf("\n");
        }
    }
}

static void dump_query(const struct seed *s, const struct gquery *q, const struct answer *n)
{
    printf("Q %u %d %s\nH %s\n", s->g.wanted, q->is_global, q->sql, n->types);
    for (uint32_t i = 0; i < n->line_count; i++) printf("A %lld %s\n", (long long)n->lines[i].count, n->lines[i].text);
    printf("E\n");
}

/* --- one query ------------------------------------------------------------------------------------------------------ */
static bool is_runtime(const struct answer *n)
{
    return n->status == E_DATA && n->error != NULL && str_starts(str_of(n->error), STR("operator '"));
}

/* Some nodes work on rows that are only added. */
static bool takes_no_changes(const struct answer *n)
{
    return n->status == E_UNSUPPORTED && n->error != NULL && strstr(n->error, "doesn't support consuming") != NULL;
}

/* In the first mode; false: there is nothing to compare with. */
static bool reference(struct seed *s, const char *sql, struct answer *n)
{
    run_in(s, 0, sql, n);
    if (n->status == S_OK) return true;
    if (is_runtime(n))
        s->c->totals.failed++;
    else
        s->c->totals.refused++;
    if (s->c->verbose)
        fprintf(stderr, "seed %llu: %s%s\n", (unsigned long long)s->number, n->error, is_runtime(n) ? sql : "");
    return false;
}

/* is_global: over no rows there is a row in batch mode, and in a stream where the planner knows that none will come. */
static void check_modes(struct seed *s, const char *sql, bool is_global, const struct answer *first)
{
    for (uint32_t m = 1; m < MODES; m++) {
        struct answer n;
        const char *how = NULL;
        run_in(s, m, sql, &n);
        if (is_history(&modes[m]) && takes_no_changes(&n)) continue;
        if (n.status != first->status) {
            if (is_runtime(&n) || is_runtime(first)) continue;
            how = n.status != S_OK ? n.error : "it does not fail";
        } else if (n.status == S_OK) {
            how = answers_differ(s->g.a, first, &n);
            if (is_global && first->line_count != n.line_count) how = NULL;
            if (how == NULL && strcmp(first->types, n.types) != 0 && !is_plain(&modes[m]) && !is_history(&modes[m])) how = "other types";
        }
        if (how != NULL) differ(s, modes[m].name, how, sql, NULL);
    }
}

static void check_pair(struct seed *s, const struct gpair *p)
{
    struct answer x, y;

    run_in(s, 0, p->left, &x);
    run_in(s, 0, p->right, &y);
    s->c->totals.queries++;
    if (is_runtime(&x) || is_runtime(&y)) {
        s->c->totals.failed++;
        return;
    }
    if (x.status != S_OK || y.status != S_OK) {
        s->c->totals.refused++;
        if (x.status != y.status && strstr(p->name, "partitions") != NULL)
            differ(s, p->name, x.status != S_OK ? x.error : y.error, p->left, p->right);
        return;
    }
    const char *how = answers_differ(s->g.a, &x, &y);
    if (how != NULL) differ(s, p->name, how, p->left, p->right);
}

static void query_check(struct seed *s)
{
    static const uint32_t wanted[] = {0, 0, 0, PEER_BOTH, PEER_BOTH, PEER_DUCKDB};
    struct gquery q;
    struct answer first;

    s->g.wanted = wanted[pick(&s->g, COUNT_OF(wanted))];
    query_make(&s->g, &q);
    s->c->totals.queries++;
    if (reference(s, q.sql, &first) && s->c->dumps && (s->g.wanted != 0 || s->c->dumps_all)) dump_query(s, &q, &first);
    check_modes(s, q.sql, q.is_global, &first);
    for (uint32_t i = 0; i < q.pair_count; i++) check_pair(s, &q.pairs[i]);
}

void seed_check(struct checker *c, uint64_t number)
{
    struct mem mem;
    struct arena a;
    struct seed s = {.c = c, .number = number};

    mem_init(&mem, "sqlgen", 0);
    arena_init(&a, &mem, 0);
    s.g.a = &a;
    prng_init(&s.g.rng, number);
    for (uint32_t m = 0; m < MODES; m++) s.sessions[m] = session_open(c->sys, modes[m].config);
    features_probe(&s.g, s.sessions[0]);
    tables_make(&s.g);
    tables_open(&s);
    if (c->dumps) dump_tables(&s);
    for (uint32_t i = 0; i < c->queries; i++) query_check(&s);
    c->totals.seeds++;
    for (uint32_t m = 0; m < MODES; m++) sql_session_free(s.sessions[m]);
    arena_release(&a);
    mem_release(&mem);
}
