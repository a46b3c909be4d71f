#include "scrapers/kubernetes/kubernetes_config.h"

#include "lib/metrics/selector.h"
#include "scrapers/kubernetes/kube_access.h"
#include "scrapers/url.h"

#define TARGET(member) offsetof(struct kubernetes_config, member)
/* As DNS labels are (RFC 1123). */
#define NAMESPACE_MAX 63

const char *const kubernetes_cadvisor_keep[] = {
    "{__name__=~\"container_(cpu_(usage_seconds|cfs_periods|cfs_throttled_periods|cfs_throttled_seconds)_"
    "total|"
    "memory_(working_set_bytes|rss|usage_bytes|cache|failures_total)|oom_events_total|start_time_seconds|"
    "network_(receive|transmit)_(bytes|errors|packets_dropped)_total|fs_(reads|writes)_(bytes_)?total|"
    "pressure_.*_total)\"}",
    "{__name__=~\"machine_(cpu_cores|memory_bytes)\"}",
    NULL,
};

static const struct option_enum resources[] = {
    {"nodes", 0},
    {"pods", 1},
    {"deployments", 2},
    {"statefulsets", 3},
    {"daemonsets", 4},
    {"jobs", 5},
    {"persistentvolumeclaims", 6},
    {"horizontalpodautoscalers", 7},
    {"poddisruptionbudgets", 8},
    {"endpointslices", 9},
    {0},
};

static int check_namespace(const char *text, struct error *err)
{
    size_t len = strlen(text);
    bool good = len > 0 && len <= NAMESPACE_MAX && text[0] != '-' && text[len - 1] != '-' &&
                strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
    return good ? 0 : error_set(err, ERR_CONFIG, "\"%.70s\" is no name of a namespace", text);
}

static int check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int rc = selector_parse(text, &selector, err);
    selector_free(selector);
    return rc;
}

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct kubernetes_config),
    {.name = "kubeconfig",
     .type = OPT_SECRET_FILE,
     .offset = TARGET(kubeconfig),
     .help = "File that says how to reach the cluster, read again each minute and after a 401. Default: the "
             "service "
             "account of the pod that the collector runs in."},
    {.name = "context",
     .type = OPT_STRING,
     .offset = TARGET(context),
     .help = "Context of the kubeconfig; default: its current one."},
    {.name = "endpoint",
     .type = OPT_URL,
     .offset = TARGET(endpoint),
     .help =
         "Address of the API server instead of the one that the kubeconfig or the pod's environment names."},
    {.name = "service_account",
     .type = OPT_PATH,
     .offset = TARGET(service_account),
     .default_text = KUBE_SERVICE_ACCOUNT,
     .help = "Folder with the pod's token and ca.crt, used without a kubeconfig."},
    {.name = "namespaces",
     .type = OPT_STRING_LIST,
     .offset = TARGET(namespaces),
     .check = check_namespace,
     .help =
         "Namespaces to read; default: all of them, which wants a ClusterRole. Nodes are read either way."},
    {.name = "resources",
     .type = OPT_STRING_LIST,
     .offset = TARGET(resources),
     .choices = resources,
     .help = "Kinds of objects to read; default: all of these."},
    {.name = "page_size",
     .type = OPT_INT,
     .offset = TARGET(page_size),
     .default_text = "500",
     .min = 1,
     .max = 5000,
     .help = "Objects asked for at once; halved while a page is larger than max_body."},
    {.name = "max_body",
     .type = OPT_SIZE,
     .offset = TARGET(max_body_bytes),
     .default_text = "32MiB",
     .min = 64 * 1024,
     .max = 1L << 30,
     .unit = "bytes",
     .help = "Greatest page of a list or of cadvisor, after decompression."},
    {.name = "usage",
     .type = OPT_BOOL,
     .offset = TARGET(usage),
     .default_text = "true",
     .help = "Read CPU and memory from metrics.k8s.io (the metrics server)."},
    {.name = "cadvisor",
     .type = OPT_BOOL,
     .offset = TARGET(cadvisor),
     .default_text = "false",
     .help = "Read the cadvisor page of each node through the API server's node proxy. It wants `get` on "
             "`nodes/proxy`, which lets its holder run commands in every container of the cluster."},
    {.name = "cadvisor_keep",
     .type = OPT_STRING_LIST,
     .offset = TARGET(cadvisor_keep),
     .check = check_selector,
     .help = "Selectors of the cadvisor series to keep, in PromQL's syntax; default: CPU, memory, network, "
             "file system, "
             "pressure and out-of-memory kills of containers, and size of the machine."},
    {.name = "max_sample_age",
     .type = OPT_DURATION,
     .offset = TARGET(max_sample_age_ns),
     .default_text = "5m",
     .min = NS_PER_S,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "A sample of cadvisor whose own timestamp is older is not published."},
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct kubernetes_config *config = config_pointer;
    if (config->context && !config->kubeconfig)
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "context goes with kubeconfig");
    if (config->endpoint && url_has_credentials(config->endpoint))
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column, "the endpoint holds credentials");
    scraper_target_check(&config->target, node, diag);
}

const struct option_section kubernetes_section = {
    .name = "scrapers.kubernetes[]",
    .help = "A Kubernetes cluster: objects with kube-state-metrics' names, usage, and cadvisor.",
    .size = sizeof(struct kubernetes_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct kubernetes_config, target.position),
    .check = check_target,
};
