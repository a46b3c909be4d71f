#include "tests/support/support.h"
#include "tests/unit/lib/core/option_fixture.h"

#include <stdlib.h>

static struct arena *arena;
static struct diag diag;
static struct fix_config config;

static void set_up(void)
{
    arena = arena_new(0);
    diag_init(&diag);
    config = (struct fix_config){0};
}

static void tear_down(void)
{
    diag_deinit(&diag);
    arena_free(arena);
}

static int parse(const char *text)
{
    struct node *root;
    ck_assert_int_eq(yaml_parse(arena, "f.yaml", str_from(text), &root, &diag), 0);
    return option_parse(&fix_section, root, arena, &config, &diag);
}

/* The messages of a refused text, one a line. */
static void assert_refused(const char *text, const char *expected)
{
    set_up();
    ck_assert_int_eq(parse(text), ERR_CONFIG);
    diag_sort(&diag);
    char *found = test_diag_text(&diag);
    ck_assert_str_eq(found, expected);
    free(found);
    tear_down();
}

START_TEST(defaults_fill_what_is_left_out)
{
    set_up();
    ck_assert_int_eq(parse(""), 0);
    ck_assert_str_eq(config.name, "a name");
    ck_assert(!config.on);
    ck_assert_int_eq(config.wait_ns, 90 * NS_PER_S);
    ck_assert_int_eq(config.mode, 1);
    ck_assert_uint_eq(config.include.count, 2);
    ck_assert_str_eq(config.include.items[1], "b c");
    ck_assert_uint_eq(config.limits.memory, 1UL << 30);
    ck_assert_int_eq(config.limits.count, -3);
    ck_assert_ptr_null(config.url);
    ck_assert_ptr_null(config.listen.text);
    struct fix_config other = {0};
    option_defaults(&fix_section, arena, &other);
    ck_assert_str_eq(other.name, "a name");
    ck_assert_uint_eq(other.limits.memory, 1UL << 30);
    tear_down();
}
END_TEST

START_TEST(every_type_is_read)
{
    set_up();
    ck_assert_int_eq(
        parse(
            "name: \"no\"\non: true\nnumber: -9223372036854775808\nobjective: 99.99\nwait: 250ms\n"
            "size: 64MiB\nmode: fire\nlisten: '[::1]:9480'\nurl: https://h/p?q\njournal: /a/b\n"
            "secret_file: /s\ndsn: host=a password=b\ninclude: [x]\ncodes: [1, -2]\n"
            "labels: { a: 1, b: true }\nlimits: { memory: 2MiB }\n"
            "probes:\n  - name: p\n    interval: 10ms\n    http: { url: http://h, headers: { X: y }, tls: }\n"
            "  - { name: q, tcp: 'h:1' }\n"
            "regions: { eu: { provider: gcp, zone: 1 }, us: }\nextra: { any: [1, 2] }\n"),
        0);
    ck_assert_str_eq(config.name, "no");
    ck_assert(config.on);
    ck_assert_int_eq(config.number, INT64_MIN);
    ck_assert_uint_eq(config.objective, 999900000);
    ck_assert_int_eq(config.wait_ns, 250 * NS_PER_MS);
    ck_assert_uint_eq(config.size, 64UL << 20);
    ck_assert_int_eq(config.mode, 2);
    ck_assert_str_eq(config.listen.host, "::1");
    ck_assert_uint_eq(config.listen.port, 9480);
    ck_assert_str_eq(config.dsn, "host=a password=b");
    ck_assert_int_eq(config.codes.items[1], -2);
    ck_assert_str_eq(config.labels.items[0].value, "1");
    ck_assert_str_eq(config.labels.items[1].key, "b");
    ck_assert_uint_eq(config.probes.count, 2);
    const struct fix_probe *probe = SECTION_AT(struct fix_probe, config.probes, 0);
    ck_assert_str_eq(probe->http->url, "http://h");
    ck_assert_uint_eq(probe->http->status.count, 2);
    ck_assert_int_eq(probe->http->status.items[1], 204);
    ck_assert_ptr_nonnull(probe->http->tls);
    ck_assert(probe->http->tls->verify);
    ck_assert_str_eq(probe->position.file, "f.yaml");
    ck_assert_uint_eq(probe->position.line, 18);
    ck_assert_uint_eq(probe->position.column, 5);
    ck_assert_ptr_null(SECTION_AT(struct fix_probe, config.probes, 1)->http);
    const struct fix_region *region = SECTION_AT(struct fix_region, config.regions, 0);
    ck_assert_str_eq(region->name, "eu");
    ck_assert_uint_eq(region->labels.count, 2);
    ck_assert_str_eq(region->labels.items[1].value, "1");
    ck_assert_ptr_nonnull(config.extra);
    tear_down();
}
END_TEST

START_TEST(unknown_keys_name_the_nearest)
{
    assert_refused("probes:\n  - name: a\n    tcp: x\n    intervall: 5s\n",
                   "f.yaml:4:5: error: unknown key \"intervall\" in probes[0]: did you mean \"interval\"?\n");
    assert_refused("nmae: a\n", "f.yaml:1:1: error: unknown key \"nmae\": did you mean \"name\"?\n");
    assert_refused(
        "limits: { zzzzzzzzzzzz: 1 }\n",
        "f.yaml:1:11: error: unknown key \"zzzzzzzzzzzz\" in limits. Hint: known are memory, count\n");
}
END_TEST

