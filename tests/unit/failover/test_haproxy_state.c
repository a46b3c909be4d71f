#include "failover/haproxy_state.h"

#include "tests/support/support.h"

#define HEAD                                                                                                 \
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "      \
    "srv_time_since_last_change srv_check_status\n"

START_TEST(the_table_is_read)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct haproxy_state state;
    struct error err = {0};
    /* As HAProxy 2.6 answers: up; configured as disabled; weight 0 by order; down; weight 0 by file. */
    ck_assert_int_eq(
        haproxy_state_read(arena,
                           STR("\n\n" HEAD "6 read 1 a 127.0.0.1 2 0 1 1 1 1 0 2\n"
                               "6 read 2 b 127.0.0.1 0 5 1 1 1 1 0 8\n6 read 3 c - 2 0 0 1 1 1\n"
                               "7 service 1 a 127.0.0.1 0 0 1 1 1\n7 service 2 d - 2 0 0 0 1 1\n\n"),
                           &state, &err),
        0);
    ck_assert_uint_eq(state.count, 5);
    const struct haproxy_server *a = haproxy_state_find(&state, "read/a"),
                                *b = haproxy_state_find(&state, "read/b"),
                                *c = haproxy_state_find(&state, "read/c"),
                                *down = haproxy_state_find(&state, "service/a"),
                                *d = haproxy_state_find(&state, "service/d");
    ck_assert(a->usable && a->weighted && a->backend_size == 4);
    ck_assert(!b->usable && b->weighted);
    ck_assert(c->usable && !c->weighted && !c->weighs_nothing);
    ck_assert(!down->usable && down->backend_size == 7);
    ck_assert(d->weighs_nothing);
    ck_assert_ptr_null(haproxy_state_find(&state, "service/b"));
}
END_TEST

START_TEST(anything_else_is_what_haproxy_says)
{
    static const struct {
        const char *answer, *message;
    } cases[] = {
        {"", "nothing"},
        {"No such server.\n\n" HEAD, "No such server."},
        {"2\n# be_id be_name", "2"},
        {"1\n# be_id name", "# be_id name"},
        {HEAD "6 read 1 a 127.0.0.1 2 0 1\n", "6 read 1 a"},
        {HEAD "6 read 1 a 127.0.0.1 up 0 1 1\n", "up"},
        {"\x1b[31mred\n", "?[31mred"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
        struct haproxy_state state;
        struct error err = {0};
        ck_assert_int_eq(haproxy_state_read(arena, str_from(cases[i].answer), &state, &err), ERR_PEER);
        ck_assert_contains(err.message, cases[i].message);
        ck_assert_uint_eq(state.count, 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("haproxy_state");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_table_is_read);
    tcase_add_test(tc, anything_else_is_what_haproxy_says);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
