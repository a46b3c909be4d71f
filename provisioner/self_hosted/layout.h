/* Where everything of a region on own hosts is: addresses, ports, folders, users. Pure, and the only place
 * that says so: components and commands ask here.
 *
 * A region on `local` without namespaces has a loopback address of its own (127.0.0.0/8 is all loopback), so
 * every region uses the same ports. With `topology: namespaces` it has an address inside its own network
 * namespace. On an SSH host it is the host's `address`, by default the host of its URL.
 *
 * Ownership: the arena given to layout_make(). */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_LAYOUT_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_LAYOUT_H

#include "provisioner/deployment.h"

/* Ports of a region, the same in every region. All but OTLP's can be moved together by the region's
 * `port_base`. */
enum layout_port {
    PORT_POSTGRES,      /* 5432: the cluster itself, TLS */
    PORT_SERVICE,       /* 8000: first instance of the service; the following ones are the next ports */
    PORT_HTTP,          /* 8080: HAProxy, what clients of the region use */
    PORT_WRITE,         /* 5433: HAProxy, PostgreSQL's primary wherever it is */
    PORT_READ,          /* 5434: HAProxy, the nearest healthy PostgreSQL */
    PORT_PROXY_METRICS, /* 8405: HAProxy's own metrics */
    PORT_COLLECTOR,     /* 9480 */
    PORT_OTLP_HTTP,     /* 4318 */
    PORT_OTLP_GRPC,     /* 4317 */
    PORT_PROMETHEUS,    /* 9090 */
    PORT_ALERTMANAGER,  /* 9093 */
    PORT_COUNT
};

struct layout {
    const char *deployment, *region; /* names */
    const char *address;             /* numeric: what the other regions and the service's clients use */
    const char *netns;               /* name of the region's network namespace; NULL: the host's own */
    uint16_t ports[PORT_COUNT];

    /* Folders on the region's host. `base` is removed by destroy once it is empty. */
    const char *base;   /* /var/lib/fraiseql/NAME/REGION, owned by root, 0755 */
    const char *config; /* base/config: rendered files */
    const char *data;   /* base/data: what only --delete-data removes */
    const char *log;    /* base/log: one file a process */
    const char *run;    /* /run/fraiseql/NAME/REGION: sockets and pid files */
    const char *bin;    /* base/bin: programs that were brought along */

    /* System users, made by the host stage: the database's and the service's. */
    const char *postgres_user, *service_user;
};

int layout_make(const struct deployment *deployment, const struct region *region, struct arena *arena,
                struct layout *ret, struct error *err) CHECK_RESULT;

#endif
