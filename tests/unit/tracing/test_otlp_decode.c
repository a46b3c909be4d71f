#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"
#include "tests/unit/tracing/otlp_record.h"

#include <stdlib.h>

static const struct build_span plain = {.trace = 7,
                                        .span = 9,
                                        .parent = 11,
                                        .name = "GET /users",
                                        .trace_state = "ot=th:c",
                                        .kind = 2,
                                        .status = 2,
                                        .flags = 0x301,
                                        .start_ns = 1000,
                                        .end_ns = 5000,
                                        .attributes = 3};

static int decode(struct str request, struct record *record, struct error *err)
{
    struct otlp_visitor visitor = record_visitor(record);
    struct otlp_frame frame;
    record_init(record);
    return otlp_decode_traces(request, &visitor, &frame, err);
}

/* Decodes a request with this span message and says how it was rejected; OTLP_REJECT_COUNT when it was not.
 */
static enum otlp_reject reject_of(struct buf *message)
{
    struct buf scope = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), request = BUF_INIT(BUILD_MAX);
    struct record record;
    build_message(&scope, 2, message);
    build_span(&scope, &plain, false); /* a good neighbour that must survive */
    build_message(&group, 2, &scope);
    build_message(&request, 1, &group);
    ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
    ck_assert_uint_eq(record.spans + record.rejects, 2);
    enum otlp_reject reason = OTLP_REJECT_COUNT;
    for (int i = 0; i < OTLP_REJECT_COUNT; i++)
        if (record.by_reason[i])
            reason = (enum otlp_reject)i;
    buf_deinit(&record.text);
    buf_deinit(&scope);
    buf_deinit(&group);
    buf_deinit(&request);
    return reason;
}

static void put_span(struct buf *message, const struct build_span *span)
{
    for (uint32_t field = 1; field <= 16; field++)
        build_span_field(message, span, field);
}

START_TEST(reads_spans_in_both_field_orders)
{
    for (int descending = 0; descending < 2; descending++) {
        struct buf request = BUF_INIT(BUILD_MAX);
        struct record record;
        build_group(&request, "shop", "eu", &plain, 1, descending);
        ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
        ck_assert_uint_eq(record.spans, 1);
        ck_assert(str_equal_text(record.last_resource.service, "shop"));
        ck_assert(str_equal_text(record.last_resource.deployment_region, "eu"));
        ck_assert(str_equal_text(record.last.name, "GET /users"));
        ck_assert(str_equal_text(record.last.trace_state, "ot=th:c"));
        ck_assert_uint_eq(record.last.trace_id.len, 16);
        ck_assert_uint_eq(record.last.parent_span_id.len, 8);
        ck_assert_uint_eq(record.last.kind, OTLP_KIND_SERVER);
        ck_assert_uint_eq(record.last.status, OTLP_STATUS_ERROR);
        ck_assert_uint_eq(record.last.flags, 0x301);
        ck_assert_uint_eq(record.last.start_ns, 1000);
        ck_assert_uint_eq(record.last.end_ns, 5000);
        buf_deinit(&record.text);
        buf_deinit(&request);
    }
}
END_TEST

START_TEST(takes_an_empty_request)
{
    struct record record;
    ck_assert_int_eq(decode((struct str){NULL, 0}, &record, NULL), 0);
    ck_assert_uint_eq(record.spans + record.rejects, 0);
}
END_TEST

/* Two resource fields: a sender that splits messages; both count. */
START_TEST(merges_a_resource_in_parts)
{
    struct buf one = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), request = BUF_INIT(BUILD_MAX);
    struct buf scope = BUF_INIT(BUILD_MAX);
    struct record record;
    build_attribute(&one, 1, "service.name", "first");
    build_message(&group, 1, &one);
    build_span(&scope, &plain, false);
    build_message(&group, 2, &scope);
    build_attribute(&one, 1, "cloud.region", "eu-west-1");
    build_attribute(&one, 1, "service.name", "second");
    build_message(&group, 1, &one);
    build_message(&request, 1, &group);
    ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
    ck_assert(str_equal_text(record.last_resource.service, "first"));
    ck_assert(str_equal_text(record.last_resource.cloud_region, "eu-west-1"));
    buf_deinit(&record.text);
    buf_deinit(&one);
    buf_deinit(&scope);
    buf_deinit(&group);
    buf_deinit(&request);
}
END_TEST

START_TEST(skips_unknown_and_reserved_fields)
{
    struct buf message = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), request = BUF_INIT(BUILD_MAX);
    struct record record;
    put_span(&message, &plain);
    build_u64(&message, 900, 5);
    build_bytes(&message, 901, STR("new"));
    build_fixed32(&message, 902, 1);
    build_fixed64(&message, 903, 1);
    buf_append(&message, "\x9b\x3f\x08\x01\x9c\x3f", 6); /* group 1011 { 1: 1 } */
    ck_assert_int_eq(reject_of(&message), OTLP_REJECT_COUNT);
    build_bytes(&group, 1000, STR("instrumentation_library_spans of old senders"));
    build_bytes(&group, 3, STR("https://opentelemetry.io/schemas/1.26.0"));
    build_message(&request, 1, &group);
    ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
    ck_assert_uint_eq(record.spans + record.rejects, 0);
    buf_deinit(&record.text);
    buf_deinit(&message);
    buf_deinit(&group);
    buf_deinit(&request);
}
END_TEST

