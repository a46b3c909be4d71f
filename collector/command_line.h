/* The command line of fraiseql-collector. Apart from main.c because <getopt.h> and the option tables both own
 * the name `struct option`. */
#ifndef FRAISEQL_COLLECTOR_COMMAND_LINE_H
#define FRAISEQL_COLLECTOR_COMMAND_LINE_H

#include <stdbool.h>

enum command { COMMAND_RUN, COMMAND_CHECK, COMMAND_COST, COMMAND_SCHEMA, COMMAND_REFERENCE, COMMAND_DONE };

struct command_line {
    enum command command; /* COMMAND_DONE: all said already, leave with `status` */
    int status;           /* of sysexits.h */
    const char *config;
    bool json;                 /* of COMMAND_COST */
    int log_level, log_format; /* enum log_level, enum log_format; -1: as the configuration says */
};

/* Prints help, version and usage errors by itself. */
void command_line_parse(int argc, char **argv, struct command_line *ret_line);

#endif
