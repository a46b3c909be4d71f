/* Whole scrapes against a small API server whose answers a test chooses. */
#include "scrapers/kubernetes/kubernetes.h"

#include "scrapers/kubernetes/kubernetes_config.h"
#include "tests/support/test_server.h"
#include "tests/unit/scrapers/loop_rig.h"

struct fixture {
    struct rig rig;
    struct scraper_env env;
    struct kubernetes_config config;
    struct arena *arena;
    struct test_server *server;
    char *folder;
    void *state;
    int64_t patience_ns;
    unsigned tries;      /* of the handler, under the server's own order: one request at a time */
    char paths[64][256]; /* asked for */
    unsigned path_count;
    /* Under rig.lock. */
    bool done, destroyed, failed;
    struct snapshot *snapshot;
    struct error err;
};

static struct fixture fixture;
static pthread_mutex_t paths_lock = PTHREAD_MUTEX_INITIALIZER;

#define JSON "Content-Type: application/json\r\n"
#define POD(name)                                                                                            \
    "{\"metadata\":{\"name\":\"" name                                                                        \
    "\",\"namespace\":\"ns\",\"uid\":\"u\"},\"status\":{\"phase\":\"Running\"}}"
#define NODE(name)  "{\"metadata\":{\"name\":\"" name "\"}}"
#define NEXT(token) "\"metadata\":{\"continue\":\"" token "\"},"

static bool send_list(int fd, const char *body)
{
    return test_server_answer(fd, "200 OK", JSON, str_from(body));
}

static bool send_status(int fd, const char *status, const char *headers, const char *body)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s%s", JSON, headers);
    return test_server_answer(fd, status, text, str_from(body));
}

/* The behaviour of a server is chosen by the first part of its address. */
static bool answer_pods(const char *mode, const char *query, int fd)
{
    bool first = !strstr(query, "continue=");
    if (strcmp(mode, "paged") == 0)
        return first ? send_list(fd, "{" NEXT("a+/=") "\"items\":[" POD("p1") "]}")
               : strstr(query, "continue=a%2B%2F%3D")
                   ? send_list(fd, "{" NEXT("b") "\"items\":[" POD("p2") "]}")
                   : send_list(fd, "{\"items\":[" POD("p3") "]}");
    if (strcmp(mode, "expired") == 0 && !first && !strstr(query, "continue=rest"))
        return send_status(fd, "410 Gone", "",
                           "{\"reason\":\"Expired\",\"metadata\":{\"continue\":\"rest\"}}");
    if (strcmp(mode, "expired") == 0)
        return send_list(fd, first ? "{" NEXT("old") "\"items\":[" POD("p1") "]}"
                                   : "{\"items\":[" POD("p2") "]}");
    if (strcmp(mode, "gone") == 0)
        return first ? send_list(fd, "{" NEXT("old") "\"items\":[" POD("p1") "]}")
                     : send_status(fd, "410 Gone", "", "{\"reason\":\"Expired\"}");
    if (strcmp(mode, "forbidden") == 0)
        return send_status(fd, "403 Forbidden", "", "{\"message\":\"pods is forbidden\"}");
    if (strcmp(mode, "busy") == 0 && fixture.tries++ < 2)
        return send_status(fd, "429 Too Many Requests", "Retry-After: 0\r\n", "{}");
    if (strcmp(mode, "half") == 0 && !first)
        return send_list(fd, "{\"items\":[" POD("p2") ",{\"metadata\":{\"na");
    if (strcmp(mode, "half") == 0)
        return send_list(fd, "{" NEXT("x") "\"items\":[" POD("p1") "]}");
    if (strcmp(mode, "large") == 0 && strstr(query, "limit=1")) /* 1 to 19 */
        return send_list(fd, "{\"items\":[" POD("small") "]}");
    if (strcmp(mode, "large") == 0) {
        struct buf body = BUF_INIT(1 << 20);
        buf_printf(&body, "{\"pad\":\"%0100000d\",\"items\":[]}", 1);
        bool sent = send_list(fd, buf_text(&body));
        buf_deinit(&body);
        return sent;
    }
    if (strcmp(mode, "hang") == 0) {
        test_server_wait_close(fd);
        return false;
    }
    return send_list(fd, "{\"items\":[" POD("p1") "]}");
}

