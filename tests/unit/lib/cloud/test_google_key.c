#include "lib/cloud/google_key.h"

#include "tests/support/support.h"

#include <errno.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

static int read_key(const char *text, struct google_key *ret, struct error *err)
{
    return google_key_read(arena, str_from(text), "key.json", ret, err);
}

/* Each ends with `code` and a sentence that names the file and holds `part`. */
static void assert_ends(const char *text, int code, const char *part)
{
    struct google_key key;
    struct error err = {0};
    ck_assert_int_eq(read_key(text, &key, &err), code);
    ck_assert_contains(err.message, "key.json");
    ck_assert_contains(err.message, part);
    ck_assert_ptr_null(strstr(err.message, "hush"));
    ck_assert_ptr_null(key.secret);
}

static void assert_refused(const char *text, const char *part)
{
    assert_ends(text, ERR_CONFIG, part);
}

/* Good for others. */
static void assert_unsupported(const char *text, const char *part)
{
    assert_ends(text, -ENOTSUP, part);
}

START_TEST(what_cannot_be_used_is_refused_by_a_sentence)
{
    assert_refused("", "no JSON object");
    assert_refused("{\"private_key\": hush", "no JSON object");
    assert_refused("[\"hush\"]", "no JSON object");
    assert_refused("{}", "lacks \"type\"");
    assert_unsupported("{\"type\":\"other\"}", "of a type that is not supported");
    assert_unsupported("{\"type\":\"external_account_authorized_user\"}", "workforce login");
    assert_refused("{\"type\":\"service_account\",\"private_key\":\"hush\"}", "lacks \"client_email\"");
    assert_refused("{\"type\":\"service_account\",\"client_email\":\"a@x\"}", "lacks \"private_key\"");
    assert_unsupported("{\"type\":\"service_account\",\"client_email\":\"a@x\",\"private_key\":\"hush\","
                       "\"universe_domain\":\"example.com\"}",
                       "universe");
    assert_refused("{\"type\":\"service_account\",\"client_email\":\"$(x)\",\"private_key\":\"hush\"}",
                   "\"client_email\" that is none");
    assert_refused("{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"hush\"}",
                   "lacks \"refresh_token\"");
    assert_refused("{\"type\":\"impersonated_service_account\"}", "lacks \"source_credentials\"");
}
END_TEST

START_TEST(a_secret_goes_by_https_or_to_this_machine)
{
    static const char *const bad[] = {"http://oauth2.googleapis.com/token",
                                      "http://127.0.0.1.example.com/",
                                      "http://user@127.0.0.1/",
                                      "https://user@example.com/",
                                      "ftp://127.0.0.1/",
                                      "http://169.254.169.254/",
                                      "http://1270.0.0.1/",
                                      "http://127.0.0.256/",
                                      "http://127.0.0/",
                                      "http://[::1].example.com/",
                                      "//oauth2.googleapis.com"};
    static const char *const good[] = {"https://oauth2.googleapis.com/token", "http://127.0.0.1:8080/token",
                                       "http://localhost/token", "http://[::1]:80/", "HTTPS://x/"};
    struct google_key key;
    const char *form = "{\"type\":\"service_account\",\"client_email\":\"a@x\",\"private_key\":\"hush\","
                       "\"token_uri\":\"%s\"}";
    for (size_t i = 0; i < ARRAY_LEN(bad) + ARRAY_LEN(good); i++) {
        struct buf text = BUF_INIT(4096);
        bool fit = i >= ARRAY_LEN(bad);
        const char *part = strstr(form, "%s"), *url = fit ? good[i - ARRAY_LEN(bad)] : bad[i];
        buf_append(&text, form, (size_t)(part - form));
        buf_append_text(&text, url);
        buf_append_text(&text, part + 2);
        if (fit) {
            ck_assert_msg(read_key(buf_text(&text), &key, NULL) == 0, "%s", url);
            google_key_deinit(&key);
        } else {
            assert_refused(buf_text(&text), "is not an https address");
        }
        buf_deinit(&text);
    }
}
END_TEST

static const char *external(const char *source)
{
    return arena_printf(arena,
                        "{\"type\":\"external_account\",\"audience\":\"a\",\"subject_token_type\":\"t\","
                        "\"token_url\":\"https://sts.googleapis.com/v1/token\",\"credential_source\":%s}",
                        source);
}

