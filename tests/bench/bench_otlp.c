/* Span intake: spans a second on one core and nanoseconds of CPU a span, for batches of 100, 512 and 8,192
 * spans of realistic shape (an HTTP server span, a GraphQL span, a database client span; 12 attributes and
 * about 413 bytes each; a resource of 12 attributes), plain and gzip, in process; the generated decoder
 * beside. Prints, never asserts.
 *
 * CPU time of this thread, the best of several rounds over about 14 MB of batches that all differ. */
#include "lib/core/arena.h"
#include "lib/net/compress.h"
#include "tests/unit/tracing/otlp_build.h"
#include "tracing/otlp_reference.h"
#include "tracing/tracing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define TOTAL_SPANS 32768U
#define ROUNDS      7

static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545F4914F6CDD1D);
}

/* --- payload */

static void put_number(struct buf *span, const char *key, uint64_t number)
{
    struct buf any = BUF_INIT(BUILD_MAX), pair = BUF_INIT(BUILD_MAX);
    build_u64(&any, 3, number);
    build_bytes(&pair, 1, str_from(key));
    build_message(&pair, 2, &any);
    build_message(span, 9, &pair);
    buf_deinit(&any);
    buf_deinit(&pair);
}

static void put_attributes(struct buf *span, unsigned shape)
{
    static const char *const texts[3][10][2] = {
        {{"http.request.method", "POST"},
         {"url.path", "/graphql"},
         {"url.scheme", "https"},
         {"http.route", "/graphql"},
         {"server.address", "api.shop.test"},
         {"network.protocol.version", "1.1"},
         {"client.address", "10.1.2.3"},
         {"user_agent.original", "okhttp/4.12.0"},
         {"thread.name", "worker-3"},
         {"tenant.id", "t-18231"}},
        {{"graphql.operation.type", "query"},
         {"graphql.operation.name", "UserOrders"},
         {"code.function", "execute"},
         {"code.namespace", "fraiseql::exec"},
         {"tenant.id", "t-18231"},
         {"cache.hit", "false"},
         {"plan.id", "9f31c2"},
         {"thread.name", "worker-3"},
         {"busy", "1832"},
         {"idle", "9121"}},
        {{"db.system", "postgresql"},
         {"db.namespace", "orders"},
         {"db.operation.name", "SELECT"},
         {"db.collection.name", "v_user_orders"},
         {"server.address", "10.4.0.17"},
         {"network.transport", "tcp"},
         {"db.query.summary", "SELECT v_user"},
         {"pool.name", "main"},
         {"thread.name", "worker-3"},
         {"busy", "121"}},
    };
    for (size_t i = 0; i < 10; i++)
        build_attribute(span, 9, texts[shape][i][0], texts[shape][i][1]);
    put_number(span, "thread.id", 3 + draw() % 16);
    put_number(span, shape == 0 ? "http.response.status_code" : "rows", shape == 0 ? 200 : draw() % 1000);
}

static void put_span(struct buf *scope, unsigned number)
{
    static const char *const names[3] = {"POST /graphql", "graphql.execute", "SELECT orders"};
    static const uint32_t kinds[3] = {2, 1, 3};
    unsigned shape = number % 3;
    struct buf span = BUF_INIT(BUILD_MAX);
    char name[64];
    (void)snprintf(name, sizeof name, "%s %u", names[shape], (unsigned)(draw() % 20));
    uint64_t start = UINT64_C(1760000000000000000) + draw() % 1000000000;
    struct build_span fields = {.trace = draw() | 1,
                                .span = draw() | 1,
                                .parent = shape ? draw() | 1 : 0,
                                .name = name,
                                .kind = kinds[shape],
                                .status = draw() % 50 ? 0 : 2,
                                .flags = 0x101,
                                .start_ns = start,
                                .end_ns = start + draw() % 60000000};
    for (uint32_t field = 1; field <= 8; field++)
        build_span_field(&span, &fields, field);
    put_attributes(&span, shape);
    build_span_field(&span, &fields, 15);
    build_span_field(&span, &fields, 16);
    build_message(scope, 2, &span);
    buf_deinit(&span);
}

