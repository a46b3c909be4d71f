#include "scrapers/prometheus/prometheus.h"

#include "scrapers/prometheus/prometheus_config.h"
#include "tests/support/test_server.h"
#include "tests/unit/scrapers/loop_rig.h"

struct fixture {
    struct rig rig;
    struct scraper_env env;
    struct prometheus_config config;
    struct arena *arena;
    struct test_server *server;
    char token_path[256];
    void *state;
    int64_t patience_ns;
    /* Under rig.lock. */
    bool done, destroyed;
    struct snapshot *snapshot;
    struct error err;
    bool failed;
};

static struct fixture fixture;

#define OM "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"
#define PROTOBUF                                                                                             \
    "Content-Type: application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding="
#define PLAIN "Content-Type: text/plain; version=0.0.4\r\n"

static bool answer(void *ctx, const struct http_exchange *exchange)
{
    const char *path = exchange->path;
    (void)ctx;
    if (strcmp(path, "/om") == 0)
        return test_server_answer(exchange->fd, "200 OK", OM, STR("# TYPE a counter\na_total 1\n# EOF\n"));
    if (strcmp(path, "/cut") == 0)
        return test_server_answer(exchange->fd, "200 OK", OM, STR("# TYPE a counter\na_total 1\n"));
    if (strcmp(path, "/html") == 0)
        return test_server_answer(exchange->fd, "200 OK", "Content-Type: text/html\r\n",
                                  STR("<html>log in</html>"));
    if (strcmp(path, "/no-type") == 0)
        return test_server_answer(exchange->fd, "200 OK", "", STR("a 1\n"));
    if (strcmp(path, "/nothing") == 0)
        return test_server_answer(exchange->fd, "204 No Content", "", STR(""));
    if (strcmp(path, "/token") == 0) {
        bool good = strstr(exchange->head, "Authorization: Bearer right") != NULL;
        return test_server_answer(exchange->fd, good ? "200 OK" : "401 Unauthorized", PLAIN, STR("a 1\n"));
    }
    if (strcmp(path, "/headers") == 0) {
        bool good = strstr(exchange->head, "Accept: application/openmetrics-text;version=1.0.0;q=0.6,") &&
                    strstr(exchange->head, "X-Prometheus-Scrape-Timeout-Seconds: ") &&
                    strstr(exchange->head, "X-Mine: 1") && strcasestr(exchange->head, "Accept-Encoding: ") &&
                    strstr(exchange->head, "gzip");
        return test_server_answer(exchange->fd, good ? "200 OK" : "400 Bad Request", PLAIN, STR("a 1\n"));
    }
    if (strcmp(path, "/protobuf") == 0) {
        bool first = strstr(exchange->head,
                            "Accept: application/vnd.google.protobuf;"
                            "proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,") != NULL;
        return test_server_answer(exchange->fd, first ? "200 OK" : "406 Not Acceptable",
                                  PROTOBUF "delimited\r\n",
                                  STR("\x12\x0a\x01g\x18\x01\x22\x0b\x12\x09\x09\0\0\0\0\0\0\xf0\x3f"));
    }
    if (strcmp(path, "/protobuf-text") == 0)
        return test_server_answer(exchange->fd, "200 OK", PROTOBUF "text\r\n", STR("name: 'g'"));
    if (strcmp(path, "/old") == 0)
        return test_server_answer(exchange->fd, "200 OK", PLAIN, STR("a 1 1700000000000\nb 2\n"));
    if (strcmp(path, "/until-close") == 0) {
        (void)test_server_write(exchange->fd, STR("HTTP/1.0 200 OK\r\n" PLAIN "\r\na 1\nb 2\n"));
        return false;
    }
    if (strcmp(path, "/until-cut") == 0) {
        (void)test_server_write(exchange->fd, STR("HTTP/1.0 200 OK\r\n" PLAIN "\r\na 1\nb 12345"));
        return false;
    }
    if (strcmp(path, "/half") == 0) {
        (void)test_server_write(exchange->fd,
                                STR("HTTP/1.1 200 OK\r\n" PLAIN "Content-Length: 100\r\n\r\na 1\n"));
        return false;
    }
    if (strcmp(path, "/half-chunk") == 0) {
        (void)test_server_write(exchange->fd, STR("HTTP/1.1 200 OK\r\n" PLAIN
                                                  "Transfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n4\r\nb"));
        return false;
    }
    if (strcmp(path, "/bad-lines") == 0)
        return test_server_answer(exchange->fd, "200 OK", PLAIN,
                                  STR("ok 1\nbad-line\nok 1\nx{a=\"1\",a=\"2\"} 1\n"));
    if (strcmp(path, "/big") == 0) {
        struct buf page = BUF_INIT(64UL << 20);
        for (unsigned i = 0; i < 40000; i++)
            buf_printf(&page, "metric_number{index=\"%u\",long=\"%064u\"} %u\n", i % 5000, i, i);
        bool sent = test_server_answer(exchange->fd, "200 OK", PLAIN, buf_str(&page));
        buf_deinit(&page);
        return sent;
    }
    test_server_wait_close(exchange->fd);
    return false;
}

