/* `fraiseql deploy prices [refresh [FILE]]`: what prices there are; reading the clouds' own lists. */
#include "lib/core/clock.h"
#include "provisioner/commands/commands.h"
#include "provisioner/prices/source.h"

#include <stdio.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 1800
#define MAX_TIMEOUT_S     86400
#define PROGRESS_NS       NS_PER_S        /* on a terminal, and in JSON */
#define PROGRESS_LOG_NS   (10 * NS_PER_S) /* a line in a log */
#define MAX_RECORD_BYTES  (1024UL * 1024)
#define MAX_TYPES_SHOWN   8

/* --- what there is --- */

static const struct {
    enum price_layer layer;
    const char *name, *text;
} layers[] = {{PRICES_CACHED, "cache", "the cache"}, {PRICES_BUILT_IN, "program", "the program"}};

static void show_facts(const struct command_context *ctx, size_t layer, const struct prices_source *source,
                       struct json_writer *json)
{
    struct price_list_facts facts;
    price_list_look(layers[layer].layer, source->provider, &facts);
    json_object_begin(json);
    json_kv_text(json, "layer", layers[layer].name);
    json_kv_text(json, "provider", source->provider);
    json_kv_u64(json, "prices", facts.prices);
    json_kv_text(json, "oldest", facts.oldest);
    json_kv_text(json, "newest", facts.newest);
    json_object_end(json);
    if (ctx->json)
        return;
    if (facts.prices)
        output_printf(ctx->out, "%-11s %-6s %6zu prices of %s to %s\n", layers[layer].text, source->provider,
                      facts.prices, facts.oldest, facts.newest);
    else
        output_printf(ctx->out, "%-11s %-6s none\n", layers[layer].text, source->provider);
}

static int show(struct command_context *ctx)
{
    struct error err = {0};
    if (price_list_load_cache(&err)) {
        output_error(ctx->out, &err);
        return STATUS_CONFIG;
    }
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    const char *folder = price_list_path(NULL, ctx->arena);
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "prices");
    json_kv_text(&json, "folder", folder);
    json_key(&json, "lists");
    json_array_begin(&json);
    if (!ctx->json)
        output_printf(ctx->out, "The cache is %s%s\n\n", folder ? folder : "nowhere: HOME is not set",
                      folder && access(folder, F_OK) != 0 ? " (not there yet)" : "");
    for (size_t layer = 0; layer < ARRAY_LEN(layers); layer++) {
        for (const struct prices_source *const *source = prices_sources; *source; source++)
            show_facts(ctx, layer, *source, &json);
    }
    json_array_end(&json);
    json_object_end(&json);
    output_json(ctx->out, buf_str(&record));
    buf_deinit(&record);
    if (!ctx->json)
        output_printf(ctx->out, "\nA --price-file goes before the cache, the cache before the program.\n"
                                "`fraiseql deploy prices refresh` reads the clouds' own lists.\n");
    return STATUS_OK;
}

/* --- progress --- */

struct progress {
    const struct command_context *ctx;
    const struct prices_source *source;
    int64_t began_ns, last_ns;
    bool terminal, painted;
};

static void record_progress(const struct progress *progress, const char *state, uint64_t requests,
                            size_t prices)
{
    char step[64];
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    (void)snprintf(step, sizeof step, "prices %s", progress->source->provider);
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "progress");
    json_kv_text(&json, "region", NULL);
    json_kv_text(&json, "step", step);
    json_kv_text(&json, "state", state);
    json_kv_u64(&json, "done", requests);
    json_kv_text(&json, "planned", NULL);
    json_kv_u64(&json, "prices", prices);
    json_kv_f64(&json, "elapsed_s", (double)(clock_mono_ns() - progress->began_ns) / 1e9);
    json_object_end(&json);
    output_json(progress->ctx->out, buf_str(&record));
    buf_deinit(&record);
}

