/* A notifier with a real journal, hub, resolver, HTTP client and loop, driven from the test's thread. */
#ifndef FRAISEQL_TESTS_NOTIFIER_HARNESS_H
#define FRAISEQL_TESTS_NOTIFIER_HARNESS_H

#include "exporters/notifier.h"
#include "exporters/notify_config.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct harness {
    char *folder;
    struct journal *journal;
    struct hub *hub;
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *http;
    struct notifier *notifier;
    struct arena *arena;
    const struct notify_config **configs;
    size_t config_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    int rc;
    struct error err;
};

static void harness_signal(void *arg)
{
    struct harness *h = arg;
    (void)pthread_mutex_lock(&h->lock);
    h->done = true;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
}

static void harness_wait(struct harness *h)
{
    (void)pthread_mutex_lock(&h->lock);
    while (!h->done)
        (void)pthread_cond_wait(&h->changed, &h->lock);
    h->done = false;
    (void)pthread_mutex_unlock(&h->lock);
}

static void harness_configure_on_loop(void *arg)
{
    struct harness *h = arg;
    h->rc = notifier_configure(h->notifier, h->configs, h->config_count, &h->err);
    harness_signal(h);
}

static void harness_start_on_loop(void *arg)
{
    struct harness *h = arg;
    h->rc = http_client_new(h->loop, h->resolver, &(struct http_client_options){.user_agent = "test"},
                            &h->http, &h->err);
    struct notifier_options options = {.loop = h->loop,
                                       .http = h->http,
                                       .journal = h->journal,
                                       .hub = h->hub,
                                       .observer = "test",
                                       .external_url = "http://127.0.0.1:9480"};
    if (h->rc == 0)
        h->rc = notifier_new(&options, &h->notifier, &h->err);
    if (h->rc == 0)
        h->rc = notifier_configure(h->notifier, h->configs, h->config_count, &h->err);
    if (h->rc == 0)
        h->rc = notifier_start(h->notifier, &h->err);
    harness_signal(h);
}

static void harness_free_notifier(void *arg)
{
    struct harness *h = arg;
    notifier_free(h->notifier, harness_signal, h);
}

static void harness_free_http(void *arg)
{
    struct harness *h = arg;
    http_client_free(h->http, harness_signal, h);
}

static void harness_call(struct harness *h, loop_fn *fn)
{
    ck_assert(loop_post(h->loop, "test", fn, h));
    harness_wait(h);
}

/* `text` is the YAML list of `notify:`. Configurations stay until the end, as the notifier asks for. */
static void harness_parse(struct harness *h, const char *text)
{
    struct node *root;
    struct diag diag CLEANUP(diag_deinit);
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(h->arena, "notify.yaml", str_from(text), &root, &diag), 0);
    h->config_count = root->count;
    h->configs = arena_zalloc(h->arena, (root->count + 1) * sizeof(struct notify_config *));
    for (size_t i = 0; i < root->count; i++) {
        struct notify_config *config = arena_zalloc(h->arena, sizeof *config);
        int rc = option_parse(&notify_section, root->items[i], h->arena, config, &diag);
        if (rc)
            diag_print(&diag, 2);
        ck_assert_int_eq(rc, 0);
        h->configs[i] = config;
    }
}

static UNUSED void harness_reconfigure(struct harness *h, const char *text)
{
    harness_parse(h, text);
    harness_call(h, harness_configure_on_loop);
    ck_assert_msg(h->rc == 0, "%s", h->err.message);
}

static void harness_begin(struct harness *h, char *folder)
{
    *h = (struct harness){.folder = folder, .arena = arena_new(0)};
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->changed, NULL);
    char *path = test_path(folder, "journal.db");
    ck_assert_msg(journal_open(path, &h->journal, &h->err) == 0, "%s", h->err.message);
    free(path);
    h->hub = hub_new(&(struct hub_options){0});
    ck_assert_int_eq(resolver_new(2, &h->resolver, &h->err), 0);
    ck_assert_int_eq(loop_new("egress", &h->loop, &h->err), 0);
    ck_assert_int_eq(loop_start(h->loop, &h->err), 0);
}

