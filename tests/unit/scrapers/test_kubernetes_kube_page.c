#include "scrapers/kubernetes/kube_page.h"

#include "tests/unit/scrapers/kube_rig.h"

static int read_page(struct kube_page *page, const char *body, struct error *err)
{
    const struct batch_options options = {.max_series = 1000};
    struct kube_emit emit = {.batch = batch_new(&options), .arena = arena_new(0), .budget = 1000};
    int rc;
    batch_begin(emit.batch);
    kube_emit_begin(&emit, &kube_budgets);
    kube_page_begin(page, str_from(body));
    while ((rc = kube_page_step(page, &emit, 10, err)) > 0)
        continue;
    snapshot_unref(batch_finish(emit.batch, 1, 1));
    arena_free(emit.arena);
    batch_free(emit.batch);
    return rc;
}

#define ITEM "{\"metadata\":{\"name\":\"a\"}}"

START_TEST(pages_and_what_continues_them)
{
    static const struct {
        const char *body, *next;
        uint64_t objects;
    } cases[] = {
        {"{\"metadata\":{\"continue\":\"abc\",\"remainingItemCount\":5},\"items\":[" ITEM "," ITEM "]}",
         "abc", 2},
        {"{\"items\":[" ITEM "],\"metadata\":{\"continue\":\"a\\u0062c\"}}", "abc", 1},
        {"{\"kind\":\"X\",\"items\":[],\"metadata\":{}}", "", 0},
        {"{\"items\":null}", "", 0},
        {"{}", "", 0},
    };
    struct kube_page page;
    kube_page_init(&page);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        ck_assert_msg(read_page(&page, cases[i].body, &err) == 0, "%s: %s", cases[i].body, err.message);
        ck_assert_uint_eq(page.objects, cases[i].objects);
        ck_assert_str_eq(buf_text(&page.next), cases[i].next);
    }
    kube_page_deinit(&page);
}
END_TEST

START_TEST(damaged_pages)
{
    static const char *const bodies[] = {"",
                                         "[]",
                                         "<html>",
                                         "{\"items\":[" ITEM,
                                         "{\"items\":[" ITEM "]",
                                         "{\"items\":[{\"metadata\":{\"name\":]}]}",
                                         "{\"items\":[" ITEM "]} x"};
    struct kube_page page;
    kube_page_init(&page);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct error err = {0};
        ck_assert_msg(read_page(&page, bodies[i], &err) == ERR_PARSE, "%s", bodies[i]);
    }
    kube_page_deinit(&page);
}
END_TEST

START_TEST(a_token_over_its_maximum_is_no_page)
{
    struct buf body = BUF_INIT(1 << 16);
    struct kube_page page;
    struct error err = {0};
    buf_printf(&body, "{\"metadata\":{\"continue\":\"%05000d\"}}", 1);
    kube_page_init(&page);
    ck_assert_int_eq(read_page(&page, buf_text(&body), &err), ERR_LIMIT);
    ck_assert_int_eq(read_page(&page, "{}", &err), 0);
    kube_page_deinit(&page);
    buf_deinit(&body);
}
END_TEST

START_TEST(refusals_name_what_is_lacking)
{
    static const char forbidden[] = "{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"u\\\" "
                                    "cannot list\",\"reason\":\"Forbidden\","
                                    "\"code\":403}";
    struct kube_status status;
    struct error err = {0};
    kube_status_read(STR(forbidden), &status);
    ck_assert_str_eq(status.reason, "Forbidden");
    ck_assert_int_eq(kube_status_error(403, &status, "list", "pods", "", "shop", &err), ERR_AUTH);
    ck_assert_str_eq(err.message, "may not list pods in namespace shop (HTTP 403)");
    ck_assert_contains(err.hint,
                       "grant the verb list on the resource pods of the API group \"\" by a Role there");
    ck_assert_contains(err.detail, "pods is forbidden: User \"u\"");
    ck_assert_int_eq(kube_status_error(403, &status, "list", "nodes", "", NULL, &err), ERR_AUTH);
    ck_assert_contains(err.hint, "by a ClusterRole");
    ck_assert_int_eq(kube_status_error(401, &status, "list", "nodes", "", NULL, &err), ERR_AUTH);
    ck_assert_contains(err.message, "does not know us");
    ck_assert_int_eq(kube_status_error(404, &status, "list", "pods", "metrics.k8s.io", NULL, &err), ERR_PEER);
    ck_assert_contains(err.message, "no pods of the group \"metrics.k8s.io\"");
    ck_assert_int_eq(kube_status_error(503, &status, "list", "pods", "", NULL, &err), ERR_UNAVAILABLE);
    ck_assert_int_eq(kube_status_error(418, &status, "list", "pods", "", NULL, &err), ERR_PEER);
}
END_TEST

START_TEST(a_status_that_is_none_says_nothing)
{
    static const char *const bodies[] = {"", "<html>busy</html>", "{\"message\":", "[]", "{\"message\":5}"};
    struct kube_status status;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        kube_status_read(str_from(bodies[i]), &status);
        ck_assert_str_eq(status.message, "");
        ck_assert_str_eq(status.next, "");
        ck_assert_int_eq(status.retry_after_s, 0);
    }
    kube_status_read(
        STR("{\"metadata\":{\"continue\":\"rest\"},\"details\":{\"retryAfterSeconds\":3},\"code\":410}"),
        &status);
    ck_assert_str_eq(status.next, "rest");
    ck_assert_int_eq(status.retry_after_s, 3);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kube_page");
    TCase *tests = tcase_create("page");
    tcase_add_test(tests, pages_and_what_continues_them);
    tcase_add_test(tests, damaged_pages);
    tcase_add_test(tests, a_token_over_its_maximum_is_no_page);
    tcase_add_test(tests, refusals_name_what_is_lacking);
    tcase_add_test(tests, a_status_that_is_none_says_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
