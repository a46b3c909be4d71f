#include "provisioner/terraform/terraform.h"

#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "lib/core/file.h"
#include "provisioner/terraform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TAIL_STEP_MS    50
#define INIT_WAIT_NS    (900 * INT64_C(1000000000))
#define READ_STEP_BYTES 65536

static int find_program(const char *wanted, struct arena *arena, struct terraform *ret, struct error *err)
{
    char path[PROCESS_PATH_MAX];
    static const char *const names[] = {"tofu", "terraform"};
    if (wanted) {
        if (!process_find(wanted, path))
            return error_set(err, ERR_UNAVAILABLE, "--tf-bin %s: there is no such program", wanted);
        ret->program = arena_strdup(arena, str_from(path));
        const char *slash = strrchr(wanted, '/');
        ret->name = slash ? slash + 1 : wanted;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!process_find(names[i], path))
            continue;
        ret->program = arena_strdup(arena, str_from(path));
        ret->name = names[i];
        return 0;
    }
    (void)error_set(err, ERR_UNAVAILABLE,
                    "neither tofu nor terraform is on the PATH, and one of them deploys");
    error_set_hint(err, "OpenTofu: https://opentofu.org/docs/intro/install; Terraform 1.6 or later: "
                        "https://developer.hashicorp.com/terraform/install; or name one with --tf-bin PATH. "
                        "validate, cost, compliance and render work without");
    return ERR_UNAVAILABLE;
}

static const char *cache_folder(struct arena *arena)
{
    const char *cache = env_get("XDG_CACHE_HOME"), *home = env_get("HOME");
    if (cache && cache[0] == '/')
        return arena_printf(arena, "%s/fraiseql", cache);
    return home && home[0] == '/' ? arena_printf(arena, "%s/.cache/fraiseql", home) : NULL;
}

int terraform_find(const char *wanted, struct arena *arena, struct terraform *ret, struct error *err)
{
    *ret = (struct terraform){0};
    int code = find_program(wanted, arena, ret, err);
    if (code)
        return code;
    const char **variables = arena_zalloc(arena, 8 * sizeof *variables);
    size_t count = 0;
    variables[count++] = "TF_IN_AUTOMATION=1";
    variables[count++] = "TF_INPUT=0";
    variables[count++] = "CHECKPOINT_DISABLE=1";
    ret->variables = variables;
    const char *cache = cache_folder(arena);
    if (!cache)
        return 0;
    const char *plugins = env_get("TF_PLUGIN_CACHE_DIR");
    if (!plugins)
        plugins = arena_printf(arena, "%s/terraform-plugins", cache);
    /* Without the folder terraform refuses to run; then it goes without a cache. */
    if (file_make_folder(cache, 0700, NULL) == 0 && file_make_folder(plugins, 0700, NULL) == 0) {
        variables[count++] = arena_printf(arena, "TF_PLUGIN_CACHE_DIR=%s", plugins);
        variables[count++] = "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1";
        ret->init_lock = arena_printf(arena, "%s/terraform-init.lock", cache);
    }
    return 0;
}

static const char *const *with_folder(const struct terraform *terraform, const char *folder,
                                      const char *const *arguments, struct arena *arena)
{
    const char **argv = arena_zalloc(arena, (TF_ARGUMENTS_MAX + 3) * sizeof *argv);
    size_t count = 0;
    argv[count++] = terraform->program;
    argv[count++] = arena_printf(arena, "-chdir=%s", folder);
    for (size_t i = 0; arguments[i] && count < TF_ARGUMENTS_MAX + 2; i++)
        argv[count++] = arguments[i];
    return argv;
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void nothing(void *arg, const struct tf_event *event)
{
    (void)arg;
    (void)event;
}

/* What was written since the last time. */
static void follow(int fd, struct tf_stream *stream, const struct tf_watch *watch)
{
    char bytes[READ_STEP_BYTES];
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0)
            return;
        tf_stream_feed(stream, (struct str){bytes, (size_t)got}, watch->event ? watch->event : nothing,
                       watch->arg);
    }
}

static void follow_to_end(struct process *process, int fd, const struct tf_watch *watch, int *ret_status)
{
    struct tf_stream stream;
    tf_stream_init(&stream);
    while (!process_wait(process, TAIL_STEP_MS, ret_status))
        follow(fd, &stream, watch);
    follow(fd, &stream, watch);
    tf_stream_end(&stream, watch->event ? watch->event : nothing, watch->arg);
    tf_stream_deinit(&stream);
}

int terraform_run(const struct terraform *terraform, const char *folder, const char *const *arguments,
                  const char *log, const struct tf_watch *watch, int *ret_status, struct error *err)
{
    static const struct tf_watch nobody = {0};
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    if (!watch)
        watch = &nobody;
    (void)rename(log, arena_printf(arena, "%s.1", log));
    CLEANUP(close_fd) int written = open(log, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLEANUP(close_fd) int read_from = open(log, O_RDONLY | O_CLOEXEC);
    if (written < 0 || read_from < 0)
        return error_set_errno(err, errno, "cannot write %s", log);
    struct process_request request = {with_folder(terraform, folder, arguments, arena), terraform->variables,
                                      written, -1};
    struct process process;
    int code = process_start(&request, &process, err);
    if (code)
        return code;
    if (watch->started)
        watch->started(watch->arg, process.pid);
    follow_to_end(&process, read_from, watch, ret_status);
    if (watch->ended)
        watch->ended(watch->arg);
    return 0;
}

int terraform_init(const struct terraform *terraform, const char *folder, const char *log,
                   const struct tf_watch *watch, int *ret_status, struct error *err)
{
    static const char *const arguments[] = {"init", "-input=false", "-no-color", NULL};
    CLEANUP(close_fd) int lock = -1;
    int64_t deadline = clock_mono_ns() + INIT_WAIT_NS;
    while (terraform->init_lock) {
        int code = file_lock(terraform->init_lock, &lock, err);
        if (code == 0)
            break;
        if (code != ERR_CONFLICT || clock_mono_ns() > deadline)
            return code;
        struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
        (void)nanosleep(&pause, NULL);
    }
    if (err)
        error_clear(err); /* of a try that found the lock taken */
    return terraform_run(terraform, folder, arguments, log, watch, ret_status, err);
}

/* "Error: ..." is what matters; box drawing and blank lines stand before it. */
static void complaint(struct str text, char *line, size_t size)
{
    const char *start = memmem(text.ptr, text.len, "Error: ", 7);
    if (start)
        text = (struct str){start + 7, text.len - (size_t)(start + 7 - text.ptr)};
    text = str_trim(text);
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    (void)snprintf(line, size, "%.*s", (int)(end ? (size_t)(end - text.ptr) : text.len),
                   text.len ? text.ptr : "");
}

int terraform_capture(const struct terraform *terraform, const char *folder, const char *const *arguments,
                      struct buf *output, struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct buf errors = BUF_INIT(1024UL * 1024);
    int status = 0;
    int code = process_capture(with_folder(terraform, folder, arguments, arena), terraform->variables, output,
                               &errors, &status, err);
    if (!code && status) {
        char line[ERROR_TEXT_MAX];
        complaint(buf_str(&errors), line, sizeof line);
        code = error_set(err, ERR_PEER, "%s %s failed: %s", terraform->name, arguments[0],
                         line[0] ? line : "it said nothing");
    }
    if (!code && output->failed)
        code = error_set(err, ERR_LIMIT, "%s %s printed more than %zu bytes", terraform->name, arguments[0],
                         output->max);
    buf_deinit(&errors);
    return code;
}
