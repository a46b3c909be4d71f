/* A table with every option type, for the tests of the option tables and their fuzzer. */
#ifndef FRAISEQL_TESTS_OPTION_FIXTURE_H
#define FRAISEQL_TESTS_OPTION_FIXTURE_H

#include "lib/core/json.h"
#include "lib/core/option.h"

struct fix_tls {
    const char *ca;
    bool verify;
};

struct fix_http {
    const char *url;
    struct int_list status;
    struct string_map headers;
    struct fix_tls *tls;
};

struct fix_probe {
    const char *name;
    int64_t interval_ns;
    struct fix_http *http;
    const char *tcp;
    struct option_position position;
};

struct fix_region {
    const char *name; /* the key */
    struct string_map labels;
};

struct fix_limits {
    uint64_t memory;
    int64_t count;
};

struct fix_config {
    const char *name;
    bool on;
    int64_t number;
    uint64_t objective;
    int64_t wait_ns;
    uint64_t size;
    int mode;
    struct address_option listen;
    const char *url, *journal, *secret_file, *dsn;
    struct string_list include;
    struct int_list codes;
    struct string_map labels;
    struct fix_limits limits;
    struct section_list probes, regions;
    const struct node *extra;
};

static const struct option fix_tls_options[] = {
    {.name = "ca", .type = OPT_PATH, .offset = offsetof(struct fix_tls, ca), .help = "Authorities."},
    {.name = "verify", .type = OPT_BOOL, .offset = offsetof(struct fix_tls, verify), .default_text = "true",
     .help = "Check the name."},
};
static const struct option_section fix_tls_section = {
    .name = "tls", .help = "TLS.", .size = sizeof(struct fix_tls), .options = fix_tls_options,
    .option_count = ARRAY_LEN(fix_tls_options)};

static const struct option fix_http_options[] = {
    {.name = "url", .type = OPT_URL, .offset = offsetof(struct fix_http, url), .required = true, .help = "Where."},
    {.name = "status", .type = OPT_INT_LIST, .offset = offsetof(struct fix_http, status), .min = 100, .max = 599,
     .default_text = "[200, 204]", .help = "Accepted."},
    {.name = "headers", .type = OPT_STRING_MAP, .offset = offsetof(struct fix_http, headers), .help = "Sent."},
    {.name = "tls", .type = OPT_SECTION_PTR, .offset = offsetof(struct fix_http, tls), .section = &fix_tls_section,
     .help = "TLS."},
};
static const struct option_section fix_http_section = {
    .name = "probes[].http", .help = "HTTP.", .size = sizeof(struct fix_http), .options = fix_http_options,
    .option_count = ARRAY_LEN(fix_http_options)};

static int fix_check_name(const char *text, struct error *err)
{
    return strchr(text, '!') ? error_set(err, ERR_CONFIG, "a name must not hold \"!\"") : 0;
}

static void fix_check_probe(const void *config, const struct node *node, struct diag *diag)
{
    const struct fix_probe *probe = config;
    if (probe->name[0] == 'Z') /* a crash here would mean that the check ran over a refused struct */
        (void)node_report(node, diag, DIAG_ERROR, "names must not begin with Z");
}

static const char *const fix_probe_kinds[] = {"http", "tcp", NULL};
static const struct option fix_probe_options[] = {
    {.name = "name", .type = OPT_STRING, .offset = offsetof(struct fix_probe, name), .required = true,
     .not_empty = true, .check = fix_check_name, .help = "Name."},
    {.name = "interval", .type = OPT_DURATION, .offset = offsetof(struct fix_probe, interval_ns),
     .min = 10 * NS_PER_MS, .max = 3600 * NS_PER_S, .unit = "duration", .help = "Time between | two."},
    {.name = "http", .type = OPT_SECTION_PTR, .offset = offsetof(struct fix_probe, http),
     .section = &fix_http_section, .help = "HTTP."},
    {.name = "tcp", .type = OPT_STRING, .offset = offsetof(struct fix_probe, tcp), .help = "TCP."},
};
static const struct option_section fix_probe_section = {
    .name = "probes[]", .help = "Probes.", .size = sizeof(struct fix_probe), .options = fix_probe_options,
    .option_count = ARRAY_LEN(fix_probe_options), .one_of = fix_probe_kinds, .one_of_required = true,
    .has_position = true, .position_offset = offsetof(struct fix_probe, position), .check = fix_check_probe};

static const struct option fix_region_options[] = {
    {.name = "*", .type = OPT_STRING_MAP, .offset = offsetof(struct fix_region, labels), .help = "Labels."},
};
static const struct option_section fix_region_section = {
    .name = "regions.<name>", .help = "A region.", .size = sizeof(struct fix_region), .options = fix_region_options,
    .option_count = ARRAY_LEN(fix_region_options)};

