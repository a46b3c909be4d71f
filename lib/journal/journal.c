#include "lib/core/clock.h"
#include "lib/core/fault.h"
#include "lib/core/file.h"
#include "lib/journal/journal_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WAITING    8192 /* transactions accepted and not committed; further ones are refused */
#define MAX_GROUP      512
#define BUSY_MS        2000
#define BACKOFF_MIN_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS (5 * NS_PER_S)

struct work {
    struct work *next;
    journal_fn *fn;
    journal_done_fn *done;
    void *arg;
    int64_t submitted_mono_ns;
    int code;
    struct error err;
};

struct list {
    struct work *first, **last;
    size_t count;
};

struct journal {
    char *path, *wal_path;
    int lock_fd;
    struct journal_txn txn; /* journal thread, once that runs */
    pthread_t thread;
    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t changed;
    struct list waiting;
    size_t in_hand; /* taken by the thread and not done */
    int64_t oldest_in_hand_mono_ns;
    bool closing;
    int64_t close_deadline_mono_ns;
    struct journal_stats stats;
};

static void list_init(struct list *list)
{
    *list = (struct list){.last = &list->first};
}

static void list_append(struct list *list, struct work *work)
{
    work->next = NULL;
    *list->last = work;
    list->last = &work->next;
    list->count++;
}

static struct work *list_take(struct list *list)
{
    struct work *work = list->first;
    if (!work)
        return NULL;
    list->first = work->next;
    if (!list->first)
        list->last = &list->first;
    list->count--;
    return work;
}

/* --- running transactions (journal thread) --- */

static int run_one(struct journal_txn *txn, struct work *work)
{
    error_clear(&work->err);
    int code = txn_execute(txn, ST_SAVEPOINT, &work->err);
    if (code)
        return code;
    work->code = work->fn(txn, work->arg, &work->err);
    txn_reset_all(txn);
    if (work->code && !work->err.code)
        (void)error_set(&work->err, work->code, "a transaction was refused with code %d", work->code);
    if (txn->storage_failed)
        return work->code ? work->code : -EIO;
    struct error ignored;
    if (work->code) {
        /* SQLite may have rolled back everything by itself; then the group cannot go on. */
        if (sqlite3_get_autocommit(txn->db) || txn_execute(txn, ST_ROLLBACK_TO, &ignored)) {
            txn->storage_failed = true;
            return work->code;
        }
    }
    return txn_execute(txn, ST_RELEASE, work->code ? &ignored : &work->err);
}

static int commit(struct journal_txn *txn, struct error *err)
{
    if (FAULT("journal.commit")) {
        txn->storage_failed = true;
        return error_set_errno(err, errno, "journal: cannot commit");
    }
    return txn_execute(txn, ST_COMMIT, err);
}

/* All of the list in one commit. 0, or why the commit failed as a whole. */
static int run_group(struct journal_txn *txn, struct list *list, struct error *err)
{
    txn->storage_failed = false;
    int code = txn_execute(txn, ST_BEGIN, err);
    for (struct work *work = list->first; work && !code; work = work->next) {
        code = run_one(txn, work);
        if (code && err)
            *err = work->err;
    }
    if (!code)
        code = commit(txn, err);
    txn_reset_all(txn);
    if (code && !sqlite3_get_autocommit(txn->db)) {
        struct error ignored;
        bool storage_failed = txn->storage_failed;
        (void)!txn_execute(txn, ST_ROLLBACK, &ignored);
        txn->storage_failed = storage_failed;
    }
    return code;
}

static uint64_t size_of_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && found.st_size > 0 ? (uint64_t)found.st_size : 0;
}

static void note_commit(struct journal *journal, size_t transactions, int64_t started_mono_ns)
{
    uint64_t bytes = size_of_file(journal->path) + size_of_file(journal->wal_path);
    (void)pthread_mutex_lock(&journal->lock);
    journal->stats.commits++;
    journal->stats.transactions += transactions;
    journal->stats.last_commit_wall_ns = clock_wall_ns();
    journal->stats.last_commit_duration_ns = clock_mono_ns() - started_mono_ns;
    journal->stats.bytes = bytes;
    journal->stats.last_error[0] = '\0';
    (void)pthread_mutex_unlock(&journal->lock);
}

static void note_failure(struct journal *journal, const struct error *err)
{
    (void)pthread_mutex_lock(&journal->lock);
    journal->stats.failed_commits++;
    (void)snprintf(journal->stats.last_error, sizeof journal->stats.last_error, "%.255s", err->message);
    (void)pthread_mutex_unlock(&journal->lock);
}

static void finish(struct journal *journal, struct work *work)
{
    (void)pthread_mutex_lock(&journal->lock);
    journal->in_hand--;
    (void)pthread_mutex_unlock(&journal->lock);
    if (work->done)
        work->done(work->arg, work->code ? &work->err : NULL);
    free(work);
}

/* Runs what `list` holds from its head as far as the storage allows. What was finished is taken off the list;
 * false: the storage failed and the rest waits for a retry. */
