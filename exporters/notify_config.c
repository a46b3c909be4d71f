#include "exporters/notify_config.h"

#include "exporters/notifier.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#define WEBHOOK(member)      offsetof(struct notify_webhook, member)
#define ALERTMANAGER(member) offsetof(struct notify_alertmanager, member)

#define SECONDS NS_PER_S
#define HOURS   (3600 * NS_PER_S)
#define DAYS    (24 * HOURS)

/* --- tls */

static const struct option tls_options[] = {
    HTTP_TLS_OPTIONS_SAYING(
        0, "Certificates that are trusted instead of the system's.", "Our certificate, with key_file.",
        "Key of cert_file.", "Name the certificate must have, when it is not the URL's host.",
        "Accepts any certificate. Whoever stands between can read and change what is sent."),
};

static const struct option_section tls_section = {
    .name = "notify[].tls",
    .help = "How the receiver is verified and how we prove who we are.",
    .size = sizeof(struct http_tls_options),
    .options = tls_options,
    .option_count = ARRAY_LEN(tls_options),
};

/* Rows of what both kinds of receiver have; `of` is the struct. */
#define PEER_OPTIONS(of)                                                                                     \
    HTTP_CREDENTIAL_OPTIONS(offsetof(of, credentials), "File with the token of the Authorization header.",   \
                            "User of basic authentication."),                                                \
        {.name = "tls",                                                                                      \
         .type = OPT_SECTION,                                                                                \
         .offset = offsetof(of, tls),                                                                        \
         .section = &tls_section,                                                                            \
         .help = "TLS options."},                                                                            \
    {                                                                                                        \
        .name = "timeout", .type = OPT_DURATION, .offset = offsetof(of, timeout_ns), .default_text = "15s",  \
        .min = NS_PER_S / 10, .max = 300 * SECONDS, .unit = "duration", .help = "Limit of one attempt."      \
    }

static void check_peer(const struct http_credential_files *files, const struct http_tls_options *tls,
                       const struct node *node, struct diag *diag)
{
    http_credential_check(files, "basic_user and basic_password_file belong together", node, diag);
    http_tls_check(tls, "tls: cert_file and key_file belong together", node, diag);
}

/* --- webhook */

static const struct option_enum formats[] = {
    {"alertmanager-webhook-v4", NOTIFY_ALERTMANAGER_WEBHOOK_V4},
    {NULL, 0},
};

static const struct option webhook_options[] = {
    {.name = "url", .type = OPT_URL, .offset = WEBHOOK(url), .required = true, .help = "Where to POST."},
    {.name = "secret_file",
     .type = OPT_SECRET_FILE,
     .offset = WEBHOOK(secret_file),
     .help = "Secrets that sign each delivery after Standard Webhooks, one a line (whsec_ and base64, or any "
             "text); "
             "several while a secret is being changed. Deliveries are not signed when left out."},
    {.name = "format",
     .type = OPT_ENUM,
     .offset = WEBHOOK(format),
     .choices = formats,
     .default_text = "alertmanager-webhook-v4",
     .help = "Form of the body."},
    {.name = "headers",
     .type = OPT_STRING_MAP,
     .offset = WEBHOOK(headers),
     .help =
         "Further request headers. They are shown by /config: credentials belong into bearer_token_file."},
    PEER_OPTIONS(struct notify_webhook),
    {.name = "max_age",
     .type = OPT_DURATION,
     .offset = WEBHOOK(max_age_ns),
     .default_text = "7d",
     .min = SECONDS,
     .max = 365 * DAYS,
     .unit = "duration",
     .help = "A delivery that was refused for this long is given up and logged as dead."},
    {.name = "max_in_flight",
     .type = OPT_INT,
     .offset = WEBHOOK(max_in_flight),
     .default_text = "4",
     .min = 1,
     .max = 64,
     .help = "Deliveries under way at once. Those of one incident always follow each other."},
};

static const char *const own_headers[] = {
    "webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length",
    "host",       "authorization",     "user-agent",        "connection",   "transfer-encoding"};

static void complain(const struct node *node, struct diag *diag, const char *message)
{
    (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "%s", message);
}

static bool header_safe(const char *name, const char *value)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name[0] && strspn(name, token) == strlen(name) && strcspn(value, "\r\n") == strlen(value);
}

static void check_headers(const struct string_map *headers, const struct node *node, struct diag *diag)
{
    for (size_t i = 0; i < headers->count; i++) {
        const struct string_pair *pair = &headers->items[i];
        if (!header_safe(pair->key, pair->value ? pair->value : ""))
            (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                           "headers: \"%s\" is not a header that can be sent", pair->key);
        for (size_t j = 0; j < ARRAY_LEN(own_headers); j++) {
            if (strcasecmp(pair->key, own_headers[j]) == 0)
                (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                               "headers: \"%s\" is set by the collector itself", pair->key);
        }
    }
}

/* The HTTP client refuses such a URL at every attempt: better now than when there is an incident. */
static void check_url(const char *url, const struct node *node, struct diag *diag)
{
    const char *authority = strstr(url, "://");
    if (authority && memchr(authority + 3, '@', strcspn(authority + 3, "/?#")))
        complain(node, diag, "the url holds credentials; use basic_user and basic_password_file");
}

static void check_webhook(const void *config, const struct node *node, struct diag *diag)
{
    const struct notify_webhook *webhook = config;
    check_peer(&webhook->credentials, &webhook->tls, node, diag);
    if (webhook->url)
        check_url(webhook->url, node, diag);
    check_headers(&webhook->headers, node, diag);
}

