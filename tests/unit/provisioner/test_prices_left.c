#include "provisioner/prices/left.h"

#include "tests/support/support.h"

static struct found found;
static struct prices_scope scope;
static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
    found_init(&found, 0);
}

static void teardown(void)
{
    found_deinit(&found);
    prices_scope_deinit(&scope);
    arena_free(arena);
}

static void ask(const char *provider, const char *regions)
{
    struct findings findings;
    struct deployment *deployment;
    const struct string_list none = {0};
    const char *text =
        arena_printf(arena, "metadata: { name: shop, environment: production }\nregions:\n%s", regions);
    findings_init(&findings, arena);
    ck_assert_int_eq(deployment_parse(arena, "shop.yaml", str_from(text), &deployment, &findings), 0);
    prices_scope_of(&scope, provider, deployment, &none, arena);
}

static void put(const char *location, const char *item)
{
    found_put(&found, (struct found_key){location, item}, 1, "hour", "a list");
}

/* "+ item: a b" of an older price that stays, "- item: a" of none. */
static const char *left(const char *only)
{
    struct buf text = BUF_INIT(64UL * 1024);
    struct prices_left items;
    prices_left_find(&scope, &found, arena, &items);
    for (size_t i = 0; i < items.count; i++) {
        const struct prices_left_item *item = &items.items[i];
        if (only && strncmp(item->item, only, strlen(only)) != 0)
            continue;
        buf_printf(&text, "%c %s:", item->kept ? '+' : '-', item->item);
        for (size_t j = 0; j < item->locations.count; j++)
            buf_printf(&text, " %s", item->locations.items[j]);
        buf_append_byte(&text, '\n');
    }
    const char *copy = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

static const char one_azure[] = "  a: { provider: azure, location: southeastasia, size: small }\n";

START_TEST(what_is_found_is_not_left)
{
    static const char *const items[] = {
        "db-storage", "db-backup",         "disk",         "lb",           "lb-lcu",
        "nat",        "nat-data",          "ipv4",         "private-zone", "secret-requests",
        "logs",       "egress-internet:0", "egress-region"};
    ask("azure", one_azure);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        put("southeastasia", items[i]);
    MAP_EACH (entry, &scope.types) {
        const struct instance_type *type = entry->value;
        put("southeastasia", arena_printf(arena, "%s:%s", type->database ? "db" : "vm", type->name));
    }
    ck_assert_str_eq(left(NULL), "+ metrics-api: southeastasia\n");
}
END_TEST

START_TEST(an_older_price_that_stays_and_none_at_all)
{
    ask("azure", one_azure);
    ck_assert_str_eq(left("logs"), "+ logs: southeastasia\n");
    ck_assert_str_eq(left("lb"), "- lb: southeastasia\n- lb-lcu: southeastasia\n");
    ck_assert_str_eq(left("private"), "+ private-zone: southeastasia\n");
    put("*", "private-zone");
    ck_assert_str_eq(left("private"), "");
    /* Two prices are none. */
    put("southeastasia", "logs");
    ck_assert_str_eq(left("logs"), "");
    found_put(&found, (struct found_key){"southeastasia", "logs"}, 2, "hour", "a list");
    ck_assert_str_eq(left("logs"), "+ logs: southeastasia\n");
}
END_TEST

START_TEST(several_places)
{
    ask("aws", "  a: { provider: aws, location: us-east-1, size: small }\n"
               "  b: { provider: aws, location: eu-south-1, size: small }\n"
               "  c: { provider: aws, location: eu-west-1, size: small }\n");
    put("us-east-1", "nat");
    ck_assert_str_eq(left("nat:"), "");
    ck_assert_str_eq(left("nat"), "+ nat: eu-west-1\n+ nat-data: eu-west-1 us-east-1\n"
                                  "- nat: eu-south-1\n- nat-data: eu-south-1\n");
    /* No line of the program is of that place; traffic within Europe there is not known either. */
    put("us-east-1", "egress-region");
    put("eu-west-1", "egress-region:europe");
    put("eu-west-1", "egress-region");
    ck_assert_str_eq(left("egress-region"),
                     "- egress-region:europe: eu-south-1\n- egress-region:north-america: eu-south-1\n");
    ck_assert_str_eq(left("dns-"), "");
    ck_assert_str_eq(left("vm:m5.large"), ""); /* nobody uses it */
}
END_TEST

START_TEST(what_follows_from_new_prices)
{
    ask("gcp", "  a: { provider: gcp, location: europe-west1, size: medium }\n");
    ck_assert_str_eq(left("vm:e2-small"), "+ vm:e2-small: europe-west1\n");
    put("europe-west1", "vm-vcpu:e2");
    ck_assert_str_eq(left("vm:e2-small"), "+ vm:e2-small: europe-west1\n");
    put("europe-west1", "vm-ram:e2");
    ck_assert_str_eq(left("vm:e2"), "");
}
END_TEST

START_TEST(names)
{
    prices_scope_all(&scope, "aws", arena);
    put("*", "dns-zone");
    ck_assert_str_eq(left("dns-z"), "");
    ck_assert_str_eq(left("dns-queries"),
                     "+ dns-queries: *\n+ dns-queries-geo: *\n+ dns-queries-latency: *\n");
}
END_TEST

/* Last: the list stays for the process. */
START_TEST(a_line_of_the_cache_hides_what_is_the_same_everywhere)
{
    struct error err = {0};
    ask("azure", one_azure);
    put("*", "nat");
    ck_assert_str_eq(left("nat:"), "");
    ck_assert_int_eq(price_list_read(PRICES_CACHED, "azure", "cache",
                                     STR("southeastasia,nat,1,hour,list,2026-11-01\n"), &err),
                     0);
    ck_assert_str_eq(left("nat"), "+ nat: southeastasia\n+ nat-data: southeastasia\n");
    put("southeastasia", "nat");
    ck_assert_str_eq(left("nat"), "+ nat-data: southeastasia\n");
}
END_TEST

static Suite *left_suite(void)
{
    Suite *suite = suite_create("prices_left");
    TCase *tcase = tcase_create("left");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_found_is_not_left);
    tcase_add_test(tcase, an_older_price_that_stays_and_none_at_all);
    tcase_add_test(tcase, several_places);
    tcase_add_test(tcase, what_follows_from_new_prices);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, a_line_of_the_cache_hides_what_is_the_same_everywhere);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(left_suite)
