/* kept_words.c - numbers over checkpoints: a row of (which subtask, of how many, the numbers), which every subtask sees of all. */
#include "flow/operator/kept_words.h"

#include "flow/state/state.h"
#include "flow/state/view.h"

enum { COL_SUBTASK, COL_PARALLELISM, COL_WORDS, KEPT_ROWS = 64 };

static const struct type *row_type(struct arena *a, uint32_t count)
{
    const char *names[COL_WORDS + KEPT_WORDS_MAX] = {"subtask", "parallelism"};
    const struct type *types[COL_WORDS + KEPT_WORDS_MAX];

    for (uint32_t i = 0; i < COL_WORDS + count; i++) types[i] = type_new(a, T_BIGINT, 0, 0, false);
    for (uint32_t i = 0; i < count; i++) names[COL_WORDS + i] = arena_printf(a, "word%u", i);
    return type_row(a, COL_WORDS + count, names, types, true);
}

static int64_t *word_at(const struct batch *b, uint32_t col, uint32_t row)
{
    return &VECTOR_VALUES(&b->cols[col], int64_t)[row];
}

static void take_row(const struct kept_words *k, const struct batch *b, uint32_t row, int64_t *words, bool *found,
                     bool *is_own)
{
    bool was_own = *word_at(b, COL_SUBTASK, row) == k->cx->subtask &&
                   *word_at(b, COL_PARALLELISM, row) == k->cx->parallelism;

    if (*is_own) return;
    for (uint32_t i = 0; i < k->count; i++) {
        int64_t word = *word_at(b, COL_WORDS + i, row);
        words[i] = was_own || !*found ? word : MIN(words[i], word);
    }
    *found = true;
    *is_own = was_own;
}

enum status kept_words_open(struct kept_words *k, struct op_cx *cx, const char *name, int64_t *words, uint32_t count,
                            bool *is_own)
{
    const struct type *type = row_type(cx->plan->arena, count);
    struct view_cursor c = {0};
    bool found = false;

    ASSERT(count <= KEPT_WORDS_MAX);
    *k = (struct kept_words){.cx = cx, .count = count};
    *is_own = false;
    if (cx->state == NULL) return S_OK;
    TRY(opstate_create(cx->state, name, OPSTATE_UNION, NULL, type, &k->state, cx->err));
    struct batch *b = batch_create(type, KEPT_ROWS, cx->mem);
    for (; opstate_load(k->state, &c, b); batch_clear(b))
        for (uint32_t i = 0; i < b->count; i++) take_row(k, b, i, words, &found, is_own);
    batch_free(b);
    return S_OK;
}

void kept_words_close(struct kept_words *k)
{
    opstate_free(k->state);
    k->state = NULL;
}

enum status kept_words_save(struct kept_words *k, const int64_t *words)
{
    if (k->state == NULL) return S_OK;
    struct batch *b = batch_create(opstate_layout(k->state)->type, 1, k->cx->mem);
    *word_at(b, COL_SUBTASK, 0) = k->cx->subtask;
    *word_at(b, COL_PARALLELISM, 0) = k->cx->parallelism;
    for (uint32_t i = 0; i < k->count; i++) *word_at(b, COL_WORDS + i, 0) = words[i];
    b->count = 1;
    opstate_clear(k->state);
    enum status st = opstate_append(k->state, b);
    batch_free(b);
    return st;
}
