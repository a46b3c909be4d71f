#include "lib/net/http_options.h"

#include "tests/support/support.h"

#include <stdlib.h>

/* Both blocks away from the start, so that a row with a wrong offset hits another member. */
struct peer {
    int64_t before;
    struct http_tls_options tls;
    struct http_credential_files credentials;
};

static const struct option rows[] = {
    HTTP_TLS_OPTIONS_SAYING(offsetof(struct peer, tls), "One.", "Two.", "Three.", "Four.", "Five."),
    HTTP_CREDENTIAL_OPTIONS(offsetof(struct peer, credentials), "Six.", "Seven."),
};

static void check_peer(const void *config, const struct node *node, struct diag *diag)
{
    const struct peer *peer = config;
    http_tls_check(&peer->tls, "half a certificate", node, diag);
    http_credential_check(&peer->credentials, "half a login", node, diag);
}

static const struct option_section section = {
    .name = "peer",
    .help = "A peer.",
    .size = sizeof(struct peer),
    .options = rows,
    .option_count = ARRAY_LEN(rows),
    .check = check_peer,
};

static const struct option bare_rows[] = {HTTP_TLS_OPTIONS(0)};

static const struct option_section bare_section = {
    .name = "tls",
    .help = "TLS.",
    .size = sizeof(struct http_tls_options),
    .options = bare_rows,
    .option_count = ARRAY_LEN(bare_rows),
};

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_new(0);
}

static void close_arena(void)
{
    arena_free(arena);
}

/* What diag says, malloc'd. */
static char *parse(const struct option_section *of, const char *yaml, void *config)
{
    struct diag diag CLEANUP(diag_deinit);
    struct node *root = NULL;
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "t.yaml", str_from(yaml), &root, &diag), 0);
    int rc = option_parse(of, root, arena, config, &diag);
    ck_assert_int_eq(rc != 0, diag.errors != 0);
    return test_diag_text(&diag);
}

START_TEST(every_key_fills_its_own_member)
{
    struct peer peer = {0};
    char *text = parse(&section,
                       "{ ca_file: /ca, cert_file: /cert, key_file: /key, server_name: name, "
                       "insecure_skip_verify: true, basic_user: user, basic_password_file: /password }",
                       &peer);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_int_eq(peer.before, 0);
    ck_assert_str_eq(peer.tls.ca_file, "/ca");
    ck_assert_str_eq(peer.tls.cert_file, "/cert");
    ck_assert_str_eq(peer.tls.key_file, "/key");
    ck_assert_str_eq(peer.tls.server_name, "name");
    ck_assert(peer.tls.insecure_skip_verify);
    ck_assert_ptr_null(peer.credentials.bearer_token_file);
    ck_assert_str_eq(peer.credentials.basic_user, "user");
    ck_assert_str_eq(peer.credentials.basic_password_file, "/password");
    peer = (struct peer){0};
    free(parse(&section, "{ bearer_token_file: /token }", &peer));
    ck_assert_str_eq(peer.credentials.bearer_token_file, "/token");
}
END_TEST

START_TEST(a_section_of_tls_alone_verifies_by_default)
{
    struct http_tls_options tls = {.insecure_skip_verify = true};
    char *text = parse(&bare_section, "{ ca_file: /ca }", &tls);
    ck_assert_str_eq(text, "");
    free(text);
    ck_assert_str_eq(tls.ca_file, "/ca");
    ck_assert_ptr_null(tls.cert_file);
    ck_assert_ptr_null(tls.key_file);
    ck_assert_ptr_null(tls.server_name);
    ck_assert(!tls.insecure_skip_verify);
}
END_TEST

START_TEST(the_reference_has_the_words_of_the_section)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    option_write_markdown(&section, &out);
    option_write_markdown(&bare_section, &out);
    const char *text = buf_text(&out);
    ck_assert_contains(text, "| `ca_file` | path |  | One. |");
    ck_assert_contains(text, "| `insecure_skip_verify` | true or false | `false` | Five. |");
    ck_assert_contains(text, "| `bearer_token_file` | path of a secret |  | Six. |");
    ck_assert_contains(text, "| `basic_user` | text |  | Seven. |");
    ck_assert_contains(text, "| `key_file` | path |  | Key of the client certificate. |");
    buf_deinit(&out);
}
END_TEST

START_TEST(halves_and_two_logins_are_refused)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"{ cert_file: /a }", "half a certificate"},
        {"{ key_file: /a }", "half a certificate"},
        {"{ basic_user: a }", "half a login"},
        {"{ basic_password_file: /a }", "half a login"},
        {"{ basic_user: a, basic_password_file: /a, bearer_token_file: /b }",
         "bearer_token_file and basic_user exclude each other"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer peer = {0};
        char *text = parse(&section, cases[i].yaml, &peer);
        ck_assert_contains(text, "t.yaml:1");
        ck_assert_contains(text, cases[i].message);
        free(text);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("http_options");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, open_arena, close_arena);
    tcase_add_test(tc, every_key_fills_its_own_member);
    tcase_add_test(tc, a_section_of_tls_alone_verifies_by_default);
    tcase_add_test(tc, the_reference_has_the_words_of_the_section);
    tcase_add_test(tc, halves_and_two_logins_are_refused);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
