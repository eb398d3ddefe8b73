/* rest_cluster.c - endpoints of the cluster itself: what it has and does, how it is configured, its TaskManagers, and its end. Values of
 * keys that are secrets are hidden, as Flink hides them: by what their names hold. */
#include "surface/rest/rest_internal.h"

#include "control/config.h"
#include "ground/base/str.h"

#include <string.h>

enum { NOT_FOUND = 404, REFRESH_MS = 3000, MEBIBYTE = 1024 * 1024 };
#define FLINK_VERSION "2.3.0" /* whose interface this is */

static uint32_t slots_of_this_process(const struct rest_call *c)
{
    int64_t slots = options_int(c->rest->o.settings, config_defs, "taskmanager.numberOfTaskSlots");

    return slots > 0 ? (uint32_t)slots : (uint32_t)sys_cpu_count(c->rest->o.sys);
}

/* Without TaskManagers the process itself is one. */
static bool next_taskmanager(struct rest_call *c, uint32_t index, struct rest_taskmanager *out)
{
    if (c->rest->o.taskmanager != NULL)
        return c->rest->o.taskmanager(c->rest->o.taskmanager_arg, index, &c->arena, out);
    *out = (struct rest_taskmanager){.id = options_get(c->rest->o.settings, config_defs, "taskmanager.resource-id"),
                                     .address = "localhost",
                                     .slots = slots_of_this_process(c),
                                     .slots_free = slots_of_this_process(c),
                                     .cores = (uint32_t)sys_cpu_count(c->rest->o.sys),
                                     .memory_bytes = sys_memory_bytes(c->rest->o.sys),
                                     .heartbeat_ms = job_now_ms(c)};
    return index == 0;
}

/* --- overview ------------------------------------------------------------------------------------------------------ */
struct cluster_counts {
    int64_t running, finished, cancelled, failed;
};

static void count_jobs(struct rest_call *c, struct cluster_counts *out)
{
    struct dispatched_job *job;

    for (uint32_t i = 0; (job = dispatcher_hold_next(c->rest->dispatcher, i)) != NULL; i++) {
        enum job_status s = dispatched_status(job);
        *(s == JOB_FINISHED   ? &out->finished
          : s == JOB_CANCELED ? &out->cancelled
          : s == JOB_FAILED   ? &out->failed
                              : &out->running) += 1;
        dispatcher_let_go(c->rest->dispatcher, job);
    }
}

static void answer_overview(struct rest_call *c)
{
    struct cluster_counts jobs = {0};
    struct rest_taskmanager t;
    int64_t count = 0, slots = 0, available = 0;

    count_jobs(c, &jobs);
    for (uint32_t i = 0; next_taskmanager(c, i, &t); i++, count++) {
        slots += t.slots;
        available += t.slots_free;
    }
    json_object(&c->out, NULL);
    json_int(&c->out, "taskmanagers", count);
    json_int(&c->out, "slots-total", slots);
    json_int(&c->out, "slots-available", available);
    json_int(&c->out, "jobs-running", jobs.running);
    json_int(&c->out, "jobs-finished", jobs.finished);
    json_int(&c->out, "jobs-cancelled", jobs.cancelled);
    json_int(&c->out, "jobs-failed", jobs.failed);
    json_text(&c->out, "flink-version", FLINK_VERSION);
    json_text(&c->out, "flink-commit", "thalweg-" THALWEG_VERSION);
    json_object_end(&c->out);
}

static void answer_config(struct rest_call *c)
{
    struct json_write *w = &c->out;

    json_object(w, NULL);
    json_int(w, "refresh-interval", REFRESH_MS);
    json_text(w, "timezone-name", "Coordinated Universal Time");
    json_int(w, "timezone-offset", 0);
    json_text(w, "flink-version", FLINK_VERSION);
    json_text(w, "flink-revision", "thalweg-" THALWEG_VERSION);
    json_object(w, "features");
    json_bool(w, "web-submit", true);
    json_bool(w, "web-cancel", true);
    json_bool(w, "web-rescale", false);
    json_bool(w, "web-history", false);
    json_object_end(w);
    json_object_end(w);
}

/* --- configuration ------------------------------------------------------------------------------------------------- */
static bool is_secret(const char *key)
{
    static const char *const words[] = {"password",   "secret",      "fs.azure.account.key", "apikey",
                                        "api-key",    "auth-params", "service-key",          "token",
                                        "basic-auth", "jaas.config", "http-headers"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strstr(key, words[i]) != NULL) return true;
    return false;
}

static void write_pair(struct rest_call *c, const char *key, const char *value)
{
    json_object(&c->out, NULL);
    json_text(&c->out, "key", key);
    json_text(&c->out, "value", is_secret(key) ? "******" : value);
    json_object_end(&c->out);
}

static void answer_configuration(struct rest_call *c)
{
    const struct options *o = c->rest->o.settings;

    json_array(&c->out, NULL);
    for (uint32_t i = 0; i < o->count; i++) write_pair(c, o->items[i].key, o->items[i].value);
    json_array_end(&c->out);
}

