#include "collector/config.h"
#include "tests/support/support.h"

#include <stdlib.h>

static char *folder;
static struct config *config;

static void open_folder(void)
{
    folder = test_folder_new();
    config = NULL;
}

static void close_folder(void)
{
    (void)config_unref(config);
    test_folder_remove(folder);
}

static void write_file(const char *name, const char *text)
{
    char *path = test_path(folder, name);
    test_file_write(path, str_from(text));
    free(path);
}

/* Loads main.yaml; the diagnostics as text (malloc'd). */
static char *load(bool strict, int *ret_code)
{
    struct diag diag;
    diag_init(&diag);
    char *path = test_path(folder, "main.yaml");
    *ret_code = config_load(path, strict, &config, &diag);
    char *text = test_diag_text(&diag);
    free(path);
    diag_deinit(&diag);
    return text;
}

static void expect_error(const char *yaml, const char *part)
{
    int code;
    write_file("main.yaml", yaml);
    char *text = load(false, &code);
    ck_assert_int_eq(code, ERR_CONFIG);
    ck_assert_contains(text, part);
    free(text);
}

START_TEST(an_empty_file_has_every_default)
{
    int code;
    write_file("main.yaml", "version: 1\n");
    free(load(false, &code));
    ck_assert_int_eq(code, 0);
    ck_assert_str_eq(config->all.collector.listen.text, "127.0.0.1:9480");
    ck_assert_int_eq(config->all.defaults.interval_ns, 15 * NS_PER_S);
    ck_assert_uint_eq(config->all.collector.limits.memory_bytes, UINT64_C(1) << 30);
    ck_assert_ptr_null(config->all.otlp);
}
END_TEST

START_TEST(targets_inherit)
{
    int code;
    write_file("main.yaml", "collector: { region: here }\ndefaults: { interval: 5s, timeout: 9s }\n"
                            "scrapers: { prometheus: [{ name: a, url: 'http://127.0.0.1:1/metrics' }] }\n");
    free(load(false, &code));
    ck_assert_int_eq(code, 0);
    size_t kind = 0;
    while (strcmp(scraper_kinds[kind]->name, "prometheus") != 0)
        kind++;
    ck_assert_uint_eq(config->all.scrapers[kind].count, 1);
    const struct scraper_target *target =
        config_element(&config->all.scrapers[kind], scraper_kinds[kind]->section, 0);
    ck_assert_str_eq(target->region, "here");
    ck_assert_int_eq(target->interval_ns, 5 * NS_PER_S);
    ck_assert_int_eq(target->timeout_ns, 5 * NS_PER_S); /* never above the interval */
    ck_assert_uint_eq(target->max_series, 10000);
}
END_TEST

START_TEST(probes_of_one_name_and_region_differ_by_their_target)
{
    int code;
    write_file("main.yaml", "probes:\n  - { name: a, tcp: { address: '127.0.0.1:1' } }\n"
                            "  - { name: a, tcp: { address: '127.0.0.1:2' } }\n"
                            "  - { name: a, target: second, tcp: { address: '127.0.0.1:2' } }\n");
    char *text = load(false, &code);
    ck_assert_msg(code == 0, "%s", text);
    free(text);
    ck_assert_uint_eq(config->all.probes.count, 3);
}
END_TEST

START_TEST(errors_name_the_place_and_the_mend)
{
    expect_error("collecter: {}\n", "main.yaml:1:1: error: unknown key \"collecter\"");
    expect_error("failover: { mode: observe }\n", "reserved");
    expect_error("otlp: { http: 0.0.0.0:4318 }\n", "token_file");
    expect_error("otlp: { http: '127.0.0.1:9480' }\n",
                 "main.yaml: error: otlp.http: 127.0.0.1:9480 is the address of collector.listen already");
    expect_error("otlp: { http: '127.0.0.1:4318', grpc: '127.0.0.1:4318' }\n",
                 "the address of otlp.http already");
    expect_error("probes:\n  - { name: a, tcp: { address: '127.0.0.1:1' } }\n  - { name: a, tcp: { address: "
                 "'127.0.0.1:1' } }\n",
                 "main.yaml:3:5: error: a probe \"a\" of 127.0.0.1:1 in the region local exists already");
    expect_error("probes: [{ name: a, timeout: 20s, tcp: { address: '127.0.0.1:1' } }]\n",
                 "above the default interval");
    expect_error("scrapers:\n  prometheus:\n    - { name: a, url: 'http://h/' }\n    - { name: a, url: "
                 "'http://i/' }\n",
                 "exists already");
    expect_error("regions: { a: { region: b } }\n", "set by the name");
    expect_error("regions: { a: b }\n", "must be a mapping");
}
END_TEST

