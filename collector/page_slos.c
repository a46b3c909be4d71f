/* GET /api/v1/slos and GET /api/v1/incidents. */
#include "collector/collector_internal.h"

#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "lib/journal/outbox.h"

#include <ctype.h>

static void write_labels(struct json_writer *json, const struct alert_text *labels, size_t count)
{
    json_key(json, "labels");
    json_object_begin(json);
    for (size_t i = 0; i < count; i++)
        json_kv_text(json, labels[i].name, labels[i].value);
    json_object_end(json);
}

static void write_budget(struct json_writer *json, const struct sla_series_report *series)
{
    json_key(json, "error_budget");
    json_object_begin(json);
    json_kv_text(json, "basis", series->expected ? "expected" : "observed");
    json_kv_text(json, "allowed", series->has_allowed ? series->allowed : NULL);
    json_kv_u64(json, "spent", series->spent);
    json_key(json, "remaining_ratio");
    if (series->has_allowed)
        json_f64(json, series->remaining_ratio);
    else
        json_null(json);
    json_object_end(json);
}

static void write_burns(struct json_writer *json, const struct sla_series_report *series)
{
    json_key(json, "burn_rates");
    json_object_begin(json);
    for (size_t i = 0; i < series->burn_count; i++) {
        json_key(json, series->burns[i].window);
        if (series->burns[i].known)
            json_f64(json, series->burns[i].rate);
        else
            json_null(json);
    }
    json_object_end(json);
}

static void write_series(struct json_writer *json, const struct sla_series_report *series)
{
    json_object_begin(json);
    json_kv_text(json, "name", series->slo);
    write_labels(json, series->labels, series->label_count);
    json_kv_text(json, "objective", series->objective);
    json_kv_text(json, "window", series->window);
    json_key(json, "events");
    json_object_begin(json);
    json_kv_u64(json, "good", series->good);
    json_kv_u64(json, "total", series->total);
    json_kv_u64(json, "unknown", series->unknown);
    json_object_end(json);
    json_kv_text(json, "availability", series->has_availability ? series->availability : NULL);
    json_kv_f64(json, "covered_ratio", series->covered_ratio);
    write_budget(json, series);
    write_burns(json, series);
    json_object_end(json);
}

void page_slos(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)exchange;
    struct sla_report *report = sla_service_report(collector->sla);
    struct json_writer json;
    json_init(&json, &reply->body);
    json_object_begin(&json);
    json_key(&json, "as_of");
    json_time(&json, report->as_of_wall_ns);
    json_key(&json, "durable_until");
    json_time(&json, report->durable_until_wall_ns);
    json_key(&json, "slos");
    json_array_begin(&json);
    for (size_t i = 0; i < report->series_count; i++)
        write_series(&json, &report->series[i]);
    json_array_end(&json);
    json_object_end(&json);
    (void)sla_report_unref(report);
    reply->status = 200;
    reply->content_type = "application/json";
}

/* --- incidents
 * ------------------------------------------------------------------------------------------------ */

#define INCIDENTS_DEFAULT 100
#define INCIDENTS_MAX     1000

struct incident_query {
    const char *cursor;
    size_t limit;
    struct buf *out;
};

static void write_notification(struct json_writer *json, const struct journal_delivery *delivery)
{
    json_object_begin(json);
    json_kv_text(json, "receiver", delivery->receiver);
    json_kv_text(json, "event", delivery->event);
    json_kv_text(json, "state", delivery_state_text(delivery->state));
    json_kv_u64(json, "attempts", delivery->attempts);
    json_kv_text(json, "last_error",
                 delivery->last_error && delivery->last_error[0] ? delivery->last_error : NULL);
    json_object_end(json);
}

static void write_label_text(struct json_writer *json, const char *text)
{
    struct buf value = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    struct str name, raw;
    size_t cursor = 0;
    json_key(json, "labels");
    json_object_begin(json);
    while (label_text_next(str_from(text), &cursor, &name, &raw)) {
        char key[LIMIT_LABEL_NAME_BYTES + 1] = "";
        memcpy(key, name.ptr, name.len < LIMIT_LABEL_NAME_BYTES ? name.len : LIMIT_LABEL_NAME_BYTES);
        buf_reset(&value);
        label_unescape(raw, &value);
        json_kv_str(json, key, buf_str(&value));
    }
    json_object_end(json);
    buf_deinit(&value);
}

static int write_incident(struct json_writer *json, struct journal_txn *txn,
                          const struct journal_incident *incident, struct arena *arena, struct error *err)
{
    struct journal_delivery *deliveries;
    size_t count;
    int code = outbox_load_incident(txn, incident->id, arena, &deliveries, &count, err);
    if (code)
        return code;
    json_object_begin(json);
    json_kv_text(json, "id", incident->id);
    json_kv_text(json, "trigger", incident->trigger);
    write_label_text(json, incident->labels);
    json_kv_text(json, "state", incident->state);
    json_key(json, "started");
    json_time(json, incident->started_wall_ns);
    json_key(json, "resolved");
    json_time(json, incident->resolved_wall_ns);
    json_key(json, "notifications");
    json_array_begin(json);
    for (size_t i = 0; i < count; i++)
        write_notification(json, &deliveries[i]);
    json_array_end(json);
    json_object_end(json);
    return 0;
}

static int write_incidents(struct journal_txn *txn, void *arg, struct error *err)
{
    struct incident_query *query = arg;
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct journal_incident *incidents;
    size_t count;
    /* One more than asked for tells whether there is a next page. */
    int code = incident_list(txn, query->cursor, query->limit + 1, arena, &incidents, &count, err);
    if (code)
        return code;
    size_t shown = count > query->limit ? query->limit : count;
    struct json_writer json;
    json_init(&json, query->out);
    json_object_begin(&json);
    json_key(&json, "incidents");
    json_array_begin(&json);
    for (size_t i = 0; i < shown && !code; i++)
        code = write_incident(&json, txn, &incidents[i], arena, err);
    json_array_end(&json);
    json_kv_text(&json, "next", count > shown && shown ? incidents[shown - 1].id : NULL);
    json_object_end(&json);
    return code;
}

/* The form of a UUID. Whether it is still stored does not matter: listing goes on below it. */
static bool is_incident_id(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[36] == '\0';
}

void page_incidents(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    const char *limit_text = http_query(exchange, "limit"), *cursor = http_query(exchange, "cursor");
    uint64_t limit = INCIDENTS_DEFAULT;
    if (limit_text && (!str_to_u64(str_from(limit_text), &limit) || limit < 1 || limit > INCIDENTS_MAX)) {
        reply->status = 400;
        buf_printf(&reply->body, "limit must be a number from 1 to %d\n", INCIDENTS_MAX);
        return;
    }
    if (cursor && cursor[0] && !is_incident_id(cursor)) {
        reply->status = 400;
        buf_printf(&reply->body, "cursor must be the `next` of an answer before\n");
        return;
    }
    struct config *config = collector_config(collector);
    struct incident_query query = {
        .cursor = cursor && cursor[0] ? cursor : NULL, .limit = (size_t)limit, .out = &reply->body};
    struct error err = {0};
    int code = journal_read(config->all.collector.journal, write_incidents, &query, &err);
    (void)config_unref(config);
    if (code) {
        buf_reset(&reply->body);
        reply->status = 503;
        reply->retry_after_s = 1;
        buf_printf(&reply->body, "%s\n", err.message);
        return;
    }
    reply->status = 200;
    reply->content_type = "application/json";
}
