/* GET /api/v1/status and GET /sd. */
#include "collector/collector_internal.h"

#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "version.h"

#include <stdio.h>

static void write_target(void *ctx, const struct schedule_status *status)
{
    struct json_writer *json = ctx;
    json_object_begin(json);
    json_kv_text(json, "scraper", status->scraper);
    json_kv_text(json, "name", status->name);
    json_kv_text(json, "region", status->region);
    json_kv_bool(json, "up", status->up);
    json_key(json, "last_success");
    json_time(json, status->last_success_wall_ns);
    json_key(json, "last_duration_s");
    if (status->seen)
        json_f64(json, (double)status->last_duration_ns / 1e9);
    else
        json_null(json);
    json_kv_text(json, "error", status->error[0] ? status->error : NULL);
    json_kv_u64(json, "series", status->series);
    json_object_end(json);
}

static void write_probe(void *ctx, const struct probe_status *status)
{
    struct json_writer *json = ctx;
    json_object_begin(json);
    json_kv_text(json, "name", status->name);
    json_kv_text(json, "target", status->target);
    json_kv_text(json, "region", status->region);
    json_key(json, "up");
    if (status->seen && status->outcome != SLI_UNKNOWN)
        json_bool(json, status->outcome == SLI_GOOD);
    else
        json_null(json);
    json_key(json, "last_duration_s");
    if (status->seen && status->outcome == SLI_GOOD)
        json_f64(json, (double)status->last_duration_ns / 1e9);
    else
        json_null(json);
    json_kv_text(json, "error", status->error[0] ? status->error : NULL);
    json_object_end(json);
}

static const char *const type_names[] = {"untyped", "gauge", "counter", "histogram",
                                         "summary", "info",  "stateset"};

static void write_conflict(void *ctx, const struct hub_conflict *conflict)
{
    struct json_writer *json = ctx;
    json_object_begin(json);
    json_kv_text(json, "family", conflict->family);
    json_key(json, "kept");
    json_object_begin(json);
    json_kv_text(json, "scraper", conflict->kept_scraper);
    json_kv_text(json, "target", conflict->kept_target);
    json_kv_text(json, "type", type_names[conflict->kept_type]);
    json_object_end(json);
    json_key(json, "left_out");
    json_object_begin(json);
    json_kv_text(json, "scraper", conflict->left_out_scraper);
    json_kv_text(json, "target", conflict->left_out_target);
    json_kv_text(json, "type", type_names[conflict->left_out_type]);
    json_object_end(json);
    json_object_end(json);
}

void page_status(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)exchange;
    struct config *config = collector_config(collector);
    struct json_writer json;
    json_init(&json, &reply->body);
    json_object_begin(&json);
    json_kv_text(&json, "version", FRAISEQL_VERSION);
    json_kv_text(&json, "name", config->all.collector.name);
    json_kv_text(&json, "region", config->all.collector.region);
    json_kv_f64(&json, "uptime_s",
                (double)((clock_mono_ns() - collector->started_mono_ns) / NS_PER_MS) / 1e3);
    json_kv_bool(&json, "ready", flag_get(&collector->ready) != 0);
    json_key(&json, "targets");
    json_array_begin(&json);
    schedule_status(collector->schedule, write_target, &json);
    json_array_end(&json);
    json_key(&json, "probes");
    json_array_begin(&json);
    probe_set_status(collector->probes, write_probe, &json);
    json_array_end(&json);
    json_key(&json, "conflicts");
    json_array_begin(&json);
    hub_conflicts(collector->hub, write_conflict, &json);
    json_array_end(&json);
    json_object_end(&json);
    (void)config_unref(config);
    reply->status = 200;
    reply->content_type = "application/json";
}

/* --- /sd
 * ------------------------------------------------------------------------------------------------------ */

struct discovery {
    struct json_writer json;
    const char *address; /* of this collector, as the asker reached it */
};

static void write_entry(struct discovery *discovery, const char *name, const char *instance,
                        const char *region, const char *scraper)
{
    struct json_writer *json = &discovery->json;
    json_object_begin(json);
    json_key(json, "targets");
    json_array_begin(json);
    json_text(json, discovery->address);
    json_array_end(json);
    json_key(json, "labels");
    json_object_begin(json);
    json_kv_text(json, "__metrics_path__", "/metrics");
    json_kv_text(json, "__param_target", name);
    if (scraper) /* names are unique within a kind only */
        json_kv_text(json, "__param_scraper", scraper);
    json_kv_text(json, "instance", instance);
    json_kv_text(json, "target", name);
    json_kv_text(json, "region", region);
    json_object_end(json);
    json_object_end(json);
}

static void write_targets(struct discovery *discovery, const struct config *config)
{
    for (size_t k = 0; scraper_kinds[k]; k++) {
        const struct section_list *list = &config->all.scrapers[k];
        for (size_t i = 0; i < list->count; i++) {
            const struct scraper_target *target = config_element(list, scraper_kinds[k]->section, i);
            char instance[256];
            scraper_kinds[k]->address(target, instance, sizeof instance);
            write_entry(discovery, target->name, instance, target->region, scraper_kinds[k]->name);
        }
    }
}

void page_discovery(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    struct config *config = collector_config(collector);
    const struct config_collector *own = &config->all.collector;
    const char *host = http_header(exchange, "Host");
    struct discovery discovery = {.address = host && host[0] ? host : own->listen.text};
    json_init(&discovery.json, &reply->body);
    json_array_begin(&discovery.json);
    /* What the collector itself makes: probes, objectives, span metrics, its own health. */
    write_entry(&discovery, own->name, own->listen.text, own->region, NULL);
    write_targets(&discovery, config);
    json_array_end(&discovery.json);
    (void)config_unref(config);
    reply->status = 200;
    reply->content_type = "application/json";
}
