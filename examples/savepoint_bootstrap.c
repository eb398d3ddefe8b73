/* savepoint_bootstrap.c - a job takes over what another system has counted: a savepoint is written from rows, the job begins with it, and
 * its state is then read back as rows.
 *
 * Build and run:  cc savepoint_bootstrap.c $(pkg-config --cflags --libs thalweg) && ./a.out */
#include <thalweg/thalweg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct order {
    struct tw_str customer;
    int64_t cents;
};
TW_ROW(order, TW_FIELD(order, customer, "STRING NOT NULL"), TW_FIELD(order, cents, "BIGINT NOT NULL"));

struct key {
    struct tw_str customer;
};
TW_ROW(key, TW_FIELD(key, customer, "STRING NOT NULL"));

struct total {
    struct tw_str customer;
    int64_t orders, cents;
};
TW_ROW(total, TW_FIELD(total, customer, "STRING NOT NULL"), TW_FIELD(total, orders, "BIGINT NOT NULL"),
       TW_FIELD(total, cents, "BIGINT NOT NULL"));

struct sums {
    int64_t orders, cents;
};
TW_ROW(sums, TW_FIELD(sums, orders, "BIGINT NOT NULL"), TW_FIELD(sums, cents, "BIGINT NOT NULL"));

static const struct tw_state so_far = {.name = "so far", .kind = TW_VALUE, .value = "ROW", .row = &sums_row};

static enum tw_status on_order(struct tw_context *cx, const void *in)
{
    const struct order *order = in;
    struct sums sums = {0};

    tw_value_get(cx, &so_far, &sums);
    sums.orders++;
    sums.cents += order->cents;
    tw_value_set(cx, &so_far, &sums);
    tw_collect(cx, &(struct total){order->customer, sums.orders, sums.cents});
    return TW_OK;
}

TW_FUNCTION(totals) = {.in = &order_row, .out = &total_row, .key = &key_row, .states = {&so_far}, .process = on_order};

/* What the old system had. */
static const struct total known[] = {{TW_STR("ada"), 12, 34000}, {TW_STR("bob"), 3, 4500}};
static const struct order orders[] = {{TW_STR("bob"), 500}, {TW_STR("cyd"), 700}, {TW_STR("ada"), 1000}};

static int write_savepoint(const char *folder)
{
    struct tw_savepoint *p = tw_savepoint_create(NULL);

    tw_savepoint_add(p, "totals", 0, &so_far, &key_row, &total_row, known, sizeof known / sizeof known[0]);
    int failed = tw_savepoint_write(p, folder);
    if (failed) fprintf(stderr, "%s\n", tw_savepoint_error(p));
    tw_savepoint_free(p);
    return failed;
}

static int show_savepoint(const char *folder)
{
    struct tw_saved *saved = tw_saved_open(folder);
    struct tw_saved_rows *rows = tw_saved_read(saved, "totals", "so far", &total_row);

    for (struct total t; tw_saved_next(rows, &t);)
        printf("saved: %.*s %lld orders, %lld cents\n", (int)t.customer.size, t.customer.data, (long long)t.orders, (long long)t.cents);
    tw_saved_rows_close(rows);
    const char *error = tw_saved_error(saved);
    if (error != NULL) fprintf(stderr, "%s\n", error);
    int failed = error != NULL;
    tw_saved_close(saved);
    fflush(stdout);
    return failed;
}

TW_JOB(env, argc, argv)
{
    char folder[] = "/tmp/savepoint-XXXXXX", metadata[64];

    if (mkdtemp(folder) == NULL) return 1;
    int failed = write_savepoint(folder) || show_savepoint(folder);
    if (!failed) {
        tw_set(env, "execution.state-recovery.path", folder);
        struct tw_stream *s = tw_from_data(env, &order_row, orders, sizeof orders / sizeof orders[0]);
        tw_print(tw_uid(tw_process(tw_key_by(s, "customer"), &totals), "totals"));
        failed = tw_execute(env, "totals");
    }
    snprintf(metadata, sizeof metadata, "%s/_metadata", folder);
    unlink(metadata);
    rmdir(folder);
    return failed;
}
