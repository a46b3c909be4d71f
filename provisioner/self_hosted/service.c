/* The service of a region: FraiseQL's server, another command, or the example service that stands in for it.
 */
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/base.h"
#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/service_environment.h"
#include "provisioner/self_hosted/service_version.h"
#include "provisioner/self_hosted/vault.h"
#include "provisioner/terraform/process.h"

#include <unistd.h>

#define EXAMPLE             "fraiseql-example-service"
#define VERSION_MAX_BYTES   4096
#define METRICS_SECRET      "service-metrics"
#define READY_TIMEOUT_NS    (60 * NS_PER_S)
#define SHUTDOWN_TIMEOUT_NS (30 * NS_PER_S)

/* --- validate --- */

/* What the program says of itself, where it lies on this machine; false when it cannot be asked. */
static bool ask_version(const struct deployment *deployment, const struct region *region,
                        struct service_version *ret)
{
    const char *binary = deployment->service.binary;
    const char *const argv[] = {binary, "--version", NULL};
    struct buf output = BUF_INIT(VERSION_MAX_BYTES);
    int status = 0;
    bool local = region->host && strcmp(region->host, "local") == 0;
    bool told = local && access(binary, X_OK) == 0 &&
                !process_capture(argv, NULL, &output, NULL, &status, NULL) && status == 0 &&
                service_version_parse(buf_str(&output), ret);
    buf_deinit(&output);
    return told;
}

static void check_version(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    const struct deployment_service *service = &deployment->service;
    const char *path = check_path(deployment, "regions.%s.database.version", region->name);
    struct service_version version;
    int64_t least = 0, greatest = 0, database = region->database.version;
    if (service->version && !service_version_parse(str_from(service->version), &version)) {
        (void)check_fail(deployment, findings, "service-version", "service.version",
                         "want a version such as 2.19.0, found \"%.40s\"", service->version);
        return;
    }
    if (!service->version && !ask_version(deployment, region, &version)) {
        struct finding *finding =
            check_warn(deployment, findings, "service-version", "service.binary",
                       "its version is not known, so whether it takes PostgreSQL %lld is not judged",
                       (long long)database);
        finding_hint(findings, finding, "Write service.version.");
        return;
    }
    if (!service_version_databases(&version, &least, &greatest) ||
        (database >= least && database <= greatest))
        return;
    struct finding *finding =
        check_fail(deployment, findings, "service-database", path,
                   "FraiseQL %u.%u takes PostgreSQL %lld%s, and this is %lld", version.major, version.minor,
                   (long long)least, least == greatest ? " only" : " and later", (long long)database);
    if (least == 18)
        finding_hint(
            findings, finding,
            "Write database: {version: 18}, or run FraiseQL 2.15, which takes PostgreSQL 14 and later.");
    else
        finding_hint(findings, finding, "Write database: {version: %lld} or a later one.", (long long)least);
}

static void check_program(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_service *service = &deployment->service;
    if (service->binary && service->command.count)
        (void)check_fail(deployment, findings, "service-program", "service.command",
                         "is given besides binary");
    if (service->binary && service->binary[0] != '/')
        (void)check_fail(deployment, findings, "service-program", "service.binary",
                         "want an absolute path on the hosts, found \"%.80s\"", service->binary);
    if (service->command.count && service->command.items[0][0] != '/')
        (void)check_fail(deployment, findings, "service-program", "service.command",
                         "its first word must be an absolute path on the hosts, found \"%.80s\"",
                         service->command.items[0]);
    if (service->version && !service->binary)
        (void)check_fail(deployment, findings, "service-version", "service.version",
                         "is of binary, which is not given");
    if (service->binary && service->schema[0] != '/')
        (void)check_fail(deployment, findings, "schema-address", "service.schema",
                         "want a path on the hosts: own hosts fetch no schema from elsewhere");
    if (service->secret_environment.count)
        (void)check_fail(deployment, findings, "secret-name", "service.secret-environment",
                         "own hosts have no secret store");
    for (size_t i = 0; i < service->environment.count; i++) {
        if (!service_environment_takes(service->environment.items[i].value))
            (void)check_fail(
                deployment, findings, "environment",
                check_path(deployment, "service.environment.%s", service->environment.items[i].key),
                "a value on own hosts has no quotes, backslashes, line ends or spaces around it");
    }
}

/* The service's ports follow each other, and must not run into those of the region's other processes. */
static void check_ports(const struct deployment *deployment, const struct region *region,
                        struct findings *findings)
{
    struct layout layout;
    if (layout_make(deployment, region, deployment->arena, &layout, NULL))
        return;
    int64_t first = layout.ports[PORT_SERVICE], last = first + region->instances - 1;
    for (int port = 0; port < PORT_COUNT; port++) {
        if (port == PORT_SERVICE || layout.ports[port] < first || layout.ports[port] > last)
            continue;
        struct finding *finding =
            check_fail(deployment, findings, "service-ports",
                       check_path(deployment, "regions.%s.instances", region->name),
                       "%lld processes take the ports %lld to %lld, and %u is another process's",
                       (long long)region->instances, (long long)first, (long long)last, layout.ports[port]);
        finding_hint(findings, finding, "Run fewer, or move service.port.");
        return;
    }
}

