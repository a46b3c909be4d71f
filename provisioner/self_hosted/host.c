#include "provisioner/self_hosted/host.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "provisioner/self_hosted/exec.h"
#include "provisioner/self_hosted/prelude.h"
#include "provisioner/self_hosted/ssh.h"
#include "provisioner/self_hosted/step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEFAULT_NS     (120 * NS_PER_S)
#define OPEN_NS        (30 * NS_PER_S)
#define COMMAND_MAX    (120UL * 1024) /* Linux takes 128 KiB in one argument */
#define SAID_MAX       (16UL * 1024)
#define SSH_LOST       255
#define LOCK_STATUS    75
#define TIMEOUT_STATUS 124
#define GRACE_NS       (15 * NS_PER_S) /* for `timeout` on the host to act before we do */

struct host {
    struct arena *arena;
    const char *name;
    struct host_url url; /* host NULL: this machine */
    const char *control, *config;
    bool sudo, begun;
};

/* --- what a script says
 * --------------------------------------------------------------------------------------- */

struct said {
    const struct host_script *script;
    struct buf tail;   /* its last lines */
    char failed[1024]; /* text of `fail` */
};

static void hear(void *ctx, struct str line)
{
    struct said *said = ctx;
    struct str text;
    switch (prelude_read(line, &text)) {
    case LINE_NOTE:
        if (said->script && said->script->note) {
            char note[512];
            (void)snprintf(note, sizeof note, "%.*s", STR_ARGS(text));
            said->script->note(said->script->note_ctx, note);
        }
        return;
    case LINE_FAIL:
        (void)snprintf(said->failed, sizeof said->failed, "%.*s", STR_ARGS(text));
        return;
    case LINE_PLAIN:
        break;
    }
    if (said->tail.len + line.len + 1 > SAID_MAX)
        buf_reset(&said->tail);
    buf_append_str(&said->tail, line);
    buf_append_byte(&said->tail, '\n');
}

static struct str last_lines(struct str text)
{
    unsigned lines = 0;
    text = str_trim(text);
    for (size_t i = text.len; i > 0; i--) {
        if (text.ptr[i - 1] == '\n' && ++lines == 3)
            return (struct str){text.ptr + i, text.len - i};
    }
    return text;
}

static void explain(const struct host *host, struct said *said, int status, struct error *err)
{
    struct str tail = last_lines(buf_str(&said->tail));
    if (said->failed[0])
        (void)error_set(err, ERR_PEER, "%s", said->failed);
    else if (status == LOCK_STATUS)
        (void)error_set(err, ERR_CONFLICT,
                        "%s: another run, or what a killed one left, is still at work there", host->name);
    else if (status == TIMEOUT_STATUS)
        (void)error_set(err, ERR_TIMEOUT, "it did not end in time and was killed");
    else if (tail.len)
        (void)error_set(err, ERR_PEER, "%.*s", STR_ARGS(tail));
    else
        (void)error_set(err, ERR_PEER, "it ended with status %d", status);
}

/* --- running
 * ------------------------------------------------------------------------------------------------- */

static const char *command_of(const struct host *host, const struct host_script *script, int64_t timeout_ns,
                              struct arena *arena)
{
    const char *text = step_quote(arena, prelude_script(arena, script->text, script->netns));
    long long seconds = (timeout_ns + NS_PER_S - 1) / NS_PER_S;
    const char *lock = script->lock ? arena_printf(arena, "flock -o -w %lld -E %d %s ", seconds / 2 + 1,
                                                   LOCK_STATUS, step_quote(arena, script->lock))
                                    : "";
    return arena_printf(arena, "%stimeout -k 5 %lld %ssh -c %s", host->sudo ? "sudo -n " : "", seconds, lock,
                        text);
}

static int run_command(struct host *host, const char *command, struct exec_request *request, int *ret_status,
                       struct error *err)
{
    struct said *said = request->ctx;
    const char *argv[SSH_ARGUMENTS_MAX] = {"/bin/sh", "-c", command, NULL};
    CLEANUP(arena_free_cleanup) struct arena *arena = arena_new(0);
    struct ssh_call call = {
        .url = &host->url, .control = host->control, .config = host->config, .command = command};
    if (host->url.host)
        ssh_arguments(&call, arena, argv);
    request->argv = argv;
    request->line = hear;
    int code = exec_run(request, ret_status, err);
    if (!code && host->url.host && *ret_status == SSH_LOST)
        code = ssh_judge(&host->url, buf_str(&said->tail), host->begun, err);
    return code;
}

int host_run(struct host *host, const struct host_script *script, struct buf *out, int *ret_status,
             struct error *err)
{
    CLEANUP(arena_free_cleanup) struct arena *arena = arena_new(0);
    int64_t timeout_ns = script->timeout_ns ? script->timeout_ns : DEFAULT_NS;
    struct said said = {.script = script, .tail = BUF_INIT(2 * SAID_MAX)};
    const char *command = command_of(host, script, timeout_ns, arena);
    if (strlen(command) > COMMAND_MAX)
        return error_set(err, ERR_LIMIT, "%s: a script of %zu bytes is more than goes into one command",
                         host->name, strlen(command));
    struct exec_request request = {.input = script->input,
                                   .deadline_mono_ns = clock_mono_ns() + timeout_ns + GRACE_NS,
                                   .out = out,
                                   .ctx = &said};
    int code = run_command(host, command, &request, ret_status, err);
    if (!code && *ret_status)
        explain(host, &said, *ret_status, err);
    if (!code && out && out->failed)
        code =
            error_set(err, ERR_LIMIT, "%s: a script's output is more than %zu bytes", host->name, out->max);
    buf_deinit(&said.tail);
    return code;
}

