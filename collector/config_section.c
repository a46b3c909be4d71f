/* The option table of the whole file. The sections of scrapers come from their registry. */
#include "collector/config_internal.h"

#include "exporters/notifier.h"
#include "lib/core/limits.h"
#include "lib/core/log.h"
#include "scrapers/probe/probe.h"
#include "sla/sla_config.h"
#include "tracing/tracing.h"

#include <assert.h>
#include <pthread.h>

static const struct option_enum log_levels[] = {
    {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}, {NULL, 0}};
static const struct option_enum log_formats[] = {{"logfmt", LOG_LOGFMT}, {"json", LOG_JSON}, {NULL, 0}};
static const struct option_enum name_sets[] = {{"new", 0}, {"both", 1}, {NULL, 0}};

static const struct option log_options[] = {
    {.name = "level",
     .type = OPT_ENUM,
     .offset = offsetof(struct config_log, level),
     .default_text = "info",
     .choices = log_levels,
     .help = "Least severe lines that are written."},
    {.name = "format",
     .type = OPT_ENUM,
     .offset = offsetof(struct config_log, format),
     .default_text = "logfmt",
     .choices = log_formats,
     .help = "Form of a line."},
};
static const struct option_section log_section = {.name = "collector.log",
                                                  .help = "Logging to standard error.",
                                                  .size = sizeof(struct config_log),
                                                  .options = log_options,
                                                  .option_count = ARRAY_LEN(log_options)};

static const struct option limits_options[] = {
    {.name = "memory",
     .type = OPT_SIZE,
     .offset = offsetof(struct config_limits, memory_bytes),
     .default_text = "1GiB",
     .min = 32 << 20,
     .max = INT64_C(1) << 40,
     .unit = "bytes",
     .help = "Memory of the process. Near it new data are refused (OTLP answers 503, new series are dropped) "
             "instead of growing."},
    {.name = "series",
     .type = OPT_INT,
     .offset = offsetof(struct config_limits, series),
     .default_text = "100000",
     .min = 100,
     .max = 100000000,
     .help = "Series kept in all."},
    {.name = "series_per_target",
     .type = OPT_INT,
     .offset = offsetof(struct config_limits, series_per_target),
     .default_text = "10000",
     .min = 10,
     .max = 10000000,
     .help = "Series kept of one target."},
    {.name = "otlp_series",
     .type = OPT_INT,
     .offset = offsetof(struct config_limits, otlp_series),
     .default_text = "50000",
     .min = 100,
     .max = 10000000,
     .help =
         "Lines of span metrics (a label set takes about 20); spans of further label sets are counted in an "
         "overflow series of their service."},
    {.name = "body",
     .type = OPT_SIZE,
     .offset = offsetof(struct config_limits, body_bytes),
     .default_text = "64MiB",
     .min = 1024,
     .max = INT64_C(1) << 32,
     .unit = "bytes",
     .help = "Largest request or response body, also after decompression."},
    {.name = "connections",
     .type = OPT_INT,
     .offset = offsetof(struct config_limits, connections),
     .default_text = "1000",
     .min = 4,
     .max = 100000,
     .not_reloadable = true,
     .help = "Connections of each listener."},
    {.name = "request_timeout",
     .type = OPT_DURATION,
     .offset = offsetof(struct config_limits, request_timeout_ns),
     .default_text = "30s",
     .min = NS_PER_S,
     .max = 600 * NS_PER_S,
     .unit = "duration",
     .not_reloadable = true,
     .help = "Time in which a request must have arrived whole."},
};
static const struct option_section limits_section = {.name = "collector.limits",
                                                     .help = "Upper bounds; each is also a metric.",
                                                     .size = sizeof(struct config_limits),
                                                     .options = limits_options,
                                                     .option_count = ARRAY_LEN(limits_options)};

