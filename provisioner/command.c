#include "provisioner/command.h"

#include "lib/core/str.h"
#include "provisioner/terminal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

const struct command_flag command_common_flags[] = {
    {"--json", NULL, "JSON lines on standard output, the first a version record, the last a result"},
    {"--region", "NAME", "only this region; may be repeated"},
    {"--yes", NULL, "ask nothing"},
    {"--dry-run", NULL, "show what would be done and change nothing"},
    {"--no-color", NULL, "no colours, as with NO_COLOR in the environment"},
    {"--parallelism", "N", "how many regions at a time, 1 to 64 (default: all)"},
    {NULL, NULL, NULL},
};

static const struct command *find_command(const char *name)
{
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

static const struct command_flag *find_flag(const struct command *command, const char *name)
{
    for (const struct command_flag *flag = command->flags; flag && flag->name; flag++) {
        if (strcmp(flag->name, name) == 0)
            return flag;
    }
    for (const struct command_flag *flag = command_common_flags; flag->name; flag++) {
        if (strcmp(flag->name, name) == 0)
            return flag;
    }
    return NULL;
}

static const char *nearest_flag(const struct command *command, const char *name)
{
    const char *names[64];
    size_t count = 0;
    for (const struct command_flag *flag = command->flags; flag && flag->name && count < 32; flag++)
        names[count++] = flag->name;
    for (const struct command_flag *flag = command_common_flags; flag->name; flag++)
        names[count++] = flag->name;
    return str_nearest(name, names, count);
}

/* --- help
 * ----------------------------------------------------------------------------------------------------- */

static bool has_flag(const struct command_flag *flags, const char *name)
{
    for (const struct command_flag *flag = flags; flag && flag->name; flag++) {
        if (strcmp(flag->name, name) == 0)
            return true;
    }
    return false;
}

/* Those of `own` take the place of those named alike. */
static void print_flags(const struct command_flag *flags, const struct command_flag *own)
{
    enum { WIDTH = 24 };
    for (const struct command_flag *flag = flags; flag && flag->name; flag++) {
        if (!flag->help || has_flag(own, flag->name)) /* no help: for scripts of our own */
            continue;
        char left[48];
        int length = snprintf(left, sizeof left, "%s%s%s", flag->name, flag->value ? " " : "",
                              flag->value ? flag->value : "");
        (void)printf(length > WIDTH ? "  %s\n  %*s %s\n" : "  %s%*s %s\n", left,
                     length > WIDTH ? WIDTH : WIDTH - length, "", flag->help);
    }
}

/* Words in lines of at most 80 columns; a line that the text ends stays ended. */
static void print_filled(const char *text)
{
    enum { WIDTH = 80 };
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " \n");
        if (column && column + 1 + length > WIDTH) {
            (void)putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column ? " " : "", (int)length, text);
        text += length;
        if (*text == '\n') {
            (void)putchar('\n');
            column = 0;
        }
        text += *text != '\0';
    }
    (void)putchar('\n');
}

static void print_help(const struct command *command)
{
    bool bare = strcmp(command->name, "deploy") == 0;
    (void)printf("Usage: fraiseql deploy%s%s%s%s [OPTION]...\n\n%s.\n", bare ? "" : " ",
                 bare ? "" : command->name, command->operands[0] ? " " : "", command->operands,
                 command->summary);
    if (command->details) {
        (void)putchar('\n');
        print_filled(command->details);
    }
    (void)puts("\nOptions:");
    print_flags(command->flags, NULL);
    print_flags(command_common_flags, command->flags);
}

static void print_overview(void)
{
    (void)puts("Usage: fraiseql deploy [VERB] FILE [OPTION]...\n\n"
               "Without a verb, deploys what FILE describes.\n\nVerbs:");
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, "deploy") != 0)
            (void)printf("  %-12s %s\n", (*command)->name, (*command)->summary);
    }
    (void)puts("\nOptions of all verbs:");
    print_flags(command_common_flags, NULL);
    (void)puts("\n`fraiseql deploy VERB --help` tells more of one.\n"
               "Exit status: 0 done, 1 failure, 2 plan: changes pending, 64 usage, 65 configuration or "
               "contradiction,\n"
               "77 credentials, 130 interrupted.");
}

/* --- the command line
 * ----------------------------------------------------------------------------------------- */

int command_usage_error(const struct command_context *ctx, const char *format, ...)
{
    char message[1024], hint[128];
    bool bare = strcmp(ctx->command->name, "deploy") == 0;
    const char *blank = bare ? "" : " ", *name = bare ? "" : ctx->command->name;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)snprintf(hint, sizeof hint, "Try `fraiseql deploy%s%s --help`.", blank, name);
    struct buf text = BUF_INIT(4096);
    buf_printf(&text, "fraiseql deploy%s%s: %s\n%s\n", blank, name, message, hint);
    struct buf shown = BUF_INIT(8192);
    terminal_append(&shown, buf_str(&text));
    (void)fputs(buf_text(&shown), stderr);
    buf_deinit(&shown);
    buf_deinit(&text);
    output_usage(ctx->out, message, hint);
    return STATUS_USAGE;
}

