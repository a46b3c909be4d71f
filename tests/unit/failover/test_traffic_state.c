#include "tests/unit/failover/traffic_rig.h"

static bool out(const struct traffic_state *state, const struct traffic_config *config, const char *server,
                int64_t now_wall_ns)
{
    bool cut;
    return traffic_state_wants_out(state, config, server, now_wall_ns, &cut);
}

START_TEST(a_server_is_out_while_any_incident_wants_it)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct traffic_config *config = rig_config(arena);
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new();
    struct error err = {0};
    bool cut = false;
    ck_assert_int_eq(rig_step(&state, config, "1", rig_event("burning", "eu", "a", true), RIG_NOW, &err), 0);
    ck_assert(traffic_state_wants_out(state, config, "read/eu", RIG_NOW, &cut) && !cut);
    ck_assert_int_eq(rig_step(&state, config, "2", rig_event("lag-high", "eu", "b", true), RIG_NOW, &err), 0);
    /* The same again, under another id, is no further incident. */
    ck_assert_int_eq(rig_step(&state, config, "3", rig_event("lag-high", "eu", "b", true), RIG_NOW, &err), 0);
    ck_assert(traffic_state_wants_out(state, config, "read/eu", RIG_NOW, &cut) && cut);
    ck_assert(out(state, config, "service/eu", RIG_NOW) && !out(state, config, "read/us", RIG_NOW));
    ck_assert_uint_eq(state->hold_count, 2);
    ck_assert_uint_eq(state->taken_count, 2);
    ck_assert_int_eq(rig_step(&state, config, "4", rig_event("burning", "eu", "a", false), RIG_NOW, &err), 0);
    ck_assert(out(state, config, "read/eu", RIG_NOW) && !out(state, config, "service/eu", RIG_NOW));
    ck_assert_int_eq(rig_step(&state, config, "5", rig_event("lag-high", "eu", "b", false), RIG_NOW, &err),
                     0);
    ck_assert(!out(state, config, "read/eu", RIG_NOW));
    ck_assert_uint_eq(state->taken_count, 2); /* until they are seen back */
    const char *const back[] = {"service/eu"};
    struct traffic_state *after CLEANUP(traffic_state_free_cleanup) = traffic_state_without(state, back, 1);
    ck_assert_uint_eq(after->taken_count, 1);
    ck_assert_str_eq(after->taken[0], "read/eu");
}
END_TEST

START_TEST(what_is_not_known_changes_nothing)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct traffic_config *config = rig_config(arena);
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new();
    struct error err = {0};
    struct traffic_event unknown = rig_event("lag-high", "eu", "a", true);
    unknown.unknown = true;
    ck_assert_int_eq(rig_step(&state, config, "1", unknown, RIG_NOW, &err), 0);
    ck_assert(!out(state, config, "read/eu", RIG_NOW));
    ck_assert_int_eq(rig_step(&state, config, "2", rig_event("lag-high", "eu", "a", true), RIG_NOW, &err), 0);
    ck_assert_int_eq(rig_step(&state, config, "3", unknown, RIG_NOW, &err), 0);
    ck_assert(out(state, config, "read/eu", RIG_NOW));
    ck_assert_int_eq(rig_step(&state, config, "4", rig_event("other", "mars", "a", true), RIG_NOW, &err), 0);
    ck_assert_uint_eq(state->hold_count, 1);
    ck_assert_int_eq(rig_step(&state, config, "5", rig_event("lag-high", "mars", "a", true), RIG_NOW, &err),
                     ERR_PEER);
    ck_assert_contains(err.message, "lag-high of the region \"mars\"; there are rules for: eu us");
    ck_assert(!traffic_state_has_seen(state, "5"));
}
END_TEST

START_TEST(what_is_old_is_forgotten)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct traffic_config *config = rig_config(arena);
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new();
    struct error err = {0};
    ck_assert_int_eq(rig_step(&state, config, "1", rig_event("lag-high", "eu", "a", true), RIG_NOW, &err), 0);
    ck_assert(!out(state, config, "read/eu", RIG_NOW + 3600 * NS_PER_S));
    ck_assert(!out(state, NULL, "read/eu", RIG_NOW));
    /* An id is remembered for as long as its webhook's timestamp could be accepted. */
    ck_assert_int_eq(
        rig_step(&state, config, "2", rig_event("x", "y", "z", true), RIG_NOW + 600 * NS_PER_S, &err), 0);
    ck_assert(traffic_state_has_seen(state, "1"));
    ck_assert_int_eq(
        rig_step(&state, config, "3", rig_event("x", "y", "z", true), RIG_NOW + 3601 * NS_PER_S, &err), 0);
    ck_assert(!traffic_state_has_seen(state, "1") && traffic_state_has_seen(state, "3"));
    ck_assert_uint_eq(state->hold_count, 0);
    ck_assert_uint_eq(state->taken_count, 1);
}
END_TEST

START_TEST(ids_within_the_window_are_bounded)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct traffic_config *config = rig_config(arena);
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new();
    struct error err = {0};
    for (unsigned i = 0; i < TRAFFIC_MAX_SEEN; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "id%u", i);
        ck_assert_int_eq(rig_step(&state, config, id, rig_event("x", "y", "z", true), RIG_NOW, &err), 0);
    }
    ck_assert_int_eq(rig_step(&state, config, "one-more", rig_event("x", "y", "z", true), RIG_NOW, &err),
                     ERR_LIMIT);
}
END_TEST

START_TEST(it_is_read_as_it_was_written)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct traffic_config *config = rig_config(arena);
    struct traffic_state *state CLEANUP(traffic_state_free_cleanup) = traffic_state_new(), *again = NULL;
    struct buf text CLEANUP(buf_deinit) = BUF_INIT(TRAFFIC_STATE_MAX_BYTES);
    struct buf twice CLEANUP(buf_deinit) = BUF_INIT(TRAFFIC_STATE_MAX_BYTES);
    struct error err = {0};
    ck_assert_int_eq(rig_step(&state, config, "1", rig_event("burning", "eu", "a", true), RIG_NOW, &err), 0);
    traffic_state_write(state, &text);
    ck_assert_int_eq(traffic_state_read(buf_str(&text), &again, &err), 0);
    traffic_state_write(again, &twice);
    ck_assert_str_eq(buf_text(&text), buf_text(&twice));
    ck_assert(out(again, config, "service/eu", RIG_NOW) && traffic_state_has_seen(again, "1"));
    traffic_state_free(again);
    static const char *const broken[] = {"", "{}", "{\"holds\":[1],\"seen\":[],\"taken\":[]}",
                                         "{\"holds\":[],\"seen\":[{\"id\":\"a\"}],\"taken\":[]}",
                                         "{\"holds\":[],\"seen\":[],\"taken\":[[]]}"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        ck_assert_int_eq(traffic_state_read(str_from(broken[i]), &again, &err), ERR_CORRUPT);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("traffic_state");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_server_is_out_while_any_incident_wants_it);
    tcase_add_test(tc, what_is_not_known_changes_nothing);
    tcase_add_test(tc, what_is_old_is_forgotten);
    tcase_add_test(tc, ids_within_the_window_are_bounded);
    tcase_add_test(tc, it_is_read_as_it_was_written);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
