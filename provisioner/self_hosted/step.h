/* A step on a host: what the deployment of a region on own hosts is made of.
 *
 * A step is data: files to put, a shell script that applies it and one that takes it back. The runner
 * (run_steps.h) puts the files, runs `apply`, and when that succeeded writes one line into the region's
 * ledger on the host (layout.base/ledger.jsonl, fsync): id, a hash of everything below, and `undo`. So a
 * later run finds what stands, a step whose hash and `check` still hold is passed over, a changed one is
 * applied again, a step that is no longer wanted is undone, and destroy undoes exactly what was done, in
 * reverse order. A line with `undo` is also written before `apply` begins, so that what a killed run left
 * half done is undone too: `undo` must cope with that.
 *
 * Scripts are POSIX sh, run as root with `set -eu` and a prelude that gives
 *   region COMMAND...      in the region's network namespace (or as it is, where there is none)
 *   as USER COMMAND...     as that user, without a login shell; `region as USER COMMAND...` does both
 *   note TEXT...           a line for the live view
 *   fail TEXT...           ends with status 1; TEXT is the error that is shown
 *   have COMMAND           whether it is on the PATH
 * Each must be idempotent: it can be killed at any line and run again. A value from the file reaches a script
 * quoted by step_quote(), never as it is. Secrets are never in a script or an argument: they are files.
 *
 * Ownership: everything lives in the arena of the list. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_STEP_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_STEP_H

#include "lib/core/arena.h"
#include "lib/core/error.h"
#include "lib/core/str.h"

/* Regions go through a stage in parallel; the next one begins when all are through. A region that fails is
 * left out of what follows, and what needs it says so. */
enum step_stage {
    STAGE_HOST,       /* namespace, packages, users, folders, supervisor */
    STAGE_PRIMARY,    /* the database that writes */
    STAGE_STANDBY,    /* those that follow it */
    STAGE_SERVICE,    /* the service's processes */
    STAGE_TRAFFIC,    /* proxies in front */
    STAGE_MONITORING, /* collector, Prometheus, Alertmanager, backups' schedule */
    STAGE_COUNT
};

struct step_file {
    const char *path; /* absolute */
    struct str content;
    unsigned mode;     /* 0644, 0600 ... */
    const char *owner; /* "root:root" */
    bool secret;       /* left out of what is shown; its hash is kept, not its bytes */
};

struct host_step {
    const char *id;    /* "postgresql/cluster", unique in its region */
    const char *title; /* "create the PostgreSQL cluster" */
    enum step_stage stage;
    struct step_file *files; /* put, atomically, before `apply`; removed by destroy after `undo` */
    size_t file_count, file_capacity;
    /* What must hold before anything of this step is changed or recorded: a foreign cluster, a port in use.
     * Runs only where the ledger does not know the step; `fail` in it refuses the step, and `undo` will not
     * run. NULL: nothing. Not part of the hash. */
    const char *guard;
    const char *check; /* exit 0: it stands. NULL: the ledger alone decides. Not part of the hash */
    const char *apply; /* NULL: the files are all there is to do */
    const char *undo;  /* NULL: removing the files is enough */
    const char *const
        *watches;       /* paths of other steps' files: when they change, this step is due too; NULL */
    bool data;          /* `undo` deletes data: only with --delete-data */
    bool with_data;     /* destroy leaves it while data of the region is left */
    int64_t timeout_ns; /* 0: 120 s */
};

struct step_list {
    struct arena *arena;
    struct host_step *items;
    size_t count, capacity;
};

/* A new empty step at the end; valid until the next one is added. */
struct host_step *step_add(struct step_list *list, enum step_stage stage, const char *id, const char *title);
void step_put(struct step_list *list, struct host_step *step, const char *path, struct str content,
              unsigned mode, const char *owner, bool secret);
/* 'text' as one word of sh. */
const char *step_quote(struct arena *arena, const char *text);
/* Over everything that `apply` and `undo` depend on, as 64 hexadecimal digits. */
#define STEP_HASH_SIZE 65
void step_hash(const struct host_step *step, char text[STEP_HASH_SIZE]);

/* A process that is kept running: a systemd unit where systemd runs, else under our supervisor. The step that
 * step_process() adds starts it, restarts it when its own description or one of `watches` has changed (reload
 * command when given), and stops it in undo. Its output goes to layout.log/NAME.log. */
struct host_process {
    const char *name;                /* "postgresql", unique in its region */
    const char *user;                /* NULL: root */
    const char *const *argv;         /* absolute program; ended by NULL; no secrets */
    const char *environment_file;    /* NAME=value lines, 0600; NULL: none */
    const char *const *capabilities; /* ambient ones beyond the user's, "NET_BIND_SERVICE"; NULL */
    const char *run_folder;     /* below layout.run, of the user alone: a step makes it, and systemd again
                                 * when the machine starts, as /run is empty then; NULL: none */
    unsigned run_folder_mode;   /* 0700 ... */
    const char *const *watches; /* paths whose content decides whether it must be restarted; NULL */
    const char *reload;       /* sh that takes over changed watches without a restart, `signal HUP` sends one;
                               * NULL: restart */
    const char *ready;        /* sh, tried every 50 ms until it succeeds; NULL: running is enough */
    int64_t ready_timeout_ns; /* 0: 30 s */
    int stop_signal;          /* 0: SIGTERM */
    int64_t stop_timeout_ns;  /* then SIGKILL; 0: 30 s */
};

struct site;
/* Debian packages that must be there, ended by NULL: those that are missing are installed, and what they
 * bring is kept from starting. They stay after destroy. */
void step_packages(struct step_list *list, const struct site *site, const char *id,
                   const char *const *packages);
void step_process(struct step_list *list, const struct site *site, enum step_stage stage,
                  const struct host_process *process);
/* The same where `program` is not there already: somebody may have brought it otherwise. NULL: always. */
void step_packages_unless(struct step_list *list, const struct site *site, const char *id,
                          const char *const *packages, const char *program);
/* One command of sh that restarts it, for scripts of other steps. */
const char *step_process_restart(struct arena *arena, const struct site *site, const char *name);

#endif