static bool run_list(struct journal *journal, struct list *list)
{
    struct error err = {0};
    int64_t started = clock_mono_ns();
    int code = run_group(&journal->txn, list, &err);
    if (!code) {
        note_commit(journal, list->count, started);
        while (list->first)
            finish(journal, list_take(list));
        return true;
    }
    note_failure(journal, &err);
    if (list->count == 1) {
        if (journal->txn.storage_failed)
            return false;
        struct work *work = list_take(list);
        work->code = code;
        work->err = err;
        finish(journal, work);
        return true;
    }
    while (list->first) {
        struct list alone;
        list_init(&alone);
        struct work *rest = list->first->next;
        list_append(&alone, list_take(list));
        if (!run_list(journal, &alone)) {
            /* Back to the head: order is kept. */
            struct work *work = alone.first;
            work->next = rest;
            list->first = work;
            if (!rest)
                list->last = &work->next;
            list->count++;
            return false;
        }
    }
    return true;
}

/* --- the thread --- */

static void take_group(struct journal *journal, struct list *group)
{
    journal->oldest_in_hand_mono_ns = journal->waiting.first ? journal->waiting.first->submitted_mono_ns : 0;
    while (group->count < MAX_GROUP && journal->waiting.first) {
        list_append(group, list_take(&journal->waiting));
        journal->in_hand++;
    }
}

/* With the lock held. */
static void sleep_until(struct journal *journal, int64_t deadline_mono_ns)
{
    struct timespec deadline = {.tv_sec = deadline_mono_ns / NS_PER_S,
                                .tv_nsec = deadline_mono_ns % NS_PER_S};
    (void)pthread_cond_timedwait(&journal->changed, &journal->lock, &deadline);
}

/* True when the retry is due, false when closing has run out of time. */
static bool back_off(struct journal *journal, int64_t wait_ns)
{
    int64_t due = clock_mono_ns() + wait_ns;
    (void)pthread_mutex_lock(&journal->lock);
    while (clock_mono_ns() < due) {
        if (journal->closing && clock_mono_ns() >= journal->close_deadline_mono_ns)
            break;
        sleep_until(journal, journal->closing && journal->close_deadline_mono_ns < due
                                 ? journal->close_deadline_mono_ns
                                 : due);
    }
    bool go_on = !journal->closing || clock_mono_ns() < journal->close_deadline_mono_ns;
    (void)pthread_mutex_unlock(&journal->lock);
    return go_on;
}

static void give_up(struct journal *journal, struct list *group)
{
    (void)pthread_mutex_lock(&journal->lock);
    while (journal->waiting.first) {
        list_append(group, list_take(&journal->waiting));
        journal->in_hand++;
    }
    (void)pthread_mutex_unlock(&journal->lock);
    while (group->first) {
        struct work *work = list_take(group);
        work->code = error_set(&work->err, ERR_CANCELLED, "the journal was closed before this was committed");
        finish(journal, work);
    }
}

static void *run_thread(void *arg)
{
    struct journal *journal = arg;
    struct list group;
    list_init(&group);
    for (;;) {
        (void)pthread_mutex_lock(&journal->lock);
        while (!journal->waiting.first && !journal->closing)
            (void)pthread_cond_wait(&journal->changed, &journal->lock);
        take_group(journal, &group);
        (void)pthread_mutex_unlock(&journal->lock);
        if (!group.first)
            return NULL;
        for (int64_t wait_ns = BACKOFF_MIN_NS; !run_list(journal, &group);
             wait_ns = wait_ns * 2 > BACKOFF_MAX_NS ? BACKOFF_MAX_NS : wait_ns * 2) {
            if (!back_off(journal, wait_ns)) {
                give_up(journal, &group);
                return NULL;
            }
        }
    }
}

/* --- open and close --- */

static int make_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *folder = xstrndup((struct str){path, (size_t)(slash - path)});
    int code = file_make_folder(folder, 0750, err);
    free(folder);
    return code;
}

/* SQLite gives its -wal and -shm the permissions of the file. */
static int create_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "journal %s: cannot open", path);
    (void)close(fd);
    return 0;
}

static int open_files(struct journal *journal, struct error *err)
{
    char *lock_path = xmalloc(strlen(journal->path) + sizeof ".lock");
    (void)snprintf(lock_path, strlen(journal->path) + sizeof ".lock", "%s.lock", journal->path);
    int code = make_parent(journal->path, err);
    if (!code)
        code = file_lock(lock_path, &journal->lock_fd, err);
    free(lock_path);
    if (code)
        return error_prefix(err, "journal %s", journal->path);
    code = create_file(journal->path, err);
    if (code)
        return code;
    if (FAULT("journal.open"))
        return error_set_errno(err, errno, "journal %s: cannot open", journal->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(journal->path, &journal->txn.db, flags, NULL) != SQLITE_OK)
        return error_set(err, ERR_UNAVAILABLE, "journal %s: %s", journal->path,
                         journal->txn.db ? sqlite3_errmsg(journal->txn.db) : "out of memory");
    (void)sqlite3_busy_timeout(journal->txn.db, BUSY_MS);
    return schema_prepare(journal->txn.db, journal->path, err);
}

