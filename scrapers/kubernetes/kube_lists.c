/* The lists of the API server, page by page. */
#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/log.h"
#include "lib/net/percent.h"
#include "lib/net/retry.h"
#include "scrapers/kubernetes/kubernetes_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void send_page(struct kube_state *state);
static void next_task(struct kube_state *state);

/* --- the plan --- */

static void add_task(struct kube_state *state, const struct kube_kind *kind, const char *namespace,
                     bool optional)
{
    struct kube_task *task = &state->tasks[state->task_count++];
    *task = (struct kube_task){.kind = kind, .namespace = namespace, .optional = optional};
    (void)snprintf(task->resource, sizeof task->resource, "%s%s%s", kind->name, kind->group[0] ? "." : "",
                   kind->group);
}

static void add_kind(struct kube_state *state, const struct kube_kind *kind, bool optional)
{
    const struct string_list *namespaces = &state->config->namespaces;
    if (!kind->namespaced || namespaces->count == 0) {
        add_task(state, kind, NULL, optional);
        return;
    }
    for (size_t i = 0; i < namespaces->count; i++)
        add_task(state, kind, namespaces->items[i], optional);
}

static bool is_wanted(const struct kube_state *state, const struct kube_kind *kind)
{
    const struct string_list *wanted = &state->config->resources;
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->items[i], kind->name) == 0)
            return true;
    }
    return wanted->count == 0 || (kind == &kube_nodes && state->config->cadvisor);
}

void kube_lists_init(struct kube_state *state)
{
    size_t kinds = 0;
    while (kube_kinds[kinds])
        kinds++;
    state->tasks = xcalloc((kinds + 2) * (state->config->namespaces.count + 1), sizeof *state->tasks);
    for (size_t i = 0; i < kinds; i++) {
        if (is_wanted(state, kube_kinds[i]))
            add_kind(state, kube_kinds[i], false);
    }
    if (state->config->usage) {
        add_kind(state, &kube_node_usage, true);
        add_kind(state, &kube_pod_usage, true);
    }
    kube_page_init(&state->page);
    buf_init(&state->body, state->config->max_body_bytes);
    buf_init(&state->path, 3 * KUBE_CONTINUE_MAX + 1024);
    buf_init(&state->next, KUBE_CONTINUE_MAX);
}

void kube_lists_deinit(struct kube_state *state)
{
    kube_page_deinit(&state->page);
    buf_deinit(&state->body);
    buf_deinit(&state->path);
    buf_deinit(&state->next);
    free(state->tasks);
}

void kube_list_path(const struct kube_task *task, int64_t page_size, struct str next, struct buf *path)
{
    buf_reset(path);
    buf_append_text(path, task->kind->base);
    if (task->namespace)
        buf_printf(path, "/namespaces/%s", task->namespace);
    buf_printf(path, "/%s?limit=%lld", task->kind->name, (long long)page_size);
    if (next.len > 0) {
        buf_append_text(path, "&continue=");
        percent_encode(path, next);
    }
}

/* --- the end of a list --- */

/* Said once when it begins and once when it ends. */
static void log_change(struct kube_state *state, struct kube_task *task, const struct error *err)
{
    int code = err ? err->code : 0;
    if (code == task->failed_code)
        return;
    task->failed_code = code;
    const struct log_field target = LF_TEXT("target", state->config->target.name);
    const struct log_field resource = LF_TEXT("resource", task->resource);
    if (!err)
        LOG_EVENT(LOG_INFO, "kubernetes.resource_read", target, resource);
    else if (task->optional && err->code == ERR_PEER)
        LOG_EVENT(LOG_INFO, "kubernetes.resource_missing", target, resource, LF_ERROR(err));
    else
        LOG_EVENT(LOG_WARN, "kubernetes.resource_failed", target, resource, LF_ERROR(err));
}

/* The list cannot be had. What of it is in the batch already cannot be taken back, and half a list would lie,
 * so that ends the scrape; otherwise the other lists go on. */
static void task_failed(struct kube_state *state, const struct error *err)
{
    struct kube_task *task = &state->tasks[state->task];
    if (state->list_begun) {
        kube_fail(state, err);
        return;
    }
    if (state->first_failure.code == 0)
        state->first_failure = *err;
    log_change(state, task, err);
    state->task++;
    next_task(state);
}