START_TEST(rejects_bad_ids_alone)
{
    static const struct {
        uint32_t field;
        struct str id;
        enum otlp_reject reason;
    } cases[] = {
        {1, {"", 0}, OTLP_REJECT_TRACE_ID},
        {1, {"123456789012345", 15}, OTLP_REJECT_TRACE_ID},
        {1, {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16}, OTLP_REJECT_TRACE_ID},
        {2, {"", 0}, OTLP_REJECT_SPAN_ID},
        {2, {"1234567", 7}, OTLP_REJECT_SPAN_ID},
        {2, {"\0\0\0\0\0\0\0\0", 8}, OTLP_REJECT_SPAN_ID},
        {4, {"1234567", 7}, OTLP_REJECT_PARENT_ID},
        {4, {"123456789", 9}, OTLP_REJECT_PARENT_ID},
        {4, {"\0\0\0\0\0\0\0\0", 8}, OTLP_REJECT_COUNT},
        {4, {"", 0}, OTLP_REJECT_COUNT},
        {5, {"caf\xc3", 4}, OTLP_REJECT_UTF8},
        {5, {"", 0}, OTLP_REJECT_COUNT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf message = BUF_INIT(BUILD_MAX);
        put_span(&message, &plain);
        build_bytes(&message, cases[i].field, cases[i].id); /* the last one counts */
        ck_assert_msg(reject_of(&message) == cases[i].reason, "case %zu", i);
        buf_deinit(&message);
    }
}
END_TEST

START_TEST(rejects_a_damaged_span_alone)
{
    static const struct str tails[] = {
        {"\x4a\x05\x0a\x10"
         "abc",
         7},                         /* an attribute whose key is longer than it */
        {"\x4a\x02\x0d\x01", 4},     /* a key as fixed32 */
        {"\x30", 1},                 /* kind without a value */
        {"\x35\x01\x02\x03\x04", 5}, /* kind as fixed32 */
        {"\x38\x01", 2},             /* start as a varint */
        {"\x7a\x02\x18", 3},         /* status longer than the span */
        {"\x7a\x02\x1d\x01", 4},     /* code as fixed32 */
        {"\x5a\x02\x08\x01", 4},     /* an event's time as a varint */
        {"\x6a\x02\x08\x01", 4},     /* a link's trace id as a varint */
        {"\x85\x01\x01", 3},         /* flags cut short */
        {"\x00\x01", 2},             /* field 0 */
        {"\x0e", 1},                 /* wire type 6 */
        {"\x0c", 1},                 /* end of no group */
    };
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        struct buf message = BUF_INIT(BUILD_MAX);
        put_span(&message, &plain);
        buf_append_str(&message, tails[i]);
        ck_assert_msg(reject_of(&message) == OTLP_REJECT_DAMAGED, "case %zu", i);
        buf_deinit(&message);
    }
}
END_TEST

/* Kinds and statuses are open enumerations: newer senders lose nothing. */
START_TEST(folds_unknown_kinds_and_statuses)
{
    struct buf request = BUF_INIT(BUILD_MAX);
    struct build_span odd = plain;
    struct record record;
    odd.kind = 17;
    odd.status = 9;
    build_group(&request, "shop", NULL, &odd, 1, false);
    ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
    ck_assert_uint_eq(record.last.kind, OTLP_KIND_UNSPECIFIED);
    ck_assert_uint_eq(record.last.status, OTLP_STATUS_UNSET);
    buf_deinit(&record.text);
    buf_deinit(&request);
}
END_TEST

/* value { array { value { array { ... */
START_TEST(survives_a_bomb_of_nested_values)
{
    struct buf value = BUF_INIT(BUILD_MAX), outer = BUF_INIT(BUILD_MAX), message = BUF_INIT(BUILD_MAX);
    for (int depth = 1; depth <= 3000; depth++) {
        build_message(&outer, 1, &value); /* ArrayValue.values */
        build_message(&value, 5, &outer); /* AnyValue.array_value */
        if (depth != 20 && depth != 40 && depth != 3000)
            continue;
        struct buf pair = BUF_INIT(BUILD_MAX);
        build_bytes(&pair, 2, buf_str(&value));
        put_span(&message, &plain);
        build_message(&message, 9, &pair);
        ck_assert_int_eq(reject_of(&message), depth == 20 ? OTLP_REJECT_COUNT : OTLP_REJECT_DEPTH);
        buf_deinit(&pair);
    }
    buf_deinit(&value);
    buf_deinit(&outer);
    buf_deinit(&message);
}
END_TEST

