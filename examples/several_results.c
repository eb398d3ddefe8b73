/* several_results.c - the results of one job, read by the program itself: payments that are accepted, each as it comes, and those
 * that are refused, in turn. The job runs in the background and waits for whoever reads.
 *
 * Build and run:  cc several_results.c $(pkg-config --cflags --libs thalweg) && ./a.out */
#include <thalweg/thalweg.h>

#include <inttypes.h>
#include <stdio.h>

struct payment {
    struct tw_str account;
    int64_t cents;
};
TW_ROW(payment, TW_FIELD(payment, account, "STRING NOT NULL"), TW_FIELD(payment, cents, "BIGINT NOT NULL"));

static const struct payment payments[] = {
    {TW_STR("ann"), 1250}, {TW_STR("bob"), 99900}, {TW_STR("ann"), 300}, {TW_STR("eve"), 500000}, {TW_STR("bob"), 4500},
};

static void print_payment(const char *what, const struct payment *p)
{
    if (p != NULL) printf("%s %.*s %" PRId64 "\n", what, (int)p->account.size, p->account.data, p->cents);
}

TW_JOB(env, argc, argv)
{
    (void)argc, (void)argv;
    struct tw_stream *all = tw_from_data(env, &payment_row, payments, sizeof payments / sizeof *payments);
    struct tw_rows *accepted = tw_collect_async(tw_where(all, "cents", "<=", "50000"), &payment_row);
    struct tw_rows *refused = tw_collect_async(tw_where(all, "cents", ">", "50000"), &payment_row);
    const struct payment *a, *r;

    if (tw_execute_async(env, "payments") != 0) return 1;
    do {
        print_payment("accepted", a = tw_next_row(accepted));
        print_payment("refused ", r = tw_next_row(refused));
    } while (a != NULL || r != NULL);
    return tw_wait(env);
}