static const struct option fix_limits_options[] = {
    {.name = "memory", .type = OPT_SIZE, .offset = offsetof(struct fix_limits, memory), .default_text = "1GiB",
     .min = 1024, .unit = "bytes", .help = "Memory."},
    {.name = "count", .type = OPT_INT, .offset = offsetof(struct fix_limits, count), .default_text = "-3",
     .min = -5, .max = 5, .help = "Count."},
};
static const struct option_section fix_limits_section = {
    .name = "limits", .help = "Limits.", .size = sizeof(struct fix_limits), .options = fix_limits_options,
    .option_count = ARRAY_LEN(fix_limits_options)};

static int fix_parse_extra(const struct option *option, const struct node *node, struct arena *arena, void *member,
                           struct diag *diag)
{
    (void)option;
    (void)arena;
    if (node->kind != NODE_MAPPING) {
        (void)node_report(node, diag, DIAG_ERROR, "want a mapping");
        return ERR_CONFIG;
    }
    *(const struct node **)member = node;
    return 0;
}

static void fix_dump_extra(const struct option *option, const void *member, struct buf *out, unsigned indent)
{
    (void)option;
    const struct node *node = *(const struct node *const *)member;
    if (node && node->count)
        yaml_write_node(out, node, indent);
}

static const struct option_enum fix_modes[] = {{"hold", 1}, {"fire", 2}, {"resolve", 3}, {NULL, 0}};
static const struct option fix_options[] = {
    {.name = "name", .type = OPT_STRING, .offset = offsetof(struct fix_config, name), .default_text = "a name",
     .not_reloadable = true, .help = "Name."},
    {.name = "on", .type = OPT_BOOL, .offset = offsetof(struct fix_config, on), .help = "On."},
    {.name = "number", .type = OPT_INT, .offset = offsetof(struct fix_config, number), .help = "Number."},
    {.name = "objective", .type = OPT_DECIMAL, .offset = offsetof(struct fix_config, objective), .scale = 7,
     .min = 1, .max = 1000000000, .help = "Objective."},
    {.name = "wait", .type = OPT_DURATION, .offset = offsetof(struct fix_config, wait_ns), .default_text = "1m30s",
     .help = "Wait."},
    {.name = "size", .type = OPT_SIZE, .offset = offsetof(struct fix_config, size), .max = 1 << 30, .help = "Size."},
    {.name = "mode", .type = OPT_ENUM, .offset = offsetof(struct fix_config, mode), .default_text = "hold",
     .choices = fix_modes, .help = "Mode."},
    {.name = "listen", .type = OPT_ADDRESS, .offset = offsetof(struct fix_config, listen), .help = "Address."},
    {.name = "url", .type = OPT_URL, .offset = offsetof(struct fix_config, url), .help = "URL."},
    {.name = "journal", .type = OPT_PATH, .offset = offsetof(struct fix_config, journal), .help = "Path."},
    {.name = "secret_file", .type = OPT_SECRET_FILE, .offset = offsetof(struct fix_config, secret_file),
     .help = "Secret."},
    {.name = "dsn", .type = OPT_CONNINFO, .offset = offsetof(struct fix_config, dsn), .help = "Connection."},
    {.name = "include", .type = OPT_STRING_LIST, .offset = offsetof(struct fix_config, include),
     .default_text = "[a, 'b c']", .check = fix_check_name, .help = "Files."},
    {.name = "codes", .type = OPT_INT_LIST, .offset = offsetof(struct fix_config, codes), .not_empty = true,
     .min = -10, .max = 10, .help = "Codes."},
    {.name = "labels", .type = OPT_STRING_MAP, .offset = offsetof(struct fix_config, labels), .help = "Labels."},
    {.name = "limits", .type = OPT_SECTION, .offset = offsetof(struct fix_config, limits),
     .section = &fix_limits_section, .help = "Limits."},
    {.name = "probes", .type = OPT_SECTION_LIST, .offset = offsetof(struct fix_config, probes),
     .section = &fix_probe_section, .help = "Probes."},
    {.name = "regions", .type = OPT_SECTION_MAP, .offset = offsetof(struct fix_config, regions),
     .section = &fix_region_section, .help = "Regions."},
    {.name = "extra", .type = OPT_DYNAMIC, .offset = offsetof(struct fix_config, extra), .parse = fix_parse_extra,
     .dump = fix_dump_extra, .help = "Extra."},
};
static const struct option_section fix_section = {
    .name = "the file", .help = "All of it.", .size = sizeof(struct fix_config), .options = fix_options,
    .option_count = ARRAY_LEN(fix_options)};

#endif
