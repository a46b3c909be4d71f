/* Opening: hosts, sites, who writes, and the steps of every region. */
#include "lib/core/clock.h"
#include "provisioner/provider.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/self_hosted/site.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void bind_root(struct hosts *hosts, struct run_root *root)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (strcmp(deployment_region(hosts->run->own, i)->name, root->name) != 0)
            continue;
        hosts->roots[i].root = root;
        root->own = &hosts->roots[i];
    }
}

bool hosts_is_open(const struct run_root *root)
{
    return root->own->host != NULL;
}

int hosts_new(struct run *run, struct error *err)
{
    size_t count = deployment_region_count(run->own);
    struct hosts *hosts = arena_zalloc(run->arena, sizeof *hosts);
    hosts->run = run;
    hosts->arena = run->arena;
    hosts->roots = arena_zalloc(run->arena, (count + 1) * sizeof *hosts->roots);
    hosts->sites = arena_zalloc(run->arena, (count + 1) * sizeof *hosts->sites);
    hosts->count = count;
    run->hosts = hosts;
    int code = vault_open(arena_printf(run->arena, "%s/secrets", run->workspace.folder), &hosts->vault, err);
    for (size_t i = 0; !code && i < count; i++) {
        const struct region *region = deployment_region(run->own, i);
        struct host_root *root = &hosts->roots[i];
        /* Threads work on different regions: each has an arena of its own. */
        struct arena *arena = arena_new(0);
        root->site = &hosts->sites[i];
        root->steps.arena = arena;
        code = site_init(root->site, hosts->sites, run->own, region, &root->layout, hosts->vault, arena, err);
    }
    for (size_t i = 0; i < run->own_count; i++)
        bind_root(hosts, run->own_roots[i]);
    return code;
}

void hosts_free(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->roots[i].host)
            host_close(hosts->roots[i].host);
        arena_free(hosts->roots[i].steps.arena);
    }
    if (hosts->control[0])
        (void)rmdir(hosts->control);
    if (hosts->vault)
        vault_close(hosts->vault);
}

const struct site *hosts_sites(const struct run *run, size_t *ret_count)
{
    *ret_count = run->hosts->count;
    return run->hosts->sites;
}

void hosts_flight(struct run_root *root, const char *title)
{
    (void)pthread_mutex_lock(&root->run->lock);
    root->flight_count = title != NULL;
    root->flight[0].started_ns = clock_mono_ns();
    if (title)
        (void)snprintf(root->flight[0].address, sizeof root->flight[0].address, "%s", title);
    (void)pthread_mutex_unlock(&root->run->lock);
}

/* --- hosts
 * ------------------------------------------------------------------------------------------------- */

static void note(void *ctx, const char *line)
{
    struct host_root *own = ctx;
    if (own->root)
        hosts_flight(own->root, line);
}

static void open_one(void *ctx, size_t number)
{
    struct hosts *hosts = ctx;
    struct host_root *own = &hosts->roots[number];
    if (host_open(own->site->region->host, hosts->control, &own->host, &own->err)) {
        (void)error_prefix(&own->err, "region %s", own->site->region->name);
        return;
    }
    own->site->host = own->host;
    own->runner = (struct runner){.host = own->host,
                                  .layout = &own->layout,
                                  .deployment_id = hosts->run->workspace.id,
                                  .arena = own->steps.arena,
                                  .note = note,
                                  .note_ctx = own};
    if (runner_ledger(&own->runner, hosts->exclusive, &own->ledger, &own->err)) {
        host_close(own->host);
        own->site->host = own->host = NULL;
    }
}

/* Folders of runs that were killed. Only ours, and only when no process has their number. */
static void sweep_control(void)
{
    static const char prefix[] = "fraiseql-ssh-";
    DIR *folder = opendir("/tmp");
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char path[300];
        struct stat info;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0)
            continue;
        long pid = strtol(entry->d_name + sizeof prefix - 1, NULL, 10);
        (void)snprintf(path, sizeof path, "/tmp/%s", entry->d_name);
        if (pid > 1 && kill((pid_t)pid, 0) < 0 && errno == ESRCH && lstat(path, &info) == 0 &&
            S_ISDIR(info.st_mode) && info.st_uid == geteuid())
            (void)rmdir(path);
    }
    if (folder)
        (void)closedir(folder);
}

