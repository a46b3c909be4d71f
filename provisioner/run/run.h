/* A run: the roots of a deployment (one a region, and the global one), several at a time, with what happens
 * shown as it happens. Those in clouds are taken through terraform; those on own hosts (run/hosts.h) through
 * their steps.
 *
 * The main thread owns the run: it starts workers, waits for them, paints, and receives SIGINT, SIGTERM and
 * SIGHUP, which are blocked in every thread. The first signal lets what is in flight finish and starts
 * nothing new; the second, unless it is a SIGHUP, is passed on to terraform, which saves its state and ends.
 * Children have process groups of their own, so that a terminal signals none of them. A failed root stops no
 * other.
 *
 * Ownership: a root belongs to the worker that is at it; `lock` guards what the painter reads meanwhile
 * (marked "live"). Everything lives in the arenas of the run and its roots. */
#ifndef FRAISEQL_PROVISIONER_RUN_RUN_H
#define FRAISEQL_PROVISIONER_RUN_RUN_H

#include "provisioner/command.h"
#include "provisioner/run/journal.h"
#include "provisioner/run/workspace.h"
#include "provisioner/terraform/terraform.h"

#include <pthread.h>

#define ROOT_IN_FLIGHT_MAX 64
#define ROOT_PROBLEMS_MAX  32

struct root_change {
    const char *address, *type, *action, *reason, *import_id;
    const char *const *attributes; /* names of what changes in it, where they were asked for */
    size_t attribute_count;
};

struct root_problem {
    const char *summary, *detail, *address;
};

/* A resource that exists and is taken over by an `import` block. */
struct adoption {
    const char *address, *import_id;
};

struct adoptions {
    struct adoption *items;
    size_t count, capacity;
};

struct root_flight {
    char address[256];
    int64_t started_ns;
};

struct run;
struct credential_answer;
struct region_log;
struct gateway;
struct hosts;     /* run/hosts.h */
struct host_root; /* run/hosts_internal.h */

/* What became of a root that failed: what the end says of it. */
enum root_left {
    LEFT_UNKNOWN,   /* somewhere on the way: it does not stand as described */
    LEFT_UNPLANNED, /* nothing was changed: there was no plan */
    LEFT_REFUSED,   /* nothing was changed: the saved plan no longer held */
    LEFT_UNHEALTHY  /* it stands, and does not answer as it should */
};

struct run_root {
    struct run *run;
    const char *name;            /* of the region; "global" */
    const char *title;           /* "AWS (us-east)" */
    const struct region *region; /* NULL: global */
    const char *folder, *plan;   /* absolute paths */
    struct arena *arena;

    /* Of the last plan. */
    bool planned;
    struct root_change *changes;
    size_t change_count, change_capacity;
    int64_t create, update, replace, destroy, import;
    bool restated;       /* none of them, and yet it is no empty plan: outputs or addresses change */
    bool summed;         /* terraform has said how many changes that makes, and they have all come */
    const char *lineage; /* of the state that it was made from, where run->marks_states; "": none */
    int64_t serial;
    struct adoptions adoptions; /* of this run: what terraform has imported already, it passes over */
    const char *unnamed;      /* why what changes in them is not known; NULL: it is, or nothing is updated */
    const char *unlisted;     /* why what exists could not be listed; NULL: it was, or had not to be */
    const char *const *extra; /* arguments for plan: -destroy, -target=...; ended by NULL; may be NULL */

    /* Of the last command. */
    struct root_problem problems[ROOT_PROBLEMS_MAX];
    size_t problem_count;
    const char *log;
    const char *said; /* its last line that was no record; NULL: none */
    const char *step; /* "plan", "apply": the journal's word for what runs */
    int64_t orphan;   /* terraform of an earlier run that was not waited for to its end; 0: none */

    struct host_root *own;                 /* on own hosts; NULL: terraform's */
    struct credential_answer *credentials; /* of the step that asks for them; run/credentials.h */
    const struct region_log *service_log;  /* of a smoke test that failed; run/region_log.h */
    struct gateway
        *gateway; /* of the step that waits for replication; run/gateways.h. NULL: not waited for */

