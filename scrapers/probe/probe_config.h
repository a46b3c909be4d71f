/* One element of `probes:` as it is configured. */
#ifndef FRAISEQL_SCRAPERS_PROBE_CONFIG_H
#define FRAISEQL_SCRAPERS_PROBE_CONFIG_H

#include "lib/net/http_options.h"
#include "scrapers/probe/probe.h"

enum probe_connection { PROBE_CONNECTION_NEW, PROBE_CONNECTION_KEPT };

struct probe_tls_config {
    struct http_tls_options peer;
    int64_t min_validity_ns; /* the earliest certificate must live longer; 0: not looked at */
};

struct probe_http_expect {
    struct int_list status;   /* none: any 2xx */
    const char *body;         /* a part of it */
    struct string_map header; /* name to a part of its value */
};

struct probe_http_config {
    const char *url, *method, *body, *bearer_token_file;
    struct string_map headers;
    struct probe_http_expect expect;
    int64_t max_redirects;
    int connection; /* enum probe_connection */
    uint64_t max_body_bytes;
    struct probe_tls_config tls;
};

struct probe_tcp_config {
    struct address_option address;
    const char *send, *expect;
};

struct probe_postgres_config {
    const char *dsn, *password_file, *query, *expect;
};

struct probe_config {
    const char *name, *region, *target;
    int64_t interval_ns, timeout_ns;
    struct option_position position;
    /* Exactly one is set. */
    struct probe_http_config *http;
    struct probe_tcp_config *tcp;
    struct probe_postgres_config *postgres;
};

#endif
