/* `fraiseql deploy credentials FILE`: asks each region's cloud who we are and what we may do. */
#include "provisioner/run/credentials.h"
#include "lib/core/clock.h"
#include "provisioner/commands/commands.h"
#include "provisioner/run/at_once.h"

#define WAIT_DEFAULT_S 30U
#define WAIT_MAX_S     3600U

struct asking {
    struct command_context *ctx;
    const struct deployment *deployment;
    const struct region **regions;
    struct credential_answer *answers;
    struct arena **arenas;
    size_t count;
    int64_t deadline_mono_ns;
};

static void ask(void *ctx, size_t i)
{
    struct asking *asking = ctx;
    credential_ask(asking->deployment, asking->regions[i], asking->deadline_mono_ns, asking->arenas[i],
                   &asking->answers[i]);
}

/* --- showing ------------------------------------------------------------------------------------------- */

static const struct {
    const char *mark;
    enum output_style style;
} marks[] = {
    [CREDENTIALS_OK] = {"[\u2713]", STYLE_GOOD},     [CREDENTIALS_LACKING] = {"[\u2717]", STYLE_BAD},
    [CREDENTIALS_REFUSED] = {"[\u2717]", STYLE_BAD}, [CREDENTIALS_UNKNOWN] = {"[!]", STYLE_WARN},
    [CREDENTIALS_UNASKED] = {"[!]", STYLE_DIM},
};

/* Many are nothing to read one by one: the mend names what has them. */
static void show_missing(const struct output *out, const struct string_list *missing)
{
    if (missing->count > CREDENTIALS_LISTED_MAX) {
        output_printf(out, "      --json lists all %zu\n", missing->count);
        return;
    }
    for (size_t i = 0; i < missing->count; i++)
        output_printf(out, "      %s\n", missing->items[i]);
}

static void show(const struct output *out, const struct credential_answer *answers, size_t count)
{
    int name = 0, title = 0;
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(answers[i].region->name);
        name = length > name ? length : name;
        length = (int)strlen(answers[i].region->provider->title);
        title = length > title ? length : title;
    }
    for (size_t i = 0; i < count; i++) {
        const struct credential_check *check = &answers[i].check;
        /* What was not checked is no tick. */
        bool doubtful = answers[i].state == CREDENTIALS_OK && check->note;
        enum credential_state state = doubtful ? CREDENTIALS_UNKNOWN : answers[i].state;
        output_printf(out, "%s%s%s %-*s  %-*s  %s\n", output_style(out, marks[state].style),
                      marks[state].mark, output_style(out, STYLE_PLAIN), name, answers[i].region->name, title,
                      answers[i].region->provider->title,
                      check->identity ? check->identity : credential_state_text(answers[i].state));
        if (check->problem)
            output_printf(out, "    %s\n", check->problem);
        show_missing(out, &check->missing);
        if (check->mend && check->mend[0])
            output_printf(out, "    mend: %s\n", check->mend);
        if (check->note)
            output_printf(out, "    note: %s\n", check->note);
    }
}

static int status_of(const struct credential_answer *answers, size_t count)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        if (answers[i].state == CREDENTIALS_REFUSED || answers[i].state == CREDENTIALS_LACKING)
            return STATUS_CREDENTIALS;
        if (answers[i].state == CREDENTIALS_UNKNOWN)
            status = STATUS_FAILURE;
    }
    return status;
}

/* --- the verb ------------------------------------------------------------------------------------------ */

static int wait_given(const struct command_context *ctx, uint64_t *ret_seconds)
{
    const char *text = command_value(ctx, "--timeout");
    *ret_seconds = WAIT_DEFAULT_S;
    if (!text || (str_to_u64(str_from(text), ret_seconds) && *ret_seconds >= 1 && *ret_seconds <= WAIT_MAX_S))
        return STATUS_OK;
    return command_usage_error(ctx, "--timeout takes seconds from 1 to %u, not \"%s\"", WAIT_MAX_S, text);
}

static void choose(struct asking *asking)
{
    size_t count = deployment_region_count(asking->deployment);
    struct arena *arena = asking->ctx->arena;
    asking->regions = arena_zalloc(arena, (count + 1) * sizeof *asking->regions);
    asking->answers = arena_zalloc(arena, (count + 1) * sizeof *asking->answers);
    asking->arenas = arena_zalloc(arena, (count + 1) * sizeof(struct arena *));
    for (size_t i = 0; i < count; i++) {
        const struct region *region = deployment_region(asking->deployment, i);
        if (!command_selects(asking->ctx, region))
            continue;
        asking->arenas[asking->count] = arena_new(0);
        asking->regions[asking->count++] = region;
    }
}

static int run(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct asking asking = {.ctx = ctx};
    uint64_t seconds;
    int status = wait_given(ctx, &seconds);
    if (!status)
        status = command_load(ctx, true, &deployment);
    if (status)
        return status;
    asking.deployment = deployment;
    asking.deadline_mono_ns = clock_mono_ns() + (int64_t)seconds * NS_PER_S;
    choose(&asking);
    at_once(asking.count, ctx->parallelism, ask, &asking);
    if (!ctx->json)
        show(ctx->out, asking.answers, asking.count);
    credential_record(ctx->out, asking.answers, asking.count);
    status = status_of(asking.answers, asking.count);
    for (size_t i = 0; i < asking.count; i++)
        arena_free(asking.arenas[i]);
    return status;
}

static const struct command_flag flags[] = {
    {"--timeout", "SECONDS", "how long all of it may take (default 30)"},
    {NULL, NULL, NULL},
};

const struct command command_credentials = {
    .name = "credentials",
    .operands = "FILE",
    .summary = "Asks each cloud who we are and what we may do",
    .details =
        "Looks for credentials where the cloud's own tools do, asks the cloud whose they are, and what of "
        "all that a deployment does they may do: AWS by IAM's simulation, Google Cloud by the permissions in "
        "the project, Azure by the roles in the subscription. Nothing is changed. What could not be checked "
        "is "
        "said. Quotas are not looked at. Exit status 77 when a region's credentials are missing, refused or "
        "lack a permission; 1 when a cloud could not be asked.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
