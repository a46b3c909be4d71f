/* The OpenSSH client: how it is called, and what its words mean. Pure. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_SSH_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_SSH_H

#include "provisioner/self_hosted/host_url.h"

struct ssh_call {
    const struct host_url *url;
    const char *control; /* the control connection's socket */
    const char *config;  /* file for -F; NULL: the user's own */
    const char *command; /* for the far shell; NULL with `ask` */
    const char *ask;     /* for -O, "exit"; NULL: none */
};

#define SSH_ARGUMENTS_MAX 40
/* Ended by NULL; texts live in the arena. */
void ssh_arguments(const struct ssh_call *call, struct arena *arena, const char *argv[SSH_ARGUMENTS_MAX]);

/* "ops@db1:22", as messages say it. */
const char *ssh_name(const struct host_url *url, struct arena *arena);
/* ssh ended with 255: fills err from what it said. `begun`: a script was under way. ERR_AUTH where a key or a
 * person is needed, ERR_UNAVAILABLE otherwise. */
int ssh_judge(const struct host_url *url, struct str said, bool begun, struct error *err) CHECK_RESULT;

#endif
