/* The command line of `fraiseql`. One word is ours, `deploy`; `help` and `version` speak of both; every other
 * word belongs to the upstream project's fraiseql-cli and is handed to it when it is on the PATH. */
#ifndef FRAISEQL_PROVISIONER_CLI_H
#define FRAISEQL_PROVISIONER_CLI_H

/* The exit status: 0, 1 failure, 64 usage. Does not return when fraiseql-cli takes over. */
int cli_run(int argc, char **argv);

#endif
