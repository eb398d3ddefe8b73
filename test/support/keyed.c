/* keyed.c - state hosts for tests. The clock stands still until the test moves it. */
#include "support/keyed.h"

#include "flow/state/sb.h"
#include "ground/base/str.h"
#include "support/kv_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t now_ms(void *arg) { return ((struct keyed *)arg)->now_ms; }

void keyed_init(struct keyed *k, const char *backend, uint32_t group_first, uint32_t group_count, uint32_t max_parallelism)
{
    memset(k, 0, sizeof *k);
    mem_init(&k->mem, "keyed", 0);
    arena_init(&k->arena, &k->mem, 0);
    k->now_ms = 1000;
    k->host = (struct state_host){.backend = sb_find(backend), .mem = &k->mem, .group_first = group_first,
        .group_count = group_count, .max_parallelism = max_parallelism, .now_ms = now_ms, .now_arg = k, .err = &k->err,
        .sys = &kv_world, .behind = &kv_world_settings};
    assert_non_null(k->host.backend);
    state_host_init(&k->host);
}

void keyed_release(struct keyed *k)
{
    state_host_release(&k->host);
    arena_release(&k->arena);
    assert_int_equal(k->mem.used, 0);
    mem_release(&k->mem);
}

const struct type *keyed_type(struct keyed *k, const char *text)
{
    const struct type *t = NULL;
    struct err e = {0};

    if (type_parse(&k->arena, str_of(text), &t, &e) != S_OK) fail_msg("%s: %s", text, e.text);
    return t;
}

static void fill_list(struct vector *v, uint32_t row, uint64_t x, struct batch *b)
{
    uint32_t first = v->children[0].used, count = 1 + (uint32_t)(x % 3);

    vector_child_reserve(v, first + count, b->mem);
    ((struct list_ref *)v->data)[row] = (struct list_ref){first, count};
    for (uint32_t k = 0; k < v->child_count; k++) v->children[k].used = first + count;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < v->child_count; k++) ((int32_t *)v->children[k].data)[first + i] = (int32_t)(x + i + 1);
    }
}

static void fill_text(struct vector *v, uint32_t row, uint64_t x, struct batch *b)
{
    char text[64];
    int size = x % 2 ? snprintf(text, sizeof text, "k%llu", (unsigned long long)x)
                     : snprintf(text, sizeof text, "a long key of number %llu, by hand", (unsigned long long)x);

    ((struct text *)v->data)[row] = text_put(&b->heap, text, (size_t)size);
}

void keyed_fill(struct batch *b, uint32_t col, uint32_t row, uint64_t x)
{
    struct vector *v = &b->cols[col];

    if (v->type->nullable && x == 0) {
        vector_set_null(v, row);
        return;
    }
    vector_set_valid(v, row);
    switch (v->phys) {
    case P_BOOL: ((uint8_t *)v->data)[row] = x & 1; break;
    case P_I8: ((int8_t *)v->data)[row] = (int8_t)x; break;
    case P_I16: ((int16_t *)v->data)[row] = (int16_t)x; break;
    case P_I32: ((int32_t *)v->data)[row] = (int32_t)x; break;
    case P_I64: ((int64_t *)v->data)[row] = (int64_t)x * 3 - 100; break;
    case P_I128: ((int128 *)v->data)[row] = ((int128)x << 70) - 5; break;
    case P_F32: ((float *)v->data)[row] = (float)x / 2; break;
    case P_F64: ((double *)v->data)[row] = (double)x / 4; break;
    case P_TS96: ((struct ts96 *)v->data)[row] = (struct ts96){.ms = (int64_t)x / 3, .ns = (int32_t)(x % 3) * 1000}; break;
    case P_STR: fill_text(v, row, x, b); break;
    case P_LIST: fill_list(v, row, x, b); break;
    default: fail_msg("no values for %d", v->phys);
    }
}

void keyed_key(struct batch *b, const uint32_t *cols, uint32_t col_count, uint32_t row, uint64_t d)
{
    for (uint32_t k = 0; k < col_count; k++) {
        keyed_fill(b, cols[k], row, col_count == 1 ? d : k == 0 ? d / 8 : d % 8);
    }
}
