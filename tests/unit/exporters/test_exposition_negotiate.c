#include "exporters/exposition_negotiate.h"

#include "tests/support/support.h"

#define TEXT(e) "text/plain; version=0.0.4; charset=utf-8; escaping=" e
#define OM1(e)  "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=" e
#define OM0(e)  "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=" e

START_TEST(formats)
{
    static const struct {
        const char *accept, *type;
    } cases[] = {
        /* What Prometheus 2.42 and 3.5 send, byte for byte, also with native histograms on. */
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         OM1("underscores")},
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
         "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         OM1("underscores")},
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
         "application/openmetrics-text;version=0.0.1;q=0.5,text/"
         "plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         OM1("allow-utf-8")},
        {NULL, TEXT("underscores")},
        {"", TEXT("underscores")},
        {"*/*", TEXT("underscores")},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT("underscores")},
        {"image/png", TEXT("underscores")},
        {"text/plain;version=1.0.0;escaping=allow-utf-8", TEXT("underscores")},
        {"text/plain", TEXT("underscores")},
        {"text/*;escaping=dots", TEXT("dots")},
        {"application/openmetrics-text", OM0("underscores")},
        {"application/openmetrics-text; version=0.0.1; escaping=values", OM0("values")},
        {"application/openmetrics-text; version=2.0.0, text/plain; version=0.0.4; q=0.1",
         TEXT("underscores")},
        {"application/*", OM1("underscores")},
        {"text/plain;q=0.5, application/openmetrics-text;version=1.0.0;q=0.501", OM1("underscores")},
        {"text/plain;q=0.5, application/openmetrics-text;version=1.0.0;q=0.5", TEXT("underscores")},
        {"application/openmetrics-text;version=1.0.0;q=0, text/plain;q=0.1", TEXT("underscores")},
        {"application/openmetrics-text;version=1.0.0;q=0", TEXT("underscores")},
        {"APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=1", OM1("underscores")},
        {"application/openmetrics-text;version=1.0.0;escaping=nonsense", OM1("underscores")},
        {"application/json;x=\"a,text/plain\", application/openmetrics-text;version=1.0.0",
         OM1("underscores")},
        {",;,;q=,=;\"", TEXT("underscores")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exposition_choice choice;
        exposition_negotiate(cases[i].accept, NULL, &choice);
        ck_assert_msg(strcmp(choice.content_type, cases[i].type) == 0, "%s: %s", cases[i].accept,
                      choice.content_type);
        ck_assert_int_eq(choice.format == EXPOSITION_TEXT, strncmp(cases[i].type, "text", 4) == 0);
        ck_assert(!choice.gzip);
    }
}
END_TEST

START_TEST(codings)
{
    static const struct {
        const char *accept_encoding;
        bool gzip;
    } cases[] = {{"gzip", true},
                 {"gzip, deflate, br", true},
                 {"GZIP;q=0.5", true},
                 {"x-gzip", true},
                 {"gzip;q=0", false},
                 {"gzip;q=0.000", false},
                 {"identity", false},
                 {"zstd, br", false},
                 {"*", false},
                 {"gzip;q=0.5, identity", false},
                 {"gzip, identity;q=0.5", true},
                 {"", false},
                 {NULL, false},
                 {"nogzip", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exposition_choice choice;
        exposition_negotiate(NULL, cases[i].accept_encoding, &choice);
        ck_assert_msg(choice.gzip == cases[i].gzip, "%s", cases[i].accept_encoding);
    }
}
END_TEST

static Suite *exposition_negotiate_suite(void)
{
    Suite *suite = suite_create("exposition_negotiate");
    TCase *tests = tcase_create("exposition_negotiate");
    tcase_add_test(tests, formats);
    tcase_add_test(tests, codings);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(exposition_negotiate_suite)
