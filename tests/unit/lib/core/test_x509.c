#include "lib/core/x509.h"
#include "tests/support/support.h"

#define NOW_S INT64_C(1800000000)
#define DAY_S INT64_C(86400)

struct texts {
    struct buf certificate, key;
};

static struct texts authority, leaf;

static struct texts empty(void)
{
    return (struct texts){BUF_INIT(X509_PEM_MAX_BYTES), BUF_INIT(X509_PEM_MAX_BYTES)};
}

static struct texts make_authority(void)
{
    struct texts made = empty();
    struct x509_request request = {
        .common_name = "authority", .not_before_s = NOW_S, .not_after_s = NOW_S + 1000 * DAY_S};
    ck_assert_int_eq(x509_make_authority(&request, &made.certificate, &made.key, NULL), 0);
    return made;
}

static const char *const names[] = {"us-east", "127.0.0.1", "2001:db8::1", "localhost", NULL};
static const struct x509_request wanted = {
    .common_name = "server", .names = names, .not_before_s = NOW_S, .not_after_s = NOW_S + 90 * DAY_S};

static void setup(void)
{
    authority = make_authority();
    leaf = empty();
    ck_assert_int_eq(x509_issue(buf_str(&authority.certificate), buf_str(&authority.key), &wanted,
                                &leaf.certificate, &leaf.key, NULL),
                     0);
}

static void drop(struct texts *texts)
{
    buf_deinit(&texts->certificate);
    buf_deinit(&texts->key);
}

static void teardown(void)
{
    drop(&authority);
    drop(&leaf);
}

static struct x509_facts inspect(struct str authority_pem, const struct x509_request *request)
{
    struct x509_facts facts = {0};
    ck_assert_int_eq(x509_inspect(buf_str(&leaf.certificate), authority_pem, request, &facts, NULL), 0);
    return facts;
}

START_TEST(a_leaf_is_what_was_asked_for)
{
    struct x509_facts facts = inspect(buf_str(&authority.certificate), &wanted);
    ck_assert(facts.issued);
    ck_assert(facts.names_match);
    ck_assert_int_eq(facts.not_before_s, NOW_S);
    ck_assert_int_eq(facts.not_after_s, NOW_S + 90 * DAY_S);
    ck_assert(strstr(buf_text(&leaf.key), "-----BEGIN PRIVATE KEY-----") == buf_text(&leaf.key));
}
END_TEST

START_TEST(another_authority_did_not_issue_it)
{
    struct texts other = make_authority();
    ck_assert(!inspect(buf_str(&other.certificate), &wanted).issued);
    ck_assert(!inspect(STR(""), &wanted).issued);
    drop(&other);
}
END_TEST

START_TEST(other_names_do_not_match)
{
    static const char *const fewer[] = {"us-east", "127.0.0.1", "2001:db8::1", NULL};
    static const char *const more[] = {"us-east", "127.0.0.1", "2001:db8::1", "localhost", "x", NULL};
    static const char *const others[] = {"us-east", "127.0.0.2", "2001:db8::1", "localhost", NULL};
    static const char *const texts[] = {"us-east", "127.0.0.1", "2001:db8::1", "localhos", NULL};
    static const char *const *const lists[] = {fewer, more, others, texts, NULL};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct x509_request request = {.common_name = "server", .names = lists[i]};
        ck_assert_msg(!inspect(buf_str(&authority.certificate), &request).names_match, "list %zu", i);
    }
    struct x509_request request = {.common_name = "serve", .names = names};
    ck_assert(!inspect(buf_str(&authority.certificate), &request).names_match);
}
END_TEST

START_TEST(a_client_needs_no_names)
{
    struct x509_request request = {
        .common_name = "fraiseql_replication", .not_before_s = NOW_S, .not_after_s = NOW_S + DAY_S};
    drop(&leaf);
    leaf = empty();
    ck_assert_int_eq(x509_issue(buf_str(&authority.certificate), buf_str(&authority.key), &request,
                                &leaf.certificate, &leaf.key, NULL),
                     0);
    ck_assert(inspect(buf_str(&authority.certificate), &request).names_match);
    ck_assert(!inspect(buf_str(&authority.certificate), &wanted).names_match);
}
END_TEST

START_TEST(a_damaged_authority_signs_nothing)
{
    struct texts other = make_authority(), made = empty();
    struct error err = {0};
    ck_assert_int_eq(x509_issue(buf_str(&authority.certificate), buf_str(&other.key), &wanted,
                                &made.certificate, &made.key, &err),
                     ERR_CORRUPT);
    ck_assert_str_eq(err.message, "the certificate authority is damaged: its certificate and key do not fit");
    ck_assert_int_eq(
        x509_issue(STR("no PEM"), buf_str(&other.key), &wanted, &made.certificate, &made.key, NULL),
        ERR_CORRUPT);
    drop(&other);
    drop(&made);
}
END_TEST

START_TEST(what_is_no_certificate_is_corrupt)
{
    struct x509_facts facts;
    struct error err = {0};
    ck_assert_int_eq(x509_inspect(STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                                  buf_str(&authority.certificate), &wanted, &facts, &err),
                     ERR_CORRUPT);
    ck_assert_str_eq(err.message, "no certificate can be read");
}
END_TEST

static Suite *x509_suite(void)
{
    Suite *suite = suite_create("x509");
    TCase *tests = tcase_create("x509");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_leaf_is_what_was_asked_for);
    tcase_add_test(tests, another_authority_did_not_issue_it);
    tcase_add_test(tests, other_names_do_not_match);
    tcase_add_test(tests, a_client_needs_no_names);
    tcase_add_test(tests, a_damaged_authority_signs_nothing);
    tcase_add_test(tests, what_is_no_certificate_is_corrupt);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(x509_suite)
