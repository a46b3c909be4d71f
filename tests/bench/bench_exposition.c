/* What the page of /metrics costs inside the process, for 1k, 100k and 1M series of six labels: building the
 * first snapshot, building an equal one again, memory with two generations alive, rendering, compressing. CPU
 * times of this thread; the HTTP server is measured elsewhere. */
#include "exporters/exposition.h"
#include "lib/core/arena.h"
#include "lib/metrics/batch.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FAMILIES 100U
#define RENDERS  5

static double cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void add_series(struct batch *batch, uint32_t series, uint64_t scrape)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"}, *const codes[] = {"200", "404",
                                                                                             "500"};
    static struct batch_family *family;
    static uint32_t last_family = UINT32_MAX;
    char service[24], instance[24], path[24];
    (void)snprintf(service, sizeof service, "service-%u", series % 50);
    (void)snprintf(instance, sizeof instance, "10.0.%u.%u:8080", series / 250 % 250, series % 250);
    (void)snprintf(path, sizeof path, "/api/v1/%u", series / FAMILIES);
    struct label labels[] = {LABEL_TEXT("code", codes[series % 3]), LABEL_TEXT("instance", instance),
                             LABEL_TEXT("method", methods[series % 4]), LABEL_TEXT("path", path),
                             LABEL_TEXT("service", service)};
    uint32_t number = series % FAMILIES;
    if (number != last_family || !scrape) {
        char name[48];
        (void)snprintf(name, sizeof name, "test_server_requests_%u_total", number);
        struct metric_desc desc = {name, METRIC_COUNTER, "Requests by code, instance, method, path, service",
                                   NULL};
        family = batch_family(batch, &desc);
        last_family = number;
    }
    /* Two of three are counts, one is a measured double. */
    struct value value = series % 3 ? VALUE_OF_U64((uint64_t)series * 977 + scrape)
                                    : VALUE_OF_F64((double)(series * 31 + scrape) / 997.0);
    batch_add(batch, family, labels, ARRAY_LEN(labels), value);
}

/* Family by family, as a scraped page comes. */
static struct snapshot *build(struct batch *batch, uint32_t count, uint64_t scrape, double *ret_ms)
{
    double start = cpu_ms();
    batch_begin(batch);
    for (uint32_t family = 0; family < FAMILIES; family++) {
        for (uint32_t series = family; series < count; series += FAMILIES)
            add_series(batch, series, scrape);
    }
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    *ret_ms = cpu_ms() - start;
    return snapshot;
}

/* What composing the labels costs the bench itself. */
static double build_overhead(uint32_t count)
{
    struct label region = LABEL_TEXT("region", "us-east-1");
    struct batch_options none = {.common = &region, .common_count = 1, .max_series = 1};
    struct batch *batch = batch_new(&none);
    double ms;
    (void)snapshot_unref(
        build(batch, count, 1, &ms)); /* all but one are dropped before anything is rendered */
    batch_free(batch);
    return ms;
}

static double render(struct hub *hub, enum exposition_format format, int gzip_level, size_t *ret_bytes,
                     size_t *ret_plain)
{
    char *piece = xmalloc(EXPOSITION_CHUNK_BYTES);
    double best = 1e9;
    for (int i = 0; i < RENDERS; i++) {
        double start = cpu_ms();
        struct exposition_options options = {.format = format, .gzip_level = gzip_level};
        struct exposition *page = exposition_new(hub_view_take(hub, NULL, NULL), &options);
        size_t length;
        *ret_bytes = 0;
        while ((length = exposition_pull(page, piece, EXPOSITION_CHUNK_BYTES)) > 0)
            *ret_bytes += length;
        struct exposition_stats stats;
        exposition_stats(page, &stats);
        *ret_plain = stats.plain_bytes;
        exposition_free(page);
        double took = cpu_ms() - start;
        best = took < best ? took : best;
    }
    free(piece);
    return best;
}

