/* The verbs of `fraiseql deploy`: one file a verb in provisioner/commands/, one line in the table of
 * provisioner/command_table.c. The table gives --help, the parser of the command line, and completion.
 *
 * Exit statuses: 0 done, 1 failure, 2 plan: changes pending, 64 usage, 65 configuration or contradiction,
 * 77 credentials, 130 interrupted. */
#ifndef FRAISEQL_PROVISIONER_COMMAND_H
#define FRAISEQL_PROVISIONER_COMMAND_H

#include "lib/core/clock.h"
#include "provisioner/deployment.h"
#include "provisioner/output.h"

enum command_status {
    STATUS_OK = 0,
    STATUS_FAILURE = 1,
    STATUS_CHANGES = 2,
    STATUS_USAGE = 64,
    STATUS_CONFIG = 65,
    STATUS_CREDENTIALS = 77,
    STATUS_INTERRUPTED = 130
};

struct command_flag {
    const char *name;  /* "--usage" */
    const char *value; /* "FILE"; NULL: takes none */
    const char *help;  /* NULL: hidden */
};

#define COMMAND_MAX_OPERANDS 8
#define COMMAND_MAX_VALUES   64

struct command_value {
    const struct command_flag *flag;
    const char *text; /* NULL for a flag without a value */
};

struct command;

struct command_context {
    const struct command *command;
    struct arena *arena; /* freed after the command */
    struct output *out;
    const char *file;                           /* NULL when the command takes none or none was given */
    const char *operands[COMMAND_MAX_OPERANDS]; /* those after the file */
    size_t operand_count;
    struct command_value values[COMMAND_MAX_VALUES];
    size_t value_count;
    bool json, yes, dry_run, no_color;
    struct string_list regions; /* of --region, which may be repeated; empty: all */
    int64_t parallelism;        /* 0: the command's own default */
};

struct command {
    const char *name;                  /* "cost"; "deploy" for the command without a verb */
    const char *operands;              /* "FILE", "FILE --to REGION", "bash|zsh|fish" */
    const char *summary;               /* one line */
    const char *details;               /* paragraphs for --help; NULL: none */
    bool takes_file;                   /* the first operand is the deployment's file, required */
    size_t min_operands, max_operands; /* besides the file */
    const struct command_flag *flags;  /* besides the common ones; ended by a NULL name */
    int (*run)(struct command_context *ctx);
};

/* NULL-terminated, in the order of help. */
extern const struct command *const command_table[];
extern const struct command_flag command_common_flags[]; /* ended by a NULL name */

/* argv after "deploy". Returns the exit status. */
int command_run(int argc, char **argv);

/* The text given to a flag (the last one when repeated), NULL when it was not given. */
const char *command_value(const struct command_context *ctx, const char *flag);
bool command_given(const struct command_context *ctx, const char *flag);
/* A usage error: prints it with the way to --help, returns STATUS_USAGE. */
int command_usage_error(const struct command_context *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

/* Loads ctx->file and prints what was found. 0, or the exit status to return: STATUS_CONFIG. With `lenient`
 * contradictions are warnings. Names given by --region are checked. */
int command_load(struct command_context *ctx, bool lenient, struct deployment **ret_deployment) CHECK_RESULT;
/* The two halves of it. Names in `besides` are taken although the file does not have them. */
int command_load_file(struct command_context *ctx, bool lenient, struct deployment **ret_deployment)
    CHECK_RESULT;
int command_check_regions(const struct command_context *ctx, const struct deployment *deployment,
                          const struct string_list *besides) CHECK_RESULT;
/* Where ctx->file is not there, the one finding says how to get one. */
void command_hint_init(const struct command_context *ctx, struct findings *findings);
/* True when --region was not given or names this one. */
bool command_selects_name(const struct command_context *ctx, const char *region);
bool command_selects(const struct command_context *ctx, const struct region *region);
/* The day in UTC, YYYY-MM-DD. */
const char *command_today(char text[CLOCK_RFC3339_SIZE]);

#endif
