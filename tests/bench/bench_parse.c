/* Exposition pages: MB/s and samples/s of the parser alone and of the whole way into a snapshot, on a 10 MB
 * page shaped like node_exporter's (few labels, integers and floats). Usage: bench_parse [FILE] writes the
 * page to FILE too, so that other parsers can be timed on it. */
#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "scrapers/prometheus/exposition_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE_BYTES (10UL * 1000 * 1000)
#define ROUNDS     10

static void write_page(struct buf *page)
{
    static const char *const modes[] = {"idle",    "iowait", "irq",    "nice",
                                        "softirq", "steal",  "system", "user"};
    for (unsigned family = 0; page->len < PAGE_BYTES; family++) {
        buf_printf(page, "# HELP node_thing_%u_seconds_total Seconds the CPUs spent in each mode.\n", family);
        buf_printf(page, "# TYPE node_thing_%u_seconds_total counter\n", family);
        for (unsigned cpu = 0; cpu < 16; cpu++) {
            for (unsigned mode = 0; mode < ARRAY_LEN(modes); mode++)
                buf_printf(page, "node_thing_%u_seconds_total{cpu=\"%u\",mode=\"%s\"} %u.%02u\n", family, cpu,
                           modes[mode], family * 7919U + cpu * 131U, mode * 11U);
        }
        buf_printf(page, "# HELP node_disk_%u_bytes Bytes.\n# TYPE node_disk_%u_bytes gauge\n", family,
                   family);
        for (unsigned disk = 0; disk < 8; disk++)
            buf_printf(page, "node_disk_%u_bytes{device=\"sd%c\",path=\"/dev/mapper/x\"} 1.%u348e+09\n",
                       family, (char)('a' + disk), disk);
        buf_printf(page, "# TYPE node_up_%u gauge\nnode_up_%u 1\n", family, family);
    }
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print(const char *what, struct str page, uint64_t samples, double seconds)
{
    printf("%-34s %7.1f MB/s %6.2f M samples/s %7.1f ms CPU a page of %.1f MB and %llu samples\n", what,
           (double)page.len / 1e6 / seconds, (double)samples / 1e6 / seconds, seconds * 1e3,
           (double)page.len / 1e6, (unsigned long long)samples);
}

static void bench_parser(struct str page)
{
    static struct exposition_parser parser;
    struct exposition_item item;
    uint64_t samples = 0;
    double begin = cpu_seconds();
    exposition_parser_init(&parser);
    for (unsigned round = 0; round < ROUNDS; round++) {
        samples = 0;
        exposition_parser_begin(&parser, EXPOSITION_TEXT, page);
        while (exposition_next(&parser, &item))
            samples += item.kind == EXPOSITION_SAMPLE;
    }
    print("parser alone", page, samples, (cpu_seconds() - begin) / ROUNDS);
    exposition_parser_deinit(&parser);
}

static struct snapshot *read_once(struct batch *batch, struct exposition_reader *reader, struct str page,
                                  uint64_t *ret_samples)
{
    struct exposition_counts counts;
    struct error err;
    batch_begin(batch);
    exposition_reader_begin(reader, EXPOSITION_TEXT, page);
    while (exposition_reader_step(reader, SIZE_MAX / 2))
        continue;
    if (exposition_reader_finish(reader, &counts, &err) != 0)
        (void)fprintf(stderr, "%s\n", err.message);
    *ret_samples = counts.samples;
    return batch_finish(batch, 1, 1);
}

static void bench_snapshot(struct str page, const char *drop)
{
    const struct label common[] = {LABEL("region", STR("eu")), LABEL("target", STR("t"))};
    const struct batch_options options = {.common = common, .common_count = 2, .max_series = 1000000};
    struct selector *selector = NULL;
    struct error err;
    if (drop && selector_parse(drop, &selector, &err) != 0)
        return;
    struct batch *batch = batch_new(&options);
    struct exposition_reader *reader = exposition_reader_new(&(struct exposition_reader_options){
        .batch = batch, .drop = &selector, .drop_count = selector ? 1 : 0, .max_names = 1000000});
    uint64_t samples;
    double begin = cpu_seconds();
    snapshot_unref(read_once(batch, reader, page, &samples));
    print(drop ? "to a snapshot, first, with drop" : "to a snapshot, first", page, samples,
          cpu_seconds() - begin);
    begin = cpu_seconds();
    for (unsigned round = 0; round < ROUNDS; round++)
        snapshot_unref(read_once(batch, reader, page, &samples));
    print(drop ? "to a snapshot, again, with drop" : "to a snapshot, again", page, samples,
          (cpu_seconds() - begin) / ROUNDS);
    exposition_reader_free(reader);
    batch_free(batch);
    selector_free(selector);
}

int main(int argc, char **argv)
{
    struct buf page = BUF_INIT(2 * PAGE_BYTES);
    struct error err;
    write_page(&page);
    if (argc > 1 && file_replace(argv[1], buf_str(&page), 0644, &err) != 0)
        (void)fprintf(stderr, "%s\n", err.message);
    bench_parser(buf_str(&page));
    bench_snapshot(buf_str(&page), NULL);
    bench_snapshot(buf_str(&page), "{__name__=~\"node_disk_.*\",device=\"sda\"}");
    buf_deinit(&page);
    return 0;
}
