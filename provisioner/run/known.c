#include "provisioner/run/known.h"

#include "lib/core/file.h"
#include "lib/core/yaml.h"
#include "provisioner/provider.h"
#include "provisioner/render/render.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SUFFIX ".yaml"

static const char *path_of(const char *folder, const char *region, struct arena *arena)
{
    return arena_printf(arena, "%s/%s" SUFFIX, folder, region);
}

static const char *folder_of(const struct deployment *deployment, struct arena *arena)
{
    return arena_printf(arena, "%s/regions", render_work_folder(deployment, arena));
}

/* False: there is none, or it does not read. */
static bool read_source(const char *path, struct arena *arena, struct str *ret)
{
    struct buf bytes = BUF_INIT(YAML_MAX_BYTES);
    bool read = access(path, F_OK) == 0 && file_read(path, &bytes, NULL) == 0;
    if (read)
        *ret = (struct str){arena_strdup(arena, buf_str(&bytes)), bytes.len};
    buf_deinit(&bytes);
    return read;
}

int known_keep(const struct workspace *workspace, const struct deployment *deployment,
               const struct region *region, struct arena *arena, struct error *err)
{
    const char *path = path_of(workspace->regions, region->name, arena);
    struct str before;
    if (read_source(path, arena, &before) && str_equal(before, deployment->source))
        return 0;
    return file_replace(path, deployment->source, 0600, err);
}

