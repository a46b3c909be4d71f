/* `notify:`: receivers of notifications as configured. Strings live in the configuration's arena. */
#ifndef FRAISEQL_EXPORTERS_NOTIFY_CONFIG_H
#define FRAISEQL_EXPORTERS_NOTIFY_CONFIG_H

#include "lib/net/http_options.h"

enum notify_format { NOTIFY_ALERTMANAGER_WEBHOOK_V4 };

struct notify_webhook {
    const char *url, *secret_file;
    int format; /* enum notify_format */
    struct string_map headers;
    struct http_credential_files credentials;
    struct http_tls_options tls;
    int64_t timeout_ns, max_age_ns, max_in_flight;
};

struct notify_alertmanager {
    struct string_list urls;
    struct http_credential_files credentials;
    struct http_tls_options tls;
    int64_t timeout_ns, max_age_ns, repeat_ns;
};

struct notify_config {
    const char *name;
    struct option_position position;
    struct notify_webhook *webhook; /* exactly one of the two */
    struct notify_alertmanager *alertmanager;
};

#endif
