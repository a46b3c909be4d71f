#include "provisioner/run/run.h"

#include "lib/core/clock.h"
#include "provisioner/provider.h"
#include "provisioner/run/hosts.h"
#include "provisioner/terraform/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS (20 * NS_PER_MS)

/* Ignored by whoever started us (nohup), a closed session is not to end us; waited for, it would. */
static bool heeds_hangup(void)
{
    struct sigaction action;
    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler != SIG_IGN;
}

static void signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    if (heeds_hangup())
        (void)sigaddset(set, SIGHUP);
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
    process_interrupt_captures(); /* what reads a state or a plan */
}

/* A closed session is announced by the kernel and once more by the shell: it never is the second signal. */
static void take_signal(struct run *run, int received)
{
    (void)pthread_mutex_lock(&run->lock);
    if (received == SIGHUP && run->interrupts) {
        (void)pthread_mutex_unlock(&run->lock);
        return;
    }
    unsigned number = ++run->interrupts;
    if (number == 2)
        pass_on(run);
    (void)pthread_cond_broadcast(&run->interrupted);
    (void)pthread_mutex_unlock(&run->lock);
    run->painted_lines = 0;
    if (run->asking)
        say("\n"); /* nothing is in flight; what it means for the question is said there */
    else if (!run->cloud_count)
        say(number == 1 ? "\nInterrupted: the steps in flight are finished and nothing new begun.\n"
                        : "\nThe steps in flight are being finished.\n");
    else if (number == 1)
        say("\nInterrupted: what is in flight is finished and nothing new begun. Once more stops "
            "terraform.\n");
    else if (run->unchanged)
        say(number == 2 ? "\nStopping: terraform has been told to end; planning changes nothing.\n"
                        : "\nTerraform is ending; planning changes nothing.\n");
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
    int received = sigtimedwait(&set, NULL, &wait);
    if (received > 0)
        take_signal(run, received);
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
    struct run_lane *lanes; /* what they count, and `running`, is guarded by run->lock */
    size_t count, running;
    pthread_cond_t moved; /* a root has ended */
};

/* With the lock held. The next root of a lane; NULL when there is none now. */
static struct run_root *from_lane(struct run *run, struct run_lane *lane)
{
    for (;;) {
        while (lane->next < lane->count) {
            struct run_root *root = lane->roots[lane->next++];
            if (run->interrupts) {
                root->skipped = true;
                continue;
            }
            lane->running++;
            root->started_ns = clock_mono_ns();
            root->done = root->total = 0;
            root->flight_count = 0;
            root->heard[0] = '\0';
            root->doing = lane->doing[lane->phase];
            return root;
        }
        if (lane->running || lane->phase + 1 >= lane->phases)
            return NULL;
        lane->phase++;
        lane->next = 0;
        if (lane->enter)
            lane->enter(run, lane->phase);
    }
}

/* The next root, once there is one; NULL when there will be none. */
static struct run_root *take_root(struct work *work, struct run_lane **ret_lane)
{
    struct run_root *root = NULL;
    (void)pthread_mutex_lock(&work->run->lock);
    for (bool later = true; !root && later;) {
        later = false;
        for (size_t i = 0; !root && i < work->count; i++) {
            struct run_lane *lane = *ret_lane = &work->lanes[i];
            root = from_lane(work->run, lane);
            later = later || (lane->running && lane->phase + 1 < lane->phases);
        }
        if (!root && later)
            (void)pthread_cond_wait(&work->moved, &work->run->lock);
    }
    if (!root)
        work->running--;
    (void)pthread_mutex_unlock(&work->run->lock);
    return root;
}

static void *run_worker(void *arg)
{
    struct work *work = arg;
    struct run_lane *lane = NULL;
    for (struct run_root *root; (root = take_root(work, &lane));) {
        lane->work(root);
        (void)pthread_mutex_lock(&work->run->lock);
        root->spent_ns = clock_mono_ns() - root->started_ns;
        root->doing = root->failed ? "failed" : "done";
        lane->running--;
        (void)pthread_cond_broadcast(&work->moved);
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

static size_t begin_lanes(struct run *run, struct run_lane *lanes, size_t count)
{
    size_t roots = 0;
    (void)pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < count; i++) {
        lanes[i].phase = lanes[i].next = lanes[i].running = 0;
        roots += lanes[i].count;
        if (lanes[i].enter)
            lanes[i].enter(run, 0);
    }
    (void)pthread_mutex_unlock(&run->lock);
    return roots;
}

void run_lanes(struct run *run, struct run_lane *lanes, size_t count)
{
    size_t roots = begin_lanes(run, lanes, count), started = 0;
    size_t limit = run->ctx->parallelism > 0 ? (size_t)run->ctx->parallelism : roots;
    size_t threads = limit < roots ? limit : roots;
    struct work work = {.run = run, .lanes = lanes, .count = count};
    pthread_t *ids = xcalloc(threads + 1, sizeof *ids);
    (void)pthread_cond_init(&work.moved, NULL);
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
    if (!started && roots) { /* no thread to be had: one after the other, here */
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
    (void)pthread_cond_destroy(&work.moved);
    run_paint(run, true);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < lanes[i].count; j++)
            lanes[i].roots[j]->doing = NULL;
    }
}

