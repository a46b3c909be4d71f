/* Exposition pages: MB/s and samples/s of the parser alone and of the whole way into a snapshot, on a page of
 * 10 MB of text shaped like node_exporter's (few labels, integers and floats), in all three formats. Usage:
 * bench_parse [FILE] writes the pages to FILE.text, FILE.openmetrics and FILE.protobuf, so that other parsers
 * can be timed on them (bench_parse_peers.py). */
#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "scrapers/prometheus/exposition_proto.h"
#include "scrapers/prometheus/exposition_reader.h"
#include "tests/support/wire_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE_BYTES (10UL * 1000 * 1000)
#define ROUNDS     10

/* One page being written in a format. */
struct writer {
    enum exposition_format format;
    struct buf page, family;
};

static void begin_family(struct writer *writer, const char *name, const char *help, bool counter)
{
    if (writer->format == EXPOSITION_PROTOBUF) {
        buf_reset(&writer->family);
        build_bytes(&writer->family, 1, str_from(name));
        build_bytes(&writer->family, 2, str_from(help));
        build_u64(&writer->family, 3, counter ? 0 : 1);
        return;
    }
    size_t len = strlen(name);
    if (counter && writer->format == EXPOSITION_OPENMETRICS)
        len -= sizeof "_total" - 1;
    buf_printf(&writer->page, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help, (int)len, name,
               counter ? "counter" : "gauge");
}

static void add_label(struct buf *metric, const char *name, const char *value)
{
    struct buf pair = BUF_INIT(4096);
    build_bytes(&pair, 1, str_from(name));
    build_bytes(&pair, 2, str_from(value));
    build_message(metric, 1, &pair);
    buf_deinit(&pair);
}

/* `labels`: names and values, ended by NULL. */
static void add_sample(struct writer *writer, const char *name, const char *const *labels, const char *value,
                       bool counter)
{
    if (writer->format == EXPOSITION_PROTOBUF) {
        struct buf metric = BUF_INIT(4096), number = BUF_INIT(64);
        double real = strtod(value, NULL);
        uint64_t bits;
        memcpy(&bits, &real, sizeof bits);
        for (; *labels; labels += 2)
            add_label(&metric, labels[0], labels[1]);
        build_fixed64(&number, 1, bits);
        build_message(&metric, counter ? 3 : 2, &number);
        build_message(&writer->family, 4, &metric);
        buf_deinit(&metric);
        buf_deinit(&number);
        return;
    }
    buf_append_text(&writer->page, name);
    for (const char *separator = "{"; *labels; labels += 2, separator = ",")
        buf_printf(&writer->page, "%s%s=\"%s\"%s", separator, labels[0], labels[1], labels[2] ? "" : "}");
    buf_printf(&writer->page, " %s\n", value);
}

static void end_family(struct writer *writer)
{
    if (writer->format != EXPOSITION_PROTOBUF)
        return;
    build_varint(&writer->page, writer->family.len);
    buf_append_str(&writer->page, buf_str(&writer->family));
}

static void write_cpus(struct writer *writer, unsigned family)
{
    static const char *const modes[] = {"idle",    "iowait", "irq",    "nice",
                                        "softirq", "steal",  "system", "user"};
    char name[64], cpu_text[16], value[32];
    (void)snprintf(name, sizeof name, "node_thing_%u_seconds_total", family);
    begin_family(writer, name, "Seconds the CPUs spent in each mode.", true);
    for (unsigned cpu = 0; cpu < 16; cpu++) {
        (void)snprintf(cpu_text, sizeof cpu_text, "%u", cpu);
        for (unsigned mode = 0; mode < ARRAY_LEN(modes); mode++) {
            const char *const labels[] = {"cpu", cpu_text, "mode", modes[mode], NULL};
            (void)snprintf(value, sizeof value, "%u.%02u", family * 7919U + cpu * 131U, mode * 11U);
            add_sample(writer, name, labels, value, true);
        }
    }
    end_family(writer);
}

static void write_disks(struct writer *writer, unsigned family)
{
    char name[64], device[8], value[32];
    (void)snprintf(name, sizeof name, "node_disk_%u_bytes", family);
    begin_family(writer, name, "Bytes.", false);
    for (unsigned disk = 0; disk < 8; disk++) {
        (void)snprintf(device, sizeof device, "sd%c", (char)('a' + disk));
        const char *const labels[] = {"device", device, "path", "/dev/mapper/x", NULL};
        (void)snprintf(value, sizeof value, "1.%u348e+09", disk);
        add_sample(writer, name, labels, value, false);
    }
    end_family(writer);
}

