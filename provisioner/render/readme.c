/* The README of a rendered folder: a template with {{places}}, embedded in the program. */
#include "provisioner/embedded.h"
#include "provisioner/render/render_internal.h"

#include <stdio.h>

void render_append_plain(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '|' || *text == '`' || *text == '\n' || *text == '\r')
            buf_append_byte(out, ' ');
        else
            buf_append_byte(out, *text);
    }
}

static void place_regions(const struct deployment *deployment, bool with_state, struct buf *out)
{
    char name[RENDER_NAME_MAX + 1];
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        buf_append_text(out, i ? "\n| " : "| ");
        render_append_plain(out, region->name);
        buf_printf(out, " | %s | ", region->provider->title);
        render_append_plain(out, region->location_name);
        buf_printf(out, " | `%s` |", render_name(deployment, region, name));
        if (!with_state)
            continue;
        buf_append_text(out, " `");
        struct buf address = BUF_INIT(RENDER_MAX_BYTES);
        render_state_address(deployment, region->name, &address);
        render_append_plain(out, buf_text(&address));
        buf_deinit(&address);
        buf_append_text(out, "` |");
    }
}

static void place_global(const struct deployment *deployment, struct buf *out)
{
    if (!render_has_global(deployment)) {
        buf_append_text(out,
                        "\nThere is no global root: no domain is named and no region replicates to another.");
        return;
    }
    struct buf address = BUF_INIT(RENDER_MAX_BYTES);
    render_state_address(deployment, "global", &address);
    buf_append_text(out, "\nThe global root's state: `");
    render_append_plain(out, buf_text(&address));
    buf_append_text(out, "`.");
    buf_deinit(&address);
}

static void commands(const struct deployment *deployment, const char *verb, bool global_first,
                     struct buf *out)
{
    bool global = render_has_global(deployment);
    if (global && global_first)
        buf_printf(out, "terraform -chdir=global init && terraform -chdir=global %s\n", verb);
    buf_printf(
        out,
        "for root in regions/*/; do\n  terraform -chdir=\"$root\" init && terraform -chdir=\"$root\" %s\n"
        "done",
        verb);
    if (global && !global_first)
        buf_printf(out, "\nterraform -chdir=global init && terraform -chdir=global %s", verb);
}

static void place_some(const struct deployment *deployment, struct buf *out)
{
    char label[RENDER_LABEL_MAX];
    if (deployment_region_count(deployment))
        buf_printf(out, "[\"%s\"]", render_label(deployment_region(deployment, 0), label));
}

static const char *state_text(const struct deployment *deployment)
{
    switch (deployment->state.backend) {
    case STATE_LOCAL:
        return "State is in `state/` of this folder (0700). It names what exists and can hold secrets of the "
               "clouds' "
               "own\nmaking: keep it, back it up, and do not put it into version control. To move it, name a "
               "backend "
               "under `state`\nin the deployment's file, render again, and run `terraform init "
               "-migrate-state` in each "
               "root.";
    case STATE_S3:
        return "State is in S3, encrypted, and locked by a file beside it. The bucket must exist; switch its "
               "versioning on.";
    case STATE_GCS:
        return "State is in Cloud Storage, which locks it. The bucket must exist; switch object versioning "
               "on.";
    case STATE_AZURERM:
        return "State is in a blob container, locked by a lease. The storage account and the container must "
               "exist.";
    case STATE_PG:
        return "State is in PostgreSQL, one schema a root, locked by advisory locks. `PGPASSWORD` or a "
               "service file "
               "gives\nthe password.";
    default:
        return "State is in secrets of the Kubernetes cluster that `KUBE_CONFIG_PATH` names, locked by "
               "leases. A "
               "secret\nholds at most 1 MiB.";
    }
}

const char *render_file_name(const struct deployment *deployment)
{
    const char *slash = strrchr(deployment->path, '/');
    return slash ? slash + 1 : deployment->path;
}

static void fill(void *ctx, struct str place, struct buf *out)
{
    const struct deployment *deployment = ctx;
    if (str_equal_text(place, "deployment"))
        render_append_plain(out, deployment->metadata.name);
    else if (str_equal_text(place, "file"))
        render_append_plain(out, render_file_name(deployment));
    else if (str_equal_text(place, "regions"))
        place_regions(deployment, true, out);
    else if (str_equal_text(place, "places"))
        place_regions(deployment, false, out);
    else if (str_equal_text(place, "global_state"))
        place_global(deployment, out);
    else if (str_equal_text(place, "apply"))
        commands(deployment, "apply", false, out);
    else if (str_equal_text(place, "destroy"))
        commands(deployment, "destroy", true, out);
    else if (str_equal_text(place, "some"))
        place_some(deployment, out);
    else if (str_equal_text(place, "state"))
        buf_append_text(out, state_text(deployment));
}

void render_template(const char *embedded, render_fill_fn *fill_place, void *ctx, struct buf *out)
{
    const struct embedded_file *file = embedded_find(embedded);
    struct str rest = file ? file->bytes : (struct str){"", 0};
    while (rest.len) {
        const char *open = memmem(rest.ptr, rest.len, "{{", 2);
        const char *close = open ? memmem(open, rest.len - (size_t)(open - rest.ptr), "}}", 2) : NULL;
        if (!close) {
            buf_append_str(out, rest);
            return;
        }
        buf_append(out, rest.ptr, (size_t)(open - rest.ptr));
        fill_place(ctx, (struct str){open + 2, (size_t)(close - open) - 2}, out);
        rest.len -= (size_t)(close + 2 - rest.ptr);
        rest.ptr = close + 2;
    }
}

void render_readme(const struct deployment *deployment, enum render_format format, struct buf *out)
{
    struct deployment copy = *deployment;
    render_template(format == RENDER_PULUMI ? "render/pulumi_readme.md" : "render/folder_readme.md", fill,
                    &copy, out);
}
