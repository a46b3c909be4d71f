/* CPU of the control loop for 50 HTTP probes every 250 ms, each on a new connection to a server in this
 * process (its threads are not counted). Usage: bench_probe [SECONDS] */
#include "lib/core/clock.h"
#include "scrapers/probe/probe_config.h"
#include "tests/support/test_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PROBES 50

struct bench {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *http;
    struct hub *hub;
    struct probe_set *set;
    struct probe_config configs[PROBES];
    const struct probe_config *pointers[PROBES];
    struct probe_http_config http_config;
    uint64_t outcomes[3];
    double started_s;
};

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    return test_server_answer(exchange->fd, "200 OK", "", STR("ready"));
}

static void on_event(void *ctx, const struct sli_probe_event *event)
{
    struct bench *bench = ctx;
    bench->outcomes[event->outcome]++;
}

static double thread_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const struct error *err)
{
    (void)fprintf(stderr, "bench_probe: %s\n", err->message);
    exit(EXIT_FAILURE);
}

static void start(void *arg)
{
    struct bench *bench = arg;
    struct error err = {0};
    const struct http_client_options options = {.user_agent = "bench"};
    if (http_client_new(bench->loop, bench->resolver, &options, &bench->http, &err) != 0)
        die(&err);
    const struct probe_env env = {.loop = bench->loop,
                                  .resolver = bench->resolver,
                                  .http = bench->http,
                                  .hub = bench->hub,
                                  .sink = {.ctx = bench, .probe = on_event},
                                  .observer = "bench"};
    if (probe_set_new(&env, &bench->set, &err) != 0 ||
        probe_set_configure(bench->set, bench->pointers, PROBES, &err) != 0)
        die(&err);
    bench->started_s = thread_seconds();
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static char names[PROBES][16];
    char url[64];
    struct error err = {0};
    int64_t seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
    struct test_server *server = test_server_new(answer, NULL);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/readiness", test_server_port(server));
    bench.http_config = (struct probe_http_config){
        .url = url, .method = "GET", .expect.body = "ready", .max_body_bytes = 1 << 20};
    for (size_t i = 0; i < PROBES; i++) {
        (void)snprintf(names[i], sizeof names[i], "probe-%zu", i);
        bench.configs[i] = (struct probe_config){.name = names[i],
                                                 .region = "eu",
                                                 .target = "t",
                                                 .interval_ns = 250 * NS_PER_MS,
                                                 .timeout_ns = 200 * NS_PER_MS,
                                                 .http = &bench.http_config};
        bench.pointers[i] = &bench.configs[i];
    }
    bench.hub = hub_new(NULL);
    if (loop_new("bench", &bench.loop, &err) != 0 || resolver_new(1, &bench.resolver, &err) != 0)
        die(&err);
    if (!loop_post(bench.loop, "bench", start, &bench))
        return EXIT_FAILURE;
    loop_run(bench.loop, clock_mono_ns() + seconds * NS_PER_S);
    double cpu_s = thread_seconds() - bench.started_s;
    uint64_t judged = bench.outcomes[SLI_GOOD] + bench.outcomes[SLI_BAD];
    printf("%d probes every 250 ms for %lld s: good %llu, bad %llu, unknown %llu; control loop %.2f %% of a "
           "core, "
           "%.0f us a probe\n",
           PROBES, (long long)seconds, (unsigned long long)bench.outcomes[SLI_GOOD],
           (unsigned long long)bench.outcomes[SLI_BAD], (unsigned long long)bench.outcomes[SLI_UNKNOWN],
           100 * cpu_s / (double)seconds, judged ? 1e6 * cpu_s / (double)judged : 0.0);
    exit(EXIT_SUCCESS); /* the loop is not taken apart */
}
