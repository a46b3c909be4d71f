/* `fraiseql deploy completion bash|zsh|fish`: from the table of verbs and their flags. Names of regions come
 * from the file on the command line, by the hidden --regions; init, which makes the file, gets the places
 * that there are by the hidden --places. */
#include "provisioner/catalog/catalog.h"
#include "provisioner/commands/commands.h"
#include "provisioner/provider.h"

#include <stdio.h>

#define SCRIPT_MAX_BYTES (256UL * 1024)

static void write_flag_names(struct buf *out, const struct command_flag *flags)
{
    for (; flags && flags->name; flags++) {
        if (flags->help)
            buf_printf(out, " %s", flags->name);
    }
}

static bool takes_files(const struct command_flag *flag)
{
    return flag->value && (strcmp(flag->value, "FILE") == 0 || strcmp(flag->value, "DIR") == 0 ||
                           strcmp(flag->value, "OTHER.yaml") == 0 || strcmp(flag->value, "OLD.yaml") == 0);
}

#define WORDS "abcdefghijklmnopqrstuvwxyz0123456789|"

/* "text|json|sarif" as "text json sarif"; false when it is no list of words. */
static bool write_choices(struct buf *out, const char *value)
{
    size_t length = value ? strspn(value, WORDS) : 0;
    if (!length || !memchr(value, '|', length) || (value[length] && value[length] != ' '))
        return false;
    for (size_t i = 0; i < length; i++)
        buf_append_byte(out, value[i] == '|' ? ' ' : value[i]);
    return true;
}

/* The first operand: "show|migrate FILE", and "[refresh [FILE]]", whose one word may be left out. */
static bool write_operand_choices(struct buf *out, const char *operands)
{
    size_t length = operands && *operands == '[' ? strspn(operands + 1, WORDS) : 0;
    if (!length)
        return write_choices(out, operands);
    buf_append(out, operands + 1, length);
    return true;
}

/* What --region takes is a new region's place, not the name of one in a file. */
static bool makes_regions(const struct command_flag *flag)
{
    return flag->value && strcmp(flag->name, "--region") == 0 && strchr(flag->value, '=');
}

static void write_verbs(struct buf *out)
{
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, "deploy") != 0)
            buf_printf(out, " %s", (*command)->name);
    }
}

/* "--usage|--out": flags after which a file follows, or another value. */
static void write_valued(struct buf *out, bool files)
{
    size_t mark = out->len;
    for (const struct command *const *command = command_table; *command; command++) {
        for (const struct command_flag *flag = (*command)->flags; flag && flag->name; flag++) {
            if (flag->value && flag->help && takes_files(flag) == files &&
                strcmp(flag->name, "--region") != 0)
                buf_printf(out, "%s%s", out->len == mark ? "" : "|", flag->name);
        }
    }
    if (!files)
        buf_printf(out, "%s--parallelism", out->len == mark ? "" : "|");
    else if (out->len == mark)
        buf_append_text(out, "--");
}

/* --- bash, and zsh by its own emulation
 * ---------------------------------------------------------------------------- */

static void write_bash_words(struct buf *out, const char *words)
{
    buf_printf(out, "COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", words);
}

static void write_bash_choices(struct buf *out)
{
    struct buf choices = BUF_INIT(SCRIPT_MAX_BYTES);
    for (const struct command *const *command = command_table; *command; command++) {
        const char *verb = (*command)->name;
        buf_reset(&choices);
        if (write_operand_choices(&choices, (*command)->operands)) {
            buf_printf(out, "        %s:%s) [[ $word == -* ]] || { ", verb, verb);
            buf_printf(out, "COMPREPLY=($(compgen -W '%s' -- \"$word\")); return; } ;;\n",
                       buf_text(&choices));
        }
        for (const struct command_flag *flag = (*command)->flags; flag && flag->name; flag++) {
            buf_reset(&choices);
            if (write_choices(&choices, flag->value)) {
                buf_printf(out, "        %s:%s) ", verb, flag->name);
                write_bash_words(out, buf_text(&choices));
            }
        }
    }
    buf_deinit(&choices);
}