static void task_done(struct kube_state *state)
{
    struct kube_task *task = &state->tasks[state->task];
    task->up = true;
    log_change(state, task, NULL);
    state->task++;
    next_task(state);
}

static void finish_lists(struct kube_state *state)
{
    for (size_t i = 0; i < state->task_count; i++) {
        if (state->tasks[i].up) {
            kube_cadvisor_begin(state);
            return;
        }
    }
    kube_fail(state, &state->first_failure);
}

static void add_node(void *ctx, const struct kube_node_facts *facts)
{
    struct kube_state *state = ctx;
    kube_words_node(state->words, facts);
    kube_add_node(state, facts->name);
}

static void add_usage(void *ctx, struct str node, struct value cpu_cores, struct value memory_bytes)
{
    struct kube_state *state = ctx;
    kube_words_usage(state->words, node, cpu_cores, memory_bytes);
}

static void add_service(void *ctx, const struct kube_service_facts *facts)
{
    struct kube_state *state = ctx;
    kube_words_service(state->words, facts);
}

static void next_task(struct kube_state *state)
{
    if (state->task == state->task_count) {
        finish_lists(state);
        return;
    }
    struct kube_task *task = &state->tasks[state->task];
    task->up = false;
    task->objects = 0;
    state->list_begun = state->restarted = false;
    state->tries = 0;
    buf_reset(&state->next);
    kube_emit_begin(&state->emit, task->kind);
    state->emit.on_node = add_node;
    state->emit.on_node_usage = add_usage;
    state->emit.on_service = add_service;
    send_page(state);
}

/* --- a page --- */

static void page_read(struct kube_state *state)
{
    state->tasks[state->task].objects += state->page.objects;
    buf_reset(&state->next);
    buf_append_str(&state->next, buf_str(&state->page.next));
    buf_reset(&state->body);
    if (state->next.len == 0) {
        task_done(state);
        return;
    }
    state->tries = 0;
    send_page(state);
}

static void read_slice(void *arg)
{
    struct kube_state *state = arg;
    struct error err = {0};
    if (state->cancelled) {
        error_set(&err, ERR_CANCELLED, "the scrape was cancelled");
        kube_fail(state, &err);
        return;
    }
    int rc = kube_page_step(&state->page, &state->emit, KUBE_SLICE_BYTES, &err);
    state->list_begun |= state->page.objects > 0;
    if (rc < 0) {
        error_prefix(&err, "%s", state->tasks[state->task].resource);
        task_failed(state, &err);
    } else if (rc == 0) {
        page_read(state);
    } else if (!loop_post(state->env->loop, "kubernetes.read", read_slice, state)) {
        error_set(&err, ERR_CANCELLED, "the loop has stopped");
        kube_fail(state, &err);
    }
}

/* --- what went wrong --- */

static void on_retry(void *ctx, int64_t lateness_ns)
{
    struct kube_state *state = ctx;
    (void)lateness_ns;
    state->waiting = false;
    send_page(state);
}

void kube_timer_init(struct kube_state *state)
{
    loop_timer_init(state->env->loop, &state->retry, "kubernetes.retry", on_retry, state);
}

/* False when another try makes no sense or would come too late. */
static bool try_again(struct kube_state *state, int64_t asked_ns)
{
    unsigned char random;
    if (++state->tries >= KUBE_TRIES)
        return false;
    crypto_random(&random, sizeof random);
    int64_t pause_ns = retry_pause_ns(state->tries, random);
    int64_t due_ns = clock_mono_ns() + (asked_ns > pause_ns ? asked_ns : pause_ns);
    if (due_ns >= state->deadline_mono_ns)
        return false;
    state->retries++;
    state->waiting = true;
    loop_timer_start(&state->retry, due_ns, 0);
    return true;
}

/* The snapshot that the token stood for is gone: the server offers the rest as it is now; without an offer
 * the list begins anew, once. */
static bool after_expiry(struct kube_state *state, const struct kube_status *status)
{
    state->expired++;
    buf_reset(&state->next);
    if (status->next[0])
        buf_append_text(&state->next, status->next);
    else if (state->restarted)
        return false;
    else
        state->restarted = true;
    send_page(state);
    return true;
}

