#include "provisioner/self_hosted/prometheus_config.h"

#include "provisioner/self_hosted/collector_internal.h"
#include "provisioner/self_hosted/near.h"

bool prometheus_keeps(const struct site *site)
{
    return site->deployment->monitoring.enabled && collector_keeper(site) == site;
}

void prometheus_config_write(const struct site *site, const char *rules, struct buf *out)
{
    buf_printf(
        out,
        "# Written by fraiseql deploy.\n"
        "global: { scrape_interval: 5s, evaluation_interval: 5s, external_labels: { prometheus: %s } }\n"
        "rule_files: [%s]\n",
        collector_scalar(site, site->region->name), rules);
    if (site->deployment->monitoring.alertmanager)
        buf_printf(out, "alerting: { alertmanagers: [{ static_configs: [{ targets: ['%s:%u'] }] }] }\n",
                   near_inner_address(site), site->layout->ports[PORT_ALERTMANAGER]);
    buf_append_text(out, "scrape_configs:\n"
                         "  - job_name: fraiseql\n"
                         "    # The collector's own labels target and region stay as they are.\n"
                         "    honor_labels: true\n"
                         "    http_sd_configs:\n");
    for (size_t i = 0; i < site->site_count; i++) {
        const struct site *of = &site->sites[i];
        if (strcmp(collector_keeper(of)->region->name, site->region->name) == 0)
            buf_printf(out, "      - { url: 'http://%s:%u/sd', refresh_interval: 15s }\n",
                       collector_address(of), of->layout->ports[PORT_COLLECTOR]);
    }
}

void alertmanager_config_write(const struct site *site, struct buf *out)
{
    const char *webhook = site->deployment->monitoring.webhook;
    buf_append_text(out, "# Written by fraiseql deploy.\n"
                         "route:\n"
                         "  receiver: people\n"
                         "  group_by: [alertname, region]\n"
                         "  group_wait: 5s\n"
                         "  group_interval: 1m\n"
                         "  repeat_interval: 4h\n");
    if (webhook)
        buf_append_text(out,
                        "  routes:\n"
                        "    # The collectors post these there themselves, signed and at least once.\n"
                        "    - { matchers: ['source=\"collector\"'], receiver: told-by-the-collector }\n");
    buf_append_text(out, "inhibit_rules:\n"
                         "  # A region that is down explains what else is wrong in it.\n"
                         "  - source_matchers: ['alertname=\"region-down\"']\n"
                         "    target_matchers: ['severity=~\"warning|ticket\"']\n"
                         "    equal: [region]\n"
                         "receivers:\n"
                         "  - name: people\n");
    if (webhook)
        buf_printf(out,
                   "    webhook_configs: [{ url: %s, send_resolved: true }]\n"
                   "  - name: told-by-the-collector\n",
                   collector_scalar(site, webhook));
}
