/* The accounts in the journal: one row a series, and one for what the month has cost. Cursor and counter of a
 * series are one value, so they are committed together. */
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/journal/state.h"
#include "scrapers/cloud/target_internal.h"

#include <pthread.h>
#include <stdlib.h>

#define COST_KEY      "cost"
#define SERIES_PREFIX "s:"
#define FORGOTTEN_NS  (16 * 24 * 3600 * NS_PER_S) /* no cloud gives minutes that are older */
#define VALUE_MAX     (16UL << 20)

/* Shared with transactions under way, which may outlive the target and, at the end of the process, its loop.
 */
struct cloud_store {
    pthread_mutex_t lock;
    struct cloud_target *target; /* lock; NULL: gone. Written on the loop */
    struct loop *loop;
    struct journal *journal;
    char *space;
    bool busy;     /* the loop's */
    unsigned refs; /* lock */
};

struct row {
    char *key;
    struct str value;
    double *totals; /* NULL: of the cost */
    uint32_t width;
    int64_t closed_ns;
};

/* One transaction. */
struct work {
    struct cloud_store *store;
    struct arena *arena;
    struct row *rows;
    size_t count, capacity;
    const char **forgotten; /* keys */
    size_t forgotten_count;
    int code;
    struct error error;
};

static void unref(struct cloud_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    bool last = --store->refs == 0;
    (void)pthread_mutex_unlock(&store->lock);
    if (!last)
        return;
    (void)pthread_mutex_destroy(&store->lock);
    free(store->space);
    free(store);
}

static struct work *new_work(struct cloud_store *store)
{
    struct work *work = xcalloc(1, sizeof *work);
    work->store = store;
    work->arena = arena_new(0);
    (void)pthread_mutex_lock(&store->lock);
    store->refs++;
    (void)pthread_mutex_unlock(&store->lock);
    return work;
}

static void free_work(struct work *work)
{
    unref(work->store);
    arena_free(work->arena);
    free(work->rows);
    free(work);
}

static struct row *add_row(struct work *work)
{
    if (work->count == work->capacity) {
        work->capacity = work->capacity ? work->capacity * 2 : 64;
        work->rows = xrealloc(work->rows, work->capacity * sizeof *work->rows);
    }
    work->rows[work->count] = (struct row){0};
    return &work->rows[work->count++];
}

/* On the journal's thread: back to the loop, when the target is still there. */
static void hand_back(struct work *work, const struct error *err, const char *what, loop_fn *fn)
{
    struct cloud_store *store = work->store;
    work->code = err ? err->code : 0;
    if (err)
        work->error = *err;
    (void)pthread_mutex_lock(&store->lock);
    bool posted = store->target && loop_post(store->loop, what, fn, work);
    (void)pthread_mutex_unlock(&store->lock);
    if (!posted)
        free_work(work);
}

/* --- loading ------------------------------------------------------------------------------------------- */

static int load_row(void *ctx, const char *key, struct str value, struct error *err)
{
    struct work *work = ctx;
    (void)err;
    struct row *row = add_row(work);
    row->key = arena_strdup(work->arena, str_from(key));
    row->value = (struct str){arena_strdup(work->arena, value), value.len};
    return 0;
}

static int load(struct journal_txn *txn, void *arg, struct error *err)
{
    struct work *work = arg;
    work->count = 0; /* it may run more than once */
    return state_each(txn, work->store->space, load_row, work, err);
}

static int forget(struct journal_txn *txn, void *arg, struct error *err)
{
    struct work *work = arg;
    int code = 0;
    for (size_t i = 0; i < work->forgotten_count && !code; i++)
        code = state_delete(txn, work->store->space, work->forgotten[i], err);
    return code;
}

static void on_forgotten(void *arg, const struct error *err)
{
    (void)err; /* what could not be deleted is deleted after the next start */
    free_work(arg);
}

static void restore(struct cloud_target *target, struct work *work)
{
    int64_t now_ns = clock_wall_ns();
    work->forgotten = arena_alloc(work->arena, (work->count + 1) * sizeof *work->forgotten);
    for (size_t i = 0; i < work->count; i++) {
        const struct row *row = &work->rows[i];
        struct str key = str_from(row->key);
        struct error err = {0};
        if (str_equal_text(key, COST_KEY)) {
            if (cloud_cost_decode(&target->cost, row->value, &err) != 0)
                LOG_EVENT(LOG_WARN, "cloud.cost_not_restored", LF_TEXT("target", target->spec.target->name),
                          LF_ERROR(&err));
            continue;
        }
        if (!str_starts(key, STR(SERIES_PREFIX)))
            continue;
        key = (struct str){key.ptr + 2, key.len - 2};
        int64_t read_to_ns = cloud_plan_restore(target->plan, key, row->value);
        if (read_to_ns < 0)
            LOG_EVENT(LOG_WARN, "cloud.account_not_restored", LF_TEXT("target", target->spec.target->name),
                      LF_TEXT("series", row->key));
        else if (now_ns - read_to_ns > FORGOTTEN_NS)
            work->forgotten[work->forgotten_count++] = row->key;
    }
}

