/* What the SLA engine costs: a tick with its flush and report, the transaction, memory, and a start with 30
 * days of history, for 100 and 1000 SLOs; healthy probes and traffic that changes every second. CPU times of
 * this thread. */
#include "lib/core/clock.h"
#include "lib/journal/journal.h"
#include "sla/engine.h"
#include "sla/history.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BASE_S INT64_C(1767225600)
#define TICKS  600

static double cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double allocated_mb(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd) / 1e6;
}

struct bench {
    struct journal *journal;
    struct engine *engine;
    struct sla_flush *flush;
    struct sla_settings settings;
    struct section_list slos, triggers;
    size_t count;
};

static int store(struct journal_txn *txn, void *arg, struct error *err)
{
    return sla_flush_store(((struct bench *)arg)->flush, txn, NULL, err);
}

static int restore(struct journal_txn *txn, void *arg, struct error *err)
{
    int64_t now_ns = (BASE_S + TICKS + 1) * NS_PER_S;
    return engine_restore(((struct bench *)arg)->engine, txn, now_ns, now_ns, err);
}

static void fail(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

/* SLOs on spans, and a burn rate trigger for each. */
static void make_settings(struct bench *bench)
{
    static const char *windows[] = {"5m", "1h"};
    static struct sla_spans_config spans;
    struct sla_slo_config *slos = xcalloc(bench->count, sizeof *slos);
    struct sla_trigger_config *triggers = xcalloc(bench->count, sizeof *triggers);
    for (size_t i = 0; i < bench->count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "slo-%zu", i);
        slos[i] = (struct sla_slo_config){.name = xstrdup(name),
                                          .objective_ppb = 999900000,
                                          .window_ns = 30 * 86400 * NS_PER_S,
                                          .sli = {.spans = &spans}};
        triggers[i] = (struct sla_trigger_config){
            .name = slos[i].name,
            .when = {.slo = slos[i].name, .burn_rate_milli = 14400, .windows = {2, windows}}};
    }
    bench->slos = (struct section_list){bench->count, slos};
    bench->triggers = (struct section_list){bench->count, triggers};
    bench->settings = (struct sla_settings){.slos = &bench->slos, .triggers = &bench->triggers};
}

static void free_settings(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++)
        free((char *)(uintptr_t)SECTION_AT(struct sla_slo_config, bench->slos, i)->name);
    free(bench->slos.items);
    free(bench->triggers.items);
}

static void feed(struct bench *bench, int64_t now_ns)
{
    for (size_t i = 0; i < bench->count; i++) {
        struct sli_span_counts counts = {.slo = SECTION_AT(struct sla_slo_config, bench->slos, i)->name,
                                         .good = (uint64_t)random() % 5000,
                                         .bad = random() % 100 == 0,
                                         .wall_ns = now_ns,
                                         .mono_ns = now_ns};
        engine_on_spans(bench->engine, &counts);
    }
}

static void run(struct bench *bench)
{
    struct error err = {0};
    double feed_ms = 0, tick_ms = 0, before_mb = allocated_mb();
    int64_t commit_ns = 0;
    bench->engine = engine_new(&(struct engine_options){.observer = "bench"});
    if (engine_configure(bench->engine, &bench->settings, BASE_S * NS_PER_S, 1, &err))
        fail("configure", &err);
    for (int64_t second = 0; second < TICKS; second++) {
        int64_t now_ns = (BASE_S + second) * NS_PER_S;
        double start = cpu_ms();
        feed(bench, now_ns);
        double fed = cpu_ms();
        engine_tick(bench->engine, now_ns, now_ns);
        bench->flush = engine_flush(bench->engine);
        tick_ms += cpu_ms() - fed;
        feed_ms += fed - start;
        int64_t commit_start = clock_mono_ns();
        if (journal_run(bench->journal, store, bench, &err))
            fail("store", &err);
        commit_ns += clock_mono_ns() - commit_start;
        engine_committed(bench->engine, bench->flush);
    }
    (void)printf(
        "%5zu SLOs: %7.3f ms of events, %7.3f ms a tick (windows, triggers, report), %7.3f ms to store, "
        "%6.1f MB\n",
        bench->count, feed_ms / TICKS, tick_ms / TICKS, (double)commit_ns / 1e6 / TICKS,
        allocated_mb() - before_mb);
    engine_free(bench->engine);
    bench->engine = engine_new(&(struct engine_options){.observer = "bench"});
    int64_t start_ns = clock_mono_ns();
    if (engine_configure(bench->engine, &bench->settings, (BASE_S + TICKS) * NS_PER_S, 1, &err) ||
        journal_run(bench->journal, restore, bench, &err))
        fail("restore", &err);
    (void)printf("            %7.1f ms to load the %d seconds back\n",
                 (double)(clock_mono_ns() - start_ns) / 1e6, TICKS);
    engine_free(bench->engine);
}

static void bench_slos(size_t count)
{
    char path[] = "/tmp/bench-sla-XXXXXX", file[64];
    struct error err = {0};
    struct bench bench = {.count = count};
    if (!mkdtemp(path))
        exit(1);
    (void)snprintf(file, sizeof file, "%s/journal.db", path);
    if (journal_open(file, &bench.journal, &err))
        fail("open", &err);
    make_settings(&bench);
    run(&bench);
    journal_close(bench.journal, clock_mono_ns() + NS_PER_S);
    free_settings(&bench);
    (void)unlink(file);
    (void)snprintf(file, sizeof file, "%s/journal.db.lock", path);
    (void)unlink(file);
    (void)rmdir(path);
}

static void bench_history(const char *name, bool varied, int64_t days)
{
    static const int64_t windows_s[] = {300, 3600, 6 * 3600, 3 * 86400, 400 * 86400};
    struct history *history = history_new(windows_s, 5);
    double start = cpu_ms();
    for (int64_t second = 0; second < days * 86400; second++) {
        struct bucket_counts counts = {.good = varied ? (uint64_t)random() % 5000 : 4};
        history_add(history, BASE_S + second, &counts, BASE_S + second);
        history_advance(history, BASE_S + second);
    }
    (void)printf("%3lld days of a %s series: %7.1f kB, %5.0f ns a second of 5 windows\n", (long long)days,
                 name, (double)history_bytes(history) / 1e3,
                 (cpu_ms() - start) * 1e6 / (double)(days * 86400));
    history_free(history);
}

int main(void)
{
    bench_history("healthy probe", false, 30);
    bench_history("varied", true, 30);
    bench_history("varied", true, 90);
    bench_slos(100);
    bench_slos(1000);
    return 0;
}
