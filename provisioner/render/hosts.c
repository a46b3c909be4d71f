/* Regions on own hosts as a folder that does without this program: self_hosted/by_hand.h says what is in it.
 */
#include "provisioner/render/render_internal.h"
#include "provisioner/self_hosted/by_hand.h"
#include "provisioner/self_hosted/site.h"
#include "provisioner/self_hosted/vault.h"

struct rendering {
    const struct deployment *own;
    const struct render_identity *identity;
    const struct render_target *target;
    struct site *sites;
    struct layout *layouts;
};

static int put(void *ctx, const char *path, struct str bytes, bool secret, struct error *err)
{
    (void)err; /* that of the target */
    return render_put(ctx, path, bytes, secret ? RENDER_SECRET_MODE : RENDER_PUBLIC_MODE);
}

static int put_region(const struct rendering *rendering, const struct site *site)
{
    const struct render_target *target = rendering->target;
    struct step_list steps = {.arena = site->arena};
    struct render_target copy = *target;
    int code = site_steps(site, &steps, target->err);
    return code ? code
                : by_hand_region(site, &steps, rendering->identity->deployment_id, put, &copy, target->err);
}

static void fill(void *ctx, struct str place, struct buf *out)
{
    const struct rendering *rendering = ctx;
    const struct deployment *own = rendering->own;
    if (str_equal_text(place, "deployment"))
        render_append_plain(out, own->metadata.name);
    else if (str_equal_text(place, "file"))
        render_append_plain(out, render_file_name(own));
    for (size_t i = 0; i < deployment_region_count(own); i++) {
        const struct region *region = deployment_region(own, i);
        if (str_equal_text(place, "regions"))
            buf_printf(out, "%s%s", i ? " " : "", region->name);
        if (!str_equal_text(place, "hosts"))
            continue;
        buf_printf(out, "%s| %s | `", i ? "\n" : "", region->name);
        render_append_plain(out, region->host);
        buf_printf(out, "` | %s |", rendering->layouts[i].address);
    }
}

static int put_readme(struct rendering *rendering, bool alone)
{
    struct buf text = BUF_INIT(RENDER_MAX_BYTES);
    render_template("render/hosts_readme.md", fill, rendering, &text);
    int code =
        render_put_document(rendering->target, alone ? "README.md" : "HOSTS.md", &text, RENDER_PUBLIC_MODE);
    return code ? code : render_put(rendering->target, "secrets/.gitignore", STR("*\n"), RENDER_PUBLIC_MODE);
}

static int put_regions(struct rendering *rendering, struct vault *vault)
{
    const struct render_target *target = rendering->target;
    const struct deployment *own = rendering->own;
    size_t count = deployment_region_count(own);
    int code = 0;
    for (size_t i = 0; !code && i < count; i++)
        code = site_init(&rendering->sites[i], rendering->sites, own, deployment_region(own, i),
                         &rendering->layouts[i], vault, target->report->arena, target->err);
    for (size_t i = 0; i < count; i++) {
        if (own->replication.primary && deployment_find_region(own, own->replication.primary))
            rendering->sites[i].primary = own->replication.primary;
    }
    for (size_t i = 0; !code && i < count; i++) {
        if (render_selects(target->options, deployment_region(own, i)))
            code = put_region(rendering, &rendering->sites[i]);
    }
    return code;
}

int render_hosts(const struct deployment *own, const struct deployment *deployment,
                 const struct render_identity *identity, const struct render_target *target)
{
    struct arena *arena = target->report->arena;
    size_t count = deployment_region_count(own);
    struct rendering rendering = {.own = own,
                                  .identity = identity,
                                  .target = target,
                                  .sites = arena_zalloc(arena, (count + 1) * sizeof(struct site)),
                                  .layouts = arena_zalloc(arena, (count + 1) * sizeof(struct layout))};
    struct vault *vault CLEANUP(vault_close_cleanup) = NULL;
    int code = vault_open(target->options->secrets, &vault, target->err);
    if (!code)
        code = put_regions(&rendering, vault);
    return code ? code : put_readme(&rendering, count == deployment_region_count(deployment));
}
