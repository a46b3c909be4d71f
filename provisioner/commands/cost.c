/* `fraiseql deploy cost FILE`. */
#include "provisioner/cost/cost.h"
#include "lib/core/clock.h"
#include "provisioner/catalog/price_list.h"
#include "provisioner/commands/commands.h"

#include <stdio.h>

#define OLD_PRICE_DAYS   90
#define MAX_OUTPUT_BYTES (256UL * 1024 * 1024)

static int parse_format(const struct command_context *ctx, enum cost_format *ret_format)
{
    static const char *const names[] = {
        [COST_TABLE] = "table", [COST_JSON] = "json", [COST_CSV] = "csv", [COST_MARKDOWN] = "markdown"};
    const char *text = command_value(ctx, "--format");
    *ret_format = ctx->json ? COST_JSON : COST_TABLE;
    if (!text)
        return STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        if (ctx->json && i != COST_JSON)
            return command_usage_error(ctx, "--json and --format %s exclude each other", text);
        *ret_format = (enum cost_format)i;
        return STATUS_OK;
    }
    const char *nearest = str_nearest(text, names, ARRAY_LEN(names));
    return command_usage_error(ctx, "--format \"%s\" is not table, json, csv or markdown%s%s%s", text,
                               nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static int load_prices(const struct command_context *ctx)
{
    struct error err = {0};
    const char *given = command_value(ctx, "--price-file");
    int code = price_list_load_cache(&err);
    if (!code && given)
        code = price_list_load_file(given, &err);
    if (!code)
        return STATUS_OK;
    output_error(ctx->out, &err);
    return STATUS_CONFIG;
}

static int load_usage(const struct command_context *ctx, const struct deployment *deployment,
                      struct cost_usage *ret_usage)
{
    const char *path = command_value(ctx, "--usage");
    cost_usage_defaults(ret_usage);
    if (!path)
        return STATUS_OK;
    struct findings findings;
    findings_init(&findings, ctx->arena);
    int code = cost_usage_load(path, deployment, ctx->arena, ret_usage, &findings);
    output_findings(ctx->out, &findings, true);
    return code ? STATUS_CONFIG : STATUS_OK;
}

static int estimate_one(const struct command_context *ctx, const struct deployment *deployment,
                        const struct cost_usage *usage, struct cost_estimate *ret_estimate)
{
    struct error err = {0};
    if (cost_estimate(deployment, usage, ctx->arena, ret_estimate, &err)) {
        output_error(ctx->out, &err);
        return STATUS_CONFIG;
    }
    if (ctx->regions.count)
        cost_estimate_restrict(ret_estimate, &ctx->regions);
    return STATUS_OK;
}

/* Against the budget of the whole deployment. The status to return. */
static int judge_budget(const struct command_context *ctx, const struct deployment *deployment,
                        const struct cost_estimate *estimate, struct findings *findings)
{
    const struct deployment_cost *cost = &deployment->cost;
    if (cost->monthly_budget_cents == 0 || ctx->regions.count)
        return STATUS_OK;
    double budget = (double)cost->monthly_budget_cents * 1e7; /* nano-USD of a cent */
    double percent = 100.0 * (double)estimate->monthly_nano_usd / budget;
    bool critical = percent >= (double)cost->critical_on_percent;
    if (!critical && percent < (double)cost->warn_on_percent)
        return STATUS_OK;
    char text[COST_TEXT_MAX], bound[COST_TEXT_MAX];
    struct finding *finding =
        findings_add(findings, critical ? DIAG_ERROR : DIAG_WARNING, "budget",
                     deployment_node(deployment, "cost-management.monthly-budget"),
                     "the estimate is %s%s a month, %.0f %% of the budget of %s; the bound is %lld %%",
                     estimate->complete ? "" : "at least ", cost_format_usd(estimate->monthly_nano_usd, text),
                     percent, cost_format_usd((int64_t)budget, bound),
                     (long long)(critical ? cost->critical_on_percent : cost->warn_on_percent));
    finding_hint(findings, finding,
                 "`--alternatives` shows cheaper equivalents; otherwise raise the budget or its bounds");
    return critical ? STATUS_FAILURE : STATUS_OK;
}

static void judge_age(const struct cost_estimate *estimate, struct findings *findings)
{
    int64_t age = estimate->oldest_date ? cost_price_age_days(estimate->oldest_date, clock_wall_ns()) : 0;
    if (age <= OLD_PRICE_DAYS)
        return;
    struct finding *finding = findings_add(findings, DIAG_WARNING, "price-age", NULL,
                                           "the oldest price of this estimate is %lld days old (%s)",
                                           (long long)age, estimate->oldest_date);
    finding_hint(
        findings, finding,
        "`fraiseql deploy prices refresh FILE` gets newer ones, --price-file FILE puts yours in front");
}

static void write_estimate(const struct cost_estimate *estimate, enum cost_format format, struct buf *out)
{
    switch (format) {
    case COST_TABLE:
        cost_write_table(estimate, out);
        break;
    case COST_JSON:
        cost_write_json(estimate, out);
        break;
    case COST_CSV:
        cost_write_csv(estimate, out);
        break;
    case COST_MARKDOWN:
        cost_write_markdown(estimate, out);
        break;
    }
}

static int put(const struct command_context *ctx, enum cost_format format, struct buf *out)
{
    if (out->failed) {
        struct error err = {0};
        (void)error_set(&err, ERR_LIMIT, "the estimate is larger than %lu MiB", MAX_OUTPUT_BYTES >> 20);
        output_error(ctx->out, &err);
        return STATUS_FAILURE;
    }
    if (format == COST_JSON)
        output_json(ctx->out, buf_str(out));
    else
        output_text(ctx->out, buf_str(out));
    buf_reset(out);
    return STATUS_OK;
}

/* Reads the other file as this one was read, and shows what it would change. */
static int show_comparison(struct command_context *ctx, const struct cost_estimate *estimate,
                           enum cost_format format, struct buf *out)
{
    struct command_context other = *ctx;
    other.file = command_value(ctx, "--compare");
    other.regions = (struct string_list){0}; /* a region may be in one of the files only */
    struct deployment *deployment;
    struct cost_usage usage;
    struct cost_estimate changed;
    int status = command_load(&other, true, &deployment);
    if (!status)
        status = load_usage(&other, deployment, &usage);
    other.regions = ctx->regions;
    if (!status)
        status = estimate_one(&other, deployment, &usage, &changed);
    if (status)
        return status;
    cost_write_comparison(estimate, &changed, format, ctx->arena, out);
    return put(ctx, format, out);
}

static void find_alternatives(const struct command_context *ctx, const struct deployment *deployment,
                              struct cost_alternatives *ret_alternatives)
{
    size_t kept = 0;
    cost_find_alternatives(deployment, ctx->arena, ret_alternatives);
    for (size_t i = 0; i < ret_alternatives->count; i++) {
        if (command_selects(ctx, deployment_find_region(deployment, ret_alternatives->items[i].region)))
            ret_alternatives->items[kept++] = ret_alternatives->items[i];
    }
    ret_alternatives->count = kept;
}

static int show(struct command_context *ctx, const struct deployment *deployment,
                const struct cost_estimate *estimate, enum cost_format format)
{
    struct buf out = BUF_INIT(MAX_OUTPUT_BYTES);
    int status = STATUS_OK;
    if (command_value(ctx, "--compare")) {
        status = show_comparison(ctx, estimate, format, &out);
    } else {
        write_estimate(estimate, format, &out);
        status = put(ctx, format, &out);
    }
    if (!status && command_given(ctx, "--alternatives")) {
        struct cost_alternatives alternatives;
        find_alternatives(ctx, deployment, &alternatives);
        if (format != COST_JSON)
            buf_append_byte(&out, '\n');
        cost_write_alternatives(&alternatives, format, &out);
        status = put(ctx, format, &out);
    }
    buf_deinit(&out);
    return status;
}

static int run(struct command_context *ctx)
{
    enum cost_format format;
    struct deployment *deployment;
    struct cost_usage usage;
    struct cost_estimate estimate;
    int status = parse_format(ctx, &format);
    if (status)
        return status;
    if (format == COST_JSON && !ctx->json) { /* --format json is another word for --json */
        ctx->json = ctx->out->json = true;
        output_begin(ctx->out);
    }
    status = command_load(ctx, true, &deployment);
    if (!status)
        status = load_prices(ctx);
    if (!status)
        status = load_usage(ctx, deployment, &usage);
    if (!status)
        status = estimate_one(ctx, deployment, &usage, &estimate);
    if (!status)
        status = show(ctx, deployment, &estimate, format);
    if (status)
        return status;
    struct findings findings;
    findings_init(&findings, ctx->arena);
    judge_age(&estimate, &findings);
    status = judge_budget(ctx, deployment, &estimate, &findings);
    output_findings(ctx->out, &findings, true);
    return status;
}

static const struct command_flag flags[] = {
    {"--format", "table|json|csv|markdown", "how it is printed (default: table); markdown is for a pull request"},
    {"--usage", "FILE", "traffic and volumes of a month as YAML (docs/cost.md)"},
    {"--compare", "OTHER", "what OTHER costs more or less than FILE, by region and component"},
    {"--alternatives", NULL, "the cheapest equivalent machines of each region"},
    {"--price-file", "FILE", "prices of your own contract: provider,location,item,usd,unit,source,date"},
    {NULL, NULL, NULL},
};

const struct command command_cost = {
    .name = "cost",
    .operands = "FILE",
    .summary = "Estimates the monthly cost per region and component",
    .details =
        "Each amount is quantity x list price; a price that is not known is shown as unknown and makes the "
        "total \"at least\". The estimate fails with status 1 when it reaches the part of "
        "cost-management.monthly-budget that critical-on-percent names, and warns from warn-on-percent "
        "on.\nWith --region the budget, which is the whole deployment's, is not judged.",
    .takes_file = true,
    .flags = flags,
    .run = run};
