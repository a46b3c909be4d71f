/* fraiseql-collector: signals and exit codes. */
#include "collector/collector.h"
#include "collector/command_line.h"
#include "collector/cost_command.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "version.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define GRACE_NS (4 * NS_PER_S)

/* What all tables of the reference share. */
static const char reference_intro[] =
    "# Configuration\n\n"
    "Every key that `fraiseql-collector --config FILE` knows, section by section. `--check` reads a file, "
    "the ones it\n"
    "includes too, and prints all that is wrong with line and column; an unknown key is an error, with the "
    "nearest "
    "known\none as a suggestion. `examples/collector.yaml` is a file to start from, `collector.schema.json` "
    "the same "
    "tables for\neditors (`# yaml-language-server: $schema=collector.schema.json`).\n\n"
    "- A *duration* is a number with a unit, or several: `250ms`, `1h30m`, `30d` (ns, us, ms, s, m, h, d, "
    "w).\n"
    "- A *size* is bytes, or a number with a unit: `64MiB` (kB, MB, GB, TB are powers of 1000; KiB, MiB, "
    "GiB, TiB of "
    "1024).\n"
    "- A *secret* is never in this file: its own file is named, and `/config` and logs show `***`.\n"
    "- A change takes effect at a reload (SIGHUP, `POST /-/reload`) unless the text says that it needs a "
    "restart.\n\n"
    "This page is printed by `fraiseql-collector --print-reference`; `scripts/reference` writes it anew.\n\n";

static int print_document(enum command command)
{
    struct buf text = BUF_INIT(16 << 20);
    if (command == COMMAND_SCHEMA)
        option_write_schema(config_section(), "fraiseql-collector configuration", false, &text);
    else {
        buf_append_text(&text, reference_intro);
        option_write_markdown(config_section(), &text);
    }
    bool written = fputs(buf_text(&text), stdout) >= 0 && fflush(stdout) == 0;
    buf_deinit(&text);
    return written ? EX_OK : EXIT_FAILURE;
}

static int check(const struct command_line *line)
{
    struct diag diag;
    struct config *config = NULL;
    diag_init(&diag);
    int code = config_load(line->config, true, &config, &diag);
    diag_print(&diag, STDERR_FILENO);
    if (!code)
        (void)printf("%s: ok, %zu file%s, %zu warning%s\n", line->config, config->files_accepted,
                     PLURAL(config->files_accepted), diag.warnings, PLURAL(diag.warnings));
    (void)config_unref(config);
    diag_deinit(&diag);
    return code ? EX_DATAERR : EX_OK;
}

static int cost(const struct command_line *line)
{
    struct diag diag;
    struct config *config = NULL;
    diag_init(&diag);
    int code = config_load(line->config, true, &config, &diag);
    diag_print(&diag, STDERR_FILENO);
    if (!code) {
        struct buf text = BUF_INIT(64 << 20);
        cost_command_write(config, line->json, &text);
        if (fputs(buf_text(&text), stdout) < 0 || fflush(stdout) != 0)
            code = EXIT_FAILURE;
        buf_deinit(&text);
        (void)config_unref(config);
        diag_deinit(&diag);
        return code;
    }
    (void)config_unref(config);
    diag_deinit(&diag);
    return EX_DATAERR;
}

static void log_diag(const struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++)
        LOG_EVENT(diag->items[i].severity == DIAG_ERROR ? LOG_ERROR : LOG_WARN, "config.diagnostic",
                  LF_ERROR(&diag->items[i].error));
}

static void reload(struct collector *collector)
{
    struct diag diag;
    diag_init(&diag);
    int code = collector_reload(collector, &diag);
    log_diag(&diag);
    if (code)
        LOG_EVENT(LOG_ERROR, "config.refused", LF_TEXT("consequence", "the former configuration goes on"));
    else
        LOG_EVENT(LOG_INFO, "config.reloaded", LF_I64("warnings", diag.warnings));
    diag_deinit(&diag);
}

/* Signals are taken by this thread alone: every other one inherits a mask that blocks them. */
static void block_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static void serve(struct collector *collector, const sigset_t *signals)
{
    for (;;) {
        int taken = 0;
        if (sigwait(signals, &taken) != 0)
            continue;
        if (taken == SIGHUP) {
            reload(collector);
            continue;
        }
        LOG_EVENT(LOG_INFO, "collector.stopping", LF_TEXT("signal", taken == SIGTERM ? "SIGTERM" : "SIGINT"));
        collector_stop(collector, GRACE_NS);
        LOG_EVENT(LOG_INFO, "collector.stopped", LF_I64("pid", getpid()));
        return;
    }
}

static int run(const struct command_line *line)
{
    struct diag diag;
    struct config *config = NULL;
    diag_init(&diag);
    if (config_load(line->config, false, &config, &diag) != 0) {
        diag_print(&diag, STDERR_FILENO);
        diag_deinit(&diag);
        return EX_DATAERR;
    }
    const struct config_log *log = &config->all.collector.log;
    log_configure((enum log_level)(line->log_level >= 0 ? line->log_level : log->level),
                  (enum log_format)(line->log_format >= 0 ? line->log_format : log->format));
    log_diag(&diag);
    diag_deinit(&diag);
    sigset_t signals;
    block_signals(&signals);
    struct collector *collector;
    struct collector_overrides overrides = {line->log_level, line->log_format};
    struct error err = {0};
    int code = collector_start(config, &overrides, &collector, &err);
    (void)config_unref(config);
    if (code) {
        LOG_EVENT(LOG_ERROR, "collector.not_started", LF_ERROR(&err));
        return code == ERR_CONFIG ? EX_DATAERR : EXIT_FAILURE;
    }
    serve(collector, &signals);
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct command_line line;
    command_line_parse(argc, argv, &line);
    /* Threads hand memory to each other: more arenas than cores only spread it thin. */
    (void)mallopt(M_ARENA_MAX, 2);
    switch (line.command) {
    case COMMAND_CHECK:
        return check(&line);
    case COMMAND_COST:
        return cost(&line);
    case COMMAND_SCHEMA:
    case COMMAND_REFERENCE:
        return print_document(line.command);
    case COMMAND_RUN:
        return run(&line);
    case COMMAND_DONE:
        break;
    }
    return line.status;
}
