/* The decoder against the reference: random valid requests as odd as the wire format allows, then the same
 * with random damage. The generator is seeded, so a failure repeats. */
#include "tracing/otlp_reference.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"
#include "tests/unit/tracing/otlp_record.h"

static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static struct str random_text(void)
{
    static const struct str texts[] = {
        STR(""),
        STR("service.name"),
        STR("region"),
        STR("cloud.region"),
        STR("deployment.region"),
        STR("service.instance.id"),
        STR("a"),
        STR("caf\xc3\xa9"),
        {"nul\0inside", 10},
        STR("a value that is longer than one hundred and twenty-seven bytes, so that its "
            "length takes two bytes: abcdefghijklmnopqrstuvwxyz 0123456789")};
    return texts[draw(ARRAY_LEN(texts))];
}

/* A varint that may be longer than it must be. */
static void put_varint(struct buf *out, uint64_t value, uint32_t longest)
{
    struct buf minimal = BUF_INIT(64);
    build_varint(&minimal, value);
    size_t padding = draw(8) ? 0 : draw((uint32_t)(longest + 1 - minimal.len));
    for (size_t i = 0; i < minimal.len; i++)
        buf_append_byte(out, (char)(minimal.data[i] | (i + 1 < minimal.len || padding ? 0x80 : 0)));
    for (size_t i = 0; i < padding; i++)
        buf_append_byte(out, (char)(i + 1 < padding ? 0x80 : 0));
    buf_deinit(&minimal);
}

static void put_number(struct buf *out, uint32_t field)
{
    static const uint64_t numbers[] = {0, 1, 2, 3, 5, 127, 128, 1UL << 33, UINT64_MAX};
    build_tag(out, field, WIRE_VARINT);
    put_varint(out, numbers[draw(ARRAY_LEN(numbers))], 10);
}

static void put_bytes(struct buf *out, uint32_t field, struct str bytes)
{
    build_tag(out, field, WIRE_BYTES);
    put_varint(out, bytes.len, 5); /* protobuf-c takes no longer lengths */
    buf_append_str(out, bytes);
}

static void put_unknown(struct buf *out)
{
    uint32_t field = 17 + draw(3000);
    switch (draw(4)) {
    case 0:
        put_number(out, field);
        break;
    case 1:
        build_fixed32(out, field, draw(1000));
        break;
    case 2:
        build_fixed64(out, field, draw(1000));
        break;
    default:
        put_bytes(out, field, random_text());
        break;
    }
}

typedef void put_fn(struct buf *out, int depth);

static void put_nested(struct buf *out, uint32_t field, put_fn *put, int depth)
{
    struct buf message = BUF_INIT(BUILD_MAX);
    put(&message, depth);
    put_bytes(out, field, buf_str(&message));
    buf_deinit(&message);
}

static void put_pair(struct buf *out, int depth);

static void put_value(struct buf *out, int depth);

static void put_list(struct buf *out, int depth)
{
    for (uint32_t n = draw(3); n > 0; n--)
        put_nested(out, 1, put_value, depth - 1);
}

static void put_pairs(struct buf *out, int depth)
{
    for (uint32_t n = draw(3); n > 0; n--)
        put_nested(out, 1, put_pair, depth - 1);
}

static void put_value(struct buf *out, int depth)
{
    for (uint32_t n = draw(8) ? 1 : draw(3); n > 0; n--)
        switch (draw(depth > 0 ? 9 : 7)) {
        case 0:
        case 1:
            put_bytes(out, 1, random_text());
            break;
        case 2:
            put_number(out, 2);
            break;
        case 3:
            put_number(out, 3);
            break;
        case 4:
            build_fixed64(out, 4, draw(100));
            break;
        case 5:
            put_bytes(out, 7, random_text());
            break;
        case 6:
            put_unknown(out);
            break;
        case 7:
            put_nested(out, 5, put_list, depth);
            break;
        default:
            put_nested(out, 6, put_pairs, depth);
            break;
        }
}

static void put_text_value(struct buf *out, int depth)
{
    (void)depth;
    put_bytes(out, 1, random_text());
}

