#include "supervisor/supervisor.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "run") == 0)
        return supervise(argv[2], argv[3]);
    if (argc == 6 && strcmp(argv[1], "control") == 0 && strcmp(argv[3], "signal") == 0)
        return control_signal(argv[2], argv[4], argv[5]);
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "control") == 0)
        return control(argv[2], argv[3], argc == 5 ? argv[4] : NULL);
    (void)fprintf(stderr,
                  "usage: fraiseql-supervisor run RUN_FOLDER PROCESS_FOLDER\n"
                  "       fraiseql-supervisor control RUN_FOLDER "
                  "ping|status|up|start|stop|restart|forget|retire|end [NAME]\n"
                  "       fraiseql-supervisor control RUN_FOLDER signal NAME HUP|USR1|USR2|INT|TERM|QUIT\n");
    return 64;
}
