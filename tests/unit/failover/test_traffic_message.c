#include "failover/traffic_message.h"

#include "tests/support/support.h"

#define ALERT(status, labels, more)                                                                          \
    "{\"version\":\"4\",\"alerts\":[{\"status\":\"" status "\",\"labels\":{" labels                          \
    "},\"fingerprint\":\"f00d\"" more "}]}"
#define LABELS "\"alertname\":\"lag-high\",\"region\":\"eu\",\"severity\":\"page\""

static int read_text(struct arena *arena, const char *text, struct traffic_message *message,
                     struct error *err)
{
    return traffic_message_read(arena, str_from(text), message, err);
}

START_TEST(what_the_collector_sends_is_read)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct traffic_message message;
    struct error err = {0};
    ck_assert_int_eq(read_text(arena, ALERT("firing", LABELS, ",\"annotations\":{}"), &message, &err), 0);
    ck_assert_uint_eq(message.count, 1);
    ck_assert_str_eq(message.events[0].trigger, "lag-high");
    ck_assert_str_eq(message.events[0].region, "eu");
    ck_assert_str_eq(message.events[0].fingerprint, "f00d");
    ck_assert(message.events[0].firing && !message.events[0].unknown);
    ck_assert_int_eq(read_text(arena, ALERT("resolved", LABELS, ""), &message, &err), 0);
    ck_assert(!message.events[0].firing);
    ck_assert_int_eq(
        read_text(arena, ALERT("firing", LABELS, ",\"annotations\":{\"state\":\"unknown\"}"), &message, &err),
        0);
    ck_assert(message.events[0].firing && message.events[0].unknown);
    ck_assert_int_eq(read_text(arena, ALERT("firing", "\"alertname\":\"x\"", ""), &message, &err), 0);
    ck_assert_str_eq(message.events[0].region, "");
}
END_TEST

START_TEST(anything_else_is_refused)
{
    static const struct {
        const char *text;
        int code;
        const char *message;
    } cases[] = {
        {"", ERR_PARSE, "JSON"},
        {"{\"version\":\"4\",\"version\":\"4\"}", ERR_PARSE, "JSON"},
        {ALERT("firing", LABELS, "") "x", ERR_PARSE, "JSON"},
        {"[]", ERR_PEER, "version 4"},
        {"{\"version\":4,\"alerts\":[{}]}", ERR_PEER, "version 4"},
        {"{\"version\":\"4\"}", ERR_PEER, "alerts"},
        {"{\"version\":\"4\",\"alerts\":[]}", ERR_PEER, "alerts"},
        {"{\"version\":\"4\",\"alerts\":[1]}", ERR_PEER, "labels"},
        {"{\"version\":\"4\",\"alerts\":[{}],\"truncatedAlerts\":2}", ERR_PEER, "truncatedAlerts"},
        {ALERT("maybe", LABELS, ""), ERR_PEER, "status"},
        {ALERT("firing", "\"region\":\"eu\"", ""), ERR_PEER, "alertname"},
        {ALERT("firing", "\"alertname\":\"x\",\"region\":7", ""), ERR_PEER, "region"},
        {ALERT("firing", "\"alertname\":\"x\\u0000y\"", ""), ERR_PARSE, "JSON"},
        {"{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{" LABELS "}}]}", ERR_PEER,
         "fingerprint"},
        {"{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{" LABELS
         "},\"fingerprint\":\"a b\"}]}",
         ERR_PEER, "fingerprint"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
        struct traffic_message message;
        struct error err = {0};
        ck_assert_msg(read_text(arena, cases[i].text, &message, &err) == cases[i].code, "%s: %s",
                      cases[i].text, err.message);
        ck_assert_contains(err.message, cases[i].message);
        ck_assert_uint_eq(message.count, 0);
    }
}
END_TEST

START_TEST(identities_are_short_words)
{
    ck_assert(traffic_identity_valid("0192f3a4-7c1b-7aaa-8bbb-0123456789ab"));
    ck_assert(traffic_identity_valid("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    ck_assert(!traffic_identity_valid(""));
    ck_assert(!traffic_identity_valid("a.b"));
    ck_assert(
        !traffic_identity_valid("0123456789012345678901234567890123456789012345678901234567890123456789"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("traffic_message");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, what_the_collector_sends_is_read);
    tcase_add_test(tc, anything_else_is_refused);
    tcase_add_test(tc, identities_are_short_words);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
