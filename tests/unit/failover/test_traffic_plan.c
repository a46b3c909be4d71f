#include "failover/traffic_plan.h"

#include "tests/unit/failover/traffic_rig.h"

#define HEAD                                                                                                 \
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "      \
    "srv_time\n"

struct rig {
    struct arena *arena;
    const struct traffic_config *config;
    struct traffic_state *state;
    unsigned number;
};

static void order(struct rig *rig, const char *trigger, const char *region, bool firing)
{
    char id[16];
    struct error err = {0};
    (void)snprintf(id, sizeof id, "%u", ++rig->number);
    ck_assert_int_eq(
        rig_step(&rig->state, rig->config, id, rig_event(trigger, region, "a", firing), RIG_NOW, &err), 0);
}

/* The commands for HAProxy's servers: "backend server op admin weight", initial weight 1. */
static struct traffic_plan plan(struct rig *rig, const char *rows)
{
    struct haproxy_state haproxy;
    struct traffic_plan made;
    struct error err = {0};
    ck_assert_int_eq(
        haproxy_state_read(rig->arena, str_from(arena_printf(rig->arena, HEAD "%s", rows)), &haproxy, &err),
        0);
    traffic_plan_make(rig->arena, rig->state, rig->config, &haproxy, RIG_NOW, &made);
    return made;
}

#define EU(op, admin, weight)      "1 read 1 eu - " op " " admin " " weight " 1\n"
#define US(op, admin, weight)      "1 read 2 us - " op " " admin " " weight " 1\n"
#define SERVICE(op, admin, weight) "2 service 1 eu - " op " " admin " " weight " 1\n"
#define OTHER                      "2 service 2 us - 2 0 1 1\n"

static void setup(struct rig *rig)
{
    *rig = (struct rig){.arena = arena_new(0), .state = traffic_state_new()};
    rig->config = rig_config(rig->arena);
}

static void teardown(struct rig *rig)
{
    traffic_state_free(rig->state);
    arena_free(rig->arena);
}

START_TEST(out_and_back)
{
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    ck_assert_uint_eq(plan(&rig, EU("2", "0", "1") US("2", "0", "1")).commands, 0);
    order(&rig, "lag-high", "eu", true);
    struct traffic_plan made = plan(&rig, EU("2", "0", "1") US("2", "0", "1"));
    ck_assert_str_eq(made.line, "set weight read/eu 0;shutdown sessions server read/eu");
    made = plan(&rig, EU("2", "0", "0") US("2", "0", "1"));
    ck_assert_uint_eq(made.commands, 0);
    ck_assert_uint_eq(made.out, 1);
    ck_assert_uint_eq(made.back_count, 0);
    order(&rig, "lag-high", "eu", false);
    made = plan(&rig, EU("2", "0", "0") US("2", "0", "1"));
    ck_assert_str_eq(made.line, "set weight read/eu 100%");
    ck_assert_uint_eq(made.back_count, 0);
    made = plan(&rig, EU("2", "0", "1") US("2", "0", "1"));
    ck_assert_uint_eq(made.commands, 0);
    ck_assert_uint_eq(made.back_count, 1);
}
END_TEST

START_TEST(who_stood_in_is_left)
{
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    order(&rig, "lag-high", "us", true);
    order(&rig, "lag-high", "us", false);
    ck_assert_str_eq(plan(&rig, EU("2", "0", "1") US("2", "0", "0")).line,
                     "set weight read/us 100%;shutdown sessions server read/eu");
}
END_TEST

START_TEST(a_long_line_is_cut_between_servers)
{
    struct rig rig CLEANUP(teardown);
    struct buf rows CLEANUP(buf_deinit) = BUF_INIT(1024UL * 1024);
    struct traffic_state many = {0};
    const char *taken[100];
    setup(&rig);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        taken[i] = arena_printf(rig.arena, "%0150zu/a", i);
        buf_printf(&rows, "1 %0150zu 1 a - 2 0 0 1\n", i);
    }
    many.taken = taken;
    many.taken_count = ARRAY_LEN(taken);
    struct traffic_state *kept = rig.state;
    rig.state = &many;
    struct traffic_plan made = plan(&rig, buf_text(&rows));
    rig.state = kept;
    ck_assert(made.commands > 10 && made.commands < ARRAY_LEN(taken));
    ck_assert(strlen(made.line) < 8192);
    ck_assert_str_eq(made.line + strlen(made.line) - 7, "/a 100%");
}
END_TEST

START_TEST(draining_ends_no_sessions)
{
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    order(&rig, "burning", "eu", true);
    ck_assert_str_eq(plan(&rig, EU("2", "0", "1") US("2", "0", "1") SERVICE("2", "0", "1") OTHER).line,
                     "set weight service/eu 0;set weight read/eu 0");
}
END_TEST

START_TEST(the_last_one_of_a_backend_stays_or_comes_back)
{
    static const char *const others[] = {"", US("0", "0", "1"), US("2", "1", "1"), US("2", "8", "1"),
                                         US("2", "0", "0")};
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    order(&rig, "lag-high", "eu", true);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct traffic_plan made =
            plan(&rig, arena_printf(rig.arena, "%s%s" OTHER, EU("2", "0", "1"), others[i]));
        ck_assert_uint_eq(made.commands, 0);
        ck_assert_uint_eq(made.held, 1);
        ck_assert_str_eq(made.held_name, "read/eu");
        made = plan(&rig, arena_printf(rig.arena, "%s%s" OTHER, EU("2", "0", "0"), others[i]));
        ck_assert_str_eq(made.line, "set weight read/eu 100%");
    }
    /* Both are wanted out: neither goes. */
    order(&rig, "lag-high", "us", true);
    struct traffic_plan made = plan(&rig, EU("2", "0", "1") US("2", "0", "1"));
    ck_assert_uint_eq(made.commands, 0);
    ck_assert_uint_eq(made.held, 2);
}
END_TEST

START_TEST(what_somebody_disabled_is_not_enabled)
{
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    order(&rig, "lag-high", "eu", true);
    order(&rig, "lag-high", "eu", false);
    struct traffic_plan made = plan(&rig, EU("0", "1", "0") US("2", "0", "1"));
    ck_assert_str_eq(made.line, "set weight read/eu 100%"); /* of a disabled server: it takes nothing */
    ck_assert_ptr_null(strstr(made.line, "enable"));
    ck_assert_ptr_null(strstr(made.line, "state"));
}
END_TEST

START_TEST(servers_that_are_not_there_are_said)
{
    struct rig rig CLEANUP(teardown);
    setup(&rig);
    order(&rig, "lag-high", "eu", true);
    struct traffic_plan made = plan(&rig, US("2", "0", "1"));
    ck_assert_uint_eq(made.commands, 0);
    ck_assert_uint_eq(made.missing, 1);
    ck_assert_str_eq(made.missing_name, "read/eu");
    order(&rig, "lag-high", "eu", false);
    ck_assert_uint_eq(plan(&rig, US("2", "0", "1")).back_count, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("traffic_plan");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, out_and_back);
    tcase_add_test(tc, who_stood_in_is_left);
    tcase_add_test(tc, a_long_line_is_cut_between_servers);
    tcase_add_test(tc, draining_ends_no_sessions);
    tcase_add_test(tc, the_last_one_of_a_backend_stays_or_comes_back);
    tcase_add_test(tc, what_somebody_disabled_is_not_enabled);
    tcase_add_test(tc, servers_that_are_not_there_are_said);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
