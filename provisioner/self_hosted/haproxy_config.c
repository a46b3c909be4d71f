#include "provisioner/self_hosted/haproxy_config.h"

#include "provisioner/self_hosted/near.h"

/* A connection that is opened and closed without a word would be a line in PostgreSQL's log each time. Asking
 * for GSS encryption (GSSENCRequest) is answered with G or N by a postmaster that lives, and then nothing is
 * logged. */
#define POSTGRES_CHECK                                                                                       \
    "    option tcp-check\n"                                                                                 \
    "    tcp-check connect\n"                                                                                \
    "    tcp-check send-binary 0000000804d21630\n"                                                           \
    "    tcp-check expect rbinary 47|4E\n"

#define HEAD                                                                                                 \
    "# Written by fraiseql deploy.\n"                                                                        \
    "global\n"                                                                                               \
    "    maxconn 8000\n"                                                                                     \
    "    hard-stop-after 30s\n"                                                                              \
    "    stats socket %s mode 600 level admin\n"                                                             \
    "\n"                                                                                                     \
    "defaults base\n"                                                                                        \
    "    timeout connect 2s\n"                                                                               \
    "    timeout check 2s\n"                                                                                 \
    "\n"                                                                                                     \
    "defaults http from base\n"                                                                              \
    "    mode http\n"                                                                                        \
    "    timeout client 60s\n"                                                                               \
    "    timeout server 60s\n"                                                                               \
    "    timeout http-request 30s\n"                                                                         \
    "    timeout queue 5s\n"                                                                                 \
    "    option forwardfor\n"                                                                                \
    "    http-error status 503 content-type application/json string "                                        \
    "'{\"data\":null,\"errors\":[{\"message\":\"no region "                                                  \
    "answers\",\"extensions\":{\"code\":\"NO_REGION\"}}]}'\n"                                                \
    "\n"                                                                                                     \
    "defaults data from base\n"                                                                              \
    "    mode tcp\n"                                                                                         \
    "    timeout client 24h\n"                                                                               \
    "    timeout server 24h\n"                                                                               \
    "    option clitcpka\n"                                                                                  \
    "    option srvtcpka\n"                                                                                  \
    "\n"

static void write_instances(const struct site *site, struct buf *out)
{
    for (int64_t i = 0; i < site->region->instances; i++)
        buf_printf(out, "    server service-%lld %s:%lld check inter 500ms fall 2 rise 2\n", (long long)i + 1,
                   near_inner_address(site), (long long)(site->layout->ports[PORT_SERVICE] + i));
}

static void write_http(const struct site *site, struct buf *out)
{
    const struct deployment_service *service = &site->deployment->service;
    const struct site *const *sites = near_sites(site);
    buf_printf(out,
               "frontend http from http\n    bind %s:%u\n"
               "    use_backend service-here if { req.hdr(x-fraiseql-region) -m found }\n"
               "    default_backend service\n\n",
               site->layout->address, site->layout->ports[PORT_HTTP]);
    buf_printf(out, "backend service-here from http\n    option httpchk GET %s\n", service->readiness_path);
    write_instances(site, out);
    buf_printf(out,
               "\nbackend service from http\n    option httpchk\n"
               "    http-check send meth GET uri %s hdr x-fraiseql-region %s\n"
               "    http-request set-header x-fraiseql-region %s\n"
               "    retries 3\n    option redispatch 1\n    retry-on conn-failure\n",
               service->readiness_path, site->region->name, site->region->name);
    write_instances(site, out);
    for (size_t i = 1; i < site->site_count; i++)
        buf_printf(out, "    server region-%s %s:%u check inter 1s fall 2 rise 2 backup\n",
                   sites[i]->region->name, sites[i]->layout->address, sites[i]->layout->ports[PORT_HTTP]);
    buf_append_byte(out, '\n');
}

static void write_servers(const struct site *site, bool only_target, struct buf *out)
{
    const struct site *const *sites = near_sites(site);
    for (size_t i = 0; i < site->site_count; i++) {
        const char *name = sites[i]->region->name;
        if (!near_same_cluster(site, sites[i]))
            continue;
        const char *server = arena_printf(site->arena, "    server %s %s:%u", name, sites[i]->layout->address,
                                          sites[i]->layout->ports[PORT_POSTGRES]);
        if (only_target)
            buf_printf(
                out, "    .if streq(\"$FRAISEQL_WRITE_TARGET\",%s)\n%s\n    .else\n%s disabled\n    .endif\n",
                name, server, server);
        else
            buf_printf(out, "%s%s\n", server, i ? " backup" : " on-marked-up shutdown-backup-sessions");
    }
}

static void write_data(const struct site *site, struct buf *out)
{
    static const char *const defaults =
        "    default-server check inter 1s fall 3 rise 1 on-marked-down shutdown-sessions\n";
    const char *inner = near_inner_address(site);
    buf_printf(out, "frontend write from data\n    bind %s:%u\n    default_backend write\n\n", inner,
               site->layout->ports[PORT_WRITE]);
    buf_printf(out, "backend write from data\n" POSTGRES_CHECK "%s", defaults);
    write_servers(site, true, out);
    buf_printf(out, "\nfrontend read from data\n    bind %s:%u\n    default_backend read\n\n", inner,
               site->layout->ports[PORT_READ]);
    /* One refused connection is enough to read elsewhere: there is somewhere else. Writes have one place, and
     * wait. */
    buf_printf(
        out,
        "backend read from data\n" POSTGRES_CHECK
        "    option redispatch 1\n%s    default-server observe layer4 error-limit 1 on-error mark-down\n",
        defaults);
    write_servers(site, false, out);
    buf_printf(out,
               "\nfrontend metrics from http\n    bind %s:%u\n"
               "    http-request use-service prometheus-exporter if { path /metrics }\n"
               "    http-request return status 404\n",
               inner, site->layout->ports[PORT_PROXY_METRICS]);
}

const char *haproxy_socket(const struct site *site)
{
    return arena_printf(site->arena, "%s/haproxy/admin.sock", site->layout->run);
}

void haproxy_config_write(const struct site *site, struct buf *out)
{
    buf_printf(out, HEAD, haproxy_socket(site));
    write_http(site, out);
    write_data(site, out);
}
