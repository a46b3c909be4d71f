#include "lib/net/resolver.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/map.h"
#include "lib/net/loop_internal.h"
#include "lib/net/resolver_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Somebody who waits for a name; becomes the message that carries the answer to its loop. */
struct waiter {
    struct waiter *next;
    struct loop *loop; /* a reference */
    resolver_fn *fn;
    void *ctx;
    bool failed;
    struct resolver_answer answer;
    struct error err;
};

struct name {
    struct name *next_queued;
    struct waiter *waiters;
    size_t waiter_count;
    bool in_flight; /* queued or with a thread */
    bool has_answer;
    int64_t answered_ns, failed_ns; /* failed_ns 0: the last lookup did not fail */
    struct resolver_answer answer;
    char host[]; /* the map's key */
};

/* `lock` guards everything; the loops' threads and the lane's own take it for moments only. */
struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t work, ended;
    struct map names;
    struct name *queue_head, **queue_tail;
    size_t queued;
    unsigned threads, max_threads, idle_threads;
    bool stopping;
    struct refcount refs; /* the owner and every thread: one that hangs in a lookup outlives the owner */
    resolver_getaddrinfo_fn *getaddrinfo;
};

static void release(struct resolver *resolver)
{
    if (!refcount_put(&resolver->refs))
        return;
    MAP_EACH (entry, &resolver->names)
        free(entry->value);
    map_deinit(&resolver->names);
    pthread_cond_destroy(&resolver->work);
    pthread_cond_destroy(&resolver->ended);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void deliver(void *arg)
{
    struct waiter *waiter = arg;
    waiter->fn(waiter->ctx, waiter->failed ? NULL : &waiter->answer, waiter->failed ? &waiter->err : NULL);
    loop_unref(waiter->loop);
    free(waiter);
}

/* A loop that has stopped owns nothing any more; its callbacks run here so that their memory is freed. */
static void send_answers(struct waiter *waiters, bool failed, const struct resolver_answer *answer,
                         const struct error *err)
{
    while (waiters) {
        struct waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->failed = failed;
        if (failed)
            waiter->err = *err;
        else
            waiter->answer = *answer;
        if (loop_post(waiter->loop, "resolver.answer", deliver, waiter))
            continue;
        waiter->failed = true;
        (void)error_set(&waiter->err, ERR_CANCELLED, "the loop that asked has stopped");
        deliver(waiter);
    }
}

static void add_address(struct resolver_answer *answer, const struct addrinfo *info)
{
    if (answer->count == RESOLVER_MAX_ADDRESSES)
        return;
    char *text = answer->addresses[answer->count];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, RESOLVER_ADDRESS_MAX, NULL, 0, NI_NUMERICHOST) !=
        0)
        return;
    for (size_t i = 0; i < answer->count; i++)
        if (strcmp(answer->addresses[i], text) == 0)
            return;
    answer->count++;
}

static int look_up(struct resolver *resolver, const char *host, int flags, struct resolver_answer *ret_answer,
                   bool *ret_definite, struct error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    *ret_answer = (struct resolver_answer){0};
    *ret_definite = false;
    int rc = resolver->getaddrinfo(host, NULL, &hints, &list);
    if (rc == EAI_SYSTEM)
        return error_set_errno(err, errno, "cannot resolve %s", host);
    if (rc != 0) {
        *ret_definite = rc == EAI_NONAME;
        return error_set(err, ERR_UNAVAILABLE, "cannot resolve %s: %s", host, gai_strerror(rc));
    }
    for (const struct addrinfo *info = list; info; info = info->ai_next)
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6)
            add_address(ret_answer, info);
    freeaddrinfo(list);
    if (!ret_answer->count)
        return error_set(err, ERR_UNAVAILABLE, "cannot resolve %s: it has no address", host);
    return 0;
}

/* Called and returns with the lock held. */
static void run_lookup(struct resolver *resolver, struct name *name)
{
    struct resolver_answer answer;
    struct error err;
    bool definite;
    pthread_mutex_unlock(&resolver->lock);
    int rc = look_up(resolver, name->host, 0, &answer, &definite, &err);
    pthread_mutex_lock(&resolver->lock);
    int64_t now = clock_mono_ns();
    name->failed_ns = rc == 0 ? 0 : now;
    if (rc == 0) {
        name->answer = answer;
        name->answered_ns = now;
        name->has_answer = true;
    } else if (definite) {
        name->has_answer = false; /* the name is gone, which is an answer too */
    } else if (name->has_answer) {
        answer = name->answer; /* stale, and better than none */
        rc = 0;
    }
    struct waiter *waiters = TAKE(name->waiters);
    name->waiter_count = 0;
    name->in_flight = false;
    pthread_mutex_unlock(&resolver->lock);
    send_answers(waiters, rc != 0, &answer, &err);
    pthread_mutex_lock(&resolver->lock);
}