/* "us=aws:us-e" comes in up to five words, as = and : break words; only what is behind the last break is
 * replaced. Where they do not, it comes in one and all of it is. */
static void write_bash_places(struct buf *out)
{
    for (const struct command *const *command = command_table; *command; command++) {
        for (const struct command_flag *flag = (*command)->flags; flag && flag->name; flag++) {
            if (makes_regions(flag))
                buf_printf(out, "    [[ ${COMP_WORDS[2]} == %s ]] && _fraiseql_place && return\n",
                           (*command)->name);
        }
    }
}

static const char bash_place[] =
    "_fraiseql_place() {\n"
    "    local whole= last=- each rest cut\n"
    "    for each in \"${COMP_WORDS[@]:3:COMP_CWORD-2}\"; do\n"
    "        if [[ $each == --region ]]; then\n"
    "            whole= last==\n"
    "        elif [[ $last == [=:] || ( $last != - && $each == [=:] ) ]]; then\n"
    "            whole+=$each last=${each:-=}\n"
    "        else\n"
    "            last=-\n"
    "        fi\n"
    "    done\n"
    "    [[ $last != - ]] || return 1\n"
    "    rest=${whole#*=}\n"
    "    [[ $whole == *=* ]] || return 0\n"
    "    COMPREPLY=($(compgen -W \"$(fraiseql deploy completion --places 2>/dev/null)\" -- \"$rest\"))\n"
    "    if [[ $COMP_WORDBREAKS == *:* && $rest == *:* ]]; then\n"
    "        cut=${rest%\"${rest##*:}\"}\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "    elif [[ $COMP_WORDBREAKS != *=* ]]; then\n"
    "        COMPREPLY=(\"${COMPREPLY[@]/#/${whole%%=*}=}\")\n"
    "    fi\n"
    "    return 0\n"
    "}\n";

static void write_bash(struct buf *out)
{
    buf_append_text(out, "# bash completion of fraiseql: source <(fraiseql deploy completion bash)\n");
    buf_append_text(out, bash_place);
    buf_append_text(
        out,
        "_fraiseql_deploy() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} file= flags each\n"
        "    COMPREPLY=()\n"
        "    if ((COMP_CWORD == 1)); then\n"
        "        COMPREPLY=($(compgen -W 'deploy help version' -- \"$word\"))\n"
        "        return\n"
        "    fi\n"
        "    [[ ${COMP_WORDS[1]} == deploy ]] || { COMPREPLY=($(compgen -f -- \"$word\")); return; }\n"
        "    for each in \"${COMP_WORDS[@]:2}\"; do\n"
        "        [[ $each != -* && -f $each ]] && { file=$each; break; }\n"
        "    done\n");
    write_bash_places(out);
    buf_append_text(out, "    case ${COMP_WORDS[2]}:$before in\n");
    write_bash_choices(out);
    buf_append_text(out,
                    "    esac\n"
                    "    case $before in\n"
                    "        --region)\n"
                    "            COMPREPLY=($(compgen -W \"$(fraiseql deploy completion --regions \"$file\" "
                    "2>/dev/null)\" -- "
                    "\"$word\"))\n"
                    "            return ;;\n        ");
    write_valued(out, true);
    buf_append_text(out,
                    ")\n            COMPREPLY=($(compgen -f -- \"$word\"))\n            return ;;\n        ");
    write_valued(out, false);
    buf_append_text(out, ")\n            return ;;\n    esac\n    case ${COMP_WORDS[2]} in\n");
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, "deploy") == 0)
            continue;
        buf_printf(out, "        %s) flags='", (*command)->name);
        write_flag_names(out, (*command)->flags);
        buf_append_text(out, "' ;;\n");
    }
    buf_append_text(out, "        *) flags='");
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, "deploy") == 0)
            write_flag_names(out, (*command)->flags);
    }
    buf_append_text(
        out, "' ;;\n    esac\n    if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W \"$flags");
    write_flag_names(out, command_common_flags);
    buf_append_text(
        out, " --help\" -- \"$word\"))\n        return\n    fi\n    COMPREPLY=($(compgen -f -- \"$word\"))\n"
             "    ((COMP_CWORD > 2)) || COMPREPLY+=($(compgen -W '");
    write_verbs(out);
    buf_append_text(out, "' -- \"$word\"))\n"
                         "    return 0\n"
                         "}\n"
                         "complete -o filenames -F _fraiseql_deploy fraiseql\n");
}

