/* The terraform of a run that was killed goes on, and its work is ours. */
#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "provisioner/run/journal.h"
#include "provisioner/run/run.h"

#include <signal.h>
#include <stdio.h>

#define CHILD_WAIT_NS (3600 * NS_PER_S)
#define CHILD_LOOK_NS (200 * NS_PER_MS)

static bool is_alive(int64_t pid)
{
    return pid > 1 && kill((pid_t)pid, 0) == 0;
}

/* A pid that somebody else has by now names another folder. */
static bool is_orphan(const struct run_root *root, int64_t pid)
{
    char path[64];
    struct buf command = BUF_INIT(1024UL * 1024);
    (void)snprintf(path, sizeof path, "/proc/%lld/cmdline", (long long)pid);
    bool ours = is_alive(pid) && file_read(path, &command, NULL) == 0 && command.len &&
                memmem(command.data, command.len, root->folder, strlen(root->folder));
    buf_deinit(&command);
    return ours;
}

/* In the live view: "waiting", for whom, and how long that one has been at it. */
static void show_waiting(struct run_root *root, const struct run_entry *child)
{
    int64_t began = clock_wall_ns(), now = began;
    struct root_flight *flight = &root->flight[0];
    if (!clock_parse_rfc3339(str_from(child->at), &began) || began > now)
        began = now;
    (void)pthread_mutex_lock(&root->run->lock);
    root->doing = "waiting";
    (void)snprintf(flight->address, sizeof flight->address, "%s %lld since %.8s UTC",
                   root->run->terraform.name, (long long)child->pid,
                   strlen(child->at) > strlen("2026-11-25T") ? child->at + strlen("2026-11-25T") : "?");
    flight->started_ns = clock_mono_ns() - (now - began);
    root->flight_count = 1;
    (void)pthread_mutex_unlock(&root->run->lock);
}

/* The terraform of a run that was killed, which still works; NULL: none. */
static const struct run_entry *find_orphan(const struct run_root *root)
{
    const struct run_entry *child =
        run_entries_child(run_journal_before(root->run->journal), "apply", root->name);
    return child && is_orphan(root, child->pid) ? child : NULL;
}

static void say_orphan(struct run_root *root, const struct run_entry *child)
{
    root->failed = true;
    root->orphan = child->pid;
    (void)error_set(&root->err, ERR_TIMEOUT, "%s: %s of a run that was killed is still at work", root->name,
                    root->run->terraform.name);
    error_set_detail(&root->err, "process %lld, since %s", (long long)child->pid, child->at);
    error_set_hint(&root->err, "Run this again when it has ended; `kill -INT %lld` asks it to end",
                   (long long)child->pid);
}

bool root_has_orphan(struct run_root *root)
{
    const struct run_entry *child = find_orphan(root);
    if (child)
        say_orphan(root, child);
    return child != NULL;
}

/* When we were killed, the terraform of that time went on. Its work is ours: wait for it. */
bool root_wait_for_orphan(struct run_root *root)
{
    const struct run_entry *child = find_orphan(root);
    int64_t deadline = clock_mono_ns() + CHILD_WAIT_NS;
    if (!child)
        return true;
    const char *doing = root->doing;
    show_waiting(root, child);
    run_say_waiting(root->run, root, child->pid, child->at);
    while (is_orphan(root, child->pid) && clock_mono_ns() < deadline && !run_interrupted(root->run))
        run_pause(root->run, CHILD_LOOK_NS);
    (void)pthread_mutex_lock(&root->run->lock);
    root->doing = doing;
    root->flight_count = 0;
    (void)pthread_mutex_unlock(&root->run->lock);
    bool works = is_orphan(root, child->pid);
    if (!run_interrupted(root->run)) {
        if (works)
            say_orphan(root, child);
        return !works;
    }
    root->orphan = works ? child->pid : 0;
    root->problem_count = 0;
    (void)root_fail(root, "plan");
    return false;
}