static struct buf make_batch(size_t spans)
{
    static const char *const resource_texts[12][2] = {{"service.name", "fraiseql"},
                                                      {"service.version", "1.4.2"},
                                                      {"service.instance.id", "a1b2c3d4"},
                                                      {"telemetry.sdk.name", "opentelemetry"},
                                                      {"telemetry.sdk.language", "rust"},
                                                      {"telemetry.sdk.version", "0.32.0"},
                                                      {"host.name", "api-7f9c"},
                                                      {"host.arch", "amd64"},
                                                      {"os.type", "linux"},
                                                      {"process.pid", "1"},
                                                      {"deployment.environment.name", "prod"},
                                                      {"cloud.region", "eu-west-1"}};
    struct buf request = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), part = BUF_INIT(BUILD_MAX);
    for (size_t i = 0; i < 12; i++)
        build_attribute(&part, 1, resource_texts[i][0], resource_texts[i][1]);
    build_message(&group, 1, &part);
    build_bytes(&part, 1,
                (struct str){"\x0a\x08"
                             "fraiseql",
                             10});
    for (unsigned i = 0; i < spans; i++)
        put_span(&part, i);
    build_message(&group, 2, &part);
    build_message(&request, 1, &group);
    buf_deinit(&group);
    buf_deinit(&part);
    return request;
}

static struct buf gzip_of(const struct buf *plain)
{
    struct compressor *compressor CLEANUP(compressor_free_cleanup) = compressor_new(6);
    struct buf out = BUF_INIT(BUILD_MAX);
    struct gzip_block block, trailer = {0, 0};
    compress_gzip_header(&out);
    compress_block(compressor, buf_str(plain), &out, &block);
    compress_gzip_add(&trailer, &block);
    compress_gzip_trailer(&trailer, &out);
    return out;
}

/* --- what is measured */

struct bench {
    size_t batch_spans, batch_count;
    struct buf *plain, *gzip;
    struct tracing *tracing;
    struct arena *arena;
    struct buf answer;
    uint64_t seen;
};

static void see_resource(void *ctx, const struct otlp_resource *resource)
{
    struct bench *bench = ctx;
    bench->seen += resource->service.len;
}

static void see_span(void *ctx, const struct otlp_span *span)
{
    struct bench *bench = ctx;
    bench->seen += span->end_ns - span->start_ns;
}

static void see_reject(void *ctx, enum otlp_reject reason, uint64_t ordinal)
{
    (void)ctx;
    (void)ordinal;
    (void)fprintf(stderr, "span rejected: %s\n", otlp_reject_text(reason));
    exit(EXIT_FAILURE);
}

static void run_decode(struct bench *bench, size_t i)
{
    const struct otlp_visitor visitor = {bench, see_resource, see_span, see_reject};
    struct otlp_frame frame;
    if (otlp_decode_traces(buf_str(&bench->plain[i]), &visitor, &frame, NULL))
        exit(EXIT_FAILURE);
}

static void run_reference(struct bench *bench, size_t i)
{
    const struct otlp_visitor visitor = {bench, see_resource, see_span, see_reject};
    struct otlp_frame frame;
    if (otlp_reference_traces(buf_str(&bench->plain[i]), bench->arena, &visitor, &frame, NULL))
        exit(EXIT_FAILURE);
    arena_reset(bench->arena);
}

static void receive(struct bench *bench, struct str body, const char *encoding)
{
    struct otlp_request request = {.signal = OTLP_TRACES,
                                   .content_type = "application/x-protobuf",
                                   .content_encoding = encoding,
                                   .body = body};
    struct otlp_response response = {.body = bench->answer};
    tracing_receive(bench->tracing, &request, &response);
    bench->answer = response.body;
    if (response.http_status != 200 || response.body.len)
        exit(EXIT_FAILURE);
}

static void run_plain(struct bench *bench, size_t i)
{
    receive(bench, buf_str(&bench->plain[i]), NULL);
}

static void run_gzip(struct bench *bench, size_t i)
{
    receive(bench, buf_str(&bench->gzip[i]), "gzip");
}

static double cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(struct bench *bench, const char *what, void (*run)(struct bench *, size_t))
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (size_t i = 0; i < bench->batch_count; i++)
            run(bench, i);
        double ns = (cpu_ns() - start) / (double)(bench->batch_count * bench->batch_spans);
        tracing_publish(bench->tracing, round, round);
        if (round == 0 || ns < best)
            best = ns;
    }
    (void)printf("%6zu  %-34s %8.1f ns a span  %10.0f spans/s\n", bench->batch_spans, what, best, 1e9 / best);
    (void)fflush(stdout);
}