static bool after_unauthorized(struct kube_state *state)
{
    if (state->asked_as_new)
        return false;
    state->asked_as_new = true;
    state->access_read_ns = 0; /* it may have been rotated */
    send_page(state);
    return true;
}

static void refused(struct kube_state *state, const struct http_response *response)
{
    struct kube_task *task = &state->tasks[state->task];
    struct kube_status status;
    struct error err = {0};
    kube_status_read(buf_str(&state->body), &status);
    buf_reset(&state->body);
    if (response->status == 401 && after_unauthorized(state))
        return;
    if (response->status == 410 && state->next.len > 0 && after_expiry(state, &status))
        return;
    int64_t asked_ns = retry_after_ns(response->retry_after, clock_wall_ns(), RETRY_AFTER_MAX_NS);
    if (asked_ns < status.retry_after_s * NS_PER_S && status.retry_after_s < RETRY_AFTER_MAX_NS / NS_PER_S)
        asked_ns = status.retry_after_s * NS_PER_S;
    if (retry_status_passes(response->status) && try_again(state, asked_ns))
        return;
    (void)kube_status_error(response->status, &status, "list", task->kind->name, task->kind->group,
                            task->namespace, &err);
    if (response->status == 401)
        kube_fail(state, &err);
    else
        task_failed(state, &err);
}

/* A server that cannot be reached will not be reached for the next list either. */
static void unanswered(struct kube_state *state, const struct error *err)
{
    struct error failure = *err;
    bool too_large = err->code == ERR_LIMIT || state->body.failed;
    if (state->cancelled) {
        error_set(&failure, ERR_CANCELLED, "the scrape was cancelled");
    } else if (too_large && state->page_size > 1) {
        state->page_size /= 2;
        send_page(state);
        return;
    } else if (too_large) {
        error_set(&failure, ERR_LIMIT, "one object of %s is larger than max_body",
                  state->tasks[state->task].resource);
    } else if (state->tasks[state->task].optional) {
        task_failed(state, &failure); /* what answers there is another server */
        return;
    } else if (retry_code_passes(err->code) && try_again(state, 0)) {
        return;
    }
    kube_fail(state, &failure);
}

static void on_answer(void *ctx, const struct http_response *response, const struct error *err)
{
    struct kube_state *state = ctx;
    state->call = NULL;
    if (err || state->cancelled) {
        struct error none = {0};
        unanswered(state, err ? err : &none);
        return;
    }
    if (response->status != 200) {
        refused(state, response);
        return;
    }
    state->asked_as_new = false;
    kube_page_begin(&state->page, buf_str(&state->body));
    read_slice(state);
}

static bool on_body(void *ctx, struct str chunk)
{
    struct kube_state *state = ctx;
    buf_append_str(&state->body, chunk);
    return !state->body.failed;
}

/* The API server passes questions for metrics.k8s.io on: a metrics server that hangs must not cost the rest.
 */
static int64_t deadline_of(const struct kube_state *state)
{
    int64_t now_ns = clock_mono_ns(), left_ns = state->deadline_mono_ns - now_ns;
    return state->tasks[state->task].optional && left_ns > 0 ? now_ns + left_ns / 3 : state->deadline_mono_ns;
}

static void send_page(struct kube_state *state)
{
    struct error err = {0};
    kube_list_path(&state->tasks[state->task], state->page_size, buf_str(&state->next), &state->path);
    buf_deinit(&state->body); /* clears `failed`, and between pages a target holds none */
    buf_init(&state->body, state->config->max_body_bytes);
    int rc = kube_send(state, buf_text(&state->path), "application/json", state->config->max_body_bytes,
                       deadline_of(state), on_body, on_answer, state, &state->call, &err);
    if (rc != 0)
        kube_fail(state, &err);
}

void kube_lists_begin(struct kube_state *state)
{
    state->task = 0;
    state->page_size = state->config->page_size;
    state->first_failure = (struct error){0};
    state->node_count = 0;
    kube_words_begin(state->words);
    state->asked_as_new = false;
    next_task(state);
}
