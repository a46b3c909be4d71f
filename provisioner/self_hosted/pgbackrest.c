/* Backups of a region on own hosts. What the steps do is in files/pgbackrest.sh, which lies on the host: the
 * schedule and the verbs use it from there. */
#include "provisioner/self_hosted/pgbackrest.h"

#include "provisioner/config/sections.h"
#include "provisioner/embedded.h"
#include "provisioner/self_hosted/backup_store.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/postgres_config.h"
#include "provisioner/self_hosted/prelude.h"
#include "provisioner/self_hosted/vault.h"

#include <stdlib.h>

#define TEXT_MAX         (128UL * 1024)
#define SECRET           "backup-passphrase"
#define CHECK_TIMEOUT_NS (300 * NS_PER_S)

struct backup_paths {
    const char *home, *settings, *authority, *archive, *functions, *loop;
    struct backup_store store;
};

const char *pgbackrest_functions(struct arena *arena, const struct layout *layout)
{
    return arena_printf(arena, "%s/fraiseql-backup.sh", layout->bin);
}

static struct backup_paths paths_of(const struct site *site)
{
    struct arena *arena = site->arena;
    const struct layout *layout = site->layout;
    return (struct backup_paths){
        .home = arena_printf(arena, "%s/backup", layout->base),
        .settings = arena_printf(arena, "%s/pgbackrest/pgbackrest.conf", layout->config),
        .authority = arena_printf(arena, "%s/pgbackrest/store-ca.pem", layout->config),
        .archive = arena_printf(arena, "%s/archive.conf", postgres_paths_of(site).extra),
        .functions = pgbackrest_functions(arena, layout),
        .loop = arena_printf(arena, "%s/fraiseql-backup-loop", layout->bin)};
}

static bool writes(const struct site *site)
{
    return strcmp(near_write_site(site)->region->name, site->region->name) == 0;
}

static bool has_means(const struct site *site)
{
    return site->deployment->backup.enabled && component_runs(site->region, "postgresql") &&
           component_runs(site->region, "pgbackrest");
}

bool pgbackrest_runs(const struct site *site)
{
    return has_means(site) && writes(site);
}

const char *pgbackrest_status_file(const struct site *site)
{
    return arena_printf(site->arena, "%s/status", paths_of(site).home);
}

const char *pgbackrest_guard(const struct site *site)
{
    return pgbackrest_runs(site) ? arena_printf(site->arena, ". %s\nrefuse_new\n", paths_of(site).functions)
                                 : "";
}

static struct str taken(struct arena *arena, struct buf *text)
{
    struct str copy = str_from(arena_strdup(arena, buf_str(text)));
    buf_deinit(text);
    return copy;
}

/* --- files -----------------------------------------------------------------------------------------------
 */

static struct str settings_of(const struct site *site, const struct backup_paths *paths,
                              const char *passphrase)
{
    const struct postgres_paths postgres = postgres_paths_of(site);
    struct buf text = BUF_INIT(TEXT_MAX);
    buf_append_text(&text, "# Written by fraiseql deploy.\n[global]\n");
    backup_store_write(site, &paths->store, paths->authority, &text);
    buf_printf(&text,
               "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=%s\nrepo1-retention-full-type=time\n"
               "repo1-retention-full=%lld\nlock-path=%s/locks\nspool-path=%s/"
               "locks\nlog-level-file=off\nstart-fast=y\n"
               "compress-type=zst\ncompress-level=3\narchive-timeout=120\n\n[main]\npg1-path=%s\n"
               "pg1-port=%u\npg1-socket-path=%s\npg1-user=postgres\n",
               passphrase, (long long)(site->deployment->backup.retention_ns / NS_PER_DAY), paths->home,
               paths->home, postgres.data, site->layout->ports[PORT_POSTGRES], postgres.socket);
    return taken(site->arena, &text);
}

/* A minute at most is not archived. */
static struct str archive_of(const struct site *site, const struct backup_paths *paths)
{
    return str_from(arena_printf(
        site->arena,
        "# Written by fraiseql deploy.\narchive_command = 'pgbackrest --config=%s --stanza=main archive-push "
        "%%p'\narchive_timeout = 60s\n",
        paths->settings));
}

static unsigned window_minutes(const struct site *site)
{
    const char *window = site->deployment->backup.window;
    char *end = NULL;
    unsigned long hours = window ? strtoul(window, &end, 10) : 2;
    return (unsigned)(hours % 24) * 60 + (end && *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) % 60 : 0);
}

