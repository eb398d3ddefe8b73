/* state_builder.c - see state_builder.h. Rows go into real tables, the way in which a restore puts them there, and the tables are saved the
 * way in which a checkpoint saves them: so what is written is what an operator would have written.
 *
 * Not here: where chunks go (control/snapshot/savepoint_write.c). */
#include "flow/state/state_builder.h"

#include "flow/state/sb.h"
#include "flow/state/snapshot_rows.h"
#include "ground/base/str.h"
#include "ground/sys/sys.h"

enum { CHUNK_BYTES = 8 * 1024 * 1024 };

struct built_table {
    struct built_table *next;
    struct state_table *table;
    struct state_schema own;
    struct rows_in in;
};

struct state_builder {
    struct mem mem;
    struct arena arena;
    struct state_host host;
    struct built_table *tables;
    uint64_t hashes[BATCH_ROWS];
};

static int64_t now_ms(void *sys) { return sys_wall_ms(sys); }

struct state_builder *state_builder_create(uint32_t max_parallelism, struct sys *sys)
{
    struct mem mem;
    mem_init(&mem, "state builder", 0);
    struct state_builder *b = mem_zalloc(&mem, sizeof *b);

    ASSERT(max_parallelism > 0);
    mem_init(&b->mem, "state builder", 0);
    mem_move(&mem, &b->mem);
    arena_init(&b->arena, &b->mem, 0);
    b->host = (struct state_host){.backend = sb_find("hashmap"), .mem = &b->mem, .group_count = max_parallelism,
        .max_parallelism = max_parallelism, .parallelism = 1, .now_ms = now_ms, .now_arg = sys};
    state_host_init(&b->host);
    return b;
}

void state_builder_free(struct state_builder *b)
{
    struct mem mem;

    if (b == NULL) return;
    for (struct built_table *t = b->tables; t != NULL; t = t->next) {
        rows_in_close(&t->in);
        state_close(t->table);
    }
    state_host_release(&b->host);
    arena_release(&b->arena);
    mem_init(&mem, "state builder", 0);
    mem_move(&b->mem, &mem);
    mem_free(&mem, b);
    mem_release(&mem);
}

static struct built_table *table_find(const struct state_builder *b, const char *name)
{
    struct built_table *t = b->tables;

    while (t != NULL && !str_equal(str_of(t->table->def->name), str_of(name))) t = t->next;
    return t;
}

enum status state_builder_table(struct state_builder *b, const struct state_def *def, struct state_table **out, const struct type **row,
                                struct err *e)
{
    struct built_table *t = table_find(b, def->name);

    if (t == NULL) {
        t = ARENA_NEW(&b->arena, struct built_table);
        TRY(state_open(&b->host, def, &t->table, e));
        t->next = b->tables;
        b->tables = t;
        schema_of_table(t->table, &b->arena, &t->own);
        TRY(rows_in_open(&t->in, t->table, &t->own, &b->arena, e));
    } else {
        struct state_table as_if = {.host = &b->host, .def = def};
        struct state_schema other;
        schema_of_table(&as_if, &b->arena, &other);
        TRY(schema_fits(&other, &t->own, e));
    }
    *out = t->table;
    *row = t->own.row;
    return S_OK;
}

enum status state_builder_put(struct state_builder *b, struct state_table *table, const struct batch *rows, struct err *e)
{
    struct built_table *t = table_find(b, table->def->name);
    int64_t *stamps = t->own.count[ROLE_STAMP] > 0 ? VECTOR_VALUES(&rows->cols[t->own.first[ROLE_STAMP]], int64_t) : NULL;

    ASSERT(t != NULL && rows->sel == NULL && rows->count <= BATCH_ROWS);
    for (uint32_t i = 0; stamps != NULL && i < rows->count; i++) stamps[i] = b->host.now_ms(b->host.now_arg);
    if (table->def->sharing == STATE_KEYED) state_def_hash(table->def, rows, t->in.key_cols, b->hashes);
    else for (uint32_t i = 0; i < rows->count; i++) b->hashes[i] = state_host_hash(&b->host);
    b->host.err = e;
    enum status st = rows_in_put(&t->in, &t->own, rows, 0, NULL, rows->count, b->hashes, e);
    b->host.err = NULL;
    return st;
}

enum status state_builder_save(struct state_builder *b, enum status (*give)(void *arg, struct str chunk, struct err *e), void *arg,
                               struct err *e)
{
    struct state_save *save;
    struct buf chunk;
    enum status st;

    TRY(state_save_create(&b->host, &save, e));
    buf_init(&chunk, &b->mem);
    do {
        st = state_save_step(save, &chunk, CHUNK_BYTES, e);
        bool is_full = chunk.size >= CHUNK_BYTES || (st == S_OK && chunk.size > 0);
        if ((st != S_OK && st != S_MORE) || !is_full) continue;
        enum status given = give(arg, (struct str){chunk.data, chunk.size}, e);
        buf_clear(&chunk);
        if (given != S_OK) st = given;
    } while (st == S_MORE);
    buf_release(&chunk);
    state_save_free(save);
    return st;
}