static void open_all(void)
{
    fixture = (struct fixture){.arena = arena_new(0), .patience_ns = 10 * NS_PER_S};
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
}

static void create(void *arg)
{
    (void)arg;
    ck_assert_int_eq(prometheus_scraper.create(&fixture.env, &fixture.config, &fixture.state, &fixture.err),
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
    prometheus_scraper.scrape(fixture.state, clock_mono_ns() + fixture.patience_ns, on_done, NULL);
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
    prometheus_scraper.destroy(fixture.state, on_destroyed, NULL);
}

static void destroy(void)
{
    rig_call(&fixture.rig, begin_destroy, NULL);
    rig_wait(&fixture.rig, is_destroyed, NULL);
}

static void target(const char *path, const char *options)
{
    struct diag diag;
    struct node *root = NULL;
    const char *yaml = arena_printf(fixture.arena, "{ name: t, region: eu, url: 'http://127.0.0.1:%u%s'%s }",
                                    test_server_port(fixture.server), path, options);
    diag_init(&diag);
    fixture.config = (struct prometheus_config){0};
    ck_assert_int_eq(yaml_parse(fixture.arena, "t.yaml", str_from(yaml), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&prometheus_section, root, fixture.arena, &fixture.config, &diag), 0);
    diag_deinit(&diag);
    rig_call(&fixture.rig, create, NULL);
}

static void expect_good(const char *path, const char *options, const char *line)
{
    target(path, options);
    scrape();
    scrape(); /* counters tell of the scrapes before */
    ck_assert_msg(!fixture.failed, "%s: %s", path, fixture.err.message);
    char *text = rig_snapshot_text(fixture.snapshot);
    ck_assert_contains(text, line);
    free(text);
    destroy();
}

static void expect_bad(const char *path, const char *options, int code, const char *message)
{
    target(path, options);
    scrape();
    ck_assert_msg(fixture.failed, "%s is taken", path);
    ck_assert_contains(fixture.err.message, message);
    ck_assert_int_eq(fixture.err.code, code);
    destroy();
}

#define COMMON "region=\"eu\",scraper=\"prometheus\",target=\"t\""

START_TEST(pages_that_are_taken)
{
    expect_good("/om", "", "a_total{" COMMON "} 1\n");
    expect_good("/no-type", "", "a{" COMMON "} 1\n");
    expect_good("/headers", ", headers: { X-Mine: '1' }", "a{" COMMON "} 1\n");
    expect_good("/bad-lines", "", "ok{" COMMON "} 1\n");
    expect_good("/bad-lines", "",
                "fraiseql_scraper_dropped_lines_total{reason=\"syntax\",region=\"eu\",scraper=\"prometheus\","
                "target=\"t\"} 1");
    expect_good("/om", ", drop: ['a_total']", "fraiseql_scraper_filtered_lines_total{" COMMON "} 1\n");
}
END_TEST

START_TEST(pages_that_are_refused)
{
    expect_bad("/cut", "", ERR_PARSE, "cut off");
    expect_bad("/html", "", ERR_PEER, "text/html");
    expect_bad("/html", ", format: text", ERR_PARSE, "no line of the page");
    expect_bad("/nothing", "", ERR_PEER, "HTTP 204");
    expect_bad("/big", ", max_body: 100kB", ERR_LIMIT, "larger than");
    fixture.patience_ns = 300 * NS_PER_MS;
    expect_bad("/hang", "", ERR_TIMEOUT, "");
}
END_TEST

START_TEST(protobuf_timestamps_and_limits)
{
    expect_good("/protobuf", ", prefer: protobuf", "g{" COMMON "} 1\n");
    expect_bad("/protobuf-text", "", ERR_PEER, "another encoding than delimited");
#define DROPPED(reason) "fraiseql_scraper_dropped_lines_total{reason=\"" reason "\"," COMMON "} "
    expect_good("/old", "", DROPPED("stale") "1\n");
    expect_good("/old", ", max_sample_age: 520w", "b{" COMMON "} 2\n");
    expect_good("/old", ", max_sample_age: 520w", "fraiseql_scraper_oldest_sample_age_seconds{" COMMON "} ");
    expect_good("/old", ", honor_timestamps: false", "a{" COMMON "} 1\n");
    expect_good("/old", ", honor_timestamps: false, limit: 1", DROPPED("limit") "1\n");
    expect_good("/bad-lines", ", label_name_length_limit: 1, label_limit: 1", DROPPED("label_limit") "1\n");
}
END_TEST

START_TEST(half_a_body_is_no_page)
{
    expect_good("/until-close", "", "b{" COMMON "} 2\n");
    expect_bad("/until-cut", "", ERR_PARSE, "ends inside a line");
    expect_bad("/half", "", ERR_UNAVAILABLE, "");
    expect_bad("/half-chunk", "", ERR_UNAVAILABLE, "");
}
END_TEST

START_TEST(a_rotated_token_is_read_again)
{
    char *folder = test_folder_new(), *path = test_path(folder, "token");
    test_file_write(path, STR("wrong"));
    target("/token", arena_printf(fixture.arena, ", bearer_token_file: '%s'", path));
    scrape();
    ck_assert(fixture.failed);
    ck_assert_int_eq(fixture.err.code, ERR_AUTH);
    test_file_write(path, STR("right"));
    scrape();
    ck_assert_msg(!fixture.failed, "%s", fixture.err.message);
    destroy();
    free(path);
    test_folder_remove(folder);
    expect_bad("/token", ", bearer_token_file: /nowhere/token", -2, "bearer token");
}
END_TEST

START_TEST(a_large_page_keeps_its_limit_and_its_shape)
{
    target("/big", "");
    scrape();
    ck_assert_msg(!fixture.failed, "%s", fixture.err.message);
    uint64_t shape = fixture.snapshot->shape->id;
    ck_assert_uint_le(fixture.snapshot->shape->series_count, LIMIT_SERIES_PER_TARGET);
    ck_assert_uint_gt(fixture.snapshot->shape->series_count, LIMIT_SERIES_PER_TARGET - 100);
    scrape();
    ck_assert_uint_eq(fixture.snapshot->shape->id, shape);
    destroy();
}
END_TEST

START_TEST(destroying_during_a_scrape)
{
    target("/hang", "");
    rig_call(&fixture.rig, begin, NULL);
    destroy();
    ck_assert(fixture.done && fixture.failed);
    ck_assert_int_eq(fixture.err.code, ERR_CANCELLED);
    target("/big", "");
    rig_call(&fixture.rig, begin, NULL);
    destroy();
    ck_assert(fixture.done);
}
END_TEST

static Suite *scraper_suite(void)
{
    Suite *suite = suite_create("prometheus");
    TCase *tcase = tcase_create("prometheus");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_all, close_all);
    tcase_add_test(tcase, pages_that_are_taken);
    tcase_add_test(tcase, pages_that_are_refused);
    tcase_add_test(tcase, protobuf_timestamps_and_limits);
    tcase_add_test(tcase, half_a_body_is_no_page);
    tcase_add_test(tcase, a_rotated_token_is_read_again);
    tcase_add_test(tcase, a_large_page_keeps_its_limit_and_its_shape);
    tcase_add_test(tcase, destroying_during_a_scrape);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(scraper_suite)
