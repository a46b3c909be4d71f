#include "supervisor/supervisor.h"

void kept_started(struct kept *kept, pid_t pid, int64_t now)
{
    kept->pid = pid;
    kept->state = KEPT_RUNNING;
    kept->started_ms = now;
    kept->at_once = false;
    kept->generation++;
}

static void wait_longer(struct kept *kept, int64_t now)
{
    kept->state = KEPT_WAITING;
    kept->next_ms = now + kept->backoff_ms;
    kept->backoff_ms = kept->backoff_ms * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : kept->backoff_ms * 2;
}

void kept_failed(struct kept *kept, int64_t now)
{
    kept->at_once = false;
    kept->restarts++;
    wait_longer(kept, now);
}

void kept_ended(struct kept *kept, int status, int64_t now)
{
    kept->pid = 0;
    kept->last_status = status;
    kept->kill_ms = 0;
    if (!kept->wanted) {
        kept->state = KEPT_STOPPED;
        return;
    }
    if (kept->at_once) {
        kept->state = KEPT_WAITING;
        kept->next_ms = now;
        return;
    }
    kept->restarts++;
    if (now - kept->started_ms >= STEADY_MS)
        kept->backoff_ms = BACKOFF_FIRST_MS;
    wait_longer(kept, now);
}

int64_t kept_wait_ms(const struct kept *kept, int64_t now)
{
    int64_t due = kept->state == KEPT_WAITING  ? kept->next_ms
                  : kept->pid && kept->kill_ms ? kept->kill_ms
                                               : -1;
    return due < 0 ? -1 : due > now ? due - now : 0;
}

const char *kept_state_name(enum kept_state state)
{
    switch (state) {
    case KEPT_STOPPED:
        return "stopped";
    case KEPT_WAITING:
        return "waiting";
    case KEPT_RUNNING:
        return "running";
    case KEPT_STOPPING:
        return "stopping";
    }
    return "stopped";
}
