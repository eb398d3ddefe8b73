/* bind_json.c - JSON_OBJECT and JSON_ARRAY, and their aggregates: the words between keys and values become plain arguments.
 *
 * The function gets 'NULL' or 'ABSENT' first, then for each value its key (of an object), a letter that says how the value is
 * written, and the value: V as a value, J as the JSON that it is (of JSON_OBJECT and JSON_ARRAY), P as text inside JSON(...) that
 * is read first. Only here is it known where a value comes from. */
#include "language/sql/bind_json.h"

#include "ground/base/str.h"

static bool is_word(const struct ast_expr *x, const char *word)
{
    return x->kind == AX_WORD && !x->flag && str_equal(x->text, str_of(word));
}

static bool is_call_of(const struct ast_expr *x, const char *name)
{
    return x->kind == AX_CALL && x->op == NULL && x->name.count == 1 &&
           str_equal_nocase(x->name.parts[0], str_of(name));
}

bool bind_is_json(const struct ast_expr *x) { return is_call_of(x, "JSON_OBJECT") || is_call_of(x, "JSON_ARRAY"); }

static enum status text(struct binder *b, struct str s, struct expr **out)
{
    return expr_constant(&b->m, &type_string, s, out, b->e);
}

/* The letter and the value. */
static enum status bind_value(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    bool parsed = is_call_of(x, "JSON") && x->args.count == 1, json = bind_is_json(x);

    TRY(text(b, parsed ? STR("P") : json ? STR("J") : STR("V"), &out[0]));
    return bind_expr(b, parsed ? x->args.items[0] : x, &out[1]);
}

/* How many of the arguments stand before NULL ON NULL or ABSENT ON NULL. */
static uint32_t values_end(const struct ast_expr *x, bool *absent)
{
    uint32_t n = x->args.count;

    if (n < 3 || !is_word(x->args.items[n - 2], "ON")) return n;
    *absent = is_word(x->args.items[n - 3], "ABSENT");
    return n - 3;
}

enum status bind_json(struct binder *b, const struct ast_expr *x, struct expr ***out, uint32_t *count)
{
    bool object = is_call_of(x, "JSON_OBJECT"), absent = !object, key = object;
    uint32_t end = values_end(x, &absent);

    *out = ARENA_ARRAY(b->m.a, struct expr *, 2 * (size_t)x->args.count + 1);
    *count = 0;
    TRY(text(b, absent ? STR("ABSENT") : STR("NULL"), &(*out)[(*count)++]));
    for (uint32_t i = 0; i < end; i++) {
        const struct ast_expr *arg = x->args.items[i];
        if (arg->kind == AX_WORD) continue;
        if (key) {
            TRY(bind_expr(b, arg, &(*out)[(*count)++]));
        } else {
            TRY(bind_value(b, arg, &(*out)[*count]));
            *count += 2;
        }
        key = object && !key;
    }
    return S_OK;
}

uint32_t bind_json_values(const struct ast_expr *x, const struct ast_expr **out, uint32_t most, bool *absent)
{
    uint32_t end = values_end(x, absent), n = 0;

    for (uint32_t i = 0; i < end; i++) {
        if (x->args.items[i]->kind == AX_WORD) continue;
        if (n < most) out[n] = x->args.items[i];
        n++;
    }
    return n;
}

enum status bind_json_text(struct binder *b, const struct ast_expr *x, struct expr **out)
{
    struct err inner = {0};

    TRY(bind_expr(b, x, out));
    if (bind_is_json(x)) return S_OK;
    return expr_call(&b->m, STR("JSON_STRING"), out, 1, out, &inner) == S_OK ? S_OK : bind_fail(b, x->place, &inner);
}
