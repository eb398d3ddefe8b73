/* exec_module.c - LOAD MODULE, UNLOAD MODULE, USE MODULES, SHOW MODULES. A module is a set of functions: `core` has all of Thalweg's
 * own. Without it a call finds functions of users only; operators and CAST are no functions. `state`, of Flink's state processor, is
 * there for its statements: savepoint_metadata is found without it. */
#include "surface/sql/session_internal.h"

#include "ground/base/str.h"

#define CORE STR("core")
#define STATE STR("state")

static bool is_loaded(const struct sql_session *s, struct str name)
{
    return str_equal(name, CORE) ? !s->functions.has_no_core : str_equal(name, STATE) && s->has_state_module;
}

static void set_loaded(struct sql_session *s, struct str name, bool is)
{
    if (str_equal(name, CORE)) s->functions.has_no_core = !is;
    else s->has_state_module = is;
}

static enum status no_module(struct run *r, struct ast_place place, struct str name)
{
    return run_fail(r, place, "No module with name '%.*s' exists", (int)name.size, name.data);
}

static enum status load(struct run *r, const struct load_module *m)
{
    struct str name = m->name.parts[0];

    for (uint32_t i = 0; i < m->options.count; i++)
        if (str_equal(m->options.items[i].key, STR("type")))
            return run_fail(r, m->options.items[i].key_place,
                            "Option 'type' = '%.*s' is not supported since module name is used to find module",
                            (int)m->options.items[i].value.size, m->options.items[i].value.data);
    if (is_loaded(r->s, name))
        return run_fail(r, m->name.place, "A module with name '%.*s' already exists", (int)name.size, name.data);
    if (!str_equal(name, CORE) && !str_equal(name, STATE)) {
        err_hint(r->e, str_equal_nocase(name, STR("hive")) ? "Hive's functions are Java's; the modules are 'core' and 'state'"
                                                           : "the modules are 'core' and 'state'");
        return run_fail(r, m->name.place, "Could not find any factory for identifier '%.*s' that makes modules",
                        (int)name.size, name.data);
    }
    set_loaded(r->s, name, true);
    return run_said(r);
}

static enum status run_module(struct run *r, const void *body)
{
    const struct load_module *m = body;

    if (!m->unload) return load(r, m);
    if (!is_loaded(r->s, m->name.parts[0])) return no_module(r, m->name.place, m->name.parts[0]);
    set_loaded(r->s, m->name.parts[0], false);
    return run_said(r);
}

enum status run_use_modules(struct run *r, const struct use_space *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(u->modules[i], u->modules[k]))
                return run_fail(r, r->statement->place, "Module '%.*s' appears more than once", (int)u->modules[i].size,
                                u->modules[i].data);
        if (!is_loaded(r->s, u->modules[i]))
            return no_module(r, r->statement->place, u->modules[i]);
    }
    if (u->count < (uint32_t)is_loaded(r->s, CORE) + is_loaded(r->s, STATE)) {
        err_hint(r->e, "UNLOAD MODULE leaves one out");
        return run_fail(r, r->statement->place, "USE MODULES names all modules that are loaded");
    }
    return run_said(r);
}

enum status run_show_modules(struct run *r, bool full)
{
    static const char *const names[] = {"module name", "used"};
    static const struct type *const types[] = {&type_string, &type_boolean};
    uint32_t columns = full ? 2 : 1, rows = 0;
    const char *cells[4];

    for (uint32_t i = 0; i < 2; i++) {
        struct str name = i == 0 ? CORE : STATE;
        if (!is_loaded(r->s, name)) continue;
        cells[rows * columns] = name.data;
        if (full) cells[rows * columns + 1] = "TRUE";
        rows++;
    }
    return run_give(r, columns, names, types, cells, rows);
}

const struct executor module_executors[] = {{"module", run_module}, {0}};
