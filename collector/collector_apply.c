/* What a generation of the configuration changes, and the order in which parts take it over. */
#include "collector/collector_internal.h"

#include "collector/loop_call.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdlib.h>

struct apply {
    struct collector *collector;
    struct config *config;
};

static const void **pointers_to(const struct section_list *list, const struct option_section *section)
{
    const void **pointers = xcalloc(list->count + 1, sizeof *pointers);
    for (size_t i = 0; i < list->count; i++)
        pointers[i] = config_element(list, section, i);
    return pointers;
}

static int apply_notifier(void *arg, struct error *err)
{
    struct apply *apply = arg;
    const struct section_list *list = &apply->config->all.notify;
    const void **receivers = pointers_to(list, &notify_section);
    int code = notifier_configure(apply->collector->notifier, (const struct notify_config *const *)receivers,
                                  list->count, err);
    free(receivers);
    return code;
}

static int apply_probes(void *arg, struct error *err)
{
    struct apply *apply = arg;
    const struct section_list *list = &apply->config->all.probes;
    const void **probes = pointers_to(list, &probe_section);
    int code = probe_set_configure(apply->collector->probes, (const struct probe_config *const *)probes,
                                   list->count, err);
    free(probes);
    return code;
}

static int apply_traffic(void *arg, struct error *err)
{
    struct apply *apply = arg;
    (void)err;
    traffic_configure(apply->collector->traffic, apply->config->all.traffic);
    return 0;
}

static int apply_schedule(void *arg, struct error *err)
{
    struct apply *apply = arg;
    (void)err;
    schedule_configure(apply->collector->schedule, apply->config);
    return 0;
}

static int read_token(const struct config *config, struct secret **ret_token, struct error *err)
{
    const char *path = config->all.collector.token_file;
    *ret_token = NULL;
    if (!path)
        return 0;
    bool world_readable = false;
    int code = secret_read_file(path, ret_token, &world_readable, err);
    if (code)
        return error_prefix(err, "collector.token_file");
    if (world_readable)
        LOG_EVENT(LOG_WARN, "secret.world_readable", LF_TEXT("path", path));
    return 0;
}

/* NULL without `traffic:`. */
static int read_traffic_keys(const struct config *config, struct webhook_keys **ret_keys, struct error *err)
{
    bool short_key = false;
    *ret_keys = NULL;
    if (!config->all.traffic)
        return 0;
    int code = webhook_keys_load(config->all.traffic->secret_file, ret_keys, &short_key, err);
    if (code)
        return error_prefix(err, "traffic");
    if (short_key)
        LOG_EVENT(LOG_WARN, "secret.short", LF_TEXT("path", config->all.traffic->secret_file));
    return 0;
}

static void install(struct collector *collector, struct config *config, struct secret *token,
                    struct webhook_keys *keys)
{
    (void)pthread_mutex_lock(&collector->config_lock);
    struct config *former = collector->config;
    struct secret *former_token = collector->token;
    collector->config = config_ref(config);
    collector->token = token;
    struct webhook_keys *former_keys = collector->traffic_keys;
    collector->traffic_keys = keys;
    (void)pthread_mutex_unlock(&collector->config_lock);
    (void)config_unref(former);
    secret_free(former_token);
    webhook_keys_free(former_keys);
}

/* Every part in turn; the first that refuses ends it. */
static int take_over(struct collector *collector, struct config *config, bool first, struct error *err)
{
    struct apply apply = {collector, config};
    int code = loop_call(collector->loops[LOOP_EGRESS], "notifier_configure", apply_notifier, &apply, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_EGRESS], "traffic_configure", apply_traffic, &apply, err);
    if (!code && !first)
        code = collector_reconfigure_sla(collector, config, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_CONTROL], "probe_set_configure", apply_probes, &apply, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_SCRAPE], "schedule_configure", apply_schedule, &apply, err);
    return code;
}

/* Some parts have the refused generation already and borrow from it: all are given the present one again. */
static void go_back(struct collector *collector, struct config *refused)
{
    struct error err = {0};
    if (take_over(collector, collector->config, false, &err) == 0)
        return;
    (void)config_ref(refused); /* a part may still borrow from it: it stays for good */
    LOG_EVENT(LOG_ERROR, "config.not_restored", LF_ERROR(&err));
}

int collector_apply(struct collector *collector, struct config *config, bool first, struct error *err)
{
    struct secret *token;
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = NULL;
    int code = read_token(config, &token, err);
    if (code)
        return code;
    code = read_traffic_keys(config, &keys, err);
    if (code) {
        secret_free(token);
        return code;
    }
    code = take_over(collector, config, first, err);
    if (code) {
        secret_free(token);
        if (!first)
            go_back(collector, config);
        return code;
    }
    hub_set_max_series(collector->hub, (uint64_t)config->all.collector.limits.series);
    /* The former generation stays alive until every part above has let go of it. */
    install(collector, config, token, TAKE(keys));
    region_info_publish(collector, config);
    flag_set(&collector->reload_ok, 1);
    flag_set(&collector->files_refused, (int64_t)config->files_refused);
    flag_set(&collector->reload_wall_ns, clock_wall_ns());
    return 0;
}

static void configure_log(const struct collector *collector, const struct config *config)
{
    const struct config_log *log = &config->all.collector.log;
    const struct collector_overrides *overrides = &collector->overrides;
    log_configure((enum log_level)(overrides->log_level >= 0 ? overrides->log_level : log->level),
                  (enum log_format)(overrides->log_format >= 0 ? overrides->log_format : log->format));
}

static int reload(struct collector *collector, struct diag *diag)
{
    struct config *config;
    int code = config_load(collector->config->path, false, &config, diag);
    if (code)
        return code;
    char changed[NODE_PATH_MAX];
    /* What needs a restart is as it was at the start, whatever reloads have said since. */
    if (config_needs_restart(collector->first_config, config, changed))
        (void)diag_add(diag, DIAG_WARNING, config->path, 0, 0,
                       "%s has changed: that takes effect at the next start only", changed);
    struct error err = {0};
    code = collector_apply(collector, config, false, &err);
    if (code)
        diag_add_error(diag, DIAG_ERROR, &err);
    else
        configure_log(collector, config);
    (void)config_unref(config);
    return code;
}

int collector_reload(struct collector *collector, struct diag *diag)
{
    (void)pthread_mutex_lock(&collector->reload_lock);
    counter_add(&collector->reloads, 1);
    int code = reload(collector, diag);
    if (code) {
        counter_add(&collector->reload_failures, 1);
        flag_set(&collector->reload_ok, 0);
    }
    (void)pthread_mutex_unlock(&collector->reload_lock);
    return code;
}