static bool answer_cadvisor(const char *path, int fd)
{
    char page[512];
    if (strstr(path, "/n2/"))
        return send_status(fd, "503 Service Unavailable", "", "{\"message\":\"dial tcp: no route\"}");
    int64_t now_ms = clock_wall_ns() / NS_PER_MS;
    (void)snprintf(
        page, sizeof page,
        "# TYPE container_cpu_usage_seconds_total counter\n"
        "container_cpu_usage_seconds_total{id=\"/a\",namespace=\"ns\",pod=\"p\"} 5 %lld\n"
        "container_cpu_usage_seconds_total{id=\"/b\",namespace=\"ns\",pod=\"old\"} 5 %lld\n"
        "container_cpu_usage_seconds_total{id=\"/c\",namespace=\"other\",pod=\"p\"} 5\n"
        "container_cpu_usage_seconds_total{id=\"/system.slice\",namespace=\"\"} 5\n"
        "container_cpu_usage_seconds_total{id=\"/\"} 9\nmachine_cpu_cores 4\ncontainer_tasks_state 1\n",
        (long long)now_ms - 1000, (long long)now_ms - 600000);
    return test_server_answer(fd, "200 OK", "Content-Type: text/plain; version=0.0.4\r\n", str_from(page));
}

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    char mode[32] = "";
    const char *path = exchange->path;
    const char *rest = strchr(path + 1, '/');
    memcpy(mode, path + 1, (size_t)(rest - path - 1));
    pthread_mutex_lock(&paths_lock);
    if (fixture.path_count < ARRAY_LEN(fixture.paths))
        (void)snprintf(fixture.paths[fixture.path_count++], sizeof fixture.paths[0], "%s", rest);
    pthread_mutex_unlock(&paths_lock);
    if (strcmp(mode, "token") == 0 && !strstr(exchange->head, "Authorization: Bearer two"))
        return send_status(exchange->fd, "401 Unauthorized", "", "{\"message\":\"Unauthorized\"}");
    if (strstr(rest, "/proxy/metrics/cadvisor"))
        return answer_cadvisor(rest, exchange->fd);
    if (strcmp(mode, "stuck") == 0 && strstr(rest, "/metrics.k8s.io/")) {
        test_server_wait_close(exchange->fd);
        return false;
    }
    if (strstr(rest, "/pods?"))
        return answer_pods(mode, rest, exchange->fd);
    if (strcmp(mode, "forbidden") == 0)
        return send_status(exchange->fd, "403 Forbidden", "", "{\"message\":\"no\"}");
    if (strstr(rest, "/nodes?"))
        return send_list(exchange->fd, "{\"items\":[" NODE("n1") "," NODE("n2") "," NODE("n3") "]}");
    return send_list(exchange->fd, "{\"items\":[]}");
}

static void open_all(void)
{
    fixture =
        (struct fixture){.arena = arena_new(0), .patience_ns = 20 * NS_PER_S, .folder = test_folder_new()};
    rig_open(&fixture.rig);
    fixture.server = test_server_new(answer, NULL);
    fixture.env = (struct scraper_env){.loop = fixture.rig.loop,
                                       .resolver = fixture.rig.resolver,
                                       .http = fixture.rig.http,
                                       .observer = "tester"};
}

static void close_all(void)
{
    rig_close(&fixture.rig);
    test_server_free(fixture.server);
    snapshot_unref(fixture.snapshot);
    arena_free(fixture.arena);
    test_folder_remove(fixture.folder);
}

static void create(void *arg)
{
    (void)arg;
    ck_assert_int_eq(kubernetes_scraper.create(&fixture.env, &fixture.config, &fixture.state, &fixture.err),
                     0);
}

static void on_done(void *ctx, struct snapshot *snapshot, const struct error *err)
{
    (void)ctx;
    pthread_mutex_lock(&fixture.rig.lock);
    ck_assert(!fixture.done);
    fixture.done = true;
    snapshot_unref(fixture.snapshot);
    fixture.snapshot = snapshot;
    fixture.failed = err != NULL;
    if (err)
        fixture.err = *err;
    ck_assert((snapshot == NULL) == (err != NULL));
    pthread_cond_broadcast(&fixture.rig.changed);
    pthread_mutex_unlock(&fixture.rig.lock);
}

