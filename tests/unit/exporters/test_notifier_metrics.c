/* What the notifier publishes through the hub. */
#include "tests/unit/exporters/notifier_harness.h"
#include "tests/unit/exporters/webhook_server.h"

#include "lib/metrics/snapshot.h"

static const char *refuse_bad(struct webhook_server *server, size_t number,
                              const struct server_request *request)
{
    (void)server;
    (void)number;
    return strstr(request->path, "/bad") ? ANSWER("503 Busy") : ANSWER("200 OK");
}

/* Value of the series with exactly these labels, NaN when it is not there. */
static double published(struct hub *hub, const char *family_name, const char *labels)
{
    double found = 0.0 / 0.0;
    struct hub_view *view = hub_view_take(hub, "collector", "notifier");
    for (uint32_t i = 0; i < view->part_count; i++) {
        const struct hub_part *part = &view->parts[i];
        if (!str_equal_text(part->family->name, family_name))
            continue;
        const struct shape *shape = part->snapshot->shape;
        for (uint32_t j = 0; j < part->family->series_count; j++) {
            const struct shape_series *series = &shape->series[part->family->first_series + j];
            if (str_equal_text(shape_series_text(shape, series), labels))
                found = value_to_double(snapshot_value(part->snapshot, series->slot));
        }
    }
    (void)hub_view_unref(view);
    return found;
}

static void wait_for(struct hub *hub, const char *family, const char *labels, double least)
{
    for (int i = 0; i < 6000; i++) {
        double value = published(hub, family, labels);
        if (value >= least)
            return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    ck_abort_msg("%s{%s} does not reach %g", family, labels, least);
}

START_TEST(results_depth_and_age_are_published_for_each_receiver)
{
    struct webhook_server server;
    server_listen(&server, refuse_bad);
    server_run(&server);
    char *folder = test_folder_new();
    char text[512];
    (void)snprintf(text, sizeof text,
                   "- { name: good, webhook: { url: http://127.0.0.1:%u/good } }\n"
                   "- { name: bad, webhook: { url: http://127.0.0.1:%u/bad } }\n",
                   server.port, server.port);
    struct harness h;
    harness_start(&h, folder, text);
    wait_for(h.hub, "fraiseql_notifications_total", "receiver=\"good\",result=\"delivered\"", 0);
    wait_for(h.hub, "fraiseql_notifications_total", "receiver=\"good\",result=\"dead\"", 0);
    harness_change(&h, (struct harness_change){
                           .incident = "i1", .receiver = "good", .receiver2 = "bad", .state = ALERT_FIRING});
    wait_for(h.hub, "fraiseql_notifications_total", "receiver=\"good\",result=\"delivered\"", 1);
    wait_for(h.hub, "fraiseql_notifications_total", "receiver=\"bad\",result=\"failed\"", 2);
    wait_for(h.hub, "fraiseql_notifications_pending", "receiver=\"bad\"", 1);
    wait_for(h.hub, "fraiseql_notifications_oldest_pending_seconds", "receiver=\"bad\"", 0.5);
    ck_assert(published(h.hub, "fraiseql_notifications_pending", "receiver=\"good\"") == 0);
    ck_assert(published(h.hub, "fraiseql_notifications_oldest_pending_seconds", "receiver=\"good\"") == 0);
    harness_stop(&h);
    server_stop(&server);
    test_folder_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    log_configure(LOG_ERROR, LOG_LOGFMT);
    Suite *s = suite_create("notifier_metrics");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, results_depth_and_age_are_published_for_each_receiver);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
