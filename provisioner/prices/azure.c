/* Azure: a question a service and location, page by page along the links of the answers. */
#include "lib/net/percent.h"
#include "provisioner/prices/azure_meter.h"
#include "provisioner/prices/source.h"

#include <stdio.h>

#define MAX_PAGES      2000
#define MAX_PAGE_BYTES (64UL * 1024 * 1024)
#define MAX_URL        8192
#define QUESTION       "/api/retail/prices?api-version=2023-01-01-preview&meterRegion=%27primary%27&$filter="

struct page {
    struct azure_reader reader;
    struct found found; /* of this page alone, until it is complete */
};

static void begin_page(void *ctx)
{
    struct page *page = ctx;
    azure_reader_begin(&page->reader);
    found_reset(&page->found);
}

static int feed_page(void *ctx, struct str chunk, struct error *err)
{
    return azure_reader_feed(&((struct page *)ctx)->reader, chunk, err);
}

static int end_page(void *ctx, struct error *err)
{
    return azure_reader_page(&((struct page *)ctx)->reader, err);
}

static int follow(struct fetch *fetch, const char *question, struct page *page, struct found *found,
                  struct error *err)
{
    const struct fetch_reader reader = {begin_page, feed_page, end_page, page};
    char target[MAX_URL];
    int code = 0;
    (void)snprintf(target, sizeof target, "%s", question);
    for (unsigned pages = 0; !code && *target; pages++) {
        code = pages < MAX_PAGES ? fetch_get(fetch, target, MAX_PAGE_BYTES, &reader, err)
                                 : error_set(err, ERR_LIMIT, "more than %d pages", MAX_PAGES);
        if (code)
            break;
        found_take(found, &page->found);
        /* A relative link would be put behind the base like one of our own. */
        if (page->reader.next_link[0] == '/' || strcmp(target, page->reader.next_link) == 0)
            code = error_set(err, ERR_PEER, "NextPageLink \"%.100s\" leads nowhere", page->reader.next_link);
        (void)snprintf(target, sizeof target, "%s", page->reader.next_link);
    }
    if (!code) {
        found_reset(&page->found);
        azure_reader_end(&page->reader);
        found_take(found, &page->found);
    }
    return code;
}

/* A question: what is NULL is not asked for. */
struct question {
    const char *service, *location, *product, *sku;
};

static int ask(struct fetch *fetch, const struct prices_scope *scope, const struct question *wanted,
               struct found *found, struct error *err)
{
    struct buf filter = BUF_INIT(MAX_URL / 4), question = BUF_INIT(MAX_URL - 1);
    struct page page;
    found_init(&page.found, 0);
    buf_printf(&filter, "serviceName eq '%s' and armRegionName eq '%s'", wanted->service, wanted->location);
    if (wanted->product)
        buf_printf(&filter, " and productName eq '%s'", wanted->product);
    if (wanted->sku)
        buf_printf(&filter, " and armSkuName eq '%s'", wanted->sku);
    buf_append_text(&filter, " and priceType eq 'Consumption'");
    buf_append_text(&question, QUESTION);
    percent_encode(&question, buf_str(&filter));
    azure_reader_init(&page.reader, wanted->service, wanted->location, scope, &page.found);
    int code = follow(fetch, buf_text(&question), &page, found, err);
    azure_reader_deinit(&page.reader);
    found_deinit(&page.found);
    buf_deinit(&filter);
    buf_deinit(&question);
    const char *place = *wanted->location ? wanted->location : "no place";
    return code ? error_prefix(err, "%s in %s", wanted->service, place) : 0;
}

/* All machines of a place are some thousand rows; those of a deployment are asked for by their names. */
static int ask_machines(struct fetch *fetch, const struct prices_scope *scope, const char *location,
                        struct found *found, struct error *err)
{
    struct question question = {.service = azure_services[0].name, .location = location};
    int code = 0;
    if (scope->whole)
        return ask(fetch, scope, &question, found, err);
    MAP_EACH (entry, &scope->types) {
        const struct instance_type *type = entry->value;
        question.sku = type->name;
        if (!code && !type->database)
            code = ask(fetch, scope, &question, found, err);
    }
    return code;
}

/* A name from the deployment's file goes into the question between quotes. */
static bool is_word(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}

static int read_azure(struct fetch *fetch, const struct prices_scope *scope, struct found *found,
                      struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < scope->locations.count && !code; i++) {
        const char *location = scope->locations.items[i];
        if (!is_word(location))
            return error_set(err, ERR_CONFIG, "\"%s\" is no location of Azure", location);
        code = ask_machines(fetch, scope, location, found, err);
        for (const struct azure_service *service = &azure_services[1]; service->name && !code; service++) {
            const struct question question = {service->name, location, service->product, NULL};
            code = ask(fetch, scope, &question, found, err);
        }
    }
    for (const struct azure_everywhere *each = azure_everywhere; each->service && !code; each++) {
        const struct question question = {each->service, each->place, NULL, NULL};
        code = ask(fetch, scope, &question, found, err);
    }
    return code;
}

const struct prices_source azure_prices = {
    .provider = "azure",
    .title = "Azure's retail prices",
    .url = "https://prices.azure.com",
    .url_variable = "FRAISEQL_PRICES_AZURE_URL",
    .read = read_azure,
};