static const struct option collector_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = offsetof(struct config_collector, name),
     .default_text = "collector",
     .not_reloadable = true,
     .help = "Who observes: the label `observer`. Keep it the same over restarts."},
    {.name = "region",
     .type = OPT_STRING,
     .offset = offsetof(struct config_collector, region),
     .default_text = "local",
     .not_reloadable = true,
     .help = "Where this collector runs; the region of targets that name none."},
    {.name = "listen",
     .type = OPT_ADDRESS,
     .offset = offsetof(struct config_collector, listen),
     .default_text = "127.0.0.1:9480",
     .not_reloadable = true,
     .help = "Address of /metrics, the API and the status page."},
    {.name = "journal",
     .type = OPT_PATH,
     .offset = offsetof(struct config_collector, journal),
     .default_text = "/var/lib/fraiseql-collector/journal.db",
     .not_reloadable = true,
     .help = "File that keeps budgets, incidents and undelivered notifications over restarts."},
    {.name = "external_url",
     .type = OPT_URL,
     .offset = offsetof(struct config_collector, external_url),
     .help = "Where people reach this collector; put into notifications. Default: http://<listen>."},
    {.name = "token_file",
     .type = OPT_SECRET_FILE,
     .offset = offsetof(struct config_collector, token_file),
     .help = "Bearer token of the endpoints that write (/-/reload, OTLP, /api/v1/traffic). Needed where they "
             "listen off loopback, but for /api/v1/traffic, which always needs a signature."},
    {.name = "log",
     .type = OPT_SECTION,
     .offset = offsetof(struct config_collector, log),
     .section = &log_section,
     .help = "Logging."},
    {.name = "limits",
     .type = OPT_SECTION,
     .offset = offsetof(struct config_collector, limits),
     .section = &limits_section,
     .help = "Upper bounds."},
    {.name = "postgres_names",
     .type = OPT_ENUM,
     .offset = offsetof(struct config_collector, postgres_names),
     .default_text = "new",
     .choices = name_sets,
     .not_reloadable = true,
     .help = "postgres_exporter's names: those of 0.20 and later, or also those of earlier releases."},
    {.name = "http_threads",
     .type = OPT_INT,
     .offset = offsetof(struct config_collector, http_threads),
     .default_text = "2",
     .min = 1,
     .max = 64,
     .not_reloadable = true,
     .help = "Threads that answer on `listen`."},
    {.name = "otlp_threads",
     .type = OPT_INT,
     .offset = offsetof(struct config_collector, otlp_threads),
     .default_text = "2",
     .min = 1,
     .max = 64,
     .not_reloadable = true,
     .help = "Threads that take OTLP/HTTP."},
};
static const struct option_section collector_section = {.name = "collector",
                                                        .help = "The collector itself.",
                                                        .size = sizeof(struct config_collector),
                                                        .options = collector_options,
                                                        .option_count = ARRAY_LEN(collector_options)};