static void bench_batches(size_t spans, struct hub *hub)
{
    struct error err = {0};
    const struct tracing_options options = {.region = "eu"};
    struct bench bench = {.batch_spans = spans,
                          .batch_count = TOTAL_SPANS / spans,
                          .arena = arena_new(0),
                          .answer = BUF_INIT(1 << 16)};
    size_t plain_bytes = 0, gzip_bytes = 0;
    bench.plain = xcalloc(bench.batch_count, sizeof *bench.plain);
    bench.gzip = xcalloc(bench.batch_count, sizeof *bench.gzip);
    for (size_t i = 0; i < bench.batch_count; i++) {
        bench.plain[i] = make_batch(spans);
        bench.gzip[i] = gzip_of(&bench.plain[i]);
        plain_bytes += bench.plain[i].len;
        gzip_bytes += bench.gzip[i].len;
    }
    if (tracing_new(hub, NULL, &options, &bench.tracing, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        exit(EXIT_FAILURE);
    }
    (void)printf("batches of %zu spans: %.0f B a span plain, %.0f B gzip\n", spans,
                 (double)plain_bytes / (double)(spans * bench.batch_count),
                 (double)gzip_bytes / (double)(spans * bench.batch_count));
    measure(&bench, "decode", run_decode);
    measure(&bench, "receive: decode and aggregate", run_plain);
    measure(&bench, "receive: gunzip, decode, aggregate", run_gzip);
    measure(&bench, "generated decoder (decode only)", run_reference);
    tracing_free(bench.tracing);
    for (size_t i = 0; i < bench.batch_count; i++) {
        buf_deinit(&bench.plain[i]);
        buf_deinit(&bench.gzip[i]);
    }
    free(bench.plain);
    free(bench.gzip);
    arena_free(bench.arena);
    buf_deinit(&bench.answer);
}

/* Resident memory of this process now. */
static long resident_kib(void)
{
    FILE *status = fopen("/proc/self/statm", "r");
    char line[128];
    unsigned long long pages = 0;
    if (status && fgets(line, sizeof line, status)) {
        char *end;
        (void)strtoull(line, &end, 10);
        pages = strtoull(end, NULL, 10);
    }
    if (status)
        (void)fclose(status);
    return (long)(pages * 4);
}

/* What label sets cost: 10,000 of them through one thread, published twice so that two generations live. */
static void bench_memory(struct hub *hub)
{
    enum { SETS = 10000 };
    const struct tracing_options options = {.region = "eu", .max_series = 20 * SETS * 2};
    struct tracing *tracing;
    if (tracing_new(hub, NULL, &options, &tracing, NULL))
        exit(EXIT_FAILURE);
    tracing_publish(tracing, 1, 1);
    long before = resident_kib();
    struct build_span *spans = xcalloc(SETS, sizeof *spans);
    char(*names)[32] = xcalloc(SETS, sizeof *names);
    for (size_t i = 0; i < SETS; i++) {
        (void)snprintf(names[i], sizeof names[i], "GET /path/%zu", i);
        spans[i] =
            (struct build_span){.trace = 1, .span = i + 1, .name = names[i], .kind = 2, .end_ns = 1000};
    }
    struct buf request = BUF_INIT(BUILD_MAX);
    build_group(&request, "shop", NULL, spans, SETS, false);
    struct bench bench = {.tracing = tracing, .answer = BUF_INIT(1 << 16)};
    long built = resident_kib();
    for (int i = 0; i < 3; i++) {
        receive(&bench, buf_str(&request), NULL);
        tracing_publish(tracing, i + 2, i + 2);
    }
    (void)printf(
        "memory: %d label sets of 20 lines take %.0f B each in all (shard, totals, published snapshot)\n",
        SETS, (double)(resident_kib() - built) * 1024 / SETS);
    (void)printf("memory: resident %ld KiB before them\n", before);
    free(spans);
    free(names);
    buf_deinit(&request);
    buf_deinit(&bench.answer);
    tracing_free(tracing);
}

int main(void)
{
    static const size_t sizes[] = {100, 512, 8192};
    struct hub *hub = hub_new(&(struct hub_options){.max_series = 10000000});
    bench_memory(hub); /* first: later it would find memory that the batches left */
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        bench_batches(sizes[i], hub);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("memory: peak resident %ld KiB, the batches themselves included\n", usage.ru_maxrss);
    hub_free(hub);
    return 0;
}
