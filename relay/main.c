#include "relay/relay.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "run") == 0)
        return relay_run(argv[2]);
    if (argc >= 4 && strcmp(argv[1], "control") == 0)
        return relay_control(argv[2], argc - 3, argv + 3);
    (void)fprintf(stderr,
                  "usage: fraiseql-relay run CONFIG\n"
                  "       fraiseql-relay control SOCKET show | cut PEER|all [out|in] | heal PEER|all |"
                  " delay PEER MICROSECONDS\n");
    return 64;
}
