/* `fraiseql deploy init`: a first file, from flags, from answers, or from the other dialect. */
#include "provisioner/catalog/catalog.h"
#include "provisioner/commands/commands.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/dialect.h"
#include "provisioner/config/template.h"
#include "provisioner/provider.h"

#include "lib/core/file.h"

#include <stdio.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1024UL * 1024)

struct initial {
    struct template chosen;
    struct template_region regions[REGIONS_MAX];
};

/* "us=aws:us-east-1". */
static int take_region(const struct command_context *ctx, struct initial *initial, const char *text)
{
    const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
    if (!colon || equals == text || colon == equals + 1 || !colon[1])
        return command_usage_error(
            ctx, "--region takes NAME=PROVIDER:LOCATION such as us=aws:us-east-1, not \"%s\"", text);
    if (initial->chosen.region_count == REGIONS_MAX)
        return command_usage_error(ctx, "more than %d regions", REGIONS_MAX);
    initial->regions[initial->chosen.region_count++] = (struct template_region){
        arena_strdup(ctx->arena, (struct str){text, (size_t)(equals - text)}),
        arena_strdup(ctx->arena, (struct str){equals + 1, (size_t)(colon - equals - 1)}), colon + 1};
    return STATUS_OK;
}

/* --- questions
 * ------------------------------------------------------------------------------------------------- */

/* An answer, or the default; NULL at the end of the input. */
static const char *ask(const struct command_context *ctx, const char *question, const char *preset)
{
    char line[512];
    (void)printf("%s%s%s%s: ", question, preset ? " [" : "", preset ? preset : "", preset ? "]" : "");
    (void)fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) {
        (void)putchar('\n'); /* nobody's Enter has ended the question's line */
        return NULL;
    }
    struct str answer = str_trim(str_from(line));
    return answer.len ? arena_strdup(ctx->arena, answer) : preset;
}

static const char *preset_location(const char *provider)
{
    return strcmp(provider, "aws") == 0     ? "us-east-1"
           : strcmp(provider, "gcp") == 0   ? "europe-west1"
           : strcmp(provider, "azure") == 0 ? "southeastasia"
                                            : "here";
}

/* What is wrong with an answer, NULL when nothing is. Location: of the provider in `beside`. */
typedef const char *wrong_fn(const struct command_context *ctx, const char *answer, const void *beside);

static const char *wrong_name(const struct command_context *ctx, const char *answer, const void *beside)
{
    size_t most = *(const size_t *)beside;
    return check_is_name(answer, most)
               ? NULL
               : arena_printf(
                     ctx->arena,
                     "at most %zu lower case letters, digits and dashes, a letter first and no dash last",
                     most);
}

static const char *wrong_size(const struct command_context *ctx, const char *answer, const void *beside)
{
    (void)ctx, (void)beside;
    bool known =
        strcmp(answer, "small") == 0 || strcmp(answer, "medium") == 0 || strcmp(answer, "large") == 0;
    return known ? NULL : "small, medium or large";
}

/* Nothing ends the list, once there is a region. */
static const char *wrong_region(const struct command_context *ctx, const char *answer, const void *beside)
{
    static const size_t most = 20;
    const struct template *chosen = beside;
    if (!*answer && chosen->region_count)
        return NULL;
    for (size_t i = 0; i < chosen->region_count; i++) {
        if (strcmp(chosen->regions[i].name, answer) == 0)
            return "this name is taken by an earlier region";
    }
    return strcmp(answer, "global") == 0 ? "this name is taken" : wrong_name(ctx, answer, &most);
}

static const char *wrong_provider(const struct command_context *ctx, const char *answer, const void *beside)
{
    (void)beside;
    struct error err = {0};
    if (provider_check_name(answer, &err))
        return arena_strdup(ctx->arena, str_from(err.message));
    return provider_find(answer)->refusal;
}

