#include "tests/support/pg_server.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIN "/usr/lib/postgresql/15/bin/"

struct pg_server {
    char *folder, *data;
    char conninfo[160];
    uint16_t port;
    pid_t pid; /* of the postmaster, 0 when it is down */
};

static NO_RETURN void give_up(const char *what)
{
    (void)fprintf(stderr, "PostgreSQL for tests: %s\n", what);
    abort();
}

bool pg_server_available(void)
{
    if (access(BIN "postgres", X_OK) == 0 && access(BIN "initdb", X_OK) == 0)
        return true;
    (void)fprintf(stderr, "SKIP: PostgreSQL 15 is not installed in " BIN "\n");
    return false;
}

/* The server refuses to run as root. */
static const struct passwd *server_user(void)
{
    static struct passwd user;
    static char room[4096];
    struct passwd *found = NULL;
    if (geteuid() != 0)
        return NULL;
    if (getpwnam_r("postgres", &user, room, sizeof room, &found) != 0 || !found)
        give_up("there is no user postgres");
    return found;
}

/* In the child between fork and exec: only system calls. */
static void become(const struct passwd *user, int out)
{
    if (user && (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (out >= 0)
        (void)(dup2(out, 1) + dup2(out, 2));
}

static pid_t spawn(const char *const *argv, int out, bool as_server)
{
    const struct passwd *user = as_server ? server_user() : NULL;
    pid_t pid = fork();
    if (pid < 0)
        give_up("cannot fork");
    if (pid == 0) {
        become(user, out);
        if (chdir("/") != 0)
            _exit(126);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            give_up("cannot wait for a child");
    return status;
}

static void run(const char *const *argv, bool as_server)
{
    char log[] = "/tmp/fraiseql-pg-log-XXXXXX";
    int fd = mkostemp(log, O_CLOEXEC);
    int status = wait_for(spawn(argv, fd, as_server));
    if (status != 0) {
        char *text = test_file_read(log);
        (void)fprintf(stderr, "%s: status %d\n%s\n", argv[0], status, text);
        give_up("a command failed");
    }
    (void)close(fd);
    (void)unlink(log);
}

static void hand_over(const char *path)
{
    const struct passwd *user = server_user();
    if (user && chown(path, user->pw_uid, user->pw_gid) != 0)
        give_up("cannot hand a folder to the server's user");
}

static char *template_folder(void)
{
    const char *base = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    char path[512], lock_path[520], new_path[520];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/fraiseql-pg-template-%u", base && base[0] ? base : "/tmp",
                   geteuid());
    (void)snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        give_up("cannot lock the template");
    if (lstat(path, &status) != 0) {
        run((const char *const[]){"/bin/rm", "-rf", new_path, NULL}, false);
        if (mkdir(new_path, 0700) != 0)
            give_up("cannot create the template");
        hand_over(new_path);
        run((const char *const[]){BIN "initdb", "-D", new_path, "-A", "trust", "-U", "postgres", "--no-sync",
                                  "-E", "UTF8", "--locale", "C", NULL},
            true);
        if (rename(new_path, path) != 0)
            give_up("cannot keep the template");
    } else {
        const struct passwd *user = server_user();
        if (status.st_uid != (user ? user->pw_uid : geteuid()))
            give_up("the template belongs to somebody else");
    }
    (void)close(lock);
    return xstrdup(path);
}

static void append(const char *folder, const char *file, const char *text)
{
    char *path = test_path(folder, file);
    FILE *out = fopen(path, "ae");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        give_up("cannot write the configuration");
    free(path);
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* The last line of postmaster.pid is its state; this is how pg_ctl waits as well. */
static bool wait_until_ready(struct pg_server *server)
{
    char *path = test_path(server->data, "postmaster.pid");
    for (unsigned i = 0; i < 6000; i++) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
            break;
        if (access(path, R_OK) == 0) {
            char *text = test_file_read(path);
            bool own = strtol(text, NULL, 10) == server->pid; /* not one left by a server that was killed */
            bool ready = own && strstr(text, "\nready");
            free(text);
            if (ready) {
                free(path);
                return true;
            }
        }
        pause_ms(10);
    }
    free(path);
    server->pid = 0;
    return false;
}

static NO_RETURN void show_log(const struct pg_server *server)
{
    char *log_path = test_path(server->folder, "log");
    char *log = test_file_read(log_path);
    (void)fprintf(stderr, "%s\n", log);
    give_up("the server does not start");
}

static bool try_start(struct pg_server *server)
{
    char *log_path = test_path(server->folder, "log");
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    server->pid = spawn((const char *const[]){BIN "postgres", "-D", server->data, NULL}, log, true);
    (void)close(log);
    free(log_path);
    return wait_until_ready(server);
}

/* The port was free a moment ago; others may have taken it since. */
static void start_on_some_port(struct pg_server *server)
{
    for (unsigned i = 0; i < 5; i++) {
        char line[32];
        if (try_start(server))
            return;
        server->port = test_free_port();
        (void)snprintf(line, sizeof line, "port=%u\n", server->port);
        append(server->data, "postgresql.conf", line);
        (void)snprintf(server->conninfo, sizeof server->conninfo,
                       "host=127.0.0.1 port=%u user=postgres dbname=postgres", server->port);
    }
    show_log(server);
}

void pg_server_start(struct pg_server *server)
{
    if (!try_start(server))
        show_log(server);
}

static struct pg_server *new_server(void)
{
    struct pg_server *server = xcalloc(1, sizeof *server);
    server->folder = test_folder_new();
    server->data = test_path(server->folder, "data");
    server->port = test_free_port();
    hand_over(server->folder);
    (void)snprintf(server->conninfo, sizeof server->conninfo,
                   "host=127.0.0.1 port=%u user=postgres dbname=postgres", server->port);
    return server;
}

static void configure(struct pg_server *server, const char *config)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "\nport=%u\nlisten_addresses='127.0.0.1'\nunix_socket_directories='%s'\nfsync=off\n"
                   "shared_buffers=16MB\nmax_connections=60\nwal_level=logical\nmax_wal_senders=10\n"
                   "max_replication_slots=10\nhot_standby=on\nlc_messages='C'\n",
                   server->port, server->folder);
    append(server->data, "postgresql.conf", text);
    if (config) {
        append(server->data, "postgresql.conf", config);
        append(server->data, "postgresql.conf", "\n");
    }
}