START_TEST(sources_of_a_subject_are_files_and_urls)
{
    struct google_key key;
    assert_unsupported(external("{\"executable\":{\"command\":\"x\"}}"), "executable");
    assert_unsupported(external("{\"environment_id\":\"aws1\",\"url\":\"http://169.254.169.254/\"}"), "AWS");
    assert_unsupported(external("{\"certificate\":{}}"), "certificate");
    assert_refused(external("{}"), "neither a file nor a URL");
    assert_refused(external("{\"file\":\"a\",\"url\":\"https://x/\"}"), "or both");
    assert_refused(external("{\"url\":\"http://example.com/\"}"), "neither https nor of this machine");
    assert_refused(external("{\"file\":\"a\",\"format\":{\"type\":\"xml\"}}"), "neither text nor json");
    assert_refused(external("{\"file\":\"a\",\"format\":{\"type\":\"json\"}}"),
                   "lacks \"subject_token_field_name\"");
    assert_refused(external("{\"url\":\"https://x/\",\"headers\":{\"A\":\"b\\r\\nC: d\"}}"), "headers");
    assert_refused(external("{\"url\":\"https://x/\",\"headers\":{\"A:\":\"b\"}}"), "headers");
    assert_refused(external("{\"url\":\"https://x/\",\"headers\":[]}"), "headers");
    ck_assert_int_eq(read_key(external("{\"url\":\"https://x/\",\"headers\":{\"A\":\"b\"}}"), &key, NULL), 0);
    ck_assert_uint_eq(key.subject_header_count, 1);
    ck_assert_str_eq(key.subject_headers[0].value, "b");
    ck_assert_ptr_null(key.subject_member);
    google_key_deinit(&key);
}
END_TEST

/* Who wrote the file says what of this machine is read; where it goes is not theirs to say. */
START_TEST(an_external_token_goes_to_google_or_this_machine)
{
    static const struct {
        const char *url;
        bool fit;
    } cases[] = {
        {"https://sts.googleapis.com/v1/token", true},
        {"https://sts.eu-west1.rep.googleapis.com:443/v1/token", true},
        {"https://googleapis.com/", true},
        {"http://127.0.0.1:8080/token", true},
        {"https://127.0.0.1:8443/token", true},
        {"https://evil.example/token", false},
        {"https://evil.example/.googleapis.com", false},
        {"https://evil.example#.googleapis.com", false},
        {"https://evilgoogleapis.com/", false},
        {"https://sts.googleapis.com.evil.example/", false},
        {"https://evil.example\\\\.googleapis.com/", false},
        {"https://evil.example:1x.googleapis.com/", false},
    };
    struct google_key key;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text = arena_printf(arena,
                                        "{\"type\":\"external_account\",\"audience\":\"a\","
                                        "\"subject_token_type\":\"t\",\"token_url\":\"%s\","
                                        "\"credential_source\":{\"file\":\"/etc/hostname\"}}",
                                        cases[i].url);
        const char *hop = arena_printf(arena,
                                       "{\"type\":\"impersonated_service_account\","
                                       "\"service_account_impersonation_url\":\"%s\",\"source_credentials\":"
                                       "{\"type\":\"authorized_user\",\"client_id\":\"c\","
                                       "\"client_secret\":\"hush\",\"refresh_token\":\"hush\"}}",
                                       cases[i].url);
        if (cases[i].fit) {
            ck_assert_msg(read_key(text, &key, NULL) == 0, "%s", cases[i].url);
            google_key_deinit(&key);
            ck_assert_msg(read_key(hop, &key, NULL) == 0, "%s", cases[i].url);
            google_key_deinit(&key);
        } else {
            assert_refused(text, "is not an address of googleapis.com");
            assert_refused(hop, "is not an address of googleapis.com");
        }
    }
}
END_TEST

/* Credentials that impersonate, inside each other. */
static const char *nested(unsigned levels)
{
    const char *text = "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"hush\","
                       "\"refresh_token\":\"hush\"}";
    for (unsigned i = 0; i < levels; i++)
        text = arena_printf(
            arena,
            "{\"type\":\"impersonated_service_account\","
            "\"service_account_impersonation_url\":\"https://iam.googleapis.com/serviceAccounts/%u:go\","
            "\"source_credentials\":%s}",
            i, text);
    return text;
}

START_TEST(impersonation_goes_from_the_inside_out_and_ends)
{
    struct google_key key;
    ck_assert_int_eq(read_key(nested(3), &key, NULL), 0);
    ck_assert_uint_eq(key.hop_count, 3);
    ck_assert_str_eq(key.hops[0].account, "0");
    ck_assert_str_eq(key.hops[2].account, "2");
    google_key_deinit(&key);
    assert_refused(nested(5), "nests credentials deeper");
    assert_refused("{\"type\":\"impersonated_service_account\","
                   "\"service_account_impersonation_url\":\"http://x/serviceAccounts/a:go\","
                   "\"source_credentials\":{\"type\":\"authorized_user\",\"client_id\":\"c\","
                   "\"client_secret\":\"hush\",\"refresh_token\":\"hush\"}}",
                   "is not an https address");
}
END_TEST

static Suite *google_key_suite(void)
{
    Suite *suite = suite_create("google_key");
    TCase *tcase = tcase_create("google_key");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_cannot_be_used_is_refused_by_a_sentence);
    tcase_add_test(tcase, a_secret_goes_by_https_or_to_this_machine);
    tcase_add_test(tcase, sources_of_a_subject_are_files_and_urls);
    tcase_add_test(tcase, an_external_token_goes_to_google_or_this_machine);
    tcase_add_test(tcase, impersonation_goes_from_the_inside_out_and_ends);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(google_key_suite)
