/* cluster_keys.c - see the header. */
#include "control/cluster_keys.h"

#include "ground/base/str.h"

#include <string.h>

#define KEY(key, kind, fallback, doc)                                                                                  \
    {                                                                                                                  \
        key, kind, fallback, NULL, doc, false, false, NULL, NULL                                                       \
    }
#define CHOICE(key, fallback, values, doc)                                                                             \
    {                                                                                                                  \
        key, OPT_ENUM, fallback, values, doc, false, false, NULL, NULL                                                 \
    }
#define NUMBER(key, kind, fallback, least, most, doc)                                                                  \
    {                                                                                                                  \
        key, kind, fallback, NULL, doc, false, false, least, most                                                      \
    }
enum { PORT_MAX = 65535 };

const struct option_def cluster_defs[] = {
    KEY("rest.address", OPT_STRING, "localhost", "where clients find the REST interface"),
    NUMBER("rest.port", OPT_INT, "8081", "0", "65535", "its port; 0: the system chooses, and the process says which"),
    KEY("rest.bind-address", OPT_STRING, "localhost", "address of this machine at which it listens"),
    KEY("rest.bind-port", OPT_STRING, NULL,
        "port, or FIRST-LAST, of which the first that is free is taken; not given: rest.port"),
    KEY("rest.server.max-content-length", OPT_SIZE, "104857600", "bytes of a request at most"),
    KEY("jobmanager.rpc.address", OPT_STRING, "localhost", "where TaskManagers find the JobManager"),
    NUMBER("jobmanager.rpc.port", OPT_INT, "6123", "0", "65535", "its port; 0: the system chooses"),
    KEY("jobmanager.bind-host", OPT_STRING, "localhost", "address of this machine at which it listens"),
    CHOICE("jobmanager.execution.failover-strategy", "full", "full|region",
           "which tasks a failure starts anew; in this version all tasks of the job, whichever is said"),
    CHOICE("jobmanager.scheduler", "Default", "Default|Adaptive|AdaptiveBatch",
           "one scheduler serves all: jobs are rescaled when somebody asks for it (thalweg rescale), and never by themselves"),
    KEY("high-availability.storageDir", OPT_STRING, NULL,
        "folder in which jobs are kept, so that they go on also when the cluster was stopped in order; not given: they "
        "are kept in the "
        "cluster's folder, and go on only when its JobManager was killed"),
    KEY("io.tmp.dirs", OPT_STRING, NULL, "folder for what lives as long as the cluster; not given: /tmp"),
    NUMBER("jobstore.expiration-time", OPT_INT, "3600", "0", "31536000",
           "seconds for which a job that is over can be asked after"),
    NUMBER("jobstore.max-capacity", OPT_INT, "2147483647", "0", "2147483647",
           "jobs that are over and can be asked after, at most"),
    KEY("heartbeat.interval", OPT_DURATION_MS, "10 s", "how often processes of a cluster say that they live"),
    KEY("heartbeat.timeout", OPT_DURATION_MS, "50 s", "silence after which a process counts as dead"),
    KEY("slot.request.timeout", OPT_DURATION_MS, "5 min", "how long a job waits for the slots that it needs"),
    KEY("cluster.evenly-spread-out-slots", OPT_BOOL, "false", "whether jobs are spread over all TaskManagers"),
    KEY("client.timeout", OPT_DURATION_MS, "60 s", "how long a client waits for an answer"),
    KEY("env.pid.dir", OPT_STRING, NULL,
        "where the numbers of started processes are noted; not given: in the cluster's folder"),
    KEY("env.log.dir", OPT_STRING, NULL,
        "where started processes write their logs; not given: in the cluster's folder"),
    KEY("thalweg.security.token-file", OPT_STRING, NULL,
        "file with the secret of the cluster, which only its owner may read; not given: made in the cluster's folder"),
    {NULL, OPT_STRING, NULL, NULL, NULL, false, false, NULL, NULL},
};

enum status cluster_keys_check(const struct config *c, struct err *e)
{
    struct config rest = {.arena = c->arena};

    for (uint32_t i = 0; i < c->count; i++) {
        struct options one = {&c->items[i], 1};
        if (option_find(cluster_defs, c->items[i].key) == NULL) {
            config_set_from(&rest, c->items[i].key, c->items[i].value, c->places[i]);
            continue;
        }
        enum status st = options_check(&one, cluster_defs, "configuration", e);
        if (st != S_OK && c->places[i] != NULL) err_wrap(e, "%s", c->places[i]);
        if (st != S_OK) return st;
    }
    return config_check_places(&rest, e);
}

static bool read_port(struct str text, int *out)
{
    int64_t number;

    if (!str_to_int64(str_trim(text), &number) || number < 0 || number > PORT_MAX) return false;
    *out = (int)number;
    return true;
}

enum status cluster_rest_ports(const struct options *o, int *first, int *last, struct err *e)
{
    const char *range = options_get(o, cluster_defs, "rest.bind-port");
    struct str rest = str_of(range), head;

    *first = *last = (int)options_int(o, cluster_defs, "rest.port");
    if (range == NULL) return S_OK;
    bool is_read = str_cut(&rest, '-', &head) && read_port(head, first);
    *last = *first;
    if (is_read && rest.size > 0) is_read = read_port(rest, last) && *last >= *first;
    if (is_read) return S_OK;
    err_set(e, E_CONFIG, "configuration 'rest.bind-port' is '%.100s', which is no port and no range of ports", range);
    err_hint(e, "write for example 8081, or 8081-8090");
    return E_CONFIG;
}