static void free_journal(struct journal *journal)
{
    txn_finalize_all(&journal->txn);
    (void)sqlite3_close(journal->txn.db);
    if (journal->lock_fd >= 0)
        (void)close(journal->lock_fd);
    (void)pthread_cond_destroy(&journal->changed);
    (void)pthread_mutex_destroy(&journal->lock);
    free(journal->path);
    free(journal->wal_path);
    free(journal);
}

int journal_open(const char *path, struct journal **ret_journal, struct error *err)
{
    struct journal *journal = xcalloc(1, sizeof *journal);
    journal->path = xstrdup(path);
    journal->wal_path = xmalloc(strlen(path) + sizeof "-wal");
    (void)snprintf(journal->wal_path, strlen(path) + sizeof "-wal", "%s-wal", path);
    journal->lock_fd = -1;
    list_init(&journal->waiting);
    (void)pthread_mutex_init(&journal->lock, NULL);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&journal->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    int code = open_files(journal, err);
    if (!code) {
        journal->stats.bytes = size_of_file(journal->path) + size_of_file(journal->wal_path);
        int result = pthread_create(&journal->thread, NULL, run_thread, journal);
        if (result)
            code = error_set_errno(err, result, "journal %s: cannot start its thread", path);
    }
    if (code) {
        free_journal(journal);
        return code;
    }
    *ret_journal = journal;
    return 0;
}

void journal_close(struct journal *journal, int64_t deadline_mono_ns)
{
    if (!journal)
        return;
    (void)pthread_mutex_lock(&journal->lock);
    journal->closing = true;
    journal->close_deadline_mono_ns = deadline_mono_ns > 0 ? deadline_mono_ns : 0;
    (void)pthread_cond_broadcast(&journal->changed);
    (void)pthread_mutex_unlock(&journal->lock);
    (void)pthread_join(journal->thread, NULL);
    free_journal(journal);
}

/* --- submitting --- */

int journal_submit(struct journal *journal, journal_fn *fn, journal_done_fn *done, void *arg,
                   struct error *err)
{
    struct work *work = xcalloc(1, sizeof *work);
    *work = (struct work){.fn = fn, .done = done, .arg = arg, .submitted_mono_ns = clock_mono_ns()};
    (void)pthread_mutex_lock(&journal->lock);
    int code = 0;
    size_t waiting = journal->waiting.count + journal->in_hand;
    if (journal->closing)
        code = error_set(err, ERR_CANCELLED, "the journal is closing");
    else if (waiting >= MAX_WAITING) {
        journal->stats.refused++;
        code = error_set(err, ERR_LIMIT, "the journal has %zu transactions waiting", waiting);
        error_set_detail(err, "last error: %.200s", journal->stats.last_error);
    } else {
        list_append(&journal->waiting, work);
        (void)pthread_cond_signal(&journal->changed);
    }
    (void)pthread_mutex_unlock(&journal->lock);
    if (code)
        free(work);
    return code;
}

struct run {
    journal_fn *fn;
    void *arg;
    int code;
    struct error *err;
    pthread_mutex_t lock; /* over finished */
    pthread_cond_t changed;
    bool finished;
};

static int call_run(struct journal_txn *txn, void *arg, struct error *err)
{
    struct run *run = arg;
    return run->fn(txn, run->arg, err);
}

static void finish_run(void *arg, const struct error *err)
{
    struct run *run = arg;
    (void)pthread_mutex_lock(&run->lock);
    if (err) {
        run->code = err->code;
        if (run->err)
            *run->err = *err;
    }
    run->finished = true;
    (void)pthread_cond_signal(&run->changed);
    (void)pthread_mutex_unlock(&run->lock);
}

int journal_run(struct journal *journal, journal_fn *fn, void *arg, struct error *err)
{
    assert(!pthread_equal(pthread_self(), journal->thread));
    struct run run = {.fn = fn, .arg = arg, .err = err};
    (void)pthread_mutex_init(&run.lock, NULL);
    (void)pthread_cond_init(&run.changed, NULL);
    int code = journal_submit(journal, call_run, finish_run, &run, err);
    if (!code) {
        (void)pthread_mutex_lock(&run.lock);
        while (!run.finished)
            (void)pthread_cond_wait(&run.changed, &run.lock);
        (void)pthread_mutex_unlock(&run.lock);
        code = run.code;
    }
    (void)pthread_cond_destroy(&run.changed);
    (void)pthread_mutex_destroy(&run.lock);
    return code;
}

void journal_stats(struct journal *journal, struct journal_stats *ret_stats)
{
    (void)pthread_mutex_lock(&journal->lock);
    *ret_stats = journal->stats;
    ret_stats->waiting = journal->waiting.count + journal->in_hand;
    if (journal->in_hand)
        ret_stats->oldest_waiting_mono_ns = journal->oldest_in_hand_mono_ns;
    else if (journal->waiting.first)
        ret_stats->oldest_waiting_mono_ns = journal->waiting.first->submitted_mono_ns;
    (void)pthread_mutex_unlock(&journal->lock);
}
