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

static void check_as(const struct prices_scope *scope, const struct azure_everywhere *asked, struct str bytes)
{
    if (!digest_same(run(scope, asked, bytes, bytes.len ? bytes.len : 1), run(scope, asked, bytes, 3)))
        abort();
}

/* Rows of another service are passed over: only a page that names this one is worth the time. */
static bool check(const struct prices_scope *scope, const struct azure_everywhere *asked, struct str bytes)
{
    if (!memmem(bytes.ptr, bytes.len, asked->service, strlen(asked->service)))
        return false;
    check_as(scope, asked, bytes);
    return true;
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
    bool any = false;
    for (const struct azure_service *service = azure_services; service->name; service++) {
        const struct azure_everywhere asked = {service->name, "westeurope"};
        any = check(&scope, &asked, bytes) || any;
    }
    for (const struct azure_everywhere *asked = azure_everywhere; asked->service; asked++)
        any = check(&scope, asked, bytes) || any;
    if (!any)
        check_as(&scope, &azure_everywhere[0], bytes);
    return 0;
}
