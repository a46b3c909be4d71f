#include "provisioner/render/render_internal.h"
#include "tests/support/support.h"

static const char *terraform_of(const struct deployment *deployment, const char *root, struct buf *out)
{
    struct json_writer json;
    buf_reset(out);
    json_init(&json, out);
    json_object_begin(&json);
    render_terraform(deployment, root, &json);
    json_object_end(&json);
    return buf_text(out);
}

static const char *address_of(const struct deployment *deployment, const char *root, struct buf *out)
{
    buf_reset(out);
    render_state_address(deployment, root, out);
    return buf_text(out);
}

START_TEST(each_root_has_a_state_of_its_own)
{
    struct buf out = BUF_INIT(65536);
    struct deployment d = {.metadata = {.name = "shop-prod"}, .state = {.backend = STATE_LOCAL}};
    ck_assert_str_eq(terraform_of(&d, "eu", &out), "{\"required_version\":\">= 1.6\",\"backend\":{\"local\":{"
                                                   "\"path\":\"../../state/regions/eu.tfstate\"}}}");
    ck_assert_ptr_nonnull(strstr(terraform_of(&d, "global", &out), "\"../state/global.tfstate\""));
    ck_assert_str_eq(address_of(&d, "eu", &out), "state/regions/eu.tfstate");

    d.state = (struct deployment_state){
        .backend = STATE_S3, .bucket = "b", .prefix = "team/${x}/", .location = "eu-west-1"};
    ck_assert_str_eq(terraform_of(&d, "eu", &out),
                     "{\"required_version\":\">= 1.10\",\"backend\":{\"s3\":{\"bucket\":\"b\",\"key\":"
                     "\"team/$${x}/shop-prod/regions/eu.tfstate\",\"region\":\"eu-west-1\",\"encrypt\":true,"
                     "\"use_lockfile\":true}}}");
    ck_assert_str_eq(address_of(&d, "global", &out), "s3://b/team/${x}/shop-prod/global.tfstate");

    d.state = (struct deployment_state){.backend = STATE_GCS, .bucket = "b"};
    ck_assert_ptr_nonnull(
        strstr(terraform_of(&d, "eu", &out), "\"prefix\":\"fraiseql/shop-prod/regions/eu\""));
    ck_assert_str_eq(address_of(&d, "eu", &out), "gs://b/fraiseql/shop-prod/regions/eu/default.tfstate");

    d.state = (struct deployment_state){
        .backend = STATE_AZURERM, .storage_account = "acc", .resource_group = "g", .container = "c"};
    ck_assert_ptr_nonnull(strstr(terraform_of(&d, "eu", &out), "\"use_azuread_auth\":true"));
    ck_assert_str_eq(address_of(&d, "eu", &out),
                     "https://acc.blob.core.windows.net/c/fraiseql/shop-prod/regions/eu.tfstate");

    d.state = (struct deployment_state){.backend = STATE_PG, .connection = "postgres://u@h/db"};
    ck_assert_str_eq(
        terraform_of(&d, "eu", &out),
        "{\"required_version\":\">= 1.6\",\"backend\":{\"pg\":{\"conn_str\":\"postgres://u@h/db\","
        "\"schema_name\":\"fraiseql_shop_prod_region_eu\"}}}");

    d.state = (struct deployment_state){.backend = STATE_KUBERNETES, .namespace = "n"};
    ck_assert_str_eq(terraform_of(&d, "global", &out),
                     "{\"required_version\":\">= 1.6\",\"backend\":{\"kubernetes\":{\"secret_suffix\":"
                     "\"fraiseql-shop-prod-global\",\"namespace\":\"n\"}}}");
    buf_deinit(&out);
}
END_TEST

START_TEST(passwords_are_refused)
{
    struct error err = {0};
    struct deployment d = {.metadata = {.name = "d"},
                           .state = {.backend = STATE_PG, .connection = "postgres://u@h/db?sslmode=require"}};
    ck_assert_int_eq(render_check_backend(&d, &err), 0);
    d.state.connection = "host=h user=u dbname=db";
    ck_assert_int_eq(render_check_backend(&d, &err), 0);
    static const char *const bad[] = {"postgres://u:secret@h/db", "host=h password=secret",
                                      "postgres://h/db?user=u&password=secret"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        d.state.connection = bad[i];
        ck_assert_int_eq(render_check_backend(&d, &err), ERR_CONFIG);
        ck_assert_ptr_null(strstr(err.message, "secret"));
    }
}
END_TEST

static Suite *render_backend_suite(void)
{
    Suite *suite = suite_create("render_backend");
    TCase *tcase = tcase_create("render_backend");
    tcase_add_test(tcase, each_root_has_a_state_of_its_own);
    tcase_add_test(tcase, passwords_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(render_backend_suite)