static void *thread_main(void *arg)
{
    struct resolver *resolver = arg;
    (void)pthread_setname_np(pthread_self(), "resolver");
    pthread_mutex_lock(&resolver->lock);
    while (!resolver->stopping) {
        struct name *name = resolver->queue_head;
        if (!name) {
            resolver->idle_threads++;
            pthread_cond_wait(&resolver->work, &resolver->lock);
            resolver->idle_threads--;
            continue;
        }
        resolver->queue_head = name->next_queued;
        if (!resolver->queue_head)
            resolver->queue_tail = &resolver->queue_head;
        resolver->queued--;
        run_lookup(resolver, name);
    }
    resolver->threads--;
    pthread_cond_signal(&resolver->ended);
    pthread_mutex_unlock(&resolver->lock);
    release(resolver);
    return NULL;
}

static int start_thread(struct resolver *resolver, struct error *err)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    refcount_get(&resolver->refs);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attr, thread_main, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        (void)refcount_put(&resolver->refs); /* never the last: the owner holds one */
        return error_set_errno(err, rc, "cannot start a thread for name resolution");
    }
    resolver->threads++;
    return 0;
}

int resolver_new(unsigned threads, struct resolver **ret_resolver, struct error *err)
{
    struct resolver *resolver = xcalloc(1, sizeof *resolver);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->work, NULL);
    pthread_cond_init(&resolver->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    map_init(&resolver->names);
    refcount_init(&resolver->refs);
    resolver->queue_tail = &resolver->queue_head;
    resolver->max_threads = threads ? threads : RESOLVER_DEFAULT_THREADS;
    resolver->getaddrinfo = getaddrinfo;
    int rc = start_thread(resolver, err);
    if (rc < 0) {
        release(resolver);
        return rc;
    }
    *ret_resolver = resolver;
    return 0;
}

void resolver_set_getaddrinfo(struct resolver *resolver, resolver_getaddrinfo_fn *fn)
{
    resolver->getaddrinfo = fn;
}

/* Nobody waits any more: every loop has stopped. Frees the waiters of names that no thread is looking up. */
static void drop_queued(struct resolver *resolver)
{
    struct waiter *waiters = NULL;
    for (struct name *name = resolver->queue_head; name; name = name->next_queued) {
        while (name->waiters) {
            struct waiter *waiter = name->waiters;
            name->waiters = waiter->next;
            waiter->next = waiters;
            waiters = waiter;
        }
    }
    resolver->queue_head = NULL;
    resolver->queue_tail = &resolver->queue_head;
    pthread_mutex_unlock(&resolver->lock);
    struct error err;
    (void)error_set(&err, ERR_CANCELLED, "name resolution has stopped");
    send_answers(waiters, true, NULL, &err);
    pthread_mutex_lock(&resolver->lock);
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_mutex_lock(&resolver->lock);
    resolver->stopping = true;
    drop_queued(resolver);
    pthread_cond_broadcast(&resolver->work);
    /* A thread inside getaddrinfo() cannot be called back; it frees the rest when it returns. */
    while (resolver->threads && pthread_cond_timedwait(&resolver->ended, &resolver->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&resolver->lock);
    release(resolver);
}

/* Makes room by forgetting the names whose answers are over their time. */
static bool forget_old(struct resolver *resolver, int64_t now)
{
    struct name **old = xmalloc(resolver->names.count * sizeof(struct name *));
    size_t count = 0;
    MAP_EACH (entry, &resolver->names) {
        struct name *name = entry->value;
        if (!name->in_flight && (!name->has_answer || now - name->answered_ns > RESOLVER_TTL_NS))
            old[count++] = name;
    }
    for (size_t i = 0; i < count; i++) {
        (void)map_remove(&resolver->names, str_from(old[i]->host));
        free(old[i]);
    }
    free(old);
    return count > 0;
}

static struct name *find_name(struct resolver *resolver, const char *host, int64_t now)
{
    struct name *name = map_get(&resolver->names, str_from(host));
    if (name)
        return name;
    if (resolver->names.count >= RESOLVER_MAX_NAMES && !forget_old(resolver, now))
        return NULL;
    size_t size = strlen(host) + 1;
    name = xcalloc(1, sizeof *name + size);
    memcpy(name->host, host, size);
    (void)map_put(&resolver->names, str_from(name->host), name);
    return name;
}

static bool queue_name(struct resolver *resolver, struct name *name)
{
    if (resolver->stopping || resolver->queued >= RESOLVER_MAX_QUEUED)
        return false;
    name->next_queued = NULL;
    *resolver->queue_tail = name;
    resolver->queue_tail = &name->next_queued;
    resolver->queued++;
    name->in_flight = true;
    if (resolver->queued > resolver->idle_threads && resolver->threads < resolver->max_threads)
        (void)start_thread(resolver, NULL); /* there is one already, so the name is served in any case */
    pthread_cond_signal(&resolver->work);
    return true;
}

enum outcome { OUTCOME_ANSWER, OUTCOME_WAIT, OUTCOME_REFUSED };

static void add_waiter(struct name *name, struct loop *loop, resolver_fn *fn, void *ctx)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->loop = loop_ref(loop);
    waiter->fn = fn;
    waiter->ctx = ctx;
    waiter->next = name->waiters;
    name->waiters = waiter;
    name->waiter_count++;
}

