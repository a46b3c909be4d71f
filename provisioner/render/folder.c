/* The folder on disk: written in one pass, each file only when its bytes differ, nothing ever deleted. */
#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/file.h"
#include "provisioner/database.h"
#include "provisioner/embedded.h"
#include "provisioner/render/render_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700

static bool has_bytes(const char *path, struct str bytes, unsigned mode)
{
    struct stat status;
    if (stat(path, &status) || !S_ISREG(status.st_mode) || (status.st_mode & 0777) != mode ||
        (uint64_t)status.st_size != bytes.len)
        return false;
    struct buf present = BUF_INIT(RENDER_MAX_BYTES);
    bool same = file_read(path, &present, NULL) == 0 && str_equal(buf_str(&present), bytes);
    buf_deinit(&present);
    return same;
}

static int make_parent(const struct render_target *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = arena_strdup(folder->report->arena, (struct str){path, (size_t)(slash - path)});
    return file_make_folder(parent, FOLDER_MODE, folder->err);
}

int render_put(const struct render_target *folder, const char *name, struct str bytes, unsigned mode)
{
    const char *path = arena_printf(folder->report->arena, "%s/%s", folder->path, name);
    if (has_bytes(path, bytes, mode)) {
        folder->report->unchanged++;
        return 0;
    }
    folder->report->written++;
    if (folder->options->dry_run)
        return 0;
    int code = make_parent(folder, path);
    if (code)
        return code;
    return file_replace_unsynced(path, bytes, mode, folder->err);
}

int render_put_document(const struct render_target *folder, const char *name, struct buf *document,
                        unsigned mode)
{
    int code = document->failed ? error_set(folder->err, ERR_LIMIT, "%s would be larger than %lu MiB", name,
                                            RENDER_MAX_BYTES >> 20)
                                : render_put(folder, name, buf_str(document), mode);
    buf_deinit(document);
    return code;
}

/* "aws/module/main.tf" becomes "modules/aws/main.tf"; tests of modules stay at home. */
static int put_module(const struct render_target *folder, const char *prefix, const char *target)
{
    const struct embedded_file *file;
    size_t count = embedded_under(prefix, &file);
    for (size_t i = 0; i < count; i++, file++) {
        if (strstr(file->path, "/tests/"))
            continue;
        const char *name =
            arena_printf(folder->report->arena, "modules/%s/%s", target, file->path + strlen(prefix));
        int code = render_put(folder, name, file->bytes, RENDER_PUBLIC_MODE);
        if (code)
            return code;
    }
    return 0;
}

static bool is_used(const struct deployment *deployment, const struct provider *provider)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (deployment_region(deployment, i)->provider == provider)
            return true;
    }
    return false;
}

static int put_modules(const struct deployment *deployment, const struct render_target *folder)
{
    int code = 0;
    for (const struct provider *const *provider = provider_all(); *provider && !code; provider++) {
        if (!(*provider)->module || !is_used(deployment, *provider))
            continue;
        code = put_module(folder, arena_printf(folder->report->arena, "%s/", (*provider)->module),
                          (*provider)->name);
    }
    if (!code && render_has_global(deployment))
        code = put_module(folder, "global/module/", "global");
    if (!code && folder->options->format == RENDER_TERRAFORM)
        code = put_module(folder, "postgresql/gateway/", "postgresql");
    return code;
}

static int put_region(const struct deployment *deployment, const struct region *region,
                      const struct render_identity *identity, const struct render_target *folder)
{
    struct arena *arena = folder->report->arena;
    int code = 0;
    if (folder->options->format == RENDER_TERRAFORM) {
        struct buf root = BUF_INIT(RENDER_MAX_BYTES);
        render_region(deployment, region, identity, &root);
        code = render_put_document(folder, arena_printf(arena, "regions/%s/main.tf.json", region->name),
                                   &root, RENDER_SECRET_MODE);
    }
    const struct database *database = database_find(region->database.engine);
    if (code || !database || !database->render_replication)
        return code;
    struct buf sql = BUF_INIT(RENDER_MAX_BYTES);
    database->render_replication(deployment, region, &sql);
    if (!sql.len) {
        buf_deinit(&sql);
        return 0;
    }
    return render_put_document(folder, arena_printf(arena, "regions/%s/replication.sql", region->name), &sql,
                               RENDER_SECRET_MODE);
}

static void add_stale(struct render_report *report, const char *kind, const char *name)
{
    const char **items = arena_alloc(report->arena, (report->stale.count + 1) * sizeof *items);
    if (report->stale.count)
        memcpy(items, report->stale.items, report->stale.count * sizeof *items);
    items[report->stale.count++] = arena_printf(report->arena, "%s/%s", kind, name);
    report->stale.items = items;
}

/* Folders below regions/ or hosts/ that no region of the file has: something may still stand there. */
static void find_stale(const struct deployment *deployment, const char *kind,
                       const struct render_target *folder)
{
    DIR *listing = opendir(arena_printf(folder->report->arena, "%s/%s", folder->path, kind));
    if (!listing)
        return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        if (entry->d_name[0] != '.' && !deployment_find_region(deployment, entry->d_name))
            add_stale(folder->report, kind, entry->d_name);
    }
    (void)closedir(listing);
}

