#include "provisioner/gateway_report.h"

#include "lib/core/buf.h"
#include "tests/support/support.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define HEAD   "{\"format\":1,\"at\":\"2026-11-26T10:00:00Z\",\"document\":\"" DIGEST "\","

static struct arena *arena;
static struct gateway_report report;
static struct gateway_state state;
static struct error err;

static void begin(void)
{
    arena = arena_new(0);
    err = (struct error){0};
}

static void end(void)
{
    arena_free(arena);
}

static int reads(const char *text)
{
    return gateway_report_parse(str_from(text), arena, &report, &err);
}

/* "standing: detail" of a report that can be read. */
static const char *judged(const char *text, const char *document)
{
    ck_assert_msg(reads(text) == 0, "%s: %s", text, err.message);
    gateway_report_judge(&report, document, arena, &state);
    return arena_printf(arena, "%s: %s", gateway_standing_text(state.standing), state.detail);
}

START_TEST(what_has_been_set_up)
{
    ck_assert_str_eq(judged(HEAD "\"phase\":\"done\",\"peers\":{}}", DIGEST),
                     "standing: publishes, and fetches nothing");
    ck_assert_str_eq(judged(HEAD
                            "\"phase\":\"done\",\"peers\":{\"eu\":{\"state\":\"streaming\",\"detail\":\"\","
                            "\"tables\":4,\"copying\":0,\"lag_s\":2},\"ap\":{\"state\":\"streaming\","
                            "\"detail\":\"\",\"lag_s\":-1}}}",
                            DIGEST),
                     "standing: eu streaming, last heard of 2 s ago; ap streaming");
    ck_assert_uint_eq(state.settled, 2);
    ck_assert_uint_eq(state.peers, 2);
    ck_assert_str_eq(judged(HEAD "\"phase\":\"done\",\"omitted\":3,\"peers\":{\"eu\":{\"state\":\"copying\","
                                 "\"detail\":\"\",\"tables\":10,\"copying\":3}}}",
                            DIGEST),
                     "copying: eu copying, 3 of 10 tables to go; 3 more streaming");
    ck_assert_uint_eq(state.settled, 4);
    ck_assert_str_eq(judged(HEAD "\"phase\":\"done\",\"peers\":{\"eu\":{\"state\":\"copying\","
                                 "\"detail\":\"\",\"tables\":1,\"copying\":1}}}",
                            DIGEST),
                     "copying: eu copying, 1 of 1 table to go");
    ck_assert(gateway_is_settled(GATEWAY_COPYING) && !gateway_is_settled(GATEWAY_UNKNOWN));
}
END_TEST

START_TEST(what_has_not)
{
    ck_assert_str_eq(judged(HEAD
                            "\"phase\":\"subscribe\",\"peers\":{\"eu\":{\"state\":\"streaming\"},"
                            "\"ap\":{\"state\":\"waiting\",\"detail\":\"it has published nothing yet\"}}}",
                            DIGEST),
                     "waiting: ap waiting: it has published nothing yet; eu streaming");
    ck_assert_uint_eq(state.settled, 1);
    ck_assert_str_eq(judged(HEAD
                            "\"phase\":\"subscribe\",\"peers\":{\"ap\":{\"state\":\"stopped\",\"detail\":"
                            "\"disabled\"}}}",
                            DIGEST),
                     "failed: ap stopped: disabled");
    ck_assert_str_eq(judged(HEAD
                            "\"phase\":\"publish\",\"error\":\"psql\\u001b[31m password=hunter2\\nsays no\"}",
                            DIGEST),
                     "failed: psql[31m password=*** says no");
    /* It says so, but names nobody who is waited for: it is believed that it is not done. */
    ck_assert_str_eq(judged(HEAD "\"phase\":\"subscribe\",\"peers\":{}}", DIGEST),
                     "waiting: publishes, and fetches nothing");
}
END_TEST

START_TEST(what_is_not_of_this_plan_is_not_believed)
{
    static const char done[] = HEAD "\"phase\":\"done\",\"peers\":{}}";
    ck_assert_str_eq(judged(done, OTHER), "waiting: its gateway has reported of an older plan or another "
                                          "deployment, and not yet of this");
    ck_assert_str_eq(judged(done, ""),
                     "waiting: the part between the regions has not told its gateway yet what to do");
    ck_assert_str_eq(judged("{\"format\":1,\"phase\":\"wait\",\"document\":\"\",\"error\":\"x\",\"at\":"
                            "\"2026-11-26T10:00:00Z\"}",
                            DIGEST),
                     "waiting: its gateway has not found yet what to do");
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(judged(i ? " {}\n" : "", DIGEST), "waiting: its gateway has not reported yet");
}
END_TEST

