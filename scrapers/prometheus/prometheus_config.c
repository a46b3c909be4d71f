#include "scrapers/prometheus/prometheus_config.h"

#include "lib/core/limits.h"
#include "lib/metrics/selector.h"
#include "scrapers/prometheus/relabel.h"
#include "scrapers/url.h"

#define TARGET(member) offsetof(struct prometheus_config, member)

static const struct option tls_options[] = {HTTP_TLS_OPTIONS(0)};

static const struct option_section tls_section = {
    .name = "scrapers.prometheus[].tls",
    .help = "TLS towards the target.",
    .size = sizeof(struct http_tls_options),
    .options = tls_options,
    .option_count = ARRAY_LEN(tls_options),
};

static const struct option_enum formats[] = {
    {"auto", PROMETHEUS_FORMAT_AUTO},
    {"text", PROMETHEUS_FORMAT_TEXT},
    {"openmetrics", PROMETHEUS_FORMAT_OPENMETRICS},
    {"protobuf", PROMETHEUS_FORMAT_PROTOBUF},
    {0},
};

static int check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int rc = selector_parse(text, &selector, err);
    selector_free(selector);
    return rc;
}

static const struct option_enum preferences[] = {
    {"openmetrics", PROMETHEUS_FORMAT_OPENMETRICS},
    {"text", PROMETHEUS_FORMAT_TEXT},
    {"protobuf", PROMETHEUS_FORMAT_PROTOBUF},
    {0},
};

#define LIMIT_OPTION(member, most, text)                                                                     \
    {                                                                                                        \
        .name = #member, .type = OPT_INT, .offset = TARGET(member), .default_text = "0", .min = 0,           \
        .max = (most), .help = (text)                                                                        \
    }

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct prometheus_config),
    {.name = "url",
     .type = OPT_URL,
     .offset = TARGET(url),
     .required = true,
     .help = "Address of the metrics page."},
    HTTP_CREDENTIAL_OPTIONS(TARGET(credentials),
                            "File with the bearer token; read again every 30 s and after a 401.",
                            "User name for basic authentication."),
    {.name = "headers",
     .type = OPT_STRING_MAP,
     .offset = TARGET(headers),
     .help = "Further request headers. Secrets belong into bearer_token_file."},
    {.name = "tls",
     .type = OPT_SECTION,
     .offset = TARGET(tls),
     .section = &tls_section,
     .help = "TLS towards the target."},
    {.name = "keep",
     .type = OPT_STRING_LIST,
     .offset = TARGET(keep),
     .check = check_selector,
     .help = "Selectors in PromQL's syntax; when given, only series that match one are kept."},
    {.name = "drop",
     .type = OPT_STRING_LIST,
     .offset = TARGET(drop),
     .check = check_selector,
     .help = "Selectors of series to leave out; they go before keep."},
    {.name = "relabel",
     .type = OPT_SECTION_LIST,
     .offset = TARGET(relabel),
     .section = &relabel_section,
     .help = "Rules on labels, one after the other."},
    {.name = "limit",
     .type = OPT_INT,
     .offset = TARGET(limit),
     .default_text = "0",
     .min = 0,
     .max = 10000000,
     .help = "Lines taken of a page, after drop, keep and relabel; further ones are left out and counted. 0: "
             "as many as "
             "max_series."},
    LIMIT_OPTION(label_limit, LIMIT_LABELS_PER_SERIES,
                 "Labels of a line; lines with more are left out. 0: 64."),
    LIMIT_OPTION(label_name_length_limit, LIMIT_LABEL_NAME_BYTES,
                 "Bytes of a label's name; lines with a longer one are left out. 0: 256."),
    LIMIT_OPTION(label_value_length_limit, LIMIT_LABEL_VALUE_BYTES,
                 "Bytes of a label's value; lines with a longer one are left out. 0: 4096."),
    {.name = "honor_timestamps",
     .type = OPT_BOOL,
     .offset = TARGET(honor_timestamps),
     .default_text = "true",
     .help = "Leave out samples whose own timestamp is older than max_sample_age, lies more than 10 minutes "
             "ahead, or "
             "before one that was shown of the same series. Without it timestamps are ignored."},
    {.name = "max_sample_age",
     .type = OPT_DURATION,
     .offset = TARGET(max_sample_age_ns),
     .default_text = "5m",
     .min = NS_PER_S,
     .max = INT64_C(3650) * 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Greatest age of a sample that carries a timestamp."},
    {.name = "max_body",
     .type = OPT_SIZE,
     .offset = TARGET(max_body_bytes),
     .default_text = "64MiB",
     .min = 1024,
     .max = 1L << 32,
     .unit = "bytes",
     .help = "Greatest page, after decompression."},
    {.name = "redirects",
     .type = OPT_INT,
     .offset = TARGET(max_redirects),
     .default_text = "0",
     .min = 0,
     .max = 20,
     .help = "Redirects to follow."},
    {.name = "format",
     .type = OPT_ENUM,
     .offset = TARGET(format),
     .default_text = "auto",
     .choices = formats,
     .help = "How a page is read whose Content-Type names no exposition format; auto reads one without a "
             "Content-Type as text and refuses any other."},
    {.name = "prefer",
     .type = OPT_ENUM,
     .offset = TARGET(prefer),
     .default_text = "openmetrics",
     .choices = preferences,
     .help =
         "Format to ask for first; all three are read. Only protobuf carries native histograms, which become "
         "classic ones."},
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct prometheus_config *config = config_pointer;
    if (config->url && url_has_credentials(config->url))
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                 "the url holds credentials; use basic_user and basic_password_file");
    http_credential_check(&config->credentials, "basic_user and basic_password_file go together", node, diag);
    scraper_target_check(&config->target, node, diag);
    if (config->relabel.count > RELABEL_MAX_RULES)
        (void)node_report(node, diag, DIAG_ERROR, "relabel takes at most %u rules", RELABEL_MAX_RULES);
    http_tls_check(&config->tls, "cert_file and key_file go together", node, diag);
}

const struct option_section prometheus_section = {
    .name = "scrapers.prometheus[]",
    .help = "A page of metrics in Prometheus' text format, OpenMetrics or Prometheus' protobuf.",
    .size = sizeof(struct prometheus_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct prometheus_config, target.position),
    .check = check_target,
};
