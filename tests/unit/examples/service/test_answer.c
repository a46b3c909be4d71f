#include "examples/service/answer.h"
#include "tests/support/support.h"

#include <stdlib.h>

/* What is refused before any database is asked; the rest is tests/integration/test_example_service.py. */
static char *ask(const char *body, struct answer *answer)
{
    const struct store_options options = {.write_url = "host=127.0.0.1 port=1",
                                          .read_url = "host=127.0.0.1 port=1",
                                          .region = "eu",
                                          .pool_max = 1};
    struct store *store CLEANUP(store_free_cleanup) = store_new(&options);
    struct arena *arena = arena_new(0);
    struct buf out = BUF_INIT(65536);
    answer_graphql(store, arena, str_from(body), &out, answer);
    arena_free(arena);
    return buf_take(&out);
}

static const char *const refused[][2] = {
    {"x", "the body is no JSON"},
    {"[]", "want a JSON object"},
    {"{\"query\": 3}", "want a JSON object"},
    {"{\"query\": \"{ a }\", \"variables\": 3}", "want an object"},
    {"{\"query\": \"{ nothing }\"}", "Query has orders and order"},
    {"{\"query\": \"{ createOrder(what: \\\"x\\\") { id } }\"}", "Query has orders and order"},
    {"{\"query\": \"mutation { orders { id } }\"}", "Mutation has createOrder"},
    {"{\"query\": \"{ orders }\"}", "wants a selection"},
    {"{\"query\": \"{ orders { id { x } } }\"}", "Order has id"},
    {"{\"query\": \"{ orders(limit: \\\"3\\\") { id } }\"}", "wants an integer"},
    {"{\"query\": \"{ orders(limit: 9999) { id } }\"}", "0 to 1000"},
    {"{\"query\": \"{ orders(first: 3) { id } }\"}", "no argument first"},
    {"{\"query\": \"{ order { id } }\"}", "argument id wants a text"},
    {"{\"query\": \"mutation { createOrder(key: \\\"k\\\") { id } }\"}", "argument what wants a text"},
};

START_TEST(requests_are_refused_with_a_sentence)
{
    struct answer answer;
    char *text = ask(refused[_i][0], &answer);
    ck_assert_int_eq(answer.status, 400);
    ck_assert(answer.failed);
    ck_assert_contains(text, refused[_i][1]);
    ck_assert_contains(text, "{\"data\":null,\"errors\":[{\"message\":");
    ck_assert_contains(text, "\"extensions\":{\"code\":\"BAD_REQUEST\"}");
    free(text);
}
END_TEST

START_TEST(a_typename_and_an_impossible_id_need_no_database)
{
    struct answer answer;
    char *text = ask("{\"query\": \"{ __typename order(id: \\\"x\\\") { id } }\"}", &answer);
    ck_assert_str_eq(text, "{\"data\":{\"__typename\":\"Query\",\"order\":null}}");
    ck_assert_int_eq(answer.status, 200);
    ck_assert(!answer.failed);
    ck_assert_str_eq(answer.name, "query order");
    free(text);
}
END_TEST

START_TEST(a_missing_database_is_503)
{
    struct answer answer;
    char *text = ask("{\"query\": \"{ all: orders { id } }\"}", &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_contains(text, "\"path\":[\"all\"]");
    ck_assert_contains(text, "DATABASE_UNAVAILABLE");
    free(text);
}
END_TEST

static Suite *answer_suite(void)
{
    Suite *suite = suite_create("answer");
    TCase *tcase = tcase_create("answer");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, requests_are_refused_with_a_sentence, 0, (int)ARRAY_LEN(refused));
    tcase_add_test(tcase, a_typename_and_an_impossible_id_need_no_database);
    tcase_add_test(tcase, a_missing_database_is_503);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(answer_suite)