static void add_region(struct command_context *ctx, const char *name)
{
    size_t count = ctx->regions.count;
    const char **items = arena_alloc(ctx->arena, (count + 1) * sizeof *items);
    if (count)
        memcpy(items, ctx->regions.items, count * sizeof *items);
    items[count] = name;
    ctx->regions.items = items;
    ctx->regions.count = count + 1;
}

/* 0, or STATUS_USAGE. */
static int take_flag(struct command_context *ctx, const struct command_flag *flag, const char *text)
{
    if (strcmp(flag->name, "--json") == 0)
        ctx->json = true;
    else if (strcmp(flag->name, "--yes") == 0)
        ctx->yes = true;
    else if (strcmp(flag->name, "--dry-run") == 0)
        ctx->dry_run = true;
    else if (strcmp(flag->name, "--no-color") == 0)
        ctx->no_color = true;
    else if (strcmp(flag->name, "--region") == 0)
        add_region(ctx, text);
    else if (strcmp(flag->name, "--parallelism") == 0) {
        uint64_t value;
        if (!str_to_u64(str_from(text), &value) || value < 1 || value > 64)
            return command_usage_error(ctx, "--parallelism takes a number from 1 to 64, not \"%s\"", text);
        ctx->parallelism = (int64_t)value;
    }
    if (ctx->value_count == COMMAND_MAX_VALUES)
        return command_usage_error(ctx, "more than %d options", COMMAND_MAX_VALUES);
    ctx->values[ctx->value_count++] = (struct command_value){flag, text};
    return 0;
}

static int unknown_flag(const struct command_context *ctx, const char *name)
{
    const char *nearest = nearest_flag(ctx->command, name);
    if (nearest)
        return command_usage_error(ctx, "unknown option \"%s\": did you mean %s?", name, nearest);
    return command_usage_error(ctx, "unknown option \"%s\"", name);
}

/* Takes argv[*at], and its value when that stands apart. */
static int parse_flag(struct command_context *ctx, int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    const char *equals = strchr(argument, '=');
    char *name = arena_strdup(
        ctx->arena, (struct str){argument, equals ? (size_t)(equals - argument) : strlen(argument)});
    const struct command_flag *flag = find_flag(ctx->command, name);
    if (!flag)
        return unknown_flag(ctx, name);
    if (!flag->value)
        return equals ? command_usage_error(ctx, "%s takes no value", name) : take_flag(ctx, flag, NULL);
    if (equals)
        return take_flag(ctx, flag, equals + 1);
    if (*at + 1 >= argc)
        return command_usage_error(ctx, "%s takes a value: %s", name, flag->value);
    return take_flag(ctx, flag, argv[++*at]);
}

static int take_operand(struct command_context *ctx, const char *text)
{
    if (ctx->command->takes_file && !ctx->file) {
        ctx->file = text;
        return 0;
    }
    if (ctx->operand_count >= ctx->command->max_operands || ctx->operand_count == COMMAND_MAX_OPERANDS)
        return command_usage_error(ctx, "unexpected argument \"%s\"", text);
    ctx->operands[ctx->operand_count++] = text;
    return 0;
}

static int parse(struct command_context *ctx, int argc, char **argv)
{
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        int status;
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
            continue;
        }
        if (!only_operands && argv[i][0] == '-' && argv[i][1])
            status = parse_flag(ctx, argc, argv, &i);
        else
            status = take_operand(ctx, argv[i]);
        if (status)
            return status;
    }
    if (ctx->command->takes_file && !ctx->file)
        return command_usage_error(ctx, "which file? Give the deployment's FILE");
    if (ctx->operand_count < ctx->command->min_operands)
        return command_usage_error(ctx, "too few arguments; it takes %s", ctx->command->operands);
    return 0;
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], word) == 0)
            return true;
    }
    return false;
}

static bool wants_help(int argc, char **argv)
{
    return has_word(argc, argv, "--help") || has_word(argc, argv, "-h");
}

/* A first word without a dot or slash that no file has the name of is most likely a verb gone wrong. */
static const char *misspelt_verb(const char *word)
{
    if (word[0] == '-' || strpbrk(word, "./") || access(word, F_OK) == 0)
        return NULL;
    const char *names[64];
    size_t count = 0;
    for (const struct command *const *command = command_table; *command && count < ARRAY_LEN(names);
         command++)
        names[count++] = (*command)->name;
    return str_nearest(word, names, count);
}