static UNUSED void harness_start(struct harness *h, char *folder, const char *text)
{
    harness_begin(h, folder);
    harness_parse(h, text);
    harness_call(h, harness_start_on_loop);
    ck_assert_msg(h->rc == 0, "%s", h->err.message);
}

static UNUSED void harness_stop(struct harness *h)
{
    if (h->notifier)
        harness_call(h, harness_free_notifier);
    harness_call(h, harness_free_http);
    loop_stop(h->loop);
    loop_join(h->loop);
    loop_free(h->loop);
    resolver_free(h->resolver);
    hub_free(h->hub);
    journal_close(h->journal, clock_mono_ns() + 10 * NS_PER_S);
    arena_free(h->arena);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->changed);
}

/* --- incidents */

struct harness_change {
    struct harness *h;
    const char *incident, *receiver, *receiver2, *region;
    enum alert_state state;
    int64_t started_wall_ns, resolved_wall_ns;
};

static int harness_change_work(struct journal_txn *txn, void *arg, struct error *err)
{
    const struct harness_change *change = arg;
    const struct alert_text labels[] = {{"alertname", "region-down"},
                                        {"severity", "page"},
                                        {"region", change->region ? change->region : "eu"}};
    const struct alert_text annotations[] = {{"summary", "API down"}};
    struct alert alert = {.incident_id = change->incident,
                          .trigger = "region-down",
                          .state = change->state,
                          .labels = labels,
                          .label_count = ARRAY_LEN(labels),
                          .annotations = annotations,
                          .annotation_count = ARRAY_LEN(annotations),
                          .started_wall_ns = change->started_wall_ns,
                          .resolved_wall_ns = change->resolved_wall_ns};
    struct buf payload CLEANUP(buf_deinit) = BUF_INIT(65536);
    notifier_encode_alert(&alert, &payload);
    struct journal_incident incident = {.id = change->incident,
                                        .trigger = "region-down",
                                        .labels = "region=\"eu\"",
                                        .state = alert_state_text(change->state),
                                        .started_wall_ns = change->started_wall_ns,
                                        .resolved_wall_ns = change->resolved_wall_ns,
                                        .payload = buf_str(&payload)};
    int rc = incident_put(txn, &incident, err);
    if (rc == 0)
        rc = notifier_store(change->h->notifier, txn, &alert, change->receiver, err);
    if (rc == 0 && change->receiver2)
        rc = notifier_store(change->h->notifier, txn, &alert, change->receiver2, err);
    return rc;
}

static UNUSED void harness_change(struct harness *h, struct harness_change change)
{
    change.h = h;
    if (!change.started_wall_ns)
        change.started_wall_ns = clock_wall_ns();
    if (change.state == ALERT_RESOLVED && !change.resolved_wall_ns)
        change.resolved_wall_ns = clock_wall_ns();
    ck_assert_msg(journal_run(h->journal, harness_change_work, &change, &h->err) == 0, "%s", h->err.message);
    notifier_wake(h->notifier);
}

struct harness_rows {
    const char *incident;
    struct arena *arena;
    struct journal_delivery *rows;
    size_t count;
};

static int harness_rows_work(struct journal_txn *txn, void *arg, struct error *err)
{
    struct harness_rows *rows = arg;
    return outbox_load_incident(txn, rows->incident, rows->arena, &rows->rows, &rows->count, err);
}

/* Reads the deliveries of an incident until all of a receiver are in the state; the journal is the event's
 * only witness, so it is asked again and again. */
static UNUSED void harness_wait_rows(struct harness *h, const char *incident, const char *receiver,
                                     size_t least, enum delivery_state state, struct harness_rows *ret_rows)
{
    for (int i = 0; i < 6000; i++) {
        *ret_rows = (struct harness_rows){.incident = incident, .arena = h->arena};
        ck_assert_int_eq(journal_run(h->journal, harness_rows_work, ret_rows, &h->err), 0);
        size_t there = 0;
        for (size_t j = 0; j < ret_rows->count; j++)
            there += strcmp(ret_rows->rows[j].receiver, receiver) == 0 && ret_rows->rows[j].state == state;
        if (there >= least)
            return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    ck_abort_msg("the deliveries of %s to %s do not become %s", incident, receiver,
                 delivery_state_text(state));
}

#endif
