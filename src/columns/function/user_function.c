/* user_function.c - making a function of the engine out of what a user's library says, and binding its calls.
 *
 * Its overloads are overloads of the engine, so they are chosen as those of built-in functions are. Once one is, arguments are cast
 * to exactly its types, since their C values have the layout of these; texts of any length are struct tw_str. */
#include "columns/function/user_function.h"

#include "columns/column/type_rules.h"
#include "ground/base/str.h"

#include <stdio.h>
#include <string.h>

/* --- C values ---------------------------------------------------------------------------------------------------------- */
enum status user_form(struct arena *a, struct str text, const struct tw_row *row, const struct cform **out,
                      const struct type **type, struct err *e)
{
    TRY(cform_parse(a, arena_strndup(a, text.data, text.size), row, out, e));
    *type = (*out)->type;
    return row != NULL ? S_OK : type_parse(a, text, type, e);
}

enum status user_result_form(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o,
                             struct str text, const struct cform **out, const struct type **type, struct err *e)
{
    if (f->kind == TW_SQL_TABLE || f->kind == TW_SQL_TABLE_AGGREGATE) text = str_of(arena_printf(a, "ARRAY<%.*s>", (int)text.size, text.data));
    return user_form(a, text, o->row, out, type, e);
}

enum status user_struct_make(struct arena *a, const struct str *texts, uint32_t text_count, uint32_t count,
                             struct user_struct *out, struct err *e)
{
    struct rowconv_field *fields = ARENA_ARRAY(a, struct rowconv_field, MAX(count, 1u));
    const struct cform **forms = ARENA_ARRAY(a, const struct cform *, MAX(count, 1u));
    const struct type **types = ARENA_ARRAY(a, const struct type *, MAX(count, 1u));
    uint32_t size = 0;

    for (uint32_t i = 0; i < count; i++) {
        TRY(user_form(a, texts[MIN(i, text_count - 1)], NULL, &forms[i], &types[i], e));
        size = (uint32_t)ALIGN_UP((uint64_t)size, (uint64_t)forms[i]->align);
        fields[i] = (struct rowconv_field){.col = i,
                                           .offset = size,
                                           .phys = forms[i]->type->phys,
                                           .not_null = !forms[i]->type->nullable,
                                           .form = cform_is_nested(forms[i]) ? forms[i] : NULL};
        size += forms[i]->size;
    }
    size = (uint32_t)ALIGN_UP((uint64_t)size, (uint64_t)8);
    *out = (struct user_struct){.conv = {.size = (uint32_t)ALIGN_UP((uint64_t)size + sizeof(uint64_t), (uint64_t)16),
                                         .null_offset = size,
                                         .field_count = count,
                                         .fields = fields},
                                .forms = forms,
                                .types = types};
    return S_OK;
}

/* --- binding ------------------------------------------------------------------------------------------------------------- */
static const struct user_function *function_of(const struct fn_call *c)
{
    return (const struct user_function *)(const void *)((const char *)c->def - offsetof(struct user_function, def));
}

/* A struct tw_str holds a text of any length. */
static bool holds_all(const struct type *have, const struct type *want)
{
    bool texts = type_is_string(have) && type_is_string(want);
    bool bytes = have->phys == P_STR && want->phys == P_STR && !type_is_string(have) && !type_is_string(want);

    return (texts || bytes) && want->precision == VARCHAR_MAX;
}

static enum status check_call(struct fn_call *c, struct arena *a, struct err *e)
{
    const struct user_function *f = function_of(c);
    struct user_call *plan = ARENA_NEW(a, struct user_call);
    bool has_null = false;
    struct fn_signature s;

    if (c->count > TW_SQL_ARGS_MAX)
        return err_set(e, E_GRAPH, "'%s' has %u arguments; a function of a user's takes at most %d", c->def->name,
                       c->count, TW_SQL_ARGS_MAX);
    if (!fn_signature_cut(c->overload->signature, &s))
        return err_set(e, E_GRAPH, "'%s' has no signature", c->def->name);
    *plan = (struct user_call){.f = f->f,
                               .overload = &f->f->overloads[c->overload - f->overloads],
                               .takes_nulls = (f->f->flags & TW_SQL_TAKES_NULLS) != 0};
    TRY(user_struct_make(a, s.args, s.count, c->count, &plan->args, e));
    TRY(user_result_form(a, f->f, plan->overload, s.result, &plan->result, &plan->result_type, e));
    for (uint32_t i = 0; i < c->count; i++) {
        const struct type *want = plan->args.types[i];
        has_null |= c->args[i]->nullable;
        if (!holds_all(c->args[i], want)) c->args[i] = type_with_null(a, want, c->args[i]->nullable);
    }
    if (f->def.is_aggregate) has_null = false;
    c->result = type_with_null(a, plan->result_type, plan->result_type->nullable || (has_null && !plan->takes_nulls));
    c->plan = plan;
    return S_OK;
}

/* --- what a library says -------------------------------------------------------------------------------------------------- */
static enum status check_entry(const struct tw_sql_entry *entry, struct err *e)
{
    if (entry->abi != TW_SQL_ABI || entry->function_size != sizeof(struct tw_sql_function))
        return err_set(e, E_GRAPH, "it was compiled against other headers of Thalweg (version %u); compile it anew",
                       entry->abi);
    if (entry->function == NULL) return err_set(e, E_GRAPH, "it is empty");
    if (entry->function->kind < TW_SQL_SCALAR || entry->function->kind > TW_SQL_TABLE_AGGREGATE)
        return err_set(e, E_GRAPH, "its kind is %d, which there is not", (int)entry->function->kind);
    if (entry->function->overloads[0].signature == NULL) return err_set(e, E_GRAPH, "it has no overload");
    return S_OK;
}