static void write_zsh(struct buf *out)
{
    buf_append_text(out, "# zsh completion of fraiseql: source <(fraiseql deploy completion zsh)\n"
                         "autoload -Uz compinit bashcompinit\n"
                         "(( $+functions[compdef] )) || compinit\n"
                         "bashcompinit\n");
    write_bash(out);
}

/* --- fish
 * ------------------------------------------------------------------------------------------------------ */

static void write_fish_text(struct buf *out, const char *text)
{
    buf_append_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_append_byte(out, '\\');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '\'');
}

static void write_fish_value(struct buf *out, const struct command_flag *flag)
{
    struct buf choices = BUF_INIT(SCRIPT_MAX_BYTES);
    buf_append_text(out, takes_files(flag) ? " -r -F" : " -x");
    if (write_choices(&choices, flag->value))
        buf_printf(out, " -a '%s'", buf_text(&choices));
    buf_deinit(&choices);
}

static void write_fish_operands(struct buf *out, const struct command *command)
{
    struct buf choices = BUF_INIT(SCRIPT_MAX_BYTES);
    if (write_operand_choices(&choices, command->operands))
        buf_printf(out,
                   "complete -c fraiseql -n '__fraiseql_verb %s; and test (count (commandline -opc)) -eq 3' "
                   "-f -a '%s'\n",
                   command->name, buf_text(&choices));
    buf_deinit(&choices);
}

static void write_fish_flags(struct buf *out, const struct command_flag *flags, const char *condition)
{
    for (; flags && flags->name; flags++) {
        if (!flags->help)
            continue;
        buf_printf(out, "complete -c fraiseql -n '%s' -l %s", condition, flags->name + 2);
        if (makes_regions(flags))
            buf_append_text(out, " -x -a '(__fraiseql_places)'");
        else if (strcmp(flags->name, "--region") == 0)
            buf_append_text(out, " -x -a '(__fraiseql_regions)'");
        else if (flags->value)
            write_fish_value(out, flags);
        buf_append_text(out, " -d ");
        write_fish_text(out, flags->help);
        buf_append_byte(out, '\n');
    }
}

static void write_fish(struct buf *out)
{
    buf_append_text(
        out, "# fish completion of fraiseql: fraiseql deploy completion fish | source\n"
             "function __fraiseql_regions\n"
             "    for word in (commandline -opc)[3..]\n"
             "        test -f $word; and fraiseql deploy completion --regions $word 2>/dev/null; and return\n"
             "    end\n"
             "end\n"
             "function __fraiseql_places\n"
             "    set -l name (string match -r '^[^=]*=' -- (commandline -ct))\n"
             "    test -n \"$name\"; or return\n"
             "    for place in (fraiseql deploy completion --places 2>/dev/null)\n"
             "        echo $name$place\n"
             "    end\n"
             "end\n"
             "function __fraiseql_verb\n"
             "    set -l words (commandline -opc)\n"
             "    test \"$words[2]\" = deploy; and test \"$words[3]\" = $argv[1]\n"
             "end\n"
             "complete -c fraiseql -n __fish_use_subcommand -f -a 'deploy help version'\n");
    const char *deploying = "__fish_seen_subcommand_from deploy";
    struct buf bare = BUF_INIT(SCRIPT_MAX_BYTES);
    buf_printf(&bare, "%s; and not __fish_seen_subcommand_from", deploying);
    write_verbs(&bare);
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, "deploy") == 0) {
            write_fish_flags(out, (*command)->flags, buf_text(&bare));
            continue;
        }
        char condition[96];
        buf_printf(out, "complete -c fraiseql -n '%s; and test (count (commandline -opc)) -eq 2' -a %s -d ",
                   deploying, (*command)->name);
        write_fish_text(out, (*command)->summary);
        buf_append_byte(out, '\n');
        (void)snprintf(condition, sizeof condition, "__fraiseql_verb %s", (*command)->name);
        write_fish_flags(out, (*command)->flags, condition);
        write_fish_operands(out, *command);
    }
    write_fish_flags(out, command_common_flags, deploying);
    buf_deinit(&bare);
}