static void put_pair(struct buf *out, int depth)
{
    bool value_first = draw(2);
    if (value_first)
        put_nested(out, 2, put_value, depth);
    put_bytes(out, 1, random_text());
    if (!draw(10))
        put_bytes(out, 1, random_text());
    if (!value_first && draw(10))
        put_nested(out, 2, put_value, depth);
    if (!draw(10)) /* a text, because protobuf-c 1.4 fails to merge two empty ones */
        put_nested(out, 2, put_text_value, depth);
    if (!draw(20))
        put_number(out, 3);
    if (!draw(20))
        put_unknown(out);
}

static void put_status(struct buf *out, int depth)
{
    (void)depth;
    if (draw(2))
        put_bytes(out, 2, random_text());
    if (draw(3))
        put_number(out, 3);
    if (!draw(9))
        put_number(out, 1); /* the deprecated code */
}

static void put_event(struct buf *out, int depth)
{
    build_fixed64(out, 1, draw(1000));
    put_bytes(out, 2, random_text());
    put_nested(out, 3, put_pair, depth);
    put_number(out, 4);
}

static void put_link(struct buf *out, int depth)
{
    put_bytes(out, 1, random_text());
    put_bytes(out, 2, random_text());
    put_nested(out, 4, put_pair, depth);
    build_fixed32(out, 6, draw(1000));
}

static void put_id(struct buf *out, uint32_t field, size_t len)
{
    char id[17];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (char)draw(draw(5) ? 256 : 1);
    put_bytes(out, field, (struct str){id, draw(30) ? len : draw(17)});
}

static void put_span_field(struct buf *out, uint32_t field)
{
    static const uint32_t numbers[] = {6, 10, 12, 14};
    switch (field) {
    case 0:
    case 1:
        put_id(out, 1, 16);
        break;
    case 2:
        put_id(out, 2, 8);
        break;
    case 3:
        put_bytes(out, 3, random_text());
        break;
    case 4:
        put_id(out, 4, 8);
        break;
    case 5:
        put_bytes(out, 5, random_text());
        break;
    case 6:
        put_number(out, numbers[draw(ARRAY_LEN(numbers))]);
        break;
    case 7:
        build_fixed64(out, 7 + draw(2), draw(100000));
        break;
    case 8:
        put_nested(out, 9, put_pair, 4);
        break;
    case 9:
        put_nested(out, 11, put_event, 3);
        put_nested(out, 13, put_link, 3);
        break;
    case 10:
        put_nested(out, 15, put_status, 0);
        break;
    case 11:
        build_fixed32(out, 16, draw(0x400));
        break;
    default:
        put_unknown(out);
        break;
    }
}

static void put_span(struct buf *out, int depth)
{
    (void)depth;
    uint32_t start = draw(13);
    for (uint32_t i = 0; i < 13; i++) /* rotated, and now and then twice */
        for (uint32_t n = draw(12) ? 1 : draw(3); n > 0; n--)
            put_span_field(out, (start + i) % 13);
}

static void put_scope_head(struct buf *out, int depth)
{
    put_bytes(out, 1, random_text());
    put_bytes(out, 2, random_text());
    put_nested(out, 3, put_pair, depth);
}

static void put_scope(struct buf *out, int depth)
{
    bool head_first = draw(2);
    if (head_first)
        put_nested(out, 1, put_scope_head, depth);
    for (uint32_t n = draw(4); n > 0; n--)
        put_nested(out, 2, put_span, depth);
    if (!head_first)
        put_nested(out, 1, put_scope_head, depth);
    if (!draw(4))
        put_bytes(out, 3, random_text());
}

static void put_resource(struct buf *out, int depth)
{
    for (uint32_t n = draw(6); n > 0; n--)
        put_nested(out, 1, put_pair, depth);
    if (!draw(4))
        put_number(out, 2);
}

static void put_group(struct buf *out, int depth)
{
    for (uint32_t n = draw(5); n > 0; n--)
        switch (draw(4)) {
        case 0:
            put_nested(out, 1, put_resource, depth);
            break;
        case 1:
            put_unknown(out);
            break;
        default:
            put_nested(out, 2, put_scope, depth);
            break;
        }
}

static void put_request(struct buf *out)
{
    for (uint32_t n = draw(4); n > 0; n--)
        put_nested(out, 1, put_group, 3);
    if (!draw(6))
        put_unknown(out);
}