int host_do(struct host *host, const struct host_script *script, struct buf *out, struct error *err)
{
    int status = 0;
    int code = host_run(host, script, out, &status, err);
    if (code || !status)
        return code;
    return err && err->code ? err->code : ERR_PEER;
}

int host_put(struct host *host, const char *path, struct str content, unsigned mode, const char *owner,
             struct error *err)
{
    CLEANUP(arena_free_cleanup) struct arena *arena = arena_new(0);
    const char *quoted = step_quote(arena, path);
    const char *text =
        arena_printf(arena,
                     "to=%s\nmkdir -p \"${to%%/*}\"\numask 077\ntemporary=\"$to.fraiseql-$$\"\n"
                     "trap 'rm -f \"$temporary\"' EXIT\ncat > \"$temporary\"\n"
                     "chown %s \"$temporary\"\nchmod %o \"$temporary\"\nsync \"$temporary\"\n"
                     "mv -f \"$temporary\" \"$to\"\n",
                     quoted, step_quote(arena, owner), mode);
    const struct host_script script = {.text = text, .input = content};
    int code = host_do(host, &script, NULL, err);
    return code ? error_prefix(err, "%s: cannot put %s", host->name, path) : 0;
}

int host_get(struct host *host, const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
    CLEANUP(arena_free_cleanup) struct arena *arena = arena_new(0);
    const char *quoted = step_quote(arena, path);
    const struct host_script script = {.text = arena_printf(arena, "[ -e %s ] || exit 44\nhead -c %zu < %s\n",
                                                            quoted, max_bytes + 1, quoted)};
    int status = 0;
    int code = host_run(host, &script, out, &status, err);
    if (code)
        return code;
    if (status == 44)
        return error_set_errno(err, ENOENT, "%s: there is no %s", host->name, path);
    if (status)
        return error_prefix(err, "%s: cannot read %s", host->name, path);
    if (out->len > max_bytes)
        return error_set(err, ERR_LIMIT, "%s: %s is more than %zu bytes", host->name, path, max_bytes);
    return 0;
}

/* --- opening
 * ------------------------------------------------------------------------------------------------- */

/* "x86_64 sudo": what it is, and how we become root there. */
static int judge_greeting(struct host *host, struct str answer, struct error *err)
{
    struct utsname own;
    const char *space = memchr(answer.ptr, ' ', answer.len);
    struct str machine = {answer.ptr, space ? (size_t)(space - answer.ptr) : answer.len};
    host->sudo = str_ends(answer, STR(" sudo"));
    if (!host->sudo && !str_ends(answer, STR(" root"))) {
        (void)error_set(err, ERR_AUTH, "%s: we are not root there, and `sudo -n` does not make us root",
                        host->name);
        error_set_hint(err, host->url.host ? "Log in as root, or give the user a NOPASSWD line in sudoers"
                                           : "Run this as root, or give the user a NOPASSWD line in sudoers");
        return ERR_AUTH;
    }
    if (uname(&own) == 0 && !str_equal_text(machine, own.machine))
        return error_set(err, ERR_CONFIG,
                         "%s: its machine is %.*s, and the programs that are brought along are of %s",
                         host->name, STR_ARGS(machine), own.machine);
    return 0;
}

static int greet(struct host *host, struct error *err)
{
    static const char command[] =
        "if [ \"$(id -u)\" = 0 ]; then who=root; elif sudo -n true 2>/dev/null; then who=sudo; "
        "else who=none; fi; echo \"$(uname -m) $who\"";
    struct buf out = BUF_INIT(64UL * 1024);
    struct said said = {.tail = BUF_INIT(2 * SAID_MAX)};
    struct exec_request request = {.deadline_mono_ns = clock_mono_ns() + OPEN_NS, .out = &out, .ctx = &said};
    int status = 0;
    int code = run_command(host, command, &request, &status, err);
    if (!code && status) {
        explain(host, &said, status, err);
        code = error_prefix(err, "%s: no command can be run there", host->name);
    }
    /* A greeting of the login shell's may come before it. */
    struct str answer = str_trim(buf_str(&out));
    for (size_t i = answer.len; i > 0; i--) {
        if (answer.ptr[i - 1] == '\n') {
            answer = (struct str){answer.ptr + i, answer.len - i};
            break;
        }
    }
    if (!code)
        code = judge_greeting(host, answer, err);
    buf_deinit(&out);
    buf_deinit(&said.tail);
    host->begun = !code;
    return code;
}

int host_open(const char *url, const char *control_folder, struct host **ret, struct error *err)
{
    struct arena *arena = arena_new(0);
    struct host *host = arena_zalloc(arena, sizeof *host);
    host->arena = arena;
    int code = host_url_parse(url, arena, &host->url, err);
    if (!code) {
        host->name = host->url.host ? ssh_name(&host->url, arena) : "local";
        /* %C is a hash of all that tells connections apart. */
        host->control = arena_printf(arena, "%s/%%C", control_folder);
        host->config = env_get("FRAISEQL_SSH_CONFIG");
        code = greet(host, err);
    }
    if (code) {
        host_close(host);
        return code;
    }
    *ret = host;
    return 0;
}

void host_close(struct host *host)
{
    if (host->begun && host->url.host) {
        const char *argv[SSH_ARGUMENTS_MAX];
        int status;
        struct ssh_call call = {
            .url = &host->url, .control = host->control, .config = host->config, .ask = "exit"};
        ssh_arguments(&call, host->arena, argv);
        struct exec_request request = {.argv = argv, .deadline_mono_ns = clock_mono_ns() + 5 * NS_PER_S};
        int code = exec_run(&request, &status, NULL);
        (void)code; /* it ends by itself a little later */
    }
    arena_free(host->arena);
}

const char *host_name(const struct host *host)
{
    return host->name;
}