int command_run(int argc, char **argv)
{
    const struct command *command = argc > 0 ? find_command(argv[0]) : NULL;
    if (!command && (argc == 0 || wants_help(argc, argv) || strcmp(argv[0], "help") == 0)) {
        print_overview();
        return argc == 0 ? STATUS_USAGE : STATUS_OK;
    }
    int skipped = command ? 1 : 0;
    const char *meant = command ? NULL : misspelt_verb(argv[0]);
    if (!command)
        command = find_command("deploy");
    if (!meant && wants_help(argc - skipped, argv + skipped)) {
        print_help(command);
        return STATUS_OK;
    }
    /* A deployment goes on when the reader of its output goes away. */
    (void)signal(SIGPIPE, SIG_IGN);
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct output out;
    struct command_context *ctx = arena_zalloc(arena, sizeof *ctx);
    ctx->command = command;
    ctx->arena = arena;
    ctx->out = &out;
    /* What is wrong with the command line is said in JSON too, wherever --json stands in it. */
    output_init(&out, has_word(argc, argv, "--json"), has_word(argc, argv, "--no-color"));
    output_begin(&out);
    int status = meant ? command_usage_error(ctx, "there is no verb and no file \"%s\": did you mean `%s`?",
                                             argv[0], meant)
                       : parse(ctx, argc - skipped, argv + skipped);
    return output_end(&out, status ? status : command->run(ctx));
}

/* --- for the verbs
 * -------------------------------------------------------------------------------------------- */

const char *command_value(const struct command_context *ctx, const char *flag)
{
    for (size_t i = ctx->value_count; i-- > 0;) {
        if (strcmp(ctx->values[i].flag->name, flag) == 0)
            return ctx->values[i].text;
    }
    return NULL;
}

bool command_given(const struct command_context *ctx, const char *flag)
{
    for (size_t i = 0; i < ctx->value_count; i++) {
        if (strcmp(ctx->values[i].flag->name, flag) == 0)
            return true;
    }
    return false;
}

static bool is_among(const struct string_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return true;
    }
    return false;
}

bool command_selects_name(const struct command_context *ctx, const char *region)
{
    return ctx->regions.count == 0 || is_among(&ctx->regions, region);
}

bool command_selects(const struct command_context *ctx, const struct region *region)
{
    return command_selects_name(ctx, region->name);
}

const char *command_today(char text[CLOCK_RFC3339_SIZE])
{
    (void)clock_format_rfc3339(clock_wall_ns(), text);
    text[10] = '\0';
    return text;
}

static int unknown_region(const struct command_context *ctx, const struct deployment *deployment,
                          const char *name)
{
    struct buf known = BUF_INIT(64UL * 1024);
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        buf_printf(&known, "%s%s", i ? ", " : "", deployment_region(deployment, i)->name);
    int status = command_usage_error(ctx, "--region %s: %s has no region of that name; it has %s", name,
                                     deployment->path, buf_text(&known));
    buf_deinit(&known);
    return status;
}

void command_hint_init(const struct command_context *ctx, struct findings *findings)
{
    if (findings->count == 1 && strcmp(ctx->file, "-") == 0)
        finding_hint(findings, findings->items,
                     "standard input is not read: what a file deploys is kept beside it");
    else if (findings->count == 1 && access(ctx->file, F_OK) != 0)
        finding_hint(findings, findings->items, "`fraiseql deploy init %s` writes one to begin with",
                     ctx->file);
}

int command_check_regions(const struct command_context *ctx, const struct deployment *deployment,
                          const struct string_list *besides)
{
    for (size_t i = 0; i < ctx->regions.count; i++) {
        const char *name = ctx->regions.items[i];
        if (!deployment_find_region(deployment, name) && !is_among(besides, name))
            return unknown_region(ctx, deployment, name);
    }
    return STATUS_OK;
}

int command_load(struct command_context *ctx, bool lenient, struct deployment **ret_deployment)
{
    int status = command_load_file(ctx, lenient, ret_deployment);
    return status ? status : command_check_regions(ctx, *ret_deployment, &(struct string_list){0});
}

int command_load_file(struct command_context *ctx, bool lenient, struct deployment **ret_deployment)
{
    struct findings findings;
    findings_init(&findings, ctx->arena);
    struct deployment *deployment = NULL;
    int code = deployment_load(ctx->arena, ctx->file, &deployment, &findings);
    if (code)
        command_hint_init(ctx, &findings);
    output_findings(ctx->out, &findings, lenient);
    if (code || (findings.contradictions && !lenient))
        return STATUS_CONFIG;
    *ret_deployment = deployment;
    return STATUS_OK;
}
