/* Every series of Debian's postgres_exporter (0.11.1), run beside ours against the same servers, is on our
 * page with `names: both`, but for the differences that docs/postgres-names.md lists. */
#include "tests/integration/postgres_live.h"

#include "lib/core/map.h"
#include "scrapers/postgres/query.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORTER "/usr/bin/prometheus-postgres-exporter"

static struct live live;

static pid_t start_exporter(const struct pg_server *server, uint16_t port)
{
    char dsn[200], listen[64];
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
    return pid;
}

/* The answer to GET /metrics, NULL when nobody listens yet. */
static char *fetch(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
    struct buf answer = BUF_INIT(16UL * 1024 * 1024);
    char bytes[16384];
    ssize_t got;
    address.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1) {
        (void)close(fd);
        return NULL;
    }
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_append(&answer, bytes, (size_t)got);
    (void)close(fd);
    buf_append_byte(&answer, '\0');
    return buf_take(&answer);
}

struct waiting {
    uint16_t port;
    char *page;
};

static bool has_answered(void *ctx)
{
    struct waiting *waiting = ctx;
    free(waiting->page);
    waiting->page = fetch(waiting->port);
    return waiting->page && strstr(waiting->page, "\npg_up 1");
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* name{a="x",b="y"} with sorted labels, without those that only one side has and without empty ones. */
static char *series_of(char *line, struct arena *arena)
{
    static const char *const dropped[] = {"server=", "db_cluster=", "region=", "target="};
    char *labels[32], *open = strchr(line, '{');
    size_t count = 0;
    if (!open) {
        char *space = strchr(line, ' ');
        return arena_printf(arena, "%.*s", (int)(space - line), line);
    }
    *open = '\0';
    for (char *at = open + 1; *at && *at != '}';) {
        char *end = strchr(at, '"') + 1;
        bool empty = *end == '"';
        while (*end != '"')
            end += *end == '\\' ? 2 : 1;
        end++;
        bool keep = !empty;
        for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
            keep = keep && strncmp(at, dropped[i], strlen(dropped[i])) != 0;
        /* 0.11.1 gives the pid of the sender as the slot's name. */
        if (strncmp(line, "pg_stat_replication_", 20) == 0)
            keep = keep && strncmp(at, "slot_name=", 10) != 0;
        if (keep)
            labels[count++] = arena_printf(arena, "%.*s", (int)(end - at), at);
        at = *end == ',' ? end + 1 : end;
    }
    if (count == 0)
        return arena_strdup(arena, str_from(line));
    qsort(labels, count, sizeof labels[0], compare_texts);
    struct buf text = BUF_INIT(65536);
    buf_printf(&text, "%s{", line);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s%s", i ? "," : "", labels[i]);
    buf_append_byte(&text, '}');
    char *series = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return series;
}

static void read_page(char *page, struct arena *arena, struct map *series)
{
    char *rest = page;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        /* What it does not know it writes as NaN; we leave it out. */
        if (strncmp(line, "pg_", 3) != 0 || strstr(line, "} NaN"))
            continue;
        char *text = series_of(line, arena);
        map_put(series, str_from(text), text);
    }
}

static void names_both(struct postgres_config *config)
{
    config->names = NAMES_BOTH;
}

static void compare(const struct pg_server *server)
{
    struct arena *arena = arena_new(0);
    struct map theirs, ours;
    struct waiting waiting = {.port = test_free_port()};
    size_t missing = 0;
    map_init(&theirs);
    map_init(&ours);
    pid_t exporter = start_exporter(server, waiting.port);
    struct live_target *target = live_target_new(&live, "x", NULL, pg_server_conninfo(server), names_both);
    live_wait(&live, has_answered, &waiting, "postgres_exporter");
    live_scrape(target);
    ck_assert_int_eq(target->err.code, 0);
    char *page = live_page(&live, NULL);
    read_page(waiting.page, arena, &theirs);
    read_page(page, arena, &ours);
    MAP_EACH (entry, &theirs) {
        if (map_get(&ours, entry->key))
            continue;
        missing++;
        (void)fprintf(stderr, "missing: %.*s\n", STR_ARGS(entry->key));
    }
    (void)printf("postgres_exporter 0.11.1: %zu series; ours: %zu; missing: %zu\n", theirs.count, ours.count,
                 missing);
    ck_assert_uint_gt(theirs.count, 250);
    ck_assert_uint_eq(missing, 0);
    free(page);
    free(waiting.page);
    live_background_end(exporter);
    live_target_free(target);
    map_deinit(&theirs);
    map_deinit(&ours);
    arena_free(arena);
}

START_TEST(nothing_of_postgres_exporter_is_missing)
{
    struct pg_server *primary = pg_server_new("track_io_timing=on");
    struct pg_server *standby = pg_server_new_standby(primary, "s1", NULL);
    live_init(&live);
    compare(primary);
    compare(standby);
    live_deinit(&live);
    pg_server_free(standby);
    pg_server_free(primary);
}
END_TEST

static Suite *names_suite(void)
{
    Suite *suite = suite_create("postgres_names");
    TCase *tcase = tcase_create("names");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, nothing_of_postgres_exporter_is_missing);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    if (access(EXPORTER, X_OK) != 0) {
        (void)fprintf(stderr, "SKIP: " EXPORTER " is not installed\n");
        return 77;
    }
    return pg_server_available() ? test_run_suite(names_suite()) : 77;
}
