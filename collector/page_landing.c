/* GET / and GET /config: pages for people. */
#include "collector/collector_internal.h"

#include "version.h"

static void append_html(struct buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_append_text(out, "&amp;");
            break;
        case '<':
            buf_append_text(out, "&lt;");
            break;
        case '>':
            buf_append_text(out, "&gt;");
            break;
        case '"':
            buf_append_text(out, "&quot;");
            break;
        default:
            buf_append_byte(out, *text);
        }
    }
}

static const struct {
    const char *path, *what;
} links[] = {
    {"/metrics", "everything in Prometheus' text format or OpenMetrics"},
    {"/sd", "targets for Prometheus' HTTP service discovery"},
    {"/api/v1/status", "targets, probes, conflicts"},
    {"/api/v1/slos", "objectives, error budgets, burn rates"},
    {"/api/v1/incidents", "incidents and their notifications"},
    {"/config", "the effective configuration"},
    {"/-/healthy", "liveness"},
    {"/-/ready", "readiness"},
};

struct counts {
    struct buf *out;
    size_t targets, targets_up;
};

static void write_target(void *ctx, const struct schedule_status *status)
{
    struct counts *counts = ctx;
    counts->targets++;
    counts->targets_up += status->up ? 1 : 0;
    buf_append_text(counts->out, "<tr><td>");
    append_html(counts->out, status->scraper);
    buf_append_text(counts->out, "</td><td>");
    append_html(counts->out, status->name);
    buf_append_text(counts->out, "</td><td>");
    append_html(counts->out, status->region);
    buf_append_text(counts->out, status->up ? "</td><td>up</td><td>" : "</td><td><b>down</b></td><td>");
    append_html(counts->out, status->error);
    buf_append_text(counts->out, "</td></tr>\n");
}

void page_landing(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)exchange;
    struct config *config = collector_config(collector);
    struct buf *out = &reply->body;
    buf_append_text(out,
                    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                    "<meta name=\"viewport\" content=\"width=device-width\"><title>fraiseql-collector</title>"
                    "<style>body{font:16px/1.5 sans-serif;margin:2em;max-width:60em}"
                    "td{padding:0 1em 0 0;vertical-align:top}</style><h1>");
    append_html(out, config->all.collector.name);
    buf_append_text(out, "</h1><p>fraiseql-collector " FRAISEQL_VERSION ", region ");
    append_html(out, config->all.collector.region);
    buf_append_text(out, "</p><ul>\n");
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        buf_printf(out, "<li><a href=\"%s\">%s</a>: %s</li>\n", links[i].path, links[i].path, links[i].what);
    buf_append_text(out, "</ul><h2>Targets</h2><table>\n");
    struct counts counts = {.out = out};
    schedule_status(collector->schedule, write_target, &counts);
    buf_printf(out, "</table><p>%zu of %zu up</p></html>\n", counts.targets_up, counts.targets);
    (void)config_unref(config);
    reply->status = 200;
    reply->content_type = "text/html; charset=utf-8";
    reply->security_policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
}

void page_config(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)exchange;
    struct config *config = collector_config(collector);
    config_dump(config, &reply->body);
    (void)config_unref(config);
    reply->status = 200;
    reply->content_type = "application/yaml; charset=utf-8";
}