/* A fresh answer is served. An old one is served while its renewal is under way or was tried and failed a
 * moment ago, so that only the first to ask after a pause waits for a name server that hangs. */
static enum outcome ask(struct resolver *resolver, struct loop *loop, const char *host, resolver_fn *fn,
                        void *ctx, struct resolver_answer *ret_answer)
{
    int64_t now = clock_mono_ns();
    struct name *name = find_name(resolver, host, now);
    if (!name)
        return OUTCOME_REFUSED;
    if (name->has_answer) {
        bool fresh = now - name->answered_ns < RESOLVER_TTL_NS;
        bool tried = name->failed_ns && now - name->failed_ns < RESOLVER_RETRY_NS;
        /* A renewal that cannot even be queued is one that failed. */
        if (fresh || tried || name->in_flight || !queue_name(resolver, name)) {
            *ret_answer = name->answer;
            return OUTCOME_ANSWER;
        }
        add_waiter(name, loop, fn, ctx);
        return OUTCOME_WAIT;
    }
    if (name->waiter_count >= RESOLVER_MAX_WAITERS || (!name->in_flight && !queue_name(resolver, name)))
        return OUTCOME_REFUSED;
    add_waiter(name, loop, fn, ctx);
    return OUTCOME_WAIT;
}

/* Numeric addresses need no lane; inet_pton() also keeps "1" and "0x7f.1" from being taken for one. */
static bool is_numeric(const char *host, struct resolver_answer *answer)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    if (strlen(host) >= RESOLVER_ADDRESS_MAX)
        return false;
    bool numeric = inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
    if (!numeric && strchr(host, ':') && strchr(host, '%')) { /* fe80::1%eth0 */
        const struct addrinfo hints = {.ai_family = AF_INET6, .ai_flags = AI_NUMERICHOST};
        struct addrinfo *list = NULL;
        numeric = getaddrinfo(host, NULL, &hints, &list) == 0;
        if (numeric)
            freeaddrinfo(list);
    }
    if (!numeric)
        return false;
    answer->count = 1;
    (void)snprintf(answer->addresses[0], RESOLVER_ADDRESS_MAX, "%s", host);
    return true;
}

void resolver_lookup(struct resolver *resolver, struct loop *loop, const char *host, resolver_fn *fn,
                     void *ctx)
{
    struct resolver_answer answer = {0};
    struct error err;
    if (!host[0] || strlen(host) > 253) {
        (void)error_set(&err, ERR_CONFIG, "\"%.64s\" is not a host name: it must have 1 to 253 characters",
                        host);
        fn(ctx, NULL, &err);
        return;
    }
    if (is_numeric(host, &answer)) {
        fn(ctx, &answer, NULL);
        return;
    }
    pthread_mutex_lock(&resolver->lock);
    enum outcome outcome = ask(resolver, loop, host, fn, ctx, &answer);
    pthread_mutex_unlock(&resolver->lock);
    if (outcome == OUTCOME_ANSWER) {
        fn(ctx, &answer, NULL);
    } else if (outcome == OUTCOME_REFUSED) {
        (void)error_set(&err, ERR_UNAVAILABLE, "cannot resolve %s: too many lookups are waiting", host);
        fn(ctx, NULL, &err);
    }
}