static struct str functions_of(const struct site *site, const struct backup_paths *paths)
{
    const struct postgres_paths postgres = postgres_paths_of(site);
    const struct layout *layout = site->layout;
    struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text,
               "user=%s\nversion=%lld\nbin=%s\ndata=%s\nsocket=%s\nport=%u\naddress=%s\nconfig=%s\n"
               "log=%s/postgresql.log\nrestart_server() { %s; }\n",
               layout->postgres_user, (long long)site->region->database.version, postgres.bin, postgres.data,
               postgres.socket, layout->ports[PORT_POSTGRES], layout->address, postgres.folder, layout->log,
               step_process_restart(site->arena, site, "postgresql"));
    buf_printf(&text,
               "home=%s\nrepository=%s\nkept=%s\nsettings=%s\narchive=%s\nrun=%s/pgbackrest\n"
               "scratch=%s/verify\nprimary=%s\nwindow_begin=%u\nlatest_seconds=%lld\n"
               "server_file=%s/process/postgresql.process\n",
               paths->home, paths->store.folder, step_quote(site->arena, paths->store.name), paths->settings,
               paths->archive, layout->run, paths->home, writes(site) ? "yes" : "no", window_minutes(site),
               (long long)(BACKUP_LATEST_NS / NS_PER_S), layout->config);
    buf_append_str(&text, embedded_find("self_hosted/files/postgres.sh")->bytes);
    buf_append_str(&text, embedded_find("self_hosted/files/pgbackrest.sh")->bytes);
    return taken(site->arena, &text);
}

/* --- steps -----------------------------------------------------------------------------------------------
 */

static const char *calling(const struct site *site, const struct backup_paths *paths, const char *function)
{
    return arena_printf(site->arena, ". %s\n%s\n", paths->functions, function);
}

static int add_means(const struct site *site, const struct backup_paths *paths, struct step_list *list,
                     struct error *err)
{
    const char *passphrase = NULL;
    int code = vault_secret(site->vault, SECRET, &passphrase, err);
    if (code)
        return code;
    const char *user = site->layout->postgres_user;
    struct host_step *step = step_add(list, STAGE_HOST, "pgbackrest/config", "configure pgBackRest");
    step_put(list, step, paths->settings, settings_of(site, paths, passphrase), 0600,
             arena_printf(list->arena, "%s:%s", user, user), true);
    if (paths->store.ca_pem.len)
        step_put(list, step, paths->authority, paths->store.ca_pem, 0644, "root:root", false);
    step_put(list, step, paths->functions, functions_of(site, paths), 0644, "root:root", false);
    step = step_add(list, STAGE_HOST, "pgbackrest/repository", "keep a place for backups");
    step->check = calling(site, paths, "repository_check");
    step->apply = calling(site, paths, "repository_apply");
    step->undo = arena_printf(list->arena,
                              "if [ -e %s ]; then . %s; verify_end; fi\nrm -rf %s %s/pgbackrest "
                              "%s.replaced-* %s.restoring %s.restored\n",
                              paths->functions, paths->functions, paths->home, site->layout->run,
                              postgres_paths_of(site).data, postgres_paths_of(site).data,
                              postgres_paths_of(site).data);
    step->data = true;
    return 0;
}

static void add_archive(const struct site *site, const struct backup_paths *paths, struct step_list *list)
{
    struct host_step *step =
        step_add(list, STAGE_MONITORING, "pgbackrest/archive", "archive the database's log");
    step_put(list, step, paths->archive, archive_of(site, paths), 0644, "root:root", false);
    step->check = calling(site, paths, "archive_check");
    step->apply = calling(site, paths, "archive_apply");
    step->undo = arena_printf(list->arena, "if [ -e %s ]; then . %s; archive_undo; else rm -f %s; fi\n",
                              paths->functions, paths->functions, paths->archive);
    step->timeout_ns = CHECK_TIMEOUT_NS;
}

static void add_schedule(const struct site *site, const struct backup_paths *paths, struct step_list *list)
{
    /* Nobody reads its notes but in its log. */
    const char *script = prelude_script(
        list->arena,
        arena_printf(list->arena,
                     ". %s\nfail() { echo \"$(date -u +%%FT%%TZ) $*\" >&2; exit 1; }\nnote() { :; }\nloop\n",
                     paths->functions),
        site->layout->netns);
    struct host_step *step =
        step_add(list, STAGE_MONITORING, "pgbackrest/schedule", "keep a schedule of backups");
    step_put(list, step, paths->loop, str_from(script), 0755, "root:root", false);
    const char *const argv[] = {"/bin/sh", paths->loop, NULL};
    const char *const watches[] = {paths->loop, paths->functions, NULL};
    const struct host_process process = {.name = "pgbackrest", .argv = argv, .watches = watches};
    step_process(list, site, STAGE_MONITORING, &process);
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    static const char *const packages[] = {"pgbackrest", NULL};
    if (!has_means(site))
        return 0;
    struct backup_paths paths = paths_of(site);
    int code = backup_store_make(site, paths.home, &paths.store, err);
    if (code)
        return code;
    step_packages(list, site, "pgbackrest/packages", packages);
    code = add_means(site, &paths, list, err);
    if (code || !writes(site))
        return code;
    add_archive(site, &paths, list);
    add_schedule(site, &paths, list);
    return 0;
}

static const char *const secrets[] = {SECRET, NULL};

const struct component component_pgbackrest = {.name = "pgbackrest", .secrets = secrets, .steps = steps};
