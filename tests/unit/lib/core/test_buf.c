#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(appending)
{
    struct buf buf = BUF_INIT(1000);
    ck_assert_str_eq(buf_text(&buf), "");
    buf_append_text(&buf, "a");
    buf_append_str(&buf, STR("bc"));
    buf_append_byte(&buf, 'd');
    buf_printf(&buf, "%d%s", 12, "");
    buf_append(&buf, NULL, 0);
    ck_assert_str_eq(buf_text(&buf), "abcd12");
    ck_assert(str_equal_text(buf_str(&buf), "abcd12"));
    ck_assert(!buf.failed);
    buf_reset(&buf);
    ck_assert_uint_eq(buf.len, 0);
    buf_append_text(&buf, "x");
    char *taken = buf_take(&buf);
    ck_assert_str_eq(taken, "x");
    free(taken);
    taken = buf_take(&buf);
    ck_assert_str_eq(taken, "");
    free(taken);
    buf_deinit(&buf);
}
END_TEST

START_TEST(past_the_maximum)
{
    struct buf buf = BUF_INIT(10);
    buf_append_text(&buf, "0123456789");
    ck_assert(!buf.failed);
    ck_assert_str_eq(buf_text(&buf), "0123456789");
    buf_append_byte(&buf, 'x');
    ck_assert(buf.failed);
    ck_assert_str_eq(buf_text(&buf), "0123456789");
    buf_reset(&buf);
    ck_assert(!buf.failed);
    buf_printf(&buf, "%11d", 5);
    ck_assert(buf.failed);
    ck_assert_uint_eq(buf.len, 0);
    ck_assert(!buf_reserve(&buf, SIZE_MAX));
    buf_deinit(&buf);
    ck_assert_uint_eq(buf.max, 10);
}
END_TEST

START_TEST(random_appends_match_a_model)
{
    struct buf buf = BUF_INIT(100000);
    char *model = xmalloc(100001);
    size_t length = 0;
    unsigned seed = 5;
    for (int i = 0; i < 3000; i++) {
        char piece[60];
        size_t size = (size_t)rand_r(&seed) % sizeof piece;
        for (size_t j = 0; j < size; j++)
            piece[j] = (char)('a' + rand_r(&seed) % 26);
        buf_append(&buf, piece, size);
        if (length + size <= 100000) {
            memcpy(model + length, piece, size);
            length += size;
        }
        ck_assert_uint_eq(buf.len, length);
    }
    model[length] = '\0';
    ck_assert_str_eq(buf_text(&buf), model);
    free(model);
    buf_deinit(&buf);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *tests = tcase_create("buf");
    tcase_add_test(tests, appending);
    tcase_add_test(tests, past_the_maximum);
    tcase_add_test(tests, random_appends_match_a_model);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
