/* AWS's price list file of EC2: MB/s and rows/s of its reader, and the memory that it takes, on 100 MB of
 * lines with as many columns as the real one has, nine of ten of them reservations, in pieces as the network
 * gives them. */
#include "lib/core/clock.h"
#include "provisioner/prices/aws_offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define FILE_BYTES  (100UL * 1000 * 1000)
#define BLOCK_BYTES (1000UL * 1000)
#define PIECE_BYTES (16UL * 1024)
#define FILLERS     70

static void write_head(struct buf *file)
{
    buf_append_text(file,
                    "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"none\"\n\"Publication Date\","
                    "\"2026-11-20T17:00:00Z\"\n\"Version\",\"1\"\n\"OfferCode\",\"AmazonEC2\"\n\"SKU\","
                    "\"OfferTermCode\",\"RateCode\",\"TermType\",\"PriceDescription\",\"StartingRange\","
                    "\"Unit\",\"PricePerUnit\",\"Currency\",\"Product Family\",\"Location Type\","
                    "\"Instance Type\",\"usageType\"");
    for (unsigned i = 0; i < FILLERS; i++)
        buf_printf(file, ",\"Column %u\"", i);
    buf_append_text(file, ",\"Operating System\",\"Tenancy\",\"Pre Installed S/W\",\"CapacityStatus\","
                          "\"License Model\",\"Region Code\"\n");
}

static void write_row(struct buf *file, unsigned number)
{
    static const char *const types[] = {"t3.large", "m5.xlarge", "c7g.4xlarge", "r6i.2xlarge", "x2.unheard"};
    const char *type = types[number / 10 % ARRAY_LEN(types)];
    buf_printf(
        file,
        "\"%08X\",\"JRTCKXETXF\",\"%08X.JRTCKXETXF.6YS6EN2CT7\",\"%s\",\"$0.%u per On Demand Linux %s "
        "Instance Hour\",\"0\",\"Hrs\",\"0.%u00000\",\"USD\",\"Compute Instance\",\"AWS Region\",\"%s\","
        "\"BoxUsage:%s\"",
        number, number, number % 10 ? "Reserved" : "OnDemand", 1000 + number / 10 % 5, type,
        1000 + number / 10 % 5, type, type);
    for (unsigned i = 0; i < FILLERS; i++)
        buf_append_text(file, i % 3 ? "," : ",\"Up to 12500 Megabit\"");
    buf_append_text(file, ",\"Linux\",\"Shared\",\"NA\",\"Used\",\"No License required\",\"us-east-1\"\n");
}

static long peak_kib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static int read_block(struct aws_reader *reader, struct str block, struct error *err)
{
    int code = 0;
    for (size_t at = 0; at < block.len && !code; at += PIECE_BYTES) {
        size_t length = block.len - at < PIECE_BYTES ? block.len - at : PIECE_BYTES;
        code = aws_reader_feed(reader, (struct str){block.ptr + at, length}, err);
    }
    return code;
}

int main(void)
{
    struct buf head = BUF_INIT(65536), block = BUF_INIT(2 * BLOCK_BYTES);
    struct arena *arena = arena_new(0);
    struct prices_scope scope;
    struct found found;
    struct aws_reader reader;
    struct error err = {0};
    size_t bytes = 0;
    write_head(&head);
    for (unsigned i = 0; block.len < BLOCK_BYTES; i++)
        write_row(&block, i);
    prices_scope_all(&scope, "aws", arena);
    found_init(&found, 0);
    aws_reader_init(&reader, "AmazonEC2", "us-east-1", &scope, &found);
    int64_t begin = clock_mono_ns();
    int code = aws_reader_feed(&reader, buf_str(&head), &err);
    for (; bytes < FILE_BYTES && !code; bytes += block.len)
        code = read_block(&reader, buf_str(&block), &err);
    if (!code)
        code = aws_reader_end(&reader, &err);
    double seconds = (double)(clock_mono_ns() - begin) / 1e9;
    if (code)
        (void)fprintf(stderr, "%s\n", err.message);
    printf("AWS's price list, %.0f MB, %llu rows %7.1f MB/s %6.2f M rows/s, %ld KiB peak of the process, %zu "
           "prices\n",
           (double)bytes / 1e6, (unsigned long long)reader.csv.rows, (double)bytes / 1e6 / seconds,
           (double)reader.csv.rows / 1e6 / seconds, peak_kib(), found_count(&found));
    aws_reader_deinit(&reader);
    found_deinit(&found);
    prices_scope_deinit(&scope);
    arena_free(arena);
    buf_deinit(&head);
    buf_deinit(&block);
    return code ? 1 : 0;
}
