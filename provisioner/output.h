/* What a command prints: data to standard output, what went wrong to standard error; with --json everything
 * as JSON lines on standard output, the first a version record, the last a result.
 *
 * Colours only on a terminal, never with NO_COLOR, --no-color or --json.
 * Threads: output_json() and output_text() may be called from any thread; each call is one write. */
#ifndef FRAISEQL_PROVISIONER_OUTPUT_H
#define FRAISEQL_PROVISIONER_OUTPUT_H

#include "lib/core/json.h"
#include "provisioner/finding.h"

enum output_style { STYLE_PLAIN, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_DIM, STYLE_BOLD };

struct output {
    bool json;
    bool color;     /* standard output */
    bool tty;       /* standard output is a terminal */
    unsigned width; /* of the terminal; 80 without one */
    int64_t started_mono_ns;
};

void output_init(struct output *out, bool json, bool no_color);
/* With --json: {"type":"version","format":1,"program":"fraiseql VERSION"}. */
void output_begin(struct output *out);
/* Standard output; what a terminal would act on, but our own colours, is a ? (terminal.h). */
void output_text(const struct output *out, struct str text);
void output_printf(const struct output *out, const char *format, ...) PRINTF_LIKE(2, 3);
/* As it is: what moves the cursor. Nothing of others may be in it that terminal_append() has not seen. */
void output_raw(const struct output *out, struct str text);
/* One complete record without its line end; nothing unless --json. */
void output_json(const struct output *out, struct str record);
/* Escape sequences for a style, "" without colour. STYLE_PLAIN resets. In the order of terminal_styles. */
const char *output_style(const struct output *out, enum output_style style);

/* Errors and warnings, sorted. Contradictions are errors, or warnings with `lenient`. */
void output_findings(const struct output *out, struct findings *findings, bool lenient);
/* An error that belongs to no line of the file. */
void output_error(const struct output *out, const struct error *err);
/* The record of a command line that is wrong; nothing unless --json. */
void output_usage(const struct output *out, const char *message, const char *hint);
/* {"type":"result"} with --json; returns `status`, the exit status, for `return output_end(...)`. Where
 * standard output did not take all, 1 in place of success; a reader that went away is none of that. */
int output_end(const struct output *out, int status);

/* "1m02s", "8.4s". */
#define OUTPUT_ELAPSED_MAX 32
const char *output_elapsed(int64_t ns, char text[OUTPUT_ELAPSED_MAX]);

#endif