START_TEST(all_errors_are_told_at_once_with_their_path)
{
    assert_refused(
        "on: yes\nmode: hodl\ninclude: one\nprobes:\n  - name: a!\n    tcp: x\n"
        "  - name: b\n    http: { url: ftp://x, status: [200, 42, x] }\n"
        "  - 5\nextra: 7\n",
        "f.yaml:1:5: error: on: want true or false, found \"yes\"\n"
        "f.yaml:2:7: error: mode: want hold, fire or resolve, found \"hodl\". Hint: did you mean \"hold\"?\n"
        "f.yaml:3:10: error: include: want a list of texts, found \"one\"\n"
        "f.yaml:5:11: error: probes[0].name: a name must not hold \"!\"\n"
        "f.yaml:8:18: error: probes[1].http.url: \"ftp://x\" is not a URL: want http://host[:port]/path or "
        "https://...\n"
        "f.yaml:8:41: error: probes[1].http.status[1]: must be from 100 to 599, found 42\n"
        "f.yaml:8:45: error: probes[1].http.status[2]: want a whole number, found \"x\"\n"
        "f.yaml:9:5: error: probes[2]: want a mapping, found a scalar\n"
        "f.yaml:10:8: error: extra: want a mapping\n");
}
END_TEST

START_TEST(missing_keys_and_choices)
{
    assert_refused("probes:\n  - interval: 5s\n",
                   "f.yaml:2:5: error: probes[0]: \"name\" is missing\n"
                   "f.yaml:2:5: error: probes[0]: one of http or tcp is missing\n");
    assert_refused("probes:\n  - name: a\n    tcp: x\n    http: { url: http://h }\n",
                   "f.yaml:3:10: error: probes[0].tcp: cannot be given together with \"http\"\n");
    assert_refused("probes: [{ name: a, http: {} }]\n",
                   "f.yaml:1:27: error: probes[0].http: \"url\" is missing\n");
}
END_TEST

START_TEST(a_misspelt_key_is_not_missing_besides)
{
    assert_refused("probes: [{ nmae: a, tcp: x }]\n",
                   "f.yaml:1:12: error: unknown key \"nmae\" in probes[0]: did you mean \"name\"?\n");
    assert_refused(
        "probes: [{ intervall: 1s, tcp: x }]\n",
        "f.yaml:1:10: error: probes[0]: \"name\" is missing\n"
        "f.yaml:1:12: error: unknown key \"intervall\" in probes[0]: did you mean \"interval\"?\n");
}
END_TEST

START_TEST(nothing_where_a_value_belongs)
{
    assert_refused(
        "name:\nwait: ~\ncodes:\n",
        "f.yaml:1:6: error: name: want a text, found nothing. Hint: leave the key out for the default\n"
        "f.yaml:2:7: error: wait: want a duration such as 250ms or 1h30m, found nothing. Hint: leave the key "
        "out for the default\n"
        "f.yaml:3:7: error: codes: must not be empty\n");
    set_up();
    ck_assert_int_eq(parse("limits:\nprobes:\nregions:\nlabels:\ninclude:\n"), 0);
    ck_assert_uint_eq(config.limits.memory, 1UL << 30);
    ck_assert_uint_eq(config.include.count, 0);
    tear_down();
}
END_TEST

START_TEST(section_checks_see_sound_structs_only)
{
    assert_refused("probes:\n  - { name: Zed, tcp: x }\n",
                   "f.yaml:2:5: error: probes[0]: names must not begin with Z\n");
    /* The name is missing: the check would crash on it. */
    assert_refused("probes:\n  - { tcp: x }\n", "f.yaml:2:5: error: probes[0]: \"name\" is missing\n");
}
END_TEST

START_TEST(wrong_kinds_are_named)
{
    assert_refused("[1]", "f.yaml:1:1: error: want a mapping, found a list\n");
    assert_refused("limits: 3\nname: [a]\nregions: { eu: 5 }\nlabels: { a: [1] }\ndsn: [x]\n",
                   "f.yaml:1:9: error: limits: want a mapping, found \"3\"\n"
                   "f.yaml:2:7: error: name: want a text, found a list\n"
                   "f.yaml:3:16: error: regions.eu: want a mapping, found a scalar\n"
                   "f.yaml:4:14: error: labels.a: want a text, found a list\n"
                   "f.yaml:5:6: error: dsn: want a connection string, found a list\n");
}
END_TEST

START_TEST(more_errors_than_are_kept_are_counted)
{
    set_up();
    struct buf text = BUF_INIT(1 << 20);
    buf_append_text(&text, "include:\n");
    for (int i = 0; i < 5000; i++)
        buf_append_text(&text, "  - a!\n");
    ck_assert_int_eq(parse(buf_text(&text)), ERR_CONFIG);
    ck_assert_uint_eq(diag.count, DIAG_MAX);
    ck_assert_uint_eq(diag.dropped, 5000 - DIAG_MAX);
    ck_assert_uint_eq(diag.errors, 5000);
    buf_deinit(&text);
    tear_down();
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_parse");
    TCase *tests = tcase_create("option_parse");
    tcase_add_test(tests, defaults_fill_what_is_left_out);
    tcase_add_test(tests, every_type_is_read);
    tcase_add_test(tests, unknown_keys_name_the_nearest);
    tcase_add_test(tests, all_errors_are_told_at_once_with_their_path);
    tcase_add_test(tests, a_misspelt_key_is_not_missing_besides);
    tcase_add_test(tests, missing_keys_and_choices);
    tcase_add_test(tests, nothing_where_a_value_belongs);
    tcase_add_test(tests, section_checks_see_sound_structs_only);
    tcase_add_test(tests, wrong_kinds_are_named);
    tcase_add_test(tests, more_errors_than_are_kept_are_counted);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