START_TEST(a_bad_resource_costs_its_spans_only)
{
    static const struct str resources[] = {
        {"\x0a\x05\x0a\x10"
         "abc",
         7},                                                          /* damaged */
        {"\x0a\x14\x0a\x0cservice.name\x12\x04\x0a\x02\xff\xfe", 22}, /* not UTF-8 */
    };
    for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
        struct buf request = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), scope = BUF_INIT(BUILD_MAX);
        struct record record;
        build_span(&scope, &plain, false);
        build_span(&scope, &plain, false);
        build_message(&group, 2, &scope);
        build_bytes(&group, 1, resources[i]);
        build_message(&request, 1, &group);
        build_group(&request, "shop", NULL, &plain, 1, false);
        ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
        ck_assert_uint_eq(record.by_reason[i ? OTLP_REJECT_RESOURCE_UTF8 : OTLP_REJECT_RESOURCE], 2);
        ck_assert_uint_eq(record.spans, 1);
        buf_deinit(&record.text);
        buf_deinit(&request);
        buf_deinit(&group);
        buf_deinit(&scope);
    }
}
END_TEST

START_TEST(a_bad_scope_costs_its_spans_only)
{
    struct buf request = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX), scope = BUF_INIT(BUILD_MAX);
    struct record record;
    build_span(&scope, &plain, false);
    build_bytes(&scope, 1,
                (struct str){"\x0a\x09"
                             "abc",
                             5}); /* after its spans, its name cut short */
    build_message(&group, 2, &scope);
    build_span(&scope, &plain, false);
    build_bytes(&scope, 1,
                (struct str){"\x0a\x03"
                             "abc",
                             5});
    build_message(&group, 2, &scope);
    build_message(&request, 1, &group);
    ck_assert_int_eq(decode(buf_str(&request), &record, NULL), 0);
    ck_assert_uint_eq(record.by_reason[OTLP_REJECT_SCOPE], 1);
    ck_assert_uint_eq(record.spans, 1);
    buf_deinit(&record.text);
    buf_deinit(&request);
    buf_deinit(&group);
    buf_deinit(&scope);
}
END_TEST

/* Every cut of a request is either refused whole with nothing handed out, or (between groups) taken. */
START_TEST(a_cut_request_hands_nothing_out)
{
    struct buf request = BUF_INIT(BUILD_MAX);
    build_group(&request, "shop", "eu", &plain, 1, false);
    size_t first = request.len;
    build_group(&request, "stock", "us", &plain, 1, true);
    for (size_t len = 1; len < request.len; len++) {
        struct record record;
        struct error err = {0};
        char *copy = malloc(len); /* of that size, so that the sanitizer sees a read past it */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, request.data, len);
        int rc = decode((struct str){copy, len}, &record, &err);
        if (len == first) {
            ck_assert_int_eq(rc, 0);
        } else {
            ck_assert_int_eq(rc, ERR_PARSE);
            ck_assert_contains(err.message, "near byte");
            ck_assert_uint_eq(record.text.len, 0);
        }
        buf_deinit(&record.text);
        free(copy);
    }
    buf_deinit(&request);
}
END_TEST

START_TEST(refuses_what_is_no_request)
{
    static const struct str cases[] = {
        STR("{\"resourceSpans\":[]}"), STR("GET / HTTP/1.1\r\n\r\n"), {"\x08\x01", 2},
        {"\x0d\x01\x02\x03\x04", 5},   {"\x0a\x02\x10\x01", 4},       {"\x0a\x04\x12\x02\x10\x01", 6}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record record;
        ck_assert_msg(decode(cases[i], &record, NULL) == ERR_PARSE, "case %zu", i);
        buf_deinit(&record.text);
    }
}
END_TEST

START_TEST(names_every_reason)
{
    for (int i = 0; i < OTLP_REJECT_COUNT; i++) {
        ck_assert_ptr_nonnull(otlp_reject_name((enum otlp_reject)i));
        ck_assert_ptr_nonnull(otlp_reject_text((enum otlp_reject)i));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("otlp_decode");
    TCase *tests = tcase_create("decode");
    tcase_add_test(tests, reads_spans_in_both_field_orders);
    tcase_add_test(tests, takes_an_empty_request);
    tcase_add_test(tests, merges_a_resource_in_parts);
    tcase_add_test(tests, skips_unknown_and_reserved_fields);
    tcase_add_test(tests, rejects_bad_ids_alone);
    tcase_add_test(tests, rejects_a_damaged_span_alone);
    tcase_add_test(tests, folds_unknown_kinds_and_statuses);
    tcase_add_test(tests, survives_a_bomb_of_nested_values);
    tcase_add_test(tests, a_bad_resource_costs_its_spans_only);
    tcase_add_test(tests, a_bad_scope_costs_its_spans_only);
    tcase_add_test(tests, a_cut_request_hands_nothing_out);
    tcase_add_test(tests, refuses_what_is_no_request);
    tcase_add_test(tests, names_every_reason);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
