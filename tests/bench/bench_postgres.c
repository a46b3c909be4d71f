/* What a scrape of PostgreSQL costs: wall time, round trips, CPU of ours and of the server, series; a
 * database of 50 tables beside 20 more. Debian's postgres_exporter beside it in the same run. Prints, never
 * asserts.
 *
 * The connection is local; over a distance add the round trips times the distance. */
#include "lib/core/clock.h"
#include "scrapers/postgres/options.h"
#include "tests/support/pg_server.h"
#include "tests/support/support.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTER "/usr/bin/prometheus-postgres-exporter"

enum { SCRAPES = 200, PEER_SCRAPES = 50 };

struct bench {
    struct loop *loop;
    struct resolver *resolver;
    struct arena *arena;
    struct scraper_env env;
    struct postgres_config config;
    void *state;
    bool busy, destroyed;
    struct snapshot *last;
};

static double own_cpu_ms(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Ticks of a process as milliseconds: fields 14 and 15 of its stat, after the name in parentheses. */
static double process_cpu_ms(long pid)
{
    char path[64];
    unsigned long ticks = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (access(path, R_OK) != 0)
        return 0;
    char *text = test_file_read(path), *at = strrchr(text, ')');
    for (int field = 2; at && field < 15; field++) {
        at = strchr(at + 1, ' ');
        if (at && field >= 13)
            ticks += strtoul(at, NULL, 10);
    }
    free(text);
    return (double)ticks * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

/* The backends are the postmaster's children. */
static double server_cpu_ms(const struct pg_server *server)
{
    char *pid_path = test_path(pg_server_folder(server), "data/postmaster.pid"),
         *pid_text = test_file_read(pid_path);
    long pid = strtol(pid_text, NULL, 10);
    char path[64];
    double sum = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    char *list = test_file_read(path), *end;
    for (char *at = list;; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        sum += process_cpu_ms(child);
    }
    free(list);
    free(pid_text);
    free(pid_path);
    return sum;
}

static void on_done(void *ctx, struct snapshot *snapshot, const struct error *err)
{
    struct bench *bench = ctx;
    if (err)
        (void)fprintf(stderr, "%s\n", err->message);
    snapshot_unref(bench->last);
    bench->last = snapshot;
    bench->busy = false;
    loop_stop(bench->loop);
}

static void on_destroyed(void *ctx)
{
    struct bench *bench = ctx;
    bench->destroyed = true;
    loop_stop(bench->loop);
}

static void scrape(struct bench *bench)
{
    bench->busy = true;
    postgres_scraper.scrape(bench->state, clock_mono_ns() + 10 * NS_PER_S, on_done, bench);
    while (bench->busy)
        loop_run(bench->loop, 0);
}

static double counter(const struct bench *bench, const char *name)
{
    const struct shape_family *family = shape_find_family(bench->last->shape, str_from(name));
    if (!family)
        return 0;
    return value_to_double(
        snapshot_value(bench->last, bench->last->shape->series[family->first_series].slot));
}

static void begin(struct bench *bench, const struct pg_server *server)
{
    struct error err;
    *bench = (struct bench){.arena = arena_new(0)};
    if (loop_new("bench", &bench->loop, &err) < 0 || resolver_new(1, &bench->resolver, &err) < 0)
        abort();
    bench->env = (struct scraper_env){.loop = bench->loop,
                                      .resolver = bench->resolver,
                                      .hub = hub_new(&(struct hub_options){0}),
                                      .observer = "bench",
                                      .region = "here"};
    option_defaults(&postgres_section, bench->arena, &bench->config);
    bench->config.target.name = "bench";
    bench->config.target.timeout_ns = 10 * NS_PER_S;
    bench->config.dsn = pg_server_conninfo(server);
    bench->config.names = NAMES_BOTH;
}

static void end(struct bench *bench)
{
    postgres_scraper.destroy(bench->state, on_destroyed, bench);
    while (!bench->destroyed)
        loop_run(bench->loop, 0);
    snapshot_unref(bench->last);
    hub_free(bench->env.hub);
    loop_free(bench->loop);
    resolver_free(bench->resolver);
    arena_free(bench->arena);
}

static void start(struct bench *bench)
{
    struct error err;
    if (postgres_scraper.create(&bench->env, &bench->config, &bench->state, &err) < 0)
        abort();
    scrape(bench);
}

static void measure(const struct pg_server *server, const char *what, bool paced)
{
    struct bench bench;
    int64_t worst_ns = 0;
    begin(&bench, server);
    bench.config.lag = false;
    if (!paced)
        bench.config.settings_interval_ns = bench.config.table_interval_ns = bench.config.size_interval_ns =
            0;
    start(&bench);
    double trips = counter(&bench, "fraiseql_postgres_round_trips_total");
    double cpu = own_cpu_ms(), server_cpu = server_cpu_ms(server);
    int64_t start_ns = clock_mono_ns();
    for (int i = 0; i < SCRAPES; i++) {
        int64_t before_ns = clock_mono_ns();
        scrape(&bench);
        int64_t took_ns = clock_mono_ns() - before_ns;
        worst_ns = took_ns > worst_ns ? took_ns : worst_ns;
    }
    double wall = (double)(clock_mono_ns() - start_ns) / 1e6 / SCRAPES;
    (void)printf("%-34s %8u %9.2f %9.2f %9.2f %9.2f %9.1f\n", what, bench.last->shape->series_count, wall,
                 (double)worst_ns / 1e6, (own_cpu_ms() - cpu) / SCRAPES,
                 (server_cpu_ms(server) - server_cpu) / SCRAPES,
                 (counter(&bench, "fraiseql_postgres_round_trips_total") - trips) / SCRAPES);
    end(&bench);
}

/* Samples of the WAL position every 10 ms for two seconds. */
static void measure_lag(const struct pg_server *server)
{
    struct bench bench;
    begin(&bench, server);
    bench.config.lag_interval_ns = 10 * NS_PER_MS;
    start(&bench);
    double samples = counter(&bench, "fraiseql_postgres_lag_samples_total");
    double cpu = own_cpu_ms(), server_cpu = server_cpu_ms(server);
    loop_run(bench.loop, clock_mono_ns() + 2 * NS_PER_S);
    cpu = own_cpu_ms() - cpu;
    server_cpu = server_cpu_ms(server) - server_cpu;
    scrape(&bench);
    samples = counter(&bench, "fraiseql_postgres_lag_samples_total") - samples;
    (void)printf("%-34s %8.0f %9s %9s %9.3f %9.3f %9.1f\n", "ours, one sample of the WAL position", samples,
                 "", "", cpu / samples, server_cpu / samples, 1.0);
    end(&bench);
}

/* Lines that are not comments in the answer to GET /metrics; 0 when nobody listens. */
static unsigned fetch(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
    char bytes[65536], last = '\n';
    unsigned lines = 0;
    ssize_t got;
    address.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1) {
        (void)close(fd);
        return 0;
    }
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < got; last = bytes[i++])
            lines += last == '\n' && bytes[i] == 'p';
    }
    (void)close(fd);
    return lines;
}

