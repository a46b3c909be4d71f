/* fraiseql-example-service: stands in for FraiseQL's server where that is not installed. */
#include "examples/service/http.h"

#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "lib/core/log.h"
#include "version.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static const char help[] =
    "fraiseql-example-service: a deliberately small GraphQL service over PostgreSQL. It stands in for "
    "FraiseQL's\n"
    "server (fraiseql-server) in demos and tests on machines that do not have it; it is not FraiseQL.\n"
    "\n"
    "usage: fraiseql-example-service [--help | --version]\n"
    "\n"
    "It is configured by its environment: DATABASE_URL (required), DATABASE_READ_URL, FRAISEQL_BIND_ADDR,\n"
    "FRAISEQL_METRICS_ENABLED, FRAISEQL_METRICS_TOKEN, FRAISEQL_SHUTDOWN_TIMEOUT_SECS, "
    "FRAISEQL_POOL_MAX_SIZE,\n"
    "FRAISEQL_LOG_FORMAT, RUST_LOG, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, "
    "OTEL_SERVICE_NAME.\n"
    "examples/service/README.md says what each is. It answers /graphql, /health, /readiness and /metrics; "
    "SIGTERM\n"
    "lets requests under way end.\n"
    "\n"
    "Exit codes: 0, 1 failure, 64 usage, 65 environment.\n";

static bool print_text(const char *text)
{
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
}

/* Taken by this thread alone: every other one inherits a mask that blocks them. */
static void block_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* Until a signal says to stop; makes the table as soon as there is a primary to make it in. */
static void serve(struct store *store, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    bool prepared = false;
    for (;;) {
        struct error err = {0};
        if (!prepared) {
            prepared = store_prepare(store, &err) == 0;
            if (prepared)
                LOG_EVENT(LOG_INFO, "service.prepared", LF_TEXT("table", "orders"));
            else
                LOG_EVENT(LOG_WARN, "service.waiting", LF_ERROR(&err));
        }
        int taken = prepared ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &second);
        if (taken > 0) {
            LOG_EVENT(LOG_INFO, "service.stopping", LF_I64("signal", taken));
            return;
        }
    }
}

static int run(const struct settings *settings)
{
    const struct store_options store_options = {.write_url = settings->write_url,
                                                .read_url = settings->read_url,
                                                .region = settings->region,
                                                .pool_max = settings->pool_max};
    static struct stats stats;
    struct store *store CLEANUP(store_free_cleanup) = store_new(&store_options);
    struct span_sender *spans = NULL;
    struct http *http = NULL;
    struct error err = {0};
    sigset_t signals;
    block_signals(&signals);
    int code = span_sender_new(settings, &stats, &spans, &err);
    const struct http_options options = {
        .settings = settings, .store = store, .stats = &stats, .spans = spans};
    code = code ? code : http_start(&options, &http, &err);
    if (code) {
        LOG_EVENT(LOG_ERROR, "service.failed", LF_ERROR(&err));
        span_sender_free(spans);
        return code == ERR_CONFIG ? EX_DATAERR : EXIT_FAILURE;
    }
    LOG_EVENT(LOG_INFO, "service.started", LF_TEXT("address", settings->address),
              LF_I64("port", http_port(http)), LF_TEXT("region", settings->region),
              LF_TEXT("note", "the example service, which stands in for FraiseQL's server"));
    serve(store, &signals);
    http_stop(http, settings->shutdown_timeout_ns);
    span_sender_free(spans);
    LOG_EVENT(LOG_INFO, "service.stopped", LF_I64("port", settings->port));
    return EX_OK;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return print_text(help) ? EX_OK : EXIT_FAILURE;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return print_text("fraiseql-example-service " FRAISEQL_VERSION "\n") ? EX_OK : EXIT_FAILURE;
    if (argc > 1) {
        (void)fprintf(stderr, "fraiseql-example-service: unknown word \"%s\"; see --help\n", argv[1]);
        return EX_USAGE;
    }
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct settings settings;
    struct error err = {0};
    if (settings_load(env_get, arena, &settings, &err)) {
        (void)fprintf(stderr, "fraiseql-example-service: %s\n", err.message);
        return EX_DATAERR;
    }
    log_configure(settings.log_level, settings.log_format);
    return run(&settings);
}
