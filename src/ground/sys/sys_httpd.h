/* sys_httpd.h - a server of HTTP/1.1: a function from request to answer, called on threads of the server, several at a time.
 * Only the binary has one: a library must not bring it into its host.
 *
 * A body is bounded; files of a form (multipart/form-data) lie in a folder while their request is answered, and go with it. */
#pragma once
#include "ground/base/buf.h"
#include "ground/sys/sys.h"

struct sys_httpd;

enum { SYS_HTTPD_PAIRS_MAX = 64, SYS_HTTPD_PARTS_MAX = 64 };

struct sys_httpd_pair {
    const char *key, *value; /* decoded; value "" where there is none */
};

/* A field of a form. */
struct sys_httpd_part {
    const char *name;
    const char *file_name; /* as the client calls it, without folders; NULL: the field is no file */
    const char *path;      /* where the file lies */
    int64_t size;
    struct str text; /* of a field that is no file */
};

struct sys_httpd_request {
    const char *method, *path; /* the path is decoded, and without the query */
    const struct sys_httpd_pair *query;
    uint32_t query_count;
    struct str body; /* NUL behind it; empty when it is a form */
    bool is_form;
    const struct sys_httpd_part *parts;
    uint32_t part_count;
    const char *authorization, *origin, *host; /* headers; NULL: not sent */
    bool is_same_user; /* the other end is a process of this user, or of root, on this machine */
};

struct sys_httpd_answer {
    int status;
    const char *type; /* of the body: "application/json;charset=UTF-8"; a constant */
    struct buf body;
};

typedef void (*sys_httpd_fn)(void *arg, const struct sys_httpd_request *r, struct sys_httpd_answer *answer);

struct sys_httpd_options {
    const char *host;   /* to listen at: a number, or a name of this machine */
    int port;           /* 0: the system chooses */
    int64_t body_max;   /* bytes; a longer request is answered with 413 */
    const char *folder; /* for files of forms; it is there */
    sys_httpd_fn answer;
    void *arg;
};

struct sys_httpd_ops {
    /* Listens and answers from now on. E_EXISTS: the port is taken. */
    enum status (*open)(struct sys *sys, const struct sys_httpd_options *o, struct sys_httpd **out, struct err *e);
    int (*port)(const struct sys_httpd *h);
    void (*close)(struct sys_httpd *h); /* waits for the requests under way; NULL is a no-op */
};

extern const struct sys_httpd_ops sys_linux_httpd; /* in the binary only */