void run_each(struct run *run, struct run_root *const *roots, size_t count, const char *doing,
              run_root_fn *fn)
{
    struct run_lane lane = {.roots = roots, .count = count, .doing = &doing, .phases = 1, .work = fn};
    run_lanes(run, &lane, 1);
}

void run_each_region(struct run *run, const char *doing, run_root_fn *work)
{
    struct run_root **roots = xcalloc(run->region_count + 1, sizeof *roots);
    for (size_t i = 0; i < run->region_count; i++)
        roots[i] = &run->regions[i];
    run_each(run, roots, run->region_count, doing, work);
    free(roots);
}

void run_each_cloud(struct run *run, const char *doing, run_root_fn *work)
{
    run_each(run, run->cloud_roots, run->cloud_count, doing, work);
}

void run_each_own(struct run *run, const char *doing, run_root_fn *work)
{
    run_each(run, run->own_roots, run->own_count, doing, work);
}

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

static bool selects_any(const struct run *run, const struct deployment *part)
{
    for (size_t i = 0; i < deployment_region_count(part); i++) {
        if (command_selects(run->ctx, deployment_region(part, i)))
            return true;
    }
    return false;
}

/* In the order of the file. */
static void make_roots(struct run *run)
{
    size_t count = deployment_region_count(run->deployment);
    run->regions = arena_zalloc(run->arena, (count + 1) * sizeof *run->regions);
    run->cloud_roots = arena_zalloc(run->arena, (count + 1) * sizeof(struct run_root *));
    run->own_roots = arena_zalloc(run->arena, (count + 1) * sizeof(struct run_root *));
    for (size_t i = 0; i < count; i++) {
        const struct region *region = deployment_region(run->deployment, i);
        struct run_root *root = &run->regions[run->region_count];
        if (!command_selects(run->ctx, region))
            continue;
        run->region_count++;
        const struct deployment *part = region->provider->own_hosts ? run->own : run->clouds;
        root_init(run, root, deployment_find_region(part, region->name));
        if (region->provider->own_hosts)
            run->own_roots[run->own_count++] = root;
        else
            run->cloud_roots[run->cloud_count++] = root;
    }
    root_init(run, &run->global, NULL);
}

/* Whether an earlier run was cut short in the middle of an apply by terraform. What own hosts were left in is
 * in their ledgers. */
static bool was_cut_short(const struct run *run)
{
    for (size_t i = 0; i < run->cloud_count; i++) {
        if (root_was_interrupted(run->cloud_roots[i]))
            return true;
    }
    return root_was_interrupted(&run->global);
}

static int open_parts(struct run *run, bool reading, struct error *err)
{
    int code = 0;
    if (selects_any(run, run->clouds))
        code = terraform_find(command_value(run->ctx, "--tf-bin"), run->arena, &run->terraform, err);
    if (!code)
        code = workspace_open(run->deployment, !reading, run->arena, &run->workspace, err);
    if (!code)
        code = run_journal_open(run->workspace.journal, reading, &run->journal, err);
    if (code)
        return code;
    make_roots(run);
    return run->own_count ? hosts_new(run, err) : 0;
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
    *ret = (struct run){.ctx = ctx,
                        .arena = ctx->arena,
                        .deployment = deployment,
                        .clouds = deployment_part(deployment, false),
                        .own = deployment_part(deployment, true)};
    ret->workspace.lock_fd = -1;
    init_lock(ret);
    /* States, plans and logs of terraform are nobody else's to read. */
    (void)umask(077);
    if (open_parts(ret, reading, &err)) {
        output_error(ctx->out, &err);
        run_close(ret);
        return err.code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
    }
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

void run_say_unchanged(const struct run *run)
{
    if (!run->unchanged || !run->interrupts || run->ctx->json)
        return;
    output_printf(run->ctx->out, "Nothing was changed.\n");
    for (size_t i = 0; i <= run->region_count; i++) {
        const struct run_root *root = i < run->region_count ? &run->regions[i] : &run->global;
        if (root->orphan)
            output_printf(run->ctx->out, "The %s of an earlier run goes on with %s (process %lld).\n",
                          run->terraform.name, root->name, (long long)root->orphan);
    }
}

void run_close(struct run *run)
{
    if (run->hosts)
        hosts_free(run->hosts);
    run->hosts = NULL;
    if (run->journal)
        run_journal_close(run->journal);
    run->journal = NULL;
    if (run->workspace.lock_fd >= 0)
        workspace_clear_plans(&run->workspace, run->arena);
    workspace_close(&run->workspace);
    for (size_t i = 0; i < run->region_count; i++)
        arena_free(run->regions[i].arena);
    arena_free(run->global.arena);
    run->global.arena = NULL;
    run->region_count = 0;
    (void)pthread_cond_destroy(&run->interrupted);
    (void)pthread_mutex_destroy(&run->lock);
}
