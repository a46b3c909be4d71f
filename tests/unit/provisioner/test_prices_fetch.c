#include "provisioner/prices/fetch.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"
#include "tests/support/test_server.h"

struct peer {
    unsigned failures; /* how many answers fail */
    const char *status, *headers;
    unsigned asked;
    char head[2048];
};

static struct peer peer;
static struct test_server *server;
static struct fetch fetch;
static char base[64];

static bool on_request(void *ctx, const struct http_exchange *exchange)
{
    (void)ctx;
    (void)snprintf(peer.head, sizeof peer.head, "%s", exchange->head);
    if (peer.asked++ < peer.failures && !peer.status) { /* cut off */
        (void)test_server_write(exchange->fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"));
        return false;
    }
    if (peer.asked <= peer.failures)
        return test_server_answer(exchange->fd, peer.status, peer.headers, STR("no"));
    return test_server_answer(exchange->fd, "200 OK", "", STR("{\"a\":\"b\"}"));
}

static void setup(void)
{
    struct error err = {0};
    peer = (struct peer){.headers = ""};
    server = test_server_new(on_request, NULL);
    (void)snprintf(base, sizeof base, "http://127.0.0.1:%u/", test_server_port(server));
    ck_assert_int_eq(fetch_open(&fetch, base, &err), 0);
    fetch.deadline_mono_ns = clock_mono_ns() + 20 * NS_PER_S;
}

static void teardown(void)
{
    fetch_close(&fetch);
    test_server_free(server);
}

static int get(const char *target, struct error *err)
{
    struct arena *arena = arena_new(0);
    struct node *root;
    *err = (struct error){0};
    int code = fetch_json(&fetch, target, 4096, arena, &root, err);
    if (!code)
        ck_assert(str_equal(node_text(root, "a"), STR("b")));
    arena_free(arena);
    return code;
}

START_TEST(tried_again)
{
    struct error err;
    peer.failures = 1;
    ck_assert_msg(get("/x?y=z", &err) == 0, "%s", err.message);
    ck_assert_uint_eq(peer.asked, 2);
    ck_assert_uint_eq(fetch.requests, 2);
    ck_assert_uint_eq(fetch.retries, 1);
    ck_assert_contains(peer.head, "GET /x?y=z HTTP/1.1");
    peer = (struct peer){1, "503 Busy", "Retry-After: 1\r\n", 0, ""};
    int64_t began = clock_mono_ns();
    ck_assert_msg(get("/x", &err) == 0, "%s", err.message);
    ck_assert_int_ge(clock_mono_ns() - began, NS_PER_S);
}
END_TEST

START_TEST(not_tried_again)
{
    struct error err;
    peer = (struct peer){9, "403 No", "", 0, ""};
    ck_assert_int_eq(get("/x?secret", &err), ERR_AUTH);
    ck_assert_contains(err.message, "/x: the answer is status 403");
    peer = (struct peer){9, "301 There", "Location: http://127.0.0.1:1/\r\n", 0, ""};
    ck_assert_int_eq(get("/x", &err), ERR_PEER);
    ck_assert_uint_eq(peer.asked, 1);
    peer = (struct peer){9, "429 Slow", "Retry-After: 100\r\n", 0, ""};
    ck_assert_int_eq(get("/x", &err), ERR_PEER);
    ck_assert_contains(err.message, "given up after 1 attempt:");
    ck_assert_uint_eq(peer.asked, 1);
    peer = (struct peer){9, "200 OK", "", 0, ""};
    ck_assert_int_eq(get("/x", &err), ERR_PARSE); /* its body is "no" */
    ck_assert_uint_eq(peer.asked, 1);
}
END_TEST

START_TEST(the_key_is_a_header_of_one_place)
{
    struct error err;
    struct secret *key = secret_new(STR("sesame"));
    fetch.key = key;
    ck_assert_int_eq(get("/x", &err), 0);
    ck_assert_contains(peer.head, "X-Goog-Api-Key: sesame\r\n");
    ck_assert_int_eq(get("http://127.0.0.1:1/x", &err), ERR_PEER);
    ck_assert_contains(err.message, "leads away");
    ck_assert_int_eq(get("//127.0.0.1:1/x", &err), 0); /* a path of the base's own */
    ck_assert_int_eq(get("x", &err), ERR_PEER);
    fetch.key = NULL;
    ck_assert_int_eq(get("/x", &err), 0);
    ck_assert_ptr_null(strstr(peer.head, "Goog"));
    secret_free(key);
}
END_TEST

START_TEST(bodies_are_bounded)
{
    struct arena *arena = arena_new(0);
    struct node *root;
    struct error err = {0};
    ck_assert_int_eq(fetch_json(&fetch, "/x", 4, arena, &root, &err), ERR_LIMIT);
    ck_assert_uint_eq(peer.asked, 1);
    arena_free(arena);
}
END_TEST

static Suite *fetch_suite(void)
{
    Suite *suite = suite_create("prices_fetch");
    TCase *tcase = tcase_create("fetch");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, tried_again);
    tcase_add_test(tcase, not_tried_again);
    tcase_add_test(tcase, the_key_is_a_header_of_one_place);
    tcase_add_test(tcase, bodies_are_bounded);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(fetch_suite)