START_TEST(what_would_not_work_is_warned_about)
{
    int code;
    write_file(
        "main.yaml",
        "collector: { listen: 0.0.0.0:9480 }\nnotify:\n"
        "  - { name: a, webhook: { url: 'http://127.0.0.1:1/', secret_file: /nonexistent/secret } }\n");
    char *text = load(false, &code);
    ck_assert_int_eq(code, 0);
    ck_assert_contains(text, "main.yaml:3:5");
    ck_assert_contains(text, "/nonexistent/secret cannot be read");
    ck_assert_contains(text, "not on loopback");
    free(text);
}
END_TEST

START_TEST(a_broken_include_is_refused_alone)
{
    int code;
    write_file("main.yaml",
               "include: ['part-*.yaml']\nprobes: [{ name: a, tcp: { address: '127.0.0.1:1' } }]\n");
    write_file("part-1.yaml",
               "probes: [{ name: b, tcp: { address: '127.0.0.1:2' } }]\nregions: { r: { provider: aws } }\n");
    write_file("part-2.yaml", "probes: [{ name: c, tpc: {} }]\n");
    write_file("part-3.yaml", "probes: [{ name: a, tcp: { address: '127.0.0.1:1' } }]\n");
    write_file("part-4.yaml", "collector: { name: mine }\n");
    write_file("part-5.yaml", "regions: { r: { provider: gcp } }\n");
    char *text = load(false, &code);
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(config->files_accepted, 2);
    ck_assert_uint_eq(config->files_refused, 4);
    ck_assert_uint_eq(config->all.probes.count, 2);
    ck_assert_uint_eq(config->all.regions.count, 1);
    ck_assert_contains(text, "part-2.yaml");
    ck_assert_contains(text, "part-3.yaml");
    ck_assert_contains(text, "part-4.yaml");
    ck_assert_contains(text, "part-5.yaml:1:12: warning: a region named \"r\" exists already at");
    free(text);
    config = config_unref(config);
    free(load(true, &code));
    ck_assert_int_eq(code, ERR_CONFIG);
}
END_TEST

START_TEST(the_dump_reads_back_and_hides_secrets)
{
    int code;
    write_file("main.yaml", "regions: { us: { provider: aws } }\nscrapers:\n  postgres:\n"
                            "    - { name: a, dsn: 'host=h user=u password=hunter2' }\n");
    free(load(false, &code));
    ck_assert_int_eq(code, 0);
    struct buf dump = BUF_INIT(1 << 20);
    config_dump(config, &dump);
    ck_assert_contains(buf_text(&dump), "***");
    ck_assert_ptr_null(strstr(buf_text(&dump), "hunter2"));
    write_file("main.yaml", buf_text(&dump));
    config = config_unref(config);
    char *text = load(false, &code);
    ck_assert_msg(code == 0, "%s\n%s", text, buf_text(&dump));
    struct buf again = BUF_INIT(1 << 20);
    config_dump(config, &again);
    ck_assert_str_eq(buf_text(&again), buf_text(&dump));
    free(text);
    buf_deinit(&dump);
    buf_deinit(&again);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_checked_fixture(tcase, open_folder, close_folder);
    tcase_add_test(tcase, an_empty_file_has_every_default);
    tcase_add_test(tcase, targets_inherit);
    tcase_add_test(tcase, probes_of_one_name_and_region_differ_by_their_target);
    tcase_add_test(tcase, errors_name_the_place_and_the_mend);
    tcase_add_test(tcase, what_would_not_work_is_warned_about);
    tcase_add_test(tcase, a_broken_include_is_refused_alone);
    tcase_add_test(tcase, the_dump_reads_back_and_hides_secrets);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(config_suite)