static enum status check_overload(struct arena *a, const struct tw_sql_function *f, const struct tw_sql_overload *o,
                                  struct err *e)
{
    struct fn_signature s;
    struct user_struct args;
    const struct cform *result;
    const struct type *type;

    if (!fn_signature_cut(o->signature, &s))
        return err_set(e, E_GRAPH, "'%s' is no signature; write it as 'STRING, INT -> STRING'", o->signature);
    if ((f->kind == TW_SQL_AGGREGATE || f->kind == TW_SQL_TABLE_AGGREGATE) && s.more)
        return err_set(e, E_GRAPH, "'%s': an aggregate has so many arguments as it says", o->signature);
    if (f->kind == TW_SQL_TABLE && o->rows == NULL) return err_set(e, E_GRAPH, "'%s' must have .rows", o->signature);
    if (f->kind == TW_SQL_SCALAR && (o->run_row != NULL) == (o->run_batch != NULL))
        return err_set(e, E_GRAPH, "'%s' must have one of .run_row and .run_batch", o->signature);
    bool is_known = user_struct_make(a, s.args, s.count, s.count, &args, e) == S_OK &&
                    user_result_form(a, f, o, s.result, &result, &type, e) == S_OK;
    for (uint32_t i = 0; is_known && o->run_batch != NULL && i <= s.count; i++)
        if (cform_is_nested(i < s.count ? args.forms[i] : result))
            return err_set(e, E_GRAPH, "'%s': ARRAY, MAP, MULTISET and ROW are for .run_row", o->signature);
    return is_known ? S_OK : err_wrap(e, "'%s'", o->signature);
}

bool user_call_takes_columns(const struct fn_call *c)
{
    const struct user_call *call = c->plan;

    return call->overload->run_batch != NULL;
}

static void define(struct user_function *f, const char *name, const char *identity)
{
    bool is_fixed = (f->f->flags & TW_SQL_NOT_DETERMINISTIC) == 0, waits = (f->f->flags & TW_SQL_ASYNC) != 0;

    f->def = (struct fn_def){.name = name,
                             .is_aggregate = f->f->kind == TW_SQL_AGGREGATE || f->f->kind == TW_SQL_TABLE_AGGREGATE,
                             .makes_rows = f->f->kind == TW_SQL_TABLE_AGGREGATE,
                             .is_table = f->f->kind == TW_SQL_TABLE,
                             .identity = identity,
                             .doc = "a function of the user's",
                             .overloads = f->overloads,
                             .nulls = (f->f->flags & TW_SQL_TAKES_NULLS) != 0 ? FN_OWN_NULLS : FN_STRICT,
                             .det = is_fixed ? FN_PURE : FN_RANDOM,
                             .flags = FN_MAY_FAIL | FN_MAY_BE_NULL | FN_COSTLY | (waits ? FN_ASYNC : 0),
                             .check = check_call,
                             .open = user_call_open,
                             .close = user_call_close};
}

static enum status make_aggregates(struct arena *a, struct user_function *f, struct err *e)
{
    if ((f->f->flags & TW_SQL_ASYNC) != 0) return err_set(e, E_GRAPH, "an aggregate function cannot be asynchronous");
    f->aggregates = ARENA_ARRAY(a, struct user_aggregate, TW_OVERLOADS_MAX);
    for (uint32_t i = 0; f->overloads[i].signature != NULL; i++)
        TRY(user_aggregate_make(a, f->f, &f->f->overloads[i], f->def.name, &f->aggregates[i], e));
    return S_OK;
}

enum status user_function_make(struct arena *a, const struct tw_sql_entry *entry, const char *name,
                               const char *identity, const struct user_function **out, struct err *e)
{
    struct user_function *f = ARENA_NEW(a, struct user_function);

    TRY(check_entry(entry, e));
    f->f = entry->function;
    for (uint32_t i = 0; i < TW_OVERLOADS_MAX && f->f->overloads[i].signature != NULL; i++) {
        TRY(check_overload(a, f->f, &f->f->overloads[i], e));
        f->overloads[i] = (struct fn_overload){f->f->overloads[i].signature, user_call_run};
    }
    define(f, arena_strdup(a, name), arena_strdup(a, identity));
    *out = f;
    return f->def.is_aggregate ? make_aggregates(a, f, e) : S_OK;
}

/* "<identity>#<number>" */
const struct agg_type *user_aggregate_of(const struct fn_call *c, struct arena *a, const char **identity)
{
    const struct user_function *f = function_of(c);
    uint32_t number = (uint32_t)(c->overload - f->overloads);

    *identity = arena_printf(a, "%s#%u", f->def.identity, number);
    return &f->aggregates[number].type;
}

const struct agg_type *user_aggregate_numbered(const struct user_function *f, struct str number)
{
    for (uint32_t i = 0; f->aggregates != NULL && f->overloads[i].signature != NULL; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        if (str_equal(number, str_of(text))) return &f->aggregates[i].type;
    }
    return NULL;
}