static void on_loaded_here(void *arg)
{
    struct work *work = arg;
    struct cloud_store *store = work->store;
    struct cloud_target *target = store->target;
    store->busy = false;
    if (!target) {
        free_work(work);
        return;
    }
    if (work->code)
        target->poll_error = work->error;
    else
        restore(target, work);
    target->loaded = work->code == 0;
    struct error err = {0};
    if (work->forgotten_count == 0 || journal_submit(store->journal, forget, on_forgotten, work, &err) != 0)
        free_work(work);
    cloud_target_go_on(target);
}

static void on_loaded(void *arg, const struct error *err)
{
    hand_back(arg, err, "cloud.loaded", on_loaded_here);
}

void cloud_store_load(struct cloud_store *store)
{
    struct error err = {0};
    if (!store->journal) {
        store->target->loaded = true;
        return;
    }
    if (store->busy)
        return;
    struct work *work = new_work(store);
    store->busy = true;
    if (journal_submit(store->journal, load, on_loaded, work, &err) != 0) {
        store->busy = false;
        store->target->poll_error = err; /* the next scrape tries again */
        free_work(work);
    }
}

/* --- committing ---------------------------------------------------------------------------------------- */

static int put_rows(struct journal_txn *txn, void *arg, struct error *err)
{
    const struct work *work = arg;
    int code = 0;
    for (size_t i = 0; i < work->count && !code; i++)
        code = state_put(txn, work->store->space, work->rows[i].key, work->rows[i].value, err);
    return code;
}

static void show(struct cloud_target *target, const struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct row *row = &work->rows[i];
        struct cloud_series *series =
            row->totals ? cloud_plan_find(target->plan, str_from(row->key + sizeof SERIES_PREFIX - 1)) : NULL;
        if (!series)
            continue;
        if (work->code)
            series->account.dirty = true;
        else {
            cloud_account_show(&series->account, row->totals, row->width);
            series->account.stored_closed_ns = row->closed_ns;
        }
    }
    if (work->code)
        target->cost.dirty = true;
}

static void on_committed_here(void *arg)
{
    struct work *work = arg;
    struct cloud_store *store = work->store;
    store->busy = false;
    if (store->target) {
        if (work->code)
            LOG_EVENT(LOG_WARN, "cloud.not_stored", LF_TEXT("target", store->target->spec.target->name),
                      LF_ERROR(&work->error));
        show(store->target, work);
        cloud_target_go_on(store->target);
    }
    free_work(work);
}

static void on_committed(void *arg, const struct error *err)
{
    hand_back(arg, err, "cloud.committed", on_committed_here);
}

static void collect(struct cloud_target *target, struct work *work)
{
    struct buf value = BUF_INIT(VALUE_MAX);
    for (struct cloud_series *series = cloud_plan_all_series(target->plan); series;
         series = series->plan_next) {
        struct cloud_account *account = &series->account;
        if (!account->dirty || !account->counts)
            continue;
        struct row *row = add_row(work);
        buf_reset(&value);
        cloud_account_encode(account, str_from(series->query->key), &value);
        *row = (struct row){.key = arena_printf(work->arena, SERIES_PREFIX "%s", series->key),
                            .value = {arena_strdup(work->arena, buf_str(&value)), value.len},
                            .totals = arena_alloc(work->arena, (account->width + 1) * sizeof(double)),
                            .width = account->width,
                            .closed_ns = account->closed_ns};
        for (uint32_t i = 0; i < account->width; i++)
            row->totals[i] = cloud_account_total(account, i);
        account->dirty = false;
    }
    if (target->cost.dirty) {
        struct row *row = add_row(work);
        buf_reset(&value);
        cloud_cost_encode(&target->cost, &value);
        *row = (struct row){.key = arena_strdup(work->arena, STR(COST_KEY)),
                            .value = {arena_strdup(work->arena, buf_str(&value)), value.len}};
        target->cost.dirty = false;
    }
    buf_deinit(&value);
}

bool cloud_store_commit(struct cloud_store *store)
{
    struct error err = {0};
    if (store->busy)
        return false;
    struct work *work = new_work(store);
    collect(store->target, work);
    if (work->count == 0 || !store->journal) {
        show(store->target, work);
        free_work(work);
        return false;
    }
    store->busy = true;
    if (journal_submit(store->journal, put_rows, on_committed, work, &err) == 0)
        return true;
    store->busy = false;
    work->code = err.code;
    show(store->target, work);
    free_work(work);
    return false;
}

bool cloud_store_busy(const struct cloud_store *store)
{
    return store->busy;
}

/* --- life ---------------------------------------------------------------------------------------------- */

struct cloud_store *cloud_store_new(struct cloud_target *target)
{
    struct cloud_store *store = xcalloc(1, sizeof *store);
    struct buf space = BUF_INIT(4096);
    *store = (struct cloud_store){
        .target = target, .loop = target->env->loop, .journal = target->env->journal, .refs = 1};
    (void)pthread_mutex_init(&store->lock, NULL);
    buf_printf(&space, "cloud/%s/%s", target->spec.source->name, target->spec.target->name);
    store->space = xstrdup(buf_text(&space));
    buf_deinit(&space);
    return store;
}

void cloud_store_free(struct cloud_store *store)
{
    if (!store)
        return;
    (void)pthread_mutex_lock(&store->lock);
    store->target = NULL;
    (void)pthread_mutex_unlock(&store->lock);
    unref(store);
}