static const char *wrong_location(const struct command_context *ctx, const char *answer, const void *beside)
{
    const struct provider *provider = provider_find(beside);
    const struct location *const *list;
    if (provider->own_hosts || catalog_location(provider->name, answer))
        return NULL;
    size_t count = catalog_locations(provider->name, &list);
    const char **names = arena_alloc(ctx->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = list[i]->name;
    const char *nearest = str_nearest(answer, names, count);
    return arena_printf(ctx->arena, "%s has no location \"%.60s\"%s%s%s", provider->title, answer,
                        nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Asks again until the answer will do; NULL at the end of the input. */
static const char *ask_for(const struct command_context *ctx, const char *question, const char *preset,
                           wrong_fn *wrong, const void *beside)
{
    const char *answer, *why = NULL;
    do {
        if (why)
            (void)printf("  %s\n", why);
        answer = ask(ctx, question, preset);
        why = answer ? wrong(ctx, answer, beside) : NULL;
    } while (why);
    return answer;
}

static bool ask_all(const struct command_context *ctx, struct initial *initial)
{
    static const size_t name_most = 40, environment_most = 20;
    struct template *chosen = &initial->chosen;
    chosen->name = ask_for(ctx, "Name of the deployment", chosen->name, wrong_name, &name_most);
    if (chosen->name)
        chosen->environment = ask_for(ctx, "Environment", chosen->environment, wrong_name, &environment_most);
    if (chosen->name && chosen->environment)
        chosen->size = ask_for(ctx, "Size: small, medium or large", chosen->size, wrong_size, NULL);
    if (!chosen->name || !chosen->environment || !chosen->size)
        return false;
    while (chosen->region_count < REGIONS_MAX) {
        bool first = !chosen->region_count;
        const char *name =
            ask_for(ctx, first ? "Name of the first region" : "Name of a further region, nothing to end",
                    first ? "main" : "", wrong_region, chosen);
        if (!name || !*name)
            return name != NULL;
        const char *provider =
            ask_for(ctx, "  Provider: aws, gcp, azure or self-hosted", "aws", wrong_provider, NULL);
        const char *location =
            provider ? ask_for(ctx, "  Location", preset_location(provider), wrong_location, provider) : NULL;
        if (!location)
            return false;
        initial->regions[chosen->region_count++] = (struct template_region){name, provider, location};
    }
    return true;
}

/* --- the file
 * -------------------------------------------------------------------------------------------------- */

static int compose(struct command_context *ctx, struct buf *text)
{
    struct initial *initial = arena_zalloc(ctx->arena, sizeof *initial);
    const char *name = command_value(ctx, "--name"), *size = command_value(ctx, "--size");
    const char *environment = command_value(ctx, "--environment");
    initial->chosen = (struct template){.name = name ? name : "my-service",
                                        .environment = environment ? environment : "production",
                                        .size = size ? size : "medium",
                                        .regions = initial->regions};
    for (size_t i = 0; i < ctx->regions.count; i++) {
        int status = take_region(ctx, initial, ctx->regions.items[i]);
        if (status)
            return status;
    }
    bool asking = !ctx->regions.count && isatty(STDIN_FILENO) && !ctx->json;
    if (!asking && (!ctx->regions.count || !name))
        return command_usage_error(ctx, "it takes --name and at least one --region NAME=PROVIDER:LOCATION");
    if (asking && !ask_all(ctx, initial))
        return STATUS_INTERRUPTED;
    template_write(&initial->chosen, text);
    return STATUS_OK;
}

static int convert(struct command_context *ctx, const char *old, struct buf *text)
{
    struct findings findings;
    struct diag diag;
    struct node *root;
    findings_init(&findings, ctx->arena);
    diag_init(&diag);
    int code = yaml_load(ctx->arena, old, &root, &diag);
    findings_take_diag(&findings, "syntax", &diag);
    diag_deinit(&diag);
    if (!code) {
        buf_printf(text, "# Converted by `fraiseql deploy init --from`. Every key: docs/deployment.md.\n");
        dialect_convert(root, &findings, text);
    }
    output_findings(ctx->out, &findings, false);
    return code ? STATUS_CONFIG : STATUS_OK;
}

/* Tells what is wrong with what is about to be written. Contradictions are the user's to resolve. With an
 * error it is `kept` (a conversion) or not: then the lines named are those of a file that nobody sees. */
static int check(struct command_context *ctx, const char *path, bool kept, struct buf *text)
{
    struct findings findings;
    struct deployment *deployment;
    findings_init(&findings, ctx->arena);
    int code = deployment_parse(ctx->arena, strcmp(path, "-") == 0 ? "standard output" : path, buf_str(text),
                                &deployment, &findings);
    for (size_t i = 0; code && !kept && i < findings.count; i++)
        findings.items[i].file = arena_printf(ctx->arena, "%s (not written)", path);
    output_findings(ctx->out, &findings, true);
    return code ? STATUS_CONFIG : STATUS_OK;
}

/* With --json: where it went, or what would have been written. */
static void record(struct command_context *ctx, const char *path, bool written, struct buf *text)
{
    struct buf line = BUF_INIT(8 * FILE_MAX_BYTES);
    struct json_writer json;
    json_init(&json, &line);
    json_object_begin(&json);
    json_kv_text(&json, "type", "init");
    json_kv_text(&json, "path", strcmp(path, "-") == 0 ? NULL : path);
    json_kv_bool(&json, "written", written);
    if (!written)
        json_kv_text(&json, "text", buf_text(text));
    json_object_end(&json);
    output_json(ctx->out, buf_str(&line));
    buf_deinit(&line);
}

static int write_out(struct command_context *ctx, const char *path, struct buf *text, bool sound)
{
    struct error err = {0};
    if (strcmp(path, "-") == 0 || ctx->dry_run) {
        record(ctx, path, false, text);
        if (!ctx->json)
            output_text(ctx->out, buf_str(text));
        return STATUS_OK;
    }
    if (access(path, F_OK) == 0 && !ctx->yes)
        (void)error_set(&err, ERR_CONFLICT, "%s is there already, and nothing was written", path);
    else
        (void)!file_replace(path, buf_str(text), 0644, &err);
    if (err.code) {
        if (err.code == ERR_CONFLICT)
            error_set_hint(&err, "name another file by --out, or overwrite it with --yes");
        output_error(ctx->out, &err);
        return STATUS_FAILURE;
    }
    record(ctx, path, true, text);
    if (!ctx->json)
        output_printf(ctx->out, "Wrote %s. Next: %sfraiseql deploy %s %s\n", path,
                      sound ? "" : "mend what is said of it, then ", sound ? "cost" : "validate", path);
    return STATUS_OK;
}

static int run(struct command_context *ctx)
{
    const char *old = command_value(ctx, "--from"), *path = command_value(ctx, "--out");
    struct buf text = BUF_INIT(FILE_MAX_BYTES);
    if (path && ctx->operand_count)
        return command_usage_error(ctx, "write to %s or to %s? Give --out or FILE", ctx->operands[0], path);
    const char *other = ctx->regions.count                    ? "--region"
                        : command_given(ctx, "--name")        ? "--name"
                        : command_given(ctx, "--environment") ? "--environment"
                        : command_given(ctx, "--size")        ? "--size"
                                                              : NULL;
    if (old && other)
        return command_usage_error(
            ctx, "%s and --from cannot be given together: a file that is converted says it", other);
    if (!path)
        path = ctx->operand_count ? ctx->operands[0] : "fraiseql-deployment.yaml";
    int status = old ? convert(ctx, old, &text) : compose(ctx, &text);
    if (!status)
        status = check(ctx, path, old != NULL, &text);
    /* A conversion is written whatever is wrong with it: what is missing is easier added to it. */
    if (!status || (old && status == STATUS_CONFIG && text.len)) {
        int written = write_out(ctx, path, &text, !status);
        status = written ? written : status;
    }
    buf_deinit(&text);
    return status;
}

static const struct command_flag flags[] = {
    {"--name", "NAME", "name of the deployment"},
    {"--environment", "WORD", "production, staging, development or another word (default: production)"},
    {"--region", "NAME=PROVIDER:LOCATION", "a region, such as us=aws:us-east-1; may be repeated"},
    {"--size", "small|medium|large", "for all regions (default: medium)"},
    {"--out", "FILE", "where to write (default: fraiseql-deployment.yaml; - for standard output)"},
    {"--from", "FILE", "convert a file of the other dialect (compute, networking, monitoring backends)"},
    {NULL, NULL, NULL},
};

const struct command command_init = {
    .name = "init",
    .operands = "[FILE]",
    .summary = "Writes a commented deployment file",
    .details = "Asks on a terminal, or takes flags. A file that is there is overwritten with --yes only.",
    .max_operands = 1,
    .flags = flags,
    .run = run,
};