static void on_progress(void *arg, const struct fetch *fetch, const struct found *found)
{
    struct progress *progress = arg;
    int64_t now_ns = clock_mono_ns();
    bool often = progress->ctx->json || progress->terminal;
    if (now_ns - progress->last_ns < (often ? PROGRESS_NS : PROGRESS_LOG_NS))
        return;
    progress->last_ns = now_ns;
    if (progress->ctx->json) {
        record_progress(progress, "running", fetch->requests, found_count(found));
        return;
    }
    progress->painted = progress->terminal;
    (void)fprintf(stderr, "%s%s: %llu request%s, %.1f MB, %zu price%s%s", progress->terminal ? "\r" : "",
                  progress->source->provider, (unsigned long long)fetch->requests, PLURAL(fetch->requests),
                  (double)fetch->bytes / 1e6, found_count(found), PLURAL(found_count(found)),
                  progress->terminal ? "\033[K" : "\n");
    (void)fflush(stderr);
}

static void end_progress(const struct progress *progress)
{
    if (progress->painted)
        (void)fputs("\r\033[K", stderr);
}

/* --- refresh --- */

/* Through a finding, as what a cloud answered must not steer the terminal. */
static void complain(const struct command_context *ctx, const struct prices_source *source,
                     const struct prices_result *result)
{
    struct findings findings;
    findings_init(&findings, ctx->arena);
    struct finding *finding = findings_add(
        &findings, DIAG_ERROR, "prices", NULL, "%s %s: %s", source->provider,
        result->outcome == PRICES_WITHOUT_KEY ? "is skipped" : "is as old as it was", result->err.message);
    if (result->err.hint[0])
        finding_hint(&findings, finding, "%s", result->err.hint);
    output_findings(ctx->out, &findings, false);
}

/* "vm:m5.large": of these a whole refresh may leave hundreds. */
static bool is_type(const struct prices_left_item *item)
{
    return strncmp(item->item, "vm:", 3) == 0 || strncmp(item->item, "db:", 3) == 0 ||
           strncmp(item->item, "db-ha:", 6) == 0;
}

static size_t count_types(const struct prices_left *left, bool kept)
{
    size_t count = 0;
    for (size_t i = 0; i < left->count; i++)
        count += left->items[i].kept == kept && is_type(&left->items[i]);
    return count;
}

/* "logs, lb (2 of 3 places)" */
static void say_left(const struct command_context *ctx, const struct prices_left *left, size_t places,
                     bool kept)
{
    const char *front =
        kept ? "    not refreshed, an older price stays in use: " : "    not refreshed, no price is known: ";
    size_t types = count_types(left, kept);
    bool any = false;
    for (size_t i = 0; i < left->count; i++) {
        const struct prices_left_item *item = &left->items[i];
        if (item->kept != kept || (types > MAX_TYPES_SHOWN && is_type(item)))
            continue;
        output_printf(ctx->out, "%s%s", any ? ", " : front, item->item);
        any = true;
        if (item->locations.count < places && strcmp(item->locations.items[0], "*") != 0)
            output_printf(ctx->out, " (%zu of %zu places)", item->locations.count, places);
    }
    if (types > MAX_TYPES_SHOWN) {
        output_printf(ctx->out, "%s%zu types of machines and databases, which --json names",
                      any ? ", " : front, types);
        any = true;
    }
    if (any)
        output_printf(ctx->out, "\n");
}

static void say(const struct command_context *ctx, const struct prices_source *source,
                const struct prices_result *result, size_t places)
{
    char text[OUTPUT_ELAPSED_MAX];
    if (result->outcome != PRICES_REFRESHED) {
        complain(ctx, source, result);
    } else if (!ctx->json) {
        output_printf(ctx->out, "%s[\u2713]%s %s: %zu price%s in %s after %s, %llu request%s\n",
                      output_style(ctx->out, STYLE_GOOD), output_style(ctx->out, STYLE_PLAIN),
                      source->provider, result->prices, PLURAL(result->prices), result->path,
                      output_elapsed(clock_mono_ns() - ctx->out->started_mono_ns, text),
                      (unsigned long long)result->requests, PLURAL(result->requests));
        if (result->conflicts)
            output_printf(ctx->out, "    %zu have several prices in the answers, and none of them is taken\n",
                          result->conflicts);
        say_left(ctx, &result->left, places, true);
        say_left(ctx, &result->left, places, false);
    }
}

