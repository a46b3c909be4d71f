#include "lib/journal/buckets.h"

#include "lib/journal/bucket_codec.h"
#include "lib/journal/journal_internal.h"

#include <stdlib.h>

#define FINE_KEEP_S   (6 * 3600)
#define MIDDLE_KEEP_S (3 * 86400)
#define COARSE_KEEP_S (400 * 86400)
#define FOLD_CHUNK_S  300
#define FOLD_DELAY_S  60 /* seconds that arrive this late still find the tail */
#define COARSEN_MAX   1000

/* One hour of one series, dense. */
struct hour {
    unsigned width_s, slots;
    struct bucket_counts counts[BUCKET_MAX_SLOTS];
};

static int64_t hour_of(int64_t second)
{
    int64_t into = second % BUCKET_HOUR_S;
    return second - (into < 0 ? into + BUCKET_HOUR_S : into);
}

unsigned buckets_width_s(int64_t hour_s, int64_t now_s)
{
    int64_t age_s = now_s - (hour_s + BUCKET_HOUR_S);
    if (age_s < FINE_KEEP_S)
        return 1;
    if (age_s < MIDDLE_KEEP_S)
        return 10;
    return age_s < COARSE_KEEP_S ? 60 : 0;
}

static int64_t stored(uint64_t count)
{
    return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

/* --- series and tail --- */

int buckets_series(struct journal_txn *txn, const char *slo, const char *labels, int64_t *ret_series_id,
                   struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_SERIES_FIND, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, slo);
    bind_text(statement, 2, labels);
    code = txn_step(txn, statement, err);
    if (code == 1) {
        *ret_series_id = sqlite3_column_int64(statement, 0);
        (void)sqlite3_reset(statement);
        return 0;
    }
    if (!code)
        code = txn_statement(txn, ST_SERIES_ADD, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, slo);
    bind_text(statement, 2, labels);
    code = txn_step(txn, statement, err);
    if (!code)
        *ret_series_id = sqlite3_last_insert_rowid(txn->db);
    return code;
}

int buckets_add(struct journal_txn *txn, int64_t series_id, const struct bucket *buckets, size_t count,
                struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *statement;
        int code = txn_statement(txn, ST_TAIL_ADD, &statement, err);
        if (code)
            return code;
        bind_i64(statement, 1, buckets[i].start_s);
        bind_i64(statement, 2, series_id);
        bind_i64(statement, 3, stored(buckets[i].good));
        bind_i64(statement, 4, stored(buckets[i].bad));
        bind_i64(statement, 5, stored(buckets[i].unknown));
        code = txn_step(txn, statement, err);
        if (code)
            return code;
    }
    return 0;
}

/* --- hours --- */

static int decode_hour(struct str sealed, struct hour *hour)
{
    struct str blob;
    int code = bucket_codec_unseal(sealed, &blob, NULL);
    if (!code)
        code = bucket_codec_decode(blob, hour->counts, &hour->slots, &hour->width_s, NULL);
    if (!code && hour->slots * hour->width_s != BUCKET_HOUR_S)
        code = ERR_CORRUPT;
    return code;
}

/* A damaged hour must not cost the others, nor the start: its bytes are kept for whoever can read them. */
static int set_aside(struct journal_txn *txn, int64_t series_id, int64_t hour_s, struct error *err)
{
    static const enum statement both[] = {ST_HOUR_SET_ASIDE, ST_HOUR_REMOVE};
    int code = 0;
    for (size_t i = 0; i < ARRAY_LEN(both) && !code; i++) {
        sqlite3_stmt *statement;
        code = txn_statement(txn, both[i], &statement, err);
        if (code)
            return code;
        bind_i64(statement, 1, series_id);
        bind_i64(statement, 2, hour_s);
        code = txn_step(txn, statement, err);
    }
    return code;
}

int buckets_damaged(struct journal_txn *txn, uint64_t *ret_hours, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_DAMAGED_COUNT, &statement, err);
    if (!code)
        code = txn_step(txn, statement, err);
    if (code != 1)
        return code;
    *ret_hours = (uint64_t)sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement);
    return 0;
}