void known_forget(const struct workspace *workspace, const char *region, struct arena *arena)
{
    (void)unlink(path_of(workspace->regions, region, arena));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The region's name of a file's; NULL: it is no such file. */
static const char *region_of(const char *file, struct arena *arena)
{
    size_t length = strlen(file), suffix = sizeof SUFFIX - 1;
    if (file[0] == '.' || length <= suffix || strcmp(file + length - suffix, SUFFIX) != 0)
        return NULL;
    return arena_strdup(arena, (struct str){file, length - suffix});
}

void known_left(const struct deployment *deployment, struct arena *arena, struct string_list *ret)
{
    *ret = (struct string_list){0};
    DIR *listing = opendir(folder_of(deployment, arena));
    if (!listing)
        return;
    const char **names = arena_alloc(arena, REGIONS_MAX * sizeof *names);
    size_t count = 0;
    for (struct dirent *entry = readdir(listing); entry && count < REGIONS_MAX; entry = readdir(listing)) {
        const char *name = region_of(entry->d_name, arena);
        if (name && !deployment_find_region(deployment, name))
            names[count++] = name;
    }
    (void)closedir(listing);
    qsort(names, count, sizeof *names, by_name);
    *ret = (struct string_list){count, names};
}

int known_load(const struct deployment *deployment, const char *region, struct arena *arena,
               struct deployment **ret, struct findings *findings)
{
    struct str source;
    const char *path = path_of(folder_of(deployment, arena), region, arena);
    if (!read_source(path, arena, &source)) {
        (void)findings_add(findings, DIAG_ERROR, "file", NULL, "%s cannot be read", path);
        return ERR_CONFIG;
    }
    /* What its paths are relative to has not changed. */
    int code = deployment_parse(arena, deployment->path, source, ret, findings);
    if (!code && !deployment_find_region(*ret, region)) {
        (void)findings_add(findings, DIAG_ERROR, "file", NULL, "%s does not have region %s", path, region);
        code = ERR_CONFIG;
    }
    for (size_t i = 0; i < findings->count; i++)
        findings->items[i].file = path;
    return code;
}

void known_find_left(const struct deployment *deployment, struct findings *findings)
{
    struct string_list left;
    known_left(deployment, findings->arena, &left);
    for (size_t i = 0; i < left.count; i++) {
        struct finding *finding =
            findings_add(findings, DIAG_WARNING, "region-left", deployment_node(deployment, "regions"),
                         "region %s was deployed and is no longer in the file: it stands on, and is paid for",
                         left.items[i]);
        finding_hint(
            findings, finding,
            "`fraiseql deploy destroy %s --region %s` removes it; written again, it is taken up again.",
            deployment->path, left.items[i]);
    }
}

static void compare_place(const struct deployment *deployment, const struct region *region,
                          const struct region *before, struct findings *findings)
{
    const char *range = region->network.cidr, *old = before->network.cidr;
    bool moved = region->network.allotted && range && old && strcmp(range, old) != 0;
    if (region->index == before->index && !moved)
        return;
    const struct node *node =
        deployment_node(deployment, arena_printf(findings->arena, "regions.%s", region->name));
    struct finding *finding =
        region->index == before->index
            ? findings_contradict(findings, "place", node,
                                  "regions.%s: was deployed with %s, and would be allotted %s", region->name,
                                  old, range)
            : findings_contradict(findings, "place", node,
                                  "regions.%s: was deployed at place %zu, and has place %zu now",
                                  region->name, before->index + 1, region->index + 1);
    if (region->index == before->index)
        finding_hint(findings, finding, "Write `network: {cidr: %s}` in it, and it keeps its network.", old);
    else
        finding_hint(
            findings, finding,
            "Write `place: %zu` in it. Its addresses and the numbers that its database draws come from "
            "its place: moved, it would be made anew, and draw what another has drawn.",
            before->index + 1);
}

/* What ends replication in a database is its gateway, which goes with it. */
static void compare_links(const struct deployment *deployment, const struct region *region,
                          const struct deployment *deployment_before, const struct region *before,
                          struct findings *findings)
{
    /* On own hosts the next run drops them itself. */
    if (region->provider->own_hosts || !render_is_linked(deployment_before, before) ||
        render_is_linked(deployment, region))
        return;
    const struct node *node =
        deployment_node(deployment, arena_printf(findings->arena, "regions.%s", region->name));
    struct finding *finding = findings_add(findings, DIAG_WARNING, "replication-left", node,
                                           "regions.%s: replicated with other regions and no longer does: "
                                           "its gateway goes, and what replication "
                                           "has left in its database stays",
                                           region->name);
    finding_hint(
        findings, finding,
        "A slot that nobody fetches from holds the log until the disk is full. As the database's "
        "administrator: `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
        "starts_with(slot_name, 'fraiseql_')`, and DROP SUBSCRIPTION for each of that name's beginning.");
}

void known_find_changed(const struct deployment *deployment, struct findings *findings)
{
    struct arena *arena = findings->arena;
    const char *folder = folder_of(deployment, arena);
    struct str last = deployment->source;
    const struct deployment *before = deployment; /* as `last` says; most were deployed by the same file */
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        struct str source;
        if (!read_source(path_of(folder, region->name, arena), arena, &source))
            continue;
        if (!str_equal(source, last)) {
            struct deployment *parsed;
            struct findings ignored;
            findings_init(&ignored, arena);
            before = deployment_parse(arena, deployment->path, source, &parsed, &ignored) ? NULL : parsed;
            last = source;
        }
        const struct region *old = before ? deployment_find_region(before, region->name) : NULL;
        if (!old)
            continue;
        compare_place(deployment, region, old, findings);
        compare_links(deployment, region, before, old, findings);
    }
}

int known_say(const struct command_context *ctx, const struct deployment *deployment, bool lenient)
{
    struct findings findings;
    findings_init(&findings, ctx->arena);
    if (!ctx->regions.count)
        known_find_left(deployment, &findings);
    known_find_changed(deployment, &findings);
    output_findings(ctx->out, &findings, lenient);
    return findings.contradictions && !lenient ? STATUS_CONFIG : STATUS_OK;
}

int known_take(const struct command_context *ctx, const struct deployment *deployment, const char **region,
               struct command_context *ret_ctx, struct deployment **ret)
{
    struct findings findings;
    findings_init(&findings, ctx->arena);
    *ret_ctx = *ctx;
    ret_ctx->regions = (struct string_list){1, region};
    int code = known_load(deployment, *region, ctx->arena, ret, &findings);
    if (code)
        output_findings(ctx->out, &findings, true);
    return code ? STATUS_CONFIG : STATUS_OK;
}

int known_load_file(struct command_context *ctx, struct deployment **ret_deployment,
                    struct string_list *ret_left)
{
    int status = command_load_file(ctx, true, ret_deployment);
    if (status)
        return status;
    known_left(*ret_deployment, ctx->arena, ret_left);
    return command_check_regions(ctx, *ret_deployment, ret_left);
}
