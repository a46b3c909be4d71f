#include "scrapers/prometheus/exposition_proto.h"

#include "tests/support/support.h"
#include "tests/unit/scrapers/proto_build.h"

#include <math.h>

enum { COUNT = 1, SUM = 2, SCHEMA = 5, ZERO_THRESHOLD = 6, ZERO_COUNT = 7, NEGATIVE = 9, POSITIVE = 12 };

static struct buf histogram;
static struct exposition_proto proto;

static void open_all(void)
{
    buf_init(&histogram, BUILD_MAX);
    exposition_proto_init(&proto);
}

static void close_all(void)
{
    buf_deinit(&histogram);
    exposition_proto_deinit(&proto);
}

static void header(uint64_t count, int schema, double threshold, uint64_t zeros)
{
    buf_reset(&histogram);
    build_u64(&histogram, COUNT, count);
    build_u64(&histogram, SCHEMA, proto_zigzag(schema));
    proto_double_field(&histogram, ZERO_THRESHOLD, threshold);
    build_u64(&histogram, ZERO_COUNT, zeros);
}

static const char *read_it(void)
{
    proto.point_count = 0;
    return proto_read_histogram(&proto, wire_from(buf_str(&histogram)), false);
}

/* Cumulative count at the bound; fails when there is no such bound. */
static uint64_t at(double bound)
{
    for (size_t i = 0; i < proto.point_count; i++) {
        const struct proto_point *point = &proto.points[i];
        if (point->suffix == PROTO_BUCKET && fabs(point->bound - bound) <= 1e-12 * fabs(bound))
            return point->value.u64;
    }
    ck_abort_msg("no bucket with the bound %g", bound);
    return 0;
}

START_TEST(a_native_histogram_becomes_exact_classic_buckets)
{
    header(13, 0, 0.001, 2);
    proto_span(&histogram, POSITIVE, 0, 2); /* (0.5,1], (1,2] */
    proto_span(&histogram, POSITIVE, 1, 1); /* (4,8] */
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(3));
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(1));
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(-3));
    proto_span(&histogram, NEGATIVE, 0, 1); /* [-1,-0.5) */
    build_u64(&histogram, NEGATIVE + 1, proto_zigzag(3));
    ck_assert_ptr_null(read_it());
    ck_assert_uint_eq(at(-0.5), 3);
    ck_assert_uint_eq(at(0.001), 5);
    ck_assert_uint_eq(at(1), 8);
    ck_assert_uint_eq(at(2), 12);
    ck_assert_uint_eq(at(4), 12);
    ck_assert_uint_eq(at(8), 13);
    ck_assert(isinf(proto.points[proto.point_count - 3].bound));
    ck_assert_uint_eq(proto.points[proto.point_count - 3].value.u64, 13);
}
END_TEST

START_TEST(packed_deltas_read_the_same)
{
    struct buf packed = BUF_INIT(BUILD_MAX);
    header(7, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 0, 2);
    build_varint(&packed, proto_zigzag(3));
    build_varint(&packed, proto_zigzag(1));
    build_message(&histogram, POSITIVE + 1, &packed);
    ck_assert_ptr_null(read_it());
    ck_assert_uint_eq(at(1), 3);
    ck_assert_uint_eq(at(2), 7);
    buf_deinit(&packed);
}
END_TEST

/* More buckets than are kept: neighbours are merged, so each bound that is left has its exact count. */
START_TEST(a_wide_histogram_is_merged_exactly)
{
    header(2000, 8, 0, 0);
    proto_span(&histogram, POSITIVE, -1000, 2000);
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(1));
    for (unsigned i = 1; i < 2000; i++)
        build_u64(&histogram, POSITIVE + 1, 0);
    ck_assert_ptr_null(read_it());
    ck_assert_uint_le(proto.point_count, 64 + 3);
    ck_assert_uint_ge(proto.point_count, 20);
    for (size_t i = 0; i + 3 < proto.point_count; i++) {
        /* Bucket k of schema 8 ends at 2^(k/256); the buckets -1000 to 999 hold one each. */
        double k = log2(proto.points[i].bound) * 256;
        double below = fmin(fmax(k + 1001, 0), 2000);
        ck_assert_msg(fabs(below - (double)proto.points[i].value.u64) < 0.01, "bound %g",
                      proto.points[i].bound);
    }
}
END_TEST

START_TEST(classic_buckets_go_first)
{
    struct buf bucket = BUF_INIT(BUILD_MAX);
    header(3, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 0, 1);
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(3));
    build_u64(&bucket, 1, 2);
    proto_double_field(&bucket, 2, 0.25);
    build_message(&histogram, 3, &bucket);
    ck_assert_ptr_null(read_it());
    ck_assert_uint_eq(proto.point_count, 4);
    ck_assert_uint_eq(at(0.25), 2);
    buf_deinit(&bucket);
}
END_TEST

static void refuses(const char *reason)
{
    const char *got = read_it();
    ck_assert_ptr_nonnull(got);
    ck_assert_contains(got, reason);
}

START_TEST(what_cannot_be_a_histogram)
{
    header(1, -53, 0, 0);
    refuses("unknown schema");
    header(1, 9, 0, 0);
    refuses("unknown schema");
    header(1, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 0, 4000000000U);
    refuses("too wide a range");
    header(1, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 0, 100);
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(1));
    refuses("fewer buckets");
    header(1, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 0, 1);
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(-1));
    refuses("negative bucket");
    header(1, 0, 0, 0);
    proto_double_field(&histogram, 4, 1.5);
    refuses("of floats");
    header(1, 0, 0, 0);
    proto_span(&histogram, POSITIVE, 10, 1);
    proto_span(&histogram, POSITIVE, -9, 1);
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(1));
    build_u64(&histogram, POSITIVE + 1, proto_zigzag(1));
    refuses("backwards");
    buf_append_text(&histogram, "\x07");
    refuses("damaged");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("prometheus_exposition_proto_histogram");
    TCase *tests = tcase_create("histogram");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, a_native_histogram_becomes_exact_classic_buckets);
    tcase_add_test(tests, packed_deltas_read_the_same);
    tcase_add_test(tests, a_wide_histogram_is_merged_exactly);
    tcase_add_test(tests, classic_buckets_go_first);
    tcase_add_test(tests, what_cannot_be_a_histogram);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
