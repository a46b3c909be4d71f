#include "provisioner/run/run.h"

#include "lib/core/clock.h"
#include "provisioner/provider.h"
#include "provisioner/run/hosts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (20 * NS_PER_MS)

static void signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
}

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

/* With run->lock held. */
static void pass_on(struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].pid > 0)
            (void)kill(run->regions[i].pid, SIGINT);
    }
    if (run->global.pid > 0)
        (void)kill(run->global.pid, SIGINT);
}

static void take_signal(struct run *run)
{
    (void)pthread_mutex_lock(&run->lock);
    unsigned number = ++run->interrupts;
    if (number == 2)
        pass_on(run);
    (void)pthread_cond_broadcast(&run->interrupted);
    (void)pthread_mutex_unlock(&run->lock);
    run->painted_lines = 0;
    if (run->hosts)
        say(number == 1 ? "\nInterrupted: the steps in flight are finished and nothing new begun.\n"
                        : "\nThe steps in flight are being finished.\n");
    else if (number == 1)
        say("\nInterrupted: what is in flight is finished and nothing new begun. Once more stops "
            "terraform.\n");
    else if (number == 2)
        say("\nStopping: terraform has been told to save its state and end.\n");
    else
        say("\nTerraform is saving its state; killing it now would lose what it made.\n");
}

void run_take_signals(struct run *run, int64_t wait_ns)
{
    sigset_t set;
    signals(&set);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    if (sigtimedwait(&set, NULL, &wait) > 0)
        take_signal(run);
}

bool run_interrupted(struct run *run)
{
    (void)pthread_mutex_lock(&run->lock);
    bool interrupted = run->interrupts > 0;
    (void)pthread_mutex_unlock(&run->lock);
    return interrupted;
}

void run_pause(struct run *run, int64_t ns)
{
    int64_t end = clock_mono_ns() + ns;
    const struct timespec until = {.tv_sec = end / NS_PER_S, .tv_nsec = end % NS_PER_S};
    (void)pthread_mutex_lock(&run->lock);
    while (!run->interrupts && pthread_cond_timedwait(&run->interrupted, &run->lock, &until) == 0) {
    }
    (void)pthread_mutex_unlock(&run->lock);
}

/* --- many roots at a time
 * ------------------------------------------------------------------------------------- */

struct work {
    struct run *run;
    struct run_root *const *roots;
    size_t count, next, running; /* guarded by run->lock */
    const char *doing;
    run_root_fn *fn;
};

/* The next root, NULL when there is none. */
static struct run_root *take_root(struct work *work)
{
    struct run_root *root = NULL;
    (void)pthread_mutex_lock(&work->run->lock);
    while (!root && work->next < work->count) {
        root = work->roots[work->next++];
        if (work->run->interrupts) {
            root->skipped = true;
            root = NULL;
            continue;
        }
        root->started_ns = clock_mono_ns();
        root->done = root->total = 0;
        root->flight_count = 0;
        root->doing = work->doing;
    }
    if (!root)
        work->running--;
    (void)pthread_mutex_unlock(&work->run->lock);
    return root;
}

static void *run_worker(void *arg)
{
    struct work *work = arg;
    for (struct run_root *root; (root = take_root(work));) {
        work->fn(root);
        (void)pthread_mutex_lock(&work->run->lock);
        root->spent_ns = clock_mono_ns() - root->started_ns;
        root->doing = root->failed ? "failed" : "done";
        (void)pthread_mutex_unlock(&work->run->lock);
    }
    return NULL;
}

static bool still_running(struct work *work)
{
    (void)pthread_mutex_lock(&work->run->lock);
    bool running = work->running > 0;
    (void)pthread_mutex_unlock(&work->run->lock);
    return running;
}

