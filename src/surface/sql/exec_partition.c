/* exec_partition.c - partitions that a table's catalog knows: ALTER TABLE ADD and DROP PARTITION, SHOW PARTITIONS. The catalog
 * looks at no files, and INSERT tells it nothing, as in Flink: a SELECT finds its partitions in the table's folders. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"
#include "language/sql/bind_table.h"

/* Values as texts, whatever their literals: q = 1 and q = '1' are the same. */
static enum status partition_of(struct run *r, const struct ast_partition *p, struct partition *out)
{
    const char **columns = ARENA_ARRAY(&r->arena, const char *, MAX(p->count, 1u));
    const char **values = ARENA_ARRAY(&r->arena, const char *, MAX(p->count, 1u));

    uint32_t count = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct ast_expr *x = p->items[i].value;
        if (x == NULL) continue; /* any, in ANALYZE */
        if (x->kind != AX_LITERAL ||
            (x->literal != LITERAL_INTEGER && x->literal != LITERAL_DECIMAL && x->literal != LITERAL_STRING)) {
            err_hint(r->e, "write (column = 'value') or (column = 1)");
            return run_fail(r, p->items[i].place, "a partition's value must be a number or a text in quotes");
        }
        columns[count] = run_text(r, p->items[i].column);
        values[count++] = run_text(r, x->text);
    }
    *out = (struct partition){.count = count, .columns = columns, .values = values};
    return S_OK;
}

static enum status table_name(struct run *r, const struct ast_name *n, struct object_name *out)
{
    struct query_binder b = run_binder(r);

    return bind_name(&b, n, out);
}

enum status run_alter_partitions(struct run *r, const struct alter_table *x)
{
    struct object_name name;

    TRY(table_name(r, &x->table, &name));
    for (uint32_t i = 0; i < x->partition_count; i++) {
        const struct ast_alter_partition *one = &x->partitions[i];
        struct partition p;
        struct err inner = {0};
        TRY(partition_of(r, &one->partition, &p));
        p.options = run_options(r, &one->options);
        enum status st = x->action == ALTER_ADD_PARTITIONS
                             ? catalogs_add_partition(r->s->catalogs, name, &p, x->partition_if, &inner)
                             : catalogs_drop_partition(r->s->catalogs, name, &p, x->partition_if, &inner);
        TRY(run_at_name(r, &x->table, st, &inner));
    }
    return run_said(r);
}

enum status run_each_partition(struct run *r, const struct ast_name *n, const struct ast_partition *narrowed,
                               catalog_partition_fn fn, void *arg)
{
    struct object_name name;
    struct partition p;
    struct err inner = {0};

    TRY(table_name(r, n, &name));
    TRY(partition_of(r, narrowed, &p));
    return run_at_name(r, n, catalogs_each_partition(r->s->catalogs, name, &p, fn, arg, &inner), &inner);
}
