/* fraiseql-supervisor: keeps the processes of one region running where systemd does not run.
 *
 *   fraiseql-supervisor run RUN_FOLDER PROCESS_FOLDER
 *   fraiseql-supervisor control RUN_FOLDER COMMAND [NAME]
 *
 * Each NAME.process in the process folder describes one; the run folder holds the control socket and, for
 * each, NAME.pid with pid and start time, and NAME.stopped where it shall not run. When the supervisor dies
 * its processes live on, and the next one finds them by those files.
 *
 * Only the C library is used, so that the program runs on hosts that have nothing else. One thread. */
#ifndef FRAISEQL_SUPERVISOR_SUPERVISOR_H
#define FRAISEQL_SUPERVISOR_SUPERVISOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NAME_MAX_BYTES   64
#define PROCESSES_MAX    256
#define ARGUMENTS_MAX    128
#define REPLY_MAX        (64 * 1024)
#define LOG_MAX_BYTES    (10 * 1024 * 1024)
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS  10000
#define STEADY_MS        10000 /* who ran so long is started at once when it ends */

/* --- description.c: NAME.process -------------------------------------------------------------------------
 */

struct description {
    char *bytes;                               /* what the texts below point into */
    const char *user, *log, *environment_file; /* environment_file, log NULL: none */
    const char *arguments[ARGUMENTS_MAX + 1];
    const char *capabilities[8 + 1];
    size_t argument_count, capability_count;
    int stop_signal, stop_timeout_s;
};

/* Parses in place; takes `bytes` (malloc'd, terminated) over. False: *ret_why says what is wrong. */
bool description_parse(char *bytes, struct description *ret, const char **ret_why);
bool description_load(const char *path, struct description *ret, const char **ret_why);
void description_free(struct description *description);
/* Letters, digits, dot, dash and underscore; no dot first. */
bool name_is_sound(const char *name);

/* --- launch.c --------------------------------------------------------------------------------------------
 */

/* Starts it in a session of its own, which writes NAME.pid before it becomes the program. -1: *ret_why. */
pid_t launch(const struct description *description, const char *pid_file, const char **ret_why);
/* Clock ticks after boot at which a process began, 0 when it is gone or a zombie. */
uint64_t process_start_time(pid_t pid);
/* The pid of a NAME.pid whose process still lives, 0: none. The last two may be NULL. */
pid_t pid_file_read(const char *path, int *ret_stop_signal, int *ret_stop_timeout_s);

/* --- table.c: what is kept, without a system call --------------------------------------------------------
 */

enum kept_state { KEPT_STOPPED, KEPT_WAITING, KEPT_RUNNING, KEPT_STOPPING };

struct kept {
    char name[NAME_MAX_BYTES + 1];
    enum kept_state state;
    bool wanted;  /* shall run */
    bool at_once; /* a restart was asked for: no back-off */
    bool forget;  /* dropped once it is gone */
    pid_t pid;
    int pidfd;
    struct description description;
    int64_t started_ms, next_ms, kill_ms, backoff_ms;
    uint64_t generation, restarts; /* starts; those nobody asked for */
    int last_status;               /* of wait(); -1: not known */
};

/* What became of it: when it shall start again is in next_ms. */
void kept_started(struct kept *kept, pid_t pid, int64_t now_ms);
void kept_failed(struct kept *kept, int64_t now_ms); /* it could not be started */
void kept_ended(struct kept *kept, int status, int64_t now_ms);
/* Milliseconds until something is to be done about it, -1: nothing by itself. */
int64_t kept_wait_ms(const struct kept *kept, int64_t now_ms);
const char *kept_state_name(enum kept_state state);

/* --- keep.c, serve.c -------------------------------------------------------------------------------------
 */

struct supervisor {
    const char *run, *processes;
    struct kept *list[PROCESSES_MAX];
    size_t count;
    int listener, signals;
    bool retiring, ending;
    int64_t rotated_ms;
};

int64_t now_ms(void);
struct kept *keep_find(struct supervisor *supervisor, const char *name);
/* Reads its description anew. NULL: *ret_why. */
struct kept *keep_load(struct supervisor *supervisor, const char *name, const char **ret_why);
/* Finds every description, adopts what runs. */
void keep_scan(struct supervisor *supervisor);
void keep_stop(struct supervisor *supervisor, struct kept *kept);
void keep_mark(struct supervisor *supervisor, const struct kept *kept, bool stopped);
/* Starts and kills what is due. */
void keep_step(struct supervisor *supervisor);
void keep_drop(struct supervisor *supervisor, struct kept *kept);
void rotate_logs(struct supervisor *supervisor);
/* One request of a connection; closes it. */
void serve_connection(struct supervisor *supervisor, int fd);
int supervise(const char *run, const char *processes);

/* --- control.c -------------------------------------------------------------------------------------------
 */

int control(const char *run, const char *command, const char *name);
/* To the process alone; no supervisor is needed. */
int control_signal(const char *run, const char *name, const char *signal_name);

#endif