/* A socket's path may have 107 bytes, and ssh appends some: not in the deployment's folder. */
static int make_control(struct hosts *hosts)
{
    struct error err = {0};
    bool wanted = false;
    for (size_t i = 0; i < hosts->count; i++)
        wanted = wanted || strcmp(hosts->sites[i].region->host, "local") != 0;
    if (!wanted)
        return STATUS_OK;
    sweep_control();
    (void)snprintf(hosts->control, sizeof hosts->control, "/tmp/fraiseql-ssh-%d-XXXXXX", (int)getpid());
    if (mkdtemp(hosts->control))
        return STATUS_OK;
    hosts->control[0] = '\0';
    (void)error_set_errno(&err, errno, "cannot make a folder below /tmp");
    output_error(hosts->run->ctx->out, &err);
    return STATUS_FAILURE;
}

int hosts_open_all(struct run *run)
{
    struct hosts *hosts = run->hosts;
    int status = make_control(hosts);
    if (status)
        return status;
    hosts->exclusive = run->workspace.lock_fd >= 0;
    at_once(hosts->count, run->ctx->parallelism, open_one, hosts);
    for (size_t i = 0; i < run->own_count; i++) {
        run->own_roots[i]->failed = !run->own_roots[i]->own->host;
        run->own_roots[i]->err = run->own_roots[i]->own->err;
    }
    return STATUS_OK;
}

static int status_of(const struct error *err)
{
    return err->code == ERR_AUTH       ? STATUS_CREDENTIALS
           : err->code == ERR_CONFLICT ? STATUS_CONFIG
                                       : STATUS_FAILURE;
}

/* A host that does not let us in stops everything, as credentials of a cloud do; one that is down only its
 * region. */
int hosts_reach(struct run *run)
{
    int status = hosts_open_all(run), worst = STATUS_OK;
    size_t failed = 0;
    if (status)
        return status;
    struct buf names = BUF_INIT(4096);
    for (size_t i = 0; i < run->own_count; i++) {
        struct run_root *root = run->own_roots[i];
        buf_printf(&names, "%s%s", i ? ", " : "", root->region->host);
        failed += root->failed;
        if (root->failed && worst != STATUS_CREDENTIALS)
            worst = status_of(&root->err);
    }
    run_step(run, failed ? STEP_FAILED : STEP_OK, "credentials", NULL, NULL, "Reaching hosts (%s)",
             buf_text(&names));
    buf_deinit(&names);
    for (size_t i = 0; i < run->own_count; i++) {
        if (run->own_roots[i]->failed)
            run_complain(run, run->own_roots[i]);
    }
    if (worst == STATUS_CREDENTIALS || worst == STATUS_CONFIG || failed == run->region_count)
        return worst;
    return run_interrupted(run) ? STATUS_INTERRUPTED : STATUS_OK;
}

/* --- who writes
 * ------------------------------------------------------------------------------------------------- */

static int asks_primary(const struct site *site, enum site_writes *ret, struct error *err)
{
    *ret = SITE_EMPTY;
    for (size_t i = 0; host_components[i]; i++) {
        if (host_components[i]->is_primary)
            return host_components[i]->is_primary(site, ret, err);
    }
    return 0;
}

/* A database that stopped while it wrote may have been replaced since, by one that cannot be asked. */
static int unsure(const char *wrote, const char *silent, struct error *err)
{
    (void)error_set(
        err, ERR_CONFLICT,
        "no region's database writes; that of %s did before it stopped, and that of %s, which may "
        "have taken its place, cannot be asked",
        wrote, silent);
    error_set_hint(err,
                   "Bring the host of %s back, or start the database of %s by hand once you know that no "
                   "other writes, then deploy again",
                   silent, wrote);
    return ERR_CONFLICT;
}

/* Whether an earlier run put this region on a host, and none took it away since: it may hold the only copy.
 */
static bool stood(const struct hosts *hosts, const char *region)
{
    const struct run_entries *before = run_journal_before(hosts->run->journal);
    const struct run_entry *made = run_entries_last(before, "apply", region);
    const struct run_entry *gone = run_entries_last(before, "destroy", region);
    return made && (!gone || gone < made || strcmp(gone->outcome, "ok") != 0);
}

/* Everything that answers is empty, and what does not answer may not be. */
static int in_doubt(const char *silent, struct error *err)
{
    (void)error_set(
        err, ERR_CONFLICT,
        "no database is left in the regions that answer; %s, which was deployed and cannot be asked, "
        "may hold the only copy",
        silent);
    error_set_hint(err,
                   "Bring the host of %s back, or leave the region out of the file once its data is given up",
                   silent);
    return ERR_CONFLICT;
}

/* As the databases say: the one that writes, else the one that did. Where none says so, as the file does: on
 * a first deployment, and while the region that writes cannot be asked and is the file's. */
