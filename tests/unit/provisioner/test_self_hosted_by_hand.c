#include "provisioner/self_hosted/by_hand.h"
#include "tests/unit/provisioner/self_hosted_rig.h"

struct taken {
    struct arena *arena;
    const char *paths[64], *texts[64];
    bool secret[64];
    size_t count, fail_at;
};

static int take(void *ctx, const char *path, struct str bytes, bool secret, struct error *err)
{
    struct taken *taken = ctx;
    ck_assert_uint_lt(taken->count, ARRAY_LEN(taken->paths));
    if (taken->count + 1 == taken->fail_at)
        return error_set(err, ERR_UNAVAILABLE, "the disk is full");
    taken->paths[taken->count] = arena_strdup(taken->arena, str_from(path));
    taken->texts[taken->count] = arena_strdup(taken->arena, bytes);
    taken->secret[taken->count++] = secret;
    return 0;
}

static const char *text_of(const struct taken *taken, const char *path)
{
    for (size_t i = 0; i < taken->count; i++) {
        if (strcmp(taken->paths[i], path) == 0)
            return taken->texts[i];
    }
    ck_abort_msg("there is no %s", path);
    return NULL;
}

static void add_steps(struct hosts_rig *rig)
{
    struct host_step *step = step_add(&rig->steps, STAGE_SERVICE, "service/files", "bring files");
    step_put(&rig->steps, step, "/etc/a", STR("plain"), 0644, "root:root", false);
    step_put(&rig->steps, step, "/etc/b", STR("hush"), 0600, "root:root", true);
    step->apply = "run it\n";
    step = step_add(&rig->steps, STAGE_HOST, "base/data", "make a place");
    step->data = true;
    step->undo = "rm -rf /srv/x\n";
    step->check = "[ -d /srv/x ]\n";
    step->guard = "true\n";
}

START_TEST(steps_are_in_the_order_of_their_stages_and_what_is_secret_is_apart)
{
    struct hosts_rig rig;
    struct error err = {0};
    hosts_rig_open(&rig, "");
    add_steps(&rig);
    struct taken taken = {.arena = rig.arena};
    ck_assert_int_eq(by_hand_region(&rig.sites[1], &rig.steps, "the-id", take, &taken, &err), 0);
    const char *order = text_of(&taken, "hosts/eu/steps/order");
    ck_assert_int_eq(strncmp(order, "01-base-data host base/data ", 28), 0);
    ck_assert_contains(order, " data make a place\n02-service-files service service/files ");
    ck_assert_contains(order, " - bring files\n");
    ck_assert_str_eq(text_of(&taken, "hosts/eu/steps/02-service-files/files"),
                     "plain 644 root:root /etc/a\nsecret 600 root:root /etc/b\n");
    ck_assert_str_eq(text_of(&taken, "hosts/eu/files/etc/a"), "plain");
    ck_assert_str_eq(text_of(&taken, "secrets/eu/etc/b"), "hush");
    ck_assert_str_eq(text_of(&taken, "hosts/eu/steps/01-base-data/undo.sh"), "rm -rf /srv/x\n");
    for (size_t i = 0; i < taken.count; i++) {
        ck_assert_int_eq(taken.secret[i], strncmp(taken.paths[i], "secrets/", 8) == 0);
        ck_assert(taken.secret[i] || !strstr(taken.texts[i], "hush"));
    }
    const char *begin = text_of(&taken, "hosts/eu/steps/01-base-data/begin");
    ck_assert_int_eq(strncmp(begin, "\"event\":\"begin\",\"id\":\"base/data\"", 32), 0);
    ck_assert_contains(text_of(&taken, "hosts/eu/region.conf"), "deployment_id=the-id\n");
    hosts_rig_check_script(text_of(&taken, "hosts/eu/region.sh"));
    hosts_rig_check_script(text_of(&taken, "hosts/eu/region.conf"));
    hosts_rig_check_script(text_of(&taken, "hosts/eu/steps/prelude.sh"));
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(the_script_knows_who_may_write)
{
    static const char *const roles[] = {"role=writes\n", "role=follows\n"};
    for (size_t i = 0; i < 2; i++) {
        struct hosts_rig rig;
        hosts_rig_open(&rig, "replication: {mode: streaming}\n");
        struct taken taken = {.arena = rig.arena};
        ck_assert_int_eq(by_hand_region(&rig.sites[i], &rig.steps, "id", take, &taken, NULL), 0);
        ck_assert_contains(
            text_of(&taken, arena_printf(rig.arena, "hosts/%s/region.conf", rig.sites[i].region->name)),
            roles[i]);
        hosts_rig_close(&rig);
    }
    struct hosts_rig rig;
    hosts_rig_open(&rig, "");
    struct taken taken = {.arena = rig.arena};
    ck_assert_int_eq(by_hand_region(&rig.sites[0], &rig.steps, "id", take, &taken, NULL), 0);
    ck_assert_contains(text_of(&taken, "hosts/us/region.conf"), "role=alone\n");
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(a_file_that_cannot_be_put_ends_it)
{
    size_t whole = 1;
    for (size_t fail_at = 1; fail_at <= whole; fail_at++) {
        struct hosts_rig rig;
        struct error err = {0};
        hosts_rig_open(&rig, "");
        add_steps(&rig);
        struct taken taken = {.arena = rig.arena};
        ck_assert_int_eq(by_hand_region(&rig.sites[0], &rig.steps, "id", take, &taken, &err), 0);
        whole = taken.count;
        taken.count = 0;
        taken.fail_at = fail_at;
        ck_assert_int_eq(by_hand_region(&rig.sites[0], &rig.steps, "id", take, &taken, &err),
                         ERR_UNAVAILABLE);
        hosts_rig_close(&rig);
    }
}
END_TEST

static Suite *by_hand_suite(void)
{
    Suite *suite = suite_create("by hand");
    TCase *tcase = tcase_create("by hand");
    tcase_add_test(tcase, steps_are_in_the_order_of_their_stages_and_what_is_secret_is_apart);
    tcase_add_test(tcase, the_script_knows_who_may_write);
    tcase_add_test(tcase, a_file_that_cannot_be_put_ends_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(by_hand_suite)