static void begin(void *arg)
{
    (void)arg;
    fixture.done = false;
    kubernetes_scraper.scrape(fixture.state, clock_mono_ns() + fixture.patience_ns, on_done, NULL);
}

static bool is_done(void *arg)
{
    (void)arg;
    return fixture.done;
}

static void scrape(void)
{
    rig_call(&fixture.rig, begin, NULL);
    rig_wait(&fixture.rig, is_done, NULL);
}

static void on_destroyed(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&fixture.rig.lock);
    fixture.destroyed = true;
    pthread_cond_broadcast(&fixture.rig.changed);
    pthread_mutex_unlock(&fixture.rig.lock);
}

static bool is_destroyed(void *arg)
{
    (void)arg;
    return fixture.destroyed;
}

static void begin_destroy(void *arg)
{
    (void)arg;
    fixture.destroyed = false;
    kubernetes_scraper.destroy(fixture.state, on_destroyed, NULL);
}

static void destroy(void)
{
    rig_call(&fixture.rig, begin_destroy, NULL);
    rig_wait(&fixture.rig, is_destroyed, NULL);
}

static void write_token(const char *token)
{
    char *path = test_path(fixture.folder, "token");
    test_file_write(path, str_from(token));
    free(path);
}

static void target(const char *mode, const char *options)
{
    struct diag diag;
    struct node *root = NULL;
    const char *yaml = arena_printf(
        fixture.arena, "{ name: t, region: eu, endpoint: 'http://127.0.0.1:%u/%s', service_account: '%s'%s }",
        test_server_port(fixture.server), mode, fixture.folder, options);
    diag_init(&diag);
    fixture.config = (struct kubernetes_config){0};
    fixture.path_count = fixture.tries = 0;
    write_token("two");
    ck_assert_int_eq(yaml_parse(fixture.arena, "t.yaml", str_from(yaml), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&kubernetes_section, root, fixture.arena, &fixture.config, &diag), 0);
    diag_deinit(&diag);
    rig_call(&fixture.rig, create, NULL);
}

static void expect_line(const char *line)
{
    ck_assert_msg(!fixture.failed, "%s", fixture.err.message);
    char *text = rig_snapshot_text(fixture.snapshot);
    ck_assert_contains(text, line);
    free(text);
}

static void expect_no(const char *part)
{
    char *text = rig_snapshot_text(fixture.snapshot);
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" contains \"%s\"", text, part);
    free(text);
}

static bool asked_for(const char *path)
{
    for (unsigned i = 0; i < fixture.path_count; i++) {
        if (strcmp(fixture.paths[i], path) == 0)
            return true;
    }
    return false;
}

#define PODS   ", resources: [pods], usage: false"
#define COMMON "region=\"eu\",scraper=\"kubernetes\",target=\"t\""
#define RUNNING(p)                                                                                           \
    "kube_pod_status_phase{namespace=\"ns\",phase=\"Running\",pod=\"" p "\"," COMMON ",uid=\"u\"} 1\n"
#define OBJECTS(n)                                                                                           \
    "fraiseql_kubernetes_objects{region=\"eu\",resource=\"pods\",scraper=\"kubernetes\",target=\"t\"} " n "\n"

START_TEST(pages_are_followed_to_the_last)
{
    target("paged", PODS ", page_size: 1");
    scrape();
    expect_line(RUNNING("p1"));
    expect_line(RUNNING("p2"));
    expect_line(RUNNING("p3"));
    expect_line(OBJECTS("3"));
    ck_assert(asked_for("/api/v1/pods?limit=1"));
    uint64_t shape = fixture.snapshot->shape->id;
    scrape();
    ck_assert_uint_eq(fixture.snapshot->shape->id, shape); /* the usual case: the same series again */
    destroy();
}
END_TEST

