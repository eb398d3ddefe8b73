/* exec_module.c - LOAD MODULE, UNLOAD MODULE, USE MODULES, SHOW MODULES. A module is a set of functions; the only one is `core`,
 * which has all of Thalweg's own. Without it a call finds functions of users only; operators and CAST are no functions. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"

#define CORE STR("core")

static enum status no_module(struct run *r, struct ast_place place, struct str name)
{
    return run_fail(r, place, "No module with name '%.*s' exists", (int)name.size, name.data);
}

static enum status load(struct run *r, const struct load_module *m)
{
    struct str name = m->name.parts[0];
    struct fn_session *functions = &r->s->functions;

    for (uint32_t i = 0; i < m->options.count; i++)
        if (str_equal(m->options.items[i].key, STR("type")))
            return run_fail(r, m->options.items[i].key_place,
                            "Option 'type' = '%.*s' is not supported since module name is used to find module",
                            (int)m->options.items[i].value.size, m->options.items[i].value.data);
    if (str_equal(name, CORE) && !functions->has_no_core)
        return run_fail(r, m->name.place, "A module with name 'core' already exists");
    if (!str_equal(name, CORE)) {
        err_hint(r->e, str_equal_nocase(name, STR("hive")) ? "Hive's functions are Java's; the only module is 'core'"
                                                           : "the only module is 'core'");
        return run_fail(r, m->name.place, "Could not find any factory for identifier '%.*s' that makes modules",
                        (int)name.size, name.data);
    }
    functions->has_no_core = false;
    return run_said(r);
}

static enum status run_module(struct run *r, const void *body)
{
    const struct load_module *m = body;

    if (!m->unload) return load(r, m);
    if (!str_equal(m->name.parts[0], CORE) || r->s->functions.has_no_core)
        return no_module(r, m->name.place, m->name.parts[0]);
    r->s->functions.has_no_core = true;
    return run_said(r);
}

enum status run_use_modules(struct run *r, const struct use_space *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(u->modules[i], u->modules[k]))
                return run_fail(r, r->statement->place, "Module '%.*s' appears more than once", (int)u->modules[i].size,
                                u->modules[i].data);
        if (!str_equal(u->modules[i], CORE) || r->s->functions.has_no_core)
            return no_module(r, r->statement->place, u->modules[i]);
    }
    return run_said(r);
}

enum status run_show_modules(struct run *r, bool full)
{
    static const char *const names[] = {"module name", "used"}, *const cells[] = {"core", "TRUE"};
    static const struct type *const types[] = {&type_string, &type_boolean};

    return run_give(r, full ? 2 : 1, names, types, cells, r->s->functions.has_no_core ? 0 : 1);
}

const struct executor module_executors[] = {{"module", run_module}, {0}};
