#include "lib/net/percent.h"

#include "tests/support/support.h"

START_TEST(all_but_the_unreserved)
{
    static const char bytes[] = "aZ09-._~ /?#%+&=\0\x7f\xc3\xa9";
    struct buf out = BUF_INIT(256);
    percent_encode(&out, (struct str){bytes, sizeof bytes - 1});
    ck_assert_str_eq(buf_text(&out), "aZ09-._~%20%2F%3F%23%25%2B%26%3D%00%7F%C3%A9");
    buf_deinit(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("percent");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, all_but_the_unreserved);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
