/* PostgreSQL of a region on own hosts: a cluster of our own, never the distribution's, that writes or follows
 * the region that does. What the steps do is in files/postgres.sh. */
#include "provisioner/self_hosted/postgres.h"
#include "lib/core/str.h"
#include "provisioner/config/checks.h"
#include "provisioner/embedded.h"
#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/facts.h"
#include "provisioner/self_hosted/host.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/network.h"
#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/pgbackrest.h"
#include "provisioner/self_hosted/postgres_config.h"
#include "provisioner/self_hosted/vault.h"

#include <signal.h>

#define SCRIPT_MAX_BYTES (128UL * 1024)
#define ASK_TIMEOUT_NS   (20 * NS_PER_S)
#define COPY_TIMEOUT_NS  (6 * 3600 * NS_PER_S) /* a base backup of a large database */

/* --- validate
 * --------------------------------------------------------------------------------------------------- */

/* Round trip from the region that writes first to the standby that is `rank`th in nearness. */
static uint64_t round_trip_ms(const struct deployment *deployment, int64_t rank)
{
    const char *primary = deployment->replication.primary;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *one = deployment_region(deployment, i);
        uint64_t ms = network_latency_ms(deployment, primary, one->name);
        int64_t nearer = 0;
        if (!deployment_replicates(deployment, one) || strcmp(one->name, primary) == 0)
            continue;
        for (size_t j = 0; j < deployment_region_count(deployment); j++) {
            const struct region *other = deployment_region(deployment, j);
            uint64_t other_ms = network_latency_ms(deployment, primary, other->name);
            bool before = other_ms < ms || (other_ms == ms && j < i);
            nearer += before && deployment_replicates(deployment, other) && strcmp(other->name, primary) != 0;
        }
        if (nearer == rank - 1)
            return ms;
    }
    return 0;
}

/* Light in fibre takes its time: what a commit that waits for other regions costs. */
static void weigh_commit(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    uint64_t ms = 0;
    if (replication->mode != REPLICATION_STREAMING || replication->commit == COMMIT_ASYNC ||
        !replication->primary)
        return;
    ms = round_trip_ms(deployment, replication->commit == COMMIT_QUORUM ? replication->quorum : 1);
    if (ms)
        (void)check_warn(
            deployment, findings, "replication", "replication.commit",
            "each commit in %s waits at least %llu ms, the round trip by network.latency-ms, so one "
            "connection makes at most %llu a second",
            replication->primary, (unsigned long long)ms, (unsigned long long)(1000 / ms));
}

static void validate(const struct deployment *deployment, const struct region *region,
                     struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    size_t others = 0;
    if (!deployment_is_first_own(deployment, region))
        return;
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        others += deployment_replicates(deployment, deployment_region(deployment, i));
    if (replication->mode == REPLICATION_ACTIVE_ACTIVE) {
        struct finding *finding =
            check_fail(deployment, findings, "replication", "replication.mode",
                       "active-active is not part of this version on own hosts, where one region writes");
        finding_hint(findings, finding, "Write mode: streaming, or none.");
    }
    if (replication->mode == REPLICATION_STREAMING && replication->commit == COMMIT_QUORUM &&
        replication->quorum >= (int64_t)others)
        (void)check_fail(deployment, findings, "replication", "replication.quorum",
                         "wants %lld standby%s, and there are %zu", (long long)replication->quorum,
                         PLURAL(replication->quorum), others ? others - 1 : 0);
    if (replication->mode != REPLICATION_STREAMING && replication->commit != COMMIT_ASYNC)
        (void)check_fail(deployment, findings, "replication", "replication.commit",
                         "waits for standbys, and replication.mode is not streaming");
    weigh_commit(deployment, findings);
}

/* --- scripts
 * ---------------------------------------------------------------------------------------------------- */

/* The slots that the other regions of the cluster want, in the order of their names. */
static const char *slots_of(const struct site *site)
{
    size_t count = 0, named = 0;
    const struct site *const *sites = postgres_sites(site, &count);
    const char **names = arena_zalloc(site->arena, (count + 1) * sizeof *names);
    struct buf out = BUF_INIT(POSTGRES_FILE_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sites[i]->region->name, site->region->name) == 0)
            continue;
        const char *slot = postgres_slot(site->arena, sites[i]->region);
        size_t place = named++;
        for (; place && strcmp(names[place - 1], slot) > 0; place--)
            names[place] = names[place - 1];
        names[place] = slot;
    }
    for (size_t i = 0; i < named; i++)
        buf_printf(&out, "%s%s", i ? " " : "", names[i]);
    const char *text = arena_strdup(site->arena, buf_str(&out));
    buf_deinit(&out);
    return text;
}

