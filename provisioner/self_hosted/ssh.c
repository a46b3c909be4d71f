#include "provisioner/self_hosted/ssh.h"

#include <stdio.h>

static bool says(struct str said, const char *words)
{
    return said.len && memmem(said.ptr, said.len, words, strlen(words)) != NULL;
}

const char *ssh_name(const struct host_url *url, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s:%u", url->user ? url->user : "", url->user ? "@" : "", url->host,
                        url->port ? url->port : 22U);
}

void ssh_arguments(const struct ssh_call *call, struct arena *arena, const char *argv[SSH_ARGUMENTS_MAX])
{
    /* A dead peer is noticed after 15 s; a killed deployer's control connection ends itself. */
    static const char *const fixed[] = {"ssh", "-T",
                                        "-o",  "BatchMode=yes",
                                        "-o",  "ControlMaster=auto",
                                        "-o",  "ControlPersist=30",
                                        "-o",  "ConnectTimeout=10",
                                        "-o",  "ServerAliveInterval=5",
                                        "-o",  "ServerAliveCountMax=3",
                                        "-o",  "ForwardAgent=no",
                                        "-o",  "ForwardX11=no",
                                        "-o",  "LogLevel=INFO",
                                        "-o",  "EscapeChar=none"};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        argv[count++] = fixed[i];
    argv[count++] = "-o";
    argv[count++] = arena_printf(arena, "ControlPath=%s", call->control);
    if (call->config) {
        argv[count++] = "-F";
        argv[count++] = call->config;
    }
    if (call->url->port) {
        argv[count++] = "-p";
        argv[count++] = arena_printf(arena, "%u", (unsigned)call->url->port);
    }
    if (call->url->user) {
        argv[count++] = "-l";
        argv[count++] = call->url->user;
    }
    if (call->ask) {
        argv[count++] = "-O";
        argv[count++] = call->ask;
    }
    argv[count++] = "--";
    argv[count++] = call->url->host;
    if (!call->ask)
        argv[count++] = call->command;
    argv[count] = NULL;
}

static const char *known_name(const struct host_url *url, char text[300])
{
    if (url->port && url->port != 22)
        (void)snprintf(text, 300, "[%s]:%u", url->host, (unsigned)url->port);
    else
        (void)snprintf(text, 300, "%s", url->host);
    return text;
}

static int host_key(const struct host_url *url, const char *name, struct str said, struct error *err)
{
    char known[300];
    unsigned port = url->port ? url->port : 22;
    if (says(said, "IDENTIFICATION HAS CHANGED")) {
        (void)error_set(err, ERR_AUTH,
                        "%s: its host key is not the one that is known; nothing was sent to it", name);
        error_set_hint(
            err, "Find out why. If the machine was made anew: ssh-keygen -R '%s', then log in once by ssh",
            known_name(url, known));
        return ERR_AUTH;
    }
    (void)error_set(err, ERR_AUTH, "%s: its host key is not known here", name);
    error_set_hint(err, "Compare and accept it once: ssh -p %u %s%s%s", port, url->user ? url->user : "",
                   url->user ? "@" : "", url->host);
    return ERR_AUTH;
}

/* The last line that is no decoration. */
static struct str last_line(struct str said)
{
    said = str_trim(said);
    struct str line = said;
    for (size_t i = 0; i < said.len; i++) {
        if (said.ptr[i] == '\n')
            line = (struct str){said.ptr + i + 1, said.len - i - 1};
    }
    return line;
}

int ssh_judge(const struct host_url *url, struct str said, bool begun, struct error *err)
{
    static const char *const gone[] = {"Connection refused", "timed out", "No route to host",
                                       "Network is unreachable", "Could not resolve"};
    char name[400];
    struct str last = last_line(said);
    (void)snprintf(name, sizeof name, "%s%s%s:%u", url->user ? url->user : "", url->user ? "@" : "",
                   url->host, url->port ? url->port : 22U);
    if (says(said, "Host key verification failed"))
        return host_key(url, name, said, err);
    if (says(said, "Permission denied")) {
        (void)error_set(err, ERR_AUTH, "%s does not let us in", name);
        error_set_detail(err, "%.*s", STR_ARGS(last));
        error_set_hint(err,
                       "A key that it knows must be in an agent or a file of ssh's; passwords are not asked "
                       "for");
        return ERR_AUTH;
    }
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        if (!says(said, gone[i]))
            continue;
        (void)error_set(err, ERR_UNAVAILABLE, "%s cannot be reached", name);
        error_set_detail(err, "%.*s", STR_ARGS(last));
        return ERR_UNAVAILABLE;
    }
    (void)error_set(err, ERR_UNAVAILABLE,
                    begun ? "the connection to %s was lost" : "%s cannot be worked on by ssh", name);
    error_set_detail(err, "%.*s", STR_ARGS(last));
    if (begun)
        error_set_hint(err, "Deploy again: what was under way is done again, what was done is not");
    return ERR_UNAVAILABLE;
}
