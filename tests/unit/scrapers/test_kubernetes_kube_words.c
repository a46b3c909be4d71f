#include "scrapers/kubernetes/kube_words.h"

#include "tests/unit/scrapers/loop_rig.h"

/* The lines of the hub's view, malloc'd. */
static char *lines_of(struct hub *hub)
{
    struct buf out = BUF_INIT(1 << 20);
    struct hub_view *view = hub_view_take(hub, NULL, NULL);
    if (view->part_count > 0) { /* one source, so all parts are of one snapshot */
        char *text = rig_snapshot_text(view->parts[0].snapshot);
        buf_append_text(&out, text);
        free(text);
    }
    hub_view_unref(view);
    buf_append_byte(&out, '\0');
    return buf_take(&out);
}

static void expect(struct hub *hub, const char *expected)
{
    char *text = lines_of(hub);
    ck_assert_str_eq(text, expected);
    free(text);
}

#define OF(node) "{region=\"eu\",resource=\"" node "\",target=\"k\"} "

START_TEST(nodes_are_the_region_s_machines)
{
    const struct hub_options options = {0};
    struct hub *hub = hub_new(&options);
    struct kube_words *words = kube_words_new(hub, "eu", "k");
    const struct kube_node_facts one = {STR("n1"), VALUE_OF_BOOL(true), VALUE_OF_U64(4), VALUE_OF_U64(1000)};
    const struct kube_node_facts two = {STR("n2"), VALUE_OF_BOOL(false), VALUE_OF_U64(8), VALUE_OF_U64(2000)};
    const struct kube_node_facts three = {.name = STR("n3")};
    expect(hub, "");
    kube_words_begin(words);
    kube_words_node(words, &one);
    kube_words_node(words, &two);
    kube_words_node(words, &three);
    kube_words_node(words, &one);
    kube_words_usage(words, STR("n1"), VALUE_OF_F64(1.5), VALUE_OF_U64(400));
    kube_words_usage(words, STR("n3"), VALUE_OF_F64(1.5), VALUE_OF_U64(400)); /* its capacity is not known */
    kube_words_usage(words, STR("n4"), VALUE_OF_F64(1.5), VALUE_OF_U64(400));
    kube_words_publish(words);
    expect(hub, "fraiseql_region_machine_cpu_ratio" OF(
                    "n1") "0.375\n"
                          "fraiseql_region_machine_memory_free_bytes" OF(
                              "n1") "600\n"
                                    "fraiseql_region_machine_up" OF("n1") "1\nfraiseql_region_machine_up" OF(
                                        "n2") "0\n");
    kube_words_withdraw(words);
    expect(hub, "");
    kube_words_begin(words);
    kube_words_node(words, &two);
    kube_words_publish(words);
    expect(hub, "fraiseql_region_machine_up" OF("n2") "0\n");
    kube_words_free(words);
    expect(hub, "");
    hub_free(hub);
}
END_TEST

START_TEST(services_are_the_region_s_load_balancers)
{
    const struct hub_options options = {0};
    struct hub *hub = hub_new(&options);
    struct kube_words *words = kube_words_new(hub, "eu", "k");
    const struct kube_service_facts facts[] = {
        {STR("ns"), STR("web"), 3, 1, false},
        {STR("ns"), STR("web"), 2, 0, false}, /* a second slice */
        {STR("ns"), STR("web"), 5, 1, true},
        {STR("other"), STR("web"), 0, 0, false},
    };
    kube_words_begin(words);
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        kube_words_service(words, &facts[i]);
    kube_words_publish(words);
    expect(hub,
           "fraiseql_region_load_balancer_healthy_backends" OF(
               "ns/web") "5\n"
                         "fraiseql_region_load_balancer_healthy_backends" OF(
                             "other/web") "0\n"
                                          "fraiseql_region_load_balancer_unhealthy_backends" OF(
                                              "ns/web") "1\n"
                                                        "fraiseql_region_load_balancer_unhealthy_backends" OF(
                                                            "other/web") "0\n");
    kube_words_free(words);
    hub_free(hub);
}
END_TEST

START_TEST(without_a_hub_nothing_is_published)
{
    struct kube_words *words = kube_words_new(NULL, "eu", "k");
    kube_words_begin(words);
    kube_words_publish(words);
    kube_words_withdraw(words);
    kube_words_free(words);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kube_words");
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, nodes_are_the_region_s_machines);
    tcase_add_test(tests, services_are_the_region_s_load_balancers);
    tcase_add_test(tests, without_a_hub_nothing_is_published);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