static void validate(const struct deployment *deployment, const struct region *region,
                     struct findings *findings)
{
    if (deployment_is_first_own(deployment, region))
        check_program(deployment, findings);
    check_ports(deployment, region, findings);
    if (deployment->service.binary && deployment->service.binary[0] == '/')
        check_version(deployment, region, findings);
}

/* --- steps --- */

static const char *const *argv_of(const struct site *site)
{
    const struct deployment_service *service = &site->deployment->service;
    const char **argv = arena_zalloc(site->arena, (service->command.count + 2) * sizeof *argv);
    if (service->binary)
        argv[0] = service->binary;
    else if (!service->command.count)
        argv[0] = arena_printf(site->arena, "%s/%s", site->layout->bin, EXAMPLE);
    for (size_t i = 0; !service->binary && i < service->command.count; i++)
        argv[i] = service->command.items[i];
    return argv;
}

/* The program itself: brought along when it is ours, else it must be there. */
static int add_program(const struct site *site, struct step_list *list, const char *path, struct error *err)
{
    const struct deployment_service *service = &site->deployment->service;
    struct str program;
    if (!service->binary && !service->command.count) {
        int code = base_program(EXAMPLE, list->arena, &program, err);
        if (code)
            return code;
        /* What it is linked against, besides what every Debian has. */
        static const char *const libraries[] = {"libmicrohttpd12", "libpq5",  "libcurl4", "libuv1",
                                                "libjansson4",     "libssl3", "curl",     NULL};
        step_packages(list, site, "service/packages", libraries);
        struct host_step *step =
            step_add(list, STAGE_SERVICE, "service/program", "bring the example service");
        step_put(list, step, path, program, 0755, "root:root", false);
        return 0;
    }
    static const char *const packages[] = {"curl", NULL};
    step_packages(list, site, "service/packages", packages);
    struct host_step *step =
        step_add(list, STAGE_SERVICE, "service/program", "look for the service's program");
    step->check = arena_printf(list->arena, "[ -x %s ]\n", step_quote(list->arena, path));
    step->apply = arena_printf(
        list->arena, "[ -x %s ] || fail %s\n", step_quote(list->arena, path),
        step_quote(list->arena, arena_printf(list->arena, "%s is no program on this host", path)));
    return 0;
}

static int read_secrets(const struct site *site, struct service_secrets *secrets, struct str *authority,
                        struct error *err)
{
    int code = vault_secret(site->vault, DATABASE_SECRET_SERVICE, &secrets->database_password, err);
    code = code ? code : vault_secret(site->vault, METRICS_SECRET, &secrets->metrics_token, err);
    return code ? code : vault_authority(site->vault, authority, err);
}

static void add_process(const struct site *site, struct step_list *list, int64_t instance,
                        const char *environment)
{
    const struct layout *layout = site->layout;
    const char *const *argv = argv_of(site);
    const char *const watches[] = {environment, service_authority_path(site), argv[0],
                                   service_server_config_path(site), NULL}; /* the last one may be NULL */
    const struct host_process process = {
        .name = arena_printf(list->arena, "service-%lld", (long long)instance + 1),
        .user = layout->service_user,
        .argv = argv,
        .environment_file = environment,
        .watches = watches,
        .ready = arena_printf(list->arena, "region curl -fsS -m 2 -o /dev/null http://%s:%lld%s\n",
                              near_inner_address(site), (long long)(layout->ports[PORT_SERVICE] + instance),
                              site->deployment->service.readiness_path),
        .ready_timeout_ns = READY_TIMEOUT_NS,
        .stop_timeout_ns = SHUTDOWN_TIMEOUT_NS + 5 * NS_PER_S};
    step_process(list, site, STAGE_SERVICE, &process);
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    struct service_secrets secrets = {0};
    struct str authority = {0};
    int code = read_secrets(site, &secrets, &authority, err);
    code = code ? code : add_program(site, list, argv_of(site)[0], err);
    if (code)
        return code;
    struct host_step *step = step_add(list, STAGE_SERVICE, "service/environment", "configure the service");
    step_put(list, step, service_authority_path(site), authority, 0644, "root:root", false);
    if (service_server_config_path(site))
        step_put(list, step, service_server_config_path(site), service_server_config(site), 0644, "root:root",
                 false);
    for (int64_t i = 0; i < site->region->instances; i++)
        step_put(
            list, step,
            arena_printf(list->arena, "%s/service/service-%lld.env", site->layout->config, (long long)i + 1),
            service_environment(site, &secrets, i), 0600, "root:root", true);
    for (int64_t i = 0; i < site->region->instances; i++)
        add_process(
            site, list, i,
            arena_printf(list->arena, "%s/service/service-%lld.env", site->layout->config, (long long)i + 1));
    return 0;
}

const struct component component_service = {.name = "service", .validate = validate, .steps = steps};
