#include "lib/cloud/oauth.h"

#include "tests/support/support.h"

#define WALL_NS (INT64_C(1764131138) * NS_PER_S)

START_TEST(forms_are_encoded)
{
    struct buf form;
    oauth_form_begin(&form);
    oauth_form_add(&form, "a", STR("x y&z=%+/"));
    oauth_form_add(&form, "b", (struct str){"\xC3\xA9\0", 3});
    oauth_form_add(&form, "c", STR("-._~aZ09"));
    ck_assert_str_eq(buf_text(&form), "a=x%20y%26z%3D%25%2B%2F&b=%C3%A9%00&c=-._~aZ09");
    oauth_form_wipe(&form);
    oauth_form_wipe(&form); /* again does no harm */
    ck_assert_ptr_null(form.data);
}
END_TEST

static int expiry_of(const char *more, int64_t *ret_expires)
{
    struct buf body = BUF_INIT(4096);
    struct oauth_answer answer = {0};
    buf_printf(&body, "{\"access_token\":\"t\"%s}", more);
    int code = oauth_answer_read(200, buf_str(&body), "access_token", WALL_NS, &answer, NULL);
    *ret_expires = answer.expires_wall_ns;
    secret_free(answer.token);
    buf_deinit(&body);
    return code;
}

START_TEST(a_tokens_end_comes_in_many_forms)
{
    static const struct {
        const char *more;
        int64_t after_s; /* -1: refused, 0: none said */
    } cases[] = {{"", 0},
                 {",\"expires_in\":3599", 3599},
                 {",\"expires_in\":\"3599\"", 3599},
                 {",\"expires_in\":3599.9", 3599},
                 {",\"expires_in\":0", -1},
                 {",\"expires_in\":-1", -1},
                 {",\"expires_in\":1e300", -1},
                 {",\"expires_in\":\"NaN\"", -1},
                 {",\"expires_on\":\"1764131139\"", 1},
                 {",\"expires_on\":1764131137", -1},
                 {",\"expires_on\":\"11/26/2025 4:25:38 AM +00:00\"", -1},
                 {",\"expires_in\":\"10\",\"expires_on\":\"1\"", 10},
                 {",\"expireTime\":\"2025-11-26T04:25:39Z\"", 1},
                 {",\"expireTime\":\"2025-11-26T04:25:39.123456Z\"", 1},
                 {",\"expireTime\":\"2025-11-26T04:25:39+01:00\"", -1},
                 {",\"expireTime\":\"2025-13-26T04:25:39Z\"", -1},
                 {",\"expireTime\":\"soon\"", -1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t expires, after = cases[i].after_s;
        int code = expiry_of(cases[i].more, &expires);
        ck_assert_msg(code == (after < 0 ? ERR_PEER : 0), "%s: %d", cases[i].more, code);
        if (after >= 0)
            ck_assert_int_eq(expires, after ? WALL_NS + after * NS_PER_S : 0);
    }
}
END_TEST

static void assert_refusal(int status, const char *body, int code, const char *message)
{
    struct error err = {0};
    ck_assert_int_eq(oauth_refusal(status, str_from(body), &err), code);
    ck_assert_str_eq(err.message, message);
}

START_TEST(a_refusal_is_told_in_one_line)
{
    assert_refusal(400, "{\"error\":\"invalid_grant\"}", ERR_AUTH, "answered 400: invalid_grant");
    assert_refusal(401, "{\"error\":\"a\",\"error_description\":\"AADSTS7: bad\\r\\nTrace ID: 1\"}", ERR_AUTH,
                   "answered 401: a: AADSTS7: bad");
    assert_refusal(403, "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}", ERR_AUTH,
                   "answered 403: AuthorizationFailed: no");
    assert_refusal(403, "{\"error\":{\"code\":403,\"status\":\"PERMISSION_DENIED\",\"message\":\"no\"}}",
                   ERR_AUTH, "answered 403: PERMISSION_DENIED: no");
    assert_refusal(404, "{\"error_description\":\"x\\u001b[31my\"}", ERR_AUTH, "answered 404: x [31my");
    assert_refusal(429, "{}", ERR_UNAVAILABLE, "answered 429");
    assert_refusal(500, "[]", ERR_UNAVAILABLE, "answered 500");
    assert_refusal(418, "{\"error\":", ERR_PEER, "answered 418");
    assert_refusal(400, "{\"error\":\"x\",\"error_description\":\"password=hunter2 is wrong\"}", ERR_AUTH,
                   "answered 400: x: password=*** is wrong");
}
END_TEST

START_TEST(what_is_parsed_can_be_erased)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root;
    ck_assert_int_eq(json_parse(arena, STR("{\"a\":[\"secret\",{\"b\":\"secret\"}]}"), &root, NULL), 0);
    const struct node *list = node_member(root, "a");
    struct str one = list->items[0]->scalar, two = node_text(list->items[1], "b");
    oauth_tree_wipe(root);
    ck_assert(memcmp(one.ptr, "\0\0\0\0\0\0", 6) == 0);
    ck_assert(memcmp(two.ptr, "\0\0\0\0\0\0", 6) == 0);
    oauth_tree_wipe(NULL);
}
END_TEST

START_TEST(link_local_is_local_and_not_private)
{
    ck_assert(oauth_url_is_local("http://169.254.169.254/x") && !oauth_url_is_private("http://169.254.1.2/"));
    ck_assert(oauth_url_is_local("https://example.com") && oauth_url_is_private("https://example.com"));
    ck_assert(!oauth_url_is_local("http://169.25.4.1/") && !oauth_url_is_local("http://10.0.0.1/"));
    ck_assert(!oauth_url_is_local("https://") && !oauth_url_is_local("") && !oauth_url_is_local("http:///x"));
}
END_TEST

static Suite *oauth_suite(void)
{
    Suite *suite = suite_create("oauth");
    TCase *tcase = tcase_create("oauth");
    tcase_add_test(tcase, forms_are_encoded);
    tcase_add_test(tcase, a_tokens_end_comes_in_many_forms);
    tcase_add_test(tcase, a_refusal_is_told_in_one_line);
    tcase_add_test(tcase, what_is_parsed_can_be_erased);
    tcase_add_test(tcase, link_local_is_local_and_not_private);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(oauth_suite)