/* There is no JVM: what is asked for is there, and empty but for the program. */
static void answer_environment(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_object(&c->out, "jvm");
    json_text(&c->out, "version", "none: thalweg " THALWEG_VERSION " is a native program");
    json_text(&c->out, "arch", "amd64");
    json_array(&c->out, "options");
    json_array_end(&c->out);
    json_object_end(&c->out);
    json_array(&c->out, "classpath");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_logs(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_array(&c->out, "logs");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

/* Results of one job are never kept for another. */
static void answer_datasets(struct rest_call *c)
{
    json_object(&c->out, NULL);
    json_array(&c->out, "dataSets");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_end(struct rest_call *c)
{
    if (c->rest->o.ends != NULL) sys_atomic_store(c->rest->o.ends, 1);
    json_object(&c->out, NULL);
    json_object_end(&c->out);
}

/* --- TaskManagers -------------------------------------------------------------------------------------------------- */
static void write_resource(struct rest_call *c, const char *key, double cores, int64_t bytes)
{
    json_object(&c->out, key);
    json_double(&c->out, "cpuCores", cores);
    json_int(&c->out, "taskHeapMemory", 0);
    json_int(&c->out, "taskOffHeapMemory", 0);
    json_int(&c->out, "managedMemory", bytes / MEBIBYTE);
    json_int(&c->out, "networkMemory", 0);
    json_object(&c->out, "extendedResources");
    json_object_end(&c->out);
    json_object_end(&c->out);
}

static void write_memory(struct rest_call *c, int64_t bytes)
{
    static const char *const none[] = {"frameworkHeap", "taskHeap",     "frameworkOffHeap", "taskOffHeap",
                                       "networkMemory", "jvmMetaspace", "jvmOverhead"};

    json_object(&c->out, "memoryConfiguration");
    for (size_t i = 0; i < COUNT_OF(none); i++) json_int(&c->out, none[i], 0);
    json_int(&c->out, "managedMemory", bytes);
    json_int(&c->out, "totalFlinkMemory", bytes);
    json_int(&c->out, "totalProcessMemory", bytes);
    json_object_end(&c->out);
}

static void write_taskmanager(struct rest_call *c, const struct rest_taskmanager *t)
{
    json_text(&c->out, "id", t->id);
    json_text(&c->out, "path", t->address);
    json_int(&c->out, "dataPort", -1);
    json_int(&c->out, "jmxPort", -1);
    json_int(&c->out, "timeSinceLastHeartbeat", t->heartbeat_ms); /* which is a point in time, as in Flink */
    json_int(&c->out, "slotsNumber", t->slots);
    json_int(&c->out, "freeSlots", t->slots_free);
    json_int(&c->out, "assignedTasks", t->slots - t->slots_free);
    write_resource(c, "totalResource", t->slots, t->memory_bytes);
    write_resource(c, "freeResource", t->slots_free, t->slots > 0 ? t->memory_bytes / t->slots * t->slots_free : 0);
    json_object(&c->out, "hardware");
    json_int(&c->out, "cpuCores", t->cores);
    json_int(&c->out, "physicalMemory", t->memory_bytes);
    json_int(&c->out, "freeMemory", t->memory_bytes);
    json_int(&c->out, "managedMemory", t->memory_bytes);
    json_object_end(&c->out);
    write_memory(c, t->memory_bytes);
}

static void answer_taskmanagers(struct rest_call *c)
{
    struct rest_taskmanager t;

    json_object(&c->out, NULL);
    json_array(&c->out, "taskmanagers");
    for (uint32_t i = 0; next_taskmanager(c, i, &t); i++) {
        json_object(&c->out, NULL);
        write_taskmanager(c, &t);
        json_object_end(&c->out);
    }
    json_array_end(&c->out);
    json_object_end(&c->out);
}

/* Numbers of a JVM's memory: 0, there is none. */
static void write_taskmanager_metrics(struct rest_call *c)
{
    static const char *const zeros[] = {"heapUsed",
                                        "heapCommitted",
                                        "heapMax",
                                        "nonHeapUsed",
                                        "nonHeapCommitted",
                                        "nonHeapMax",
                                        "directCount",
                                        "directUsed",
                                        "directMax",
                                        "mappedCount",
                                        "mappedUsed",
                                        "mappedMax",
                                        "nettyShuffleMemorySegmentsAvailable",
                                        "nettyShuffleMemorySegmentsUsed",
                                        "nettyShuffleMemorySegmentsTotal",
                                        "nettyShuffleMemoryAvailable",
                                        "nettyShuffleMemoryUsed",
                                        "nettyShuffleMemoryTotal"};

    json_object(&c->out, "metrics");
    for (size_t i = 0; i < COUNT_OF(zeros); i++) json_int(&c->out, zeros[i], 0);
    json_array(&c->out, "garbageCollectors");
    json_array_end(&c->out);
    json_object_end(&c->out);
}

static void answer_taskmanager(struct rest_call *c)
{
    struct rest_taskmanager t;
    uint32_t i = 0;

    while (next_taskmanager(c, i, &t) && strcmp(t.id, c->parameters[0]) != 0) i++;
    if (!next_taskmanager(c, i, &t)) {
        rest_fail(c, NOT_FOUND, "Could not find TaskExecutor %s.", c->parameters[0]);
        return;
    }
    json_object(&c->out, NULL);
    write_taskmanager(c, &t);
    json_array(&c->out, "allocatedSlots");
    json_array_end(&c->out);
    write_taskmanager_metrics(c);
    json_object_end(&c->out);
}

const struct rest_endpoint rest_cluster[] = {
    {"GET", "/overview", answer_overview, false, false},
    {"GET", "/config", answer_config, false, false},
    {"DELETE", "/cluster", answer_end, true, false},
    {"GET", "/jobmanager/config", answer_configuration, false, false},
    {"GET", "/jobmanager/environment", answer_environment, false, false},
    {"GET", "/jobmanager/logs", answer_logs, false, false},
    {"GET", "/datasets", answer_datasets, false, false},
    {"GET", "/taskmanagers", answer_taskmanagers, false, false},
    {"GET", "/taskmanagers/:taskmanagerid", answer_taskmanager, false, false},
    {"GET", "/taskmanagers/:taskmanagerid/logs", answer_logs, false, false},
    {NULL, NULL, NULL, false, false},
};