static void measure_peer(const struct pg_server *server)
{
    char dsn[200], listen[64];
    uint16_t port = test_free_port();
    unsigned lines = 0;
    if (access(EXPORTER, X_OK) != 0) {
        (void)printf("postgres_exporter is not installed\n");
        return;
    }
    (void)snprintf(dsn, sizeof dsn,
                   "DATA_SOURCE_NAME=postgresql://postgres@127.0.0.1:%u/postgres?sslmode=disable",
                   pg_server_port(server));
    (void)snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%u", port);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execve(EXPORTER, (char *[]){(char *)(uintptr_t)EXPORTER, listen, NULL}, (char *[]){dsn, NULL});
        _exit(127);
    }
    for (int i = 0; i < 200 && fetch(port) < 100; i++)
        (void)usleep(50000);
    double cpu = process_cpu_ms(pid), server_cpu = server_cpu_ms(server);
    int64_t start_ns = clock_mono_ns(), worst_ns = 0;
    for (int i = 0; i < PEER_SCRAPES; i++) {
        int64_t before_ns = clock_mono_ns();
        lines = fetch(port);
        int64_t took_ns = clock_mono_ns() - before_ns;
        worst_ns = took_ns > worst_ns ? took_ns : worst_ns;
    }
    (void)printf("%-34s %8u %9.2f %9.2f %9.2f %9.2f %9s\n", "postgres_exporter 0.11.1, with HTTP", lines,
                 (double)(clock_mono_ns() - start_ns) / 1e6 / PEER_SCRAPES, (double)worst_ns / 1e6,
                 (process_cpu_ms(pid) - cpu) / PEER_SCRAPES,
                 (server_cpu_ms(server) - server_cpu) / PEER_SCRAPES, "many");
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

int main(void)
{
    if (!pg_server_available())
        return 0;
    struct pg_server *server = pg_server_new("autovacuum=off");
    char sql[128];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(sql, sizeof sql, "create database db%d", i);
        free(pg_server_sql(server, sql));
    }
    free(pg_server_sql(
        server, "do $$ begin for i in 1..50 loop execute format('create table t%s (id int primary key, v "
                "text)', i); end loop; end $$"));
    (void)printf("PostgreSQL 15, 23 databases, 50 tables; milliseconds a scrape\n");
    (void)printf("%-34s %8s %9s %9s %9s %9s %9s\n", "", "series", "wall", "worst", "own CPU", "its CPU",
                 "trips");
    measure(server, "ours, every group at its pace", true);
    measure(server, "ours, every group every time", false);
    measure_lag(server);
    measure_peer(server);
    pg_server_free(server);
    return 0;
}