static const struct option defaults_options[] = {
    {.name = "interval",
     .type = OPT_DURATION,
     .offset = offsetof(struct config_defaults, interval_ns),
     .default_text = "15s",
     .min = 100 * NS_PER_MS,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time between scrapes or probes that give none."},
    {.name = "timeout",
     .type = OPT_DURATION,
     .offset = offsetof(struct config_defaults, timeout_ns),
     .default_text = "10s",
     .min = 10 * NS_PER_MS,
     .max = 3600 * NS_PER_S,
     .unit = "duration",
     .help = "Deadline of scrapes and probes that give none; never above their interval."},
};
static const struct option_section defaults_section = {.name = "defaults",
                                                       .help = "What targets and probes inherit.",
                                                       .size = sizeof(struct config_defaults),
                                                       .options = defaults_options,
                                                       .option_count = ARRAY_LEN(defaults_options)};

static struct option scraper_options[CONFIG_MAX_SCRAPER_KINDS];
static struct option_section scrapers_section = {.name = "scrapers",
                                                 .help = "What is pulled, by kind.",
                                                 .size =
                                                     sizeof(struct section_list) * CONFIG_MAX_SCRAPER_KINDS,
                                                 .options = scraper_options};

/* Rows that an included file may have too come last, from INCLUDABLE on. */
static const struct option file_options[] = {
    {.name = "include",
     .type = OPT_STRING_LIST,
     .offset = offsetof(struct config_file, include),
     .help = "Further files by pattern, relative to this one. A broken file is refused alone."},
    {.name = "collector",
     .type = OPT_SECTION,
     .offset = offsetof(struct config_file, collector),
     .section = &collector_section,
     .help = "The collector itself."},
    {.name = "defaults",
     .type = OPT_SECTION,
     .offset = offsetof(struct config_file, defaults),
     .section = &defaults_section,
     .help = "What targets and probes inherit."},
    {.name = "otlp",
     .type = OPT_SECTION_PTR,
     .offset = offsetof(struct config_file, otlp),
     .section = &tracing_section,
     .help = "OTLP listeners; one that is left out is not opened."},
    {.name = "traffic",
     .type = OPT_SECTION_PTR,
     .offset = offsetof(struct config_file, traffic),
     .section = &traffic_section,
     .help = "Servers of HAProxy that go out of service while an incident is open."},
    {.name = "failover",
     .type = OPT_DYNAMIC,
     .offset = offsetof(struct config_file, failover),
     .parse = config_refuse_failover,
     .help = "Reserved; refused until automatic failover is part of this program."},
    {.name = "version",
     .type = OPT_INT,
     .offset = offsetof(struct config_file, version),
     .default_text = "1",
     .min = 1,
     .max = 1,
     .help = "Version of this file's form."},
    {.name = "regions",
     .type = OPT_DYNAMIC,
     .offset = offsetof(struct config_file, regions),
     .parse = config_parse_regions,
     .dump = config_dump_regions,
     .help = "Regions by name, each a mapping of labels (provider, location, ...) for fraiseql_region_info."},
    {.name = "scrapers",
     .type = OPT_SECTION,
     .offset = offsetof(struct config_file, scrapers),
     .section = &scrapers_section,
     .help = "What is pulled."},
    {.name = "probes",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct config_file, probes),
     .section = &probe_section,
     .help = "Active checks."},
    {.name = "slos",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct config_file, slos),
     .section = &sla_slo_section,
     .help = "Service level objectives."},
    {.name = "triggers",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct config_file, triggers),
     .section = &sla_trigger_section,
     .help = "When an incident begins and ends."},
    {.name = "notify",
     .type = OPT_SECTION_LIST,
     .offset = offsetof(struct config_file, notify),
     .section = &notify_section,
     .help = "Who is told."},
};
#define INCLUDABLE 6

static const struct option_section main_section = {.name = "collector.yaml",
                                                   .help = "Configuration of fraiseql-collector.",
                                                   .size = sizeof(struct config_file),
                                                   .options = file_options,
                                                   .option_count = ARRAY_LEN(file_options)};
static const struct option_section include_section = {.name = "an included file",
                                                      .help = "A part of the configuration.",
                                                      .size = sizeof(struct config_file),
                                                      .options = file_options + INCLUDABLE,
                                                      .option_count = ARRAY_LEN(file_options) - INCLUDABLE};

static void build_scrapers(void)
{
    size_t count = 0;
    for (; scraper_kinds[count]; count++) {
        assert(count < CONFIG_MAX_SCRAPER_KINDS);
        scraper_options[count] = (struct option){.name = scraper_kinds[count]->name,
                                                 .type = OPT_SECTION_LIST,
                                                 .offset = count * sizeof(struct section_list),
                                                 .section = scraper_kinds[count]->section,
                                                 .help = scraper_kinds[count]->section->help};
    }
    scrapers_section.option_count = count;
}

static pthread_once_t built = PTHREAD_ONCE_INIT;

const struct option_section *config_section(void)
{
    (void)pthread_once(&built, build_scrapers);
    return &main_section;
}

const struct option_section *config_include_section(void)
{
    (void)pthread_once(&built, build_scrapers);
    return &include_section;
}
