#include "lib/journal/bucket_codec.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct bucket_counts slots[BUCKET_MAX_SLOTS], back[BUCKET_MAX_SLOTS];

static void round_trip(unsigned count, unsigned width_s)
{
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    struct error err = {0};
    unsigned got_count = 0, got_width = 0;
    bucket_codec_encode(slots, count, width_s, &out);
    ck_assert(!out.failed);
    ck_assert_int_eq(bucket_codec_decode(buf_str(&out), back, &got_count, &got_width, &err), 0);
    ck_assert_uint_eq(got_count, count);
    ck_assert_uint_eq(got_width, width_s);
    ck_assert_mem_eq(slots, back, count * sizeof slots[0]);
    buf_deinit(&out);
}

START_TEST(a_healthy_hour_takes_six_bytes)
{
    for (unsigned i = 0; i < 3600; i++)
        slots[i] = (struct bucket_counts){.good = 4};
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    bucket_codec_encode(slots, 3600, 1, &out);
    ck_assert_uint_le(out.len, 8);
    buf_deinit(&out);
    round_trip(3600, 1);
}
END_TEST

START_TEST(any_counts_survive)
{
    srandom(7);
    for (unsigned round = 0; round < 200; round++) {
        unsigned width = (unsigned[]){1, 10, 60, 3600}[random() % 4], count = 3600 / width;
        for (unsigned i = 0; i < count; i++) {
            uint64_t good = (uint64_t)random() << (random() % 34);
            slots[i] = random() % 3 ? (struct bucket_counts){good, (uint64_t)(random() % 3), 0}
                                    : (struct bucket_counts){0};
            if (random() % 50 == 0)
                slots[i] = (struct bucket_counts){UINT64_MAX, UINT64_MAX, UINT64_MAX};
        }
        round_trip(count, width);
    }
}
END_TEST

static void refused(const char *bytes, size_t len)
{
    unsigned count, width;
    struct error err = {0};
    ck_assert_int_eq(bucket_codec_decode((struct str){bytes, len}, back, &count, &width, &err), ERR_CORRUPT);
    ck_assert_str_ne(err.message, "");
}

START_TEST(damage_is_refused)
{
    refused("", 0);
    refused("\x02\x01\x01\x04", 4);                                          /* version */
    refused("\x01\x01", 2);                                                  /* cut off */
    refused("\x01\x00\x01\x04", 4);                                          /* no width */
    refused("\x01\x02\x90\x1c\x04", 5);                                      /* over an hour */
    refused("\x01\x01\x01\x00", 4);                                          /* no run */
    refused("\x01\x01\x01\x08", 4);                                          /* run over the end */
    refused("\x01\x01\x01\x07", 4);                                          /* token kind 3 */
    refused("\x01\x01\x01\x05", 4);                                          /* counts missing */
    refused("\x01\x01\x01\x04\x00", 5);                                      /* bytes left */
    refused("\x01\x01\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 14); /* varint over 64 bits */
}
END_TEST

START_TEST(a_seal_shows_every_flipped_bit)
{
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    struct error err = {0};
    struct str blob;
    for (unsigned i = 0; i < 60; i++)
        slots[i] = (struct bucket_counts){.good = i};
    bucket_codec_encode(slots, 60, 60, &out);
    bucket_codec_seal(&out, 0);
    ck_assert_int_eq(bucket_codec_unseal(buf_str(&out), &blob, &err), 0);
    ck_assert_uint_eq(blob.len, out.len - 4);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
        ck_assert_int_eq(bucket_codec_unseal(buf_str(&out), &blob, &err), ERR_CORRUPT);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
    }
    ck_assert_int_eq(bucket_codec_unseal(STR("abc"), &blob, &err), ERR_CORRUPT);
    buf_deinit(&out);
}
END_TEST

START_TEST(sums_saturate)
{
    struct bucket_counts sum = {UINT64_MAX - 1, 1, 0};
    bucket_counts_add(&sum, &(struct bucket_counts){5, 2, 3});
    ck_assert(sum.good == UINT64_MAX && sum.bad == 3 && sum.unknown == 3);
}
END_TEST

static Suite *bucket_codec_suite(void)
{
    Suite *suite = suite_create("bucket_codec");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, a_healthy_hour_takes_six_bytes);
    tcase_add_test(tcase, any_counts_survive);
    tcase_add_test(tcase, damage_is_refused);
    tcase_add_test(tcase, a_seal_shows_every_flipped_bit);
    tcase_add_test(tcase, sums_saturate);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(bucket_codec_suite)