/* 1 when found, 0 when absent or damaged (hour undefined). */
static int get_hour(struct journal_txn *txn, int64_t series_id, int64_t hour_s, struct hour *hour,
                    struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_HOUR_GET, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, series_id);
    bind_i64(statement, 2, hour_s);
    code = txn_step(txn, statement, err);
    if (code != 1)
        return code;
    code = decode_hour(column_str(statement, 0), hour);
    (void)sqlite3_reset(statement);
    return code ? set_aside(txn, series_id, hour_s, err) : 1;
}

static int put_hour(struct journal_txn *txn, int64_t series_id, int64_t hour_s, const struct hour *hour,
                    struct error *err)
{
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    bucket_codec_encode(hour->counts, hour->slots, hour->width_s, &out);
    bucket_codec_seal(&out, 0);
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_HOUR_PUT, &statement, err);
    if (!code) {
        bind_i64(statement, 1, series_id);
        bind_i64(statement, 2, hour_s);
        bind_i64(statement, 3, hour->width_s);
        bind_blob(statement, 4, buf_str(&out));
        code = txn_step(txn, statement, err);
    }
    buf_deinit(&out);
    return code;
}

static void empty_hour(struct hour *hour, unsigned width_s)
{
    *hour = (struct hour){.width_s = width_s, .slots = BUCKET_HOUR_S / width_s};
}

static void coarsen(struct hour *hour, unsigned width_s)
{
    unsigned factor = width_s / hour->width_s;
    if (factor <= 1)
        return;
    unsigned slots = BUCKET_HOUR_S / width_s;
    for (unsigned to = 0; to < slots; to++) {
        struct bucket_counts sum = {0};
        for (unsigned from = to * factor; from < (to + 1) * factor && from < hour->slots; from++)
            bucket_counts_add(&sum, &hour->counts[from]);
        hour->counts[to] = sum;
    }
    hour->width_s = width_s;
    hour->slots = slots;
}

/* --- folding --- */

struct fold {
    struct journal_txn *txn;
    int64_t now_s, hour_s;
    int64_t series_id; /* of what is in hour; valid when open */
    bool open;
    struct hour hour;
};

static int close_series(struct fold *fold, struct error *err)
{
    if (!fold->open)
        return 0;
    fold->open = false;
    return put_hour(fold->txn, fold->series_id, fold->hour_s, &fold->hour, err);
}

static int open_series(struct fold *fold, int64_t series_id, struct error *err)
{
    int code = close_series(fold, err);
    if (code)
        return code;
    code = get_hour(fold->txn, series_id, fold->hour_s, &fold->hour, err);
    if (code < 0)
        return code;
    if (!code)
        empty_hour(&fold->hour, buckets_width_s(fold->hour_s, fold->now_s));
    fold->series_id = series_id;
    fold->open = true;
    return 0;
}

static int fold_rows(struct fold *fold, int64_t to_s, struct error *err)
{
    sqlite3_stmt *rows;
    int code = txn_statement(fold->txn, ST_TAIL_RANGE, &rows, err);
    if (code)
        return code;
    bind_i64(rows, 1, fold->hour_s);
    bind_i64(rows, 2, to_s);
    while ((code = txn_step(fold->txn, rows, err)) == 1) {
        int64_t series_id = sqlite3_column_int64(rows, 0);
        if (!fold->open || fold->series_id != series_id) {
            code = open_series(fold, series_id, err);
            if (code)
                return code;
        }
        struct bucket_counts counts = {(uint64_t)sqlite3_column_int64(rows, 2),
                                       (uint64_t)sqlite3_column_int64(rows, 3),
                                       (uint64_t)sqlite3_column_int64(rows, 4)};
        unsigned slot = (unsigned)(sqlite3_column_int64(rows, 1) - fold->hour_s) / fold->hour.width_s;
        bucket_counts_add(&fold->hour.counts[slot], &counts);
    }
    return code ? code : close_series(fold, err);
}