static int check(const struct deployment *deployment, struct error *err)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!region->provider || region->provider->refusal || !region->provider->module)
            return error_set(err, ERR_CONFIG, "region %s: provider %s cannot be rendered by this version",
                             region->name, region->provider_name);
        if (strcmp(region->name, "global") == 0)
            return error_set(err, ERR_CONFIG,
                             "region %s: that is the name of the part between regions; choose another",
                             region->name);
        if (deployment->network.links != LINK_TLS && render_is_linked(deployment, region))
            return error_set(err, ERR_CONFIG,
                             "network.links: %s is not part of this version; regions are linked by tls",
                             deployment->network.links == LINK_WIREGUARD ? "wireguard" : "vpn");
    }
    return render_check_backend(deployment, err);
}

bool render_selects(const struct render_options *options, const struct region *region)
{
    if (!options->only || !options->only->count)
        return true;
    for (size_t i = 0; i < options->only->count; i++) {
        if (strcmp(options->only->items[i], region->name) == 0)
            return true;
    }
    return false;
}

/* What belongs to no single region. */
static int put_common(const struct deployment *deployment, const struct render_identity *identity,
                      const struct render_target *folder)
{
    int code = 0;
    const char *global = arena_printf(folder->report->arena, "%s/global/main.tf.json", folder->path);
    struct buf document = BUF_INIT(RENDER_MAX_BYTES);
    if (folder->options->format == RENDER_PULUMI) {
        render_pulumi(deployment, identity, &document);
        code = render_put_document(folder, "Pulumi.yaml", &document, RENDER_SECRET_MODE);
    } else if (render_has_global(deployment) || access(global, F_OK) == 0) {
        /* Once there was one, it is what removes what it made. */
        render_global(deployment, identity, &document);
        render_carry(folder->report->arena, global, &document);
        code = render_put_document(folder, "global/main.tf.json", &document, RENDER_SECRET_MODE);
    }
    if (code)
        return code;
    buf_init(&document, RENDER_MAX_BYTES);
    render_readme(deployment, folder->options->format, &document);
    return render_put_document(folder, "README.md", &document, RENDER_PUBLIC_MODE);
}

static int put_clouds(const struct deployment *clouds, const struct render_identity *identity,
                      const struct render_target *folder)
{
    int code = put_modules(clouds, folder);
    for (size_t i = 0; i < deployment_region_count(clouds) && !code; i++) {
        if (render_selects(folder->options, deployment_region(clouds, i)))
            code = put_region(clouds, deployment_region(clouds, i), identity, folder);
    }
    if (!code && (!folder->options->only || !folder->options->only->count))
        code = put_common(clouds, identity, folder);
    if (!code)
        find_stale(clouds, "regions", folder);
    return code;
}

int render_folder_as(const struct deployment *deployment, const struct render_identity *identity,
                     const char *path, const struct render_options *options, struct render_report *report,
                     struct error *err)
{
    const struct render_target folder = {path, options, report, err};
    const struct deployment *clouds = deployment_part(deployment, false),
                            *own = deployment_part(deployment, true);
    int code = check(clouds, err);
    if (!code && !options->dry_run)
        code = file_make_folder(path, FOLDER_MODE, err);
    if (!code && deployment_region_count(clouds))
        code = put_clouds(clouds, identity, &folder);
    if (!code && options->secrets && deployment_region_count(own)) {
        code = render_hosts(own, deployment, identity, &folder);
        if (!code)
            find_stale(own, "hosts", &folder);
    }
    return code ? error_prefix(err, "cannot render to %s", path) : 0;
}

int render_folder(const struct deployment *deployment, const struct render_identity *identity,
                  const char *folder, const struct string_list *only, struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct render_report report = {.arena = arena};
    const struct render_options options = {.format = RENDER_TERRAFORM, .only = only};
    return render_folder_as(deployment, identity, folder, &options, &report, err);
}

/* --- identity --- */

/* The line of a file, NULL when there is none. */
static const char *read_id(struct arena *arena, const char *path)
{
    struct buf text = BUF_INIT(4096);
    const char *id = NULL;
    if (file_read(path, &text, NULL) == 0) {
        struct str trimmed = str_trim(buf_str(&text));
        if (trimmed.len == CRYPTO_UUID_SIZE - 1)
            id = arena_strdup(arena, trimmed);
    }
    buf_deinit(&text);
    return id;
}

const char *render_work_folder(const struct deployment *deployment, struct arena *arena)
{
    const char *slash = strrchr(deployment->path, '/');
    struct str beside =
        slash ? (struct str){deployment->path, (size_t)(slash - deployment->path) + 1} : STR("");
    const char *base = deployment->state.path ? deployment->state.path : ".fraiseql";
    bool absolute = base[0] == '/';
    return arena_printf(arena, "%.*s%s/%s", absolute ? 0 : (int)beside.len, beside.ptr, base,
                        deployment->metadata.name);
}

int render_identity_load(const struct deployment *deployment, const char *folder, bool dry_run,
                         struct arena *arena, struct render_identity *ret_identity, struct error *err)
{
    const char *kept = arena_printf(arena, "%s/deployment-id", folder);
    const char *id = read_id(arena, arena_printf(arena, "%s/id", render_work_folder(deployment, arena)));
    const char *before = read_id(arena, kept);
    if (!id)
        id = before;
    if (!id) {
        char made[CRYPTO_UUID_SIZE];
        crypto_uuid7(clock_wall_ns(), made);
        id = arena_strdup(arena, str_from(made));
    }
    ret_identity->deployment_id = id;
    if (dry_run || (before && strcmp(before, id) == 0))
        return 0;
    int code = file_make_folder(folder, FOLDER_MODE, err);
    const char *line = arena_printf(arena, "%s\n", id);
    if (!code)
        code = file_replace(kept, str_from(line), RENDER_PUBLIC_MODE, err);
    return code;
}
