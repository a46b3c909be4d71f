#include "scrapers/probe/probe_config.h"

#include "lib/core/limits.h"
#include "lib/db/pg.h"
#include "scrapers/url.h"

#include <ctype.h>

#define PROBE(member)    offsetof(struct probe_config, member)
#define HTTP(member)     offsetof(struct probe_http_config, member)
#define EXPECT(member)   offsetof(struct probe_http_expect, member)
#define TLS(member)      offsetof(struct probe_tls_config, member)
#define TCP(member)      offsetof(struct probe_tcp_config, member)
#define POSTGRES(member) offsetof(struct probe_postgres_config, member)

static const struct option expect_options[] = {
    {.name = "status",
     .type = OPT_INT_LIST,
     .offset = EXPECT(status),
     .min = 100,
     .max = 599,
     .help = "Good status codes; default: any 2xx."},
    {.name = "body", .type = OPT_STRING, .offset = EXPECT(body), .help = "Text that the body must contain."},
    {.name = "header",
     .type = OPT_STRING_MAP,
     .offset = EXPECT(header),
     .help = "Headers that must be there, each with a text that its value must contain."},
};

static const struct option_section expect_section = {
    .name = "probes[].http.expect",
    .help = "What a good answer looks like.",
    .size = sizeof(struct probe_http_expect),
    .options = expect_options,
    .option_count = ARRAY_LEN(expect_options),
};

static const struct option tls_options[] = {
    HTTP_TLS_OPTIONS(TLS(peer)),
    {.name = "min_validity",
     .type = OPT_DURATION,
     .offset = TLS(min_validity_ns),
     .min = 0,
     .max = INT64_C(366) * 86400 * NS_PER_S,
     .unit = "duration",
     .help = "The probe is bad when a certificate of the chain expires sooner; default: only when it has "
             "expired."},
};

static const struct option_section tls_section = {
    .name = "probes[].http.tls",
    .help = "TLS towards the target.",
    .size = sizeof(struct probe_tls_config),
    .options = tls_options,
    .option_count = ARRAY_LEN(tls_options),
};

static const struct option_enum connections[] = {
    {"new", PROBE_CONNECTION_NEW},
    {"kept", PROBE_CONNECTION_KEPT},
    {0},
};

static int check_url(const char *text, struct error *err)
{
    if (!url_has_credentials(text))
        return 0;
    return error_set(err, ERR_CONFIG, "the url holds credentials; use bearer_token_file or headers");
}

static int check_method(const char *text, struct error *err)
{
    for (const char *p = text; *p; p++) {
        if (!isupper((unsigned char)*p))
            return error_set(err, ERR_CONFIG, "a method is a word in capitals, e.g. HEAD");
    }
    return *text ? 0 : error_set(err, ERR_CONFIG, "the method is empty");
}

static const struct option http_options[] = {
    {.name = "url",
     .type = OPT_URL,
     .offset = HTTP(url),
     .required = true,
     .check = check_url,
     .help = "Address to ask, http or https."},
    {.name = "method",
     .type = OPT_STRING,
     .offset = HTTP(method),
     .default_text = "GET",
     .check = check_method,
     .help = "Request method."},
    {.name = "headers", .type = OPT_STRING_MAP, .offset = HTTP(headers), .help = "Further request headers."},
    {.name = "body", .type = OPT_STRING, .offset = HTTP(body), .help = "Body of the request."},
    {.name = "bearer_token_file",
     .type = OPT_SECRET_FILE,
     .offset = HTTP(bearer_token_file),
     .help = "File with the bearer token; read at start and at a reload."},
    {.name = "expect",
     .type = OPT_SECTION,
     .offset = HTTP(expect),
     .section = &expect_section,
     .help = "What a good answer looks like."},
    {.name = "redirects",
     .type = OPT_INT,
     .offset = HTTP(max_redirects),
     .default_text = "0",
     .min = 0,
     .max = 20,
     .help = "Redirects to follow; with 0 a redirect is an answer like any other."},
    {.name = "connection",
     .type = OPT_ENUM,
     .offset = HTTP(connection),
     .default_text = "new",
     .choices = connections,
     .help =
         "new connects for each probe, as a user would: a server that no longer accepts is seen. kept reuses "
         "the connection and sees only what its users see who are connected."},
    {.name = "max_body",
     .type = OPT_SIZE,
     .offset = HTTP(max_body_bytes),
     .default_text = "1MiB",
     .min = 1024,
     .max = 1L << 26,
     .unit = "bytes",
     .help = "A longer body makes the probe bad."},
    {.name = "tls",
     .type = OPT_SECTION,
     .offset = HTTP(tls),
     .section = &tls_section,
     .help = "TLS towards the target."},
};

