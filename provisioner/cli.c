#include "provisioner/cli.h"

#include "lib/core/str.h"
#include "provisioner/command.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] = "Usage: fraiseql deploy [VERB] FILE [OPTION]...\n"
                            "       fraiseql help | version\n"
                            "       fraiseql COMMAND ...      any other command is run by fraiseql-cli\n"
                            "\n"
                            "`fraiseql deploy --help` lists the verbs. Exit status: 0 done, 1 failure, 64 "
                            "usage, see there for more.\n";

static bool is_verb(const char *word)
{
    for (const struct command *const *command = command_table; *command; command++) {
        if (strcmp((*command)->name, word) == 0)
            return true;
    }
    return false;
}

static int hand_over(char **argv)
{
    const char *word = argv[1];
    argv[0] = (char *)"fraiseql-cli";
    (void)execvp(argv[0], argv);
    if (is_verb(word))
        (void)fprintf(stderr, "fraiseql: unknown command \"%s\": did you mean `fraiseql deploy %s`?\n", word,
                      word);
    else
        (void)fprintf(stderr, "fraiseql: \"%s\" is a command of fraiseql-cli, which is not on the PATH%s\n",
                      word, errno == EACCES ? " (permission denied)" : "");
    return EX_USAGE;
}

/* A file that is opened must not become one of these where they were closed: what is printed would go into
 * it. Each is opened the wrong way around, so that using it fails. */
static void keep_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
    }
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(usage, stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(usage, stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)puts("fraiseql " FRAISEQL_VERSION);
        return EX_OK;
    }
    if (strcmp(argv[1], "deploy") == 0)
        return command_run(argc - 2, argv + 2);
    return hand_over(argv);
}

int cli_run(int argc, char **argv)
{
    keep_streams();
    int status = run(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 && errno != EPIPE && status == EX_OK) {
        perror("fraiseql: error: cannot write to standard output");
        return 1;
    }
    return status;
}