START_TEST(every_kind_is_asked_for_in_its_namespaces)
{
    static const char *const paths[] = {
        "/api/v1/nodes?limit=500",
        "/api/v1/namespaces/a/pods?limit=500",
        "/api/v1/namespaces/b/pods?limit=500",
        "/apis/apps/v1/namespaces/a/deployments?limit=500",
        "/apis/apps/v1/namespaces/b/statefulsets?limit=500",
        "/apis/apps/v1/namespaces/a/daemonsets?limit=500",
        "/apis/batch/v1/namespaces/a/jobs?limit=500",
        "/api/v1/namespaces/b/persistentvolumeclaims?limit=500",
        "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers?limit=500",
        "/apis/policy/v1/namespaces/b/poddisruptionbudgets?limit=500",
        "/apis/metrics.k8s.io/v1beta1/nodes?limit=500",
        "/apis/metrics.k8s.io/v1beta1/namespaces/a/pods?limit=500",
    };
    target("good", ", namespaces: [a, b]");
    scrape();
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        ck_assert_msg(asked_for(paths[i]), "%s", paths[i]);
    ck_assert_uint_eq(fixture.path_count, 2 + 2 * 10);
    expect_line(
        "fraiseql_kubernetes_resource_up{namespace=\"b\",region=\"eu\",resource=\"deployments.apps\"");
    destroy();
}
END_TEST

START_TEST(an_expired_list_goes_on_with_the_rest_that_is_offered)
{
    target("expired", PODS);
    scrape();
    expect_line(RUNNING("p1"));
    expect_line(RUNNING("p2"));
    scrape();
    expect_line("fraiseql_kubernetes_expired_lists_total{" COMMON "} 2\n");
    destroy();
    /* Without an offer it begins anew, once. */
    target("gone", PODS);
    scrape();
    ck_assert(fixture.failed);
    ck_assert_contains(fixture.err.message, "HTTP 410");
    ck_assert_uint_eq(fixture.path_count, 4);
    destroy();
}
END_TEST

START_TEST(what_is_forbidden_costs_its_own_metrics)
{
    target("forbidden", ", resources: [pods], usage: false");
    scrape();
    ck_assert(fixture.failed); /* nothing at all could be read */
    ck_assert_int_eq(fixture.err.code, ERR_AUTH);
    ck_assert_str_eq(fixture.err.message, "may not list pods (HTTP 403)");
    destroy();
}
END_TEST

START_TEST(a_rotated_token_is_read_again_at_once)
{
    target("token", PODS);
    write_token("one");
    scrape();
    ck_assert(fixture.failed);
    ck_assert_contains(fixture.err.message, "does not know us");
    write_token("two");
    scrape();
    expect_line(RUNNING("p1"));
    /* Rotated between two scrapes: the first 401 makes it be read again. */
    destroy();
    target("token", PODS);
    scrape();
    expect_line(RUNNING("p1"));
    destroy();
}
END_TEST

START_TEST(a_busy_server_is_asked_again)
{
    target("busy", PODS);
    scrape();
    expect_line(RUNNING("p1"));
    expect_line("fraiseql_kubernetes_retries_total{" COMMON "} 2\n");
    destroy();
}
END_TEST

START_TEST(half_a_list_is_no_list)
{
    target("half", PODS);
    scrape();
    ck_assert(fixture.failed);
    ck_assert_contains(fixture.err.message, "damaged or cut off");
    destroy();
}
END_TEST

START_TEST(a_page_that_is_too_large_is_asked_for_in_parts)
{
    target("large", PODS ", max_body: 64KiB, page_size: 40");
    scrape();
    expect_line(RUNNING("small"));
    ck_assert(asked_for("/api/v1/pods?limit=40"));
    ck_assert(asked_for("/api/v1/pods?limit=20"));
    destroy();
}
END_TEST

START_TEST(a_server_that_hangs_ends_by_the_deadline_or_by_cancel)
{
    fixture.patience_ns = 300 * NS_PER_MS;
    target("hang", PODS);
    scrape();
    ck_assert(fixture.failed);
    ck_assert_int_eq(fixture.err.code, ERR_TIMEOUT);
    fixture.patience_ns = 60 * NS_PER_S;
    rig_call(&fixture.rig, begin, NULL);
    destroy();
    ck_assert(fixture.failed);
    ck_assert_int_eq(fixture.err.code, ERR_CANCELLED);
}
END_TEST

