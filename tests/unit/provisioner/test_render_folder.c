#include "lib/core/file.h"
#include "provisioner/render/render_internal.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_text[] = "metadata: {name: shop, environment: test}\n"
                                "regions:\n"
                                "  us: {provider: aws, location: us-east-1, size: small}\n"
                                "  eu: {provider: aws, location: eu-west-1, size: small}\n"
                                "replication: {mode: active-active}\n";

struct rig {
    struct arena *arena;
    struct deployment *deployment;
    struct render_report report;
    const char *folder;
};

static void rig_up(struct rig *rig)
{
    *rig = (struct rig){.arena = arena_new(0)};
    struct findings findings;
    findings_init(&findings, rig->arena);
    int code = deployment_parse(rig->arena, "shop.yaml", str_from(file_text), &rig->deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    char *folder = arena_strdup(rig->arena, STR("/tmp/fraiseql-render-XXXXXX"));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    rig->folder = folder;
}

static void rig_down(struct rig *rig)
{
    ck_assert_int_eq(system(arena_printf(rig->arena, "rm -r %s", rig->folder)), 0);
    arena_free(rig->arena);
}

static int rendered(struct rig *rig, const struct render_options *options, struct error *err)
{
    static const struct render_identity identity = {"01a214e4-0000-7000-8000-000000000000"};
    rig->report = (struct render_report){.arena = rig->arena};
    return render_folder_as(rig->deployment, &identity, rig->folder, options, &rig->report, err);
}

static unsigned mode_of(const struct rig *rig, const char *name)
{
    struct stat status;
    return stat(arena_printf(rig->arena, "%s/%s", rig->folder, name), &status)
               ? 0
               : (unsigned)status.st_mode & 0777U;
}

START_TEST(written_once)
{
    struct rig rig;
    struct error err = {0};
    rig_up(&rig);
    const struct render_options dry = {.dry_run = true}, options = {0};
    ck_assert_int_eq(rendered(&rig, &dry, &err), 0);
    ck_assert_uint_gt(rig.report.written, 4);
    ck_assert_uint_eq(mode_of(&rig, "README.md"), 0);
    size_t all = rig.report.written;
    ck_assert_msg(rendered(&rig, &options, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(rig.report.written, all);
    ck_assert_uint_eq(mode_of(&rig, "regions/us/main.tf.json"), 0600);
    ck_assert_uint_eq(mode_of(&rig, "global/main.tf.json"), 0600);
    ck_assert_uint_eq(mode_of(&rig, "README.md"), 0644);
    ck_assert_uint_eq(mode_of(&rig, "regions"), 0700);
    ck_assert_int_eq(rendered(&rig, &options, &err), 0);
    ck_assert_uint_eq(rig.report.written, 0);
    ck_assert_uint_eq(rig.report.unchanged, all);
    const struct render_options pulumi = {.format = RENDER_PULUMI};
    ck_assert_int_eq(rendered(&rig, &pulumi, &err), 0);
    ck_assert_uint_eq(mode_of(&rig, "Pulumi.yaml"), 0600);
    rig_down(&rig);
}
END_TEST

START_TEST(one_region_and_what_is_stale)
{
    struct rig rig;
    struct error err = {0};
    rig_up(&rig);
    const char *name = "eu";
    const struct string_list only = {1, &name};
    const struct render_options options = {.only = &only};
    ck_assert_int_eq(file_make_folder(arena_printf(rig.arena, "%s/regions/gone", rig.folder), 0700, &err), 0);
    ck_assert_int_eq(rendered(&rig, &options, &err), 0);
    ck_assert_uint_eq(mode_of(&rig, "regions/us/main.tf.json"), 0);
    ck_assert_uint_eq(mode_of(&rig, "regions/eu/main.tf.json"), 0600);
    ck_assert_uint_eq(mode_of(&rig, "global/main.tf.json"), 0);
    ck_assert_uint_eq(rig.report.stale.count, 1);
    ck_assert_str_eq(rig.report.stale.items[0], "regions/gone");
    ck_assert_uint_eq(mode_of(&rig, "regions/gone"), 0700);
    rig_down(&rig);
}
END_TEST

START_TEST(what_cannot_be_rendered_is_refused_first)
{
    struct rig rig;
    struct error err = {0};
    rig_up(&rig);
    const struct render_options options = {0};
    rig.deployment->network.links = LINK_VPN;
    ck_assert_int_eq(rendered(&rig, &options, &err), ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(err.message, "vpn"));
    ck_assert_uint_eq(mode_of(&rig, "README.md"), 0);
    rig_down(&rig);
}
END_TEST

START_TEST(the_id_is_made_once)
{
    struct rig rig;
    struct error err = {0};
    rig_up(&rig);
    struct render_identity first, second;
    ck_assert_int_eq(render_identity_load(rig.deployment, rig.folder, false, rig.arena, &first, &err), 0);
    ck_assert_int_eq(render_identity_load(rig.deployment, rig.folder, false, rig.arena, &second, &err), 0);
    ck_assert_uint_eq(strlen(first.deployment_id), 36);
    ck_assert_str_eq(first.deployment_id, second.deployment_id);
    /* The work folder's own wins. */
    rig.deployment->state.path = rig.folder;
    const char *own = "0192f0c1-2345-7000-8000-0123456789ab";
    ck_assert_int_eq(file_make_folder(arena_printf(rig.arena, "%s/shop", rig.folder), 0700, &err), 0);
    ck_assert_int_eq(
        file_replace(arena_printf(rig.arena, "%s/shop/id", rig.folder), str_from(own), 0600, &err), 0);
    ck_assert_int_eq(render_identity_load(rig.deployment, rig.folder, false, rig.arena, &second, &err), 0);
    ck_assert_str_eq(second.deployment_id, own);
    rig_down(&rig);
}
END_TEST

START_TEST(writers_are_numbered)
{
    struct rig rig;
    rig_up(&rig);
    size_t index, count;
    render_node(rig.deployment, deployment_region(rig.deployment, 1), &index, &count);
    ck_assert_uint_eq(index, 1);
    ck_assert_uint_eq(count, 2);
    ck_assert(render_has_global(rig.deployment));
    rig.deployment->replication.mode = REPLICATION_STREAMING;
    render_node(rig.deployment, deployment_region(rig.deployment, 1), &index, &count);
    ck_assert_uint_eq(index, 0);
    ck_assert_uint_eq(count, 1);
    rig.deployment->replication.mode = REPLICATION_NONE;
    ck_assert(!render_has_global(rig.deployment));
    rig_down(&rig);
}
END_TEST

/* DNS or links that the file no longer has are removed by the root that made them. */
START_TEST(a_global_root_outlives_what_it_was_for)
{
    struct rig rig;
    struct error err = {0};
    rig_up(&rig);
    const struct render_options options = {.format = RENDER_TERRAFORM};
    ck_assert_int_eq(rendered(&rig, &options, &err), 0);
    rig.deployment->replication.mode = REPLICATION_NONE;
    ck_assert_int_eq(rendered(&rig, &options, &err), 0);
    struct buf text = BUF_INIT(RENDER_MAX_BYTES);
    ck_assert_int_eq(file_read(arena_printf(rig.arena, "%s/global/main.tf.json", rig.folder), &text, &err),
                     0);
    ck_assert_ptr_nonnull(strstr(buf_text(&text), "\"alias\": \"us\""));
    ck_assert_ptr_null(strstr(buf_text(&text), "\"module\""));
    buf_deinit(&text);
    ck_assert_int_eq(rendered(&rig, &options, &err), 0);
    ck_assert_uint_eq(rig.report.written, 0);
    rig_down(&rig);
}
END_TEST

static Suite *render_folder_suite(void)
{
    Suite *suite = suite_create("render_folder");
    TCase *tcase = tcase_create("render_folder");
    tcase_add_test(tcase, written_once);
    tcase_add_test(tcase, one_region_and_what_is_stale);
    tcase_add_test(tcase, what_cannot_be_rendered_is_refused_first);
    tcase_add_test(tcase, the_id_is_made_once);
    tcase_add_test(tcase, writers_are_numbered);
    tcase_add_test(tcase, a_global_root_outlives_what_it_was_for);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(render_folder_suite)
