/* One OTLP/HTTP request: what it says it is, its bytes, its answer. */
#include "tracing/intake.h"
#include "tracing/negotiate.h"
#include "tracing/otlp_answer.h"
#include "tracing/otlp_sniff.h"
#include "tracing/tracing_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define RETRY_AFTER_S   5
#define KEPT_BODY_BYTES (4UL * 1024 * 1024) /* of decompressed memory a lane keeps between requests */
#define REFUSAL_MAX     600

/* A request under way. */
struct receipt {
    struct tracing *tracing;
    const struct otlp_request *request;
    struct otlp_response *response;
    enum otlp_signal signal;
    enum body_type type;
    const char *answer_type;
    struct str body; /* plain */
    uint64_t reserved_bytes;
};

/* --- answers */

static unsigned status_index(int http_status)
{
    static const int statuses[TRACING_STATUS_COUNT] = {200, 400, 404, 413, 415, 503};
    unsigned index = 0;
    while (index + 1 < TRACING_STATUS_COUNT && statuses[index] != http_status)
        index++;
    return index;
}

static void PRINTF_LIKE(4, 5)
    refuse(struct receipt *receipt, int http_status, enum tracing_refusal reason, const char *format, ...)
{
    char message[REFUSAL_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct otlp_response *response = receipt->response;
    response->http_status = http_status;
    response->content_type = receipt->answer_type;
    response->retry_after_s = http_status == 503 ? RETRY_AFTER_S : 0;
    otlp_answer_status(response->content_type, http_status, message, &response->body);
    counter_add(&receipt->tracing->stats.refused[reason], 1);
}

static void answer_counts(struct receipt *receipt, const struct intake_counts *counts)
{
    struct otlp_response *response = receipt->response;
    response->http_status = 200;
    response->content_type = OTLP_TYPE_PROTOBUF;
    if (counts->rejected == 0)
        return;
    char message[REFUSAL_MAX];
    (void)snprintf(message, sizeof message, "%llu of %llu spans rejected; the first is span %llu: %s",
                   (unsigned long long)counts->rejected,
                   (unsigned long long)(counts->rejected + counts->accepted),
                   (unsigned long long)counts->first_ordinal, otlp_reject_text(counts->first_reason));
    otlp_answer_partial(counts->rejected, message, &response->body);
}

/* --- memory */

static bool reserve(struct receipt *receipt, uint64_t bytes)
{
    struct counter *inflight = &receipt->tracing->stats.inflight_bytes;
    uint64_t before = counter_draw(inflight, bytes);
    if (before + bytes > counter_get(&receipt->tracing->max_inflight_bytes)) {
        counter_add(inflight, 0 - bytes);
        refuse(receipt, 503, TRACING_REFUSED_MEMORY,
               "too many bytes of OTLP requests are in flight; retry later");
        return false;
    }
    receipt->reserved_bytes += bytes;
    return true;
}

static void release(struct receipt *receipt)
{
    counter_add(&receipt->tracing->stats.inflight_bytes, 0 - receipt->reserved_bytes);
    receipt->reserved_bytes = 0;
}

/* What the plain body will probably take: gzip says so in its last four bytes (modulo 2^32, of its last
 * member); of others we guess. Too low a guess costs a second run with the whole maximum, never a growth past
 * it. */
static size_t expected_bytes(const struct str body, enum body_coding coding, size_t max_bytes)
{
    uint64_t guess = (uint64_t)body.len * 8;
    if (coding == CODING_GZIP && body.len >= 18) {
        const unsigned char *tail = (const unsigned char *)body.ptr + body.len - 4;
        guess = tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 | (uint64_t)tail[3] << 24;
        if (guess > (uint64_t)body.len * COMPRESS_MAX_RATIO)
            guess = max_bytes; /* a lie, or several members: find out */
    }
    return guess < max_bytes ? (size_t)guess : max_bytes;
}

static int decompress(struct tracing_lane *lane, struct str body, enum body_coding coding, size_t max_bytes,
                      struct error *err)
{
    if (!lane->decompressor)
        lane->decompressor = decompressor_new();
    buf_reset(&lane->plain);
    lane->plain.max = max_bytes;
    lane->plain.failed = false;
    return coding == CODING_GZIP ? decompress_gzip(lane->decompressor, body, &lane->plain, err)
                                 : decompress_zlib(lane->decompressor, body, &lane->plain, err);
}

/* False when refused. */
static bool open_body(struct receipt *receipt, struct tracing_lane *lane, enum body_coding coding)
{
    const struct str body = receipt->request->body;
    size_t max_bytes = receipt->tracing->settings.max_body_bytes;
    receipt->body = body;
    if (coding == CODING_IDENTITY)
        return true;
    size_t expected = expected_bytes(body, coding, max_bytes);
    struct error err = {0};
    if (!reserve(receipt, expected))
        return false;
    int rc = decompress(lane, body, coding, expected, &err);
    if (rc == ERR_LIMIT && expected < max_bytes) {
        if (!reserve(receipt, max_bytes - expected))
            return false;
        rc = decompress(lane, body, coding, max_bytes, &err);
    }
    if (rc == ERR_LIMIT) {
        refuse(receipt, 413, TRACING_REFUSED_SIZE, "the body is over %zu bytes when decompressed", max_bytes);
        return false;
    }
    if (rc) {
        refuse(receipt, 400, TRACING_REFUSED_COMPRESSION, "cannot decompress the body: %s", err.message);
        return false;
    }
    receipt->body = buf_str(&lane->plain);
    return true;
}

/* --- the request */

static void refuse_signal(struct receipt *receipt)
{
    refuse(receipt, 404, TRACING_REFUSED_SIGNAL,
           "this collector takes traces only (POST /v1/traces); it does not take %s. Set "
           "OTEL_%s_EXPORTER=none, or "
           "send them elsewhere with OTEL_EXPORTER_OTLP_%s_ENDPOINT",
           receipt->signal == OTLP_METRICS ? "metrics" : "logs",
           receipt->signal == OTLP_METRICS ? "METRICS" : "LOGS",
           receipt->signal == OTLP_METRICS ? "METRICS" : "LOGS");
}

/* What the headers alone decide. False when refused. */
static bool check_headers(struct receipt *receipt, enum body_coding coding)
{
    if (receipt->signal == OTLP_METRICS || receipt->signal == OTLP_LOGS) {
        refuse_signal(receipt);
        return false;
    }
    if (receipt->type == BODY_JSON) {
        refuse(receipt, 415, TRACING_REFUSED_TYPE,
               "OTLP as JSON is not supported yet: send application/x-protobuf "
               "(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)");
        return false;
    }
    if (receipt->type == BODY_OTHER) {
        refuse(receipt, 415, TRACING_REFUSED_TYPE,
               "the Content-Type must be application/x-protobuf (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf; "
               "gRPC is "
               "not supported yet)");
        return false;
    }
    if (coding == CODING_OTHER) {
        refuse(receipt, 415, TRACING_REFUSED_ENCODING,
               "this Content-Encoding is not supported: send gzip, deflate or none");
        return false;
    }
    return true;
}

static void count_body(struct receipt *receipt, struct tracing_lane *lane)
{
    struct tracing *tracing = receipt->tracing;
    struct tracing_stats *stats = &tracing->stats;
    counter_add(&stats->plain_bytes, receipt->body.len);
    if (receipt->signal == OTLP_SNIFF) {
        counter_add(&stats->root_requests, 1);
        receipt->signal = otlp_sniff(receipt->body);
    }
    if (receipt->signal == OTLP_METRICS || receipt->signal == OTLP_LOGS) {
        refuse_signal(receipt);
        return;
    }
    const struct intake_places places = {
        .sources = &tracing->settings.sources,
        .peer = receipt->request->peer,
        .own_region = tracing->settings.region,
    };
    struct intake_counts counts;
    struct error err = {0};
    if (intake_count(lane->shard, &places, receipt->body, &counts, &err)) {
        refuse(receipt, 400, TRACING_REFUSED_DAMAGED, "%s", err.message);
        return;
    }
    receipt->signal = OTLP_TRACES; /* an envelope that holds for traces but has no record to tell by */
    counter_add(&stats->spans, counts.accepted);
    counter_add(&stats->skewed, counts.skewed);
    counter_add(&stats->sampled, counts.sampled);
    counter_add(&stats->unnamed, counts.unnamed);
    for (size_t i = 0; counts.rejected && i < OTLP_REJECT_COUNT; i++)
        counter_add(&stats->rejected[i], counts.rejected_by[i]);
    answer_counts(receipt, &counts);
}

/* A thread keeps its lane, so that lanes stay uncontended and their memory warm. */
static struct tracing_lane *own_lane(struct tracing *tracing)
{
    static struct counter threads;
    static _Thread_local uint64_t number; /* of this thread, from 1 */
    if (!number)
        number = counter_draw(&threads, 1) + 1;
    return &tracing->lanes[number % TRACING_LANES];
}

static void work(struct receipt *receipt, enum body_coding coding)
{
    struct tracing_lane *lane = own_lane(receipt->tracing);
    (void)pthread_mutex_lock(&lane->work);
    size_t max_bytes = receipt->tracing->settings.max_body_bytes;
    if (receipt->request->body.len > max_bytes)
        refuse(receipt, 413, TRACING_REFUSED_SIZE, "the body is over %zu bytes", max_bytes);
    else if (open_body(receipt, lane, coding))
        count_body(receipt, lane);
    if (lane->plain.cap > KEPT_BODY_BYTES)
        buf_deinit(&lane->plain);
    (void)pthread_mutex_unlock(&lane->work);
}

void tracing_receive(struct tracing *tracing, const struct otlp_request *request,
                     struct otlp_response *response)
{
    struct receipt receipt = {
        .tracing = tracing,
        .request = request,
        .response = response,
        .signal = request->signal,
        .type = negotiate_type(request->content_type),
        .answer_type = otlp_answer_type(request->content_type),
    };
    enum body_coding coding = negotiate_coding(request->content_encoding);
    response->retry_after_s = 0;
    counter_add(&tracing->stats.wire_bytes, request->body.len);
    if (check_headers(&receipt, coding) && reserve(&receipt, request->body.len))
        work(&receipt, coding);
    release(&receipt);
    counter_add(&tracing->stats.requests[receipt.signal][status_index(response->http_status)], 1);
}