static void run(uint32_t count)
{
    struct hub_options limits = {.max_series = 10UL * 1000 * 1000};
    struct label region = LABEL_TEXT("region", "us-east-1");
    struct batch_options options = {.common = &region, .common_count = 1, .max_series = count};
    struct error err;
    double first_ms, again_ms, overhead_ms = build_overhead(count);
    size_t before = allocated();
    struct hub *hub = hub_new(&limits);
    struct hub_source *source = hub_register(hub, "bench", "bench", 0);
    struct batch *batch = batch_new(&options);
    struct snapshot *old = snapshot_ref(build(batch, count, 0, &first_ms));
    if (hub_publish(source, old, &err))
        (void)fprintf(stderr, "%s\n", err.message);
    if (hub_publish(source, build(batch, count, 1, &again_ms), &err))
        (void)fprintf(stderr, "%s\n", err.message);
    /* With the merge plan, as it stands between scrapes. */
    struct hub_view *view = hub_view_take(hub, NULL, NULL);
    bool shared = view->parts[0].snapshot->shape == old->shape;
    (void)hub_view_unref(view);
    double per_series = (double)(allocated() - before) / count;
    double text_bytes = 0;
    for (uint32_t i = 0; i < old->shape->series_count; i++)
        text_bytes += old->shape->series[i].text_len;
    size_t bytes, plain, packed;
    double text_ms = render(hub, EXPOSITION_TEXT, 0, &bytes, &plain);
    double openmetrics_ms = render(hub, EXPOSITION_OPENMETRICS_1_0_0, 0, &packed, &plain);
    double gzip_ms = render(hub, EXPOSITION_TEXT, 1, &packed, &plain);
    (void)printf("%8u series: build %.1f ms, again %.1f ms (%s shape; %.1f ms of each is the bench's own), "
                 "%.0f B/series with two generations (label text %.0f B)\n",
                 count, first_ms, again_ms, shared ? "same" : "NEW", overhead_ms, per_series,
                 text_bytes / count);
    (void)printf(
        "%8s         text %.2f ms, %.1f MB, %.0f MB/s; OpenMetrics %.2f ms; gzip -1 %.1f ms, %.1f MB\n", "",
        text_ms, (double)bytes / 1e6, (double)bytes / 1e3 / text_ms, openmetrics_ms, gzip_ms,
        (double)packed / 1e6);
    (void)snapshot_unref(old);
    hub_unregister(source);
    batch_free(batch);
    hub_free(hub);
}

/* Many small sources: what a new shape of one of them and what each view costs. */
static void run_hub(void)
{
    enum { SOURCES = 1000, FAMILIES_EACH = 300, VIEWS = 20 };
    struct hub_options limits = {.max_series = 10UL * 1000 * 1000};
    struct hub *hub = hub_new(&limits);
    struct hub_source **sources = xcalloc(SOURCES, sizeof(struct hub_source *));
    struct error err;
    for (uint32_t i = 0; i < SOURCES; i++) {
        char target[24], name[32];
        (void)snprintf(target, sizeof target, "target-%u", i);
        struct label label = LABEL_TEXT("target", target);
        struct batch_options options = {.common = &label, .common_count = 1};
        struct batch *batch = batch_new(&options);
        batch_begin(batch);
        for (uint32_t family = 0; family < FAMILIES_EACH; family++) {
            (void)snprintf(name, sizeof name, "pg_something_%u", family);
            struct metric_desc desc = {name, METRIC_GAUGE, "Help", NULL};
            batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(i));
        }
        sources[i] = hub_register(hub, "bench", target, i);
        if (hub_publish(sources[i], batch_finish(batch, 0, 0), &err))
            (void)fprintf(stderr, "%s\n", err.message);
        batch_free(batch);
    }
    double start = cpu_ms();
    (void)hub_view_unref(hub_view_take(hub, NULL, NULL));
    double first = cpu_ms() - start;
    start = cpu_ms();
    for (int i = 0; i < VIEWS; i++)
        (void)hub_view_unref(hub_view_take(hub, NULL, NULL));
    double next = (cpu_ms() - start) / VIEWS;
    start = cpu_ms();
    for (int i = 0; i < VIEWS; i++)
        (void)hub_view_unref(hub_view_take(hub, NULL, "target-7"));
    (void)printf(
        "hub of %d sources with %d families each: first view %.2f ms, next %.2f ms, of one target %.2f ms\n",
        SOURCES, FAMILIES_EACH, first, next, (cpu_ms() - start) / VIEWS);
    for (uint32_t i = 0; i < SOURCES; i++)
        hub_unregister(sources[i]);
    free(sources);
    hub_free(hub);
}

static void run_numbers(void)
{
    enum { COUNT = 1000000 };
    double *numbers = xmalloc(COUNT * sizeof *numbers);
    char text[NUMBER_TEXT_MAX];
    uint64_t state = UINT64_C(88172645463325252), sum = 0;
    for (int kind = 0; kind < 3; kind++) {
        static const char *const names[] = {"17 digits", "3 decimals", "whole"};
        for (int i = 0; i < COUNT; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            numbers[i] = kind == 0   ? (double)(state >> 11) / 9007199254740992.0
                         : kind == 1 ? (double)(state % 10000000) / 1000.0
                                     : (double)(state % 10000000);
        }
        double start = cpu_ms();
        for (int i = 0; i < COUNT; i++)
            sum += (uint64_t)(number_write_f64(text, numbers[i]) - text);
        (void)printf("doubles, %s: %.1f ns a number\n", names[kind], (cpu_ms() - start) * 1e6 / COUNT);
    }
    if (!sum)
        (void)printf("nothing was written\n");
    free(numbers);
}

int main(void)
{
    run_numbers();
    run(1000);
    run(100000);
    run(1000000);
    run_hub();
    return 0;
}
