/* Signatures compared with those of botocore 1.43.11 for the same requests, time and key; the first ones are
 * also those of AWS's published suite. tests/integration/test_aws_signature.py compares with a live botocore.
 */
#include "lib/cloud/sigv4_internal.h"
#include "tests/support/support.h"
#include "tests/unit/lib/cloud/sigv4_shapes.h"

#include <stdlib.h>

#define AT_NS (INT64_C(1440938160) * NS_PER_S) /* 2015-08-30T12:36:00Z */

static struct arena *arena;
static struct secret *secret, *session;
static struct sigv4_key key;

static void begin(void)
{
    arena = arena_new(0);
    secret = secret_new(STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    session = secret_new(str_from(session_token));
    key = (struct sigv4_key){"AKIDEXAMPLE", secret, NULL, "us-east-1", "service"};
}

static void end(void)
{
    secret_free(secret);
    secret_free(session);
    arena_free(arena);
}

static const char *value_of(const struct http_header *headers, size_t count, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) != 0)
            continue;
        ck_assert_msg(!value, "%s twice", name);
        value = headers[i].value;
    }
    return value;
}

static const char *sign(const struct http_request *request)
{
    const struct http_header *headers;
    size_t count;
    struct error err = {0};
    ck_assert_msg(sigv4_sign(request, &key, AT_NS, arena, &headers, &count, &err) == 0, "%s", err.message);
    ck_assert_str_eq(value_of(headers, count, "X-Amz-Date"), "20150830T123600Z");
    if (key.session)
        ck_assert_ptr_eq(value_of(headers, count, "X-Amz-Security-Token"), secret_reveal(session).ptr);
    return value_of(headers, count, "Authorization");
}

START_TEST(every_shape_is_signed_as_botocore_signs_it)
{
    const struct shape *shape = &shapes[_i];
    const struct http_request request = {.method = shape->method,
                                         .url = shape->url,
                                         .headers = shape->headers,
                                         .header_count = shape->header_count,
                                         .body = {shape->body, shape->body_length}};
    key.session = shape->session ? session : NULL;
    key.service = shape->service;
    const char *want =
        arena_printf(arena,
                     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/%s/aws4_request, "
                     "SignedHeaders=%s, Signature=%s",
                     shape->service, shape->signed_headers, shape->signature);
    const char *got = sign(&request);
    ck_assert_msg(strcmp(got, want) == 0, "%s:\n%s\n%s", shape->name, got, want);
}
END_TEST