static int drop_rows(struct journal_txn *txn, int64_t from_s, int64_t to_s, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_TAIL_DROP, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, from_s);
    bind_i64(statement, 2, to_s);
    return txn_step(txn, statement, err);
}

/* 1 and the oldest second of the tail, 0 when that is empty. */
static int oldest_second(struct journal_txn *txn, int64_t *ret_second, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_TAIL_OLDEST, &statement, err);
    if (!code)
        code = txn_step(txn, statement, err);
    if (code != 1)
        return code;
    code = sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *ret_second = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement);
    return code;
}

static int fold_tail(struct fold *fold, struct error *err)
{
    int64_t until_s = (fold->now_s - FOLD_DELAY_S) / FOLD_CHUNK_S * FOLD_CHUNK_S, oldest_s;
    int code;
    while ((code = oldest_second(fold->txn, &oldest_s, err)) == 1 && oldest_s < until_s) {
        fold->hour_s = hour_of(oldest_s);
        int64_t to_s = fold->hour_s + BUCKET_HOUR_S < until_s ? fold->hour_s + BUCKET_HOUR_S : until_s;
        code = buckets_width_s(fold->hour_s, fold->now_s) ? fold_rows(fold, to_s, err) : 0;
        if (!code)
            code = drop_rows(fold->txn, fold->hour_s, to_s, err);
        if (code)
            return code;
    }
    return code < 0 ? code : 0;
}

struct aged {
    int64_t series_id, hour_s;
};

/* Hours of from_width_s that are past their keep become to_width_s, at most COARSEN_MAX a call. */
static int coarsen_aged(struct fold *fold, unsigned from_width_s, unsigned to_width_s, int64_t keep_s,
                        struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(fold->txn, ST_HOUR_COARSEN, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, from_width_s);
    bind_i64(statement, 2, fold->now_s - keep_s - BUCKET_HOUR_S);
    struct aged *aged = xmalloc(COARSEN_MAX * sizeof *aged);
    size_t count = 0;
    while ((code = txn_step(fold->txn, statement, err)) == 1)
        aged[count++] = (struct aged){sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 1)};
    for (size_t i = 0; i < count && !code; i++) {
        code = get_hour(fold->txn, aged[i].series_id, aged[i].hour_s, &fold->hour, err);
        if (code != 1)
            continue;
        coarsen(&fold->hour, to_width_s);
        code = put_hour(fold->txn, aged[i].series_id, aged[i].hour_s, &fold->hour, err);
    }
    free(aged);
    return code;
}

static int drop_old(struct journal_txn *txn, int64_t now_s, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_HOUR_DROP, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, now_s - COARSE_KEEP_S - BUCKET_HOUR_S);
    return txn_step(txn, statement, err);
}

int buckets_fold(struct journal_txn *txn, int64_t now_s, struct error *err)
{
    struct fold *fold = xcalloc(1, sizeof *fold);
    fold->txn = txn;
    fold->now_s = now_s;
    int code = fold_tail(fold, err);
    if (!code)
        code = coarsen_aged(fold, 1, 10, FINE_KEEP_S, err);
    if (!code)
        code = coarsen_aged(fold, 10, 60, MIDDLE_KEEP_S, err);
    if (!code)
        code = drop_old(txn, now_s, err);
    free(fold);
    return code;
}

/* --- loading --- */

struct load {
    struct journal_txn *txn;
    int64_t from_s;
    buckets_load_fn *fn;
    void *ctx;
    struct arena *arena;
    struct series *series;
    size_t series_count;
    struct bucket buckets[BUCKET_MAX_SLOTS];
    struct hour hour;
};

struct series {
    int64_t id;
    const char *slo, *labels;
};

static int load_series(struct load *load, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(load->txn, ST_SERIES_ALL, &statement, err);
    if (code)
        return code;
    size_t capacity = 0;
    while ((code = txn_step(load->txn, statement, err)) == 1) {
        if (load->series_count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            load->series = xrealloc(load->series, capacity * sizeof *load->series);
        }
        load->series[load->series_count++] =
            (struct series){sqlite3_column_int64(statement, 0), column_text(statement, 1, load->arena),
                            column_text(statement, 2, load->arena)};
    }
    return code;
}

