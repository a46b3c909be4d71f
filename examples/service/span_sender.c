#include "examples/service/span.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/core/queue.h"
#include "lib/net/http_wait.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SPANS    4096
#define BATCH_SPANS    256
#define BODY_MAX_BYTES (1UL << 20)
#define SEND_LIMIT_NS  (2 * NS_PER_S)
#define SEND_EVERY_NS  (200 * NS_PER_MS)

struct span_sender {
    const struct settings *settings;
    struct stats *stats;
    struct queue *queue;
    struct http_wait *client; /* the thread's */
    struct flag stopping;
    pthread_t thread;
};

static void send_batch(struct span_sender *sender, const struct span *spans, size_t count)
{
    static const struct http_header type = {"Content-Type", "application/x-protobuf"};
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct http_response response = {0};
    struct error err = {0};
    span_encode(sender->settings, spans, count, &body);
    const struct http_request request = {.method = "POST",
                                         .url = sender->settings->otlp_url,
                                         .headers = &type,
                                         .header_count = 1,
                                         .body = buf_str(&body),
                                         .deadline_mono_ns = clock_mono_ns() + SEND_LIMIT_NS,
                                         .max_body_bytes = 65536};
    int code = http_wait_send(sender->client, &request, arena, &response, &err);
    bool taken = !code && response.status >= 200 && response.status < 300;
    counter_add(taken ? &sender->stats->spans_sent : &sender->stats->spans_dropped, count);
    if (!taken)
        LOG_EVENT(LOG_DEBUG, "spans.dropped", LF_I64("status", response.status), LF_ERROR(&err));
    buf_deinit(&body);
}

static void *run(void *cls)
{
    struct span_sender *sender = cls;
    static struct span spans[BATCH_SPANS]; /* of the one thread of the one sender */
    void *taken[BATCH_SPANS];
    int64_t give_up_ns = INT64_MAX;
    for (;;) {
        bool stopping = flag_get(&sender->stopping) != 0;
        if (stopping && give_up_ns == INT64_MAX)
            give_up_ns = clock_mono_ns() + NS_PER_S;
        size_t count = queue_take(sender->queue, taken, BATCH_SPANS);
        for (size_t i = 0; i < count; i++) {
            memcpy(&spans[i], taken[i], sizeof spans[i]);
            free(taken[i]);
        }
        if (count > 0 && clock_mono_ns() < give_up_ns)
            send_batch(sender, spans, count);
        if (count == 0 && stopping)
            return NULL;
        if (count < BATCH_SPANS && !stopping)
            clock_sleep_ns(SEND_EVERY_NS);
    }
}

int span_sender_new(const struct settings *settings, struct stats *stats, struct span_sender **ret,
                    struct error *err)
{
    *ret = NULL;
    if (!settings->otlp_url)
        return 0;
    struct span_sender *sender = xcalloc(1, sizeof *sender);
    sender->settings = settings;
    sender->stats = stats;
    int code = http_wait_new("fraiseql-example-service", &sender->client, err);
    if (code) {
        free(sender);
        return code;
    }
    sender->queue = queue_new(QUEUE_SPANS);
    code = pthread_create(&sender->thread, NULL, run, sender);
    if (code) {
        queue_free(sender->queue);
        http_wait_free(sender->client);
        free(sender);
        return error_set_errno(err, code, "cannot start the thread that sends spans");
    }
    *ret = sender;
    return 0;
}

void span_send(struct span_sender *sender, const struct span *span)
{
    if (!sender)
        return;
    struct span *copy = xmalloc(sizeof *copy);
    *copy = *span;
    if (!queue_push(sender->queue, copy)) {
        counter_add(&sender->stats->spans_dropped, 1);
        free(copy);
    }
}

void span_sender_free(struct span_sender *sender)
{
    if (!sender)
        return;
    flag_set(&sender->stopping, 1);
    (void)pthread_join(sender->thread, NULL);
    queue_free(sender->queue);
    http_wait_free(sender->client);
    free(sender);
}
