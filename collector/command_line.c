#include "collector/command_line.h"

#include "lib/core/str.h"
#include "version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char usage[] =
    "Usage: fraiseql-collector --config FILE [--check] [--log-level LEVEL] [--log-format FORMAT]\n"
    "       fraiseql-collector cost --config FILE [--json]\n"
    "       fraiseql-collector --help | --version\n"
    "\n"
    "Scrapes databases and endpoints, receives OTLP, serves /metrics, computes error budgets, notifies.\n"
    "\n"
    "  -c, --config FILE      configuration (YAML); see docs/configuration.md\n"
    "      --check            read and check the configuration, print what is wrong, and end\n"
    "      --log-level LEVEL  debug, info, warn or error; over collector.log.level\n"
    "      --log-format FORM  logfmt or json; over collector.log.format\n"
    "      --print-schema     print the JSON Schema of the configuration\n"
    "      --print-reference  print the reference of the configuration in Markdown\n"
    "  -h, --help             print this text\n"
    "  -V, --version          print the version\n"
    "\n"
    "cost prints what the calls to cloud APIs of the configuration will cost a month, before any is made.\n"
    "SIGHUP reads the configuration again; an invalid one is refused and the old one goes on.\n"
    "SIGTERM and SIGINT end the collector within 5 seconds.\n"
    "Exit status: 0 done, 1 failure, 64 usage, 65 configuration.\n";

enum { OPTION_CHECK = 1000, OPTION_LEVEL, OPTION_FORMAT, OPTION_SCHEMA, OPTION_REFERENCE, OPTION_JSON };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"log-format", required_argument, NULL, OPTION_FORMAT},
    {"print-schema", no_argument, NULL, OPTION_SCHEMA},
    {"print-reference", no_argument, NULL, OPTION_REFERENCE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void finish(struct command_line *line, int status)
{
    line->command = COMMAND_DONE;
    line->status = status;
}

static int choose(struct command_line *line, const char *const *choices, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(optarg, choices[i]) == 0)
            return (int)i;
    }
    const char *nearest = str_nearest(optarg, choices, count);
    (void)fprintf(stderr, "fraiseql-collector: unknown %s \"%s\"", what, optarg);
    if (nearest)
        (void)fprintf(stderr, ": did you mean \"%s\"?", nearest);
    (void)fputs("; allowed are", stderr);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "%s %s", i ? "," : "", choices[i]);
    (void)fputc('\n', stderr);
    finish(line, EX_USAGE);
    return -1;
}

static void take(int option, struct command_line *line)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"logfmt", "json"};
    switch (option) {
    case 'c':
        line->config = optarg;
        break;
    case OPTION_CHECK:
        line->command = COMMAND_CHECK;
        break;
    case OPTION_LEVEL:
        line->log_level = choose(line, levels, ARRAY_LEN(levels), "log level");
        break;
    case OPTION_FORMAT:
        line->log_format = choose(line, formats, ARRAY_LEN(formats), "log format");
        break;
    case OPTION_JSON:
        line->json = true;
        break;
    case OPTION_SCHEMA:
        line->command = COMMAND_SCHEMA;
        break;
    case OPTION_REFERENCE:
        line->command = COMMAND_REFERENCE;
        break;
    case 'h':
        (void)fputs(usage, stdout);
        finish(line, EX_OK);
        break;
    case 'V':
        (void)puts("fraiseql-collector " FRAISEQL_VERSION);
        finish(line, EX_OK);
        break;
    default:
        (void)fputs("Try 'fraiseql-collector --help'.\n", stderr);
        finish(line, EX_USAGE);
        break;
    }
}

void command_line_parse(int argc, char **argv, struct command_line *ret_line)
{
    *ret_line = (struct command_line){.command = COMMAND_RUN, .log_level = -1, .log_format = -1};
    optind = 1;
    int option;
    while (ret_line->command != COMMAND_DONE &&
           (option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1)
        take(option, ret_line);
    if (ret_line->command == COMMAND_DONE)
        return;
    bool runs = ret_line->command == COMMAND_RUN, needs_config = runs || ret_line->command == COMMAND_CHECK;
    if (runs && optind < argc && strcmp(argv[optind], "cost") == 0) {
        ret_line->command = COMMAND_COST;
        optind++;
    }
    if (optind < argc) {
        (void)fprintf(stderr,
                      "fraiseql-collector: unexpected argument \"%s\"\nTry 'fraiseql-collector --help'.\n",
                      argv[optind]);
        finish(ret_line, EX_USAGE);
    } else if (ret_line->json && ret_line->command != COMMAND_COST) {
        (void)fputs("fraiseql-collector: --json belongs to cost\nTry 'fraiseql-collector --help'.\n", stderr);
        finish(ret_line, EX_USAGE);
    } else if (needs_config && !ret_line->config) {
        (void)fputs("fraiseql-collector: --config FILE is missing\nTry 'fraiseql-collector --help'.\n",
                    stderr);
        finish(ret_line, EX_USAGE);
    }
}