#define FAMILIES 1144U /* 10 MB of text */

static void write_page(struct writer *writer)
{
    static const char *const none[] = {NULL};
    char name[64], value[16];
    for (unsigned family = 0; family < FAMILIES; family++) {
        write_cpus(writer, family);
        write_disks(writer, family);
        (void)snprintf(name, sizeof name, "node_up_%u", family);
        (void)snprintf(value, sizeof value, "%u", family & 1);
        begin_family(writer, name, "Up.", false);
        add_sample(writer, name, none, value, false);
        end_family(writer);
    }
    if (writer->format == EXPOSITION_OPENMETRICS)
        buf_append_text(&writer->page, "# EOF\n");
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

static uint64_t parse_once(enum exposition_format format, struct str page)
{
    static struct exposition_parser parser;
    static struct exposition_proto proto;
    struct exposition_item item;
    uint64_t samples = 0;
    if (format == EXPOSITION_PROTOBUF) {
        if (!proto.names.max)
            exposition_proto_init(&proto);
        exposition_proto_begin(&proto, page);
        while (exposition_proto_next(&proto, &item))
            samples += item.kind == EXPOSITION_SAMPLE;
        return samples;
    }
    if (!parser.scratch.max)
        exposition_parser_init(&parser);
    exposition_parser_begin(&parser, format, page);
    while (exposition_next(&parser, &item))
        samples += item.kind == EXPOSITION_SAMPLE;
    return samples;
}

static void bench_parser(enum exposition_format format, struct str page)
{
    uint64_t samples = 0;
    double begin = cpu_seconds();
    for (unsigned round = 0; round < ROUNDS; round++)
        samples = parse_once(format, page);
    print("parser alone", page, samples, (cpu_seconds() - begin) / ROUNDS);
}

static struct snapshot *read_once(struct batch *batch, struct exposition_reader *reader,
                                  enum exposition_format format, struct str page, uint64_t *ret_samples)
{
    struct exposition_counts counts;
    struct error err;
    batch_begin(batch);
    exposition_reader_begin(reader, format, page);
    while (exposition_reader_step(reader, SIZE_MAX / 2))
        continue;
    if (exposition_reader_finish(reader, &counts, &err) != 0)
        (void)fprintf(stderr, "%s\n", err.message);
    *ret_samples = counts.samples;
    return batch_finish(batch, 1, 1);
}

static void bench_snapshot(enum exposition_format format, struct str page, const char *drop)
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
    snapshot_unref(read_once(batch, reader, format, page, &samples));
    print(drop ? "to a snapshot, first, with drop" : "to a snapshot, first", page, samples,
          cpu_seconds() - begin);
    begin = cpu_seconds();
    for (unsigned round = 0; round < ROUNDS; round++)
        snapshot_unref(read_once(batch, reader, format, page, &samples));
    print(drop ? "to a snapshot, again, with drop" : "to a snapshot, again", page, samples,
          (cpu_seconds() - begin) / ROUNDS);
    exposition_reader_free(reader);
    batch_free(batch);
    selector_free(selector);
}

static void bench_format(enum exposition_format format, const char *name, const char *file)
{
    struct writer writer = {format, BUF_INIT(2 * PAGE_BYTES), BUF_INIT(2 * PAGE_BYTES)};
    struct error err;
    write_page(&writer);
    struct str page = buf_str(&writer.page);
    if (file) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s.%s", file, name);
        if (file_replace(path, page, 0644, &err) != 0)
            (void)fprintf(stderr, "%s\n", err.message);
    }
    printf("%s\n", name);
    bench_parser(format, page);
    bench_snapshot(format, page, NULL);
    bench_snapshot(format, page, "{__name__=~\"node_disk_.*\",device=\"sda\"}");
    buf_deinit(&writer.page);
    buf_deinit(&writer.family);
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : NULL;
    bench_format(EXPOSITION_TEXT, "text", file);
    bench_format(EXPOSITION_OPENMETRICS, "openmetrics", file);
    bench_format(EXPOSITION_PROTOBUF, "protobuf", file);
    return 0;
}
