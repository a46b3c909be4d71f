#include "exporters/notifier_internal.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdlib.h>

/* --- settings */

static int read_secret(const char *receiver, const char *path, struct secret **ret_secret, struct error *err)
{
    if (!path)
        return 0;
    bool readable = false;
    int rc = secret_read_file(path, ret_secret, &readable, err);
    if (rc == 0 && readable)
        LOG_EVENT(LOG_WARN, "notify.secret_readable", LF_TEXT("receiver", receiver), LF_TEXT("file", path),
                  LF_TEXT("hint", "other users may read it: chmod 600"));
    return rc;
}

static int read_keys(const struct notify_config *config, struct webhook_keys **ret_keys, struct error *err)
{
    const char *path = config->webhook->secret_file;
    if (!path) {
        LOG_EVENT(LOG_WARN, "notify.unsigned", LF_TEXT("receiver", config->name),
                  LF_TEXT("hint", "without secret_file the receiver cannot tell who sent a delivery"));
        return 0;
    }
    /* For its check of the file's mode; the keys come from all lines. */
    struct secret *first CLEANUP(secret_free_cleanup) = NULL;
    int rc = read_secret(config->name, path, &first, err);
    bool short_key = false;
    if (rc == 0)
        rc = webhook_keys_load(path, ret_keys, &short_key, err);
    if (rc == 0 && short_key)
        LOG_EVENT(LOG_WARN, "notify.short_secret", LF_TEXT("receiver", config->name), LF_TEXT("file", path),
                  LF_TEXT("hint", "Standard Webhooks asks for 24 to 64 random bytes"));
    return rc;
}

int receiver_settings_load(const struct notify_config *config, struct receiver_settings *ret_settings,
                           struct error *err)
{
    struct receiver_settings settings = {.config = config};
    const struct notify_webhook *webhook = config->webhook;
    const struct http_credential_files *files =
        webhook ? &webhook->credentials : &config->alertmanager->credentials;
    int rc = webhook ? read_keys(config, &settings.keys, err) : 0;
    if (rc == 0)
        rc = read_secret(config->name, files->bearer_token_file, &settings.bearer_token, err);
    if (rc == 0)
        rc = read_secret(config->name, files->basic_password_file, &settings.basic_password, err);
    if (rc) {
        receiver_settings_deinit(&settings);
        return error_prefix(err, "notify: receiver %s", config->name);
    }
    *ret_settings = settings;
    return 0;
}

void receiver_settings_deinit(struct receiver_settings *settings)
{
    webhook_keys_free(settings->keys);
    secret_free(settings->bearer_token);
    secret_free(settings->basic_password);
    *settings = (struct receiver_settings){0};
}

/* --- receivers */

const struct receiver_ops *receiver_ops_for(const struct notify_config *config)
{
    return config->webhook ? &webhook_receiver_ops : &alertmanager_receiver_ops;
}

struct receiver *receiver_new(struct notifier *notifier, const char *name, const struct receiver_ops *ops)
{
    struct receiver *receiver = xcalloc(1, sizeof *receiver);
    receiver->notifier = notifier;
    receiver->name = xstrdup(name);
    receiver->ops = ops;
    ops->init(receiver);
    return receiver;
}

void receiver_free(struct receiver *receiver)
{
    receiver->ops->deinit(receiver);
    receiver_settings_deinit(&receiver->settings);
    free(receiver->name);
    free(receiver);
}

int64_t receiver_due_of(const struct journal_delivery *row)
{
    int64_t wait_ns = row->next_attempt_wall_ns - clock_wall_ns();
    if (wait_ns < 0)
        wait_ns = 0;
    if (wait_ns > DELIVERY_RETRY_AFTER_MAX_NS)
        wait_ns = DELIVERY_RETRY_AFTER_MAX_NS;
    return clock_mono_ns() + wait_ns;
}

struct journal_delivery receiver_row(const struct delivery *delivery, enum delivery_state state)
{
    return (struct journal_delivery){
        .id = delivery->id,
        .state = state,
        .attempts = delivery->attempts,
        .next_attempt_wall_ns = clock_wall_ns() + (delivery->due_mono_ns - clock_mono_ns()),
        .last_error = delivery->last_error,
    };
}

static void retry_stored(void *ctx, bool stored)
{
    (void)stored;
    struct receiver *receiver = ctx;
    receiver->in_flight--;
    notifier_reap(receiver->notifier);
}

void receiver_store_retry(struct receiver *receiver, const struct delivery *delivery)
{
    struct journal_delivery row = receiver_row(delivery, DELIVERY_PENDING);
    receiver->in_flight++;
    outbox_link_store(&receiver->notifier->link, &row, 1, false, retry_stored, receiver);
}

struct delivery_outcome receiver_outcome(const struct http_response *response, const struct error *err)
{
    struct delivery_outcome outcome = {.error = err};
    if (response && (!err || (response->status >= 200 && response->status < 300))) {
        outcome.status = response->status;
        outcome.retry_after = response->retry_after;
    }
    return outcome;
}