START_TEST(what_is_no_report)
{
    static const char *const texts[][2] = {
        {"[]", "is no JSON object"},
        {"{", "is no JSON object"},
        {"{\"a\":1,\"a\":2}", "is no JSON object"},
        {"{\"phase\":\"done\"}", "\"format\" is not 1"},
        {"{\"format\":2}", "\"format\" is not 1"},
        {"{\"format\":\"1\"}", "\"format\" is no such number"},
        {"{\"format\":1}", "\"phase\" is missing"},
        {"{\"format\":1,\"phase\":\"over\"}", "\"phase\" is no word that this version knows"},
        {"{\"format\":1,\"phase\":[\"done\"]}", "\"phase\" is no word that this version knows"},
        {"{\"format\":1,\"phase\":\"done\"}", "\"document\" is missing"},
        {"{\"format\":1,\"phase\":\"done\",\"document\":7}", "\"document\" is no text"},
        {"{\"format\":1,\"phase\":\"done\",\"document\":\"ABC\"}", "\"document\" is no SHA-256"},
        {"{\"format\":1,\"phase\":\"done\",\"document\":\"\"}", "\"at\" is no time"},
        {"{\"format\":1,\"phase\":\"done\",\"document\":\"\",\"at\":\"soon\"}", "\"at\" is no time"},
        {HEAD "\"phase\":\"done\",\"error\":{}}", "\"error\" is no text"},
        {HEAD "\"phase\":\"done\",\"peers\":[]}", "\"peers\" is no object"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"\":{\"state\":\"failed\"}}}",
         "\"peers\" has a name of no such length"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"a\":1}}", "\"peers\" has one that is no object"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"a\":{}}}", "\"state\" is missing"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"a\":{\"state\":\"fine\"}}}", "\"state\" is no word"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"a\":{\"state\":\"copying\",\"tables\":-1}}}",
         "\"tables\" is no such number"},
        {HEAD "\"phase\":\"done\",\"peers\":{\"a\":{\"state\":\"copying\",\"lag_s\":1.5}}}",
         "\"lag_s\" is no such number"},
        {HEAD "\"phase\":\"done\",\"omitted\":1e3}", "\"omitted\" is no such number"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        error_clear(&err);
        ck_assert_int_eq(reads(texts[i][0]), ERR_PARSE);
        ck_assert_msg(strstr(err.message, texts[i][1]) != NULL, "%s: %s", texts[i][0], err.message);
        ck_assert_int_eq(report.phase, GATEWAY_SILENT);
    }
}
END_TEST

START_TEST(what_is_too_much)
{
    struct buf text = BUF_INIT(1 << 20);
    buf_append_text(&text, HEAD "\"phase\":\"done\",\"peers\":{");
    for (unsigned i = 0; i <= GATEWAY_PEERS_MAX; i++)
        buf_printf(&text, "%s\"r%u\":{\"state\":\"streaming\"}", i ? "," : "", i);
    buf_append_text(&text, "}}");
    ck_assert_int_eq(reads(buf_text(&text)), ERR_LIMIT);
    buf_reset(&text);
    buf_append_text(&text, HEAD "\"phase\":\"done\",\"error\":\"");
    for (unsigned i = 0; i < 5000; i++)
        buf_append_byte(&text, 'x');
    buf_append_text(&text, "\"}");
    ck_assert_int_eq(reads(buf_text(&text)), ERR_PARSE);
    buf_reset(&text);
    buf_append_text(&text, "{}");
    while (text.len <= GATEWAY_REPORT_BYTES)
        buf_append_text(&text, "          {}");
    ck_assert_int_eq(reads(buf_text(&text)), ERR_LIMIT);
    buf_deinit(&text);
}
END_TEST

static Suite *gateway_report_suite(void)
{
    Suite *suite = suite_create("gateway_report");
    TCase *tcase = tcase_create("gateway_report");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_has_been_set_up);
    tcase_add_test(tcase, what_has_not);
    tcase_add_test(tcase, what_is_not_of_this_plan_is_not_believed);
    tcase_add_test(tcase, what_is_no_report);
    tcase_add_test(tcase, what_is_too_much);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gateway_report_suite)
