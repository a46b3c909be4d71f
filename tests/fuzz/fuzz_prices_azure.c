/* Pages of Azure's Retail Prices in whatever pieces: no crash, and the same prices for every cut. */
#include "provisioner/prices/azure_meter.h"
#include "tests/fuzz/prices_feed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(void *reader, struct str chunk, struct error *err)
{
    return azure_reader_feed(reader, chunk, err);
}

static struct digest run(const struct prices_scope *scope, const struct azure_everywhere *asked,
                         struct str bytes, size_t step)
{
    struct azure_reader reader;
    struct found found;
    struct error err;
    found_init(&found, 0);
    azure_reader_init(&reader, asked->service, asked->place, scope, &found);
    struct digest digest = {.code = feed_in_pieces(&reader, feed, bytes, step)};
    if (!digest.code)
        digest.code = azure_reader_page(&reader, &err);
    azure_reader_end(&reader);
    digest.prices = found_count(&found);
    digest.conflicts = found.conflicts;
    azure_reader_deinit(&reader);
    found_deinit(&found);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena; /* as long as the process */
    static struct prices_scope scope;
    if (!arena) {
        arena = arena_new(0);
        prices_scope_all(&scope, "azure", arena);
    }
    struct str bytes = {(const char *)data, size};
    for (const struct azure_service *service = azure_services; service->name; service++) {
        const struct azure_everywhere asked = {service->name, "westeurope"};
        if (!digest_same(run(&scope, &asked, bytes, size ? size : 1), run(&scope, &asked, bytes, 3)))
            abort();
    }
    for (const struct azure_everywhere *asked = azure_everywhere; asked->service; asked++) {
        if (!digest_same(run(&scope, asked, bytes, size ? size : 1), run(&scope, asked, bytes, 3)))
            abort();
    }
    return 0;
}