static const struct option_section http_section = {
    .name = "probes[].http",
    .help = "An HTTP request. Good: the expected answer within the timeout.",
    .size = sizeof(struct probe_http_config),
    .options = http_options,
    .option_count = ARRAY_LEN(http_options),
};

static const struct option tcp_options[] = {
    {.name = "address",
     .type = OPT_ADDRESS,
     .offset = TCP(address),
     .required = true,
     .help = "host:port to connect to."},
    {.name = "send", .type = OPT_STRING, .offset = TCP(send), .help = "Text to send once connected."},
    {.name = "expect",
     .type = OPT_STRING,
     .offset = TCP(expect),
     .help =
         "Text that must come back; without it an accepted connection is good, though a frozen process still "
         "gets connections accepted by its kernel."},
};

static const struct option_section tcp_section = {
    .name = "probes[].tcp",
    .help = "A TCP connection, new for each probe.",
    .size = sizeof(struct probe_tcp_config),
    .options = tcp_options,
    .option_count = ARRAY_LEN(tcp_options),
};

static const struct option postgres_options[] = {
    {.name = "dsn",
     .type = OPT_CONNINFO,
     .offset = POSTGRES(dsn),
     .required = true,
     .check = pg_check_conninfo,
     .help = "libpq connection string or URI."},
    {.name = "password_file",
     .type = OPT_SECRET_FILE,
     .offset = POSTGRES(password_file),
     .help = "File with the password; read at start and at a reload."},
    {.name = "query",
     .type = OPT_STRING,
     .offset = POSTGRES(query),
     .default_text = "SELECT 1",
     .help = "Statement to run on the new connection; empty: connecting and logging in is enough."},
    {.name = "expect",
     .type = OPT_STRING,
     .offset = POSTGRES(expect),
     .help = "What the first column of the query's first row must be, e.g. f for pg_is_in_recovery() of a "
             "primary."},
};

static const struct option_section postgres_section = {
    .name = "probes[].postgres",
    .help = "A new connection with login and a query, by PostgreSQL's protocol.",
    .size = sizeof(struct probe_postgres_config),
    .options = postgres_options,
    .option_count = ARRAY_LEN(postgres_options),
};

static const struct option probe_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = PROBE(name),
     .required = true,
     .help = "What is probed, the label `probe`; the same name in several regions is one service."},
    {.name = "region",
     .type = OPT_STRING,
     .offset = PROBE(region),
     .help = "Region of the target; default: the collector's own."},
    {.name = "target",
     .type = OPT_STRING,
     .offset = PROBE(target),
     .help = "The label `target`; default: host:port of the address."},
    {.name = "interval",
     .type = OPT_DURATION,
     .offset = PROBE(interval_ns),
     .min = 10 * NS_PER_MS,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time between probes; default: defaults.interval."},
    {.name = "timeout",
     .type = OPT_DURATION,
     .offset = PROBE(timeout_ns),
     .min = 1 * NS_PER_MS,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help =
         "Time a probe has, at most the interval; default: the smaller of interval and defaults.timeout."},
    {.name = "http",
     .type = OPT_SECTION_PTR,
     .offset = PROBE(http),
     .section = &http_section,
     .help = "Probe by HTTP or HTTPS. Exactly one of http, tcp and postgres is given."},
    {.name = "tcp",
     .type = OPT_SECTION_PTR,
     .offset = PROBE(tcp),
     .section = &tcp_section,
     .help = "Probe by a TCP connection."},
    {.name = "postgres",
     .type = OPT_SECTION_PTR,
     .offset = PROBE(postgres),
     .section = &postgres_section,
     .help = "Probe by PostgreSQL's protocol."},
};

