/* Google: all SKUs of a service, page by page. */
#include "lib/net/percent.h"
#include "provisioner/prices/gcp_sku.h"
#include "provisioner/prices/source.h"

#include <errno.h>
#include <stdio.h>

#define PAGE_SIZE      5000
#define MAX_PAGES      1000
#define MAX_PAGE_BYTES (256UL * 1024 * 1024)
#define MAX_URL        4096

struct page {
    struct gcp_reader reader;
    const struct prices_scope *scope;
    struct found found; /* of this page alone, until it is complete */
};

static void begin_page(void *ctx)
{
    struct page *page = ctx;
    gcp_reader_deinit(&page->reader);
    gcp_reader_init(&page->reader, page->scope, &page->found);
    found_reset(&page->found);
}

static int feed_page(void *ctx, struct str chunk, struct error *err)
{
    return gcp_reader_feed(&((struct page *)ctx)->reader, chunk, err);
}

static int end_page(void *ctx, struct error *err)
{
    return gcp_reader_end(&((struct page *)ctx)->reader, err);
}

/* `token` holds the token of the page, and of the next one afterwards. */
static int read_page(struct fetch *fetch, const struct gcp_service *service, struct page *page, char *token,
                     size_t token_size, struct error *err)
{
    const struct fetch_reader reader = {begin_page, feed_page, end_page, page};
    struct buf url = BUF_INIT(MAX_URL);
    buf_printf(&url, "/v1/services/%s/skus?pageSize=%d", service->id, PAGE_SIZE);
    if (*token) {
        buf_append_text(&url, "&pageToken=");
        percent_encode(&url, str_from(token));
    }
    int code = fetch_get(fetch, buf_text(&url), MAX_PAGE_BYTES, &reader, err);
    if (!code && *token && strcmp(token, page->reader.next_token) == 0)
        code = error_set(err, ERR_PEER, "the page that follows a page is itself");
    (void)snprintf(token, token_size, "%s", page->reader.next_token);
    buf_deinit(&url);
    return code;
}

static int read_service(struct fetch *fetch, const struct prices_scope *scope,
                        const struct gcp_service *service, struct found *found, struct error *err)
{
    char token[sizeof(((struct gcp_reader *)0)->next_token)] = "";
    struct page page = {.scope = scope};
    found_init(&page.found, 0);
    gcp_reader_init(&page.reader, scope, &page.found);
    int code = 0;
    for (unsigned pages = 0; !code && (pages == 0 || *token); pages++) {
        code = pages < MAX_PAGES ? read_page(fetch, service, &page, token, sizeof token, err)
                                 : error_set(err, ERR_LIMIT, "more than %d pages", MAX_PAGES);
        if (!code)
            found_take(found, &page.found);
    }
    gcp_reader_deinit(&page.reader);
    found_deinit(&page.found);
    return code ? error_prefix(err, "%s", service->title) : 0;
}

static int read_gcp(struct fetch *fetch, const struct prices_scope *scope, struct found *found,
                    struct error *err)
{
    int code = read_service(fetch, scope, &gcp_services[0], found, err);
    for (const struct gcp_service *service = &gcp_services[1]; service->id && !code; service++) {
        code = read_service(fetch, scope, service, found, err);
        if (code == -ENOENT) /* sold under another id, or no more: its prices are named as not refreshed */
            code = 0;
    }
    if (code == ERR_AUTH)
        error_set_hint(err, "the key of GOOGLE_API_KEY must be good for the Cloud Billing API");
    return code;
}

const struct prices_source gcp_prices = {
    .provider = "gcp",
    .title = "Google's list prices",
    .url = "https://cloudbilling.googleapis.com",
    .url_variable = "FRAISEQL_PRICES_GCP_URL",
    .key_variable = "GOOGLE_API_KEY",
    .read = read_gcp,
};