static int find_primary(struct hosts *hosts, const char **ret, struct error *err)
{
    const char *found = NULL, *standby = NULL, *silent = NULL;
    enum site_writes found_as = SITE_READS;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct site *site = &hosts->sites[i];
        struct error ignored = {0};
        enum site_writes as = SITE_EMPTY;
        if (!deployment_replicates(hosts->run->own, site->region) ||
            !component_runs(site->region, "postgresql"))
            continue;
        if (!site->host || asks_primary(site, &as, &ignored)) {
            silent = silent && stood(hosts, silent) ? silent : site->region->name;
            continue;
        }
        if (as == SITE_READS)
            standby = site->region->name;
        if (as <= SITE_READS || as < found_as)
            continue;
        if (as == found_as) {
            (void)error_set(err, ERR_CONFLICT,
                            "the databases of %s and %s both say that they are the one that %s", found,
                            site->region->name, as == SITE_WRITES ? "writes" : "wrote");
            error_set_hint(
                err, "End the one that is out of date: `fraiseql deploy failover FILE --to REGION --lost "
                     "REGION`, then deploy again: it is made a standby");
            return ERR_CONFLICT;
        }
        found = site->region->name;
        found_as = as;
    }
    if (!found && standby) {
        (void)error_set(
            err, ERR_CONFLICT,
            "no region's database writes, and %s holds a copy of the one that did: a new and empty "
            "one would take its place",
            standby);
        error_set_hint(err,
                       "Bring the region that wrote back; or, when all regions have their copies, let one "
                       "write: `fraiseql deploy switchover FILE --to REGION`");
        return ERR_CONFLICT;
    }
    if (found_as == SITE_WROTE && silent)
        return unsure(found, silent, err);
    if (!found && silent && stood(hosts, silent))
        return in_doubt(silent, err);
    *ret = found ? found : hosts->run->own->replication.primary;
    return 0;
}

/* --- steps
 * ------------------------------------------------------------------------------------------------- */

/* What stands was made with the deployment's secrets, and this machine may not be the one that has them. */
static int check_secrets(const struct hosts *hosts, const struct host_root *own, struct error *err)
{
    for (size_t i = 0; host_components[i]; i++) {
        const char *const *secret = host_components[i]->secrets;
        for (; secret && *secret && hosts_stands(own, host_components[i]->name); secret++) {
            if (vault_has(hosts->vault, *secret))
                continue;
            (void)error_set(err, ERR_CONFLICT,
                            "region %s: %s stands there, and the secrets that it was made with are not here; "
                            "nothing was changed",
                            own->site->region->name, host_components[i]->name);
            error_set_detail(err, "there is no %s/secrets/%s", hosts->run->workspace.folder, *secret);
            error_set_hint(err,
                           "Copy %s, with its modes, from the machine that deployed it, or from a backup of "
                           "it",
                           hosts->run->workspace.folder);
            return ERR_CONFLICT;
        }
    }
    return 0;
}

static bool replicates(const struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (deployment_replicates(hosts->run->own, hosts->sites[i].region))
            return true;
    }
    return false;
}

int hosts_make_steps(struct run *run, size_t *ret_steps, struct error *err)
{
    struct hosts *hosts = run->hosts;
    const char *primary = NULL;
    int code = 0;
    *ret_steps = 0;
    for (size_t i = 0; !code && i < hosts->count; i++)
        code = check_secrets(hosts, &hosts->roots[i], err);
    if (code)
        return code;
    code = replicates(hosts) ? find_primary(hosts, &primary, err) : 0;
    for (size_t i = 0; primary && i < hosts->count; i++)
        hosts->sites[i].primary = primary;
    for (size_t i = 0; !code && i < run->own_count; i++) {
        if (run->own_roots[i]->failed)
            continue;
        code = site_steps(run->own_roots[i]->own->site, &run->own_roots[i]->own->steps, err);
        *ret_steps += run->own_roots[i]->own->steps.count;
    }
    return code;
}

int hosts_prepare(struct run *run)
{
    struct error err = {0};
    size_t steps = 0;
    int code = hosts_make_steps(run, &steps, &err);
    run_step(run, code ? STEP_FAILED : STEP_OK, "render", NULL, NULL, "Preparing %zu step%s", steps,
             PLURAL(steps));
    if (code)
        output_error(run->ctx->out, &err);
    if (!code)
        return STATUS_OK;
    return code == ERR_CONFIG ? STATUS_CONFIG : status_of(&err);
}
