/* expr_codec.c - expressions as bytes, for the job graph. The caller writes the version in front.
 *
 *   expr  := kind u8, body
 *   body  := column varint                                  COLUMN
 *          | type, null u8, bytes or text                   CONSTANT
 *          | name str, try u8, type, count varint, expr*    CALL; the type is what CAST is asked for
 *          | nullable u8, count varint, expr*               CASE, COALESCE, AND, OR; IF is nullable by its condition
 *
 * A call travels by name and is bound again where it is read: its arguments have been cast already, so the same overload is
 * found. Reading is bounded in depth and sizes; what does not read, or does not bind, is an error. */
#include "columns/expr/expr.h"

#include "ground/base/codec.h"
#include "ground/base/str.h"

#include <string.h>

enum { TEXT_SIZE_MAX = 16 * 1024 * 1024, NAME_SIZE_MAX = 8192 };

/* --- writing ----------------------------------------------------------------------------------------------------- */
static void encode_constant(const struct expr *x, struct buf *out)
{
    bool null = vector_is_null(x->constant, 0);

    type_encode(x->type, out);
    enc_u8(out, null);
    if (null) return;
    if (x->type->phys == P_STR) enc_str(out, text_str(x->constant->data));
    else buf_append(out, x->constant->data, phys_width((enum phys)x->type->phys));
}

void expr_encode(const struct expr *x, struct buf *out)
{
    enc_u8(out, x->kind);
    if (x->kind == EXPR_COLUMN) {
        enc_varint(out, x->col);
        return;
    }
    if (x->kind == EXPR_CONSTANT) {
        encode_constant(x, out);
        return;
    }
    if (x->kind != EXPR_CALL) {
        enc_u8(out, x->type->nullable);
    } else {
        enc_text(out, x->call->def->identity != NULL ? x->call->def->identity : x->call->def->name);
        enc_u8(out, x->call->try_mode);
        type_encode(x->type, out);
    }
    enc_varint(out, x->count);
    for (uint32_t i = 0; i < x->count; i++) expr_encode(x->args[i], out);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
struct reader {
    const struct expr_maker *m;
    const struct type *row;
    struct dec d;
    uint32_t depth;
    struct err *e;
};

static enum status bad(struct reader *r) { return err_set(r->e, E_DATA, "the bytes are no expression"); }

static enum status read_type(struct reader *r, const struct type **out)
{
    return type_decode(r->m->a, &r->d.at, r->d.end, out) == S_OK ? S_OK : bad(r);
}

static enum status read_constant(struct reader *r, struct expr **out)
{
    const struct type *type;
    struct vector v = {.form = VEC_FLAT, .capacity = 1};
    _Alignas(16) char value[16];

    TRY(read_type(r, &type));
    if (dec_u8(&r->d) != 0) {
        *out = expr_null(r->m, type);
        return r->d.failed ? bad(r) : S_OK;
    }
    size_t width = phys_width((enum phys)type->phys);
    if (type->phys == P_LIST || type->phys == P_ROW) return bad(r);
    if (type->phys == P_STR) {
        struct str s = dec_str(&r->d, TEXT_SIZE_MAX);
        struct text t = text_view(s.data, s.size);
        memcpy(value, &t, sizeof t);
    } else if (dec_left(&r->d) >= width) {
        memcpy(value, r->d.at, width);
        r->d.at += width;
    } else {
        return bad(r);
    }
    if (r->d.failed || (type->phys == P_BOOL && (unsigned char)value[0] > 1)) return bad(r);
    v.type = type;
    v.phys = type->phys;
    v.data = value;
    *out = expr_constant_of(r->m, &v, 0);
    (*out)->type = type; /* nullable although the value is there, where the function says so */
    return S_OK;
}

static enum status read_expr(struct reader *r, struct expr **out);

static enum status read_args(struct reader *r, struct expr ***args, uint32_t *count)
{
    uint64_t n = dec_varint(&r->d);

    if (r->d.failed || n > dec_left(&r->d)) return bad(r); /* an argument has a byte at least */
    *count = (uint32_t)n;
    *args = ARENA_ARRAY(r->m->a, struct expr *, MAX(*count, 1u));
    for (uint32_t i = 0; i < *count; i++) TRY(read_expr(r, &(*args)[i]));
    return S_OK;
}

static enum status read_call(struct reader *r, struct expr **out)
{
    struct str name = dec_str(&r->d, NAME_SIZE_MAX);
    bool try_mode = dec_u8(&r->d) != 0;
    const struct type *type;
    struct expr **args;
    uint32_t count;

    if (r->d.failed) return bad(r);
    TRY(read_type(r, &type));
    TRY(read_args(r, &args, &count));
    if (str_equal(name, STR("CAST"))) return count == 1 ? expr_cast(r->m, args[0], type, try_mode, out, r->e) : bad(r);
    TRY(expr_call(r->m, name, args, count, out, r->e));
    return type_equal_ignoring_null((*out)->type, type) ? S_OK : bad(r);
}

static enum status read_branch(struct reader *r, enum expr_kind kind, struct expr **out)
{
    uint8_t nullable = dec_u8(&r->d);
    struct expr **args;
    uint32_t count;

    if (nullable > 1) return bad(r);
    TRY(read_args(r, &args, &count));
    if (count == 0 || (kind == EXPR_CASE && count % 2 == 0)) return bad(r);
    TRY(expr_branch(r->m, kind, args, count, out, r->e));
    if (nullable && !(*out)->type->nullable) (*out)->type = type_with_null(r->m->a, (*out)->type, true);
    return S_OK;
}

static enum status read_expr(struct reader *r, struct expr **out)
{
    uint8_t kind = dec_u8(&r->d);
    uint64_t col;

    if (r->d.failed || kind > EXPR_OR || r->depth == EXPR_DEPTH_MAX) return bad(r);
    if (kind == EXPR_COLUMN) {
        col = dec_varint(&r->d);
        if (r->d.failed || col >= r->row->child_count) return bad(r);
        *out = expr_column(r->m, r->row, (uint32_t)col);
        return S_OK;
    }
    if (kind == EXPR_CONSTANT) return read_constant(r, out);
    r->depth++;
    TRY(kind == EXPR_CALL ? read_call(r, out) : read_branch(r, (enum expr_kind)kind, out));
    r->depth--;
    return S_OK;
}

enum status expr_decode(const struct expr_maker *m, const struct type *row, const uint8_t **at, const uint8_t *end, struct expr **out,
                        struct err *e)
{
    struct reader r = {.m = m, .row = row, .e = e};

    dec_init(&r.d, *at, (size_t)(end - *at));
    TRY(read_expr(&r, out));
    *at = r.d.at;
    return S_OK;
}