static size_t sharing(const struct site *site)
{
    size_t count = 0;
    for (size_t i = 0; i < site->site_count; i++) {
        const char *other = site->sites[i].region->host;
        count += other && site->region->host && strcmp(other, site->region->host) == 0;
    }
    return count ? count : 1;
}

/* The functions of postgres.sh with this region's values before them, and a call of one behind. */
static const char *call(const struct site *site, const char *function)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    const struct layout *layout = site->layout;
    struct str body = embedded_find("self_hosted/files/postgres.sh")->bytes;
    return arena_printf(
        site->arena,
        "user=%s\nversion=%lld\nbin=%s\ndata=%s\nsocket=%s\nport=%u\naddress=%s\nsharing=%zu\n"
        "config=%s\nlog=%s/postgresql.log\nslots='%s'\nrestart_server() { %s; }\n%.*s%s\n",
        layout->postgres_user, (long long)site->region->database.version, paths.bin, paths.data, paths.socket,
        layout->ports[PORT_POSTGRES], layout->address, sharing(site), paths.folder, layout->log,
        slots_of(site), step_process_restart(site->arena, site, "postgresql"), STR_ARGS(body), function);
}

/* --- steps
 * ----------------------------------------------------------------------------------------------------- */

typedef void write_fn(const struct site *site, struct buf *out);

static void put_written(struct step_list *list, struct host_step *step, const struct site *site,
                        const char *path, write_fn *write)
{
    struct buf text = BUF_INIT(POSTGRES_FILE_MAX_BYTES);
    write(site, &text);
    step_put(list, step, path, str_from(arena_strdup(list->arena, buf_str(&text))), 0644, "root:root", false);
    buf_deinit(&text);
}

static int put_client(const struct site *site, struct step_list *list, struct host_step *step,
                      const char *user, const char *owner, struct error *err)
{
    struct vault_certificate pair;
    int code = vault_certificate(site->vault, user, NULL, &pair, err);
    if (code)
        return code;
    step_put(list, step, postgres_client(site, user, "crt"), pair.certificate_pem, 0644, "root:root", false);
    step_put(list, step, postgres_client(site, user, "key"), pair.key_pem, 0600, owner, true);
    return 0;
}

/* Regions reach each other by the region's name, which no other certificate has. The service comes through a
 * proxy, its own region's or another's, and its driver may verify the address that it was given. */
static const char *const *server_names(const struct site *site)
{
    size_t count = 0, named = 0;
    const struct site *const *sites = postgres_sites(site, &count);
    const char **names = arena_zalloc(site->arena, (count + 4) * sizeof *names);
    names[named++] = site->region->name;
    for (size_t i = 0; i < count; i++)
        names[named++] = sites[i]->layout->address;
    names[named++] = "127.0.0.1";
    names[named++] = "localhost";
    return names;
}

static int put_certificates(const struct site *site, struct step_list *list, struct host_step *step,
                            struct error *err)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    const char *owner =
        arena_printf(list->arena, "%s:%s", site->layout->postgres_user, site->layout->postgres_user);
    struct vault_certificate pair;
    int code = vault_certificate(site->vault, arena_printf(list->arena, "postgresql-%s", site->region->name),
                                 server_names(site), &pair, err);
    if (code)
        return code;
    step_put(list, step, paths.authority, pair.authority_pem, 0644, "root:root", false);
    step_put(list, step, paths.certificate, pair.certificate_pem, 0644, "root:root", false);
    step_put(list, step, paths.key, pair.key_pem, 0600, owner, true);
    code = put_client(site, list, step, POSTGRES_ROLE_REPLICATION, owner, err);
    return code ? code : put_client(site, list, step, POSTGRES_ROLE_REWIND, owner, err);
}

