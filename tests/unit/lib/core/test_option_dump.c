#include "tests/support/support.h"
#include "tests/unit/lib/core/option_fixture.h"

#include <stdlib.h>

static char *dump_of(struct arena *arena, const char *text)
{
    struct diag diag;
    struct node *root;
    struct fix_config config = {0};
    diag_init(&diag);
    int code = yaml_parse(arena, "f", str_from(text), &root, &diag);
    code = code ? code : option_parse(&fix_section, root, arena, &config, &diag);
    char *messages = test_diag_text(&diag);
    ck_assert_msg(code == 0, "%s\n%s", messages, text);
    free(messages);
    diag_deinit(&diag);
    struct buf out = BUF_INIT(1 << 20);
    option_dump(&fix_section, &config, &out, 0);
    return buf_take(&out);
}

static const char full[] =
    "name: 'a: b # c'\non: true\nnumber: -5\nobjective: 99.95\nwait: 0\nsize: 1kB\nmode: resolve\nlisten: "
    ":80\n"
    "url: http://h/\njournal: 'C:\\x'\nsecret_file: /s\ndsn: host=h\ninclude: ['*.yaml', \"x\\ny\", '', "
    "'null']\n"
    "codes: [3, -4]\nlabels: { 'a b': c, '': empty, true: no }\nlimits: { memory: 1500, count: 5 }\n"
    "probes:\n  - { name: p, tcp: x }\n  - { name: q, http: { url: 'https://h', headers: {}, tls: { verify: "
    "false } } }\n"
    "regions: { eu: { provider: gcp }, us: {} }\nextra: { a: [1, { b: c }], d: {} }\n";

START_TEST(what_is_dumped_parses_back_to_the_same)
{
    static const char *const texts[] = {"", full, "include: []\nprobes: []\nregions: {}\n"};
    struct arena *arena = arena_new(0);
    char *first = dump_of(arena, texts[_i]);
    char *second = dump_of(arena, first);
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
    arena_free(arena);
}
END_TEST

START_TEST(shape_of_the_dump)
{
    struct arena *arena = arena_new(0);
    char *text = dump_of(arena, full);
    ck_assert_str_eq(text, "name: \"a: b # c\"\n"
                           "\"on\": true\n"
                           "number: -5\n"
                           "objective: 99.95\n"
                           "wait: 0s\n"
                           "size: 1kB\n"
                           "mode: resolve\n"
                           "listen: \":80\"\n"
                           "url: http://h/\n"
                           "journal: \"C:\\\\x\"\n"
                           "secret_file: /s\n"
                           "dsn: host=h\n"
                           "include:\n"
                           "  - \"*.yaml\"\n"
                           "  - \"x\\ny\"\n"
                           "  - \"\"\n"
                           "  - \"null\"\n"
                           "codes: [3, -4]\n"
                           "labels:\n"
                           "  a b: c\n"
                           "  \"\": empty\n"
                           "  \"true\": \"no\"\n"
                           "limits:\n"
                           "  memory: 1500B\n"
                           "  count: 5\n"
                           "probes:\n"
                           "  - name: p\n"
                           "    tcp: x\n"
                           "  - name: q\n"
                           "    http:\n"
                           "      url: https://h\n"
                           "      status: [200, 204]\n"
                           "      headers: {}\n"
                           "      tls:\n"
                           "        verify: false\n"
                           "regions:\n"
                           "  eu:\n"
                           "    provider: gcp\n"
                           "  us: {}\n"
                           "extra:\n"
                           "  a:\n"
                           "    - \"1\"\n"
                           "    -\n"
                           "      b: c\n"
                           "  d: {}\n");
    free(text);
    arena_free(arena);
}
END_TEST

START_TEST(secrets_are_masked)
{
    struct arena *arena = arena_new(0);
    char *text =
        dump_of(arena, "dsn: host=h password='s3 cret' user=u\nurl: https://u:s3cret@h/\n"
                       "include: ['http://u:s3cret@h']\n"
                       "probes: [{ name: p, http: { url: 'http://h', headers: "
                       "{ Authorization: Bearer s3cret, X-Api-Key: s3cret, Accept: text/plain } } }]\n");
    ck_assert_ptr_null(strstr(text, "s3"));
    ck_assert_contains(text, "dsn: host=h password=*** user=u\n");
    ck_assert_contains(text, "url: https://u:***@h/");
    ck_assert_contains(text, "Authorization: \"***\"");
    ck_assert_contains(text, "Accept: text/plain");
    free(text);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_dump");
    TCase *tests = tcase_create("option_dump");
    tcase_add_loop_test(tests, what_is_dumped_parses_back_to_the_same, 0, 3);
    tcase_add_test(tests, shape_of_the_dump);
    tcase_add_test(tests, secrets_are_masked);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
