#include "tests/support/support.h"
#include "tests/unit/lib/core/option_fixture.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

static struct fix_config parse(const char *text)
{
    struct diag diag;
    struct node *root;
    struct fix_config config = {0};
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "f", str_from(text), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&fix_section, root, arena, &config, &diag), 0);
    diag_deinit(&diag);
    return config;
}

static bool same_digest(const char *a, const char *b)
{
    unsigned char first[OPTION_DIGEST_BYTES], second[OPTION_DIGEST_BYTES];
    struct fix_config left = parse(a), right = parse(b);
    option_digest(&fix_section, &left, first);
    option_digest(&fix_section, &right, second);
    return memcmp(first, second, sizeof first) == 0;
}

START_TEST(a_changed_password_changes_the_digest)
{
    ck_assert(same_digest("dsn: host=h password=a\n", "dsn: 'host=h password=a'\n"));
    ck_assert(!same_digest("dsn: host=h password=a\n", "dsn: host=h password=b\n"));
    ck_assert(!same_digest("labels: { token: a }\n", "labels: { token: b }\n"));
    ck_assert(!same_digest("probes: [{ name: p, http: { url: 'http://h', headers: { Cookie: a } } }]\n",
                           "probes: [{ name: p, http: { url: 'http://h', headers: { Cookie: b } } }]\n"));
    ck_assert(
        !same_digest("regions: { eu: { a: 'http://u:a@h' } }\n", "regions: { eu: { a: 'http://u:b@h' } }\n"));
    ck_assert(same_digest("", "wait: 90s\n")); /* a default that is written out */
}
END_TEST

START_TEST(what_needs_a_restart_is_named)
{
    char path[NODE_PATH_MAX];
    struct fix_config before = parse("name: a\nwait: 1s\n"), after = parse("name: a\nwait: 2s\n");
    ck_assert(!option_needs_restart(&fix_section, &before, &after, path));
    ck_assert_str_eq(path, "");
    after = parse("name: b\n");
    ck_assert(option_needs_restart(&fix_section, &before, &after, path));
    ck_assert_str_eq(path, "name");
}
END_TEST

struct outer {
    struct fix_config inner;
    struct fix_config *pointer;
};

START_TEST(nested_sections_are_compared)
{
    static const struct option options[] = {
        {.name = "inner",
         .type = OPT_SECTION,
         .offset = offsetof(struct outer, inner),
         .section = &fix_section},
        {.name = "pointer",
         .type = OPT_SECTION_PTR,
         .offset = offsetof(struct outer, pointer),
         .section = &fix_section},
    };
    static const struct option_section section = {.name = "outer",
                                                  .size = sizeof(struct outer),
                                                  .options = options,
                                                  .option_count = ARRAY_LEN(options)};
    char path[NODE_PATH_MAX];
    struct fix_config a = parse("name: a\n"), b = parse("name: b\n");
    struct outer before = {.inner = a, .pointer = &a}, after = {.inner = a, .pointer = &b};
    ck_assert(option_needs_restart(&section, &before, &after, path));
    ck_assert_str_eq(path, "pointer.name");
    after = (struct outer){.inner = b, .pointer = &b};
    ck_assert(option_needs_restart(&section, &before, &after, path));
    ck_assert_str_eq(path, "inner.name");
    after = (struct outer){.inner = a, .pointer = NULL};
    ck_assert(option_needs_restart(&section, &before, &after, path));
    ck_assert_str_eq(path, "pointer");
    ck_assert(!option_needs_restart(&section, &after, &after, path));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_compare");
    TCase *tests = tcase_create("option_compare");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_changed_password_changes_the_digest);
    tcase_add_test(tests, what_needs_a_restart_is_named);
    tcase_add_test(tests, nested_sections_are_compared);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