static int add_config(const struct site *site, enum step_stage stage, struct step_list *list,
                      struct error *err)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    struct host_step *step = step_add(list, stage, "postgresql/config", "configure PostgreSQL");
    put_written(list, step, site, paths.conf, postgres_write_conf);
    put_written(list, step, site, paths.hba, postgres_write_hba);
    put_written(list, step, site, paths.ident, postgres_write_ident);
    put_written(list, step, site, paths.role, postgres_write_role);
    /* The folder must be there even when nobody has anything in it: an empty one is removed with its last
     * file, and then the server refuses to take over its settings. */
    step_put(list, step, arena_printf(list->arena, "%s/00-settings.conf", paths.extra),
             STR("# Further settings, a file for each purpose.\n"), 0644, "root:root", false);
    step->check = call(site, "config_check");
    step->apply = call(site, "config_apply");
    step->undo = arena_printf(list->arena, "rm -rf %s\nrm -f %s\nrmdir %s %s 2>/dev/null || true\n",
                              paths.socket, paths.machine, paths.extra, paths.folder);
    return put_certificates(site, list, step, err);
}

/* Of some settings a standby must have no less than its primary. */
static void add_rise(const struct site *site, struct step_list *list)
{
    struct host_step *step = step_add(list, STAGE_HOST, "postgresql/rise", "raise a standby's settings");
    step->check = call(site, "rise_check");
    step->apply = call(site, "rise_apply");
    step->timeout_ns = COPY_TIMEOUT_NS;
}

static void add_cluster(const struct site *site, enum step_stage stage, struct step_list *list)
{
    struct host_step *step = step_add(list, stage, "postgresql/cluster", "make the PostgreSQL cluster");
    step->guard = arena_printf(list->arena, "%s%s", call(site, "cluster_guard"), pgbackrest_guard(site));
    step->check = call(site, "cluster_check");
    step->apply = call(site, "cluster_apply");
    step->undo = call(site, "cluster_undo");
    step->data = true;
    step->timeout_ns = COPY_TIMEOUT_NS;
}

static void add_server(const struct site *site, enum step_stage stage, struct step_list *list)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    const char *const argv[] = {arena_printf(list->arena, "%s/postgres", paths.bin), "-c",
                                arena_printf(list->arena, "config_file=%s", paths.conf), NULL};
    const char *const watches[] = {paths.conf,        paths.hba, paths.ident, paths.authority,
                                   paths.certificate, paths.key, NULL};
    const struct host_process process = {
        .name = "postgresql",
        .user = site->layout->postgres_user,
        .argv = argv,
        .run_folder = "postgresql",
        .run_folder_mode = 0755,
        .watches = watches,
        .reload = call(site, "take_over"),
        .ready = call(site, "answers"),
        .ready_timeout_ns = 600 * NS_PER_S, /* recovery after a crash */
        .stop_signal = SIGINT,              /* fast shutdown */
        .stop_timeout_ns = 60 * NS_PER_S,
    };
    step_process(list, site, stage, &process);
}

static int add_roles(const struct site *site, enum step_stage stage, struct step_list *list,
                     struct error *err)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    const char *owner =
        arena_printf(list->arena, "%s:%s", site->layout->postgres_user, site->layout->postgres_user);
    const char *service = NULL, *monitor = NULL;
    int code = vault_secret(site->vault, DATABASE_SECRET_SERVICE, &service, err);
    if (!code)
        code = vault_secret(site->vault, DATABASE_SECRET_MONITOR, &monitor, err);
    if (code)
        return code;
    struct buf roles = BUF_INIT(POSTGRES_FILE_MAX_BYTES), database = BUF_INIT(POSTGRES_FILE_MAX_BYTES);
    postgres_write_roles(service, monitor, &roles);
    postgres_write_database(&database);
    struct host_step *step = step_add(list, stage, "postgresql/roles", "make roles and the database");
    step_put(list, step, paths.roles, str_from(arena_strdup(list->arena, buf_str(&roles))), 0600, owner,
             true);
    step_put(list, step, paths.database, str_from(arena_strdup(list->arena, buf_str(&database))), 0600, owner,
             false);
    step->apply = call(site, "roles_apply");
    buf_deinit(&roles);
    buf_deinit(&database);
    return 0;
}

static void add_slots(const struct site *site, enum step_stage stage, struct step_list *list)
{
    const struct postgres_paths paths = postgres_paths_of(site);
    struct host_step *step = step_add(list, stage, "postgresql/slots", "keep WAL for the standbys");
    put_written(list, step, site, paths.slots, postgres_write_slots);
    step->check = call(site, "slots_check");
    step->apply = call(site, "slots_apply");
}

