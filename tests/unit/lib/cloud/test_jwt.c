#include "lib/cloud/jwt.h"

#include "tests/support/support.h"
#include "tests/support/test_key.h"

#include <stdlib.h>

static struct test_key *maker;
static struct crypto_key *key, *bare;

static void begin(void)
{
    maker = test_key_new(2048);
    char *pem = test_key_pem(maker), *certificate = test_key_certificate_pem(maker);
    struct buf both = BUF_INIT(65536);
    buf_append_text(&both, pem);
    buf_append_text(&both, certificate);
    ck_assert_int_eq(crypto_key_read(buf_str(&both), NULL, &key, NULL), 0);
    ck_assert_int_eq(crypto_key_read(str_from(pem), NULL, &bare, NULL), 0);
    buf_deinit(&both);
    free(pem);
    free(certificate);
}

static void end(void)
{
    crypto_key_free(key);
    crypto_key_free(bare);
    test_key_free(maker);
}

static void assert_signed(const struct jwt_header *header, const char *expected)
{
    struct secret *jwt CLEANUP(secret_free_cleanup) = NULL;
    struct buf head = BUF_INIT(4096), claims = BUF_INIT(4096);
    ck_assert_int_eq(jwt_sign(key, header, STR("{\"sub\":\"me\"}"), &jwt, NULL), 0);
    ck_assert(test_key_verifies_jwt(maker, secret_reveal(jwt), &head, &claims));
    ck_assert_str_eq(buf_text(&head), expected);
    ck_assert_str_eq(buf_text(&claims), "{\"sub\":\"me\"}");
    ck_assert(!memchr(secret_reveal(jwt).ptr, '=', secret_reveal(jwt).len));
    buf_deinit(&head);
    buf_deinit(&claims);
}

START_TEST(headers_name_the_key_as_the_algorithm_wants_it)
{
    struct buf thumbprint = BUF_INIT(256), expected = BUF_INIT(512);
    assert_signed(&(struct jwt_header){.kind = CRYPTO_RS256, .key_id = "k\"1"},
                  "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k\\\"1\"}");
    test_key_thumbprint(maker, true, &thumbprint);
    buf_printf(&expected, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}", buf_text(&thumbprint));
    assert_signed(&(struct jwt_header){.kind = CRYPTO_PS256, .thumbprint = true}, buf_text(&expected));
    buf_reset(&thumbprint);
    buf_reset(&expected);
    test_key_thumbprint(maker, false, &thumbprint);
    buf_printf(&expected, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"%s\"}", buf_text(&thumbprint));
    assert_signed(&(struct jwt_header){.kind = CRYPTO_RS256, .thumbprint = true}, buf_text(&expected));
    buf_deinit(&thumbprint);
    buf_deinit(&expected);
}
END_TEST

START_TEST(a_thumbprint_needs_a_certificate_and_a_token_has_an_end)
{
    struct secret *jwt = NULL;
    struct error err = {0};
    const struct jwt_header named = {.kind = CRYPTO_PS256, .thumbprint = true}, plain = {0};
    ck_assert_int_eq(jwt_sign(bare, &named, STR("{}"), &jwt, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "no certificate");
    static char large[JWT_MAX_BYTES];
    memset(large, 'x', sizeof large);
    ck_assert_int_eq(jwt_sign(bare, &plain, (struct str){large, sizeof large}, &jwt, &err), ERR_LIMIT);
    ck_assert_ptr_null(jwt);
}
END_TEST

START_TEST(claims_are_read_from_what_is_a_jwt)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *claims = NULL;
    static const char *const bad[] = {"",      "opaque",  "a.b",     "a..c",           "..",
                                      "a.!.c", "a.W10.c", "a.eyJ.c", "a.bm90IGpzb24.c"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!jwt_claims(arena, str_from(bad[i]), &claims), "%s", bad[i]);
    ck_assert(jwt_claims(arena, STR("x.eyJhcHBpZCI6IjEyMyJ9.y"), &claims));
    ck_assert_str_eq(node_text(claims, "appid").ptr, "123");
}
END_TEST

static Suite *jwt_suite(void)
{
    Suite *suite = suite_create("jwt");
    TCase *tcase = tcase_create("jwt");
    tcase_add_unchecked_fixture(tcase, begin, end);
    tcase_add_test(tcase, headers_name_the_key_as_the_algorithm_wants_it);
    tcase_add_test(tcase, a_thumbprint_needs_a_certificate_and_a_token_has_an_end);
    tcase_add_test(tcase, claims_are_read_from_what_is_a_jwt);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(jwt_suite)
