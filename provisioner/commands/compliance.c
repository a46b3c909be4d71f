/* `fraiseql deploy compliance FILE`. */
#include "provisioner/compliance/compliance.h"
#include "lib/core/yaml.h"
#include "provisioner/commands/commands.h"

#define MAX_OUTPUT_BYTES (64UL * 1024 * 1024)

static int take_standards(const struct command_context *ctx, struct deployment *deployment)
{
    struct string_list list = {.items = arena_alloc(ctx->arena, COMMAND_MAX_VALUES * sizeof(char *))};
    for (size_t i = 0; i < ctx->value_count; i++) {
        const char *text = ctx->values[i].text;
        if (strcmp(ctx->values[i].flag->name, "--standard") != 0)
            continue;
        bool found = false;
        for (size_t k = 0; k < COMPLIANCE_STANDARDS; k++)
            found = found || strcmp(compliance_standards[k], text) == 0;
        if (!found)
            return command_usage_error(ctx, "--standard \"%s\" is not gdpr, hipaa, soc2 or sox", text);
        list.items[list.count++] = text;
    }
    if (list.count)
        deployment->compliance.standards = list;
    return STATUS_OK;
}

static void show_json(const struct command_context *ctx, const struct compliance_report *report, bool sarif)
{
    struct buf out = BUF_INIT(MAX_OUTPUT_BYTES);
    struct json_writer json;
    for (size_t i = 0; !sarif && i < report->count; i++) {
        json_init(&json, &out);
        compliance_write_record(&report->results[i], &json);
        output_json(ctx->out, buf_str(&out));
        buf_reset(&out);
    }
    if (sarif) {
        json_init(&json, &out);
        compliance_write_sarif(report, &json);
        buf_append_byte(&out, '\n');
        output_text(ctx->out, buf_str(&out));
    }
    buf_deinit(&out);
}

/* Failures as diagnostics, but for contradictions, which loading has shown. */
static void diagnose(const struct command_context *ctx, struct compliance_report *report)
{
    for (size_t i = 0; ctx->json && i < report->count; i++) {
        const struct compliance_result *result = &report->results[i];
        if (result->outcome != COMPLIANCE_FAIL || result->contradiction)
            continue;
        struct finding *finding = findings_add(&report->findings, result->severity, result->rule,
                                               result->node, "%s", result->evidence);
        finding_hint(&report->findings, finding, "%s", result->mend);
    }
}

static int run(struct command_context *ctx)
{
    const char *format = command_value(ctx, "--format");
    bool sarif = format && strcmp(format, "sarif") == 0;
    bool json = format && strcmp(format, "json") == 0;
    if (format && !sarif && !json && strcmp(format, "text") != 0)
        return command_usage_error(ctx, "--format \"%s\" is not text, json or sarif", format);
    if (ctx->json && format && !json)
        return command_usage_error(ctx, "--json and --format %s exclude each other", format);
    if (ctx->regions.count)
        return command_usage_error(ctx, "compliance judges the whole file; leave --region out");
    if (json && !ctx->json) {
        ctx->json = ctx->out->json = true;
        output_begin(ctx->out);
    }
    struct findings loaded;
    struct deployment *deployment = NULL;
    findings_init(&loaded, ctx->arena);
    int code = deployment_load(ctx->arena, ctx->file, &deployment, &loaded);
    if (code)
        command_hint_init(ctx, &loaded);
    output_findings(ctx->out, &loaded, false);
    if (code)
        return STATUS_CONFIG;
    int status = take_standards(ctx, deployment);
    if (status)
        return status;
    char today[CLOCK_RFC3339_SIZE];
    struct compliance_report report;
    compliance_judge(deployment, &loaded, command_today(today), ctx->arena, &report);
    bool bad = report.errors || report.findings.errors || loaded.contradictions;
    if (!deployment->compliance.standards.count)
        finding_hint(&report.findings,
                     findings_add(&report.findings, DIAG_WARNING, "no-standard", deployment->root,
                                  "the file names no standard, so %s",
                                  report.count ? "only data-residency is judged" : "nothing is judged"),
                     "Write compliance.standards, or give --standard.");
    diagnose(ctx, &report);
    output_findings(ctx->out, &report.findings, false);
    if (ctx->json || sarif)
        show_json(ctx, &report, sarif);
    else
        compliance_show(&report, ctx->file, ctx->out);
    return bad ? STATUS_CONFIG : STATUS_OK;
}

static const struct command_flag flags[] = {
    {"--format", "text|json|sarif", "how it is printed (default: text); sarif is 2.1.0"},
    {"--standard", "gdpr|hipaa|soc2|sox", "instead of the file's; may be repeated"},
    {NULL, NULL, NULL},
};

const struct command command_compliance = {
    .name = "compliance",
    .operands = "FILE",
    .summary = "Judges a file by the rules of its standards",
    .details = "Exit status 65 when a rule of severity error is not met, a waiver has expired or the file "
               "contradicts itself. What only a person can check is listed and fails nothing.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