START_TEST(a_metrics_server_that_hangs_costs_usage_only)
{
    fixture.patience_ns = 3 * NS_PER_S;
    target("stuck", ", resources: [pods]");
    scrape();
    expect_line(RUNNING("p1"));
    expect_line("fraiseql_kubernetes_resource_up{region=\"eu\",resource=\"pods.metrics.k8s.io\",scraper="
                "\"kubernetes\","
                "target=\"t\"} 0\n");
    destroy();
}
END_TEST

START_TEST(cadvisor_pages_of_the_nodes)
{
    target("good", ", namespaces: [ns], resources: [nodes], usage: false, cadvisor: true");
    scrape();
    scrape();
#define CPU "container_cpu_usage_seconds_total"
    expect_line(CPU "{id=\"/a\",namespace=\"ns\",node=\"n1\",pod=\"p\"," COMMON "} 5\n");
    expect_line(CPU "{id=\"/a\",namespace=\"ns\",node=\"n3\",pod=\"p\"," COMMON "} 5\n");
    expect_line(CPU "{id=\"/\",node=\"n1\"," COMMON "} 9\n");
    expect_line("machine_cpu_cores{node=\"n3\"," COMMON "} 4\n");
    expect_no("pod=\"old\"");
    expect_no("other");
    expect_no("system.slice");
    expect_no("container_tasks_state");
    expect_line("fraiseql_kubernetes_cadvisor_up{node=\"n1\"," COMMON "} 1\n");
    expect_line("fraiseql_kubernetes_cadvisor_up{node=\"n2\"," COMMON "} 0\n");
    expect_line("fraiseql_kubernetes_cadvisor_dropped_samples_total{reason=\"stale\"," COMMON "} 4\n");
    ck_assert(asked_for("/api/v1/nodes/n1/proxy/metrics/cadvisor"));
    uint64_t shape = fixture.snapshot->shape->id;
    scrape();
    ck_assert_uint_eq(fixture.snapshot->shape->id, shape);
    destroy();
}
END_TEST

START_TEST(series_have_a_limit_and_the_report_has_room)
{
    target("paged", PODS ", max_series: 20");
    scrape();
    scrape();
    expect_line(OBJECTS("3"));
    expect_line("fraiseql_kubernetes_dropped_series_total{reason=\"limit\"");
    ck_assert_uint_le(fixture.snapshot->shape->series_count, 20);
    destroy();
}
END_TEST

START_TEST(where_the_server_is)
{
    char text[64];
    target("good", "");
    kubernetes_scraper.address(&fixture.config, text, sizeof text);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u", test_server_port(fixture.server));
    ck_assert_str_eq(text, expected);
    struct diag diag;
    diag_init(&diag);
    kubernetes_scraper.check(&fixture.config, &diag);
    ck_assert_uint_eq(diag.warnings, 0);
    fixture.config.cadvisor = true;
    fixture.config.endpoint = "http://far:1";
    kubernetes_scraper.check(&fixture.config, &diag);
    ck_assert_uint_eq(diag.warnings, 2);
    diag_deinit(&diag);
    destroy();
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kubernetes");
    TCase *tests = tcase_create("kubernetes");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, pages_are_followed_to_the_last);
    tcase_add_test(tests, every_kind_is_asked_for_in_its_namespaces);
    tcase_add_test(tests, an_expired_list_goes_on_with_the_rest_that_is_offered);
    tcase_add_test(tests, what_is_forbidden_costs_its_own_metrics);
    tcase_add_test(tests, a_rotated_token_is_read_again_at_once);
    tcase_add_test(tests, a_busy_server_is_asked_again);
    tcase_add_test(tests, half_a_list_is_no_list);
    tcase_add_test(tests, a_page_that_is_too_large_is_asked_for_in_parts);
    tcase_add_test(tests, a_server_that_hangs_ends_by_the_deadline_or_by_cancel);
    tcase_add_test(tests, a_metrics_server_that_hangs_costs_usage_only);
    tcase_add_test(tests, cadvisor_pages_of_the_nodes);
    tcase_add_test(tests, series_have_a_limit_and_the_report_has_room);
    tcase_add_test(tests, where_the_server_is);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