static void record_left(struct json_writer *json, const struct prices_left *left)
{
    json_key(json, "not_refreshed");
    json_array_begin(json);
    for (size_t i = 0; i < left->count; i++) {
        json_object_begin(json);
        json_kv_text(json, "item", left->items[i].item);
        json_kv_bool(json, "older_price", left->items[i].kept);
        json_key(json, "locations");
        json_array_begin(json);
        for (size_t j = 0; j < left->items[i].locations.count; j++)
            json_text(json, left->items[i].locations.items[j]);
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void record_result(struct json_writer *json, const struct prices_source *source,
                          const struct prices_result *result)
{
    static const char *const states[] = {
        [PRICES_REFRESHED] = "refreshed", [PRICES_FAILED] = "failed", [PRICES_WITHOUT_KEY] = "skipped"};
    json_object_begin(json);
    json_kv_text(json, "name", source->provider);
    json_kv_text(json, "state", states[result->outcome]);
    json_kv_u64(json, "prices", result->outcome == PRICES_REFRESHED ? result->prices : 0);
    json_kv_u64(json, "conflicts", result->conflicts);
    json_kv_u64(json, "requests", result->requests);
    json_kv_u64(json, "retries", result->retries);
    json_kv_text(json, "path", result->path);
    json_kv_text(json, "problem", result->outcome == PRICES_REFRESHED ? NULL : result->err.message);
    record_left(json, &result->left);
    json_object_end(json);
}

/* What is asked of the clouds, and the outcome so far. */
struct refresh {
    struct command_context *ctx;
    const struct deployment *deployment; /* NULL: everything */
    int64_t timeout_ns;
    struct json_writer *json;
    size_t asked;
    bool failed, without_key;
};

static void plan_one(const struct refresh *refresh, const struct prices_source *source, size_t locations)
{
    json_object_begin(refresh->json);
    json_kv_text(refresh->json, "name", source->provider);
    json_kv_text(refresh->json, "state", "planned");
    json_kv_u64(refresh->json, "locations", locations);
    json_object_end(refresh->json);
    if (!refresh->ctx->json)
        output_printf(refresh->ctx->out, "%s: %s for %zu location%s%s would be read\n", source->provider,
                      source->title, locations, PLURAL(locations), locations ? "" : ", for names alone,");
}

static void refresh_one(struct refresh *refresh, const struct prices_source *source)
{
    struct command_context *ctx = refresh->ctx;
    struct progress progress = {.ctx = ctx,
                                .source = source,
                                .began_ns = clock_mono_ns(),
                                .last_ns = clock_mono_ns(),
                                .terminal = !ctx->no_color && isatty(STDERR_FILENO) == 1};
    const struct prices_options options = {refresh->timeout_ns, on_progress, &progress};
    struct prices_scope scope;
    struct prices_result result;
    if (refresh->deployment)
        prices_scope_of(&scope, source->provider, refresh->deployment, &ctx->regions, ctx->arena);
    else
        prices_scope_all(&scope, source->provider, ctx->arena);
    bool asked = !prices_scope_is_empty(&scope);
    if (asked && ctx->dry_run) {
        plan_one(refresh, source, scope.locations.count);
    } else if (asked) {
        prices_refresh(source, &scope, &options, ctx->arena, &result);
        end_progress(&progress);
        record_progress(&progress, result.outcome == PRICES_REFRESHED ? "done" : "failed", result.requests,
                        result.prices);
        say(ctx, source, &result, scope.locations.count);
        record_result(refresh->json, source, &result);
        refresh->failed = refresh->failed || result.outcome == PRICES_FAILED;
        refresh->without_key = refresh->without_key || result.outcome == PRICES_WITHOUT_KEY;
    }
    refresh->asked += asked;
    prices_scope_deinit(&scope);
}

static bool is_asked(const struct command_context *ctx, const char *provider)
{
    bool any = false;
    for (size_t i = 0; i < ctx->value_count; i++) {
        if (strcmp(ctx->values[i].flag->name, "--provider") != 0)
            continue;
        any = true;
        if (strcmp(ctx->values[i].text, provider) == 0)
            return true;
    }
    return !any;
}

static int refresh_all(struct refresh *refresh)
{
    struct command_context *ctx = refresh->ctx;
    struct buf record = BUF_INIT(MAX_RECORD_BYTES);
    struct json_writer json;
    refresh->json = &json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "prices");
    json_kv_text(&json, "folder", price_list_path(NULL, ctx->arena));
    json_key(&json, "providers");
    json_array_begin(&json);
    for (const struct prices_source *const *source = prices_sources; *source; source++) {
        if (is_asked(ctx, (*source)->provider))
            refresh_one(refresh, *source);
    }
    json_array_end(&json);
    json_object_end(&json);
    output_json(ctx->out, buf_str(&record));
    buf_deinit(&record);
    if (!refresh->asked) {
        struct error err = {0};
        (void)error_set(&err, ERR_CONFIG, "%s has no region of a cloud whose prices were asked for",
                        ctx->file);
        output_error(ctx->out, &err);
        return STATUS_FAILURE;
    }
    return refresh->failed ? STATUS_FAILURE : refresh->without_key ? STATUS_CREDENTIALS : STATUS_OK;
}

/* --- the command line --- */

static int parse_timeout(const struct command_context *ctx, int64_t *ret_timeout_ns)
{
    const char *text = command_value(ctx, "--timeout");
    uint64_t seconds = DEFAULT_TIMEOUT_S;
    if (text && (!str_to_u64(str_from(text), &seconds) || seconds < 1 || seconds > MAX_TIMEOUT_S))
        return command_usage_error(ctx, "--timeout takes seconds from 1 to %d, not \"%s\"", MAX_TIMEOUT_S,
                                   text);
    *ret_timeout_ns = (int64_t)seconds * NS_PER_S;
    return STATUS_OK;
}

static int check_providers(const struct command_context *ctx)
{
    for (size_t i = 0; i < ctx->value_count; i++) {
        if (strcmp(ctx->values[i].flag->name, "--provider") == 0 && !prices_source_find(ctx->values[i].text))
            return command_usage_error(ctx, "--provider %s: it is none of aws, gcp and azure",
                                       ctx->values[i].text);
    }
    return STATUS_OK;
}

static int run(struct command_context *ctx)
{
    struct refresh refresh = {.ctx = ctx};
    struct deployment *deployment = NULL;
    int status = parse_timeout(ctx, &refresh.timeout_ns);
    if (!status)
        status = check_providers(ctx);
    if (status)
        return status;
    if (ctx->operand_count == 0)
        return show(ctx);
    if (strcmp(ctx->operands[0], "refresh") != 0)
        return command_usage_error(ctx, "the only action is refresh, not \"%s\"", ctx->operands[0]);
    ctx->file = ctx->operands[1];
    if (!ctx->file && ctx->regions.count)
        return command_usage_error(ctx, "--region goes with a FILE");
    if (ctx->file)
        status = command_load(ctx, true, &deployment);
    if (status)
        return status;
    refresh.deployment = deployment;
    /* For what stays of it. A list that cannot be read fails when it is to be written. */
    if (deployment) {
        struct error err;
        (void)!price_list_load_cache(&err);
    }
    return refresh_all(&refresh);
}

static const struct command_flag flags[] = {
    {"--provider", "aws|gcp|azure", "only this cloud; may be repeated"},
    {"--timeout", "S", "seconds that one cloud's lists may take (default: 1800)"},
    {NULL, NULL, NULL},
};

const struct command command_prices = {
    .name = "prices",
    .operands = "[refresh [FILE]]",
    .summary = "Shows the price lists, and reads the clouds' own",
    .details =
        "Alone it tells where the cache is, and how many prices of what age there are.\n`refresh` reads the "
        "clouds' public lists into the cache, from where `cost` takes them: with FILE for the places and "
        "types that it uses, and what else the cache holds stays; without FILE for all that this program "
        "knows, which of AWS's lists are some GB.\nAWS and Azure give their lists to everybody. Google wants "
        "an API key that is good for the Cloud Billing API, in GOOGLE_API_KEY; without it Google is "
        "skipped.\nA cloud's list is replaced only when all of it was read. What the answers do not hold is "
        "named, "
        "and keeps the price it had. Exit status 0 when all were, 1 "
        "when one failed, 77 when one was skipped for want of a key.\nFRAISEQL_PRICES_AWS_URL, "
        "FRAISEQL_PRICES_GCP_URL and FRAISEQL_PRICES_AZURE_URL name other places that give the same lists.",
    .max_operands = 2,
    .flags = flags,
    .run = run,
};