void run_each(struct run *run, struct run_root *const *roots, size_t count, const char *doing,
              run_root_fn *fn)
{
    size_t limit = run->ctx->parallelism > 0 ? (size_t)run->ctx->parallelism : count;
    size_t threads = limit < count ? limit : count, started = 0;
    struct work work = {.run = run, .roots = roots, .count = count, .doing = doing, .fn = fn};
    pthread_t *ids = xcalloc(threads + 1, sizeof *ids);
    run->painted_ns = clock_mono_ns();
    for (; started < threads; started++) {
        (void)pthread_mutex_lock(&run->lock);
        work.running++;
        (void)pthread_mutex_unlock(&run->lock);
        if (pthread_create(&ids[started], NULL, run_worker, &work) == 0)
            continue;
        (void)pthread_mutex_lock(&run->lock);
        work.running--;
        (void)pthread_mutex_unlock(&run->lock);
        break;
    }
    if (!started && count) { /* no thread to be had: one after the other, here */
        work.running = 1;
        (void)run_worker(&work);
    }
    while (still_running(&work)) {
        run_take_signals(run, WAIT_NS);
        run_paint(run, false);
    }
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(ids[i], NULL);
    free(ids);
    run_paint(run, true);
    for (size_t i = 0; i < count; i++)
        roots[i]->doing = NULL;
}

void run_each_region(struct run *run, const char *doing, run_root_fn *work)
{
    struct run_root **roots = xcalloc(run->region_count + 1, sizeof *roots);
    for (size_t i = 0; i < run->region_count; i++)
        roots[i] = &run->regions[i];
    run_each(run, roots, run->region_count, doing, work);
    free(roots);
}

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

static void make_roots(struct run *run)
{
    size_t count = deployment_region_count(run->deployment);
    run->regions = arena_zalloc(run->arena, (count + 1) * sizeof *run->regions);
    for (size_t i = 0; i < count; i++) {
        const struct region *region = deployment_region(run->deployment, i);
        if (command_selects(run->ctx, region))
            root_init(run, &run->regions[run->region_count++], region);
    }
    root_init(run, &run->global, NULL);
}

/* Whether an earlier run was cut short in the middle of an apply. */
static bool was_cut_short(const struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        if (root_was_interrupted(&run->regions[i]))
            return true;
    }
    return root_was_interrupted(&run->global);
}

static int open_parts(struct run *run, bool reading, struct error *err)
{
    bool own_hosts = false;
    int code = hosts_judge(run->deployment, &own_hosts, err);
    if (!code && !own_hosts)
        code = terraform_find(command_value(run->ctx, "--tf-bin"), run->arena, &run->terraform, err);
    if (!code)
        code = workspace_open(run->deployment, !reading, run->arena, &run->workspace, err);
    if (!code)
        code = run_journal_open(run->workspace.journal, reading, &run->journal, err);
    if (!code && own_hosts)
        code = hosts_new(run, err);
    return code;
}

static void init_lock(struct run *run)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&run->lock, NULL);
    (void)pthread_cond_init(&run->interrupted, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static int open_run(struct command_context *ctx, struct deployment *deployment, bool reading, struct run *ret)
{
    struct error err = {0};
    *ret = (struct run){.ctx = ctx, .arena = ctx->arena, .deployment = deployment};
    ret->workspace.lock_fd = -1;
    init_lock(ret);
    /* States, plans and logs of terraform are nobody else's to read. */
    (void)umask(077);
    if (open_parts(ret, reading, &err)) {
        output_error(ctx->out, &err);
        run_close(ret);
        return err.code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
    }
    make_roots(ret);
    ret->resumed = was_cut_short(ret);
    return STATUS_OK;
}

int run_open(struct command_context *ctx, struct deployment *deployment, struct run *ret)
{
    sigset_t set;
    signals(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return open_run(ctx, deployment, false, ret);
}

int run_open_reading(struct command_context *ctx, struct deployment *deployment, struct run *ret)
{
    return open_run(ctx, deployment, true, ret);
}

void run_close(struct run *run)
{
    if (run->hosts)
        hosts_free(run->hosts);
    run->hosts = NULL;
    if (run->journal)
        run_journal_close(run->journal);
    run->journal = NULL;
    workspace_close(&run->workspace);
    for (size_t i = 0; i < run->region_count; i++)
        arena_free(run->regions[i].arena);
    arena_free(run->global.arena);
    run->global.arena = NULL;
    run->region_count = 0;
    (void)pthread_cond_destroy(&run->interrupted);
    (void)pthread_mutex_destroy(&run->lock);
}
