/* session.h - a SQL session: catalogs, configuration, and running statements one after another. One thread. */
#pragma once
#include "columns/column/zone.h"
#include "control/config.h"
#include "language/sql/bind_query.h"
#include "language/sql/statement.h"

struct sql_session;

/* What a statement answers, as it comes. Called on the session's thread. */
struct sql_listener {
    void *arg;
    /* The columns of rows to come; also for SHOW and the like. */
    enum status (*begin)(void *arg, const struct type *row, bool is_changelog, struct err *e);
    enum status (*rows)(void *arg, const struct batch *b, struct err *e);
    enum status (*end)(void *arg, struct err *e);                    /* the last row has come */
    enum status (*said)(void *arg, const char *text, struct err *e); /* "[INFO] Execute statement succeeded." */
};

struct sql_session_options {
    struct sys *sys;
    struct log *log; /* may be NULL */
    bool takes_signals;
    const struct sys_atomic_u64 *cancelled; /* not 0 = stop the running job; may be NULL */
};

struct sql_session *sql_session_create(const struct sql_session_options *o);
void sql_session_free(struct sql_session *s); /* NULL is a no-op */
struct config *sql_session_config(struct sql_session *s);
/* Of table.local-time-zone: what instants are shown in. As of the statement that runs or ran last; lives as long as s. */
const struct zone *sql_session_zone(const struct sql_session *s);
/* Runs one statement to its end. */
enum status sql_session_run(struct sql_session *s, const struct tokens *t, const struct statement *st,
                            const struct sql_listener *to, struct err *e) CHECKED;
