/* What a PostgreSQL server may answer: cells of settings and rows of any text, and any series of WAL
 * positions for the ring. The first byte chooses: settings, rows, or the ring. */
#include "scrapers/postgres/lsn_ring.h"
#include "scrapers/postgres/samples.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { COLUMNS = 4 };

struct cursor {
    const uint8_t *at;
    size_t left;
};

/* Cells are lines; a line "\\N" is NULL. */
struct table {
    struct str cells[64 * COLUMNS];
};

static struct str next_line(struct cursor *cursor)
{
    struct str line = {(const char *)cursor->at, 0};

    while (line.len < cursor->left && cursor->at[line.len] != '\n')
        line.len++;
    size_t taken = line.len < cursor->left ? line.len + 1 : line.len;
    cursor->at += taken;
    cursor->left -= taken;
    return line;
}

static struct str get_cell(const void *ctx, size_t row, size_t column)
{
    const struct table *table = ctx;
    struct str cell = table->cells[row * COLUMNS + column];

    return str_equal(cell, STR("\\N")) ? (struct str){NULL, 0} : cell;
}

static void read_rows(struct cursor cursor, const struct pg_group *group)
{
    static struct table table;
    static const struct pg_metric metrics[] = {{"a", "b", METRIC_GAUGE, ALL_LABELS, NULL, "a", "A."},
                                               {"c_total", NULL, METRIC_COUNTER, 1, NULL, "c", "C."}};
    struct query query = {
        .group = group, .label_count = 2, .metric_count = 2, .metrics = {&metrics[0], &metrics[1]}};
    struct cells cells = {.ctx = &table, .columns = COLUMNS, .get = get_cell};
    struct samples samples;
    struct batch *batch = batch_new(&(struct batch_options){0});

    while (cursor.left && cells.rows < 64) {
        for (size_t i = 0; i < COLUMNS; i++)
            table.cells[cells.rows * COLUMNS + i] = next_line(&cursor);
        cells.rows++;
    }
    samples_init(&samples);
    samples_read(&samples, &query, &cells);
    batch_begin(batch);
    samples_publish(&samples, batch, NAMES_BOTH);
    snapshot_unref(batch_finish(batch, 0, 0));
    samples_deinit(&samples);
    batch_free(batch);
}

static uint64_t take(struct cursor *cursor, size_t count)
{
    uint64_t number = 0;

    for (; count && cursor->left; count--, cursor->at++, cursor->left--)
        number = number << 8 | *cursor->at;
    return number;
}

static void check_ring(const struct lsn_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++) {
        const struct lsn_entry *entry = &ring->entries[i];
        if (entry->first_ns > entry->last_ns)
            abort();
        if (i && (entry->lsn <= entry[-1].lsn || entry->first_ns <= entry[-1].last_ns))
            abort();
    }
    if (ring->count > LSN_RING_CAPACITY)
        abort();
}

static void check_lag(const struct lsn_ring *ring, int64_t at_ns, uint64_t lsn)
{
    struct lsn_lag lag = lsn_ring_lag(ring, at_ns, lsn);

    if (lag.lag_ns < 0 || lag.evidence_ns > at_ns)
        abort();
    if (lag.standing == LSN_CAUGHT_UP && (lag.lag_ns || lag.bytes))
        abort();
    if (lag.standing == LSN_BEHIND && (lag.bytes == 0 || lag.lag_ns > at_ns - lag.evidence_ns))
        abort();
}

static void run_ring(struct cursor cursor)
{
    static struct lsn_ring ring;
    int64_t t_ns = 0;

    lsn_ring_init(&ring);
    while (cursor.left) {
        uint64_t what = take(&cursor, 1);
        uint64_t lsn = take(&cursor, 1 + (what >> 2 & 7)), step = take(&cursor, 2);
        t_ns += (int64_t)step;
        if ((what & 3) == 3)
            lsn_ring_settle(&ring, t_ns - (int64_t)step, lsn);
        else
            lsn_ring_add(&ring, t_ns, 1 + (uint32_t)(what >> 6), lsn);
        check_ring(&ring);
        check_lag(&ring, t_ns, lsn / 2);
        check_lag(&ring, t_ns / 2, lsn);
        (void)lsn_ring_rate(&ring, t_ns / 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct pg_group rows = {.name = "g", .labels = {{"x", "x", NULL}, {"y", "y", NULL}}};

    if (size == 0)
        return 0;
    struct cursor cursor = {bytes + 1, size - 1};
    if (bytes[0] % 3 == 0)
        read_rows(cursor, &group_settings);
    else if (bytes[0] % 3 == 1)
        read_rows(cursor, &rows);
    else
        run_ring(cursor);
    return 0;
}
