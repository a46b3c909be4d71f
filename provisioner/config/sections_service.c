/* service, network and traffic. */
#include "lib/core/str.h"
#include "provisioner/config/sections.h"

static const struct option_enum log_levels[] = {{"error", 0}, {"warn", 0},  {"info", 0},
                                                {"debug", 0}, {"trace", 0}, {NULL, 0}};

static const struct option service_options[] = {
    {.name = "image",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, image),
     .default_text = "ghcr.io/fraiseql/server:latest",
     .not_empty = true,
     .help = "Container image of the server. Name a version or a digest for what must not change by itself."},
    {.name = "port",
     .type = OPT_INT,
     .offset = offsetof(struct deployment_service, port),
     .default_text = "8000",
     .min = 1,
     .max = 65535,
     .help = "Port on which the server listens behind the load balancer."},
    {.name = "schema",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, schema),
     .default_text = "/app/schema.compiled.json",
     .not_empty = true,
     .help = "The compiled schema: an https, s3 or gs address, or a path inside the image."},
    {.name = "health-path",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, health_path),
     .default_text = "/health",
     .help = "Path that tells whether the process lives."},
    {.name = "readiness-path",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, readiness_path),
     .default_text = "/readiness",
     .help = "Path that the load balancer asks before it sends requests."},
    {.name = "metrics-path",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, metrics_path),
     .default_text = "/metrics",
     .help = "Path of the server's metrics."},
    {.name = "environment",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct deployment_service, environment),
     .help = "Further environment variables of the server. Not for secrets: they would stand in this file "
             "and in the state."},
    {.name = "secret-environment",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct deployment_service, secret_environment),
     .help = "Variables whose values come from the cloud's secret store: variable to name of the secret."},
    {.name = "log-level",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, log_level),
     .default_text = "info",
     .choices = log_levels,
     .help = "Least severe lines that the server writes."},
    {.name = "binary",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, binary),
     .not_empty = true,
     .help = "Own hosts: path of FraiseQL's server on the hosts, such as /usr/local/bin/fraiseql-server; "
             "`schema` is then a path on the hosts too. Default: `command`, else the example service, which "
             "stands in for it."},
    {.name = "command",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct deployment_service, command),
     .help =
         "Own hosts: another server instead, an absolute path on the hosts and its arguments. It gets the "
         "environment of FraiseQL's: DATABASE_URL, FRAISEQL_BIND_ADDR and the others."},
    {.name = "version",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_service, version),
     .not_empty = true,
     .help =
         "Own hosts: version of FraiseQL's server at `binary`, such as 2.19.0. Default: what the binary says "
         "of itself where it lies on this machine. FraiseQL 2.15 takes PostgreSQL 14 and later, 2.16 and "
         "later only 18."},
};
const struct option_section section_service = {.name = "service",
                                               .help = "The server, which runs alike in all regions.",
                                               .size = sizeof(struct deployment_service),
                                               .options = service_options,
                                               .option_count = ARRAY_LEN(service_options),
                                               .has_position = true,
                                               .position_offset =
                                                   offsetof(struct deployment_service, position)};

/* The last two are read to be refused with a sentence of their own: see check_service.c. */
static const struct option_enum links[] = {
    {"tls", LINK_TLS}, {"wireguard", LINK_WIREGUARD}, {"vpn", LINK_VPN}, {NULL, 0}};

static const struct option_enum topologies[] = {
    {"shared", TOPOLOGY_SHARED}, {"namespaces", TOPOLOGY_NAMESPACES}, {NULL, 0}};