static bool both(struct str request, struct record *walked, struct record *referred, struct arena *arena,
                 int *ret_walk)
{
    struct otlp_visitor walk = record_visitor(walked), refer = record_visitor(referred);
    struct otlp_frame frame, reference_frame;
    record_init(walked);
    record_init(referred);
    *ret_walk = otlp_decode_traces(request, &walk, &frame, NULL);
    int rc = otlp_reference_traces(request, arena, &refer, &reference_frame, NULL);
    if (*ret_walk == 0 && rc == 0) {
        ck_assert_uint_eq(frame.groups, reference_frame.groups);
        ck_assert_uint_eq(frame.spans, reference_frame.spans);
    }
    return rc == 0;
}

START_TEST(agrees_on_valid_requests)
{
    struct arena *arena = arena_new(0);
    uint64_t spans = 0, rejects = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct buf request = BUF_INIT(BUILD_MAX);
        struct record walked, referred;
        int rc;
        state = seed * UINT64_C(0x9E3779B97F4A7C15);
        put_request(&request);
        ck_assert_msg(both(buf_str(&request), &walked, &referred, arena, &rc), "seed %llu",
                      (unsigned long long)seed);
        ck_assert_int_eq(rc, 0);
        ck_assert_str_eq(buf_text(&walked.text), buf_text(&referred.text));
        ck_assert_uint_eq(walked.by_reason[OTLP_REJECT_DAMAGED] + walked.by_reason[OTLP_REJECT_DEPTH], 0);
        spans += walked.spans;
        rejects += walked.rejects;
        buf_deinit(&walked.text);
        buf_deinit(&referred.text);
        buf_deinit(&request);
        arena_reset(arena);
    }
    ck_assert_uint_gt(spans, 1000); /* the generator does not only make what is rejected */
    ck_assert_uint_gt(rejects, 100);
    arena_free(arena);
}
END_TEST

/* Damage: the reference may refuse what costs a span here, but what both take whole they take alike. */
START_TEST(agrees_on_damaged_requests)
{
    struct arena *arena = arena_new(0);
    uint64_t compared = 0;
    for (uint64_t seed = 1; seed <= 8000; seed++) {
        struct buf request = BUF_INIT(BUILD_MAX);
        struct record walked, referred;
        int rc;
        state = seed * UINT64_C(0xD1B54A32D192ED03);
        put_request(&request);
        for (uint32_t n = 1 + draw(3); request.len && n > 0; n--)
            request.data[draw((uint32_t)request.len)] = (char)draw(256);
        bool referred_ok = both(buf_str(&request), &walked, &referred, arena, &rc);
        bool whole = walked.by_reason[OTLP_REJECT_DAMAGED] + walked.by_reason[OTLP_REJECT_DEPTH] +
                         walked.by_reason[OTLP_REJECT_SCOPE] + walked.by_reason[OTLP_REJECT_RESOURCE] ==
                     0;
        if (rc == 0 && referred_ok && whole) {
            ck_assert_msg(!strcmp(buf_text(&walked.text), buf_text(&referred.text)), "seed %llu:\n%s---\n%s",
                          (unsigned long long)seed, buf_text(&walked.text), buf_text(&referred.text));
            compared++;
        }
        buf_deinit(&walked.text);
        buf_deinit(&referred.text);
        buf_deinit(&request);
        arena_reset(arena);
    }
    ck_assert_uint_gt(compared, 1000);
    arena_free(arena);
}
END_TEST

START_TEST(refuses_damage_anywhere)
{
    struct arena *arena = arena_new(0);
    struct record record;
    struct otlp_visitor visitor = record_visitor(&record);
    struct otlp_frame frame;
    struct error err = {0};
    record_init(&record);
    ck_assert_int_eq(otlp_reference_traces((struct str){"\x0a\x05", 2}, arena, &visitor, &frame, &err),
                     ERR_PARSE);
    ck_assert_int_eq(otlp_reference_traces((struct str){NULL, 0}, arena, &visitor, &frame, &err), 0);
    ck_assert_uint_eq(frame.groups, 0);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("otlp_reference");
    TCase *tests = tcase_create("reference");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, agrees_on_valid_requests);
    tcase_add_test(tests, agrees_on_damaged_requests);
    tcase_add_test(tests, refuses_damage_anywhere);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
