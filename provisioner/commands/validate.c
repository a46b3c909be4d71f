/* `fraiseql deploy validate FILE`: every error of a file at once. */
#include "provisioner/commands/commands.h"
#include "provisioner/compliance/compliance.h"

static void warn_of_waivers(const struct command_context *ctx, const struct deployment *deployment)
{
    struct findings findings;
    char today[CLOCK_RFC3339_SIZE];
    findings_init(&findings, ctx->arena);
    compliance_warn_expired(deployment, command_today(today), &findings);
    output_findings(ctx->out, &findings, false);
}

static int run(struct command_context *ctx)
{
    struct deployment *deployment;
    int status = command_load(ctx, false, &deployment);
    if (status)
        return status;
    warn_of_waivers(ctx, deployment);
    size_t count = deployment_region_count(deployment);
    if (!ctx->json) {
        output_printf(ctx->out, "%s%s is valid%s: %zu region%s", output_style(ctx->out, STYLE_GOOD),
                      ctx->file, output_style(ctx->out, STYLE_PLAIN), count, PLURAL(count));
        for (size_t i = 0; i < count; i++) {
            const struct region *region = deployment_region(deployment, i);
            if (!command_selects(ctx, region))
                continue;
            output_printf(ctx->out, ", %s (%s %s)", region->name, region->provider_name,
                          region->location_name);
        }
        output_printf(ctx->out, "\n");
    }
    return STATUS_OK;
}

const struct command command_validate = {
    .name = "validate",
    .operands = "FILE",
    .summary = "Checks a file: every error at once, contradictions included",
    .details = "Nothing is asked of any cloud, and the whole file is checked, whatever --region says. Exit "
               "status 65 when the file has an error or contradicts itself.",
    .takes_file = true,
    .run = run,
};