static void check_kinds(const struct probe_config *config, const struct node *node, struct diag *diag)
{
    int kinds = (config->http != NULL) + (config->tcp != NULL) + (config->postgres != NULL);
    if (kinds != 1)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                 "a probe has exactly one of http, tcp and postgres, this one has %s",
                 kinds == 0 ? "none" : "several");
    if (config->http)
        http_tls_check(&config->http->tls.peer, "cert_file and key_file go together", node, diag);
    if (config->tcp && config->tcp->address.text && config->tcp->address.host && !*config->tcp->address.host)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "tcp.address has no host");
    if (config->postgres && config->postgres->expect && config->postgres->query && !*config->postgres->query)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "postgres.expect needs a query");
}

static void check_probe(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct probe_config *config = config_pointer;
    check_kinds(config, node, diag);
    if (config->interval_ns > 0 && config->timeout_ns > config->interval_ns)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                 "timeout is above interval: each interval could not have one outcome");
}

const struct option_section probe_section = {
    .name = "probes[]",
    .help = "An active check. Each interval has exactly one outcome: good, bad, or unknown when the "
            "collector's own "
            "tick was late.",
    .size = sizeof(struct probe_config),
    .options = probe_options,
    .option_count = ARRAY_LEN(probe_options),
    .has_position = true,
    .position_offset = offsetof(struct probe_config, position),
    .check = check_probe,
};

const struct option_position *probe_config_position(const struct probe_config *config)
{
    return &config->position;
}

const char *probe_config_name(const struct probe_config *config)
{
    return config->name;
}

const char *probe_config_region(const struct probe_config *config)
{
    return config->region;
}

const char *probe_config_target(const struct probe_config *config)
{
    return config->target;
}

int64_t probe_config_interval_ns(const struct probe_config *config)
{
    return config->interval_ns;
}

int64_t probe_config_timeout_ns(const struct probe_config *config)
{
    return config->timeout_ns;
}

size_t probe_config_size(void)
{
    return sizeof(struct probe_config);
}

static const char *default_target(const struct probe_config *config, struct arena *arena)
{
    char text[256] = "";
    if (config->http)
        url_target(config->http->url, text, sizeof text);
    else if (config->tcp)
        return config->tcp->address.text;
    else if (config->postgres)
        pg_conninfo_target(config->postgres->dsn, text, sizeof text);
    return arena_strdup(arena, str_from(text));
}

void probe_config_complete(struct probe_config *config, const char *region, int64_t interval_ns,
                           int64_t timeout_ns, struct arena *arena)
{
    if (!config->region)
        config->region = region;
    if (config->interval_ns == 0)
        config->interval_ns = interval_ns;
    if (config->timeout_ns == 0)
        config->timeout_ns = timeout_ns < config->interval_ns ? timeout_ns : config->interval_ns;
    if (!config->target)
        config->target = default_target(config, arena);
}

void probe_config_check(const struct probe_config *config, struct diag *diag)
{
    const struct option_position *at = &config->position;
    if (config->timeout_ns > config->interval_ns)
        diag_add(diag, DIAG_ERROR, at->file, at->line, at->column,
                 "probe %s: timeout is above the default interval: each interval could not have one outcome",
                 config->name);
    if (config->http && config->http->tls.peer.insecure_skip_verify)
        diag_add(diag, DIAG_WARNING, at->file, at->line, at->column,
                 "probe %s: the server's certificate is not verified", config->name);
}
