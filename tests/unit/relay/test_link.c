#include "relay/relay.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct link link_of(int64_t delay_ns)
{
    return (struct link){.delay_ns = delay_ns, .ring = calloc(RING_SLOTS, sizeof(struct packet))};
}

static bool push(struct link *link, unsigned char mark, int64_t now)
{
    struct packet *slot = link_slot(link);
    if (!slot)
        return false;
    slot->bytes[0] = mark;
    link_push(link, 1, now);
    return true;
}

START_TEST(packets_leave_in_order_and_not_before_their_time)
{
    struct link link = link_of(1000);
    int64_t wait;
    ck_assert_ptr_null(link_due(&link, 0, &wait));
    ck_assert_int_eq(wait, -1);
    ck_assert(push(&link, 1, 0));
    ck_assert(push(&link, 2, 100));
    ck_assert_ptr_null(link_due(&link, 400, &wait));
    ck_assert_int_eq(wait, 600);
    struct packet *packet = link_due(&link, 1000, &wait);
    ck_assert_uint_eq(packet->bytes[0], 1);
    link_pop(&link);
    ck_assert_ptr_null(link_due(&link, 1000, &wait));
    ck_assert_int_eq(wait, 100);
    /* A shorter delay does not let one overtake another. */
    link.delay_ns = 0;
    ck_assert(push(&link, 3, 1001));
    ck_assert_ptr_null(link_due(&link, 1001, &wait));
    ck_assert_uint_eq(link_due(&link, 1100, &wait)->bytes[0], 2);
    free(link.ring);
}
END_TEST

START_TEST(a_full_ring_takes_no_more_and_counters_wrap)
{
    struct link link = link_of(0);
    int64_t wait;
    link.head = link.tail = UINT32_MAX - 5;
    for (uint32_t i = 0; i < RING_SLOTS; i++)
        ck_assert(push(&link, (unsigned char)i, 0));
    ck_assert(!push(&link, 0, 0));
    for (uint32_t i = 0; i < RING_SLOTS; i++) {
        ck_assert_uint_eq(link_due(&link, 0, &wait)->bytes[0], (unsigned char)i);
        link_pop(&link);
    }
    ck_assert_ptr_null(link_due(&link, 0, &wait));
    free(link.ring);
}
END_TEST

static Suite *link_suite(void)
{
    Suite *suite = suite_create("link");
    TCase *tcase = tcase_create("link");
    tcase_add_test(tcase, packets_leave_in_order_and_not_before_their_time);
    tcase_add_test(tcase, a_full_ring_takes_no_more_and_counters_wrap);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(link_suite)
