/* GET /metrics: which sources and families, in which form; rendering is exporters/exposition. */
#include "collector/collector_internal.h"

#include "exporters/exposition.h"

#define GZIP_LEVEL   1 /* six is 1.3 times smaller and three times dearer */
#define MAX_SELECTED 256

struct selection {
    const char *target;
    const char *own_name; /* of the collector: target=NAME picks everything that is not a target's */
    const char *scrapers[MAX_SELECTED];
    const char *names[MAX_SELECTED];
    size_t scraper_count, name_count;
    bool overflow;
};

static void add(struct selection *selection, const char **list, size_t *count, const char *value)
{
    if (*count == MAX_SELECTED)
        selection->overflow = true;
    else
        list[(*count)++] = value;
}

static void add_scraper(void *ctx, const char *value)
{
    struct selection *selection = ctx;
    add(selection, selection->scrapers, &selection->scraper_count, value);
}

static void add_name(void *ctx, const char *value)
{
    struct selection *selection = ctx;
    add(selection, selection->names, &selection->name_count, value);
}

static bool scraper_chosen(const struct selection *selection, const char *scraper)
{
    for (size_t i = 0; i < selection->scraper_count; i++) {
        if (strcmp(selection->scrapers[i], scraper) == 0)
            return true;
    }
    return selection->scraper_count == 0;
}

static bool choose(void *ctx, const char *scraper, const char *target)
{
    const struct selection *selection = ctx;
    if (!scraper_chosen(selection, scraper))
        return false;
    if (!selection->target)
        return true;
    /* A target may be named as the collector is; /sd asks for it with its scraper, for our own without one.
     */
    bool own = !scraper_kind_find(scraper), names_own = strcmp(selection->target, selection->own_name) == 0;
    if (own || (names_own && !selection->scraper_count))
        return own && (names_own || strcmp(selection->target, target) == 0);
    return strcmp(selection->target, target) == 0;
}

static struct hub_view *take_view(struct collector *collector, struct selection *selection)
{
    if (!selection->target && !selection->scraper_count)
        return hub_view_take(collector->hub, NULL, NULL);
    return hub_view_take_filtered(collector->hub, choose, selection);
}

static ssize_t pull(void *ctx, char *out, size_t max)
{
    return (ssize_t)exposition_pull(ctx, out, max);
}

static void free_exposition(void *ctx)
{
    exposition_free(ctx);
}

void page_metrics(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    struct config *config = collector_config(collector);
    struct selection selection = {.target = http_query(exchange, "target"),
                                  .own_name = config->all.collector.name};
    http_query_each(exchange, "collect[]", add_scraper, &selection);
    http_query_each(exchange, "scraper", add_scraper, &selection);
    http_query_each(exchange, "name[]", add_name, &selection);
    if (selection.overflow) {
        reply->status = 400;
        buf_printf(&reply->body, "at most %d of collect[] and of name[] may be given\n", MAX_SELECTED);
        (void)config_unref(config);
        return;
    }
    struct exposition_choice choice;
    exposition_negotiate(http_header(exchange, "Accept"), http_header(exchange, "Accept-Encoding"), &choice);
    const struct exposition_options options = {.format = choice.format,
                                               .gzip_level = choice.gzip ? GZIP_LEVEL : 0,
                                               .names = selection.names,
                                               .name_count = selection.name_count};
    reply->status = 200;
    buf_append_text(&reply->type_text, choice.content_type);
    reply->content_type = buf_text(&reply->type_text);
    reply->content_encoding = choice.gzip ? "gzip" : NULL;
    reply->vary = EXPOSITION_VARY;
    reply->pull = pull;
    reply->pull_ctx = exposition_new(take_view(collector, &selection), &options);
    reply->pull_free = free_exposition;
    (void)config_unref(config);
}