    /* How it stands. */
    bool failed, applied, skipped;
    bool traffic;        /* of the global root: its plan moves traffic */
    bool keeps_data;     /* on own hosts: a destruction leaves data */
    enum root_left left; /* where it failed */
    struct error err;
    int64_t spent_ns;

    /* Live: guarded by run->lock. */
    const char *doing; /* NULL: not under way */
    int64_t started_ns;
    uint64_t done, total;
    struct root_flight flight[ROOT_IN_FLIGHT_MAX];
    size_t flight_count;
    char heard[160]; /* the last answer that was not yet the one waited for; root_heard() */
    pid_t pid;
};

struct run {
    struct command_context *ctx;
    struct arena *arena; /* the main thread's */
    struct deployment *deployment;
    const struct deployment *clouds, *own; /* its regions in clouds, and those on own hosts */
    struct workspace workspace;
    struct run_journal *journal;
    struct terraform terraform;
    struct run_root *regions; /* those that --region selects, in file order */
    size_t region_count;
    struct run_root **cloud_roots, **own_roots; /* the same, by what they are on */
    size_t cloud_count, own_count;
    struct run_root global;
    bool has_global;
    bool bygone; /* of regions that the file no longer has: nothing else is rendered */
    pthread_mutex_t lock;
    pthread_cond_t interrupted;       /* CLOCK_MONOTONIC; with lock */
    unsigned interrupts;              /* guarded by lock */
    bool asking;                      /* main thread: a question stands there */
    struct string_list saved_between; /* of --plan: saved_plan_check_between() */
    bool unchanged;         /* main thread: nothing has been changed yet; an interrupted run says so */
    unsigned painted_lines; /* main thread */
    int64_t painted_ns;
    struct hosts *hosts; /* NULL: no region of this run is on own hosts */
    bool marks_states;   /* plans are to be saved: each remembers the state that it was made from */
    bool own_stand;      /* no region on own hosts has failed: set before they are tested */
    bool resumed;        /* an earlier run did not end as it should, or the id came from a state */
};

/* Finds terraform where a region needs it, opens the folder, its lock and its journal; masks the signals. 0
 * or an exit status; what went wrong has been printed. */
int run_open(struct command_context *ctx, struct deployment *deployment, struct run *ret) CHECK_RESULT;
/* The same without lock and masked signals, and with a journal that is only read. */
int run_open_reading(struct command_context *ctx, struct deployment *deployment, struct run *ret)
    CHECK_RESULT;
/* Where an interrupt came before anything was changed. */
void run_say_unchanged(const struct run *run);
void run_close(struct run *run);

/* Work on one root, on a worker's thread: fills root->failed and root->err. */
typedef void run_root_fn(struct run_root *root);
/* At most --parallelism at a time; returns when all have ended. Roots that an interrupt keeps from starting
 * are marked `skipped`. `doing` is what the view says. */
void run_each(struct run *run, struct run_root *const *roots, size_t count, const char *doing,
              run_root_fn *work);
/* The same over all regions. */
void run_each_region(struct run *run, const char *doing, run_root_fn *work);
/* Over those in clouds, and over those on own hosts. */
void run_each_cloud(struct run *run, const char *doing, run_root_fn *work);
void run_each_own(struct run *run, const char *doing, run_root_fn *work);

/* Roots that go through phases side by side: the next phase begins when all of them are through. */
struct run_lane {
    struct run_root *const *roots;
    size_t count;
    const char *const *doing; /* what the view says, a text for each phase */
    size_t phases;
    run_root_fn *work;
    /* Before the first root of a phase, with run->lock held; NULL: nothing. */
    void (*enter)(struct run *run, size_t phase);
    size_t phase, next, running; /* of run_lanes() */
};
/* run_each() for lanes that do not wait for each other. */
void run_lanes(struct run *run, struct run_lane *lanes, size_t count);
/* True once a signal came; the first one is announced. */
bool run_interrupted(struct run *run);
/* Waits on a worker's thread, and no longer once a signal has come. */
void run_pause(struct run *run, int64_t ns);
/* Takes pending signals without waiting: for the main thread outside of run_each(). */
void run_take_signals(struct run *run, int64_t wait_ns);