static const struct option_section webhook_section = {
    .name = "notify[].webhook",
    .help = "Signed HTTP POST of every incident that begins, becomes unknown or is resolved, at least once, "
            "with the "
            "same webhook-id on every repeat.",
    .size = sizeof(struct notify_webhook),
    .options = webhook_options,
    .option_count = ARRAY_LEN(webhook_options),
    .check = check_webhook,
};

/* --- alertmanager */

static const struct option alertmanager_options[] = {
    {.name = "urls",
     .type = OPT_STRING_LIST,
     .offset = ALERTMANAGER(urls),
     .required = true,
     .help = "Base URLs of every member of the cluster, not of a load balancer before them. Each gets every "
             "alert."},
    PEER_OPTIONS(struct notify_alertmanager),
    {.name = "max_age",
     .type = OPT_DURATION,
     .offset = ALERTMANAGER(max_age_ns),
     .default_text = "7d",
     .min = SECONDS,
     .max = 365 * DAYS,
     .unit = "duration",
     .help = "A delivery that no member accepted for this long is given up and logged as dead."},
    {.name = "repeat",
     .type = OPT_DURATION,
     .offset = ALERTMANAGER(repeat_ns),
     .default_text = "1m",
     .min = SECONDS,
     .max = HOURS,
     .unit = "duration",
     .help = "A firing alert is sent again this often; its endsAt lies four times this ahead."},
};

static void check_alertmanager(const void *config, const struct node *node, struct diag *diag)
{
    const struct notify_alertmanager *alertmanager = config;
    check_peer(&alertmanager->credentials, &alertmanager->tls, node, diag);
    const struct node_pair *urls = node_find(node, "urls");
    if (urls && alertmanager->urls.count == 0)
        complain(urls->value, diag, "urls: at least one is needed");
    for (size_t i = 0; i < alertmanager->urls.count; i++) {
        struct str url = str_from(alertmanager->urls.items[i]);
        if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
            (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                           "urls: \"%s\" must begin with http:// or https://", url.ptr);
        else if (strpbrk(url.ptr, "?#"))
            (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                           "urls: \"%s\" must be a base URL without ? and #", url.ptr);
        check_url(url.ptr, node, diag);
    }
}

static const struct option_section alertmanager_section = {
    .name = "notify[].alertmanager",
    .help = "Alerts by the API of Alertmanager (POST /api/v2/alerts), repeated while they fire.",
    .size = sizeof(struct notify_alertmanager),
    .options = alertmanager_options,
    .option_count = ARRAY_LEN(alertmanager_options),
    .check = check_alertmanager,
};

/* --- notify[] */

static const struct option options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = offsetof(struct notify_config, name),
     .required = true,
     .help = "Name that triggers refer to, and the label receiver."},
    {.name = "webhook",
     .type = OPT_SECTION_PTR,
     .offset = offsetof(struct notify_config, webhook),
     .section = &webhook_section,
     .help = "A webhook. Exactly one of webhook and alertmanager is given."},
    {.name = "alertmanager",
     .type = OPT_SECTION_PTR,
     .offset = offsetof(struct notify_config, alertmanager),
     .section = &alertmanager_section,
     .help = "A cluster of Alertmanagers."},
};

static void check_receiver(const void *config, const struct node *node, struct diag *diag)
{
    const struct notify_config *notify = config;
    if (notify->name && !notify->name[0])
        complain(node, diag, "name must not be empty");
    /* A section that is there but broken has been reported already. */
    bool webhook = notify->webhook || node_find(node, "webhook");
    bool alertmanager = notify->alertmanager || node_find(node, "alertmanager");
    if (webhook == alertmanager)
        complain(node, diag,
                 webhook ? "a receiver is either a webhook or an alertmanager, not both"
                         : "a receiver needs a webhook or an alertmanager");
}

const struct option_section notify_section = {
    .name = "notify[]",
    .help = "Receivers of notifications. A delivery is stored before it is sent and repeated until it is "
            "accepted.",
    .size = sizeof(struct notify_config),
    .options = options,
    .option_count = ARRAY_LEN(options),
    .has_position = true,
    .position_offset = offsetof(struct notify_config, position),
    .check = check_receiver,
};

static void check_secret(const struct notify_config *config, const char *key, const char *path,
                         struct diag *diag)
{
    if (!path || access(path, R_OK) == 0)
        return;
    char text[128];
    (void)diag_add(diag, DIAG_WARNING, config->position.file, config->position.line, config->position.column,
                   "receiver \"%s\": %s %s cannot be read: %s; the collector does not start without it",
                   config->name, key, path, error_errno_text(errno, text, sizeof text));
}

static void check_credentials(const struct notify_config *config, const struct http_credential_files *files,
                              struct diag *diag)
{
    check_secret(config, "bearer_token_file", files->bearer_token_file, diag);
    check_secret(config, "basic_password_file", files->basic_password_file, diag);
}

void notify_config_check(const struct notify_config *config, struct diag *diag)
{
    if (config->webhook) {
        check_secret(config, "secret_file", config->webhook->secret_file, diag);
        check_credentials(config, &config->webhook->credentials, diag);
    } else if (config->alertmanager) {
        check_credentials(config, &config->alertmanager->credentials, diag);
    }
}

const struct option_position *notify_config_position(const struct notify_config *config)
{
    return &config->position;
}

const char *notify_config_name(const struct notify_config *config)
{
    return config->name;
}

size_t notify_config_size(void)
{
    return sizeof(struct notify_config);
}