static void add_follow(const struct site *site, enum step_stage stage, struct step_list *list)
{
    const char *title = arena_printf(list->arena, "follow %s", near_write_site(site)->region->name);
    struct host_step *step = step_add(list, stage, "postgresql/follow", title);
    step->check = call(site, "follow_check");
    step->apply = call(site, "follow_apply");
    step->timeout_ns = COPY_TIMEOUT_NS;
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    static const char *const tools[] = {"iproute2", NULL};
    const char *const packages[] = {
        arena_printf(list->arena, "postgresql-%lld", (long long)site->region->database.version), NULL};
    const char *program = arena_printf(list->arena, "%s/postgres", postgres_paths_of(site).bin);
    bool writes = strcmp(near_write_site(site)->region->name, site->region->name) == 0;
    enum step_stage stage = writes ? STAGE_PRIMARY : STAGE_STANDBY;
    step_packages(list, site, "postgresql/tools", tools);
    step_packages_unless(list, site, "postgresql/packages", packages, program);
    /* A standby's settings are there before the primary changes: see add_rise(). */
    int code = add_config(site, writes ? STAGE_PRIMARY : STAGE_HOST, list, err);
    if (code)
        return code;
    if (deployment_replicates(site->deployment, site->region))
        add_rise(site, list);
    add_cluster(site, stage, list);
    add_server(site, stage, list);
    code = add_roles(site, stage, list, err);
    if (code)
        return code;
    add_slots(site, stage, list);
    if (deployment_replicates(site->deployment, site->region))
        add_follow(site, stage, list);
    return 0;
}

/* --- questions
 * ------------------------------------------------------------------------------------------------- */

int postgres_call(const struct site *site, const char *function, int64_t timeout_ns, const char **ret_answer,
                  struct error *err)
{
    struct buf out = BUF_INIT(SCRIPT_MAX_BYTES);
    const struct host_script script = {
        .text = call(site, function), .netns = site->layout->netns, .timeout_ns = timeout_ns};
    int code = host_do(site->host, &script, &out, err);
    if (ret_answer)
        *ret_answer = code ? "" : arena_strdup(site->arena, str_trim(buf_str(&out)));
    buf_deinit(&out);
    return code;
}

int postgres_who(const struct site *site, const char **ret, struct error *err)
{
    return postgres_call(site, "who", ASK_TIMEOUT_NS, ret, err);
}

static int is_primary(const struct site *site, enum site_writes *ret, struct error *err)
{
    static const struct {
        const char *word;
        enum site_writes writes;
    } words[] = {{"primary", SITE_WRITES},
                 {"stopped-primary", SITE_WROTE},
                 {"standby", SITE_READS},
                 {"stopped-standby", SITE_READS}};
    const char *answer;
    int code = postgres_who(site, &answer, err);
    *ret = SITE_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(answer, words[i].word) == 0)
            *ret = words[i].writes;
    }
    return code;
}

/* The next line, and what follows it. */
static const char *line_of(struct arena *arena, const char **rest)
{
    size_t length = strcspn(*rest, "\n");
    const char *line = arena_strdup(arena, (struct str){*rest, length});
    *rest += length + ((*rest)[length] == '\n');
    return line;
}

static int look(const struct site *site, struct component_look *ret, struct error *err)
{
    const char *answer;
    int code = postgres_call(site, "look", ASK_TIMEOUT_NS, &answer, err);
    if (code)
        return code;
    const char *state = line_of(site->arena, &answer), *detail = line_of(site->arena, &answer);
    bool answers = strcmp(state, "primary") == 0 || strcmp(state, "standby") == 0;
    ret->state = strcmp(state, "none") == 0 ? "absent" : strncmp(state, "stopped", 7) == 0 ? "failed" : state;
    ret->detail = detail[0]                           ? detail
                  : strcmp(ret->state, "failed") == 0 ? "the server does not answer"
                                                      : NULL;
    if (!answers)
        return 0;
    struct replication_facts *facts = arena_alloc(site->arena, sizeof *facts);
    facts_replication(site->arena, state, str_from(answer), facts);
    ret->replication = facts;
    return 0;
}

static const char *const secrets[] = {VAULT_AUTHORITY, DATABASE_SECRET_SERVICE, DATABASE_SECRET_MONITOR,
                                      NULL};

const struct component component_postgresql = {.name = "postgresql",
                                               .secrets = secrets,
                                               .validate = validate,
                                               .steps = steps,
                                               .is_primary = is_primary,
                                               .look = look};