START_TEST(two_spellings_of_one_request_are_one)
{
    static const char *const pairs[][2] = {
        {"https://h/?a=%7e%2d", "https://h/?a=~-"},
        {"https://h/?a=:/", "https://h/?a=%3A%2f"},
        {"https://h/?a+b=c+d", "https://h/?a%2Bb=c%2bd"},
        {"https://h/?b=1&&a=2&", "https://h/?a=2&b=1"},
        {"https://h/x#part", "https://h/x"},
        {"https://H/", "https://h/"},
        {"https://h/a/b/..", "https://h/a/"},
        {"https://h/../../a", "https://h/a"},
        {"https://h/?a=100%", "https://h/?a=100%25"},
        {"https://h?a=1", "https://h/?a=1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const struct http_request one = {.url = pairs[i][0]}, other = {.url = pairs[i][1]};
        ck_assert_msg(strcmp(sign(&one), sign(&other)) == 0, "%s and %s", pairs[i][0], pairs[i][1]);
    }
}
END_TEST

START_TEST(what_differs_is_signed_differently)
{
    static const char *const urls[] = {"https://h/a%2Fb",   "https://h/a/b",  "https://h/a/b/",
                                       "https://h/a%252Fb", "https://h/?a",   "https://h/?a=%3D",
                                       "https://h/?=a",     "https://h/?A",   "https://h/",
                                       "http://h:443/",     "https://h/?a=+", "https://h/?a=%20"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        for (size_t j = 0; j < i; j++) {
            const struct http_request one = {.url = urls[i]}, other = {.url = urls[j]};
            ck_assert_msg(strcmp(sign(&one), sign(&other)) != 0, "%s and %s", urls[i], urls[j]);
        }
    }
}
END_TEST

START_TEST(what_cannot_be_signed_is_refused)
{
    static const struct {
        const char *url;
        struct http_header header;
        const char *says;
    } cases[] = {
        {"example.com/", {"A", "1"}, "begins with http://"},
        {"https:///x", {"A", "1"}, "names a host"},
        {"https://user:secret@h/", {"A", "1"}, "no user"},
        {"https://h/", {"authorization", "x"}, "Authorization is the signature's"},
        {"https://h/", {"X-AMZ-DATE", "x"}, "X-Amz-Date is the signature's"},
        {"https://h/", {"x-amz-security-token", "x"}, "X-Amz-Security-Token is the signature's"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_request request = {
            .url = cases[i].url, .headers = &cases[i].header, .header_count = 1};
        const struct http_header *headers;
        size_t count;
        struct error err = {0};
        ck_assert_int_eq(sigv4_sign(&request, &key, AT_NS, arena, &headers, &count, &err), ERR_CONFIG);
        ck_assert_contains(err.message, cases[i].says);
    }
}
END_TEST

START_TEST(too_much_is_refused_and_not_cut)
{
    struct buf url = BUF_INIT(1UL << 20);
    const struct http_header *headers;
    struct error err = {0};
    size_t count;
    buf_append_text(&url, "https://h/?");
    for (unsigned i = 0; i < 1025; i++)
        buf_append_text(&url, "a&");
    struct http_request request = {.url = buf_text(&url)};
    ck_assert_int_eq(sigv4_sign(&request, &key, AT_NS, arena, &headers, &count, &err), ERR_LIMIT);
    buf_reset(&url);
    buf_append_text(&url, "https://h");
    for (unsigned i = 0; i < 1025; i++)
        buf_append_text(&url, "/a");
    request.url = buf_text(&url);
    ck_assert_int_eq(sigv4_sign(&request, &key, AT_NS, arena, &headers, &count, &err), ERR_LIMIT);
    char *value = xmalloc(SIGV4_CANONICAL_MAX + 1);
    memset(value, 'a', SIGV4_CANONICAL_MAX);
    value[SIGV4_CANONICAL_MAX] = '\0';
    const struct http_header large = {"A", value};
    request = (struct http_request){.url = "https://h/", .headers = &large, .header_count = 1};
    ck_assert_int_eq(sigv4_sign(&request, &key, AT_NS, arena, &headers, &count, &err), ERR_LIMIT);
    free(value);
    buf_deinit(&url);
}
END_TEST

START_TEST(a_clock_that_is_wrong_is_noticed)
{
    static const struct {
        const char *code, *message, *date;
        bool found;
        int64_t offset_s;
    } cases[] = {
        {"RequestTimeTooSkewed", "x", "Sun, 30 Aug 2015 13:36:00 GMT", true, 3600},
        {"SignatureDoesNotMatch", "Signature expired: 20150830T123600Z is now earlier than ...",
         "Sun, 30 Aug 2015 12:56:00 GMT", true, 1200},
        {"SignatureDoesNotMatch", "Signature not yet current: 20150830T123600Z is still later than ...",
         "Sun, 30 Aug 2015 12:16:00 GMT", true, -1200},
        {"InvalidSignatureException", "Signature expired: x", "Mon, 31 Aug 2015 12:36:00 GMT", true, 86400},
        {"SignatureDoesNotMatch", "The request signature we calculated does not match",
         "Sun, 30 Aug 2015 13:36:00 GMT", false, 0},
        {"RequestTimeTooSkewed", "x", "Sun, 30 Aug 2015 12:36:30 GMT", false, 0},
        {"RequestTimeTooSkewed", "x", NULL, false, 0},
        {"RequestTimeTooSkewed", "x", "yesterday", false, 0},
        {"AccessDenied", "x", "Sun, 30 Aug 2015 13:36:00 GMT", false, 0},
        {NULL, NULL, "Sun, 30 Aug 2015 13:36:00 GMT", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t offset = 0;
        bool found = sigv4_clock_offset(cases[i].code, cases[i].message, cases[i].date, AT_NS, &offset);
        ck_assert_msg(found == cases[i].found && offset == cases[i].offset_s * NS_PER_S, "case %zu", i);
    }
}
END_TEST

START_TEST(a_server_out_of_time_is_not_believed)
{
    int64_t offset = 0;
    ck_assert(sigv4_clock_offset("RequestExpired", "", "Tue, 31 Dec 2199 23:59:59 GMT", AT_NS, &offset));
    ck_assert(!sigv4_clock_offset("RequestExpired", "", "Fri, 31 Dec 9999 23:59:59 GMT", AT_NS, &offset));
    ck_assert(!sigv4_clock_offset("RequestExpired", "", "yesterday", AT_NS, &offset));
}
END_TEST

static Suite *sigv4_suite(void)
{
    Suite *suite = suite_create("sigv4");
    TCase *tcase = tcase_create("sigv4");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, every_shape_is_signed_as_botocore_signs_it, 0, ARRAY_LEN(shapes));
    tcase_add_test(tcase, two_spellings_of_one_request_are_one);
    tcase_add_test(tcase, what_differs_is_signed_differently);
    tcase_add_test(tcase, what_cannot_be_signed_is_refused);
    tcase_add_test(tcase, too_much_is_refused_and_not_cut);
    tcase_add_test(tcase, a_clock_that_is_wrong_is_noticed);
    tcase_add_test(tcase, a_server_out_of_time_is_not_believed);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(sigv4_suite)