/* --- root.c: terraform on one root ---------------------------------------------------------------------- */

/* Files and folders of the root's name; `region` NULL: the global one. */
void root_init(struct run *run, struct run_root *root, const struct region *region);
/* What the view says of it until the next word, or the next phase. */
void root_heard(struct run_root *root, const char *format, ...) PRINTF_LIKE(2, 3);
/* init where the rendered files have changed since the last one, then plan. */
void root_plan(struct run_root *root);
void root_prepare(struct run_root *root); /* init only */
/* Until the terraform of an earlier run, which was killed, has ended. False: it has not, or an interrupt
 * ended the waiting, and the root has failed. */
bool root_wait_for_orphan(struct run_root *root);
/* True: it still works, and the root has failed with that. */
bool root_has_orphan(struct run_root *root);
/* Applies root->plan. */
void root_apply(struct run_root *root);
/* What terraform shows of root->plan, in the arena given: the document (may be NULL) and its changes. */
int root_show_plan(const struct run_root *root, struct arena *arena, const struct node **ret_document,
                   const struct node **ret_changes, struct error *err) CHECK_RESULT;
/* Names of what changes in resources that are updated or replaced. */
void root_name_attributes(struct run_root *root);
/* Its state as the backend has it, in the arena given; NULL: there is none yet. */
int root_pull_state(const struct run_root *root, struct arena *arena, struct node **ret_state,
                    struct error *err) CHECK_RESULT;
/* The state now; texts live in the root's arena. */
int root_mark_state(struct run_root *root, const char **ret_lineage, int64_t *ret_serial, struct error *err)
    CHECK_RESULT;
/* The root fails: its saved plan was made from a state that has moved since. */
void root_refuse(struct run_root *root, const char *why);
/* A failure with the first problem terraform named. */
int root_fail(struct run_root *root, const char *what);
/* Whether the newest journal entry says that an apply did not end well. */
bool root_was_interrupted(const struct run_root *root);
/* How many of the planned changes are real ones. */
int64_t root_changes(const struct run_root *root);

/* --- paint.c -------------------------------------------------------------------------------------------- */

void run_paint(struct run *run, bool last);
/* {"type":"progress"}. `state`: running, done, failed, skipped. */
void run_progress(struct run *run, const char *region, const char *step, const char *state, uint64_t done,
                  uint64_t planned, int64_t elapsed_ns);
/* That a root waits for the terraform of a run that was killed; where a live view is painted, that says so.
 * `since`: RFC 3339. */
void run_say_waiting(struct run *run, const struct run_root *root, int64_t pid, const char *since);

/* --- steps.c -------------------------------------------------------------------------------------------- */

enum step_mark { STEP_OK, STEP_FAILED, STEP_WARN, STEP_SKIPPED };

/* How a root's step has ended: done, failed, or cut short. */
enum step_mark run_mark_of(const struct run_root *root);
/* "[✓] text" with an indented note below it (NULL: none), and the progress record. `step` is its short name
 * in records and the journal; `region` NULL: all. */
void run_step(struct run *run, enum step_mark mark, const char *step, const char *region, const char *note,
              const char *format, ...) PRINTF_LIKE(6, 7);
/* Whether data is lost with a resource of this type. */
bool run_is_database(const char *type);
/* What failed, on standard error. */
void run_complain(struct run *run, const struct run_root *root);
/* The plan of one root: counts, and by name what is replaced, deleted, updated or taken over. */
void run_show_plan(struct run *run, const struct run_root *root);
/* "{"type":"plan"}" of one root. */
void run_plan_record(struct run *run, const struct run_root *root);

#endif
