/* Whatever terraform writes, in whatever pieces: no crash, and the same events for every cut. */
#include "provisioner/terraform/stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
    uint64_t events, sum;
};

static void on_event(void *arg, const struct tf_event *event)
{
    struct digest *digest = arg;
    digest->events++;
    digest->sum = digest->sum * 31 + (uint64_t)event->kind;
    const char *const texts[] = {event->address, event->type,      event->action,  event->reason, event->id,
                                 event->summary, event->import_id, event->message, event->detail};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        digest->sum = digest->sum * 31 + strlen(texts[i]);
}

static struct digest run(struct str bytes, size_t step)
{
    struct tf_stream stream;
    struct digest digest = {0};
    tf_stream_init(&stream);
    while (bytes.len) {
        size_t length = step < bytes.len ? step : bytes.len;
        tf_stream_feed(&stream, (struct str){bytes.ptr, length}, on_event, &digest);
        bytes.ptr += length;
        bytes.len -= length;
    }
    tf_stream_end(&stream, on_event, &digest);
    tf_stream_deinit(&stream);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct digest whole = run(bytes, size ? size : 1), cut = run(bytes, 3);
    if (whole.events != cut.events || whole.sum != cut.sum)
        abort();
    return 0;
}