static const struct option network_options[] = {
    {.name = "cidr",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_network, cidr),
     .default_text = "10.0.0.0/8",
     .not_empty = true,
     .help =
         "Private range from which regions are allotted theirs, a /16 each where there is room, down to a "
         "/20."},
    {.name = "links",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_network, links),
     .default_text = "tls",
     .choices = links,
     .help =
         "How databases of different regions reach each other. tls: PostgreSQL's own TLS, end to end, "
         "through a gateway with a fixed address that only the other regions may use. wireguard and vpn are "
         "not part of this version."},
    {.name = "topology",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_network, topology),
     .default_text = "shared",
     .choices = topologies,
     .help =
         "Own hosts: shared, regions use their host's network; namespaces, each region on this machine has a "
         "network namespace of its own, so that it can be cut off from the others."},
    {.name = "latency-ms",
     .type = OPT_STRING_MAP,
     .offset = offsetof(struct deployment_network, latency_ms),
     .help =
         "With namespaces: round trip between two regions in milliseconds, as a/b: 80; half of it each way. "
         "What is left out is not delayed."},
};
const struct option_section section_network = {.name = "network",
                                               .help = "Addresses, and the way between regions.",
                                               .size = sizeof(struct deployment_network),
                                               .options = network_options,
                                               .option_count = ARRAY_LEN(network_options),
                                               .has_position = true,
                                               .position_offset =
                                                   offsetof(struct deployment_network, position)};

static const struct option_enum routings[] = {{"latency", ROUTE_LATENCY},
                                              {"geographic", ROUTE_GEOGRAPHIC},
                                              {"failover", ROUTE_FAILOVER},
                                              {"weighted", ROUTE_WEIGHTED},
                                              {NULL, 0}};
static const struct option_enum dns_services[] = {
    {"none", DNS_NONE}, {"route53", DNS_ROUTE53}, {"cloudflare", DNS_CLOUDFLARE}, {NULL, 0}};

static const struct option traffic_options[] = {
    {.name = "domain",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_traffic, domain),
     .not_empty = true,
     .help =
         "Name under which the service answers; each region also as <region>.<domain>. Default: none, and "
         "the regions' own endpoints are printed."},
    {.name = "dns",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_traffic, dns),
     .choices = dns_services,
     .help = "Who answers for the domain. Default: cloudflare when its ids are given, route53 when a domain "
             "is, none otherwise."},
    {.name = "routing",
     .type = OPT_ENUM,
     .offset = offsetof(struct deployment_traffic, routing),
     .default_text = "latency",
     .choices = routings,
     .help = "Which region a client is sent to, among the healthy ones."},
    {.name = "health-interval",
     .type = OPT_DURATION,
     .offset = offsetof(struct deployment_traffic, health_interval_ns),
     .default_text = "30s",
     .min = 10 * NS_PER_S,
     .max = 3600 * NS_PER_S,
     .unit = "duration",
     .help =
         "Time between health checks of a region. Route 53 knows 10s and 30s; with Cloudflare the default is "
         "60s, the shortest that every plan of its takes."},
    {.name = "ttl",
     .type = OPT_DURATION,
     .offset = offsetof(struct deployment_traffic, ttl_ns),
     .default_text = "60s",
     .min = NS_PER_S,
     .max = NS_PER_DAY,
     .unit = "duration",
     .help = "How long a client may keep an answer: the least time that a failover by DNS takes."},
    {.name = "cdn",
     .type = OPT_BOOL,
     .offset = offsetof(struct deployment_traffic, cdn),
     .default_text = "false",
     .help = "Cloudflare's cache in front; it needs `dns: cloudflare`."},
    {.name = "cloudflare-account",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_traffic, cloudflare_account),
     .not_empty = true,
     .help = "Id of the Cloudflare account."},
    {.name = "cloudflare-zone",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_traffic, cloudflare_zone),
     .not_empty = true,
     .help = "Id of the Cloudflare zone that holds the domain."},
    {.name = "dns-zone",
     .type = OPT_STRING,
     .offset = offsetof(struct deployment_traffic, dns_zone),
     .not_empty = true,
     .help =
         "Id of the Route 53 hosted zone that holds the domain; AWS regions validate certificates of their "
         "own in it. Default: the zone that is named as the domain is, and no certificates."},
};
const struct option_section section_traffic = {.name = "traffic",
                                               .help = "How clients find a region.",
                                               .size = sizeof(struct deployment_traffic),
                                               .options = traffic_options,
                                               .option_count = ARRAY_LEN(traffic_options),
                                               .has_position = true,
                                               .position_offset =
                                                   offsetof(struct deployment_traffic, position)};