static int give(struct load *load, const struct series *series, unsigned width_s, size_t count,
                struct error *err)
{
    return load->fn(load->ctx, series->id, series->slo, series->labels, width_s, load->buckets, count, err);
}

/* What is in load->hour. */
static int give_hour(struct load *load, const struct series *series, int64_t hour_s, struct error *err)
{
    size_t count = 0;
    for (unsigned i = 0; i < load->hour.slots; i++) {
        const struct bucket_counts *counts = &load->hour.counts[i];
        if (!bucket_counts_empty(counts))
            load->buckets[count++] = (struct bucket){hour_s + (int64_t)i * load->hour.width_s, counts->good,
                                                     counts->bad, counts->unknown};
    }
    return count ? give(load, series, load->hour.width_s, count, err) : 0;
}

static int load_hours(struct load *load, const struct series *series, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(load->txn, ST_HOUR_OF_SERIES, &statement, err);
    if (code)
        return code;
    bind_i64(statement, 1, series->id);
    bind_i64(statement, 2, hour_of(load->from_s) - 1);
    int64_t *damaged = NULL;
    size_t damaged_count = 0;
    while ((code = txn_step(load->txn, statement, err)) == 1) {
        int64_t hour_s = sqlite3_column_int64(statement, 0);
        if (decode_hour(column_str(statement, 1), &load->hour)) {
            damaged = xrealloc(damaged, (damaged_count + 1) * sizeof *damaged);
            damaged[damaged_count++] = hour_s;
            continue;
        }
        code = give_hour(load, series, hour_s, err);
        if (code) {
            (void)sqlite3_reset(statement);
            break;
        }
    }
    for (size_t i = 0; i < damaged_count && !code; i++)
        code = set_aside(load->txn, series->id, damaged[i], err);
    free(damaged);
    return code;
}

static const struct series *find_series(const struct load *load, int64_t id)
{
    size_t low = 0, high = load->series_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (load->series[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < load->series_count && load->series[low].id == id ? &load->series[low] : NULL;
}

static int load_tail(struct load *load, struct error *err)
{
    sqlite3_stmt *rows;
    int code = txn_statement(load->txn, ST_TAIL_RANGE, &rows, err);
    if (code)
        return code;
    bind_i64(rows, 1, hour_of(load->from_s));
    bind_i64(rows, 2, INT64_MAX);
    const struct series *series = NULL;
    size_t count = 0;
    while ((code = txn_step(load->txn, rows, err)) == 1) {
        int64_t id = sqlite3_column_int64(rows, 0);
        if (count && (count == BUCKET_MAX_SLOTS || series->id != id)) {
            code = give(load, series, 1, count, err);
            count = 0;
            if (code)
                return code;
        }
        if (!series || series->id != id)
            series = find_series(load, id);
        if (!series)
            return error_set(err, ERR_CORRUPT, "journal: buckets of a series %lld that is not there",
                             (long long)id);
        load->buckets[count++] =
            (struct bucket){sqlite3_column_int64(rows, 1), (uint64_t)sqlite3_column_int64(rows, 2),
                            (uint64_t)sqlite3_column_int64(rows, 3), (uint64_t)sqlite3_column_int64(rows, 4)};
    }
    return code || !count ? code : give(load, series, 1, count, err);
}

int buckets_load(struct journal_txn *txn, int64_t from_s, buckets_load_fn *fn, void *ctx, struct error *err)
{
    struct load *load = xcalloc(1, sizeof *load);
    *load = (struct load){.txn = txn, .from_s = from_s, .fn = fn, .ctx = ctx, .arena = arena_new(0)};
    int code = load_series(load, err);
    for (size_t i = 0; i < load->series_count && !code; i++) {
        code = give(load, &load->series[i], 1, 0, err);
        if (!code)
            code = load_hours(load, &load->series[i], err);
    }
    if (!code)
        code = load_tail(load, err);
    arena_free(load->arena);
    free(load->series);
    free(load);
    return code;
}