struct pg_server *pg_server_new(const char *config)
{
    struct pg_server *server = new_server();
    char *template_path = template_folder();
    run((const char *const[]){"/bin/cp", "-a", template_path, server->data, NULL}, false);
    free(template_path);
    configure(server, config);
    char *hba = test_path(server->data, "pg_hba.conf");
    test_file_write(hba, STR("host all scram_user 127.0.0.1/32 scram-sha-256\nlocal all all trust\n"
                             "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"));
    free(hba);
    start_on_some_port(server);
    free(pg_server_sql(server, "create role scram_user login password '" PG_SERVER_SCRAM_PASSWORD "'"));
    return server;
}

struct pg_server *pg_server_new_standby(struct pg_server *primary, const char *name, const char *config)
{
    struct pg_server *server = new_server();
    char port[8], text[400];
    (void)snprintf(port, sizeof port, "%u", primary->port);
    run((const char *const[]){BIN "pg_basebackup", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-D",
                              server->data, "-R", "-X", "stream", "-C", "-S", name, "-c", "fast", "--no-sync",
                              NULL},
        true);
    (void)snprintf(text, sizeof text,
                   "\ncluster_name='%s'\nprimary_conninfo='host=127.0.0.1 port=%s user=postgres "
                   "application_name=%s'\nprimary_slot_name='%s'\n",
                   name, port, name, name);
    configure(server, config);
    append(server->data, "postgresql.auto.conf", text);
    start_on_some_port(server);
    return server;
}

/* Backends are sessions of their own, so they are found through their parent. */
static void signal_all(const struct pg_server *server, int signal_number)
{
    char path[64], *list = NULL;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", server->pid, server->pid);
    if (access(path, R_OK) == 0)
        list = test_file_read(path);
    (void)kill(server->pid, signal_number);
    for (char *at = list, *end; at && *at; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        (void)kill((pid_t)child, signal_number);
    }
    free(list);
}

void pg_server_stop(struct pg_server *server)
{
    if (!server->pid)
        return;
    (void)kill(server->pid, SIGINT);
    (void)wait_for(server->pid);
    server->pid = 0;
}

void pg_server_kill(struct pg_server *server)
{
    if (!server->pid)
        return;
    signal_all(server, SIGKILL);
    (void)wait_for(server->pid);
    server->pid = 0;
}

void pg_server_pause(struct pg_server *server)
{
    signal_all(server, SIGSTOP);
}

void pg_server_resume(struct pg_server *server)
{
    signal_all(server, SIGCONT);
}

void pg_server_free(struct pg_server *server)
{
    if (!server)
        return;
    pg_server_kill(server);
    test_folder_remove(server->folder);
    free(server->data);
    free(server);
}

uint16_t pg_server_port(const struct pg_server *server)
{
    return server->port;
}

const char *pg_server_folder(const struct pg_server *server)
{
    return server->folder;
}

const char *pg_server_conninfo(const struct pg_server *server)
{
    return server->conninfo;
}

char *pg_server_sql(struct pg_server *server, const char *sql)
{
    char path[] = "/tmp/fraiseql-pg-sql-XXXXXX";
    int out = mkostemp(path, O_CLOEXEC);
    if (out < 0)
        give_up("cannot create a temporary file");
    int status = wait_for(spawn((const char *const[]){"/usr/bin/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d",
                                                      server->conninfo, "-c", sql, NULL},
                                out, false));
    char *text = test_file_read(path);
    (void)close(out);
    (void)unlink(path);
    if (status != 0) {
        (void)fprintf(stderr, "%s\n%s\n", sql, text);
        give_up("psql failed");
    }
    size_t len = strlen(text);
    if (len && text[len - 1] == '\n')
        text[len - 1] = '\0';
    return text;
}