/* --- the command
 * --------------------------------------------------------------------------------------------- */

/* Names of the regions of a file that may be half written: without a word about what is wrong with it. Only
 * names that a region may have, since shells expand what they complete. */
static void print_regions(struct command_context *ctx, const char *file)
{
    struct node *root;
    struct diag diag;
    diag_init(&diag);
    if (!yaml_load(ctx->arena, file, &root, &diag)) {
        const struct node_pair *regions = node_find(root, "regions");
        for (size_t i = 0; regions && regions->value->kind == NODE_MAPPING && i < regions->value->count;
             i++) {
            struct str name = regions->value->pairs[i].key;
            if (strspn(name.ptr, "abcdefghijklmnopqrstuvwxyz0123456789-") == name.len)
                output_printf(ctx->out, "%s\n", name.ptr);
        }
    }
    diag_deinit(&diag);
}

/* "aws:us-east-1" of every place that a region can be in; own hosts are where their owner says. */
static void print_places(const struct command_context *ctx)
{
    for (const struct provider *const *provider = provider_all(); *provider; provider++) {
        const struct location *const *locations;
        size_t count = (*provider)->refusal ? 0 : catalog_locations((*provider)->name, &locations);
        for (size_t i = 0; i < count; i++)
            output_printf(ctx->out, "%s:%s\n", (*provider)->name, locations[i]->name);
        if ((*provider)->own_hosts && !(*provider)->refusal)
            output_printf(ctx->out, "%s:here\n", (*provider)->name);
    }
}

static void put_record(const struct output *out, const char *shell, struct str text)
{
    struct buf record = BUF_INIT(2 * SCRIPT_MAX_BYTES);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "completion");
    json_kv_text(&json, "shell", shell);
    json_key(&json, "text");
    json_str(&json, text);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}

static int run(struct command_context *ctx)
{
    const char *file = command_value(ctx, "--regions");
    if (file) {
        print_regions(ctx, file);
        return STATUS_OK;
    }
    if (command_given(ctx, "--places")) {
        print_places(ctx);
        return STATUS_OK;
    }
    const char *shell = ctx->operand_count ? ctx->operands[0] : "";
    struct buf text = BUF_INIT(SCRIPT_MAX_BYTES);
    if (strcmp(shell, "bash") == 0)
        write_bash(&text);
    else if (strcmp(shell, "zsh") == 0)
        write_zsh(&text);
    else if (strcmp(shell, "fish") == 0)
        write_fish(&text);
    else
        return command_usage_error(ctx, "which shell? It takes bash, zsh or fish");
    if (ctx->json)
        put_record(ctx->out, shell, buf_str(&text));
    else
        output_text(ctx->out, buf_str(&text));
    buf_deinit(&text);
    return STATUS_OK;
}

static const struct command_flag flags[] = {
    {"--regions", "FILE", NULL}, {"--places", NULL, NULL}, {NULL, NULL, NULL}};

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .summary = "Prints a shell's completion",
    .details = "bash: source <(fraiseql deploy completion bash)\n"
               "zsh:  source <(fraiseql deploy completion zsh)\n"
               "fish: fraiseql deploy completion fish | source",
    .max_operands = 1,
    .flags = flags,
    .run = run,
};
