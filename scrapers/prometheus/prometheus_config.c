#include "scrapers/prometheus/prometheus_config.h"

#include "lib/core/limits.h"
#include "lib/metrics/selector.h"
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
    {0},
};

static int check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int rc = selector_parse(text, &selector, err);
    selector_free(selector);
    return rc;
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
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct prometheus_config *config = config_pointer;
    const struct scraper_target *target = &config->target;
    if (config->url && url_has_credentials(config->url))
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                 "the url holds credentials; use basic_user and basic_password_file");
    http_credential_check(&config->credentials, "basic_user and basic_password_file go together", node, diag);
    if (target->interval_ns > 0 && target->timeout_ns > target->interval_ns)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "timeout is above interval");
    http_tls_check(&config->tls, "cert_file and key_file go together", node, diag);
}

const struct option_section prometheus_section = {
    .name = "scrapers.prometheus[]",
    .help = "A page of metrics in Prometheus' text format or OpenMetrics.",
    .size = sizeof(struct prometheus_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct prometheus_config, target.position),
    .check = check_target,
};
